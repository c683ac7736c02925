#pragma once

/// How far a trajectory goes: one step size and one number of steps for all chains of a transition,
/// so that they stay in step. Both are functions of (seed, transition) alone: no chain's state
/// enters (that would break detailed balance), and any thread, device or resumed run finds the same
/// values.

#include <cstdint>

#include "kernels/random/philox.hpp"
#include "lockstep/engine.hpp"

namespace lockstep {

/// The base-2 radical inverse of i, Halton's sequence, as a 32-bit fraction.
LOCKSTEP_HD inline std::uint32_t radical_inverse(std::uint32_t i) {
  std::uint32_t r = 0;
  for (int bit = 0; bit < 32; ++bit) {
    r |= ((i >> bit) & 1u) << (31 - bit);
  }
  return r;
}

struct Trajectory {
  std::uint64_t seed = 0;
  double step_size = 1.0;
  double step_jitter = 0.0;  // step size uniform on step_size * [1 - step_jitter, 1 + step_jitter]
  double hop = 1.0;          // of discontinuous coordinates, jittered alike
  int steps = 1;             // mean number of leapfrog steps
  int longest = 0;           // above 0: uniform on steps..longest instead
  LengthJitter jitter = LengthJitter::none;
  bool fresh_momentum = false;  // samplers that keep it draw it anew
  bool leave_momentum = false;  // samplers that do not keep it leave it behind all the same

  LOCKSTEP_HD int steps_at(std::uint32_t transition) const {
    if (longest > 0) {
      return steps +
             below(static_cast<std::uint32_t>(longest - steps + 1), jitter_word(transition, 0));
    }
    const auto n = static_cast<std::uint32_t>(2 * steps - 1);
    switch (jitter) {
      case LengthJitter::uniform:
        return 1 + below(n, jitter_word(transition, 0));
      case LengthJitter::halton:
        return 1 + below(n, radical_inverse(transition + 1));
      default:
        return steps;
    }
  }

  LOCKSTEP_HD double step_size_at(std::uint32_t transition) const {
    return step_size * jitter_at(transition);
  }
  LOCKSTEP_HD double hop_at(std::uint32_t transition) const { return hop * jitter_at(transition); }

 private:
  LOCKSTEP_HD double jitter_at(std::uint32_t transition) const {
    if (step_jitter == 0) {
      return 1;
    }
    const double u = (jitter_word(transition, 1) + 0.5) * 0x1p-32;
    return 1 + step_jitter * (2 * u - 1);
  }
  LOCKSTEP_HD std::uint32_t jitter_word(std::uint32_t transition, int i) const {
    return shared_words(seed, transition, Purpose::jitter, 0)[i].bits;
  }

  /// fraction / 2^32 of n, rounded down: uniform on 0..n-1 up to n / 2^32.
  static LOCKSTEP_HD int below(std::uint32_t n, std::uint32_t fraction) {
    return static_cast<int>(static_cast<std::uint64_t>(n) * fraction >> 32);
  }
};

/// The trajectories of a launch.
inline Trajectory trajectory_of(const Sampler& sampler, std::uint64_t seed, const Launch& launch) {
  Trajectory t;
  t.seed = seed;
  t.step_size = launch.step_size;
  t.hop = launch.hop;
  t.step_jitter = sampler.step_jitter;
  t.steps = launch.steps > 0 ? launch.steps : sampler.leapfrog;
  t.longest = launch.steps > 0 ? 0 : sampler.longest;
  t.jitter = launch.steps > 0 ? LengthJitter::none : sampler.length_jitter;
  t.fresh_momentum = launch.fresh_momentum;
  t.leave_momentum = launch.leave_momentum;
  return t;
}

}  // namespace lockstep
