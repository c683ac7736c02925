#pragma once

#include "kernels/integrators/l2hmc.hpp"
#include "kernels/networks/scratch.hpp"
#include "kernels/transitions/metropolis.hpp"
#include "kernels/transitions/refreshment.hpp"
#include "kernels/transitions/trajectory.hpp"

namespace lockstep {

/// Fills v with d(U / temperature)/dx at x = q / scale: what the networks see.
template <class Net, class Target, class L>
LOCKSTEP_INLINE Sum<L> scaled_potential(const Net& network, const Target& target, const L& cooling,
                                        const L* x, L* q, L* gradient) {
  using N = std::decay_t<decltype(network.layout.net)>;
  const Scalar<L>* scale = network.at(network.layout.scale());
  const int dim = network.layout.net.dim;
  for_range<N::fixed>(dim, [&](int j) { q[j] = L(scale[j]) * x[j]; });
  const Sum<L> u = potential_and_gradient(target, Solo{}, static_cast<const L*>(q), gradient);
  for_range<N::fixed>(dim, [&](int j) { gradient[j] = cooling * (L(scale[j]) * gradient[j]); });
  return {cooling * u.hi, cooling * u.lo};
}

/// v'v / 2.
template <class Net, class L>
LOCKSTEP_INLINE Sum<L> kinetic_energy(const Net& net, const L* v) {
  Sum<L> k;
  for_range<Net::fixed>(net.dim, [&](int j) { k += L(Scalar<L>(0.5)) * v[j] * v[j]; });
  return k;
}

/// True for the chains that this transition takes forwards: a fair coin, from the word after the
/// acceptance variate's.
template <class L, class Stream>
LOCKSTEP_INLINE Mask<L> forward_chains(const Stream& stream, std::uint32_t transition, int dim) {
  const int spare = dim + (dim & 1) + 1;
  const auto block =
      words(stream, transition, Purpose::transition, static_cast<std::uint32_t>(spare / 4));
  return uniform(block[spare % 4]) <= L(Scalar<L>(0.5));
}

namespace transitions {

/// L2HMC: v ~ N(0, I) and a direction, T modified leapfrog steps that way, accept or reject with
/// the Jacobian. Steps backwards start from -v, which has the same law as v and makes a
/// network that returns zero HMC itself.
///
/// @tparam Shape  networks/layout.hpp
template <class S, class Shape, class Rule = Metropolis>
struct L2hmc {
  static constexpr bool keeps_momentum = false;
  static constexpr bool needs_gradient = true;

  L2hmcNetwork<S, Shape> network;
  Trajectory trajectory;
  Rule rule = {};

  template <class Target, class L, int Slots, class Group, class Stream>
  LOCKSTEP_INLINE Info<L> operator()(const Target& target, const Group& group, const Stream& stream,
                                     std::uint32_t transition, Position<L, Slots>& x, L*,
                                     const L& step_scale = L(1)) const {
    static_assert(Group::size == 1, "networks are not shared between threads");
    constexpr int n = capacity<Target>;
    constexpr bool fixed = Shape::fixed;
    const auto& net = network.layout.net;
    const L step = L(static_cast<S>(trajectory.step_size_at(transition))) * step_scale;
    const S* scale = network.at(network.layout.scale());

    L z[whole_quads<n, Group>];
    const L u = normals_and_uniform<n, fixed>(group, net.dim, stream, transition, z);
    const Mask<L> forward = forward_chains<L>(stream, transition, net.dim);

    if constexpr (recomputes_gradient<Target, L, Group>) {
      gradient_of(target, group, x.q, x.gradient);
    }
    L at[Slots], q[Slots], gradient[Slots];
    for_range<fixed>(net.dim, [&](int j) {
      z[j] = select(forward, z[j], -z[j]);
      at[j] = x.q[j] / L(scale[j]);
      gradient[j] = L(scale[j]) * x.gradient[j];
    });
    Path<L> path{at, z, gradient, Sum<L>(), L(1) < L(0)};
    Sum<L> potential = x.potential;
    const auto slope = [&](const L* to, L* g) {
      potential = scaled_potential(network, target, L(1), to, q, g);
    };
    const Sum<L> before = x.potential + kinetic_energy(net, z);

    constexpr int size = fixed ? Update<L>::size(NetworkLayout<Shape>{}) : 0;
    Scratch<L, Shape, size> scratch(Update<L>::size(net));
    const ModifiedLeapfrog<L, L2hmcNetwork<S, Shape>, decltype(slope)> advance(network, step,
                                                                               forward, slope);
    for (int i = 0; i < network.layout.steps; ++i) {
      advance(i, path, [&](int) { return scratch.data(); });
    }
    const Sum<L> after = potential + kinetic_energy(net, z);

    Info<L> info = rule(before, after, path.log_jacobian.value(), u);
    info.divergent = info.divergent || path.clipped;
    for_range<fixed>(net.dim, [&](int j) {
      x.q[j] = select(info.accepted, q[j], x.q[j]);
      x.gradient[j] = select(info.accepted, gradient[j] / L(scale[j]), x.gradient[j]);
    });
    x.potential = select(info.accepted, potential, x.potential);
    return info;
  }
};

}  // namespace transitions

}  // namespace lockstep
