#pragma once

/// Discontinuous coordinates, one at a time: nothing but differences of the potential is needed, so
/// it may jump. r_j = p_j / m_j is the momentum in units of its mass, r_j ~ Laplace(1) and
///
///   K_j = |p_j| / m_j = |r_j|
///
/// so that masses only say how far a coordinate goes (Nishimura, Dunson & Lu, "Discontinuous
/// Hamiltonian Monte Carlo for discrete parameters and discontinuous likelihoods", Biometrika 2020,
/// section 2; the momentum's update with sign and mass as it must be for H to be conserved:
/// p_j <- p_j - sign(p_j) m_j dU).

#include <cstdint>

#include "kernels/integrators/delta.hpp"
#include "kernels/integrators/palindromic.hpp"
#include "kernels/lane/approximate.hpp"
#include "kernels/random/distributions.hpp"

namespace lockstep {

/// What a visit does to its coordinate.
enum class Visit : std::uint8_t {
  /// DHMC: goes on in the direction of r_j, or turns around.
  laplace,
  /// Mixed HMC and Metropolis: tries a symmetric proposal, whatever r_j's sign.
  exchange,
  /// Gibbs: draws it anew.
  conditional,
};

/// Visits of discontinuous coordinates, the same for all chains.
template <class S>
struct Visits {
  Visit kind = Visit::laplace;
  const std::uint16_t* order = nullptr;  // [sites] coordinates, of every sweep
  int sites = 0;                         // visits of a sweep
  int sweeps = 1;
  const S* scale = nullptr;  // [dim], how far a hop of 1 goes
  S weight = 1;              // what a visit adds to the tally, times its probability to move
  /// Where random proposals come from: words of Purpose::proposal of this transition, one for each
  /// visit.
  std::uint32_t transition = 0, first_word = 0;
};

/// What a visit of q_j does. Where dU is not finite it stays.
///
/// Every outcome conserves H = U + |r_j| exactly, preserves volume and is undone by the visit with
/// r_j reversed: a move to q' with |r'| = |r| - dU comes back since |r'| + dU = |r| > 0.
///
/// @param to     where it goes
/// @param tally  [dim], gains weight * min(1, exp(-dU)): the probability that it went, given no r_j
template <bool Turns, class Target, class L>
LOCKSTEP_INLINE void visit(const Target& target, int j, const L& to, L* q, L* r, L* tally,
                           const L& weight, Cache<Target, L>& cache) {
  const L rise = delta(target, j, q, to, cache);
  const Mask<L> finite = is_finite(rise);
  const L left = abs(r[j]) - rise;
  const Mask<L> moves = finite && left > L(0);
  r[j] = select(moves, select(r[j] < L(0), -left, left), Turns ? -r[j] : r[j]);
  commit(target, j, q, to, moves, cache);
  const L chance = select(finite, approximate_exp(-larger(rise, L(0))), L(0));
  tally[j] = fma(weight, chance, tally[j]);
}

/// Uniforms of Purpose::proposal, one word after the other.
template <class L>
class Proposals {
 public:
  LOCKSTEP_INLINE Proposals(const Stream<L>& stream, std::uint32_t transition, std::uint32_t word)
      : stream_(stream), transition_(transition), word_(word) {}
  LOCKSTEP_INLINE L next() {
    if (!fresh_ || word_ % 4 == 0) {
      block_ = words(stream_, transition_, Purpose::proposal, word_ / 4);
      fresh_ = true;
    }
    return uniform(block_[static_cast<int>(word_++ % 4)]);
  }

 private:
  Stream<L> stream_;
  std::uint32_t transition_, word_;
  Words<L> block_;
  bool fresh_ = false;
};

/// Sweeps over discontinuous coordinates.
///
/// @param hop    how far, in units of visits.scale; each chain's own
/// @param q      [dim]
/// @param r      [dim], at discontinuous coordinates; for `exchange` its sign means nothing
/// @param tally  [dim]
/// @param cache  memory for it
template <class Target, class L>
LOCKSTEP_INLINE void sweep_coordinates(const Target& target, const Visits<Scalar<L>>& visits,
                                       const Stream<L>& stream, const L& hop, L* q, L* r, L* tally,
                                       Cache<Target, L>& cache) {
  const L weight = L(visits.weight);
  const auto each = [&](auto f) {
    for (int s = 0; s < visits.sweeps; ++s) {
      for (int i = 0; i < visits.sites; ++i) {
        f(static_cast<int>(visits.order[i]));
      }
    }
  };
  if (visits.kind == Visit::conditional) {
    if constexpr (HasConditional<Target, L>) {
      Proposals<L> proposals(stream, visits.transition, visits.first_word);
      each([&](int j) {
        q[j] = target.conditional(j, static_cast<const L*>(q), proposals.next());
        tally[j] += weight;
      });
    }
    return;
  }
  prepare(target, static_cast<const L*>(q), cache);
  if (visits.kind == Visit::laplace) {
    each([&](int j) {
      const L reach = hop * L(visits.scale[j]);
      visit<true>(target, j, q[j] + select(r[j] < L(0), -reach, reach), q, r, tally, weight, cache);
    });
    return;
  }
  Proposals<L> proposals(stream, visits.transition, visits.first_word);
  each([&](int j) {
    const L u = proposals.next();
    if constexpr (HasExchange<Target, L>) {
      visit<false>(target, j, target.exchange(j, q[j], u), q, r, tally, weight, cache);
    } else {
      // Uniform, with standard deviation hop * scale.
      constexpr double width = 3.4641016151377544;  // 2 sqrt(3)
      const L along = hop * L(visits.scale[j]) * L(Scalar<L>(width)) * (u - L(Scalar<L>(0.5)));
      visit<false>(target, j, q[j] + along, q, r, tally, weight, cache);
    }
  });
}

/// The same with the cache on the stack.
template <class Target, class L>
LOCKSTEP_INLINE void sweep_coordinates(const Target& target, const Visits<Scalar<L>>& visits,
                                       const Stream<L>& stream, const L& hop, L* q, L* r,
                                       L* tally) {
  Cache<Target, L> cache;
  sweep_coordinates(target, visits, stream, hop, q, r, tally, cache);
}

/// `steps` steps of the mixed integrator: the smooth coordinates by leapfrog, whose drift is halved
/// around what `middle(i)` does to the others (Nishimura, Dunson & Lu, algorithm 2; the gradient is
/// that of the smooth coordinates alone),
///
///   p -= eps/2 dU/dq,   q += eps/2 M^-1 p,   middle,   q += eps/2 M^-1 p,   p -= eps/2 dU/dq.
///
/// @param kinetic  with zeros at discontinuous coordinates
/// @param flatten  (gradient) sets it to zero at discontinuous coordinates
/// @param y        a Position, or pointers in the place of its arrays; with the flattened gradient
///                 at q, before and after
template <class Target, class Kinetic, class L, class At, class Group, class Flatten, class Middle>
LOCKSTEP_INLINE void leapfrog_around(const Target& target, const Kinetic& kinetic,
                                     const Group& group, const L& step, int steps, At& y, L* p,
                                     Flatten flatten, Middle middle) {
  const L half = L(Scalar<L>(0.5)) * step;
  for (int i = 0; i < steps; ++i) {
    kick_with(target, group, y.gradient, -half, p);
    kinetic.drift(group, y.q, half, p);
    middle(i);
    kinetic.drift(group, y.q, half, p);
    y.potential = potential_and_gradient(target, group, y.q, y.gradient);
    flatten(y.gradient);
    kick_with(target, group, y.gradient, -half, p);
  }
}

}  // namespace lockstep
