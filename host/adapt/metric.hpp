#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "lockstep/engine.hpp"

namespace lockstep {

/// Ready for kernels: with its square root or Cholesky factor.
/// @param kind          `automatic` counts as diagonal
/// @param inverse_mass  empty for the identity; [dim], or [dim][dim] row-major for `dense`
/// @throw UsageError  for a wrong length, a value that is not positive and finite, or a matrix that
///                    is not symmetric positive definite
PreparedMetric prepare_metric(Metric kind, const InverseMass& inverse_mass, int dim);

/// Pooled moments of all chains over a window of the warm-up: means and covariances of
/// unconstrained q about one pooled mean, merged position set by position set in a fixed order.
class PooledMoments {
 public:
  /// @param full  keep the covariance matrix, not only its diagonal
  PooledMoments(int dim, bool full);

  /// Adds one position of every chain, [dim][chains].
  void add(std::span<const double> q, std::int64_t chains);

  std::int64_t count() const { return count_; }
  const std::vector<double>& mean() const { return mean_; }

  /// The regularised covariance as an inverse mass, as Stan shrinks it:
  ///   n / (n + 5) Sigma + 1e-3 * 5 / (n + 5) I,  n = pooled draws.
  /// @param dense  the whole matrix, [dim][dim] (needs `full`), else its diagonal
  InverseMass inverse_mass(bool dense) const;

  /// Whether a diagonal metric would leave much undone: the condition number of the correlation
  /// matrix exceeds 10, so that trajectories would have to be over three times as long. False
  /// without 100 draws per dimension: eigenvalues are spread by sampling noise alone then.
  bool strongly_correlated() const;

 private:
  int dim_;
  bool full_;
  std::int64_t count_ = 0;
  std::vector<double> mean_, m2_;  // m2: [dim], or [dim][dim]
};

}  // namespace lockstep
