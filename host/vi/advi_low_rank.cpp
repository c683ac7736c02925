#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>
#include <vector>

#include "host/symmetric_eigen.hpp"
#include "host/vi/advi.hpp"

namespace lockstep {

namespace {

/// Directions that would gain fewer nats than this are left out.
constexpr double kLeastGain = 1e-12;
/// Eigenvalues are known to this share of the largest.
constexpr double kRounding = 1e-14;
/// Of the largest curvature the least: with many directions several D serve as well.
constexpr double kRidge = 1e-6;
/// Of log d in a step of Newton's.
constexpr double kLongestStep = 1;
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

/// The objective of a diagonal d = e^x in units of the present one, of which the best U and Lambda
/// are known: eigenvectors of A = d H d. One with eigenvalue a takes lambda = 1 / a, which lowers
/// the objective by a - 1 - log a, so that it is
///
///   phi(x) = sum over those taken of (1 + log a) + sum over the others of a - 2 sum_j x_j.
class Profile {
 public:
  Profile(const Matrix& h, const Eigen::VectorXd& x, int rank)
      : x_(x),
        eigen_(scaled(h, x)),
        // Rounding makes the smallest ones of an A that is nearly singular anything, 0 or less too.
        a_(eigen_.values().cwiseMax(kRounding * eigen_.values().maxCoeff())) {
    const Eigen::VectorXd& a = a_;
    const auto gain = [&](Eigen::Index k) { return a[k] - 1 - std::log(a[k]); };
    taken_.resize(static_cast<std::size_t>(a.size()));
    std::iota(taken_.begin(), taken_.end(), 0);
    std::stable_sort(taken_.begin(), taken_.end(),
                     [&](Eigen::Index j, Eigen::Index k) { return gain(j) > gain(k); });
    // With all of them the diagonal would mean nothing.
    taken_.resize(std::min(taken_.size() - 1, static_cast<std::size_t>(rank)));
    while (!taken_.empty() && !(gain(taken_.back()) > kLeastGain)) {
      taken_.pop_back();
    }
    value_ = a.sum() - 2 * x.sum();
    for (const Eigen::Index k : taken_) {
      value_ -= gain(k);
    }
  }

  double value() const { return value_; }
  const Eigen::VectorXd& x() const { return x_; }

  Directions directions() const {
    const auto rank = static_cast<Eigen::Index>(taken_.size());
    Directions b{Matrix(rank, x_.size()), Eigen::VectorXd(rank)};
    for (Eigen::Index i = 0; i < rank; ++i) {
      const Eigen::Index k = taken_[static_cast<std::size_t>(i)];
      b.vectors.row(i) = eigen_.vectors().col(k).transpose();
      b.values[i] = 1 / a_[k];
    }
    return b;
  }

  /// Newton's step. With f(a) = 1 of the eigenvalues that are taken, a of the others, and its
  /// divided differences f[a, b],
  ///   dphi/dx_i = 2 (f(A)_ii - 1),
  ///   d2phi/dx_i dx_j = 2 sum_kl (a_k + a_l) f[a_k, a_l] u_ik u_il u_jk u_jl,
  /// in which all that are not taken together add up to 4 A_ii on the diagonal.
  /// Curvatures that are negative lead away from saddles.
  Eigen::VectorXd step() const {
    const Matrix u = eigen_.vectors();
    const Eigen::VectorXd& a = a_;
    Eigen::VectorXd f = a;
    for (const Eigen::Index k : taken_) {
      f[k] = 1;
    }
    const Eigen::VectorXd gradient = 2 * (u.cwiseAbs2() * f).array() - 2;
    Matrix hessian = (4 * u.cwiseAbs2() * a).asDiagonal();
    for (const Eigen::Index k : taken_) {
      Eigen::VectorXd c = 2 * (1 - a[k]) * (a[k] + a.array()) / (a[k] - a.array());
      for (const Eigen::Index l : taken_) {
        c[l] = -(a[k] + a[l]);
      }
      hessian +=
          2 * u.col(k).asDiagonal() * (u * c.asDiagonal() * u.transpose()) * u.col(k).asDiagonal();
    }
    const SymmetricEigen curvature(hessian);
    const Eigen::ArrayXd size = curvature.values().array().abs();
    const Eigen::VectorXd along = curvature.vectors().transpose() * gradient;
    const Eigen::VectorXd step =
        -curvature.vectors() * (along.array() / size.max(kRidge * size.maxCoeff())).matrix();
    return step * std::min(1.0, kLongestStep / step.cwiseAbs().maxCoeff());
  }

 private:
  static Matrix scaled(const Matrix& h, const Eigen::VectorXd& x) {
    const Eigen::VectorXd d = x.array().exp();
    return d.asDiagonal() * h * d.asDiagonal();
  }

  Eigen::VectorXd x_;
  SymmetricEigen eigen_;
  Eigen::VectorXd a_;                // its eigenvalues
  std::vector<Eigen::Index> taken_;  // those that gain most, so many as there are directions
  double value_;
};

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

/// Local minima differ: the lowest of the present diagonal, that of H^-1 (best for directions of
/// little variance), the inverse of that of H (of much), and their geometric mean.
Profile best_start(const Matrix& h, int rank) {
  const Eigen::Index dim = h.rows();
  const Matrix inverse = Eigen::LLT<Matrix>(h).solve(Matrix::Identity(dim, dim));
  const Eigen::VectorXd much = -0.5 * h.diagonal().array().log();
  const Eigen::VectorXd little = 0.5 * inverse.diagonal().array().log();
  Profile best(h, Eigen::VectorXd::Zero(dim), rank);
  for (const Eigen::VectorXd& x : {much, little, Eigen::VectorXd(0.5 * (much + little))}) {
    Profile other(h, x, rank);
    if (other.value() < best.value() - kLeastGain) {
      best = std::move(other);
    }
  }
  return best;
}

}  // namespace

PreparedMetric nearest_low_rank(const Family& family, const PreparedMetric& now,
                                const Matrix& precision) {
  const auto dim = static_cast<int>(precision.rows());
  Directions b = directions_of(now, dim);
  // H in units of the present D: F = D B^(1/2).
  const Matrix inverse_root = b.with([](double v) { return 1 / std::sqrt(v); });
  const Matrix h = inverse_root * precision * inverse_root;
  Profile best = best_start(h, family.rank);
  for (int turn = 0; turn < kTurns; ++turn) {
    const double before = best.value();
    Profile next(h, best.x() + best.step(), family.rank);
    if (!(next.value() < before)) {
      const Matrix m = h.cwiseProduct(best.directions().with([](double v) { return v; }));
      const Eigen::VectorXd d = best_diagonal(m, best.x().array().exp());
      next = Profile(h, d.array().log(), family.rank);
    }
    if (next.value() < before) {
      best = std::move(next);
    }
    if (!(best.value() < before - 2 * family.slack)) {
      break;
    }
  }
  b = best.directions();
  const Eigen::VectorXd d = best.x().array().exp();
  InverseMass values(now.inverse_mass.begin(), now.inverse_mass.begin() + dim);
  for (int j = 0; j < dim; ++j) {
    values[static_cast<std::size_t>(j)] *= d[j] * d[j];
  }
  values.insert(values.end(), b.values.data(), b.values.data() + b.values.size());
  values.insert(values.end(), b.vectors.data(), b.vectors.data() + b.vectors.size());
  return prepare_metric(Metric::low_rank, values, dim);
}

}  // namespace lockstep
