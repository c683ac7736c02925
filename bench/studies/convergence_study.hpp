#pragma once

#include "bench/studies/study.hpp"

namespace lockstep::bench {

/// What it costs to get there: gradients of one chain, warm-up included, until superchains agree,
/// and until the ensemble's second moments are right.
Study convergence_study();

}  // namespace lockstep::bench
