#pragma once

/// Reference posteriors: what is known of a posterior from elsewhere, to compare a run with.

#include <filesystem>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "lockstep/concepts.hpp"

namespace lockstep {

/// One parameter's figures and their own standard errors. NaN: not published.
struct ReferenceFigures {
  static constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();
  double mean = kUnknown, sd = kUnknown, q05 = kUnknown, q50 = kUnknown, q95 = kUnknown;
  double mcse_mean = kUnknown, mcse_sd = kUnknown;
  double mcse_q05 = kUnknown, mcse_q50 = kUnknown, mcse_q95 = kUnknown;
};

struct Reference {
  std::string basis;  // where the figures come from
  std::map<std::string, ReferenceFigures> parameters;
};

/// Reads one posterior of a `reference.json`:
///   {"POSTERIOR": {"basis": "...", "parameters": {"NAME": {"mean": 1.5, "sd": 2, ...}}}}
/// @throw FileError naming the file, and the posteriors it has or the key that is malformed.
Reference read_reference(const std::filesystem::path& path, const std::string& posterior);

/// The means and standard deviations of `names`, in their order. An error of sd that is not known
/// is taken as that of a nearly normal marginal: error(mean) / sqrt(2). Without any error the
/// figures count as exact.
/// @throw FileError naming a parameter that the reference has not got.
Truth truth_of(const Reference& reference, const std::vector<std::string>& names);

}  // namespace lockstep
