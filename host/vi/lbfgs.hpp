#pragma once

/// Quasi-Newton descent with a limited memory: what is known of the inverse Hessian, and how far to
/// go along a direction. Neither evaluates anything, so that many paths can go in lockstep.

#include <deque>
#include <optional>

#include "host/adapt/metric.hpp"

namespace lockstep {

/// An estimate of H^-1 from steps s and the changes of gradient y along them: that of BFGS (Liu &
/// Nocedal, Mathematical Programming 45, 1989) for the last few of them, which begins from a
/// diagonal that all of them have shaped (Gilbert & Lemarechal, ibid.; Zhang et al., JMLR 23, 2022,
/// algorithm 3).
class InverseHessian {
 public:
  /// @param diagonal  to begin with, positive
  /// @param memory    steps that are remembered
  InverseHessian(Eigen::VectorXd diagonal, int memory);

  /// Learns from a step.
  /// @return false, and nothing is learnt, unless U curves up along it: s'y > 1e-12 |y|^2
  bool update(const Eigen::VectorXd& s, const Eigen::VectorXd& y);

  /// H^-1 v.
  Eigen::VectorXd times(const Eigen::VectorXd& v) const;

  /// The same matrix as a low-rank inverse mass, D (I + U (Lambda - I) U') D, of rank 2 memory at
  /// most; none if rounding errors have left some Lambda not positive.
  std::optional<InverseMass> low_rank() const;

  const Eigen::VectorXd& diagonal() const { return diagonal_; }

 private:
  struct Step {
    Eigen::VectorXd s, y;
    double curvature;  // s'y
  };

  Eigen::VectorXd diagonal_;
  int memory_;
  std::deque<Step> steps_;  // oldest first
};

/// A length t along a direction p from x at which U has fallen enough and no longer falls steeply,
///   U(x + t p) <= U(x) + 1e-4 t U'(x; p)  and  U'(x + t p; p) >= 0.9 U'(x; p)
/// (the weak conditions of Wolfe; then s'y > 0). It is bracketed (Lewis & Overton, Mathematical
/// Programming 141, 2013), and inside the bracket a cubic through both ends says where.
class LineSearch {
 public:
  enum class State { searching, found, failed };

  /// @param slope  U'(x; p) = p' dU/dq, negative
  /// @param first  length to try first
  LineSearch(double u, double slope, double first)
      : start_{0, u, slope}, low_(start_), length_(first) {}

  /// Where to evaluate next, or what was found.
  double length() const { return length_; }

  /// What was found there; U and slope need not be finite.
  State tell(double u, double slope);

 private:
  struct Point {
    double t, u, slope;
  };

  Point start_, low_;          // low_: fell enough, still falls steeply
  std::optional<Point> high_;  // did not fall enough
  double length_;
  int trials_ = 0;
};

}  // namespace lockstep
