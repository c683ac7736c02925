#pragma once

#include "kernels/networks/nice_flow.hpp"
#include "kernels/transitions/l2hmc.hpp"

namespace lockstep::transitions {

/// Metropolis with a trained, volume-preserving proposal (Song, Zhao & Ermon, "A-NICE-MC:
/// adversarial training for MCMC", NIPS 2017, section 3): v ~ N(0, I); (q, v) through the flow or
/// its inverse, with probability 1/2 each; accept by U + |v|^2 / 2, there being no Jacobian.
///
/// Each chain draws its own direction. One for all chains, as the paper's code has it, would do for
/// each chain alone and costs three evaluations instead of five, but ties the chains together: with
/// a proposal that swaps modes they would all swap at once, and the spread between chains, which
/// R-hat and Monte Carlo errors are made of, would mean nothing.
///
/// The flow comes with the target, `target.flow()`.
///
/// @tparam Rule  the acceptance rule
template <class Rule = Metropolis>
struct Nice {
  static constexpr bool keeps_momentum = false;
  static constexpr bool needs_gradient = false;

  Rule rule = {};

  template <class Target, class L, int Slots, class Group, class Stream>
  LOCKSTEP_INLINE Info<L> operator()(const Target& target, const Group& group, const Stream& stream,
                                     std::uint32_t transition, Position<L, Slots>& x, L*,
                                     const L& = L(1)) const {
    static_assert(Group::size == 1, "networks are not shared between threads");
    const auto flow = target.flow();
    const int d = flow.dim;
    L v[whole_quads<capacity<Target>, Group>];
    const L u = normals_and_uniform<capacity<Target>, false>(group, d, stream, transition, v);
    L q[Slots];
    const auto energy = [&](const Sum<L>& potential) {
      Sum<L> h = potential;
      for (int j = 0; j < d; ++j) {
        h += L(Scalar<L>(0.5)) * v[j] * v[j];
      }
      return h;
    };
    for (int j = 0; j < d; ++j) {
      q[j] = x.q[j];
    }
    const Sum<L> before = energy(x.potential);
    flow(forward_chains<L>(stream, transition, d), q, v);
    const Sum<L> potential = lockstep::potential(target, group, q);

    const Info<L> info = rule(before, energy(potential), L(0), u);
    for (int j = 0; j < d; ++j) {
      x.q[j] = select(info.accepted, q[j], x.q[j]);
    }
    x.potential = select(info.accepted, potential, x.potential);
    return info;
  }
};

}  // namespace lockstep::transitions
