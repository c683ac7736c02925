#include "bench/studies/convergence.hpp"

#include <algorithm>
#include <cmath>

#include "host/adapt/warmup.hpp"
#include "host/clock.hpp"
#include "host/gradients.hpp"
#include "host/starts.hpp"
#include "lockstep/result.hpp"

namespace lockstep::bench {

SecondMoments second_moments(const Fit& fit) {
  const Statistics& s = fit.statistics;
  const auto chains = static_cast<std::size_t>(s.chains);
  SecondMoments m;
  for (std::size_t j = 0; j < static_cast<std::size_t>(s.dim); ++j) {
    // Chan, Golub & LeVeque's merge of all chains' halves.
    double n = 0, mean = 0, m2 = 0;
    for (int half = 0; half < 2; ++half) {
      const auto k = static_cast<double>(s.draws[half]);
      for (std::size_t i = j * chains; k > 0 && i < (j + 1) * chains; ++i) {
        const double delta = s.mean_square[half][i] - mean;
        m2 += s.m2_square[half][i] + delta * delta * n * k / (n + k);
        n += k;
        mean += delta * k / n;
      }
    }
    const ParameterSummary& p = fit.parameters[j];
    const double known = p.truth_mean * p.truth_mean + p.truth_sd * p.truth_sd;
    m.mean.push_back(std::isfinite(known) ? known : mean);
    m.variance.push_back(m2 / n);
  }
  return m;
}

double squared_bias(const std::vector<double>& x, const SecondMoments& m) {
  const std::size_t chains = x.size() / m.mean.size();
  double worst = 0;
  for (std::size_t j = 0; j < m.mean.size(); ++j) {
    double sum = 0;
    for (std::size_t i = j * chains; i < (j + 1) * chains; ++i) {
      sum += x[i] * x[i];
    }
    const double bias = sum / static_cast<double>(chains) - m.mean[j];
    worst = std::max(worst, bias * bias / m.variance[j]);
  }
  return worst;
}

namespace {

class Traveller {
 public:
  Traveller(Engine& engine, const SampleOptions& options, const Goals& goals, Journey& journey)
      : engine_(engine),
        goals_(goals),
        journey_(journey),
        x_(static_cast<std::size_t>(engine.description().dim * options.chains)),
        superchains_(engine.description().dim, options.chains, options.superchain) {}

  /// @param gradients  of a chain, so far
  void after_transition(double gradients, bool sampling) {
    engine_.observed(0, x_);
    if (looks_for_bias()) {
      journey_.gradients.push_back(gradients);
      journey_.squared_bias.push_back(squared_bias(x_, goals_.moments));
      if (journey_.squared_bias.back() < kSmallBias) {
        journey_.bias = gradients;
      }
    }
    if (looks_for_agreement() && sampling) {
      superchains_.add(x_);
      if (superchains_.nested_rhat() < kAgreement) {
        journey_.agreement = gradients;
        journey_.seconds = clock_.seconds();
      }
    }
    if (goals_.step) {
      goals_.step();
    }
  }
  bool arrived() const { return !looks_for_bias() && !looks_for_agreement(); }

 private:
  bool looks_for_bias() const { return !goals_.moments.mean.empty() && std::isnan(journey_.bias); }
  bool looks_for_agreement() const { return goals_.agreement && std::isnan(journey_.agreement); }

  Engine& engine_;
  const Goals& goals_;
  Journey& journey_;
  std::vector<double> x_;
  SuperchainMoments superchains_;
  const Clock clock_;
};

}  // namespace

Journey travel(Engine& engine, const Sampler& sampler, const SampleOptions& options,
               const Preparation& preparation, const Goals& goals) {
  Journey journey;
  journey.preparation =
      static_cast<double>(preparation.gradients) / static_cast<double>(options.chains);
  Traveller traveller(engine, options, goals, journey);
  start_chains(engine, options, preparation);
  WarmUp warm_up(engine, sampler, options);
  warm_up.prepare(preparation);
  double gradients = 0;
  while (!warm_up.done()) {
    warm_up.step();
    gradients = journey.preparation + static_cast<double>(warm_up.gradients());
    traveller.after_transition(gradients, false);
    if (traveller.arrived()) {
      return journey;
    }
  }
  journey.warmup = static_cast<double>(warm_up.gradients());
  journey.transitions = warm_up.transitions();
  const FrozenSampler frozen = warm_up.frozen();
  engine.configure(frozen.sampler, frozen.metric);
  for (int t = 0; t < goals.draws && !traveller.arrived(); ++t) {
    Launch launch{frozen.next_transition + static_cast<std::uint32_t>(t), 1,
                  frozen.sampler.step_size};
    launch.observe = true;
    engine.advance(launch);
    gradients += static_cast<double>(
        gradients_of(frozen.sampler, engine.description(), options.seed, launch));
    traveller.after_transition(gradients, true);
  }
  journey.seconds += preparation.seconds;
  return journey;
}

}  // namespace lockstep::bench
