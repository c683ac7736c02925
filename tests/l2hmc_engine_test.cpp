// L2HMC as it is run: through the library's engine, with the target behind virtual functions.

#include <cmath>
#include <memory>
#include <vector>

#include <gtest/gtest.h>

#include "host/exact_draws.hpp"
#include "host/registry.hpp"
#include "kernels/launch/l2hmc.hpp"
#include "kernels/targets/normal.hpp"
#include "kernels/targets/rough_well.hpp"
#include "lockstep/result.hpp"
#include "tests/l2hmc_legs.hpp"

namespace lockstep {
namespace {

SampleOptions options_of(std::int64_t chains, int draws, Precision precision) {
  SampleOptions o;
  o.chains = chains;
  o.warmup = 0;
  o.draws = draws;
  o.seed = 9;
  o.precision = precision;
  o.backend = Backend::cpu;
  o.keep_chains = 0;
  return o;
}

std::vector<double> positions_after(Engine& engine, const Sampler& sampler,
                                    const SampleOptions& options) {
  run(engine, sampler, options);
  std::vector<double> q(static_cast<std::size_t>(engine.description().dim * options.chains));
  engine.positions(q);
  return q;
}

/// With a network that returns zero an engine draws what HMC's draws.
TEST(L2hmcEngine, DrawsAsHmcDoesWithoutNetworks) {
  const int dim = 50;
  for (const int steps : {1, 5}) {
    SampleOptions options = options_of(40, 20, Precision::double_);
    options.start = exact::starts("icg", dim, options.chains, 3);
    Network network = initial_network({dim, steps}, 0.16, 1);
    for (std::size_t i = 1; i < network.parameters.size(); ++i) {
      network.parameters[i] = 0;
    }
    const Sampler hmc = Hmc{.step_size = 0.16,
                            .leapfrog = steps,
                            .length_jitter = LengthJitter::none,
                            .metric = Metric::unit};
    const auto engine = make_cpu_l2hmc_engine<double>(block_target<double>(Icg{}), options);
    const auto hmc_engine = find_target("icg").make({}, options);
    const std::vector<double> a = positions_after(*engine, L2hmc(network), options);
    const std::vector<double> b = positions_after(*hmc_engine, hmc, options);
    for (std::size_t i = 0; i < a.size(); ++i) {
      ASSERT_NEAR(a[i], b[i], 1e-9) << "steps " << steps << ", " << i;
    }
    EXPECT_NE(a, options.start);
  }
}

/// Wild networks in float, from the law of Rough Well: the law is kept.
TEST(L2hmcEngine, KeepsTheLaw) {
  SampleOptions options = options_of(16384, 24, Precision::single_);
  options.start = exact::starts("rough-well", 2, options.chains, 5);
  Network network = testing::random_network({2, 5, 10, 2}, 0.3, 8);
  network.masks = initial_network(network.shape, 0.3, 2).masks;
  network.scale = {1.3, 0.8};
  const auto engine = make_cpu_l2hmc_engine<float>(block_target<float>(RoughWell<2>()), options);
  const Fit fit = run(*engine, L2hmc(network), options);
  EXPECT_GT(fit.acceptance, 0.1);
  EXPECT_LT(fit.acceptance, 0.95);
  for (const ParameterSummary& p : fit.parameters) {
    EXPECT_LT(std::abs(p.error_in_mcse), 4) << p.name;
    EXPECT_LT(std::abs(p.sd_error_in_mcse), 4) << p.name;
  }
}

/// A chain's draws depend on the seed and its number, not on who else is there or on how many
/// threads move them.
TEST(L2hmcEngine, ChainsDoNotDependOnThreadsOrCompany) {
  const Network network = [] {
    Network n = testing::random_network({2, 5, 10, 2}, 0.1, 2);
    n.masks = initial_network(n.shape, 0.1, 2).masks;
    return n;
  }();
  const auto positions = [&](std::int64_t chains, int threads) {
    SampleOptions options = options_of(chains, 10, Precision::single_);
    options.threads = threads;
    const std::vector<double> all = exact::starts("scg", 2, 100, 5);
    for (const int j : {0, 1}) {
      options.start.insert(options.start.end(), all.begin() + 100 * j,
                           all.begin() + 100 * j + chains);
    }
    const auto engine = make_cpu_l2hmc_engine<float>(block_target<float>(Scg{}), options);
    return positions_after(*engine, L2hmc(network), options);
  };
  const std::vector<double> all = positions(100, 1), few = positions(37, 1);
  EXPECT_EQ(all, positions(100, 3));
  for (std::size_t c = 0; c < 37; ++c) {
    EXPECT_EQ(few[c], all[c]);
    EXPECT_EQ(few[37 + c], all[100 + c]);
  }
}

}  // namespace
}  // namespace lockstep
