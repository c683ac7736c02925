#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "host/clock.hpp"
#include "lockstep/options.hpp"
#include "lockstep/preparation.hpp"
#include "lockstep/training.hpp"

namespace lockstep::bench {

/// One line on stderr: only on a terminal, and only for what takes longer than two seconds. It
/// erases itself.
class StatusLine {
 public:
  StatusLine();
  ~StatusLine() { erase(); }
  StatusLine(const StatusLine&) = delete;
  StatusLine& operator=(const StatusLine&) = delete;

  /// Draws `line`, if it is time: cut to the terminal's width.
  /// @param seconds  since the beginning
  /// @param share    that is done
  void show(double seconds, double share, const std::function<std::string()>& line);
  void erase();

 private:
  bool terminal_;
  bool drawn_ = false;
  double last_ = -1;  // seconds at the last drawing
};

/// How a run is getting on.
class ProgressBar {
 public:
  /// @param label   stands before the bar; may be empty
  /// @param chains  for the rate, which counts transitions of all chains
  ProgressBar(std::string label, std::int64_t chains);

  /// For SampleOptions::progress, and valid as long as this object is: draws the line, and returns
  /// false once Ctrl-C has been pressed.
  std::function<bool(const Progress&)> callback();

  void erase() { status_.erase(); }

 private:
  std::string line(const Progress& progress) const;

  std::string label_;
  std::int64_t chains_;
  StatusLine status_;
};

/// How training is getting on.
class TrainingBar {
 public:
  /// @param label  stands before the bar; may be empty
  explicit TrainingBar(std::string label);

  /// For L2hmcOptions::progress, and valid as long as this object is; false after Ctrl-C.
  std::function<bool(const TrainingProgress&)> callback();

  void erase() { status_.erase(); }

 private:
  std::string label_;
  StatusLine status_;
};

/// How a fit before the warm-up is getting on.
class FitBar {
 public:
  /// @param label  stands before the bar; may be empty
  explicit FitBar(std::string label);

  /// For VariationalOptions::progress, and valid as long as this object is; false after Ctrl-C.
  std::function<bool(const VariationalProgress&)> callback();

  void erase() { status_.erase(); }

 private:
  std::string label_;
  Clock clock_;
  StatusLine status_;
};

}  // namespace lockstep::bench
