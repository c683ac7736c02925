#pragma once

#include <cstdint>

#include "lockstep/result.hpp"

namespace lockstep {

/// With this many chains the spread of their means measures the error of the grand mean better than
/// autocorrelations do.
inline constexpr std::int64_t kManyChains = 64;

/// Fills the figures of `fit` from its streamed statistics and kept draws.
void summarise(Fit& fit);

}  // namespace lockstep
