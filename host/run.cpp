/// The run loop: start or resume, warm up, freeze, sample, summarise; and save itself meanwhile.

#include <algorithm>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "host/adapt/stranded.hpp"
#include "host/adapt/warmup.hpp"
#include "host/clock.hpp"
#include "host/configuration.hpp"
#include "host/gradients.hpp"
#include "host/io/checkpoint.hpp"
#include "host/starts.hpp"
#include "host/summarise.hpp"
#include "host/until.hpp"
#include "host/validate.hpp"
#include "kernels/statistics/streaming.hpp"
#include "lockstep/error.hpp"
#include "lockstep/result.hpp"

namespace lockstep {

namespace {

/// Transitions per launch: enough to last about a fifth of a second, so that progress is live and
/// Ctrl-C prompt, in whole chunks. It never changes a result.
class LaunchLength {
 public:
  /// @param seconds  that a launch may last
  /// @param most     chunks of a launch
  LaunchLength(double seconds, std::int64_t most) : seconds_(std::min(seconds, 0.2)), most_(most) {}

  /// @param begun  transitions of a chunk that is already begun: the launch completes it
  int next(std::int64_t remaining, std::int64_t begun) const {
    return static_cast<int>(std::min<std::int64_t>(remaining, chunks_ * kChunk - begun));
  }
  void took(int transitions, double seconds) {
    const double per_chunk = seconds / std::max(1.0, static_cast<double>(transitions) / kChunk);
    chunks_ = std::clamp<std::int64_t>(
        static_cast<std::int64_t>(seconds_ / std::max(per_chunk, 1e-9)), 1, 4 * chunks_);
    chunks_ = std::min(chunks_, most_);
  }

 private:
  double seconds_;
  std::int64_t most_, chunks_ = 1;
};

class Run {
 public:
  Run(Engine& engine, const Sampler& sampler, const SampleOptions& options, const Recipe& recipe)
      : engine_(engine), options_(options), recipe_(recipe) {
    fit_.engine = engine.description();
    fit_.options = options;
    moved_.resize(static_cast<std::size_t>(fit_.engine.dim));
    if (!options.checkpoint.empty()) {
      std::vector<Setting> configuration = configuration_of(engine, sampler, options);
      configuration.push_back({"preparation", recipe.settings.empty() ? "none" : recipe.settings});
      checkpoint_.emplace(options.checkpoint, std::move(configuration));
    }
    warm_up_.emplace(engine, sampler, options);
  }

  Fit result() {
    begin();
    warm_up();
    if (!stopped_) {
      sample();
    }
    save();
    finish();
    return std::move(fit_);
  }

 private:
  /// Starts the chains, or goes on with those of a checkpoint.
  void begin() {
    if (checkpoint_ && checkpoint_->exists()) {
      checkpoint_->restore([this](Archive& a) { archive(a); });
    } else {
      Preparation& prepared = fit_.preparation;
      const Clock making;
      prepared = recipe_.make ? recipe_.make() : Preparation{};
      const double made = making.seconds();  // what was made before is none of this run's setup
      warm_up_->prepare(prepared);
      start_chains(engine_, options_, prepared);
      fit_.seconds.preparation = prepared.seconds;
      fit_.seconds.setup = clock_.seconds() - made;
    }
    Preparation& prepared = fit_.preparation;
    prepared.start.clear();
    prepared.start_law = nullptr;
    fit_.gradients_preparation = (prepared.gradients + options_.chains - 1) / options_.chains;
  }

  void warm_up() {
    progress_.warming_up = true;
    while (!stopped_ && !warm_up_->done()) {
      const Clock clock;
      warm_up_->step();
      fit_.seconds.warmup += clock.seconds();
      const AdaptationStep& last = warm_up_->history().back();
      goes_on(warm_up_->transitions(), last.acceptance, last.step_size);
      if (due()) {
        save();
      }
    }
    const FrozenSampler frozen = warm_up_->frozen();
    fit_.sampler = frozen.sampler;
    fit_.metric = frozen.metric;
    fit_.step_factors = frozen.step_factors;
    hop_lengths_ = frozen.hop_lengths;
    fit_.first_transition = frozen.next_transition;
    fit_.adaptation = warm_up_->history();
    fit_.stranded = warm_up_->stranded();
    fit_.warmup_draws = warm_up_->draws();
    fit_.warmup_done = warm_up_->transitions();
    fit_.gradients_warmup = warm_up_->gradients();
    fit_.warmup_divergences = warm_up_->divergences();
  }

  void start_recording() {
    sampling_ = true;
    Recording recording;
    recording.draws = options_.draws;
    if (options_.until.any()) {
      // Halves that are even at every second look, whatever is the most draws.
      for (recording.middle = kChunk; 2 * recording.middle < options_.draws;) {
        recording.middle *= 2;
      }
    }
    recording.lags = options_.lags;
    recording.keep_chains = options_.keep_chains < 0 ? options_.chains : options_.keep_chains;
    recording.thin = options_.thin;
    recording.keep_parameters = options_.keep_parameters;
    engine_.record(recording);
  }

  void sample() {
    const std::uint32_t first = warm_up_->frozen().next_transition;
    engine_.configure(fit_.sampler, fit_.metric);
    engine_.scale_steps(fit_.step_factors);
    if (!sampling_) {
      start_recording();
    }
    progress_.warming_up = false;
    // Engines tally visits launch by launch, rounding as they add: of one chunk each, so that sums
    // are the same however long launches last.
    const bool visits = !visited_coordinates(fit_.sampler, fit_.engine).empty();
    LaunchLength length(checkpoint_ ? 60 * options_.checkpoint_minutes : 1,
                        visits ? 1 : (1 << 20) / kChunk);
    while (!ends()) {
      Launch launch;
      launch.first = first + static_cast<std::uint32_t>(fit_.draws_done);
      // Without warm-up the first transition has no momentum to keep.
      launch.fresh_momentum =
          fit_.warmup_done == 0 && fit_.draws_done == 0 && fit_.sampler.persistence > 0;
      const std::int64_t end =
          options_.until.any() ? std::min<std::int64_t>(options_.draws, next_look(fit_.draws_done))
                               : options_.draws;
      launch.count =
          launch.fresh_momentum ? 1 : length.next(end - fit_.draws_done, fit_.draws_done % kChunk);
      launch.step_size = fit_.sampler.step_size;
      launch.hop = fit_.sampler.hop;
      const Clock clock;
      const Pooled pooled = engine_.advance_recording(launch);
      length.took(launch.count, clock.seconds());
      fit_.seconds.sampling += clock.seconds();
      fit_.draws_done += launch.count;
      fit_.divergences += pooled.divergences;
      fit_.gradients_sampling += gradients_of(fit_.sampler, fit_.engine, options_.seed, launch);
      count_visits(launch);
      progress_.divergences = fit_.divergences;
      goes_on(fit_.warmup_done + fit_.draws_done, pooled.acceptance, fit_.sampler.step_size);
      if (due()) {
        save();
      }
    }
  }

  void count_visits(const Launch& launch) {
    std::vector<double> sums(moved_.size());
    engine_.tallies(sums);
    std::transform(sums.begin(), sums.end(), moved_.begin(), moved_.begin(), std::plus<>());
    visits_ += visits_of(fit_.sampler, options_.seed, launch) * options_.chains;
  }

  /// Of the discontinuous coordinates.
  std::vector<VisitSummary> visits() const {
    const std::vector<int> visited = visited_coordinates(fit_.sampler, fit_.engine);
    std::vector<VisitSummary> all;
    for (std::size_t i = 0; i < visited.size(); ++i) {
      const auto j = static_cast<std::size_t>(visited[i]);
      VisitSummary v;
      v.coordinate = visited[i];
      v.name = fit_.engine.names[j];
      v.hop = hop_lengths_[i];
      if (fit_.sampler.method == Method::dhmc) {
        v.mass = fit_.sampler.step_size / v.hop;
      }
      v.no_flip = moved_[j] / static_cast<double>(visits_);  // NaN before the first draw
      all.push_back(v);
    }
    return all;
  }

  /// Whether sampling is over, and why. Draws come before signals and clocks: what a finished run
  /// says must not depend on them.
  bool ends() {
    const bool all = fit_.draws_done == options_.draws;
    if (options_.until.any() && fit_.draws_done > 0 &&
        (all || next_look(fit_.draws_done - 1) == fit_.draws_done)) {
      look();
      if (fit_.missing.empty()) {
        fit_.stop = Stop::until;
        return true;
      }
    }
    if (all) {
      fit_.stop = Stop::draws;
      return true;
    }
    return stopped_;
  }

  /// What `until` lacks, from the draws so far.
  void look() {
    Fit so_far;
    so_far.engine = fit_.engine;
    so_far.engine.has_truth = false;
    so_far.options = options_;
    so_far.draws_done = fit_.draws_done;
    so_far.statistics = engine_.statistics();
    if (options_.chains < kManyChains) {
      so_far.draws = engine_.draws();
    }
    summarise(so_far);
    fit_.missing = progress_.missing = lacking(options_.until, so_far);
  }

  /// Tells how far the run is; from here signals and the clock stop it.
  void goes_on(std::int64_t done, double acceptance, double step) {
    progress_.done = done;
    progress_.total = std::int64_t{warm_up_->total()} + options_.draws;
    progress_.acceptance = acceptance;
    progress_.step_size = step;
    progress_.seconds = fit_.seconds.total();
    if (options_.progress && !options_.progress(progress_)) {
      stopped_ = true;
      fit_.stop = Stop::interrupted;
    } else if (options_.max_hours > 0 && clock_.seconds() > 3600 * options_.max_hours) {
      stopped_ = true;
      fit_.stop = Stop::hours;
    }
  }

  bool due() const { return checkpoint_ && saved_.seconds() >= 60 * options_.checkpoint_minutes; }
  void save() {
    if (checkpoint_) {
      checkpoint_->save([this](Archive& a) { archive(a); });
      saved_ = Clock();
    }
  }
  /// The warm-up's state is small beside the chains', and is kept for its history.
  void archive(Archive& a) {
    Preparation& p = fit_.preparation;
    a(p.name, p.kind, p.inverse_mass, p.weight, p.gradients, p.seconds, p.elbo, p.k_hat, p.warnings,
      sampling_, fit_.seconds, fit_.draws_done, fit_.divergences, fit_.gradients_sampling,
      fit_.missing, moved_, visits_, *warm_up_);
    engine_.archive(a);
  }

  void finish() {
    fit_.interrupted = fit_.stop == Stop::interrupted;
    if (!sampling_) {
      start_recording();  // of nothing, but in the right shape
    }
    const Clock clock;
    fit_.statistics = engine_.statistics();
    fit_.draws = engine_.take_draws();
    fit_.positions.resize(static_cast<std::size_t>(fit_.engine.dim) *
                          static_cast<std::size_t>(options_.chains));
    engine_.positions(fit_.positions);
    fit_.seconds.transfer += clock.seconds();
    const auto stranded = stranded_after(fit_.statistics, fit_.engine.names);
    fit_.stranded.insert(fit_.stranded.end(), stranded.begin(), stranded.end());
    fit_.visits = visits();
    summarise(fit_);
  }

  Engine& engine_;
  const SampleOptions& options_;
  const Recipe& recipe_;
  const Clock clock_;
  Clock saved_;
  std::optional<Checkpoint> checkpoint_;
  Progress progress_;
  std::optional<WarmUp> warm_up_;
  bool sampling_ = false, stopped_ = false;
  std::vector<double> hop_lengths_;  // of discontinuous coordinates
  // Of sampling: what Engine::tallies has told, [dim], and visits of each coordinate, all chains.
  std::vector<double> moved_;
  std::int64_t visits_ = 0;
  Fit fit_;
};

}  // namespace

Fit run(Engine& engine, const Sampler& sampler, const SampleOptions& options,
        const Recipe& recipe) {
  validate(sampler, options, engine.description());
  return Run(engine, sampler, options, recipe).result();
}

Fit run(Engine& engine, const Sampler& sampler, const SampleOptions& options,
        const Preparation& preparation) {
  return run(engine, sampler, options,
             Recipe{settings_of(preparation), [&] { return preparation; }});
}

Fit run(Engine& engine, const Sampler& sampler, const SampleOptions& options) {
  return run(engine, sampler, options, Recipe{});
}

}  // namespace lockstep
