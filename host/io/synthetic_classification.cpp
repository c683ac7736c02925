#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include "host/io/zero_one_data.hpp"

namespace lockstep {

namespace {

/// Numbers without any function whose last bits differ between libraries.
class Numbers {
 public:
  explicit Numbers(std::uint64_t seed) : bits_(seed) {}

  /// Of the 2^-32 grid on [0, 1).
  double uniform() { return static_cast<double>(bits_() >> 32) * 0x1p-32; }
  /// Twelve uniforms less 6: nearly N(0, 1).
  double normal() {
    double sum = -6;
    for (int k = 0; k < 12; ++k) {
      sum += uniform();
    }
    return sum;
  }

 private:
  std::mt19937_64 bits_;
};

}  // namespace

Table synthetic_classification(int observations, int features) {
  constexpr int factors = 20, predictive = 5;
  const auto n = static_cast<std::size_t>(observations), d = static_cast<std::size_t>(features);
  Numbers numbers(1477);
  Table table;
  table.source = "the synthetic design";

  // Feature j is w f + sqrt(1 - w^2) e, with factor f = j mod 20 and w on [0.3, 0.95].
  std::vector<double> weight(d);
  for (std::size_t j = 0; j < d; ++j) {
    table.columns.emplace_back("x").append(std::to_string(j + 1));
    weight[j] = 0.3 + 0.65 * numbers.uniform();
  }
  table.columns.emplace_back("outcome");

  table.values.assign(n * (d + 1), 0.0);
  std::vector<double> score(n);
  for (std::size_t i = 0; i < n; ++i) {
    double factor[factors];
    for (double& f : factor) {
      f = numbers.normal();
    }
    for (std::size_t j = 0; j < d; ++j) {
      table.values[i * (d + 1) + j] =
          weight[j] * factor[j % factors] + std::sqrt(1 - weight[j] * weight[j]) * numbers.normal();
    }
    score[i] = numbers.normal() + 0.4 * std::accumulate(factor, factor + predictive, 0.0);
  }

  // The rows of the highest scores are the rare ones.
  std::vector<std::size_t> rank(n);
  std::iota(rank.begin(), rank.end(), 0);
  std::stable_sort(rank.begin(), rank.end(),
                   [&](std::size_t a, std::size_t b) { return score[a] > score[b]; });
  const std::size_t ones = std::max<std::size_t>(1, (100 * n + 1477 / 2) / 1477);
  for (std::size_t k = 0; k < ones; ++k) {
    table.values[rank[k] * (d + 1) + d] = 1;
  }
  return table;
}

}  // namespace lockstep
