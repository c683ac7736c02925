#pragma once

/// Hamiltonian Monte Carlo (Duane et al. 1987; Neal 2011), its one-step case MALA, and generalised
/// HMC with partial momentum refreshment (Horowitz 1991), from interchangeable parts.

#include "kernels/energy/kinetic.hpp"
#include "kernels/integrators/palindromic.hpp"
#include "kernels/transitions/metropolis.hpp"
#include "kernels/transitions/refreshment.hpp"
#include "kernels/transitions/trajectory.hpp"

namespace lockstep::transitions {

/// One transition: refresh p, integrate Hamilton's equations, accept or reject.
///
/// @tparam Kinetic      energy/kinetic.hpp
/// @tparam Integrator   integrators/palindromic.hpp
/// @tparam Refreshment  transitions/refreshment.hpp
/// @tparam Rule         the acceptance rule
template <class Kinetic_, class Integrator, class Refreshment, class Rule = Metropolis>
struct Hmc {
  using Kinetic = Kinetic_;
  static constexpr bool keeps_momentum = Refreshment::persistent;
  static constexpr bool needs_gradient = true;

  Kinetic kinetic;
  Integrator integrator;
  Refreshment refreshment;
  Trajectory trajectory;
  Rule rule = {};

  /// @param x  the chain's position with its potential and gradient (which is left alone where
  ///           recomputes_gradient says so); replaced where accepted
  /// @param p  the chain's momentum, [slots]; read only if the refreshment keeps it
  /// @param step_scale  the chain's own factor of the step size
  template <class Target, class L, int Slots, class Group, class Stream>
  LOCKSTEP_INLINE Info<L> operator()(const Target& target, const Group& group, const Stream& stream,
                                     std::uint32_t transition, Position<L, Slots>& x, L* p,
                                     const L& step_scale = L(1)) const {
    constexpr int n = capacity<Target>;
    constexpr bool exact = exact_dimension<Target>;
    const int d = dimension(target);
    const L step = L(static_cast<Scalar<L>>(trajectory.step_size_at(transition))) * step_scale;
    const int steps = trajectory.steps_at(transition);

    const L u = refreshment.template operator()<n, exact>(kinetic, group, d, stream, transition, p);
    const Sum<L> before = x.potential + kinetic.energy(group, p);

    Position<L, Slots> y = x;
    constexpr bool carries_gradient = !recomputes_gradient<Target, L, Group>;
    if constexpr (!carries_gradient) {
      gradient_of(target, group, x.q, y.gradient);
    }
    L start[keeps_momentum ? Slots : 1];
    if constexpr (keeps_momentum) {
      for_slots<n, exact>(group, d, [&](int s, int) { start[s] = p[s]; });
    }
    integrator(target, kinetic, group, step, steps, y, p);
    const Sum<L> after = y.potential + kinetic.energy(group, p);

    const Info<L> info = rule(before, after, L(0), u);
    for_slots<n, exact>(group, d, [&](int s, int) {
      x.q[s] = select(info.accepted, y.q[s], x.q[s]);
      if constexpr (carries_gradient) {
        x.gradient[s] = select(info.accepted, y.gradient[s], x.gradient[s]);
      }
      if constexpr (keeps_momentum) {
        // The reversible proposal is (q', -p'). Flipping p whatever the outcome leaves p' after an
        // acceptance and -p after a rejection.
        p[s] = select(info.accepted, p[s], -start[s]);
      }
    });
    x.potential = select(info.accepted, y.potential, x.potential);
    return info;
  }
};

}  // namespace lockstep::transitions
