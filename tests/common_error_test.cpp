/// Draws beside laws that can be summed, and errors that chains have in common: both must see what
/// is there, and nothing where nothing is.

#include "host/diagnostics/common_error.hpp"

#include <cmath>
#include <random>

#include <gtest/gtest.h>

#include "host/diagnostics/cells.hpp"

namespace lockstep {
namespace {

/// Draws of one parameter, [draw][chain]: value(draw, chain).
template <class Value>
Draws draws_of(std::int64_t draws, std::int64_t chains, Value value) {
  Draws d;
  d.draws = draws;
  d.chains = chains;
  d.parameters = {0};
  d.values.resize(static_cast<std::size_t>(draws * chains * d.rows()));
  for (std::int64_t t = 0; t < draws; ++t) {
    for (std::int64_t c = 0; c < chains; ++c) {
      d.values[static_cast<std::size_t>(t * d.rows() * chains + c)] = value(t, c);
    }
  }
  return d;
}

/// 0, 1 or 2.
const CellLaw kLaw{
    {0.2, 0.3, 0.5}, {0}, [](const double* x) { return static_cast<std::size_t>(x[0]); }};

class Cells : public ::testing::Test {
 protected:
  double uniform() { return std::uniform_real_distribution<double>()(bits_); }
  double normal() { return std::normal_distribution<double>()(bits_); }
  std::mt19937_64 bits_{7};
};

TEST_F(Cells, IndependentDrawsAreTheirLaws) {
  const Draws d = draws_of(500, 200, [&](auto, auto) {
    const double u = uniform();
    return u < 0.2 ? 0.0 : u < 0.5 ? 1.0 : 2.0;
  });
  const CellComparison f = compare_with(kLaw, d);
  EXPECT_LT(f.worst_in_mcse, 3.5);
  // sqrt(p (1 - p) / n) of each cell, but for the larger of two noisy errors.
  const double exact = 0.5 * std::sqrt(2 / std::acos(-1.0) / 1e5) *
                       (std::sqrt(0.16) + std::sqrt(0.21) + std::sqrt(0.25));
  EXPECT_GT(f.expected, 0.85 * exact);
  EXPECT_LT(f.expected, 1.3 * exact);
  EXPECT_LT(f.total_variation, 3 * exact);
  EXPECT_EQ(f.draws.front(), 1);
  EXPECT_EQ(f.draws.back(), 500);
  EXPECT_EQ(f.by_draws.back(), f.total_variation);
  EXPECT_GT(f.by_draws.front(), 5 * f.total_variation);
}

TEST_F(Cells, AnotherLawIsSeen) {
  const Draws d = draws_of(500, 200, [&](auto, auto) {
    const double u = uniform();
    return u < 0.21 ? 0.0 : u < 0.5 ? 1.0 : 2.0;
  });
  const CellComparison f = compare_with(kLaw, d);
  EXPECT_GT(f.worst_in_mcse, 5);
  EXPECT_NEAR(f.total_variation, 0.01, 0.004);
}

TEST_F(Cells, TotalVariationIsHalfTheSumOfDifferences) {
  const Draws d = draws_of(4, 10, [](auto, auto c) { return static_cast<double>(c % 2); });
  EXPECT_DOUBLE_EQ(compare_with(kLaw, d).total_variation, 0.5);  // 0.3 and 0.2 too much, 0.5 less
}

/// All chains are off together at every draw: right on average, and no spread between them shows
/// it.
TEST_F(Cells, CommonErrorsAreMeasured) {
  const double common = 0.1;
  double shock = 0;
  const Draws d = draws_of(4000, 100, [&](auto, auto c) {
    shock = c == 0 ? common * normal() : shock;
    return shock + normal();
  });
  // Variances of the mean of 4000 draws: 0.01 in common, 1 / chains besides.
  EXPECT_NEAR(common_error_ratios(d, 100)[0], std::sqrt(1 + 0.01 * 100), 0.3);
  EXPECT_NEAR(common_error_ratios(d, 10000)[0], std::sqrt(1 + 0.01 * 10000), 3);
}

/// Chains that move slowly, but on their own.
TEST_F(Cells, IndependentChainsHaveNoneInCommon) {
  std::vector<double> x(200);
  for (double& start : x) {
    start = normal();
  }
  const Draws d = draws_of(4000, 200, [&](auto, auto c) {
    double& at = x[static_cast<std::size_t>(c)];
    at = 0.8 * at + 0.6 * normal();
    return at;
  });
  EXPECT_LT(common_error_ratios(d, 200)[0], 1.35);
}

}  // namespace
}  // namespace lockstep
