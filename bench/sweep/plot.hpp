#pragma once

#include <string>

#include "bench/sweep/summary.hpp"

namespace lockstep::bench {

/// ESS per gradient against step size (or, where only that differs, the number of leapfrog steps),
/// both logarithmic, as one SVG element: a line for each combination of the other settings, bars of
/// one standard error, a ring round the best. Settings that failed are crosses on a strip below,
/// since their ESS means nothing.
/// @param varying  options that differ within the sweep, which tell lines apart
std::string sweep_plot(const SweptTarget& target, const std::vector<std::string>& varying);

/// The colours it is drawn in, for light and dark, and the shapes' style.
std::string sweep_plot_style();

}  // namespace lockstep::bench
