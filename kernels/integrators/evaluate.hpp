#pragma once

/// Potential, gradient and kick of a target on a thread group: whole chains through the target's own
/// functions, slices of a chain for separable targets.

#include "kernels/autodiff/gradient.hpp"
#include "kernels/lane/group.hpp"

namespace lockstep {

template <class Target>
inline constexpr bool exact_dimension = HasStaticDimension<Target>;

/// U(q), known to every thread of the group. `q` is the thread's slice, [slots].
template <class Target, class L, class Group>
LOCKSTEP_INLINE Sum<L> potential(const Target& target, const Group& group, const L* q) {
  if constexpr (Separable<Target>) {
    return sum_coordinates<L, capacity<Target>, exact_dimension<Target>>(
        group, dimension(target), [&](int s, int j) { return target.term(j, q[s]); });
  } else {
    static_assert(Group::size == 1, "only separable targets can be shared between threads");
    return potential(target, q);
  }
}

/// U(q), and dU/dq into `gradient`; both arrays are the thread's slice.
template <class Target, class L, class Group>
LOCKSTEP_INLINE Sum<L> potential_and_gradient(const Target& target, const Group& group, const L* q,
                                              L* gradient) {
  if constexpr (Separable<Target>) {
    for_slots<capacity<Target>, exact_dimension<Target>>(
        group, dimension(target), [&](int s, int j) { gradient[s] = target.slope(j, q[s]); });
    return potential(target, group, q);
  } else {
    static_assert(Group::size == 1, "only separable targets can be shared between threads");
    return potential_and_gradient(target, q, gradient);
  }
}

/// p_j + scale u_j'(x), for separable targets.
template <class Target, class L>
LOCKSTEP_INLINE L kick_term(const Target& target, int j, const L& x, const L& scale, const L& p) {
  if constexpr (HasKickTerm<Target, L>) {
    return target.kick_term(j, x, scale, p);
  } else {
    return fma(scale, target.slope(j, x), p);
  }
}

/// p += scale dU/dq at q. The potential itself is not needed here, so a target may skip it.
template <class Target, class L, class Group>
LOCKSTEP_INLINE void kick(const Target& target, const Group& group, const L* q, const L& scale,
                          L* p) {
  if constexpr (Separable<Target>) {
    for_slots<capacity<Target>, exact_dimension<Target>>(
        group, dimension(target),
        [&](int s, int j) { p[s] = kick_term(target, j, q[s], scale, p[s]); });
  } else if constexpr (HasKick<Target, L>) {
    target.kick(q, scale, p);
  } else {
    L g[capacity<Target>];
    potential_and_gradient(target, q, g);
    for_coordinates(target, [&](int j) { p[j] = fma(scale, g[j], p[j]); });
  }
}

/// p += scale g, with the gradient already known.
template <class Target, class L, class Group>
LOCKSTEP_INLINE void kick_with(const Target& target, const Group& group, const L* gradient,
                               const L& scale, L* p) {
  for_slots<capacity<Target>, exact_dimension<Target>>(
      group, dimension(target), [&](int s, int) { p[s] = fma(scale, gradient[s], p[s]); });
}

}  // namespace lockstep
