#include "host/vi/mixture.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace lockstep {

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

double log_add(double a, double b) {
  const double high = std::max(a, b), low = std::min(a, b);
  return high == -kInfinity ? high : high + std::log1p(std::exp(low - high));
}

/// log of draws times density of a normal, at each column of q.
Eigen::VectorXd log_share(const Normal& normal, std::int64_t draws, const Matrix& q) {
  return normal.log_density(normal.standardised(q)).array() + std::log(static_cast<double>(draws));
}

}  // namespace

void MixtureDraws::add(std::vector<Normal> normals, const Matrix& z) {
  const auto count = static_cast<std::int64_t>(normals.size());
  const Eigen::Index dim = z.rows(), n = z.cols(), before = q_.cols();
  const std::size_t old = parts_.size();
  Matrix q(dim, n);
  Eigen::VectorXd log_own(n);
  for (std::int64_t k = 0; k < count; ++k) {
    const std::int64_t first = k * n / count, draws = (k + 1) * n / count - first;
    Normal& normal = normals[static_cast<std::size_t>(k)];
    const Matrix own = z.middleCols(first, draws);
    q.middleCols(first, draws) = normal.at(own);
    log_own.segment(first, draws) = normal.log_density(own);
    parts_.push_back({std::move(normal), before + first, draws});
  }
  Eigen::VectorXd u;
  Matrix gradient;
  density_.evaluate(q, u, gradient);
  Eigen::VectorXd log_sum = Eigen::VectorXd::Constant(n, -kInfinity);
  for (std::size_t k = 0; k < parts_.size(); ++k) {
    const Eigen::VectorXd here = log_share(parts_[k].normal, parts_[k].draws, q);
    for (Eigen::Index i = 0; i < n; ++i) {
      log_sum[i] = log_add(log_sum[i], here[i]);
    }
    if (k >= old && before > 0) {
      const Eigen::VectorXd there = log_share(parts_[k].normal, parts_[k].draws, q_);
      for (Eigen::Index i = 0; i < before; ++i) {
        log_sum_[i] = log_add(log_sum_[i], there[i]);
      }
    }
  }
  const auto append = [&](Eigen::VectorXd& all, const Eigen::VectorXd& some) {
    all.conservativeResize(before + n);
    all.tail(n) = some;
  };
  append(log_sum_, log_sum);
  append(log_own_, log_own);
  q_.conservativeResize(dim, before + n);
  q_.rightCols(n) = q;
  gradient_.conservativeResize(dim, before + n);
  minus_potential_.conservativeResize(before + n);
  for (Eigen::Index i = 0; i < n; ++i) {
    const bool inside = std::isfinite(u[i]) && gradient.col(i).allFinite();
    minus_potential_[before + i] = inside ? -u[i] : -kInfinity;
    if (inside) {
      gradient_.col(before + i) = gradient.col(i);
    } else {
      gradient_.col(before + i).setZero();
    }
  }
}

std::vector<double> MixtureDraws::log_ratios() const {
  std::vector<double> ratios;
  for (Eigen::Index i = 0; i < q_.cols(); ++i) {
    ratios.push_back(minus_potential_[i] - log_sum_[i]);
  }
  return ratios;
}

Assessment MixtureDraws::own(std::size_t k) const {
  const Part& part = parts_[k];
  std::vector<double> ratios;
  for (Eigen::Index i = part.first; i < part.first + part.draws; ++i) {
    ratios.push_back(minus_potential_[i] - log_own_[i]);
  }
  return assessment_of(ratios);
}

}  // namespace lockstep
