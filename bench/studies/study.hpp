#pragma once

/// A study: a question put to samplers, answered by rows that a table, a JSON file and a report
/// share. To add one, write its file here and its line in studies.cpp.

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <iterator>
#include <limits>
#include <memory>
#include <string>
#include <type_traits>
#include <vector>

#include "host/io/json.hpp"
#include "lockstep/engine.hpp"
#include "lockstep/options.hpp"
#include "lockstep/result.hpp"

namespace lockstep::bench {

/// What the caller of any study can choose.
struct StudySettings {
  std::int64_t chains = 4096;
  int seeds = 1;  // repetitions, with seeds first_seed, first_seed + 1, ...
  std::uint64_t first_seed = 1;
  SampleOptions place;  // backend, threads, devices; the rest is the study's
  std::filesystem::path data_dir;
  std::vector<std::string> only;  // the cases to run, by their target; empty: all

  // For studies that say so (Study::options).
  bool quick = false;              // small sizes: a look at the forms, not at the figures
  std::filesystem::path networks;  // folder of trained networks, read where they are, else written
  std::filesystem::path data;      // a data set of the user's, for the case that takes one
};

/// One figure.
struct StudyRow {
  static constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();
  std::string case_name;  // the target, mostly
  std::string method;     // the sampler
  std::string metric;     // what `value` is: "ess_per_gradient_min", ...
  double value = kUnknown;
  double mcse = kUnknown;       // of `value`
  double reference = kUnknown;  // what it is compared with,
  std::string source = {};      // and where that comes from
  double low = kUnknown;        // the range over seeds, where `value` is their median
  double high = kUnknown;
};

/// A plot for the HTML report.
struct StudyFigure {
  std::string case_name;  // under what heading
  std::string title;
  std::string svg;
  std::string legend;  // HTML: keys of its marks
};

struct StudyResult {
  std::vector<StudyRow> rows;
  bool table_per_case = false;  // of metrics by methods; else one of cases and methods by metrics
  std::vector<StudyFigure> figures;
  std::vector<std::string> notes;  // sentences for people: what the rows mean and where they fail
  Json cases;                      // settings of each case
  bool interrupted = false;
};

struct Study {
  std::string name;
  std::string description;  // one line
  StudySettings defaults;
  std::function<StudyResult(const StudySettings&)> run;
  std::vector<std::string> options = {};  // of --quick, --networks and --data, what it takes
};

const std::vector<Study>& studies();

/// Thrown out of a study's case when a signal has come.
struct Interrupted {};

/// The place, the chains and the seed of a repetition; the rest is the study's.
SampleOptions options_of(const StudySettings& settings, int repetition);

/// A prebuilt target, its data from where `settings` say.
std::unique_ptr<Engine> engine_of(const std::string& target, const StudySettings& settings,
                                  const SampleOptions& options);

/// @throw UsageError  naming the nearest study
const Study& find_study(const std::string& name);

/// @throw UsageError  unless each of `names` is one of `known`
void check_known(const std::vector<std::string>& names, const std::vector<std::string>& known);

/// The cases that `settings.only` names, or all: `all` is a list of structs with a `target`.
/// @throw UsageError  for a name that is none of theirs, naming the nearest
template <class Cases>
auto chosen(const StudySettings& settings, const Cases& all) {
  std::vector<std::string> known;
  for (const auto& c : all) {
    known.emplace_back(c.target);
  }
  check_known(settings.only, known);
  std::vector<std::remove_cvref_t<decltype(*std::begin(all))>> cases;
  for (const auto& c : all) {
    if (settings.only.empty() ||
        std::find(settings.only.begin(), settings.only.end(), c.target) != settings.only.end()) {
      cases.push_back(c);
    }
  }
  return cases;
}

/// The median of one figure over seeds, and its range. @param values  at least one
StudyRow median_row(const std::string& case_name, const std::string& method,
                    const std::string& metric, const std::vector<double>& values);
double median(std::vector<double> values);

/// The mean of one figure over seeds, and its standard error (NaN for a single seed).
struct OverSeeds {
  double mean, mcse;
};
OverSeeds over_seeds(const std::vector<double>& values);

/// The largest |error| of known means and standard deviations in their standard errors; NaN where
/// none is known.
double worst_error_in_mcse(const Fit& fit);

}  // namespace lockstep::bench
