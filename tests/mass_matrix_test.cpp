// The windowed warm-up's metric is the unbiased variance of draws 7 to 44 of 50, in unconstrained
// coordinates, and of no other draws, divisor or scale.

#include <cmath>
#include <functional>
#include <memory>

#include <gtest/gtest.h>

#include "host/registry.hpp"
#include "lockstep/result.hpp"

namespace lockstep {
namespace {

constexpr int kSchools = 8, kDim = 10, kMu = 8, kTau = 9;

Fit warm_up(const std::string& target, std::uint64_t seed, bool regularise,
            std::int64_t chains = 1) {
  SampleOptions o;
  o.chains = chains;
  o.warmup = 50;
  o.draws = 1;
  o.seed = seed;
  o.threads = 1;
  o.backend = Backend::cpu;
  o.precision = Precision::double_;
  o.keep_chains = -1;
  o.keep_warmup = true;
  o.adaptation.schedule = Schedule::windowed;
  o.adaptation.regularise = regularise;
  o.adaptation.restart_stranded = false;
  TargetOptions t;
  t.prior_mean = 2;
  t.prior_sd = 5;
  Hmc hmc;
  hmc.metric = Metric::diagonal;
  return run(*find_target(target).make(t, o), hmc, o);
}

/// Coordinate j of the warm-up's draws, all chains.
std::vector<std::vector<double>> coordinate(const Fit& fit, int j, bool centred) {
  const Draws& d = fit.warmup_draws;
  std::vector<std::vector<double>> q;
  for (std::int64_t t = 0; t < d.draws; ++t) {
    std::vector<double> row;
    for (std::int64_t c = 0; c < d.chains; ++c) {
      const double x = d.row(t, j)[c], tau = d.row(t, kTau)[c];
      row.push_back(j == kTau                  ? std::log(x)
                    : j < kSchools && !centred ? (x - d.row(t, kMu)[c]) / tau
                                               : x);
    }
    q.push_back(row);
  }
  return q;
}

double variance(const std::vector<std::vector<double>>& q, std::size_t first, std::size_t last,
                int ddof) {
  double n = 0, mean = 0, squares = 0;
  for (std::size_t t = first; t <= last; ++t) {
    for (const double x : q[t]) {
      mean += x;
      n += 1;
    }
  }
  mean /= n;
  for (std::size_t t = first; t <= last; ++t) {
    for (const double x : q[t]) {
      squares += (x - mean) * (x - mean);
    }
  }
  return squares / (n - ddof);
}

TEST(MassMatrix, IsTheUnbiasedVarianceOfTheMiddleWindow) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const Fit fit = warm_up("eight-schools", seed, false);
    ASSERT_EQ(fit.warmup_draws.draws, 50);
    ASSERT_EQ(fit.warmup_done, 50);
    ASSERT_EQ(fit.metric.inverse_mass.size(), std::size_t{kDim});
    for (int j = 0; j < kDim; ++j) {
      const auto q = coordinate(fit, j, true);
      const double stored = fit.metric.inverse_mass[static_cast<std::size_t>(j)];
      EXPECT_NEAR(variance(q, 7, 44, 1) / stored, 1, 1e-12) << "seed " << seed << ", " << j;
      // Any other reading of the rule is told apart.
      for (const double other :
           {variance(q, 6, 44, 1), variance(q, 8, 44, 1), variance(q, 7, 43, 1),
            variance(q, 7, 45, 1), variance(q, 7, 44, 0), variance(q, 0, 49, 0)}) {
        EXPECT_GT(std::abs(other / stored - 1), 1e-9) << "seed " << seed << ", " << j;
      }
    }
  }
}

TEST(MassMatrix, IsThatOfTheCoordinatesTheChainMovesIn) {
  // theta = mu + tau t rounds: the smaller tau, the fewer digits of t are left in theta.
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const Fit fit = warm_up("eight-schools-nc", seed, false);
    for (int j = 0; j < kDim; ++j) {
      EXPECT_NEAR(variance(coordinate(fit, j, false), 7, 44, 1) /
                      fit.metric.inverse_mass[static_cast<std::size_t>(j)],
                  1, j < kSchools ? 1e-9 : 1e-12)
          << "seed " << seed << ", " << j;
    }
  }
}

TEST(MassMatrix, IsSetOnceAfterTransition44) {
  const Fit fit = warm_up("eight-schools", 1, false);
  ASSERT_EQ(fit.adaptation.size(), 50u);
  for (std::size_t t = 0; t < 50; ++t) {
    EXPECT_EQ(fit.adaptation[t].new_metric, t == 44) << t;
  }
}

TEST(MassMatrix, RegularisationShrinksTheSameVariance) {
  // No metric is set before transition 44, so both runs make the same draws until then.
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    const Fit plain = warm_up("eight-schools", seed, false);
    const Fit shrunk = warm_up("eight-schools", seed, true);
    for (std::size_t j = 0; j < kDim; ++j) {
      EXPECT_NEAR(38.0 / 43 * plain.metric.inverse_mass[j] + 1e-3 * 5 / 43,
                  shrunk.metric.inverse_mass[j], 1e-12 * shrunk.metric.inverse_mass[j]);
    }
  }
}

TEST(MassMatrix, IsPooledOverChains) {
  const Fit fit = warm_up("eight-schools-nc", 1, false, 64);
  for (const int j : {kMu, kTau}) {
    EXPECT_NEAR(variance(coordinate(fit, j, false), 7, 44, 1) /
                    fit.metric.inverse_mass[static_cast<std::size_t>(j)],
                1, 1e-11);
  }
}

}  // namespace
}  // namespace lockstep
