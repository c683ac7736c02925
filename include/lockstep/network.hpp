#pragma once

/// The networks that lead L2HMC's trajectories (Levy, Hoffman & Sohl-Dickstein, "Generalizing
/// Hamiltonian Monte Carlo with neural networks", ICLR 2018, appendix A and E), and their file.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace lockstep {

struct Sampler;

/// How large the networks are.
struct NetworkShape {
  int dim = 0;     // of the target
  int steps = 10;  // modified leapfrog steps of a trajectory, T
  int width = 10;  // units of each hidden layer
  int hidden = 2;  // hidden layers, the one that embeds the inputs included; at least 1

  bool operator==(const NetworkShape&) const = default;

  /// @throw UsageError  naming the member, its value and its range
  void validate() const;
};

/// Means over the iterations since the point before.
struct TrainingPoint {
  std::int64_t iteration = 0;  // of the kept network's, the last one counted
  double loss = 0, acceptance = 0, jump = 0;
  double clipped = 0, not_finite = 0;  // shares of the trajectories
  double step_size = 0, temperature = 1;

  bool operator==(const TrainingPoint&) const = default;
};

/// What training a network took, kept with it: an ESS that leaves this out is half the truth.
struct TrainingRecord {
  std::string target;           // its name, if it has one
  std::int64_t iterations = 0;  // made, the ones after the best network included
  std::int64_t batch = 0;       // chains
  double seconds = 0;
  /// Of the potential, over all chains; a Hessian-vector product counts as two.
  double gradients = 0;
  std::int64_t kept = 0;                      // the iteration after which the network was as it is
  double loss = 0, acceptance = 0, jump = 0;  // about then: running means over its batch
  std::vector<TrainingPoint> history;         // about 200 points

  bool operator==(const TrainingRecord&) const = default;
};

/// The momentum network V and the position network X, both
///
///   h_1 = relu(A a + B b + C (cos 2 pi t / T, sin 2 pi t / T) + bias),
///   h_i = relu(W_i h_{i-1} + bias),
///   S = exp(s) * tanh(S h),  Q = exp(q) * tanh(Q h),  T = T h     (each with its bias),
///
/// with (a, b) = (x, dU/dx) for V and (v, masked x) for X, and the vectors s and q trained too. All
/// that is trained is one flat vector:
///
///   log step size | V | X,  each network:
///   A [dim][width] | B [dim][width] | C [2][width] | bias [width]
///   | per further hidden layer W [width][width] | bias [width]
///   | heads [width][3 dim], the columns S, Q, T | bias [3 dim] | s [dim] | q [dim]
///
/// (weights: a row for each input). The networks see and move x = q / scale.
struct Network {
  NetworkShape shape;
  std::vector<double> parameters;
  /// Step t first updates the coordinates whose mask is 0, given the others, then those whose mask
  /// is 1. [steps][dim], fixed, floor(dim / 2) ones in each row.
  std::vector<std::uint8_t> masks;
  std::vector<double> scale;  // [dim], positive; all one unless warm-started from a metric
  TrainingRecord training;

  /// A part of `parameters`, [rows][columns].
  struct View {
    std::string name;  // "V.A", "X.heads", "log_step_size", ...
    std::size_t offset = 0;
    int rows = 0, columns = 0;
  };
  std::vector<View> views() const;

  double step_size() const;
  void set_step_size(double step);

  /// @throw UsageError  naming what is wrong: a shape that cannot be, arrays of other sizes, masks
  ///                    of other halves, numbers that are not finite
  void validate() const;

  /// Writes the network as JSON, whole or not at all.
  /// @throw FileError
  void save(const std::filesystem::path& file) const;
  /// @throw FileError  if the file is missing, torn, of another version, or not a valid network
  static Network load(const std::filesystem::path& file);
};

/// Weights as the paper's code draws them: normal, truncated at two standard deviations, of
/// variance 2 f / (number of inputs) with f = 1/3 for A, 1/3 (V) or 2/3 (X) for B, 1/3 for C, 1 for
/// further hidden layers and 0.001 for the heads; biases, s and q zero.
/// @param seed  of the masks, which depend on nothing else but dim and steps, and of the weights
/// @throw UsageError  for a shape that cannot be
Network initial_network(const NetworkShape& shape, double step_size, std::uint64_t seed);

/// HMC whose trajectories a trained network leads (Levy, Hoffman & Sohl-Dickstein, ICLR 2018).
struct L2hmc {
  std::shared_ptr<const Network> network;
  bool matrix_units = true;  // as Sampler's

  explicit L2hmc(Network trained) : network(std::make_shared<Network>(std::move(trained))) {}
  /// With the network's own step size and number of steps.
  operator Sampler() const;
};

}  // namespace lockstep
