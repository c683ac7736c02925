// Fits by the Fisher divergence: exact for normal laws, and elsewhere a fixed point of their own
// equations, written down a second time.

#include "host/vi/fisher.hpp"

#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "host/adapt/geometric_mean.hpp"
#include "host/registry.hpp"
#include "host/vi/fit.hpp"
#include "host/vi/normal.hpp"
#include "lockstep/error.hpp"
#include "tests/message_of.hpp"
#include "tests/normal_engine.hpp"
#include "tests/registered_density.hpp"

namespace lockstep {
namespace {

using Eigen::VectorXd;
using test::function_density;
using test::log_spaced;
using test::normal_density;
using test::rotation;

VectorXd vector_of(const std::vector<double>& x) {
  return Eigen::Map<const VectorXd>(x.data(), static_cast<Eigen::Index>(x.size()));
}

/// Sigma in full.
Matrix covariance_of(const NormalFit& fit) {
  const auto dim = static_cast<Eigen::Index>(fit.mean.size());
  if (fit.kind == Metric::dense) {
    return Eigen::Map<const Matrix>(fit.covariance.data(), dim, dim);
  }
  return vector_of(fit.covariance).asDiagonal();
}

double relative_error(const Matrix& a, const Matrix& expected) {
  return (a - expected).norm() / expected.norm();
}

VariationalOptions fisher_options() {
  VariationalOptions options;
  options.method = Approximation::fisher;
  return options;
}

TEST(GeometricMean, SolvesItsEquation) {
  for (const double c : {0.0, 0.3, 5.0}) {
    const Matrix u = log_spaced(rotation(6, 1), 1e4), v = log_spaced(rotation(6, 2), 1e3);
    const Matrix s = geometric_mean(u, v, c);
    EXPECT_LT(relative_error(s * u * s + c * s, v), 1e-12);
    EXPECT_EQ((s - s.transpose()).norm(), 0);
    EXPECT_EQ(s.llt().info(), Eigen::Success);
  }
  // Singular U is allowed beside c, and without it has no solution.
  const Matrix none = Matrix::Zero(3, 3), unit = Matrix::Identity(3, 3);
  EXPECT_LT(relative_error(geometric_mean(none, unit, 2), unit / 2), 1e-15);
  EXPECT_FALSE(geometric_mean(none, unit, 0).allFinite());
  EXPECT_FALSE(geometric_mean(unit, none, 0).allFinite());
}

// For a normal law any draws do, if there are more of them than dimensions: here they are uniform.
TEST(FisherMatch, NormalLawsFromAnyDraws) {
  for (const int dim : {1, 2, 5, 20}) {
    SCOPED_TRACE(dim);
    const Matrix h = log_spaced(rotation(dim, 3), 1e3);
    const VectorXd mean = 3 * standard_normals(4, 0, dim, 1).col(0);
    const Matrix q = standard_normals(5, 0, dim, 4 * dim + 4).array().atan();
    const FisherMatch m = fisher_match(q, h * (q.colwise() - mean));
    EXPECT_LT(relative_error(m.covariance, h.inverse()), 1e-10);
    EXPECT_LT((m.mean - mean).norm(), 1e-10 * mean.norm());
    // One more than dimensions will do, but for rounding: their covariance is hardly definite.
    const Matrix few = q.leftCols(dim + 1);
    EXPECT_LT(relative_error(fisher_match(few, h * (few.colwise() - mean)).covariance, h.inverse()),
              1e-5);
  }
}

TEST(FisherMatch, DiagonalsAreRatiosOfVariances) {
  const int dim = 4, n = 50;
  const Matrix q = standard_normals(6, 0, dim, n), g = standard_normals(6, 1, dim, n).array().exp();
  const FisherMatch m = diagonal_fisher_match(q, g);
  for (int j = 0; j < dim; ++j) {
    const auto mean = [&](const Matrix& x) { return x.row(j).sum() / n; };
    const auto squares = [&](const Matrix& x) {
      return (x.row(j).array() - mean(x)).square().sum();
    };
    const double sigma = std::sqrt(squares(q) / squares(g));
    EXPECT_NEAR(m.covariance(j, 0), sigma, 1e-12 * sigma);
    EXPECT_NEAR(m.mean[j], mean(q) - sigma * mean(g), 1e-12);
  }
}

TEST(FisherMatch, RefusesWhatDoesNotVary) {
  const Matrix q = standard_normals(7, 0, 3, 3);  // three draws span two directions
  throws_naming([&] { fisher_match(q, q); }, {"3 parameters", "3 draws"});
  throws_naming([&] { fisher_match(q, q.leftCols(2)); }, {"gradient for every draw"});
  const Matrix flat = Matrix::Ones(3, 9), varying = standard_normals(7, 0, 3, 9);
  EXPECT_THROW(diagonal_fisher_match(varying, flat), UsageError);
  EXPECT_THROW(diagonal_fisher_match(flat, varying), UsageError);
}

TEST(FitFisher, NormalLawsAreExact) {
  for (const int dim : {2, 5, 20}) {
    for (const double condition : {1.0, 1e4}) {
      SCOPED_TRACE(std::to_string(dim) + ", " + std::to_string(condition));
      const Matrix h = log_spaced(rotation(dim, 8), condition);
      const VectorXd mean = 10 * standard_normals(9, 0, dim, 1).col(0);
      Density density = normal_density(mean, h);
      const NormalFit fit = fit_normal(density, fisher_options());
      EXPECT_EQ(fit.trouble, "");
      EXPECT_EQ(fit.kind, Metric::dense);
      EXPECT_EQ(fit.iterations, 1);
      EXPECT_LT(relative_error(covariance_of(fit), h.inverse()), 1e-10);
      EXPECT_LT((vector_of(fit.mean) - mean).norm(), 1e-10 * mean.norm());
      EXPECT_NEAR(fit.elbo, 0, 1e-7);  // of a density with its constant
      EXPECT_LT(fit.k_hat, 0.7);
      // The first batch, one look at what it gave, and the figures.
      EXPECT_EQ(fit.gradients, 512 + 2 * 1024);
      EXPECT_EQ(fit.gradients, density.evaluations());
    }
  }
}

TEST(FitFisher, ManyDimensionsAreFittedByADiagonal) {
  const int dim = 300;
  VectorXd precision(dim), mean(dim);
  for (int j = 0; j < dim; ++j) {
    precision[j] = std::pow(10.0, j % 5 - 2);
    mean[j] = j % 7;
  }
  Density density = function_density(dim, [&](const double* q, double* gradient) {
    double u = 0;
    for (int j = 0; j < dim; ++j) {
      gradient[j] = precision[j] * (q[j] - mean[j]);
      u += 0.5 * gradient[j] * (q[j] - mean[j]);
    }
    return u;
  });
  const NormalFit fit = fit_fisher(density, fisher_options());
  EXPECT_EQ(fit.trouble, "");
  EXPECT_EQ(fit.kind, Metric::diagonal);
  EXPECT_LT(relative_error(vector_of(fit.covariance), precision.cwiseInverse()), 1e-10);
  EXPECT_LT((vector_of(fit.mean) - mean).norm(), 1e-10 * mean.norm());
}

/// In the coordinates z in which the fit is N(0, I): how far gradients are from those of N(0, I) in
/// their mean and covariance, root mean square over dimensions.
struct Residual {
  double mean, covariance;
};

Residual residual_of(const NormalFit& fit, const VariationalOptions& options, Density& density,
                     std::uint32_t set, int points) {
  const auto dim = static_cast<int>(fit.mean.size());
  const Matrix f = covariance_of(fit).llt().matrixL();
  const Matrix z = standard_normals(options.seed, set, dim, points);
  Matrix q = f * z;
  q.colwise() += vector_of(fit.mean);
  VectorXd potential;
  Matrix g;
  density.evaluate(q, potential, g);
  const Matrix h = f.transpose() * g;
  std::vector<double> mean_z(static_cast<std::size_t>(dim)), mean_h(mean_z.size());
  for (int j = 0; j < dim; ++j) {
    for (int i = 0; i < points; ++i) {
      mean_z[static_cast<std::size_t>(j)] += z(j, i) / points;
      mean_h[static_cast<std::size_t>(j)] += h(j, i) / points;
    }
  }
  Residual r{0, 0};
  for (int j = 0; j < dim; ++j) {
    const auto at_j = static_cast<std::size_t>(j);
    r.mean += std::pow(mean_z[at_j] - mean_h[at_j], 2);
    for (int k = 0; k < dim; ++k) {
      const auto at_k = static_cast<std::size_t>(k);
      double difference = 0;
      for (int i = 0; i < points; ++i) {
        difference += ((h(j, i) - mean_h[at_j]) * (h(k, i) - mean_h[at_k]) -
                       (z(j, i) - mean_z[at_j]) * (z(k, i) - mean_z[at_k])) /
                      points;
      }
      r.covariance += difference * difference;
    }
  }
  return {std::sqrt(r.mean / dim), std::sqrt(r.covariance / dim)};
}

// Sigma Cov(g) Sigma = Cov(q) and the mean of the gradients, on the draws at which the fit is to be
// stationary; and on others, but for what 1024 draws leave open.
TEST(FitFisher, IsStationary) {
  for (const char* target : {"banana", "eight-schools-nc", "rough-well", "icg"}) {
    SCOPED_TRACE(target);
    Density density = test::registered_density(target);
    const VariationalOptions options = fisher_options();
    const NormalFit fit = fit_normal(density, options);
    EXPECT_EQ(fit.trouble, "");
    EXPECT_LE(fit.gradients, 30000);
    const Residual own = residual_of(fit, options, density, kFisherSet, options.draws);
    EXPECT_LT(own.mean, 0.05);
    EXPECT_LT(own.covariance, 0.1);
    const Residual fresh = residual_of(fit, options, density, 77, 8192);
    EXPECT_LT(fresh.mean, 0.3);
    EXPECT_LT(fresh.covariance, 0.5);
  }
}

// Flatter than normal at the centre and steeper outside: full steps would swing between two
// variances for ever, since Cov(g) grows with the cube of the variance.
TEST(FitFisher, StepsThatOvershootAreShortened) {
  Density density = function_density(3, [](const double* q, double* gradient) {
    double u = 0;
    for (int j = 0; j < 3; ++j) {
      gradient[j] = q[j] * q[j] * q[j];
      u += 0.25 * gradient[j] * q[j];
    }
    return u;
  });
  const NormalFit fit = fit_normal(density, fisher_options());
  EXPECT_EQ(fit.trouble, "");
  EXPECT_LT(fit.iterations, 12);
  const Matrix sigma = covariance_of(fit);
  for (int j = 0; j < 3; ++j) {
    // s^2 Var(q^3) = s^2 15 s^3 = s, but for 1024 draws of z^6.
    EXPECT_NEAR(sigma(j, j), std::pow(15.0, -0.25), 0.05);
  }
}

TEST(FitFisher, SameBitsForAnyThreads) {
  const auto fit_on = [](int threads) {
    Density density = test::registered_density("eight-schools-nc", threads);
    return fit_normal(density, fisher_options());
  };
  const NormalFit one = fit_on(1), three = fit_on(3);
  EXPECT_EQ(one.mean, three.mean);
  EXPECT_EQ(one.covariance, three.covariance);
  EXPECT_EQ(one.draws, three.draws);
  EXPECT_EQ(one.elbo, three.elbo);
  EXPECT_EQ(one.k_hat, three.k_hat);
  EXPECT_EQ(one.gradients, three.gradients);
}

TEST(FitFisher, HandsOverDrawsOfItsLaw) {
  const int dim = 3;
  const Matrix h = log_spaced(rotation(dim, 8), 50);
  const VectorXd mean = VectorXd::LinSpaced(dim, -2, 5);
  Density density = normal_density(mean, h);
  VariationalOptions options = fisher_options();
  options.starts = 20000;
  const NormalFit fit = fit_normal(density, options);
  ASSERT_EQ(std::ssize(fit.draws), dim * options.starts);
  const Matrix draws = Eigen::Map<const Matrix>(fit.draws.data(), dim, options.starts);
  const Matrix centred = draws.colwise() - mean;
  const Matrix z = h.llt().matrixU() * centred;
  const Matrix second = z * z.transpose() / static_cast<double>(options.starts);
  EXPECT_LT((z.rowwise().mean()).norm(), 4 * std::sqrt(3.0 / 20000));
  EXPECT_LT((second - Matrix::Identity(dim, dim)).norm(), 4 * std::sqrt(2 * 9.0 / 20000));
}

TEST(FitFisher, SaysWhenItFails) {
  // No law at all: U falls without end, and gradients are the same everywhere.
  Density slope = function_density(2, [](const double* q, double* gradient) {
    gradient[0] = gradient[1] = 1;
    return q[0] + q[1];
  });
  const NormalFit none = fit_normal(slope, fisher_options());
  EXPECT_NE(none.trouble.find("does not settle"), std::string::npos) << none.trouble;

  Density nowhere = function_density(2, [](const double*, double* gradient) {
    gradient[0] = gradient[1] = 0;
    return std::numeric_limits<double>::infinity();
  });
  EXPECT_NE(message_of<InitialisationError>([&] {
              fit_normal(nowhere, fisher_options());
            }).find("give a smaller start radius"),
            std::string::npos);

  Density icg = test::registered_density("icg");
  VariationalOptions options = fisher_options();
  int calls = 0;
  options.progress = [&](const VariationalProgress& p) {
    EXPECT_EQ(p.iteration, calls);
    return ++calls < 2;
  };
  options.iterations = 1;
  fit_normal(icg, options);
  EXPECT_EQ(calls, 1);
  options.progress = [](const VariationalProgress&) { return false; };
  EXPECT_EQ(fit_normal(icg, options).trouble, "stopped");
}

TEST(FitFisher, RefusesOptionsWithoutSense) {
  Density icg = test::registered_density("icg");
  const auto refuses = [&](auto change, const std::string& what) {
    VariationalOptions options = fisher_options();
    change(options);
    throws_naming([&] { fit_fisher(icg, options); }, {what});
  };
  refuses([](VariationalOptions& o) { o.draws = 1; }, "two draws");
  refuses([](VariationalOptions& o) { o.start_radius = 0; }, "start radius");
  refuses([](VariationalOptions& o) { o.start = {1, 2}; }, "2 values");
}

}  // namespace
}  // namespace lockstep
