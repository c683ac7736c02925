#include "host/vi/normal.hpp"

#include <cmath>
#include <numbers>
#include <utility>
#include <vector>

#include "kernels/random/distributions.hpp"

namespace lockstep {

namespace {

/// Of Sigma = F F': twice log |F|, and of a low-rank one log |Lambda| besides.
double log_determinant_of(const PreparedMetric& m, int dim) {
  double sum = 0;
  const bool dense = m.kind == Metric::dense;
  for (int j = 0; j < dim; ++j) {
    sum += 2 * std::log(m.factor[static_cast<std::size_t>(dense ? j * (dim + 1) : j)]);
  }
  if (m.kind == Metric::low_rank) {
    const int rank = rank_of(m.inverse_mass.size(), dim);
    for (int k = 0; k < rank; ++k) {
      sum += std::log(m.inverse_mass[static_cast<std::size_t>(dim + k)]);
    }
  }
  return sum;
}

}  // namespace

Normal::Normal(Eigen::VectorXd mean, PreparedMetric covariance)
    : mean_(std::move(mean)),
      covariance_(std::move(covariance)),
      whitening_(covariance_),
      log_determinant_(log_determinant_of(covariance_, dim())) {}

Matrix Normal::at(const Matrix& z) const {
  Matrix q = z;
  whitening_.colour(q);
  q.colwise() += mean_;
  return q;
}

Matrix Normal::standardised(const Matrix& q) const {
  Matrix z = q;
  z.colwise() -= mean_;
  whitening_.positions(z);
  return z;
}

Eigen::VectorXd Normal::log_density(const Matrix& z) const {
  const double constant = log_determinant_ + dim() * std::log(2 * std::numbers::pi);
  Eigen::VectorXd log_q(z.cols());
  for (Eigen::Index i = 0; i < z.cols(); ++i) {
    double square = 0;
    for (Eigen::Index j = 0; j < z.rows(); ++j) {
      square += z(j, i) * z(j, i);
    }
    log_q[i] = -0.5 * (square + constant);
  }
  return log_q;
}

Matrix standard_normals(std::uint64_t seed, std::uint32_t set, int dim, std::int64_t points) {
  Matrix z(dim, points);
  std::vector<double> one(static_cast<std::size_t>(dim));
  for (std::int64_t i = 0; i < points; ++i) {
    const auto stream = Stream<double>::of(seed, static_cast<std::uint64_t>(i));
    normals(stream, set, Purpose::training, dim, one.data());
    for (int j = 0; j < dim; ++j) {
      z(j, i) = one[static_cast<std::size_t>(j)];
    }
  }
  return z;
}

}  // namespace lockstep
