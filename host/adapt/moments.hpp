#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "host/adapt/metric.hpp"
#include "lockstep/archive.hpp"

namespace lockstep {

/// Means and covariances of all chains about one pooled mean, merged set by set in a fixed order
/// (Chan, Golub & LeVeque 1979).
class PooledMoments {
 public:
  /// @param full  keep the covariance matrix, not only its diagonal
  PooledMoments(int dim, bool full);

  /// Adds one vector of every chain, [dim][chains].
  void add(std::span<const double> x, std::int64_t chains);

  std::int64_t count() const { return count_; }
  bool full() const { return full_; }
  /// Unbiased: divisor n - 1.
  Eigen::VectorXd variances() const;
  /// The same, [dim][dim]; needs `full`.
  Matrix covariance() const;

  void archive(Archive& a);

 private:
  int dim_;
  bool full_;
  std::int64_t count_ = 0;
  Eigen::VectorXd mean_;
  Matrix m2_;  // [dim][dim], or [dim][1]
};

/// How far superchains (neighbouring chains that started alike) are from each other: nested R-hat
/// over all their positions (Margossian et al., Bayesian Analysis 2024),
///
///   sqrt(1 + B / W),  B the variance of their means, W the mean variance within.
class SuperchainMoments {
 public:
  /// @param width  chains of a superchain; chains that fill none are left out
  SuperchainMoments(int dim, std::int64_t chains, int width);

  /// Adds one position of every chain, [dim][chains].
  void add(std::span<const double> q);

  /// The largest over coordinates; NaN with fewer than four superchains or two positions in each.
  double nested_rhat() const;

  void archive(Archive& a) { a(count_, mean_, m2_); }

 private:
  int dim_, width_;
  std::int64_t chains_, superchains_;
  double count_ = 0;               // positions in a superchain
  std::vector<double> mean_, m2_;  // [dim][superchains]
};

}  // namespace lockstep
