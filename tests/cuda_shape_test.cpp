// How chains are laid over a card, checked where there is none.

#include "kernels/launch/cuda_shape.hpp"

#include <string>

#include <gtest/gtest.h>

#include "kernels/lane/group.hpp"
#include "kernels/launch/make.hpp"
#include "lockstep/options.hpp"
#include "tests/message_of.hpp"

namespace lockstep {
namespace {

constexpr int kHopper = 132;  // multiprocessors of an H200
constexpr std::int64_t kMany = 1'000'000;

TEST(CudaShape, GroupsHaveWorkForEveryThread) {
  EXPECT_EQ(cuda::largest_group(1), 1);
  EXPECT_EQ(cuda::largest_group(4), 1);
  EXPECT_EQ(cuda::largest_group(5), 2);
  EXPECT_EQ(cuda::largest_group(16), 4);
  EXPECT_EQ(cuda::largest_group(50), 16);  // 13 quads
  EXPECT_EQ(cuda::largest_group(128), 32);
  EXPECT_EQ(cuda::largest_group(5000), 32);
}

TEST(CudaShape, ManyChainsShareOnlyWhatDoesNotFitRegisters) {
  const auto threads = [](int dim) {
    return cuda::threads_per_chain(dim, kMany, kHopper, cuda::largest_group(dim));
  };
  EXPECT_EQ(threads(2), 1);
  EXPECT_EQ(threads(24), 1);
  EXPECT_EQ(threads(25), 2);
  EXPECT_EQ(threads(50), 4);
  EXPECT_EQ(threads(64), 4);
}

TEST(CudaShape, FewChainsShareUntilTheCardIsFull) {
  const auto threads = [](std::int64_t chains) {
    return cuda::threads_per_chain(50, chains, kHopper, cuda::largest_group(50));
  };
  EXPECT_EQ(threads(64), 16);       // as far as there is work
  EXPECT_EQ(threads(1024), 16);     // 16384 threads, under a warp per scheduler
  EXPECT_EQ(threads(132 * 16), 8);  // exactly a warp per scheduler with 8
  EXPECT_EQ(threads(132 * 16 - 1), 16);
  EXPECT_EQ(threads(132 * 32), 4);
  EXPECT_EQ(cuda::threads_per_chain(2, 64, kHopper, 1), 1);   // nothing to share
  EXPECT_EQ(cuda::threads_per_chain(50, 64, kHopper, 1), 1);  // not allowed to
}

TEST(CudaShape, PairsWaitUntilTheyFillTheCard) {
  EXPECT_FALSE(cuda::pairs_fill(100'000, kHopper));
  EXPECT_TRUE(cuda::pairs_fill(262'144, kHopper));
}

TEST(CudaShape, OwnChoiceIsCheckedAndKept) {
  for (const int threads : {1, 2, 4, 8, 16}) {
    EXPECT_EQ(cuda::checked_threads_per_chain(threads, 50, 16), threads);
  }
  const auto message = [](int wanted, int dim, int largest) {
    return message_of([&] { cuda::checked_threads_per_chain(wanted, dim, largest); });
  };
  EXPECT_NE(message(3, 50, 16).find("is 3, but must be 1, 2, 4, 8, 16 or 32"), std::string::npos);
  EXPECT_NE(message(-2, 50, 16).find("is -2"), std::string::npos);
  EXPECT_NE(message(64, 512, 32).find("is 64"), std::string::npos);
  EXPECT_NE(message(32, 50, 16).find("at most 16 threads"), std::string::npos);
  EXPECT_NE(message(2, 25, 1).find("one thread per chain"), std::string::npos);
}

TEST(CudaShape, TilesCoverTheChainsEvenly) {
  for (const std::int64_t padded : {64, 1024, 65536, 262144, 1048576, 1000064}) {
    for (const std::int64_t resident : {4224, 16896, 67584, 270336}) {
      for (const std::int64_t cached : {100, 3000, 40000}) {
        const std::int64_t tile = cuda::chains_per_tile(padded, resident, cached, 64);
        const std::int64_t tiles = (padded + tile - 1) / tile;
        const std::int64_t last = padded - (tiles - 1) * tile;
        EXPECT_EQ(tile % 64, 0);
        EXPECT_LE(tile, std::max(resident, cached) + 63);
        EXPECT_GT(last, 0);
        EXPECT_GE(last, tile - 64 * tiles) << padded << " chains in tiles of " << tile;
      }
    }
  }
  // No more tiles than it takes.
  EXPECT_EQ(cuda::chains_per_tile(1024, 270336, 0, 64), 1024);
  EXPECT_EQ(cuda::chains_per_tile(270400, 270336, 0, 64), 135232);
}

TEST(CudaShape, RegistersFollowTheCoordinatesOfAThread) {
  EXPECT_EQ(cuda::blocks_per_multiprocessor(2), 4);
  EXPECT_EQ(cuda::blocks_per_multiprocessor(16), 4);
  EXPECT_EQ(cuda::blocks_per_multiprocessor(24), 3);
  EXPECT_EQ(cuda::blocks_per_multiprocessor(50), 2);
}

// ---- which backend runs -------------------------------------------------------------------------

TEST(Backends, TheCpuIsAlwaysThere) {
  EXPECT_EQ(resolve_backend(Backend::cpu, true), Backend::cpu);
  EXPECT_EQ(resolve_backend(Backend::automatic, false), Backend::cpu);
}

TEST(Backends, CudaIsRefusedWithTheReason) {
  const auto message = [](bool compiled) {
    return message_of<BackendError>([&] { resolve_backend(Backend::cuda, compiled); });
  };
  EXPECT_NE(message(false).find("compiled for the CPU only"), std::string::npos);

  std::string why;
  if (!cuda_devices(&why).empty()) {
    EXPECT_TRUE(why.empty());
    EXPECT_EQ(resolve_backend(Backend::cuda, true), Backend::cuda);
    EXPECT_EQ(resolve_backend(Backend::automatic, true), Backend::cuda);
    return;
  }
  EXPECT_FALSE(why.empty());
  EXPECT_EQ(built_with_cuda(), why.find("this build has no CUDA") == std::string::npos);
  EXPECT_NE(message(true).find("no usable CUDA device: " + why), std::string::npos);
  EXPECT_EQ(resolve_backend(Backend::automatic, true), Backend::cpu);
}

}  // namespace
}  // namespace lockstep
