#pragma once

#include <cstdint>
#include <limits>

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

}  // namespace lockstep
