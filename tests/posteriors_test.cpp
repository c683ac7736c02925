/// The reference posteriors' densities against golden values, which golden/make_posteriors.py
/// computes from the models with plain sums over the raw data; and their runs on float lanes
/// against double.

#include <cmath>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "host/registry.hpp"
#include "kernels/targets/poisson_regression.hpp"
#include "lockstep/engine.hpp"
#include "lockstep/error.hpp"

namespace lockstep {

namespace {

constexpr std::size_t kPoints = 5;

const nlohmann::json& golden() {
  static const nlohmann::json values = [] {
    std::ifstream file(LOCKSTEP_TEST_DIR "/golden/posteriors.json");
    return nlohmann::json::parse(file);
  }();
  return values;
}

/// [dim][kPoints]: q_j = centre_j + sin((k + 1)(j + 1)) / 2, as make_posteriors.py says.
std::vector<double> points(const std::vector<double>& centre, std::size_t dim) {
  std::vector<double> q;
  for (std::size_t j = 0; j < dim; ++j) {
    for (std::size_t k = 0; k < kPoints; ++k) {
      const double middle = j < centre.size() ? centre[j] : 0.0;
      q.push_back(middle + 0.5 * std::sin(static_cast<double>((k + 1) * (j + 1))));
    }
  }
  return q;
}

struct Evaluated {
  std::vector<double> potential;  // [kPoints]
  std::vector<double> gradient;   // [dim][kPoints]
};

/// The prebuilt target at the points. @throw FileError  where its data are absent
Evaluated evaluate(const std::string& target, Precision precision) {
  SampleOptions options;
  options.chains = kPoints;
  options.precision = precision;
  options.backend = Backend::cpu;
  const auto engine = find_target(target).make({}, options);
  const auto dim = static_cast<std::size_t>(engine->description().dim);
  Evaluated e{std::vector<double>(kPoints), std::vector<double>(dim * kPoints)};
  engine->place(points(golden().at(target).at("centre").get<std::vector<double>>(), dim));
  engine->evaluations(e.potential, e.gradient);
  return e;
}

class Density : public testing::TestWithParam<std::string> {};

TEST_P(Density, IsTheModels) {
  const auto expected = golden().at(GetParam()).at("log_density").get<std::vector<double>>();
  Evaluated e;
  try {
    e = evaluate(GetParam(), Precision::double_);
  } catch (const FileError& absent) {
    GTEST_SKIP() << absent.what();
  }
  for (std::size_t k = 1; k < kPoints; ++k) {  // constants are not compared
    const double difference = expected[0] - expected[k];
    EXPECT_NEAR(e.potential[k] - e.potential[0], difference, 1e-11 * std::abs(expected[k])) << k;
    EXPECT_GT(std::abs(difference), 1e-3) << "points that tell nothing";
  }
}

TEST_P(Density, HasItsGradient) {
  GradientOptions options;
  options.points = 2;
  options.spread = 1;
  GradientReport report;
  try {
    report = find_target(GetParam()).check({}, options);
  } catch (const FileError& absent) {
    GTEST_SKIP() << absent.what();
  }
  EXPECT_TRUE(report.passed()) << report.summary();
}

/// Data and constants are rounded too, and far out an exponential multiplies the rounding of its
/// argument by the argument: a few roundings of the largest term.
TEST_P(Density, KeepsItsEnergyInFloat) {
  Evaluated exact, single;
  try {
    exact = evaluate(GetParam(), Precision::double_);
    single = evaluate(GetParam(), Precision::single_);
  } catch (const FileError& absent) {
    GTEST_SKIP() << absent.what();
  }
  double largest = 0;
  for (const double g : exact.gradient) {
    largest = std::max(largest, std::abs(g));
  }
  for (std::size_t k = 0; k < kPoints; ++k) {
    EXPECT_NEAR(single.potential[k], exact.potential[k], 4e-6 * (1 + std::abs(exact.potential[k])))
        << k;
  }
  for (std::size_t i = 0; i < exact.gradient.size(); ++i) {
    EXPECT_NEAR(single.gradient[i], exact.gradient[i], 2e-5 * largest) << i;
  }
}

INSTANTIATE_TEST_SUITE_P(Posteriors, Density,
                         testing::Values("ark", "kidiq", "kidiq-interaction", "kilpisjarvi",
                                         "garch11", "gauss-mix", "peregrine", "german-credit",
                                         "german-credit-probit", "german-credit-sparse",
                                         "australian-credit", "heart-disease", "brownian",
                                         "brownian-unknown", "stochastic-volatility",
                                         "item-response", "eight-schools-log"),
                         [](const auto& info) {
                           std::string name = info.param;
                           for (char& c : name) {
                             c = c == '-' ? '_' : c;
                           }
                           return name;
                         });

TEST(Posteriors, PoissonRegressionHasItsGradient) {
  const double x[] = {-1.6, -0.9, -0.2, 0.3, 0.8, 1.5}, moment[] = {10, 5, 7, 3};
  GradientOptions options;
  options.spread = 0.5;
  const GradientReport report = check_gradient(PoissonRegression<double>(x, 6, moment), options);
  EXPECT_TRUE(report.passed()) << report.summary();
  // U at q = 0, where all coefficients are 0 and each observation expects one event, but for the
  // constant Jacobians.
  const double origin[] = {0, 0, 0, 0}, shifted[] = {0.1, 0, 0, 0};
  const PoissonRegression<double> target(x, 6, moment);
  const double alpha = -20 + 40 / (1 + std::exp(-0.1));
  const auto log_slope = [](double q) { return -q - 2 * std::log1p(std::exp(-q)); };
  EXPECT_NEAR(potential(target, shifted).value() - potential(target, origin).value(),
              6 * std::expm1(alpha) - 10 * alpha - log_slope(0.1) + log_slope(0), 1e-11);
}

/// Points the search for data to a place without any, for as long as it lives.
class NoData {
 public:
  NoData() {
    for (Variable& v : variables_) {
      const char* value = std::getenv(v.name);
      v.was_set = value != nullptr;
      v.value = v.was_set ? value : "";
      setenv(v.name, "/nowhere/at/all", 1);
    }
  }
  NoData(const NoData&) = delete;
  NoData& operator=(const NoData&) = delete;
  ~NoData() {
    for (const Variable& v : variables_) {
      v.was_set ? setenv(v.name, v.value.c_str(), 1) : unsetenv(v.name);
    }
  }

 private:
  struct Variable {
    const char* name;
    bool was_set = false;
    std::string value = {};
  };
  Variable variables_[2] = {{"LOCKSTEP_DATA"}, {"XDG_CACHE_HOME"}};
};

TEST(Posteriors, EachSaysWhichDataAreAbsent) {
  const NoData nothing;
  int with_data = 0;
  for (const TargetEntry& entry : targets()) {
    if (!entry.needs_data || entry.name == "logistic") {  // which asks for a file
      continue;
    }
    ++with_data;
    try {
      entry.dim({});
      ADD_FAILURE() << entry.name << " found data";
    } catch (const FileError& absent) {
      EXPECT_NE(std::string(absent.what()).find(entry.reference.folder), std::string::npos)
          << entry.name << ": " << absent.what();
    }
  }
  EXPECT_GE(with_data, 16);
}

}  // namespace
}  // namespace lockstep
