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

/// 1 / (1 + exp(-x)), within 2e-7.
///
/// SIMD: with t = -x log2(e) = n + f, n an integer and |f| <= 1/2, exp(-x) = 2^n 2^f: a polynomial
/// whose exponent bits are then moved by n. Fourteen operations against the library's twenty-odd.
/// CUDA: the special function unit's exponential and division.
template <class L>
LOCKSTEP_INLINE L approximate_logistic(const L& x) {
  if constexpr (is_twin<L>) {
    return {approximate_logistic(x.lo), approximate_logistic(x.hi)};
  } else if constexpr (is_float_batch<L>) {
    // 2^n stays a normal number; exp(-80) is below the error of 1 + exp(-80).
    const L y = smaller(larger(x, L(-80.0f)), L(80.0f));
    constexpr float round = 12582912.0f;  // 1.5 * 2^23: adding it rounds to an integer
    const L shifted = fma(y, L(-1.44269502f), L(round));
    const L f = fma(y, L(-1.44269502f), L(round) - shifted);
    // 2^f, interpolated at the Chebyshev nodes of [-1/2, 1/2]: relative error 1.6e-7.
    L e = L(0.00133908633f);
    e = fma(e, f, L(0.00967603177f));
    e = fma(e, f, L(0.0555035695f));
    e = fma(e, f, L(0.240221068f));
    e = fma(e, f, L(0.693147182f));
    e = fma(e, f, L(1.00000012f));
    e = from_bits<L>(bits_of(e) + (bits_of(shifted) << 23));
    return L(1) / (L(1) + e);
  } else {
#if defined(__CUDA_ARCH__)
    if constexpr (std::is_same_v<L, float>) {
      return __fdividef(1.0f, 1.0f + __expf(-x));
    }
#endif
    return logistic(x);
  }
}

}  // namespace lockstep
