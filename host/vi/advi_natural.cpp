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
/// They become so many times more,
constexpr std::int64_t kMoreDraws = 4;
/// when the next iteration would change fewer nats than this.
constexpr double kNear = 0.1;
/// Of the tolerance: what the search in a family may miss.
constexpr double kSlack = 0.01;
/// Curvatures count as at least this, and at most its inverse: sd may change 100 times in an
/// iteration. Less would cost iterations where a target's scale is far from 1.
constexpr double kLeastCurvature = 1e-4;
/// An ELBO has not fallen if this much of it, rounding, is missing.
constexpr double kRounding = 1e-13;
/// The step rho changes at most so many times from one iteration to the next.
constexpr double kGrow = 2;
/// The least variance at which a start is tried.
constexpr double kLeastVariance = 1e-12;
/// Mean log variance, either way, beyond which no target is.
constexpr double kLargestLogVariance = 100;
/// Nats of an iteration that is far from the last.
constexpr double kDiverging = 1;
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
  Iteration(const Normal& q, const Averages& a, const Family& family)
      : q_(&q),
        gradient_(a.gradient),
        hessian_(0.5 * (a.stein + a.stein.transpose())),
        solver_(hessian_),
        family_(family) {}

  Normal step(double rho) const {
    Matrix shift = -rho * mean_direction(rho);
    Whitening(q_->covariance()).colour(shift);
    return {q_->mean() + shift, nearest(family_, q_->covariance(), precision(rho))};
  }

  /// What vanishes at the optimum: the mean's direction, and what E_q[Hessian] has beyond Sigma^-1.
  Eigen::VectorXd residual() const {
    const Eigen::VectorXd mean = mean_direction(1);
    const Matrix rest = std::sqrt(0.5) * (hessian_ - Matrix::Identity(mean.size(), mean.size()));
    Eigen::VectorXd out(mean.size() + (diagonal() ? mean.size() : rest.size()));
    if (diagonal()) {
      out << mean, rest.diagonal();
    } else {
      out << mean, rest.reshaped();
    }
    return out;
  }

 private:
  bool diagonal() const { return family_.method == Approximation::mean_field; }

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
    if (diagonal()) {  // needs no more than a positive diagonal
      return hessian_.diagonal().unaryExpr(bounded).asDiagonal();
    }
    const Matrix vectors = solver_.eigenvectors();
    return vectors * solver_.eigenvalues().unaryExpr(bounded).asDiagonal() * vectors.transpose();
  }

  const Normal* q_;
  Eigen::VectorXd gradient_;
  Matrix hessian_;
  Eigen::SelfAdjointEigenSolver<Matrix> solver_;
  Family family_;
};

/// By how much a step should have been longer: what is left of the residual along itself is
/// 1 - rho k of it for some k, and nothing with rho = 1 / k.
double secant(const Eigen::VectorXd& before, const Eigen::VectorXd& after) {
  const double left = after.dot(before) / before.squaredNorm();
  return left < 1 - 1 / kGrow ? std::max(1 / (1 - left), 1 / kGrow) : kGrow;
}

class Climber {
 public:
  Climber(Density& density, const VariationalOptions& options)
      : density_(density),
        options_(options),
        most_(options.iterations > 0 ? options.iterations : kIterations),
        family_{options.method, options.rank, kSlack * options.tolerance},
        climbed_{isotropic(start_of(density, options), 1, options.method), 0, {}} {}

  /// On these draws, until an iteration would change fewer nats than `tolerance`.
  void climb(const Matrix& z, double tolerance) {
    if (!climbed_.trouble.empty() || !look(z)) {
      return;
    }
    Iteration iteration(climbed_.q, now_, family_);
    for (double change = 0;; ++climbed_.iterations) {
      if (climbed_.iterations == most_) {
        climbed_.trouble = (change > kDiverging ? "its ELBO diverged: it still rose after "
                                                : "it had not converged after ") +
                           std::to_string(most_) + " iterations";
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
      if (std::abs(whole.log_determinant()) > kLargestLogVariance * whole.dim()) {
        climbed_.trouble = "its ELBO diverged: its scale is out of bounds";
        return;
      }
      const Normal next = rho_ < 1 ? iteration.step(rho_) : whole;
      Averages there = averages(density_, next, z);
      if (there.elbo >= now_.elbo - kRounding * (1 + std::abs(now_.elbo))) {
        climbed_.q = next;
        now_ = std::move(there);
        const Eigen::VectorXd before = iteration.residual();
        iteration = Iteration(climbed_.q, now_, family_);
        rho_ *= secant(before, iteration.residual());
        rho_ = std::min(rho_, 1.0);
      } else {
        rho_ /= kGrow;
        if (rho_ < kLeastStep) {
          climbed_.trouble = "no step raises its ELBO";
          return;
        }
      }
    }
  }

  Climbed climbed() && { return std::move(climbed_); }

 private:
  /// What these draws tell of q. Where it begins, it is drawn together until it has an ELBO.
  bool look(const Matrix& z) {
    now_ = averages(density_, climbed_.q, z);
    for (double variance = 1;
         climbed_.iterations == 0 && variance > kLeastVariance && !std::isfinite(now_.elbo);) {
      variance /= 16;
      climbed_.q = isotropic(climbed_.q.mean(), variance, options_.method);
      now_ = averages(density_, climbed_.q, z);
    }
    if (!std::isfinite(now_.elbo)) {
      climbed_.trouble = "its ELBO diverged: the potential is not finite at some of its draws";
    }
    return std::isfinite(now_.elbo);
  }

  Density& density_;
  const VariationalOptions& options_;
  int most_;
  Family family_;
  Climbed climbed_;
  Averages now_;
  double rho_ = 1;
};

}  // namespace

Climbed natural_ascent(Density& density, const VariationalOptions& options) {
  const std::int64_t enough = 2 * std::int64_t{density.dim()};
  const std::int64_t most = std::max(enough, std::int64_t{options.draws} / 2 * 2);
  Climber climber(density, options);
  for (std::int64_t n = std::max(kFewDraws, enough);; n = std::min(most, kMoreDraws * n)) {
    climber.climb(matched_normals(options.seed, AdviSet::fit, density.dim(), n),
                  n < most ? std::max(kNear, options.tolerance) : options.tolerance);
    if (n >= most) {
      return std::move(climber).climbed();
    }
  }
}

}  // namespace lockstep
