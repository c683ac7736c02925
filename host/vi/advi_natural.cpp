#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "host/vi/advi.hpp"

namespace lockstep {

namespace {

constexpr int kIterations = 100;
/// Draws of the first iterations, which only have to come near.
constexpr std::int64_t kFewDraws = 64;
/// And the nats at which they are near.
constexpr double kNear = 0.1;
/// Curvatures count as at least this, and at most its inverse: sd may change 100 times in an
/// iteration. Less would cost iterations where a target's scale is far from 1.
constexpr double kLeastCurvature = 1e-4;
/// An ELBO has not fallen if this much of it, rounding, is missing.
constexpr double kRounding = 1e-8;
/// A step that is this much shortened leads nowhere.
constexpr double kLeastStep = 1e-9;

Normal isotropic(const Eigen::VectorXd& mean, double variance, Approximation family) {
  const auto dim = static_cast<int>(mean.size());
  const Matrix square = variance * Matrix::Identity(dim, dim);
  const InverseMass dense(square.data(), square.data() + square.size());
  const InverseMass diagonal(static_cast<std::size_t>(dim), variance);
  return {mean, family == Approximation::full_rank ? prepare_metric(Metric::dense, dense, dim)
                : family == Approximation::low_rank
                    ? prepare_metric(Metric::low_rank, diagonal, dim)
                    : prepare_metric(Metric::diagonal, diagonal, dim)};
}

/// Kullback-Leibler divergence of q from p: (tr S - log |S| - dim + |F^-1 (m' - m)|^2) / 2 with
/// S = F^-1 Sigma' F^-T.
double divergence(const Normal& q, const Normal& p) {
  const int dim = q.dim();
  const Whitening whitening(p.covariance());
  Matrix root = q.at(Matrix::Identity(dim, dim)).colwise() - q.mean();
  whitening.positions(root);
  Matrix shift = q.mean() - p.mean();
  whitening.positions(shift);
  return 0.5 * (root.squaredNorm() - dim - (q.log_determinant() - p.log_determinant()) +
                shift.squaredNorm());
}

/// The family's iteration from q, of which `a` tells.
class Iteration {
 public:
  Iteration(const Normal& q, const Averages& a, Approximation family, int rank)
      : q_(&q),
        gradient_(a.gradient),
        hessian_(0.5 * (a.stein + a.stein.transpose())),
        solver_(hessian_),
        family_(family),
        rank_(rank) {}

  Normal step(double rho) const {
    Matrix shift = -rho * mean_direction(rho);
    Whitening(q_->covariance()).colour(shift);
    return {q_->mean() + shift, nearest(family_, rank_, q_->covariance(), precision(rho))};
  }

 private:
  /// P^-1 E_q[g], where curvatures that are negative lead away from saddles (Dauphin et al.,
  /// NeurIPS 2014). Of all families by the whole of P: a diagonal one would make it Jacobi's
  /// iteration.
  Eigen::VectorXd mean_direction(double rho) const {
    const Eigen::ArrayXd size = solver_.eigenvalues().array().abs();
    const Eigen::ArrayXd curvature = (1 - rho) + rho * size.max(1e-12 * size.maxCoeff());
    const Eigen::VectorXd along = solver_.eigenvectors().transpose() * gradient_;
    return solver_.eigenvectors() * (along.array() / curvature).matrix();
  }

  Matrix precision(double rho) const {
    const auto bounded = [&](double curvature) {
      return std::clamp((1 - rho) + rho * curvature, kLeastCurvature, 1 / kLeastCurvature);
    };
    if (family_ == Approximation::mean_field) {  // needs no more than a positive diagonal
      return hessian_.diagonal().unaryExpr(bounded).asDiagonal();
    }
    const Matrix vectors = solver_.eigenvectors();
    return vectors * solver_.eigenvalues().unaryExpr(bounded).asDiagonal() * vectors.transpose();
  }

  const Normal* q_;
  Eigen::VectorXd gradient_;
  Matrix hessian_;
  Eigen::SelfAdjointEigenSolver<Matrix> solver_;
  Approximation family_;
  int rank_;
};

class Climber {
 public:
  Climber(Density& density, const VariationalOptions& options)
      : density_(density),
        options_(options),
        most_(options.iterations > 0 ? options.iterations : kIterations),
        climbed_{isotropic(start_of(density, options), 1, options.method), 0, {}} {}

  /// Draws for which all potentials are finite, by drawing nearer to the start.
  void begin(const Matrix& z) {
    for (double variance = 1; variance > 1e-12; variance /= 16) {
      climbed_.q = isotropic(climbed_.q.mean(), variance, options_.method);
      now_ = averages(density_, climbed_.q, z);
      if (std::isfinite(now_.elbo)) {
        return;
      }
    }
    climbed_.trouble = "its ELBO diverged: the potential is not finite about the start";
  }

  /// Until an iteration changes fewer nats than `tolerance`.
  void climb(const Matrix& z, double tolerance) {
    double rho = 1;
    Iteration iteration(climbed_.q, now_, options_.method, options_.rank);
    for (double change = 0; climbed_.trouble.empty(); ++climbed_.iterations) {
      if (climbed_.iterations == most_) {
        climbed_.trouble =
            change > 1
                ? "its ELBO diverged: it still rose after " + std::to_string(most_) + " iterations"
                : "it had not converged after " + std::to_string(most_) + " iterations";
        return;
      }
      if (options_.progress && !options_.progress({climbed_.iterations, most_, now_.elbo})) {
        climbed_.trouble = "stopped";
        return;
      }
      const Normal whole = iteration.step(1);
      change = divergence(whole, climbed_.q);
      if (change < tolerance) {
        climbed_.q = whole;  // so near that its ELBO need not be looked at
        ++climbed_.iterations;
        return;
      }
      const Normal next = rho < 1 ? iteration.step(rho) : whole;
      Averages there = averages(density_, next, z);
      if (there.elbo >= now_.elbo - kRounding * (1 + std::abs(now_.elbo))) {
        climbed_.q = next;
        now_ = std::move(there);
        iteration = Iteration(climbed_.q, now_, options_.method, options_.rank);
        rho = std::min(1.0, 4 * rho);
      } else {
        rho /= 4;
        climbed_.trouble = rho < kLeastStep ? "no step raises its ELBO" : "";
      }
    }
  }

  /// Goes on with other draws.
  void look(const Matrix& z) {
    now_ = averages(density_, climbed_.q, z);
    if (!std::isfinite(now_.elbo)) {
      climbed_.trouble = "its ELBO diverged: the potential is not finite at some draw";
    }
  }

  Climbed climbed() && { return std::move(climbed_); }

 private:
  Density& density_;
  const VariationalOptions& options_;
  int most_;
  Climbed climbed_;
  Averages now_;
};

}  // namespace

Climbed natural_ascent(Density& density, const VariationalOptions& options) {
  const int dim = density.dim();
  const std::int64_t few = std::max<std::int64_t>(kFewDraws, 2 * std::int64_t{dim});
  const std::int64_t many = std::max<std::int64_t>(few, options.draws / 2 * 2);
  Climber climber(density, options);
  const Matrix z = matched_normals(options.seed, AdviSet::fit, dim, few);
  climber.begin(z);
  climber.climb(z, many > few ? std::max(kNear, options.tolerance) : options.tolerance);
  if (many > few) {
    const Matrix all = matched_normals(options.seed, AdviSet::fit, dim, many);
    climber.look(all);
    climber.climb(all, options.tolerance);
  }
  return std::move(climber).climbed();
}

}  // namespace lockstep
