#include "host/adapt/estimate.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>
#include <vector>

#include "host/adapt/geometric_mean.hpp"
#include "host/adapt/quantile.hpp"
#include "host/symmetric_eigen.hpp"
#include "lockstep/error.hpp"

namespace lockstep {

namespace {

/// Stan's shrinkage has the weight of five draws.
constexpr double kPriorDraws = 5, kPriorVariance = 1e-3;

/// What a coordinate that does not move is given without shrinkage, so that a metric exists.
constexpr double kLeastVariance = 1e-20;

/// Directions whose scale is within this factor of the diagonal's are left to it, as nutpie does.
constexpr double kCutoff = 2;
constexpr int kLargestRank = 32;

bool keeps_matrix(Metric kind, int dim) {
  return kind == Metric::dense || kind == Metric::low_rank ||
         (kind == Metric::automatic && dim > 1 && dim <= kDenseLimit);
}

InverseMass values_of(const Eigen::VectorXd& v) {
  return {v.data(), v.data() + v.size()};
}

}  // namespace

MetricEstimator::MetricEstimator(Metric kind, int dim, const Adaptation& how)
    : kind_(kind),
      dim_(dim),
      how_(how),
      draws_(dim, keeps_matrix(kind, dim)),
      gradients_(dim, kind == Metric::low_rank) {}

void MetricEstimator::add(std::span<const double> q, std::span<const double> gradient,
                          std::int64_t chains) {
  draws_.add(q, chains);
  if (needs_gradients()) {
    gradients_.add(gradient, chains);
  }
}

void MetricEstimator::clear() {
  draws_ = PooledMoments(dim_, draws_.full());
  gradients_ = PooledMoments(dim_, gradients_.full());
}

void MetricEstimator::begin_with(const PreparedMetric& covariance, double weight) {
  weight_ = weight;
  prior_ = covariance;
  const Whitening whitening(covariance);  // Sigma_0 = F F'
  Matrix root = Matrix::Identity(dim_, dim_), inverse_root = root;
  whitening.colour(root);
  whitening.positions(inverse_root);
  sigma_ = root * root.transpose();
  precision_ = inverse_root.transpose() * inverse_root;
}

void MetricEstimator::archive(Archive& a) {
  bool has_prior = weight_.has_value();
  double weight = weight_.value_or(0);
  a(draws_, gradients_, has_prior, weight, prior_.kind, prior_.inverse_mass, prior_.factor);
  if (a.reading() && has_prior) {
    begin_with(prior_, weight);
  }
}

template <class M>
M MetricEstimator::with_prior(M s, const M& prior) const {
  if (!weight_ || *weight_ == 0) {
    return s;
  }
  const auto n = static_cast<double>(std::max<std::int64_t>(count() - 1, 0));
  return (n / (n + *weight_)) * s + (*weight_ / (n + *weight_)) * prior;
}

Eigen::VectorXd MetricEstimator::variances() const {
  return with_prior<Eigen::VectorXd>(draws_.variances(), sigma_.diagonal());
}

Eigen::VectorXd MetricEstimator::gradient_variances() const {
  return with_prior<Eigen::VectorXd>(gradients_.variances(), precision_.diagonal());
}

Matrix MetricEstimator::covariance() const {
  return with_prior<Matrix>(draws_.covariance(), sigma_);
}

Matrix MetricEstimator::gradient_covariance() const {
  return with_prior<Matrix>(gradients_.covariance(), precision_);
}

bool MetricEstimator::confirms_prior(double factor) const {
  const Eigen::ArrayXd ratio = draws_.variances().array() / sigma_.diagonal().array();
  return ratio.maxCoeff() < factor * factor && ratio.minCoeff() > 1 / (factor * factor);
}

PreparedMetric MetricEstimator::of_prior() const {
  Adaptation plain = how_;
  plain.regularise = false;
  MetricEstimator alone(kind_, dim_, plain);  // of no draws
  alone.begin_with(prior_, 1);
  switch (kind_) {
    case Metric::automatic:
      return prior_;
    case Metric::low_rank:
      return prior_.kind == Metric::dense ? prepare_metric(Metric::low_rank, alone.low_rank(), dim_)
                                          : prior_;
    case Metric::dense:
      return prepare_metric(Metric::dense, alone.dense(), dim_);
    case Metric::fisher:
      return prepare_metric(Metric::diagonal, alone.fisher(), dim_);
    default:
      return prepare_metric(Metric::diagonal, alone.diagonal(), dim_);
  }
}

bool MetricEstimator::shrinks() const {
  return how_.regularise && weight_.value_or(0) == 0;
}

Eigen::VectorXd MetricEstimator::shrunk(const Eigen::VectorXd& variances) const {
  if (!shrinks()) {
    return variances.cwiseMax(kLeastVariance);
  }
  const auto n = static_cast<double>(count());
  return (n * variances.array() + kPriorVariance * kPriorDraws) / (n + kPriorDraws);
}

InverseMass MetricEstimator::diagonal() const {
  return values_of(shrunk(variances()));
}

InverseMass MetricEstimator::dense() const {
  Matrix s = covariance();
  const Eigen::VectorXd diagonal = shrunk(s.diagonal());
  const auto n = static_cast<double>(count());
  s *= shrinks() ? n / (n + kPriorDraws) : 1.0;
  s.diagonal() = diagonal;
  return {s.data(), s.data() + s.size()};
}

/// The diagonal Sigma of the normal law that is nearest to the draws in Fisher divergence,
/// E |grad log pi(q) - grad log N(q)|^2: Sigma_jj^2 = var q_j / var dU/dq_j (Seyboldt, Carlson &
/// Carpenter, arXiv 2603.18845).
InverseMass MetricEstimator::fisher() const {
  return values_of(
      (shrunk(variances()).array() / shrunk(gradient_variances()).array()).sqrt().matrix());
}

/// The same criterion over all matrices asks for Sigma Cov(g) Sigma = Cov(q), the geometric mean of
/// Cov(q) and Cov(g)^-1. In coordinates scaled by the diagonal D of `fisher` the directions are
/// kept whose scale differs from the diagonal's by more than kCutoff. Both covariances shrink
/// towards the identity, their expectation if nothing but D matters.
InverseMass MetricEstimator::low_rank() const {
  const InverseMass squares = fisher();
  const Eigen::VectorXd scale = Eigen::Map<const Eigen::VectorXd>(squares.data(), dim_).cwiseSqrt();
  const auto n = static_cast<double>(count());
  const double weight = shrinks() ? n / (n + kPriorDraws) : 1.0;
  const auto scaled = [&](const Matrix& covariance, const Eigen::VectorXd& by) {
    Eigen::MatrixXd s = weight * (by.asDiagonal() * covariance * by.asDiagonal()).eval();
    s.diagonal().array() += 1 - weight;
    return s;
  };
  const SymmetricEigen mean(geometric_mean(scaled(gradient_covariance(), scale),
                                           scaled(covariance(), scale.cwiseInverse())));

  // By how far they are from 1 on the log scale, farthest first.
  std::vector<int> order(static_cast<std::size_t>(dim_));
  std::iota(order.begin(), order.end(), 0);
  const auto distance = [&](int k) { return std::abs(std::log(mean.values()[k])); };
  std::stable_sort(order.begin(), order.end(),
                   [&](int a, int b) { return distance(a) > distance(b); });
  InverseMass out = squares, vectors;
  for (const int k : order) {
    if (!(distance(k) > std::log(kCutoff)) ||
        static_cast<int>(out.size()) - dim_ == std::min(kLargestRank, dim_)) {
      break;
    }
    out.push_back(mean.values()[k]);
    const Eigen::VectorXd u = mean.vectors().col(k);
    vectors.insert(vectors.end(), u.data(), u.data() + dim_);
  }
  out.insert(out.end(), vectors.begin(), vectors.end());
  return out;
}

bool MetricEstimator::enough_for_dense() const {
  if (how_.force_dense) {
    return count() > 2 * std::int64_t{dim_};
  }
  const bool known = has_prior() && prior_.kind != Metric::diagonal;
  return count() >= (known ? kDrawsPerKnownDimension : kDrawsPerDimension) * dim_;
}

bool MetricEstimator::strongly_correlated() const {
  const Matrix s = covariance();
  const Eigen::VectorXd scale = s.diagonal().cwiseSqrt().cwiseInverse();
  const Matrix correlation = scale.asDiagonal() * s * scale.asDiagonal();
  const SymmetricEigen eigen(correlation, SymmetricEigen::What::values_only);
  return eigen.converged() && eigen.values().maxCoeff() > 10 * eigen.values().minCoeff();
}

std::optional<PreparedMetric> MetricEstimator::estimate() const {
  if (count() < 2) {
    return std::nullopt;
  }
  switch (kind_) {
    case Metric::fisher:
      return prepare_metric(Metric::diagonal, fisher(), dim_);
    case Metric::low_rank:
      return prepare_metric(Metric::low_rank, low_rank(), dim_);
    default: {
      const bool wanted =
          kind_ == Metric::dense || (draws_.full() && enough_for_dense() && strongly_correlated());
      return wanted && enough_for_dense() ? prepare_metric(Metric::dense, dense(), dim_)
                                          : prepare_metric(Metric::diagonal, diagonal(), dim_);
    }
  }
}

InverseMass metric_of_starts(std::span<const double> q, std::span<const double> gradient, int dim) {
  const std::size_t chains = q.size() / static_cast<std::size_t>(std::max(dim, 1));
  const auto spread = [&](std::span<const double> x, int j) {
    const auto row = x.subspan(static_cast<std::size_t>(j) * chains, chains);
    const std::vector<double> values(row.begin(), row.end());
    return quantile(values, 0.75) - quantile(values, 0.25);
  };
  InverseMass m;
  for (int j = 0; j < dim; ++j) {
    const double ratio = spread(q, j) / spread(gradient, j);
    m.push_back(std::isfinite(ratio) && ratio > 0 ? std::clamp(ratio, 1e-10, 1e10) : 1.0);
  }
  return m;
}

void check_dense(Metric kind, int dim, std::int64_t pooled_draws, const Adaptation& how) {
  require(kind != Metric::dense || how.force_dense || pooled_draws >= kDrawsPerDimension * dim,
          "a dense metric of " + std::to_string(dim) + " parameters needs " +
              std::to_string(kDrawsPerDimension * dim) +
              " pooled draws, or its eigenvalues are noise, but the warm-up's last window has " +
              std::to_string(pooled_draws) +
              ": give more chains or a longer warm-up, the low-rank or the diagonal metric, or "
              "force it");
}

}  // namespace lockstep
