#include "lockstep/diagnostics.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <limits>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "host/diagnostics/order.hpp"
#include "host/diagnostics/order_standard.hpp"
#include "host/diagnostics/special_functions.hpp"
#include "lockstep/error.hpp"

namespace lockstep {
namespace {

using nlohmann::json;

constexpr double inf = std::numeric_limits<double>::infinity();
constexpr double nan = std::numeric_limits<double>::quiet_NaN();

// ---- draws: the same doubles as golden/make_golden.py -------------------------------------------

double uniform(std::uint64_t stream, std::uint64_t index) {
  std::uint64_t z = ((stream << 40) + index + 1) * 0x9E3779B97F4A7C15ULL;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
  z = z ^ (z >> 31);
  return static_cast<double>(z >> 11) * 0x1p-53;
}

/// Sum of four uniforms less its mean: variance 1/3.
double bell(std::uint64_t stream, std::uint64_t index) {
  const double a = uniform(stream, 4 * index);
  const double b = uniform(stream, 4 * index + 1);
  const double c = uniform(stream, 4 * index + 2);
  const double d = uniform(stream, 4 * index + 3);
  return ((a + b) + (c + d)) - 2.0;
}

struct Draws {
  std::vector<double> values;
  std::size_t draws;
  std::size_t chains;

  double& at(std::size_t draw, std::size_t chain) { return values[draw * chains + chain]; }
  operator Trace() const { return {values, draws, chains}; }
};

Draws bells(std::size_t chains, std::size_t draws, std::uint64_t stream) {
  Draws x{std::vector<double>(draws * chains), draws, chains};
  for (std::size_t i = 0; i < x.values.size(); ++i) {
    x.values[i] = bell(stream, i);
  }
  return x;
}

Draws make_draws(const std::string& kind, std::size_t chains, std::size_t draws,
                 std::uint64_t stream, double parameter) {
  Draws x = bells(chains, draws, stream);
  for (std::size_t t = 0; t < draws; ++t) {
    for (std::size_t c = 0; c < chains; ++c) {
      const std::size_t i = t * chains + c;
      double& value = x.values[i];
      if (kind == "autoregressive" && t > 0) {
        value = parameter * x.values[i - chains] + value;
      } else if (kind == "shifted") {
        value = value + parameter * static_cast<double>(c);
      } else if (kind == "scaled") {
        value = value * (1.0 + parameter * static_cast<double>(c));
      } else if (kind == "offset") {
        value = value + parameter;
      } else if (kind == "ratio") {
        value = value / bell(stream + 1, i);
      } else if (kind == "sticky" && t > 0 && uniform(stream + 1, i) < parameter) {
        value = x.values[i - chains];
      } else if (kind == "discrete") {
        value = std::floor(parameter * uniform(stream, i));
      } else if (kind == "constant") {
        value = parameter;
      }
    }
  }
  if (kind == "one_nan") {
    x.at(draws / 3, chains / 2) = nan;
  } else if (kind == "one_inf" || kind == "two_infs") {
    x.at(draws / 3, chains / 2) = inf;
    if (kind == "two_infs") {
      x.at(draws / 2, 0) = -inf;
    }
  }
  return x;
}

double number(const json& value) {
  return value.is_string() ? std::stod(value.get<std::string>()) : value.get<double>();
}

/// 1e-6 relative; NaN matches NaN and an infinity itself.
void expect_golden(double actual, const json& expected_json, const std::string& what,
                   double absolute = 1e-12) {
  const double expected = number(expected_json);
  if (!std::isfinite(expected)) {
    EXPECT_TRUE(std::isnan(expected) ? std::isnan(actual) : actual == expected)
        << what << ": " << actual << " instead of " << expected;
    return;
  }
  EXPECT_NEAR(actual, expected, 1e-6 * std::abs(expected) + absolute) << what;
}

// ---- golden numbers -----------------------------------------------------------------------------

json golden() {
  std::ifstream file(std::string(LOCKSTEP_TEST_DIR) + "/golden/arviz.json");
  EXPECT_TRUE(file.good());
  return json::parse(file);
}

TEST(Diagnostics, AgreeWithArviz) {
  const json file = golden();
  const auto probabilities = file.at("probabilities").get<std::vector<double>>();
  ASSERT_GE(file.at("cases").size(), 30u);
  for (const json& c : file.at("cases")) {
    const auto chains = c.at("chains").get<std::size_t>();
    const auto draws = c.at("draws").get<std::size_t>();
    const auto kind = c.at("kind").get<std::string>();
    SCOPED_TRACE(kind + " " + std::to_string(chains) + " x " + std::to_string(draws));
    const Draws x = make_draws(kind, chains, draws, c.at("stream").get<std::uint64_t>(),
                               c.at("parameter").get<double>());
    double sum = 0;
    for (const double value : x.values) {
      sum += std::abs(value);
    }
    expect_golden(x.values.front(), c.at("check")[0], "first draw");
    expect_golden(x.values.back(), c.at("check")[1], "last draw");
    expect_golden(sum, c.at("check")[2], "sum of |draws|");

    expect_golden(rhat(x), c.at("rhat"), "rhat");
    expect_golden(split_rhat(x), c.at("split_rhat"), "split_rhat");
    expect_golden(ess_bulk(x), c.at("ess_bulk"), "ess_bulk");
    expect_golden(ess_tail(x), c.at("ess_tail"), "ess_tail");
    expect_golden(ess_mean(x), c.at("ess_mean"), "ess_mean");
    expect_golden(ess_sd(x), c.at("ess_sd"), "ess_sd");
    expect_golden(mcse_mean(x), c.at("mcse_mean"), "mcse_mean");
    expect_golden(mcse_sd(x), c.at("mcse_sd"), "mcse_sd");
    for (std::size_t i = 0; i < probabilities.size(); ++i) {
      const std::string at = " at " + std::to_string(probabilities[i]);
      expect_golden(ess_quantile(x, probabilities[i]), c.at("ess_quantile")[i],
                    "ess_quantile" + at);
      expect_golden(mcse_quantile(x, probabilities[i]), c.at("mcse_quantile")[i],
                    "mcse_quantile" + at);
      if (c.contains("quantiles")) {
        expect_golden(quantiles(x, probabilities)[i], c.at("quantiles")[i], "quantile" + at);
      }
    }
    const EnergyFraction energy = e_bfmi(x);
    ASSERT_EQ(energy.per_chain.size(), chains);
    for (std::size_t i = 0; i < c.at("bfmi").size(); ++i) {
      expect_golden(energy.per_chain[i], c.at("bfmi")[i], "bfmi");
    }
    const std::vector<double> covariances = autocovariance(x);
    ASSERT_EQ(covariances.size(), draws);
    for (std::size_t i = 0; i < c.at("autocovariance").size(); ++i) {
      expect_golden(covariances[i], c.at("autocovariance")[i], "autocovariance",
                    1e-12 * std::abs(covariances[0]) + 1e-12);
    }
    for (const json& nested : c.value("nested", json::array())) {
      const auto length = nested.at("chains_per_superchain").get<std::size_t>();
      expect_golden(nested_rhat(x, length), nested.at("plain"), "nested_rhat");
      expect_golden(rank_nested_rhat(x, length), nested.at("rank"), "rank_nested_rhat");
    }

    const Diagnosis all = diagnose(x);
    expect_golden(all.rhat, c.at("rhat"), "diagnose: rhat");
    expect_golden(all.ess_bulk, c.at("ess_bulk"), "diagnose: ess_bulk");
    expect_golden(all.ess_tail, c.at("ess_tail"), "diagnose: ess_tail");
    expect_golden(all.mcse_mean, c.at("mcse_mean"), "diagnose: mcse_mean");
    expect_golden(all.mean, c.at("mean"), "diagnose: mean");
    expect_golden(all.sd, c.at("sd"), "diagnose: sd");
    const std::vector<double> q = quantiles(x, std::vector<double>{0.05, 0.5, 0.95});
    const bool known = !std::isnan(q[0]);
    EXPECT_TRUE(known ? all.q05 == q[0] && all.q50 == q[1] && all.q95 == q[2]
                      : std::isnan(all.q05) && std::isnan(all.q50) && std::isnan(all.q95));
  }
}

// ---- known answers ------------------------------------------------------------------------------

/// Stationary AR(1) with unit variance: x_0 ~ (0, 1), x_t = phi x_{t-1} + sqrt(1 - phi^2) e_t.
Draws stationary_ar1(std::size_t chains, std::size_t draws, double phi, std::uint64_t stream) {
  Draws x = bells(chains, draws, stream);
  const double unit = std::sqrt(3.0);
  for (std::size_t i = 0; i < x.values.size(); ++i) {
    x.values[i] = i < chains
                      ? unit * x.values[i]
                      : phi * x.values[i - chains] + std::sqrt(1 - phi * phi) * unit * x.values[i];
  }
  return x;
}

// sum over all t of phi^|t| = (1 + phi) / (1 - phi), so ESS = N (1 - phi) / (1 + phi).
TEST(EffectiveSampleSize, OfAr1IsTheoretical) {
  for (const double phi : {0.0, 0.5, 0.9, -0.4}) {
    SCOPED_TRACE(phi);
    const Draws x = stationary_ar1(64, 2000, phi, 101);
    const double theory = 64 * 2000 * (1 - phi) / (1 + phi);
    // 64 chains x 2000 draws determine the ESS to about 1-3 %.
    EXPECT_NEAR(ess_mean(x) / theory, 1, 0.06);
    EXPECT_NEAR(ess_bulk(x) / theory, 1, 0.06);
  }
}

TEST(EffectiveSampleSize, IsBoundedForAntitheticChains) {
  const Draws x = stationary_ar1(4, 1000, -0.95, 103);
  EXPECT_LE(ess_mean(x), 4000 * std::log10(4000.0) * (1 + 1e-12));
  EXPECT_GT(ess_mean(x), 4000);
}

TEST(EffectiveSampleSize, HasNoUnit) {
  const Draws x = stationary_ar1(4, 300, 0.6, 105);
  for (const double unit : {1e-12, 1e12}) {
    Draws scaled = x;
    for (double& value : scaled.values) {
      value *= unit;
    }
    EXPECT_NEAR(ess_mean(scaled) / ess_mean(x), 1, 1e-9);
    EXPECT_NEAR(ess_sd(scaled) / ess_sd(x), 1, 1e-9);
    EXPECT_NEAR(mcse_sd(scaled) / (unit * mcse_sd(x)), 1, 1e-9);
  }
}

// Slow chains pass the lags that are summed directly and end in the transform; both must agree with
// the definition.
TEST(Autocovariance, EqualsItsDefinition) {
  const Draws x = stationary_ar1(3, 97, 0.9, 107);
  const std::vector<double> fast = autocovariance(x);
  for (std::size_t lag = 0; lag < x.draws; ++lag) {
    double sum = 0;
    for (std::size_t c = 0; c < x.chains; ++c) {
      double mean = 0;
      for (std::size_t t = 0; t < x.draws; ++t) {
        mean += x.values[t * x.chains + c] / static_cast<double>(x.draws);
      }
      for (std::size_t t = 0; t + lag < x.draws; ++t) {
        sum += (x.values[t * x.chains + c] - mean) * (x.values[(t + lag) * x.chains + c] - mean);
      }
    }
    EXPECT_NEAR(fast[lag], sum / static_cast<double>(x.values.size()), 1e-13) << lag;
  }
}

TEST(BetweenChains, EssIsTheNumberOfIndependentDraws) {
  const std::size_t chains = 4096;
  const double error = std::sqrt(2.0 / (chains - 1));  // relative, of a variance of C means
  const Draws independent = bells(chains, 25, 109);
  EXPECT_NEAR(ess_between_chains(independent) / (25.0 * chains), 1, 4 * error);

  // T / ESS of a chain of T draws: 1 + 2 sum_t (1 - t/T) phi^t, exactly, for finite T.
  const double phi = 0.8;
  double per_effective = 1;
  for (int t = 1; t < 50; ++t) {
    per_effective += 2 * (1 - t / 50.0) * std::pow(phi, t);
  }
  EXPECT_NEAR(
      ess_between_chains(stationary_ar1(chains, 50, phi, 111)) * per_effective / (50.0 * chains), 1,
      4 * error);
}

TEST(BetweenChains, EssOfUnequalLengths) {
  // Chain c averages n_c independent draws of variance 1/3: V = 1/3 whatever the lengths.
  const std::size_t chains = 4096;
  std::vector<double> means(chains);
  std::vector<double> variances(chains);
  std::vector<std::size_t> counts(chains);
  for (std::size_t c = 0; c < chains; ++c) {
    counts[c] = 1 + c % 40;
    for (std::size_t t = 0; t < counts[c]; ++t) {
      means[c] += bell(113, 40 * c + t) / static_cast<double>(counts[c]);
    }
    for (std::size_t t = 0; t < counts[c]; ++t) {
      variances[c] +=
          std::pow(bell(113, 40 * c + t) - means[c], 2) / static_cast<double>(counts[c] - 1);
    }
  }
  const double total = static_cast<double>(std::accumulate(counts.begin(), counts.end(), 0ul));
  EXPECT_NEAR(ess_between_chains(means, variances, counts) / total, 1,
              4 * std::sqrt(2.0 / (chains - 1)));
}

TEST(NestedRhat, OfIdenticalSuperchainsIsOne) {
  const Draws one = bells(8, 20, 115);
  Draws three{{}, 20, 24};
  for (std::size_t t = 0; t < one.draws; ++t) {
    for (int copy = 0; copy < 3; ++copy) {
      three.values.insert(three.values.end(), one.values.begin() + static_cast<long>(t * 8),
                          one.values.begin() + static_cast<long>(t * 8 + 8));
    }
  }
  EXPECT_NEAR(nested_rhat(three, 8), 1, 1e-14);
  EXPECT_NEAR(rank_nested_rhat(three, 8), 1, 1e-14);
  // Superchains at 0, 3 and 6 with chains that spread by the bell's 1/3: R^2 = 1 + 9 / W, where W
  // adds variance between chain means and variance within chains.
  for (std::size_t i = 0; i < three.values.size(); ++i) {
    three.values[i] += 3.0 * static_cast<double>((i % 24) / 8);
  }
  EXPECT_NEAR(nested_rhat(three, 8), std::sqrt(1 + 9 / (1.0 / 3 * (1 + 1.0 / 20))), 0.3);
  EXPECT_GT(rank_nested_rhat(three, 8), 1.5);
}

TEST(NestedRhat, IsDefinedForOneDraw) {
  // Chain means 0 2 | 4 6: superchain means 1 and 5, B = 8, W = 2.
  const Draws x{{0, 2, 4, 6}, 1, 4};
  EXPECT_DOUBLE_EQ(nested_rhat(x, 2), std::sqrt(5.0));
}

// Lags with phi^t > 0.05 count. Chains are many, so that noise at the last lags stays below 0.05.
TEST(PaperEss, OfAr1IsTheoretical) {
  for (const double phi : {0.5, 0.9, -0.6}) {
    double counted = 0;
    for (int t = 1; t < 60; ++t) {
      counted += std::pow(phi, t) > 0.05 ? std::pow(phi, t) : 0;
    }
    const Draws x = stationary_ar1(16384, 60, phi, 131);
    EXPECT_NEAR(paper_ess_per_transition(std::vector<Trace>{x}, std::vector<double>{0.0}, 1.0) *
                    (1 + 2 * counted),
                1, 0.03)
        << phi;
  }
}

TEST(PaperEss, OfIndependentDrawsIsOneAndOfFrozenChainsTheFloor) {
  const std::size_t draws = 100;
  const std::size_t chains = 4000;
  const std::vector<double> means{1.0, -2.0};
  std::vector<Draws> x{bells(chains, draws, 117), bells(chains, draws, 119)};
  for (std::size_t d = 0; d < 2; ++d) {
    for (double& value : x[d].values) {
      value += means[d];
    }
  }
  EXPECT_DOUBLE_EQ(paper_ess_per_transition(std::vector<Trace>{x[0], x[1]}, means, 2.0 / 3), 1);

  for (Draws& coordinate : x) {
    for (std::size_t i = chains; i < coordinate.values.size(); ++i) {
      coordinate.values[i] = coordinate.values[i - chains];
    }
  }
  // rho = r at every lag 1 .. T-2, r the observed second moment over its expectation.
  double second = 0;
  for (std::size_t d = 0; d < 2; ++d) {
    for (std::size_t c = 0; c < chains; ++c) {
      second += std::pow(x[d].values[c] - means[d], 2) / static_cast<double>(chains);
    }
  }
  const std::vector<Trace> frozen{x[0], x[1]};
  const double lags = static_cast<double>(draws - 2);
  EXPECT_NEAR(paper_ess_per_transition(frozen, means, 2.0 / 3),
              1 / (1 + 2 * lags * second / (2.0 / 3)), 1e-12);
  EXPECT_NEAR(paper_ess_per_transition(frozen, means, 2.0 / 3) * 2 * draws, 1, 0.05);
  EXPECT_NEAR(paper_ess_per_transition(frozen, means, 2.0 / 3, {.normalise = false}),
              1 / (1 + 2 * lags * second), 1e-12);
}

// All chains' products summed one by one, for coordinates of unequal means, scales and memories.
TEST(PaperEss, EqualsTheDirectSum) {
  const std::size_t draws = 301, chains = 7;
  const std::vector<double> means{3.0, -1.0};
  std::vector<Draws> x{stationary_ar1(chains, draws, 0.8, 133),
                       stationary_ar1(chains, draws, -0.5, 135)};
  for (std::size_t i = 0; i < draws * chains; ++i) {
    x[0].values[i] = 2 * x[0].values[i] + means[0];
    x[1].values[i] += means[1];
  }
  const double trace = 4 + 1;
  for (const bool normalise : {true, false}) {
    double counted = 0;
    int lags = 0;
    for (std::size_t lag = 1; lag <= draws - 2; ++lag) {
      double rho = 0;
      for (std::size_t t = 0; t + lag < draws; ++t) {
        for (std::size_t c = 0; c < chains; ++c) {
          for (std::size_t d = 0; d < 2; ++d) {
            rho += (x[d].at(t, c) - means[d]) * (x[d].at(t + lag, c) - means[d]);
          }
        }
      }
      rho /= static_cast<double>((draws - lag) * chains) * (normalise ? trace : 1);
      counted += rho > 0.05 ? rho : 0;
      lags += rho > 0.05 ? 1 : 0;
    }
    EXPECT_GT(lags, 15);  // noise puts late lags above the cutoff too: they count
    EXPECT_NEAR(paper_ess_per_transition(std::vector<Trace>{x[0], x[1]}, means, trace,
                                         {.normalise = normalise}),
                1 / (1 + 2 * counted), 1e-12);
  }
}

TEST(PaperEss, RulesDifferWhereTheSpectrumReturns) {
  // Period 4 (1, 0, -1, 0): rho = 1, 0, -1, 0, 1, ... Only the mask counts the returns.
  const std::size_t draws = 42;
  Draws x{{}, draws, 1};
  for (std::size_t t = 0; t < draws; ++t) {
    x.values.push_back(std::vector<double>{1, 0, -1, 0}[t % 4]);
  }
  double counted = 0;
  for (std::size_t lag = 1; lag <= draws - 2; ++lag) {
    double rho = 0;
    for (std::size_t t = 0; t + lag < draws; ++t) {
      rho += x.values[t] * x.values[t + lag] / (0.5 * static_cast<double>(draws - lag));
    }
    counted += rho > 0.05 ? rho : 0;
  }
  ASSERT_GT(counted, 5);
  const std::vector<Trace> traces{x};
  const std::vector<double> mean{0.0};
  EXPECT_NEAR(paper_ess_per_transition(traces, mean, 0.5), 1 / (1 + 2 * counted), 1e-12);
  EXPECT_DOUBLE_EQ(
      paper_ess_per_transition(traces, mean, 0.5, {.rule = PaperEssOptions::Rule::truncate}), 1);
}

TEST(Jumps, KnownValues) {
  // Two chains: 0 1 3 and 5 5 5. Squared jumps 1 and 4 over four transitions; one chain rests.
  const Draws x{{0, 5, 1, 5, 3, 5}, 3, 2};
  EXPECT_DOUBLE_EQ(esjd(x), 5.0 / 4);
  const EnergyFraction fraction = e_bfmi(x);
  const double m2 = 16.0 / 9 + 1.0 / 9 + 25.0 / 9;
  EXPECT_DOUBLE_EQ(fraction.per_chain[0], 5 / m2);
  EXPECT_TRUE(std::isnan(fraction.per_chain[1]));
  EXPECT_DOUBLE_EQ(fraction.pooled, 5 / m2);
  EXPECT_TRUE(std::isnan(esjd(Draws{{1, 2}, 1, 2})));
}

// ---- streamed summaries equal stored draws ------------------------------------------------------

TEST(Streamed, EqualsStored) {
  for (const std::size_t draws : {40, 41}) {
    const Draws x = make_draws("shifted", 12, draws, 121, 0.05);
    const ChainMoments moments = chain_moments(x);
    EXPECT_EQ(moments.first.count, 20u);
    EXPECT_NEAR(split_rhat(moments), split_rhat(x), 1e-13);
    if (draws % 2 == 0) {  // these use the middle draw, which moments of halves leave out
      EXPECT_NEAR(nested_rhat(moments, 3), nested_rhat(x, 3), 1e-13);
      EXPECT_NEAR(ess_between_chains(moments) / ess_between_chains(x), 1, 1e-12);
    } else {
      EXPECT_NEAR(nested_rhat(moments, 3), nested_rhat(x, 3), 0.02);
    }
  }
}

TEST(Streamed, HalvesOfUnequalLength) {
  const Draws x = make_draws("shifted", 12, 41, 123, 0.05);
  const Draws head{{x.values.begin(), x.values.begin() + 20 * 12}, 20, 12};
  const Draws tail{{x.values.begin() + 20 * 12, x.values.end()}, 21, 12};
  const auto whole = [](const Draws& part) {
    HalfMoments m{std::vector<double>(12), std::vector<double>(12), part.draws};
    for (std::size_t c = 0; c < 12; ++c) {
      for (std::size_t t = 0; t < part.draws; ++t) {
        m.mean[c] += part.values[t * 12 + c] / static_cast<double>(part.draws);
      }
      for (std::size_t t = 0; t < part.draws; ++t) {
        m.m2[c] += std::pow(part.values[t * 12 + c] - m.mean[c], 2);
      }
    }
    return m;
  };
  const ChainMoments moments{whole(head), whole(tail)};
  EXPECT_NEAR(split_rhat(moments), split_rhat(x), 0.01);
  EXPECT_NEAR(nested_rhat(moments, 3), nested_rhat(x, 3), 1e-13);  // nothing is left out here
  EXPECT_NEAR(ess_between_chains(moments) / ess_between_chains(x), 1, 1e-12);

  ChainMoments only_first{whole(head), {std::vector<double>(12), std::vector<double>(12), 0}};
  EXPECT_NEAR(nested_rhat(only_first, 3), nested_rhat(head, 3), 1e-13);
}

TEST(Streamed, IndependentDrawsHaveAnRhatOfOneInHalvesOfAnyLength) {
  constexpr std::size_t chains = 20'000;
  std::mt19937 bits(8);
  std::normal_distribution<double> normal;
  const auto half = [&](std::size_t n) {  // unit variance, means as n independent draws have them
    HalfMoments m{std::vector<double>(chains), std::vector<double>(chains, n - 1.0), n};
    for (double& mean : m.mean) {
      mean = normal(bits) / std::sqrt(static_cast<double>(n));
    }
    return m;
  };
  for (const std::size_t n : {64, 32, 8}) {
    // The squared R-hat is known to 1 / n times sqrt(2 / (2 chains)).
    const double rhat = split_rhat(ChainMoments{half(64), half(n)});
    const double rate = 0.5 * (1.0 / 64 + 1.0 / static_cast<double>(n));
    EXPECT_NEAR(rhat * rhat, 1, 4 * rate / std::sqrt(static_cast<double>(chains))) << n;
  }
}

// ---- edges --------------------------------------------------------------------------------------

TEST(Edges, FrozenChainsApart) {
  // Each chain sits still somewhere else: no variance within, R-hat diverges, one draw per chain.
  Draws x{std::vector<double>(400), 100, 4};
  for (std::size_t i = 0; i < 400; ++i) {
    x.values[i] = 0.1 + static_cast<double>(i % 4) / 3;
  }
  EXPECT_EQ(split_rhat(x), inf);
  EXPECT_EQ(rhat(x), inf);
  EXPECT_LT(ess_mean(x), 8);
  EXPECT_EQ(ess_between_chains(x), 4);
  // And all in one place: nothing can be said, except that the mean has no error.
  std::fill(x.values.begin(), x.values.end(), 0.1);
  EXPECT_TRUE(std::isnan(rhat(x)));
  EXPECT_TRUE(std::isnan(split_rhat(x)));
  EXPECT_EQ(ess_bulk(x), 400);
  EXPECT_EQ(mcse_mean(x), 0);
}

TEST(Edges, EmptyAndTiny) {
  const Diagnosis none = diagnose(Trace{});
  EXPECT_TRUE(std::isnan(none.mean) && std::isnan(none.q50) && std::isnan(none.rhat));
  EXPECT_TRUE(std::isnan(ess_mean(Trace{})));
  EXPECT_TRUE(std::isnan(quantiles(Trace{}, std::vector<double>{0.5})[0]));
  EXPECT_TRUE(autocovariance(Trace{}).empty());
  const Draws one{{3}, 1, 1};
  EXPECT_EQ(diagnose(one).mean, 3);
  EXPECT_EQ(diagnose(one).q95, 3);
  EXPECT_TRUE(std::isnan(diagnose(one).sd));
  EXPECT_TRUE(std::isnan(ess_between_chains(one)));
}

TEST(Edges, QuantilesNextToAnInfinity) {
  const Draws x{{1, 2, 3, inf}, 4, 1};
  const std::vector<double> q = quantiles(x, std::vector<double>{0, 2.0 / 3, 1});
  EXPECT_EQ(q[0], 1);
  EXPECT_NEAR(q[1], 3, 1e-12);
  EXPECT_EQ(q[2], inf);
}

TEST(Edges, MisuseNamesTheFault) {
  const std::vector<double> values(10);
  const Trace wrong{values, 3, 4};
  EXPECT_THROW(rhat(wrong), UsageError);
  EXPECT_THROW(diagnose(wrong), UsageError);
  EXPECT_THROW(ess_between_chains(wrong), UsageError);
  const Trace right{values, 5, 2};
  EXPECT_THROW(ess_quantile(right, 1.5), UsageError);
  EXPECT_THROW(mcse_quantile(right, -0.1), UsageError);
  EXPECT_THROW(quantiles(right, std::vector<double>{nan}), UsageError);
  EXPECT_THROW(nested_rhat(right, 0), UsageError);
  EXPECT_THROW(rank_nested_rhat(right, 3), UsageError);
  EXPECT_THROW(split_rhat(ChainMoments{{{1, 2}, {1, 2}, 5}, {{1}, {1}, 5}}), UsageError);
  EXPECT_THROW(ess_between_chains(std::vector<double>{1, 2}, std::vector<double>{1},
                                  std::vector<std::size_t>{1, 2}),
               UsageError);
  EXPECT_THROW(paper_ess_per_transition(std::vector<Trace>{right}, {}, 1), UsageError);
  EXPECT_THROW(paper_ess_per_transition(std::vector<Trace>{right}, std::vector<double>{0.0}, 0),
               UsageError);
  try {
    nested_rhat(right, 3);
  } catch (const UsageError& error) {
    EXPECT_NE(std::string(error.what()).find("chains_per_superchain = 3"), std::string::npos);
  }
}

// ---- order --------------------------------------------------------------------------------------

TEST(Order, RanksShareTies) {
  const std::vector<double> x{3, -0.0, 7, 3, 0.0, inf, 3, -inf};
  EXPECT_EQ(order::average_ranks(x), (std::vector<double>{5, 2.5, 7, 5, 2.5, 8, 5, 1}));
  EXPECT_TRUE(order::average_ranks({}).empty());
  EXPECT_TRUE(order::sort({}).empty());
  EXPECT_TRUE(order::fold(order::sort_with_index({}), 0).sorted.empty());
  EXPECT_EQ(order::merge({}, x), x);
}

TEST(Order, FoldIsTheOrderOfDistances) {
  const Draws x = make_draws("sticky", 5, 101, 125, 0.6);
  for (const double centre : {0.0, 0.3, -5.0, 5.0, x.values[7]}) {
    const order::Order folded = order::fold(order::sort_with_index(x.values), centre);
    ASSERT_TRUE(std::is_sorted(folded.sorted.begin(), folded.sorted.end()));
    std::vector<bool> seen(x.values.size());
    for (std::size_t i = 0; i < folded.index.size(); ++i) {
      EXPECT_EQ(folded.sorted[i], std::abs(x.values[folded.index[i]] - centre));
      EXPECT_FALSE(seen[folded.index[i]]);
      seen[folded.index[i]] = true;
    }
  }
}

TEST(Order, LibraryEqualsStandardAlgorithms) {
  for (const auto& [kind, size] :
       std::vector<std::pair<std::string, std::size_t>>{{"independent", 1},
                                                        {"independent", 5000},
                                                        {"sticky", 3001},
                                                        {"discrete", 777},
                                                        {"two_infs", 600}}) {
    SCOPED_TRACE(kind);
    const std::vector<double> x = make_draws(kind, 1, size, 127, 0.9).values;
    const std::vector<double> y = make_draws(kind, 1, size / 2, 129, 3.0).values;
    EXPECT_EQ(order::sort(x), order::StandardOrder::sort(x));
    const order::Order library = order::sort_with_index(x);
    const order::Order standard = order::StandardOrder::sort_with_index(x);
    EXPECT_EQ(library.sorted, standard.sorted);
    EXPECT_EQ(library.index, standard.index);
    EXPECT_EQ(order::average_ranks(x), order::StandardOrder::average_ranks(x));
    EXPECT_EQ(order::average_ranks_of_sorted(library.sorted),
              order::StandardOrder::average_ranks_of_sorted(library.sorted));
    EXPECT_EQ(order::merge(order::sort(x), order::sort(y)),
              order::StandardOrder::merge(order::sort(x), order::sort(y)));
    const order::Order folded = order::fold(library, 0.25);
    const order::Order standard_folded = order::StandardOrder::fold(standard, 0.25);
    EXPECT_EQ(folded.sorted, standard_folded.sorted);
    EXPECT_EQ(folded.index, standard_folded.index);
  }
}

// ---- special functions --------------------------------------------------------------------------

TEST(SpecialFunctions, NormalQuantileInvertsTheDistribution) {
  using diagnostics::normal_quantile;
  for (const double p : {1e-300, 1e-20, 1e-9, 1e-4, 0.02, 0.0749, 0.0751, 0.3, 0.5, 0.7}) {
    const double z = normal_quantile(p);
    EXPECT_NEAR(0.5 * std::erfc(-z / std::sqrt(2.0)) / p, 1, 2e-15 * (1 + z * z)) << p;
  }
  EXPECT_EQ(normal_quantile(0.5), 0);
  EXPECT_DOUBLE_EQ(normal_quantile(0.96875), -normal_quantile(0.03125));
  EXPECT_EQ(normal_quantile(0), -inf);
  EXPECT_EQ(normal_quantile(1), inf);
}

TEST(SpecialFunctions, IncompleteBeta) {
  using diagnostics::beta_quantile;
  using diagnostics::incomplete_beta;
  // I_x(a, 1) = x^a; I_x(1, b) = 1 - (1 - x)^b; I_1/2(a, a) = 1/2; arcsine law for a = b = 1/2.
  for (const double x : {0.01, 0.3, 0.77}) {
    EXPECT_NEAR(incomplete_beta(3.5, 1, x), std::pow(x, 3.5), 1e-14);
    EXPECT_NEAR(incomplete_beta(1, 20, x), 1 - std::pow(1 - x, 20), 1e-14);
    EXPECT_NEAR(incomplete_beta(0.5, 0.5, x), 2 / std::acos(-1.0) * std::asin(std::sqrt(x)), 1e-14);
  }
  for (const double a : {0.7, 12.0, 3e3, 1e6}) {
    EXPECT_NEAR(incomplete_beta(a, a, 0.5), 0.5, 1e-12) << a;
    for (const double p : {0.1586553, 0.5, 0.8413447}) {
      for (const double b : {1.0, 9.0, 2e5}) {
        // Next to 1 the quantile's own last bit is worth a * 2^-53 of probability.
        EXPECT_NEAR(incomplete_beta(a, b, beta_quantile(a, b, p)), p, 1e-12 + 2e-16 * a)
            << a << " " << b;
      }
    }
  }
}

}  // namespace
}  // namespace lockstep
