#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "lockstep/diagnostics.hpp"

namespace lockstep::diagnostics {

/// Draws that this file set owns, laid out as in Trace: [draw][column], column fastest. A column is
/// a chain or a half chain.
struct Columns {
  std::vector<double> values;
  std::size_t draws = 0;
  std::size_t columns = 0;

  Trace view() const { return {values, draws, columns}; }
};

/// Throws UsageError unless the sizes of `trace` agree. `who` begins the message.
void check(Trace trace, const char* who);

/// Throws UsageError unless 0 <= probability <= 1.
void check_probability(double probability, const char* who);

bool has_nan(std::span<const double> values);

/// First and last floor(T / 2) draws of every chain side by side: columns c and C + c
/// are those of chain c.
Columns split(Trace trace);

/// Draws about the mean of their column, with the moments found on the way.
struct Centred {
  Columns data;
  std::vector<double> mean;  ///< per column
  std::vector<double> m2;    ///< per column, sum of squared deviations
  bool constant = false;     ///< no two values differ by more than rounding
};

/// Deviations are formed about the first draw before averaging, so a column that never changes has
/// exactly zero spread.
Centred centre(Trace trace);

/// Arithmetic mean of all draws.
double mean(std::span<const double> values);

/// Mean and variance (divisor n - 1) of a few numbers. The variance of fewer than two is NaN.
struct MeanVariance {
  double mean = 0;
  double variance = 0;
};
MeanVariance mean_variance(std::span<const double> values);

}  // namespace lockstep::diagnostics
