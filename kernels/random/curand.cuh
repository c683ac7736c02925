#pragma once

/// cuRAND's device generator with the interface of `Stream<float>`, for `--rng curand`. Its words
/// are those of philox.hpp; its normals and uniforms are cuRAND's own transforms of them, which use
/// the device's fast sine and logarithm and therefore differ from the CPU's in the last places.
///
/// The state is initialised at each draw rather than kept: with constant seed, chain and offset
/// `curand_init` is a few integer operations around one Philox evaluation, and a kept state would
/// tie the draws to the order of the launches. Parts of a block that a caller does not use are
/// removed by the compiler.

#include <cstdint>

#include <curand_kernel.h>

#include "kernels/random/distributions.hpp"

namespace lockstep {

/// A word together with what cuRAND makes of it. As a `Word<float>` it has all the other
/// distributions.
struct CurandWord : Word<float> {
  float normal_value, uniform_value;
};

struct CurandWords {
  CurandWord word[4];
  __device__ __forceinline__ const CurandWord& operator[](int i) const { return word[i]; }
};

/// One chain of one seed.
struct CurandStream {
  std::uint64_t seed, chain;

  static __device__ __forceinline__ CurandStream of(std::uint64_t seed, std::uint64_t first_chain) {
    return {seed, first_chain};
  }

  /// cuRAND's state before the given block. `transition` must be below 2^30: cuRAND counts words in
  /// 64 bits.
  __device__ __forceinline__ curandStatePhilox4_32_10_t state(std::uint32_t transition,
                                                              Purpose purpose,
                                                              std::uint32_t block) const {
    const std::uint64_t counter =
        std::uint64_t{transition} << 32 | static_cast<std::uint32_t>(purpose) << 24 | block;
    curandStatePhilox4_32_10_t s;
    curand_init(seed, chain, 4 * counter, &s);
    return s;
  }
};

/// The four words of a block, as `words(Stream<float>, ...)` gives them.
__device__ __forceinline__ CurandWords words(const CurandStream& stream, std::uint32_t transition,
                                             Purpose purpose, std::uint32_t block) {
  const auto start = stream.state(transition, purpose, block);
  auto s = start;
  const uint4 bits = curand4(&s);
  s = start;
  const float4 normal = curand_normal4(&s);
  s = start;
  const float4 uniform = curand_uniform4(&s);
  CurandWords r;
  r.word[0] = {{bits.x}, normal.x, uniform.x};
  r.word[1] = {{bits.y}, normal.y, uniform.y};
  r.word[2] = {{bits.z}, normal.z, uniform.z};
  r.word[3] = {{bits.w}, normal.w, uniform.w};
  return r;
}

/// cuRAND's uniform on (0, 1].
__device__ __forceinline__ float uniform(const CurandWord& word) {
  return word.uniform_value;
}

__device__ __forceinline__ float uniform_at(const CurandWords& words, int i) {
  return uniform(words[i]);
}

/// cuRAND's two standard normals of words (0, 1) or (2, 3) of one block.
__device__ __forceinline__ Pair<float> normal_pair(const CurandWord& a, const CurandWord& b) {
  return {a.normal_value, b.normal_value};
}

/// Coordinates 4 block, ..., 4 block + 3 of `normals`.
__device__ __forceinline__ void normal_quad(const CurandStream& stream, std::uint32_t transition,
                                            Purpose purpose, std::uint32_t block, float* out4) {
  const CurandWords w = words(stream, transition, purpose, block);
  LOCKSTEP_UNROLL
  for (int i = 0; i < 4; ++i) {
    out4[i] = w[i].normal_value;
  }
}

/// n standard normals; returns the uniform of the first word left over (see distributions.hpp).
__device__ __forceinline__ float normals(const CurandStream& stream, std::uint32_t transition,
                                         Purpose purpose, int n, float* out) {
  const int spare = first_word_after(n);
  float u = 0;
  for (int k = 0; 4 * k <= spare; ++k) {
    const CurandWords w = words(stream, transition, purpose, static_cast<std::uint32_t>(k));
    LOCKSTEP_UNROLL
    for (int i = 0; i < 4; ++i) {
      if (4 * k + i < n) {
        out[4 * k + i] = w[i].normal_value;
      }
      if (4 * k + i == spare) {
        u = w[i].uniform_value;
      }
    }
  }
  return u;
}

}  // namespace lockstep
