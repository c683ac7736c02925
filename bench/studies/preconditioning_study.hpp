#pragma once

#include "bench/studies/study.hpp"

namespace lockstep::bench {

/// Metrics before the first draw: what do they do to the condition number, to the step size, and to
/// the gradients that chains need until they agree?
Study preconditioning_study();

}  // namespace lockstep::bench
