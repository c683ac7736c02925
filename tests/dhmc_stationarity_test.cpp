/// Discontinuous HMC, Mixed HMC and Gibbs leave laws that can be summed as they are: total
/// variation to the enumerated law of a few 1e7 draws, and chi-square of half a million independent
/// chains. Trajectories are stressed to acceptance near 0.45 where anything can be rejected: at
/// high acceptance a wrong order of visits is invisible.

#include <cstdio>
#include <string>

#include <gtest/gtest.h>

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
      std::printf(
          "%-28s acceptance %.3f  no-flip %.3f  total variation %.5f  chi-square %+.1f sd\n",
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

}  // namespace
}  // namespace lockstep
