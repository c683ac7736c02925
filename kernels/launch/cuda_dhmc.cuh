#pragma once

/// DHMC, Mixed HMC and Gibbs on CUDA. A chain is a thread. Which coordinate a visit changes is
/// known only when the program runs, and registers have no index, so the thread works in a slice of
/// its block's shared memory. Slices follow each other at an odd number of words: as all chains
/// visit the same coordinate at the same time, the threads of a warp read 32 different banks.

#include "kernels/launch/cuda.cuh"
#include "kernels/launch/dhmc.hpp"

namespace lockstep {

namespace cuda {

/// A block's slices.
extern __shared__ float slices[];

/// A chain to a thread, with a slice to work in (transitions/workspace.hpp).
/// @tparam Words  from one slice to the next
template <int Words>
struct Sliced : Solo {
  static_assert(Words % 2 == 1);
  LOCKSTEP_INLINE void* memory() const {
#if defined(__CUDA_ARCH__)
    return slices + threadIdx.x * Words;
#else
    return nullptr;
#endif
  }
  LOCKSTEP_INLINE Sliced again() const {
    return {};
  }
};

/// What a transition of this file works in for this target.
template <class Target, class Transition>
using WorkOf = typename Transition::template Work<Target, float, capacity<Target>>;

/// 4-byte words of a slice for T.
template <class T>
inline constexpr int slice_words = static_cast<int>(sizeof(T) / sizeof(float)) | 1;

/// Shared memory of a block that an H100 offers, and of a multiprocessor with the kilobyte that
/// each block takes besides.
inline constexpr int kMostShared = 227 << 10, kMultiprocessorShared = 228 << 10;

template <class Target, class Transition>
inline constexpr int bytes_of_slices =
    kBlock* static_cast<int>(sizeof(float)) * slice_words<WorkOf<Target, Transition>>;

/// Registers for as many blocks as shared memory has room for, and 80 at least: a transition around
/// the visits spills with fewer.
constexpr int blocks_of_slices(int bytes) {
  const int blocks = kMultiprocessorShared / (bytes + 1024);
  return blocks < 1 ? 1 : blocks > 6 ? 6 : blocks;
}

/// advance_kernel, in slices.
template <class Stream, class Target, class Transition>
__global__ void __launch_bounds__(kBlock, blocks_of_slices(bytes_of_slices<Target, Transition>))
    advance_slices_kernel(const __grid_constant__ Target target,
                          const __grid_constant__ Transition transition,
                          const __grid_constant__ Sweep<float> sweep) {
  const std::int64_t chain = sweep.begin + std::int64_t{blockIdx.x} * kBlock + threadIdx.x;
  if (chain < sweep.end) {
    using Group = Sliced<slice_words<WorkOf<Target, Transition>>>;
    advance_chains<float, Stream>(target, transition, Group{}, sweep.chains, sweep.seed, chain,
                                  sweep.first, sweep.count, sweep.trace);
  }
}

/// Transitions that have a workspace, for targets of which a block's fit. Any other runs with its
/// arrays in local memory.
template <class Target, class Transition>
concept RunsInSlices = requires {
  requires Transition::works_in_memory;
  requires alignof(WorkOf<Target, Transition>) <= sizeof(float);
  requires bytes_of_slices<Target, Transition>
  <= kMostShared;
};

template <class Stream, class Target, class Transition>
requires RunsInSlices<Target, Transition>
struct Plan<float, Stream, Solo, Target, Transition> {
  static constexpr int threads = kBlock, chains_per_block = kBlock;
  static auto kernel() { return advance_slices_kernel<Stream, Target, Transition>; }
  static std::size_t shared_bytes(const Target&, const Transition&) {
    return bytes_of_slices<Target, Transition>;
  }
};

}  // namespace cuda

template <class Target>
std::unique_ptr<Engine> make_cuda_discontinuous_engine(const Target& target,
                                                       const SampleOptions& options) {
  return make_cuda_engine_with<float, Target, DiscontinuousSettings<float>>(target, options);
}

}  // namespace lockstep
