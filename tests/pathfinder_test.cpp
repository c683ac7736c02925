// Pathfinder: its inverse Hessians against dense matrices, its paths against a plain implementation
// of one path, and what it hands over against laws that are known.

#include "host/vi/pathfinder.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "host/registry.hpp"
#include "host/vi/fit.hpp"
#include "host/vi/lbfgs.hpp"
#include "host/vi/mixture.hpp"
#include "kernels/random/distributions.hpp"
#include "lockstep/error.hpp"
#include "tests/normal_engine.hpp"
#include "tests/registered_density.hpp"

namespace lockstep {
namespace {

using Eigen::VectorXd;
using test::function_density;
using test::log_spaced;
using test::normal_density;
using test::rotation;

Matrix dense(const PreparedMetric& m, int dim) {
  Matrix f = Matrix::Identity(dim, dim);
  Whitening(m).colour(f);
  return f * f.transpose();
}

VectorXd column(std::uint64_t seed, int dim) {
  return standard_normals(seed, 0, dim, 1).col(0);
}

// ---- inverse Hessians --------------------------------------------------------------------------

/// Dense matrices throughout, by the formulas as printed.
struct DenseInverseHessian {
  VectorXd diagonal;
  std::vector<VectorXd> s, y;

  void update(const VectorXd& step, const VectorXd& change) {
    // Zhang et al. (2022), algorithm 3.
    const VectorXd& d = diagonal;
    double a = 0, b = 0, c = 0;
    for (Eigen::Index i = 0; i < d.size(); ++i) {
      a += change[i] * d[i] * change[i];
      b += change[i] * step[i];
      c += step[i] * step[i] / d[i];
    }
    for (Eigen::Index i = 0; i < d.size(); ++i) {
      const double old = diagonal[i];
      diagonal[i] = 1 / (a / (b * old) + change[i] * change[i] / b -
                         a * step[i] * step[i] / (b * c * old * old));
    }
    s.push_back(step);
    y.push_back(change);
    if (s.size() > static_cast<std::size_t>(kPathMemory)) {
      s.erase(s.begin());
      y.erase(y.begin());
    }
  }

  /// BFGS, step by step: H <- (I - s y' / s'y) H (I - y s' / s'y) + s s' / s'y.
  Matrix matrix() const {
    Matrix h = diagonal.asDiagonal();
    const Matrix one = Matrix::Identity(h.rows(), h.rows());
    for (std::size_t k = 0; k < s.size(); ++k) {
      const double rho = 1 / s[k].dot(y[k]);
      const Matrix left = one - rho * s[k] * y[k].transpose();
      h = (left * h * left.transpose() + rho * s[k] * s[k].transpose()).eval();
    }
    return h;
  }

  /// The compact form that the paper samples from: alpha + beta gamma beta'.
  Matrix compact() const {
    const auto n = static_cast<Eigen::Index>(s.size());
    const Eigen::Index dim = diagonal.size();
    Matrix r = Matrix::Zero(n, n), ys(dim, n), ss(dim, n);
    for (Eigen::Index i = 0; i < n; ++i) {
      ss.col(i) = s[static_cast<std::size_t>(i)];
      ys.col(i) = y[static_cast<std::size_t>(i)];
    }
    for (Eigen::Index i = 0; i < n; ++i) {
      for (Eigen::Index j = i; j < n; ++j) {
        r(i, j) = ss.col(i).dot(ys.col(j));
      }
    }
    const Matrix e = r.diagonal().asDiagonal(), alpha = diagonal.asDiagonal();
    const Matrix inverse =
        r.triangularView<Eigen::Upper>().solve(Eigen::MatrixXd(Matrix::Identity(n, n)));
    Matrix beta(dim, 2 * n), gamma = Matrix::Zero(2 * n, 2 * n);
    beta.leftCols(n) = alpha * ys;
    beta.rightCols(n) = ss;
    gamma.topRightCorner(n, n) = -inverse;
    gamma.bottomLeftCorner(n, n) = -inverse.transpose();
    gamma.bottomRightCorner(n, n) =
        inverse.transpose() * (e + ys.transpose() * alpha * ys) * inverse;
    return alpha + beta * gamma * beta.transpose();
  }
};

TEST(InverseHessian, IsTheDenseRecursions) {
  for (const int dim : {1, 3, 20}) {
    const Matrix hessian = log_spaced(rotation(dim, 5), 100);
    InverseHessian limited(VectorXd::Constant(dim, 0.7), kPathMemory);
    DenseInverseHessian plain{VectorXd::Constant(dim, 0.7), {}, {}};
    for (int k = 0; k < 15; ++k) {  // more than are remembered
      const VectorXd s = column(static_cast<std::uint64_t>(100 + k), dim), y = hessian * s;
      ASSERT_TRUE(limited.update(s, y));
      plain.update(s, y);
      const Matrix expected = plain.matrix();
      const double size = expected.cwiseAbs().maxCoeff();
      if (dim > 2 * kPathMemory) {  // else R is nearly singular, and the compact form inexact
        EXPECT_LT((plain.compact() - expected).cwiseAbs().maxCoeff(), 1e-8 * size);
      }
      for (int j = 0; j < dim; ++j) {
        const VectorXd unit = VectorXd::Unit(dim, j);
        EXPECT_LT((limited.times(unit) - expected.col(j)).cwiseAbs().maxCoeff(), 1e-10 * size);
      }
      const auto mass = limited.low_rank();
      ASSERT_TRUE(mass);
      EXPECT_LE(rank_of(mass->size(), dim), std::min(dim, 2 * kPathMemory));
      const Matrix found = dense(prepare_metric(Metric::low_rank, *mass, dim), dim);
      EXPECT_LT((found - expected).cwiseAbs().maxCoeff(), 1e-10 * size) << dim << " step " << k;
    }
  }
}

TEST(InverseHessian, IsExactAfterConjugateStepsInEveryDirection) {
  // s_i' H s_j = 0: each update keeps H^-1 y = s of those before.
  const int dim = kPathMemory;
  const Matrix hessian = log_spaced(rotation(dim, 9), 1000);
  InverseHessian limited(VectorXd::Ones(dim), kPathMemory);
  std::vector<VectorXd> steps;
  for (int k = 0; k < dim; ++k) {
    VectorXd s = column(static_cast<std::uint64_t>(k + 1), dim);
    for (int twice = 0; twice < 2; ++twice) {
      for (const VectorXd& t : steps) {
        s -= t.dot(hessian * s) / t.dot(hessian * t) * t;
      }
    }
    steps.push_back(s);
    ASSERT_TRUE(limited.update(s, hessian * s));
  }
  const Matrix covariance = dense(prepare_metric(Metric::low_rank, *limited.low_rank(), dim), dim);
  // Rounding errors grow by the condition number.
  EXPECT_LT((covariance * hessian - Matrix::Identity(dim, dim)).cwiseAbs().maxCoeff(), 1e-9);
  // Its inverse, used by mistake, is far from it.
  EXPECT_GT((covariance.llt().solve(hessian) - Matrix::Identity(dim, dim)).cwiseAbs().maxCoeff(),
            1);
}

TEST(InverseHessian, LearnsNothingWhereUDoesNotCurveUp) {
  InverseHessian h(VectorXd::Ones(3), kPathMemory);
  const VectorXd s = column(1, 3);
  EXPECT_FALSE(h.update(s, -s));
  EXPECT_FALSE(h.update(s, VectorXd::Zero(3)));
  EXPECT_FALSE(h.update(s, VectorXd::Constant(3, std::nan(""))));
  EXPECT_EQ(h.times(s), s);
  EXPECT_EQ(rank_of(h.low_rank()->size(), 3), 0);
}

// ---- line search -------------------------------------------------------------------------------

template <class U>
LineSearch::State search(const U& u, double first, double& found, int& trials) {
  const auto slope = [&](double t) {
    const double h = 1e-6 * std::max(1.0, std::abs(t));
    return (u(t + h) - u(t - h)) / (2 * h);
  };
  LineSearch line(u(0), slope(0), first);
  LineSearch::State state = LineSearch::State::searching;
  for (trials = 0; state == LineSearch::State::searching; ++trials) {
    found = line.length();
    state = line.tell(u(found), slope(found));
  }
  if (state == LineSearch::State::found) {
    EXPECT_LE(u(found), u(0) + 1e-4 * found * slope(0));
    EXPECT_GE(slope(found), 0.9 * slope(0));
  }
  return state;
}

TEST(LineSearch, FindsALengthThatWillDo) {
  double t = 0;
  int trials = 0;
  const auto parabola = [](double x) { return (x - 1) * (x - 1); };
  EXPECT_EQ(search(parabola, 1.0, t, trials), LineSearch::State::found);
  EXPECT_EQ(trials, 1);
  EXPECT_EQ(search(parabola, 5.0, t, trials), LineSearch::State::found);  // the cubic is exact
  EXPECT_EQ(trials, 2);
  EXPECT_NEAR(t, 1, 1e-6);
  EXPECT_EQ(search(parabola, 1e-3, t, trials), LineSearch::State::found);  // too short: goes on
  EXPECT_GT(t, 0.05);
  const auto wall = [](double x) { return x < 0.1 ? -x : std::numeric_limits<double>::infinity(); };
  EXPECT_EQ(search(wall, 1.0, t, trials), LineSearch::State::failed);  // no length will do
  const auto log_wall = [](double x) { return -x - 0.01 * std::log(0.1 - x); };
  EXPECT_EQ(search(log_wall, 1.0, t, trials), LineSearch::State::found);  // NaN beyond 0.1
  EXPECT_LT(t, 0.1);
  EXPECT_EQ(search([](double x) { return -x; }, 1.0, t, trials), LineSearch::State::failed);
  EXPECT_EQ(trials, 20);
}

// ---- one path, by a plain implementation -------------------------------------------------------

/// Its ELBOs, and mean and covariance of the best normal.
struct PlainPath {
  std::vector<double> elbos;
  VectorXd mean;
  Matrix covariance;
};

/// One path as in the paper, with dense matrices and one point at a time. The root of a covariance
/// D C D is D C^(1/2), D^2 the diagonal that the recursion begins from.
PlainPath plain_path(Density& density, std::uint64_t seed, int most) {
  const int dim = density.dim();
  const auto at = [&](const VectorXd& x, VectorXd& gradient) {
    VectorXd u;
    Matrix g;
    density.evaluate(Matrix(x), u, g);
    gradient = g.col(0);
    return u[0];
  };
  VectorXd x(dim), g, g_trial;
  for (int j = 0; j < dim; ++j) {
    const auto block =
        words(Stream<double>::of(seed, 0), 0, Purpose::start, static_cast<std::uint32_t>(j / 4));
    x[j] = 4 * uniform(block[j % 4]) - 2;
  }
  double u = at(x, g), best = -std::numeric_limits<double>::infinity();
  DenseInverseHessian h{VectorXd::Ones(dim), {}, {}};
  const Matrix z = standard_normals(seed, 0, dim, kPathDraws);
  PlainPath path;
  for (int l = 0;; ++l) {
    const Matrix covariance = h.matrix();
    const VectorXd mean = x - covariance * g, d = h.diagonal.cwiseSqrt();
    const Eigen::MatrixXd scaled =
        d.cwiseInverse().asDiagonal() * covariance * d.cwiseInverse().asDiagonal();
    const Eigen::MatrixXd root =
        Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd>(0.5 * (scaled + scaled.transpose()))
            .operatorSqrt();
    const Eigen::LLT<Matrix> cholesky(covariance);
    double elbo = 0;
    for (int k = 0; k < kPathDraws; ++k) {
      const VectorXd q = mean + d.asDiagonal() * (root * z.col(k));
      const double potential = at(q, g_trial);
      double log_q = -0.5 * dim * std::log(2 * std::acos(-1.0)) -
                     0.5 * (q - mean).dot(cholesky.solve(q - mean));
      for (int j = 0; j < dim; ++j) {
        log_q -= std::log(Matrix(cholesky.matrixL())(j, j));
      }
      elbo += (-potential - log_q) / kPathDraws;
    }
    path.elbos.push_back(elbo);
    if (elbo > best) {
      best = elbo;
      path.mean = mean;
      path.covariance = covariance;
    }
    const VectorXd p = mean - x;
    const double slope = p.dot(g);
    if (l == most || -slope <= std::max(0.01, 1e-6 * std::abs(u))) {
      return path;
    }
    // Weak Wolfe conditions by bracketing.
    double low = 0, u_low = u, slope_low = slope, high = -1, u_high = 0, slope_high = 0, t = 1;
    for (int trial = 0;; ++trial) {
      const double u_t = at(x + t * p, g_trial), slope_t = g_trial.dot(p);
      if (std::isfinite(u_t) && u_t <= u + 1e-4 * t * slope && slope_t >= 0.9 * slope) {
        const VectorXd next = x + t * p;
        if ((next - x).dot(g_trial - g) > 1e-12 * (g_trial - g).squaredNorm()) {
          h.update(next - x, g_trial - g);
        }
        x = next;
        u = u_t;
        g = g_trial;
        break;
      }
      if (trial == 19) {
        return path;
      }
      if (!std::isfinite(u_t) || u_t > u + 1e-4 * t * slope) {
        high = t;
        u_high = u_t;
        slope_high = slope_t;
      } else {
        low = t;
        u_low = u_t;
        slope_low = slope_t;
      }
      if (high < 0) {
        t = 4 * t;
        continue;
      }
      // Nocedal & Wright, equation 3.59, from the upper end.
      const double d1 = slope_low + slope_high - 3 * (u_low - u_high) / (low - high);
      const double d2 = std::sqrt(d1 * d1 - slope_low * slope_high);
      const double cubic =
          high - (high - low) * (slope_high + d2 - d1) / (slope_high - slope_low + 2 * d2);
      t = std::isfinite(cubic) && std::isfinite(u_high)
              ? std::min(std::max(cubic, low + 0.1 * (high - low)), low + 0.9 * (high - low))
              : 0.5 * (low + high);
    }
  }
}

void expect_plain_path(const std::string& target) {
  Density density = test::registered_density(target);
  VariationalOptions options;
  options.paths = 1;
  options.seed = 4;
  options.iterations = 8;  // farther on, rounding errors have grown
  const Path found = follow_paths(density, options).front();
  const PlainPath plain = plain_path(density, options.seed, options.iterations);
  ASSERT_EQ(found.elbos.size(), plain.elbos.size()) << target;
  for (std::size_t l = 0; l < plain.elbos.size(); ++l) {
    EXPECT_NEAR(found.elbos[l], plain.elbos[l], 1e-7 * (1 + std::abs(plain.elbos[l])))
        << target << " iterate " << l;
  }
  ASSERT_TRUE(found.normal);
  const int dim = density.dim();
  const Matrix covariance = dense(found.normal->covariance(), dim);
  const double size = plain.covariance.cwiseAbs().maxCoeff();
  EXPECT_LT((covariance - plain.covariance).cwiseAbs().maxCoeff(), 1e-7 * size) << target;
  EXPECT_LT((found.normal->mean() - plain.mean).cwiseAbs().maxCoeff(), 1e-7 * (1 + std::sqrt(size)))
      << target;
}

TEST(Path, IsAPlainImplementations) {
  for (const char* target : {"std-normal", "icg", "banana", "eight-schools-nc"}) {
    expect_plain_path(target);
  }
}

TEST(Path, IsAPlainImplementationsOnAPosterior) {
  try {
    test::registered_density("german-credit");
  } catch (const FileError& error) {
    GTEST_SKIP() << error.what();
  }
  expect_plain_path("german-credit");
}

// ---- draws of several normals ------------------------------------------------------------------

TEST(MixtureDraws, AreWeighedByTheMixture) {
  // U = |q|^2 / 2 in two dimensions; three normals, the third joins later.
  Density density = normal_density(VectorXd::Zero(2), Matrix::Identity(2, 2));
  const auto normal = [](double a, double b, double variance) {
    return Normal(Eigen::Vector2d(a, b),
                  prepare_metric(Metric::dense, {variance, 0.2, 0.2, 0.5}, 2));
  };
  const std::vector<Normal> normals{normal(0, 1, 1), normal(-1, 0.5, 2), normal(0, 0, 1.5)};
  MixtureDraws draws(density);
  draws.add({normals[0], normals[1]}, standard_normals(1, 0, 2, 25));  // 12 and 13
  draws.add({normals[2]}, standard_normals(1, 1, 2, 30));
  const std::vector<double> ratios = draws.log_ratios();
  ASSERT_EQ(draws.count(), 55);
  const double counts[] = {12, 13, 30};
  for (Eigen::Index i = 0; i < draws.count(); ++i) {
    const VectorXd q = draws.q().col(i);
    double mixture = 0;
    for (std::size_t k = 0; k < 3; ++k) {
      const Matrix s = dense(normals[k].covariance(), 2);
      const VectorXd from = q - normals[k].mean();
      const double square = (s(1, 1) * from[0] * from[0] - 2 * s(0, 1) * from[0] * from[1] +
                             s(0, 0) * from[1] * from[1]) /
                            (s(0, 0) * s(1, 1) - s(0, 1) * s(0, 1));
      mixture += counts[k] * std::exp(-0.5 * square) /
                 (2 * std::acos(-1.0) * std::sqrt(s(0, 0) * s(1, 1) - s(0, 1) * s(0, 1)));
    }
    const double log_pi = -0.5 * q.squaredNorm() - std::log(2 * std::acos(-1.0));
    EXPECT_NEAR(ratios[static_cast<std::size_t>(i)], log_pi - std::log(mixture), 1e-12);
    EXPECT_NEAR((draws.gradient().col(i) - q).norm(), 0, 1e-14);
  }
  // The third normal's own draws: E[-U - log q] over N(0, S), to four standard errors.
  const double expected = 0.5 * (std::log(1.5 * 0.5 - 0.04) + 2 - 1.5 - 0.5);
  EXPECT_NEAR(draws.own(2).elbo, expected, 4 * draws.own(2).elbo_error);
}

// ---- what is handed over -----------------------------------------------------------------------

TEST(Pathfinder, FindsNormals) {
  for (const int dim : {1, 5, 24}) {
    VectorXd mean(dim);
    for (int j = 0; j < dim; ++j) {
      mean[j] = 1 + 0.3 * j;
    }
    const Matrix precision = log_spaced(rotation(dim, 2), 50);
    Density density = normal_density(mean, precision);
    VariationalOptions options;
    options.starts = 256;
    const NormalFit fit = fit_normal(density, options);
    EXPECT_EQ(fit.trouble, "") << dim;
    EXPECT_EQ(fit.gradients, density.evaluations());
    EXPECT_LT(fit.k_hat, 0.7) << dim;
    // The best ELBO is 0, and minus it the divergence.
    EXPECT_LT(fit.elbo, 4 * fit.elbo_error + 1e-9) << dim;
    EXPECT_GT(fit.elbo, -0.05 * dim) << dim;
    // What it takes for a covariance is one: used as a precision it would leave a condition number
    // of 50^2. Directions within a factor of two of the diagonal's may be left to it.
    const PreparedMetric metric = prepare_metric(fit.kind, fit.covariance, dim);
    Matrix f = Matrix::Identity(dim, dim);
    Whitening(metric).colour(f);
    const Matrix white = f.transpose() * precision * f;
    const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(Eigen::MatrixXd(white),
                                                                Eigen::EigenvaluesOnly);
    EXPECT_LT(solver.eigenvalues().maxCoeff() / solver.eigenvalues().minCoeff(), 5) << dim;
    // Draws have the law's moments: (q - m)' H (q - m) has mean dim and variance 2 dim.
    ASSERT_EQ(fit.draws.size(), static_cast<std::size_t>(dim) * 256);
    const Matrix from = Eigen::Map<const Matrix>(fit.draws.data(), dim, 256).colwise() - mean;
    double square = 0;
    for (int i = 0; i < 256; ++i) {
      square += from.col(i).dot(precision * from.col(i)) / 256;
    }
    EXPECT_NEAR(square, dim, 5 * std::sqrt(2.0 * dim / 256)) << dim;
  }
}

TEST(Pathfinder, KnowsIndependentNormalsFromTheStarts) {
  // Their diagonal is read off the starts' gradients, so that one step suffices.
  Density density = test::registered_density("icg");
  const NormalFit fit = fit_normal(density, {});
  EXPECT_LE(fit.iterations, 1);
  EXPECT_LT(fit.k_hat, 0.7);
  EXPECT_LT(density.evaluations(), 1500);
}

TEST(Pathfinder, SaysWhatItsDrawsDoNotCover) {
  // Ten bananas, U = q_1^2 / 200 + (q_2 - 0.03 (q_1^2 - 100))^2 / 2 each: what a normal misses of
  // one it misses ten times over.
  const auto bananas = [](const double* q, double* gradient) {
    double u = 0;
    for (int j = 0; j < 20; j += 2) {
      const double r = q[j + 1] - 0.03 * (q[j] * q[j] - 100);
      u += 0.005 * q[j] * q[j] + 0.5 * r * r;
      gradient[j] = 0.01 * q[j] - 0.06 * q[j] * r;
      gradient[j + 1] = r;
    }
    return u;
  };
  Density density = function_density(20, bananas);
  EXPECT_GT(fit_normal(density, {}).k_hat, 0.7);
}

TEST(Pathfinder, FindsBothModes) {
  // 0.3 N((-3, 0), I / 4) + 0.7 N((3, 0), I / 4).
  const auto modes = [](const double* q, double* gradient) {
    const double left = std::log(0.3) - 2 * (q[0] + 3) * (q[0] + 3);
    const double right = std::log(0.7) - 2 * (q[0] - 3) * (q[0] - 3);
    const double most = std::max(left, right);
    const double sum = std::exp(left - most) + std::exp(right - most);
    const double p = std::exp(left - most) / sum;
    gradient[0] = 4 * (p * (q[0] + 3) + (1 - p) * (q[0] - 3));
    gradient[1] = 4 * q[1];
    return -most - std::log(sum) + 2 * q[1] * q[1];
  };
  Density density = function_density(2, modes);
  VariationalOptions options;
  options.starts = 512;
  options.draws = 4096;
  const auto share = [&](int paths) {
    options.paths = paths;
    const NormalFit fit = fit_normal(density, options);
    double left = 0;
    for (std::int64_t i = 0; i < options.starts; ++i) {
      left += fit.draws[static_cast<std::size_t>(i)] < 0 ? 1.0 / 512 : 0;
    }
    return left;
  };
  const double alone = share(1);
  EXPECT_TRUE(alone == 0 || alone == 1) << alone;
  // 512 draws of effectively more than 1000: two errors of sqrt(0.21 / 512).
  EXPECT_NEAR(share(16), 0.3, 4 * std::sqrt(0.21 / 512));
}

TEST(Pathfinder, FindsEightSchools) {
  // By quadrature, with mu ~ N(2, 5): E tau = 3.5264, var log tau = 1.3664.
  TargetOptions schools;
  schools.prior_mean = 2;
  Density density = test::registered_density("eight-schools-nc", 1, schools);
  VariationalOptions options;
  options.draws = 16384;
  options.starts = 4096;
  const NormalFit fit = fit_normal(density, options);
  EXPECT_EQ(fit.trouble, "");
  EXPECT_LT(fit.k_hat, 0.7);
  double tau = 0, tau2 = 0, mean = 0, square = 0;
  for (std::int64_t i = 0; i < options.starts; ++i) {
    const double log_tau = fit.draws[static_cast<std::size_t>(9 * options.starts + i)];
    tau += std::exp(log_tau) / 4096;
    tau2 += std::exp(2 * log_tau) / 4096;
    mean += log_tau / 4096;
    square += log_tau * log_tau / 4096;
  }
  const double error = std::sqrt((tau2 - tau * tau) / 4096);
  EXPECT_NEAR(tau, 3.5264, 5 * error);
  // log tau has a longer tail below: a kurtosis of some 6.
  EXPECT_NEAR(square - mean * mean, 1.3664, 5 * 1.3664 * std::sqrt(5.0 / 4096));
}

TEST(Pathfinder, IsTheSameBitsForAnyThreads) {
  NormalFit fits[2];
  for (int i = 0; i < 2; ++i) {
    Density density = test::registered_density("eight-schools-nc", i == 0 ? 1 : 3);
    fits[i] = fit_normal(density, {});
  }
  EXPECT_EQ(fits[0].draws, fits[1].draws);
  EXPECT_EQ(fits[0].mean, fits[1].mean);
  EXPECT_EQ(fits[0].covariance, fits[1].covariance);
  EXPECT_EQ(fits[0].elbo, fits[1].elbo);
  EXPECT_EQ(fits[0].k_hat, fits[1].k_hat);
}

TEST(Pathfinder, ComesToAnEndWhereThereIsNoMode) {
  // The centred funnel's density is unbounded along its neck.
  for (const char* target : {"funnel", "eight-schools"}) {
    Density density = test::registered_density(target);
    const NormalFit fit = fit_normal(density, {});
    EXPECT_EQ(fit.trouble, "") << target;
    EXPECT_TRUE(std::isfinite(fit.elbo)) << target;
    EXPECT_LT(fit.iterations, 100) << target;
    EXPECT_LT(fit.gradients, 20000) << target;
  }
}

TEST(Pathfinder, LooksForStartsInsideTheSupport) {
  const auto half = [](const double* q, double* gradient) {  // exp(-q), q > 1
    gradient[0] = 1;
    return q[0] > 1 ? q[0] : std::numeric_limits<double>::infinity();
  };
  Density density = function_density(1, half);
  const NormalFit fit = fit_normal(density, {});
  // However narrow, a normal at the edge of a support has draws outside.
  EXPECT_TRUE(!fit.trouble.empty() || fit.draws.size() == 64);
  const auto nowhere = [](const double*, double* gradient) {
    gradient[0] = 0;
    return std::nan("");
  };
  Density none = function_density(1, nowhere);
  EXPECT_THROW(fit_normal(none, {}), InitialisationError);
}

TEST(Pathfinder, BeginsWhereItIsTold) {
  const VectorXd mean = VectorXd::Constant(2, 500);
  Density density = normal_density(mean, Matrix::Identity(2, 2));
  VariationalOptions options;
  options.start = {500, 500};
  options.start_radius = 0;
  const NormalFit fit = fit_normal(density, options);
  EXPECT_EQ(fit.iterations, 0);
  EXPECT_NEAR(fit.mean[1], 500, 1e-9);
  EXPECT_NEAR(fit.elbo, 0, 1e-9);
}

TEST(Pathfinder, StopsAndRefuses) {
  Density density = test::registered_density("banana");
  VariationalOptions options;
  options.progress = [](const VariationalProgress&) { return false; };
  EXPECT_EQ(fit_normal(density, options).trouble, "stopped");
  for (const auto& spoil : std::vector<std::function<void(VariationalOptions&)>>{
           [](auto& o) { o.paths = 0; }, [](auto& o) { o.draws = 63; },
           [](auto& o) { o.starts = -1; }, [](auto& o) { o.start_radius = -1; },
           [](auto& o) {
             o.start = {1, 2, 3};
           },
           [](auto& o) { o.iterations = -1; }}) {
    VariationalOptions wrong;
    spoil(wrong);
    EXPECT_THROW(fit_normal(density, wrong), UsageError);
  }
}

}  // namespace
}  // namespace lockstep
