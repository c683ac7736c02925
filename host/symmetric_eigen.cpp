#include "host/symmetric_eigen.hpp"

namespace lockstep {

SymmetricEigen::SymmetricEigen(const Eigen::MatrixXd& a, What what)
    : solver_(a, what == What::values_only ? Eigen::EigenvaluesOnly : Eigen::ComputeEigenvectors) {}

const Eigen::VectorXd& SymmetricEigen::values() const {
  return solver_.eigenvalues();
}

const Eigen::MatrixXd& SymmetricEigen::vectors() const {
  return solver_.eigenvectors();
}

Eigen::MatrixXd SymmetricEigen::logarithm() const {
  return vectors() * values().array().log().matrix().asDiagonal() * vectors().transpose();
}

Eigen::VectorXd SymmetricEigen::tridiagonal(const Eigen::VectorXd& diagonal,
                                            const Eigen::VectorXd& beside) {
  Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver;
  solver.computeFromTridiagonal(diagonal, beside, Eigen::EigenvaluesOnly);
  return solver.eigenvalues();
}

}  // namespace lockstep
