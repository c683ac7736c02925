#pragma once

/// HMC as the study of L2HMC sets it up: as in the paper, tuned, and left to its own warm-up.

#include <string>
#include <vector>

#include "bench/studies/l2hmc_evaluation.hpp"

namespace lockstep::bench {

/// A sampler and what finding it cost, over all chains.
struct TunedSampler {
  Sampler sampler;
  double seconds = 0, gradients = 0;
};

/// Ten leapfrog steps under the unit metric; of `steps` the step size with the best ESS in the
/// paper's definition.
/// @param tried  takes on what each step size yields, for notes
struct TriedStep {
  double step_size, ess_per_step, acceptance;
};
TunedSampler tune_by_paper(const L2hmcWorkplace& place, const std::vector<double>& steps,
                           std::vector<TriedStep>& tried);

/// HMC by two measures.
struct JointlyTuned {
  TunedSampler means;    // bulk ESS per gradient; a half turn, x -> -x, is best by this
  TunedSampler squares;  // the lesser of that and the ESS of squares, which a half turn has none of
};

/// Step size, number of steps and jitter under the unit metric. First a grid: step sizes 2^(k/2) of
/// which trajectories are accepted at all; 1, 2, 4, ... 256 steps; no jitter, 20 % of the step
/// size, or a uniform number of steps. Then a finer one about the best.
JointlyTuned tune_jointly(const L2hmcWorkplace& place);

/// What this library's warm-up finds by itself: metric, step size and trajectory length.
TunedSampler tune_by_warm_up(const L2hmcWorkplace& place, std::uint64_t seed);

}  // namespace lockstep::bench
