/// The run loop from outside: the same bits, starts, warm-up, interruption, options.

#include <cmath>
#include <string>

#include <gtest/gtest.h>

#include "host/adapt/dual_averaging.hpp"
#include "host/adapt/estimate.hpp"
#include "host/registry.hpp"
#include "lockstep/error.hpp"
#include "lockstep/result.hpp"
#include "tests/message_of.hpp"

namespace lockstep {

namespace {

SampleOptions small_run() {
  SampleOptions options;
  options.chains = 128;
  options.warmup = 0;
  options.draws = 70;
  options.seed = 3;
  options.backend = Backend::cpu;
  return options;
}

Fit run_target(const std::string& target, const Sampler& sampler, const SampleOptions& options) {
  const auto engine = find_target(target).make({}, options);
  return run(*engine, sampler, options);
}

std::string error_of(const Sampler& sampler, const SampleOptions& options, int dim = 2) {
  return message_of([&] { validate(sampler, options, dim); });
}

TEST(SameBits, ForAnyNumberOfChainsAndThreads) {
  for (const char* target : {"scg", "icg", "banana", "eight-schools-nc", "rough-well"}) {
    std::string digest;
    for (const std::int64_t chains : {64, 1000, 4096}) {
      for (const int threads : {1, 2}) {
        SampleOptions options = small_run();
        options.chains = chains;
        options.threads = threads;
        const Fit fit = run_target(target, Hmc{.step_size = 0.1, .leapfrog = 5}, options);
        if (digest.empty()) {
          digest = fit.digest();
        }
        EXPECT_EQ(fit.digest(), digest) << target << ", " << chains << " chains, " << threads;
      }
    }
  }
}

TEST(SameBits, WithPooledWarmupForAnyNumberOfThreads) {
  SampleOptions options = small_run();
  options.warmup = 60;
  options.threads = 1;
  const Fit one = run_target("eight-schools-nc", Hmc{}, options);
  options.threads = 2;
  const Fit two = run_target("eight-schools-nc", Hmc{}, options);
  EXPECT_EQ(one.digest(), two.digest());
  EXPECT_EQ(one.sampler.step_size, two.sampler.step_size);
  EXPECT_EQ(one.metric.inverse_mass, two.metric.inverse_mass);
  for (std::size_t j = 0; j < one.parameters.size(); ++j) {
    EXPECT_EQ(one.parameters[j].mean, two.parameters[j].mean);
  }
}

TEST(SameBits, SeedsDiffer) {
  SampleOptions options = small_run();
  const Fit a = run_target("scg", Hmc{.step_size = 0.1}, options);
  options.seed = 4;
  const Fit b = run_target("scg", Hmc{.step_size = 0.1}, options);
  EXPECT_NE(a.digest(), b.digest());
}

TEST(Warmup, ReachesTheAcceptanceItAimsAt) {
  SampleOptions options = small_run();
  options.chains = 1024;
  options.warmup = 300;
  options.draws = 100;
  struct Case {
    const char* target;
    Sampler sampler;
    double acceptance;
  };
  const Case cases[] = {
      {"icg", Hmc{}, 0.8},
      {"std-normal", Hmc{.target_acceptance = 0.65}, 0.65},
      {"std-normal", Mala{}, 0.574},
      {"std-normal", RandomWalk{}, 0.234},
      {"eight-schools-nc", Hmc{}, 0.8},
  };
  for (const Case& c : cases) {
    const Fit fit = run_target(c.target, c.sampler, options);
    EXPECT_NEAR(fit.acceptance, c.acceptance, 0.06) << c.target;
  }
}

TEST(Warmup, FindsTheMetric) {
  SampleOptions options = small_run();
  options.chains = 2048;
  options.warmup = 300;
  const Fit icg = run_target("icg", Hmc{}, options);
  ASSERT_EQ(icg.metric.kind, Metric::diagonal);
  for (int j = 0; j < 50; ++j) {
    const double truth = std::pow(10.0, -2 + 4.0 * j / 49);
    EXPECT_NEAR(icg.metric.inverse_mass[static_cast<std::size_t>(j)] / truth, 1, 0.15) << j;
  }
  // The correlation of scg is 0.9998: only a dense metric helps, and `automatic` finds that.
  const Fit scg = run_target("scg", Hmc{}, options);
  ASSERT_EQ(scg.metric.kind, Metric::dense);
  EXPECT_NEAR(scg.metric.inverse_mass[0], 50.005, 7);
  EXPECT_NEAR(scg.metric.inverse_mass[1] / scg.metric.inverse_mass[0], 0.9998, 2e-3);
  EXPECT_LT(scg.rhat_max(), 1.05);
}

TEST(Warmup, LeavesGivenSettingsAlone) {
  SampleOptions options = small_run();
  options.warmup = 50;
  const Fit fit = run_target(
      "scg", Hmc{.step_size = 0.1, .metric = Metric::diagonal, .inverse_mass = {2, 3}}, options);
  EXPECT_EQ(fit.sampler.step_size, 0.1);
  EXPECT_EQ(fit.metric.inverse_mass, (InverseMass{2, 3}));
}

TEST(DualAveraging, SolvesForTheTarget) {
  // Acceptance as a smooth falling function of the step size, which is 0.8 at 0.37.
  DualAveraging average(5.0, 0.8);
  for (int t = 0; t < 2000; ++t) {
    const double step = average.step_size();
    average.update(std::exp(-std::pow(step / 0.37, 2) * -std::log(0.8)));
  }
  EXPECT_NEAR(average.average(), 0.37, 0.01);
}

TEST(MetricEstimator, EqualsATwoPassCovariance) {
  const int dim = 3;
  const std::int64_t chains = 7;
  std::vector<std::vector<double>> batches;
  std::vector<std::vector<double>> points;  // [point][dim]
  for (int b = 0; b < 4; ++b) {
    std::vector<double> q;
    for (int i = 0; i < dim * chains; ++i) {
      q.push_back(std::sin(1.7 * i + b) * (1 + i % 5) + 100);
    }
    batches.push_back(q);
    for (std::int64_t c = 0; c < chains; ++c) {
      points.push_back({q[static_cast<std::size_t>(c)], q[static_cast<std::size_t>(chains + c)],
                        q[static_cast<std::size_t>(2 * chains + c)]});
    }
  }
  MetricEstimator full(Metric::dense, dim, {.force_dense = true});
  MetricEstimator marginal(Metric::diagonal, dim, {});
  for (const auto& q : batches) {
    full.add(q, {}, chains);
    marginal.add(q, {}, chains);
  }
  const double n = static_cast<double>(points.size());
  std::vector<double> mean(dim, 0.0);
  for (const auto& x : points) {
    for (int j = 0; j < dim; ++j) {
      mean[static_cast<std::size_t>(j)] += x[static_cast<std::size_t>(j)] / n;
    }
  }
  const InverseMass inverse_mass = full.estimate()->inverse_mass;
  const InverseMass diagonal = marginal.estimate()->inverse_mass;
  for (std::size_t i = 0; i < 3; ++i) {
    for (std::size_t j = 0; j < 3; ++j) {
      double covariance = 0;
      for (const auto& x : points) {
        covariance += (x[i] - mean[i]) * (x[j] - mean[j]) / (n - 1);
      }
      const double expected = n / (n + 5) * covariance + (i == j ? 1e-3 * 5 / (n + 5) : 0);
      EXPECT_NEAR(inverse_mass[i * 3 + j], expected, 1e-10 * std::abs(expected) + 1e-12);
      if (i == j) {
        EXPECT_NEAR(diagonal[i], expected, 1e-10 * expected);
      }
    }
  }
}

TEST(PrepareMetric, RefusesWhatIsNoCovariance) {
  EXPECT_THROW(prepare_metric(Metric::diagonal, {1, -1}, 2), UsageError);
  EXPECT_THROW(prepare_metric(Metric::diagonal, {1}, 2), UsageError);
  EXPECT_THROW(prepare_metric(Metric::dense, {1, 2, 2, 1}, 2), UsageError);      // indefinite
  EXPECT_THROW(prepare_metric(Metric::dense, {1, 0.5, 0.1, 1}, 2), UsageError);  // not symmetric
  const PreparedMetric m = prepare_metric(Metric::dense, {4, 2, 2, 3}, 2);
  EXPECT_NEAR(m.factor[0], 2, 1e-15);
  EXPECT_NEAR(m.factor[1], 0, 1e-15);
  EXPECT_NEAR(m.factor[2], 1, 1e-15);
  EXPECT_NEAR(m.factor[3], std::sqrt(2.0), 1e-15);
}

TEST(Run, StopsWhenToldAndReportsWhatThereIs) {
  SampleOptions options = small_run();
  options.draws = 1'000'000;
  options.keep_chains = 4;
  options.thin = 1000;
  int calls = 0;
  options.progress = [&](const Progress& p) {
    EXPECT_LE(p.done, p.total);
    return ++calls < 3;
  };
  const Fit fit = run_target("scg", Hmc{.step_size = 0.1}, options);
  EXPECT_TRUE(fit.interrupted);
  EXPECT_GT(fit.draws_done, 0);
  EXPECT_LT(fit.draws_done, options.draws);
  EXPECT_EQ(fit.draws.draws, fit.draws_done / 1000);
  EXPECT_TRUE(std::isfinite(fit.parameters[0].mean));
}

TEST(Run, KeepsWhatWasAskedFor) {
  SampleOptions options = small_run();
  options.keep_chains = 5;
  options.thin = 7;
  options.keep_parameters = {3, 9};
  const Fit fit = run_target("eight-schools-nc", Hmc{.step_size = 0.1}, options);
  EXPECT_EQ(fit.draws.chains, 5);
  EXPECT_EQ(fit.draws.draws, 10);
  EXPECT_EQ(fit.draws.parameters, (std::vector<int>{3, 9}));
  // The last kept draw is the last draw: tau = exp(q_9) of the final position.
  const double tau = fit.draws.row(9, 1)[4];
  EXPECT_NEAR(tau, std::exp(fit.positions[9 * 128 + 4]), 1e-5 * tau);
}

TEST(Run, CountsGradients) {
  SampleOptions options = small_run();
  const Fit fixed = run_target(
      "scg", Hmc{.step_size = 0.1, .leapfrog = 5, .length_jitter = LengthJitter::none}, options);
  EXPECT_EQ(fixed.gradients_sampling, 70 * 5);
  const Fit fourth = run_target("scg",
                                Hmc{.step_size = 0.1,
                                    .leapfrog = 5,
                                    .length_jitter = LengthJitter::none,
                                    .integrator = Integrator::minimal_norm_4},
                                options);
  EXPECT_EQ(fourth.gradients_sampling, 70 * 5 * 4);
  // Each step of it takes four, those of the search for a first step size too.
  options.warmup = 30;
  const Fit tuned = run_target("scg", Hmc{.integrator = Integrator::minimal_norm_4}, options);
  EXPECT_GT(tuned.gradients_warmup, 4 * 30);
  EXPECT_EQ(tuned.gradients_warmup % 4, 0);
}

TEST(Starts, AreSharedBySuperchains) {
  SampleOptions options = small_run();
  options.superchain = 16;
  const auto engine = find_target("std-normal").make({}, options);
  const Fit fit = run(*engine, Hmc{.step_size = 0.1}, options);
  EXPECT_NE(fit.positions[0], fit.positions[1]);  // they part at once
  EXPECT_TRUE(std::isfinite(fit.nested_rhat_max()));
}

TEST(Starts, NameWhatIsWrong) {
  SampleOptions options = small_run();
  options.start.assign(2 * 128, 0.5);
  options.start[128 + 77] = std::nan("");
  try {
    run_target("scg", Hmc{.step_size = 0.1}, options);
    FAIL() << "a start that is not a number was taken";
  } catch (const InitialisationError& e) {
    EXPECT_NE(std::string(e.what()).find("chain 77"), std::string::npos) << e.what();
    EXPECT_NE(std::string(e.what()).find("potential"), std::string::npos) << e.what();
  }
}

TEST(Validate, NamesOptionValueAndRemedy) {
  const SampleOptions good = small_run();
  const Sampler hmc = Hmc{.step_size = 0.1};
  EXPECT_EQ(error_of(hmc, good), "");
  const auto with = [&](auto change) {
    SampleOptions o = good;
    change(o);
    return error_of(hmc, o);
  };
  EXPECT_NE(with([](auto& o) { o.chains = 0; }).find("chains is 0"), std::string::npos);
  EXPECT_NE(with([](auto& o) { o.draws = -3; }).find("draws is -3"), std::string::npos);
  EXPECT_NE(with([](auto& o) { o.thin = 71; }).find("thin is 71"), std::string::npos);
  EXPECT_NE(with([](auto& o) { o.threads_per_chain = 3; }).find("threads_per_chain is 3"),
            std::string::npos);
  EXPECT_NE(with([](auto& o) { o.start_radius = -1; }).find("start_radius"), std::string::npos);
  EXPECT_NE(error_of(Hmc{}, good).find("step size"), std::string::npos);  // no warm-up to tune it
  EXPECT_NE(error_of(Hmc{.step_size = 0.1, .step_jitter = 1}, good).find("step_jitter"),
            std::string::npos);
  EXPECT_NE(error_of(Hmc{.step_size = -1}, good).find("step_size is -1.0"), std::string::npos);
  EXPECT_NE(error_of(Ghmc{.step_size = 0.1, .persistence = 1.0}, good).find("persistence"),
            std::string::npos);
  EXPECT_NE(error_of(Hmc{.step_size = 1, .metric = Metric::dense, .inverse_mass = {1, 2}}, good)
                .find("dim x dim"),
            std::string::npos);
}

TEST(Registry, SuggestsTheNearestName) {
  try {
    find_target("german-credt");
    FAIL();
  } catch (const UsageError& e) {
    EXPECT_NE(std::string(e.what()).find("'german-credit'"), std::string::npos) << e.what();
  }
}

}  // namespace
}  // namespace lockstep
