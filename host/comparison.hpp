#pragma once

/// A run beside the reference figures of its posterior.

#include <string>
#include <vector>

#include "host/io/reference.hpp"
#include "lockstep/diagnostics.hpp"
#include "lockstep/result.hpp"

namespace lockstep {

/// One figure of a run and of the reference, each with its own standard error (0: exact).
struct ComparedFigure {
  std::string parameter;
  std::string what;  // "mean", "sd", "q05", "q50" or "q95"
  double own, own_error;
  double reference, reference_error;
  double own_sd;  // of the parameter, to judge errors by

  /// The difference in combined standard errors.
  double z() const;
};

/// Every figure that the reference gives of every parameter of the run. Means, standard deviations
/// and their errors come from all chains, of which there should be hundreds, independent of how
/// they mix; quantiles come from the kept draws, which are needed.
///
/// Where a reference gives an error of the mean but none of the standard deviation, that is taken
/// to be mcse_mean sqrt((k - 1) / 4), k being the kurtosis of the run's kept draws: what as many
/// independent draws as the mean's effective ones would have (mcse_mean / sqrt(2) if normal). A
/// reference without any error is exact. Quantiles of integers have the error of rounding besides,
/// 1 / sqrt(12), on either side.
/// @throw FileError   naming a parameter that the reference does not have
/// @throw UsageError  if no draws were kept
std::vector<ComparedFigure> compare(const Fit& fit, const Reference& reference);

/// The same for a quantity that is computed from kept draws, from which all figures then come.
std::vector<ComparedFigure> compare(const std::string& parameter, Trace draws,
                                    const ReferenceFigures& reference);

/// The figure that is farthest off; NaN is farther than anything. @param figures  at least one
const ComparedFigure& farthest(const std::vector<ComparedFigure>& figures);

/// The largest error of a mean of the run, in standard deviations of its parameter: a run proves
/// little where this is large.
double largest_own_error(const std::vector<ComparedFigure>& figures);

}  // namespace lockstep
