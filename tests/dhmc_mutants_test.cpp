// Would the tests of discontinuous HMC notice? Each erratum of the published algorithms that breaks
// the law, and each other known way to lose exactness, must fail the check that is there to catch
// it. The true algorithm passes all checks, with the same seeds.
//
// A mutant is the algorithm as documents print it, with momenta p_j, masses m_j and steps eps, one
// of its lines changed. Unchanged it draws what the kernel draws.

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/dhmc_laws.hpp"

namespace lockstep {
namespace {

using testing::Bare;
using testing::GridLaw;
using testing::MixedLaw;
using testing::Occupation;
using testing::occupy;
using testing::position_at;
using testing::unit_metric;
using Lane = Twin<FloatBatch>;

// ---- the algorithm as printed, and its mutants
// ------------------------------------------------------------------

enum class Orders { retracing, coin, fixed };

struct Variant {
  std::string name;
  // p_j ~ Laplace(m_j^scale), q_j += eps m_j^velocity sign(p_j), p_j -= sign(p_j) m_j^factor dU
  double scale = 1, velocity = -1, factor = 1;
  bool sign = true;
  VisitOrder order = VisitOrder::coin;
  Orders orders = Orders::retracing;
  bool jitter = true;
  /// Mixed HMC, whose final test weighs what visits paid for only once.
  bool mixed = false, once = true;
  /// What differences of U are multiplied by, and whether U is evaluated at the trajectory's end.
  double delta = 1;
  bool recomputes = true;
  /// Whether the cache follows moves, and only moves.
  enum class Commits { moves, never, always } commits = Commits::moves;
};

/// Discontinuous or Mixed HMC with the unit metric for smooth coordinates.
template <int N>
struct Printed {
  Variant variant;
  Trajectory trajectory;
  double masses[N];
  Sites<double, N> sites;

  /// @param scale  of hops, as Sampler::hop_scale
  template <class Target>
  Printed(const Target& target, const Variant& v, const Sampler& s,
          const std::vector<double>& scale, std::uint64_t seed)
      : variant(v) {
    Sampler sampler = s;
    sampler.step_jitter = v.jitter ? s.step_jitter : 0;
    Launch launch;
    launch.step_size = s.step_size;
    trajectory = trajectory_of(sampler, seed, launch);
    sites.seed = seed;
    sites.order = v.order;
    for (int j = 0; j < N; ++j) {
      masses[j] = s.step_size / (s.hop * scale[static_cast<std::size_t>(j)]);
      if (target.discontinuous(j)) {
        sites.at[sites.count++] = static_cast<std::uint16_t>(j);
      }
    }
  }

  bool smooth(int j) const { return !std::count(sites.at, sites.at + sites.count, j); }

  template <class L>
  L mass(int j, double power) const {
    return L(static_cast<Scalar<L>>(std::pow(masses[j], power)));
  }

  template <class L>
  Sum<L> kinetic_energy(const L* p) const {
    Sum<L> k;
    for (int j = 0; j < N; ++j) {
      if (smooth(j)) {
        k += L(0.5) * p[j] * p[j];
      } else if (variant.once) {
        k += abs(p[j]) * mass<L>(j, -1);
      }
    }
    return k;
  }

  /// Goes to `to` or stays; adds to `gained` what that does to U.
  template <class Target, class L>
  void visit(const Target& target, int j, const L& to, L* q, L* p, Cache<Target, L>& cache,
             Sum<L>& gained) const {
    const L rise = constant<L>(variant.delta) * delta(target, j, q, to, cache);
    const Mask<L> moves = abs(p[j]) * mass<L>(j, -1) > rise;
    const L paid = select(moves, mass<L>(j, variant.factor) * rise, L(0));
    const L sign = select(p[j] < L(0) && L(variant.sign ? 0 : 1) < L(1), L(-1), L(1));
    p[j] = select(moves, p[j] - sign * paid, variant.mixed ? p[j] : -p[j]);
    gained += select(moves, rise, L(0));
    const Cache<Target, L> before = cache;
    commit(target, j, q, to, moves, cache);
    if (variant.commits == Variant::Commits::never) {
      cache = before;
    } else if (variant.commits == Variant::Commits::always) {
      cache.here = cache.there;
    }
  }

  /// A trajectory; adds to `gained` what its visits did to U.
  template <class Target, class L>
  void go(const Target& target, const Stream<L>& stream, std::uint32_t transition,
          Position<L, N>& x, L* p, Sum<L>& gained) const {
    const L eps = L(static_cast<Scalar<L>>(trajectory.step_size_at(transition)));
    const L half = L(0.5) * eps;
    const int steps = trajectory.steps_at(transition);
    std::uint16_t order[2 * N];
    int when[N];
    sites.arrivals(transition, steps, when);
    Proposals<L> proposals(stream, transition, 0);
    for (int i = 0; i < steps; ++i) {
      for (int j = 0; j < N; ++j) {
        if (smooth(j)) {
          p[j] = p[j] - half * x.gradient[j];
          x.q[j] = x.q[j] + half * p[j];
        }
      }
      int count = sites.count;
      L share = L(1);
      if (variant.mixed) {
        count = sites.arriving(transition, when, i, steps, order);
      } else if (variant.orders == Orders::fixed) {
        std::copy_n(sites.at, count, order);
      } else if (variant.orders == Orders::coin || count == N) {
        sites.in_order(transition, i, order);
      } else {
        count = sites.retracing(transition, i, steps, order);
        share = L(count > sites.count ? 0.5 : 1.0);
      }
      Cache<Target, L> cache;
      prepare(target, static_cast<const L*>(x.q), cache);
      for (int k = 0; k < count; ++k) {
        const int j = order[k];
        const L reach = share * eps * mass<L>(j, variant.velocity);
        const L along = variant.mixed
                            ? reach * constant<L>(std::sqrt(12.0)) * (proposals.next() - L(0.5))
                            : select(p[j] < L(0), -reach, reach);
        visit(target, j, x.q[j] + along, x.q, p, cache, gained);
      }
      for (int j = 0; j < N; ++j) {
        x.q[j] = smooth(j) ? x.q[j] + half * p[j] : x.q[j];
      }
      x.potential = potential_and_gradient(target, Solo{}, x.q, x.gradient);
      for (int j = 0; j < N; ++j) {
        p[j] = smooth(j) ? p[j] - half * x.gradient[j] : p[j];
      }
    }
  }

  template <class Target, class L>
  Info<L> operator()(const Target& target, const Solo&, const Stream<L>& stream,
                     std::uint32_t transition, Position<L, N>& x, L* p, const L&, L*) const {
    L z[(N + 3) / 4 * 4];
    L u = uniform(words(stream, transition, Purpose::transition, 0)[0]);
    if (sites.count < N) {
      u = normals_and_uniform<N, false>(Solo{}, N, stream, transition, z);
    }
    for (int j = 0; j < N; ++j) {
      p[j] = smooth(j) ? z[j] : L(0);
    }
    static_assert(N <= 4, "one block has all the Laplace variates");
    const Words<L> block = words(stream, transition, Purpose::momentum, 0);
    for (int i = 0; i < sites.count; ++i) {
      const int j = sites.at[i];
      p[j] = mass<L>(j, variant.scale) * laplace(block[i]);
    }
    const Sum<L> before = x.potential + kinetic_energy(p);
    Position<L, N> y = x;
    Sum<L> gained;
    go(target, stream, transition, y, p, gained);
    if (!variant.recomputes) {
      y.potential = x.potential + gained;
    }
    const Info<L> info = Metropolis{}(before, y.potential + kinetic_energy(p), L(0), u);
    for (int j = 0; j < N; ++j) {
      x.q[j] = select(info.accepted, y.q[j], x.q[j]);
      x.gradient[j] = select(info.accepted, y.gradient[j], x.gradient[j]);
    }
    x.potential = select(info.accepted, y.potential, x.potential);
    return info;
  }
};

/// What every variant runs with: unequal masses, and acceptance 0.45 where there is a real number.
const Sampler on_grid = Dhmc{.step_size = 0.7, .hop = 0.9, .step_jitter = 0.2, .leapfrog = 3};
const Sampler on_mixed = Dhmc{.step_size = 1.75, .hop = 1, .step_jitter = 0.2, .leapfrog = 3};
const std::vector<double> grid_scale{0.8, 1.7}, mixed_scale{0.8, 1.7, 1};

// ---- checks
// ------------------------------------------------------------------

struct Verdict {
  double statistic, limit;
  bool pass() const { return statistic <= limit; }
};

/// The worst |dH| / (1 + |H|) of visits from the law, moves and refusals of both signs.
Verdict conservation(const Variant& variant) {
  const MixedGrid target;
  const Printed<3> trial(target, variant, on_mixed, mixed_scale, 5);
  testing::Exact exact(6);
  testing::Uniform momentum(7);
  double worst = 0;
  for (int i = 0; i < 20000; ++i) {
    double q[3], p[3] = {3 * momentum(), 3 * momentum(), momentum()};
    MixedLaw::draw(exact, q);
    Cache<MixedGrid, double> cache;
    prepare(target, static_cast<const double*>(q), cache);
    const double before =
        (potential(target, static_cast<const double*>(q)) + trial.kinetic_energy(p)).value();
    Sum<double> gained;
    trial.visit(target, i % 2, q[i % 2] + momentum(), q, p, cache, gained);
    const double after =
        (potential(target, static_cast<const double*>(q)) + trial.kinetic_energy(p)).value();
    const double error = std::abs(after - before) / (1 + std::abs(before));
    worst = error <= worst ? worst : error;
  }
  return {worst, 1e-12};
}

/// There and back again, with the same orders.
Verdict round_trip(const Variant& variant) {
  const MixedGrid target;
  const Printed<3> trial(target, variant, on_mixed, mixed_scale, 5);
  testing::Exact exact(8);
  double worst = 0;
  for (std::uint32_t t = 0; t < 200; ++t) {
    double start[3], momentum[3], p[3];
    MixedLaw::draw(exact, start);
    for (int j = 0; j < 3; ++j) {
      momentum[j] = p[j] = 1.5 * exact.normal();
    }
    Position<double, 3> x = position_at(target, start);
    const auto stream = Stream<double>::of(5, t);
    for (int leg = 0; leg < 2; ++leg) {
      Sum<double> gained;
      trial.go(target, stream, t, x, p, gained);
      std::transform(p, p + 3, p, [](double value) { return -value; });
    }
    for (int j = 0; j < 3; ++j) {
      worst = std::max({worst, std::abs(x.q[j] - start[j]), std::abs(p[j] - momentum[j])});
    }
  }
  return {worst, 1e-10};
}

/// A visit goes as far as asked for: hop * hop_scale_j = eps / m_j.
Verdict reach(const Variant& variant) {
  const IntegerGrid target;
  Variant plain = variant;
  plain.jitter = false;
  const Printed<2> trial(target, plain, on_grid, grid_scale, 5);
  double worst = 0;
  for (std::uint32_t t = 0; t < 50; ++t) {
    // One step from the middle with all the momentum it takes.
    double q[2] = {2.5, 2.5}, p[2] = {50, -50};
    Trajectory one = trial.trajectory;
    one.steps = 1;
    one.jitter = LengthJitter::none;
    Printed<2> step = trial;
    step.trajectory = one;
    Position<double, 2> x = position_at(target, q);
    Sum<double> gained;
    step.go(target, Stream<double>::of(5, t), t, x, p, gained);
    worst = std::max({worst, std::abs(x.q[0] - q[0] - on_grid.hop * grid_scale[0]),
                      std::abs(x.q[1] - q[1] + on_grid.hop * grid_scale[1])});
  }
  return {worst, 1e-12};
}

constexpr double kDistance = 0.003;

const char* const check_names[] = {"conservation", "round trip", "reach",        "acceptance",
                                   "grid",         "mixed",      "grid, chains", "mixed, chains"};

/// All checks. Mixed HMC proposes at random, so that three of them do not apply.
std::vector<Verdict> examine(const Variant& v) {
  const Printed<2> on_integers(IntegerGrid{}, v, on_grid, grid_scale, 11);
  const Printed<3> on_both(MixedGrid{}, v, on_mixed, mixed_scale, 11);
  const Occupation grid = occupy<Lane, GridLaw>(IntegerGrid{}, on_integers, 11, 2048, 5000);
  const Occupation mixed = occupy<Lane, MixedLaw>(MixedGrid{}, on_both, 11, 2048, 6000);
  const Occupation grids = occupy<Lane, GridLaw>(IntegerGrid{}, on_integers, 12, 1 << 17, 8);
  const Occupation mixeds = occupy<Lane, MixedLaw>(MixedGrid{}, on_both, 12, 1 << 17, 8);
  return {v.mixed ? Verdict{0, 0} : conservation(v),
          v.mixed ? Verdict{0, 0} : round_trip(v),
          v.mixed ? Verdict{0, 0} : reach(v),
          {1 - grid.acceptance, 1e-6},
          {testing::total_variation<GridLaw>(grid), kDistance},
          {testing::total_variation<MixedLaw>(mixed), kDistance},
          {testing::chi_square_excess<GridLaw>(grids), 5},
          {testing::chi_square_excess<MixedLaw>(mixeds), 5}};
}

void print(const Variant& variant, const std::vector<Verdict>& verdicts) {
  std::printf("%-36s", variant.name.c_str());
  for (std::size_t i = 0; i < verdicts.size(); ++i) {
    std::printf("  %s%s %.2g", verdicts[i].pass() ? "" : "*", check_names[i],
                verdicts[i].statistic);
  }
  std::printf("\n");
}

void survives(const Variant& variant) {
  const std::vector<Verdict> verdicts = examine(variant);
  print(variant, verdicts);
  for (std::size_t i = 0; i < verdicts.size(); ++i) {
    EXPECT_TRUE(verdicts[i].pass())
        << variant.name << ": " << check_names[i] << " " << verdicts[i].statistic;
  }
}

/// @param by       checks that must each fail
/// @param despite  checks that cannot see it
void is_killed(const Variant& variant, const std::vector<std::string>& by,
               const std::vector<std::string>& despite = {}) {
  const std::vector<Verdict> verdicts = examine(variant);
  print(variant, verdicts);
  const auto passes = [&](const std::string& check) {
    const auto i = static_cast<std::size_t>(
        std::find(std::begin(check_names), std::end(check_names), check) - std::begin(check_names));
    EXPECT_LT(i, verdicts.size()) << check;
    return verdicts.at(i).pass();
  };
  for (const std::string& check : by) {
    EXPECT_FALSE(passes(check)) << variant.name << " passes the check of " << check;
  }
  for (const std::string& check : despite) {
    EXPECT_TRUE(passes(check)) << variant.name << " fails the check of " << check;
  }
}

template <class Set>
Variant mutant(const std::string& name, Set set) {
  Variant v{name};
  set(v);
  return v;
}

// ---- the true ones
// ------------------------------------------------------------------

/// Draw by draw, in double.
template <int N, class Target>
void draws_what_the_kernel_draws(const Target& target, const Variant& variant, Sampler sampler,
                                 const std::vector<double>& scale) {
  SCOPED_TRACE(variant.name);
  sampler.method = variant.mixed ? Method::mixed_hmc : Method::dhmc;
  sampler.order = variant.order;
  sampler.hop_scale = scale;
  const Printed<N> printed(target, variant, sampler, scale, 3);
  testing::with_transition<double>(target, sampler, unit_metric(N), 3, [&](const auto& kernel) {
    int moved = 0;
    for (std::uint64_t chain = 0; chain < 40; ++chain) {
      const auto stream = Stream<double>::of(3, chain);
      double q[N];
      std::fill_n(q, N, 1.5);
      Position<double, N> a = position_at(target, q), b = a;
      double p[N], r[N], tally[N] = {};
      for (std::uint32_t t = 0; t < 20; ++t) {
        printed(target, Solo{}, stream, t, a, p, 1.0, tally);
        kernel(target, Solo{}, stream, t, b, r, 1.0, tally);
        for (int j = 0; j < N; ++j) {
          ASSERT_NEAR(a.q[j], b.q[j], 1e-9) << chain << ", " << t;
        }
      }
      moved += std::abs(b.q[0] - 1.5) > 0.1;
    }
    EXPECT_GT(moved, 20);
  });
}

Variant permuted() {
  return mutant("permutation", [](Variant& v) { v.order = VisitOrder::permutation; });
}
Variant mixed_hmc() {
  return mutant("Mixed HMC", [](Variant& v) { v.mixed = true; });
}

TEST(DhmcMutants, UnchangedTheyAreTheKernel) {
  for (const Variant& v : {Variant{"DHMC"}, permuted(), mixed_hmc()}) {
    draws_what_the_kernel_draws<2>(Bare<IntegerGrid>{}, v, on_grid, grid_scale);
    draws_what_the_kernel_draws<3>(Bare<MixedGrid>{}, v, on_mixed, mixed_scale);
  }
}

TEST(DhmcMutants, TrueAlgorithmsSurvive) {
  survives({"DHMC"});
  survives(permuted());
  survives(mixed_hmc());
}

// ---- errata
// ------------------------------------------------------------------

TEST(DhmcMutants, MomentumUpdateWithoutSign) {
  is_killed(mutant("p_j -= m_j dU", [](Variant& v) { v.sign = false; }),
            {"conservation", "round trip", "acceptance", "grid", "mixed"});
}
TEST(DhmcMutants, MomentumUpdateWithInverseMass) {
  is_killed(mutant("p_j -= sign(p_j) dU / m_j", [](Variant& v) { v.factor = -1; }),
            {"conservation", "round trip", "acceptance", "grid", "mixed"});
}
TEST(DhmcMutants, LaplaceScaleInverted) {
  is_killed(mutant("p_j ~ Laplace(1 / m_j)", [](Variant& v) { v.scale = -1; }), {"grid", "mixed"});
}
/// Leaves the law alone, and goes elsewhere than asked for.
TEST(DhmcMutants, MassForItsInverseInTheDrift) {
  is_killed(mutant("q_j += eps m_j sign(p_j)", [](Variant& v) { v.velocity = 1; }), {"reach"},
            {"conservation", "round trip", "acceptance", "grid", "mixed"});
}
TEST(DhmcMutants, StepSizeNotJittered) {
  is_killed(mutant("fixed step size", [](Variant& v) { v.jitter = false; }), {"grid"});
}
/// Only with smooth coordinates.
TEST(DhmcMutants, FixedOrder) {
  is_killed(mutant("fixed order", [](Variant& v) { v.orders = Orders::fixed; }),
            {"round trip", "mixed", "mixed, chains"}, {"acceptance", "grid", "grid, chains"});
}
/// Each chain's law is right, but not that of chains which share the coin.
TEST(DhmcMutants, OrderNotRetraced) {
  is_killed(mutant("one coin, not retraced", [](Variant& v) { v.orders = Orders::coin; }),
            {"round trip", "mixed, chains"}, {"acceptance", "grid", "mixed", "grid, chains"});
  is_killed(mutant("permutations, not retraced",
                   [](Variant& v) {
                     v.orders = Orders::coin;
                     v.order = VisitOrder::permutation;
                   }),
            {"round trip", "mixed, chains"}, {"acceptance", "grid", "mixed", "grid, chains"});
}
TEST(DhmcMutants, MixedHmcPaysTwice) {
  is_killed(mutant("Mixed HMC, jumps in the final test",
                   [](Variant& v) {
                     v.mixed = true;
                     v.once = false;
                   }),
            {"acceptance", "grid", "mixed"});
}
/// An inexact difference, minus itself on the way back, costs acceptance and not the law, as long
/// as U is evaluated at the end.
TEST(DhmcMutants, InexactDelta) {
  const Variant inexact = mutant("0.8 dU", [](Variant& v) { v.delta = 0.8; });
  is_killed(inexact, {"conservation", "acceptance"},
            {"round trip", "grid", "mixed", "grid, chains", "mixed, chains"});
  is_killed(mutant("0.8 dU, U not evaluated at the end",
                   [](Variant& v) {
                     v.delta = 0.8;
                     v.recomputes = false;
                   }),
            {"grid", "mixed"});
}
TEST(DhmcMutants, CacheForgotten) {
  is_killed(mutant("cache never follows", [](Variant& v) { v.commits = Variant::Commits::never; }),
            {"round trip", "acceptance", "grid", "mixed"});
  is_killed(mutant("cache follows refusals too",
                   [](Variant& v) { v.commits = Variant::Commits::always; }),
            {"round trip", "acceptance", "grid", "mixed"});
}

// ---- embedding
// ------------------------------------------------------------------

/// A count on 1..8 in logarithmic cells, P(n) ~ n exp(-n / 3).
struct Count {
  static constexpr int dim = 1, most = 8;
  static constexpr LogCells cells{1, most};
  bool widths = true;  // the mutant leaves them out

  bool discontinuous(int) const { return true; }
  template <class T>
  T potential(const T* q) const {
    const T n = cells.index(q[0]);
    const Mask<T> inside = cells.contains(n);
    const T some = select(inside, n, T(1));
    const T u = some * constant<T>(1.0 / 3) - log(some);
    return select(inside, widths ? u + cells.log_width(some) : u,
                  T(std::numeric_limits<Scalar<T>>::infinity()));
  }
};
struct CountLaw {
  static constexpr int cells = Count::most;
  template <class L>
  static L cell(const L* q) {
    return Count::cells.index(q[0]) - L(1);
  }
  static double weight(int cell) { return (cell + 1) * std::exp(-(cell + 1) / 3.0); }
  static double probability(int cell) {
    double total = 0;
    for (int k = 0; k < cells; ++k) {
      total += weight(k);
    }
    return weight(cell) / total;
  }
  static void draw(testing::Exact& exact, double* q) {
    q[0] = Count::cells.middle(1 + exact.cell<CountLaw>());
  }
};

double distance(const Count& count) {
  const Printed<1> dhmc(count, {"DHMC"}, on_grid, {0.8}, 4);
  return testing::total_variation<CountLaw>(occupy<Lane, CountLaw>(count, dhmc, 4, 2048, 4000));
}

TEST(DhmcMutants, WidthOfCellsLeftOut) {
  const double with = distance({}), without = distance({false});
  std::printf("logarithmic cells: total variation %.2g, without their widths %.2g\n", with,
              without);
  EXPECT_LT(with, kDistance);
  EXPECT_GT(without, 10 * kDistance);
}

/// Starting at log n for n puts chains at n - 1.
TEST(DhmcMutants, StartAtAnEdge) {
  constexpr LogCells cells{1, 100000};
  int lost = 0, wrong = 0;
  for (int n = 1; n < 100000; ++n) {
    lost += std::floor(std::exp(std::log(static_cast<double>(n)))) != n;
    wrong += static_cast<int>(cells.index(cells.middle(n))) != n;
    wrong += static_cast<int>(cells.index(static_cast<float>(cells.middle(n)))) != n;
  }
  std::printf("floor(exp(log n)) is not n for %d of 99999\n", lost);
  EXPECT_GT(lost, 40000);
  EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace lockstep
