#pragma once

/// A sweep's rows: JSON lines that are whole after any interruption.
///
/// One line per run, written in one piece and synced before the next run begins:
///   sweep      the format of these rows, kSweepFormat
///   key        of the combination (Combination::key): what a resumed sweep skips
///   settings   {option: value} as in the sweep's file
///   command    what follows `lockstep-bench run` to repeat the run
///   failures   why its draws are not to be trusted; empty if they are
///   worst_error_in_mcse  largest |error| of known means and standard deviations, in standard
///   errors
///   ...        what `run --json` writes, but for `parameters` and `inverse_mass`
/// A run that could not begin has `error`, the reason, in place of figures.

#include <filesystem>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "bench/sweep/grid.hpp"
#include "host/io/json.hpp"

namespace lockstep::bench {

inline constexpr int kSweepFormat = 1;

/// What a sweep compares of one run; NaN where a figure is not defined.
struct SweepFigures {
  static constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();
  double per_transition = kUnknown, per_gradient = kUnknown, per_second = kUnknown;  // worst ESS
  double acceptance = kUnknown;
  double step_size = kUnknown;  // as frozen
  double sampling_seconds = kUnknown;
  std::string place;  // the device and, on a CPU, its threads
  std::vector<std::string> failures;
};

/// The row of a run that was made.
Json sweep_row(const Combination& combination, const Fit& fit);
/// The row of a run that could not begin.
Json sweep_row(const Combination& combination, const std::string& error);

/// What those two wrote. @throw Json::exception if something is missing
SweepFigures figures_of(const Json& row);

/// The rows of one file, which this object alone may write.
class SweepFile {
 public:
  /// Opens or makes the file, reads its rows, and cuts off a last line that is not whole.
  /// @throw FileError  if it cannot be used, is in use, or holds something else than such rows
  explicit SweepFile(const std::filesystem::path& path);
  ~SweepFile();
  SweepFile(const SweepFile&) = delete;
  SweepFile& operator=(const SweepFile&) = delete;

  /// Key -> figures, of the rows that were there and those added since.
  const std::map<std::string, SweepFigures>& rows() const { return rows_; }
  /// Whether a torn last line was cut off.
  bool was_torn() const { return torn_; }

  /// @throw FileError  if the row cannot be written in full
  void add(const Json& row);

 private:
  [[noreturn]] void fail(const std::string& what) const;
  void read();

  std::filesystem::path path_;
  int descriptor_;
  bool torn_ = false;
  std::map<std::string, SweepFigures> rows_;
};

}  // namespace lockstep::bench
