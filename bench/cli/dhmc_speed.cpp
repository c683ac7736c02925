#include "bench/cli/dhmc_speed.hpp"

#include <algorithm>
#include <chrono>
#include <map>
#include <memory>

#include "bench/cli/interrupt.hpp"
#include "bench/cli/probe.hpp"
#include "bench/cli/scalar_engine.hpp"
#include "bench/cli/speed_case.hpp"
#include "bench/cli/table.hpp"
#include "lockstep/error.hpp"

namespace lockstep::bench {

namespace {

constexpr int kRounds = 7;

/// Step sizes and hops with the unit metric, such that most visits move and most trajectories are
/// accepted: the published ones, or of that kind.
struct Pace {
  double step_size = 1, hop = 1;
};
Pace pace_of(const std::string& target) {
  static const std::map<std::string, Pace> known = {
      {"mixed-grid", {0.5, 0.9}},
      {"binomial-n", {0.09, 0.09}},
      {"change-point", {0.1, 3}},
      {"jolly-seber", {0.025, 0.025}},
      {"jolly-seber-as-coded", {0.025, 0.025}},
      {"mixture-indicator", {0.3, 1}},
      {"zero-one", {0.3, 0.3}},
  };
  const auto found = known.find(target);
  return found == known.end() ? Pace{} : found->second;
}

/// Multiply-adds of an update, where it does hardly anything else: for each observation of the 0-1
/// loss one that carries out a move and one that tries the next. 0 where the data are the user's.
double fma_per_update(const std::string& target, const TargetOptions& options) {
  constexpr int observations = 1477;  // of the synthetic design
  if (target != "zero-one" || !options.data_file.empty()) {
    return 0;
  }
  return 2.0 * (options.observations > 0 ? options.observations : observations);
}

/// One engine, timed.
class Timed {
 public:
  Timed(std::unique_ptr<Engine> engine, const Pace& pace, int steps, int transitions)
      : engine_(std::move(engine)), pace_(pace) {
    const EngineDescription& about = engine_->description();
    const auto dim = static_cast<std::size_t>(about.dim);
    const auto chains = static_cast<std::size_t>(about.chains);
    Dhmc dhmc;
    dhmc.step_size = pace.step_size;
    dhmc.hop = pace.hop;
    dhmc.step_jitter = 0.1;
    dhmc.leapfrog = steps;
    dhmc.length_jitter = LengthJitter::none;  // the best round is not to be the one of few steps
    const std::vector<double> ones(dim, 1.0);
    engine_->configure(dhmc, {Metric::unit, ones, ones});
    std::vector<double> q = speed_starts(about.dim, about.chains), u(dim), at(dim);
    if (about.start) {
      for (std::size_t c = 0; c < chains; ++c) {
        for (std::size_t j = 0; j < dim; ++j) {
          u[j] = 0.5 + q[j * chains + c];
        }
        about.start(u.data(), at.data());
        for (std::size_t j = 0; j < dim; ++j) {
          q[j * chains + c] = at[j];
        }
      }
    }
    engine_->place(q);
    count_ = std::max(transitions, 1);
    run();  // first touch of code and memory
    seconds_ = run();
    while (transitions == 0 && count_ < (1 << 20) && seconds_ * count_ < kLeastSeconds) {
      count_ *= 2;
      seconds_ = std::min(seconds_, run());
    }
  }

  /// Times it once more. The best of all rounds counts.
  void round() { seconds_ = std::min(seconds_, run()); }

  const EngineDescription& description() const { return engine_->description(); }
  double updates_per_second(int steps) const {
    const EngineDescription& about = engine_->description();
    return static_cast<double>(about.chains) * static_cast<double>(about.discontinuous.size()) *
           steps / seconds_;
  }

 private:
  double run() {
    Recording recording;
    recording.draws = count_;
    engine_->record(recording);
    Launch launch;
    launch.first = next_;
    launch.count = count_;
    launch.step_size = pace_.step_size;
    launch.hop = pace_.hop;
    next_ += static_cast<std::uint32_t>(count_);
    const auto begin = std::chrono::steady_clock::now();
    engine_->advance_recording(launch);
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count() / count_;
  }

  std::unique_ptr<Engine> engine_;
  Pace pace_;
  std::uint32_t next_ = 0;
  int count_ = 1;
  double seconds_ = 0;  // per transition, best so far
};

}  // namespace

DhmcRow measure_dhmc(const TargetEntry& entry, const TargetOptions& target,
                     const SampleOptions& options, int steps, int transitions, double& best_fma,
                     EngineDescription& about) {
  require(
      entry.discontinuous,
      entry.name + " does not jump: choose --sampler hmc, or a target that `list` marks with *");
  require(steps % 2 == 0, "--leapfrog is " + std::to_string(steps) +
                              ": give an even number, so that each step visits every coordinate "
                              "once");
  const Pace pace = pace_of(entry.name);
  Timed lanes(entry.make(target, options), pace, steps, transitions);
  about = lanes.description();
  std::unique_ptr<Timed> scalar;
  if (about.backend == "cpu") {
    SampleOptions few = options;
    few.chains = std::min<std::int64_t>(options.chains, 64);
    if (auto engine = make_scalar_engine(entry, target, few)) {
      scalar = std::make_unique<Timed>(std::move(engine), pace, steps, transitions);
    }
  }
  double fma = 0;
  for (int i = 0; i < kRounds && !interrupted(); ++i) {
    fma = std::max(fma, fma_rate());
    lanes.round();
    if (scalar) {
      scalar->round();
    }
  }
  best_fma = std::max(best_fma, fma);
  DhmcRow row;
  row.target = entry.name;
  row.dim = about.dim;
  row.sites = static_cast<int>(about.discontinuous.size());
  row.leapfrog = steps;
  row.chains = options.chains;
  row.updates_per_second = lanes.updates_per_second(steps);
  row.fma_per_update = fma_per_update(entry.name, target);
  if (row.fma_per_update > 0 && about.backend == "cpu") {
    row.fraction = row.updates_per_second * row.fma_per_update / (fma * about.threads);
  }
  if (scalar) {
    row.scalar_updates_per_second = scalar->updates_per_second(steps);
    row.ratio = row.updates_per_second / (row.scalar_updates_per_second * about.threads);
  }
  return row;
}

Json to_json(const DhmcRow& r) {
  return {{"target", r.target},
          {"dimension", r.dim},
          {"sites", r.sites},
          {"chains", r.chains},
          {"leapfrog", r.leapfrog},
          {"updates_per_second", json_number(r.updates_per_second)},
          {"ns_per_update", json_number(1e9 / r.updates_per_second)},
          {"scalar_updates_per_second", json_number(r.scalar_updates_per_second)},
          {"ratio", json_number(r.ratio)},
          {"fma_per_update", r.fma_per_update > 0 ? Json(r.fma_per_update) : Json(nullptr)},
          {"fraction_of_fma", json_number(r.fraction)}};
}

std::string table_of(const std::vector<DhmcRow>& rows) {
  TextTable table({"target", "dim", "jumps", "chains", "L", "updates/s", "ns/update",
                   "scalar updates/s", "ratio", "of FMA"});
  for (const DhmcRow& r : rows) {
    table.add({r.target, std::to_string(r.dim), std::to_string(r.sites), std::to_string(r.chains),
               std::to_string(r.leapfrog), with_prefix(r.updates_per_second),
               significant(1e9 / r.updates_per_second), with_prefix(r.scalar_updates_per_second),
               significant(r.ratio), percent(r.fraction)});
  }
  return table.text();
}

}  // namespace lockstep::bench
