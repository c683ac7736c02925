#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <numbers>

#include "host/symmetric_eigen.hpp"
#include "host/vi/advi.hpp"

namespace lockstep {

Matrix matched_normals(std::uint64_t seed, AdviSet set, int dim, std::int64_t points) {
  const std::int64_t pairs = points / 2;
  Matrix half = standard_normals(seed, static_cast<std::uint32_t>(set), dim, pairs);
  const Matrix square = half * half.transpose() / static_cast<double>(pairs);
  const Eigen::LLT<Matrix> root(square);
  root.matrixL().solveInPlace(half);
  Matrix z(dim, 2 * pairs);
  z << half, -half;
  return z;
}

Averages averages(Density& density, const Normal& q, const Matrix& z) {
  const auto n = static_cast<double>(z.cols());
  Eigen::VectorXd potential;
  Matrix g;
  density.evaluate(q.at(z), potential, g);
  Averages a;
  if (!potential.allFinite() || !g.allFinite()) {
    a.elbo = -std::numeric_limits<double>::infinity();
    return a;
  }
  Whitening(q.covariance()).velocities(g);
  a.gradient = g.rowwise().sum() / n;
  a.stein = g * z.transpose() / n;
  const double entropy =
      0.5 * (q.log_determinant() + q.dim() * std::log(2 * std::numbers::pi * std::numbers::e));
  a.elbo = entropy - potential.sum() / n;
  return a;
}

double stein_residual(Density& density, const Normal& q, std::uint64_t seed, std::int64_t points) {
  const std::int64_t enough = std::max<std::int64_t>(points, 2 * q.dim());
  const Averages a =
      averages(density, q, matched_normals(seed, AdviSet::residual, q.dim(), enough));
  if (!std::isfinite(a.elbo)) {
    return std::numeric_limits<double>::infinity();
  }
  const Eigen::MatrixXd hessian = 0.5 * (a.stein + a.stein.transpose());
  const SymmetricEigen eigen(hessian, SymmetricEigen::What::values_only);
  return (eigen.values().array() - 1).abs().maxCoeff();
}

}  // namespace lockstep
