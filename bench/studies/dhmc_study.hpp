#pragma once

/// The published comparison of discontinuous HMC, and laws that can be summed.

#include "bench/studies/study.hpp"

namespace lockstep::bench {

Study dhmc_study();

}  // namespace lockstep::bench
