#pragma once

#include "kernels/energy/kinetic.hpp"
#include "kernels/integrators/evaluate.hpp"
#include "kernels/integrators/palindromic.hpp"
#include "kernels/transitions/metropolis.hpp"
#include "kernels/transitions/refreshment.hpp"
#include "kernels/transitions/trajectory.hpp"

namespace lockstep::transitions {

/// Random-walk Metropolis: q' = q + step M^(-1/2) z, z ~ N(0, I) (Metropolis et al. 1953).
template <class Kinetic_, class Rule = Metropolis>
struct RandomWalk {
  using Kinetic = Kinetic_;
  static constexpr bool keeps_momentum = false;
  static constexpr bool needs_gradient = false;

  Kinetic kinetic;
  Trajectory trajectory;
  Rule rule = {};

  template <class Target, class L, int Slots, class Group, class Stream>
  LOCKSTEP_INLINE Info<L> operator()(const Target& target, const Group& group, const Stream& stream,
                                     std::uint32_t transition, Position<L, Slots>& x, L*,
                                     const L& step_scale = L(1)) const {
    constexpr int n = capacity<Target>;
    constexpr bool exact = exact_dimension<Target>;
    const int d = dimension(target);
    const L step = L(static_cast<Scalar<L>>(trajectory.step_size_at(transition))) * step_scale;

    L z[whole_quads<n, Group>];
    L q[Slots];
    const L u = normals_and_uniform<n, exact>(group, d, stream, transition, z);
    for_slots<n, exact>(group, d, [&](int s, int) { q[s] = x.q[s]; });
    kinetic.displace(group, q, step, z);
    const Sum<L> after = potential(target, group, q);

    const Info<L> info = rule(x.potential, after, L(0), u);
    for_slots<n, exact>(group, d,
                        [&](int s, int) { x.q[s] = select(info.accepted, q[s], x.q[s]); });
    x.potential = select(info.accepted, after, x.potential);
    return info;
  }
};

}  // namespace lockstep::transitions
