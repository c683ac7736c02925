#include "host/adapt/warmup.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "host/adapt/dual_averaging.hpp"
#include "host/adapt/metric.hpp"
#include "host/gradients.hpp"

namespace lockstep {

namespace {

/// Windows of the metric: the first ends after 10 transitions, each next is twice as long as the
/// one before, and the last 20 % of the warm-up belongs to the step size alone. Only the second
/// half of a window is pooled, and positions are taken every few transitions when the chains are
/// many.
class Windows {
 public:
  explicit Windows(int warmup) {
    const int last = warmup - std::max(warmup / 5, 10);
    int length = 10;
    for (int end = 10; end <= last;) {
      // A window that leaves less than itself behind runs to the end.
      if (end + 2 * length > last) {
        end = last;
      }
      ends_.push_back(end);
      length *= 2;
      end += length;
    }
  }

  bool ends_after(int transition) const {
    return std::find(ends_.begin(), ends_.end(), transition + 1) != ends_.end();
  }
  /// True in the second half of a window.
  bool collects(int transition) const {
    int begin = 0;
    for (const int end : ends_) {
      if (transition < end) {
        return 2 * (transition - begin) >= end - begin;
      }
      begin = end;
    }
    return false;
  }

 private:
  std::vector<int> ends_;
};

/// Positions that are pooled for a metric: beyond this many, more say little more.
constexpr std::int64_t kEnoughDraws = 100'000;

/// Above this many dimensions `automatic` stays diagonal: a dense product costs dim^2 per step.
constexpr int kDenseLimit = 64;

/// Hoffman & Gelman's heuristic, pooled: doubles or halves the step size until the mean acceptance
/// of one-step transitions crosses 0.8. The transitions are ordinary ones and count as warm-up.
double first_step_size(Engine& engine, double step, std::uint64_t seed, FrozenSampler& state) {
  int direction = 0;
  for (int i = 0; i < 60; ++i) {
    const Launch launch{state.next_transition++, 1, step, 1, true};
    const Pooled pooled = engine.advance(launch);
    state.gradients += gradients_of(state.sampler, seed, launch);
    const int wanted = pooled.acceptance > 0.8 ? 1 : -1;
    if (direction == 0) {
      direction = wanted;
    } else if (wanted != direction) {
      break;
    }
    step *= direction > 0 ? 2.0 : 0.5;
  }
  return step;
}

}  // namespace

double target_acceptance(const Sampler& sampler, int dim) {
  if (sampler.target_acceptance > 0) {
    return sampler.target_acceptance;
  }
  if (sampler.method == Method::random_walk) {
    return dim == 1 ? 0.44 : 0.234;  // Roberts, Gelman & Gilks 1997
  }
  return sampler.leapfrog == 1 && sampler.persistence == 0 ? 0.574
                                                           : 0.8;  // Roberts & Rosenthal 1998
}

FrozenSampler warm_up(Engine& engine, const Sampler& sampler, int warmup, std::uint64_t seed,
                      const WarmupProgress& progress) {
  const EngineDescription& about = engine.description();
  const int dim = about.dim;
  FrozenSampler state;
  state.sampler = sampler;
  state.metric = prepare_metric(sampler.metric, sampler.inverse_mass, dim);
  engine.configure(sampler, state.metric);
  if (warmup == 0) {
    return state;
  }

  const bool tune_step = sampler.step_size == 0;
  const bool tune_metric = sampler.metric != Metric::unit && sampler.inverse_mass.empty();
  const bool full = sampler.metric == Metric::dense ||
                    (sampler.metric == Metric::automatic && dim <= kDenseLimit);
  double step = sampler.step_size;
  if (tune_step) {
    step = sampler.method == Method::random_walk ? 2.38 / std::sqrt(static_cast<double>(dim))
                                                 : first_step_size(engine, 1.0, seed, state);
  }
  DualAveraging average(step, target_acceptance(sampler, dim));

  const Windows windows(warmup);
  const auto size = static_cast<std::size_t>(dim) * static_cast<std::size_t>(about.chains);
  const std::int64_t stride = std::max<std::int64_t>(1, about.chains * warmup / 4 / kEnoughDraws);
  std::vector<double> q(tune_metric ? size : 0);
  PooledMoments pooled_moments(dim, full);
  bool new_metric = true;
  for (int t = 0; t < warmup; ++t) {
    const Launch launch{state.next_transition++, 1, step, 0, new_metric};
    new_metric = false;
    const Pooled pooled = engine.advance(launch);
    state.gradients += gradients_of(sampler, seed, launch);
    state.divergences += pooled.divergences;
    if (tune_step) {
      average.update(pooled.acceptance);
      step = average.step_size();
    }
    const bool window_ends = windows.ends_after(t);
    if (tune_metric && (window_ends || (windows.collects(t) && t % stride == 0))) {
      engine.positions(q);
      pooled_moments.add(q, about.chains);
    }
    if (tune_metric && window_ends) {
      const bool dense = sampler.metric == Metric::dense ||
                         (full && dim > 1 && pooled_moments.strongly_correlated());
      // A dense estimate from too few draws is worse than none; it has to wait.
      if (pooled_moments.count() > (dense ? 2 * dim : 1)) {
        state.metric = prepare_metric(dense ? Metric::dense : Metric::diagonal,
                                      pooled_moments.inverse_mass(dense), dim);
        engine.configure(sampler, state.metric);
        new_metric = true;
        if (tune_step) {
          step = sampler.method == Method::random_walk ? average.average()
                                                       : first_step_size(engine, 1.0, seed, state);
          average.restart(step);
        }
      }
      pooled_moments = PooledMoments(dim, full);
    }
    if (!progress(t + 1, pooled.acceptance, step)) {
      state.interrupted = true;
      break;
    }
  }
  state.sampler.step_size = tune_step ? average.average() : sampler.step_size;
  state.sampler.metric = state.metric.kind;
  state.sampler.inverse_mass =
      state.metric.kind == Metric::unit ? InverseMass{} : state.metric.inverse_mass;
  return state;
}

}  // namespace lockstep
