// L2HMC as a user writes it: a target with nothing but its potential, train, sample.

#include <cmath>
#include <filesystem>

#include <gtest/gtest.h>

#include "lockstep/l2hmc.hpp"
#include "lockstep/lockstep.hpp"

namespace lockstep {
namespace {

/// N(mean, C) with sd 3 along (1, 2) / sqrt 5 and 0.5 across, about (1, -1).
struct Tilted {
  static constexpr int dim = 2;
  template <class T>
  LOCKSTEP_HD T potential(const T* q) const {
    const T x = q[0] - T(1), y = q[1] + T(1);
    const T along = x + T(2) * y, across = T(2) * x - y;
    return along * along / T(90) + across * across / T(2.5);
  }
};
constexpr double kVariance[] = {(9 + 4 * 0.25) / 5, (4 * 9 + 0.25) / 5};

SampleOptions run_of(std::int64_t chains, int warmup, int draws) {
  SampleOptions run;
  run.chains = chains;
  run.warmup = warmup;
  run.draws = draws;
  run.seed = 3;
  return run;
}

/// Means within 4 MCSE; mean squares within 4 of the spread between chains, which tells even where
/// draws mirror each other and means are known far better than squares.
void expect_law(const Fit& fit) {
  const double mean[] = {1, -1};
  const auto chains = static_cast<std::size_t>(fit.options.chains);
  for (std::size_t j = 0; j < Tilted::dim; ++j) {
    const ParameterSummary& p = fit.parameters[j];
    EXPECT_LT(std::abs(p.mean - mean[j]), 4 * p.mcse) << p.name;
    double sum = 0, squares = 0;
    for (std::size_t c = 0; c < chains; ++c) {
      const double of_chain = 0.5 * (fit.statistics.mean_square[0][j * chains + c] +
                                     fit.statistics.mean_square[1][j * chains + c]);
      sum += of_chain;
      squares += of_chain * of_chain;
    }
    const auto n = static_cast<double>(chains);
    const double found = sum / n;
    const double error = std::sqrt((squares / n - found * found) / n);
    EXPECT_LT(std::abs(found - (kVariance[j] + mean[j] * mean[j])), 4 * error) << p.name;
  }
  EXPECT_LT(fit.rhat_max(), 1.01);
}

TEST(L2hmcApi, TrainsAndSamplesATargetWithAPotentialOnly) {
  L2hmcOptions options;
  options.steps = 5;
  options.iterations = 400;
  options.learning_rate = 3e-3;
  options.noise_weight = 0;
  options.enough_jump = 0.7;
  options.threads = 2;
  const Network network = train(Tilted{}, options);
  EXPECT_GT(network.training.jump, network.training.history.front().jump);

  SampleOptions run = run_of(1024, 300, 3000);
  const Fit fit = sample(Tilted{}, L2hmc{network}, run);
  expect_law(fit);
  EXPECT_EQ(fit.gradients_sampling, 3000 * options.steps);

  const std::filesystem::path file = std::filesystem::path(::testing::TempDir()) / "api.network";
  network.save(file);
  EXPECT_EQ(sample(Tilted{}, L2hmc{Network::load(file)}, run).digest(), fit.digest());

  run.precision = Precision::double_;
  expect_law(sample(Tilted{}, L2hmc{network}, run));
}

TEST(L2hmcApi, StartsFromTheMetricThatHmcFound) {
  Hmc diagonal;
  diagonal.metric = Metric::diagonal;
  const Fit warm = sample(Tilted{}, diagonal, run_of(512, 300, 100));
  L2hmcOptions options;
  options.steps = 5;
  options.iterations = 50;
  options.inverse_mass = warm.metric.inverse_mass;
  options.step_size = warm.sampler.step_size;
  const Network network = train(Tilted{}, options);
  for (std::size_t j = 0; j < 2; ++j) {
    EXPECT_DOUBLE_EQ(network.scale[j], std::sqrt(warm.metric.inverse_mass[j]));
  }
  expect_law(sample(Tilted{}, L2hmc{network}, run_of(1024, 200, 1000)));
}

TEST(L2hmcApi, RefusesAnotherTargetsNetwork) {
  const Network other = initial_network({3, 5, 10, 2}, 0.1, 1);
  EXPECT_THROW(sample(Tilted{}, L2hmc{other}, run_of(64, 1, 10)), UsageError);
  SampleOptions on_cuda = run_of(64, 1, 10);
  on_cuda.backend = Backend::cuda;
  EXPECT_THROW(sample(Tilted{}, L2hmc{initial_network({2, 5, 10, 2}, 0.1, 1)}, on_cuda),
               BackendError);
}

}  // namespace
}  // namespace lockstep
