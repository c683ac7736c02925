#pragma once

#include <string>
#include <vector>

#include "lockstep/result.hpp"

namespace lockstep::report {

/// Scatter plots of every two of the parameters, divergent transitions marked, in a triangle with
/// the names on its diagonal.
/// @param rows  of the kept draws
std::string pair_plots(const Fit& fit, const std::vector<std::size_t>& rows);

/// Marginal and transition energies: where the second is much narrower than the first, momenta
/// reach the energies of the density slowly (Betancourt 2016).
std::string energy_plot(const Fit& fit);

/// What warm-up did at each of its transitions: step size, acceptance, trajectory length,
/// divergences. Lines mark new metrics.
std::string adaptation_plots(const Fit& fit);

}  // namespace lockstep::report
