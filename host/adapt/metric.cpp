#include "host/adapt/metric.hpp"

#include <cmath>
#include <string>

#include "host/eigen.hpp"
#include "lockstep/error.hpp"

namespace lockstep {

namespace {
using Matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using Chains = Eigen::Map<const Matrix>;  // [dim][chains]
}  // namespace

PreparedMetric prepare_metric(Metric kind, const InverseMass& inverse_mass, int dim) {
  kind = kind == Metric::automatic ? Metric::diagonal : kind;
  const auto d = static_cast<std::size_t>(dim);
  const auto wanted = kind == Metric::dense ? d * d : d;
  PreparedMetric metric;
  metric.kind = kind;
  metric.inverse_mass = inverse_mass;
  if (inverse_mass.empty()) {
    metric.inverse_mass.assign(wanted, kind == Metric::dense ? 0.0 : 1.0);
    for (std::size_t j = 0; kind == Metric::dense && j < d; ++j) {
      metric.inverse_mass[j * d + j] = 1.0;
    }
  }
  require(metric.inverse_mass.size() == wanted,
          "the inverse mass has " + std::to_string(metric.inverse_mass.size()) +
              " values, but this target and metric need " + std::to_string(wanted) + ": give " +
              (kind == Metric::dense ? "dim x dim, row by row" : "one per parameter"));
  for (std::size_t i = 0; i < wanted; ++i) {
    const double x = metric.inverse_mass[i];
    require(std::isfinite(x) && (kind == Metric::dense || x > 0),
            "inverse mass entry " + std::to_string(i + 1) + " is " + std::to_string(x) +
                ": variances must be positive and finite");
  }
  if (kind == Metric::dense) {
    const Eigen::Map<const Matrix> m(metric.inverse_mass.data(), dim, dim);
    require((m - m.transpose()).cwiseAbs().maxCoeff() <= 1e-8 * m.cwiseAbs().maxCoeff(),
            "the inverse mass matrix is not symmetric: give a covariance");
    const Eigen::LLT<Matrix> cholesky(m);
    require(cholesky.info() == Eigen::Success,
            "the inverse mass matrix is not positive definite: give a covariance, or --metric "
            "diagonal");
    const Matrix factor = cholesky.matrixL();
    metric.factor.assign(factor.data(), factor.data() + factor.size());
  } else {
    for (const double x : metric.inverse_mass) {
      metric.factor.push_back(std::sqrt(x));
    }
  }
  return metric;
}

PooledMoments::PooledMoments(int dim, bool full)
    : dim_(dim),
      full_(full),
      mean_(static_cast<std::size_t>(dim), 0.0),
      m2_(static_cast<std::size_t>(full ? dim * dim : dim), 0.0) {}

void PooledMoments::add(std::span<const double> q, std::int64_t chains) {
  const Chains x(q.data(), dim_, chains);
  Eigen::Map<Eigen::VectorXd> mean(mean_.data(), dim_);
  const Eigen::VectorXd batch_mean = x.rowwise().mean();
  const Matrix centred = x.colwise() - batch_mean;
  const auto n_a = static_cast<double>(count_), n_b = static_cast<double>(chains);
  const Eigen::VectorXd delta = batch_mean - mean;
  const double between = n_a * n_b / (n_a + n_b);  // Chan, Golub & LeVeque's merge
  if (full_) {
    Eigen::Map<Matrix>(m2_.data(), dim_, dim_) +=
        centred * centred.transpose() + between * delta * delta.transpose();
  } else {
    Eigen::Map<Eigen::VectorXd>(m2_.data(), dim_) +=
        centred.rowwise().squaredNorm() + between * delta.cwiseAbs2();
  }
  mean += delta * (n_b / (n_a + n_b));
  count_ += chains;
}

InverseMass PooledMoments::inverse_mass(bool dense) const {
  const auto n = static_cast<double>(count_);
  const double weight = n / (n + 5), floor = 1e-3 * 5 / (n + 5);
  InverseMass out;
  for (int i = 0; i < dim_; ++i) {
    for (int j = dense ? 0 : i; j < (dense ? dim_ : i + 1); ++j) {
      const double m2 = m2_[static_cast<std::size_t>(full_ ? i * dim_ + j : j)];
      out.push_back(weight * m2 / (n - 1) + (i == j ? floor : 0.0));
    }
  }
  return out;
}

bool PooledMoments::strongly_correlated() const {
  if (!full_ || count_ < 100 * std::int64_t{dim_}) {
    return false;
  }
  const Eigen::Map<const Matrix> covariance(m2_.data(), dim_, dim_);
  const Eigen::VectorXd scale = covariance.diagonal().cwiseSqrt().cwiseInverse();
  const Matrix correlation = scale.asDiagonal() * covariance * scale.asDiagonal();
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(correlation, Eigen::EigenvaluesOnly);
  return solver.info() == Eigen::Success &&
         solver.eigenvalues().maxCoeff() > 10 * solver.eigenvalues().minCoeff();
}

}  // namespace lockstep
