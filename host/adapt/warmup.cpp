#include "host/adapt/warmup.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>

#include "host/gradients.hpp"
#include "kernels/random/philox.hpp"
#include "kernels/transitions/trajectory.hpp"
#include "lockstep/error.hpp"

namespace lockstep {

namespace {

/// Positions that are pooled for a metric: beyond this many, more say little more.
constexpr std::int64_t kEnoughDraws = 100'000;

// A pooled warm-up ends early when over a window's second half superchains agree to this nested
// R-hat, and step size, hop and trajectory length have changed by less than these factors since the
// window before (or, after a preparation, since the first window's first half). Sixteen chains of a
// superchain that make only one independent draw each would still differ by sqrt(1 + 1/16) = 1.03,
// so 1.02 asks for a little more than agreement.
constexpr double kAgreement = 1.02, kRestingStep = 1.25, kRestingHop = 1.25, kRestingLength = 1.25;
// Superchains that a preparation started alike would agree before they have gone anywhere. So its
// first window ends the warm-up only if draws confirm its standard deviations to this factor; then
// it is enough that every chain has forgotten where it began, one independent draw of each.
constexpr double kConfirmed = 2, kForgotten = 1.03;

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

std::vector<Window> windows_of(const SampleOptions& options, std::int64_t chains) {
  return resolved(options.adaptation.schedule, chains) == Schedule::pooled
             ? pooled_schedule(options.warmup)
             : windowed_schedule(options.warmup);
}

}  // namespace

std::string keeps_no_metric(const Sampler& sampler, const SampleOptions& options,
                            const EngineDescription& about) {
  if (sampler.metric == Metric::unit) {
    return "the unit metric is not tuned: choose another, or prepare without a metric";
  }
  if (!sampler.inverse_mass.empty()) {
    return "the sampler's is given: leave one of them out";
  }
  if (!about.discontinuous.empty()) {
    return "the density jumps along " +
           about.names[static_cast<std::size_t>(about.discontinuous.front())] +
           ", which a covariance says nothing of: prepare without a metric";
  }
  const std::vector<Window> windows = windows_of(options, about.chains);
  const bool sets =
      std::any_of(windows.begin(), windows.end(), [](const Window& w) { return w.sets_metric; });
  return sets ? ""
              : "a warm-up of " + std::to_string(options.warmup) +
                    " transitions is too short to estimate one from draws: give at least 20, or "
                    "prepare without a metric";
}

double target_acceptance(const Sampler& sampler, int dim) {
  if (sampler.target_acceptance > 0) {
    return sampler.target_acceptance;
  }
  if (sampler.method == Method::random_walk) {
    return dim == 1 ? 0.44 : 0.234;  // Roberts, Gelman & Gilks 1997
  }
  const bool mala =
      sampler.method == Method::hmc && sampler.leapfrog == 1 && sampler.persistence == 0;
  return mala ? 0.574 : 0.8;  // Roberts & Rosenthal 1998
}

WarmUp::WarmUp(Engine& engine, const Sampler& sampler, const SampleOptions& options,
               const Preparation& preparation)
    : engine_(engine),
      sampler_(sampler),
      options_(options),
      dim_(engine.description().dim),
      chains_(engine.description().chains),
      hops_(sampler, visited_coordinates(sampler, engine.description()), dim_),
      tunes_step_(sampler.step_size == 0 && static_cast<int>(hops_.sites().size()) < dim_),
      tunes_metric_(sampler.metric != Metric::unit && sampler.inverse_mass.empty()),
      pooled_(resolved(options.adaptation.schedule, chains_) == Schedule::pooled),
      windows_(windows_of(options, chains_)),
      metric_(prepare_metric(tunes_metric_ ? Metric::unit : sampler.metric, sampler.inverse_mass,
                             dim_)),
      steps_(options.adaptation.per_chain_step_size ? chains_ : 0, initial_step_size(sampler, dim_),
             lockstep::target_acceptance(sampler, dim_),
             chains_ < kPooledChains || options.adaptation.per_chain_step_size
                 ? kDualAveragingOfOne
                 : kDualAveragingOfMany),
      estimator_(sampler.metric, dim_, hops_.sites(), options.adaptation),
      superchains_(dim_, chains_, options.superchain),
      watch_(chains_) {
  const auto size = static_cast<std::size_t>(dim_) * static_cast<std::size_t>(chains_);
  q_.resize(size);
  acceptance_.resize(static_cast<std::size_t>(chains_));
  potential_.resize(acceptance_.size());
  tallies_.resize(static_cast<std::size_t>(dim_));
  sampler_.step_size = tunes_step_ ? 0 : initial_step_size(sampler, dim_);
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
    check_dense(sampler.metric, estimator_.smooth_dim(), last * chains_, options.adaptation);
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
  hops_.rescale(metric_);
  prepare(preparation);
  set_up_engine();
}

void WarmUp::prepare(const Preparation& preparation) {
  if (preparation.inverse_mass.empty()) {
    return;
  }
  const std::string why = keeps_no_metric(sampler_, options_, engine_.description());
  require(why.empty(), "the preparation has a metric for the warm-up to begin with, but " + why);
  require(std::isfinite(preparation.weight) && preparation.weight >= 0,
          "the weight of the preparation's metric is " + std::to_string(preparation.weight) +
              ": give a number of pseudo-draws, 0 or more");
  estimator_.begin_with(prepare_metric(preparation.kind, preparation.inverse_mass, dim_),
                        preparation.weight);
}

void WarmUp::set_up_engine() {
  engine_.configure(hops_.applied(sampler_), metric_);
  engine_.scale_steps(steps_.factors());
}

double WarmUp::step_size() const {
  return tunes_step_ ? steps_.step_size() : sampler_.step_size;
}

/// Of each discontinuous coordinate, over all chains.
double WarmUp::visits(const Launch& launch) const {
  return static_cast<double>(visits_of(sampler_, options_.seed, launch) * chains_);
}

/// How often the last launch's visits moved their coordinates; 0 if there were none.
double WarmUp::no_flip(const Launch& launch) {
  if (hops_.sites().empty()) {
    return 0;
  }
  engine_.tallies(tallies_);
  return hops_.rate(tallies_, visits(launch));
}

Pooled WarmUp::advance(const Launch& launch) {
  gradients_ += gradients_of(sampler_, engine_.description(), options_.seed, launch);
  return engine_.advance(launch);
}

/// Doubles or halves x, from 1, until outcome(x) crosses the bar, and takes the largest that stays
/// above it.
template <class Outcome>
double WarmUp::searched(double bar, Outcome outcome) {
  double x = 1.0;
  int direction = 0;
  for (int i = 0; i < 60; ++i) {
    const int wanted = outcome(x) > bar ? 1 : -1;
    if (direction == 0) {
      direction = wanted;
    } else if (wanted != direction) {
      return direction > 0 ? 0.5 * x : x;
    }
    x *= direction > 0 ? 2.0 : 0.5;
  }
  return x;
}

/// A transition of one step. It is an ordinary one and counts as warm-up.
Pooled WarmUp::try_one_step(double step, double hop) {
  Launch launch{next_transition_++, 1, step, 1, true};
  launch.observe = true;
  launch.hop = hop;
  return advance(launch);
}

/// Hoffman & Gelman's heuristic, pooled: until the mean acceptance crosses 0.8.
double WarmUp::first_step_size() {
  return searched(0.8, [&](double step) { return try_one_step(step, hops_.hop()).acceptance; });
}

/// A first guess spares the transitions that a window would take to find it.
void WarmUp::start_metric() {
  if (estimator_.has_prior()) {
    metric_ = estimator_.of_prior();
  } else {
    std::vector<double> gradient(q_.size());
    engine_.positions(q_);
    engine_.evaluations(potential_, gradient);
    metric_ = estimator_.of_starts(q_, gradient);
  }
  hops_.rescale(metric_);
  engine_.configure(hops_.applied(sampler_), metric_);
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

/// Whether the sampler's visits go as far as a hop says, or where the target proposes: the same
/// transition with two hops, from the same place and with the same random numbers, tells. DHMC's
/// do.
bool WarmUp::has_hops() {
  if (sampler_.method == Method::dhmc) {
    return true;
  }
  std::vector<double> near(q_.size()), far(q_.size());
  engine_.positions(q_);
  const std::uint32_t transition = next_transition_;
  for (const bool first : {true, false}) {
    next_transition_ = transition;
    try_one_step(step_size(), first ? 0.5 : 1.0);
    engine_.positions(first ? near : far);
    engine_.place(q_);
  }
  for (const int j : hops_.sites()) {
    const auto row = static_cast<std::ptrdiff_t>(j * chains_);
    const auto alike = [&](const std::vector<double>& x) {
      return std::equal(near.begin() + row, near.begin() + row + chains_, x.begin() + row);
    };
    if (!alike(far) || alike(q_)) {  // where nothing moved, nothing is told
      return true;
    }
  }
  return false;
}

/// A first hop, by the same search as a first step size.
void WarmUp::begin_hops() {
  if (!has_hops()) {
    hops_.give_up();
  }
  if (hops_.tuned()) {
    hops_.restart(searched(target_no_flip(sampler_), [&](double hop) {
      const std::uint32_t transition = next_transition_;
      const double step = step_size();
      try_one_step(step, hop);
      return no_flip({transition, 1, step, 1});
    }));
  }
}

void WarmUp::begin() {
  if (tunes_metric_ && (pooled_ || estimator_.has_prior())) {
    start_metric();
  }
  if (tunes_step_) {
    restart_step_size(0);
  }
  if (!hops_.sites().empty()) {
    begin_hops();
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
  launch.hop = hops_.hop();
  if (hops_.each()) {
    engine_.configure(hops_.applied(sampler_), metric_);
  }
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
  now.hop = launch.hop;
  now.no_flip = no_flip(launch);
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
  if (hops_.tuned()) {
    hops_.update(tallies_, visits_of(sampler_, options_.seed, launch), chains_);
  }
  collect();
  ++done_;
  // Where a preparation is right there is nothing to find: the first window's own first half then
  // stands for the window before, and the warm-up can end with it.
  if (window_ == 0 && estimator_.has_prior() && done_ == window().collects_from) {
    remember_rest();
  }
  if (done_ == window().end) {
    close_window();
  }
}

void WarmUp::remember_rest() {
  rested_step_ = steps_.average();
  rested_hop_ = hops_.average();
  rested_length_ = length_ ? length_->mean_length() : 0;
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
  remember_rest();
  const bool sets_metric = window().sets_metric && tunes_metric_;
  if (sets_metric) {
    set_metric();
  }
  hops_.rescale(metric_);
  engine_.configure(hops_.applied(sampler_), metric_);
  if (sets_metric && tunes_step_) {
    restart_step_size(ends ? rested_step_ : 0);  // a settled metric hardly changes any more
  }
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
  const bool prepared = window_ == 0 && estimator_.has_prior();
  return pooled_ && options_.adaptation.stop_early && window().sets_metric &&
         superchains_.nested_rhat() < (prepared ? kForgotten : kAgreement) &&
         (!tunes_metric_ || estimator_.ready()) &&
         (!prepared || estimator_.confirms_prior(kConfirmed)) &&
         (!tunes_step_ || within_factor(steps_.average(), rested_step_, kRestingStep)) &&
         (!hops_.tuned() || within_factor(hops_.average(), rested_hop_, kRestingHop)) &&
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
  f.sampler = hops_.frozen(sampler_);
  f.metric = metric_;
  f.hop_lengths = hops_.lengths();
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
    metric_.kind, metric_.inverse_mass, metric_.factor, steps_, hops_, has_length);
  if (has_length) {
    if (!length_) {
      length_.emplace(sampler_.length, dim_, 1.0);
    }
    a(*length_);
  }
  a(estimator_, superchains_, watch_, rested_step_, rested_length_, rested_hop_, history_,
    stranded_, kept_);
  if (a.reading()) {
    set_up_engine();
  }
}

}  // namespace lockstep
