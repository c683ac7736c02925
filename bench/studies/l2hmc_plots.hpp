#pragma once

/// The figures of the study of L2HMC.

#include <string>
#include <vector>

#include "bench/studies/l2hmc_evaluation.hpp"
#include "lockstep/network.hpp"

namespace lockstep::bench {

/// What one method left for the plots: the first seed's traces, every seed's training.
struct MethodPlots {
  std::string method;
  Traces traces;
  std::vector<std::vector<TrainingPoint>> trainings;
};

/// Autocorrelation against gradients; a chain of each method over the law; training curves.
std::vector<StudyFigure> l2hmc_figures(const L2hmcCase& c, const std::vector<MethodPlots>& methods);

}  // namespace lockstep::bench
