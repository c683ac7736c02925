// One transition is the algorithm that it is named after; what is not finite is refused; and in one
// dimension, draws from a known law are still draws from it after the transition.

#include <cmath>
#include <functional>
#include <limits>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "kernels/launch/cpu.hpp"
#include "kernels/transitions/hmc.hpp"
#include "kernels/transitions/random_walk.hpp"
#include "tests/all_targets.hpp"
#include "tests/phase_space.hpp"
#include "tests/random_statistics.hpp"

namespace lockstep {
namespace {

using testing::energy_at;
using testing::gradient_at;
using testing::hamiltonian;
using testing::Kinetics;
using testing::some_diagonal_metric;
using testing::stable_step;
using testing::Uniform;
using testing_targets::for_each_target;

constexpr std::uint64_t kSeed = 5;

Trajectory trajectory_of(double step, int steps) {
  Trajectory t;
  t.seed = kSeed;
  t.step_size = step;
  t.steps = steps;
  return t;
}

// ---- the algorithm, written down a second time
// ------------------------------------------------------

/// A chain in double and what the next transition does to it.
template <class Target, class Transition>
[[gnu::noinline]] Info<double> move(const Target& target, const Transition& transition,
                                    std::uint32_t t, Position<double, capacity<Target>>& x,
                                    std::vector<double>& p) {
  double momentum[capacity<Target>] = {};
  std::copy(p.begin(), p.end(), momentum);
  const Info<double> info =
      transition(target, Solo{}, Stream<double>::of(kSeed, 3), t, x, momentum);
  p.assign(momentum, momentum + p.size());
  return info;
}

template <class Target>
Position<double, capacity<Target>> position_at(const Target& target, const std::vector<double>& q) {
  Position<double, capacity<Target>> x{};
  std::copy(q.begin(), q.end(), x.q);
  x.potential = potential_and_gradient(target, Solo{}, x.q, x.gradient);
  return x;
}

/// What a transition is expected to do.
struct Expected {
  std::vector<double> q;  // the proposal
  double error;           // of the energy
  double u;
};

/// Compares and returns whether the proposal was accepted.
template <class Target>
bool agrees(const Target& target, const Expected& expected, const Info<double>& info,
            const Position<double, capacity<Target>>& before,
            const Position<double, capacity<Target>>& after, double size) {
  const std::size_t d = expected.q.size();
  EXPECT_NEAR(info.energy_error, expected.error, 1e-9 * (1 + size));
  EXPECT_NEAR(info.acceptance, std::min(1.0, std::exp(-expected.error)), 1e-9 * (1 + size));
  EXPECT_EQ(info.accepted, expected.u <= info.acceptance);
  EXPECT_EQ(info.divergent, expected.error > kDivergence);
  for (std::size_t j = 0; j < d; ++j) {
    if (info.accepted) {
      EXPECT_NEAR(after.q[j], expected.q[j], 1e-9 * (1 + std::abs(expected.q[j]))) << j;
    } else {
      EXPECT_EQ(after.q[j], before.q[j]) << j;
      EXPECT_EQ(after.gradient[j], before.gradient[j]) << j;
    }
  }
  if (info.accepted) {
    const std::vector<double> q(after.q, after.q + d);
    EXPECT_NEAR(after.potential.value(), energy_at(target, q), 1e-12 * (1 + size));
  } else {
    EXPECT_EQ(after.potential.hi, before.potential.hi);
    EXPECT_EQ(after.potential.lo, before.potential.lo);
  }
  return info.accepted;
}

TEST(Algorithm, Hmc) {
  for_each_target<double>([](const std::string& name, const auto& target, double spread) {
    SCOPED_TRACE(name);
    using Target = std::decay_t<decltype(target)>;
    const int d = dimension(target);
    const PreparedMetric metric = some_diagonal_metric(d);
    const Kinetics<double, Target> kinetics(target, metric);
    Uniform uniform(1);
    int accepted = 0, rejected = 0;
    for (std::uint32_t t = 0; t < 40; ++t) {
      const std::vector<double> start = uniform.vector(d, 0.5 * spread);
      const double step = stable_step(target, start, 1.0);
      const int steps = 4;
      Position<double, capacity<Target>> x = position_at(target, start);
      const auto before = x;
      std::vector<double> p(start.size());

      // p ~ N(0, M), then the leapfrog in its textbook form.
      Expected expected{start, 0, 0};
      expected.u = normals(Stream<double>::of(kSeed, 3), t, Purpose::transition, d, p.data());
      for (std::size_t j = 0; j < p.size(); ++j) {
        p[j] /= metric.factor[j];
      }
      const double h0 = hamiltonian(target, metric, start, p);
      for (int i = 0; i < steps; ++i) {
        for (const bool first : {true, false}) {
          const std::vector<double> g = gradient_at(target, expected.q);
          for (std::size_t j = 0; j < p.size(); ++j) {
            p[j] -= 0.5 * step * g[j];
            expected.q[j] += first ? step * metric.inverse_mass[j] * p[j] : 0;
          }
        }
      }
      expected.error = hamiltonian(target, metric, expected.q, p) - h0;

      const transitions::Hmc hmc{kinetics.diagonal(), Leapfrog{}, FullRefreshment{},
                                 trajectory_of(step, steps)};
      const Info<double> info = move(target, hmc, t, x, p);
      (agrees(target, expected, info, before, x, std::abs(h0)) ? accepted : rejected) += 1;
    }
    EXPECT_GT(accepted, 5);
    EXPECT_LE(accepted + rejected, 40);
  });
}

TEST(Algorithm, RandomWalk) {
  for_each_target<double>([](const std::string& name, const auto& target, double spread) {
    SCOPED_TRACE(name);
    using Target = std::decay_t<decltype(target)>;
    const int d = dimension(target);
    const PreparedMetric metric = some_diagonal_metric(d);
    const Kinetics<double, Target> kinetics(target, metric);
    Uniform uniform(2);
    int accepted = 0, rejected = 0;
    for (std::uint32_t t = 0; t < 60; ++t) {
      const std::vector<double> start = uniform.vector(d, 0.5 * spread);
      const double step = stable_step(target, start, 0.7);
      Position<double, capacity<Target>> x = position_at(target, start);
      const auto before = x;
      std::vector<double> z(start.size());
      Expected expected{start, 0, 0};
      expected.u = normals(Stream<double>::of(kSeed, 3), t, Purpose::transition, d, z.data());
      for (std::size_t j = 0; j < z.size(); ++j) {
        expected.q[j] += step * metric.factor[j] * z[j];
      }
      const double u0 = energy_at(target, start);
      expected.error = energy_at(target, expected.q) - u0;
      const Info<double> info = move(
          target, transitions::RandomWalk{kinetics.diagonal(), trajectory_of(step, 1)}, t, x, z);
      (agrees(target, expected, info, before, x, std::abs(u0)) ? accepted : rejected) += 1;
    }
    EXPECT_GT(accepted, 5);
    EXPECT_GT(rejected, 0);
  });
}

TEST(Algorithm, GeneralisedHmcKeepsAndFlipsTheMomentum) {
  const Banana target;
  const PreparedMetric metric = some_diagonal_metric(2);
  const Kinetics<double, Banana> kinetics(target, metric);
  const double c = 0.7, step = 1.3;
  const transitions::Hmc ghmc{kinetics.diagonal(), Leapfrog{}, PartialRefreshment{c},
                              trajectory_of(step, 3)};
  Position<double, 2> x = position_at(target, {3.0, -2.0});
  std::vector<double> p{0.3, -0.8};
  int accepted = 0;
  for (std::uint32_t t = 0; t < 200; ++t) {
    std::vector<double> q(x.q, x.q + 2), refreshed(2), z(2);
    normals(Stream<double>::of(kSeed, 3), t, Purpose::transition, 2, z.data());
    for (std::size_t j = 0; j < 2; ++j) {
      refreshed[j] = c * p[j] + std::sqrt(1 - c * c) * z[j] / metric.factor[j];
    }
    std::vector<double> moved = refreshed;
    testing::integrate<double>(target, kinetics.diagonal(), Leapfrog{}, step, 3, q, moved);
    const Info<double> info = move(target, ghmc, t, x, p);
    accepted += info.accepted;
    for (std::size_t j = 0; j < 2; ++j) {
      EXPECT_NEAR(p[j], info.accepted ? moved[j] : -refreshed[j], 1e-11 * (1 + std::abs(p[j])));
    }
  }
  EXPECT_GT(accepted, 40);
  EXPECT_LT(accepted, 180);
}

TEST(Algorithm, WithoutPersistenceItIsHmc) {
  const EightSchoolsNc target;
  const Kinetics<double, EightSchoolsNc> kinetics(target, some_diagonal_metric(10));
  const Trajectory trajectory = trajectory_of(0.3, 4);
  const transitions::Hmc hmc{kinetics.diagonal(), Leapfrog{}, FullRefreshment{}, trajectory};
  const transitions::Hmc ghmc{kinetics.diagonal(), Leapfrog{}, PartialRefreshment{0.0}, trajectory};
  Uniform uniform(3);
  auto x = position_at(target, uniform.vector(10, 1)), y = x;
  std::vector<double> p(10), r(10);
  for (std::uint32_t t = 0; t < 50; ++t) {
    move(target, hmc, t, x, p);
    move(target, ghmc, t, y, r);
    ASSERT_EQ(std::vector<double>(x.q, x.q + 10), std::vector<double>(y.q, y.q + 10)) << t;
  }
}

/// U = 0: every proposal of the random walk is accepted, and shows its displacement.
struct Flat {
  static constexpr int dim = 3;
  template <class T>
  T potential(const T*) const {
    return T(0);
  }
};

/// The displacement is drawn without regard to the position, and is as likely as its negative (it
/// is linear in normals): so the proposal is symmetric.
TEST(Algorithm, TheRandomWalkDoesNotLookWhereItIs) {
  const Flat target;
  const Kinetics<double, Flat> kinetics(target, some_diagonal_metric(3));
  const transitions::RandomWalk walk{kinetics.diagonal(), trajectory_of(0.9, 1)};
  for (std::uint32_t t = 0; t < 20; ++t) {
    std::vector<double> p(3), z(3);
    normals(Stream<double>::of(kSeed, 3), t, Purpose::transition, 3, z.data());
    for (const double far : {0.0, 4.0, -1000.0}) {
      auto x = position_at(target, {far, far, far});
      EXPECT_TRUE(move(target, walk, t, x, p).accepted);
      for (std::size_t j = 0; j < 3; ++j) {
        const double step = 0.9 * some_diagonal_metric(3).factor[j] * z[j];
        EXPECT_NEAR(x.q[j] - far, step, 1e-12 * (1 + std::abs(far)));
      }
    }
  }
}

// ---- what is not finite
// -----------------------------------------------------------------------------

enum class Trap { nan_energy, infinite_energy, bottomless_energy, nan_gradient, infinite_gradient };

/// A standard normal whose energy or gradient goes wrong where x > 1.
struct Trapped {
  static constexpr int dim = 2;
  Trap trap;

  template <class T>
  Sum<T> potential(const T* q) const {
    using S = Scalar<T>;
    constexpr S inf = std::numeric_limits<S>::infinity();
    const T u = T(0.5f) * (q[0] * q[0] + q[1] * q[1]);
    const S wrong = trap == Trap::nan_energy          ? std::numeric_limits<S>::quiet_NaN()
                    : trap == Trap::infinite_energy   ? inf
                    : trap == Trap::bottomless_energy ? -inf
                                                      : S(0);
    return wrong == S(0) ? u : select(q[0] > T(1), T(wrong), u);
  }
  template <class T>
  Sum<T> potential_and_gradient(const T* q, T* gradient) const {
    using S = Scalar<T>;
    gradient[0] = q[0];
    gradient[1] = q[1];
    if (trap == Trap::nan_gradient || trap == Trap::infinite_gradient) {
      const S wrong = trap == Trap::nan_gradient ? std::numeric_limits<S>::quiet_NaN()
                                                 : std::numeric_limits<S>::infinity();
      gradient[1] = select(q[0] > T(1), T(wrong), gradient[1]);
    }
    return potential(q);
  }
};

/// Chains of one lane for 60 transitions: those that step into the trap are put back, bit for bit,
/// and counted; the others do not notice.
template <class L, class Transition>
void stays_out(const Trapped& target, const Transition& transition) {
  using S = Scalar<L>;
  constexpr int w = width<L>;
  S q0[w], q1[w], p0[w] = {};
  for (int k = 0; k < w; ++k) {
    q0[k] = static_cast<S>(-1.5 + 2.0 * k / w);
    q1[k] = static_cast<S>(0.1 * k - 0.5);
  }
  Position<L, 2> x;
  x.q[0] = load_lane<L>(q0);
  x.q[1] = load_lane<L>(q1);
  x.potential = potential_and_gradient(target, Solo{}, x.q, x.gradient);
  L p[2] = {load_lane<L>(p0), load_lane<L>(p0)};
  int trapped = 0, accepted = 0;
  for (std::uint32_t t = 0; t < 60; ++t) {
    const Position<L, 2> before = x;
    const Info<L> info = transition(target, Solo{}, Stream<L>::of(kSeed, 0), t, x, p);
    S was[5][w], is[5][w], divergent[w], took[w], acceptance[w], momentum[2][w];
    const L old[5] = {before.q[0], before.q[1], before.gradient[0], before.gradient[1],
                      before.potential.value()};
    const L now[5] = {x.q[0], x.q[1], x.gradient[0], x.gradient[1], x.potential.value()};
    for (int i = 0; i < 5; ++i) {
      store_lane(was[i], old[i]);
      store_lane(is[i], now[i]);
    }
    store_lane(divergent, select(info.divergent, L(1), L(0)));
    store_lane(took, select(info.accepted, L(1), L(0)));
    store_lane(acceptance, info.acceptance);
    store_lane(momentum[0], Transition::keeps_momentum ? p[0] : L(0));
    store_lane(momentum[1], Transition::keeps_momentum ? p[1] : L(0));
    for (int k = 0; k < w; ++k) {
      ASSERT_TRUE(is[0][k] <= S(1)) << "chain " << k << " is in the trap";
      for (int i = 0; i < 5; ++i) {
        ASSERT_TRUE(std::isfinite(is[i][k])) << i;
      }
      ASSERT_TRUE(std::isfinite(momentum[0][k]) && std::isfinite(momentum[1][k]));
      ASSERT_TRUE(acceptance[k] >= S(0) && acceptance[k] <= S(1));
      if (divergent[k] > S(0)) {
        ++trapped;
        ASSERT_EQ(acceptance[k], S(0));
        ASSERT_EQ(took[k], S(0));
      }
      if (took[k] == S(0)) {
        for (int i = 0; i < 5; ++i) {
          ASSERT_EQ(was[i][k], is[i][k]) << i;
        }
      } else {
        ++accepted;
        if (Transition::needs_gradient) {  // which then belongs to the position
          ASSERT_EQ(is[2][k], is[0][k]);
        }
      }
    }
  }
  EXPECT_GT(trapped, 3);
  EXPECT_GT(accepted, 10 * w);
}

template <class L>
void stays_out_of_all_traps() {
  for (const Trap trap : {Trap::nan_energy, Trap::infinite_energy, Trap::bottomless_energy,
                          Trap::nan_gradient, Trap::infinite_gradient}) {
    SCOPED_TRACE(static_cast<int>(trap));
    const Trapped target{trap};
    const Kinetics<Scalar<L>, Trapped> kinetics(target, some_diagonal_metric(2));
    const auto kinetic = kinetics.diagonal();
    stays_out<L>(target,
                 transitions::Hmc{kinetic, Leapfrog{}, FullRefreshment{}, trajectory_of(0.5, 2)});
    stays_out<L>(target, transitions::Hmc{kinetic, Palindromic{minimal_norm_4_table()},
                                          PartialRefreshment{0.8}, trajectory_of(0.8, 1)});
    if (trap != Trap::nan_gradient && trap != Trap::infinite_gradient) {
      stays_out<L>(target, transitions::RandomWalk{kinetic, trajectory_of(0.8, 1)});
    }
  }
}

TEST(NotFinite, IsRefusedOnDouble) {
  stays_out_of_all_traps<double>();
}
TEST(NotFinite, IsRefusedOnFloatBatch) {
  stays_out_of_all_traps<FloatBatch>();
}

TEST(NotFinite, TheRuleRefusesWhateverItIs) {
  const double inf = std::numeric_limits<double>::infinity(), nan = std::nan("");
  for (const double after : {inf, -inf, nan}) {
    for (const double before : {0.0, -1e300}) {
      const Info<double> info = Metropolis{}(Sum<double>(before), Sum<double>(after), 0.0, 1e-300);
      EXPECT_FALSE(info.accepted) << after;
      EXPECT_TRUE(info.divergent) << after;
      EXPECT_EQ(info.acceptance, 0) << after;
      EXPECT_EQ(info.energy, before) << after;
    }
  }
  const Info<double> large = Metropolis{}(Sum<double>(1), Sum<double>(1001.5), 0.0, 0.5);
  EXPECT_TRUE(large.divergent && !large.accepted);
  const Info<double> down = Metropolis{}(Sum<double>(5000), Sum<double>(1), 0.0, 1.0);
  EXPECT_TRUE(down.accepted && !down.divergent);
  EXPECT_EQ(down.acceptance, 1);
  // The Jacobian enters the ratio: log 2 in favour cancels log 2 of energy.
  const Info<double> jacobian =
      Metropolis{}(Sum<double>(0), Sum<double>(std::log(2)), std::log(2), 1.0);
  EXPECT_EQ(jacobian.acceptance, 1);
}

// ---- the length of a trajectory
// ---------------------------------------------------------------------

TEST(Lengths, HaltonCoversEvenly) {
  for (const int mean : {1, 2, 7, 10, 32}) {
    Trajectory t = trajectory_of(1, mean);
    t.jitter = LengthJitter::halton;
    const int n = 2 * mean - 1;
    for (const std::uint32_t first :
         {1023u, 5 * 1024u - 1}) {  // transition + 1 is what is reversed
      std::vector<int> count(static_cast<std::size_t>(n), 0);
      for (std::uint32_t i = 0; i < 1024; ++i) {
        const int steps = t.steps_at(first + i);
        ASSERT_TRUE(steps >= 1 && steps <= n) << steps;
        ++count[static_cast<std::size_t>(steps - 1)];
      }
      for (const int c : count) {  // 1024 / n, rounded down or up
        EXPECT_GE(c, 1024 / n);
        EXPECT_LE(c, (1024 + n - 1) / n);
      }
    }
  }
}

TEST(Lengths, UniformIsUniform) {
  Trajectory t = trajectory_of(1, 10);
  t.jitter = LengthJitter::uniform;
  const int draws = 190000;
  std::vector<double> count(19, 0.0), pairs(19 * 19, 0.0);
  int previous = 1;
  for (std::uint32_t i = 0; i < draws; ++i) {
    const int steps = t.steps_at(i);
    ASSERT_TRUE(steps >= 1 && steps <= 19) << steps;
    EXPECT_EQ(steps, t.steps_at(i));
    count[static_cast<std::size_t>(steps - 1)] += 1;
    pairs[static_cast<std::size_t>((previous - 1) * 19 + steps - 1)] += 1;
    previous = steps;
  }
  const auto chi_square = [&](const std::vector<double>& cells) {
    const double expected = draws / static_cast<double>(cells.size());
    double sum = 0;
    for (const double c : cells) {
      sum += (c - expected) * (c - expected) / expected;
    }
    const double df = static_cast<double>(cells.size()) - 1;
    return (sum - df) / std::sqrt(2 * df);
  };
  EXPECT_LT(std::abs(chi_square(count)), 4);
  EXPECT_LT(std::abs(chi_square(pairs)), 4);
  Trajectory other = t;
  other.seed = kSeed + 1;
  int equal = 0;
  for (std::uint32_t i = 0; i < 1000; ++i) {
    equal += t.steps_at(i) == other.steps_at(i);
  }
  EXPECT_LT(equal, 120);  // of another seed: one in nineteen
}

TEST(Lengths, StepSizes) {
  Trajectory t = trajectory_of(0.25, 10);
  EXPECT_EQ(t.step_size_at(17), 0.25);
  EXPECT_EQ(t.steps_at(17), 10);
  t.step_jitter = 0.4;
  std::vector<double> u;
  for (std::uint32_t i = 0; i < 100000; ++i) {
    const double step = t.step_size_at(i);
    ASSERT_TRUE(step >= 0.25 * 0.6 && step <= 0.25 * 1.4) << step;
    u.push_back((step / 0.25 - 0.6) / 0.8);
  }
  EXPECT_LT(testing::kolmogorov(u, [](double x) { return x; }), testing::kolmogorov_limit);
}

// ---- stationarity in one dimension
// ------------------------------------------------------------------

constexpr std::int64_t kChains = 1 << 16;
constexpr int kTransitions = 10;

/// Density exp(-x) / (1 + exp(-x))^2, without a gradient of its own.
struct LogisticLaw {
  static constexpr int dim = 1;
  template <class T>
  LOCKSTEP_HD T potential(const T* q) const {
    return q[0] + T(2) * softplus(-q[0]);
  }
};

/// A law on the line: draws, distribution function, and its even moments 2, 4, 6 and 8.
struct Law {
  std::function<double(std::mt19937_64&)> draw;
  std::function<double(double)> cdf;
  double m2, m4, m6, m8;
};

const Law normal_law{[](std::mt19937_64& bits) { return std::normal_distribution<double>{}(bits); },
                     [](double x) { return 0.5 * std::erfc(-x / std::sqrt(2.0)); },
                     1,
                     3,
                     15,
                     105};
constexpr double kPi2 = 9.869604401089358;
const Law logistic_law{[](std::mt19937_64& bits) {
                         const double u = (static_cast<double>(bits() >> 11) + 0.5) * 0x1p-53;
                         return std::log(u / (1 - u));
                       },
                       [](double x) { return 1 / (1 + std::exp(-x)); },
                       kPi2 / 3,
                       7 * kPi2* kPi2 / 15,
                       31 * kPi2* kPi2* kPi2 / 21,
                       127 * kPi2* kPi2* kPi2* kPi2 / 15};

std::vector<double> exact_draws(const Law& law) {
  std::mt19937_64 bits(7);
  std::vector<double> q(kChains);
  for (double& x : q) {
    x = law.draw(bits);
  }
  return q;
}

/// Kolmogorov-Smirnov, and moments 1 to 4 within four standard errors.
void has_law(const std::vector<double>& x, const Law& law) {
  EXPECT_LT(testing::kolmogorov(x, law.cdf), testing::kolmogorov_limit);
  const double expected[] = {0, law.m2, 0, law.m4};
  const double variance[] = {law.m2, law.m4 - law.m2 * law.m2, law.m6, law.m8 - law.m4 * law.m4};
  for (int k = 0; k < 4; ++k) {
    double sum = 0;
    for (const double value : x) {
      sum += std::pow(value, k + 1) - expected[k];
    }
    EXPECT_LT(std::abs(sum) / std::sqrt(variance[k] * static_cast<double>(x.size())), 4)
        << "moment " << k + 1;
  }
}

struct Case {
  const char* name;
  Sampler sampler;
};

std::vector<Case> cases() {
  const auto hmc = [](Integrator integrator, LengthJitter jitter, double step, double step_jitter) {
    Hmc h;
    h.step_size = step;
    h.step_jitter = step_jitter;
    h.leapfrog = 2;
    h.length_jitter = jitter;
    h.integrator = integrator;
    return h;
  };
  Mala mala;
  mala.step_size = 1.2;
  RandomWalk walk;
  walk.step_size = 2;
  return {
      {"HMC", hmc(Integrator::leapfrog, LengthJitter::none, 1.1, 0)},
      {"HMC, uniform lengths", hmc(Integrator::leapfrog, LengthJitter::uniform, 1.3, 0)},
      {"HMC, Halton lengths", hmc(Integrator::leapfrog, LengthJitter::halton, 1.3, 0)},
      {"HMC, jittered step", hmc(Integrator::leapfrog, LengthJitter::uniform, 1.1, 0.4)},
      {"HMC, minimal norm 2", hmc(Integrator::minimal_norm_2, LengthJitter::uniform, 2.2, 0.1)},
      {"HMC, minimal norm 4", hmc(Integrator::minimal_norm_4, LengthJitter::uniform, 2.4, 0.1)},
      {"MALA", mala},
      {"random walk", walk},
  };
}

/// Exact draws in, exact draws out, although chains do move and proposals are rejected.
/// @param factors  of the chains' step sizes; none: all one
void is_stationary(Engine& engine, const Law& law, const std::vector<double>& factors = {}) {
  const std::vector<double> start = exact_draws(law);
  has_law(start, law);
  for (const Case& c : cases()) {
    SCOPED_TRACE(c.name);
    PreparedMetric metric;
    metric.kind = Metric::diagonal;
    metric.inverse_mass = {1.44};
    metric.factor = {1.2};
    engine.configure(c.sampler, metric);
    engine.scale_steps(factors);
    engine.place(start);
    const Pooled pooled = engine.advance({0, kTransitions, c.sampler.step_size, 0});
    EXPECT_LT(pooled.acceptance, 0.985);
    EXPECT_GT(pooled.acceptance, 0.3);
    EXPECT_EQ(pooled.divergences, 0);
    std::vector<double> q(kChains);
    engine.positions(q);
    EXPECT_LT(std::abs(testing::correlation(q, start)) / std::sqrt(static_cast<double>(kChains)),
              0.9);  // they moved
    has_law(q, law);
  }
}

SampleOptions options_of(std::int64_t chains) {
  SampleOptions options;
  options.chains = chains;
  options.seed = kSeed;
  options.threads = 2;
  return options;
}

TEST(Stationarity, OfTheNormal) {
  is_stationary(*make_cpu_engine<float>(StdNormal<1>{}, options_of(kChains)), normal_law);
}
TEST(Stationarity, WithAStepSizeForEachChain) {
  std::vector<double> factors;
  for (int c = 0; c < kChains; ++c) {
    factors.push_back(0.6 + 0.6 * (c % 7) / 6);
  }
  is_stationary(*make_cpu_engine<float>(StdNormal<1>{}, options_of(kChains)), normal_law, factors);
}
TEST(Stationarity, OfTheLogisticLaw) {
  CpuEngine<float, LogisticLaw> engine(LogisticLaw{}, options_of(kChains));
  is_stationary(engine, logistic_law);
}

/// Generalised HMC is stationary in (q, p) together, so its momenta too begin with exact draws; the
/// kernel body is called as the CPU engine does.
template <class Target>
void ghmc_is_stationary(const Target& target, const Law& law, double persistence, int steps) {
  using L = FloatBatch;
  const Kinetics<float, Target> kinetics(target, some_diagonal_metric(1));
  const double sd = 1 / some_diagonal_metric(1).factor[0];  // of the momentum
  const std::vector<double> start = exact_draws(law);
  std::vector<float> q(start.begin(), start.end()), gradient(kChains), p(kChains), hi(kChains),
      lo(kChains), trace(3 * kTransitions * kChains);
  std::mt19937_64 bits(8);
  std::normal_distribution<double> normal;
  for (float& x : p) {
    x = static_cast<float>(sd * normal(bits));
  }
  const ChainsView<float> chains{q.data(),  gradient.data(), p.data(), hi.data(),
                                 lo.data(), kChains,         0};
  Trajectory trajectory = trajectory_of(1.2, steps);
  const transitions::Hmc ghmc{kinetics.diagonal(), Palindromic{leapfrog_table()},
                              PartialRefreshment{persistence}, trajectory};
  const TraceView<float> view{trace.data(), kChains, 0, 0};
  for (std::int64_t chain = 0; chain < kChains; chain += width<L>) {
    evaluate_chains<L>(target, Solo{}, chains, chain);
    advance_chains<L, Stream<L>>(target, ghmc, Solo{}, chains, kSeed, chain, 0, kTransitions, view);
  }
  double acceptance = 0;
  for (std::int64_t c = 0; c < kChains; ++c) {
    acceptance += static_cast<double>(view.info(5, TraceView<float>::acceptance)[c]) / kChains;
  }
  EXPECT_LT(acceptance, 0.97);  // momenta do flip
  has_law({q.begin(), q.end()}, law);
  std::vector<double> z, product;
  for (std::size_t c = 0; c < q.size(); ++c) {
    z.push_back(static_cast<double>(p[c]) / sd);
  }
  has_law(z, normal_law);
  EXPECT_LT(std::abs(testing::correlation({q.begin(), q.end()}, z)), 4);
}

TEST(Stationarity, OfPositionAndMomentum) {
  ghmc_is_stationary(StdNormal<1>{}, normal_law, 0.9, 1);
  ghmc_is_stationary(LogisticLaw{}, logistic_law, 0.6, 2);
}

// ---- names for special cases
// ------------------------------------------------------------------------

TEST(Engines, MalaIsHmcOfOneStep) {
  const std::int64_t n = 100;
  const auto positions = [&](const Sampler& sampler) {
    const auto engine = make_cpu_engine<float>(Banana{}, options_of(n));
    engine->configure(sampler, some_diagonal_metric(2));
    engine->place(std::vector<double>(2 * n, 0.5));
    engine->advance({0, 30, 0.9, 0});
    std::vector<double> q(2 * n);
    engine->positions(q);
    return q;
  };
  Hmc hmc;
  hmc.leapfrog = 1;
  hmc.length_jitter = LengthJitter::none;
  EXPECT_EQ(positions(Mala{}), positions(hmc));
  hmc.leapfrog = 2;
  EXPECT_NE(positions(Mala{}), positions(hmc));
}

}  // namespace
}  // namespace lockstep
