#pragma once

#include "lockstep/result.hpp"

namespace lockstep {

/// Fills the figures of `fit` from its streamed statistics and kept draws.
void summarise(Fit& fit);

}  // namespace lockstep
