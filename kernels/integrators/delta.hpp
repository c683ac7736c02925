#pragma once

/// What changes when one coordinate of q does: the target's own `delta` with its cache, or the
/// difference of two potentials.

#include <limits>
#include <type_traits>
#include <utility>

#include "kernels/autodiff/gradient.hpp"

namespace lockstep {

/// What is known at q without the target's help: U there, and at the last place looked at.
/// @tparam U  what the target's potential returns: the lane, or a Sum of it
template <class U>
struct PotentialCache {
  U here, there;
};

template <class Target, class L>
concept HasDelta = requires(const Target& t, const L* q, const L& to,
                            typename Target::template Cache<L>& cache) {
  t.prepare(q, cache);
  { t.delta(0, q, to, cache) } -> std::convertible_to<L>;
  t.commit(0, q, to, to < to, cache);
};

template <class Target, class L>
struct CacheOf {
  using Type = PotentialCache<
      std::decay_t<decltype(std::declval<const Target&>().potential(std::declval<const L*>()))>>;
};
template <class Target, class L>
requires HasDelta<Target, L>
struct CacheOf<Target, L> {
  using Type = typename Target::template Cache<L>;
};
/// What the target keeps between visits of a sweep.
template <class Target, class L>
using Cache = typename CacheOf<Target, L>::Type;

/// Fills the cache for q, [dim].
template <class Target, class L>
LOCKSTEP_INLINE void prepare(const Target& target, const L* q, Cache<Target, L>& cache) {
  if constexpr (HasDelta<Target, L>) {
    target.prepare(q, cache);
  } else {
    cache.here = target.potential(q);
  }
}

/// U(q with q_j = to) - U(q), +infinity or not a number outside the support. Leaves q as it is.
template <class Target, class L>
LOCKSTEP_INLINE L delta(const Target& target, int j, L* q, const L& to, Cache<Target, L>& cache) {
  if constexpr (HasDelta<Target, L>) {
    return target.delta(j, static_cast<const L*>(q), to, cache);
  } else {
    const L from = q[j];
    q[j] = to;
    cache.there = target.potential(static_cast<const L*>(q));
    q[j] = from;
    if constexpr (std::is_same_v<decltype(cache.there), L>) {
      return cache.there - cache.here;
    } else {
      // What a sum's low part makes of infinity is no number.
      const L rise = (cache.there - cache.here).value();
      return select(is_finite(cache.there.hi), rise, L(std::numeric_limits<Scalar<L>>::infinity()));
    }
  }
}

/// Moves q_j to `to` in the chains that do move, after `delta` has looked there.
template <class Target, class L>
LOCKSTEP_INLINE void commit(const Target& target, int j, L* q, const L& to, const Mask<L>& moves,
                            Cache<Target, L>& cache) {
  if constexpr (HasDelta<Target, L>) {
    target.commit(j, static_cast<const L*>(q), to, moves, cache);
  } else {
    cache.here = select(moves, cache.there, cache.here);
  }
  q[j] = select(moves, to, q[j]);
}

}  // namespace lockstep
