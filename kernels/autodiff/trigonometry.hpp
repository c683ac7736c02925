#pragma once

/// Derivatives of the functions of an angle in cycles: d sin(2 pi k x) = 2 pi k cos(2 pi k x) dx.
/// The factor k is a constant, whose own derivatives are ignored.

#include "kernels/autodiff/dual.hpp"
#include "kernels/lane/trigonometry.hpp"

namespace lockstep {

template <class L, int N>
LOCKSTEP_INLINE Dual<L, N> sin_cycles(const Dual<L, N>& x, const Dual<L, N>& k) {
  return x.chain(sin_cycles(x.value, k.value),
                 cycles::two_pi<L>() * k.value * cos_cycles(x.value, k.value));
}
template <class L, int N>
LOCKSTEP_INLINE Dual<L, N> cos_cycles(const Dual<L, N>& x, const Dual<L, N>& k) {
  return x.chain(cos_cycles(x.value, k.value),
                 -(cycles::two_pi<L>() * k.value * sin_cycles(x.value, k.value)));
}

}  // namespace lockstep
