#pragma once

#include <cstdint>
#include <map>
#include <memory>

#include "host/adapt/metric.hpp"
#include "lockstep/engine.hpp"
#include "lockstep/preparation.hpp"

namespace lockstep {

/// U and its gradient at any number of points, by the kernels that chains run on: engines of as
/// many chains as there are points, a power of two from kFewest to kMost, made when first needed.
class Density {
 public:
  static constexpr std::int64_t kFewest = 64, kMost = 4096;
  using MakeEngine = lockstep::MakeEngine;

  /// @throw UsageError  if the density jumps along some coordinates: gradients do not tell of it
  explicit Density(MakeEngine make);

  int dim() const { return dim_; }

  /// @param q          [dim][points], unconstrained
  /// @param potential  [points], and
  /// @param gradient   [dim][points], dU/dq; set, neither finite where U is not
  void evaluate(const Matrix& q, Eigen::VectorXd& potential, Matrix& gradient);

  /// Points at which it was asked for.
  std::int64_t evaluations() const { return evaluations_; }

 private:
  Engine& engine_for(std::int64_t points);

  MakeEngine make_;
  std::map<std::int64_t, std::unique_ptr<Engine>> engines_;  // by their chains
  int dim_;
  std::int64_t evaluations_ = 0;
};

}  // namespace lockstep
