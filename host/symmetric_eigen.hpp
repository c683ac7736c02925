#pragma once

#include "host/eigen.hpp"

namespace lockstep {

/// A = V diag(values) V' of a symmetric matrix, from its lower triangle: Eigen's solver, behind a
/// plain class so that its templates, by far the dearest to compile, are compiled in one unit.
class SymmetricEigen {
 public:
  enum class What { values_and_vectors, values_only };

  explicit SymmetricEigen(const Eigen::MatrixXd& a, What what = What::values_and_vectors);

  /// Whether the iteration converged: nothing else is defined where it did not.
  bool converged() const { return solver_.info() == Eigen::Success; }
  /// Ascending.
  const Eigen::VectorXd& values() const;
  /// Orthonormal columns, in the order of the values.
  const Eigen::MatrixXd& vectors() const;

  /// V log(diag(values)) V', of a positive definite A.
  Eigen::MatrixXd logarithm() const;

  /// The eigenvalues, ascending, of a tridiagonal matrix.
  /// @param beside  the elements beside its diagonal, one fewer
  static Eigen::VectorXd tridiagonal(const Eigen::VectorXd& diagonal,
                                     const Eigen::VectorXd& beside);

 private:
  Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver_;
};

}  // namespace lockstep
