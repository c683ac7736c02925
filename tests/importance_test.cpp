// Pareto-smoothed importance weights: against ArviZ, against the papers' formulas in long double,
// and where there is nothing to fit.

#include "host/vi/importance.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "lockstep/error.hpp"
#include "tests/normal_engine.hpp"

namespace lockstep {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// Numbers on (0, 1) that any language can make: i times the golden ratio, modulo 1.
double golden(int i) {
  return std::fmod(i * 0.6180339887498949, 1.0);
}

struct Sample {
  std::string name;
  std::vector<double> log_ratios;
  // arviz.psislw(log_ratios) of ArviZ 0.23.4, weights w = exp of the first result:
  double k_hat, largest, squares, mean_index;  // k, max w, sum w^2, sum i w_i (i from 0)
};

std::vector<Sample> samples() {
  std::vector<double> light, heavy, bounded, sines, steep;
  for (int i = 1; i <= 1000; ++i) {
    light.push_back(-0.3 * std::log1p(-golden(i)));
  }
  for (int i = 1; i <= 400; ++i) {
    heavy.push_back(-0.9 * std::log1p(-golden(i)));
  }
  for (int i = 1; i <= 100; ++i) {
    bounded.push_back(std::log(golden(i)));
  }
  for (int i = 1; i <= 60; ++i) {
    sines.push_back(2 * std::sin(i) + std::cos(3.0 * i * i) - 1000);
  }
  for (int i = 1; i <= 2000; ++i) {
    steep.push_back(i % 7 == 1 ? -kInfinity : 1.5 * std::sqrt(-2 * std::log1p(-golden(i))));
  }
  return {
      {"light", light, 0.33685397318586, 0.00704736913569239, 0.00120652270503706,
       501.889723629509},
      {"heavy", heavy, 0.848359472042194, 0.163882494110761, 0.0378504463841137, 225.772806795264},
      {"bounded", bounded, -0.363775633363257, 0.0197373957031172, 0.0133384015839161,
       49.4978120921997},
      {"sines", sines, 0.159585583237198, 0.0939076558010249, 0.053570871264085, 33.2482395985461},
      {"steep", steep, 0.409088510888953, 0.0177842403851704, 0.00242835677347354,
       1008.00299210888},
  };
}

TEST(SmoothedWeights, AreArvizs) {
  for (const Sample& s : samples()) {
    const SmoothedWeights found = smoothed_weights(s.log_ratios);
    double squares = 0, mean_index = 0, total = 0;
    for (std::size_t i = 0; i < found.weights.size(); ++i) {
      total += found.weights[i];
      squares += found.weights[i] * found.weights[i];
      mean_index += found.weights[i] * static_cast<double>(i);
    }
    EXPECT_NEAR(total, 1, 1e-13) << s.name;
    EXPECT_NEAR(found.k_hat, s.k_hat, 1e-10) << s.name;
    const double largest = *std::max_element(found.weights.begin(), found.weights.end());
    EXPECT_NEAR(largest, s.largest, 1e-11 * s.largest) << s.name;
    EXPECT_NEAR(squares, s.squares, 1e-11 * s.squares) << s.name;
    EXPECT_NEAR(mean_index, s.mean_index, 1e-11 * s.mean_index) << s.name;
  }
}

/// The shape by Zhang & Stephens (2009) as printed, in long double: theta_i of their equation (8),
/// weights of equation (7), k = -n^-1 sum log(1 - theta x) (their sign), then the prior of Vehtari
/// et al. (2024).
long double printed_shape(std::vector<double> log_ratios) {
  std::sort(log_ratios.begin(), log_ratios.end(), std::greater<>());
  const auto count = static_cast<long double>(log_ratios.size());
  const auto n = static_cast<std::size_t>(std::ceil(std::min(count / 5, 3 * std::sqrt(count))));
  std::vector<long double> x;
  for (std::size_t i = n; i-- > 0;) {
    x.push_back(std::exp(static_cast<long double>(log_ratios[i]) - log_ratios[0]) -
                std::exp(static_cast<long double>(log_ratios[n]) - log_ratios[0]));
  }
  const auto k_of = [&](long double theta) {
    long double sum = 0;
    for (const long double v : x) {
      sum += std::log(1 - theta * v);
    }
    return -sum / static_cast<long double>(n);
  };
  const auto likelihood = [&](long double theta) {
    return static_cast<long double>(n) * (std::log(theta / k_of(theta)) + k_of(theta) - 1);
  };
  const int m = 30 + static_cast<int>(std::sqrt(static_cast<double>(n)));
  const long double quartile =
      x[static_cast<std::size_t>(std::floor(static_cast<long double>(n) / 4 + 0.5L)) - 1];
  std::vector<long double> theta;
  for (int j = 1; j <= m; ++j) {
    theta.push_back(1 / x.back() + (1 - std::sqrt(m / (j - 0.5L))) / (3 * quartile));
  }
  long double mean = 0;
  for (const long double t : theta) {
    long double others = 0;
    for (const long double s : theta) {
      others += std::exp(likelihood(s) - likelihood(t));
    }
    mean += t / others;
  }
  const auto weight = static_cast<long double>(n);
  return (weight * -k_of(mean) + 10 * 0.5L) / (weight + 10);
}

TEST(SmoothedWeights, HaveTheShapeOfTheFormulas) {
  for (const Sample& s : samples()) {
    EXPECT_NEAR(smoothed_weights(s.log_ratios).k_hat,
                static_cast<double>(printed_shape(s.log_ratios)), 1e-11)
        << s.name;
  }
}

TEST(SmoothedWeights, KeepTheBodyAndItsOrder) {
  const std::vector<double> ratios = samples()[0].log_ratios;
  const std::vector<double> weights = smoothed_weights(ratios).weights;
  std::vector<std::size_t> order(ratios.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return ratios[a] < ratios[b]; });
  const std::size_t body = ratios.size() - 95;  // ceil(3 sqrt 1000)
  const double scale = weights[order[0]] / std::exp(ratios[order[0]]);
  bool moved = false;
  for (std::size_t r = 1; r < order.size(); ++r) {
    const double raw = scale * std::exp(ratios[order[r]]), smooth = weights[order[r]];
    EXPECT_GE(smooth, weights[order[r - 1]]);
    if (r < body) {
      EXPECT_NEAR(smooth, raw, 1e-14 * raw);
    }
    moved = moved || (r >= body && std::abs(smooth - raw) > 1e-3 * raw);
  }
  EXPECT_TRUE(moved);
  // Truncated at the largest raw weight.
  EXPECT_LE(weights[order.back()], scale * std::exp(ratios[order.back()]) * (1 + 1e-14));
}

TEST(SmoothedWeights, DoNotDependOnAConstant) {
  std::vector<double> ratios = samples()[3].log_ratios;
  const SmoothedWeights low = smoothed_weights(ratios);
  for (double& r : ratios) {
    r += 3000;  // exp overflows
  }
  const SmoothedWeights high = smoothed_weights(ratios);
  EXPECT_NEAR(low.k_hat, high.k_hat, 1e-9);
  for (std::size_t i = 0; i < ratios.size(); ++i) {
    EXPECT_NEAR(low.weights[i], high.weights[i], 1e-9 * low.weights[i]);
  }
}

TEST(SmoothedWeights, OfRatiosWithoutATail) {
  const SmoothedWeights alike = smoothed_weights(std::vector<double>(100, -7.0));
  EXPECT_EQ(alike.k_hat, 0);
  EXPECT_DOUBLE_EQ(alike.weights[42], 0.01);

  // The same with errors of rounding, and with a support that leaves half of the draws out.
  std::vector<double> ratios;
  for (int i = 0; i < 100; ++i) {
    ratios.push_back(i % 2 == 0 ? -kInfinity : -1e3 * (1 + 1e-15 * (i % 5)));
  }
  const SmoothedWeights half = smoothed_weights(ratios);
  EXPECT_EQ(half.k_hat, 0);
  EXPECT_EQ(half.weights[2], 0);
  EXPECT_NEAR(half.weights[3], 0.02, 1e-12);
}

TEST(SmoothedWeights, OfRatiosThatTellNothing) {
  std::vector<double> few;
  for (int i = 1; i <= 20; ++i) {
    few.push_back(std::sin(i));
  }
  const SmoothedWeights raw = smoothed_weights(few);  // a tail of four
  EXPECT_EQ(raw.k_hat, kInfinity);
  EXPECT_NEAR(raw.weights[4] / raw.weights[9], std::exp(few[4] - few[9]), 1e-12);
  few.push_back(0.1);
  EXPECT_TRUE(std::isfinite(smoothed_weights(few).k_hat));
  EXPECT_EQ(smoothed_weights(std::vector{3.0}).weights[0], 1);

  std::vector<double> wrong = samples()[0].log_ratios;
  wrong[3] = std::numeric_limits<double>::quiet_NaN();
  wrong[5] = kInfinity;
  const SmoothedWeights without = smoothed_weights(wrong);
  EXPECT_EQ(without.k_hat, kInfinity);
  EXPECT_EQ(without.weights[3] + without.weights[5], 0);
  EXPECT_NEAR(std::accumulate(without.weights.begin(), without.weights.end(), 0.0), 1, 1e-13);

  const SmoothedWeights nothing = smoothed_weights(std::vector<double>(4, -kInfinity));
  EXPECT_EQ(nothing.k_hat, kInfinity);
  EXPECT_EQ(nothing.weights, std::vector<double>(4, 0.25));

  std::vector<double> one = std::vector<double>(100, -kInfinity);
  one[7] = 0;
  EXPECT_EQ(smoothed_weights(one).k_hat, kInfinity);
  EXPECT_EQ(smoothed_weights(one).weights[7], 1);
  EXPECT_THROW(smoothed_weights({}), UsageError);
}

TEST(SmoothedWeights, OfHeavyTailsAverageNearerThanRawOnes) {
  // Ratios of a Pareto law of shape 0.6, whose variance is infinite, mean 1 / (1 - k) = 2.5: the
  // mean of h = ratio^(1/3) under the target is E[r^(4/3)] / E[r] = (1 - k) / (1 - 4 k / 3) = 2.
  std::mt19937_64 bits(5);
  std::uniform_real_distribution<double> uniform;
  double raw_error = 0, smooth_error = 0;
  for (int repeat = 0; repeat < 200; ++repeat) {
    std::vector<double> ratios;
    for (int i = 0; i < 500; ++i) {
      ratios.push_back(-0.6 * std::log1p(-uniform(bits)));
    }
    const std::vector<double> weights = smoothed_weights(ratios).weights;
    double smooth = 0, raw = 0, total = 0;
    for (std::size_t i = 0; i < ratios.size(); ++i) {
      const double h = std::exp(ratios[i] / 3);
      smooth += weights[i] * h;
      raw += std::exp(ratios[i]) * h;
      total += std::exp(ratios[i]);
    }
    smooth_error += (smooth - 2) * (smooth - 2);
    raw_error += (raw / total - 2) * (raw / total - 2);
  }
  EXPECT_LT(smooth_error, 0.5 * raw_error);
}

// ---- tempering and resampling ------------------------------------------------------------------

TEST(TemperedWeights, LeaveEnoughEffectiveAndNoMoreThanNeeded) {
  const std::vector<double> weights = smoothed_weights(samples()[1].log_ratios).weights;
  const auto effective = [](const std::vector<double>& w) {
    return 1 / std::inner_product(w.begin(), w.end(), w.begin(), 0.0);
  };
  ASSERT_LT(effective(weights), 40);
  EXPECT_EQ(tempered_weights(weights, 20), weights);
  const std::vector<double> even = tempered_weights(weights, 100);
  EXPECT_GE(effective(even), 100);
  EXPECT_NEAR(effective(even), 100, 1e-3);
  EXPECT_NEAR(std::accumulate(even.begin(), even.end(), 0.0), 1, 1e-13);
  // A power: logarithms keep their proportions.
  const double power = std::log(even[0] / even[1]) / std::log(weights[0] / weights[1]);
  EXPECT_GT(power, 0);
  EXPECT_LT(power, 1);
  EXPECT_NEAR(std::log(even[2] / even[7]), power * std::log(weights[2] / weights[7]), 1e-9);
  // What has no weight gets none.
  const std::vector<double> half = tempered_weights({0, 0.999, 0.001, 0}, 1.9);
  EXPECT_EQ(half[0] + half[3], 0);
  EXPECT_GE(effective(half), 1.9);
}

TEST(Resampled, CountsAreTheWeightsRoundedUpOrDown) {
  const std::vector<double> weights = smoothed_weights(samples()[4].log_ratios).weights;
  for (const std::int64_t n : {1, 64, 5000}) {
    const std::vector<std::int64_t> which = resampled(weights, n);
    ASSERT_EQ(static_cast<std::int64_t>(which.size()), n);
    std::vector<double> counts(weights.size());
    for (const std::int64_t i : which) {
      counts[static_cast<std::size_t>(i)] += 1;
    }
    for (std::size_t i = 0; i < weights.size(); ++i) {
      EXPECT_LT(std::abs(counts[i] - static_cast<double>(n) * weights[i]), 1) << i;
    }
  }
  EXPECT_TRUE(resampled(weights, 0).empty());
}

// ---- the ELBO ----------------------------------------------------------------------------------

Normal wide_normal(int dim, double shift, double variance) {
  return {
      Eigen::VectorXd::Constant(dim, shift),
      prepare_metric(Metric::diagonal, InverseMass(static_cast<std::size_t>(dim), variance), dim)};
}

TEST(Assessment, OfANormalIsItsDivergence) {
  // Target N(0, I) and q ~ N(a, s^2 I): E[-U - log q] = d / 2 (log s^2 + 1 - s^2 - a^2).
  Density density = test::normal_density(Eigen::VectorXd::Zero(10), Matrix::Identity(10, 10));
  const double d = 10, a = 0.3, variance = 1.2;
  const Assessment found = assess(density, wide_normal(density.dim(), a, variance), 3, 7, 20000);
  const double expected = d / 2 * (std::log(variance) + 1 - variance - a * a);
  // Variance of z^2 (1 - s^2) / 2 - a s z, d coordinates.
  const double error =
      std::sqrt(d * (2 * std::pow((1 - variance) / 2, 2) + a * a * variance) / 20000);
  EXPECT_NEAR(found.elbo, expected, 4 * error);
  EXPECT_NEAR(found.elbo_error, error, 0.05 * error);
  EXPECT_EQ(found.outside, 0);
  EXPECT_LT(found.k_hat, 0.7);
  EXPECT_EQ(density.evaluations(), 20000);

  // Exact: nothing varies. Too narrow: the ratios' tail is heavy.
  const Assessment exact = assess(density, wide_normal(density.dim(), 0, 1), 3, 7, 500);
  EXPECT_NEAR(exact.elbo, 0, 1e-12);
  EXPECT_LT(exact.elbo_error, 1e-10);
  EXPECT_EQ(exact.k_hat, 0);
  EXPECT_GT(assess(density, wide_normal(density.dim(), 0, 0.1), 3, 7, 2000).k_hat, 0.7);
  EXPECT_THROW(assess(density, wide_normal(density.dim(), 0, 1), 3, 7, 1), UsageError);
}

}  // namespace
}  // namespace lockstep
