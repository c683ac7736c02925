#pragma once

#include "host/eigen.hpp"
#include "lockstep/engine.hpp"

namespace lockstep {

/// Row-major, as everything that crosses the engine's seam.
using Matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// Ready for kernels: with its root.
/// @param kind          `automatic` and `fisher` count as diagonal
/// @param inverse_mass  as InverseMass; empty for the identity
/// @throw UsageError  for a wrong length, a value that is not positive and finite, a matrix that is
///                    not symmetric positive definite, or low-rank vectors that are not orthonormal
PreparedMetric prepare_metric(Metric kind, const InverseMass& inverse_mass, int dim);

/// The coordinates in which the metric is the identity: y = F^-1 (q - m) with M^-1 = F F', so that
/// |y|^2 = (q - m)' M (q - m), and y moves with velocity F' p.
class Whitening {
 public:
  explicit Whitening(const PreparedMetric& metric);

  /// y = F^-1 x of each column of x, [dim][chains], in place.
  void positions(Matrix& x) const;
  /// F' p of each column of p, in place.
  void velocities(Matrix& p) const;
  /// F y of each column of y, in place: the inverse of `positions`.
  void colour(Matrix& y) const;

 private:
  Metric kind_;
  Eigen::VectorXd scale_;        // diagonal of F; low rank: D
  Matrix factor_;                // dense: F; low rank: U' [rank][dim]
  Eigen::VectorXd root_values_;  // low rank: Lambda^(1/2)
};

}  // namespace lockstep
