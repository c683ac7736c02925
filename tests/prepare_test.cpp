// What is handed from a fit to the warm-up: starts, a metric, a bill; and what happens when a fit
// is not to be trusted.

#include "host/vi/prepare.hpp"

#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>
#include <numeric>
#include <random>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "host/adapt/warmup.hpp"
#include "host/io/json.hpp"
#include "host/io/npy.hpp"
#include "host/registry/preparations.hpp"
#include "host/starts.hpp"
#include "lockstep/result.hpp"
#include "tests/message_of.hpp"
#include "tests/normal_engine.hpp"

namespace lockstep {
namespace {

namespace fs = std::filesystem;

constexpr int kDim = 3;
constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// N(0, I) where x_1 <= 90, nothing beyond.
double bounded(const double* q, double* gradient) {
  double u = 0;
  for (int j = 0; j < kDim; ++j) {
    gradient[j] = q[j];
    u += 0.5 * q[j] * q[j];
  }
  return q[0] > 90 ? kInfinity : u;
}

MakeEngine bounded_engines() {
  return [](std::int64_t chains) -> std::unique_ptr<Engine> {
    return std::make_unique<test::FunctionEngine>(kDim, bounded, chains);
  };
}

EngineDescription about(std::int64_t chains) {
  return test::FunctionEngine(kDim, bounded, chains).description();
}

SampleOptions options_of(std::int64_t chains) {
  SampleOptions o;
  o.chains = chains;
  o.superchain = 16;
  o.warmup = 100;
  o.draws = 50;
  o.seed = 5;
  return o;
}

/// A fit that is as good as it says: draw k is (k, k + 0.25, k + 0.5), its covariance is 1, 2, 3.
/// It evaluates 100 points.
struct FakeFit {
  double k_hat = 0.2, elbo = -1.5;
  std::string trouble = {};
  InverseMass covariance = {1, 2, 3};
  std::set<std::int64_t> without_draw = {};  // is NaN there,
  std::set<std::int64_t> beyond = {};        // or out of the support
  mutable std::vector<VariationalOptions> asked = {};

  NormalFit operator()(Density& density, const VariationalOptions& o) const {
    asked.push_back(o);
    Eigen::VectorXd u;
    Matrix g;
    density.evaluate(Matrix::Zero(kDim, 100), u, g);
    NormalFit fit;
    fit.method = o.method;
    fit.mean.assign(kDim, 0.0);
    fit.covariance = covariance;
    for (int j = 0; j < kDim; ++j) {
      for (std::int64_t k = 0; k < o.starts; ++k) {
        const double x = static_cast<double>(k) + 0.25 * j;
        fit.draws.push_back(without_draw.count(k) > 0 ? NAN : beyond.count(k) > 0 ? 100 : x);
      }
    }
    fit.elbo = elbo;
    fit.k_hat = k_hat;
    fit.trouble = trouble;
    fit.gradients = 0;  // not what is counted
    return fit;
  }
};

PrepareOptions asking(Init init) {
  PrepareOptions how;
  how.init = init;
  return how;
}

Preparation prepared(const PrepareOptions& how, const FakeFit& fit, std::int64_t chains = 72,
                     const Sampler& sampler = Hmc{}, SampleOptions options = options_of(72)) {
  options.chains = chains;
  return recipe_of(how, sampler, options, about(chains), bounded_engines(), std::cref(fit)).make();
}

double start_of(const Preparation& p, int j, std::int64_t chain, std::int64_t chains = 72) {
  return p.start.at(static_cast<std::size_t>(j * chains + chain));
}

// ---- fits --------------------------------------------------------------------------------------

TEST(Preparation, EverySuperchainStartsAtADrawOfItsOwn) {
  const FakeFit fit;
  const Preparation p = prepared(asking(Init::pathfinder), fit);
  ASSERT_EQ(p.start.size(), 72u * kDim);
  for (std::int64_t c = 0; c < 72; ++c) {  // the fifth superchain has only eight chains
    for (int j = 0; j < kDim; ++j) {
      EXPECT_EQ(start_of(p, j, c), static_cast<double>(c / 16) + 0.25 * j);
    }
  }
  EXPECT_EQ(p.name, "pathfinder");
  EXPECT_EQ(p.kind, Metric::diagonal);
  EXPECT_EQ(p.inverse_mass, (InverseMass{1, 2, 3}));
  EXPECT_EQ(p.weight, 50);
  EXPECT_EQ(p.elbo, -1.5);
  EXPECT_EQ(p.k_hat, 0.2);
  EXPECT_TRUE(p.warnings.empty());
  ASSERT_EQ(fit.asked.size(), 1u);
  EXPECT_EQ(fit.asked[0].method, Approximation::pathfinder);
  EXPECT_EQ(fit.asked[0].starts, 5);
  EXPECT_EQ(fit.asked[0].seed, 5u);
}

TEST(Preparation, StartsWithoutAFinitePotentialAreReplaced) {
  FakeFit fit;
  fit.without_draw = {1};
  fit.beyond = {4};
  const Preparation p = prepared(asking(Init::pathfinder), fit);
  for (const auto& [chain, draw] : {std::pair{0, 0}, {16, 2}, {32, 2}, {48, 3}, {64, 0}, {71, 0}}) {
    EXPECT_EQ(start_of(p, 0, chain), draw) << chain;
  }
  fit.without_draw = {0, 1, 2, 3};
  const Preparation none = prepared(asking(Init::pathfinder), fit);
  EXPECT_TRUE(none.start.empty());
  ASSERT_EQ(none.warnings.size(), 1u);
  EXPECT_NE(none.warnings[0].find("not finite at any"), std::string::npos) << none.warnings[0];
}

TEST(Preparation, CountsWhatItsFitsEvaluate) {
  const FakeFit fit;
  PrepareOptions how = asking(Init::pathfinder);
  EXPECT_EQ(prepared(how, fit).gradients, 100 + 5);  // and the five starts
  how.metric = MetricInit::fisher;                   // another fit
  EXPECT_EQ(prepared(how, fit).gradients, 200 + 5);
  how.metric = MetricInit::pathfinder;  // the same
  EXPECT_EQ(prepared(how, fit).gradients, 100 + 5);
  how.init = Init::uniform;
  EXPECT_EQ(prepared(how, fit).gradients, 100);
  FakeFit failed;
  failed.k_hat = 2;
  EXPECT_EQ(prepared(how, failed).gradients, 100);
}

TEST(Preparation, AFitThatFailedIsNotUsedAndSaysWhy) {
  const auto fails = [](const FakeFit& fit, const std::vector<std::string>& says) {
    const Preparation p = prepared(asking(Init::pathfinder), fit);
    EXPECT_TRUE(p.start.empty());
    EXPECT_TRUE(p.inverse_mass.empty());
    EXPECT_GE(p.gradients, 100);
    ASSERT_EQ(p.warnings.size(), 2u);
    for (const std::string& warning : p.warnings) {
      for (const std::string& part : says) {
        EXPECT_NE(warning.find(part), std::string::npos) << warning;
      }
    }
    EXPECT_NE(p.warnings[0].find("chains start as without it"), std::string::npos);
    EXPECT_NE(p.warnings[1].find("begins with the metric"), std::string::npos);
  };
  FakeFit fit;
  fit.k_hat = 0.93;
  fails(fit, {"pathfinder: k-hat 0.93 is above 0.7"});
  fit.k_hat = kInfinity;
  fails(fit, {"pathfinder: k-hat inf is above 0.7"});
  fit.k_hat = NAN;
  fails(fit, {"k-hat is not known"});
  fit = {};
  fit.elbo = -kInfinity;
  fails(fit, {"ELBO is not finite"});
  fit = {};
  fit.trouble = "the ELBO diverged";
  fails(fit, {"pathfinder: the ELBO diverged"});

  fit = {};
  fit.covariance = {1, -1, 1};
  const Preparation p = prepared(asking(Init::pathfinder), fit);
  EXPECT_FALSE(p.start.empty());
  EXPECT_TRUE(p.inverse_mass.empty());
  ASSERT_EQ(p.warnings.size(), 1u);
  EXPECT_NE(p.warnings[0].find("must be positive"), std::string::npos) << p.warnings[0];
}

TEST(Preparation, AMetricMayBeTrustedFurtherThanDraws) {
  FakeFit fit;
  fit.k_hat = 0.9;
  PrepareOptions how = asking(Init::pathfinder);
  how.most_k_hat_metric = 1;
  const Preparation p = prepared(how, fit);
  EXPECT_TRUE(p.start.empty());
  EXPECT_EQ(p.inverse_mass, (InverseMass{1, 2, 3}));
  EXPECT_EQ(p.warnings.size(), 1u);
}

TEST(Preparation, FamiliesAndMetricsAreThoseAskedFor) {
  FakeFit fit;
  PrepareOptions how = asking(Init::vi);
  how.family = Approximation::full_rank;
  EXPECT_EQ(prepared(how, fit).name, "vi (full-rank)");
  EXPECT_EQ(fit.asked.back().method, Approximation::full_rank);
  how.metric = MetricInit::unit;
  how.weight = 7;
  const Preparation p = prepared(how, fit);
  EXPECT_EQ(p.name, "vi (full-rank) starts, unit metric");
  EXPECT_EQ(p.inverse_mass, (InverseMass{1, 1, 1}));
  EXPECT_EQ(p.weight, 7);
  how = asking(Init::uniform);
  how.metric = MetricInit::fisher;
  const Preparation metric = prepared(how, fit);
  EXPECT_TRUE(metric.start.empty());
  EXPECT_EQ(metric.inverse_mass, (InverseMass{1, 2, 3}));
  EXPECT_EQ(metric.k_hat, 0.2);
  how.metric = MetricInit::starts;
  EXPECT_FALSE(recipe_of(how, Hmc{}, options_of(72), about(72), bounded_engines()).make);
}

TEST(Preparation, RecipesOfPyMC) {
  const FakeFit fit;
  const Sampler diagonal = Hmc{.metric = Metric::diagonal};
  const Preparation jitter = prepared(asking(Init::jitter_adapt_diag), fit, 72, diagonal);
  EXPECT_TRUE(fit.asked.empty());
  EXPECT_EQ(jitter.inverse_mass, (InverseMass{1, 1, 1}));
  EXPECT_EQ(jitter.weight, 10);
  EXPECT_EQ(jitter.gradients, 0);
  const double u[kDim] = {0, 0.25, 1};
  double q[kDim];
  jitter.start_law(u, q);
  EXPECT_EQ(std::vector<double>(q, q + kDim), (std::vector<double>{-1, -0.5, 1}));

  const Preparation advi = prepared(asking(Init::advi_adapt_diag), fit, 72, diagonal);
  ASSERT_EQ(fit.asked.size(), 1u);
  EXPECT_EQ(fit.asked[0].method, Approximation::mean_field);
  EXPECT_EQ(advi.weight, 50);
  EXPECT_EQ(start_of(advi, 0, 20), 1);
  throws_naming([&] { prepared(asking(Init::jitter_adapt_diag), fit, 72, Hmc{}); },
                {"jitter+adapt_diag", "diagonal", "auto"});
}

// ---- what does not go together -----------------------------------------------------------------

TEST(Preparation, AMetricNeedsAWarmUpThatReplacesIt) {
  const FakeFit fit;
  const auto metric_of = [&](const Sampler& sampler, int warmup, MetricInit metric) {
    SampleOptions options = options_of(72);
    options.warmup = warmup;
    PrepareOptions how = asking(Init::pathfinder);
    how.metric = metric;
    return prepared(how, fit, 72, sampler, options).inverse_mass;
  };
  const Sampler unit = Hmc{.metric = Metric::unit};
  const Sampler given = Hmc{.metric = Metric::diagonal, .inverse_mass = {1, 1, 1}};
  // Nobody asked for one: starts alone.
  EXPECT_TRUE(metric_of(unit, 100, MetricInit::automatic).empty());
  EXPECT_TRUE(metric_of(given, 100, MetricInit::automatic).empty());
  EXPECT_TRUE(metric_of(Hmc{}, 10, MetricInit::automatic).empty());
  EXPECT_FALSE(metric_of(Hmc{}, 20, MetricInit::automatic).empty());
  throws_naming([&] { metric_of(unit, 100, MetricInit::pathfinder); }, {"unit metric", "choose"});
  throws_naming([&] { metric_of(given, 100, MetricInit::unit); }, {"sampler's is given", "leave"});
  throws_naming([&] { metric_of(Hmc{}, 10, MetricInit::fisher); },
                {"warm-up of 10", "at least 20"});
}

TEST(Preparation, RunsRefuseWhatDoesNotGoTogether) {
  const SampleOptions options = options_of(64);
  const auto refused = [&](const Sampler& sampler, SampleOptions o, const Preparation& p,
                           const std::vector<std::string>& says) {
    TargetOptions target;
    target.dim = kDim;
    const auto engine = find_target("std-normal").make(target, o);
    throws_naming([&] { run(*engine, sampler, o, p); }, says);
  };
  Preparation p;
  p.name = "mine";
  p.inverse_mass = {1, 1, 1};
  refused(Hmc{.metric = Metric::unit}, options, p, {"unit metric"});
  p.inverse_mass = {1, 1};
  refused(Hmc{}, options, p, {"inverse mass", "2 values", "3 parameters"});
  p.inverse_mass = {1, 1, 1};
  p.weight = -1;
  refused(Hmc{}, options, p, {"weight", "-1"});
  p = {};
  p.start.assign(7, 0.0);
  refused(Hmc{}, options, p, {"start has 7 values", "192"});
  SampleOptions started = options;
  started.start.assign(192, 0.0);
  p.start.assign(192, 0.0);
  refused(Hmc{}, started, p, {"start", "leave one of them out"});
  throws_naming([&] { prepared(asking(Init::prior), {}); }, {"no prior"});
  throws_naming([&] { prior_of(find_target("icg"), {}); },
                {"icg has no prior", "eight-schools-nc", "german-credit"});
  PrepareOptions how = asking(Init::vi);
  how.family = Approximation::pathfinder;
  throws_naming([&] { prepared(how, {}); }, {"pathfinder"});
}

// ---- a run from a preparation ------------------------------------------------------------------

/// Recipe and bill of a fake fit for a target of the registry.
Recipe fake_recipe(std::int64_t gradients) {
  return {"fake", [gradients] {
            Preparation p;
            p.name = "fake";
            p.gradients = gradients;
            p.seconds = 100;
            return p;
          }};
}

TEST(Preparation, IsCountedInEveryFigure) {
  SampleOptions options = options_of(64);
  TargetOptions target;
  target.dim = 2;
  const auto engine = find_target("std-normal").make(target, options);
  const Fit without = run(*engine, Hmc{}, options);
  const Fit with = run(*engine, Hmc{}, options, fake_recipe(64 * 1000 + 1));
  EXPECT_EQ(with.digest(), without.digest());
  EXPECT_EQ(without.gradients_preparation, 0);
  EXPECT_EQ(with.gradients_preparation, 1001);  // shared out, rounded up
  EXPECT_EQ(with.gradients_total(), 1001 + with.gradients_warmup + with.gradients_sampling);
  EXPECT_EQ(with.ess_per_gradient_min(), without.ess_per_gradient_min());
  EXPECT_DOUBLE_EQ(with.ess_per_gradient_total_min(),
                   with.ess_min() / (64.0 * static_cast<double>(with.gradients_total())));
  EXPECT_LT(with.ess_per_gradient_total_min(), 0.8 * without.ess_per_gradient_total_min());
  EXPECT_GE(with.seconds.total(), 100);
  EXPECT_GE(with.seconds.setup, 0);
  EXPECT_LE(with.ess_per_second_total_min(), with.ess_min() / 100);
  const Json json = to_json(with, "std-normal");
  EXPECT_EQ(json["gradients"]["preparation"], 1001);
  EXPECT_EQ(json["preparation"]["gradients"], 64001);
  EXPECT_EQ(json["seconds"]["preparation"], 100);
  EXPECT_TRUE(to_json(without, "std-normal")["preparation"].is_null());
  EXPECT_NE(with.summary().find("preparation: fake, 1001 gradients a chain"), std::string::npos);
  EXPECT_EQ(without.summary().find("preparation:"), std::string::npos);
}

struct Crash {};

TEST(Preparation, IsMadeOnceWhateverInterrupts) {
  const fs::path file = fs::path(::testing::TempDir()) / "prepared.state";
  fs::remove(file);
  SampleOptions options = options_of(64);
  options.warmup = 40;
  options.adaptation.stop_early = false;
  int made = 0;
  const auto go = [&](const std::string& settings, int crash_at, bool checkpoint) {
    SampleOptions o = options;
    o.checkpoint = checkpoint ? file.string() : "";
    o.checkpoint_minutes = 0;
    int calls = 0;
    o.progress = [&](const Progress&) { return ++calls == crash_at ? throw Crash{} : true; };
    const Recipe recipe{settings, [&made] {
                          ++made;
                          Preparation p;
                          p.name = "fake";
                          p.inverse_mass = {0.5, 2};
                          p.weight = 5000;
                          p.gradients = 640;
                          p.elbo = -3;
                          p.warnings = {"fake: a warning"};
                          p.start.resize(128);
                          std::iota(p.start.begin(), p.start.end(), -60.0);
                          for (double& x : p.start) {
                            x *= 0.01;
                          }
                          return p;
                        }};
    TargetOptions target;
    target.dim = 2;
    const auto engine = find_target("std-normal").make(target, o);
    return run(*engine, Hmc{}, o, recipe);
  };
  const Fit whole = go("this", 0, false);
  made = 0;
  for (const int at : {3, 5, 12, 20}) {  // in the first window, and after it
    EXPECT_THROW(go("this", at, true), Crash);
  }
  throws_naming([&] { go("that", 0, true); }, {"preparation was this and is now that"});
  const Fit resumed = go("this", 0, true);
  EXPECT_EQ(made, 1);
  EXPECT_EQ(resumed.positions, whole.positions);
  EXPECT_EQ(resumed.metric.inverse_mass, whole.metric.inverse_mass);
  EXPECT_EQ(resumed.gradients_total(), whole.gradients_total());
  EXPECT_EQ(resumed.gradients_preparation, 10);
  EXPECT_EQ(resumed.preparation.name, "fake");
  EXPECT_EQ(resumed.preparation.elbo, -3);
  EXPECT_EQ(resumed.preparation.warnings, whole.preparation.warnings);
  EXPECT_EQ(resumed.warnings().at(0), "fake: a warning");
  fs::remove(file);
}

/// Exact variances of N(0, diag) as Sigma_0: the sampler's step is that of a standard normal. Taken
/// for the mass instead of its inverse, they square the condition number.
TEST(Preparation, ItsCovarianceIsTheInverseMass) {
  SampleOptions options = options_of(256);
  const auto engine = find_target("icg").make({}, options);
  const Truth& truth = engine->description().truth;
  Preparation right;
  std::mt19937_64 bits(1);
  std::normal_distribution<double> normal;
  for (const double sd : truth.sd) {
    right.inverse_mass.push_back(sd * sd);
    for (int c = 0; c < 256; ++c) {
      right.start.push_back(sd * normal(bits));
    }
  }
  Preparation mutant = right;
  for (double& x : mutant.inverse_mass) {
    x = 1 / x;
  }
  const auto first = [&](const Preparation& p) {
    start_chains(*engine, options, p);
    WarmUp warm_up(*engine, Hmc{}, options, p);
    warm_up.step();
    EXPECT_EQ(warm_up.frozen().metric.inverse_mass, p.inverse_mass);
    return warm_up.history().at(0);
  };
  const AdaptationStep step = first(right);
  EXPECT_GE(step.step_size, 0.25);
  EXPECT_GT(step.acceptance, 0.5);
  EXPECT_LT(first(mutant).step_size, 0.05);
}

/// tau of eight schools, mu ~ N(2, 5), by quadrature: mean 3.5264.
TEST(Preparation, LeavesTheLawAsItIs) {
  SampleOptions options = options_of(512);
  options.warmup = 60;
  options.draws = 400;
  options.superchain = 8;
  TargetOptions target;
  target.prior_mean = 2;
  const TargetEntry& entry = find_target("eight-schools-nc");
  const auto engine = entry.make(target, options);
  // Starts that are too near to each other, and a metric that is wrong by far and weighs as much as
  // all draws of a window.
  Preparation p;
  p.name = "wrong";
  p.start_law = [](const double* u, double* q) {
    for (int j = 0; j < 10; ++j) {
      q[j] = 0.01 * u[j];
    }
  };
  for (int j = 0; j < 10; ++j) {
    p.inverse_mass.push_back(j % 2 == 0 ? 30 : 0.03);
  }
  p.weight = 5000;
  const Fit fit = run(*engine, Hmc{.target_acceptance = 0.9}, options, p);
  const ParameterSummary& tau = fit.parameters[9];
  EXPECT_EQ(tau.name, "tau");
  EXPECT_NEAR(tau.mean, 3.5264, 4 * tau.mcse);
  EXPECT_LT(tau.mcse, 0.05);
  EXPECT_LT(fit.nested_rhat_max(), 1.02);
}

// ---- priors ------------------------------------------------------------------------------------

/// Mean and standard deviation of f(q) over draws of a prior.
template <class F>
void expect_moments(const StartLaw& law, int dim, double mean, double sd, F f) {
  constexpr int kDraws = 20000;
  std::mt19937_64 bits(7);
  std::uniform_real_distribution<double> uniform(1e-12, 1);
  std::vector<double> u(static_cast<std::size_t>(dim)), q(u.size()), x;
  for (int i = 0; i < kDraws; ++i) {
    std::generate(u.begin(), u.end(), [&] { return uniform(bits); });
    law(u.data(), q.data());
    x.push_back(f(q));
  }
  double sum = 0, squares = 0, fourth = 0;
  for (const double v : x) {
    sum += (v - mean) / kDraws;
    squares += (v - mean) * (v - mean) / kDraws;
    fourth += std::pow(v - mean, 4) / kDraws;
  }
  EXPECT_NEAR(sum, 0, 4 * sd / std::sqrt(kDraws));
  EXPECT_NEAR(squares, sd * sd, 4 * std::sqrt((fourth - squares * squares) / kDraws));
}

TEST(Priors, OfEightSchools) {
  TargetOptions t;
  t.prior_mean = 3;
  t.prior_sd = 2;
  const double half_pi = 2 * std::atan(1.0);
  for (const char* name : {"eight-schools", "eight-schools-nc"}) {
    const StartLaw law = prior_of(find_target(name), t);
    expect_moments(law, 10, 3, 2, [](const auto& q) { return q[8]; });
    // log of a half-Cauchy of scale 5: mean log 5, sd pi / 2.
    expect_moments(law, 10, std::log(5.0), half_pi, [](const auto& q) { return q[9]; });
    const bool centred = std::string(name) == "eight-schools";
    expect_moments(law, 10, 0, 1, [centred](const auto& q) {
      return centred ? (q[4] - q[8]) / std::exp(q[9]) : q[4];
    });
  }
  const StartLaw law = prior_of(find_target("eight-schools-log"), {});
  expect_moments(law, 10, 0, 10, [](const auto& q) { return q[8]; });
  expect_moments(law, 10, 5, 1, [](const auto& q) { return q[9]; });
}

/// What a law of one parameter gives in the middle and at the quartiles.
TEST(Priors, AreThoseOfTheModels) {
  const auto quantile = [](const char* target, int dim, int j, double u) {
    TargetEntry entry = find_target(target);
    entry.dim = [dim](const TargetOptions&) { return dim; };  // without its data
    std::vector<double> all(static_cast<std::size_t>(dim), u), q(all.size());
    prior_of(entry, {})(all.data(), q.data());
    return q[static_cast<std::size_t>(j)];
  };
  const double z = 0.6744897501960817;  // upper quartile of N(0, 1)
  EXPECT_NEAR(quantile("german-credit", 25, 24, 0.75), z, 1e-12);
  EXPECT_NEAR(quantile("item-response", 501, 0, 0.75), 0.75 + z, 1e-12);
  EXPECT_NEAR(quantile("item-response", 501, 500, 0.75), z, 1e-12);
  EXPECT_NEAR(quantile("ark", 7, 0, 0.75), 10 * z, 1e-12);
  EXPECT_NEAR(quantile("ark", 7, 6, 0.5), std::log(2.5), 1e-12);
  EXPECT_NEAR(quantile("peregrine", 4, 3, 0.75), std::log(3.0), 1e-12);
  // chi^2 of one degree: its median is z^2.
  EXPECT_NEAR(quantile("german-credit-sparse", 51, 50, 0.5), 2 * std::log(z), 1e-12);
  EXPECT_NEAR(quantile("german-credit-sparse", 51, 24, 0.75), z, 1e-12);
  EXPECT_NEAR(quantile("stochastic-volatility", 103, 1, 0.75), 5, 1e-12);
  EXPECT_NEAR(quantile("stochastic-volatility", 103, 2, 0.5), std::log(2.0), 1e-12);
  EXPECT_NEAR(quantile("gauss-mix", 5, 4, 0.5), 0, 1e-12);
  EXPECT_NEAR(quantile("gauss-mix", 5, 2, 0.5), std::log(2 * z), 1e-12);
  EXPECT_NEAR(quantile("brownian-unknown", 32, 4, 0.75), 3 * z * std::exp(2 * z), 1e-9);
}

// ---- starts from files -------------------------------------------------------------------------

class StartFile : public ::testing::Test {
 protected:
  fs::path operator/(const std::string& name) const { return folder_ / name; }
  void SetUp() override { fs::create_directories(folder_); }
  void TearDown() override { fs::remove_all(folder_); }

  /// Positions of `chains` chains: coordinate j of chain c is c + j / 10.
  fs::path written(std::int64_t chains, int dim) const {
    Fit fit;
    fit.options.chains = chains;
    fit.engine.dim = dim;
    for (int j = 0; j < dim; ++j) {
      for (std::int64_t c = 0; c < chains; ++c) {
        fit.positions.push_back(static_cast<double>(c) + 0.1 * j);
      }
    }
    fit.write_positions(*this / "starts.npy");
    return *this / "starts.npy";
  }
  Preparation started(const fs::path& file, std::int64_t chains) const {
    PrepareOptions how = asking(Init::file);
    how.start_file = file;
    return prepared(how, FakeFit{}, chains);
  }

 private:
  fs::path folder_ = fs::path(::testing::TempDir()) / "prepare_test_files";
};

TEST_F(StartFile, EveryChainGoesOnOrSuperchainsTakeTurns) {
  const fs::path file = written(40, kDim);
  const NpyMatrix m = read_npy_matrix(file);
  EXPECT_EQ(m.rows, 40);
  EXPECT_EQ(m.columns, kDim);
  EXPECT_EQ(m.values[5 * kDim + 2], 5.2);
  const Preparation same = started(file, 40);
  EXPECT_EQ(start_of(same, 1, 39, 40), 39.1);
  EXPECT_EQ(same.gradients, 0);
  const Preparation more = started(file, 1000);
  for (const std::int64_t chain : {0, 15, 16, 639, 640, 999}) {
    EXPECT_EQ(start_of(more, 2, chain, 1000), static_cast<double>(chain / 16 % 40) + 0.2) << chain;
  }
}

TEST_F(StartFile, WhatIsWrongWithItIsSaid) {
  const auto says = [&](const fs::path& file, const std::vector<std::string>& parts) {
    std::string message = message_of<Error>([&] { started(file, 72); });
    for (const std::string& part : parts) {
      EXPECT_NE(message.find(part), std::string::npos) << message;
    }
  };
  says(written(5, 2), {"starts.npy", "2 parameters", "has 3"});
  says(*this / "absent.npy", {"absent.npy", "cannot be read"});
  const auto text = [&](const std::string& name, const std::string& contents) {
    std::ofstream(*this / name, std::ios::binary) << contents;
    return *this / name;
  };
  says(text("text.npy", "1,2,3\n4,5,6\n"), {"text.npy", "no .npy file"});
  const auto npy = [&](const std::string& literal, std::size_t numbers) {
    std::string file("\x93NUMPY\x01\x00", 8);
    file += static_cast<char>(literal.size());
    file += '\0';
    return text("x.npy", file + literal + std::string(8 * numbers, '\0'));
  };
  const std::string head = "{'descr': '<f8', 'fortran_order': False, 'shape': ";
  says(npy(head + "(2, 3), }", 5), {"torn", "40 bytes", "2 x 3"});
  says(npy(head + "(2, 3, 1), }", 6), {"not a matrix"});
  says(npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }", 3), {"'<f4'", "float64"});
  EXPECT_EQ(started(npy(head + "(2, 3), }", 6), 72).start.size(), 72u * kDim);
  Fit fit;
  fit.options.chains = 2;
  fit.engine.dim = kDim;
  fit.positions = {1, 1, 1, 1, 1, NAN};
  fit.write_positions(*this / "nan.npy");
  says(*this / "nan.npy", {"nan.npy", "row 2", "not finite"});
}

TEST_F(StartFile, ColumnByColumnIsReadToo) {
  const std::string literal = "{'descr': '<f8', 'fortran_order': True, 'shape': (2, 3), }";
  std::string file("\x93NUMPY\x01\x00", 8);
  file += static_cast<char>(literal.size());
  file += '\0';
  file += literal;
  for (const double x : {11.0, 21.0, 12.0, 22.0, 13.0, 23.0}) {
    file.append(reinterpret_cast<const char*>(&x), sizeof x);
  }
  std::ofstream(*this / "f.npy", std::ios::binary) << file;
  EXPECT_EQ(read_npy_matrix(*this / "f.npy").values, (std::vector<double>{11, 12, 13, 21, 22, 23}));
}

}  // namespace
}  // namespace lockstep
