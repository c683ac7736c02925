#pragma once

#include "kernels/lane/lane.hpp"

namespace lockstep {

/// The rounding error of s = a + b, exactly (Knuth's TwoSum).
template <class L>
LOCKSTEP_INLINE L rounding_error(const L& a, const L& b, const L& s) {
  const L b_part = s - a;
  const L a_part = s - b_part;
  return (a - a_part) + (b - b_part);
}

/// A sum carried as hi + lo, about twice the lane's precision: energies in float32 accumulate
/// thousands of terms, and the Metropolis ratio sees only their small difference.
/// A plain lane converts to it, so a potential may return either.
template <class L>
struct Sum {
  L hi = L(0), lo = L(0);

  Sum() = default;
  LOCKSTEP_INLINE Sum(const L& x) : hi(x), lo(L(0)) {}
  LOCKSTEP_INLINE Sum(const L& high, const L& low) : hi(high), lo(low) {}

  LOCKSTEP_INLINE Sum& operator+=(const L& x) {
    const L s = hi + x;
    lo = lo + rounding_error(hi, x, s);
    hi = s;
    return *this;
  }
  /// Commutative bit for bit, so that threads which exchange partial sums all arrive at the same
  /// one.
  LOCKSTEP_INLINE Sum& operator+=(const Sum& x) {
    const L s = hi + x.hi;
    lo = (lo + x.lo) + rounding_error(hi, x.hi, s);
    hi = s;
    return *this;
  }
  friend LOCKSTEP_INLINE Sum operator+(Sum a, const Sum& b) { return a += b; }
  friend LOCKSTEP_INLINE Sum operator-(const Sum& a, const Sum& b) { return a + Sum(-b.hi, -b.lo); }

  LOCKSTEP_INLINE L value() const { return hi + lo; }
};

template <class M, class L>
LOCKSTEP_INLINE Sum<L> select(const M& mask, const Sum<L>& a, const Sum<L>& b) {
  return {select(mask, a.hi, b.hi), select(mask, a.lo, b.lo)};
}

}  // namespace lockstep
