#pragma once

/// What a sweep found: every setting's figures over its seeds, and the best ones of each target.

#include <map>
#include <string>
#include <vector>

#include "bench/cli/table.hpp"
#include "bench/studies/study.hpp"
#include "bench/sweep/grid.hpp"
#include "bench/sweep/rows.hpp"

namespace lockstep::bench {

/// The figures that settings are compared by: ESS of the worst parameter per so much work.
struct EssFigure {
  const char* per;  // "transition": of one chain
  double SweepFigures::*member;
};
inline constexpr EssFigure kEssFigures[] = {
    {"transition", &SweepFigures::per_transition},
    {"gradient", &SweepFigures::per_gradient},
    {"second", &SweepFigures::per_second},
};

/// One point of the grid, over its seeds.
struct SweptSetting {
  std::vector<Setting> settings;                               // without the seed
  std::size_t seeds = 0;                                       // done
  OverSeeds ess[3] = {};                                       // as kEssFigures
  double acceptance = 0, step_size = 0, sampling_seconds = 0;  // means
  std::vector<std::string> failures;  // "2 of 3 seeds: nested R-hat 1.2"; empty: to be trusted
  bool best[3] = {};                  // of its target, among settings to be trusted

  bool failed() const { return !failures.empty(); }
};

struct SweptTarget {
  std::string label;  // "rough-well, eta 0.01"
  std::vector<SweptSetting> settings;
};

struct SweepSummary {
  std::vector<std::string> varying;  // as varying_options
  std::vector<Setting> common;       // those that do not
  std::vector<SweptTarget> targets;
  std::vector<std::string> places;  // machines that the rows come from
};

/// The options that differ between combinations, but for the target's and the seed.
std::vector<std::string> varying_options(const std::vector<Combination>& combinations);

/// "rough-well, eta 0.01, step-size 0.2, seed 3": what tells a combination from the others.
std::string short_label(const Combination& combination, const std::vector<std::string>& varying);

/// @param rows  by key; combinations without a row are left out
SweepSummary summarise(const std::vector<Combination>& combinations,
                       const std::map<std::string, SweepFigures>& rows);

/// The value of one option in a setting, "-" where it has none.
std::string value_of(const SweptSetting& setting, const std::string& option);

/// "0.0123 +- 0.0004" or "12.3 k +- 0.4 k"; without the error for one seed.
std::string with_error(const OverSeeds& value);

/// "best per gradient, second"; "FAILED: ..."; or nothing.
std::string verdict(const SweptSetting& setting);

/// A row for each setting.
TextTable sweep_table(const SweepSummary& summary);

/// What is meant by failed, by the figures, and by what is the same throughout.
std::vector<std::string> sweep_notes(const SweepSummary& summary);

/// A page in one file, without anything from outside, light or dark as the reader's system is.
/// @param file  the sweep's, whose text the page repeats
std::string sweep_page(const SweepSummary& summary, const std::filesystem::path& file,
                       const std::string& state);

}  // namespace lockstep::bench
