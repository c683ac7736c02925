#pragma once

#include <cstdint>

#include "host/adapt/metric.hpp"

namespace lockstep {

/// N(m, Sigma), its covariance in the form of an inverse mass: q = m + F z, Sigma = F F'.
class Normal {
 public:
  /// @param covariance  as prepare_metric makes it, of the inverse mass Sigma
  Normal(Eigen::VectorXd mean, PreparedMetric covariance);

  int dim() const { return static_cast<int>(mean_.size()); }
  const Eigen::VectorXd& mean() const { return mean_; }
  const PreparedMetric& covariance() const { return covariance_; }

  /// m + F z of each column of z, [dim][points].
  Matrix at(const Matrix& z) const;
  /// The z of each column of q: F^-1 (q - m).
  Matrix standardised(const Matrix& q) const;
  /// log q at those points: -(|z|^2 + log |Sigma| + dim log 2 pi) / 2.
  Eigen::VectorXd log_density(const Matrix& z) const;
  /// log |Sigma|.
  double log_determinant() const { return log_determinant_; }

 private:
  Eigen::VectorXd mean_;
  PreparedMetric covariance_;
  Whitening whitening_;
  double log_determinant_;
};

/// z ~ N(0, I), [dim][points], by the numbers of chain `point` in transition `set`: the same for
/// any number of points, and apart from everything a run draws with the same seed.
Matrix standard_normals(std::uint64_t seed, std::uint32_t set, int dim, std::int64_t points);

}  // namespace lockstep
