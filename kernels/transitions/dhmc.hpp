#pragma once

/// Discontinuous HMC and its relatives: trajectories of the smooth coordinates, and visits of those
/// along which U jumps.

#include "kernels/energy/kinetic.hpp"
#include "kernels/integrators/coordinatewise.hpp"
#include "kernels/transitions/metropolis.hpp"
#include "kernels/transitions/refreshment.hpp"
#include "kernels/transitions/sites.hpp"
#include "kernels/transitions/trajectory.hpp"
#include "kernels/transitions/workspace.hpp"

namespace lockstep {

/// What the transitions of this file share.
///
/// @tparam Kinetic  energy/kinetic.hpp, with zeros at discontinuous coordinates
/// @tparam N        bound of the dimension
template <class Kinetic, class S, int N>
struct Discontinuous {
  Kinetic kinetic;
  Sites<S, N> sites;
  Trajectory trajectory;

  /// What a visit indexes by its coordinate (workspace.hpp).
  template <class Target, class L, int Slots>
  struct Work {
    L q[Slots], p[Slots], tally[Slots];
    Cache<Target, L> cache;
  };
  static constexpr bool works_in_memory = true;

  /// Where a trajectory is: a Position whose arrays are elsewhere.
  template <class L>
  struct At {
    L *q, *gradient;
    Sum<L> potential;
  };

  LOCKSTEP_INLINE bool has_smooth(int dim) const { return sites.count < dim; }

  /// Momenta of the smooth coordinates, p ~ N(0, M), and an acceptance variate.
  template <class L, class Group, class Stream>
  LOCKSTEP_INLINE L smooth_momentum(const Group& group, int dim, const Stream& stream,
                                    std::uint32_t transition, L* p) const {
    if (!has_smooth(dim)) {
      return uniform(words(stream, transition, Purpose::transition, 0)[0]);
    }
    L z[whole_quads<N, Group>];
    const L u = normals_and_uniform<N, false>(group, dim, stream, transition, z);
    kinetic.momentum(group, z, p);
    return u;
  }

  /// r ~ Laplace(1) at the discontinuous coordinates.
  template <class L, class Stream>
  LOCKSTEP_INLINE void laplace_momentum(const Stream& stream, std::uint32_t transition,
                                        L* r) const {
    Words<L> block;
    for (int i = 0; i < sites.count; ++i) {
      if (i % 4 == 0) {
        block = words(stream, transition, Purpose::momentum, static_cast<std::uint32_t>(i / 4));
      }
      r[sites.at[i]] = laplace(block[i % 4]);
    }
  }

  /// K = p' M^-1 p / 2 + sum |r_j|.
  template <class L, class Group>
  LOCKSTEP_INLINE Sum<L> energy(const Group& group, int dim, const L* p) const {
    Sum<L> k;
    if (has_smooth(dim)) {
      k = kinetic.energy(group, p);
    }
    for (int i = 0; i < sites.count; ++i) {
      k += abs(p[sites.at[i]]);
    }
    return k;
  }

  /// Discontinuous coordinates feel no gradient.
  template <class L>
  LOCKSTEP_INLINE void flatten(L* gradient) const {
    for (int i = 0; i < sites.count; ++i) {
      gradient[sites.at[i]] = L(0);
    }
  }

  template <class Target, class L, class Stream>
  LOCKSTEP_INLINE void sweep(const Target& target, const Visits<S>& visits, const Stream& stream,
                             const L& hop, L* q, L* r, L* tally, Cache<Target, L>& cache) const {
    if constexpr (requires { target.sweep(visits, stream, hop, q, r, tally); }) {
      target.sweep(visits, stream, hop, q, r, tally);
    } else {
      sweep_coordinates(target, visits, stream, hop, q, r, tally, cache);
    }
  }

  /// Puts down in w what a trajectory begins with, but for its momentum.
  template <class Target, class L, int Slots>
  LOCKSTEP_INLINE At<L> begin(int dim, const Position<L, Slots>& x, const L* tally, L* gradient,
                              Work<Target, L, Slots>& w) const {
    for (int j = 0; j < dim; ++j) {
      w.q[j] = x.q[j];
      w.tally[j] = tally[j];
      gradient[j] = x.gradient[j];
    }
    flatten(gradient);
    return {w.q, gradient, x.potential};
  }

  /// Back to where it began, in the chains that are not accepted.
  template <class L, int Slots>
  LOCKSTEP_INLINE void return_rejected(int dim, const Mask<L>& accepted,
                                       const Position<L, Slots>& x, At<L>& y) const {
    for (int j = 0; j < dim; ++j) {
      y.q[j] = select(accepted, y.q[j], x.q[j]);
      y.gradient[j] = select(accepted, y.gradient[j], x.gradient[j]);
    }
    y.potential = select(accepted, y.potential, x.potential);
  }

  /// Takes up what is left there.
  template <class Target, class L, int Slots>
  LOCKSTEP_INLINE void end(int dim, const At<L>& y, const Work<Target, L, Slots>& w,
                           Position<L, Slots>& x, L* tally) const {
    for (int j = 0; j < dim; ++j) {
      x.q[j] = y.q[j];
      x.gradient[j] = y.gradient[j];
      tally[j] = w.tally[j];
    }
    x.potential = y.potential;
  }
};

namespace transitions {

/// Discontinuous HMC (Visit::laplace: every step visits every discontinuous coordinate) and Mixed
/// HMC (Visit::exchange: every trajectory visits each twice, at a time of its own before the middle
/// and as long after it). Visits read the same backwards (sites.hpp). One Metropolis test at
/// the end, on H from scratch: of what visits do to U, the momentum r has paid for, so that the
/// error is leapfrog's and rounding's alone. Without smooth coordinates everything is accepted.
template <class Kinetic_, class S, int N, Visit kVisit, class Rule = Metropolis>
struct Dhmc : Discontinuous<Kinetic_, S, N> {
  using Kinetic = Kinetic_;
  static constexpr bool keeps_momentum = false;
  static constexpr bool needs_gradient = true;
  static constexpr bool tallies = true;

  Rule rule = {};

  template <class Target, class L, int Slots, class Group, class Stream>
  LOCKSTEP_INLINE Info<L> operator()(const Target& target, const Group& group, const Stream& stream,
                                     std::uint32_t transition, Position<L, Slots>& x, L*,
                                     const L& step_scale, L* tally) const {
    static_assert(Group::size == 1);
    const int d = dimension(target);
    Workspace<typename Dhmc::template Work<Target, L, Slots>, Group> workspace(group);
    auto& w = *workspace;
    L gradient[Slots];
    const L u = this->smooth_momentum(group, d, stream, transition, w.p);
    this->laplace_momentum(stream, transition, w.p);
    const Sum<L> before = x.potential + this->energy(group, d, w.p);
    auto y = this->begin(d, x, tally, gradient, w);
    travel(target, group, stream, transition, step_scale, y, w.p, w.tally, w.cache);
    const Info<L> info = rule(before, y.potential + this->energy(group, d, w.p), L(0), u);
    this->return_rejected(d, info.accepted, x, y);
    this->end(d, y, w, x, tally);
    return info;
  }

  /// The trajectory from (y, p), [dim] each: with Visit::laplace a map that preserves volume and,
  /// once p is turned around, undoes itself.
  /// @param y      a Position, or At
  /// @param cache  memory for it
  template <class Target, class L, class Place, class Group, class Stream>
  LOCKSTEP_INLINE void travel(const Target& target, const Group& group, const Stream& stream,
                              std::uint32_t transition, const L& step_scale, Place& y, L* p,
                              L* tally, Cache<Target, L>& cache) const {
    const Trajectory& trajectory = this->trajectory;
    const L step = L(static_cast<S>(trajectory.step_size_at(transition))) * step_scale;
    const L hop = L(static_cast<S>(trajectory.hop_at(transition))) * step_scale;
    const int steps = trajectory.steps_at(transition);
    const bool smooth = this->has_smooth(dimension(target));

    std::uint16_t order[2 * N];
    [[maybe_unused]] int when[kVisit == Visit::exchange ? N : 1];
    Visits<S> visits;
    visits.kind = kVisit;
    visits.order = order;
    visits.sites = this->sites.count;
    visits.scale = this->sites.scale;
    visits.transition = transition;
    if constexpr (kVisit == Visit::exchange) {
      this->sites.arrivals(transition, steps, when);
      visits.weight = S(0.5);
    }
    const auto middle = [&](int i) {
      L reach = hop;
      if constexpr (kVisit == Visit::exchange) {
        visits.sites = this->sites.arriving(transition, when, i, steps, order);
      } else if (smooth) {
        // In the centre there and back: half as far each, and half a visit each.
        const bool centre = 2 * i == steps - 1;
        visits.sites = this->sites.retracing(transition, i, steps, order);
        visits.weight = centre ? S(0.5) : S(1);
        reach = L(visits.weight) * hop;
      } else {
        this->sites.in_order(transition, i, order);
      }
      this->sweep(target, visits, stream, reach, y.q, p, tally, cache);
      visits.first_word += static_cast<std::uint32_t>(visits.sites);
    };
    if (smooth) {
      leapfrog_around(
          target, this->kinetic, group, step, steps, y, p, [&](L* g) { this->flatten(g); }, middle);
    } else {
      // Nothing else moves, any order keeps the law, and sweeps of one order share what the first
      // has prepared.
      const bool alike = kVisit == Visit::laplace && this->sites.order == VisitOrder::coin;
      visits.sweeps = alike ? steps : 1;
      for (int i = 0; i < steps; i += visits.sweeps) {
        middle(i);
      }
      y.potential = potential(target, group, y.q);
    }
  }
  template <class Target, class L, int Slots, class Group, class Stream>
  LOCKSTEP_INLINE void travel(const Target& target, const Group& group, const Stream& stream,
                              std::uint32_t transition, const L& step_scale, Position<L, Slots>& y,
                              L* p, L* tally) const {
    Cache<Target, L> cache;
    travel(target, group, stream, transition, step_scale, y, p, tally, cache);
  }
};

/// HMC on the smooth coordinates with the others held, then one visit of each of those: drawn from
/// its conditional law where the target offers that, else a symmetric proposal, accepted if a fresh
/// exponential variate pays for it.
template <class Kinetic_, class S, int N, class Rule = Metropolis>
struct Gibbs : Discontinuous<Kinetic_, S, N> {
  using Kinetic = Kinetic_;
  static constexpr bool keeps_momentum = false;
  static constexpr bool needs_gradient = true;
  static constexpr bool tallies = true;

  Rule rule = {};

  template <class Target, class L, int Slots, class Group, class Stream>
  LOCKSTEP_INLINE Info<L> operator()(const Target& target, const Group& group, const Stream& stream,
                                     std::uint32_t transition, Position<L, Slots>& x, L*,
                                     const L& step_scale, L* tally) const {
    static_assert(Group::size == 1);
    const int d = dimension(target);
    const Trajectory& trajectory = this->trajectory;
    const L step = L(static_cast<S>(trajectory.step_size_at(transition))) * step_scale;
    const L hop = L(static_cast<S>(trajectory.hop_at(transition))) * step_scale;

    Workspace<typename Gibbs::template Work<Target, L, Slots>, Group> workspace(group);
    auto& w = *workspace;
    L gradient[Slots];
    const L u = this->smooth_momentum(group, d, stream, transition, w.p);
    this->laplace_momentum(stream, transition, w.p);
    const Sum<L> before = x.potential + this->energy(group, d, w.p);
    auto y = this->begin(d, x, tally, gradient, w);
    if (this->has_smooth(d)) {
      leapfrog_around(
          target, this->kinetic, group, step, trajectory.steps_at(transition), y, w.p,
          [&](L* g) { this->flatten(g); }, [](int) {});
    }
    Info<L> info = rule(before, y.potential + this->energy(group, d, w.p), L(0), u);
    this->return_rejected(d, info.accepted, x, y);
    const Sum<L> held = y.potential;

    Visits<S> visits;
    visits.kind = has_conditional<Target, L>(target) ? Visit::conditional : Visit::exchange;
    visits.order = this->sites.at;
    visits.sites = this->sites.count;
    visits.scale = this->sites.scale;
    visits.transition = transition;
    this->sweep(target, visits, stream, hop, y.q, w.p, w.tally, w.cache);
    if (this->has_smooth(d)) {
      y.potential = potential_and_gradient(target, group, y.q, y.gradient);
      this->flatten(y.gradient);
    } else {
      y.potential = potential(target, group, y.q);
    }
    info.energy += (y.potential - held).value();
    this->end(d, y, w, x, tally);
    return info;
  }

 private:
  template <class Target, class L>
  static LOCKSTEP_INLINE bool has_conditional(const Target& target) {
    if constexpr (requires { target.has_conditional(); }) {
      return target.has_conditional();
    } else {
      return HasConditional<Target, L>;
    }
  }
};

}  // namespace transitions

}  // namespace lockstep
