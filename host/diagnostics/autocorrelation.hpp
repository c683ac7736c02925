#pragma once

#include <span>
#include <vector>

#include "lockstep/diagnostics.hpp"

namespace lockstep::diagnostics {

/// Autocorrelation pooled over coordinates, about known means, at lags t = 0 .. T-1:
///   rho_t = mean over chains and T - t times of (x_tau - mu) . (x_{tau+t} - mu) / scale.
/// @param scale  tr(Sigma); 1 leaves it unnormalised
std::vector<double> pooled_autocorrelation(std::span<const Trace> coordinates,
                                           std::span<const double> mean, double scale);

}  // namespace lockstep::diagnostics
