#include "host/adapt/metric.hpp"

#include <cmath>
#include <string>

#include "lockstep/error.hpp"

namespace lockstep {

namespace {

using ConstMatrix = Eigen::Map<const Matrix>;
using ConstVector = Eigen::Map<const Eigen::VectorXd>;

/// The kind whose kernels serve this one.
Metric shape_of(Metric kind) {
  return kind == Metric::automatic || kind == Metric::fisher ? Metric::diagonal : kind;
}

InverseMass identity(Metric shape, int dim) {
  InverseMass m(static_cast<std::size_t>(shape == Metric::dense ? dim * dim : dim),
                shape == Metric::dense ? 0.0 : 1.0);
  for (std::size_t j = 0; shape == Metric::dense && j < m.size(); j += dim + 1) {
    m[j] = 1.0;
  }
  return m;
}

/// @throw UsageError
void check_length(Metric shape, std::size_t size, int dim) {
  const auto d = static_cast<std::size_t>(dim);
  const bool right = shape == Metric::dense      ? size == d * d
                     : shape == Metric::low_rank ? size >= d && (size - d) % (d + 1) == 0
                                                 : size == d;
  require(right,
          "the inverse mass has " + std::to_string(size) + " values, but this target has " +
              std::to_string(dim) + " parameters: give " +
              (shape == Metric::dense      ? "dim x dim, row by row"
               : shape == Metric::low_rank ? "the diagonal, the eigenvalues, then the vectors"
                                           : "one per parameter"));
}

void check_positive(const InverseMass& m, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    require(std::isfinite(m[i]) && m[i] > 0, "inverse mass entry " + std::to_string(i + 1) +
                                                 " is " + std::to_string(m[i]) +
                                                 ": variances must be positive and finite");
  }
}

std::vector<double> cholesky_factor(const InverseMass& inverse_mass, int dim) {
  const ConstMatrix m(inverse_mass.data(), dim, dim);
  require(m.allFinite(), "the inverse mass matrix is not finite: give a covariance");
  require((m - m.transpose()).cwiseAbs().maxCoeff() <= 1e-8 * m.cwiseAbs().maxCoeff(),
          "the inverse mass matrix is not symmetric: give a covariance");
  const Eigen::LLT<Matrix> cholesky(m);
  require(cholesky.info() == Eigen::Success,
          "the inverse mass matrix is not positive definite: give a covariance, or --metric "
          "diagonal");
  const Matrix factor = cholesky.matrixL();
  return {factor.data(), factor.data() + factor.size()};
}

void check_orthonormal(const InverseMass& m, int dim) {
  const int rank = rank_of(m.size(), dim);
  const ConstMatrix u(m.data() + dim + rank, rank, dim);
  require(
      rank == 0 || (u * u.transpose() - Matrix::Identity(rank, rank)).cwiseAbs().maxCoeff() < 1e-6,
      "the low-rank inverse mass has vectors that are not orthonormal: give unit vectors at "
      "right angles");
}

}  // namespace

PreparedMetric prepare_metric(Metric kind, const InverseMass& inverse_mass, int dim) {
  PreparedMetric metric;
  metric.kind = shape_of(kind);
  metric.inverse_mass = inverse_mass.empty() ? identity(metric.kind, dim) : inverse_mass;
  check_length(metric.kind, metric.inverse_mass.size(), dim);
  if (metric.kind == Metric::dense) {
    metric.factor = cholesky_factor(metric.inverse_mass, dim);
    return metric;
  }
  auto variances = static_cast<std::size_t>(dim);
  if (metric.kind == Metric::low_rank) {
    variances += static_cast<std::size_t>(rank_of(metric.inverse_mass.size(), dim));
    check_orthonormal(metric.inverse_mass, dim);
  }
  check_positive(metric.inverse_mass, variances);
  for (int j = 0; j < dim; ++j) {
    metric.factor.push_back(std::sqrt(metric.inverse_mass[static_cast<std::size_t>(j)]));
  }
  return metric;
}

Whitening::Whitening(const PreparedMetric& metric) : kind_(metric.kind) {
  if (kind_ == Metric::dense) {
    const auto dim = static_cast<Eigen::Index>(
        std::lround(std::sqrt(static_cast<double>(metric.factor.size()))));
    factor_ = ConstMatrix(metric.factor.data(), dim, dim);
    return;
  }
  const auto dim = static_cast<Eigen::Index>(metric.factor.size());
  scale_ = ConstVector(metric.factor.data(), dim);
  if (kind_ == Metric::low_rank) {
    const int rank = rank_of(metric.inverse_mass.size(), static_cast<int>(dim));
    root_values_ = ConstVector(metric.inverse_mass.data() + dim, rank).cwiseSqrt();
    factor_ = ConstMatrix(metric.inverse_mass.data() + dim + rank, rank, dim);
  }
}

void Whitening::positions(Matrix& x) const {
  if (kind_ == Metric::dense) {
    factor_.triangularView<Eigen::Lower>().solveInPlace(x);
    return;
  }
  x = scale_.cwiseInverse().asDiagonal() * x;
  if (kind_ == Metric::low_rank) {  // F = D (I + U (Lambda^(1/2) - I) U')
    const Eigen::VectorXd shift = root_values_.cwiseInverse().array() - 1;
    x += factor_.transpose() * (shift.asDiagonal() * (factor_ * x)).eval();
  }
}

void Whitening::velocities(Matrix& p) const {
  if (kind_ == Metric::dense) {
    p = factor_.triangularView<Eigen::Lower>().transpose() * p;
    return;
  }
  p = scale_.asDiagonal() * p;
  if (kind_ == Metric::low_rank) {
    const Eigen::VectorXd shift = root_values_.array() - 1;
    p += factor_.transpose() * (shift.asDiagonal() * (factor_ * p)).eval();
  }
}

void Whitening::colour(Matrix& y) const {
  if (kind_ == Metric::dense) {
    y = factor_.triangularView<Eigen::Lower>() * y;
    return;
  }
  if (kind_ == Metric::low_rank) {
    const Eigen::VectorXd shift = root_values_.array() - 1;
    y += factor_.transpose() * (shift.asDiagonal() * (factor_ * y)).eval();
  }
  y = scale_.asDiagonal() * y;
}

}  // namespace lockstep
