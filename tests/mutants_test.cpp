// Would the tests notice? Each known way to get Hamiltonian Monte Carlo wrong is built from the
// kernel's own parts and one mutant part, and must fail the check that is there to catch it. The
// true kernels pass all checks, with the same seeds.

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "kernels/targets/normal.hpp"
#include "kernels/transitions/hmc.hpp"
#include "tests/phase_space.hpp"

namespace lockstep {
namespace {

using Target = StdNormal<1>;
using Diagonal = DiagonalMetric<double, 1, true>;
constexpr double kInverseMass = 4;  // so that M and M^-1 cannot be confused
constexpr double kStep = 0.8;       // 1.6 of the 2 that are stable: a fifth of the proposals fails

// ---- mutant parts
// -----------------------------------------------------------------------------------

struct UpsideDown {
  template <class L>
  Info<L> operator()(const Sum<L>& before, const Sum<L>& after, const L& log_jacobian,
                     const L& u) const {
    return Metropolis{}(after, before, log_jacobian, u);
  }
};

struct NoKineticEnergy : Diagonal {
  template <class L, class Group>
  Sum<L> energy(const Group&, const L*) const {
    return {};
  }
};

struct WrongMetricInEnergy : Diagonal {
  template <class L, class Group>
  Sum<L> energy(const Group&, const L* p) const {
    return L(0.5) * p[0] * p[0] / L(inverse_mass[0]);
  }
};

struct DriftWithoutMass : Diagonal {
  template <class L, class Group>
  void drift(const Group&, L* q, const L& step, const L* p) const {
    q[0] = fma(step, p[0], q[0]);
  }
};

using LowRank = LowRankMetric<double, 1, true>;

struct LowRankMomentumUpsideDown : LowRank {  // Lambda^(1/2) for Lambda^(-1/2)
  template <class L>
  void momentum(const Solo&, const L* z, L* p) const {
    p[0] = (L(1) + L(coefficients[2])) * z[0];
  }
};

struct LowRankEnergyOfDiagonal : LowRank {
  template <class L>
  Sum<L> energy(const Solo&, const L* p) const {
    return L(0.5) * p[0] * p[0];
  }
};

struct LowRankDriftOfDiagonal : LowRank {
  template <class L>
  void drift(const Solo&, L* q, const L& step, const L* p) const {
    q[0] = fma(step, p[0], q[0]);
  }
};

struct NoLastHalfKick {
  template <class Kinetic, class L, int Slots, class Group>
  void operator()(const Target& target, const Kinetic& kinetic, const Group& group, const L& step,
                  int steps, Position<L, Slots>& x, L* p) const {
    const L half = L(0.5) * step;
    kick_with(target, group, x.gradient, -half, p);
    for (int i = 0; i < steps; ++i) {
      if (i > 0) {
        kick(target, group, x.q, -step, p);
      }
      kinetic.drift(group, x.q, step, p);
    }
    x.potential = potential_and_gradient(target, group, x.q, x.gradient);
  }
};

struct StepsFromGradient {
  template <class Kinetic, class L, int Slots, class Group>
  void operator()(const Target& target, const Kinetic& kinetic, const Group& group, const L& step,
                  int steps, Position<L, Slots>& x, L* p) const {
    const int chosen = std::abs(x.gradient[0]) < 1 ? 1 : steps;
    Leapfrog{}(target, kinetic, group, step, chosen, x, p);
  }
};

struct StaleGradient {
  template <class Kinetic, class L, int Slots, class Group>
  void operator()(const Target& target, const Kinetic& kinetic, const Group& group, const L& step,
                  int steps, Position<L, Slots>& x, L* p) const {
    const L old = x.gradient[0];
    Leapfrog{}(target, kinetic, group, step, steps, x, p);
    x.gradient[0] = old;
  }
};

struct NotRefreshed {
  static constexpr bool persistent = true;
  template <int N, bool Exact, class Kinetic, class L, class Group, class Stream>
  L operator()(const Kinetic& kinetic, const Group& group, int dim, const Stream& stream,
               std::uint32_t transition, L*) const {
    L unused[1];
    return FullRefreshment{}.operator()<N, Exact>(kinetic, group, dim, stream, transition, unused);
  }
};

struct TooWarm {  // the normals' variance is 1.02
  static constexpr bool persistent = false;
  template <int N, bool Exact, class Kinetic, class L, class Group, class Stream>
  L operator()(const Kinetic& kinetic, const Group& group, int dim, const Stream& stream,
               std::uint32_t transition, L* p) const {
    const L u = FullRefreshment{}.operator()<N, Exact>(kinetic, group, dim, stream, transition, p);
    p[0] = p[0] * std::sqrt(L(1.02));
    return u;
  }
};

struct ReusedUniform {  // the acceptance variate is the word that made the momentum's radius
  static constexpr bool persistent = false;
  template <int N, bool Exact, class Kinetic, class L, class Group, class Stream>
  L operator()(const Kinetic& kinetic, const Group& group, int dim, const Stream& stream,
               std::uint32_t transition, L* p) const {
    FullRefreshment{}.operator()<N, Exact>(kinetic, group, dim, stream, transition, p);
    return uniform(words(stream, transition, Purpose::transition, 0)[0]);
  }
};

template <class Transition>
struct WithoutFlip : Transition {
  template <class L, int Slots, class Group, class Stream>
  Info<L> operator()(const Target& target, const Group& group, const Stream& stream,
                     std::uint32_t transition, Position<L, Slots>& x, L* p) const {
    const Info<L> info = Transition::operator()(target, group, stream, transition, x, p);
    p[0] = info.accepted ? p[0] : -p[0];
    return info;
  }
};

// ---- checks
// -----------------------------------------------------------------------------------------

struct Verdict {
  double statistic, limit;
  bool pass() const { return statistic <= limit; }
};

constexpr std::uint64_t kSeed = 2;

/// The largest deviation of moments 1 to 4 of standard normals from their expectations, in standard
/// errors.
double worst_moment(const std::vector<double>& x) {
  const double expected[] = {0, 1, 0, 3}, variance[] = {1, 2, 15, 96};
  double worst = 0;
  for (int k = 0; k < 4; ++k) {
    double sum = 0;
    for (const double value : x) {
      sum += std::pow(value, k + 1) - expected[k];
    }
    const double z = std::abs(sum) / std::sqrt(variance[k] * static_cast<double>(x.size()));
    worst = z <= worst ? worst : z;
  }
  return worst;
}

Position<double, 1> at(double q) {
  Position<double, 1> x;
  x.q[0] = q;
  x.potential = potential_and_gradient(Target{}, Solo{}, x.q, x.gradient);
  return x;
}

/// The law of q after `transitions` from each start, with momenta where they persist and their
/// correlation with q: all normal.
template <class Transition, class Start>
double law_after(const Transition& transition, int chains, int transitions, Start start) {
  std::vector<double> q, p, product;
  for (int chain = 0; chain < chains; ++chain) {
    const auto stream = Stream<double>::of(kSeed, static_cast<std::uint64_t>(chain));
    const auto [q0, p0] = start();
    Position<double, 1> x = at(q0);
    double momentum[1] = {p0 / std::sqrt(kInverseMass)};
    for (int t = 0; t < transitions; ++t) {
      transition(Target{}, Solo{}, stream, static_cast<std::uint32_t>(t), x, momentum);
    }
    q.push_back(x.q[0]);
    p.push_back(momentum[0] * std::sqrt(kInverseMass));
    product.push_back(q.back() * p.back());
  }
  double worst = worst_moment(q);
  if (Transition::keeps_momentum) {
    double sum = 0;
    for (const double value : product) {
      sum += value;
    }
    worst = std::max({worst, worst_moment(p), std::abs(sum) / std::sqrt(chains)});
  }
  return worst;
}

/// Exact draws are still that after five transitions, within four standard errors.
template <class Transition>
Verdict stationarity(const Transition& transition) {
  std::mt19937_64 bits(3);
  std::normal_distribution<double> normal;
  return {law_after(transition, 1 << 18, 5,
                    [&] {
                      const double q = normal(bits);
                      return std::pair{q, normal(bits)};
                    }),
          4};
}

/// Chains that all start at one point forget it.
template <class Transition>
Verdict convergence(const Transition& transition) {
  return {law_after(transition, 1 << 14, 60, [] { return std::pair{2.5, 0.0}; }), 4};
}

/// There and back again.
template <class Transition>
Verdict reversibility(const Transition& transition) {
  testing::Uniform uniform(4);
  double worst = 0;
  for (int i = 0; i < 200; ++i) {
    const double q0 = 3 * uniform(), p0 = 2 * uniform();
    Position<double, 1> x = at(q0);
    double p[1] = {p0};
    for (int leg = 0; leg < 2; ++leg) {
      x.potential = potential_and_gradient(Target{}, Solo{}, x.q, x.gradient);
      transition.integrator(Target{}, transition.kinetic, Solo{}, kStep, 5, x, p);
      p[0] = -p[0];
    }
    worst = std::max({worst, std::abs(x.q[0] - q0), std::abs(p[0] - p0)});
  }
  return {worst, 1e-10};
}

/// Halving the step divides the energy error by four.
template <class Transition>
Verdict energy_order(const Transition& transition) {
  const auto mean_error = [&](double step, int steps) {
    testing::Uniform uniform(5);
    double sum = 0;
    for (int i = 0; i < 200; ++i) {
      Position<double, 1> x = at(2 * uniform());
      double p[1] = {uniform()};
      const double before = (x.potential + transition.kinetic.energy(Solo{}, p)).value();
      transition.integrator(Target{}, transition.kinetic, Solo{}, step, steps, x, p);
      sum += std::abs((x.potential + transition.kinetic.energy(Solo{}, p)).value() - before);
    }
    return sum;
  };
  const double coarse = mean_error(0.05, 8), fine = mean_error(0.025, 16);
  return {fine > 0 ? std::abs(std::log2(coarse / fine) - 2) : 2, 0.05};
}

/// Refreshed momenta have variance M, and the fourth moment that belongs to it.
template <class Transition>
Verdict momentum_law(const Transition& transition) {
  std::mt19937_64 bits(6);
  std::normal_distribution<double> normal;
  std::vector<double> z;
  for (std::uint64_t chain = 0; chain < 1u << 18; ++chain) {
    double p[1] = {normal(bits) / std::sqrt(kInverseMass)};
    transition.refreshment.template operator()<1, true>(transition.kinetic, Solo{}, 1,
                                                        Stream<double>::of(kSeed, chain), 9u, p);
    z.push_back(p[0] * std::sqrt(kInverseMass));
  }
  return {worst_moment(z), 4};
}

/// What a chain remembers of its position is what the target says there.
template <class Transition>
Verdict cache(const Transition& transition) {
  double worst = 0;
  for (std::uint64_t chain = 0; chain < 64; ++chain) {
    Position<double, 1> x = at(0.1 * static_cast<double>(chain));
    double p[1] = {0.5};
    for (std::uint32_t t = 0; t < 10; ++t) {
      transition(Target{}, Solo{}, Stream<double>::of(kSeed, chain), t, x, p);
      const Position<double, 1> fresh = at(x.q[0]);
      worst = std::max({worst, std::abs(fresh.gradient[0] - x.gradient[0]),
                        std::abs(fresh.potential.value() - x.potential.value())});
    }
  }
  return {worst, 0};
}

// ---- the trial
// --------------------------------------------------------------------------------------

const char* const check_names[] = {"stationarity", "convergence",  "reversibility",
                                   "energy order", "momentum law", "cache"};

template <class Transition>
std::vector<Verdict> examine(const Transition& transition) {
  return {stationarity(transition), convergence(transition),  reversibility(transition),
          energy_order(transition), momentum_law(transition), cache(transition)};
}

void print(const char* name, const std::vector<Verdict>& verdicts) {
  std::printf("%-36s", name);
  for (std::size_t i = 0; i < verdicts.size(); ++i) {
    if (!verdicts[i].pass()) {
      std::printf("  %s (%.3g > %.3g)", check_names[i], verdicts[i].statistic, verdicts[i].limit);
    }
  }
  std::printf("\n");
}

template <class Transition>
void survives(const char* name, const Transition& transition) {
  const std::vector<Verdict> verdicts = examine(transition);
  print(name, verdicts);
  for (std::size_t i = 0; i < verdicts.size(); ++i) {
    EXPECT_LE(verdicts[i].statistic, verdicts[i].limit) << name << ": " << check_names[i];
  }
}

/// @param by  checks that must each fail
template <class Transition>
void is_killed(const char* name, const std::vector<std::string>& by, const Transition& transition) {
  const std::vector<Verdict> verdicts = examine(transition);
  print(name, verdicts);
  for (const std::string& check : by) {
    const auto killer = static_cast<std::size_t>(
        std::find(std::begin(check_names), std::end(check_names), check) - std::begin(check_names));
    ASSERT_LT(killer, verdicts.size()) << check;
    EXPECT_FALSE(verdicts[killer].pass())
        << name << " passes the check of " << check << " with " << verdicts[killer].statistic;
  }
}

const Diagonal kinetic{{{kInverseMass}}, {{2.0}}, 1};
// The same metric as one direction on top of the identity: Lambda - 1, Lambda^(-1/2) - 1,
// Lambda^(1/2) - 1 for Lambda = 4.
const double one[] = {1}, powers[] = {3, -0.5, 1};
const LowRank low_rank{one, one, powers, 1, 1};
const Trajectory two_steps{.seed = kSeed, .step_size = kStep, .steps = 2};
const Trajectory one_step{.seed = kSeed, .step_size = kStep, .steps = 1};
const Trajectory some_steps{.seed = kSeed,
                            .step_size = kStep,
                            .step_jitter = 0.1,
                            .steps = 2,
                            .jitter = LengthJitter::uniform};

template <class K = Diagonal, class I = Leapfrog, class R = FullRefreshment,
          class Rule = Metropolis>
auto hmc(const K& k = K{kinetic}, const I& integrator = {}, const R& refreshment = {},
         const Rule& rule = {}) {
  return transitions::Hmc<K, I, R, Rule>{k, integrator, refreshment, two_steps, rule};
}

const transitions::Hmc<Diagonal, Leapfrog, PartialRefreshment> ghmc{
    kinetic, {}, PartialRefreshment{0.8}, one_step};

TEST(Mutants, TrueKernelsSurvive) {
  survives("HMC", hmc());
  survives("HMC, jittered",
           transitions::Hmc<Diagonal, Leapfrog, FullRefreshment>{kinetic, {}, {}, some_steps});
  survives("MALA",
           transitions::Hmc<Diagonal, Leapfrog, FullRefreshment>{kinetic, {}, {}, one_step});
  survives("generalised HMC", ghmc);
  survives("HMC, low-rank metric", hmc(low_rank));
}

TEST(Mutants, AreKilled) {
  is_killed("Metropolis ratio upside down", {"stationarity", "convergence"},
            hmc<Diagonal, Leapfrog, FullRefreshment, UpsideDown>());
  is_killed("kinetic energy left out", {"stationarity", "energy order"}, hmc<NoKineticEnergy>());
  is_killed("wrong metric in kinetic energy", {"stationarity", "energy order"},
            hmc<WrongMetricInEnergy>());
  // Still exact, for the Metropolis ratio mends it, but no longer Hamiltonian dynamics.
  is_killed("drift without the mass", {"energy order"}, hmc<DriftWithoutMass>());
  is_killed("low-rank momentum of the inverse", {"stationarity", "momentum law"},
            hmc(LowRankMomentumUpsideDown{low_rank}));
  is_killed("low-rank energy without its direction", {"stationarity", "energy order"},
            hmc(LowRankEnergyOfDiagonal{low_rank}));
  is_killed("low-rank drift without its direction", {"energy order"},
            hmc(LowRankDriftOfDiagonal{low_rank}));
  is_killed("missing half-kick", {"reversibility", "stationarity"},
            hmc<Diagonal, NoLastHalfKick>());
  is_killed("steps chosen from the gradient", {"reversibility", "stationarity"},
            hmc<Diagonal, StepsFromGradient>());
  is_killed("stale gradient kept", {"cache", "stationarity"}, hmc<Diagonal, StaleGradient>());
  // Leaves the law alone where it starts in it, and never gets there otherwise.
  is_killed("momentum not refreshed", {"convergence"}, hmc<Diagonal, Leapfrog, NotRefreshed>());
  is_killed("normals of variance 1.02", {"momentum law"}, hmc<Diagonal, Leapfrog, TooWarm>());
  is_killed("acceptance from the momentum's word", {"stationarity"},
            hmc<Diagonal, Leapfrog, ReusedUniform>());
  is_killed("no flip after a rejection", {"stationarity"},
            WithoutFlip<std::decay_t<decltype(ghmc)>>{ghmc});
}

}  // namespace
}  // namespace lockstep
