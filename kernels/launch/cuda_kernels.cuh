#pragma once

/// The two kernels that a target and a sampler are compiled into. Their bodies are advance.hpp's.

#include "kernels/launch/advance.hpp"
#include "kernels/launch/cuda_shape.hpp"
#include "kernels/transitions/hmc.hpp"

namespace lockstep::cuda {

/// One thread, or G neighbouring ones, per chain.
template <int G>
struct GroupOf {
  using Type = Tile<G>;
};
template <>
struct GroupOf<1> {
  using Type = Solo;
};

/// The most threads that can share a chain of this target: one, unless its coordinates do not see
/// each other (in U or on the reported scale) and their number is known to the compiler.
template <class S, class Target>
inline constexpr int largest_group_of = [] {
  if constexpr (Separable<Target> && exact_dimension<Target> && !HasConstrain<Target, S>) {
    return largest_group(capacity<Target>);
  } else {
    return 1;
  }
}();

/// The sampler that groups and cuRAND's generator are compiled for: HMC as most people run it, with
/// a unit or diagonal metric and leapfrog. The others run one thread per chain, with Lockstep's own
/// normals; each further combination would lengthen every build.
template <class Transition>
inline constexpr bool is_default_transition = false;
template <class S, int N, bool Exact>
inline constexpr bool is_default_transition<
    transitions::Hmc<DiagonalMetric<S, N, Exact>, Leapfrog, FullRefreshment>> = true;

/// Coordinates that a thread holds in registers. Arrays of targets whose dimension is known at run
/// time are indexed by a variable and live in local memory instead.
template <class Target, class Group>
inline constexpr int slots_in_registers =
    exact_dimension<Target> ? slots<capacity<Target>, Group> : 0;

/// U and dU/dq of chains [begin, end), both multiples of 32.
template <class S, class Target>
__global__ void __launch_bounds__(kBlock,
                                  blocks_per_multiprocessor(slots_in_registers<Target, Solo>))
    evaluate_kernel(const __grid_constant__ Target target,
                    const __grid_constant__ ChainsView<S> chains, std::int64_t begin,
                    std::int64_t end) {
  const std::int64_t chain = begin + std::int64_t{blockIdx.x} * kBlock + threadIdx.x;
  if (chain < end) {
    evaluate_chains<S>(target, Solo{}, chains, chain);
  }
}

/// What one launch of `advance_kernel` does: `count` transitions of chains [begin, end), both
/// multiples of 32, so that warps leave as a whole and groups can exchange values.
template <class S>
struct Sweep {
  ChainsView<S> chains;
  std::int64_t begin = 0, end = 0;
  std::uint64_t seed = 0;
  std::uint32_t first = 0;
  int count = 0;
  TraceView<S> trace;
};

/// Parameters are __grid_constant__: coordinates' constants are then read from constant memory
/// where they stand, by any index, and no thread makes a local copy.
template <class S, class Stream, class Group, class Target, class Transition>
__global__ void __launch_bounds__(kBlock,
                                  blocks_per_multiprocessor(slots_in_registers<Target, Group>))
    advance_kernel(const __grid_constant__ Target target,
                   const __grid_constant__ Transition transition,
                   const __grid_constant__ Sweep<S> sweep) {
  const std::int64_t thread = std::int64_t{blockIdx.x} * kBlock + threadIdx.x;
  const std::int64_t chain = sweep.begin + thread / Group::size;
  if (chain < sweep.end) {
    advance_chains<S, Stream>(target, transition, Group{}, sweep.chains, sweep.seed, chain,
                              sweep.first, sweep.count, sweep.trace);
  }
}

/// In place of a group: two chains to a thread, which share what both read.
struct Pairs {
  static constexpr int size = 1;
};

/// Transitions that run in pairs where there are chains enough to fill the card all the same.
template <class Transition>
inline constexpr bool runs_in_pairs = false;

/// advance_kernel, in pairs.
template <class S, class Target, class Transition>
__global__ void __launch_bounds__(kBlock, 4)
    advance_pairs_kernel(const __grid_constant__ Target target,
                         const __grid_constant__ Transition transition,
                         const __grid_constant__ Sweep<S> sweep) {
  using Pair = Twin<S>;
  const std::int64_t thread = std::int64_t{blockIdx.x} * kBlock + threadIdx.x;
  const std::int64_t chain = sweep.begin + 2 * thread;
  if (chain < sweep.end) {
    advance_chains<Pair, lockstep::Stream<Pair>>(target, transition, Solo{}, sweep.chains,
                                                 sweep.seed, chain, sweep.first, sweep.count,
                                                 sweep.trace);
  }
}

/// How a transition is launched; some have a kernel of their own.
template <class S, class Stream, class Group, class Target, class Transition>
struct Plan {
  static constexpr int threads = kBlock, chains_per_block = kBlock / Group::size;
  static auto kernel() { return advance_kernel<S, Stream, Group, Target, Transition>; }
  static std::size_t shared_bytes(const Target&, const Transition&) { return 0; }
};

template <class S, class Stream, class Target, class Transition>
struct Plan<S, Stream, Pairs, Target, Transition> {
  static constexpr int threads = kBlock, chains_per_block = 2 * kBlock;
  static auto kernel() { return advance_pairs_kernel<S, Target, Transition>; }
  static std::size_t shared_bytes(const Target&, const Transition&) { return 0; }
};

}  // namespace lockstep::cuda
