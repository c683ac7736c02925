#pragma once

#include <cstddef>
#include <span>

#include "host/diagnostics/columns.hpp"

namespace lockstep::diagnostics {

/// Plain R-hat of columns as they are.
double plain_rhat(const Centred& columns);

/// Nested R-hat of columns as they are. `superchain[c]` in 0 .. superchains-1; all equally large.
double plain_nested_rhat(std::span<const double> means, std::span<const double> variances,
                         std::span<const std::size_t> superchain, std::size_t superchains);

/// The larger of location and scale R-hat; an undefined scale (all distances equal) is ignored.
inline double larger_rhat(double bulk, double folded) {
  return folded > bulk ? folded : bulk;
}

}  // namespace lockstep::diagnostics
