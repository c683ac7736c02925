#pragma once

#include <span>
#include <string>
#include <vector>

namespace lockstep::plot {

struct Tick {
  double value = 0;
  std::string label;
};

/// What one direction of a plot shows: the interval [low, high], linear or logarithmic.
struct Axis {
  double low = 0, high = 1;
  std::string label;
  bool logarithmic = false;

  /// Where x lies: 0 at `low`, 1 at `high`, beyond them outside.
  double at(double x) const;
  /// Round numbers inside, about `wanted` of them (1, 2 or 5 times a power of ten apart; for a
  /// logarithmic axis powers of ten while two fit, else as if it were linear).
  std::vector<Tick> ticks(int wanted) const;
};

/// The axis over all finite values, a little wider than they are. Without any, or if they are
/// equal, an interval about them that can be drawn. A logarithmic axis takes the positive ones.
Axis axis_over(std::span<const double> values, const std::string& label, bool logarithmic = false);

/// A number as a tick has it: 1500, 20k, 3M, 0.25, 1e-5; with U+2212 for minus.
std::string tick_label(double x, double step);

}  // namespace lockstep::plot
