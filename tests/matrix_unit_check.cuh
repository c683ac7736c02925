#pragma once

/// Whether the matrix unit's instruction does what lane/matrix_unit.cuh says: for a card and for
/// the emulated one.

#include <cstdint>
#include <random>
#include <vector>

#include "kernels/lane/matrix_unit.cuh"
#include "kernels/launch/cuda_memory.cuh"

namespace lockstep::testing {

/// c += a b by one warp, from and to plain matrices.
/// @param a  [16][16]
/// @param b  [16][8]
/// @param c  [16][8]
template <int = 0>
__global__ void product_kernel(const float* a, const float* b, float* c) {
  const int g = static_cast<int>(threadIdx.x) / 4, t = static_cast<int>(threadIdx.x) % 4;
  std::uint32_t as[4], bs[2];
  float cs[4];
  for (int i = 0; i < 4; ++i) {
    const float* from = a + (g + 8 * (i % 2)) * 16 + 2 * t + 8 * (i / 2);
    as[i] = matrix_unit::word(from[0], from[1]);
  }
  for (int i = 0; i < 2; ++i) {
    const float* from = b + (2 * t + 8 * i) * 8 + g;
    bs[i] = matrix_unit::word(from[0], from[8]);
  }
  for (int i = 0; i < 4; ++i) {
    cs[i] = c[(g + 8 * (i / 2)) * 8 + 2 * t + i % 2];
  }
  matrix_unit::add_product(cs, as, bs[0], bs[1]);
  for (int i = 0; i < 4; ++i) {
    c[(g + 8 * (i / 2)) * 8 + 2 * t + i % 2] = cs[i];
  }
}

/// Numbers of the products of random matrices of small integers, which are exact in any order of
/// sums, that are not as a plain product has them.
inline int wrong_products(int repetitions) {
  std::mt19937 bits(1);
  const auto random = [&](std::size_t n) {
    std::vector<float> m(n);
    for (float& x : m) {
      x = static_cast<float>(bits() % 255) - 127;  // eight bits, a bfloat16
    }
    return m;
  };
  cuda::WorkStream stream;
  cuda::DeviceArray<float> on_a(256, "a"), on_b(128, "b"), on_c(128, "c");
  int wrong = 0;
  for (int repetition = 0; repetition < repetitions; ++repetition) {
    const std::vector<float> a = random(256), b = random(128), c = random(128);
    std::vector<float> found(128);
    on_a.upload(a.data(), stream);
    on_b.upload(b.data(), stream);
    on_c.upload(c.data(), stream);
    cuda::launch_blocks(product_kernel<>, 1, 32, 0, stream, "a product", on_a.data(), on_b.data(),
                        on_c.data());
    on_c.download(found.data(), stream);
    for (std::size_t row = 0; row < 16; ++row) {
      for (std::size_t column = 0; column < 8; ++column) {
        float sum = c[row * 8 + column];
        for (std::size_t k = 0; k < 16; ++k) {
          sum += a[row * 16 + k] * b[k * 8 + column];
        }
        wrong += found[row * 8 + column] != sum;
      }
    }
  }
  return wrong;
}

}  // namespace lockstep::testing
