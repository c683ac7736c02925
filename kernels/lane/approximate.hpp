#pragma once

/// Functions that trade digits for speed. They may appear in gradients, where any deterministic
/// function of the position keeps a sampler exact, and never in energies.

#include <type_traits>

#include "kernels/lane/bits.hpp"
#include "kernels/lane/math.hpp"

namespace lockstep {

template <class L>
inline constexpr bool is_float_batch = false;
#if LOCKSTEP_WITH_XSIMD
template <class Arch>
inline constexpr bool is_float_batch<xsimd::batch<float, Arch>> = true;
#endif

/// exp(x), within 3e-7 of its size; exactly 1 at 0. Beyond +-87, as there.
///
/// SIMD: with t = x log2(e) = n + f, n an integer and |f| <= 1/2, exp(x) = 2^n 2^f: a polynomial
/// whose exponent bits are then moved by n. Eleven operations against the library's twenty-odd.
/// CUDA: the special function unit's exponential.
template <class L>
LOCKSTEP_INLINE L approximate_exp(const L& x) {
  if constexpr (is_twin<L>) {
    return {approximate_exp(x.lo), approximate_exp(x.hi)};
  } else if constexpr (is_float_batch<L>) {
    const L y = smaller(larger(x, L(-87.0f)), L(87.0f));  // 2^n stays a normal number
    constexpr float round = 12582912.0f;  // 1.5 * 2^23: adding it rounds to an integer
    const L shifted = fma(y, L(1.44269502f), L(round));
    const L f = fma(y, L(1.44269502f), L(round) - shifted);
    // 2^f = 1 + f (...) with the least relative error on [-1/2, 1/2]: 7e-8, before rounding.
    L e = L(0.00132029818f);
    e = fma(e, f, L(0.00967495237f));
    e = fma(e, f, L(0.0555104725f));
    e = fma(e, f, L(0.240221664f));
    e = fma(e, f, L(0.693146586f));
    e = fma(e, f, L(1.0f));
    return from_bits<L>(bits_of(e) + (bits_of(shifted) << 23));
  } else {
#if defined(__CUDA_ARCH__)
    if constexpr (std::is_same_v<L, float>) {
      return __expf(x);
    }
#endif
    return exp(x);
  }
}

/// 1 / (1 + exp(-x)), within 3e-7.
template <class L>
LOCKSTEP_INLINE L approximate_logistic(const L& x) {
#if defined(__CUDA_ARCH__)
  if constexpr (std::is_same_v<L, float>) {
    return __fdividef(1.0f, 1.0f + __expf(-x));
  }
#endif
  return L(1) / (L(1) + approximate_exp(-x));
}

/// tanh(x) = 1 - 2 / (1 + exp(2x)), within 4e-7 of 1; exactly 0 at 0.
template <class L>
LOCKSTEP_INLINE L approximate_tanh(const L& x) {
  if constexpr (is_twin<L>) {
    return {approximate_tanh(x.lo), approximate_tanh(x.hi)};
  }
  const L e = approximate_exp(x + x);
#if defined(__CUDA_ARCH__)
  if constexpr (std::is_same_v<L, float>) {
    return 1.0f - __fdividef(2.0f, 1.0f + e);
  }
#endif
  return L(1) - L(2) / (L(1) + e);
}

}  // namespace lockstep
