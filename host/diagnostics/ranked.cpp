#include "host/diagnostics/ranked.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>

#include "host/diagnostics/special_functions.hpp"

namespace lockstep {
namespace diagnostics {

Ranked::Ranked(Trace trace)
    : trace_(trace), halves_(split(trace)), order_(order::sort_with_index(halves_.values)) {}

Columns Ranked::z_scores_of(const order::Order& order) const {
  const std::vector<double> ranks = order::average_ranks_of_sorted(order.sorted);
  const double n = static_cast<double>(ranks.size());
  Columns z{std::vector<double>(ranks.size()), halves_.draws, halves_.columns};
  double score = 0;
  for (std::size_t i = 0; i < ranks.size(); ++i) {
    if (i == 0 || ranks[i] != ranks[i - 1]) {  // ties share their score
      score = normal_quantile((ranks[i] - 0.375) / (n + 0.25));
    }
    z.values[order.index[i]] = score;
  }
  return z;
}

Columns Ranked::z_scores() const {
  return z_scores_of(order_);
}

Columns Ranked::folded_z_scores() const {
  const std::vector<double>& x = order_.sorted;
  const std::size_t n = x.size();
  const double median = n % 2 == 1 ? x[n / 2] : (x[n / 2 - 1] + x[n / 2]) / 2;
  if (!std::isfinite(median)) {
    return {std::vector<double>(n, std::numeric_limits<double>::quiet_NaN()), halves_.draws,
            halves_.columns};
  }
  return z_scores_of(order::fold(order_, median));
}

std::vector<double> Ranked::sorted_draws() const {
  if (trace_.draws % 2 == 0) {
    return order_.sorted;
  }
  const auto middle = trace_.values.subspan((trace_.draws / 2) * trace_.chains, trace_.chains);
  return order::merge(order_.sorted, order::sort(middle));
}

double quantile_of_sorted(std::span<const double> sorted, double probability) {
  if (sorted.empty()) {
    return std::numeric_limits<double>::quiet_NaN();
  }
  // Positions count from 1. In this order of operations, which is SciPy's, a position that should
  // be whole rounds alike, and with it the draws at or below the quantile.
  const double n = static_cast<double>(sorted.size());
  const double offset = 1 - probability;
  const double position = n * probability + offset;
  const double k = std::floor(std::clamp(position, 1.0, std::max(1.0, n - 1)));
  const double fraction = std::clamp(position - k, 0.0, 1.0);
  const double below = sorted[static_cast<std::size_t>(k) - 1];
  const double above = sorted[std::min(static_cast<std::size_t>(k), sorted.size() - 1)];
  // Equal neighbours and whole positions need no arithmetic, which could round below a tie or turn
  // an infinite neighbour into a NaN.
  if (below == above || fraction == 0) {
    return below;
  }
  if (fraction == 1) {
    return above;
  }
  return (1 - fraction) * below + fraction * above;
}

}  // namespace diagnostics

std::vector<double> quantiles(Trace trace, std::span<const double> probabilities) {
  diagnostics::check(trace, "quantiles");
  for (const double p : probabilities) {
    diagnostics::check_probability(p, "quantiles");
  }
  std::vector<double> result(probabilities.size(), std::numeric_limits<double>::quiet_NaN());
  if (!diagnostics::has_nan(trace.values)) {
    const std::vector<double> sorted = order::sort(trace.values);
    std::transform(probabilities.begin(), probabilities.end(), result.begin(),
                   [&sorted](double p) { return diagnostics::quantile_of_sorted(sorted, p); });
  }
  return result;
}

}  // namespace lockstep
