#pragma once

#include "bench/studies/study.hpp"

namespace lockstep::bench {

/// HMC on every posterior that has reference figures: is each mean, standard deviation and quantile
/// within four combined Monte Carlo standard errors of its reference? Needs the data folders.
Study posteriors_study();

}  // namespace lockstep::bench
