#pragma once

#include <cstddef>
#include <vector>

#include "lockstep/diagnostics.hpp"

namespace lockstep::diagnostics {

/// Moments of whole chains.
struct WholeMoments {
  std::vector<double> mean;
  std::vector<double> m2;
  std::size_t count = 0;
};

/// Throws UsageError unless the four arrays are equally long.
void check(const ChainMoments& moments, const char* who);

/// Both halves as one.
WholeMoments join(const ChainMoments& moments);

}  // namespace lockstep::diagnostics
