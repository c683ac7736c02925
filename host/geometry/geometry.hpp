#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <string>

#include "host/adapt/metric.hpp"
#include "host/io/json.hpp"
#include "host/registry.hpp"

namespace lockstep {

/// What leapfrog meets: the Hessian H of U in the coordinates in which the metric is the identity,
/// S = M^-1/2 H M^-1/2, whose eigenvalues are those of M^-1 H. On the unconstrained scale, over
/// points that are draws of the target.
struct Geometry {
  static constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();
  std::int64_t points = 0;  // at which H was looked at
  /// kappa = lambda_max / lambda_min of S at each point: its median and 95 % quantile. Infinite
  /// where S is not positive definite (or not finite), since no step size serves a direction in
  /// which trajectories run away; `indefinite` is the share of such points.
  double kappa_median = kUnknown, kappa_95 = kUnknown, indefinite = kUnknown;
  double lambda_max = kUnknown, lambda_min = kUnknown;  // medians, over points where S is finite
  /// 2 / sqrt(lambda_max), above which leapfrog is not stable on a normal law with this H: the
  /// median, and the least of all points, which trajectories that come by there feel.
  double edge_median = kUnknown, edge_least = kUnknown;
  /// Without a Hessian: lambda_max(M^-1/2 Cov(grad U) M^-1/2) lambda_max(M^1/2 Cov(q) M^1/2). For
  /// normal laws it is kappa; else it is at least the condition number of E[H] = Cov(grad U) and of
  /// Cov(q), since Cov(grad U) >= Cov(q)^-1. Of n points, sampling noise alone makes either factor
  /// up to (1 + sqrt(dim / n))^2 times too large.
  double kappa_bar = kUnknown;
  std::int64_t hessian_products = 0;  // of all points together
};

/// How many of the points H is looked at by default.
inline constexpr std::int64_t kMostHessians = 256;

/// @param points     draws, [dim][n], unconstrained, n >= 2
/// @param gradients  dU/dq there, [dim][n]; not finite anywhere: kappa_bar is NaN
/// @param most       Hessians are looked at in so many of them, evenly spread
/// @throw UsageError  if U jumps along some coordinates, of which a Hessian does not tell, and for
///                    shapes that do not fit
Geometry measure_geometry(const BlockTarget<double>& target, const PreparedMetric& metric,
                          const Matrix& points, const Matrix& gradients,
                          std::int64_t most = kMostHessians);

/// With the gradients taken from the target.
Geometry measure_geometry(const BlockTarget<double>& target, const PreparedMetric& metric,
                          const Matrix& points, std::int64_t most = kMostHessians);

/// At a run's final positions, in the metric that it sampled with.
Geometry measure_geometry(const BlockTarget<double>& target, const Fit& fit);

/// The target as measure_geometry takes it.
/// @throw UsageError  naming the target if it has too many parameters, or discontinuous ones
std::shared_ptr<const BlockTarget<double>> target_for_geometry(const TargetEntry& entry,
                                                               const TargetOptions& options);

/// Members by their names; `null` where infinite or not a number.
Json to_json(const Geometry& geometry);

/// Three lines for people.
/// @param step_size  that the sampler uses, to compare with the edge
std::string geometry_lines(const Geometry& geometry, double step_size);

}  // namespace lockstep
