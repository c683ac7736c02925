#pragma once

/// A page about a run, for people: one HTML file that needs nothing else, no network and no script.

#include <optional>
#include <string>
#include <vector>

#include "host/geometry/figures.hpp"
#include "lockstep/result.hpp"

namespace lockstep {

struct ReportOptions {
  std::string target;              // its name, which a Fit does not know
  std::string command;             // that makes this run again; empty: not said
  std::vector<std::string> pairs;  // parameters of the pair plot; empty: the worst three
  std::optional<Geometry> geometry = std::nullopt;  // of the target in the run's metric
};

/// Failures in words, the summary table (of every parameter, each figure in full in the `value` of
/// its <data> element) and that of discontinuous parameters' visits, then plots of the worst
/// parameters: densities, ranks, autocorrelations, growth of the effective sample size; pairs;
/// energies; what warm-up did; the geometry, if it was measured; the settings. Figures that are not
/// defined are left out, with the reason.
/// @throw UsageError  for a pair that is no parameter or was not kept
std::string report_html(const Fit& fit, const ReportOptions& options);

/// @throw UsageError  naming --report-pairs' value unless every one of `pairs` is a kept parameter
/// @param kept  indices of the kept parameters, empty: all
void check_pairs(const std::vector<std::string>& pairs, const std::vector<std::string>& names,
                 const std::vector<int>& kept);

}  // namespace lockstep
