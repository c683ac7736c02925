#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

namespace lockstep {

/// The p-quantile of x, at least one value (linear interpolation between order statistics).
inline double quantile(std::vector<double> x, double p) {
  const double at = p * static_cast<double>(x.size() - 1);
  const auto k = static_cast<std::ptrdiff_t>(at);
  std::nth_element(x.begin(), x.begin() + k, x.end());
  const double low = x[static_cast<std::size_t>(k)];
  if (at == static_cast<double>(k)) {
    return low;
  }
  const double high = *std::min_element(x.begin() + k + 1, x.end());
  return low + (at - static_cast<double>(k)) * (high - low);
}

}  // namespace lockstep
