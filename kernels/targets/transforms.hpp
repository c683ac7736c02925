#pragma once

/// Maps from unconstrained q to constrained parameters x. A density of x becomes one of q by
///   log p(q) = log p(x(q)) + log |det dx/dq|,
/// so a potential *subtracts* the log-Jacobian. Constants are kept: each Jacobian is whole.
///
/// One-dimensional maps have
///   map(q)      x, its log-Jacobian, and the slopes of both, for gradients written by hand;
///   inverse(x)  the q that is mapped to x.
/// Those of vectors write x and return the log-Jacobian.

#include <cmath>
#include <string>

#include "kernels/lane/math.hpp"
#include "kernels/targets/constant.hpp"
#include "lockstep/error.hpp"

namespace lockstep {

/// log(1 / (1 + exp(-x))), without overflow and without cancellation.
template <class T>
LOCKSTEP_INLINE T log_logistic(const T& x) {
  return -softplus(-x);
}

/// log(x / (1 - x)).
template <class T>
LOCKSTEP_INLINE T logit(const T& x) {
  return log(x) - log1p(-x);
}

/// A constrained parameter at q. What is not used costs nothing: all of it is inlined.
template <class T>
struct Mapped {
  T x;
  T slope;               // dx/dq
  T log_jacobian;        // log |dx/dq|
  T log_jacobian_slope;  // its derivative
};

/// x > low: x = low + exp(q), log J = q. `Positive` has low = 0.
struct LowerBound {
  double low = 0;

  template <class T>
  LOCKSTEP_INLINE Mapped<T> map(const T& q) const {
    const T e = exp(q);
    return {constant<T>(low) + e, e, q, T(1)};
  }
  template <class T>
  LOCKSTEP_INLINE T inverse(const T& x) const {
    return log(x - constant<T>(low));
  }
};

/// x > 0.
struct Positive : LowerBound {};

/// x < high: x = high - exp(q), log J = q.
struct UpperBound {
  double high = 0;

  template <class T>
  LOCKSTEP_INLINE Mapped<T> map(const T& q) const {
    const T e = exp(q);
    return {constant<T>(high) - e, -e, q, T(1)};
  }
  template <class T>
  LOCKSTEP_INLINE T inverse(const T& x) const {
    return log(constant<T>(high) - x);
  }
};

/// low < x < high: x = low + w s(q) with the width w = high - low and s the logistic function,
///   log J = log w + log s(q) + log s(-q).
/// Computed from the nearer end, so that x keeps its distance from either: with e = exp(-|q|), the
/// logistic function is 1 / (1 + e) on the side of q's sign and e / (1 + e) on the other.
struct Interval {
  double low, high;

  /// @throw UsageError unless low < high and both are finite.
  Interval(double low_end, double high_end) : low(low_end), high(high_end) {
    require(std::isfinite(low) && std::isfinite(high) && low < high,
            "an interval from " + std::to_string(low) + " to " + std::to_string(high) +
                " is empty or infinite: give finite ends in order");
    log_width_ = std::log(high - low);
  }

  template <class T>
  LOCKSTEP_INLINE Mapped<T> map(const T& q) const {
    const T e = exp(-abs(q));
    const T inverse = T(1) / (T(1) + e);
    const T width = constant<T>(high - low);
    const T from_nearer_end = width * (e * inverse);
    const auto left = q < T(0);
    return {select(left, constant<T>(low) + from_nearer_end, constant<T>(high) - from_nearer_end),
            from_nearer_end * inverse,
            // log s(q) + log s(-q) = -|q| - 2 log(1 + e)
            constant<T>(log_width_) - abs(q) - T(2) * log1p(e),
            select(left, T(1), T(-1)) * ((T(1) - e) * inverse)};
  }
  template <class T>
  LOCKSTEP_INLINE T inverse(const T& x) const {
    return log(x - constant<T>(low)) - log(constant<T>(high) - x);
  }

 private:
  double log_width_;
};

/// x_1 < ... < x_n: x_1 = q_1, x_i = x_(i-1) + exp(q_i); log J = q_2 + ... + q_n.
struct Ordered {
  /// @param q, x  [n]; may be the same array.
  template <class T>
  LOCKSTEP_INLINE T map(const T* q, T* x, int n) const {
    T log_jacobian = T(0);
    x[0] = q[0];
    for (int i = 1; i < n; ++i) {
      log_jacobian = log_jacobian + q[i];
      x[i] = x[i - 1] + exp(q[i]);
    }
    return log_jacobian;
  }
  template <class T>
  LOCKSTEP_INLINE void inverse(const T* x, T* q, int n) const {
    q[0] = x[0];
    for (int i = 1; i < n; ++i) {
      q[i] = log(x[i] - x[i - 1]);
    }
  }
};

/// x_1 + ... + x_n = 1, all positive, from n - 1 numbers by breaking a stick: the i-th piece is a
/// share s(q_i - log(n - i)) of what is left, so that q = 0 is the middle, x_i = 1 / n.
///   log J = sum_i log(rest_i) + log share_i + log(1 - share_i),
/// over the first n - 1 pieces, rest_i being what was left before piece i. Everything is carried in
/// logarithms: no piece is a difference.
struct Simplex {
  /// @param q  [n - 1]
  /// @param x  [n]; another array
  template <class T>
  LOCKSTEP_INLINE T map(const T* q, T* x, int n) const {
    T log_rest = T(0), log_jacobian = T(0);
    for (int i = 0; i + 1 < n; ++i) {
      const T y = q[i] - constant<T>(std::log(static_cast<double>(n - 1 - i)));
      const T log_share = log_logistic(y), log_other = log_logistic(-y);
      x[i] = exp(log_rest + log_share);
      log_jacobian = log_jacobian + (log_rest + log_share + log_other);
      log_rest = log_rest + log_other;
    }
    x[n - 1] = exp(log_rest);
    return log_jacobian;
  }
  /// @param x  [n]
  /// @param q  [n - 1]
  template <class T>
  LOCKSTEP_INLINE void inverse(const T* x, T* q, int n) const {
    T rest = x[n - 1];  // beyond piece i: added up from the end, never subtracted
    for (int i = n - 2; i >= 0; --i) {
      q[i] = log(x[i] / rest) + constant<T>(std::log(static_cast<double>(n - 1 - i)));
      rest = rest + x[i];
    }
  }
};

}  // namespace lockstep
