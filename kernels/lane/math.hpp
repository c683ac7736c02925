#pragma once

/// Elementary functions of a lane, under one name for every lane type. Targets call them as
/// `lockstep::exp(x)`, or unqualified inside namespace lockstep.

#include <cmath>
#include <limits>

#include "kernels/lane/lane.hpp"

namespace lockstep {

using std::abs;
using std::cos;
using std::exp;
using std::floor;
using std::fma;
using std::log;
using std::log1p;
using std::sin;
using std::sqrt;
using std::tanh;

#if LOCKSTEP_WITH_XSIMD
using xsimd::abs;
using xsimd::cos;
using xsimd::exp;
using xsimd::floor;
using xsimd::log;
using xsimd::log1p;
using xsimd::sin;
using xsimd::sqrt;
using xsimd::tanh;

/// a * b + c, rounded once on every lane. xsimd 8.1 rounds twice for AVX-512, where the instruction
/// is called directly, and where the instruction set has none (SSE2), where each element takes the
/// library's exact one: all widths agree. (The constraint makes this overload win over xsimd's,
/// which argument-dependent look-up finds too.)
template <class S, class Arch>
requires std::is_floating_point_v<S> LOCKSTEP_INLINE xsimd::batch<S, Arch> fma(
    const xsimd::batch<S, Arch>& a, const xsimd::batch<S, Arch>& b,
    const xsimd::batch<S, Arch>& c) {
#if defined(__AVX512F__)
  if constexpr (sizeof(a) == sizeof(__m512)) {
    if constexpr (std::is_same_v<S, float>) {
      return _mm512_fmadd_ps(a, b, c);
    } else {
      return _mm512_fmadd_pd(a, b, c);
    }
  } else {
    return xsimd::fma(a, b, c);
  }
#elif defined(__FMA__) || defined(__aarch64__)
  return xsimd::fma(a, b, c);
#else
  constexpr int n = LaneTraits<xsimd::batch<S, Arch>>::width;
  S x[n], y[n], z[n];
  a.store_unaligned(x);
  b.store_unaligned(y);
  c.store_unaligned(z);
  for (int i = 0; i < n; ++i) {
    z[i] = std::fma(x[i], y[i], z[i]);
  }
  return xsimd::batch<S, Arch>::load_unaligned(z);
#endif
}
#endif

#define LOCKSTEP_TWIN_FUNCTION(name)               \
  template <class L>                               \
  LOCKSTEP_INLINE Twin<L> name(const Twin<L>& x) { \
    return {name(x.lo), name(x.hi)};               \
  }
LOCKSTEP_TWIN_FUNCTION(abs)
LOCKSTEP_TWIN_FUNCTION(cos)
LOCKSTEP_TWIN_FUNCTION(exp)
LOCKSTEP_TWIN_FUNCTION(floor)
LOCKSTEP_TWIN_FUNCTION(log)
LOCKSTEP_TWIN_FUNCTION(log1p)
LOCKSTEP_TWIN_FUNCTION(sin)
LOCKSTEP_TWIN_FUNCTION(sqrt)
LOCKSTEP_TWIN_FUNCTION(tanh)
#undef LOCKSTEP_TWIN_FUNCTION

template <class L>
LOCKSTEP_INLINE Twin<L> fma(const Twin<L>& a, const Twin<L>& b, const Twin<L>& c) {
  return {fma(a.lo, b.lo, c.lo), fma(a.hi, b.hi, c.hi)};
}

/// The smaller and the larger; `a` where either is not a number. (Not called `min` and `max`:
/// argument-dependent look-up would find xsimd's and the standard's, which treat NaN otherwise.)
template <class L>
LOCKSTEP_INLINE L smaller(const L& a, const L& b) {
  return select(b < a, b, a);
}
template <class L>
LOCKSTEP_INLINE L larger(const L& a, const L& b) {
  return select(a < b, b, a);
}
template <class L>
LOCKSTEP_INLINE L square(const L& x) {
  return x * x;
}

/// False where x is an infinity or not a number: a comparison with NaN is false on every lane.
template <class L>
LOCKSTEP_INLINE Mask<L> is_finite(const L& x) {
  return abs(x) <= L(std::numeric_limits<Scalar<L>>::max());
}

/// log(1 + exp(x)) without overflow.
template <class L>
LOCKSTEP_INLINE L softplus(const L& x) {
  return larger(x, L(0)) + log1p(exp(-abs(x)));
}

/// 1 / (1 + exp(-x)).
template <class L>
LOCKSTEP_INLINE L logistic(const L& x) {
  return L(1) / (L(1) + exp(-x));
}

}  // namespace lockstep
