#pragma once

/// The figures of the study of discontinuous HMC.

#include <string>
#include <vector>

#include "bench/studies/dhmc_evaluation.hpp"

namespace lockstep::bench {

/// What one method left for the plots, with the first seed.
struct DhmcMethodPlots {
  std::string method;
  CellComparison law;
  std::vector<double> no_flip;  // of each discontinuous coordinate; none for the random walk
  std::vector<double> autocorrelation;
  std::string worst;        // whose that is
  double work_per_lag = 0;  // visits, gradients and potentials of one kept draw
  std::int64_t chains = 0;
};

/// A trajectory crossing cells and turning around, for the cases with integers to look at; total
/// variation against draws; how often each coordinate moves; autocorrelation.
std::vector<StudyFigure> dhmc_figures(const DhmcCase& c,
                                      const std::vector<DhmcMethodPlots>& methods);

}  // namespace lockstep::bench
