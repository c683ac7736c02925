#pragma once

/// Errors that chains have in common. Chains of a transition share its step size, length and order.
/// Should it not keep the law given these, but only on average over them, all chains would be off
/// together: the variance between them does not show that, the course of their mean in time does.

#include <cstdint>
#include <vector>

#include "lockstep/engine.hpp"

namespace lockstep {

/// Into so many parts draws are cut for standard errors from their course in time.
inline constexpr std::size_t kTimeBatches = 40;

/// The standard error of the mean of equally long batches in time that are nearly independent.
/// @param values  [draws], the mean over chains of each draw
double standard_error_in_time(const std::vector<double>& values);

/// For each of the kept parameters, the standard error of the mean over all `chains` by its course
/// in time over that by the variance between the kept ones; at least 1, and 1 up to noise where
/// chains are independent. What the kept chains have in common all chains have.
std::vector<double> common_error_ratios(const Draws& draws, std::int64_t chains);

}  // namespace lockstep
