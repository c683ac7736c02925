/// The samplers for discontinuous coordinates find the laws of the prebuilt targets, and of
/// integers on cells of every kind. Chains are independent, so the spread of their means is the
/// Monte Carlo error whatever the mixing.

#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "host/registry.hpp"
#include "kernels/targets/binomial_n.hpp"
#include "kernels/targets/change_point.hpp"
#include "lockstep/dhmc.hpp"

namespace lockstep {
namespace {

constexpr double kLimit = 4.5;  // Monte Carlo standard errors, of some 150 figures

/// A function of the reported parameters, [dim], and its mean.
struct Figure {
  std::string name;
  std::function<double(const std::vector<double>&)> of;
  double mean;
};

void expect_figures(const Fit& fit, const std::vector<Figure>& figures) {
  const auto chains = static_cast<std::size_t>(fit.draws.chains);
  std::vector<double> x(static_cast<std::size_t>(fit.engine.dim));
  for (const Figure& figure : figures) {
    std::vector<double> mean(chains);
    for (std::int64_t t = 0; t < fit.draws.draws; ++t) {
      for (std::size_t c = 0; c < chains; ++c) {
        for (std::size_t j = 0; j < x.size(); ++j) {
          x[j] = fit.draws.row(t, static_cast<int>(j))[c];
        }
        mean[c] += figure.of(x) / static_cast<double>(fit.draws.draws);
      }
    }
    double sum = 0, squares = 0;
    for (const double m : mean) {
      sum += m - figure.mean;
      squares += (m - figure.mean) * (m - figure.mean);
    }
    const double n = static_cast<double>(chains), off = sum / n;
    const double error = std::sqrt((squares / n - off * off) / (n - 1));
    EXPECT_GT(error, 0) << figure.name;
    EXPECT_LT(std::abs(off), kLimit * error)
        << figure.name << ": " << off << " off, error " << error;
  }
}

/// Means and squares of the truth.
std::vector<Figure> moments(const Truth& truth) {
  std::vector<Figure> figures;
  for (std::size_t j = 0; j < truth.mean.size(); ++j) {
    const double mean = truth.mean[j], sd = truth.sd[j];
    const std::string name = "parameter " + std::to_string(j + 1);
    figures.push_back({name, [j](const auto& x) { return x[j]; }, mean});
    figures.push_back({name + " squared",
                       [j, mean](const auto& x) { return (x[j] - mean) * (x[j] - mean); },
                       sd * sd});
  }
  return figures;
}

/// P(x_j <= n) at deciles of the law, [integers].
void add_distribution(std::size_t j, const std::vector<double>& law, std::vector<Figure>& figures) {
  double below = 0;
  int decile = 1;
  for (std::size_t n = 0; n < law.size(); ++n) {
    below += law[n];
    if (below > 0.1 * decile && below < 0.999) {
      decile = static_cast<int>(10 * below) + 1;
      figures.push_back({"at most " + std::to_string(n),
                         [j, n](const auto& x) { return x[j] <= static_cast<double>(n) ? 1 : 0; },
                         below});
    }
  }
}

struct Settings {
  double step, hop;
  int leapfrog;
  std::vector<double> scale;  // of the metric: variances
  int warmup = 300;           // transitions from the starts to the law
};

std::vector<std::pair<std::string, Sampler>> samplers(const Settings& s) {
  Dhmc dhmc{.step_size = s.step,
            .hop = s.hop,
            .step_jitter = 0.15,
            .leapfrog = s.leapfrog,
            .metric = s.scale.empty() ? Metric::unit : Metric::diagonal,
            .inverse_mass = s.scale};
  Dhmc permuted = dhmc;
  permuted.order = VisitOrder::permutation;
  Sampler mixed = dhmc, gibbs = dhmc;
  mixed.method = Method::mixed_hmc;
  gibbs.method = Method::gibbs;
  return {{"dhmc", dhmc}, {"permuted", permuted}, {"mixed-hmc", mixed}, {"gibbs", gibbs}};
}

SampleOptions options() {
  SampleOptions o;
  o.chains = 2048;
  o.warmup = 300;
  o.draws = 100;
  o.keep_chains = -1;
  o.seed = 11;
  return o;
}

void expect_law(const std::string& name, const Settings& settings,
                const std::vector<Figure>& figures) {
  for (const auto& [method, sampler] : samplers(settings)) {
    for (const Precision precision : {Precision::single_, Precision::double_}) {
      if (precision == Precision::double_ && method != "dhmc") {
        continue;  // the same kernels: one of them will do
      }
      SCOPED_TRACE(name + ", " + method + (precision == Precision::double_ ? ", double" : ""));
      SampleOptions o = options();
      o.precision = precision;
      o.warmup = settings.warmup;
      const auto engine = find_target(name).make(TargetOptions{}, o);
      const Fit fit = run(*engine, sampler, o);
      EXPECT_GT(fit.acceptance, 0.4);
      expect_figures(fit, figures);
    }
  }
}

std::vector<Figure> moments_of(const std::string& name) {
  return moments(find_target(name).make(TargetOptions{}, options())->description().truth);
}

TEST(DiscontinuousStationarity, IntegerGrid) {
  expect_law("integer-grid", {1, 0.9, 4, {}}, moments_of("integer-grid"));
}
TEST(DiscontinuousStationarity, MixedGrid) {
  expect_law("mixed-grid", {1.3, 1.2, 4, {}}, moments_of("mixed-grid"));
}
TEST(DiscontinuousStationarity, Sign) {
  expect_law("sign", {1, 1.2, 4, {}}, moments_of("sign"));
}
TEST(DiscontinuousStationarity, MixtureIndicator) {
  expect_law("mixture-indicator", {0.4, 0.9, 6, {}}, moments_of("mixture-indicator"));
}

/// Mixed HMC takes a thousand transitions of one visit to come from anywhere in 111 years to five.
/// (A hop as long as these five never stays between: nothing moves then.)
TEST(DiscontinuousStationarity, ChangePoint) {
  const ChangePoint target;
  std::vector<Figure> figures = moments(target.truth());
  add_distribution(2, target.law(), figures);
  expect_law("change-point", {0.9, 0.5, 8, {0.01, 0.02, 10}, 1000}, figures);
}

/// N has no variance to speak of: its distribution is compared instead.
TEST(DiscontinuousStationarity, BinomialN) {
  std::vector<Figure> figures = moments(BinomialN{}.truth());
  figures.resize(2);
  add_distribution(1, BinomialN::law(), figures);
  expect_law("binomial-n", {0.12, 0.12, 18, {}}, figures);
}

/// Integers 1..12 on given cells, P(n) ~ n exp(-n / 3).
template <class Cells>
struct OnCells {
  static constexpr int dim = 1;
  Cells cells;

  bool discontinuous(int) const { return true; }
  template <class T>
  T potential(const T* q) const {
    const T n = cells.index(q[0]);
    return select(cells.contains(n), n / T(3) - log(n) + cells.log_width(n),
                  T(std::numeric_limits<Scalar<T>>::infinity()));
  }
  template <class T>
  void constrain(const T* q, T* x) const {
    x[0] = cells.index(q[0]);
  }
  void start(const double* u, double* q) const { q[0] = cells.middle(any_integer(cells, u[0])); }
};

template <class Cells>
void expect_law_on(const Cells& cells, double hop) {
  std::vector<double> law(13);
  double total = 0;
  for (int n = 1; n <= 12; ++n) {
    total += law[static_cast<std::size_t>(n)] = n * std::exp(-n / 3.0);
  }
  for (double& p : law) {
    p /= total;
  }
  std::vector<Figure> figures;
  for (int n = 1; n <= 12; ++n) {
    figures.push_back({std::to_string(n), [n](const auto& x) { return x[0] == n ? 1 : 0; },
                       law[static_cast<std::size_t>(n)]});
  }
  const Fit fit =
      sample(OnCells<Cells>{cells},
             Dhmc{.step_size = 1, .hop = hop, .leapfrog = 5, .metric = Metric::unit}, options());
  EXPECT_GT(fit.acceptance, 0.9999999);
  expect_figures(fit, figures);
}

TEST(DiscontinuousStationarity, CellsOfEveryKind) {
  expect_law_on(UnitCells{1, 12}, 1.7);
  expect_law_on(LogCells{1, 12}, 0.4);
  // Widths 1, 3, 1, 3, ...
  std::vector<double> edges{-5};
  for (int n = 1; n <= 12; ++n) {
    edges.push_back(edges.back() + (n % 2 == 0 ? 3 : 1));
  }
  expect_law_on(TableCells<12>(1, edges), 3.3);
}

}  // namespace
}  // namespace lockstep
