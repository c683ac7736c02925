#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "host/adapt/metric.hpp"
#include "host/geometry/figures.hpp"
#include "host/io/json.hpp"
#include "host/registry.hpp"

namespace lockstep {

/// How many of the points H is looked at by default.
inline constexpr std::int64_t kMostHessians = 256;

/// @param points     draws, [dim][n], unconstrained
/// @param gradients  dU/dq there, [dim][n]; kappa_bar is NaN if one is not finite, or n < 2
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
