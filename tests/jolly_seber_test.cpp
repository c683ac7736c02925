/// Jolly and Seber's model against its formula, against its enumerated conditional laws, against an
/// independent long run, and against simulations from its own prior.

#include "kernels/targets/jolly_seber.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "host/comparison.hpp"
#include "host/io/capture_data.hpp"
#include "host/io/dataset.hpp"
#include "host/published_settings.hpp"
#include "kernels/integrators/check_delta.hpp"
#include "lockstep/dhmc.hpp"
#include "tests/agreement.hpp"

namespace lockstep {
namespace {

/// 1 - uniform on [0, 1), the same on every platform.
double uniform(std::mt19937_64& bits) {
  return 1 - static_cast<double>(bits() >> 11) * 0x1p-53;
}

/// Five occasions, with most of what can happen: all or none of the caught marked, animals lost.
constexpr int kOccasions = 5;
JollySeberData<kOccasions> made_up() {
  return {{12, 18, 9, 20, 11}, {0, 5, 9, 8, 6}, {12, 17, 9, 18}, {9, 8, 5, 6}, 300, 40};
}

/// log pi(p, phi, U) of the header's formula as it is printed there, and of q by the Jacobians and
/// the widths of U's cells.
template <int T>
double log_density(const JollySeberData<T>& data, const double* q, const std::vector<int>& animals,
                   bool as_coded) {
  const auto at = [](const auto& array, int i) { return array[static_cast<std::size_t>(i - 1)]; };
  const auto probability = [](double x) { return 1 / (1 + std::exp(-x)); };
  const auto p = [&](int i) { return probability(q[i - 1]); };
  const auto phi = [&](int i) { return probability(q[T + i - 1]); };
  const auto u = [&](int i) { return at(data.caught, i) - at(data.marked, i); };
  double sum = 0;
  for (int i = 1; i <= T; ++i) {
    const int n = at(animals, i);
    sum += std::lgamma(n + 1.0) - std::lgamma(n - u(i) + 1.0) + u(i) * std::log(p(i)) +
           (n - u(i)) * std::log(1 - p(i));
    sum += std::log(p(i) * (1 - p(i)));
    sum -= std::log(std::log((n + 1.0) / n));
  }
  sum -= std::log(at(animals, 1));
  int z = 0;
  for (int i = 1; i < T; ++i) {
    const double unseen = at(animals, i) - u(i);
    const double v = data.spread * data.spread + phi(i) * (1 - phi(i)) * unseen;
    const double r = at(animals, i + 1) - phi(i) * unseen;
    sum -= std::log(v) / 2 + r * r / (2 * v);
    sum += std::log(phi(i) * (1 - phi(i)));
    const int m = at(data.marked, i + 1);
    z += at(data.caught_again, i) - m;
    sum += (z + m) * std::log(phi(i)) + z * std::log(1 - p(i + 1)) + m * std::log(p(i + 1));
  }
  double chi = 1;
  for (int i = T - 1; i >= 1; --i) {
    chi = 1 - phi(i) * (1 - (1 - p(as_coded && i < T - 1 ? i + 2 : i + 1)) * chi);
    sum += (at(data.released, i) - at(data.caught_again, i)) * std::log(chi);
  }
  return sum;
}

/// Somewhere in the support.
template <class Target>
std::vector<double> somewhere(const Target& target, std::mt19937_64& bits) {
  std::vector<double> u(Target::dim), q(Target::dim);
  for (double& x : u) {
    x = uniform(bits);
  }
  target.start(u.data(), q.data());
  return q;
}

template <int T>
std::vector<int> animals_at(const JollySeber<T>& target, const std::vector<double>& q) {
  std::vector<double> x(q.size());
  target.constrain(q.data(), x.data());
  return {x.end() - T, x.end()};
}

TEST(Binomial, StirlingLeavesWhatLgammaHas) {
  for (const int n : {0, 1, 2, 3, 5, 8, 13, 50, 170, 1000, 5000, 100000}) {
    const long double x = n + 0.5L;
    const auto expected = static_cast<double>(std::lgamma(x + 0.5L) - x * std::log(x) + x -
                                              0.918938533204672741780329736405617640L);
    EXPECT_NEAR(stirling_rest(n + 0.5), expected, 1e-16 + 1e-18 * n * std::log(n + 1)) << n;
    EXPECT_NEAR(stirling_rest(static_cast<float>(n) + 0.5f), expected, 1e-8) << n;
  }
}

/// In float, and where p is nearly or, rounded, exactly 1.
TEST(Binomial, EnergyKeepsItsDigits) {
  const auto energy = [](auto n, auto u, auto logit) {
    using S = decltype(logit);
    return unseen_energy(S(n), S(u), S(1) / S(u), logistic(logit), logistic(-logit));
  };
  for (const int u : {1, 54, 167}) {
    for (const int unseen : {0, 1, 30, 700, 4800}) {
      for (const double logit : {-12.0, -4.0, -1.2, 0.3, 3.0, 10.0, 20.0, 30.0}) {
        const int n = u + unseen;
        const double log_p = log_logistic(logit), log_other = log_logistic(-logit);
        const double expected = -(std::lgamma(n + 1.0) - std::lgamma(unseen + 1.0) + u * log_p +
                                  (unseen + 0.5) * log_other) +
                                u * std::log(u) - u;
        EXPECT_NEAR(energy(n, u, logit), expected, 1e-11 * (1 + std::abs(expected)))
            << u << " of " << n << " at " << logit;
        EXPECT_NEAR(energy(n, u, static_cast<float>(logit)), expected,
                    4e-6 * (1 + std::abs(expected)))
            << u << " of " << n << " at " << logit;
      }
    }
  }
}

TEST(JollySeber, IsItsFormula) {
  const auto data = made_up();
  std::mt19937_64 bits(1);
  for (const bool as_coded : {false, true}) {
    const JollySeber<kOccasions> target(data, as_coded);
    double first = 0;  // the constant that potentials may leave out
    for (int k = 0; k < 200; ++k) {
      const std::vector<double> q = somewhere(target, bits);
      const double expected = -log_density(data, q.data(), animals_at(target, q), as_coded);
      const double difference = potential(target, q.data()).value() - expected;
      first = k == 0 ? difference : first;
      EXPECT_NEAR(difference, first, 1e-12 * (1 + std::abs(expected))) << k;
    }
  }
}

TEST(JollySeber, HasItsDerivatives) {
  for (const bool as_coded : {false, true}) {
    const GradientReport report = check_target(JollySeber<kOccasions>(made_up(), as_coded));
    EXPECT_TRUE(report.passed()) << report.summary();
  }
}

/// Of random moves, one after the other, of which most are made: each difference is that of two
/// potentials; what the cache has become after commits is what a fresh one would be; and the way
/// back has the opposite difference, to the bit.
template <class L>
void expect_differences(double tolerance) {
  using Target = JollySeber<kOccasions>;
  const Target target(made_up());
  std::mt19937_64 bits(2);
  int outside = 0, moved = 0;
  for (int start = 0; start < 20; ++start) {
    const std::vector<double> from = somewhere(target, bits);
    std::vector<L> q(from.begin(), from.end());
    Cache<Target, L> cache;
    prepare(target, q.data(), cache);
    for (int k = 0; k < 500; ++k) {
      const int j = Target::dim - kOccasions + static_cast<int>(bits() % kOccasions);
      L& x = q[static_cast<std::size_t>(j)];
      const L here = x, there = here + static_cast<L>(2 * uniform(bits) - 1);
      const L rise = delta(target, j, q.data(), there, cache);
      const auto before = potential(target, q.data());
      x = there;
      const auto after = potential(target, q.data());
      x = here;
      if (!std::isfinite(after.hi)) {
        EXPECT_EQ(rise, std::numeric_limits<L>::infinity());
        ++outside;
        continue;
      }
      EXPECT_NEAR(rise, (after - before).value(), tolerance * (1 + std::abs(rise)));
      const bool moves = bits() % 4 != 0;
      commit(target, j, q.data(), there, moves, cache);
      ASSERT_EQ(x, moves ? there : here);
      Cache<Target, L> fresh;
      prepare(target, q.data(), fresh);
      if (moves) {
        EXPECT_EQ(delta(target, j, q.data(), here, cache), -rise);
        EXPECT_EQ(delta(target, j, q.data(), here, fresh), -rise);
        ++moved;
      }
    }
  }
  EXPECT_GT(outside, 100);
  EXPECT_GT(moved, 5000);
}
TEST(JollySeber, HasItsDifferences) {
  expect_differences<double>(1e-12);
}
TEST(JollySeber, HasItsDifferencesInFloat) {
  expect_differences<float>(5e-5);
}

/// With u on an even grid of n points, an integer whose probability is P is drawn n P times, give
/// or take one: its u are an interval.
TEST(JollySeber, DrawsFromItsConditionalLaws) {
  const auto data = made_up();
  const JollySeber<kOccasions> target(data);
  std::mt19937_64 bits(3);
  constexpr int points = 4000;
  for (int k = 0; k < 5; ++k) {
    const std::vector<double> q = somewhere(target, bits);
    std::vector<float> single(q.begin(), q.end());
    std::vector<int> animals = animals_at(target, q);
    for (int i = 0; i < kOccasions; ++i) {
      const auto site = static_cast<std::size_t>(i);
      const int j = JollySeber<kOccasions>::dim - kOccasions + i;
      const int low = std::max(1, data.caught[site] - data.marked[site]);
      std::vector<double> law(static_cast<std::size_t>(data.most + 1));
      const int kept = animals[site];
      double top = -1e300;
      for (int n = low; n <= data.most; ++n) {
        animals[site] = n;
        double& weight = law[static_cast<std::size_t>(n)];
        weight = log_density(data, q.data(), animals, false) + std::log(std::log((n + 1.0) / n));
        top = std::max(top, weight);
      }
      animals[site] = kept;
      double total = 0;
      for (int n = low; n <= data.most; ++n) {
        double& weight = law[static_cast<std::size_t>(n)];
        total += weight = std::exp(weight - top);
      }
      std::vector<int> count(law.size()), count_single(law.size());
      for (int u = 0; u < points; ++u) {
        const double at = (u + 0.5) / points;
        const LogCells cells{low, data.most};
        ++count.at(static_cast<std::size_t>(cells.index(target.conditional(j, q.data(), at))));
        ++count_single.at(static_cast<std::size_t>(cells.index(target.conditional(
            j, static_cast<const float*>(single.data()), static_cast<float>(at)))));
      }
      for (int n = 0; n <= data.most; ++n) {
        const auto integer = static_cast<std::size_t>(n);
        EXPECT_NEAR(count[integer], points * law[integer] / total, 1) << "U_" << i + 1 << " " << n;
        EXPECT_NEAR(count_single[integer], points * law[integer] / total, 1.5)
            << "U_" << i + 1 << " " << n;
      }
    }
  }
}

TEST(JollySeber, StartsInTheMiddleOfCells) {
  const auto data = made_up();
  const JollySeber<kOccasions> target(data);
  std::mt19937_64 bits(4);
  for (int k = 0; k < 100; ++k) {
    std::vector<double> q = somewhere(target, bits);
    EXPECT_TRUE(std::isfinite(potential(target, q.data()).value()));
    const auto animals = animals_at(target, q);
    for (int i = 0; i < kOccasions; ++i) {
      const auto site = static_cast<std::size_t>(i);
      EXPECT_GE(animals[site], data.caught[site] - data.marked[site]);
      EXPECT_LE(animals[site], data.most);
      EXPECT_NEAR(q[q.size() - kOccasions + site], std::log(animals[site] + 0.5), 0.5 / 12);
    }
    // Beyond either end of the support.
    for (const double out : {std::log(6.5), std::log(data.most + 1.5)}) {
      const double kept = q[q.size() - kOccasions];
      q[q.size() - kOccasions] = out;
      EXPECT_EQ(potential(target, q.data()).hi, std::numeric_limits<double>::infinity());
      q[q.size() - kOccasions] = kept;
    }
  }
}

TEST(JollySeber, RefusesCountsThatCannotBe) {
  const auto refused = [](auto change, const std::string& what) {
    auto data = made_up();
    change(data);
    try {
      JollySeber<kOccasions>{data};
      ADD_FAILURE() << "accepted: " << what;
    } catch (const UsageError& e) {
      EXPECT_NE(std::string(e.what()).find(what), std::string::npos) << e.what();
    }
  };
  refused([](auto& d) { d.released[1] = 19; }, "more released than caught on occasion 2");
  refused([](auto& d) { d.caught_again[2] = 10; }, "more caught again than released on occasion 3");
  refused([](auto& d) { d.marked[1] = 13; }, "more marked animals than can be on occasion 2");
  refused([](auto& d) { d.caught_again[3] = 7; }, "more caught again than marked in the end");
  refused([](auto& d) { d.caught[0] = 0; }, "too few unmarked animals on occasion 1");
  refused([](auto& d) { d.most = 11; }, "U has no room");
  refused([](auto& d) { d.spread = 20; }, "variance of births");
  refused([](auto& d) { d.spread = -1; }, "positive");
}

// ---- simulation-based calibration ---------------------------------------------------------------

constexpr int kFew = 3;
constexpr int kRates = 2 * kFew - 1, kDim = 3 * kFew - 1;

/// What the prior and the model's own mechanism produce: parameters on the reported scale, and
/// data.
struct Simulated {
  std::array<double, kDim> x;
  JollySeberData<kFew> data;
};

/// Animal by animal. A prior that is not renormalised where it is cut off is one whose simulations
/// are thrown away there, data and all; so is an empty first occasion, which no posterior is asked
/// for.
Simulated simulate(std::mt19937_64& bits, int most, double spread) {
  for (;;) {
    Simulated s{};
    s.data.most = most;
    s.data.spread = spread;
    for (int j = 0; j < kRates; ++j) {
      s.x[static_cast<std::size_t>(j)] = uniform(bits);
    }
    const auto happens = [&](double probability) { return uniform(bits) <= probability; };
    const double* p = s.x.data();
    const double* phi = p + kFew;
    // P(U_1 = n) ~ 1 / n.
    double harmonic = 0;
    for (int n = 1; n <= most; ++n) {
      harmonic += 1.0 / n;
    }
    double left = uniform(bits) * harmonic;
    int animals = 0;
    do {
      left -= 1.0 / ++animals;
    } while (left > 0 && animals < most);

    std::vector<int> marked;  // when each that is alive was last released
    bool kept = true;
    for (int i = 0; i < kFew && kept; ++i) {
      const auto site = static_cast<std::size_t>(i);
      s.x[kRates + site] = animals;
      for (int& last : marked) {
        if (happens(p[i])) {
          ++s.data.marked[site];
          ++s.data.caught_again[static_cast<std::size_t>(last)];
          last = i;
        }
      }
      int unmarked = 0;
      for (int k = 0; k < animals; ++k) {
        unmarked += happens(p[i]);
      }
      kept = i > 0 || unmarked > 0;
      s.data.caught[site] = unmarked + s.data.marked[site];
      if (i == kFew - 1) {
        break;
      }
      marked.insert(marked.end(), static_cast<std::size_t>(unmarked), i);
      s.data.released[site] = s.data.caught[site];
      std::vector<int> alive;
      for (const int last : marked) {
        if (happens(phi[i])) {
          alive.push_back(last);
        }
      }
      marked = alive;
      // The normal density at the integers: by rejection from the normal law, rounded.
      const int unseen = animals - unmarked;
      const double v = spread * spread + phi[i] * (1 - phi[i]) * unseen, mean = phi[i] * unseen;
      const auto density = [&](double x) { return std::exp(-(x - mean) * (x - mean) / (2 * v)); };
      const double reach = std::ceil(9 * std::sqrt(v));
      double to;
      do {
        to = std::floor(mean - reach + (2 * reach + 1) * (1 - uniform(bits)));
      } while (uniform(bits) > density(to));
      kept = kept && 1 <= to && to <= most;
      animals = static_cast<int>(to);
    }
    if (kept) {
      return s;
    }
  }
}

/// Ranks of what was simulated among as many draws of its posterior, for each parameter and the
/// potential: chi-square of the ranks in `kBins` bins, which has kBins - 1 degrees of freedom if
/// sampler, target and simulator agree (Talts et al., arXiv 1804.06788).
constexpr int kBins = 16;
std::vector<double> calibrate(bool as_coded, int replicas) {
  constexpr int most = 60, chains = 63;
  constexpr double spread = 12;
  std::vector<std::vector<double>> count(kDim + 1, std::vector<double>(kBins));
  std::mt19937_64 bits(5);
  SampleOptions options;
  options.chains = chains;
  options.warmup = 0;
  options.draws = 24;
  options.thin = options.draws;
  options.keep_chains = -1;
  options.superchain = 1;
  options.threads = 1;
  const Sampler sampler = as_published(0.5, 0.6, 12, 20, {}, kDim);
  for (int k = 0; k < replicas; ++k) {
    const Simulated s = simulate(bits, most, spread);
    const JollySeber<kFew> target(s.data, as_coded);
    options.seed = static_cast<std::uint64_t>(k + 1);
    const Fit fit = sample(target, sampler, options);
    const auto energy = [&](const double* x) {
      std::array<double, kDim> q;
      for (int j = 0; j < kDim; ++j) {
        q[static_cast<std::size_t>(j)] = j < kRates ? logit(x[j]) : std::log(x[j] + 0.5);
      }
      return potential(target, static_cast<const double*>(q.data())).value();
    };
    std::array<double, kDim + 1> truth;
    std::copy(s.x.begin(), s.x.end(), truth.begin());
    truth[kDim] = energy(s.x.data());
    std::array<int, kDim + 1> below{}, equal{};
    for (int c = 0; c < chains; ++c) {
      std::array<double, kDim + 1> draw;
      for (int j = 0; j < kDim; ++j) {
        draw[static_cast<std::size_t>(j)] = fit.draws.row(fit.draws.draws - 1, j)[c];
      }
      draw[kDim] = energy(draw.data());
      for (std::size_t j = 0; j <= kDim; ++j) {
        below[j] += draw[j] < truth[j];
        equal[j] += draw[j] == truth[j];
      }
    }
    for (std::size_t j = 0; j <= kDim; ++j) {
      // Among equals, any rank.
      const int rank = below[j] + static_cast<int>(bits() % static_cast<unsigned>(equal[j] + 1));
      ++count[j][static_cast<std::size_t>(rank * kBins / (chains + 1))];
    }
  }
  std::vector<double> chi_square;
  const double expected = static_cast<double>(replicas) / kBins;
  for (const auto& bins : count) {
    double sum = 0;
    for (const double n : bins) {
      sum += (n - expected) * (n - expected) / expected;
    }
    chi_square.push_back(sum);
  }
  return chi_square;
}

TEST(JollySeber, IsCalibrated) {
  for (const double chi_square : calibrate(false, 2000)) {
    EXPECT_LT(chi_square, 44.26);  // 15 degrees of freedom: one in 10^4 is above
  }
}

TEST(JollySeber, CalibrationSeesTheIndexSlip) {
  const std::vector<double> chi_square = calibrate(true, 2000);
  EXPECT_GT(*std::max_element(chi_square.begin(), chi_square.end()), 100);
}

// ---- the black-kneed capsid ---------------------------------------------------------------------

using Capsid = JollySeber<kCapsidOccasions>;

/// With the settings of the paper: every mean, standard deviation and quantile is the reference's.
TEST(JollySeber, HasItsPosterior) {
  std::filesystem::path file;
  try {
    file = find_data_file("capsid_jolly_seber", "reference.json");
  } catch (const FileError& absent) {
    GTEST_SKIP() << absent.what();
  }
  const Capsid target(load_capsid());
  SampleOptions options;
  options.chains = 1024;
  options.warmup = 60;
  options.draws = 100;
  options.superchain = 1;
  options.keep_chains = -1;
  options.seed = 2;
  const Fit fit = sample(target, published_jolly_seber(capsid_deviations()), options);
  EXPECT_GT(fit.acceptance, 0.85);
  EXPECT_GT(fit.ess_per_transition_min(), 0.4);
  const auto figures = compare(fit, read_reference(file, "jolly_seber"));
  EXPECT_EQ(figures.size(), 5 * static_cast<std::size_t>(Capsid::dim));
  EXPECT_LT(largest_own_error(figures), 0.01) << "the run is too short to prove anything";
  expect_agreement(figures);
}

}  // namespace
}  // namespace lockstep
