// What warm-up decides and from what: windows, metrics, step sizes, trajectory lengths, stranded
// chains.

#include <cmath>
#include <filesystem>
#include <fstream>
#include <map>
#include <numeric>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "host/adapt/warmup.hpp"
#include "host/io/metric_file.hpp"
#include "host/registry.hpp"
#include "host/starts.hpp"
#include "host/symmetric_eigen.hpp"
#include "lockstep/error.hpp"
#include "tests/memory_archive.hpp"

namespace lockstep {
namespace {

// ---- windows -----------------------------------------------------------------------------------

using Ends = std::vector<int>;  // where windows end; the first and the last set no metric

Ends ends_of(const std::vector<Window>& windows) {
  Ends ends;
  int begin = 0;
  for (const Window& w : windows) {
    EXPECT_EQ(w.begin, begin);
    begin = w.end;
    ends.push_back(w.end);
  }
  return ends;
}

TEST(WindowedSchedule, IsNumPyros) {
  // numpyro.infer.hmc_util.build_adaptation_schedule, its last transitions plus one.
  const std::map<int, Ends> expected{
      {19, {19}},
      {20, {3, 18, 20}},
      {50, {7, 45, 50}},
      {149, {22, 135, 149}},
      {150, {75, 100, 150}},
      {151, {75, 101, 151}},
      {199, {75, 149, 199}},
      {200, {75, 100, 150, 200}},
      {500, {75, 100, 150, 250, 450, 500}},
      {1000, {75, 100, 150, 250, 450, 950, 1000}},
      {2000, {75, 100, 150, 250, 450, 850, 1950, 2000}},
  };
  for (const auto& [warmup, ends] : expected) {
    const auto windows = windowed_schedule(warmup);
    EXPECT_EQ(ends_of(windows), ends) << warmup;
    for (std::size_t i = 0; i < windows.size(); ++i) {
      const bool inner = i > 0 && i + 1 < windows.size();
      EXPECT_EQ(windows[i].sets_metric, inner) << warmup;
      EXPECT_TRUE(!inner || windows[i].collects_from == windows[i].begin) << warmup;
    }
  }
}

TEST(PooledSchedule, CoversEveryLength) {
  for (int warmup = 0; warmup < 2100; ++warmup) {
    const auto windows = pooled_schedule(warmup);
    EXPECT_EQ(ends_of(windows).back(), warmup);
    EXPECT_FALSE(windows.back().sets_metric);
    EXPECT_TRUE(warmup == 0 || windows.back().end > windows.back().begin) << warmup;
    for (std::size_t i = 0; i + 1 < windows.size(); ++i) {
      EXPECT_TRUE(windows[i].sets_metric);
      EXPECT_LT(windows[i].collects_from, windows[i].end);
    }
  }
  EXPECT_EQ(ends_of(pooled_schedule(300)), (Ends{10, 30, 70, 150, 285, 300}));
  EXPECT_EQ(resolved(Schedule::automatic, 63), Schedule::windowed);
  EXPECT_EQ(resolved(Schedule::automatic, 64), Schedule::pooled);
}

// ---- metrics -----------------------------------------------------------------------------------

/// Draws of N(0, Sigma) and their gradients Sigma^-1 q, [dim][chains].
struct NormalDraws {
  std::vector<double> q, gradient;
  NormalDraws(const Eigen::MatrixXd& sigma, int chains, unsigned seed) {
    const Eigen::Index dim = sigma.rows();
    std::mt19937_64 bits(seed);
    std::normal_distribution<double> normal;
    Matrix z(dim, chains);
    for (Eigen::Index i = 0; i < z.size(); ++i) {
      z.data()[i] = normal(bits);
    }
    const Eigen::LLT<Eigen::MatrixXd> cholesky(sigma);
    const Matrix x = cholesky.matrixL() * z;
    const Matrix g = cholesky.solve(Eigen::MatrixXd(x));
    q.assign(x.data(), x.data() + x.size());
    gradient.assign(g.data(), g.data() + g.size());
  }
};

Eigen::MatrixXd matrix_of(const PreparedMetric& m, int dim) {
  const Eigen::Map<const Matrix> f(m.factor.data(), m.kind == Metric::dense ? dim : 1, dim);
  if (m.kind == Metric::dense) {
    return f * f.transpose();
  }
  Eigen::MatrixXd inner = Eigen::MatrixXd::Identity(dim, dim);
  if (m.kind == Metric::low_rank) {
    const int rank = rank_of(m.inverse_mass.size(), dim);
    const Eigen::Map<const Eigen::VectorXd> values(m.inverse_mass.data() + dim, rank);
    const Eigen::Map<const Matrix> u(m.inverse_mass.data() + dim + rank, rank, dim);
    inner += u.transpose() * (values.array() - 1).matrix().asDiagonal() * u;
  }
  const Eigen::VectorXd scale = f.row(0).transpose();
  return scale.asDiagonal() * inner * scale.asDiagonal();
}

/// The condition number of M^-1 as a preconditioner of N(0, Sigma).
double condition(const PreparedMetric& m, const Eigen::MatrixXd& sigma) {
  const auto dim = static_cast<int>(sigma.rows());
  const Eigen::MatrixXd l = Eigen::LLT<Eigen::MatrixXd>(matrix_of(m, dim)).matrixL();
  const Eigen::MatrixXd s = l.transpose() * Eigen::LLT<Eigen::MatrixXd>(sigma).solve(l);
  const SymmetricEigen eigen(s, SymmetricEigen::What::values_only);
  return eigen.values().maxCoeff() / eigen.values().minCoeff();
}

PreparedMetric estimated(Metric kind, const Eigen::MatrixXd& sigma, int draws,
                         const Adaptation& how = {}) {
  const auto dim = static_cast<int>(sigma.rows());
  MetricEstimator estimator(kind, dim, how);
  for (unsigned batch = 0; batch < 4; ++batch) {
    const NormalDraws d(sigma, draws / 4, batch);
    estimator.add(d.q, d.gradient, draws / 4);
  }
  return *estimator.estimate();
}

/// Variances from 1e-2 to 1e2, and two directions of their own on top.
Eigen::MatrixXd few_directions(int dim) {
  Eigen::VectorXd scale(dim), u(dim), v(dim);
  for (int j = 0; j < dim; ++j) {
    scale[j] = std::pow(10.0, -1 + 2.0 * j / (dim - 1));
    u[j] = std::sin(M_PI * (j + 1) / (dim + 1));
    v[j] = std::sin(2 * M_PI * (j + 1) / (dim + 1));
  }
  u.normalize();
  v.normalize();
  const Eigen::MatrixXd inner =
      Eigen::MatrixXd::Identity(dim, dim) + 99 * u * u.transpose() - 0.96 * v * v.transpose();
  return scale.asDiagonal() * inner * scale.asDiagonal();
}

TEST(MetricEstimator, FisherIsTheGeometricMeanOfVarianceAndPrecision) {
  const Eigen::MatrixXd sigma = few_directions(6);
  const NormalDraws d(sigma, 500, 1);
  MetricEstimator estimator(Metric::fisher, 6, {.regularise = false});
  estimator.add(d.q, d.gradient, 500);
  const auto variance = [](const double* x) {
    const double mean = std::accumulate(x, x + 500, 0.0) / 500;
    double square = 0;
    for (int i = 0; i < 500; ++i) {
      square += (x[i] - mean) * (x[i] - mean) / 499;
    }
    return square;
  };
  const PreparedMetric m = *estimator.estimate();
  EXPECT_EQ(m.kind, Metric::diagonal);
  for (int j = 0; j < 6; ++j) {
    EXPECT_NEAR(m.inverse_mass[static_cast<std::size_t>(j)],
                std::sqrt(variance(d.q.data() + 500 * j) / variance(d.gradient.data() + 500 * j)),
                1e-12);
  }
  // Where nothing is correlated it is the variance itself.
  Eigen::MatrixXd alone = Eigen::MatrixXd::Zero(3, 3);
  alone.diagonal() << 4, 1e-4, 900;
  const PreparedMetric n = estimated(Metric::fisher, alone, 4000, {.regularise = false});
  for (int j = 0; j < 3; ++j) {
    EXPECT_NEAR(n.inverse_mass[static_cast<std::size_t>(j)] / alone(j, j), 1, 1e-9);
  }
}

TEST(MetricEstimator, LowRankFindsTheDirectionsThatADiagonalMisses) {
  for (const int dim : {5, 40, 150}) {
    const Eigen::MatrixXd sigma = few_directions(dim);
    const PreparedMetric m = estimated(Metric::low_rank, sigma, 100 * dim);
    EXPECT_EQ(m.kind, Metric::low_rank);
    EXPECT_GE(rank_of(m.inverse_mass.size(), dim), 2);
    EXPECT_LE(rank_of(m.inverse_mass.size(), dim), 16);
    EXPECT_LT(condition(m, sigma), 4.5) << dim;  // cutoff 2 on either side
    EXPECT_GT(condition(estimated(Metric::diagonal, sigma, 100 * dim), sigma), 50) << dim;
  }
}

/// Mutants: the inverse of the metric (a covariance taken for a mass), and no gradients.
TEST(MetricEstimator, MutantsDoNotPrecondition) {
  const Eigen::MatrixXd sigma = few_directions(40);
  const NormalDraws d(sigma, 4000, 1);
  const auto condition_of = [&](Metric kind, const auto& q, const auto& gradient) {
    MetricEstimator estimator(kind, 40, {});
    estimator.add(q, gradient, 4000);
    return condition(*estimator.estimate(), sigma);
  };
  const double right = condition_of(Metric::low_rank, d.q, d.gradient);
  EXPECT_LT(right, 4.5);
  EXPECT_GT(condition_of(Metric::low_rank, d.gradient, d.q), 1e4 * right);
  EXPECT_GT(condition_of(Metric::fisher, d.gradient, d.q), 1e4 * right);
  EXPECT_GT(condition_of(Metric::low_rank, d.q, d.q), 10 * right);
}

TEST(MetricEstimator, LowRankOfFewDrawsIsNoWorseThanItsDiagonal) {
  // 40 draws in 150 dimensions: what looks like directions is noise, and shrinkage holds it down.
  Eigen::MatrixXd sigma = Eigen::MatrixXd::Identity(150, 150);
  const PreparedMetric m = estimated(Metric::low_rank, sigma, 40);
  for (const double x : m.inverse_mass) {
    EXPECT_TRUE(std::isfinite(x));
  }
  EXPECT_LT(condition(m, sigma), 40);
}

TEST(MetricEstimator, DenseWhitensAndShrinksAsStan) {
  const Eigen::MatrixXd sigma = few_directions(10);
  const PreparedMetric m = estimated(Metric::dense, sigma, 4000);
  EXPECT_EQ(m.kind, Metric::dense);
  EXPECT_LT(condition(m, sigma), 1.5);
  const PreparedMetric bare = estimated(Metric::dense, sigma, 4000, {.regularise = false});
  for (std::size_t i = 0; i < 100; ++i) {
    const double expected =
        bare.inverse_mass[i] * 4000.0 / 4005 + (i % 11 == 0 ? 1e-3 * 5 / 4005 : 0);
    EXPECT_NEAR(m.inverse_mass[i], expected, 1e-12 * (1 + std::abs(expected)));
  }
}

TEST(MetricEstimator, DenseWaitsForEnoughDraws) {
  const Eigen::MatrixXd sigma = few_directions(10);
  EXPECT_EQ(estimated(Metric::dense, sigma, 400).kind, Metric::diagonal);
  EXPECT_EQ(estimated(Metric::dense, sigma, 400, {.force_dense = true}).kind, Metric::dense);
  EXPECT_EQ(estimated(Metric::automatic, sigma, 400).kind, Metric::diagonal);
  EXPECT_EQ(estimated(Metric::automatic, sigma, 4000).kind, Metric::dense);
  EXPECT_EQ(estimated(Metric::automatic, Eigen::MatrixXd::Identity(10, 10), 4000).kind,
            Metric::diagonal);
  EXPECT_THROW(check_dense(Metric::dense, 10, 999, {}), UsageError);
  EXPECT_NO_THROW(check_dense(Metric::dense, 10, 1000, {}));
  EXPECT_NO_THROW(check_dense(Metric::dense, 10, 10, {.force_dense = true}));
}

/// Eigen's sums over memory of others depend on how it is aligned.
TEST(PooledMoments, AreTheSameBitsWhereverMemoryBegins) {
  for (const int dim : {3, 5}) {
    for (const int chains : {64, 1001}) {
      const NormalDraws d(few_directions(dim), chains, 1);
      std::vector<double> shifted(d.q.size() + 8);
      PooledMoments first(dim, true);
      first.add(d.q, chains);
      for (std::size_t by = 0; by < 8; ++by) {
        std::copy(d.q.begin(), d.q.end(), shifted.begin() + static_cast<std::ptrdiff_t>(by));
        PooledMoments again(dim, true);
        again.add(std::span(shifted).subspan(by, d.q.size()), chains);
        EXPECT_EQ(again.covariance(), first.covariance()) << dim << " x " << chains << ", " << by;
      }
    }
  }
}

TEST(MetricEstimator, SurvivesACoordinateThatDoesNotMove) {
  std::vector<double> q(2 * 100, 3.0);
  for (int i = 0; i < 100; ++i) {
    q[static_cast<std::size_t>(i)] = i;
  }
  for (const bool regularise : {true, false}) {
    for (const Metric kind : {Metric::diagonal, Metric::fisher, Metric::low_rank}) {
      MetricEstimator estimator(kind, 2, {.regularise = regularise});
      estimator.add(q, q, 100);
      const PreparedMetric m = *estimator.estimate();
      EXPECT_GT(m.inverse_mass[1], 0);
      EXPECT_TRUE(std::isfinite(m.inverse_mass[1]));
    }
  }
}

TEST(Whitening, IsARootOfTheMetric) {
  const int dim = 5;
  const Eigen::MatrixXd sigma = few_directions(dim);
  for (const Metric kind : {Metric::diagonal, Metric::dense, Metric::low_rank}) {
    const PreparedMetric m = estimated(kind, sigma, 4000);
    const Eigen::MatrixXd inverse_mass = matrix_of(m, dim);
    Matrix y = Matrix::Identity(dim, dim), v = y;
    Whitening(m).positions(y);   // F^-1
    Whitening(m).velocities(v);  // F'
    EXPECT_LT((y.transpose() * y * inverse_mass - Eigen::MatrixXd::Identity(dim, dim)).norm(),
              1e-9);
    EXPECT_LT((v.transpose() * v - inverse_mass).norm(), 1e-9 * inverse_mass.norm());
    EXPECT_LT((y * v.transpose() - Eigen::MatrixXd::Identity(dim, dim)).norm(), 1e-9);
  }
}

TEST(MetricFile, ReturnsWhatWasWritten) {
  const int dim = 5;
  const std::vector<std::string> names{"a", "b", "c", "d", "e"};
  const std::filesystem::path path = ::testing::TempDir() + "metric.json";
  for (const Metric kind : {Metric::diagonal, Metric::dense, Metric::low_rank}) {
    const PreparedMetric m = estimated(kind, few_directions(dim), 4000);
    std::ofstream(path) << metric_json(m, names).dump();
    const GivenMetric read = read_metric(path);
    EXPECT_EQ(read.kind, m.kind);
    EXPECT_EQ(read.inverse_mass, m.inverse_mass);
  }
  for (const char* bad : {"", "{}", "7", "[]", "[1, \"x\"]", "[[1, 2], [3]]",
                          R"({"metric": "dense", "inverse_mass": [1, 2]})",
                          R"({"metric": "low-rank", "diagonal": [1, 2], "values": [3]})",
                          R"({"metric": "low-rank", "diagonal": [1, 2], "values": [3],
                              "vectors": [[1]]})"}) {
    std::ofstream(path) << bad;
    EXPECT_THROW(read_metric(path), FileError) << bad;
  }
}

// ---- step sizes --------------------------------------------------------------------------------

TEST(StepSizes, OfEachChainFollowItsOwnAcceptance) {
  // Chain i accepts 0.8 at step size 0.1 (i + 1).
  StepSizes steps(8, 0.5, 0.8, kDualAveragingOfOne);
  std::vector<double> acceptance(8);
  for (int t = 0; t < 3000; ++t) {
    const std::vector<double> factors = steps.factors();
    for (std::size_t i = 0; i < 8; ++i) {
      const double ratio = steps.step_size() * factors[i] / (0.1 * static_cast<double>(i + 1));
      acceptance[i] = std::exp(-ratio * ratio * -std::log(0.8));
    }
    steps.update(std::nan(""), acceptance);
  }
  const std::vector<double> factors = steps.average_factors();
  for (std::size_t i = 0; i < 8; ++i) {
    EXPECT_NEAR(steps.average() * factors[i] / (0.1 * static_cast<double>(i + 1)), 1, 0.03);
  }
  EXPECT_TRUE(StepSizes(0, 0.5, 0.8, kDualAveragingOfMany).factors().empty());
}

// ---- whole warm-ups ----------------------------------------------------------------------------

SampleOptions options_of(std::int64_t chains, int warmup) {
  SampleOptions options;
  options.chains = chains;
  options.warmup = warmup;
  options.draws = 64;
  options.backend = Backend::cpu;
  return options;
}

Fit fit_of(const std::string& target, const Sampler& sampler, const SampleOptions& options) {
  const auto engine = find_target(target).make({}, options);
  return run(*engine, sampler, options);
}

TEST(WarmUp, EndsEarlyOnlyWhenChainsAgree) {
  const SampleOptions options = options_of(1024, 400);
  const Fit easy = fit_of("icg", Hmc{}, options);
  EXPECT_LT(easy.warmup_done, 300);
  EXPECT_LT(easy.nested_rhat_max(), 1.01);
  EXPECT_EQ(easy.adaptation.size(), static_cast<std::size_t>(easy.warmup_done));
  // Half of the superchains are in either mode for ever.
  SampleOptions modes = options;
  modes.start_radius = 4;
  EXPECT_EQ(fit_of("mog", Hmc{.leapfrog = 5}, modes).warmup_done, 400);
  // With a metric that is not tuned too.
  const Fit unit = fit_of("std-normal", Hmc{.leapfrog = 3, .metric = Metric::unit}, options);
  EXPECT_LT(unit.warmup_done, 200);
  EXPECT_LT(unit.nested_rhat_max(), 1.01);
  SampleOptions told = options;
  told.adaptation.stop_early = false;
  EXPECT_EQ(fit_of("icg", Hmc{}, told).warmup_done, 400);
}

TEST(WarmUp, DoesNotEndBeforeADenseMetricHasItsDraws) {
  // 96 chains in 10 dimensions: the windows of 10 and 20 transitions pool 480 and 960 draws.
  const Fit fit =
      fit_of("std-normal", Hmc{.leapfrog = 3, .metric = Metric::dense}, options_of(96, 400));
  EXPECT_GT(fit.warmup_done, 60);
  EXPECT_EQ(fit.metric.kind, Metric::dense);
}

TEST(WarmUp, WindowedSetsMetricsAtTheEndsOfItsWindows) {
  SampleOptions options = options_of(8, 200);
  options.adaptation.schedule = Schedule::windowed;
  const Fit fit = fit_of("icg", Hmc{}, options);
  EXPECT_EQ(fit.warmup_done, 200);
  for (int t = 0; t < 200; ++t) {
    EXPECT_EQ(fit.adaptation[static_cast<std::size_t>(t)].new_metric, t == 99 || t == 149);
  }
}

TEST(WarmUp, KeepsItsDraws) {
  SampleOptions options = options_of(70, 40);
  options.keep_warmup = true;
  options.keep_chains = 3;
  options.thin = 2;
  options.keep_parameters = {9, 0};
  const Fit fit = fit_of("eight-schools-nc", Hmc{}, options);
  EXPECT_EQ(fit.warmup_draws.chains, 3);
  EXPECT_EQ(fit.warmup_draws.draws, 20);
  EXPECT_EQ(fit.warmup_draws.values.size(), 20u * 5 * 3);
  for (int k = 0; k < 20; ++k) {
    for (int c = 0; c < 3; ++c) {
      EXPECT_GT(fit.warmup_draws.row(k, 0)[c], 0);  // tau
      EXPECT_LE(fit.warmup_draws.row(k, 2)[c], 1);  // acceptance
    }
  }
}

TEST(WarmUp, TunesEachChainsStepSize) {
  SampleOptions options = options_of(32, 300);
  options.adaptation.per_chain_step_size = true;
  options.draws = 400;
  const Fit fit = fit_of("icg", Hmc{}, options);
  ASSERT_EQ(fit.step_factors.size(), 32u);
  EXPECT_NE(fit.step_factors[0], fit.step_factors[1]);
  // One chain's noisy acceptance leaves each step size a little small, as in Stan.
  EXPECT_NEAR(fit.acceptance, 0.87, 0.05);
  for (const double acceptance : fit.statistics.acceptance) {
    EXPECT_NEAR(acceptance, 0.87, 0.13);
  }
}

/// The T that is found on N(0, I), where a trajectory of length t maps q to q cos t + p sin t.
/// @param sign  of the momenta at the ends of trajectories; -1 is a mutant
double length_found(double sign) {
  // E[(|q'|^2 - |q|^2)^2] of N(0, I) is proportional to sin^2 t: with t = h T, h uniform on (0, 1),
  // E over h = 1/2 - sin(2T) / (4T) is largest where tan 2T = 2T beyond pi: T = 2.2467.
  TrajectoryLength length(Length::chees, 10, 0.3);
  const PreparedMetric unit = prepare_metric(Metric::unit, {}, 10);
  const int chains = 2000;
  double mean = 0;
  for (unsigned t = 0; t < 1500; ++t) {
    const NormalDraws q(Eigen::MatrixXd::Identity(10, 10), chains, 2 * t);
    const NormalDraws p(Eigen::MatrixXd::Identity(10, 10), chains, 2 * t + 1);
    const double step = 0.02;
    const double angle = step * length.steps(t, step);
    std::vector<double> after(q.q.size()), momenta(q.q.size());
    for (std::size_t i = 0; i < after.size(); ++i) {
      after[i] = q.q[i] * std::cos(angle) + p.q[i] * std::sin(angle);
      momenta[i] = sign * (p.q[i] * std::cos(angle) - q.q[i] * std::sin(angle));
    }
    length.update(Whitening(unit), q.q, after, momenta, angle, step);
    mean += t >= 500 ? 2 * length.mean_length() / 1000 : 0;
  }
  return mean;
}

TEST(TrajectoryLength, FindsTheQuarterTurn) {
  EXPECT_NEAR(length_found(1), 2.2467, 0.15);
  EXPECT_LT(length_found(-1), 0.1);  // the mutant descends
}

TEST(TrajectoryLength, LengthensTrajectoriesWhereADirectionIsLong) {
  // One direction of variance 1e4 that the unit metric leaves as it is; steps are held by the rest.
  SampleOptions options = options_of(256, 400);
  options.draws = 100;
  for (const Length length : {Length::chees, Length::snaper}) {
    const Fit tuned =
        fit_of("icg", Hmc{.leapfrog = 2, .metric = Metric::unit, .length = length}, options);
    const Fit fixed = fit_of("icg", Hmc{.leapfrog = 2, .metric = Metric::unit}, options);
    EXPECT_GT(tuned.sampler.leapfrog, 20);
    EXPECT_EQ(tuned.sampler.length_jitter, LengthJitter::halton);
    EXPECT_LT(tuned.nested_rhat_max(), 1.05);
    const auto per_gradient = [](const Fit& f) {
      return f.esjd * static_cast<double>(f.draws_done) / static_cast<double>(f.gradients_sampling);
    };
    EXPECT_GT(per_gradient(tuned), 5 * per_gradient(fixed));
  }
}

TEST(TrajectoryLength, WorksWithEveryMetric) {
  SampleOptions options = options_of(1024, 400);
  for (const Metric metric : {Metric::diagonal, Metric::dense, Metric::fisher, Metric::low_rank}) {
    const Fit fit = fit_of("icg", Hmc{.metric = metric, .length = Length::chees}, options);
    EXPECT_LT(fit.nested_rhat_max(), 1.02);
    EXPECT_LT(fit.sampler.leapfrog, 20);  // whitened: a few steps make a quarter turn
  }
}

// ---- stranded chains ---------------------------------------------------------------------------

TEST(Stranded, ChainsAreFoundNamedAndRestarted) {
  // Chain 37 starts 300 scatters out in the second of scg's coordinates, with a given small step
  // size that takes it nowhere for a while.
  SampleOptions options = options_of(128, 60);
  options.start.assign(2 * 128, 0.0);
  std::mt19937_64 bits(1);
  std::normal_distribution<double> normal;
  for (std::size_t c = 0; c < 128; ++c) {
    const double u = 10 * normal(bits), v = 0.1 * normal(bits);
    options.start[c] = (u - v) / std::sqrt(2);
    options.start[128 + c] = (u + v) / std::sqrt(2);
  }
  options.start[128 + 37] = 500;
  const Sampler sampler = Hmc{.step_size = 0.01, .leapfrog = 1, .metric = Metric::unit};
  for (const bool restart : {true, false}) {
    options.adaptation.restart_stranded = restart;
    const Fit fit = fit_of("scg", sampler, options);
    ASSERT_FALSE(fit.stranded.empty());
    for (const StrandedChain& s : fit.stranded) {
      EXPECT_EQ(s.chain, 37);
      EXPECT_EQ(s.restarted_from >= 0, restart && s.transition >= 0);
      EXPECT_NE(s.restarted_from, 37);
      EXPECT_EQ(s.parameter, "x[2]");
      EXPECT_TRUE(s.transition < 0 || s.cause.find("log density") != std::string::npos) << s.cause;
    }
    EXPECT_EQ(fit.stranded.front().transition, 9);  // the first window's end
    EXPECT_EQ(fit.warnings().empty(), false);
    if (restart) {
      EXPECT_EQ(fit.stranded.size(), 1u);
    }
  }
}

TEST(Stranded, NobodyIsWhileNobodyHasArrived) {
  // All chains start far out: that is a transient, not a cohort with stragglers.
  SampleOptions options = options_of(256, 60);
  options.start_radius = 50;
  EXPECT_TRUE(fit_of("std-normal", Hmc{}, options).stranded.empty());
}

TEST(Stranded, ChainsAreReportedAfterSampling) {
  SampleOptions options = options_of(64, 0);
  options.start.assign(2 * 64, 0.1);
  options.start[64 + 5] = 1e4;
  const Fit fit =
      fit_of("scg", Hmc{.step_size = 1e-4, .leapfrog = 1, .metric = Metric::unit}, options);
  ASSERT_EQ(fit.stranded.size(), 1u);
  EXPECT_EQ(fit.stranded[0].chain, 5);
  EXPECT_EQ(fit.stranded[0].transition, -1);
  EXPECT_EQ(fit.stranded[0].parameter, "x[2]");
  EXPECT_EQ(fit.stranded[0].restarted_from, -1);
}

TEST(Quantile, InterpolatesLinearly) {
  EXPECT_DOUBLE_EQ(quantile({3, 1, 2}, 0.5), 2);
  EXPECT_DOUBLE_EQ(quantile({4, 1, 3, 2}, 0.5), 2.5);
  EXPECT_DOUBLE_EQ(quantile({4, 1, 3, 2}, 0.05), 1.15);
  EXPECT_DOUBLE_EQ(quantile({7}, 0.05), 7);
}

// ---- saved and restored ------------------------------------------------------------------------

TEST(WarmUp, GoesOnFromAnArchiveBitForBit) {
  for (const Sampler& sampler :
       {Sampler(Hmc{}), Sampler(Hmc{.metric = Metric::low_rank, .length = Length::snaper}),
        Sampler(RandomWalk{})}) {
    SampleOptions options = options_of(128, 120);
    options.adaptation.per_chain_step_size = sampler.method == Method::random_walk;
    options.keep_warmup = true;
    const auto whole_engine = find_target("eight-schools-nc").make({}, options);
    const auto torn_engine = find_target("eight-schools-nc").make({}, options);
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
        torn_engine->configure(Hmc{.step_size = 1}, prepare_metric(Metric::unit, {}, 10));
        torn = std::make_unique<WarmUp>(*torn_engine, sampler, options);
        testing::MemoryArchive in(out.memory());
        torn->archive(in);
      }
    }
    const FrozenSampler a = whole.frozen(), b = torn->frozen();
    EXPECT_EQ(a.sampler.step_size, b.sampler.step_size);
    EXPECT_EQ(a.sampler.leapfrog, b.sampler.leapfrog);
    EXPECT_EQ(a.metric.inverse_mass, b.metric.inverse_mass);
    EXPECT_EQ(a.step_factors, b.step_factors);
    EXPECT_EQ(a.next_transition, b.next_transition);
    EXPECT_EQ(whole.draws().values, torn->draws().values);
    EXPECT_EQ(whole.gradients(), torn->gradients());
  }
}

}  // namespace
}  // namespace lockstep
