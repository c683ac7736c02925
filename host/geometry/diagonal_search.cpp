#include "host/geometry/diagonal_search.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "host/symmetric_eigen.hpp"
#include "host/vi/normal.hpp"

namespace lockstep {

namespace {

constexpr int kLeastDim = 2, kMostDim = 10;
constexpr std::size_t kClimbers = 4;
constexpr double kWidest = 8 * std::numbers::ln10;  // of the logarithms of the eigenvalues

using Square = Eigen::MatrixXd;

/// M^-1 of the metric.
Eigen::ArrayXd inverse_mass(DiagonalMetric metric, const Eigen::ArrayXd& precisions,
                            const Eigen::ArrayXd& variances) {
  switch (metric) {
    case DiagonalMetric::stan:
      return variances;
    case DiagonalMetric::mean_field:
      return precisions.inverse();
    default:
      return (variances / precisions).sqrt();
  }
}

double condition_number(const Square& s) {
  const Eigen::VectorXd values = SymmetricEigen(s, SymmetricEigen::What::values_only).values();
  return values.maxCoeff() / values.minCoeff();
}

double scaled_condition_number(const Square& h, const Eigen::ArrayXd& inverse_mass) {
  const Eigen::VectorXd root = inverse_mass.sqrt();
  return condition_number(h.cwiseProduct(root.lazyProduct(root.transpose())));
}

/// H = V exp(l) V', and how much worse the metric makes it.
struct Law {
  Square vectors;        // V, orthogonal
  Eigen::VectorXd logs;  // l
  double ratio = 0;

  Law(Square v, Eigen::VectorXd l, DiagonalMetric metric)
      : vectors(std::move(v)), logs(std::move(l)) {
    logs.array() -= logs.mean();
    const double width = logs.maxCoeff() - logs.minCoeff();
    logs *= std::min(1.0, kWidest / width);
    const Square h = power(1);
    ratio = scaled_condition_number(
                h, inverse_mass(metric, h.diagonal().array(), power(-1).diagonal().array())) /
            std::exp(std::min(width, kWidest));
  }
  Square power(double p) const {
    const Square scaled = vectors * (p * logs).array().exp().matrix().asDiagonal();
    const Square h = scaled.lazyProduct(vectors.transpose());
    return 0.5 * (h + h.transpose());
  }
};

/// Standard normals, as many as are asked for, and what is made of them.
class Random {
 public:
  Random(std::uint64_t seed, int dim) : seed_(seed), dim_(dim) {}

  /// Eigenvectors uniform over all rotations, eigenvalues over a random number of e-folds.
  Law law(DiagonalMetric metric) {
    const double width = 2 * std::abs(normals(1)(0, 0));
    return {orthonormalised(normals(dim_)), width * normals(1), metric};
  }
  /// A law a little turned and stretched.
  Law beside(const Law& law, double size, DiagonalMetric metric) {
    const Square turn = Square::Identity(dim_, dim_) + size * normals(dim_);
    return {orthonormalised(turn.lazyProduct(law.vectors)), law.logs + size * normals(1), metric};
  }

 private:
  Square normals(int columns) { return standard_normals(seed_, set_++, dim_, columns); }
  /// Gram and Schmidt's, in the form that keeps rounding small.
  static Square orthonormalised(Square a) {
    for (Eigen::Index j = 0; j < a.cols(); ++j) {
      a.col(j).normalize();
      for (Eigen::Index k = j + 1; k < a.cols(); ++k) {
        a.col(k) -= a.col(j).dot(a.col(k)) * a.col(j);
      }
    }
    return a;
  }

  std::uint64_t seed_;
  std::uint32_t set_ = 0;
  int dim_;
};

/// Steps that succeed grow and others shrink, so that about one in six succeeds (Rechenberg 1973).
Law climb(Law law, int steps, DiagonalMetric metric, Random& random) {
  double size = 0.1;
  for (int i = 0; i < steps; ++i) {
    Law next = random.beside(law, size, metric);
    if (next.ratio > law.ratio) {
      law = std::move(next);
      size = std::min(1.0, 1.5 * size);
    } else {
      size = std::max(1e-6, 0.92 * size);
    }
  }
  return law;
}

struct Found {
  Law law;
  double random_ratio;
};

Found search(DiagonalMetric metric, int dim, std::uint64_t seed, int random_laws, int steps) {
  Random random(seed, dim);
  std::vector<Law> best;  // descending
  const auto insert = [&](Law law) {
    best.insert(std::upper_bound(best.begin(), best.end(), law,
                                 [](const Law& a, const Law& b) { return a.ratio > b.ratio; }),
                std::move(law));
  };
  for (int i = 0; i < random_laws; ++i) {
    insert(random.law(metric));
    best.erase(best.begin() + static_cast<std::ptrdiff_t>(std::min(kClimbers, best.size())),
               best.end());
  }
  const std::vector<Law> climbers = best;
  const double random_ratio = best.front().ratio;
  for (const Law& law : climbers) {
    insert(climb(law, steps, metric, random));
  }
  return {best.front(), random_ratio};
}

}  // namespace

Conditioning conditioning(const Matrix& precision) {
  const Square h = precision;
  const SymmetricEigen eigen(h);
  const Eigen::ArrayXd variances =
      eigen.vectors().array().square().matrix().lazyProduct(eigen.values().cwiseInverse());
  Conditioning c;
  c.kappa = eigen.values().maxCoeff() / eigen.values().minCoeff();
  for (std::size_t k = 0; k < kDiagonalMetrics.size(); ++k) {
    c.scaled[k] = scaled_condition_number(
        h, inverse_mass(kDiagonalMetrics[k], h.diagonal().array(), variances));
  }
  return c;
}

double Counterexample::ratio() const {
  return conditioning.scaled[static_cast<std::size_t>(metric)] / conditioning.kappa;
}

std::vector<Counterexample> search_diagonal_metrics(std::uint64_t seed, int random, int steps) {
  const auto all_dims = [&](DiagonalMetric metric) {
    std::vector<Found> found;
    for (int dim = kLeastDim; dim <= kMostDim; ++dim) {
      found.push_back(search(metric, dim, seed, random, steps));
    }
    return found;
  };
  std::vector<Counterexample> counterexamples;
  const auto add = [&](DiagonalMetric metric, const std::vector<Found>& found, double power) {
    for (const Found& f : found) {
      const Matrix h = f.law.power(power);
      counterexamples.push_back({metric, h, conditioning(h), f.random_ratio});
    }
  };
  const std::vector<Found> mean_field = all_dims(DiagonalMetric::mean_field);
  add(DiagonalMetric::stan, mean_field, -1);
  add(DiagonalMetric::mean_field, mean_field, 1);
  add(DiagonalMetric::fisher, all_dims(DiagonalMetric::fisher), 1);
  return counterexamples;
}

}  // namespace lockstep
