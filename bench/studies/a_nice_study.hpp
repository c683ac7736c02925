#pragma once

#include "bench/studies/study.hpp"

namespace lockstep::bench {

/// Who crosses between modes: A-NICE-MC, L2HMC and tuned HMC on mixtures and a ring, from chains
/// that all begin in one mode.
Study a_nice_study();

}  // namespace lockstep::bench
