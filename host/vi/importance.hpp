#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "host/vi/density.hpp"
#include "host/vi/normal.hpp"

namespace lockstep {

/// Importance weights whose largest are those of a generalised Pareto law fitted to them (Vehtari,
/// Simpson, Gelman, Yao & Gabry, JMLR 25, 2024).
struct SmoothedWeights {
  std::vector<double> weights;  // add up to 1
  double k_hat;                 // the law's shape; infinite if a log ratio is not finite
};

/// @param log_ratios  log of target over proposal at draws of the proposal, up to a constant;
///                    -infinity where the target's density is 0
SmoothedWeights smoothed_weights(std::span<const double> log_ratios);

/// How good an approximation is, from draws of it.
struct Assessment {
  double elbo, elbo_error, k_hat;
};

/// @param set  of standard_normals(seed, set, ...) that it draws; one that the fit did not see
Assessment assess(Density& density, const Normal& q, std::uint64_t seed, std::uint32_t set,
                  std::int64_t points);

}  // namespace lockstep
