#pragma once

/// Integer lanes: the 32-bit words that random numbers are made of, as many as the float lane has
/// chains, and the bit casts between the two.
///
///   UInt<float>, UInt<double>   std::uint32_t
///   UInt<xsimd::batch<S>>       UIntBatch<width>: one word per chain, also for S = double
///   UInt<Twin<L>>               Twin<UInt<L>>

#include <bit>
#include <cstdint>
#include <type_traits>

#include "kernels/lane/lane.hpp"

#if LOCKSTEP_WITH_XSIMD && (defined(__x86_64__) || defined(__i386__))
#include <immintrin.h>
#endif

namespace lockstep {

/// A 32 x 32 -> 64 bit product.
template <class U>
struct Wide {
  U hi, lo;
};

// ---- one chain
// ------------------------------------------------------------------------------------

LOCKSTEP_INLINE Wide<std::uint32_t> multiply_wide(std::uint32_t a, std::uint32_t b) {
  const std::uint64_t product = std::uint64_t{a} * b;
  return {static_cast<std::uint32_t>(product >> 32), static_cast<std::uint32_t>(product)};
}

/// a ^ b ^ c, one instruction where there is one.
LOCKSTEP_INLINE std::uint32_t xor3(std::uint32_t a, std::uint32_t b, std::uint32_t c) {
  return a ^ b ^ c;
}

/// Shift of a two's complement number: copies of the sign bit move in.
LOCKSTEP_INLINE std::uint32_t shift_right_signed(std::uint32_t a, int count) {
  return static_cast<std::uint32_t>(static_cast<std::int32_t>(a) >> count);
}

// ---- a register of chains
// -------------------------------------------------------------------------

#if LOCKSTEP_WITH_XSIMD
/// The compiler's vector of n values of type T.
template <class T, int n>
struct VectorOf {
  typedef T type __attribute__((vector_size(n * sizeof(T))));
};

/// `W` 32-bit words. A struct around the compiler's own vector type, which exists for every width
/// on every instruction set and whose arithmetic wraps; xsimd has no batch of eight words beside
/// its eight doubles, and the names of its shifts and casts changed between versions.
template <int W>
struct UIntBatch {
  static constexpr int width = W;
  using Vector = typename VectorOf<std::uint32_t, W>::type;
  using SignedVector = typename VectorOf<std::int32_t, W>::type;
  Vector v;

  UIntBatch() = default;
  LOCKSTEP_INLINE explicit UIntBatch(Vector words) : v(words) {}
  /// The same word in every chain.
  LOCKSTEP_INLINE UIntBatch(std::uint32_t word) : v(word - Vector{}) {}

  LOCKSTEP_INLINE std::uint32_t operator[](int i) const { return v[i]; }
  LOCKSTEP_INLINE void set(int i, std::uint32_t word) { v[i] = word; }

  friend LOCKSTEP_INLINE UIntBatch operator+(UIntBatch a, UIntBatch b) {
    return UIntBatch(a.v + b.v);
  }
  friend LOCKSTEP_INLINE UIntBatch operator-(UIntBatch a, UIntBatch b) {
    return UIntBatch(a.v - b.v);
  }
  friend LOCKSTEP_INLINE UIntBatch operator^(UIntBatch a, UIntBatch b) {
    return UIntBatch(a.v ^ b.v);
  }
  friend LOCKSTEP_INLINE UIntBatch operator&(UIntBatch a, UIntBatch b) {
    return UIntBatch(a.v & b.v);
  }
  friend LOCKSTEP_INLINE UIntBatch operator|(UIntBatch a, UIntBatch b) {
    return UIntBatch(a.v | b.v);
  }
  friend LOCKSTEP_INLINE UIntBatch operator<<(UIntBatch a, int count) {
    return UIntBatch(a.v << count);
  }
  friend LOCKSTEP_INLINE UIntBatch operator>>(UIntBatch a, int count) {
    return UIntBatch(a.v >> count);
  }
};

/// The processor multiplies the even words of a register into 64-bit slots, so odd words take a
/// second multiplication; the halves are then interleaved again.
template <int W>
LOCKSTEP_INLINE Wide<UIntBatch<W>> multiply_wide(UIntBatch<W> a, std::uint32_t b) {
  using U = UIntBatch<W>;
  using V = typename U::Vector;
#if LOCKSTEP_WITH_XSIMD && defined(__AVX512F__)
  if constexpr (W == 16) {
    const __m512i x = __builtin_bit_cast(__m512i, a.v);
    const __m512i k = _mm512_set1_epi32(static_cast<int>(b));
    const __m512i even = _mm512_mul_epu32(x, k);
    const __m512i odd = _mm512_mul_epu32(_mm512_srli_epi64(x, 32), k);
    const __m512i hi = _mm512_mask_shuffle_epi32(odd, 0x5555, even, _MM_PERM_DDBB);
    const __m512i lo = _mm512_mask_shuffle_epi32(even, 0xAAAA, odd, _MM_PERM_CCAA);
    return {U(__builtin_bit_cast(V, hi)), U(__builtin_bit_cast(V, lo))};
  }
#endif
#if defined(__AVX2__)
  if constexpr (W == 8) {
    const __m256i x = __builtin_bit_cast(__m256i, a.v);
    const __m256i k = _mm256_set1_epi32(static_cast<int>(b));
    const __m256i even = _mm256_mul_epu32(x, k);
    const __m256i odd = _mm256_mul_epu32(_mm256_srli_epi64(x, 32), k);
    const __m256i hi = _mm256_blend_epi32(_mm256_srli_epi64(even, 32), odd, 0xAA);
    const __m256i lo = _mm256_blend_epi32(even, _mm256_slli_epi64(odd, 32), 0xAA);
    return {U(__builtin_bit_cast(V, hi)), U(__builtin_bit_cast(V, lo))};
  }
#endif
#if defined(__SSE2__)
  if constexpr (W == 4) {
    const __m128i x = __builtin_bit_cast(__m128i, a.v);
    const __m128i k = _mm_set1_epi32(static_cast<int>(b));
    const __m128i even = _mm_mul_epu32(x, k);
    const __m128i odd = _mm_mul_epu32(_mm_srli_epi64(x, 32), k);
    const __m128i low_half = _mm_set1_epi64x(0xFFFFFFFF);
    const __m128i hi = _mm_or_si128(_mm_srli_epi64(even, 32), _mm_andnot_si128(low_half, odd));
    const __m128i lo = _mm_or_si128(_mm_and_si128(low_half, even), _mm_slli_epi64(odd, 32));
    return {U(__builtin_bit_cast(V, hi)), U(__builtin_bit_cast(V, lo))};
  }
#endif
#if defined(__aarch64__)
  if constexpr (W == 4) {
    const uint32x4_t x = __builtin_bit_cast(uint32x4_t, a.v);
    const uint32x4_t low = vreinterpretq_u32_u64(vmull_n_u32(vget_low_u32(x), b));
    const uint32x4_t high = vreinterpretq_u32_u64(vmull_n_u32(vget_high_u32(x), b));
    return {U(__builtin_bit_cast(V, vuzp2q_u32(low, high))),
            U(__builtin_bit_cast(V, vuzp1q_u32(low, high)))};
  }
#endif
  // Reached by the widths that have no such instruction.
  struct {
    std::uint32_t word[W];
  } hi, lo;
  for (int i = 0; i < W; ++i) {
    const Wide<std::uint32_t> one = multiply_wide(a[i], b);
    hi.word[i] = one.hi;
    lo.word[i] = one.lo;
  }
  return {U(__builtin_bit_cast(V, hi)), U(__builtin_bit_cast(V, lo))};
}

template <int W>
LOCKSTEP_INLINE UIntBatch<W> xor3(UIntBatch<W> a, UIntBatch<W> b, UIntBatch<W> c) {
#if LOCKSTEP_WITH_XSIMD && defined(__AVX512F__)
  if constexpr (W == 16) {
    constexpr int parity = 0x96;  // the truth table of a ^ b ^ c
    return UIntBatch<W>(
        __builtin_bit_cast(typename UIntBatch<W>::Vector,
                           _mm512_ternarylogic_epi32(__builtin_bit_cast(__m512i, a.v),
                                                     __builtin_bit_cast(__m512i, b.v),
                                                     __builtin_bit_cast(__m512i, c.v), parity)));
  }
#endif
  return a ^ b ^ c;
}

template <int W>
LOCKSTEP_INLINE UIntBatch<W> shift_right_signed(UIntBatch<W> a, int count) {
  using U = UIntBatch<W>;
  const auto shifted = __builtin_bit_cast(typename U::SignedVector, a.v) >> count;
  return U(__builtin_bit_cast(typename U::Vector, shifted));
}
#endif

// ---- two lanes in flight
// --------------------------------------------------------------------------

#define LOCKSTEP_TWIN_BITWISE(op)                                           \
  template <class U>                                                        \
  LOCKSTEP_INLINE Twin<U> operator op(const Twin<U>& a, const Twin<U>& b) { \
    return {a.lo op b.lo, a.hi op b.hi};                                    \
  }
LOCKSTEP_TWIN_BITWISE(^)
LOCKSTEP_TWIN_BITWISE(&)
LOCKSTEP_TWIN_BITWISE(|)
#undef LOCKSTEP_TWIN_BITWISE

template <class U>
LOCKSTEP_INLINE Twin<U> operator<<(const Twin<U>& a, int count) {
  return {a.lo << count, a.hi << count};
}
template <class U>
LOCKSTEP_INLINE Twin<U> operator>>(const Twin<U>& a, int count) {
  return {a.lo >> count, a.hi >> count};
}
template <class U>
LOCKSTEP_INLINE Wide<Twin<U>> multiply_wide(const Twin<U>& a, std::uint32_t b) {
  const Wide<U> lo = multiply_wide(a.lo, b), hi = multiply_wide(a.hi, b);
  return {{lo.hi, hi.hi}, {lo.lo, hi.lo}};
}
template <class U>
LOCKSTEP_INLINE Twin<U> xor3(const Twin<U>& a, const Twin<U>& b, const Twin<U>& c) {
  return {xor3(a.lo, b.lo, c.lo), xor3(a.hi, b.hi, c.hi)};
}
template <class U>
LOCKSTEP_INLINE Twin<U> shift_right_signed(const Twin<U>& a, int count) {
  return {shift_right_signed(a.lo, count), shift_right_signed(a.hi, count)};
}

// ---- between words and lanes
// ----------------------------------------------------------------------

template <class L>
struct UIntOf {
  using type = std::uint32_t;
};
#if LOCKSTEP_WITH_XSIMD
template <class S, class Arch>
struct UIntOf<xsimd::batch<S, Arch>> {
  using type = UIntBatch<lockstep::width<xsimd::batch<S, Arch>>>;
};
#endif
template <class L>
struct UIntOf<Twin<L>> {
  using type = Twin<typename UIntOf<L>::type>;
};

/// One 32-bit word for each chain of L.
template <class L>
using UInt = typename UIntOf<L>::type;

/// The words whose patterns are x's (float lanes).
template <class L>
LOCKSTEP_INLINE UInt<L> bits_of(const L& x) {
  static_assert(sizeof(Scalar<L>) == 4);
  if constexpr (std::is_floating_point_v<L>) {
    return std::bit_cast<std::uint32_t>(x);
  } else if constexpr (is_twin<L>) {
    return {bits_of(x.lo), bits_of(x.hi)};
  } else {
    return UInt<L>(__builtin_bit_cast(typename UInt<L>::Vector, x));
  }
}

/// The floats with these patterns (float lanes).
template <class L>
LOCKSTEP_INLINE L from_bits(const UInt<L>& a) {
  static_assert(sizeof(Scalar<L>) == 4);
  if constexpr (std::is_floating_point_v<L>) {
    return std::bit_cast<float>(a);
  } else if constexpr (is_twin<L>) {
    using Half = decltype(L::lo);
    return {from_bits<Half>(a.lo), from_bits<Half>(a.hi)};
  } else {
    return __builtin_bit_cast(L, a.v);
  }
}

/// The number that each word is as a two's complement integer, rounded to nearest.
template <class L>
LOCKSTEP_INLINE L signed_to_real(const UInt<L>& a) {
  if constexpr (std::is_floating_point_v<L>) {
    return static_cast<L>(static_cast<std::int32_t>(a));
  } else if constexpr (is_twin<L>) {
    using Half = decltype(L::lo);
    return {signed_to_real<Half>(a.lo), signed_to_real<Half>(a.hi)};
  } else {
#if LOCKSTEP_WITH_XSIMD
    using Reals = typename VectorOf<Scalar<L>, width<L>>::type;
    const auto integers = __builtin_bit_cast(typename UInt<L>::SignedVector, a.v);
    return __builtin_bit_cast(L, __builtin_convertvector(integers, Reals));
#endif
  }
}

/// The number that each word is, rounded to nearest.
template <class L>
LOCKSTEP_INLINE L to_real(const UInt<L>& a) {
  if constexpr (std::is_floating_point_v<L>) {
    return static_cast<L>(a);
  } else if constexpr (is_twin<L>) {
    using Half = decltype(L::lo);
    return {to_real<Half>(a.lo), to_real<Half>(a.hi)};
  } else {
#if LOCKSTEP_WITH_XSIMD && defined(__AVX512F__)
    if constexpr (width<L> == 16 && sizeof(Scalar<L>) == 4) {
      return __builtin_bit_cast(L, _mm512_cvtepu32_ps(__builtin_bit_cast(__m512i, a.v)));
    }
#endif
    // Below AVX-512 only signed words convert. Both halves and the product are exact, so the sum is
    // the only rounding.
    const L hi = signed_to_real<L>(a >> 16);
    const L lo = signed_to_real<L>(a & UInt<L>(0xFFFFu));
    return hi * L(65536) + lo;
  }
}

}  // namespace lockstep
