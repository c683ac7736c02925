// What warm-up decides for discontinuous coordinates: hops by their no-flip rate, a metric in two
// blocks, and what a run then says of them.

#include <cmath>
#include <memory>
#include <numeric>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "host/adapt/blocks.hpp"
#include "host/adapt/warmup.hpp"
#include "host/gradients.hpp"
#include "host/starts.hpp"
#include "kernels/targets/integer_grid.hpp"
#include "kernels/targets/mixed_grid.hpp"
#include "lockstep/dhmc.hpp"
#include "lockstep/error.hpp"
#include "tests/memory_archive.hpp"

namespace lockstep {
namespace {

SampleOptions options_of(std::int64_t chains, int warmup, int draws) {
  SampleOptions options;
  options.chains = chains;
  options.warmup = warmup;
  options.draws = draws;
  options.seed = 11;
  return options;
}

// ---- the metric in two blocks ------------------------------------------------------------------

/// [dim][chains] of N(0, Sigma) with a tridiagonal Sigma of unequal scales, and gradients
/// Sigma^-1 q but nonsense at the discontinuous coordinates, which have none.
struct Synthetic {
  static constexpr int dim = 6, chains = 3000;
  static inline const std::vector<int> jumps{1, 4}, smooth{0, 2, 3, 5};
  std::vector<double> q, gradient;

  Synthetic() : q(dim * chains), gradient(dim * chains, 1e6) {
    std::mt19937_64 bits(5);
    std::normal_distribution<double> normal;
    Eigen::MatrixXd sigma = Eigen::MatrixXd::Zero(dim, dim);
    for (int j = 0; j < dim; ++j) {
      sigma(j, j) = std::pow(4.0, j - 2);
      for (int k = 0; k < j; ++k) {
        sigma(j, k) = sigma(k, j) = 0.9 * std::sqrt(sigma(j, j) * sigma(k, k));
      }
    }
    Matrix z(dim, chains);
    for (Eigen::Index i = 0; i < z.size(); ++i) {
      z.data()[i] = normal(bits);
    }
    const Eigen::LLT<Eigen::MatrixXd> root(sigma);
    Eigen::Map<Matrix> at(q.data(), dim, chains);
    at = root.matrixL() * z;
    const Eigen::MatrixXd slope = root.solve(Eigen::MatrixXd(at));
    for (const int j : smooth) {
      for (int c = 0; c < chains; ++c) {
        gradient[static_cast<std::size_t>(j * chains + c)] = slope(j, c);
      }
    }
  }

  /// Their rows of one or the other.
  static std::vector<double> rows(const std::vector<double>& x, const std::vector<int>& of) {
    std::vector<double> some;
    for (const int j : of) {
      some.insert(some.end(), x.begin() + j * chains, x.begin() + (j + 1) * chains);
    }
    return some;
  }
};

Eigen::MatrixXd matrix_of(const PreparedMetric& m, int dim) {
  Matrix v = Matrix::Identity(dim, dim);
  Whitening(m).velocities(v);  // F'
  return v.transpose() * v;
}

TEST(BlockEstimator, EmbedsEveryKindExactly) {
  const Synthetic draws;
  for (const Metric kind :
       {Metric::diagonal, Metric::dense, Metric::fisher, Metric::low_rank, Metric::automatic}) {
    SCOPED_TRACE(static_cast<int>(kind));
    BlockEstimator blocks(kind, Synthetic::dim, Synthetic::jumps, {});
    blocks.add(draws.q, draws.gradient, Synthetic::chains);
    const PreparedMetric whole = *blocks.estimate();

    const auto smooth_dim = static_cast<int>(Synthetic::smooth.size());
    MetricEstimator of_smooth(kind, smooth_dim, {});
    of_smooth.add(Synthetic::rows(draws.q, Synthetic::smooth),
                  Synthetic::rows(draws.gradient, Synthetic::smooth), Synthetic::chains);
    const PreparedMetric part = *of_smooth.estimate();
    EXPECT_EQ(whole.kind, part.kind);
    if (kind == Metric::dense || kind == Metric::automatic) {
      EXPECT_EQ(whole.kind, Metric::dense);
    }
    if (kind == Metric::low_rank) {
      EXPECT_GE(rank_of(part.inverse_mass.size(), smooth_dim), 1);
    }

    const Eigen::MatrixXd found = matrix_of(whole, Synthetic::dim);
    const Eigen::MatrixXd block = matrix_of(part, smooth_dim);
    for (int i = 0; i < smooth_dim; ++i) {
      for (int k = 0; k < smooth_dim; ++k) {
        EXPECT_NEAR(found(Synthetic::smooth[i], Synthetic::smooth[k]), block(i, k),
                    1e-12 * block.diagonal().maxCoeff());
      }
    }
    for (const int j : Synthetic::jumps) {
      const double* x = draws.q.data() + static_cast<std::ptrdiff_t>(j) * Synthetic::chains;
      const double n = Synthetic::chains;
      const double mean = std::accumulate(x, x + Synthetic::chains, 0.0) / n;
      double square = 0;
      for (int c = 0; c < Synthetic::chains; ++c) {
        square += (x[c] - mean) * (x[c] - mean);
      }
      EXPECT_NEAR(found(j, j) / (n / (n + 5) * square / (n - 1) + 1e-3 * 5 / (n + 5)), 1, 1e-12);
      for (int k = 0; k < Synthetic::dim; ++k) {
        EXPECT_TRUE(k == j || (std::abs(found(j, k)) < 1e-15 && std::abs(found(k, j)) < 1e-15));
      }
    }
  }
}

TEST(BlockEstimator, WithoutDiscontinuousCoordinatesIsMetricEstimator) {
  const Synthetic draws;
  for (const Metric kind : {Metric::diagonal, Metric::dense, Metric::fisher, Metric::low_rank}) {
    BlockEstimator blocks(kind, Synthetic::dim, {}, {});
    MetricEstimator plain(kind, Synthetic::dim, {});
    blocks.add(draws.q, draws.gradient, Synthetic::chains);
    plain.add(draws.q, draws.gradient, Synthetic::chains);
    EXPECT_EQ(blocks.estimate()->inverse_mass, plain.estimate()->inverse_mass);
    EXPECT_EQ(blocks.estimate()->factor, plain.estimate()->factor);
  }
}

TEST(BlockEstimator, WithoutSmoothCoordinatesIsADiagonal) {
  const Synthetic draws;
  for (const Metric kind : {Metric::diagonal, Metric::dense, Metric::fisher, Metric::low_rank}) {
    BlockEstimator blocks(kind, 2, {0, 1}, {});
    EXPECT_EQ(blocks.smooth_dim(), 0);
    EXPECT_FALSE(blocks.needs_gradients());
    blocks.add(Synthetic::rows(draws.q, {1, 4}), {}, Synthetic::chains);
    const PreparedMetric m = *blocks.estimate();
    EXPECT_EQ(m.kind, Metric::diagonal);
    EXPECT_EQ(m.inverse_mass.size(), 2u);
    EXPECT_TRUE(blocks.ready());
  }
}

TEST(BlockEstimator, ScalesOfStartsAndOfChainsThatDoNotMove) {
  const Synthetic draws;
  BlockEstimator blocks(Metric::diagonal, Synthetic::dim, Synthetic::jumps, {});
  const PreparedMetric first = blocks.of_starts(draws.q, draws.gradient);
  for (const int j : Synthetic::jumps) {  // whatever their gradient says
    EXPECT_NEAR(std::sqrt(first.inverse_mass[static_cast<std::size_t>(j)]) / std::pow(2.0, j - 2),
                1, 0.06);
  }
  const InverseMass alone = metric_of_starts(Synthetic::rows(draws.q, Synthetic::smooth),
                                             Synthetic::rows(draws.gradient, Synthetic::smooth), 4);
  for (std::size_t i = 0; i < alone.size(); ++i) {
    EXPECT_EQ(first.inverse_mass[static_cast<std::size_t>(Synthetic::smooth[i])], alone[i]);
  }
  // All chains at one place: a hundredth of the scale before, not nothing.
  std::vector<double> still = draws.q;
  std::fill_n(still.begin() + Synthetic::chains, Synthetic::chains, 3.5);
  for (int window = 1; window <= 2; ++window) {
    blocks.clear();
    blocks.add(still, draws.gradient, Synthetic::chains);
    const double expected = std::max(first.inverse_mass[1] * std::pow(1e-4, window),
                                     1e-3 * 5 / (Synthetic::chains + 5));
    EXPECT_NEAR(blocks.estimate()->inverse_mass[1] / expected, 1, 1e-12);
  }
}

// ---- hops --------------------------------------------------------------------------------------

/// Coordinate j moves at the rate 1 - length / reach_j.
struct Rates {
  std::vector<double> reach;
  std::vector<double> operator()(const std::vector<double>& lengths) const {
    std::vector<double> tallies;
    for (std::size_t i = 0; i < reach.size(); ++i) {
      tallies.push_back(1000 * std::max(0.0, 1 - lengths[i] / reach[i]));
    }
    return tallies;
  }
};

std::vector<double> lengths_of(const Sampler& s, const PreparedMetric& m) {
  std::vector<double> lengths;
  for (std::size_t j = 0; j < m.inverse_mass.size(); ++j) {
    lengths.push_back(s.hop *
                      (s.hop_scale.empty() ? std::sqrt(m.inverse_mass[j]) : s.hop_scale[j]));
  }
  return lengths;
}

/// From what the search leaves: a window of the warm-up, and the transitions that settle.
TEST(Hops, AreTunedToTheirRateByTheShortestWarmUp) {
  const Rates rates{{1, 3, 9}};
  const PreparedMetric metric = prepare_metric(Metric::diagonal, {1, 9, 81}, 3);
  for (const bool each : {false, true}) {
    for (const double target : {0.8, 0.44}) {
      for (const double off : {0.5, 1.0, 2.0}) {
        Sampler s = Dhmc{.target_no_flip = target, .hop_per_coordinate = each};
        Hops hops(s, {0, 1, 2}, 3);
        hops.rescale(metric);
        hops.restart(off * (1 - target));
        for (int t = 0; t < 10 + kSettling; ++t) {
          hops.update(rates(lengths_of(hops.applied(s), metric)), 10, 100);
          if (t + 1 == 10) {
            hops.rescale(metric);
          }
        }
        const Sampler frozen = hops.frozen(s);
        EXPECT_NEAR(hops.rate(rates(lengths_of(frozen, metric)), 1000), target, 0.01)
            << each << target << off;
        for (std::size_t j = 0; j < 3; ++j) {
          EXPECT_NEAR(hops.lengths()[j] / lengths_of(frozen, metric)[j], 1, 1e-12);
        }
      }
    }
  }
}

TEST(Hops, OfEachCoordinateEqualiseTheirRates) {
  const Rates rates{{1, 3, 500}};
  const PreparedMetric metric = prepare_metric(Metric::unit, {}, 3);
  Sampler s = Dhmc{.hop_per_coordinate = true};
  Hops hops(s, {0, 1, 2}, 3);
  hops.rescale(metric);
  for (int t = 0; t < 75; ++t) {
    hops.update(rates(lengths_of(hops.applied(s), metric)), 10, 100);
    if (t + 1 == 10 || t + 1 == 30 || t + 1 == 60) {
      hops.rescale(metric);
    }
  }
  for (const double tally : rates(hops.lengths())) {
    EXPECT_NEAR(tally / 1000, 0.8, 0.01);
  }
}

TEST(Hops, GoAsFarAsBeforeUnderANewMetric) {
  for (const bool each : {false, true}) {
    Sampler s = Dhmc{.hop_per_coordinate = each};
    Hops hops(s, {0, 1}, 2);
    hops.rescale(prepare_metric(Metric::unit, {}, 2));
    for (int t = 0; t < 5; ++t) {
      hops.update(std::vector<double>{900, 500}, 10, 100);
    }
    const std::vector<double> before = hops.lengths();
    hops.rescale(prepare_metric(Metric::dense, {4, 0.3, 0.3, 0.25}, 2));
    const std::vector<double> after = hops.lengths();
    EXPECT_NEAR(after[0] * after[1] / (before[0] * before[1]), 1, 1e-12);
    if (each) {
      EXPECT_NE(before[0], before[1]);
      EXPECT_NEAR(after[0] / before[0], 1, 1e-12);
    } else {
      EXPECT_NEAR(after[0] / after[1], 4, 1e-12);  // the ratio of the scales
    }
  }
}

// ---- whole warm-ups ----------------------------------------------------------------------------

/// Integers on 0..width-1 of unequal widths, all equally likely.
struct Boxes {
  static constexpr int dim = 3;
  LOCKSTEP_HD bool discontinuous(int) const { return true; }
  template <class T>
  LOCKSTEP_HD T potential(const T* q) const {
    T u = T(0);
    for (int j = 0; j < dim; ++j) {
      const auto inside = T(0) <= q[j] && q[j] < T(static_cast<Scalar<T>>(width(j)));
      u = select(inside, u, T(std::numeric_limits<Scalar<T>>::infinity()));
    }
    return u;
  }
  template <class T>
  LOCKSTEP_HD void constrain(const T* q, T* x) const {
    for (int j = 0; j < dim; ++j) {
      x[j] = floor(q[j]);
    }
  }
  void start(const double* u, double* q) const {
    for (int j = 0; j < dim; ++j) {
      q[j] = std::ceil(u[j] * width(j)) - 0.5;
    }
  }
  static LOCKSTEP_HD int width(int j) { return j == 0 ? 2 : j == 1 ? 12 : 90; }
};

TEST(WarmUp, TunesDhmcToTheNoFlipRate) {
  for (const double target : {0.0, 0.6}) {
    const SampleOptions options = options_of(1024, 300, 200);
    const Fit grid = sample(IntegerGrid{}, Dhmc{.target_no_flip = target}, options);
    const Fit mixed = sample(MixedGrid{}, Dhmc{.target_no_flip = target}, options);
    for (const Fit* fit : {&grid, &mixed}) {
      EXPECT_NEAR(fit->no_flip(), target > 0 ? target : 0.8, 0.01);
      EXPECT_LT(fit->warmup_done, 300);  // it rests
      EXPECT_LT(fit->nested_rhat_max(), 1.02);
    }
    EXPECT_GT(grid.acceptance, 0.9999999);
    EXPECT_EQ(grid.sampler.step_size, 1);
    EXPECT_EQ(grid.visits.size(), 2u);
    ASSERT_EQ(mixed.visits.size(), 2u);
    // Numbers of steps differ between transitions, which is noise to the step size.
    EXPECT_NEAR(mixed.acceptance, 0.8, 0.05);
    EXPECT_EQ(mixed.visits[1].name, "n");
  }
}

TEST(WarmUp, MassesAreInverseStandardDeviations) {
  const SampleOptions options = options_of(1024, 300, 400);
  const Fit fit = sample(Boxes{}, Dhmc{.leapfrog = 20}, options);
  ASSERT_EQ(fit.visits.size(), 3u);
  EXPECT_NEAR(fit.no_flip(), 0.8, 0.01);
  for (int j = 0; j < Boxes::dim; ++j) {
    // Uniform on an interval: its length over sqrt(12).
    const double sd = Boxes::width(j) / std::sqrt(12.0);
    const VisitSummary& v = fit.visits[static_cast<std::size_t>(j)];
    EXPECT_NEAR(v.mass * sd / (fit.visits[0].mass * Boxes::width(0) / std::sqrt(12.0)), 1, 0.05);
    EXPECT_NEAR(v.hop / (fit.sampler.hop * sd), 1, 0.05);
    EXPECT_EQ(v.mass, fit.sampler.step_size / v.hop);
    // A hop h of a box of width w leaves it with probability h / w, jitter or not.
    EXPECT_NEAR(v.no_flip, 1 - v.hop / Boxes::width(j), 0.005);
  }
}

TEST(WarmUp, TunesEachCoordinatesHop) {
  const SampleOptions options = options_of(1024, 300, 300);
  // Scales that are wrong by far.
  const Sampler common = Dhmc{.leapfrog = 20, .metric = Metric::unit};
  Sampler each = common;
  each.hop_per_coordinate = true;
  const Fit uneven = sample(Boxes{}, common, options);
  EXPECT_GT(uneven.visits[2].no_flip - uneven.visits[0].no_flip, 0.3);
  EXPECT_NEAR(uneven.no_flip(), 0.8, 0.01);
  const Fit even = sample(Boxes{}, each, options);
  for (const VisitSummary& v : even.visits) {
    EXPECT_NEAR(v.no_flip, 0.8, 0.01) << v.name;
  }
  EXPECT_EQ(even.sampler.hop_scale.size(), 3u);
  // What was frozen says all: without warm-up it makes the same hops.
  SampleOptions again = options;
  again.warmup = 0;
  Sampler frozen = even.sampler;
  frozen.hop_per_coordinate = false;
  const Fit repeated = sample(Boxes{}, frozen, again);
  for (std::size_t j = 0; j < 3; ++j) {
    EXPECT_NEAR(repeated.visits[j].hop / even.visits[j].hop, 1, 1e-12);
    EXPECT_NEAR(repeated.visits[j].no_flip, 0.8, 0.01);
  }
}

/// MixedGrid without proposals and draws of its own: visits go by hops.
struct SteppedGrid {
  static constexpr int dim = MixedGrid::dim;
  MixedGrid grid;

  LOCKSTEP_HD bool discontinuous(int j) const { return grid.discontinuous(j); }
  template <class T>
  LOCKSTEP_HD T potential(const T* q) const {
    return grid.potential(q);
  }
  template <class T>
  LOCKSTEP_HD T potential_and_gradient(const T* q, T* gradient) const {
    return grid.potential_and_gradient(q, gradient);
  }
  template <class T>
  LOCKSTEP_HD void constrain(const T* q, T* x) const {
    grid.constrain(q, x);
  }
  void start(const double* u, double* q) const { grid.start(u, q); }
};

TEST(WarmUp, TunesMetropolisVisitsTo044) {
  const SampleOptions options = options_of(1024, 300, 200);
  for (const Sampler& s : {Sampler(MixedHmc{}), Sampler(Gibbs{})}) {
    const Fit fit = sample(SteppedGrid{}, s, options);
    EXPECT_NEAR(fit.no_flip(), 0.44, 0.01) << static_cast<int>(s.method);
    EXPECT_NEAR(fit.acceptance, 0.8, 0.05) << static_cast<int>(s.method);
    EXPECT_TRUE(std::isnan(fit.visits[0].mass));
    EXPECT_GT(fit.visits[0].hop, 0);
  }
}

/// Three categories with their own proposals, for which hops mean nothing.
struct Categories {
  static constexpr int dim = 2;
  LOCKSTEP_HD bool discontinuous(int j) const { return j == 0; }
  template <class T>
  LOCKSTEP_HD T potential(const T* q) const {
    const T k = floor(q[0]);
    const T y = q[1] - k;
    return T(0.5) * (y * y + k);
  }
  template <class T>
  LOCKSTEP_HD T exchange(int, const T& x, const T& u) const {
    const T other = floor(x) + select(u <= T(0.5), T(1), T(2));
    return select(other > T(2.9), other - T(3), other) + T(0.5);
  }
  void start(const double* u, double* q) const {
    q[0] = std::ceil(3 * u[0]) - 0.5;
    q[1] = u[1];
  }
};
struct Conditional : Categories {
  template <class T>
  LOCKSTEP_HD T conditional(int, const T* q, const T& u) const {
    // Softmax of -U over the three.
    T weight[3];
    for (int k = 0; k < 3; ++k) {
      const T y = q[1] - T(static_cast<Scalar<T>>(k));
      weight[k] = exp(T(-0.5) * (y * y + T(static_cast<Scalar<T>>(k))));
    }
    const T at = u * (weight[0] + weight[1] + weight[2]);
    return T(0.5) + select(at <= weight[0], T(0), select(at <= weight[0] + weight[1], T(1), T(2)));
  }
};

TEST(WarmUp, LeavesHopsAloneWhereTheTargetProposes) {
  const SampleOptions options = options_of(512, 120, 200);
  const Fit mixed = sample(Categories{}, MixedHmc{}, options);
  const Fit metropolis = sample(Categories{}, Gibbs{}, options);
  const Fit gibbs = sample(Conditional{}, Gibbs{}, options);
  for (const Fit* fit : {&mixed, &metropolis, &gibbs}) {
    EXPECT_TRUE(std::isnan(fit->visits[0].hop));
    EXPECT_LT(fit->nested_rhat_max(), 1.05);
    for (const AdaptationStep& step : fit->adaptation) {
      EXPECT_EQ(step.hop, 1);
    }
  }
  EXPECT_EQ(gibbs.no_flip(), 1);
  EXPECT_LT(mixed.no_flip(), 0.95);
  // The three agree on the law.
  for (const Fit* fit : {&mixed, &metropolis}) {
    EXPECT_LT(std::abs(fit->parameters[0].mean - gibbs.parameters[0].mean),
              4 * std::hypot(fit->parameters[0].mcse, gibbs.parameters[0].mcse));
  }
}

/// With hops longer than a cell, an embedded integer that moved has changed: draws tell how often.
TEST(Visits, ReportedRateIsTheObservedOne) {
  SampleOptions options = options_of(4096, 0, 200);
  options.keep_chains = -1;
  const Fit fit = sample(IntegerGrid{},
                         Dhmc{.step_size = 1,
                              .hop = 1.0,
                              .step_jitter = 0,
                              .leapfrog = 1,
                              .length_jitter = LengthJitter::none,
                              .metric = Metric::unit},
                         options);
  ASSERT_EQ(fit.visits.size(), 2u);
  for (int j = 0; j < 2; ++j) {
    double moved = 0, visits = 0;
    std::vector<double> of_chain(4096);
    for (std::int64_t t = 1; t < fit.draws.draws; ++t) {
      for (std::int64_t c = 0; c < fit.draws.chains; ++c) {
        const bool did = fit.draws.row(t, j)[c] != fit.draws.row(t - 1, j)[c];
        moved += did;
        of_chain[static_cast<std::size_t>(c)] += did;
        ++visits;
      }
    }
    const double rate = moved / visits;
    double square = 0;
    for (const double n : of_chain) {
      square += (n / 199 - rate) * (n / 199 - rate);
    }
    const VisitSummary& v = fit.visits[static_cast<std::size_t>(j)];
    EXPECT_EQ(v.hop, 1);
    EXPECT_EQ(v.mass, 1);
    EXPECT_LT(std::abs(v.no_flip - rate), 4 * std::sqrt(square / 4095 / 4096));
    EXPECT_GT(rate, 0.2);
    EXPECT_LT(rate, 0.8);
  }
}

TEST(Visits, ThatHardlyEverMoveAreWarnedOf) {
  SampleOptions options = options_of(256, 0, 100);
  const auto warnings = [&](double hop) {
    Sampler s = Dhmc{.step_size = 1, .hop = hop, .metric = Metric::unit, .hop_scale = {1, 5}};
    return sample(IntegerGrid{}, s, options).warnings();
  };
  EXPECT_TRUE(warnings(0.5).empty());
  ASSERT_EQ(warnings(2).size(), 1u);
  EXPECT_EQ(warnings(2)[0].rfind("n: fewer than 2 %", 0), 0u);
  EXPECT_EQ(warnings(20)[0].rfind("m, n: fewer than 2 %", 0), 0u);
}

TEST(Visits, AndGradientsAreCounted) {
  EngineDescription mixed, jumps, smooth;
  mixed.dim = jumps.dim = smooth.dim = 2;
  mixed.discontinuous = {1};
  jumps.discontinuous = {0, 1};
  Launch launch;
  launch.first = 3;
  launch.count = 100;
  const Sampler dhmc = Dhmc{.leapfrog = 4, .longest = 7};
  std::int64_t steps = 0;
  for (std::uint32_t t = 0; t < 100; ++t) {
    steps += trajectory_of(dhmc, 9, launch).steps_at(3 + t);
  }
  EXPECT_GT(steps, 450);
  EXPECT_EQ(visits_of(dhmc, 9, launch), steps);
  EXPECT_EQ(gradients_of(dhmc, mixed, 9, launch), steps);
  EXPECT_EQ(gradients_of(dhmc, jumps, 9, launch), steps);
  for (const Sampler& s : {Sampler(MixedHmc{.leapfrog = 4, .longest = 7}),
                           Sampler(Gibbs{.leapfrog = 4, .longest = 7})}) {
    EXPECT_EQ(visits_of(s, 9, launch), 100);
    EXPECT_EQ(gradients_of(s, mixed, 9, launch), steps + (s.method == Method::gibbs ? 100 : 0));
    EXPECT_EQ(gradients_of(s, jumps, 9, launch), 100);
  }
  EXPECT_EQ(gradients_of(RandomWalk{}, jumps, 9, launch), 100);
  EXPECT_TRUE(visited_coordinates(RandomWalk{}, jumps).empty());
  EXPECT_TRUE(visited_coordinates(Hmc{}, smooth).empty());
}

// ---- saved and restored ------------------------------------------------------------------------

TEST(WarmUp, OfHopsGoesOnFromAnArchiveBitForBit) {
  for (const Sampler& sampler :
       {Sampler(Dhmc{}), Sampler(Dhmc{.metric = Metric::fisher, .hop_per_coordinate = true}),
        Sampler(Gibbs{})}) {
    const SampleOptions options = options_of(128, 60, 10);
    const auto whole_engine = make_engine(SteppedGrid{}, options);
    const auto torn_engine = make_engine(SteppedGrid{}, options);
    start_chains(*whole_engine, options);
    start_chains(*torn_engine, options);
    WarmUp whole(*whole_engine, sampler, options);
    while (!whole.done()) {
      whole.step();
    }
    auto torn = std::make_unique<WarmUp>(*torn_engine, sampler, options);
    while (!torn->done()) {
      torn->step();
      if (torn->transitions() % 7 == 3) {
        testing::MemoryArchive out;
        torn->archive(out);
        torn_engine->configure(Dhmc{.step_size = 1, .hop = 1}, prepare_metric(Metric::unit, {}, 3));
        torn = std::make_unique<WarmUp>(*torn_engine, sampler, options);
        testing::MemoryArchive in(out.memory());
        torn->archive(in);
        EXPECT_TRUE(in.at_end());
      }
    }
    const FrozenSampler a = whole.frozen(), b = torn->frozen();
    EXPECT_EQ(a.sampler.step_size, b.sampler.step_size);
    EXPECT_EQ(a.sampler.hop, b.sampler.hop);
    EXPECT_EQ(a.sampler.hop_scale, b.sampler.hop_scale);
    EXPECT_EQ(a.metric.inverse_mass, b.metric.inverse_mass);
    EXPECT_EQ(a.hop_lengths, b.hop_lengths);
    EXPECT_EQ(a.next_transition, b.next_transition);
    EXPECT_EQ(whole.gradients(), torn->gradients());
  }
}

}  // namespace
}  // namespace lockstep
