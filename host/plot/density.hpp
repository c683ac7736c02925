#pragma once

#include <span>
#include <vector>

namespace lockstep::plot {

struct Curve {
  std::vector<double> x, y;
};

/// A kernel density estimate on `points` places of [low, high]: a Gaussian kernel of Silverman's
/// width, 0.9 min(sd, interquartile range / 1.34) n^(-1/5), reflected where the values end while
/// dense, so that a law on the positive numbers is not smeared below 0. The area over all numbers
/// is 1.
/// @param sorted  ascending and finite
/// Empty if there are fewer than two values or they are all equal.
Curve density(std::span<const double> sorted, double low, double high, int points = 128);

}  // namespace lockstep::plot
