#pragma once

#include "kernels/lane/math.hpp"
#include "kernels/lane/sum.hpp"

namespace lockstep {

/// An energy error beyond this is a divergence: the proposal has left the level set for good. The
/// threshold is Stan's.
inline constexpr double kDivergence = 1000.0;

/// What one transition did, for statistics; nothing else depends on it.
template <class L>
struct Info {
  L acceptance;    // min(1, exp(-energy_error)), 0 where that is not finite
  L energy;        // H = U + K of the state the chain ends in
  L energy_error;  // H(proposal) - H(start)
  Mask<L> accepted;
  Mask<L> divergent;  // the error exceeds kDivergence or is not a number
};

/// The Metropolis rule, for every sampler: accept with probability min(1, exp(-(H' - H) + log J)),
/// J the Jacobian of the proposal map (1 for volume-preserving ones). A proposal whose energy is
/// not finite is rejected and counts as divergent.
struct Metropolis {
  /// @param before, after  H at the start and at the proposal
  /// @param u              uniform on (0, 1]
  template <class L>
  LOCKSTEP_INLINE Info<L> operator()(const Sum<L>& before, const Sum<L>& after,
                                     const L& log_jacobian, const L& u) const {
    const L error = (after - before).value() - log_jacobian;
    const auto finite = is_finite(error);
    Info<L> info;
    info.acceptance = select(finite, exp(smaller(-select(finite, error, L(0)), L(0))), L(0));
    info.energy_error = error;
    info.accepted = u <= info.acceptance;
    info.divergent = !(error <= L(Scalar<L>(kDivergence))) || !finite;
    info.energy = select(info.accepted, after.value(), before.value());
    return info;
  }
};

}  // namespace lockstep
