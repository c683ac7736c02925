// ADVI in its three families: exact on normals, stationary elsewhere, and Stan's schedule by hand.

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numbers>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "host/registry.hpp"
#include "host/vi/advi_stan.hpp"
#include "host/vi/fit.hpp"
#include "host/vi/importance.hpp"
#include "lockstep/error.hpp"
#include "tests/message_of.hpp"
#include "tests/normal_engine.hpp"
#include "tests/registered_density.hpp"

namespace lockstep {
namespace {

using Families = std::array<Approximation, 3>;
constexpr Families kFamilies{Approximation::mean_field, Approximation::full_rank,
                             Approximation::low_rank};
constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// A fit that goes on until nothing changes.
VariationalOptions exactly(Approximation method) {
  VariationalOptions o;
  o.method = method;
  o.tolerance = 1e-13;
  o.iterations = 1000;
  return o;
}

Normal normal_of(const NormalFit& fit) {
  const auto dim = static_cast<int>(fit.mean.size());
  return {Eigen::Map<const Eigen::VectorXd>(fit.mean.data(), dim),
          prepare_metric(fit.kind, fit.covariance, dim)};
}

Matrix covariance_of(const Normal& q) {
  Matrix root = q.at(Matrix::Identity(q.dim(), q.dim())).colwise() - q.mean();
  return root * root.transpose();
}

/// The largest |a - b|_ij / sqrt(b_ii b_jj).
double relative_error(const Matrix& a, const Matrix& b) {
  const Eigen::VectorXd scale = b.diagonal().cwiseSqrt().cwiseInverse();
  return (scale.asDiagonal() * (a - b) * scale.asDiagonal()).cwiseAbs().maxCoeff();
}

Eigen::VectorXd some_mean(int dim) {
  return 3 * standard_normals(5, 9, dim, 1);
}

TEST(MatchedNormals, HaveTheMomentsOfNormals) {
  for (const std::int64_t points : {10, 64, 1024}) {
    const Matrix z = matched_normals(3, AdviSet::fit, 5, points);
    ASSERT_EQ(z.cols(), points);
    EXPECT_LT(z.rowwise().sum().cwiseAbs().maxCoeff(), 1e-12);
    const Matrix square = z * z.transpose() / static_cast<double>(points);
    EXPECT_LT((square - Matrix::Identity(5, 5)).cwiseAbs().maxCoeff(), 1e-12);
  }
  EXPECT_NE(matched_normals(3, AdviSet::fit, 5, 64), matched_normals(3, AdviSet::residual, 5, 64));
  EXPECT_NE(matched_normals(3, AdviSet::fit, 5, 64), matched_normals(4, AdviSet::fit, 5, 64));
}

TEST(FullRank, IsExactOnNormals) {
  for (const int dim : {2, 5, 20}) {
    for (const double condition : {1.0, 100.0, 1e4}) {
      const Matrix h = test::log_spaced(test::rotation(dim, 7), condition);
      const Eigen::VectorXd m = some_mean(dim);
      Density density = test::normal_density(m, h);
      const NormalFit fit = fit_normal(density, exactly(Approximation::full_rank));
      const Normal q = normal_of(fit);
      const Matrix covariance = h.inverse();
      EXPECT_EQ(fit.trouble, "");
      EXPECT_EQ(fit.kind, Metric::dense);
      EXPECT_LT(relative_error(covariance_of(q), covariance), 1e-9) << dim << " " << condition;
      EXPECT_LT(((q.mean() - m).array() / covariance.diagonal().array().sqrt()).abs().maxCoeff(),
                1e-9);
      EXPECT_NEAR(fit.elbo, 0, 1e-9);  // the target is normalised
      EXPECT_LT(fit.elbo_error, 1e-9);
      EXPECT_LT(fit.k_hat, 0.1);
      EXPECT_LT(stein_residual(density, q, 11, 64), 1e-8);
      // 64 at the start, 64, 256 and 1024 to climb, the steps between, and 1024 of the assessment.
      EXPECT_LE(fit.gradients, 2 * (64 + 256 + 1024) + 64 + 1024);
    }
  }
}

TEST(MeanField, HasTheInverseOfThePrecisionsDiagonal) {
  for (const int dim : {2, 5, 20}) {
    const Matrix h = test::log_spaced(test::rotation(dim, 8), 1e4);
    const Eigen::VectorXd m = some_mean(dim);
    Density density = test::normal_density(m, h);
    const NormalFit fit = fit_normal(density, exactly(Approximation::mean_field));
    const Normal q = normal_of(fit);
    EXPECT_EQ(fit.trouble, "");
    EXPECT_EQ(fit.kind, Metric::diagonal);
    double log_ratio = 0;
    for (int j = 0; j < dim; ++j) {
      EXPECT_NEAR(fit.covariance[static_cast<std::size_t>(j)] * h(j, j), 1, 1e-9) << dim;
      EXPECT_NEAR((q.mean()[j] - m[j]) * std::sqrt(h(j, j)), 0, 1e-6) << dim;
      log_ratio -= 0.5 * std::log(h(j, j));
    }
    // -KL = (log |Sigma| + log |H| + dim - tr(H Sigma)) / 2, of which log |H| = 0.
    EXPECT_NEAR(fit.elbo, log_ratio, 5 * fit.elbo_error) << dim;
    // What the family cannot do: eigenvalues of H Sigma that are not 1.
    const Eigen::VectorXd root = h.diagonal().cwiseSqrt().cwiseInverse();
    const Eigen::SelfAdjointEigenSolver<Matrix> scaled(root.asDiagonal() * h * root.asDiagonal());
    EXPECT_NEAR(stein_residual(density, q, 11, 64),
                (scaled.eigenvalues().array() - 1).abs().maxCoeff(), 1e-7);
  }
}

/// D (I + U (Lambda - I) U') D with values that are as far from 1 as those of a metric.
Matrix low_rank_covariance(int dim, const std::vector<double>& values) {
  const Matrix r = test::rotation(dim, 21);
  Matrix b = Matrix::Identity(dim, dim);
  for (std::size_t k = 0; k < values.size(); ++k) {
    const Eigen::VectorXd u = r.row(static_cast<Eigen::Index>(k)).transpose();
    b += (values[k] - 1) * u * u.transpose();
  }
  const Eigen::VectorXd d = standard_normals(22, 0, dim, 1).array().exp();
  return d.asDiagonal() * b * d.asDiagonal();
}

TEST(LowRank, IsExactWhereTheCovarianceIsOfItsForm) {
  for (const int dim : {5, 20}) {
    for (const std::vector<double>& values : {std::vector<double>{100}, {0.01}, {1000, 30, 0.02}}) {
      if (static_cast<int>(values.size()) > dim / 2) {
        continue;  // a diagonal and that many directions are not told apart
      }
      const Matrix covariance = low_rank_covariance(dim, values);
      Density density = test::normal_density(some_mean(dim), covariance.inverse());
      VariationalOptions o = exactly(Approximation::low_rank);
      o.rank = static_cast<int>(values.size());
      const NormalFit fit = fit_normal(density, o);
      const Normal q = normal_of(fit);
      EXPECT_EQ(fit.trouble, "");
      EXPECT_EQ(fit.kind, Metric::low_rank);
      EXPECT_LE(rank_of(fit.covariance.size(), dim), o.rank);
      EXPECT_LT(relative_error(covariance_of(q), covariance), 1e-6) << dim << " " << values.size();
      EXPECT_LT((q.mean() - some_mean(dim)).cwiseAbs().maxCoeff(), 1e-6);
      EXPECT_NEAR(fit.elbo, 0, 1e-9);
    }
  }
}

TEST(LowRank, TakesOnlyDirectionsThatGain) {
  Density density = test::registered_density("icg");
  const NormalFit fit = fit_normal(density, exactly(Approximation::low_rank));
  EXPECT_EQ(fit.trouble, "");
  EXPECT_EQ(rank_of(fit.covariance.size(), 50), 0);  // a diagonal does it all
}

/// The same normal with its factor or its mean a little changed, within its family.
std::vector<std::function<Normal(double)>> changes_of(const Normal& q) {
  std::vector<std::function<Normal(double)>> changes;
  const int dim = q.dim();
  for (int j = 0; j < dim; ++j) {
    changes.emplace_back([q, j](double e) {
      Eigen::VectorXd m = q.mean();
      m[j] += e;
      return Normal(m, q.covariance());
    });
  }
  const PreparedMetric& metric = q.covariance();
  if (metric.kind == Metric::dense) {
    for (int i = 0; i < dim; ++i) {
      for (int j = 0; j <= i; ++j) {
        changes.emplace_back([q, i, j, dim](double e) {
          Matrix l = Eigen::Map<const Matrix>(q.covariance().factor.data(), dim, dim);
          l(i, j) += e;
          const Matrix s = l * l.transpose();
          return Normal(q.mean(),
                        prepare_metric(Metric::dense, {s.data(), s.data() + s.size()}, dim));
        });
      }
    }
    return changes;
  }
  const int rank = metric.kind == Metric::low_rank ? rank_of(metric.inverse_mass.size(), dim) : 0;
  for (int k = 0; k < dim + rank; ++k) {
    changes.emplace_back([q, k, dim](double e) {
      InverseMass m = q.covariance().inverse_mass;
      m[static_cast<std::size_t>(k)] *= std::exp(e);
      return Normal(q.mean(), prepare_metric(q.covariance().kind, m, dim));
    });
  }
  for (int k = 0; k < rank;
       ++k) {  // a direction turned in the plane of two coordinates, with all others
    changes.emplace_back([q, k, dim, rank](double e) {
      InverseMass m = q.covariance().inverse_mass;
      Eigen::Map<Matrix> u(m.data() + dim + rank, rank, dim);
      const Eigen::VectorXd x = u.col(k), y = u.col(k + 1);
      u.col(k) = std::cos(e) * x - std::sin(e) * y;
      u.col(k + 1) = std::sin(e) * x + std::cos(e) * y;
      return Normal(q.mean(), prepare_metric(q.covariance().kind, m, dim));
    });
  }
  return changes;
}

Matrix factor_of(const Normal& q) {
  return q.at(Matrix::Identity(q.dim(), q.dim())).colwise() - q.mean();
}

Normal somewhere(Approximation family, int dim) {
  const Eigen::VectorXd m = 0.3 * standard_normals(31, 0, dim, 1);
  const Matrix s = 0.2 * test::log_spaced(test::rotation(dim, 32), 5);
  const Eigen::VectorXd d = s.diagonal();
  if (family == Approximation::full_rank) {
    return {m, prepare_metric(Metric::dense, {s.data(), s.data() + s.size()}, dim)};
  }
  if (family == Approximation::mean_field) {
    return {m, prepare_metric(Metric::diagonal, {d.data(), d.data() + dim}, dim)};
  }
  const Matrix u = test::rotation(dim, 33);
  InverseMass values(d.data(), d.data() + dim);
  values.insert(values.end(), {4.0, 0.3});
  values.insert(values.end(), u.data(), u.data() + 2 * dim);
  return {m, prepare_metric(Metric::low_rank, values, dim)};
}

/// What `averages` says is the gradient of the ELBO of its draws: along a change of q by dm and
/// dF = F E it rises by -(F' E g)' F^-1 dm + tr E - <E[F' g z'], E>, where tr E is the entropy's.
TEST(Averages, AreTheGradientOfTheElboInEachFamily) {
  Density density = test::registered_density("eight-schools-nc");
  const int dim = density.dim();
  const Matrix z = matched_normals(1, AdviSet::fit, dim, 256);
  for (const Approximation family : kFamilies) {
    const Normal q = somewhere(family, dim);
    const Averages a = averages(density, q, z);
    const double e = 1e-5;
    for (const auto& change : changes_of(q)) {
      const Normal up = change(e), down = change(-e);
      const double slope =
          (averages(density, up, z).elbo - averages(density, down, z).elbo) / (2 * e);
      Matrix shift = (up.mean() - down.mean()) / (2 * e);
      Matrix turn = (factor_of(up) - factor_of(down)) / (2 * e);
      Whitening(q.covariance()).positions(shift);
      Whitening(q.covariance()).positions(turn);
      const double expected =
          -a.gradient.dot(shift.col(0)) + turn.trace() - a.stein.cwiseProduct(turn).sum();
      EXPECT_NEAR(slope, expected, 1e-7 * (1 + std::abs(expected)));
    }
  }
}

/// At the end of a fit no change within the family raises the ELBO of the draws it was fitted on.
TEST(Fits, AreStationaryInTheirFamily) {
  for (const std::string name : {"eight-schools-nc", "banana"}) {
    for (const Approximation family : kFamilies) {
      Density density = test::registered_density(name);
      VariationalOptions o = exactly(family);
      o.rank = 1;
      const NormalFit fit = fit_normal(density, o);
      ASSERT_EQ(fit.trouble, "") << name << static_cast<int>(family);
      const Normal q = normal_of(fit);
      const Averages a =
          averages(density, q, matched_normals(o.seed, AdviSet::fit, density.dim(), o.draws));
      const Matrix hessian = 0.5 * (a.stein + a.stein.transpose());
      EXPECT_LT(a.gradient.cwiseAbs().maxCoeff(), 1e-6) << name << static_cast<int>(family);
      const double e = 1e-4;
      for (const auto& change : changes_of(q)) {
        Matrix turn = (factor_of(change(e)) - factor_of(change(-e))) / (2 * e);
        Whitening(q.covariance()).positions(turn);
        // The rotation in `turn` leaves q as it is.
        const Matrix stretch = 0.5 * (turn + turn.transpose());
        EXPECT_NEAR(stretch.trace(), hessian.cwiseProduct(stretch).sum(), 2e-6)
            << name << static_cast<int>(family);
      }
    }
  }
}

/// lambda ~ Gamma(a, b) in x = log lambda: U = b e^x - a x + log Gamma(a) - a log b, where one of
/// the a x is the Jacobian's.
constexpr double kShape = 3, kRate = 2;
double log_gamma_potential(double x, double power, double* gradient) {
  *gradient = kRate * std::exp(x) - power;
  return kRate * std::exp(x) - power * x + std::lgamma(kShape) - kShape * std::log(kRate);
}
Density log_gamma(double power = kShape) {
  return test::function_density(
      1, [power](const double* q, double* g) { return log_gamma_potential(*q, power, g); });
}
/// E_q[-U] + entropy of N(m, s^2) by the trapezoidal rule, which is exact to rounding.
double elbo_by_quadrature(double m, double s) {
  double sum = 0, unused;
  const double step = 1e-3;
  for (int i = -12'000; i <= 12'000; ++i) {
    const double z = i * step;
    const double log_q = -0.5 * (z * z + std::log(2 * std::numbers::pi)) - std::log(s);
    sum += std::exp(-0.5 * z * z) * (-log_gamma_potential(m + s * z, kShape, &unused) - log_q);
  }
  return sum * step / std::sqrt(2 * std::numbers::pi);
}

/// The optimum is E U' = 0, E U'' = 1 / s^2: s^2 = 1 / a, m = log(a / b) - 1 / (2 a).
TEST(Elbo, OfAPositiveParameterIsThatOfQuadrature) {
  const double s = 1 / std::sqrt(kShape), m = std::log(kShape / kRate) - 0.5 / kShape;
  for (const Approximation family : kFamilies) {
    Density density = log_gamma();
    VariationalOptions o = exactly(family);
    o.draws = 4096;
    const NormalFit fit = fit_normal(density, o);
    EXPECT_EQ(fit.trouble, "");
    // Draws whose second moments match leave e^(s z) the error of its terms from z^4 on, of
    // standard deviation s^4 sqrt(96) / 24 in each of 2048 pairs, and as much in the derivatives.
    const double error = 5 * std::pow(s, 4) * std::sqrt(96.0) / 24 / std::sqrt(2048.0);
    EXPECT_NEAR(fit.mean[0], m, error);
    const double variance = covariance_of(normal_of(fit))(0, 0);
    EXPECT_NEAR(variance * kShape, 1, 4 * error);
    const double truth = elbo_by_quadrature(fit.mean[0], std::sqrt(variance));
    EXPECT_LT(truth, 0);  // minus a divergence
    EXPECT_GT(truth, -0.1);
    EXPECT_NEAR(fit.elbo, truth, 5 * fit.elbo_error);
    EXPECT_LT(fit.elbo_error, 0.01);

    // Without the Jacobian, or without log |F|, it is another number.
    Density mutant = log_gamma(kShape - 1);
    const double dropped = assess(mutant, normal_of(fit), 1, 1, o.draws).elbo;
    EXPECT_GT(std::abs(dropped - truth), 20 * fit.elbo_error);
    const double no_scale = fit.elbo - 0.5 * normal_of(fit).log_determinant();
    EXPECT_GT(std::abs(no_scale - truth), 20 * fit.elbo_error);
  }
}

// Stan's.

StanParameters some_parameters(Approximation family, int dim) {
  const Normal q = somewhere(Approximation::full_rank, dim);
  const Matrix l = Eigen::Map<const Matrix>(q.covariance().factor.data(), dim, dim);
  return {q.mean(), family == Approximation::mean_field ? Matrix(l.diagonal().array().log()) : l};
}

TEST(StanGradient, IsThatOfStansElbo) {
  Density density = test::registered_density("eight-schools-nc");
  const int dim = density.dim();
  const Matrix eta = standard_normals(1, 50, dim, 100);
  const double e = 1e-6;
  for (const Approximation family : {Approximation::mean_field, Approximation::full_rank}) {
    const StanParameters at = some_parameters(family, dim);
    const auto gradient = stan_gradient(density, family, at, eta, false);
    ASSERT_TRUE(gradient.has_value());
    const auto slope = [&](auto part, Eigen::Index i, Eigen::Index j) {
      StanParameters up = at, down = at;
      part(up)(i, j) += e;
      part(down)(i, j) -= e;
      return (stan_elbo(density, family, up, eta) - stan_elbo(density, family, down, eta)) /
             (2 * e);
    };
    for (int i = 0; i < dim; ++i) {
      EXPECT_NEAR(slope(
                      [](auto& p) -> auto& { return p.mean; }, i, 0),
                  gradient->mean[i], 1e-6);
      for (Eigen::Index j = 0; j < at.scale.cols(); ++j) {
        if (j <= i) {
          EXPECT_NEAR(slope(
                          [](auto& p) -> auto& { return p.scale; }, i, j),
                      gradient->scale(i, j), 1e-5);
        } else {
          EXPECT_EQ(gradient->scale(i, j), 0);
        }
      }
    }
  }
}

TEST(StanGradient, OfThePathAloneVanishesInEveryDrawOfTheOptimum) {
  const int dim = 4;
  const Matrix h = test::log_spaced(test::rotation(dim, 3), 10);
  Density density = test::normal_density(some_mean(dim), h);
  const Matrix covariance = h.inverse();
  const Matrix l = Eigen::LLT<Matrix>(covariance).matrixL();
  for (int i = 0; i < 10; ++i) {
    const Matrix eta = standard_normals(9, static_cast<std::uint32_t>(i), dim, 1);
    const StanParameters at{some_mean(dim), l};
    const auto path = stan_gradient(density, Approximation::full_rank, at, eta, true);
    EXPECT_LT(path->mean.cwiseAbs().maxCoeff(), 1e-12);
    EXPECT_LT(path->scale.cwiseAbs().maxCoeff(), 1e-12);
    // With the score it is noise.
    const auto noisy = stan_gradient(density, Approximation::full_rank, at, eta, false);
    EXPECT_GT(noisy->mean.cwiseAbs().maxCoeff(), 0.01);
  }
}

TEST(StanGradient, LeavesOutDrawsOfNoDensity) {
  const auto half = [](const double* q, double* g) {
    *g = 1;
    return *q > 0 ? *q : kInfinity;
  };
  Density density = test::function_density(1, half);
  const Approximation family = Approximation::mean_field;
  const StanParameters at{Eigen::VectorXd::Zero(1), Matrix::Zero(1, 1)};
  Matrix eta(1, 3), kept(1, 2), none(1, 1);
  eta << 1, -1, 2;
  kept << 1, 2;
  none << -1;
  EXPECT_EQ(stan_elbo(density, family, at, eta), stan_elbo(density, family, at, kept));
  EXPECT_EQ(stan_elbo(density, family, at, none), -kInfinity);
  EXPECT_EQ(stan_gradient(density, family, at, eta, false)->scale(0, 0), -1.5 + 1);
  EXPECT_FALSE(stan_gradient(density, family, at, none, false).has_value());
}

TEST(StanSteps, AreThoseOfTheSequenceByHand) {
  StanSteps steps(10);
  StanParameters at{Eigen::VectorXd::Zero(1), Matrix::Zero(1, 1)};
  const auto gradient = [](double m, double s) {
    return StanParameters{Eigen::VectorXd::Constant(1, m), Matrix::Constant(1, 1, s)};
  };
  steps.add(gradient(2, -1), at);  // s = 4 and 1
  EXPECT_DOUBLE_EQ(at.mean[0], 10 * 2 / 3.0);
  EXPECT_DOUBLE_EQ(at.scale(0, 0), -10 * 1 / 2.0);
  steps.add(gradient(0, 0.5), at);  // s = 3.6 and 0.925
  EXPECT_DOUBLE_EQ(at.mean[0], 10 * 2 / 3.0);
  EXPECT_NEAR(at.scale(0, 0), -5 + 10 / std::sqrt(2.0) * 0.5 / (1 + std::sqrt(0.925)), 1e-12);
}

TEST(StanStepSize, IsTheLastBeforeTheElboFalls) {
  const auto search = [](std::vector<double> elbos, double start) {
    std::size_t i = 0;
    return std::pair(stan_step_size([&](double) { return elbos[i++]; }, start), i);
  };
  using Found = std::pair<std::optional<double>, std::size_t>;
  EXPECT_EQ(search({-kInfinity, -5, -3, -4, 0}, -10), Found(1.0, 4));
  EXPECT_EQ(search({-1, -2, 0, 0, 0}, -10), Found(100.0, 2));
  // Below the start nothing is settled, even if the next ones are lower still.
  EXPECT_EQ(search({-20, -30, -3, -4, 0}, -10), Found(1.0, 4));
  EXPECT_EQ(search({-20, -30, -40, -50, -9}, -10), Found(0.01, 5));
  EXPECT_EQ(search({-9, -8, -7, -6, -5}, -10), Found(0.01, 5));
  EXPECT_EQ(search({-20, -30, -40, -50, -10}, -10), Found(std::nullopt, 5));
}

TEST(StanChanges, AreMeanAndMedianOfTheLastChecks) {
  StanChanges changes(3);
  changes.add(-100);
  EXPECT_EQ(changes.mean(), kInfinity);  // from 0
  changes.add(-110);
  EXPECT_EQ(changes.median(), kInfinity);  // the upper one of two
  changes.add(-99);
  EXPECT_EQ(changes.mean(), kInfinity);
  EXPECT_DOUBLE_EQ(changes.median(), 0.1);
  changes.add(-99);
  EXPECT_NEAR(changes.mean(), 0.2 / 3, 1e-15);
  EXPECT_DOUBLE_EQ(changes.median(), 0.1);
  EXPECT_EQ(changes.size(), 3u);
}

/// Without the entropy's gradient q collapses onto the mode.
TEST(StanGradient, KeepsQFromCollapsing) {
  Density density = test::normal_density(Eigen::VectorXd::Zero(2), Matrix::Identity(2, 2));
  const auto scale_after = [&](double entropy) {
    StanParameters at{Eigen::VectorXd::Ones(2), Matrix::Identity(2, 2)};
    StanSteps steps(1);
    for (std::uint32_t i = 0; i < 1000; ++i) {
      const Matrix eta = standard_normals(2, i, 2, 64);
      StanParameters g = *stan_gradient(density, Approximation::full_rank, at, eta, false);
      g.scale.diagonal() -= (1 - entropy) * at.scale.diagonal().cwiseInverse();
      steps.add(g, at);
    }
    return std::abs(at.scale(0, 0));
  };
  EXPECT_NEAR(scale_after(1), 1, 0.1);
  EXPECT_LT(scale_after(0), 0.01);
}

TEST(StanAscent, ComesWhereTheNaturalOneIs) {
  const int dim = 3;
  const Matrix h = test::log_spaced(test::rotation(dim, 3), 4);
  for (const Approximation family : {Approximation::mean_field, Approximation::full_rank}) {
    Density density = test::normal_density(Eigen::VectorXd::Ones(dim), h);
    VariationalOptions o;
    o.method = family;
    o.draws = 64;
    const Normal best = normal_of(fit_normal(density, exactly(family)));
    for (const Ascent ascent : {Ascent::path, Ascent::stan}) {
      o.ascent = ascent;
      o.tolerance = 1e-9;
      o.iterations = 2000;
      const NormalFit fit = fit_normal(density, o);
      const Normal q = normal_of(fit);
      // The path's gradient makes no noise where full rank is exact.
      const double error = relative_error(covariance_of(q), covariance_of(best));
      const bool exact = ascent == Ascent::path && family == Approximation::full_rank;
      EXPECT_LT(error, exact ? 1e-6 : 0.05) << static_cast<int>(family);
      EXPECT_LT((q.mean() - best.mean()).cwiseAbs().maxCoeff(), exact ? 1e-6 : 0.05);
    }
  }
}

// Agreement with a reference: other code, in long double where it matters.

using Real = long double;
struct Reference {
  std::string name;
  /// U, and its gradient.
  std::function<Real(const std::vector<Real>& q, std::vector<Real>& g)> potential;
};

Real log_spaced_reference(const std::vector<Real>& q, std::vector<Real>& g, Real decades) {
  Real u = 0;
  for (std::size_t j = 0; j < q.size(); ++j) {
    const Real v = std::pow(Real(10), decades * (Real(j) / Real(q.size() - 1) - Real(0.5)));
    g[j] = q[j] / v;
    u += q[j] * q[j] / (2 * v);
  }
  return u;
}

Real eight_schools_reference(const std::vector<Real>& q, std::vector<Real>& g) {
  constexpr Real y[] = {28, 8, -3, 7, -1, 1, 18, 12}, sigma[] = {15, 10, 16, 11, 9, 11, 10, 18};
  const Real mu = q[8], tau = std::exp(q[9]);
  Real u = mu * mu / 50 + std::log(1 + tau * tau / 25) - q[9];
  g[8] = mu / 25;
  g[9] = 2 * tau * tau / (25 + tau * tau) - 1;
  for (std::size_t j = 0; j < 8; ++j) {
    const Real r = mu + tau * q[j] - y[j], slope = r / (sigma[j] * sigma[j]);
    u += q[j] * q[j] / 2 + r * slope / 2;
    g[j] = q[j] + tau * slope;
    g[8] += slope;
    g[9] += tau * q[j] * slope;
  }
  return u;
}

const std::vector<Reference>& references() {
  static const std::vector<Reference> all{
      {"std-normal", [](const auto& q, auto& g) { return log_spaced_reference(q, g, 0); }},
      {"icg", [](const auto& q, auto& g) { return log_spaced_reference(q, g, 4); }},
      {"scg",
       [](const auto& q, auto& g) {
         const Real a = (q[0] + q[1]) / 200, b = (q[1] - q[0]) / Real(0.02);
         g[0] = a - b, g[1] = a + b;
         return (q[0] + q[1]) * a / 2 + (q[1] - q[0]) * b / 2;
       }},
      {"banana",
       [](const auto& q, auto& g) {
         const Real r = q[1] - Real(0.03) * (q[0] * q[0] - 100);
         g[0] = q[0] / 100 - Real(0.06) * q[0] * r, g[1] = r;
         return q[0] * q[0] / 200 + r * r / 2;
       }},
      {"eight-schools-nc", eight_schools_reference}};
  return all;
}

/// Of a residual r in whitened coordinates half its square is left to go in nats: a fit to 1e-13
/// has |r| < 4.5e-7 before its last step.
constexpr double kResidual = 1e-6;

/// Given z: the metric's optimality, E g = 0 and E_q[Hessian] = Sigma^-1 (full rank) or their
/// diagonals (mean field), the ELBO and k-hat, all by plain loops on a Cholesky factor of its own.
TEST(Agreement, WithAReferenceOnFiveTargets) {
  for (const Reference& reference : references()) {
    for (const Approximation family : {Approximation::full_rank, Approximation::mean_field}) {
      Density density = test::registered_density(reference.name);
      const VariationalOptions o = exactly(family);
      const NormalFit fit = fit_normal(density, o);
      ASSERT_EQ(fit.trouble, "") << reference.name;
      const auto dim = fit.mean.size();
      const bool dense = fit.kind == Metric::dense;
      // Banachiewicz's factor of Sigma.
      std::vector<std::vector<Real>> l(dim, std::vector<Real>(dim, 0));
      Real log_scale = 0;
      for (std::size_t i = 0; i < dim; ++i) {
        for (std::size_t j = 0; j <= i; ++j) {
          Real sum = dense ? fit.covariance[i * dim + j] : i == j ? fit.covariance[i] : 0;
          for (std::size_t k = 0; k < j; ++k) {
            sum -= l[i][k] * l[j][k];
          }
          l[i][j] = i == j ? std::sqrt(sum) : sum / l[j][j];
        }
        log_scale += std::log(l[i][i]);
      }
      std::vector<Real> q(dim), g(dim);
      const auto at = [&](const Matrix& z, Eigen::Index i) {
        for (std::size_t a = 0; a < dim; ++a) {
          q[a] = fit.mean[a];
          for (std::size_t b = 0; b <= a; ++b) {
            q[a] += l[a][b] * z(static_cast<Eigen::Index>(b), i);
          }
        }
        return reference.potential(q, g);
      };
      const Matrix z = matched_normals(o.seed, AdviSet::fit, static_cast<int>(dim), o.draws);
      std::vector<Real> first(dim, 0);
      std::vector<std::vector<Real>> second(dim, std::vector<Real>(dim, 0));
      for (Eigen::Index i = 0; i < z.cols(); ++i) {
        at(z, i);
        for (std::size_t a = 0; a < dim; ++a) {
          Real whitened = 0;
          for (std::size_t b = a; b < dim; ++b) {
            whitened += l[b][a] * g[b];
          }
          first[a] += whitened / Real(z.cols());
          for (std::size_t b = 0; b < dim; ++b) {
            second[a][b] += whitened * z(static_cast<Eigen::Index>(b), i) / Real(z.cols());
          }
        }
      }
      for (std::size_t a = 0; a < dim; ++a) {
        EXPECT_LT(std::abs(first[a]), kResidual) << reference.name;
        for (std::size_t b = 0; b <= a; ++b) {
          if (dense || a == b) {
            EXPECT_NEAR(0.5 * (second[a][b] + second[b][a]), a == b ? 1 : 0, kResidual)
                << reference.name;
          }
        }
      }
      const Matrix fresh = standard_normals(o.seed, static_cast<std::uint32_t>(AdviSet::assessment),
                                            static_cast<int>(dim), o.draws);
      std::vector<double> ratios;
      Real elbo = 0;
      for (Eigen::Index i = 0; i < fresh.cols(); ++i) {
        Real square = 0;
        for (std::size_t a = 0; a < dim; ++a) {
          square +=
              Real(fresh(static_cast<Eigen::Index>(a), i)) * fresh(static_cast<Eigen::Index>(a), i);
        }
        const Real log_q =
            -square / 2 - log_scale - Real(dim) / 2 * std::log(2 * std::numbers::pi_v<Real>);
        ratios.push_back(static_cast<double>(-at(fresh, i) - log_q));
        elbo += ratios.back() / Real(fresh.cols());
      }
      EXPECT_NEAR(fit.elbo, elbo, 1e-9 * (1 + std::abs(elbo))) << reference.name;
      EXPECT_NEAR(fit.k_hat, smoothed_weights(ratios).k_hat, 1e-7) << reference.name;
    }
  }
}

// Of all fits.

TEST(Fits, AreTheSameBitsForAnyNumberOfThreads) {
  for (const Approximation family : kFamilies) {
    VariationalOptions o;
    o.method = family;
    Density one = test::registered_density("eight-schools-nc", 1),
            three = test::registered_density("eight-schools-nc", 3);
    const NormalFit a = fit_normal(one, o), b = fit_normal(three, o), c = fit_normal(one, o);
    for (const NormalFit* other : {&b, &c}) {
      EXPECT_EQ(a.mean, other->mean);
      EXPECT_EQ(a.covariance, other->covariance);
      EXPECT_EQ(a.draws, other->draws);
      EXPECT_EQ(a.elbo, other->elbo);
      EXPECT_EQ(a.k_hat, other->k_hat);
      EXPECT_EQ(a.gradients, other->gradients);
    }
    o.seed = 2;
    EXPECT_NE(fit_normal(one, o).mean, a.mean);
  }
}

TEST(Fits, HandOverDrawsOfTheirNormal) {
  Density density = test::normal_density(Eigen::VectorXd::Constant(2, 5), Matrix::Identity(2, 2));
  VariationalOptions o = exactly(Approximation::mean_field);
  o.starts = 10'000;
  const std::int64_t before = density.evaluations();
  const NormalFit fit = fit_normal(density, o);
  EXPECT_EQ(fit.gradients, density.evaluations() - before);
  EXPECT_GT(fit.gradients, o.draws);
  ASSERT_EQ(fit.draws.size(), 20'000u);
  const Eigen::Map<const Matrix> draws(fit.draws.data(), 2, 10'000);
  for (int j = 0; j < 2; ++j) {
    const double mean = draws.row(j).mean();
    EXPECT_NEAR(mean, 5, 5 * 0.01);
    EXPECT_NEAR((draws.row(j).array() - mean).square().mean(), 1, 5 * std::sqrt(2.0) / 100);
  }
}

TEST(Fits, BeginWhereTheyAreTold) {
  Density density = test::registered_density("mog2-equal");
  VariationalOptions o;
  o.method = Approximation::mean_field;
  o.start = {1.8, 0.1};
  const NormalFit right = fit_normal(density, o);
  o.start = {-1.8, 0.1};
  const NormalFit left = fit_normal(density, o);
  EXPECT_GT(right.mean[0], 1);
  EXPECT_LT(left.mean[0], -1);
}

TEST(Fits, SayWhatWentWrong) {
  VariationalOptions o;
  o.rank = 1;
  const auto flat = [](const double*, double* g) {
    g[0] = g[1] = 0;
    return 0.0;
  };
  for (const Approximation family : kFamilies) {
    o.method = family;
    Density improper = test::function_density(2, flat);
    EXPECT_NE(fit_normal(improper, o).trouble.find("its ELBO diverged"), std::string::npos);

    Density banana = test::registered_density("banana");
    o.iterations = 1;
    EXPECT_NE(fit_normal(banana, o).trouble.find("after 1 iterations"), std::string::npos);
    o.iterations = 0;
    o.progress = [](const VariationalProgress& p) { return p.iteration < 2; };
    const NormalFit stopped = fit_normal(banana, o);
    EXPECT_EQ(stopped.trouble, "stopped");
    EXPECT_EQ(stopped.iterations, 2);
    o.progress = nullptr;
  }
  // No density for half of any normal's draws.
  const auto half = [](const double* q, double* g) {
    *g = 1;
    return *q > 0 ? *q : kInfinity;
  };
  for (const Ascent ascent : {Ascent::natural, Ascent::stan}) {
    o.method = Approximation::mean_field;
    o.ascent = ascent;
    Density density = test::function_density(1, half);
    EXPECT_NE(fit_normal(density, o).trouble, "");
  }
  Density nowhere = test::function_density(1, [](const double*, double* g) {
    *g = 0;
    return kInfinity;
  });
  EXPECT_NE(message_of<InitialisationError>([&] {
              fit_normal(nowhere, o);
            }).find("give a smaller start radius"),
            std::string::npos);
}

TEST(Options, ThatMakeNoSenseAreNamed) {
  Density density = test::registered_density("banana");
  const auto wrong = [&](auto set, const std::vector<std::string>& parts) {
    VariationalOptions o;
    o.method = Approximation::low_rank;
    set(o);
    throws_naming([&] { fit_normal(density, o); }, parts);
  };
  wrong([](auto& o) { o.draws = 63; }, {"draws is 63", "at least 64"});
  wrong([](auto& o) { o.iterations = -1; }, {"iterations is -1", "0 for the method's own"});
  wrong([](auto& o) { o.tolerance = 0; }, {"tolerance is 0", "positive"});
  wrong([](auto& o) { o.tolerance = kInfinity; }, {"tolerance is inf"});
  wrong([](auto& o) { o.rank = 0; }, {"rank is 0", "1 to 32"});
  wrong([](auto& o) { o.rank = 33; }, {"rank is 33", "1 to 32"});
  wrong([](auto& o) { o.start_radius = -2; }, {"start radius is -2", "positive"});
  wrong([](auto& o) { o.start = {1}; }, {"start has 1 values", "2 parameters"});
  wrong([](auto& o) { o.start = {1, kInfinity}; }, {"inf for parameter 2", "finite"});
  wrong([](auto& o) { o.starts = 0; }, {"starts is 0", "at least 1"});
  wrong([](auto& o) { o.ascent = Ascent::path; }, {"Stan has no low-rank family"});
  wrong(
      [](auto& o) {
        o.method = Approximation::pathfinder;
        o.paths = 0;
      },
      {"paths is 0", "at least 1"});
}

// Rounding makes the smallest eigenvalues of such a precision negative as often as not.
TEST(LowRankFamily, TakesPrecisionsThatAreNearlySingular) {
  constexpr int dim = 8;
  Matrix p = Matrix::Zero(dim, dim);
  for (int i = 0; i < dim; ++i) {
    for (int j = 0; j < dim; ++j) {
      p(i, j) = 1e12 * std::sin(1 + i) * std::sin(1 + j) + (i == j ? 1e-6 : 0);
    }
  }
  const PreparedMetric unit = prepare_metric(Metric::low_rank, InverseMass(dim, 1.0), dim);
  const PreparedMetric found = nearest({Approximation::low_rank, dim - 1, 1e-6}, unit, p);
  for (const double x : found.inverse_mass) {
    EXPECT_TRUE(std::isfinite(x));
  }
}

}  // namespace
}  // namespace lockstep
