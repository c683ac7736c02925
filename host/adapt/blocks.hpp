#pragma once

#include <optional>
#include <span>
#include <vector>

#include "host/adapt/estimate.hpp"

namespace lockstep {

/// The inverse mass of a target with discontinuous coordinates has two blocks: that of the smooth
/// ones, of whatever kind is asked for, and the variances of the others, so that sqrt(M^-1_jj) is
/// how far such a coordinate may go. Nothing stands between the blocks: only the smooth ones have
/// Gaussian momenta, and only they have gradients. Without discontinuous coordinates this is
/// MetricEstimator itself.
class BlockEstimator {
 public:
  /// @param discontinuous  coordinates, ascending, of `dim`
  BlockEstimator(Metric kind, int dim, const std::vector<int>& discontinuous,
                 const Adaptation& how);

  int smooth_dim() const { return static_cast<int>(smooth_at_.size()); }
  bool needs_gradients() const { return smooth_.needs_gradients(); }
  bool ready() const { return smooth_.ready(); }

  /// As MetricEstimator's, of a target without discontinuous coordinates.
  void begin_with(const PreparedMetric& covariance, double weight) {
    smooth_.begin_with(covariance, weight);
  }
  bool has_prior() const { return smooth_.has_prior(); }
  bool confirms_prior(double factor) const { return smooth_.confirms_prior(factor); }
  PreparedMetric of_prior() const { return smooth_.of_prior(); }

  /// As MetricEstimator's, [dim][chains].
  void add(std::span<const double> q, std::span<const double> gradient, std::int64_t chains);

  /// As MetricEstimator's. A discontinuous coordinate whose chains have hardly moved may just have
  /// been told to go too far: its scale shrinks by no more than kMostShrinkage at a time.
  std::optional<PreparedMetric> estimate();
  /// A first guess from the chains' starts: metric_of_starts, and the others' spread.
  /// @param q, gradient  [dim][chains]
  PreparedMetric of_starts(std::span<const double> q, std::span<const double> gradient);

  void clear();
  void archive(Archive& a) { a(smooth_, jumps_, variances_); }

  static constexpr double kMostShrinkage = 100;

 private:
  /// Their rows of x, [dim][chains].
  static std::vector<double> rows(std::span<const double> x, const std::vector<int>& at,
                                  std::size_t chains);
  /// The whole metric, with variances_.
  PreparedMetric embedded(const PreparedMetric& smooth) const;

  int dim_;
  std::vector<int> smooth_at_, jumps_at_;
  MetricEstimator smooth_, jumps_;
  std::vector<double> variances_;  // of the discontinuous ones, in the last metric
};

}  // namespace lockstep
