#pragma once

/// Sine and cosine of an angle given in cycles: sin(2 pi k x) and cos(2 pi k x) for a constant k.
///
/// The angle is reduced before pi enters, so there is nothing to lose: n, the integer nearest k x,
/// and the remainder f = k x - n in [-1/2, 1/2] come from two fused multiply-adds, the second of
/// them exact up to one rounding of f. What follows is a polynomial in f^2, without a table, branch
/// or quadrant, times the factors that put the zeros where they belong.
///
/// Float lanes: |k x| <= 2^21; error at most 4e-7, for k exactly representable. (Rounding k to
/// float shifts the angle by up to 2^-24 of itself, as rounding any constant of a density does.)
/// Double lanes: |k x| <= 2^50; the lane's own sin and cos of the reduced angle. Beyond the range
/// the cosine still lies in [-1, 1], and the sine is a finite function of x or not a number.

#include <type_traits>

#include "kernels/lane/math.hpp"

namespace lockstep {

namespace cycles {

template <class L>
LOCKSTEP_INLINE L two_pi() {
  return L(static_cast<Scalar<L>>(6.283185307179586));
}

/// k x minus the nearest integer.
template <class L>
LOCKSTEP_INLINE L remainder(const L& x, const L& k) {
  // Adding 1.5 * 2^(digits - 1) leaves no room for a fraction: the sum is rounded to an integer.
  constexpr Scalar<L> round =
      std::is_same_v<Scalar<L>, float> ? Scalar<L>(12582912.0) : Scalar<L>(6755399441055744.0);
  const L n = fma(x, k, L(round)) - L(round);
  return fma(x, k, -n);
}

/// c[0] + c[1] z + ... + c[5] z^5.
template <class L>
LOCKSTEP_INLINE L polynomial(const L& z, const float (&c)[6]) {
  L y = L(c[5]);
  LOCKSTEP_UNROLL
  for (int i = 4; i >= 0; --i) {
    y = fma(y, z, L(c[i]));
  }
  return y;
}

}  // namespace cycles

/// sin(2 pi k x).
template <class L>
LOCKSTEP_INLINE L sin_cycles(const L& x, const L& k) {
  const L f = cycles::remainder(x, k);
  if constexpr (std::is_same_v<Scalar<L>, float>) {
    // sin(2 pi f) / (f (1/4 - f^2)), interpolated at the Chebyshev nodes of f^2 in [0, 1/4]:
    // relative error 6e-8.
    constexpr float c[6] = {25.1327419f,  -64.8358231f, 67.0766220f,
                            -38.4958305f, 14.0494432f,  -3.16124988f};
    const L z = f * f;
    return f * (L(0.25f) - z) * cycles::polynomial(z, c);
  } else {
    return sin(cycles::two_pi<L>() * f);
  }
}

/// cos(2 pi k x).
template <class L>
LOCKSTEP_INLINE L cos_cycles(const L& x, const L& k) {
  const L f = cycles::remainder(x, k);
  if constexpr (std::is_same_v<Scalar<L>, float>) {
    // cos(2 pi f) / (1/16 - f^2), likewise: relative error 9e-8.
    constexpr float c[6] = {16.0f,        -59.8272896f, 81.7904434f,
                            -58.5820541f, 25.6156540f,  -6.61850977f};
    const L z = f * f;
    const L y = (L(0.0625f) - z) * cycles::polynomial(z, c);
    return larger(smaller(y, L(1)), L(-1));
  } else {
    return cos(cycles::two_pi<L>() * f);
  }
}

}  // namespace lockstep
