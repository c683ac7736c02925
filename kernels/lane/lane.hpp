#pragma once

/// A lane is the value that one kernel variable holds: one chain's on CUDA and in reference tests
/// (`float`, `double`), sixteen, eight or four neighbouring chains' on the CPU (`xsimd::batch`),
/// and twice as many when one chain's arithmetic is too short to fill the pipes (`Twin`).
///
/// Kernel bodies are templates on the lane `L` and use only
///   * arithmetic, comparisons (which yield `Mask<L>`), `&&`, `||`, `!` on masks,
///   * `select(mask, a, b)`, `any(mask)`, `all(mask)`,
///   * `load_lane<L>(p)`, `store_lane(p, x)`, and the functions of math.hpp.
/// Never a branch on lane data.
///
/// nvcc refuses vector registers in functions that are also compiled for the device, so a file that
/// nvcc compiles sees the one-chain lanes only; the library's CPU kernels are compiled by the host
/// compiler.

#if !defined(__CUDACC__)
#define LOCKSTEP_WITH_XSIMD 1
#if defined(__GNUC__) && !defined(__clang__)
// GCC 12's own AVX-512 headers start from deliberately undefined registers (GCC bug 105593).
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <xsimd/xsimd.hpp>
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif
#endif

#include <cstdint>
#include <type_traits>
#include <utility>

#include "lockstep/config.hpp"

namespace lockstep {

// ---- one chain: float, double -----------------------------------------------------------------

LOCKSTEP_INLINE float select(bool mask, float a, float b) {
  return mask ? a : b;
}
LOCKSTEP_INLINE double select(bool mask, double a, double b) {
  return mask ? a : b;
}
LOCKSTEP_INLINE bool any(bool mask) {
  return mask;
}
LOCKSTEP_INLINE bool all(bool mask) {
  return mask;
}

// ---- a register of chains: xsimd::batch ---------------------------------------------------------

#if LOCKSTEP_WITH_XSIMD
using xsimd::all;
using xsimd::any;
using xsimd::select;

using FloatBatch = xsimd::batch<float>;
using DoubleBatch = xsimd::batch<double>;
#else
using FloatBatch = float;
using DoubleBatch = double;
#endif

// ---- two lanes in flight
// --------------------------------------------------------------------------

/// Two lanes that advance together: independent arithmetic that hides the latency of one chain's.
/// Nests: `Twin<Twin<L>>` is four in flight. A struct of two named members, not an array, because
/// compilers keep those in registers.
template <class L>
struct Twin {
  L lo, hi;

  Twin() = default;
  LOCKSTEP_INLINE Twin(L low, L high) : lo(low), hi(high) {}
  /// The same value in every chain.
  template <class S>
  requires(std::is_arithmetic_v<S>&& std::is_constructible_v<L, S>) LOCKSTEP_INLINE Twin(S x)
      : lo(x), hi(x) {}

  LOCKSTEP_INLINE Twin& operator+=(const Twin& b) { return *this = *this + b; }
  LOCKSTEP_INLINE Twin& operator-=(const Twin& b) { return *this = *this - b; }
  LOCKSTEP_INLINE Twin& operator*=(const Twin& b) { return *this = *this * b; }
  LOCKSTEP_INLINE Twin& operator/=(const Twin& b) { return *this = *this / b; }

  friend LOCKSTEP_INLINE Twin operator+(const Twin& a, const Twin& b) {
    return {a.lo + b.lo, a.hi + b.hi};
  }
  friend LOCKSTEP_INLINE Twin operator-(const Twin& a, const Twin& b) {
    return {a.lo - b.lo, a.hi - b.hi};
  }
  friend LOCKSTEP_INLINE Twin operator*(const Twin& a, const Twin& b) {
    return {a.lo * b.lo, a.hi * b.hi};
  }
  friend LOCKSTEP_INLINE Twin operator/(const Twin& a, const Twin& b) {
    return {a.lo / b.lo, a.hi / b.hi};
  }
  friend LOCKSTEP_INLINE Twin operator-(const Twin& a) { return {-a.lo, -a.hi}; }

  friend LOCKSTEP_INLINE auto operator<(const Twin& a, const Twin& b) {
    return pair(a.lo < b.lo, a.hi < b.hi);
  }
  friend LOCKSTEP_INLINE auto operator<=(const Twin& a, const Twin& b) {
    return pair(a.lo <= b.lo, a.hi <= b.hi);
  }
  friend LOCKSTEP_INLINE auto operator>(const Twin& a, const Twin& b) { return b < a; }
  friend LOCKSTEP_INLINE auto operator>=(const Twin& a, const Twin& b) { return b <= a; }
  friend LOCKSTEP_INLINE auto operator==(const Twin& a, const Twin& b) {
    return pair(a.lo == b.lo, a.hi == b.hi);
  }

  // Masks.
  friend LOCKSTEP_INLINE Twin operator&&(const Twin& a, const Twin& b) {
    return {a.lo && b.lo, a.hi && b.hi};
  }
  friend LOCKSTEP_INLINE Twin operator||(const Twin& a, const Twin& b) {
    return {a.lo || b.lo, a.hi || b.hi};
  }
  friend LOCKSTEP_INLINE Twin operator!(const Twin& a) { return {!a.lo, !a.hi}; }

 private:
  template <class M>
  static LOCKSTEP_INLINE Twin<M> pair(M a, M b) {
    return {a, b};
  }
};

template <class M, class L>
LOCKSTEP_INLINE Twin<L> select(const Twin<M>& mask, const Twin<L>& a, const Twin<L>& b) {
  return {select(mask.lo, a.lo, b.lo), select(mask.hi, a.hi, b.hi)};
}
template <class M>
LOCKSTEP_INLINE bool any(const Twin<M>& mask) {
  return any(mask.lo) || any(mask.hi);
}
template <class M>
LOCKSTEP_INLINE bool all(const Twin<M>& mask) {
  return all(mask.lo) && all(mask.hi);
}

// ---- what a lane is
// -------------------------------------------------------------------------------

/// `Scalar`: the number one chain holds. `width`: chains per lane. `registers`: how many such
/// values the machine keeps in registers, so that algorithms can choose tile sizes.
template <class L>
struct LaneTraits;

template <class S>
requires std::is_floating_point_v<S>
struct LaneTraits<S> {
  using Scalar = S;
  static constexpr int width = 1;
  static constexpr int registers = 128;  // of a CUDA thread, at 16 warps per multiprocessor
};

#if LOCKSTEP_WITH_XSIMD
template <class S, class Arch>
struct LaneTraits<xsimd::batch<S, Arch>> {
  using Scalar = S;
  static constexpr int width = static_cast<int>(xsimd::batch<S, Arch>::size);
#if defined(__AVX512F__) || defined(__aarch64__)
  static constexpr int registers = 32;
#else
  static constexpr int registers = 16;
#endif
};
#endif

template <class L>
struct LaneTraits<Twin<L>> {
  using Scalar = typename LaneTraits<L>::Scalar;
  static constexpr int width = 2 * LaneTraits<L>::width;
  static constexpr int registers = LaneTraits<L>::registers / 2;
};

template <class L>
using Scalar = typename LaneTraits<L>::Scalar;
template <class L>
inline constexpr int width = LaneTraits<L>::width;
template <class L>
using Mask = decltype(std::declval<L>() < std::declval<L>());

template <class L>
inline constexpr bool is_twin = false;
template <class L>
inline constexpr bool is_twin<Twin<L>> = true;

/// Reads `width<L>` neighbouring chains' values starting at `p` (no alignment needed).
template <class L>
LOCKSTEP_INLINE L load_lane(const Scalar<L>* p) {
  if constexpr (std::is_floating_point_v<L>) {
    return *p;
  } else if constexpr (is_twin<L>) {
    using Half = decltype(L::lo);
    return L(load_lane<Half>(p), load_lane<Half>(p + width<Half>));
  } else {
    return L::load_unaligned(p);
  }
}

/// Writes `width<L>` neighbouring chains' values starting at `p`. (Not called `store`: argument-
/// dependent look-up would prefer xsimd's, which demands alignment.)
template <class L>
LOCKSTEP_INLINE void store_lane(Scalar<L>* p, const L& x) {
  if constexpr (std::is_floating_point_v<L>) {
    *p = x;
  } else if constexpr (is_twin<L>) {
    store_lane(p, x.lo);
    store_lane(p + width<decltype(L::lo)>, x.hi);
  } else {
    x.store_unaligned(p);
  }
}

}  // namespace lockstep
