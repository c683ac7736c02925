#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "host/symmetric_eigen.hpp"
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
/// The step rho changes at most so many times from one iteration to the next.
constexpr double kGrow = 2;
/// Below it an ELBO is that of a few draws in a steep tail, which tell of nothing but that tail.
constexpr double kHopeless = -1e12;
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

/// From p to q in the coordinates where p is N(0, I).
struct Move {
  Eigen::VectorXd shift;  // F^-1 (m' - m)
  Matrix stretch;         // S - I, S = F^-1 Sigma' F^-T
  double divergence;      // Kullback-Leibler of q from p: (tr S - log |S| - dim + |shift|^2) / 2
};

Move move_of(const Normal& p, const Normal& q) {
  const int dim = q.dim();
  const Whitening whitening(p.covariance());
  Matrix root = q.at(Matrix::Identity(dim, dim)).colwise() - q.mean();
  whitening.positions(root);
  Matrix shift = q.mean() - p.mean();
  whitening.positions(shift);
  Matrix stretch = root * root.transpose() - Matrix::Identity(dim, dim);
  const double divergence =
      0.5 * (stretch.trace() - (q.log_determinant() - p.log_determinant()) + shift.squaredNorm());
  return {shift, std::move(stretch), divergence};
}

double product(const Move& a, const Move& b) {
  return a.shift.dot(b.shift) + 0.5 * a.stretch.cwiseProduct(b.stretch).sum();
}

/// By how much the step should have been longer: what is left of a move along itself is 1 - rho k
/// of it for some k, and nothing with rho = 1 / k.
double secant(const Move& before, const Move& after) {
  const double left = product(after, before) / product(before, before);
  return left < 1 - 1 / kGrow ? std::max(1 / (1 - left), 1 / kGrow) : kGrow;
}

/// The family's iteration from q, of which `a` tells.
class Iteration {
 public:
  Iteration(Normal q, Averages a, const Family& family)
      : q_(std::move(q)),
        averages_(std::move(a)),
        hessian_(0.5 * (averages_.stein + averages_.stein.transpose())),
        eigen_(hessian_),
        family_(family),
        whole_(step(1)),
        move_(move_of(q_, whole_)) {}

  double elbo() const { return averages_.elbo; }
  /// The whole step, rho = 1, and how far it goes.
  const Normal& whole() const { return whole_; }
  const Move& move() const { return move_; }

  Normal step(double rho) const {
    Matrix shift = -rho * mean_direction(rho);
    Whitening(q_.covariance()).colour(shift);
    return {q_.mean() + shift, nearest(family_, q_.covariance(), precision(rho))};
  }

 private:
  /// P^-1 E_q[g], where curvatures that are negative lead away from saddles (Dauphin et al.,
  /// NeurIPS 2014). Of all families by the whole of P: a diagonal one would make it Jacobi's
  /// iteration.
  Eigen::VectorXd mean_direction(double rho) const {
    const Eigen::ArrayXd size = eigen_.values().array().abs();
    const Eigen::ArrayXd curvature = (1 - rho) + rho * size.max(1e-12 * size.maxCoeff());
    const Eigen::VectorXd along = eigen_.vectors().transpose() * averages_.gradient;
    return eigen_.vectors() * (along.array() / curvature).matrix();
  }

  Matrix precision(double rho) const {
    const auto bounded = [&](double curvature) {
      return std::clamp((1 - rho) + rho * curvature, kLeastCurvature, 1 / kLeastCurvature);
    };
    if (family_.method == Approximation::mean_field) {  // needs no more than a positive diagonal
      return hessian_.diagonal().unaryExpr(bounded).asDiagonal();
    }
    const Matrix vectors = eigen_.vectors();
    return vectors * eigen_.values().unaryExpr(bounded).asDiagonal() * vectors.transpose();
  }

  Normal q_;
  Averages averages_;
  Matrix hessian_;
  SymmetricEigen eigen_;
  Family family_;
  Normal whole_;
  Move move_;
};

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
    if (climbed_.trouble.empty()) {
      begin(z);
    }
    while (climbed_.trouble.empty()) {
      const double change = here_->move().divergence;
      if (change < tolerance) {
        climbed_.q = here_->whole();  // so near that its ELBO need not be looked at
        ++climbed_.iterations;
        return;
      }
      climbed_.trouble = what_is_wrong(change);
      if (climbed_.trouble.empty()) {
        advance(z);
        ++climbed_.iterations;
      }
    }
  }

  Climbed climbed() && { return std::move(climbed_); }

 private:
  /// Looks at these draws of q. Where it starts, it is drawn together until it has an ELBO.
  void begin(const Matrix& z) {
    Averages a = averages(density_, climbed_.q, z);
    for (double variance = 1;
         climbed_.iterations == 0 && variance > kLeastVariance && !(a.elbo > kHopeless);) {
      variance /= 16;
      climbed_.q = isotropic(climbed_.q.mean(), variance, options_.method);
      a = averages(density_, climbed_.q, z);
    }
    if (std::isfinite(a.elbo)) {
      here_.emplace(climbed_.q, std::move(a), family_);
    } else {
      climbed_.trouble = "its ELBO diverged: the potential is not finite at some of its draws";
    }
  }

  /// One step, if it raises the ELBO; or near the end, where the draws' turning with F moves that
  /// too, if less is left to go.
  void advance(const Matrix& z) {
    const Normal next = rho_ < 1 ? here_->step(rho_) : here_->whole();
    Averages a = averages(density_, next, z);
    if (std::isfinite(a.elbo)) {
      Iteration there(next, std::move(a), family_);
      const double left = here_->move().divergence;
      if (there.elbo() > here_->elbo() || there.move().divergence < std::min(left, kNear)) {
        rho_ = std::min(1.0, rho_ * secant(here_->move(), there.move()));
        climbed_.q = next;
        here_.emplace(std::move(there));
        return;
      }
    }
    rho_ /= kGrow;
  }

  /// @param change  nats of the next iteration
  std::string what_is_wrong(double change) const {
    if (std::abs(here_->whole().log_determinant()) > kLargestLogVariance * density_.dim()) {
      return "its ELBO diverged: its scale is out of bounds";
    }
    if (climbed_.iterations == most_) {
      return (change > kDiverging ? "its ELBO diverged: it still rose after "
                                  : "it had not converged after ") +
             std::to_string(most_) + " iterations";
    }
    if (options_.progress && !options_.progress({climbed_.iterations, most_, here_->elbo()})) {
      return "stopped";
    }
    return rho_ < kLeastStep ? "no step raises its ELBO" : "";
  }

  Density& density_;
  const VariationalOptions& options_;
  int most_;
  Family family_;
  Climbed climbed_;
  std::optional<Iteration> here_;
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
