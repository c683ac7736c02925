// A metric that is there before the draws: how it enters the warm-up's estimates, and when the
// warm-up believes it.

#include <cmath>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "host/adapt/warmup.hpp"
#include "host/registry.hpp"
#include "host/starts.hpp"
#include "tests/memory_archive.hpp"

namespace lockstep {
namespace {

constexpr int kDim = 3, kChains = 40;

/// Some positions and gradients, [dim][chains].
Matrix some(unsigned seed) {
  std::mt19937_64 bits(seed);
  std::normal_distribution<double> normal(1, 3);
  Matrix x(kDim, kChains);
  for (Eigen::Index i = 0; i < x.size(); ++i) {
    x.data()[i] = normal(bits) + 0.5 * (i > 0 ? x.data()[i - 1] : 0.0);
  }
  return x;
}

Matrix covariance_of(const Matrix& x) {
  const Matrix centred = x.colwise() - x.rowwise().mean();
  return centred * centred.transpose() / static_cast<double>(x.cols() - 1);
}

Matrix sigma_0() {
  Matrix s(kDim, kDim);
  s << 4, 1, 0.5, 1, 2, -0.3, 0.5, -0.3, 1;
  return s;
}

InverseMass values(const Matrix& m) {
  return {m.data(), m.data() + m.size()};
}

PreparedMetric prior() {
  return prepare_metric(Metric::dense, values(sigma_0()), kDim);
}

MetricEstimator estimator(Metric kind, double weight, bool regularise,
                          const PreparedMetric& covariance = prior()) {
  MetricEstimator e(kind, kDim, {.regularise = regularise, .force_dense = true});
  e.begin_with(covariance, weight);
  const Matrix q = some(1), g = some(2);
  e.add({q.data(), static_cast<std::size_t>(q.size())},
        {g.data(), static_cast<std::size_t>(g.size())}, kChains);
  return e;
}

/// S = ((n - 1) S_n + w S_0) / (n - 1 + w).
Matrix combined(const Matrix& s_n, const Matrix& s_0, double weight) {
  return ((kChains - 1) * s_n + weight * s_0) / (kChains - 1 + weight);
}

void expect_near(const InverseMass& got, const InverseMass& expected) {
  ASSERT_EQ(got.size(), expected.size());
  for (std::size_t i = 0; i < got.size(); ++i) {
    EXPECT_NEAR(got[i], expected[i], 1e-12 * (1 + std::abs(expected[i]))) << i;
  }
}

TEST(MetricPrior, CountsAsSoManyDraws) {
  for (const double weight : {0.0, 1.0, 50.0, 1e9}) {
    const Matrix s = combined(covariance_of(some(1)), sigma_0(), weight);
    const Matrix g = combined(covariance_of(some(2)), sigma_0().inverse(), weight);
    expect_near(estimator(Metric::dense, weight, false).estimate()->inverse_mass, values(s));
    expect_near(estimator(Metric::diagonal, weight, false).estimate()->inverse_mass,
                values(s.diagonal()));
    expect_near(estimator(Metric::fisher, weight, false).estimate()->inverse_mass,
                values((s.diagonal().array() / g.diagonal().array()).sqrt().matrix()));
    // Stan's shrinkage, where nothing better is known.
    const double n = kChains;
    const Matrix shrunk =
        weight > 0 ? s
                   : Matrix(n / (n + 5) * s + 1e-3 * 5 / (n + 5) * Matrix::Identity(kDim, kDim));
    expect_near(estimator(Metric::dense, weight, true).estimate()->inverse_mass, values(shrunk));
    expect_near(estimator(Metric::diagonal, weight, true).estimate()->inverse_mass,
                values(shrunk.diagonal()));
  }
}

TEST(MetricPrior, OutweighsDrawsThatAreFew) {
  expect_near(estimator(Metric::dense, 1e15, false).estimate()->inverse_mass, values(sigma_0()));
  // A spread that the low rank keeps: 100 to 1 along (1, 1, 1).
  const Eigen::VectorXd u = Eigen::VectorXd::Constant(kDim, 1 / std::sqrt(3.0));
  const Matrix wide = Matrix::Identity(kDim, kDim) + 99 * u * u.transpose();
  const auto heavy = prepare_metric(Metric::dense, values(wide), kDim);
  const PreparedMetric m = *estimator(Metric::low_rank, 1e15, false, heavy).estimate();
  ASSERT_GE(rank_of(m.inverse_mass.size(), kDim), 1);
  Matrix root = Matrix::Identity(kDim, kDim);
  Whitening(m).colour(root);
  const Matrix ratio = (root * root.transpose()) * wide.inverse();
  const Eigen::VectorXd eigenvalues = ratio.eigenvalues().real();
  EXPECT_LT(eigenvalues.maxCoeff() / eigenvalues.minCoeff(), 4.5);  // cutoff 2 on either side
}

TEST(MetricPrior, OfNoWeightIsOnlyABeginning) {
  for (const Metric kind : {Metric::diagonal, Metric::dense, Metric::fisher, Metric::low_rank}) {
    MetricEstimator without(kind, kDim, {.force_dense = true});
    const Matrix q = some(1), g = some(2);
    without.add({q.data(), static_cast<std::size_t>(q.size())},
                {g.data(), static_cast<std::size_t>(g.size())}, kChains);
    EXPECT_EQ(estimator(kind, 0, true).estimate()->inverse_mass, without.estimate()->inverse_mass);
  }
}

TEST(MetricPrior, BeginsInTheFormOfTheKind) {
  const auto begins = [](Metric kind, const PreparedMetric& covariance) {
    MetricEstimator e(kind, kDim, {});
    EXPECT_FALSE(e.has_prior());
    e.begin_with(covariance, 0);
    EXPECT_TRUE(e.has_prior());
    return e.of_prior();
  };
  expect_near(begins(Metric::diagonal, prior()).inverse_mass, {4, 2, 1});
  expect_near(begins(Metric::dense, prior()).inverse_mass, values(sigma_0()));
  EXPECT_EQ(begins(Metric::automatic, prior()).kind, Metric::dense);
  const Matrix precision = sigma_0().inverse();
  expect_near(
      begins(Metric::fisher, prior()).inverse_mass,
      values((sigma_0().diagonal().array() / precision.diagonal().array()).sqrt().matrix()));
  EXPECT_EQ(begins(Metric::low_rank, prior()).kind, Metric::low_rank);
  const PreparedMetric flat = prepare_metric(Metric::diagonal, {1, 2, 3}, kDim);
  for (const Metric kind : {Metric::automatic, Metric::diagonal, Metric::fisher}) {
    EXPECT_EQ(begins(kind, flat).kind, Metric::diagonal);
    expect_near(begins(kind, flat).inverse_mass, {1, 2, 3});
  }
  expect_near(begins(Metric::dense, flat).inverse_mass, {1, 0, 0, 0, 2, 0, 0, 0, 3});
}

TEST(MetricPrior, IsKeptInCheckpoints) {
  MetricEstimator saved = estimator(Metric::dense, 20, true);
  testing::MemoryArchive out;
  saved.archive(out);
  MetricEstimator loaded(Metric::dense, kDim, {.force_dense = true});
  testing::MemoryArchive in(out.memory());
  loaded.archive(in);
  EXPECT_TRUE(in.at_end());
  EXPECT_EQ(loaded.estimate()->inverse_mass, saved.estimate()->inverse_mass);
  EXPECT_EQ(loaded.of_prior().inverse_mass, saved.of_prior().inverse_mass);
}

// A diagonal from so few draws would lose the correlations that the warm-up began with.
TEST(MetricPrior, CorrelationsThatItBeganWithTakeFewerDraws) {
  const auto kind_after = [](const PreparedMetric& prior) {
    MetricEstimator e(Metric::automatic, kDim, {});
    e.begin_with(prior, 50);
    Matrix q = some(1);
    q.row(1) = q.row(0) + 0.1 * q.row(1);  // strongly correlated
    e.add({q.data(), static_cast<std::size_t>(q.size())}, {}, kChains);
    return e.estimate()->kind;
  };
  static_assert(kChains >= kDrawsPerKnownDimension * kDim && kChains < kDrawsPerDimension * kDim);
  const InverseMass alike{900, 895, 0, 895, 900, 0, 0, 0, 1};
  EXPECT_EQ(kind_after(prepare_metric(Metric::dense, alike, kDim)), Metric::dense);
  EXPECT_EQ(kind_after(prepare_metric(Metric::diagonal, {900, 900, 1}, kDim)), Metric::diagonal);
}

// ---- in the warm-up ----------------------------------------------------------------------------

/// A warm-up of 1024 chains on the ill-conditioned normal.
class Prepared : public ::testing::Test {
 protected:
  Prepared() {
    options_.chains = 1024;
    options_.warmup = 300;
    options_.backend = Backend::cpu;
    engine_ = find_target("icg").make({}, options_);
  }
  /// Starts drawn from N(0, (spread sd)^2) for each superchain, and variances times `factor`.
  Preparation preparation(double spread, double factor) const {
    const Truth& truth = engine_->description().truth;
    Preparation p;
    p.name = "known";
    std::mt19937_64 bits(3);
    std::normal_distribution<double> normal;
    for (const double sd : truth.sd) {
      p.inverse_mass.push_back(factor * sd * sd);
      for (int c = 0; c < options_.chains; c += options_.superchain) {
        p.start.insert(p.start.end(), static_cast<std::size_t>(options_.superchain),
                       spread * sd * normal(bits));
      }
    }
    return p;
  }
  WarmUp warmed_up(const Preparation& p) {
    start_chains(*engine_, options_, p);
    WarmUp w(*engine_, Hmc{.metric = Metric::diagonal}, options_, p);
    while (!w.done()) {
      w.step();
    }
    return w;
  }
  /// Of the frozen metric's variances, the largest error.
  double error_of(const WarmUp& w) const {
    double worst = 0;
    const Truth& truth = engine_->description().truth;
    const InverseMass m = w.frozen().metric.inverse_mass;
    for (std::size_t j = 0; j < m.size(); ++j) {
      worst = std::max(worst, std::abs(m[j] / (truth.sd[j] * truth.sd[j]) - 1));
    }
    return worst;
  }

  SampleOptions options_;
  std::unique_ptr<Engine> engine_;
};

TEST_F(Prepared, EndsWithItsFirstWindowWhereThePreparationIsRight) {
  const WarmUp right = warmed_up(preparation(1, 1));
  EXPECT_EQ(right.transitions(), 10 + kSettling);
  EXPECT_LT(error_of(right), 0.3);
  const WarmUp without = warmed_up({});
  EXPECT_GE(without.transitions(), 30 + kSettling);
  EXPECT_NEAR(right.frozen().sampler.step_size / without.frozen().sampler.step_size, 1, 0.25);
}

/// What is frozen comes from draws, however wrong the preparation was and however much it weighs.
TEST_F(Prepared, GoesOnWhereThePreparationIsWrong) {
  for (const auto& [spread, factor] :
       {std::pair{10.0, 1e-6}, {1e-6, 1e-6}, {1.0, 1e-2}, {1.0, 1e2}, {1e-3, 1e2}}) {
    const WarmUp wrong = warmed_up(preparation(spread, factor));
    EXPECT_GT(wrong.transitions(), 10 + kSettling) << spread << ", " << factor;
    EXPECT_LT(error_of(wrong), 0.3) << spread << ", " << factor;
  }
}

}  // namespace
}  // namespace lockstep
