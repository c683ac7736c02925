#include "host/vi/lbfgs.hpp"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "host/symmetric_eigen.hpp"

namespace lockstep {

namespace {

constexpr double kLeastCurvature = 1e-12;

/// Vectors of which less than this is new after what the others have been taken out add no
/// direction.
constexpr double kNothingNew = 1e-10;

constexpr double kArmijo = 1e-4, kWolfe = 0.9;
constexpr int kTrials = 20;

/// Adds the direction of v that `basis`, orthonormal, lacks, if there is one.
void extend(std::vector<Eigen::VectorXd>& basis, Eigen::VectorXd v) {
  const double before = v.norm();
  if (!(before > 0)) {
    return;
  }
  v /= before;
  for (int twice = 0; twice < 2; ++twice) {  // once leaves rounding errors behind
    for (const Eigen::VectorXd& b : basis) {
      v -= b.dot(v) * b;
    }
    const double left = v.norm();
    if (!(left > kNothingNew)) {
      return;
    }
    v /= left;
  }
  basis.push_back(std::move(v));
}

}  // namespace

InverseHessian::InverseHessian(Eigen::VectorXd diagonal, int memory)
    : diagonal_(std::move(diagonal)), memory_(memory) {}

/// With a = y'Dy, b = y's, c = s'D^-1 s, the diagonal of the BFGS update of D^-1 along the step,
/// D^-1 being rescaled by a / b first:
///   D_i <- 1 / (a / (b D_i) + y_i^2 / b - a s_i^2 / (b c D_i^2)).
bool InverseHessian::update(const Eigen::VectorXd& s, const Eigen::VectorXd& y) {
  const double b = y.dot(s);
  if (!(b > kLeastCurvature * y.squaredNorm()) || !std::isfinite(b)) {
    return false;
  }
  const Eigen::VectorXd scaled = s.cwiseQuotient(diagonal_);
  const double a = y.dot(diagonal_.cwiseProduct(y)), c = s.dot(scaled);
  const Eigen::VectorXd next =
      b *
      (a * diagonal_.cwiseInverse() + y.cwiseAbs2() - (a / c) * scaled.cwiseAbs2()).cwiseInverse();
  if (!next.allFinite() || !(next.minCoeff() > 0)) {
    return false;
  }
  diagonal_ = next;
  steps_.push_back({s, y, b});
  if (static_cast<int>(steps_.size()) > memory_) {
    steps_.pop_front();
  }
  return true;
}

/// Nocedal's two loops (Mathematics of Computation 35, 1980).
Eigen::VectorXd InverseHessian::times(const Eigen::VectorXd& v) const {
  Eigen::VectorXd r = v;
  std::vector<double> along(steps_.size());
  for (std::size_t i = steps_.size(); i-- > 0;) {
    along[i] = steps_[i].s.dot(r) / steps_[i].curvature;
    r -= along[i] * steps_[i].y;
  }
  r = diagonal_.cwiseProduct(r).eval();
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    r += (along[i] - steps_[i].y.dot(r) / steps_[i].curvature) * steps_[i].s;
  }
  return r;
}

/// D^-1 H^-1 D^-1 is the identity at right angles to every D^-1 s and D y, and keeps the space Q
/// that they span: so it is I + Q (Q' D^-1 H^-1 D^-1 Q - I) Q', of which the small matrix is
/// V Lambda V', and U = Q V.
std::optional<InverseMass> InverseHessian::low_rank() const {
  const Eigen::VectorXd d = diagonal_.cwiseSqrt();
  std::vector<Eigen::VectorXd> basis;
  for (const Step& step : steps_) {
    extend(basis, step.s.cwiseQuotient(d));
    extend(basis, step.y.cwiseProduct(d));
  }
  const auto rank = static_cast<Eigen::Index>(basis.size());
  Eigen::MatrixXd small(rank, rank);
  for (Eigen::Index k = 0; k < rank; ++k) {
    const Eigen::VectorXd column =
        times(basis[static_cast<std::size_t>(k)].cwiseQuotient(d)).cwiseQuotient(d);
    for (Eigen::Index i = 0; i < rank; ++i) {
      small(i, k) = basis[static_cast<std::size_t>(i)].dot(column);
    }
  }
  InverseMass mass(diagonal_.data(), diagonal_.data() + diagonal_.size());
  if (rank == 0) {
    return mass;
  }
  const SymmetricEigen eigen(0.5 * (small + small.transpose()));
  if (!eigen.converged() || !eigen.values().allFinite() || !(eigen.values().minCoeff() > 0)) {
    return std::nullopt;
  }
  mass.insert(mass.end(), eigen.values().data(), eigen.values().data() + rank);
  for (Eigen::Index k = 0; k < rank; ++k) {
    Eigen::VectorXd u = Eigen::VectorXd::Zero(diagonal_.size());
    for (Eigen::Index i = 0; i < rank; ++i) {
      u += eigen.vectors()(i, k) * basis[static_cast<std::size_t>(i)];
    }
    mass.insert(mass.end(), u.data(), u.data() + u.size());
  }
  return mass;
}

LineSearch::State LineSearch::tell(double u, double slope) {
  const Point here{length_, u, slope};
  const bool finite = std::isfinite(u) && std::isfinite(slope);
  if (!finite || u > start_.u + kArmijo * length_ * start_.slope) {
    high_ = here;
  } else if (slope < kWolfe * start_.slope) {
    low_ = here;
  } else {
    return State::found;
  }
  if (++trials_ == kTrials) {
    return State::failed;
  }
  if (!high_) {  // it still falls as steeply as before
    length_ *= 4;
    return State::searching;
  }
  const double width = high_->t - low_.t;
  double part = 0.5;
  if (std::isfinite(high_->u) && std::isfinite(high_->slope)) {
    // The lowest point of the cubic that has both ends' values and slopes (Nocedal & Wright,
    // equation 3.59).
    const double a = low_.slope + high_->slope - 3 * (high_->u - low_.u) / width;
    const double root = std::sqrt(a * a - low_.slope * high_->slope);
    part = 1 - (high_->slope + root - a) / (high_->slope - low_.slope + 2 * root);
  }
  // Off the ends, and where there is no such point (NaN) in the middle.
  length_ = low_.t + width * (std::isfinite(part) ? std::clamp(part, 0.1, 0.9) : 0.5);
  return State::searching;
}

}  // namespace lockstep
