#pragma once

/// How a network is trained: what a caller can ask for, and the seam between the host, which
/// decides (Adam, schedules, when to stop), and the kernels, which move a batch of chains and yield
/// the gradient of the loss.

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "lockstep/archive.hpp"
#include "lockstep/error.hpp"
#include "lockstep/network.hpp"
#include "lockstep/options.hpp"

namespace lockstep {

/// How far training is.
struct TrainingProgress {
  int done = 0, total = 0;                    // iterations
  double loss = 0, acceptance = 0, jump = 0;  // means of the batch, over the last iterations
  double step_size = 0, temperature = 1;
  double seconds = 0;
};

/// How the states of a trajectory come back on the way back through it: kept, with all that the
/// networks computed there, or computed again by the exact inverse, which needs memory for one step
/// only.
enum class Remember : std::uint8_t { steps, nothing };

/// What a network is trained for and how; defaults are those of the paper's code.
struct L2hmcOptions {
  int steps = 10;  // modified leapfrog steps of a trajectory
  int width = 0;   // of hidden layers; 0: 10 up to 10 dimensions, else twice the dimension
  int hidden = 2;
  std::int64_t batch = 200;  // chains
  int iterations = 5000;
  double step_size = 0.1;  // at the start; trained with the rest
  double learning_rate = 1e-3;
  double decay = 0.96;  // of the learning rate, every `decay_every` iterations
  int decay_every = 1000;
  /// lambda^2: the squared jump that counts as one. The loss is the mean over chains of
  /// lambda^2 / v - v / lambda^2, v = A |x' - x|^2 + 1e-4.
  double loss_scale = 0.1;
  /// Weight of the same loss from fresh N(0, I) starts, lambda_b; 0: none.
  double noise_weight = 1.0;
  /// Multiplies the energy: U / T with T = max(1, temperature * cooling^iteration).
  double temperature = 1.0, cooling = 1.0;
  double clip_gradient = 0;    // to this norm; 0: never
  bool stop_gradient = false;  // takes dU/dx for a constant: no second derivatives
  Remember remember = Remember::steps;
  /// Networks that are trained from other seeds for `trial_iterations` each, on the same starts;
  /// the one with the largest running mean of the jump goes on alone.
  int trials = 1;
  int trial_iterations = 500;
  /// Stops when the mean jump of accepted proposals has not grown for so many iterations; 0: never.
  int patience = 0;
  /// Stops when the mean jump has come to this share of 2 tr cov(x), the squared distance of
  /// independent draws; 0: never. What lies beyond is jumping to the opposite side: better for
  /// means, worse for all that is the same there.
  double enough_jump = 0;
  /// The inverse mass of a diagonal metric, [dim], in whose units the networks see the target, as
  /// HMC's warm-up finds it; empty: the target as it is.
  InverseMass inverse_mass;
  /// Where the chains start, [dim][batch]; empty: N(0, I) in units of the metric.
  std::vector<double> start;

  std::uint64_t seed = 1;
  int threads = 0;  // 0: all
  /// CUDA trains in single precision and keeps the steps of its trajectories.
  Backend backend = Backend::cpu;
  Precision precision = Precision::single_;
  std::string checkpoint;  // as SampleOptions'
  double checkpoint_minutes = 10;
  double max_hours = 0;  // of this call; then the best network so far is it. 0: no limit
  /// Called about five times a second; returning false ends training, with the best network so far.
  std::function<bool(const TrainingProgress&)> progress;
};

/// What an engine needs to know once.
struct TrainingPlace {
  NetworkShape shape;
  std::int64_t batch = 200;
  std::uint64_t seed = 1;
  int threads = 0;
  Remember remember = Remember::steps;
};

/// One iteration.
struct TrainingLaunch {
  std::uint32_t iteration = 0;  // what its random numbers depend on
  double temperature = 1;
  double loss_scale = 0.1, noise_weight = 1;
  bool stop_gradient = false;
};

/// What it did: means over the batch.
struct TrainingStep {
  double loss = 0;              // of the chains, plus noise_weight times that of the noise
  double acceptance = 0;        // of the chains
  double jump = 0;              // A |x' - x|^2 of the chains, in units of the network's scale
  std::int64_t clipped = 0;     // trajectories that met the bound on exponents
  std::int64_t not_finite = 0;  // trajectories whose energy was not finite; they lend no gradient
};

/// Chains of one target that train a network. Results do not depend on the number of threads.
class TrainingEngine {
 public:
  virtual ~TrainingEngine() = default;
  virtual int dim() const = 0;
  /// Puts the chains at q, [dim][batch].
  virtual void place(std::span<const double> q) = 0;
  virtual void positions(std::span<double> q) const = 0;
  /// Moves the chains by one transition of L2HMC, and writes the gradient of the loss.
  /// @param gradient  [network.parameters.size()]
  virtual TrainingStep step(const Network& network, const TrainingLaunch& launch,
                            std::span<double> gradient) = 0;
  /// Saves or restores the chains, bit for bit.
  virtual void archive(Archive& archive) = 0;
};

/// What an engine for these options needs to know.
/// @throw UsageError  for options that make no sense, naming the option, its value and the remedy
TrainingPlace place_of(const L2hmcOptions& options, int dim);

/// Training that cannot go on: the loss or its gradient is not finite. Names the target and the
/// iteration.
class TrainingFailure : public UsageError {
 public:
  TrainingFailure(const std::string& message, Network last_good)
      : UsageError(message), network(std::move(last_good)) {}
  Network network;  // the best, or if there is none yet the last whose loss was finite
};

/// Trains a network on the engine's chains.
///
/// The network that comes out is the one whose running mean of the jump A |x' - x|^2 (weight 0.99
/// on the past, the weights of what is not there yet taken out) was largest, of those of the second
/// half of the iterations whose mean covers 100 of them at temperature 1; the last one if there are
/// none. (The first half does not count because chains on their way from the starts can jump
/// farther than settled ones.)
///
/// @throw UsageError       for options that make no sense
/// @throw TrainingFailure  holds the last good network
Network train(TrainingEngine& engine, const std::string& target, const L2hmcOptions& options);

}  // namespace lockstep
