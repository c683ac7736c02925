/// Every sampler leaves every target's law as it is: chains that start in it stay in it. The chains
/// are independent, so the spread of their means is the Monte Carlo error whatever the mixing.

#include <cmath>
#include <string>
#include <tuple>

#include <gtest/gtest.h>

#include "host/exact_draws.hpp"
#include "host/registry.hpp"
#include "lockstep/result.hpp"

namespace lockstep {

namespace {

constexpr double kLimit = 4;  // Monte Carlo standard errors

/// A step size at which leapfrog accepts roughly 60 to 95 % under the unit metric: rejections have
/// to be right too.
double step_for(const std::string& target) {
  static const std::map<std::string, double> steps = {
      {"std-normal", 0.9}, {"icg", 0.14},   {"scg", 0.15},     {"mog", 0.4},    {"mog2", 0.25},
      {"mog2-equal", 0.6}, {"mog6", 0.6},   {"ring", 0.3},     {"ring5", 0.15}, {"rough-well", 0.5},
      {"banana", 0.5},     {"funnel", 0.2}, {"funnel-nc", 0.9}};
  return steps.at(target);
}

Sampler sampler_for(const std::string& name, const std::string& target, int dim) {
  const double step = step_for(target);
  InverseMass unequal;  // a diagonal metric that is not the identity
  for (int j = 0; j < dim; ++j) {
    unequal.push_back(j % 2 == 0 ? 0.8 : 1.1);
  }
  InverseMass full;  // unequal, correlated
  for (int i = 0; i < dim; ++i) {
    for (int j = 0; j < dim; ++j) {
      full.push_back(i == j ? unequal[static_cast<std::size_t>(i)]
                            : 0.25 * std::pow(0.5, std::abs(i - j)));
    }
  }
  if (name == "hmc") {
    return Hmc{.step_size = step, .leapfrog = 4, .metric = Metric::unit};
  }
  if (name == "hmc-diagonal") {
    return Hmc{.step_size = 0.9 * step,
               .step_jitter = 0.2,
               .leapfrog = 3,
               .length_jitter = LengthJitter::halton,
               .metric = Metric::diagonal,
               .inverse_mass = unequal};
  }
  if (name == "hmc-dense") {
    return Hmc{
        .step_size = 0.8 * step, .leapfrog = 3, .metric = Metric::dense, .inverse_mass = full};
  }
  if (name == "hmc-low-rank") {
    InverseMass m = unequal;  // and one direction of three times the variance
    m.push_back(3);
    for (int j = 0; j < dim; ++j) {
      m.push_back(1 / std::sqrt(static_cast<double>(dim)));
    }
    return Hmc{
        .step_size = 0.6 * step, .leapfrog = 3, .metric = Metric::low_rank, .inverse_mass = m};
  }
  if (name == "minimal-norm-2") {
    return Hmc{.step_size = 1.5 * step,
               .leapfrog = 2,
               .integrator = Integrator::minimal_norm_2,
               .metric = Metric::unit};
  }
  if (name == "minimal-norm-4") {
    return Hmc{.step_size = 2.2 * step,
               .leapfrog = 2,
               .integrator = Integrator::minimal_norm_4,
               .metric = Metric::unit};
  }
  if (name == "mala") {
    return Mala{.step_size = step, .metric = Metric::unit};
  }
  if (name == "ghmc") {
    return Ghmc{.step_size = step, .persistence = 0.8, .metric = Metric::unit};
  }
  return RandomWalk{.step_size = step, .metric = Metric::diagonal, .inverse_mass = unequal};
}

using Case = std::tuple<const char*, const char*>;

class Stationarity : public testing::TestWithParam<Case> {};

TEST_P(Stationarity, KeepsTheLaw) {
  const auto& [sampler, target] = GetParam();
  const TargetEntry& entry = find_target(target);
  SampleOptions options;
  options.chains = 4096;
  options.warmup = 0;
  options.draws = 48;
  options.seed = 20240607;
  options.keep_chains = 0;
  options.backend = Backend::cpu;
  options.start = exact::starts(target, entry.dim({}), options.chains, 99);
  const auto engine = entry.make({}, options);
  const Fit fit = run(*engine, sampler_for(sampler, target, entry.dim({})), options);

  RecordProperty("acceptance", std::to_string(fit.acceptance));
  EXPECT_GT(fit.acceptance, 0.05);
  EXPECT_LT(fit.acceptance, 0.9999) << "nothing was rejected: the rule was not tested";
  for (const ParameterSummary& p : fit.parameters) {
    EXPECT_LT(std::abs(p.error_in_mcse), kLimit)
        << p.name << ": mean " << p.mean << " for " << p.truth_mean << ", mcse " << p.mcse;
    if (std::isfinite(p.truth_sd)) {
      EXPECT_LT(std::abs(p.sd_error_in_mcse), kLimit)
          << p.name << ": sd " << p.sd << " for " << p.truth_sd;
    }
  }
}

std::string name_of(const testing::TestParamInfo<Case>& info) {
  std::string name = std::string(std::get<1>(info.param)) + "_" + std::get<0>(info.param);
  for (char& c : name) {
    c = c == '-' ? '_' : c;
  }
  return name;
}

INSTANTIATE_TEST_SUITE_P(
    AllSamplersAllTargets, Stationarity,
    testing::Combine(testing::Values("hmc", "hmc-diagonal", "hmc-dense", "hmc-low-rank",
                                     "minimal-norm-2", "minimal-norm-4", "mala", "ghmc",
                                     "random-walk"),
                     testing::Values("std-normal", "icg", "scg", "mog", "mog2", "mog2-equal",
                                     "mog6", "ring", "ring5", "rough-well", "banana", "funnel",
                                     "funnel-nc")),
    name_of);

}  // namespace
}  // namespace lockstep
