#include "bench/studies/dhmc_cases.hpp"

#include "kernels/targets/integer_grid.hpp"
#include "kernels/targets/mixed_grid.hpp"

namespace lockstep::bench {

namespace {

/// The sampler whatever other chains did.
std::function<Sampler(const ChainSpread&)> always(const Sampler& sampler) {
  return [sampler](const ChainSpread&) { return sampler; };
}

/// The random walk with the law's covariance and the step that is best for normal laws of many
/// dimensions (Roberts, Gelman & Gilks 1997).
Sampler scaled_walk(const ChainSpread& spread) {
  return RandomWalk{.step_size = 2.38 / std::sqrt(static_cast<double>(spread.dim)),
                    .metric = Metric::dense,
                    .inverse_mass = spread.covariance};
}

DhmcCase grid() {
  DhmcCase c{.name = "grid", .target = "integer-grid"};
  CellLaw law;
  for (int m = 0; m < 6; ++m) {
    for (int n = 0; n < 6; ++n) {
      law.probability.push_back(IntegerGrid::probability(m, n));
    }
  }
  law.parameters = {0, 1};
  law.cell = [](const double* x) { return static_cast<std::size_t>(6 * x[0] + x[1]); };
  c.law = law;
  // All coordinates are integers: there is no step size, and nothing to adapt but the hop.
  const Dhmc dhmc{.step_size = 1,
                  .hop = 0.9,
                  .step_jitter = 0.2,
                  .leapfrog = 4,
                  .longest = 6,
                  .metric = Metric::unit};
  c.recipes = {
      {.method = "dhmc", .sampler = always(dhmc), .draws = 2000},
      {.method = "mixed-hmc",
       .sampler = always(MixedHmc{.step_size = 1, .hop = 1.2, .metric = Metric::unit}),
       .draws = 2000},
      {.method = "gibbs",
       .sampler = always(Gibbs{.step_size = 1, .hop = 1.2, .metric = Metric::unit}),
       .draws = 2000},
      {.method = "rwm", .sampler = scaled_walk, .pilot = "dhmc", .draws = 2000},
  };
  return c;
}

DhmcCase mixed_grid() {
  DhmcCase c{.name = "mixed-grid", .target = "mixed-grid"};
  // Quartiles of the standardised y, beside m and n: 64 cells.
  constexpr int kSize = MixedGrid::size;
  constexpr double kQuartile = 0.6744897501960817;
  CellLaw law;
  for (int m = 0; m < kSize; ++m) {
    for (int n = 0; n < kSize; ++n) {
      law.probability.insert(law.probability.end(), 4, 0.25 * MixedGrid::probability(m, n));
    }
  }
  law.parameters = {0, 1, 2};
  law.cell = [](const double* x) {
    const int m = static_cast<int>(x[0]), n = static_cast<int>(x[1]);
    const double y = MixedGrid::standardised(m, n, x[2]);
    const int quartile = y < -kQuartile ? 0 : y < 0 ? 1 : y < kQuartile ? 2 : 3;
    return static_cast<std::size_t>(4 * (kSize * m + n) + quartile);
  };
  c.law = law;
  Dhmc dhmc{.step_size = 0.6,
            .hop = 0.9,
            .step_jitter = 0.2,
            .leapfrog = 4,
            .longest = 6,
            .metric = Metric::unit};
  c.recipes = {{.method = "dhmc", .sampler = always(dhmc), .draws = 2000}};
  // Steps so long that most trajectories are refused: what breaks reversibility shows.
  dhmc.step_size = 1.6;
  c.recipes.push_back({.method = "dhmc-stressed", .sampler = always(dhmc), .draws = 2000});
  c.recipes.push_back({.method = "mixed-hmc",
                       .sampler = always(MixedHmc{.step_size = 0.6,
                                                  .hop = 1.2,
                                                  .step_jitter = 0.2,
                                                  .leapfrog = 4,
                                                  .longest = 6,
                                                  .metric = Metric::unit}),
                       .draws = 2000});
  c.recipes.push_back({.method = "gibbs",
                       .sampler = always(Gibbs{.step_size = 0.6,
                                               .hop = 1.2,
                                               .step_jitter = 0.2,
                                               .leapfrog = 4,
                                               .longest = 6,
                                               .metric = Metric::unit}),
                       .draws = 2000});
  c.recipes.push_back({.method = "rwm", .sampler = scaled_walk, .pilot = "dhmc", .draws = 2000});
  return c;
}

}  // namespace

const std::vector<DhmcCase>& dhmc_cases() {
  static const std::vector<DhmcCase> cases{grid(), mixed_grid()};
  return cases;
}

}  // namespace lockstep::bench
