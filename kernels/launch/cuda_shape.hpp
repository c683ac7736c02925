#pragma once

/// How chains are laid over a card: threads per chain, registers per thread, chains at a time. Pure
/// arithmetic, so that it can be tested where there is no card.

#include <algorithm>
#include <bit>
#include <cstdint>
#include <string>

#include "lockstep/error.hpp"

namespace lockstep::cuda {

/// Threads of a block: four warps, one for each scheduler of a multiprocessor.
inline constexpr int kBlock = 128;

/// The largest group that still has work for all its threads: coordinates are dealt in quads
/// (lane/group.hpp).
constexpr int largest_group(int dim) {
  return std::min(32, static_cast<int>(std::bit_ceil(static_cast<unsigned>((dim + 3) / 4))));
}

/// Blocks per multiprocessor that a kernel's registers must allow, given the coordinates a thread
/// holds. A leapfrog transition needs about 6 registers per coordinate and 30 more, and a
/// multiprocessor has 65536: 512, 384 or 256 threads with up to 128, 168 or 255 registers each.
/// Fewer registers would spill; more would leave latency uncovered.
constexpr int blocks_per_multiprocessor(int slots) {
  return slots <= 16 ? 4 : slots <= 24 ? 3 : 2;
}

/// Threads that share a chain of a target whose coordinates can be shared: as few as keep its state
/// in registers, and more where the chains alone leave schedulers without a warp.
/// @param largest  1 where the target or the sampler cannot share
constexpr int threads_per_chain(int dim, std::int64_t chains, int multiprocessors, int largest) {
  int threads = dim <= 24 ? 1 : dim <= 36 ? 2 : 4;
  while (threads < largest && chains * threads < std::int64_t{multiprocessors} * kBlock) {
    threads *= 2;
  }
  return std::min(threads, largest);
}

/// True if chains fill a card two to a thread: with four blocks on each multiprocessor.
constexpr bool pairs_fill(std::int64_t chains, int multiprocessors) {
  return chains >= std::int64_t{multiprocessors} * 4 * kBlock * 2;
}

/// The caller's own choice, once it is known to be possible.
/// @throw UsageError  naming the choice and what is possible
inline int checked_threads_per_chain(int wanted, int dim, int largest) {
  const bool power =
      wanted > 0 && wanted <= 32 && std::has_single_bit(static_cast<unsigned>(wanted));
  require(power, "threads per chain is " + std::to_string(wanted) +
                     ", but must be 1, 2, 4, 8, 16 or 32 (0: chosen automatically)");
  require(wanted <= largest,
          "threads per chain is " + std::to_string(wanted) + ", but " +
              (largest == 1
                   ? std::string("this target and sampler run one thread per chain: only separable "
                                 "targets of fixed dimension share their coordinates, in HMC with "
                                 "leapfrog, a unit or diagonal metric and the philox generator; "
                                 "use 1 or 0")
                   : std::to_string(dim) + " coordinates keep at most " + std::to_string(largest) +
                         " threads busy; use that or fewer"));
  return wanted;
}

/// Chains that run together, a multiple of `block`; all tiles of a launch are about equally large.
///
/// A tile should fill the card; beyond that it is better small, because what it records stays in
/// the second-level cache until it is folded.
/// @param padded    chains, a multiple of block
/// @param resident  chains that the card holds at once
/// @param cached    chains whose trace fits the second-level cache
constexpr std::int64_t chains_per_tile(std::int64_t padded, std::int64_t resident,
                                       std::int64_t cached, std::int64_t block) {
  const std::int64_t wanted = std::max({resident, cached, block});
  const std::int64_t tiles = (padded + wanted - 1) / wanted;
  const std::int64_t even = (padded + tiles - 1) / tiles;
  return (even + block - 1) / block * block;
}

}  // namespace lockstep::cuda
