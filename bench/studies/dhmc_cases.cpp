#include "bench/studies/dhmc_cases.hpp"

#include "kernels/targets/integer_grid.hpp"

namespace lockstep::bench {

namespace {

/// The sampler whatever other chains did.
std::function<Sampler(const ChainSpread&)> always(const Sampler& sampler) {
  return [sampler](const ChainSpread&) { return sampler; };
}

/// DHMC as its authors set it: eps uniform on [c e, e], steps uniform on least..most, and one eps
/// for smooth and discontinuous coordinates alike, in units of the metric's.
Dhmc as_published(double e, double c, int least, int most) {
  const double middle = 0.5 * (1 + c) * e;
  return {.step_size = middle,
          .hop = middle,
          .step_jitter = (1 - c) / (1 + c),
          .leapfrog = least,
          .longest = most,
          .metric = Metric::unit};
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

}  // namespace

const std::vector<DhmcCase>& dhmc_cases() {
  static const std::vector<DhmcCase> cases{grid()};
  return cases;
}

}  // namespace lockstep::bench
