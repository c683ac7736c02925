#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "host/adapt/moments.hpp"

namespace lockstep {

/// Pooled draws per dimension from which a dense estimate is trusted: the eigenvalues of the
/// covariance of n draws spread over (1 +- sqrt(d / n))^2 by sampling noise alone, which at 100 is
/// a condition number of 1.5.
inline constexpr std::int64_t kDrawsPerDimension = 100;
/// From so many where the warm-up began with correlations: it is known that a diagonal would not
/// do, and noise makes condition numbers at most 3.7 times as large.
inline constexpr std::int64_t kDrawsPerKnownDimension = 10;

/// Above this many dimensions `automatic` stays diagonal: a dense product costs dim^2 per step.
inline constexpr int kDenseLimit = 64;

/// An inverse mass from the pooled draws of a window, and for the Fisher criterion their gradients.
/// With shrinkage (Stan's): S <- n / (n + 5) S + 1e-3 * 5 / (n + 5) I, n = pooled draws; but where
/// pseudo-draws have weight, towards these alone, which know the scales that 1e-3 does not.
class MetricEstimator {
 public:
  MetricEstimator(Metric kind, int dim, const Adaptation& how);

  bool needs_gradients() const { return kind_ == Metric::fisher || kind_ == Metric::low_rank; }

  /// Takes a covariance Sigma_0 to begin with, as `weight` pseudo-draws in every estimate:
  ///   S <- ((n - 1) S_n + w Sigma_0) / (n - 1 + w),
  /// the gradients' likewise, with Sigma_0^-1.
  void begin_with(const PreparedMetric& covariance, double weight);
  bool has_prior() const { return weight_.has_value(); }
  /// Whether every coordinate's standard deviation over the draws is within a factor of Sigma_0's.
  bool confirms_prior(double factor) const;
  /// What the pseudo-draws alone lead to: Sigma_0 as it is where the kind leaves that open, else
  /// its diagonal, or what stands for it in the kind's terms.
  PreparedMetric of_prior() const;

  /// Adds one position, and one gradient if needed, of every chain, [dim][chains].
  void add(std::span<const double> q, std::span<const double> gradient, std::int64_t chains);

  std::int64_t count() const { return draws_.count(); }

  /// Whether there are draws enough for the kind of metric that was asked for.
  bool ready() const { return kind_ != Metric::dense || enough_for_dense(); }

  /// None while there are too few draws to say anything; a diagonal while a dense metric has to
  /// wait.
  std::optional<PreparedMetric> estimate() const;

  void clear();
  void archive(Archive& a);

 private:
  /// S with the pseudo-draws.
  template <class M>
  M with_prior(M s, const M& prior) const;
  Eigen::VectorXd variances() const;
  Eigen::VectorXd gradient_variances() const;
  Matrix covariance() const;
  Matrix gradient_covariance() const;
  InverseMass diagonal() const;
  InverseMass dense() const;
  InverseMass fisher() const;
  InverseMass low_rank() const;
  /// Whether by Stan's rule.
  bool shrinks() const;
  Eigen::VectorXd shrunk(const Eigen::VectorXd& variances) const;
  bool enough_for_dense() const;
  /// Whether a diagonal metric would leave much undone: the condition number of the correlation
  /// matrix exceeds 10, so that trajectories would have to be over three times as long.
  bool strongly_correlated() const;

  Metric kind_;
  int dim_;
  Adaptation how_;
  PooledMoments draws_, gradients_;
  std::optional<double> weight_;  // of Sigma_0, if there is one
  PreparedMetric prior_;          // as it was given
  Matrix sigma_, precision_;      // Sigma_0 and its inverse
};

/// The Fisher diagonal of the chains' starts, from quartiles, since some starts lie where gradients
/// are of another order: M^-1_jj = iqr q_j / iqr dU/dq_j, exact for independent normal coordinates
/// wherever chains start. 1 where a coordinate's starts or gradients are all alike.
/// @param q, gradient  [dim][chains]
InverseMass metric_of_starts(std::span<const double> q, std::span<const double> gradient, int dim);

/// @throw UsageError  if the last window of the warm-up pools fewer draws than a dense metric
/// needs,
///                    unless forced
void check_dense(Metric kind, int dim, std::int64_t pooled_draws, const Adaptation& how);

}  // namespace lockstep
