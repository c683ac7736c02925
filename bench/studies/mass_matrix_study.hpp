#pragma once

#include "bench/studies/study.hpp"

namespace lockstep::bench {

/// A question from a forum: on eight schools (mu ~ N(2, 5), tau ~ HalfCauchy(5)), after 50 warm-up
/// transitions, why is the adapted inverse mass matrix, regularisation off, not the squared
/// standard deviation of the warm-up draws? Answered on many seeds, beside what thousands of chains
/// give.
Study mass_matrix_study();

}  // namespace lockstep::bench
