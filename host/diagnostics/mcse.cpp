#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

#include "host/diagnostics/columns.hpp"
#include "host/diagnostics/geyer.hpp"
#include "host/diagnostics/order.hpp"
#include "host/diagnostics/ranked.hpp"
#include "host/diagnostics/special_functions.hpp"
#include "lockstep/diagnostics.hpp"

namespace lockstep {

double mcse_mean(Trace trace) {
  const double ess = ess_mean(trace);
  return std::sqrt(diagnostics::mean_variance(trace.values).variance / ess);
}

double mcse_sd(Trace trace) {
  const double ess = ess_sd(trace);
  const double mean = diagnostics::mean(trace.values);
  std::vector<double> squares(trace.values.size());
  std::transform(trace.values.begin(), trace.values.end(), squares.begin(),
                 [mean](double x) { return (x - mean) * (x - mean); });
  const double variance = diagnostics::mean(squares);
  double spread = 0;
  for (const double s : squares) {
    spread += (s - variance) * (s - variance);
  }
  spread /= static_cast<double>(squares.size());
  return std::sqrt(spread / ess / variance / 4);
}

double mcse_quantile(Trace trace, double probability) {
  diagnostics::check(trace, "mcse_quantile");
  diagnostics::check_probability(probability, "mcse_quantile");
  if (trace.draws < 4 || trace.chains < 1 || diagnostics::has_nan(trace.values)) {
    return std::numeric_limits<double>::quiet_NaN();
  }
  const std::vector<double> sorted = order::sort(trace.values);
  const double threshold = diagnostics::quantile_of_sorted(sorted, probability);
  const double ess = diagnostics::indicator_ess(diagnostics::split(trace), threshold);
  // Phi(-1) and Phi(1), as ArviZ rounds them.
  const double a = ess * probability + 1;
  const double b = ess * (1 - probability) + 1;
  const double n = static_cast<double>(sorted.size());
  const double low = diagnostics::beta_quantile(a, b, 0.1586553) * n - 1;
  const double high = diagnostics::beta_quantile(a, b, 0.8413447) * n - 1;
  const double below = sorted[static_cast<std::size_t>(std::floor(std::max(low, 0.0)))];
  const double above = sorted[static_cast<std::size_t>(std::ceil(std::clamp(high, 0.0, n - 1)))];
  return (above - below) / 2;
}

}  // namespace lockstep
