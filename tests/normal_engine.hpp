#pragma once

/// Normal targets of any dimension and covariance, and covariances with a known spectrum.

#include <cmath>
#include <cstdint>
#include <numbers>

#include "host/vi/normal.hpp"
#include "tests/function_engine.hpp"

namespace lockstep::test {

/// N(m, H^-1), normalised: U(q) = (q - m)' H (q - m) / 2 - log |H| / 2 + (dim / 2) log 2 pi, so
/// that the best ELBO is 0. Sums go in one order, by plain loops.
inline Potential normal_potential(const Eigen::VectorXd& mean, const Matrix& precision) {
  const Eigen::LLT<Matrix> cholesky(precision);
  double constant = 0.5 * static_cast<double>(mean.size()) * std::log(2 * std::numbers::pi);
  for (Eigen::Index j = 0; j < mean.size(); ++j) {
    constant -= std::log(cholesky.matrixLLT()(j, j));
  }
  return [mean, precision, constant](const double* q, double* gradient) {
    double u = constant;
    for (Eigen::Index i = 0; i < mean.size(); ++i) {
      gradient[i] = 0;
      for (Eigen::Index j = 0; j < mean.size(); ++j) {
        gradient[i] += precision(i, j) * (q[j] - mean[j]);
      }
      u += 0.5 * (q[i] - mean[i]) * gradient[i];
    }
    return u;
  };
}

inline Density normal_density(const Eigen::VectorXd& mean, const Matrix& precision) {
  return function_density(static_cast<int>(mean.size()), normal_potential(mean, precision));
}

/// An orthogonal matrix drawn evenly from all of them: normals, made orthonormal row by row.
inline Matrix rotation(int dim, std::uint64_t seed) {
  Matrix r = standard_normals(seed, 0, dim, dim);
  for (int i = 0; i < dim; ++i) {
    for (int twice = 0; twice < 2; ++twice) {  // once leaves rounding behind
      for (int k = 0; k < i; ++k) {
        r.row(i) -= r.row(i).dot(r.row(k)) * r.row(k);
      }
    }
    r.row(i).normalize();
  }
  return r;
}

/// R' diag(lambda) R with lambda log-spaced from condition^-1/2 to condition^1/2.
/// @param r  a rotation, or the identity
inline Matrix log_spaced(const Matrix& r, double condition) {
  Eigen::VectorXd lambda(r.rows());
  for (Eigen::Index j = 0; j < r.rows(); ++j) {
    lambda[j] = std::pow(
        condition,
        r.rows() < 2 ? 0.0 : -0.5 + static_cast<double>(j) / static_cast<double>(r.rows() - 1));
  }
  const Matrix product = r.transpose() * lambda.asDiagonal() * r;
  return 0.5 * (product + product.transpose());
}

}  // namespace lockstep::test
