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
  /// The law's shape. Infinite where it cannot be told: of 20 ratios or fewer, or if one is not a
  /// number; 0 where the largest ratios are all alike.
  double k_hat;
};

/// The largest min(S / 5, 3 sqrt S) of S ratios are smoothed.
/// @param log_ratios  log of target over proposal at draws of the proposal, up to a constant;
///                    -infinity where the target's density is 0. NaN and +infinity get no weight
/// @throw UsageError  if there are none
SmoothedWeights smoothed_weights(std::span<const double> log_ratios);

/// The weights to the highest power up to 1 that leaves so many effective, 1 / sum w^2: the same
/// weights if they do.
/// @param weights  add up to 1, as do those returned
std::vector<double> tempered_weights(const std::vector<double>& weights, double effective);

/// Which draws stand for the weighted ones when each counts once, ascending: of draw i, n w_i
/// copies, rounded up or down (systematic resampling). No draw comes twice that weighs less than
/// 1 / n.
/// @param weights  add up to 1
std::vector<std::int64_t> resampled(const std::vector<double>& weights, std::int64_t n);

/// How good an approximation is, from draws of it.
struct Assessment {
  double elbo = 0;        // E_q[-U - log q]: -infinity if any draw is outside,
  double elbo_error = 0;  // and NaN then
  double k_hat = 0;
  std::int64_t outside = 0;  // draws where U is not finite: their ratio is 0
};

/// From log ratios of the draws, -infinity for those outside.
/// @throw UsageError  if there are fewer than two
Assessment assessment_of(std::span<const double> log_ratios);

/// @param set     of standard_normals(seed, set, ...) that it draws; one that the fit did not see
/// @param points  draws, each an evaluation; at least 2
/// @throw UsageError  if there are fewer
Assessment assess(Density& density, const Normal& q, std::uint64_t seed, std::uint32_t set,
                  std::int64_t points);

}  // namespace lockstep
