#include "host/adapt/geometric_mean.hpp"

#include <limits>

#include "host/symmetric_eigen.hpp"

namespace lockstep {

Eigen::MatrixXd geometric_mean(const Eigen::MatrixXd& u, const Eigen::MatrixXd& v, double c) {
  const Eigen::LLT<Eigen::MatrixXd> cholesky(v);
  if (cholesky.info() != Eigen::Success) {
    return Eigen::MatrixXd::Constant(v.rows(), v.cols(), std::numeric_limits<double>::quiet_NaN());
  }
  const Eigen::MatrixXd l = cholesky.matrixL();
  const SymmetricEigen w(l.transpose() * u * l);
  const Eigen::ArrayXd rounded = w.values().array().max(0);  // c = 0: infinite where U is singular
  const Eigen::VectorXd root = (2 / (c + (c * c + 4 * rounded).sqrt())).sqrt();
  const Eigen::MatrixXd f = l * (w.vectors() * root.asDiagonal());
  const Eigen::MatrixXd s = f * f.transpose();
  return 0.5 * (s + s.transpose());
}

}  // namespace lockstep
