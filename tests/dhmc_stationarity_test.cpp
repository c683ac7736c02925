/// Discontinuous HMC, Mixed HMC and Gibbs leave laws that can be summed as they are: total
/// variation to the enumerated law of a few 1e7 draws, and chi-square of half a million independent
/// chains. Trajectories are stressed to acceptance near 0.45 where anything can be rejected: at
/// high acceptance a wrong order of visits is invisible.

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "kernels/targets/binomial_n.hpp"
#include "kernels/targets/mixture_indicator.hpp"
#include "kernels/targets/sign.hpp"
#include "tests/dhmc_laws.hpp"

namespace lockstep {
namespace {

using testing::Coupled;
using testing::CoupledLaw;
using testing::GridLaw;
using testing::MixedLaw;
using testing::Occupation;
using testing::occupy;
using testing::unit_metric;
using Lane = Twin<FloatBatch>;

constexpr double kLimit = 0.003;  // total variation; of Monte Carlo's error there is a third of it

struct Case {
  const char* name;
  Sampler sampler;
  PreparedMetric metric;
};

/// Runs every case both ways. @param low, high  what the mean acceptance must be between
template <class Law, class Target>
void keeps(const Target& target, const std::vector<Case>& cases, double low, double high) {
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    testing::with_transition<float>(target, c.sampler, c.metric, 20, [&](const auto& transition) {
      const Occupation few = occupy<Lane, Law>(target, transition, 20, 2048, 8000);
      const Occupation many = occupy<Lane, Law>(target, transition, 21, 1 << 18, 12);
      const double distance = testing::total_variation<Law>(few);
      const double excess = testing::chi_square_excess<Law>(many);
      std::printf("%-28s acceptance %.3f  moves %.3f  total variation %.5f  chi-square %+.1f sd\n",
                  c.name, few.acceptance, few.tally[0], distance, excess);
      EXPECT_LT(distance, kLimit);
      EXPECT_LT(excess, 5);
      EXPECT_GT(few.acceptance, low);
      EXPECT_LE(few.acceptance, high);
    });
  }
}

Sampler with_order(VisitOrder order, double step, double hop, int leapfrog,
                   std::vector<double> scale) {
  return Dhmc{.step_size = step,
              .hop = hop,
              .step_jitter = 0.2,
              .leapfrog = leapfrog,
              .hop_scale = std::move(scale),
              .order = order};
}

TEST(DhmcStationarity, IntegerGrid) {
  const std::vector<double> unequal{0.8, 1.7};
  const PreparedMetric unit = unit_metric(2);
  keeps<GridLaw>(IntegerGrid{},
                 {{"coin", with_order(VisitOrder::coin, 1, 0.9, 4, {}), unit},
                  {"coin, unequal masses", with_order(VisitOrder::coin, 1, 0.9, 4, unequal), unit},
                  {"permutation, unequal masses",
                   with_order(VisitOrder::permutation, 1, 0.9, 4, unequal), unit},
                  {"Mixed HMC", MixedHmc{.step_size = 1, .hop = 1.3, .leapfrog = 3}, unit},
                  {"Gibbs", Gibbs{.step_size = 1, .hop = 1.3, .leapfrog = 1}, unit}},
                 0.999999, 1);
}

TEST(DhmcStationarity, MixedGrid) {
  const std::vector<double> unequal{0.8, 1.7, 1};
  const PreparedMetric unit = unit_metric(3);
  keeps<MixedLaw>(
      MixedGrid{},
      {{"coin", with_order(VisitOrder::coin, 1.75, 1, 3, {}), unit},
       {"coin, unequal masses", with_order(VisitOrder::coin, 1.75, 1, 3, unequal), unit},
       {"permutation, unequal masses", with_order(VisitOrder::permutation, 1.75, 1, 3, unequal),
        unit},
       {"Mixed HMC", MixedHmc{.step_size = 1.7, .hop = 1.3, .step_jitter = 0.2, .leapfrog = 3},
        unit},
       {"Gibbs", Gibbs{.step_size = 1.7, .hop = 1.3, .step_jitter = 0.2, .leapfrog = 3}, unit}},
      0.35, 0.6);
}

/// Metrics of the smooth coordinates alone, discontinuous ones before and between them.
TEST(DhmcStationarity, EveryMetric) {
  const std::vector<double> unequal{0.8, 1, 1.7, 1};
  keeps<CoupledLaw>(Coupled{},
                    {{"diagonal", with_order(VisitOrder::coin, 0.9, 1, 3, unequal),
                      testing::some_diagonal_metric(4)},
                     {"dense", with_order(VisitOrder::permutation, 1, 1, 3, unequal),
                      testing::some_dense_metric(4)},
                     {"low rank", with_order(VisitOrder::coin, 0.4, 0.9, 3, unequal),
                      testing::some_low_rank_metric(4)},
                     {"Mixed HMC, dense", MixedHmc{.step_size = 1, .hop = 1.3, .leapfrog = 3},
                      testing::some_dense_metric(4)},
                     {"Gibbs, low rank", Gibbs{.step_size = 0.4, .hop = 0.4, .leapfrog = 3},
                      testing::some_low_rank_metric(4)}},
                    0.3, 0.7);
}

// ---- published laws
// ------------------------------------------------------------------

/// The last positions of chains that start in the law: chi-square, and q[0]'s mean in standard
/// errors.
struct Ends {
  double mean, square, excess, error;
};
template <class Law, class Target>
Ends ends(const char* name, const Target& target, const Sampler& sampler, double mean, double sd) {
  constexpr std::int64_t chains = 1 << 18;
  Ends e{};
  testing::with_transition<float>(
      target, sampler, unit_metric(Target::dim), 22, [&](const auto& transition) {
        const Occupation o = occupy<Lane, Law>(target, transition, 22, chains, 20);
        e = {o.last_mean, o.last_square, testing::chi_square_excess<Law>(o),
             (o.last_mean - mean) / (sd / std::sqrt(static_cast<double>(chains)))};
        std::printf("%-28s acceptance %.3f  mean %.4f (%+.1f se)  chi-square %+.1f sd\n", name,
                    o.acceptance, e.mean, e.error, e.excess);
      });
  EXPECT_LT(e.excess, 5) << name;
  EXPECT_LT(std::abs(e.error), 4) << name;
  return e;
}

/// Signs, and quarters of |x| given them.
struct SignLaw {
  static constexpr int cells = 8;
  static constexpr double quartiles[] = {0.31863936396437515, 0.6744897501960817,
                                         1.1503493803760079};
  template <class L>
  static L cell(const L* q) {
    L k = select(q[0] < L(0), L(0), L(4));
    for (const double quartile : quartiles) {
      k += select(abs(q[0]) < constant<L>(quartile), L(0), L(1));
    }
    return k;
  }
  static double probability(int cell) {
    const double positive = 1 / (1 + std::exp(-2.0));
    return (cell < 4 ? 1 - positive : positive) / 4;
  }
  static void draw(testing::Exact& exact, double* q) {
    const double size = std::abs(exact.normal());
    q[0] = exact.uniform() < 4 * probability(4) ? size : -size;
  }
};

TEST(DhmcStationarity, ProgramWithAnIf) {
  const double mean = Sign{}.truth().mean[0], sd = Sign{}.truth().sd[0];
  EXPECT_NEAR(mean, 0.6077, 5e-5);
  ends<SignLaw>("if: DHMC", Sign{}, with_order(VisitOrder::coin, 1, 1.1, 3, {}), mean, sd);
  ends<SignLaw>("if: Mixed HMC", Sign{}, MixedHmc{.step_size = 1, .hop = 1.5}, mean, sd);
  ends<SignLaw>("if: Gibbs", Sign{}, Gibbs{.step_size = 1, .hop = 1.5}, mean, sd);
}

/// Ranges of N.
struct BinomialLaw {
  static constexpr int from[] = {115, 130, 145, 160, 180, 205, 240, 290, 370, 550, 1100};
  static constexpr int cells = 12;
  template <class L>
  static L cell(const L* q) {
    const L n = LogCells{BinomialN::successes, BinomialN::most}.index(q[1]);
    L k = L(0);
    for (const int first : from) {
      k += select(n < L(static_cast<Scalar<L>>(first)), L(0), L(1));
    }
    return k;
  }
  static double probability(int cell) {
    static const std::vector<double> table = [] {
      std::vector<double> p(cells);
      const std::vector<double> law = BinomialN::law();
      for (std::size_t n = 0; n < law.size(); ++n) {
        const auto after = std::upper_bound(std::begin(from), std::end(from), static_cast<int>(n));
        p[static_cast<std::size_t>(after - std::begin(from))] += law[n];
      }
      return p;
    }();
    return table[static_cast<std::size_t>(cell)];
  }
  /// N by inversion, p given N by a ratio of gammas.
  static void draw(testing::Exact& exact, double* q) {
    static const std::vector<double> sums = [] {
      std::vector<double> s = BinomialN::law();
      std::partial_sum(s.begin(), s.end(), s.begin());
      return s;
    }();
    const double u = exact.uniform() * sums.back();
    const auto n = static_cast<int>(std::upper_bound(sums.begin(), sums.end(), u) - sums.begin());
    const double a = exact.gamma(BinomialN::successes + 2),
                 b = exact.gamma(n - BinomialN::successes + 2);
    q[0] = std::log(a / b);
    // Evenly in the cell: the law is in the position too.
    const double low = std::log(static_cast<float>(n)), high = std::log(static_cast<float>(n + 1));
    q[1] = low + (high - low) * (0.01 + 0.98 * exact.uniform());
  }
};

/// The published settings: steps uniform on 0.08..0.1, 15 to 20 of them, all masses 1.
TEST(DhmcStationarity, BinomialWithUnknownTrials) {
  Sampler published =
      Dhmc{.step_size = 0.09, .hop = 0.09, .step_jitter = 1.0 / 9, .leapfrog = 15, .longest = 20};
  // E logit p has no need to be known: that of exact draws, over enough of them.
  testing::Exact exact(1);
  double mean = 0, square = 0, q[2];
  constexpr int draws = 4000000;
  for (int i = 0; i < draws; ++i) {
    BinomialLaw::draw(exact, q);
    mean += q[0] / draws;
    square += q[0] * q[0] / draws;
  }
  const double sd = std::sqrt(square - mean * mean);
  ends<BinomialLaw>("(N, p): DHMC", BinomialN{}, published, mean, sd);
  published.method = Method::gibbs;
  published.hop = 0.5;
  ends<BinomialLaw>("(N, p): Gibbs", BinomialN{}, published, mean, sd);
}

/// Components, and the halves of each.
struct IndicatorLaw {
  static constexpr int cells = 8;
  template <class L>
  static L cell(const L* q) {
    const L z = floor(q[1]);
    return fma(L(2), z, select(q[0] < L(2) * (z - L(1)), L(0), L(1)));
  }
  static double probability(int cell) { return 0.5 * MixtureIndicator::probability(cell / 2); }
  static void draw(testing::Exact& exact, double* q) {
    const int z = exact.cell<IndicatorLaw>() / 2;
    q[0] = 2.0 * (z - 1) + 0.5 * exact.normal();
    q[1] = z + exact.uniform();
  }
};

/// Mixed HMC's own oracle: mean 1.3, variance 4.36.
TEST(DhmcStationarity, MixtureWithItsIndicator) {
  const Sampler mixed = MixedHmc{.step_size = 0.4, .hop = 1, .step_jitter = 0.2, .leapfrog = 6};
  Sampler gibbs = mixed, dhmc = mixed;
  gibbs.method = Method::gibbs;
  dhmc.method = Method::dhmc;
  for (const auto& [name, sampler] : {std::pair{"mixture: Mixed HMC", mixed},
                                      {"mixture: Gibbs", gibbs},
                                      {"mixture: DHMC", dhmc}}) {
    const Ends e = ends<IndicatorLaw>(name, MixtureIndicator{}, sampler, 1.3, std::sqrt(4.36));
    EXPECT_NEAR(e.square - e.mean * e.mean, 4.36, 0.04);
  }
}

}  // namespace
}  // namespace lockstep
