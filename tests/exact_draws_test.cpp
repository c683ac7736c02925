/// Exact draws have the moments that their targets say.

#include "host/exact_draws.hpp"

#include <cmath>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "host/registry.hpp"

namespace lockstep {
namespace {

constexpr std::int64_t kDraws = 40'000;

void expect_moments(const exact::Draw& draw, const std::string& target, const TargetOptions& told) {
  SampleOptions options;
  options.chains = 1;
  const auto engine = find_target(target).make(told, options);
  const EngineDescription& about = engine->description();
  ASSERT_TRUE(about.has_truth);
  const std::vector<double> q = exact::starts(draw, about.dim, kDraws, 5);
  for (int j = 0; j < about.dim; ++j) {
    double sum = 0, square = 0, fourth = 0;
    for (std::int64_t i = 0; i < kDraws; ++i) {
      const double x = q[static_cast<std::size_t>(j * kDraws + i)];
      sum += x / kDraws;
      square += x * x / kDraws;
      fourth += x * x * x * x / kDraws;
    }
    const double mean = about.truth.mean[static_cast<std::size_t>(j)];
    const double sd = about.truth.sd[static_cast<std::size_t>(j)];
    EXPECT_NEAR(sum, mean, 4.5 * sd / std::sqrt(kDraws)) << target << " " << j;
    EXPECT_NEAR(square, sd * sd + mean * mean, 4.5 * std::sqrt((fourth - square * square) / kDraws))
        << target << " " << j;
  }
}

TEST(ExactDraws, HaveTheMomentsOfTheirTargets) {
  for (const char* target : {"std-normal", "icg", "scg", "mog", "mog2", "rough-well", "banana"}) {
    expect_moments(exact::samplers().at(target), target, {});
  }
}

TEST(ExactDraws, OfTheMilderCorrelatedNormal) {
  TargetOptions told;
  told.small_variance = 0.1;
  expect_moments(exact::scg(0.1, 100), "scg", told);
  // Along (1, -1), which the moments above hardly see.
  const std::vector<double> q = exact::starts(exact::scg(0.1, 100), 2, kDraws, 6);
  double across = 0;
  for (std::size_t i = 0; i < kDraws; ++i) {
    across += std::pow(q[i] - q[kDraws + i], 2) / 2 / kDraws;
  }
  EXPECT_NEAR(across, 0.1, 4.5 * 0.1 * std::sqrt(2.0 / kDraws));
}

}  // namespace
}  // namespace lockstep
