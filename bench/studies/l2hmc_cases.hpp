#pragma once

/// What the study of L2HMC runs, and what has been published about it: all constants in one place.

#include <string>
#include <vector>

#include "bench/studies/study.hpp"
#include "host/exact_draws.hpp"
#include "host/registry.hpp"
#include "lockstep/training.hpp"

namespace lockstep::bench {

/// Figures of ESS per transition that others give; NaN where they give none. The rough well's are
/// not divided by the variance.
struct Published {
  double v1 = StudyRow::kUnknown;          // the paper's first version, arXiv 1711.09268v1
  double iclr = StudyRow::kUnknown;        // the version printed at ICLR 2018
  double reproduced = StudyRow::kUnknown;  // ICLR 2018 reproducibility challenge, McGill
};

/// How a network is trained.
struct L2hmcRecipe {
  L2hmcOptions options;
  /// Takes the metric and the step size from HMC's warm-up, whose cost counts as training.
  bool warm_start = false;
};

struct L2hmcCase {
  std::string name;    // of its rows
  std::string target;  // of the registry
  TargetOptions target_options;
  int dim = 2;
  exact::Draw draw;
  bool published_unnormalised = false;  // the authors' figures are not divided by tr(Sigma)
  bool two_modes = false;               // at x_0 < 0 and x_0 > 0, of equal weight
  std::vector<double> paper_steps;      // HMC's step sizes in the paper,
  std::vector<double> feasible_steps;   // and possible ones, where those are not
  L2hmcRecipe paper, best;
  Published l2hmc, hmc;
};

const std::vector<L2hmcCase>& l2hmc_cases();

/// What the recipe asks for that is its own: not where it runs, nor its seed.
Json recipe_json(const L2hmcRecipe& recipe);

}  // namespace lockstep::bench
