#include "host/vi/pathfinder.hpp"

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <utility>

#include "host/adapt/estimate.hpp"
#include "host/vi/fit.hpp"
#include "host/vi/mixture.hpp"
#include "lockstep/error.hpp"

namespace lockstep {

namespace {

using Eigen::VectorXd;

/// The paths' normals have U's curvature at one place each and hardly any correlations, too little
/// for importance weights beyond ten or twenty dimensions. But their draws, weighted, tell where
/// the law lies, and the gradients there, already paid for, how it curves on the whole: a normal
/// matched to both covers the law far better. Its own draws join theirs, and again (adaptive
/// multiple importance sampling: Cornuet, Marin, Mira & Robert, Scandinavian Journal of Statistics
/// 39, 2012), at most so often, until half as many draws as are added at a time are effective.
constexpr int kRefinements = 3;
constexpr double kEnough = 0.5;

/// As long as the weights are poor they are evened out until so many draws are effective, and more
/// than this times dim.
constexpr double kFewestEffective = 100, kEffectivePerDimension = 2;

double effective_draws(const std::vector<double>& weights) {
  double squares = 0;
  for (const double w : weights) {
    squares += w * w;
  }
  return 1 / squares;
}

std::vector<double> evened(const std::vector<double>& weights, int dim) {
  const auto draws = static_cast<double>(weights.size());
  return tempered_weights(
      weights, std::min(draws / 4, std::max(kFewestEffective, kEffectivePerDimension * dim)));
}

/// The normal nearest to the weighted draws in Fisher divergence, its covariance Sigma a diagonal
/// and a few directions: m = mean(q) - Sigma mean(dU/dq) (Seyboldt, Carlson & Carpenter, arXiv
/// 2603.18845). None if gradients are beyond all bounds.
std::optional<Normal> matched_normal(const MixtureDraws& draws,
                                     const std::vector<double>& weights) {
  const std::vector<std::int64_t> which = resampled(weights, draws.count());
  const Eigen::Index dim = draws.q().rows(), n = draws.q().cols();
  Matrix q(dim, n), gradient(dim, n);
  for (Eigen::Index i = 0; i < n; ++i) {
    q.col(i) = draws.q().col(which[static_cast<std::size_t>(i)]);
    gradient.col(i) = draws.gradient().col(which[static_cast<std::size_t>(i)]);
  }
  MetricEstimator estimator(Metric::low_rank, static_cast<int>(dim), Adaptation{});
  estimator.add({q.data(), static_cast<std::size_t>(q.size())},
                {gradient.data(), static_cast<std::size_t>(gradient.size())}, n);
  try {
    PreparedMetric covariance = *estimator.estimate();
    const Whitening whitening(covariance);
    Matrix shift = gradient.rowwise().mean();
    whitening.velocities(shift);
    whitening.colour(shift);  // F F' mean(g)
    VectorXd mean = q.rowwise().mean() - shift.col(0);
    if (mean.allFinite()) {
      return Normal(std::move(mean), std::move(covariance));
    }
  } catch (const UsageError&) {  // not a covariance
  }
  return std::nullopt;
}

/// The normal whose ELBO is best for sure: less two standard errors.
std::size_t best_of(const MixtureDraws& draws, Assessment& figures) {
  std::size_t best = draws.normals();
  double most = 0;
  for (std::size_t k = 0; k < draws.normals(); ++k) {
    const Assessment a = draws.own(k);
    const double least = a.elbo - 2 * a.elbo_error;
    if (std::isfinite(least) && (best == draws.normals() || least > most)) {
      most = least;
      best = k;
      figures = a;
    }
  }
  return best;
}

}  // namespace

NormalFit fit_pathfinder(Density& density, const VariationalOptions& options) {
  const int dim = density.dim();
  NormalFit fit;
  const std::vector<Path> paths = follow_paths(density, options);
  if (paths.empty()) {
    fit.trouble = "stopped";
    return fit;
  }
  std::vector<Normal> normals;
  for (const Path& path : paths) {
    fit.iterations = std::max(fit.iterations, static_cast<int>(path.elbos.size()) - 1);
    if (path.normal) {
      normals.push_back(*path.normal);
    }
  }
  if (normals.empty()) {
    fit.trouble = "no path came to where a normal's draws have a finite density";
    return fit;
  }

  MixtureDraws draws(density);
  draws.add(std::move(normals), standard_normals(options.seed, 1, dim, options.draws));
  SmoothedWeights smoothed = smoothed_weights(draws.log_ratios());
  for (std::uint32_t round = 0;
       round < kRefinements && effective_draws(smoothed.weights) < kEnough * options.draws;
       ++round) {
    std::optional<Normal> matched = matched_normal(draws, evened(smoothed.weights, dim));
    if (!matched) {
      break;
    }
    draws.add({std::move(*matched)}, standard_normals(options.seed, 2 + round, dim, options.draws));
    smoothed = smoothed_weights(draws.log_ratios());
  }

  Assessment figures;
  const std::size_t best = best_of(draws, figures);
  if (best == draws.normals()) {
    fit.trouble = "every normal has draws where the density is not finite";
    return fit;
  }
  const Normal& normal = draws.normal(best);
  const InverseMass& covariance = normal.covariance().inverse_mass;
  fit.mean.assign(normal.mean().data(), normal.mean().data() + dim);
  fit.kind = rank_of(covariance.size(), dim) == 0 ? Metric::diagonal : Metric::low_rank;
  fit.covariance = covariance;
  fit.elbo = figures.elbo;
  fit.elbo_error = figures.elbo_error;
  fit.k_hat = smoothed.k_hat;
  const std::vector<std::int64_t> which = resampled(evened(smoothed.weights, dim), options.starts);
  for (int j = 0; j < dim; ++j) {
    for (const std::int64_t i : which) {
      fit.draws.push_back(draws.q()(j, i));
    }
  }
  return fit;
}

}  // namespace lockstep
