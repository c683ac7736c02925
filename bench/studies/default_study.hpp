#pragma once

#include "bench/studies/study.hpp"

namespace lockstep::bench {

/// HMC, its step size and diagonal metric tuned, on every target whose law is known and on eight
/// schools: how many effective draws a transition, a gradient and a second yield, and whether they
/// are draws from the right law.
Study default_study();

}  // namespace lockstep::bench
