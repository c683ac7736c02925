#pragma once

/// A sweep: a TOML file whose keys are the options of `lockstep-bench run`, a list of values
/// standing for one run of each. Every combination is one run.

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "host/registry.hpp"
#include "lockstep/options.hpp"
#include "lockstep/preparation.hpp"

namespace lockstep::bench {

/// One option of a run and its value, as `run` spells them: "step-size", "0.1".
struct Setting {
  std::string option, value;
  bool is_text = false;    // a string, not a number
  bool of_target = false;  // says what is sampled, not how

  bool operator==(const Setting&) const = default;
};

/// The settings of one run, in the order of `run --help`, the seed last and always there.
struct Combination {
  std::vector<Setting> settings;

  /// The value of an option, or "" where it is left to its default.
  std::string value(std::string_view option) const;
  /// What follows `lockstep-bench run` to repeat it.
  std::string command() const;
  /// A hash of the settings and of the version of this program: equal keys, equal rows. 16
  /// hexadecimal digits.
  std::string key() const;
};

/// What `run` would make of a combination.
struct PreparedRun {
  const TargetEntry* entry = nullptr;
  TargetOptions target;
  Sampler sampler;
  SampleOptions options;
  PrepareOptions preparation;
};

/// @throw UsageError, FileError  as `run` does
PreparedRun prepare(const Combination& combination);

/// All combinations of a file, each of which `run` would accept, in the file's order with the seeds
/// of a setting together.
/// @throw FileError   if the file cannot be read
/// @throw UsageError  naming the file, the line and column where there is one, and the remedy
std::vector<Combination> read_sweep(const std::filesystem::path& file);

}  // namespace lockstep::bench
