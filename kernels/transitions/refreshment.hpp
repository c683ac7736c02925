#pragma once

/// Where a transition's momentum and acceptance variate come from.

#include "kernels/lane/group.hpp"
#include "kernels/random/distributions.hpp"

namespace lockstep {

/// Local slots rounded up to whole Philox blocks.
template <int N, class Group>
inline constexpr int whole_quads = (slots<N, Group> + 3) / 4 * 4;

/// Fills z with the chain's standard normals for this transition and returns a uniform on (0, 1].
///
/// @param z  [whole_quads], the thread's slice; what lies beyond its coordinates is written and
/// unused
///
/// Coordinate j takes word j of the transition's Philox sequence (pairs give pairs), the acceptance
/// variate the next unused word, which in few dimensions lies in the same block.
template <int N, bool Exact, class L, class Group, class Stream>
LOCKSTEP_INLINE L normals_and_uniform(const Group& group, int dim, const Stream& stream,
                                      std::uint32_t transition, L* z) {
  const auto quad = [&](int block) {
    return words(stream, transition, Purpose::transition, static_cast<std::uint32_t>(block));
  };
  const int spare = dim + (dim & 1);  // the first word that no pair uses
  L u = L(0);
  const auto fill = [&](int slot, int block) {
    const auto word = quad(block);
    const auto first = normal_pair(word[0], word[1]);
    const auto second = normal_pair(word[2], word[3]);
    z[slot] = first.first;
    z[slot + 1] = first.second;
    z[slot + 2] = second.first;
    z[slot + 3] = second.second;
    if (4 * block + 2 == spare) {
      u = uniform(word[2]);
    }
  };
  if constexpr (Exact) {
    LOCKSTEP_UNROLL
    for (int slot = 0; slot < slots<N, Group>; slot += 4) {
      const int block = group.coordinate(slot) / 4;
      if (4 * block < N) {
        fill(slot, block);
      }
    }
  } else {
    for (int slot = 0; slot < dim; slot += 4) {
      fill(slot, slot / 4);
    }
  }
  if (spare % 4 == 0 || Group::size > 1) {
    u = uniform(quad(spare / 4)[spare % 4]);
  }
  return u;
}

/// p ~ N(0, M), afresh every transition: HMC and MALA.
struct FullRefreshment {
  static constexpr bool persistent = false;

  template <int N, bool Exact, class Kinetic, class L, class Group, class Stream>
  LOCKSTEP_INLINE L operator()(const Kinetic& kinetic, const Group& group, int dim,
                               const Stream& stream, std::uint32_t transition, L* p) const {
    L z[whole_quads<N, Group>];
    const L u = normals_and_uniform<N, Exact>(group, dim, stream, transition, z);
    kinetic.momentum(group, z, p);
    return u;
  }
};

/// p <- c p + sqrt(1 - c^2) xi, xi ~ N(0, M): generalised HMC (Horowitz, Phys. Lett. B 268 (1991)
/// 247). c = 0 is HMC.
struct PartialRefreshment {
  static constexpr bool persistent = true;
  double persistence = 0.0;  // c, in [0, 1)

  template <int N, bool Exact, class Kinetic, class L, class Group, class Stream>
  LOCKSTEP_INLINE L operator()(const Kinetic& kinetic, const Group& group, int dim,
                               const Stream& stream, std::uint32_t transition, L* p) const {
    L z[whole_quads<N, Group>];
    L fresh[slots<N, Group>];
    const L u = normals_and_uniform<N, Exact>(group, dim, stream, transition, z);
    kinetic.momentum(group, z, fresh);
    const L keep = L(static_cast<Scalar<L>>(persistence));
    const L renew = sqrt(L(1) - keep * keep);
    for_slots<N, Exact>(group, dim, [&](int s, int) { p[s] = fma(keep, p[s], renew * fresh[s]); });
    return u;
  }
};

}  // namespace lockstep
