#pragma once

#include "kernels/lane/math.hpp"
#include "kernels/lane/sum.hpp"

namespace lockstep {

/// Forward-mode derivative: a value and its N directional derivatives, over any lane (also over
/// another Dual, which gives second derivatives).
///   f(x + e_1 d_1 + ... + e_N d_N) = f(x) + sum_k f'(x) d_k e_k,   e_j e_k = 0.
template <class L, int N>
struct Dual {
  L value;
  L d[N];

  Dual() = default;
  /// A constant: all derivatives are zero.
  template <class S>
  requires std::is_constructible_v<L, S> LOCKSTEP_INLINE Dual(const S& x) : value(x) {
    LOCKSTEP_UNROLL
    for (int k = 0; k < N; ++k) {
      d[k] = L(0);
    }
  }

  LOCKSTEP_INLINE Dual& operator+=(const Dual& b) { return *this = *this + b; }
  LOCKSTEP_INLINE Dual& operator-=(const Dual& b) { return *this = *this - b; }
  LOCKSTEP_INLINE Dual& operator*=(const Dual& b) { return *this = *this * b; }
  LOCKSTEP_INLINE Dual& operator/=(const Dual& b) { return *this = *this / b; }

  /// value -> f(value), d -> slope * d: the chain rule for every function of one variable.
  LOCKSTEP_INLINE Dual chain(const L& f, const L& slope) const {
    Dual r;
    r.value = f;
    LOCKSTEP_UNROLL
    for (int k = 0; k < N; ++k) {
      r.d[k] = slope * d[k];
    }
    return r;
  }

  friend LOCKSTEP_INLINE Dual operator+(const Dual& a, const Dual& b) {
    Dual r;
    r.value = a.value + b.value;
    LOCKSTEP_UNROLL
    for (int k = 0; k < N; ++k) {
      r.d[k] = a.d[k] + b.d[k];
    }
    return r;
  }
  friend LOCKSTEP_INLINE Dual operator-(const Dual& a, const Dual& b) {
    Dual r;
    r.value = a.value - b.value;
    LOCKSTEP_UNROLL
    for (int k = 0; k < N; ++k) {
      r.d[k] = a.d[k] - b.d[k];
    }
    return r;
  }
  friend LOCKSTEP_INLINE Dual operator*(const Dual& a, const Dual& b) {
    Dual r;
    r.value = a.value * b.value;
    LOCKSTEP_UNROLL
    for (int k = 0; k < N; ++k) {
      r.d[k] = fma(a.value, b.d[k], a.d[k] * b.value);
    }
    return r;
  }
  friend LOCKSTEP_INLINE Dual operator/(const Dual& a, const Dual& b) {
    const L inverse = L(1) / b.value;
    Dual r;
    r.value = a.value / b.value;
    LOCKSTEP_UNROLL
    for (int k = 0; k < N; ++k) {
      r.d[k] = (a.d[k] - r.value * b.d[k]) * inverse;
    }
    return r;
  }
  friend LOCKSTEP_INLINE Dual operator-(const Dual& a) { return a.chain(-a.value, L(-1)); }

  // Comparisons look at values alone: derivatives follow the branch that `select` takes.
  friend LOCKSTEP_INLINE auto operator<(const Dual& a, const Dual& b) { return a.value < b.value; }
  friend LOCKSTEP_INLINE auto operator<=(const Dual& a, const Dual& b) {
    return a.value <= b.value;
  }
  friend LOCKSTEP_INLINE auto operator>(const Dual& a, const Dual& b) { return a.value > b.value; }
  friend LOCKSTEP_INLINE auto operator>=(const Dual& a, const Dual& b) {
    return a.value >= b.value;
  }
  friend LOCKSTEP_INLINE auto operator==(const Dual& a, const Dual& b) {
    return a.value == b.value;
  }
};

template <class L, int N>
struct LaneTraits<Dual<L, N>> : LaneTraits<L> {};

template <class M, class L, int N>
LOCKSTEP_INLINE Dual<L, N> select(const M& mask, const Dual<L, N>& a, const Dual<L, N>& b) {
  Dual<L, N> r;
  r.value = select(mask, a.value, b.value);
  LOCKSTEP_UNROLL
  for (int k = 0; k < N; ++k) {
    r.d[k] = select(mask, a.d[k], b.d[k]);
  }
  return r;
}

/// The correction that `Sum` keeps carries no derivative of its own: rounding is flat almost
/// everywhere.
template <class L, int N>
LOCKSTEP_INLINE Dual<L, N> rounding_error(const Dual<L, N>& a, const Dual<L, N>& b,
                                          const Dual<L, N>& s) {
  return Dual<L, N>(rounding_error(a.value, b.value, s.value));
}

template <class L, int N>
LOCKSTEP_INLINE Dual<L, N> fma(const Dual<L, N>& a, const Dual<L, N>& b, const Dual<L, N>& c) {
  Dual<L, N> r;
  r.value = fma(a.value, b.value, c.value);
  LOCKSTEP_UNROLL
  for (int k = 0; k < N; ++k) {
    r.d[k] = fma(a.value, b.d[k], fma(a.d[k], b.value, c.d[k]));
  }
  return r;
}
template <class L, int N>
LOCKSTEP_INLINE Dual<L, N> exp(const Dual<L, N>& x) {
  const L e = exp(x.value);
  return x.chain(e, e);
}
template <class L, int N>
LOCKSTEP_INLINE Dual<L, N> log(const Dual<L, N>& x) {
  return x.chain(log(x.value), L(1) / x.value);
}
template <class L, int N>
LOCKSTEP_INLINE Dual<L, N> log1p(const Dual<L, N>& x) {
  return x.chain(log1p(x.value), L(1) / (L(1) + x.value));
}
template <class L, int N>
LOCKSTEP_INLINE Dual<L, N> sqrt(const Dual<L, N>& x) {
  const L r = sqrt(x.value);
  return x.chain(r, L(0.5) / r);
}
template <class L, int N>
LOCKSTEP_INLINE Dual<L, N> sin(const Dual<L, N>& x) {
  return x.chain(sin(x.value), cos(x.value));
}
template <class L, int N>
LOCKSTEP_INLINE Dual<L, N> cos(const Dual<L, N>& x) {
  return x.chain(cos(x.value), -sin(x.value));
}
template <class L, int N>
LOCKSTEP_INLINE Dual<L, N> tanh(const Dual<L, N>& x) {
  const L t = tanh(x.value);
  return x.chain(t, L(1) - t * t);
}
/// Not through its formula: where exp(-x) overflows, the chain rule would multiply 0 by infinity.
template <class L, int N>
LOCKSTEP_INLINE Dual<L, N> logistic(const Dual<L, N>& x) {
  const L s = logistic(x.value);
  return x.chain(s, s * (L(1) - s));
}
template <class L, int N>
LOCKSTEP_INLINE Dual<L, N> abs(const Dual<L, N>& x) {
  return x.chain(abs(x.value), select(x.value < L(0), L(-1), L(1)));
}
/// Piecewise constant: its derivative is zero wherever it exists.
template <class L, int N>
LOCKSTEP_INLINE Dual<L, N> floor(const Dual<L, N>& x) {
  return Dual<L, N>(floor(x.value));
}

}  // namespace lockstep
