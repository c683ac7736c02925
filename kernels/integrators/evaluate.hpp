#pragma once

/// Potential, gradient and kick of a target on a thread group: whole chains through the target's
/// own functions, slices of a chain for separable targets.

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

/// Whether a chain's gradient is computed anew where it is needed instead of being carried from one
/// transition to the next. For a CUDA thread that holds many coordinates of a separable target a
/// register costs more than the slope, and the slope is the same function of q wherever it is
/// taken.
template <class Target, class L, class Group>
inline constexpr bool recomputes_gradient =
    Separable<Target>&& exact_dimension<Target>&& width<L> == 1 &&
    slots<capacity<Target>, Group> > 8;

/// dU/dq at q, for separable targets; all arrays are the thread's slice.
template <class Target, class L, class Group>
LOCKSTEP_INLINE void gradient_of(const Target& target, const Group& group, const L* q,
                                 L* gradient) {
  for_slots<capacity<Target>, exact_dimension<Target>>(
      group, dimension(target), [&](int s, int j) { gradient[s] = target.slope(j, q[s]); });
}

/// U(q), and dU/dq into `gradient`; both arrays are the thread's slice.
template <class Target, class L, class Group>
LOCKSTEP_INLINE Sum<L> potential_and_gradient(const Target& target, const Group& group, const L* q,
                                              L* gradient) {
  if constexpr (Separable<Target>) {
    gradient_of(target, group, q, gradient);
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
