#pragma once

/// Statistics of samples whose law is known exactly, as numbers of standard errors. The tests run
/// on fixed seeds, so a threshold is met once and for all; four standard errors leave a correct
/// generator a chance of 6e-5 per statistic to have needed another seed.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace lockstep::testing {

/// The largest |sample moment - exact moment| / standard error over the first six moments; `exact`
/// holds E x^0, ..., E x^12. Var(mean of x^k) = (E x^2k - (E x^k)^2) / n.
template <class S>
double worst_moment(const std::vector<S>& x, const std::array<double, 13>& exact) {
  std::array<double, 7> sum{};
  for (const S value : x) {
    double power = 1;
    for (std::size_t k = 1; k <= 6; ++k) {
      power *= static_cast<double>(value);
      sum[k] += power;
    }
  }
  const auto n = static_cast<double>(x.size());
  double worst = 0;
  for (std::size_t k = 1; k <= 6; ++k) {
    const double error = std::sqrt((exact[2 * k] - exact[k] * exact[k]) / n);
    worst = std::max(worst, std::abs(sum[k] / n - exact[k]) / error);
  }
  return worst;
}

/// sqrt(n) sup |F_n - F|, Kolmogorov's statistic: above 1.95 with probability 1e-3.
template <class S, class Cdf>
double kolmogorov(std::vector<S> x, Cdf cdf) {
  std::sort(x.begin(), x.end());
  const auto n = static_cast<double>(x.size());
  double worst = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double f = cdf(static_cast<double>(x[i]));
    worst = std::max({worst, f - static_cast<double>(i) / n, static_cast<double>(i + 1) / n - f});
  }
  return std::sqrt(n) * worst;
}
inline constexpr double kolmogorov_limit = 1.95;

/// Correlation of two samples of mean zero, times sqrt(n): standard normal when independent.
template <class S>
double correlation(const std::vector<S>& x, const std::vector<S>& y) {
  double xx = 0, yy = 0, xy = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const auto a = static_cast<double>(x[i]), b = static_cast<double>(y[i]);
    xx += a * a;
    yy += b * b;
    xy += a * b;
  }
  return xy / std::sqrt(xx * yy) * std::sqrt(static_cast<double>(x.size()));
}

/// Pearson's chi-square of pairs of words in the 32 x 32 cells of the five bits that start at
/// `bit`, as (chi^2 - df) / sqrt(2 df) with df = 1023: about standard normal when both words are
/// uniform and independent.
inline double joint_cells(const std::vector<std::uint32_t>& x, const std::vector<std::uint32_t>& y,
                          int bit) {
  std::vector<double> count(1024, 0.0);
  for (std::size_t i = 0; i < x.size(); ++i) {
    count[((x[i] >> bit) & 31u) * 32 + ((y[i] >> bit) & 31u)] += 1;
  }
  const double expected = static_cast<double>(x.size()) / 1024;
  double chi_square = 0;
  for (const double c : count) {
    chi_square += (c - expected) * (c - expected) / expected;
  }
  return (chi_square - 1023) / std::sqrt(2 * 1023.0);
}

}  // namespace lockstep::testing
