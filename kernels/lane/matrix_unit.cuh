#pragma once

/// One instruction of an NVIDIA card's matrix unit, mma.sync.m16n8k16 (PTX ISA, "Matrix Fragments
/// for mma.m16n8k16 with floating point type"): a warp adds the product of a 16 x 16 and a 16 x 8
/// matrix of bfloat16 to a 16 x 8 matrix of floats. Thread `lane` of the warp holds, with g = lane
/// / 4, t = lane % 4 and two numbers to a word, the first of them in its lower half,
///
///   a[i]  row g + 8 (i % 2),  columns 2 t + 8 (i / 2) and the next      i = 0 .. 3
///   b[i]  rows 2 t + 8 i and the next,  column g                        i = 0, 1
///   c[i]  row g + 8 (i / 2),  column 2 t + i % 2                        i = 0 .. 3
///
/// The products of two bfloat16 are exact in float. How the unit rounds their sum is not
/// documented; it is at least as good as float's truncation.

#include <bit>
#include <cstdint>

#include "lockstep/config.hpp"

namespace lockstep::matrix_unit {

/// What cards have it: those of compute capability 8.0 and above.
inline constexpr int kLeastMajor = 8;

/// A word of two bfloat16, each the nearest to its float, ties to even.
LOCKSTEP_INLINE std::uint32_t word(float lower, float upper) {
#if defined(__CUDACC_VER_MAJOR__) && defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
  std::uint32_t both;
  asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(both) : "f"(upper), "f"(lower));
  return both;
#else
  const auto rounded = [](float x) {
    const auto bits = std::bit_cast<std::uint32_t>(x);
    return x != x ? 0x7FFFu : (bits + 0x7FFFu + (bits >> 16 & 1u)) >> 16;
  };
  return rounded(lower) | rounded(upper) << 16;
#endif
}
LOCKSTEP_INLINE float lower(std::uint32_t word) {
  return std::bit_cast<float>(word << 16);
}
LOCKSTEP_INLINE float upper(std::uint32_t word) {
  return std::bit_cast<float>(word & 0xFFFF0000u);
}

/// Two floats as sums of two bfloat16 each: x = big + small + r, |r| <= 2^-16 |x|. A bfloat16 has 8
/// bits, so |x - big| <= 2^-8 |x|, which is exact in float; rounding it again leaves 2^-8 of it.
struct Split {
  std::uint32_t big, small;
};
LOCKSTEP_INLINE Split split(float first, float second) {
  const std::uint32_t big = word(first, second);
  return {big, word(first - lower(big), second - upper(big))};
}

#if defined(__CUDACC__)
/// c += a b. All threads of the warp.
__device__ __forceinline__ void add_product(float (&c)[4], const std::uint32_t (&a)[4],
                                            std::uint32_t b0, std::uint32_t b1) {
#if !defined(__CUDACC_VER_MAJOR__)
  emulated::mma_m16n8k16(c, a, {b0, b1});  // no nvcc, so no card either (tests/emulated_cuda)
#elif __CUDA_ARCH__ >= 800
  asm("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 "
      "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
      : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
#else
  __trap();  // an older card, on which nobody launches a kernel with this in it
#endif
}
#endif

}  // namespace lockstep::matrix_unit
