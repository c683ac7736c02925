#include "bench/studies/dhmc_cases.hpp"

#include "host/published_settings.hpp"
#include "kernels/targets/binomial_n.hpp"
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

/// N trials, in cells of at least a hundredth of the law.
DhmcCase binomial_n() {
  DhmcCase c{.name = "binomial-n", .target = "binomial-n"};
  constexpr double kCell = 0.01;
  const std::vector<double> trials = BinomialN::law();
  CellLaw law;
  std::vector<std::size_t> cell_of(trials.size());
  double filled = kCell;  // of the last cell
  for (std::size_t n = BinomialN::successes; n < trials.size(); ++n) {
    if (filled >= kCell) {
      law.probability.push_back(0);
      filled = 0;
    }
    filled += trials[n];
    law.probability.back() += trials[n];
    cell_of[n] = law.probability.size() - 1;
  }
  law.parameters = {1};
  law.cell = [cell_of](const double* x) { return cell_of[static_cast<std::size_t>(x[0])]; };
  c.law = law;
  c.judges_moments = false;  // N's variance is what its cut-off makes it
  Dhmc dhmc = as_published(0.1, 0.8, 15, 20, {}, 0);
  dhmc.metric = Metric::unit;
  c.recipes = usual_recipes(dhmc, 0.3, 2000);
  const char* source = "the notebook that came with Nishimura, Dunson & Lu, Biometrika 2020";
  c.published = {{"dhmc", "acceptance", 0.967, source}, {"dhmc", "min_ess_per_100", 22, source}};
  return c;
}

// ---- the published comparison
// --------------------------------------------------------------------

constexpr const char* kPaper =
    "Nishimura, Dunson & Lu, Biometrika 2020: 8 chains, another computer, 10,000 draws";

/// The paper's table of a case. @param per_minute  its ESS per minute
struct PaperLine {
  const char* method;
  double ess_per_100, ess_per_minute, path_length, relative_time;
};
std::vector<PublishedFigure> published(const std::vector<PaperLine>& lines) {
  std::vector<PublishedFigure> figures;
  for (const PaperLine& line : lines) {
    const std::pair<const char*, double> values[]{{"min_ess_per_100", line.ess_per_100},
                                                  {"ess_per_second", line.ess_per_minute / 60},
                                                  {"path_length", line.path_length},
                                                  {"relative_time_per_draw", line.relative_time}};
    for (const auto& [metric, value] : values) {
      if (!std::isnan(value)) {
        figures.push_back({line.method, metric, value, kPaper});
      }
    }
  }
  return figures;
}

std::vector<double> deviations(const ChainSpread& spread) {
  std::vector<double> sd;
  for (int j = 0; j < spread.dim; ++j) {
    sd.push_back(std::sqrt(spread.variance(j)));
  }
  return sd;
}

/// @param as_coded  the law of the program that came with the paper, on which its figures were
///                  measured, and the published methods only
DhmcCase jolly_seber(bool as_coded) {
  DhmcCase c{.name = as_coded ? "jolly-seber-as-coded" : "jolly-seber"};
  c.target = c.name;
  constexpr int kDim = 38;
  const auto scaled = [](const ChainSpread& spread) {
    return published_jolly_seber(deviations(spread));
  };
  c.recipes = {
      {.method = "dhmc-identity",
       .sampler = always(published_jolly_seber_identity(kDim)),
       .warmup = 300,
       .draws = 400},
      {.method = "dhmc", .sampler = scaled, .pilot = "dhmc-identity", .warmup = 50, .draws = 500}};
  c.published = published({{"dhmc", 45.5, 424, 45, 87.7},
                           {"dhmc-identity", 24.1, 126, 77.5, 157},
                           {"gibbs", 1.04, 6.38, 150, 133},
                           {"rwm", 0.0714, 58.5, 1, 1}});
  c.remarks = {
      "the published figures are those of the paper's program, whose recursion for chi has "
      "an index slip; its gibbs is slice NUTS with exact draws of U, ours HMC with them."};
  if (as_coded) {
    c.remarks.front() += " This case is that program's law, to stand beside its figures only.";
    return c;
  }
  const auto mixed = [](const ChainSpread& spread) {
    const Dhmc d = published_jolly_seber(deviations(spread));
    return MixedHmc{.step_size = d.step_size,  // its hop is tuned
                    .step_jitter = d.step_jitter,
                    .leapfrog = d.leapfrog,
                    .longest = d.longest,
                    .inverse_mass = d.inverse_mass};
  };
  const auto gibbs = [](const ChainSpread& spread) {
    const Dhmc d = published_jolly_seber(deviations(spread));
    return Gibbs{.step_size = d.step_size,
                 .hop = 1,  // unused: U_i is drawn from its law given the others
                 .step_jitter = d.step_jitter,
                 .leapfrog = d.leapfrog,
                 .longest = d.longest,
                 .inverse_mass = d.inverse_mass};
  };
  c.recipes.push_back({.method = "dhmc-tuned",
                       .sampler = always(Dhmc{.leapfrog = 40, .longest = 50}),
                       .warmup = 500,
                       .draws = 500});
  c.recipes.push_back({.method = "mixed-hmc",
                       .sampler = mixed,
                       .pilot = "dhmc-identity",
                       .warmup = 300,
                       .draws = 1000});
  c.recipes.push_back(
      {.method = "gibbs", .sampler = gibbs, .pilot = "dhmc-identity", .warmup = 50, .draws = 1000});
  c.recipes.push_back({.method = "rwm",
                       .sampler = scaled_walk,
                       .pilot = "dhmc",
                       .warmup = 0,
                       .draws = 20000,
                       .thin = 40});
  return c;
}

/// All coordinates discontinuous, and few chains: a trajectory reads the data thousands of times.
DhmcCase zero_one() {
  DhmcCase c{.name = "zero-one", .target = "zero-one"};
  Dhmc dhmc = as_published(0.3, 0.7, 20, 30, {}, 0);
  dhmc.metric = Metric::unit;
  Dhmc tuned = dhmc;
  tuned.hop = 0;
  c.recipes = {
      {.method = "dhmc", .sampler = always(dhmc), .warmup = 30, .draws = 500},
      {.method = "dhmc-tuned", .sampler = always(tuned), .warmup = 100, .draws = 200},
      {.method = "mixed-hmc",
       .sampler = always(MixedHmc{.step_size = 1, .leapfrog = 1, .metric = Metric::unit}),
       .pilot = "dhmc",
       .warmup = 200,
       .draws = 1000},
      {.method = "gibbs",
       .sampler = always(Gibbs{.step_size = 1, .leapfrog = 1, .metric = Metric::unit}),
       .pilot = "dhmc",
       .warmup = 200,
       .draws = 1000},
      {.method = "rwm",
       .sampler = scaled_walk,
       .pilot = "dhmc",
       .warmup = 0,
       .draws = 10000,
       .thin = 20},
  };
  constexpr double unknown = StudyRow::kUnknown;
  c.published = published({{"dhmc", 26.3, 76, 25, 972},
                           {"gibbs", 0.514, 39.8, unknown, 36.2},
                           {"rwm", 0.00809, 0.227, 1, 1}});
  c.most_chains = 64;
  c.kept_chains = 64;
  c.takes_data = true;
  c.remarks = {
      "the published figures are those of the SECOM data; gibbs is there variable-wise "
      "Metropolis, adapted to an acceptance of 0.44."};
  return c;
}

}  // namespace

const std::vector<DhmcCase>& dhmc_cases() {
  static const std::vector<DhmcCase> cases{
      grid(),     mixed_grid(), binomial_n(),   jolly_seber(false), jolly_seber(true),
      zero_one(), sign(),       change_point(), mixture()};
  return cases;
}

}  // namespace lockstep::bench
