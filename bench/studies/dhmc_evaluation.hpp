#pragma once

/// How well a sampler does on a case of the study of discontinuous HMC.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "bench/studies/dhmc_cases.hpp"
#include "lockstep/result.hpp"

namespace lockstep::bench {

/// What transitions cost one chain.
struct ChainWork {
  double transitions = 0;
  double visits = 0;      // of discontinuous coordinates, each a difference of the potential
  double gradients = 0;   // of the smooth coordinates, with the potential
  double potentials = 0;  // on their own

  double evaluations() const { return visits + gradients + potentials; }
  ChainWork& operator+=(const ChainWork& other);
};

ChainWork work_of(const Sampler& sampler, const EngineDescription& about, std::uint64_t seed,
                  const Launch& launch);

/// One method on one case with one seed. ESS are bulk ESS: the same for n and log n.
struct DhmcOutcome {
  Fit fit;  // its draws dropped
  ChainWork tuning, sampling;
  double tuning_seconds = 0;
  ChainWork further;  // what it took to learn what follows
  double further_seconds = 0;
  CellComparison law;             // where the case has one
  ChainSpread spread;             // of its chains when it was done,
  std::vector<double> positions;  // where they are
  /// The figure farthest from the truth, in combined standard errors, and which; NaN without truth.
  double worst_error = StudyRow::kUnknown;
  std::string worst_figure;
  double common_error = 1;              // the root mean square of common_error_ratios
  int worst_coordinate = 0;             // of the least ESS
  std::vector<double> autocorrelation;  // of that, over kept draws, lags 0, 1, ...

  /// Wall-clock seconds of a draw of all chains.
  double seconds_per_draw() const {
    return fit.seconds.sampling / static_cast<double>(fit.draws_done);
  }
  /// Mean number of steps of a trajectory; 1 where there is none.
  double path_length() const;
  double min_ess_per_100() const { return 100 * fit.ess_per_transition_min(); }
  const std::string& worst_name() const {
    return fit.parameters[static_cast<std::size_t>(worst_coordinate)].name;
  }
};

/// The case's target, with the data that the settings name.
TargetOptions target_options(const DhmcCase& c, const StudySettings& settings);

/// Runs the recipe.
/// @param before  the case's methods so far with this seed
/// @throw Interrupted
/// @throw FileError  where the case's data are absent
DhmcOutcome run_recipe(const DhmcCase& c, const DhmcRecipe& recipe, const StudySettings& settings,
                       int repetition, const std::map<std::string, DhmcOutcome>& before);

}  // namespace lockstep::bench
