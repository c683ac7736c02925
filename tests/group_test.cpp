// Threads that share a chain compute what one thread would, bit for bit. The threads are emulated:
// ranks run one after the other, again and again, each time knowing one more of the values that
// their partners passed.

// A rank's slice ends in slots that hold no coordinate. No loop reads them, but which they are
// depends on the rank, which the compiler does not know here.
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "kernels/integrators/evaluate.hpp"
#include "kernels/targets/normal.hpp"
#include "kernels/targets/rough_well.hpp"
#include "kernels/transitions/hmc.hpp"
#include "kernels/transitions/random_walk.hpp"
#include "tests/phase_space.hpp"

namespace lockstep {
namespace {

using testing::Kinetics;
using testing::some_diagonal_metric;
using testing::Uniform;

/// What each rank passed to each exchange, as far as it is settled.
struct Exchanges {
  std::vector<std::vector<Sum<float>>> passed;  // [exchange][rank]
  std::size_t settled = 0;
};

/// One of G emulated threads, dealt its coordinates as Tile deals them.
template <int G>
struct EmulatedTile {
  static constexpr int size = G;
  int rank_;
  Exchanges* exchanges;
  std::size_t* count;  // of exchanges that this rank has come to

  int rank() const { return rank_; }
  int coordinate(int slot) const { return 4 * (rank_ + G * (slot / 4)) + slot % 4; }
  EmulatedTile again() const { return *this; }
  Sum<float> exchange(const Sum<float>& x, int distance) const {
    const std::size_t at = (*count)++;
    if (at == exchanges->passed.size()) {
      exchanges->passed.emplace_back(static_cast<std::size_t>(G));
    }
    exchanges->passed[at][static_cast<std::size_t>(rank_)] = x;
    // Beyond what is settled any value will do: the run is repeated.
    return at < exchanges->settled
               ? exchanges->passed[at][static_cast<std::size_t>(rank_ ^ distance)]
               : x;
  }
};

/// Runs body(group) for every rank until all exchanges are settled; returns their results.
template <int G, class Body>
auto run_group(Body body) {
  Exchanges exchanges;
  for (;;) {
    std::vector<decltype(body(std::declval<EmulatedTile<G>>()))> results;
    std::size_t most = 0;
    for (int rank = 0; rank < G; ++rank) {
      std::size_t count = 0;
      results.push_back(body(EmulatedTile<G>{rank, &exchanges, &count}));
      most = count;
    }
    if (exchanges.settled == most) {
      return results;
    }
    ++exchanges.settled;
  }
}

bool same_bits(float a, float b) {
  return std::memcmp(&a, &b, sizeof a) == 0;
}

template <int N>
Sum<float> solo_sum(const std::vector<float>& x) {
  return sum_coordinates<float, N, true>(
      Solo{}, N, [&](int s, int) { return x[static_cast<std::size_t>(s)]; });
}

template <int N, int G>
void sums_as_one(const std::vector<float>& x, const Sum<float>& expected) {
  const auto sums = run_group<G>([&](const EmulatedTile<G>& group) {
    return sum_coordinates<float, N, true>(
        group, N, [&](int, int j) { return x[static_cast<std::size_t>(j)]; });
  });
  for (const Sum<float>& sum : sums) {  // every thread knows it
    EXPECT_TRUE(same_bits(sum.hi, expected.hi) && same_bits(sum.lo, expected.lo))
        << N << " coordinates, " << G << " threads: " << sum.hi << " + " << sum.lo << ", not "
        << expected.hi << " + " << expected.lo;
  }
}

template <int N>
void sums_as_one() {
  Uniform uniform(N);
  std::vector<float> x(N);
  double exact = 0;
  for (float& value : x) {  // of sizes from 1e-3 to 1e3, so that any other order rounds otherwise
    value = static_cast<float>(uniform() * std::pow(10, 3 * uniform()));
    exact += static_cast<double>(value);
  }
  const Sum<float> expected = solo_sum<N>(x);
  EXPECT_NEAR(static_cast<double>(expected.hi) + static_cast<double>(expected.lo), exact, 5e-4);
  const auto any_dimension = sum_coordinates<float, 128, false>(
      Solo{}, N, [&](int s, int) { return x[static_cast<std::size_t>(s)]; });
  EXPECT_TRUE(same_bits(any_dimension.hi, expected.hi) && same_bits(any_dimension.lo, expected.lo))
      << N << " coordinates, known at run time";
  sums_as_one<N, 2>(x, expected);
  sums_as_one<N, 4>(x, expected);
  sums_as_one<N, 8>(x, expected);
  sums_as_one<N, 32>(x, expected);
}

TEST(Group, SumsTheSameBitsHoweverManyShareThem) {
  []<int... N>(std::integer_sequence<int, N...>) {
    (sums_as_one<N + 1>(), ...);
  }
  (std::make_integer_sequence<int, 70>{});
  sums_as_one<333>();
}

template <int N, int G>
void covers() {
  std::vector<int> seen(N, 0);
  std::vector<int> used(slots<N, EmulatedTile<G>>, 0);
  for (int rank = 0; rank < G; ++rank) {
    std::fill(used.begin(), used.end(), 0);
    const EmulatedTile<G> group{rank, nullptr, nullptr};
    for_slots<N, true>(group, N, [&](int s, int j) {
      ASSERT_TRUE(s >= 0 && s < static_cast<int>(used.size()) && j >= 0 && j < N);
      ++used[static_cast<std::size_t>(s)];
      ++seen[static_cast<std::size_t>(j)];
    });
    for (const int times : used) {
      EXPECT_LE(times, 1) << N << ", " << G;
    }
  }
  EXPECT_EQ(seen, std::vector<int>(N, 1)) << G << " threads";
}

TEST(Group, CoversEveryCoordinateOnce) {
  []<int... N>(std::integer_sequence<int, N...>) {
    ((covers<N + 1, 2>(), covers<N + 1, 4>(), covers<N + 1, 8>(), covers<N + 1, 32>()), ...);
  }
  (std::make_integer_sequence<int, 70>{});
  std::vector<int> seen;
  for_slots<9, true>(Solo{}, 9, [&](int s, int j) {
    EXPECT_EQ(s, j);
    seen.push_back(j);
  });
  for_slots<64, false>(Solo{}, 3, [&](int, int j) { seen.push_back(j); });
  EXPECT_EQ(seen, (std::vector<int>{0, 1, 2, 3, 4, 5, 6, 7, 8, 0, 1, 2}));
}

/// A chain after some transitions.
struct Chain {
  std::vector<float> q, p, info;
  bool operator==(const Chain&) const = default;
};

/// What one thread of a group ends up with, at its coordinates.
template <class Group, class Target, class Transition>
Chain transitions_of(const Group& group, const Target& target, const Transition& transition,
                     const Chain& start) {
  constexpr int n = Target::dim;
  constexpr int local = slots<n, Group>;
  Chain chain{std::vector<float>(n, 0.f), std::vector<float>(n, 0.f), {}};
  Position<float, local> x{};
  float p[local] = {};
  for_slots<n, true>(group, n, [&](int s, int j) {
    x.q[s] = start.q[static_cast<std::size_t>(j)];
    p[s] = start.p[static_cast<std::size_t>(j)];
  });
  x.potential = potential_and_gradient(target, group, x.q, x.gradient);
  for (std::uint32_t t = 0; t < 4; ++t) {
    const auto info = transition(target, group, Stream<float>::of(7, 11), t, x, p);
    chain.info.insert(chain.info.end(),
                      {info.acceptance, info.energy, info.energy_error, info.accepted ? 1.f : 0.f,
                       x.potential.hi, x.potential.lo});
  }
  for_slots<n, true>(group, n, [&](int s, int j) {
    chain.q[static_cast<std::size_t>(j)] = x.q[s];
    chain.p[static_cast<std::size_t>(j)] = Transition::keeps_momentum ? p[s] : 0.f;
  });
  return chain;
}

template <int G, class Target, class Transition>
void moves_as_one(const Target& target, const Transition& transition, const Chain& start,
                  const Chain& expected) {
  SCOPED_TRACE(G);
  Chain together{std::vector<float>(Target::dim, 0.f), std::vector<float>(Target::dim, 0.f), {}};
  for (const Chain& part : run_group<G>([&](const EmulatedTile<G>& group) {
         return transitions_of(group, target, transition, start);
       })) {
    EXPECT_EQ(part.info, expected.info);  // energies and decisions are known to every thread
    for (std::size_t j = 0; j < together.q.size(); ++j) {
      together.q[j] += part.q[j];
      together.p[j] += part.p[j];
    }
  }
  EXPECT_EQ(together.q, expected.q);
  EXPECT_EQ(together.p, expected.p);
}

/// @param moves  calls its last argument with each transition to try
template <class Target, class Moves>
void transitions_move_as_one(const Target& target, double step, Moves moves) {
  const Kinetics<float, Target> kinetics(target, some_diagonal_metric(Target::dim));
  Trajectory trajectory;
  trajectory.step_size = step;
  trajectory.steps = 5;
  trajectory.jitter = LengthJitter::uniform;
  Uniform uniform(9);
  Chain start;
  for (int j = 0; j < Target::dim; ++j) {
    start.q.push_back(static_cast<float>(uniform()));
    start.p.push_back(static_cast<float>(uniform()));
  }
  const auto all_sizes = [&](const auto& transition) {
    const Chain expected = transitions_of(Solo{}, target, transition, start);
    EXPECT_NE(expected.q, start.q);  // something was accepted
    moves_as_one<2>(target, transition, start, expected);
    moves_as_one<4>(target, transition, start, expected);
    moves_as_one<8>(target, transition, start, expected);
    moves_as_one<32>(target, transition, start, expected);
  };
  moves(kinetics.diagonal(), trajectory, all_sizes);
}

TEST(Group, TransitionsMoveAChainAsOneThreadWould) {
  transitions_move_as_one(Icg{}, 0.07, [](const auto& kinetic, const Trajectory& t, auto check) {
    check(transitions::Hmc{kinetic, Leapfrog{}, FullRefreshment{}, t});
  });
  transitions_move_as_one(RoughWell<14>{0.1}, 0.05,
                          [](const auto& kinetic, const Trajectory& t, auto check) {
                            check(transitions::Hmc{kinetic, Palindromic{minimal_norm_4_table()},
                                                   PartialRefreshment{0.7}, t});
                            check(transitions::RandomWalk{kinetic, t});
                          });
}

}  // namespace
}  // namespace lockstep
