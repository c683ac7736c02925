#pragma once

/// DHMC on CUDA for the 0-1 loss, whose passes over observations are a block's common work
/// (integrators/zero_one_tile.cuh).

#include "kernels/integrators/zero_one_tile.cuh"
#include "kernels/launch/cuda_dhmc.cuh"

namespace lockstep::cuda {

/// What advance_kernel does, by blocks of which the first warp's threads have a chain each.
template <class Stream, int Max, class Transition>
__global__ void __launch_bounds__(tile::kOwners + tile::kHelpers, 1)
    advance_zero_one_kernel(const __grid_constant__ ZeroOne<float, Max> target,
                            const __grid_constant__ Transition transition,
                            const __grid_constant__ Sweep<float> sweep) {
  if (threadIdx.x < tile::kOwners) {
    const std::int64_t chain = sweep.begin + std::int64_t{blockIdx.x} * tile::kOwners + threadIdx.x;
    advance_chains<float, Stream>(TiledZeroOne<Max>(target), transition, Solo{}, sweep.chains,
                                  sweep.seed, chain, sweep.first, sweep.count, sweep.trace);
    tile::dismiss(target.design().rows);
  } else {
    tile::help(target.design());
  }
}

/// The transitions that visit coordinates; a random walk's proposals have no more to share than
/// other targets' have.
template <class Stream, int Max, class Transition>
requires(
    Transition::works_in_memory) struct Plan<float, Stream, Solo, ZeroOne<float, Max>, Transition> {
  static constexpr int threads = tile::kOwners + tile::kHelpers, chains_per_block = tile::kOwners;
  static auto kernel() { return advance_zero_one_kernel<Stream, Max, Transition>; }
  static std::size_t shared_bytes(const ZeroOne<float, Max>& target, const Transition&) {
    return tile::Desk::bytes(target.design().rows);
  }
};

}  // namespace lockstep::cuda
