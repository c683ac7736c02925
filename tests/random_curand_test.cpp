/// The stream against cuRAND itself, which needs no device for this: its host generator runs on the
/// CPU, and so does its device generator when the compiler sees it as ordinary functions.

#include <gtest/gtest.h>

#if !LOCKSTEP_WITH_CURAND

TEST(Curand, Words) {
  GTEST_SKIP() << "built without cuRAND (LOCKSTEP_WITH_CURAND): install the CUDA Toolkit's cuRAND";
}

#else

#include <curand.h>
#define QUALIFIERS static inline  // curand_kernel.h's functions become functions of the host
#include <cstdint>
#include <vector>

#include <curand_kernel.h>

#include "kernels/random/philox.hpp"

namespace lockstep {
namespace {

constexpr std::uint64_t seed = 0x0123456789ABCDEF;
/// The host generator deals blocks to this many subsequences in turn.
constexpr std::uint64_t subsequences = 65536;

/// `n` words of cuRAND's host generator from word `offset` on.
std::vector<std::uint32_t> host_words(std::uint64_t offset, std::size_t n) {
  std::vector<std::uint32_t> out(n);
  curandGenerator_t generator;
  EXPECT_EQ(curandCreateGeneratorHost(&generator, CURAND_RNG_PSEUDO_PHILOX4_32_10),
            CURAND_STATUS_SUCCESS);
  EXPECT_EQ(curandSetPseudoRandomGeneratorSeed(generator, seed), CURAND_STATUS_SUCCESS);
  EXPECT_EQ(curandSetGeneratorOffset(generator, offset), CURAND_STATUS_SUCCESS);
  EXPECT_EQ(curandGenerate(generator, out.data(), n), CURAND_STATUS_SUCCESS);
  EXPECT_EQ(curandDestroyGenerator(generator), CURAND_STATUS_SUCCESS);
  return out;
}

/// Word 4 b + j of the host generator is word j of block b / 65536 of chain b mod 65536.
template <class L>
int host_mismatches(const std::vector<std::uint32_t>& expected, std::uint32_t transition) {
  int mismatches = 0;
  const std::size_t blocks = expected.size() / 4;
  for (std::size_t b = 0; b < blocks; b += static_cast<std::size_t>(width<L>)) {
    const auto w = words(Stream<L>::of(seed, b % subsequences), transition, Purpose::start,
                         static_cast<std::uint32_t>(b / subsequences));
    for (int i = 0; i < 4; ++i) {
      for (int c = 0; c < width<L>; ++c) {
        const std::uint32_t own = [&] {
          if constexpr (width<L> == 1) {
            return w[i].bits;
          } else {
            return w[i].bits[c];
          }
        }();
        mismatches +=
            own != expected[4 * (b + static_cast<std::size_t>(c)) + static_cast<std::size_t>(i)];
      }
    }
  }
  return mismatches;
}

TEST(Curand, HostGeneratorsFirstWords) {
  const auto expected = host_words(0, std::size_t{1} << 23);
  EXPECT_EQ(host_mismatches<float>(expected, 0), 0);
  EXPECT_EQ(host_mismatches<FloatBatch>(expected, 0), 0);
  EXPECT_GT(host_mismatches<float>(expected, 1), 8000000);  // the comparison can fail
}

/// The transition is the upper half of cuRAND's block number: 2^32 blocks of all subsequences on.
TEST(Curand, HostGeneratorsLaterWords) {
  const std::uint64_t words_per_transition = 4 * subsequences << 32;
  const auto expected = host_words(3 * words_per_transition, std::size_t{1} << 20);
  EXPECT_EQ(host_mismatches<FloatBatch>(expected, 3), 0);
}

/// curand_init(seed, chain, 4 (transition << 32 | purpose << 24 | block)), at every scale of each.
TEST(Curand, DeviceGeneratorsCounters) {
  int compared = 0;
  for (const std::uint64_t chain :
       {0ull, 1ull, 65537ull, (1ull << 32) - 1, 1ull << 32, (3ull << 32) + 5, ~0ull}) {
    for (const std::uint32_t transition : {0u, 1u, 1000u, (1u << 30) - 1}) {
      for (const std::uint32_t purpose : {0u, 1u, 9u, 255u}) {
        for (const std::uint32_t block : {0u, 1u, 4095u, max_blocks - 1}) {
          const std::uint64_t counter =
              std::uint64_t{transition} << 32 | std::uint64_t{purpose} << 24 | block;
          curandStatePhilox4_32_10_t state;
          curand_init(seed, chain, 4 * counter, &state);
          const uint4 expected = curand4(&state);
          const auto w = words(Stream<float>::of(seed, chain), transition,
                               static_cast<Purpose>(purpose), block);
          ASSERT_EQ(w[0].bits, expected.x) << chain << ", " << counter;
          ASSERT_EQ(w[1].bits, expected.y) << chain << ", " << counter;
          ASSERT_EQ(w[2].bits, expected.z) << chain << ", " << counter;
          ASSERT_EQ(w[3].bits, expected.w) << chain << ", " << counter;
          ++compared;
        }
      }
    }
  }
  EXPECT_EQ(compared, 7 * 4 * 4 * 4);
}

}  // namespace
}  // namespace lockstep

#endif
