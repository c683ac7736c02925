/// Visits of discontinuous coordinates: energy, reversibility, what happens at edges and
/// infinities, and that a sweep is Metropolis within Gibbs.

#include "kernels/integrators/coordinatewise.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

#include "tests/dhmc_laws.hpp"

namespace lockstep {
namespace {

using testing::Coupled;
using testing::CoupledLaw;
using testing::Exact;
using testing::GridLaw;
using testing::MixedLaw;
constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

// ---- one visit
// ------------------------------------------------------------------

struct Outcomes {
  double worst = 0;                           // |dH| / (1 + |H|)
  int moved[2] = {0, 0}, stayed[2] = {0, 0};  // by r's sign
};

/// Random visits from the law, H by the full potential.
template <class Law, bool Turns, class Target>
Outcomes random_visits(const Target& target, const std::vector<int>& sites) {
  constexpr int n = Target::dim;
  Exact exact(1);
  Outcomes o;
  for (int i = 0; i < 100000; ++i) {
    double q[n], r[n] = {}, tally[n] = {};
    Law::draw(exact, q);
    const int j = sites[static_cast<std::size_t>(i) % sites.size()];
    r[j] = -std::log1p(-exact.uniform()) * (exact.uniform() < 0.5 ? -1 : 1);
    const int sign = r[j] < 0;
    const double from = q[j], to = q[j] + 2 * exact.normal();
    const double start = r[j];
    const auto energy = [&] {
      return (potential(target, static_cast<const double*>(q)) + Sum<double>(std::abs(r[j])))
          .value();
    };
    const double before = energy();
    Cache<Target, double> cache;
    prepare(target, static_cast<const double*>(q), cache);
    visit<Turns>(target, j, to, q, r, tally, 1.0, cache);
    o.worst = std::max(o.worst, std::abs(energy() - before) / (1 + std::abs(before)));
    if (q[j] == to) {
      ++o.moved[sign];
      EXPECT_EQ(std::signbit(r[j]), std::signbit(start));
    } else {
      ++o.stayed[sign];
      EXPECT_EQ(q[j], from);
      EXPECT_EQ(r[j], Turns ? -start : start);
    }
    EXPECT_GE(tally[j], 0);
    EXPECT_LE(tally[j], 1);
  }
  return o;
}

void conserves(const char* name, const Outcomes& o) {
  std::printf("%-24s |dH| / (1 + |H|) %.1e, moved %d + %d, stayed %d + %d\n", name, o.worst,
              o.moved[0], o.moved[1], o.stayed[0], o.stayed[1]);
  EXPECT_LE(o.worst, 1e-12) << name;
  for (const int sign : {0, 1}) {
    EXPECT_GT(o.moved[sign], 10000) << name;
    EXPECT_GT(o.stayed[sign], 10000) << name;
  }
}

TEST(Visit, ConservesEnergy) {
  conserves("integer grid", random_visits<GridLaw, true>(IntegerGrid{}, {0, 1}));
  conserves("mixed grid", random_visits<MixedLaw, true>(MixedGrid{}, {0, 1}));
  conserves("coupled", random_visits<CoupledLaw, true>(Coupled{}, {0, 2}));
  conserves("coupled, exchange", random_visits<CoupledLaw, false>(Coupled{}, {0, 2}));
}

/// U as told, at q < 1 and from there on; one coordinate.
struct Step {
  static constexpr int dim = 1;
  double low, high;
  bool discontinuous(int) const { return true; }
  template <class T>
  T potential(const T* q) const {
    return select(q[0] < T(1), T(low), T(high));
  }
};

struct Seen {
  double q, r, tally, rise;
};
Seen visit_step(double low, double high, double r) {
  const Step step{low, high};
  double q = 0.5, tally = 0;
  Cache<Step, double> cache;
  prepare(step, static_cast<const double*>(&q), cache);
  const double rise = delta(step, 0, &q, 1.5, cache);
  visit<true>(step, 0, 1.5, &q, &r, &tally, 1.0, cache);
  return {q, r, tally, rise};
}

TEST(Visit, Infinities) {
  for (const double r : {2.0, -2.0}) {
    // Beyond the support: a wall.
    const Seen wall = visit_step(3, kInfinity, r);
    EXPECT_EQ(wall.rise, kInfinity);
    EXPECT_EQ(wall.q, 0.5);
    EXPECT_EQ(wall.r, -r);
    EXPECT_EQ(wall.tally, 0);
    // No number is a wall too, and so is an infinity of either sign that is no density.
    for (const double no : {kNan, -kInfinity}) {
      const Seen seen = visit_step(3, no, r);
      EXPECT_EQ(seen.q, 0.5);
      EXPECT_EQ(seen.r, -r);
      EXPECT_EQ(seen.tally, 0);
    }
    // Lost: nothing leads from where there is no density.
    for (const double no : {kInfinity, kNan}) {
      for (const double to : {3.0, kInfinity, kNan}) {
        EXPECT_EQ(visit_step(no, to, r).q, 0.5);
        EXPECT_EQ(visit_step(no, to, r).r, -r);
      }
    }
  }
  // What it takes is just |r|: that much is not enough, more is.
  EXPECT_EQ(visit_step(0, 2, 2).q, 0.5);
  EXPECT_EQ(visit_step(0, std::nextafter(2, 0), 2).q, 1.5);
  EXPECT_DOUBLE_EQ(visit_step(0, 2, 2).tally, std::exp(-2));
  EXPECT_EQ(visit_step(2, 0, 0.5).r, 2.5);
  EXPECT_EQ(visit_step(2, 0, -0.5).r, -2.5);
}

TEST(Visit, DefaultDeltaIsMinusTheWayBack) {
  Exact exact(2);
  for (int i = 0; i < 10000; ++i) {
    double q[4];
    CoupledLaw::draw(exact, q);
    const int j = 2 * (i % 2);
    const double from = q[j], to = 3 * exact.uniform();
    Cache<Coupled, double> cache;
    prepare(Coupled{}, static_cast<const double*>(q), cache);
    const double there = delta(Coupled{}, j, q, to, cache);
    EXPECT_EQ(q[j], from);
    q[j] = to;
    prepare(Coupled{}, static_cast<const double*>(q), cache);
    EXPECT_EQ(delta(Coupled{}, j, q, from, cache), -there);
  }
}

// ---- L = 1 without smooth coordinates is Metropolis within Gibbs
// ------------------------------------------------------------------

constexpr int kStates = 36;
using Matrix = std::vector<std::vector<double>>;

/// Where one sweep takes the state with these momenta; hop 1 from the middle of cells.
int sweep_from(int state, const std::array<std::uint16_t, 2>& order, const double* momenta) {
  const double one[2] = {1, 1};
  Visits<double> visits;
  visits.order = order.data();
  visits.sites = 2;
  visits.scale = one;
  double q[2] = {state / 6 + 0.5, state % 6 + 0.5}, r[2] = {momenta[0], momenta[1]}, tally[2] = {};
  sweep_coordinates(IntegerGrid{}, visits, Stream<double>::of(1, 0), 1.0, q, r, tally);
  return static_cast<int>(6 * std::floor(q[0]) + std::floor(q[1]));
}

/// The |r_j| beyond which the sweep moves coordinate j, other momenta as given; found by bisection
/// in -log of its chance.
double threshold(int state, const std::array<std::uint16_t, 2>& order, const double* momenta,
                 int j) {
  const auto moves = [&](double size) {
    double r[2] = {momenta[0], momenta[1]};
    r[j] = std::copysign(size, momenta[j]);
    const int end = sweep_from(state, order, r);
    return j == 0 ? end / 6 != state / 6 : end % 6 != state % 6;
  };
  double low = 0, high = 64;
  if (moves(1e-300)) {
    return 0;
  }
  if (!moves(high)) {
    return kInfinity;
  }
  for (int i = 0; i < 200; ++i) {
    const double middle = 0.5 * (low + high);
    (moves(middle) ? high : low) = middle;
  }
  return high;
}

/// The kernel's transition matrix: r_j ~ Laplace(1) has either sign half of the time, and exceeds t
/// in size with probability exp(-t).
Matrix kernel_matrix(const std::array<std::uint16_t, 2>& order) {
  Matrix p(kStates, std::vector<double>(kStates));
  const int first = order[0], second = order[1];
  for (int s = 0; s < kStates; ++s) {
    for (const double sign1 : {-1.0, 1.0}) {
      for (const double sign2 : {-1.0, 1.0}) {
        double r[2];
        r[first] = sign1;
        r[second] = sign2;
        const double t1 = threshold(s, order, r, first);
        for (const bool moves1 : {false, true}) {
          const double chance1 = moves1 ? std::exp(-t1) : 1 - std::exp(-t1);
          if (chance1 == 0) {
            continue;
          }
          r[first] = sign1 * (moves1 ? 60 : t1 / 2);
          const double t2 = threshold(s, order, r, second);
          for (const bool moves2 : {false, true}) {
            const double chance2 = moves2 ? std::exp(-t2) : 1 - std::exp(-t2);
            if (chance2 == 0) {
              continue;
            }
            double to[2];
            to[first] = r[first];
            to[second] = sign2 * (moves2 ? 60 : t2 / 2);
            p[static_cast<std::size_t>(s)][static_cast<std::size_t>(sweep_from(s, order, to))] +=
                0.25 * chance1 * chance2;
          }
        }
      }
    }
  }
  return p;
}

/// Metropolis within Gibbs: a neighbour in one coordinate, then in the other, each accepted with
/// probability min(1, ratio of the law).
Matrix metropolis_within_gibbs(const std::array<std::uint16_t, 2>& order) {
  const auto update = [](int j) {
    Matrix p(kStates, std::vector<double>(kStates));
    for (int m = 0; m < 6; ++m) {
      for (int n = 0; n < 6; ++n) {
        const auto s = static_cast<std::size_t>(6 * m + n);
        p[s][s] = 1;
        for (const int by : {-1, 1}) {
          const int to[2] = {m + (j == 0 ? by : 0), n + (j == 1 ? by : 0)};
          if (std::min(to[0], to[1]) < 0 || std::max(to[0], to[1]) > 5) {
            continue;
          }
          const double chance = 0.5 * std::min(1.0, IntegerGrid::probability(to[0], to[1]) /
                                                        IntegerGrid::probability(m, n));
          p[s][static_cast<std::size_t>(6 * to[0] + to[1])] = chance;
          p[s][s] -= chance;
        }
      }
    }
    return p;
  };
  const Matrix a = update(order[0]), b = update(order[1]);
  Matrix product(kStates, std::vector<double>(kStates));
  for (std::size_t i = 0; i < kStates; ++i) {
    for (std::size_t k = 0; k < kStates; ++k) {
      for (std::size_t j = 0; j < kStates; ++j) {
        product[i][j] += a[i][k] * b[k][j];
      }
    }
  }
  return product;
}

TEST(Sweep, IsMetropolisWithinGibbs) {
  for (const auto& order : {std::array<std::uint16_t, 2>{0, 1}, {1, 0}}) {
    const Matrix kernel = kernel_matrix(order), gibbs = metropolis_within_gibbs(order);
    double worst = 0, row = 0;
    for (std::size_t i = 0; i < kStates; ++i) {
      double total = 0;
      for (std::size_t j = 0; j < kStates; ++j) {
        worst = std::max(worst, std::abs(kernel[i][j] - gibbs[i][j]));
        total += kernel[i][j];
      }
      row = std::max(row, std::abs(total - 1));
    }
    std::printf("order %d %d: largest difference of 1296 transition probabilities %.1e\n", order[0],
                order[1], worst);
    EXPECT_LT(worst, 1e-14);
    EXPECT_LT(row, 1e-14);
  }
}

/// L sweeps, r turned around, and the sweeps in the opposite order.
TEST(Sweep, IsUndoneInReverse) {
  Exact exact(4);
  const double one[2] = {0.7, 1.2};
  double worst = 0;
  for (std::uint32_t t = 0; t < 1000; ++t) {
    std::vector<std::uint16_t> order;
    for (int i = 0; i < 10; ++i) {
      order.push_back(exact.uniform() < 0.5 ? 0 : 1);
    }
    Visits<double> visits;
    visits.sites = static_cast<int>(order.size());
    visits.scale = one;
    double q[2], r[2] = {exact.normal(), exact.normal()}, tally[2] = {};
    GridLaw::draw(exact, q);
    const double start[4] = {q[0], q[1], r[0], r[1]};
    for (int leg = 0; leg < 2; ++leg) {
      visits.order = order.data();
      sweep_coordinates(IntegerGrid{}, visits, Stream<double>::of(1, 0), 0.9, q, r, tally);
      std::reverse(order.begin(), order.end());
      r[0] = -r[0];
      r[1] = -r[1];
    }
    worst = std::max({worst, std::abs(q[0] - start[0]), std::abs(q[1] - start[1]),
                      std::abs(r[0] - start[2]), std::abs(r[1] - start[3])});
  }
  EXPECT_LT(worst, 1e-10);
}

}  // namespace
}  // namespace lockstep
