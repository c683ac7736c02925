#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "lockstep/options.hpp"
#include "lockstep/training.hpp"

namespace lockstep::bench {

/// One line on stderr that says how a run is getting on: only on a terminal, and only for a run
/// that takes longer than two seconds. It erases itself.
class ProgressBar {
 public:
  /// @param label   stands before the bar; may be empty
  /// @param chains  for the rate, which counts transitions of all chains
  ProgressBar(std::string label, std::int64_t chains);
  ~ProgressBar() { erase(); }
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  /// For SampleOptions::progress, and valid as long as this object is: draws the line, and returns
  /// false once Ctrl-C has been pressed.
  std::function<bool(const Progress&)> callback();

  void erase();

  /// The line, at most `columns` wide.
  std::string line(const Progress& progress, int columns) const;

 private:
  std::string label_;
  std::int64_t chains_;
  bool terminal_;
  bool drawn_ = false;
  double last_ = -1;  // seconds at the last drawing
};

/// The same for training: how far it is, and the loss, acceptance and jump now.
class TrainingBar {
 public:
  explicit TrainingBar(std::string label);
  ~TrainingBar() { erase(); }
  TrainingBar(const TrainingBar&) = delete;
  TrainingBar& operator=(const TrainingBar&) = delete;

  /// For L2hmcOptions::progress, and valid as long as this object is; false after Ctrl-C.
  std::function<bool(const TrainingProgress&)> callback();

  void erase();

 private:
  std::string label_;
  bool terminal_, drawn_ = false;
};

}  // namespace lockstep::bench
