#pragma once

/// The shape of cuRAND's Philox generator, without its numbers: enough to see that an engine uses
/// it where it is asked for. Equality with cuRAND itself is tested in random_device_test.cu.

#include <cstdint>

struct uint4 {
  std::uint32_t x, y, z, w;
};
struct curandStatePhilox4_32_10_t {
  std::uint64_t seed, sequence, offset;
};

inline void curand_init(std::uint64_t seed, std::uint64_t sequence, std::uint64_t offset,
                        curandStatePhilox4_32_10_t* state) {
  *state = {seed, sequence, offset};
}
inline float4 curand_uniform4(curandStatePhilox4_32_10_t* state) {
  std::uint64_t h = state->seed * 3 + state->sequence * 5 + state->offset;
  float v[4];
  for (float& u : v) {
    h = h * 6364136223846793005u + 1442695040888963407u;
    u = (static_cast<float>(h >> 40) + 1.0f) * 0x1p-24f;
  }
  return {v[0], v[1], v[2], v[3]};
}
inline float4 curand_normal4(curandStatePhilox4_32_10_t* state) {
  const float4 u = curand_uniform4(state);
  return {4 * u.x - 2, 4 * u.y - 2, 4 * u.z - 2, 4 * u.w - 2};
}
inline uint4 curand4(curandStatePhilox4_32_10_t* state) {
  const float4 u = curand_uniform4(state);
  const auto word = [](float x) { return static_cast<std::uint32_t>(x * 0x1p31f); };
  return {word(u.x), word(u.y), word(u.z), word(u.w)};
}
