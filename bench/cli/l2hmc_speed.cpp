#include "bench/cli/l2hmc_speed.hpp"

#include <algorithm>
#include <chrono>
#include <memory>
#include <vector>

#include "bench/cli/interrupt.hpp"
#include "bench/cli/probe.hpp"
#include "bench/cli/speed_case.hpp"
#include "bench/cli/table.hpp"
#include "lockstep/error.hpp"

namespace lockstep::bench {

namespace {

constexpr int kRounds = 7;

template <class F>
double timed(F f) {
  const auto begin = std::chrono::steady_clock::now();
  f();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

class L2hmcSpeed {
 public:
  /// @param sampler   with a network that is timed as it is; its training does not go on
  /// @param training  batch and what else an iteration does
  /// @param transitions  per timing; 0: as many as last about 20 milliseconds
  L2hmcSpeed(const TargetEntry& entry, const TargetOptions& target, const SampleOptions& options,
             const L2hmc& sampler, const L2hmcOptions& training, int transitions);

  /// Times sampling and training once more. The best of all rounds counts.
  void round();

  const EngineDescription& description() const { return engine_->description(); }
  double seconds_per_transition() const { return sampling_.seconds; }  // of all chains
  double seconds_per_iteration() const { return training_.seconds; }

 private:
  /// The best time of something that is done `count` times on end.
  struct Timing {
    int count = 1;
    double seconds = 0;  // each
  };
  template <class F>
  static Timing calibrated(int count, F f);

  double sample(int transitions);
  double train(int iterations);

  std::unique_ptr<Engine> engine_;
  std::unique_ptr<TrainingEngine> trainer_;
  std::shared_ptr<const Network> network_;
  TrainingLaunch launch_;
  std::uint32_t next_ = 0;
  Timing sampling_, training_;
};

template <class F>
L2hmcSpeed::Timing L2hmcSpeed::calibrated(int count, F f) {
  Timing t{std::max(count, 1)};
  f(1);  // first touch of code and memory
  t.seconds = f(t.count);
  while (count == 0 && t.count < (1 << 20) && t.seconds * t.count < kLeastSeconds) {
    t.count *= 2;
    t.seconds = std::min(t.seconds, f(t.count));
  }
  return t;
}

L2hmcSpeed::L2hmcSpeed(const TargetEntry& entry, const TargetOptions& target,
                       const SampleOptions& options, const L2hmc& l2hmc,
                       const L2hmcOptions& training, int transitions)
    : network_(l2hmc.network) {
  const Sampler sampler = l2hmc;
  engine_ = make_engine(entry, sampler, target, options);
  const int dim = engine_->description().dim;
  const std::vector<double> ones(static_cast<std::size_t>(dim), 1.0);
  engine_->configure(sampler, {Metric::unit, ones, ones});
  engine_->place(speed_starts(dim, options.chains));
  trainer_ = make_training_engine(entry, target, training);
  trainer_->place(speed_starts(dim, training.batch));
  launch_.loss_scale = training.loss_scale;
  launch_.noise_weight = training.noise_weight;
  launch_.stop_gradient = training.stop_gradient;
  sampling_ = calibrated(transitions, [this](int n) { return sample(n); });
  training_ = calibrated(transitions, [this](int n) { return train(n); });
}

void L2hmcSpeed::round() {
  sampling_.seconds = std::min(sampling_.seconds, sample(sampling_.count));
  training_.seconds = std::min(training_.seconds, train(training_.count));
}

double L2hmcSpeed::sample(int transitions) {
  Recording recording;
  recording.draws = transitions;
  engine_->record(recording);
  Launch launch;
  launch.first = next_;
  launch.count = transitions;
  launch.step_size = network_->step_size();
  next_ += static_cast<std::uint32_t>(transitions);
  return timed([&] { engine_->advance_recording(launch); }) / transitions;
}

double L2hmcSpeed::train(int iterations) {
  std::vector<double> gradient(network_->parameters.size());
  return timed([&] {
           for (int i = 0; i < iterations; ++i) {
             ++launch_.iteration;
             trainer_->step(*network_, launch_, gradient);
           }
         }) /
         iterations;
}

/// The network to be timed: what a file holds, else a fresh one, stable on the target.
Network network_for(const TargetEntry& entry, const TargetOptions& target,
                    const L2hmcSpeedOptions& what, int steps) {
  if (!what.network.empty()) {
    Network network = Network::load(what.network);
    require(network.shape.dim == entry.dim(target),
            "--network " + what.network + " is of a target with " +
                std::to_string(network.shape.dim) + " parameters, but " + entry.name + " has " +
                std::to_string(entry.dim(target)) + ": train one for it");
    return network;
  }
  L2hmcOptions o = what.training;
  o.steps = steps;
  return initial_network(place_of(o, entry.dim(target)).shape, speed_settings(entry.name).step_size,
                         1);
}

}  // namespace

double fma_per_evaluation(const NetworkShape& s) {
  const double d = s.dim, h = s.width;
  return (2 * d + 2) * h + (s.hidden - 1) * h * h + 3 * d * h;
}

double fma_per_transition(const NetworkShape& s) {
  return 4.0 * s.steps * fma_per_evaluation(s);
}

double fma_per_iteration(const NetworkShape& s, const L2hmcOptions& o) {
  const double trajectories = static_cast<double>(o.batch) * (o.noise_weight > 0 ? 2 : 1);
  const double passes = 3 + (o.remember == Remember::nothing ? 2 : 0);
  return trajectories * passes * fma_per_transition(s);
}

L2hmcRow measure_l2hmc(const TargetEntry& entry, const TargetOptions& target,
                       const SampleOptions& options, int steps, const L2hmcSpeedOptions& what,
                       double& best_fma, EngineDescription& about) {
  L2hmc sampler(network_for(entry, target, what, steps));
  sampler.matrix_units = !what.plain;
  const std::shared_ptr<const Network> network = sampler.network;
  L2hmcOptions training = what.training;
  training.steps = network->shape.steps;
  training.width = network->shape.width;
  training.hidden = network->shape.hidden;
  training.threads = options.threads;
  training.backend = options.backend;
  L2hmcSpeed speed(entry, target, options, sampler, training, what.transitions);
  double fma = 0;
  for (int i = 0; i < kRounds && !interrupted(); ++i) {
    fma = std::max(fma, fma_rate());
    speed.round();
  }
  about = speed.description();
  best_fma = std::max(best_fma, fma);
  L2hmcRow row{entry.name, network->shape, options.chains, training.batch, what.plain};
  row.transitions_per_second = static_cast<double>(options.chains) / speed.seconds_per_transition();
  row.iterations_per_second = 1 / speed.seconds_per_iteration();
  row.fma_per_transition = fma_per_transition(network->shape);
  row.fma_per_iteration = fma_per_iteration(network->shape, training);
  const double peak = fma * about.threads;
  if (about.backend == "cpu") {
    row.sampling_fraction = row.transitions_per_second * row.fma_per_transition / peak;
    row.training_fraction = row.iterations_per_second * row.fma_per_iteration / peak;
  }
  return row;
}

Json to_json(const L2hmcRow& r) {
  return {{"target", r.target},
          {"dimension", r.shape.dim},
          {"chains", r.chains},
          {"leapfrog", r.shape.steps},
          {"width", r.shape.width},
          {"hidden", r.shape.hidden},
          {"plain_networks", r.plain},
          {"transitions_per_second", json_number(r.transitions_per_second)},
          {"ns_per_transition", json_number(1e9 / r.transitions_per_second)},
          {"fma_per_transition", r.fma_per_transition},
          {"fraction_of_fma", json_number(r.sampling_fraction)},
          {"batch", r.batch},
          {"iterations_per_second", json_number(r.iterations_per_second)},
          {"fma_per_iteration", r.fma_per_iteration},
          {"training_fraction_of_fma", json_number(r.training_fraction)}};
}

std::string table_of(const std::vector<L2hmcRow>& rows) {
  TextTable table({"target", "dim", "chains", "T", "width", "transitions/s", "ns/transition",
                   "of FMA", "batch", "iterations/s", "of FMA"});
  for (const L2hmcRow& r : rows) {
    table.add({r.target, std::to_string(r.shape.dim), std::to_string(r.chains),
               std::to_string(r.shape.steps),
               std::to_string(r.shape.hidden) + " x " + std::to_string(r.shape.width),
               with_prefix(r.transitions_per_second), significant(1e9 / r.transitions_per_second),
               percent(r.sampling_fraction), std::to_string(r.batch),
               significant(r.iterations_per_second), percent(r.training_fraction)});
  }
  return table.text();
}

}  // namespace lockstep::bench
