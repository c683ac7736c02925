/// The run loop: start, warm up, freeze, sample, summarise.

#include <algorithm>
#include <chrono>

#include "host/adapt/warmup.hpp"
#include "host/gradients.hpp"
#include "host/starts.hpp"
#include "host/summarise.hpp"
#include "kernels/statistics/streaming.hpp"
#include "lockstep/error.hpp"
#include "lockstep/result.hpp"

namespace lockstep {

namespace {

class Clock {
 public:
  double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
  }

 private:
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

/// Transitions per launch: enough to last about a fifth of a second, so that progress is live and
/// Ctrl-C prompt, in whole chunks. It never changes a result.
class LaunchLength {
 public:
  /// @param begun  transitions of a chunk that is already begun: the launch completes it
  int next(std::int64_t remaining, std::int64_t begun) const {
    return static_cast<int>(std::min<std::int64_t>(remaining, chunks_ * kChunk - begun));
  }
  void took(int transitions, double seconds) {
    const double per_chunk = seconds / std::max(1.0, static_cast<double>(transitions) / kChunk);
    chunks_ = std::clamp<std::int64_t>(static_cast<std::int64_t>(0.2 / std::max(per_chunk, 1e-9)),
                                       1, 4 * chunks_);
    chunks_ = std::min<std::int64_t>(chunks_, (1 << 20) / kChunk);
  }

 private:
  std::int64_t chunks_ = 1;
};

}  // namespace

Fit run(Engine& engine, const Sampler& sampler, const SampleOptions& options) {
  const EngineDescription& about = engine.description();
  validate(sampler, options, about.dim);
  const Clock clock;
  Fit fit;
  fit.engine = about;
  fit.options = options;

  start_chains(engine, options);
  fit.seconds.setup = clock.seconds();

  Progress progress;
  progress.total = std::int64_t{options.warmup} + options.draws;
  const auto report = [&](std::int64_t done, double acceptance, double step) {
    progress.done = done;
    progress.acceptance = acceptance;
    progress.step_size = step;
    progress.seconds = clock.seconds();
    return !options.progress || options.progress(progress);
  };

  progress.warming_up = true;
  const FrozenSampler frozen = warm_up(
      engine, sampler, options.warmup, options.seed,
      [&](int done, double acceptance, double step) { return report(done, acceptance, step); });
  fit.sampler = frozen.sampler;
  fit.metric = frozen.metric;
  fit.gradients_warmup = frozen.gradients;
  fit.warmup_divergences = frozen.divergences;
  fit.first_transition = frozen.next_transition;
  fit.interrupted = frozen.interrupted;
  fit.seconds.warmup = clock.seconds() - fit.seconds.setup;

  Recording recording;
  recording.draws = options.draws;
  recording.lags = options.lags;
  recording.keep_chains = options.keep_chains < 0 ? options.chains : options.keep_chains;
  recording.thin = options.thin;
  recording.keep_parameters = options.keep_parameters;
  engine.configure(fit.sampler, fit.metric);
  engine.record(recording);

  progress.warming_up = false;
  const double sampling_begins = clock.seconds();
  LaunchLength length;
  while (!fit.interrupted && fit.draws_done < options.draws) {
    Launch launch;
    launch.first = frozen.next_transition + static_cast<std::uint32_t>(fit.draws_done);
    // Without warm-up the first transition has no momentum to keep.
    launch.fresh_momentum =
        options.warmup == 0 && fit.draws_done == 0 && fit.sampler.persistence > 0;
    launch.count = launch.fresh_momentum
                       ? 1
                       : length.next(options.draws - fit.draws_done, fit.draws_done % kChunk);
    launch.step_size = fit.sampler.step_size;
    const double before = clock.seconds();
    const Pooled pooled = engine.advance_recording(launch);
    length.took(launch.count, clock.seconds() - before);
    fit.draws_done += launch.count;
    fit.divergences += pooled.divergences;
    fit.gradients_sampling += gradients_of(fit.sampler, options.seed, launch);
    progress.divergences = fit.divergences;
    fit.interrupted =
        !report(options.warmup + fit.draws_done, pooled.acceptance, fit.sampler.step_size) &&
        fit.draws_done < options.draws;
  }
  fit.seconds.sampling = clock.seconds() - sampling_begins;

  const double transfer_begins = clock.seconds();
  fit.statistics = engine.statistics();
  fit.draws = engine.take_draws();
  fit.positions.resize(static_cast<std::size_t>(about.dim) *
                       static_cast<std::size_t>(options.chains));
  engine.positions(fit.positions);
  fit.seconds.transfer = clock.seconds() - transfer_begins;

  summarise(fit);
  return fit;
}

}  // namespace lockstep
