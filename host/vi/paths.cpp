#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <string>
#include <utility>

#include "host/adapt/estimate.hpp"
#include "host/vi/lbfgs.hpp"
#include "host/vi/pathfinder.hpp"
#include "kernels/random/distributions.hpp"
#include "lockstep/error.hpp"

namespace lockstep {

namespace {

using Eigen::VectorXd;

constexpr int kAttempts = 100;
constexpr int kMostIterations = 1000;

/// A path ends where g' H^-1 g, the squared length of a Newton step in units in which draws lie dim
/// away, is below this or, for floats, below rounding errors of U;
constexpr double kArrived = 0.01, kRounding = 1e-6;

/// or where so many iterates have not bettered its ELBO: an unbounded density has no mode.
constexpr int kPatience = 10;

/// One descent: an iterate, what is known of the Hessian there, and the search for the next.
class Descent {
 public:
  /// @param diagonal  of an inverse Hessian
  Descent(VectorXd x, double u, VectorXd gradient, VectorXd diagonal)
      : x_(std::move(x)),
        u_(u),
        gradient_(std::move(gradient)),
        inverse_hessian_(std::move(diagonal), kPathMemory) {
    turn();
  }

  bool going() const { return search_.has_value(); }
  void stop() { search_.reset(); }

  /// Where it asks for U and its gradient.
  VectorXd trial() const { return x_ + search_->length() * direction_; }

  /// @return whether the trial is the next iterate
  bool tell(double u, const VectorXd& gradient) {
    const LineSearch::State state =
        search_->tell(u, gradient.allFinite() ? gradient.dot(direction_) : NormalFit::kUnknown);
    if (state == LineSearch::State::failed) {
      stop();
    }
    if (state != LineSearch::State::found) {
      return false;
    }
    const VectorXd next = trial();
    inverse_hessian_.update(next - x_, gradient - gradient_);
    x_ = next;
    u_ = u;
    gradient_ = gradient;
    turn();
    return true;
  }

  /// N(x - H^-1 g, H^-1); none where rounding errors leave no covariance.
  std::optional<Normal> normal() const {
    const std::optional<InverseMass> covariance = inverse_hessian_.low_rank();
    VectorXd mean = x_ - inverse_hessian_.times(gradient_);
    if (!covariance || !mean.allFinite()) {
      return std::nullopt;
    }
    const auto dim = static_cast<int>(mean.size());
    return Normal(std::move(mean), prepare_metric(Metric::low_rank, *covariance, dim));
  }

 private:
  void turn() {
    direction_ = -inverse_hessian_.times(gradient_);
    const double slope = direction_.dot(gradient_);
    search_.reset();
    if (std::isfinite(slope) && -slope > std::max(kArrived, kRounding * std::abs(u_))) {
      search_.emplace(u_, slope, 1.0);
    }
  }

  VectorXd x_;
  double u_;
  VectorXd gradient_;
  InverseHessian inverse_hessian_;
  VectorXd direction_;
  std::optional<LineSearch> search_;
};

/// Where paths begin.
struct Starts {
  std::vector<int> paths;  // those that found a place where U and its gradient are finite,
  Matrix q;                // [dim][those],
  VectorXd u;
  Matrix gradient;
};

Starts find_starts(Density& density, const VariationalOptions& options) {
  const int dim = density.dim();
  std::vector<int> missing(static_cast<std::size_t>(options.paths));
  std::iota(missing.begin(), missing.end(), 0);
  std::vector<VectorXd> q(missing.size()), gradient(missing.size());
  std::vector<double> u(missing.size());
  for (int attempt = 0; attempt < kAttempts && !missing.empty(); ++attempt) {
    Matrix tried(dim, static_cast<Eigen::Index>(missing.size())), gradients;
    for (Eigen::Index i = 0; i < tried.cols(); ++i) {
      const auto stream = Stream<double>::of(
          options.seed, static_cast<std::uint64_t>(missing[static_cast<std::size_t>(i)]));
      for (int j = 0; j < dim; ++j) {
        const double uniform_j =
            uniform(words(stream, static_cast<std::uint32_t>(attempt), Purpose::start,
                          static_cast<std::uint32_t>(j / 4))[j % 4]);
        tried(j, i) = (options.start.empty() ? 0 : options.start[static_cast<std::size_t>(j)]) +
                      options.start_radius * (2 * uniform_j - 1);
      }
    }
    VectorXd potentials;
    density.evaluate(tried, potentials, gradients);
    std::vector<int> still;
    for (Eigen::Index i = 0; i < tried.cols(); ++i) {
      const int p = missing[static_cast<std::size_t>(i)];
      if (!std::isfinite(potentials[i]) || !gradients.col(i).allFinite()) {
        still.push_back(p);
        continue;
      }
      q[static_cast<std::size_t>(p)] = tried.col(i);
      u[static_cast<std::size_t>(p)] = potentials[i];
      gradient[static_cast<std::size_t>(p)] = gradients.col(i);
    }
    missing = std::move(still);
  }
  Starts starts;
  for (int p = 0; p < options.paths; ++p) {
    if (q[static_cast<std::size_t>(p)].size() > 0) {
      starts.paths.push_back(p);
    }
  }
  if (starts.paths.empty()) {
    throw InitialisationError(
        "the density or its gradient is not finite at any of " + std::to_string(options.paths) +
        " starts, after " + std::to_string(kAttempts) +
        " tries: give a smaller start radius, or a start inside the target's support");
  }
  const auto found = static_cast<Eigen::Index>(starts.paths.size());
  starts.q.resize(dim, found);
  starts.u.resize(found);
  starts.gradient.resize(dim, found);
  for (Eigen::Index i = 0; i < found; ++i) {
    const auto p = static_cast<std::size_t>(starts.paths[static_cast<std::size_t>(i)]);
    starts.q.col(i) = q[p];
    starts.u[i] = u[p];
    starts.gradient.col(i) = gradient[p];
  }
  return starts;
}

/// A path on its way.
struct Traveller {
  Path* path;
  Descent descent;
  Matrix z;                     // of its normals' draws, [dim][kPathDraws]
  std::optional<Normal> fresh;  // its newest iterate's, whose ELBO is not known yet
  int since = 0;                // iterates that have not bettered the ELBO
};

/// The normal of a new iterate, to be judged.
void arrive(Traveller& t) {
  t.fresh = t.descent.normal();
  if (!t.fresh) {
    t.path->elbos.push_back(NormalFit::kUnknown);
  }
}

void judge(Traveller& t, double elbo) {
  t.path->elbos.push_back(elbo);
  if (std::isfinite(elbo) && !(elbo <= t.path->elbo)) {
    t.path->elbo = elbo;
    t.path->normal = std::move(t.fresh);
    t.since = 0;
  } else if (++t.since >= kPatience && t.path->normal) {
    t.descent.stop();
  }
  t.fresh.reset();
}

}  // namespace

std::vector<Path> follow_paths(Density& density, const VariationalOptions& options) {
  const int dim = density.dim();
  const auto most =
      static_cast<std::size_t>(options.iterations > 0 ? options.iterations : kMostIterations);
  const Starts starts = find_starts(density, options);
  // Where U is a sum over coordinates that are nearly normal, all starts together know the diagonal
  // of the Hessian before the first step.
  const InverseMass squares = metric_of_starts(
      {starts.q.data(), static_cast<std::size_t>(starts.q.size())},
      {starts.gradient.data(), static_cast<std::size_t>(starts.gradient.size())}, dim);
  const VectorXd diagonal = Eigen::Map<const VectorXd>(squares.data(), dim);
  const Matrix z = standard_normals(options.seed, 0, dim, std::int64_t{options.paths} * kPathDraws);

  std::vector<Path> paths(static_cast<std::size_t>(options.paths));
  std::vector<Traveller> travellers;
  for (std::size_t i = 0; i < starts.paths.size(); ++i) {
    const int p = starts.paths[i];
    const auto column = static_cast<Eigen::Index>(i);
    travellers.push_back(
        {&paths[static_cast<std::size_t>(p)],
         Descent(starts.q.col(column), starts.u[column], starts.gradient.col(column), diagonal),
         z.middleCols(Eigen::Index{p} * kPathDraws, kPathDraws), std::nullopt, 0});
    arrive(travellers.back());
  }

  VariationalProgress progress{0, static_cast<int>(most), NormalFit::kUnknown};
  for (;; ++progress.iteration) {
    std::vector<Traveller*> judged, moving;
    for (Traveller& t : travellers) {
      if (t.fresh) {
        judged.push_back(&t);
      }
      if (t.descent.going()) {
        moving.push_back(&t);
      }
    }
    if (judged.empty() && moving.empty()) {
      return paths;
    }
    const auto draws = static_cast<Eigen::Index>(judged.size()) * kPathDraws;
    Matrix q(dim, draws + static_cast<Eigen::Index>(moving.size())), gradient;
    for (std::size_t i = 0; i < judged.size(); ++i) {
      q.middleCols(static_cast<Eigen::Index>(i) * kPathDraws, kPathDraws) =
          judged[i]->fresh->at(judged[i]->z);
    }
    for (std::size_t i = 0; i < moving.size(); ++i) {
      q.col(draws + static_cast<Eigen::Index>(i)) = moving[i]->descent.trial();
    }
    VectorXd u;
    density.evaluate(q, u, gradient);

    for (std::size_t i = 0; i < judged.size(); ++i) {
      const VectorXd log_q = judged[i]->fresh->log_density(judged[i]->z);
      double sum = 0;
      for (Eigen::Index k = 0; k < kPathDraws; ++k) {
        const double at = u[static_cast<Eigen::Index>(i) * kPathDraws + k];
        sum += std::isfinite(at) ? -at - log_q[k] : -std::numeric_limits<double>::infinity();
      }
      judge(*judged[i], sum / kPathDraws);
      if (!(judged[i]->path->elbo <= progress.elbo)) {
        progress.elbo = judged[i]->path->elbo;
      }
    }
    for (std::size_t i = 0; i < moving.size(); ++i) {
      Traveller& t = *moving[i];
      const Eigen::Index column = draws + static_cast<Eigen::Index>(i);
      if (t.descent.going() && t.descent.tell(u[column], gradient.col(column))) {
        arrive(t);
        if (t.path->elbos.size() + (t.fresh ? 1 : 0) > most) {
          t.descent.stop();
        }
      }
    }
    if (options.progress && !options.progress(progress)) {
      return {};
    }
  }
}

}  // namespace lockstep
