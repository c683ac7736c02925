#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "host/symmetric_eigen.hpp"
#include "host/vi/advi.hpp"

namespace lockstep {

namespace {

/// Directions that would gain fewer nats than this are left out.
constexpr double kLeastGain = 1e-12;
constexpr int kTurns = 1000;  // at most; far more than are taken

/// I + U (Lambda - I) U'.
struct Directions {
  Matrix vectors;          // U', [directions][dim]
  Eigen::VectorXd values;  // Lambda

  /// I + U (f(Lambda) - I) U'.
  template <class F>
  Matrix with(F f) const {
    const Eigen::VectorXd shift = values.unaryExpr(f).array() - 1;
    Matrix out = Matrix::Identity(vectors.cols(), vectors.cols());
    out += vectors.transpose() * shift.asDiagonal() * vectors;
    return out;
  }
};

Directions directions_of(const PreparedMetric& m, int dim) {
  using ConstMatrix = Eigen::Map<const Matrix>;
  const int rank = rank_of(m.inverse_mass.size(), dim);
  const double* const values = m.inverse_mass.data() + dim;
  return {ConstMatrix(values + rank, rank, dim), ConstMatrix(values, rank, 1)};
}

/// The best U and Lambda for a diagonal that is kept: eigenvectors of A = D H D, of which one with
/// eigenvalue a and lambda = 1 / a lowers tr(A B) - log |B| by a - 1 - log a.
Directions best_directions(const Matrix& a, int rank) {
  const SymmetricEigen eigen(a);
  const Eigen::VectorXd& values = eigen.values();
  const auto gain = [&](int k) { return values[k] - 1 - std::log(values[k]); };
  std::vector<int> order(static_cast<std::size_t>(a.rows()));
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int j, int k) { return gain(j) > gain(k); });
  const auto enough = std::find_if(order.begin(), order.begin() + std::min<long>(rank, a.rows()),
                                   [&](int k) { return !(gain(k) > kLeastGain); });
  const auto taken = static_cast<int>(enough - order.begin());
  Directions best{Matrix(taken, a.rows()), Eigen::VectorXd(taken)};
  for (int i = 0; i < taken; ++i) {
    const int k = order[static_cast<std::size_t>(i)];
    best.vectors.row(i) = eigen.vectors().col(k).transpose();
    best.values[i] = 1 / values[k];
  }
  return best;
}

/// The best diagonal d for directions that are kept: the minimum of d' M d / 2 - sum_j log d_j with
/// M = H o B entry by entry, which is positive definite as both are (Schur). The function is
/// self-concordant, so that Newton's method with steps 1 / (1 + decrement) cannot fail.
Eigen::VectorXd best_diagonal(const Matrix& m, Eigen::VectorXd d) {
  for (int i = 0; i < 100; ++i) {
    const Eigen::VectorXd gradient = m * d - d.cwiseInverse();
    Matrix hessian = m;
    hessian.diagonal() += d.cwiseAbs2().cwiseInverse();
    const Eigen::VectorXd step = Eigen::LLT<Matrix>(hessian).solve(gradient);
    const double decrement = std::sqrt(std::max(gradient.dot(step), 0.0));
    d -= step / (decrement > 0.25 ? 1 + decrement : 1);
    if (decrement < 1e-9) {
      break;
    }
  }
  return d;
}

}  // namespace

PreparedMetric nearest_low_rank(const Family& family, const PreparedMetric& now,
                                const Matrix& precision) {
  const auto dim = static_cast<int>(precision.rows());
  Directions b = directions_of(now, dim);
  // H in units of the present D: F = D B^(1/2).
  const Matrix inverse_root = b.with([](double v) { return 1 / std::sqrt(v); });
  const Matrix h = inverse_root * precision * inverse_root;
  Eigen::VectorXd d = Eigen::VectorXd::Ones(dim);
  const auto identity = [](double v) { return v; };
  double before = std::numeric_limits<double>::infinity();
  for (int round = 0; round < kTurns; ++round) {
    const Matrix product = b.with(identity);
    d = best_diagonal(h.cwiseProduct(product), d);
    const Matrix a = d.asDiagonal() * h * d.asDiagonal();
    b = best_directions(0.5 * (a + a.transpose()), family.rank);
    const double objective = a.cwiseProduct(b.with(identity)).sum() - 2 * d.array().log().sum() -
                             b.values.array().log().sum();
    if (!(objective < before - 2 * family.slack)) {
      break;
    }
    before = objective;
  }
  InverseMass values(now.inverse_mass.begin(), now.inverse_mass.begin() + dim);
  for (int j = 0; j < dim; ++j) {
    values[static_cast<std::size_t>(j)] *= d[j] * d[j];
  }
  values.insert(values.end(), b.values.data(), b.values.data() + b.values.size());
  values.insert(values.end(), b.vectors.data(), b.vectors.data() + b.vectors.size());
  return prepare_metric(Metric::low_rank, values, dim);
}

}  // namespace lockstep
