#include "bench/studies/dhmc_cases.hpp"

#include "kernels/targets/change_point.hpp"
#include "kernels/targets/integer_grid.hpp"
#include "kernels/targets/mixed_grid.hpp"
#include "kernels/targets/mixture_indicator.hpp"

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

/// The usual methods with a hop that was chosen by hand, on a case of few coordinates. Mixed HMC
/// and Gibbs hop with the standard deviation `far`.
std::vector<DhmcRecipe> usual_recipes(Dhmc dhmc, double far, int draws) {
  const MixedHmc mixed{.step_size = dhmc.step_size,
                       .hop = far,
                       .step_jitter = dhmc.step_jitter,
                       .leapfrog = dhmc.leapfrog,
                       .longest = dhmc.longest,
                       .metric = dhmc.metric};
  const Gibbs gibbs{.step_size = dhmc.step_size,
                    .hop = far,
                    .step_jitter = dhmc.step_jitter,
                    .leapfrog = dhmc.leapfrog,
                    .longest = dhmc.longest,
                    .metric = dhmc.metric};
  // What warm-up makes of it: step size, hop and metric its own.
  Dhmc tuned = dhmc;
  tuned.step_size = tuned.hop = 0;
  tuned.metric = Metric::diagonal;
  return {{.method = "dhmc", .sampler = always(dhmc), .draws = draws},
          {.method = "dhmc-tuned", .sampler = always(tuned), .warmup = 500, .draws = draws},
          {.method = "mixed-hmc", .sampler = always(mixed), .draws = draws},
          {.method = "gibbs", .sampler = always(gibbs), .draws = draws},
          {.method = "rwm", .sampler = scaled_walk, .pilot = "dhmc", .draws = draws}};
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
  c.recipes = usual_recipes(dhmc, 1.2, 2000);
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
  c.recipes = usual_recipes(dhmc, 1.2, 2000);
  // Steps so long that most trajectories are refused: what breaks reversibility shows.
  dhmc.step_size = 1.6;
  c.recipes.push_back({.method = "dhmc-stressed", .sampler = always(dhmc), .draws = 4000});
  return c;
}

/// x of the program with an `if`: which sign, and within it which third of the normal law's half.
DhmcCase sign() {
  DhmcCase c{.name = "sign", .target = "sign"};
  const double positive = 1 / (1 + std::exp(-2.0));
  // P(|z| < 0.4307) = 1/3, P(|z| < 0.9674) = 2/3.
  constexpr double kThird = 0.4307272992954576, kTwoThirds = 0.9674215661017014;
  CellLaw law;
  law.probability = {(1 - positive) / 3, (1 - positive) / 3, (1 - positive) / 3,
                     positive / 3,       positive / 3,       positive / 3};
  law.parameters = {0};
  law.cell = [](const double* x) {
    const double size = std::abs(x[0]);
    return static_cast<std::size_t>((x[0] < 0 ? 0 : 3) + (size < kThird       ? 0
                                                          : size < kTwoThirds ? 1
                                                                              : 2));
  };
  c.law = law;
  c.recipes = usual_recipes({.step_size = 1,
                             .hop = 0.5,
                             .step_jitter = 0.3,
                             .leapfrog = 3,
                             .longest = 8,
                             .metric = Metric::unit},
                            2, 2000);
  c.remarks = {"the mean of x is sqrt(2 / pi) tanh 1 = 0.6077; the program's author reports 0.58."};
  return c;
}

/// The year of the change, one cell for each year that is not rare.
DhmcCase change_point() {
  DhmcCase c{.name = "change-point", .target = "change-point"};
  constexpr double kRare = 1e-3;
  const std::vector<double> years = ChangePoint().law();
  CellLaw law;
  law.probability = {0};  // of all rare years together
  std::vector<std::size_t> cell_of(years.size());
  for (std::size_t k = 0; k < years.size(); ++k) {
    if (years[k] > kRare) {
      cell_of[k] = law.probability.size();
      law.probability.push_back(years[k]);
    } else {
      law.probability[0] += years[k];
    }
  }
  law.parameters = {2};
  law.cell = [cell_of](const double* x) { return cell_of[static_cast<std::size_t>(x[0])]; };
  c.law = law;
  c.recipes = usual_recipes({.step_size = 0.12,
                             .hop = 1.5,
                             .step_jitter = 0.2,
                             .leapfrog = 8,
                             .longest = 12,
                             .metric = Metric::unit},
                            3, 2000);
  return c;
}

/// The indicator of Zhou's mixture.
DhmcCase mixture() {
  DhmcCase c{.name = "mixture", .target = "mixture-indicator"};
  CellLaw law;
  for (int k = 0; k < MixtureIndicator::size; ++k) {
    law.probability.push_back(MixtureIndicator::probability(k));
  }
  law.parameters = {1};
  law.cell = [](const double* x) { return static_cast<std::size_t>(x[0]); };
  c.law = law;
  c.recipes = usual_recipes({.step_size = 0.35,
                             .hop = 0.6,
                             .step_jitter = 0.2,
                             .leapfrog = 8,
                             .longest = 16,
                             .metric = Metric::unit},
                            1.5, 2000);
  c.remarks = {
      "its categories have no order: dhmc goes from one to the next by their numbers, "
      "mixed-hmc to any other, gibbs draws z from its law given x."};
  return c;
}

}  // namespace

const std::vector<DhmcCase>& dhmc_cases() {
  static const std::vector<DhmcCase> cases{grid(), mixed_grid(), sign(), change_point(), mixture()};
  return cases;
}

}  // namespace lockstep::bench
