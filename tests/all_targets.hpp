#pragma once

/// Every target of the library, for tests that hold for all of them.

#include <cmath>
#include <random>
#include <string>

#include "host/io/logistic_data.hpp"
#include "host/io/posterior_data.hpp"
#include "kernels/targets/banana.hpp"
#include "kernels/targets/brownian_motion.hpp"
#include "kernels/targets/eight_schools.hpp"
#include "kernels/targets/funnel.hpp"
#include "kernels/targets/garch.hpp"
#include "kernels/targets/item_response.hpp"
#include "kernels/targets/linear_regression.hpp"
#include "kernels/targets/logistic.hpp"
#include "kernels/targets/mixture.hpp"
#include "kernels/targets/mog6.hpp"
#include "kernels/targets/normal.hpp"
#include "kernels/targets/normal_mixture.hpp"
#include "kernels/targets/probit.hpp"
#include "kernels/targets/rings.hpp"
#include "kernels/targets/rough_well.hpp"
#include "kernels/targets/sparse_logistic.hpp"
#include "kernels/targets/stochastic_volatility.hpp"

namespace lockstep::testing_targets {

/// 37 rows, which fill no whole number of blocks, of four features; outcomes 0 and 1.
inline const LogisticData& small_regression() {
  static const LogisticData data = [] {
    std::mt19937 bits(11);
    Table table{"made up", {"a", "b", "c", "d", "y"}, {}};
    for (int i = 0; i < 37; ++i) {
      double sum = 0;
      for (int j = 0; j < 4; ++j) {
        const double x = static_cast<double>(bits()) * 0x1p-32;
        sum += x;
        table.values.push_back(x);
      }
      table.values.push_back(sum + static_cast<double>(bits()) * 0x1p-32 > 2.5 ? 1 : 0);
    }
    return LogisticData(table);
  }();
  return data;
}

/// 23 numbers without a pattern.
inline const Column& small_series() {
  static const Column series = [] {
    std::vector<double> y;
    for (int t = 0; t < 23; ++t) {
      y.push_back(1.5 * std::sin(3.0 * t) + 0.05 * t);
    }
    return Column(y);
  }();
  return series;
}

/// Their squares.
inline const Column& small_squares() {
  static const Column squares = [] {
    std::vector<double> y2;
    for (int t = 0; t < small_series().size(); ++t) {
      const double y = small_series().data<double>()[t];
      y2.push_back(y * y);
    }
    return Column(y2);
  }();
  return squares;
}

/// Three coefficients, two of them with priors.
inline LinearRegressionModel small_linear_regression(double sigma_scale) {
  LinearRegressionModel m;
  m.coefficients = 3;
  m.names = {"a", "b", "c", "sigma"};
  m.observations = 20;
  m.fit = {1, 2, -1};
  m.r = {{{3, 1, 0.5}, {0, 2, -1}, {0, 0, 1.5}}};
  m.rss = 7;
  m.prior_mean = {0.5, 0, 0};
  m.prior_precision = {0.25, 0, 1};
  m.sigma_scale = sigma_scale;
  return m;
}

/// 30 steps, the middle ten not observed.
inline BrownianPath::Observations small_path() {
  BrownianPath::Observations y;
  for (std::size_t t = 0; t < y.size(); ++t) {
    y[t] = t / 10 == 1 ? std::nan("") : 0.1 * std::sin(2.0 * static_cast<double>(t));
  }
  return y;
}

/// Four students, one of whom answered nothing, and three questions.
template <class S>
Answers<S> small_answers() {
  static const int first[] = {0, 4, 8, 8, 12};
  static const int question[] = {0, 1, 2, 3, 1, 2, 3, 3, 0, 2, 3, 3};
  static const S right[] = {2, 1, 0, 2, 2, 1, 2};
  return {first, question, right, 4, 3, 12, 5};
}

/// f(name, target, spread): points in [-spread, spread]^d see everything that the target has.
/// (Not Poisson regression, which posteriors_test has: its exponentials magnify float's rounding of
/// coefficients between far bounds.)
/// @tparam S  scalar of the targets' data.
template <class S, class F>
void for_each_target(F f) {
  f("std-normal", StdNormal<5>{}, 2.0);
  f("std-normal, run-time dimension", StdNormalN<64>(7), 2.0);
  f("icg", Icg{}, 2.0);
  f("scg", Scg{}, 4.0);
  f("scg 0.1", Scg(0.1), 4.0);
  f("mog", Mog{}, 4.0);
  f("mog2", Mog2{}, 8.0);
  f("mog2-equal", Mog(5, 0.25), 8.0);
  f("mog6", Mog6{}, 4.0);
  f("ring", Ring{}, 3.0);
  f("ring5", Ring5{}, 3.0);
  f("rough-well", RoughWell<2>{}, 3.0);
  f("rough-well, run-time dimension", RoughWellN<16>(9, 0.1), 3.0);
  f("banana", Banana{}, 10.0);
  f("funnel", Funnel{}, 3.0);
  f("funnel-nc", FunnelNc{}, 3.0);
  f("eight-schools", EightSchools{}, 3.0);
  f("eight-schools, other prior", EightSchools({-2, 3}), 3.0);
  f("eight-schools-nc", EightSchoolsNc{}, 3.0);
  f("logistic", Logistic<S, 5>(small_regression().view<S>()), 2.0);
  f("logistic, run-time dimension", LogisticN<S, 16>(small_regression().view<S>()), 2.0);
  f("eight-schools-log", EightSchoolsLogNormal{}, 3.0);
  f("probit", Probit<S, 5>(small_regression().view<S>()), 2.0);
  f("sparse logistic", SparseLogistic<S, 5>(small_regression().view<S>()), 2.0);
  f("linear regression", LinearRegression(small_linear_regression(2.5)), 2.0);
  f("linear regression, flat priors", LinearRegression(small_linear_regression(0)), 2.0);
  const Column& y = small_series();
  f("garch", Garch<S>(y.data<S>(), y.size(), 0.5), 2.0);
  f("normal mixture", NormalMixture<S>(y.data<S>(), y.size()), 1.5);
  f("brownian", BrownianMotion(small_path(), 0.1, 0.15), 1.0);
  f("brownian-unknown", BrownianMotionUnknown(small_path()), 1.0);
  f("stochastic volatility",
    StochasticVolatility<S, 32>(small_squares().data<S>(), small_squares().size()), 1.0);
  f("item response", ItemResponse<S, 16>(small_answers<S>()), 2.0);
}

}  // namespace lockstep::testing_targets
