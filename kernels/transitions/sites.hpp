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

  /// Random blocks of Purpose::permutation that a trajectory reads, at most; the first is the coin.
  static constexpr std::int64_t blocks(std::int64_t steps, std::int64_t count) {
    return 1 + steps * ((count + 3) / 4);
  }

  /// Writes all sites in the order of a trajectory's step, [count]. With a coin, the same for all
  /// of its steps.
  LOCKSTEP_HD void in_order(std::uint32_t transition, int step, std::uint16_t* to) const {
    if (order == VisitOrder::coin) {
      const bool reverse = reversed(transition);
      for (int i = 0; i < count; ++i) {
        to[i] = at[reverse ? count - 1 - i : i];
      }
      return;
    }
    // Fisher and Yates from front to back, blocks of words apart for each step.
    const auto first = static_cast<std::uint32_t>(blocks(step, count));
    Words<float> block;
    for (int i = 0; i < count; ++i) {
      if (i % 4 == 0) {
        block = random(transition, first + static_cast<std::uint32_t>(i / 4));
      }
      const int k = below(i + 1, block[i % 4].bits);
      if (k < i) {
        to[i] = to[k];
      }
      to[k] = at[i];
    }
  }

  /// Writes at which of a trajectory's steps Mixed HMC visits each site, [count]: each arrives
  /// once, at a time of its own.
  LOCKSTEP_HD void arrivals(std::uint32_t transition, int steps, int* when) const {
    Words<float> block;
    for (int i = 0; i < count; ++i) {
      if (i % 4 == 0) {
        block = random(transition, 1 + static_cast<std::uint32_t>(i / 4));
      }
      when[i] = below(steps, block[i % 4].bits);
    }
  }

  /// Writes the sites that arrive at this step in the order of their visits, which a coin for the
  /// trajectory decides, and returns how many.
  LOCKSTEP_HD int arriving(std::uint32_t transition, const int* when, int step,
                           std::uint16_t* to) const {
    const bool reverse = reversed(transition);
    int arrived = 0;
    for (int i = 0; i < count; ++i) {
      const int k = reverse ? count - 1 - i : i;
      if (when[k] == step) {
        to[arrived++] = at[k];
      }
    }
    return arrived;
  }

 private:
  LOCKSTEP_HD Words<float> random(std::uint32_t transition, std::uint32_t block) const {
    return shared_words(seed, transition, Purpose::permutation, block);
  }
  LOCKSTEP_HD bool reversed(std::uint32_t transition) const {
    return (random(transition, 0)[0].bits & 1u) != 0;
  }
  /// One of 0..n-1, from 32 random bits.
  static LOCKSTEP_HD int below(int n, std::uint32_t bits) {
    return static_cast<int>(static_cast<std::uint64_t>(n) * bits >> 32);
  }
};

}  // namespace lockstep
