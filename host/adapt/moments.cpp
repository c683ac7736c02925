#include "host/adapt/moments.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace lockstep {

PooledMoments::PooledMoments(int dim, bool full)
    : dim_(dim),
      full_(full),
      mean_(Eigen::VectorXd::Zero(dim)),
      m2_(Matrix::Zero(dim, full ? dim : 1)) {}

void PooledMoments::add(std::span<const double> values, std::int64_t chains) {
  // A copy, since Eigen's sums are the same bits only for memory that is aligned the same.
  const Matrix x = Eigen::Map<const Matrix>(values.data(), dim_, chains);
  const Eigen::VectorXd batch_mean = x.rowwise().mean();
  const Matrix centred = x.colwise() - batch_mean;
  const auto n_a = static_cast<double>(count_), n_b = static_cast<double>(chains);
  const Eigen::VectorXd delta = batch_mean - mean_;
  const double between = n_a * n_b / (n_a + n_b);
  if (full_) {
    m2_ += centred * centred.transpose() + between * delta * delta.transpose();
  } else {
    m2_ += centred.rowwise().squaredNorm() + between * delta.cwiseAbs2();
  }
  mean_ += delta * (n_b / (n_a + n_b));
  count_ += chains;
}

Eigen::VectorXd PooledMoments::variances() const {
  const Eigen::VectorXd m2 = full_ ? Eigen::VectorXd(m2_.diagonal()) : Eigen::VectorXd(m2_.col(0));
  return m2 / static_cast<double>(count_ - 1);
}

Matrix PooledMoments::covariance() const {
  return m2_ / static_cast<double>(count_ - 1);
}

void PooledMoments::archive(Archive& a) {
  a(count_);
  a.bytes(mean_.data(), static_cast<std::size_t>(mean_.size()) * sizeof(double));
  a.bytes(m2_.data(), static_cast<std::size_t>(m2_.size()) * sizeof(double));
}

SuperchainMoments::SuperchainMoments(int dim, std::int64_t chains, int width)
    : dim_(dim),
      width_(width),
      chains_(chains),
      superchains_(chains / width),
      mean_(static_cast<std::size_t>(dim * superchains_)),
      m2_(mean_.size()) {}

void SuperchainMoments::add(std::span<const double> q) {
  const double n = width_, total = count_ + n;
  for (int j = 0; j < dim_; ++j) {
    for (std::int64_t k = 0; k < superchains_; ++k) {
      const double* x = q.data() + j * chains_ + k * width_;
      double mean = 0, m2 = 0;
      for (int i = 0; i < width_; ++i) {
        mean += x[i] / n;
      }
      for (int i = 0; i < width_; ++i) {
        m2 += (x[i] - mean) * (x[i] - mean);
      }
      const auto at = static_cast<std::size_t>(j * superchains_ + k);
      const double delta = mean - mean_[at];
      mean_[at] += delta * n / total;
      m2_[at] += m2 + delta * delta * count_ * n / total;
    }
  }
  count_ = total;
}

double SuperchainMoments::nested_rhat() const {
  if (superchains_ < 4 || count_ < 2) {
    return std::numeric_limits<double>::quiet_NaN();
  }
  double worst = 1;
  const auto k = static_cast<double>(superchains_);
  for (int j = 0; j < dim_; ++j) {
    const auto first = static_cast<std::size_t>(j * superchains_);
    double grand = 0, between = 0, within = 0;
    for (std::int64_t i = 0; i < superchains_; ++i) {
      grand += mean_[first + static_cast<std::size_t>(i)] / k;
    }
    for (std::int64_t i = 0; i < superchains_; ++i) {
      const double delta = mean_[first + static_cast<std::size_t>(i)] - grand;
      between += delta * delta / (k - 1);
      within += m2_[first + static_cast<std::size_t>(i)] / (count_ - 1) / k;
    }
    const double rhat = std::sqrt(1 + between / within);
    worst = rhat > worst || std::isnan(rhat) ? rhat : worst;
    if (std::isnan(worst)) {
      return std::numeric_limits<double>::infinity();  // nothing moves: not at rest but stuck
    }
  }
  return worst;
}

}  // namespace lockstep
