#include "host/plot/density.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "host/diagnostics/ranked.hpp"

namespace lockstep::plot {

namespace {

double silverman(std::span<const double> sorted) {
  const auto n = static_cast<double>(sorted.size());
  const double mean = std::accumulate(sorted.begin(), sorted.end(), 0.0) / n;
  double square = 0;
  for (const double x : sorted) {
    square += (x - mean) * (x - mean);
  }
  const double sd = std::sqrt(square / (n - 1));
  const double quartiles =
      diagnostics::quantile_of_sorted(sorted, 0.75) - diagnostics::quantile_of_sorted(sorted, 0.25);
  // More than half of the values may be equal.
  const double width = quartiles > 0 ? std::min(sd, quartiles / 1.34) : sd;
  return 0.9 * width * std::pow(n, -0.2);
}

}  // namespace

Curve density(std::span<const double> sorted, double low, double high, int points) {
  Curve curve;
  if (sorted.size() < 2 || !(sorted.front() < sorted.back()) || !(low < high)) {
    return curve;
  }
  const double h = silverman(sorted);
  const double least = sorted.front(), most = sorted.back();
  if (!(h > 0)) {
    return curve;
  }
  // Counted in bins much finer than the kernel or a pixel; mass outside [low, high] that a kernel
  // reaches from is too far away to see.
  const double bin = std::max(std::min(h / 4, (high - low) / (4 * points)), (high - low) / 8192);
  const auto bins = static_cast<std::ptrdiff_t>(std::ceil((high - low) / bin));
  std::vector<double> counts(static_cast<std::size_t>(bins), 0.0);
  for (auto x = std::lower_bound(sorted.begin(), sorted.end(), low);
       x != sorted.end() && *x <= high; ++x) {
    const auto b = static_cast<std::ptrdiff_t>((*x - low) / bin);
    counts[static_cast<std::size_t>(std::min(b, bins - 1))] += 1;
  }
  const double scale = 1 / (static_cast<double>(sorted.size()) * h * std::sqrt(2 * M_PI));
  const auto kernel_at = [&](double x) {
    const double reach = 4 * h;
    double sum = 0;
    const auto first = std::max<std::ptrdiff_t>(
        0, static_cast<std::ptrdiff_t>(std::floor((x - reach - low) / bin)));
    const auto last = std::min<std::ptrdiff_t>(
        bins - 1, static_cast<std::ptrdiff_t>(std::floor((x + reach - low) / bin)));
    for (std::ptrdiff_t b = first; b <= last; ++b) {
      const double z = (low + (static_cast<double>(b) + 0.5) * bin - x) / h;
      sum += counts[static_cast<std::size_t>(b)] * std::exp(-0.5 * z * z);
    }
    return sum * scale;
  };
  for (int i = 0; i < points; ++i) {
    curve.x.push_back(low + (high - low) * i / (points - 1));
    curve.y.push_back(kernel_at(curve.x.back()));
  }
  // Half of the kernel's mass is beyond an end at which the law stops; a tail just thins out there.
  const double peak = *std::max_element(curve.y.begin(), curve.y.end());
  const auto stops_at = [&](double end) { return 2 * kernel_at(end) > 0.1 * peak; };
  const bool stops_low = stops_at(least), stops_high = stops_at(most);
  for (std::size_t i = 0; i < curve.x.size(); ++i) {
    const double x = curve.x[i];
    if ((stops_low && x < least) || (stops_high && x > most)) {
      curve.y[i] = 0;
      continue;
    }
    curve.y[i] += stops_low ? kernel_at(2 * least - x) : 0;
    curve.y[i] += stops_high ? kernel_at(2 * most - x) : 0;
  }
  return curve;
}

}  // namespace lockstep::plot
