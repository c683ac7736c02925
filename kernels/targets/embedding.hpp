#pragma once

/// Integers as cells of a real line: parameter n lives anywhere in [a_n, a_(n+1)), with density
///
///   pi(x) = pi_N(n) / (a_(n+1) - a_n)   on the cell of n
///
/// so that x's law gives n its own (Nishimura, Dunson & Lu, Biometrika 2020, equation 15; with
/// a_n strictly increasing, and a_n = log n for logarithmic cells). A target adds
/// `log_width(n)` to U for each embedded coordinate, reports n and never x, and starts at `middle`.

#include <limits>

#include "kernels/lane/math.hpp"

namespace lockstep {

/// Cells of width 1: n is [n, n + 1), for short ranges.
struct UnitCells {
  int low, high;  // the integers' range, both included

  /// The integer of the cell that x is in, as a real number; also beyond the range.
  template <class T>
  LOCKSTEP_INLINE T index(const T& x) const {
    return floor(x);
  }
  template <class T>
  LOCKSTEP_INLINE Mask<T> contains(const T& n) const {
    return T(Scalar<T>(low)) <= n && n <= T(Scalar<T>(high));
  }
  /// log (a_(n+1) - a_n).
  template <class T>
  LOCKSTEP_INLINE T log_width(const T&) const {
    return T(0);
  }
  double middle(int n) const { return n + 0.5; }
};

}  // namespace lockstep
