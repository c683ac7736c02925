#pragma once

/// A group is the 1, 2, 4, 8 or 32 CUDA threads that share one chain. Each holds a slice of its
/// coordinates; sums over coordinates cross the group. On the CPU a group is one lane.
///
/// Coordinates are dealt in quads, because one Philox block yields four normals: thread r of G
/// holds quads r, r + G, r + 2G, ... Its local slot s is coordinate 4 (r + G (s / 4)) + s % 4.

#include "kernels/lane/lane.hpp"
#include "kernels/lane/sum.hpp"

namespace lockstep {

/// One thread, or one SIMD lane, is the whole chain.
struct Solo {
  static constexpr int size = 1;
  LOCKSTEP_INLINE int rank() const { return 0; }
  LOCKSTEP_INLINE int coordinate(int slot) const { return slot; }
  template <class T>
  LOCKSTEP_INLINE T exchange(const T& x, int) const {
    return x;
  }
  LOCKSTEP_INLINE Solo again() const { return {}; }
};

#if defined(__CUDACC__)
/// G neighbouring threads of a warp.
template <int G>
struct Tile {
  static_assert(G == 2 || G == 4 || G == 8 || G == 16 || G == 32);
  static constexpr int size = G;
  LOCKSTEP_INLINE Tile() {
#if defined(__CUDA_ARCH__)
    rank_ = static_cast<int>(threadIdx.x) & (G - 1);
#endif
  }
  LOCKSTEP_INLINE int rank() const {
    return rank_;
  }
  /// The same group, which the compiler takes for another one. What depends on the rank, such as
  /// the constants of the thread's coordinates, is then read where it is used: moved out of a loop
  /// over transitions, it would fill the registers that the state needs.
  LOCKSTEP_INLINE Tile again() const {
    Tile same = *this;
#if defined(__CUDA_ARCH__)
    asm volatile("" : "+r"(same.rank_));
#endif
    return same;
  }
  LOCKSTEP_INLINE int coordinate(int slot) const {
    return 4 * (rank() + G * (slot / 4)) + slot % 4;
  }
  /// The value that the thread `distance` away (in the butterfly sense) passes in the same call.
  template <class S>
  LOCKSTEP_INLINE Sum<S> exchange(const Sum<S>& x, int distance) const {
#if defined(__CUDA_ARCH__)
    return {__shfl_xor_sync(0xffffffffu, x.hi, distance),
            __shfl_xor_sync(0xffffffffu, x.lo, distance)};
#else
    return x;
#endif
  }

 private:
  int rank_ = 0;
};
#endif

/// Local slots that a thread of a group needs for N coordinates.
template <int N, class Group>
inline constexpr int slots = Group::size == 1 ? N
                                              : 4 * (((N + 3) / 4 + Group::size - 1) / Group::size);

/// Calls f(slot, coordinate) for each coordinate < dim that this thread holds. `Exact` says that
/// dim equals the compile-time N: the loop unrolls and arrays indexed by the slot stay in
/// registers.
template <int N, bool Exact, class Group, class F>
LOCKSTEP_INLINE void for_slots(const Group& group, int dim, F f) {
  if constexpr (Exact && Group::size == 1) {
    LOCKSTEP_UNROLL
    for (int s = 0; s < N; ++s) {
      f(s, s);
    }
  } else if constexpr (Exact) {
    LOCKSTEP_UNROLL
    for (int s = 0; s < slots<N, Group>; ++s) {
      const int j = group.coordinate(s);
      if (j < N) {
        f(s, j);
      }
    }
  } else {
    static_assert(Group::size == 1, "run-time dimensions are not shared between threads");
    for (int s = 0; s < dim; ++s) {
      f(s, s);
    }
  }
}

/// sum_j term(slot, j) over all coordinates of the chain, known to every thread of the group.
///
/// Four terms of a quad are added plainly; quads are added with compensation in one fixed tree over
/// (quad mod 32), so the result does not depend on how many threads share the chain.
template <class L, int N, bool Exact, class Group, class F>
LOCKSTEP_INLINE Sum<L> sum_coordinates(const Group& group, int dim, F term) {
  constexpr int local_quads = (slots<N, Group> + 3) / 4;
  constexpr int leaves_wanted = 32 / Group::size;
  constexpr int leaves = local_quads < leaves_wanted ? local_quads : leaves_wanted;
  Sum<L> partial[leaves];
  if constexpr (Exact) {
    LOCKSTEP_UNROLL
    for (int k = 0; k < local_quads; ++k) {
      L quad = L(0);
      LOCKSTEP_UNROLL
      for (int i = 0; i < 4; ++i) {
        const int s = 4 * k + i;
        if (s < slots<N, Group> && group.coordinate(s) < N) {
          quad = quad + term(s, group.coordinate(s));
        }
      }
      partial[k % leaves] += quad;
    }
  } else {
    for (int k = 0; 4 * k < dim; ++k) {
      L quad = L(0);
      for (int s = 4 * k; s < 4 * k + 4 && s < dim; ++s) {
        quad = quad + term(s, s);
      }
      partial[k % leaves] += quad;
    }
  }
  LOCKSTEP_UNROLL
  for (int distance = leaves_wanted / 2; distance > 0; distance /= 2) {
    LOCKSTEP_UNROLL
    for (int k = 0; k < distance; ++k) {
      if (k + distance < leaves) {
        partial[k] += partial[k + distance];
      }
    }
  }
  Sum<L> total = partial[0];
  LOCKSTEP_UNROLL
  for (int distance = Group::size / 2; distance > 0; distance /= 2) {
    total += group.exchange(total, distance);
  }
  return total;
}

}  // namespace lockstep
