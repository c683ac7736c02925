#include "host/vi/advi.hpp"

namespace lockstep {

namespace {

InverseMass values_of(const Matrix& m) {
  return {m.data(), m.data() + m.size()};
}

/// F P^-1 F'.
PreparedMetric nearest_of_all(const PreparedMetric& now, const Matrix& precision) {
  const auto dim = static_cast<int>(precision.rows());
  const Eigen::LLT<Matrix> cholesky(precision);
  Matrix root = Matrix::Identity(dim, dim);  // R' with P^-1 = R'' R' for P's factor R^-1
  cholesky.matrixL().solveInPlace(root);
  root.transposeInPlace();
  Whitening(now).colour(root);
  const Matrix covariance = root * root.transpose();
  return prepare_metric(Metric::dense, values_of(covariance), dim);
}

/// sigma_j^2 / P_jj.
PreparedMetric nearest_diagonal(const PreparedMetric& now, const Matrix& precision) {
  PreparedMetric next = now;
  for (Eigen::Index j = 0; j < precision.rows(); ++j) {
    next.inverse_mass[static_cast<std::size_t>(j)] /= precision(j, j);
  }
  return prepare_metric(Metric::diagonal, next.inverse_mass, static_cast<int>(precision.rows()));
}

}  // namespace

PreparedMetric nearest(const Family& family, const PreparedMetric& now, const Matrix& precision) {
  return family.method == Approximation::mean_field  ? nearest_diagonal(now, precision)
         : family.method == Approximation::full_rank ? nearest_of_all(now, precision)
                                                     : nearest_low_rank(family, now, precision);
}

}  // namespace lockstep
