/// Posteriors of real data against independent long runs.

#include "host/io/reference.hpp"

#include <cmath>
#include <cstdlib>
#include <string>

#include <gtest/gtest.h>

#include "host/io/dataset.hpp"
#include "host/registry.hpp"
#include "lockstep/diagnostics.hpp"
#include "lockstep/error.hpp"
#include "lockstep/result.hpp"

namespace lockstep {

namespace {

constexpr double kLimit = 4;  // combined Monte Carlo standard errors

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
  for (std::size_t j = 0; j < fit.parameters.size(); ++j) {
    const ParameterSummary& p = fit.parameters[j];
    const ReferenceFigures& r = reference.parameters.at(p.name);
    const std::vector<double> column = fit.draws.column(static_cast<int>(j));
    const Trace trace{column, static_cast<std::size_t>(fit.draws.draws),
                      static_cast<std::size_t>(fit.draws.chains)};
    const auto agree = [&](const char* what, double own, double own_error, double theirs,
                           double their_error) {
      EXPECT_LT(std::abs(own - theirs), kLimit * std::hypot(own_error, their_error))
          << p.name << " " << what << ": " << own << " (" << own_error << ") for " << theirs << " ("
          << their_error << ")";
    };
    EXPECT_LT(p.mcse, 0.02 * p.sd) << "the run is too short to prove anything";
    agree("mean", p.mean, p.mcse, r.mean, r.mcse_mean);
    agree("sd", p.sd, mcse_sd(trace), r.sd, r.mcse_sd);
    agree("5 %", p.q05, mcse_quantile(trace, 0.05), r.q05, r.mcse_q05);
    agree("50 %", p.q50, mcse_quantile(trace, 0.5), r.q50, r.mcse_q50);
    agree("95 %", p.q95, mcse_quantile(trace, 0.95), r.q95, r.mcse_q95);
  }
}

TEST(Reference, GermanCredit) {
  expect_agreement("german-credit", "german_credit_numeric", "logistic_own");
}

TEST(Reference, EightSchoolsNonCentred) {
  expect_agreement("eight-schools-nc", "eight_schools", "hierarchical_posteriordb");
}

}  // namespace
}  // namespace lockstep
