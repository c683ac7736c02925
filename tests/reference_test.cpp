/// Posteriors of real data against independent long runs.

#include "host/io/reference.hpp"

#include <cmath>
#include <cstdlib>
#include <string>

#include <gtest/gtest.h>

#include "host/comparison.hpp"
#include "host/io/dataset.hpp"
#include "host/registry.hpp"
#include "lockstep/error.hpp"
#include "lockstep/result.hpp"
#include "tests/agreement.hpp"

namespace lockstep {

namespace {

// Posteriors that one tuned sampler handles are compared by `study posteriors`, and by
// posteriors_test.py target by target.

void expect_agreement(const std::string& target, const std::string& folder,
                      const std::string& posterior) {
  std::filesystem::path file;
  try {
    file = find_data_file(folder, "reference.json");
  } catch (const FileError& absent) {
    GTEST_SKIP() << absent.what();
  }
  const Reference reference = read_reference(file, posterior);

  SampleOptions options;
  options.chains = 1024;
  options.warmup = 300;
  options.draws = 400;
  options.seed = 5;
  options.keep_chains = -1;
  options.backend = Backend::cpu;
  const auto engine = find_target(target).make({}, options);
  const Fit fit = run(*engine, Hmc{}, options);

  ASSERT_EQ(fit.parameters.size(), reference.parameters.size());
  EXPECT_LT(fit.rhat_max(), 1.01);
  EXPECT_LT(fit.nested_rhat_max(), 1.01);
  const auto figures = compare(fit, reference);
  EXPECT_EQ(figures.size(), 5 * fit.parameters.size());
  EXPECT_LT(largest_own_error(figures), 0.02) << "the run is too short to prove anything";
  expect_agreement(figures);
}

/// What is published of this posterior has errors too small for its figures; the golden file holds
/// those of another sampler in another parametrisation.
TEST(Reference, StochasticVolatility) {
  SampleOptions options;
  options.chains = 512;
  options.warmup = 600;
  options.draws = 1000;
  options.seed = 5;
  options.keep_chains = -1;
  options.start_radius = 0.05;
  options.backend = Backend::cpu;
  std::unique_ptr<Engine> engine;
  try {
    engine = find_target("stochastic-volatility").make({}, options);
  } catch (const FileError& absent) {
    GTEST_SKIP() << absent.what();
  }
  const Fit fit =
      run(*engine, Hmc{.step_jitter = 0.9, .leapfrog = 30, .target_acceptance = 0.95}, options);
  EXPECT_LT(fit.nested_rhat_max(), 1.01);
  const auto figures =
      compare(fit, read_reference(LOCKSTEP_TEST_DIR "/golden/stochastic_volatility.json",
                                  "stochastic_volatility_own"));
  EXPECT_EQ(figures.size(), 102u * 5 + 3);  // of mu the quantiles alone
  expect_agreement(figures);
}

TEST(Reference, GermanCredit) {
  expect_agreement("german-credit", "german_credit_numeric", "logistic_own");
}

TEST(Reference, EightSchoolsNonCentred) {
  expect_agreement("eight-schools-nc", "eight_schools", "hierarchical_posteriordb");
}

}  // namespace
}  // namespace lockstep
