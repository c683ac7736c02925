#pragma once

/// Which coordinates are discontinuous, and in which order a trajectory visits them: the same for
/// all chains, and a function of (seed, transition) alone.
///
/// With smooth coordinates between visits, reversibility asks for orders that have the law of their
/// reverse (Nishimura, Dunson & Lu, Biometrika 2020, section 2.5). That is enough for one chain.
/// But chains that share an order share what it does: given one order, none of them keeps the law,
/// and an average over any number of chains is off by what the order leaves, which errors estimated
/// between chains do not show. So a trajectory's visits read the same backwards: its second half
/// retraces the orders of its first. Then every order keeps the law.

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

  /// The same for trajectories of `steps` that retrace in their second half; the central one of an
  /// odd number goes there and back. Returns how many visits that makes, `to` is [2 count].
  LOCKSTEP_HD int retracing(std::uint32_t transition, int step, int steps,
                            std::uint16_t* to) const {
    const int mirrored = steps - 1 - step;
    in_order(transition, step < mirrored ? step : mirrored, to);
    if (step == mirrored) {
      return there_and_back(to, count);
    }
    if (mirrored < step) {
      for (int i = 0; i < count / 2; ++i) {
        const std::uint16_t swapped = to[i];
        to[i] = to[count - 1 - i];
        to[count - 1 - i] = swapped;
      }
    }
    return count;
  }

  /// Writes at which step Mixed HMC visits each site first, [count]: at a time of its own, uniform
  /// on the first half of the trajectory. The second visit is as long before the end.
  LOCKSTEP_HD void arrivals(std::uint32_t transition, int steps, int* when) const {
    Words<float> block;
    for (int i = 0; i < count; ++i) {
      if (i % 4 == 0) {
        block = random(transition, 1 + static_cast<std::uint32_t>(i / 4));
      }
      const int step = below(steps, block[i % 4].bits), mirrored = steps - 1 - step;
      when[i] = step < mirrored ? step : mirrored;
    }
  }

  /// Writes the sites that arrive at this step in the order of their visits, [2 count], and returns
  /// how many.
  LOCKSTEP_HD int arriving(std::uint32_t transition, const int* when, int step, int steps,
                           std::uint16_t* to) const {
    const int mirrored = steps - 1 - step;
    const bool backwards = reversed(transition) != (mirrored < step);
    int arrived = 0;
    for (int i = 0; i < count; ++i) {
      const int k = backwards ? count - 1 - i : i;
      if (when[k] == step || when[k] == mirrored) {
        to[arrived++] = at[k];
      }
    }
    return step == mirrored ? there_and_back(to, arrived) : arrived;
  }

 private:
  LOCKSTEP_HD Words<float> random(std::uint32_t transition, std::uint32_t block) const {
    return shared_words(seed, transition, Purpose::permutation, block);
  }
  /// Appends the n visits of `to` in the opposite order; returns 2 n.
  static LOCKSTEP_HD int there_and_back(std::uint16_t* to, int n) {
    for (int i = 0; i < n; ++i) {
      to[n + i] = to[n - 1 - i];
    }
    return 2 * n;
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
