// One transition from one state is the same on every lane: bit for bit between scalar float, its
// SIMD registers and registers in flight together, where the target has no transcendental function,
// and within stated bounds elsewhere and against double. And a run is the same run however many
// chains, threads and launches it is made of.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "kernels/launch/make.hpp"
#include "kernels/transitions/hmc.hpp"
#include "kernels/transitions/random_walk.hpp"
#include "tests/all_targets.hpp"
#include "tests/phase_space.hpp"

namespace lockstep {
namespace {

using testing::Kinetics;
using testing::some_diagonal_metric;
using testing::stable_step;
using testing::Uniform;
using testing_targets::for_each_target;

constexpr std::uint64_t kSeed = 12;
constexpr std::size_t kChains = 64;

/// What all lanes start from; floats, so that all can.
struct Start {
  std::vector<double> q, p;  // [dim][kChains]
  Trajectory trajectory;
};

template <class Target>
Start start_of(const Target& target, double spread) {
  Uniform uniform(1);
  const int d = dimension(target);
  const auto size = static_cast<std::size_t>(d) * kChains;
  Start start{std::vector<double>(size), std::vector<double>(size), {}};
  double step = 1;
  for (std::size_t c = 0; c < kChains; ++c) {
    const std::vector<double> q = uniform.vector(d, 0.5 * spread), p = uniform.vector(d, 1.5);
    step = std::min(step, stable_step(target, q, 1.2));
    for (std::size_t j = 0; j < q.size(); ++j) {
      start.q[j * kChains + c] = q[j];
      start.p[j * kChains + c] = p[j];
    }
  }
  start.trajectory = {.seed = kSeed, .step_size = static_cast<float>(step), .steps = 5};
  return start;
}

/// Everything a transition leaves behind, per chain.
struct Outcome {
  std::vector<double> q, p;  // [dim][kChains]
  std::vector<double> error, acceptance, energy, potential;
  std::vector<bool> accepted;
  bool operator==(const Outcome&) const = default;
};

/// @param make  builds the transition from a kinetic energy
template <class L, class Target, class Make>
[[gnu::noinline]] Outcome outcome_of(const Target& target, const Start& start, std::uint32_t t,
                                     Make make) {
  using S = Scalar<L>;
  constexpr auto w = static_cast<std::size_t>(width<L>);
  static_assert(kChains % w == 0);
  constexpr int n = capacity<Target>;
  const int d = dimension(target);
  const Kinetics<S, Target> kinetics(target, some_diagonal_metric(d));
  const auto transition = make(kinetics.diagonal());
  Outcome o{start.q, start.p, {}, {}, {}, {}, {}};
  for (std::size_t c = 0; c < kChains; c += w) {
    S buffer[w];
    const auto load = [&](const std::vector<double>& from, int j) {
      for (std::size_t k = 0; k < w; ++k) {
        buffer[k] = static_cast<S>(from[static_cast<std::size_t>(j) * kChains + c + k]);
      }
      return load_lane<L>(buffer);
    };
    const auto put = [&](std::vector<double>& to, int j, const L& x) {
      store_lane(buffer, x);
      for (std::size_t k = 0; k < w; ++k) {
        to[static_cast<std::size_t>(j) * kChains + c + k] = static_cast<double>(buffer[k]);
      }
    };
    const auto append = [&](std::vector<double>& to, const L& x) {
      store_lane(buffer, x);
      to.insert(to.end(), buffer, buffer + w);
    };
    Position<L, n> x;
    L p[n];
    for (int j = 0; j < d; ++j) {
      x.q[j] = load(start.q, j);
      p[j] = load(start.p, j);
    }
    x.potential = potential_and_gradient(target, Solo{}, x.q, x.gradient);
    const Info<L> info = transition(target, Solo{}, Stream<L>::of(kSeed, c), t, x, p);
    for (int j = 0; j < d; ++j) {
      put(o.q, j, x.q[j]);
      if (std::decay_t<decltype(transition)>::keeps_momentum) {
        put(o.p, j, p[j]);
      }
    }
    append(o.error, info.energy_error);
    append(o.acceptance, info.acceptance);
    append(o.energy, info.energy);
    append(o.potential, x.potential.value());
    store_lane(buffer, select(info.accepted, L(1), L(0)));
    for (std::size_t k = 0; k < w; ++k) {
      o.accepted.push_back(buffer[k] > S(0));
    }
  }
  return o;
}

/// How far two lanes are apart, chains that decided otherwise aside.
struct Apart {
  double position = 0;  // relative to the largest coordinate of all chains
  double energy = 0;    // of the error, relative to 1 + the largest |H| and the error itself
  int ties = 0;         // chains that decided otherwise
};

Apart apart(const Outcome& a, const Outcome& b) {
  Apart r;
  double size = 0, energy = 1;
  for (const double x : a.q) {
    size = std::max(size, std::abs(x));
  }
  for (const double h : a.energy) {
    energy = std::max(energy, 1 + std::abs(h));
  }
  const std::size_t d = a.q.size() / kChains;
  for (std::size_t c = 0; c < kChains; ++c) {
    // A proposal that flew off has an energy far beyond those of the states.
    const double difference =
        std::abs(a.error[c] - b.error[c]) / std::max(energy, std::abs(a.error[c]));
    r.energy = difference <= r.energy ? r.energy : difference;
    if (a.accepted[c] != b.accepted[c]) {
      ++r.ties;
      continue;
    }
    for (std::size_t j = 0; j < d; ++j) {
      const std::size_t at = j * kChains + c;
      const double distance =
          std::max(std::abs(a.q[at] - b.q[at]) / size, std::abs(a.p[at] - b.p[at]) / (1 + size));
      r.position = distance <= r.position ? r.position : distance;
    }
  }
  return r;
}

/// Chains may decide otherwise only where the acceptance variate lies within the difference of
/// their acceptance probabilities and the spacing of float uniforms.
template <class Target>
void ties_are_close(const Target& target, std::uint32_t t, const Outcome& a, const Outcome& b) {
  const int d = dimension(target);
  std::vector<double> z(static_cast<std::size_t>(d));
  for (std::size_t c = 0; c < kChains; ++c) {
    if (a.accepted[c] != b.accepted[c]) {
      const double u = normals(Stream<double>::of(kSeed, c), t, Purpose::transition, d, z.data());
      EXPECT_LE(std::abs(a.acceptance[c] - u),
                std::abs(a.acceptance[c] - b.acceptance[c]) + 0x1p-23)
          << "chain " << c;
    }
  }
}

/// f(name, make) for each transition.
template <class F>
void for_each_transition(const Trajectory& trajectory, F f) {
  f("HMC", [=](const auto& kinetic) {
    return transitions::Hmc{kinetic, Leapfrog{}, FullRefreshment{}, trajectory};
  });
  f("generalised HMC", [=](const auto& kinetic) {
    return transitions::Hmc{kinetic, Palindromic{minimal_norm_2_table()}, PartialRefreshment{0.7},
                            trajectory};
  });
  f("random walk", [=](const auto& kinetic) {
    return transitions::RandomWalk{kinetic, trajectory};
  });
}

constexpr std::uint32_t kTransitions = 4;

// ---- float against double, and against its registers
// ------------------------------------------------

/// Float lanes against double, in one transition: relative differences of positions, and of energy
/// errors to energies.
constexpr double kPositionBound = 1e-5, kEnergyBound = 1e-5;
/// Scalar float against SIMD: exp, log and logistic are of different libraries.
constexpr double kLanePositionBound = 2e-6, kLaneEnergyBound = 5e-6;

/// No exp, log or logistic between the state and the energy: fma, + and * round alike everywhere.
bool without_transcendentals(const std::string& name) {
  for (const char* prefix : {"std-normal", "icg", "scg", "rough-well", "banana", "funnel-nc"}) {
    if (name.rfind(prefix, 0) == 0) {
      return true;
    }
  }
  return false;
}

/// Acceptance probabilities come from exp, which may differ in the last place; all else may not.
void expect_same_bits(const Outcome& a, const Outcome& b) {
  EXPECT_EQ(a.error, b.error);
  EXPECT_EQ(a.accepted, b.accepted);
  EXPECT_EQ(a.q, b.q);
  EXPECT_EQ(a.p, b.p);
  EXPECT_EQ(a.energy, b.energy);
  EXPECT_EQ(a.potential, b.potential);
  for (std::size_t c = 0; c < kChains; ++c) {
    EXPECT_NEAR(a.acceptance[c], b.acceptance[c], 0x1p-22);
  }
}

template <class Target>
void lanes_agree(const std::string& name, const Target& target, double spread) {
  SCOPED_TRACE(name);
  const Start start = start_of(target, spread);
  for_each_transition(start.trajectory, [&](const char* transition, auto make) {
    SCOPED_TRACE(transition);
    Apart precision, lanes;
    int accepted = 0;
    for (std::uint32_t t = 0; t < kTransitions; ++t) {
      const Outcome exact = outcome_of<double>(target, start, t, make);
      const Outcome scalar = outcome_of<float>(target, start, t, make);
      const Outcome batch = outcome_of<FloatBatch>(target, start, t, make);
      accepted += static_cast<int>(std::count(exact.accepted.begin(), exact.accepted.end(), true));
      ties_are_close(target, t, exact, scalar);
      ties_are_close(target, t, scalar, batch);
      const auto add = [](Apart& to, const Apart& x) {
        to.position = std::max(to.position, x.position);
        to.energy = std::max(to.energy, x.energy);
        to.ties += x.ties;
      };
      add(precision, apart(exact, scalar));
      add(lanes, apart(scalar, batch));
      if (without_transcendentals(name)) {
        expect_same_bits(scalar, batch);
      }
    }
    std::printf(
        "%-30s %-16s double - float %.1e (energy %.1e, ties %d)   float - SIMD %.1e (energy "
        "%.1e, ties %d)\n",
        name.c_str(), transition, precision.position, precision.energy, precision.ties,
        lanes.position, lanes.energy, lanes.ties);
    EXPECT_GT(accepted, 20);  // something is compared
    EXPECT_LT(precision.position, kPositionBound);
    EXPECT_LT(precision.energy, kEnergyBound);
    EXPECT_LT(lanes.position, kLanePositionBound);
    EXPECT_LT(lanes.energy, kLaneEnergyBound);
    EXPECT_LE(precision.ties, 1);
    EXPECT_LE(lanes.ties, 1);
  });
}

TEST(Parity, DoubleFloatAndSimd) {
  for_each_target<float>([](const std::string& name, const auto& target, double spread) {
    lanes_agree(name, target, spread);
  });
}

// ---- registers in flight
// ----------------------------------------------------------------------------

template <class Target>
void twins_agree(const Target& target, double spread) {
  const Start start = start_of(target, spread);
  for_each_transition(start.trajectory, [&](const char* transition, auto make) {
    SCOPED_TRACE(transition);
    for (std::uint32_t t = 0; t < kTransitions; ++t) {
      const Outcome batch = outcome_of<FloatBatch>(target, start, t, make);
      EXPECT_EQ(batch, outcome_of<Twin<FloatBatch>>(target, start, t, make));
      if constexpr (capacity<Target> <= 3) {
        const bool same = batch == outcome_of<Twin<Twin<FloatBatch>>>(target, start, t, make);
        EXPECT_TRUE(same);
      }
    }
  });
}

/// The same instructions, so not even transcendental functions may differ.
TEST(Parity, LanesInFlight) {
  twins_agree(StdNormal<5>{}, 2);
  twins_agree(Icg{}, 2);
  twins_agree(Scg{}, 4);
  twins_agree(Banana{}, 10);
  twins_agree(Mog{}, 4);
}

// ---- whole runs
// -------------------------------------------------------------------------------------

/// Positions of the first 64 chains after 50 transitions, in launches of `length`.
template <class S, class Target>
std::vector<double> run(const Target& target, const Sampler& sampler, std::int64_t chains,
                        int threads, int length, bool recording) {
  SampleOptions options;
  options.chains = chains;
  options.threads = threads;
  options.seed = kSeed;
  const auto engine = make_cpu_engine<S>(target, options);
  const int d = dimension(target);
  engine->configure(sampler, some_diagonal_metric(d));
  std::vector<double> q(static_cast<std::size_t>(d * chains));
  for (std::int64_t c = 0; c < chains; ++c) {
    for (std::int64_t j = 0; j < d; ++j) {
      q[static_cast<std::size_t>(j * chains + c)] =
          std::sin(static_cast<double>(1 + c * 31 + j * 7));
    }
  }
  engine->place(q);
  constexpr int transitions = 50;
  Recording record;
  record.draws = transitions;
  engine->record(record);
  for (int done = 0; done < transitions; done += length) {
    const Launch launch{static_cast<std::uint32_t>(done), std::min(length, transitions - done),
                        sampler.step_size, 0};
    if (recording) {
      engine->advance_recording(launch);
    } else {
      engine->advance(launch);
    }
  }
  engine->positions(q);
  std::vector<double> first;
  for (std::int64_t j = 0; j < d; ++j) {
    first.insert(first.end(), q.begin() + j * chains, q.begin() + j * chains + 64);
  }
  return first;
}

template <class S, class Target>
void runs_agree(const Target& target, const Sampler& sampler) {
  const std::vector<double> one = run<S>(target, sampler, 64, 1, 50, true);
  EXPECT_GT(std::count_if(one.begin(), one.end(), [](double x) { return std::abs(x) > 1; }), 0);
  EXPECT_EQ(one, run<S>(target, sampler, 64, 2, 1, false));
  EXPECT_EQ(one, run<S>(target, sampler, 64, 1, 7, true));
  EXPECT_EQ(one, run<S>(target, sampler, 1000, 1, 50, false));
  EXPECT_EQ(one, run<S>(target, sampler, 1000, 2, 1, true));
  EXPECT_EQ(one, run<S>(target, sampler, 4096, 2, 50, true));
}

Sampler some_hmc(double step) {
  Hmc hmc;
  hmc.step_size = step;
  hmc.step_jitter = 0.2;
  hmc.leapfrog = 4;
  return hmc;
}

TEST(SameBits, HoweverManyChainsThreadsAndLaunches) {
  runs_agree<float>(Banana{}, some_hmc(0.9));
  runs_agree<float>(Icg{}, some_hmc(0.06));
  runs_agree<float>(Mog{}, some_hmc(0.2));
  runs_agree<float>(EightSchoolsNc{}, some_hmc(0.3));
  runs_agree<double>(Banana{}, some_hmc(0.9));
  Ghmc ghmc;
  ghmc.step_size = 0.3;
  runs_agree<float>(EightSchoolsNc{}, ghmc);
  RandomWalk walk;
  walk.step_size = 0.5;
  runs_agree<float>(EightSchoolsNc{}, walk);
}

}  // namespace
}  // namespace lockstep
