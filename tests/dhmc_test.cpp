/// Discontinuous HMC on a law that can be summed.

#include "lockstep/dhmc.hpp"

#include <cmath>
#include <vector>

#include <gtest/gtest.h>

#include "kernels/targets/integer_grid.hpp"

namespace lockstep {
namespace {

/// Total variation between the draws of (m, n) and the law.
double total_variation(const Fit& fit) {
  std::vector<double> count(36);
  double total = 0;
  for (std::int64_t t = 0; t < fit.draws.draws; ++t) {
    for (std::int64_t c = 0; c < fit.draws.chains; ++c) {
      const int m = static_cast<int>(fit.draws.row(t, 0)[c]);
      const int n = static_cast<int>(fit.draws.row(t, 1)[c]);
      ++count[static_cast<std::size_t>(6 * m + n)];
      ++total;
    }
  }
  double distance = 0;
  for (int m = 0; m < 6; ++m) {
    for (int n = 0; n < 6; ++n) {
      distance += 0.5 * std::abs(count[static_cast<std::size_t>(6 * m + n)] / total -
                                 IntegerGrid::probability(m, n));
    }
  }
  return distance;
}

TEST(Dhmc, SamplesTheIntegerGrid) {
  SampleOptions options;
  options.chains = 4096;
  options.warmup = 20;
  options.draws = 500;
  options.keep_chains = -1;
  for (const Sampler& sampler :
       {Sampler(Dhmc{.step_size = 1, .hop = 0.9, .step_jitter = 0.2, .leapfrog = 5}),
        Sampler(Dhmc{.step_size = 1,
        .hop = 0.9,
        .step_jitter = 0.2,
        .leapfrog = 5,
        .order = VisitOrder::permutation}),
        Sampler(MixedHmc{.step_size = 1, .hop = 1.2}),
        Sampler(Gibbs{.step_size = 1, .hop = 1.2})}) {
    const Fit fit = sample(IntegerGrid{}, sampler, options);
    EXPECT_LT(total_variation(fit), 0.003) << static_cast<int>(sampler.method);
    EXPECT_GT(fit.acceptance, 0.9999999);
  }
}

}  // namespace
}  // namespace lockstep
