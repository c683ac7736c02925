#pragma once

/// Splitting integrators of Hamilton's equations q' = M^-1 p, p' = -dU/dq: a palindrome of kicks
/// p -= b eps dU/dq and drifts q += a eps M^-1 p that starts and ends with a kick,
///
///   b_0 a_0 b_1 a_1 ... a_0 b_0,
///
/// is reversible and preserves volume for any coefficients; they decide its order. The last kick of
/// one step and the first of the next are done at once, and the gradient at the end of a trajectory
/// is kept for the start of the next one.

#include "kernels/integrators/evaluate.hpp"
#include "kernels/integrators/palindrome.hpp"

namespace lockstep {

/// A point of a chain and what is known there: q, dU/dq and U.
template <class L, int Slots>
struct Position {
  L q[Slots];
  L gradient[Slots];
  Sum<L> potential;
};

/// Coordinates of a separable target that are advanced together, all leapfrog steps at once, so
/// that their q and p stay in registers. Two FMAs a step in a chain of four cycles' latency each:
/// eight independent ones fill the pipes.
template <class L>
inline constexpr int kTile = LaneTraits<L>::registers >= 32 ? 8 : 4;

/// The leapfrog integrator.
struct Leapfrog {
  static constexpr int gradients_per_step = 1;

  /// Moves (x, p) by `steps` >= 1 steps of size `step`.
  template <class Target, class Kinetic, class L, int Slots, class Group>
  LOCKSTEP_INLINE void operator()(const Target& target, const Kinetic& kinetic, const Group& group,
                                  const L& step, int steps, Position<L, Slots>& x, L* p) const {
    const L half = L(Scalar<L>(0.5)) * step;
    kick_with(target, group, x.gradient, -half, p);
    if constexpr (Separable<Target> && Kinetic::separable && width < L >> 1 &&
                  (3 * capacity < Target >> LaneTraits<L>::registers)) {
      by_tiles(target, kinetic, step, steps, x.q, p);
    } else {
      const L full = -step;
      kinetic.drift(group, x.q, step, p);
      for (int i = 1; i < steps; ++i) {
        kick(target, group, x.q, full, p);
        kinetic.drift(group, x.q, step, p);
      }
    }
    x.potential = potential_and_gradient(target, group, x.q, x.gradient);
    kick_with(target, group, x.gradient, -half, p);
  }

 private:
  /// The coordinates of a separable target do not see each other until the energy is summed: the
  /// same operations as above, in another order.
  template <class Target, class Kinetic, class L>
  static LOCKSTEP_INLINE void by_tiles(const Target& target, const Kinetic& kinetic, const L& step,
                                       int steps, L* q, L* p) {
    const int d = dimension(target);
    int first = 0;
    for (; first + kTile<L> <= d; first += kTile<L>) {
      tile<kTile<L>>(target, kinetic, step, steps, first, q, p);
    }
    for (; first < d; ++first) {
      tile<1>(target, kinetic, step, steps, first, q, p);
    }
  }

  template <int Width, class Target, class Kinetic, class L>
  static LOCKSTEP_INLINE void tile(const Target& target, const Kinetic& kinetic, const L& step,
                                   int steps, int first, L* q, L* p) {
    L x[Width], v[Width], rate[Width];
    LOCKSTEP_UNROLL
    for (int k = 0; k < Width; ++k) {
      rate[k] = kinetic.rate(first + k, step);
      v[k] = p[first + k];
      x[k] = fma(rate[k], v[k], q[first + k]);
    }
    const L full = -step;
    for (int i = 1; i < steps; ++i) {
      LOCKSTEP_UNROLL
      for (int k = 0; k < Width; ++k) {
        v[k] = kick_term(target, first + k, x[k], full, v[k]);
        x[k] = fma(rate[k], v[k], x[k]);
      }
    }
    LOCKSTEP_UNROLL
    for (int k = 0; k < Width; ++k) {
      p[first + k] = v[k];
      q[first + k] = x[k];
    }
  }
};

/// Any palindrome, its coefficients known when the program runs.
struct Palindromic {
  Palindrome table;

  template <class Target, class Kinetic, class L, int Slots, class Group>
  LOCKSTEP_INLINE void operator()(const Target& target, const Kinetic& kinetic, const Group& group,
                                  const L& step, int steps, Position<L, Slots>& x, L* p) const {
    const auto scaled = [&](double c) { return L(static_cast<Scalar<L>>(c)) * step; };
    const L outer = -scaled(table.kick[0]);
    const L joined = -scaled(2 * table.kick[0]);
    kick_with(target, group, x.gradient, outer, p);
    for (int i = 0; i < steps; ++i) {
      if (i > 0) {
        kick(target, group, x.q, joined, p);
      }
      kinetic.drift(group, x.q, scaled(table.drift[0]), p);
      for (int k = 1; k < table.stages; ++k) {
        kick(target, group, x.q, -scaled(table.kick[k]), p);
        kinetic.drift(group, x.q, scaled(table.drift[k]), p);
      }
    }
    x.potential = potential_and_gradient(target, group, x.q, x.gradient);
    kick_with(target, group, x.gradient, outer, p);
  }
};

}  // namespace lockstep
