#pragma once

/// Which coordinates are discontinuous, and in which order a transition visits them: the same for
/// all chains, and a function of (seed, transition) alone. Orders have the law of their reverse,
/// which reversibility asks for as soon as some coordinate is smooth (Nishimura, Dunson & Lu,
/// Biometrika 2020, section 2.5; a uniform permutation is more than is needed, a fixed order less).

#include <cstdint>

#include "kernels/transitions/trajectory.hpp"
#include "lockstep/options.hpp"

namespace lockstep {

/// @tparam N  bound of the dimension
template <class S, int N>
struct Sites {
  std::uint16_t at[N];  // ascending
  int count = 0;
  const S* scale = nullptr;  // [dim], how far a hop of 1 goes
  VisitOrder order = VisitOrder::coin;
  std::uint64_t seed = 0;

  /// Writes all sites in the order of a trajectory's step, [count].
  LOCKSTEP_HD void in_order(std::uint32_t transition, int step, std::uint16_t* to) const {
    const bool reverse = (word(transition, 0) & 1u) != 0;
    for (int i = 0; i < count; ++i) {
      to[i] = at[order == VisitOrder::coin && reverse ? count - 1 - i : i];
    }
    if (order == VisitOrder::permutation) {
      // Fisher and Yates, its words apart for each step.
      const auto first = 4 + static_cast<std::uint32_t>(step) * static_cast<std::uint32_t>(count);
      for (int i = count - 1; i > 0; --i) {
        const int k = below(i + 1, word(transition, first + static_cast<std::uint32_t>(i)));
        const std::uint16_t swapped = to[i];
        to[i] = to[k];
        to[k] = swapped;
      }
    }
  }

  /// Writes the sites that Mixed HMC visits in this of `steps` steps, and returns how many: each
  /// site arrives once in a trajectory, at a step of its own.
  LOCKSTEP_HD int arriving(std::uint32_t transition, int step, int steps, std::uint16_t* to) const {
    const bool reverse = (word(transition, 0) & 1u) != 0;
    int arrived = 0;
    for (int i = 0; i < count; ++i) {
      const int j = at[reverse ? count - 1 - i : i];
      if (below(steps, word(transition, 4 + static_cast<std::uint32_t>(j))) == step) {
        to[arrived++] = static_cast<std::uint16_t>(j);
      }
    }
    return arrived;
  }

 private:
  LOCKSTEP_HD std::uint32_t word(std::uint32_t transition, std::uint32_t i) const {
    return shared_words(seed, transition, Purpose::permutation, i / 4)[static_cast<int>(i % 4)]
        .bits;
  }
  /// One of 0..n-1, from 32 random bits.
  static LOCKSTEP_HD int below(int n, std::uint32_t bits) {
    return static_cast<int>(static_cast<std::uint64_t>(n) * bits >> 32);
  }
};

}  // namespace lockstep
