#include "host/diagnostics/common_error.hpp"

#include <algorithm>
#include <cmath>

namespace lockstep {

namespace {

/// Of the mean of independent values.
double standard_error(const std::vector<double>& values) {
  const auto n = static_cast<double>(values.size());
  double mean = 0, squares = 0;
  for (const double x : values) {
    mean += x / n;
  }
  for (const double x : values) {
    squares += (x - mean) * (x - mean);
  }
  return std::sqrt(squares / (n - 1) / n);
}

}  // namespace

double standard_error_in_time(const std::vector<double>& values) {
  const std::size_t n = values.size(), batches = std::min(kTimeBatches, n);
  std::vector<double> sum(batches), count(batches);
  for (std::size_t t = 0; t < n; ++t) {
    sum[t * batches / n] += values[t];
    count[t * batches / n] += 1;
  }
  for (std::size_t b = 0; b < batches; ++b) {
    sum[b] /= count[b];
  }
  return standard_error(sum);
}

std::vector<double> common_error_ratios(const Draws& draws, std::int64_t chains) {
  const auto kept = static_cast<double>(draws.chains), n = static_cast<double>(draws.draws);
  std::vector<double> ratios;
  for (std::size_t j = 0; j < draws.parameters.size(); ++j) {
    std::vector<double> of_chain(static_cast<std::size_t>(draws.chains));
    std::vector<double> of_time(static_cast<std::size_t>(draws.draws));
    for (std::size_t t = 0; t < of_time.size(); ++t) {
      const double* x = draws.row(static_cast<std::int64_t>(t), static_cast<int>(j));
      for (std::size_t c = 0; c < of_chain.size(); ++c) {
        of_chain[c] += x[c] / n;
        of_time[t] += x[c] / kept;
      }
    }
    const double between = standard_error(of_chain), in_time = standard_error_in_time(of_time);
    const double excess = std::max(0.0, in_time * in_time / (between * between) - 1);
    // Common errors stay when independent ones average out.
    ratios.push_back(between > 0 ? std::sqrt(1 + excess * static_cast<double>(chains) / kept) : 1);
  }
  return ratios;
}

}  // namespace lockstep
