#pragma once

/// The kernel body: what one lane (a block of chains on the CPU, a thread or a tile of threads on
/// CUDA) does in one launch.

#include "kernels/integrators/evaluate.hpp"
#include "kernels/integrators/palindromic.hpp"
#include "kernels/launch/chains.hpp"
#include "kernels/random/philox.hpp"
#include "kernels/statistics/trace.hpp"

namespace lockstep {

/// U and dU/dq at the chains' positions, chains [chain, chain + width<L>).
template <class L, class Group, class Target>
LOCKSTEP_INLINE void evaluate_chains(const Target& target, const Group& group,
                                     const ChainsView<Scalar<L>>& chains, std::int64_t chain) {
  constexpr int n = capacity<Target>;
  constexpr bool exact = exact_dimension<Target>;
  Position<L, slots<n, Group>> x;
  const int d = dimension(target);
  for_slots<n, exact>(
      group, d, [&](int s, int j) { x.q[s] = load_lane<L>(chains.q + j * chains.stride + chain); });
  x.potential = potential_and_gradient(target, group, x.q, x.gradient);
  for_slots<n, exact>(group, d, [&](int s, int j) {
    store_lane(chains.gradient + j * chains.stride + chain, x.gradient[s]);
  });
  store_lane(chains.potential_hi + chain, x.potential.hi);
  store_lane(chains.potential_lo + chain, x.potential.lo);
}

/// True for transitions that take a further argument, [slots], to add figures of each coordinate
/// to.
template <class Transition>
inline constexpr bool tallies = requires {
  requires Transition::tallies;
};

/// Advances chains [chain, chain + width<L>) by `count` transitions, state in registers throughout,
/// and records each in the trace.
template <class L, class Stream, class Group, class Target, class Transition>
LOCKSTEP_INLINE void advance_chains(const Target& target, const Transition& transition,
                                    const Group& group, const ChainsView<Scalar<L>>& chains,
                                    std::uint64_t seed, std::int64_t chain, std::uint32_t first,
                                    int count, const TraceView<Scalar<L>>& trace) {
  constexpr int n = capacity<Target>;
  constexpr bool exact = exact_dimension<Target>;
  constexpr int local = slots<n, Group>;
  const int d = dimension(target);
  const Stream stream = Stream::of(seed, chains.first_id + static_cast<std::uint64_t>(chain));

  Position<L, local> x;
  L p[local];
  for_slots<n, exact>(group, d, [&](int s, int j) {
    const std::int64_t at = j * chains.stride + chain;
    x.q[s] = load_lane<L>(chains.q + at);
    if constexpr (Transition::needs_gradient && !recomputes_gradient<Target, L, Group>) {
      x.gradient[s] = load_lane<L>(chains.gradient + at);
    }
    if constexpr (Transition::keeps_momentum) {
      p[s] = load_lane<L>(chains.momentum + at);
    }
  });
  x.potential =
      Sum<L>(load_lane<L>(chains.potential_hi + chain), load_lane<L>(chains.potential_lo + chain));
  const L step_scale =
      chains.step_scale != nullptr ? load_lane<L>(chains.step_scale + chain) : L(1);

  L tally[tallies<Transition> ? local : 1];
  if constexpr (tallies<Transition>) {
    for_slots<n, exact>(group, d, [&](int s, int) { tally[s] = L(0); });
  }

  using Trace = TraceView<Scalar<L>>;
  for (int t = 0; t < count; ++t) {
    const auto index = first + static_cast<std::uint32_t>(t);
    const auto info = [&] {
      if constexpr (tallies<Transition>) {
        return transition(target, group.again(), stream, index, x, p, step_scale, tally);
      } else {
        return transition(target, group.again(), stream, index, x, p, step_scale);
      }
    }();
    if (trace.parameters > 0) {
      if constexpr (HasConstrain<Target, L>) {
        static_assert(Group::size == 1);
        L reported[local];
        target.constrain(static_cast<const L*>(x.q), reported);
        for_slots<n, exact>(
            group, d, [&](int s, int j) { store_lane(trace.row(t, j) + chain, reported[s]); });
      } else {
        for_slots<n, exact>(group, d,
                            [&](int s, int j) { store_lane(trace.row(t, j) + chain, x.q[s]); });
      }
    }
    if (group.rank() == 0) {
      store_lane(trace.info(t, Trace::acceptance) + chain, info.acceptance);
      store_lane(trace.info(t, Trace::energy) + chain, info.energy);
      store_lane(trace.info(t, Trace::divergent) + chain, select(info.divergent, L(1), L(0)));
    }
  }

  if constexpr (Transition::needs_gradient && recomputes_gradient<Target, L, Group>) {
    gradient_of(target, group, x.q, x.gradient);
  }
  for_slots<n, exact>(group, d, [&](int s, int j) {
    const std::int64_t at = j * chains.stride + chain;
    store_lane(chains.q + at, x.q[s]);
    if constexpr (Transition::needs_gradient) {
      store_lane(chains.gradient + at, x.gradient[s]);
    }
    if constexpr (Transition::keeps_momentum) {
      store_lane(chains.momentum + at, p[s]);
    }
    if constexpr (tallies<Transition>) {
      store_lane(chains.tally + at, load_lane<L>(chains.tally + at) + tally[s]);
    }
  });
  if (group.rank() == 0) {
    store_lane(chains.potential_hi + chain, x.potential.hi);
    store_lane(chains.potential_lo + chain, x.potential.lo);
  }
}

}  // namespace lockstep
