#include "bench/studies/posterior_cases.hpp"

#include <random>

namespace lockstep::bench {

// Starts: where a density falls off like a square of data that are far from 0, or like an
// exponential (regressions without centred predictors, Poisson rates, volatilities), chains that
// begin on +- 2 see slopes of 1e6 and more, and one step size cannot serve them all: they begin
// closer together. The mixture's begin near a rough reading of the data, for the point where both
// components are one has metastable chains about it. Dense where parameters are known to be
// strongly correlated. In a funnel every step size is too large somewhere: there it varies
// twentyfold from transition to transition.
const std::vector<PosteriorCase>& posterior_cases() {
  static const std::vector<PosteriorCase> cases{
      {.target = "eight-schools-nc", .draws = 500, .leapfrog = 6, .target_acceptance = 0.98},
      {.target = "eight-schools-log",
       .draws = 500,
       .leapfrog = 8,
       .target_acceptance = 0.9,
       .also = {"hierarchical_inference_gym"}},
      {.target = "ark", .metric = Metric::dense},
      {.target = "kidiq", .warmup = 600, .metric = Metric::dense, .start_radius = 0.05},
      {.target = "kidiq-interaction", .warmup = 600, .metric = Metric::dense, .start_radius = 0.05},
      {.target = "kilpisjarvi",
       .warmup = 1000,
       .leapfrog = 10,
       .metric = Metric::dense,
       .start_radius = 0.05},
      {.target = "garch11",
       .warmup = 400,
       .draws = 600,
       .leapfrog = 10,
       .target_acceptance = 0.95,
       .start_radius = 1},
      {.target = "gauss-mix",
       .metric = Metric::dense,
       .start_radius = 0.3,
       .centre = {-2, 1.4, 0, 0, 0}},
      {.target = "peregrine", .warmup = 600, .metric = Metric::dense, .start_radius = 0.05},
      {.target = "german-credit", .also = {"logistic"}},
      {.target = "german-credit-probit"},
      {.target = "german-credit-sparse",
       .warmup = 600,
       .draws = 1000,
       .leapfrog = 20,
       .target_acceptance = 0.95,
       .start_radius = 0.3,
       .also = {kSparseWeights}},
      {.target = "australian-credit"},
      {.target = "heart-disease"},
      {.target = "brownian", .draws = 400, .also = {"known_scales_inference_gym"}},
      {.target = "brownian-unknown",
       .warmup = 1000,
       .draws = 3000,
       .leapfrog = 40,
       .target_acceptance = 0.95,
       .step_jitter = 0.95,
       .start_radius = 1,
       .distrusted = "unknown_scales_inference_gym_DO_NOT_USE",
       .why = "known to be wrong: a chain that reproduces it is stuck in the funnel"},
      {.target = "stochastic-volatility",
       .warmup = 600,
       .draws = 1500,
       .leapfrog = 30,
       .target_acceptance = 0.95,
       .step_jitter = 0.9,
       .start_radius = 0.05,
       .distrusted = "stochastic_volatility",
       .why = "published errors seem too small: a sampler written apart from this one, in another "
              "parametrisation, disagrees with mean_log_volatility and log_volatility[63] as well, "
              "and "
              "agrees with this one (tests/golden)"},
      {.target = "item-response", .draws = 400, .leapfrog = 10},
  };
  return cases;
}

Hmc sampler_of(const PosteriorCase& c) {
  Hmc hmc;
  hmc.leapfrog = c.leapfrog;
  hmc.metric = c.metric;
  hmc.target_acceptance = c.target_acceptance;
  hmc.step_jitter = c.step_jitter;
  return hmc;
}

std::vector<double> starts(const PosteriorCase& c, const SampleOptions& options) {
  const auto chains = static_cast<std::size_t>(options.chains);
  const auto width = static_cast<std::size_t>(options.superchain);
  std::vector<double> q(c.centre.size() * chains);
  std::mt19937_64 bits(options.seed);
  for (std::size_t j = 0; j < c.centre.size(); ++j) {
    for (std::size_t chain = 0; chain < chains; ++chain) {
      const double uniform = static_cast<double>(bits() >> 11) * 0x1p-52 - 1;
      q[j * chains + chain] =
          chain % width == 0 ? c.centre[j] + c.start_radius * uniform : q[j * chains + chain - 1];
    }
  }
  return q;
}

}  // namespace lockstep::bench
