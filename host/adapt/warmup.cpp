#include "host/adapt/warmup.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "host/gradients.hpp"
#include "kernels/random/philox.hpp"
#include "kernels/transitions/trajectory.hpp"
#include "lockstep/error.hpp"

namespace lockstep {

namespace {

/// Positions that are pooled for a metric: beyond this many, more say little more.
constexpr std::int64_t kEnoughDraws = 100'000;

// A pooled warm-up ends early when over a window's second half superchains agree to this nested
// R-hat, and step size and trajectory length have changed by less than these factors since the
// window before. Sixteen chains of a superchain that make only one independent draw each would
// still differ by sqrt(1 + 1/16) = 1.03, so 1.02 asks for a little more than agreement.
constexpr double kAgreement = 1.02, kRestingStep = 1.25, kRestingLength = 1.25;

double initial_step_size(const Sampler& sampler, int dim) {
  if (sampler.step_size > 0) {
    return sampler.step_size;
  }
  // The random walk's optimum in the metric of the target (Roberts, Gelman & Gilks 1997).
  return sampler.method == Method::random_walk ? 2.38 / std::sqrt(static_cast<double>(dim)) : 1.0;
}

bool within_factor(double a, double b, double factor) {
  return a > 0 && b > 0 && std::abs(std::log(a / b)) < std::log(factor);
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

WarmUp::WarmUp(Engine& engine, const Sampler& sampler, const SampleOptions& options)
    : engine_(engine),
      sampler_(sampler),
      options_(options),
      dim_(engine.description().dim),
      chains_(engine.description().chains),
      tunes_step_(sampler.step_size == 0),
      tunes_metric_(sampler.metric != Metric::unit && sampler.inverse_mass.empty()),
      pooled_(resolved(options.adaptation.schedule, chains_) == Schedule::pooled),
      windows_(pooled_ ? pooled_schedule(options.warmup) : windowed_schedule(options.warmup)),
      metric_(prepare_metric(tunes_metric_ ? Metric::unit : sampler.metric, sampler.inverse_mass,
                             dim_)),
      steps_(options.adaptation.per_chain_step_size ? chains_ : 0, initial_step_size(sampler, dim_),
             lockstep::target_acceptance(sampler, dim_),
             chains_ < kPooledChains || options.adaptation.per_chain_step_size
                 ? kDualAveragingOfOne
                 : kDualAveragingOfMany),
      estimator_(sampler.metric, dim_, options.adaptation),
      superchains_(dim_, chains_, options.superchain),
      watch_(chains_) {
  const auto size = static_cast<std::size_t>(dim_) * static_cast<std::size_t>(chains_);
  q_.resize(size);
  acceptance_.resize(static_cast<std::size_t>(chains_));
  potential_.resize(acceptance_.size());
  if (pooled_) {
    stride_ = std::max<std::int64_t>(1, chains_ * options.warmup / 4 / kEnoughDraws);
  }
  if (tunes_metric_ && estimator_.needs_gradients()) {
    gradient_.resize(size);
  }
  if (sampler.length != Length::given) {
    before_.resize(size);
    momentum_.resize(size);
  }
  if (tunes_metric_) {
    std::int64_t last = 0;
    for (const Window& w : windows_) {
      last = w.sets_metric ? (w.end - w.collects_from + stride_ - 1) / stride_ : last;
    }
    check_dense(sampler.metric, dim_, last * chains_, options.adaptation);
  }
  if (options.keep_warmup) {
    kept_.parameters = options.keep_parameters;
    if (kept_.parameters.empty()) {
      kept_.parameters.resize(static_cast<std::size_t>(dim_));
      std::iota(kept_.parameters.begin(), kept_.parameters.end(), 0);
    }
    kept_.chains = options.keep_chains < 0 ? chains_ : std::min(options.keep_chains, chains_);
    kept_.thin = options.thin;
  }
  set_up_engine();
}

void WarmUp::set_up_engine() {
  engine_.configure(sampler_, metric_);
  engine_.scale_steps(steps_.factors());
}

double WarmUp::step_size() const {
  return tunes_step_ ? steps_.step_size() : sampler_.step_size;
}

Pooled WarmUp::advance(const Launch& launch) {
  gradients_ += gradients_of(sampler_, options_.seed, launch);
  return engine_.advance(launch);
}

/// Hoffman & Gelman's heuristic, pooled: doubles or halves the step size until the mean acceptance
/// of one-step transitions crosses 0.8, and takes the largest that stays above. The transitions are
/// ordinary ones and count as warm-up.
double WarmUp::first_step_size() {
  double step = 1.0;
  int direction = 0;
  for (int i = 0; i < 60; ++i) {
    Launch launch{next_transition_++, 1, step, 1, true};
    launch.observe = true;
    launch.hop = sampler_.hop;
    const Pooled pooled = advance(launch);
    const int wanted = pooled.acceptance > 0.8 ? 1 : -1;
    if (direction == 0) {
      direction = wanted;
    } else if (wanted != direction) {
      return direction > 0 ? 0.5 * step : step;
    }
    step *= direction > 0 ? 2.0 : 0.5;
  }
  return step;
}

/// A first guess spares the transitions that a window would take to find it.
void WarmUp::start_metric() {
  std::vector<double> gradient(q_.size());
  engine_.positions(q_);
  engine_.evaluations(potential_, gradient);
  metric_ = prepare_metric(Metric::diagonal, metric_of_starts(q_, gradient, dim_), dim_);
  engine_.configure(sampler_, metric_);
}

/// @param step  0: searched for; the random walk keeps its own
void WarmUp::restart_step_size(double step) {
  engine_.scale_steps({});
  if (step == 0) {
    step = sampler_.method == Method::random_walk ? steps_.average() : first_step_size();
  }
  steps_.restart(step);
  engine_.scale_steps(steps_.factors());
}

void WarmUp::begin() {
  if (tunes_metric_ && pooled_) {
    start_metric();
  }
  if (tunes_step_) {
    restart_step_size(0);
  }
  if (sampler_.length != Length::given) {
    length_.emplace(sampler_.length, dim_, sampler_.leapfrog * step_size());
  }
}

bool WarmUp::collects() const {
  const bool last = done_ + 1 == window().end;
  return window().sets_metric && done_ >= window().collects_from &&
         (last || (done_ - window().collects_from) % stride_ == 0);
}

void WarmUp::step() {
  if (done_ == 0) {
    begin();
  }
  const double step = step_size();
  Launch launch{next_transition_++, 1, step, 0, fresh_momentum_};
  launch.observe = true;
  launch.hop = sampler_.hop;
  if (length_) {
    launch.steps = length_->steps(launch.first, step);
    launch.leave_momentum = true;
    engine_.positions(before_);
  }
  fresh_momentum_ = false;
  const Pooled pooled = advance(launch);
  divergences_ += pooled.divergences;
  engine_.observed(dim_, acceptance_);

  AdaptationStep now;
  now.step_size = step;
  now.length = step * trajectory_of(sampler_, options_.seed, launch).steps_at(launch.first);
  now.acceptance = pooled.acceptance;
  now.low_acceptance = quantile(acceptance_, 0.05);
  now.divergences = pooled.divergences;
  history_.push_back(now);
  keep_draws();

  if (length_) {
    engine_.positions(q_);
    engine_.momenta(momentum_);
    length_->update(Whitening(metric_), before_, q_, momentum_, now.length, step);
  }
  if (tunes_step_) {
    steps_.update(pooled.acceptance, acceptance_);
    if (steps_.per_chain()) {
      engine_.scale_steps(steps_.factors());
    }
  }
  collect();
  if (++done_ == window().end) {
    close_window();
  }
}

void WarmUp::keep_draws() {
  if (!options_.keep_warmup || (done_ + 1) % kept_.thin != 0) {
    return;
  }
  std::vector<double> row(static_cast<std::size_t>(chains_));
  std::vector<int> rows = kept_.parameters;
  for (int i = 0; i < Draws::info_rows; ++i) {
    rows.push_back(dim_ + i);
  }
  for (const int r : rows) {
    engine_.observed(r, row);
    kept_.values.insert(kept_.values.end(), row.begin(), row.begin() + kept_.chains);
  }
  ++kept_.draws;
}

void WarmUp::collect() {
  engine_.evaluations(potential_, collects() ? std::span<double>(gradient_) : std::span<double>());
  watch_.add(acceptance_, potential_);
  if (collects()) {
    engine_.positions(q_);
    superchains_.add(q_);
    if (tunes_metric_) {
      estimator_.add(q_, gradient_, chains_);
    }
  }
}

void WarmUp::close_window() {
  treat_stranded();
  const bool ends = settled();
  const double resting = steps_.average();
  rested_length_ = length_ ? length_->mean_length() : 0;
  if (window().sets_metric && tunes_metric_) {
    set_metric();
    if (tunes_step_) {
      restart_step_size(ends ? resting : 0);  // a settled metric hardly changes any more
    }
  }
  rested_step_ = resting;
  if (ends) {
    windows_.resize(window_ + 1);
    const int end = std::min(done_ + kSettling, options_.warmup);
    windows_.push_back({done_, end, end, false});
  }
  estimator_.clear();
  superchains_ = SuperchainMoments(dim_, chains_, options_.superchain);
  watch_.clear();
  window_ += window_ + 1 < windows_.size() ? 1 : 0;
}

bool WarmUp::settled() const {
  return pooled_ && options_.adaptation.stop_early && window().sets_metric &&
         superchains_.nested_rhat() < kAgreement && (!tunes_metric_ || estimator_.ready()) &&
         (!tunes_step_ || within_factor(steps_.average(), rested_step_, kRestingStep)) &&
         (!length_ || within_factor(length_->mean_length(), rested_length_, kRestingLength));
}

void WarmUp::set_metric() {
  const auto estimate = estimator_.estimate();
  if (!estimate) {
    return;
  }
  metric_ = *estimate;
  history_.back().new_metric = true;
  fresh_momentum_ = true;
  engine_.configure(sampler_, metric_);
}

void WarmUp::treat_stranded() {
  engine_.positions(q_);
  std::vector<StrandedChain> found = watch_.find(q_, engine_.description().names);
  if (found.empty()) {
    return;
  }
  std::vector<bool> far(static_cast<std::size_t>(chains_));
  for (const StrandedChain& s : found) {
    far[static_cast<std::size_t>(s.chain)] = true;
  }
  for (std::size_t i = 0; i < found.size(); ++i) {
    StrandedChain& s = found[i];
    s.transition = done_ - 1;
    if (!options_.adaptation.restart_stranded) {
      continue;
    }
    // A random settled chain: at most a tenth are not, so a few words find one.
    const auto word = static_cast<std::uint32_t>(s.chain % max_blocks);
    for (std::uint32_t attempt = 0; s.restarted_from < 0; ++attempt) {
      const auto bits =
          shared_words(options_.seed, next_transition_, Purpose::start, word)[attempt % 4].bits;
      const auto chosen = static_cast<std::int64_t>((std::uint64_t{bits} + attempt) %
                                                    static_cast<std::uint64_t>(chains_));
      s.restarted_from = far[static_cast<std::size_t>(chosen)] ? -1 : chosen;
    }
    for (int j = 0; j < dim_; ++j) {
      q_[static_cast<std::size_t>(j * chains_ + s.chain)] =
          q_[static_cast<std::size_t>(j * chains_ + s.restarted_from)];
    }
  }
  stranded_.insert(stranded_.end(), found.begin(), found.end());
  if (options_.adaptation.restart_stranded) {
    engine_.place(q_);
    fresh_momentum_ = true;
  }
}

FrozenSampler WarmUp::frozen() const {
  FrozenSampler f;
  f.sampler = sampler_;
  f.metric = metric_;
  f.next_transition = next_transition_;
  if (tunes_step_ && done_ > 0) {
    f.sampler.step_size = steps_.average();
    f.step_factors = steps_.average_factors();
  }
  f.sampler.metric = metric_.kind;
  f.sampler.inverse_mass = metric_.kind == Metric::unit ? InverseMass{} : metric_.inverse_mass;
  if (length_) {
    f.sampler.leapfrog =
        std::max(1, static_cast<int>(std::lround(length_->mean_length() / f.sampler.step_size)));
    f.sampler.length_jitter = LengthJitter::halton;
  }
  f.sampler.length = Length::given;
  return f;
}

void WarmUp::archive(Archive& a) {
  bool has_length = length_.has_value();
  a(windows_, window_, done_, next_transition_, gradients_, divergences_, fresh_momentum_,
    metric_.kind, metric_.inverse_mass, metric_.factor, steps_, has_length);
  if (has_length) {
    if (!length_) {
      length_.emplace(sampler_.length, dim_, 1.0);
    }
    a(*length_);
  }
  a(estimator_, superchains_, watch_, rested_step_, rested_length_, history_, stranded_, kept_);
  if (a.reading()) {
    set_up_engine();
  }
}

}  // namespace lockstep
