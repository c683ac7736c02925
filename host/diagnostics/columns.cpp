#include "host/diagnostics/columns.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <string>

#include "lockstep/error.hpp"

namespace lockstep::diagnostics {

void check(Trace trace, const char* who) {
  require(trace.values.size() == trace.draws * trace.chains,
          std::string(who) + ": a trace of " + std::to_string(trace.draws) + " draws x " +
              std::to_string(trace.chains) + " chains needs " +
              std::to_string(trace.draws * trace.chains) + " values, not " +
              std::to_string(trace.values.size()) + "; pass one scalar quantity, [draw][chain]");
}

void check_probability(double probability, const char* who) {
  require(probability >= 0 && probability <= 1, std::string(who) + ": probability " +
                                                    std::to_string(probability) +
                                                    " lies outside [0, 1]; pass e.g. 0.05");
}

bool has_nan(std::span<const double> values) {
  return std::any_of(values.begin(), values.end(), [](double x) { return std::isnan(x); });
}

Columns split(Trace trace) {
  const std::size_t half = trace.draws / 2;
  const std::size_t chains = trace.chains;
  const double* first = trace.values.data();
  const double* second = first + (trace.draws - half) * chains;
  Columns halves{std::vector<double>(2 * half * chains), half, 2 * chains};
  double* to = halves.values.data();
  for (std::size_t draw = 0; draw < half; ++draw) {
    to = std::copy_n(first + draw * chains, chains, to);
    to = std::copy_n(second + draw * chains, chains, to);
  }
  return halves;
}

Centred centre(Trace trace) {
  const std::size_t columns = trace.chains;
  const double* x = trace.values.data();
  const double n = static_cast<double>(trace.draws);
  Centred result{{std::vector<double>(trace.values.size()), trace.draws, columns},
                 std::vector<double>(columns),
                 std::vector<double>(columns)};
  if (trace.values.empty()) {
    return result;
  }
  std::vector<double>& mean = result.mean;
  double low = x[0];
  double high = x[0];
  for (std::size_t draw = 0; draw < trace.draws; ++draw) {
    const double* row = x + draw * columns;
    for (std::size_t c = 0; c < columns; ++c) {
      mean[c] += row[c] - x[c];
      low = std::min(low, row[c]);
      high = std::max(high, row[c]);
    }
  }
  for (std::size_t c = 0; c < columns; ++c) {
    mean[c] = x[c] + mean[c] / n;
  }
  for (std::size_t draw = 0; draw < trace.draws; ++draw) {
    const double* row = x + draw * columns;
    double* to = result.data.values.data() + draw * columns;
    for (std::size_t c = 0; c < columns; ++c) {
      to[c] = row[c] - mean[c];
      result.m2[c] += to[c] * to[c];
    }
  }
  // ArviZ compares the range with 1e-15; relative to the magnitude the answer has no unit.
  const double magnitude = std::max(std::abs(low), std::abs(high));
  result.constant = std::isfinite(magnitude) && high - low <= 1e-15 * magnitude;
  return result;
}

double mean(std::span<const double> values) {
  if (values.empty()) {
    return std::numeric_limits<double>::quiet_NaN();
  }
  const double origin = std::isfinite(values[0]) ? values[0] : 0.0;
  double sum = 0;
  for (const double x : values) {
    sum += x - origin;
  }
  return origin + sum / static_cast<double>(values.size());
}

MeanVariance mean_variance(std::span<const double> values) {
  MeanVariance result{mean(values), std::numeric_limits<double>::quiet_NaN()};
  if (values.size() >= 2) {
    double m2 = 0;
    for (const double x : values) {
      m2 += (x - result.mean) * (x - result.mean);
    }
    result.variance = m2 / static_cast<double>(values.size() - 1);
  }
  return result;
}

}  // namespace lockstep::diagnostics
