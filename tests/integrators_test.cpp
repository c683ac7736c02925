// Is the map that an integrator makes the one that exactness rests on? Reversible, volume
// preserving, of the order its table claims, and where the flow is known in closed form, that flow.

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/all_targets.hpp"
#include "tests/phase_space.hpp"

namespace lockstep {
namespace {

using testing::energy_at;
using testing::gradient_at;
using testing::hamiltonian;
using testing::integrate;
using testing::Kinetics;
using testing::some_dense_metric;
using testing::some_diagonal_metric;
using testing::stable_step;
using testing::Uniform;
using testing_targets::for_each_target;

struct Table {
  const char* name;
  Palindrome palindrome;
  int order;
};
const Table tables[] = {{"leapfrog", leapfrog_table(), 2},
                        {"minimal norm 2", minimal_norm_2_table(), 2},
                        {"minimal norm 4", minimal_norm_4_table(), 4}};

/// f(label, order, metric, map) for the leapfrog and every table on both metrics;
/// map(step, steps, q, p) moves in double.
template <class Target, class F>
void for_each_map(const Target& target, F f) {
  const int d = dimension(target);
  for (const PreparedMetric& metric : {some_diagonal_metric(d), some_dense_metric(d)}) {
    const Kinetics<double, Target> kinetics(target, metric);
    const bool dense = metric.kind == Metric::dense;
    const std::string suffix = dense ? ", dense" : ", diagonal";
    if (!dense) {
      f("the leapfrog" + suffix, 2, metric,
        [&](double step, int steps, std::vector<double>& q, std::vector<double>& p) {
          integrate<double>(target, kinetics.diagonal(), Leapfrog{}, step, steps, q, p);
        });
    }
    for (const Table& table : tables) {
      const Palindromic integrator{table.palindrome};
      f(table.name + suffix, table.order, metric,
        [&](double step, int steps, std::vector<double>& q, std::vector<double>& p) {
          if (dense) {
            integrate<double>(target, kinetics.dense(), integrator, step, steps, q, p);
          } else {
            integrate<double>(target, kinetics.diagonal(), integrator, step, steps, q, p);
          }
        });
    }
  }
}

template <class S>
double largest(const std::vector<S>& x) {
  double worst = 0;
  for (const S value : x) {
    const double size = std::abs(static_cast<double>(value));
    worst = size <= worst ? worst : size;  // NaN is larger than anything
  }
  return worst;
}

template <class S>
void flip(std::vector<S>& p) {
  for (S& value : p) {
    value = -value;
  }
}

template <class S>
double distance(const std::vector<S>& a, const std::vector<S>& b) {
  std::vector<S> difference(a.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    difference[i] = a[i] - b[i];
  }
  return largest(difference);
}

// ---- the tables
// -----------------------------------------------------------------------------------

/// What a palindrome makes of the conditions on a Nystroem method: kicks b_i at times c_i = the
/// drifts before them. A symmetric method that satisfies them up to third order has order four
/// (Hairer, Lubich & Wanner, "Geometric Numerical Integration", sections II.2.3 and V.1).
struct OrderConditions {
  double kicks = 0, drifts = 0;  // sums
  double first = 0;              // sum b c - 1/2
  double quadrature = 0;         // sum b c^2 - 1/3
  double nested = 0;             // sum_i b_i sum_{j<i} b_j (c_i - c_j) - 1/6

  explicit OrderConditions(const Palindrome& t) {
    std::vector<double> b(t.kick, t.kick + t.stages), c{0.0};
    b.push_back(t.kick[0]);
    for (int i = 0; i < t.stages; ++i) {
      drifts += t.drift[i];
      c.push_back(drifts);
    }
    for (std::size_t i = 0; i < b.size(); ++i) {
      kicks += b[i];
      first += b[i] * c[i];
      quadrature += b[i] * c[i] * c[i];
      for (std::size_t j = 0; j < i; ++j) {
        nested += b[i] * b[j] * (c[i] - c[j]);
      }
    }
    first -= 1.0 / 2;
    quadrature -= 1.0 / 3;
    nested -= 1.0 / 6;
  }
};

TEST(Tables, ArePalindromesThatAddUpToOne) {
  for (const Table& table : tables) {
    SCOPED_TRACE(table.name);
    const Palindrome& t = table.palindrome;
    ASSERT_LE(t.stages, kMaxStages);
    for (int i = 0; i < t.stages; ++i) {
      EXPECT_EQ(t.drift[i], t.drift[t.stages - 1 - i]) << i;
      if (i > 0) {
        EXPECT_EQ(t.kick[i], t.kick[t.stages - i]) << i;
      }
    }
    const OrderConditions sums(t);
    EXPECT_EQ(sums.kicks, 1.0);
    EXPECT_EQ(sums.drifts, 1.0);
    EXPECT_NEAR(sums.first, 0, 1e-15);
  }
}

TEST(Tables, SatisfyTheConditionsOfTheirOrder) {
  for (const Table& table : tables) {
    SCOPED_TRACE(table.name);
    const OrderConditions conditions(table.palindrome);
    if (table.order == 4) {
      EXPECT_NEAR(conditions.quadrature, 0, 1e-15);
      EXPECT_NEAR(conditions.nested, 0, 1e-15);
    } else {
      EXPECT_GT(std::hypot(conditions.quadrature, conditions.nested), 0.01);
    }
  }
}

/// Of one-parameter second-order schemes (lambda, 1/2, 1 - 2 lambda, 1/2, lambda) the tabulated one
/// has the smallest truncation error. With its two terms, alpha [A,[A,B]] + beta [B,[A,B]],
/// alpha = (6 lambda - 1) / 24 and beta = (1 - 6 lambda + 6 lambda^2) / 12 (Omelyan, Mryglod & Folk
/// 2003, section 2), the minimum of alpha^2 + beta^2 is a root of a cubic, in closed form here.
TEST(Tables, MinimalNormIsMinimal) {
  const double lambda = minimal_norm_2_table().kick[0];
  const double root = std::cbrt(2 * std::sqrt(326.0) + 36);
  EXPECT_NEAR(lambda, 0.5 - root / 12 + 1 / (6 * root), 1e-16);
  const auto norm = [](double l) {
    return std::hypot((6 * l - 1) / 24, (1 - 6 * l + 6 * l * l) / 12);
  };
  EXPECT_LT(norm(lambda), norm(lambda - 1e-4));
  EXPECT_LT(norm(lambda), norm(lambda + 1e-4));
}

// ---- reversibility
// ----------------------------------------------------------------------------------

constexpr int kSteps = 20;

TEST(Reversibility, InDouble) {
  for_each_target<double>([](const std::string& name, const auto& target, double spread) {
    SCOPED_TRACE(name);
    for_each_map(target, [&](const std::string& map, int, const PreparedMetric&, auto move) {
      SCOPED_TRACE(map);
      Uniform uniform(1);
      for (int point = 0; point < 5; ++point) {
        const std::vector<double> q0 = uniform.vector(dimension(target), 0.5 * spread);
        const std::vector<double> p0 = uniform.vector(dimension(target), 1.5);
        const double step = stable_step(target, q0, 0.3);
        std::vector<double> q = q0, p = p0;
        move(step, kSteps, q, p);
        const double scale = std::max({largest(q0), largest(q), largest(p0), largest(p)});
        EXPECT_GT(distance(q, q0), 1e-3 * largest(q0));  // it did go somewhere
        flip(p);
        move(step, kSteps, q, p);
        flip(p);
        EXPECT_LT(distance(q, q0), 1e-10 * scale) << point;
        EXPECT_LT(distance(p, p0), 1e-10 * scale) << point;
      }
    });
  });
}

/// In float a trajectory returns to its start up to the rounding of its 2 x 20 steps.
constexpr double kFloatReversal = 1e-5;

template <class L, class Target, class Integrator>
void reverses_in_float(const Target& target, const Integrator& integrator, double spread) {
  constexpr auto w = static_cast<std::size_t>(width<L>);
  const int d = dimension(target);
  const Kinetics<float, Target> kinetics(target, some_diagonal_metric(d));
  Uniform uniform(2);
  std::vector<float> q0(static_cast<std::size_t>(d) * w), p0(q0.size());
  double step = 1;
  for (std::size_t k = 0; k < w; ++k) {
    const std::vector<double> q = uniform.vector(d, 0.5 * spread), p = uniform.vector(d, 1.5);
    step = std::min(step, stable_step(target, q, 0.3));
    for (std::size_t j = 0; j < q.size(); ++j) {
      q0[j * w + k] = static_cast<float>(q[j]);
      p0[j * w + k] = static_cast<float>(p[j]);
    }
  }
  std::vector<float> q = q0, p = p0;
  integrate<L>(target, kinetics.diagonal(), integrator, step, kSteps, q, p);
  const double scale = std::max({largest(q0), largest(q), largest(p0), largest(p)});
  EXPECT_GT(distance(q, q0), 1e-3 * largest(q0));
  flip(p);
  integrate<L>(target, kinetics.diagonal(), integrator, step, kSteps, q, p);
  flip(p);
  EXPECT_LT(distance(q, q0), kFloatReversal * scale);
  EXPECT_LT(distance(p, p0), kFloatReversal * scale);
}

TEST(Reversibility, InFloat) {
  for_each_target<float>([](const std::string& name, const auto& target, double spread) {
    SCOPED_TRACE(name);
    reverses_in_float<FloatBatch>(target, Leapfrog{}, spread);
  });
  reverses_in_float<Twin<FloatBatch>>(Scg{}, Leapfrog{}, 4);
  reverses_in_float<Twin<FloatBatch>>(RoughWell<2>{}, Palindromic{minimal_norm_4_table()}, 3);
  reverses_in_float<FloatBatch>(EightSchoolsNc{}, Palindromic{minimal_norm_4_table()}, 3);
}

// ---- one integrator, written twice
// ------------------------------------------------------------------

TEST(SameMap, LeapfrogIsItsTable) {
  for_each_target<double>([](const std::string& name, const auto& target, double spread) {
    SCOPED_TRACE(name);
    using Target = std::decay_t<decltype(target)>;
    const int d = dimension(target);
    const Kinetics<double, Target> kinetics(target, some_diagonal_metric(d));
    Uniform uniform(3);
    std::vector<double> q = uniform.vector(d, 0.5 * spread), p = uniform.vector(d, 1.5);
    std::vector<double> q2 = q, p2 = p;
    const double step = stable_step(target, q, 0.3);
    integrate<double>(target, kinetics.diagonal(), Leapfrog{}, step, kSteps, q, p);
    integrate<double>(target, kinetics.diagonal(), Palindromic{leapfrog_table()}, step, kSteps, q2,
                      p2);
    EXPECT_EQ(q, q2);
    EXPECT_EQ(p, p2);
  });
}

/// A target without the property that lets its coordinates be advanced in tiles.
template <class Target>
struct Whole {
  static constexpr int max_dim = capacity<Target>;
  Target target;

  LOCKSTEP_INLINE int dim() const { return dimension(target); }
  template <class T>
  auto potential(const T* q) const {
    return target.potential(q);
  }
  template <class T>
  auto potential_and_gradient(const T* q, T* gradient) const {
    return target.potential_and_gradient(q, gradient);
  }
  template <class T>
  void kick(const T* q, T scale, T* p) const {
    target.kick(q, scale, p);
  }
};

template <class L, class Target>
void tiles_are_whole(const Target& target, double step) {
  static_assert(Separable<Target> && !Separable<Whole<Target>>);
  constexpr auto w = static_cast<std::size_t>(width<L>);
  using S = Scalar<L>;
  const int d = dimension(target);
  const PreparedMetric metric = some_diagonal_metric(d);
  const Whole<Target> whole{target};
  const Kinetics<S, Target> kinetics(target, metric);
  const Kinetics<S, Whole<Target>> whole_kinetics(whole, metric);
  for (const int steps : {1, 2, 9}) {
    Uniform uniform(4);
    std::vector<S> q, p;
    for (std::size_t i = 0; i < static_cast<std::size_t>(d) * w; ++i) {
      q.push_back(static_cast<S>(2 * uniform()));
      p.push_back(static_cast<S>(2 * uniform()));
    }
    const std::vector<S> q0 = q;
    std::vector<S> q2 = q, p2 = p, q3 = q, p3 = p;
    integrate<L>(target, kinetics.diagonal(), Leapfrog{}, step, steps, q, p);
    integrate<L>(whole, whole_kinetics.diagonal(), Leapfrog{}, step, steps, q2, p2);
    integrate<L>(target, kinetics.diagonal(), Palindromic{leapfrog_table()}, step, steps, q3, p3);
    EXPECT_NE(q, q0);
    EXPECT_EQ(q, q2) << steps;
    EXPECT_EQ(p, p2) << steps;
    EXPECT_EQ(q, q3) << steps;
    EXPECT_EQ(p, p3) << steps;
  }
}

TEST(SameMap, ByTiles) {
  tiles_are_whole<FloatBatch>(Icg{}, 0.1);
  tiles_are_whole<DoubleBatch>(Icg{}, 0.1);
  for (const int d : {1, 7, 8, 9, 16, 63, 64}) {  // tiles and what is left over
    SCOPED_TRACE(d);
    tiles_are_whole<FloatBatch>(StdNormalN<64>(d), 0.3);
  }
  tiles_are_whole<FloatBatch>(RoughWellN<16>(13, 0.1), 0.05);
}

// ---- the error of the energy
// ------------------------------------------------------------------------

/// Least squares slope of y against x.
double slope(const std::vector<double>& x, const std::vector<double>& y) {
  const auto n = static_cast<double>(x.size());
  double mx = 0, my = 0, xx = 0, xy = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    mx += x[i] / n;
    my += y[i] / n;
  }
  for (std::size_t i = 0; i < x.size(); ++i) {
    xx += (x[i] - mx) * (x[i] - mx);
    xy += (x[i] - mx) * (y[i] - my);
  }
  return xy / xx;
}

/// The slope of log |H' - H| against the log of the step, for trajectories of one duration. The
/// median over starts, because for single ones the leading term may happen to vanish.
TEST(EnergyError, HasTheOrderOfTheTable) {
  for_each_target<double>([](const std::string& name, const auto& target, double spread) {
    SCOPED_TRACE(name);
    for_each_map(target,
                 [&](const std::string& map, int order, const PreparedMetric& metric, auto move) {
                   Uniform uniform(5);
                   std::vector<double> slopes;
                   double smallest = 1;
                   for (int point = 0; point < 25; ++point) {
                     const std::vector<double> q0 = uniform.vector(dimension(target), 0.4 * spread);
                     const std::vector<double> p0 = uniform.vector(dimension(target), 1.5);
                     const double duration = 16 * stable_step(target, q0, 0.15);
                     const double before = hamiltonian(target, metric, q0, p0);
                     std::vector<double> log_step, log_error;
                     for (const int steps : {16, 32, 64}) {
                       std::vector<double> q = q0, p = p0;
                       move(duration / steps, steps, q, p);
                       const double error = std::abs(hamiltonian(target, metric, q, p) - before);
                       log_step.push_back(-std::log(steps));
                       log_error.push_back(std::log(error));
                       smallest = std::min(smallest, error / (1 + std::abs(before)));
                     }
                     slopes.push_back(slope(log_step, log_error));
                   }
                   std::nth_element(slopes.begin(), slopes.begin() + 12, slopes.end());
                   EXPECT_NEAR(slopes[12], order, order == 4 ? 0.15 : 0.05)
                       << map << ", smallest error " << smallest;
                 });
  });
}

// ---- volume
// -----------------------------------------------------------------------------------------

/// By elimination with row exchanges; `a` is [n][n].
double determinant(std::vector<double> a, std::size_t n) {
  double product = 1;
  for (std::size_t k = 0; k < n; ++k) {
    std::size_t pivot = k;
    for (std::size_t i = k + 1; i < n; ++i) {
      pivot = std::abs(a[i * n + k]) > std::abs(a[pivot * n + k]) ? i : pivot;
    }
    if (pivot != k) {
      std::swap_ranges(a.begin() + static_cast<std::ptrdiff_t>(k * n),
                       a.begin() + static_cast<std::ptrdiff_t>((k + 1) * n),
                       a.begin() + static_cast<std::ptrdiff_t>(pivot * n));
      product = -product;
    }
    product *= a[k * n + k];
    for (std::size_t i = k + 1; i < n; ++i) {
      const double factor = a[i * n + k] / a[k * n + k];
      for (std::size_t j = k; j < n; ++j) {
        a[i * n + j] -= factor * a[k * n + j];
      }
    }
  }
  return product;
}

TEST(Volume, IsPreserved) {
  for_each_target<double>([](const std::string& name, const auto& target, double spread) {
    SCOPED_TRACE(name);
    const int d = dimension(target);
    for_each_map(target, [&](const std::string& map, int, const PreparedMetric&, auto move) {
      Uniform uniform(6);
      std::vector<double> q0 = uniform.vector(d, 0.5 * spread), p0 = uniform.vector(d, 1.5);
      const double step = stable_step(target, q0, 0.3);
      const std::size_t n = 2 * q0.size();
      std::vector<double> jacobian(n * n, 0.0);
      for (std::size_t k = 0; k < n; ++k) {
        const std::size_t at = k % q0.size();
        const double size = std::max(1.0, std::abs(k < q0.size() ? q0[at] : p0[at]));
        const double h = 3e-6 * std::min(1.0, step) * size;
        for (const double sign : {1.0, -1.0}) {
          std::vector<double> q = q0, p = p0;
          (k < q.size() ? q : p)[at] += sign * h;
          move(step, 5, q, p);
          for (std::size_t j = 0; j < n; ++j) {
            jacobian[j * n + k] += sign / (2 * h) * (j < q.size() ? q[j] : p[j - q.size()]);
          }
        }
      }
      EXPECT_NEAR(determinant(jacobian, n), 1, 1e-6) << map;
    });
  });
}

// ---- the harmonic oscillator
// ------------------------------------------------------------------------

/// The leapfrog of U = lambda q^2 / 2 at unit mass is a rotation in (q, p / w), with
/// sin(theta / 2) = eps sqrt(lambda) / 2 and w = sqrt(lambda (1 - eps^2 lambda / 4)).
TEST(Oscillator, LeapfrogHasAClosedForm) {
  const Icg target;
  PreparedMetric unit;
  unit.inverse_mass.assign(Icg::dim, 1.0);
  unit.factor.assign(Icg::dim, 1.0);
  const Kinetics<double, Icg> kinetics(target, unit);
  for (const double eps : {0.02, 0.1, 0.19}) {
    for (const int steps : {1, 2, 37}) {
      Uniform uniform(7);
      const std::vector<double> q0 = uniform.vector(Icg::dim, 2), p0 = uniform.vector(Icg::dim, 2);
      std::vector<double> q = q0, p = p0;
      integrate<double>(target, kinetics.diagonal(), Leapfrog{}, eps, steps, q, p);
      for (std::size_t j = 0; j < q.size(); ++j) {
        const double lambda = 1 / Icg::variance(static_cast<int>(j));
        const double angle = steps * 2 * std::asin(0.5 * eps * std::sqrt(lambda));
        const double w = std::sqrt(lambda * (1 - eps * eps * lambda / 4));
        EXPECT_NEAR(q[j], std::cos(angle) * q0[j] + std::sin(angle) / w * p0[j],
                    1e-12 * (1 + 1 / w))
            << j;
        EXPECT_NEAR(p[j], std::cos(angle) * p0[j] - std::sin(angle) * w * q0[j], 1e-12 * (1 + w))
            << j;
      }
    }
  }
}

/// Stable below eps sqrt(lambda / m) = 2, not above: q^2 + p^2 / w^2 is constant below; above, the
/// angle is imaginary and q grows like cosh(n eta), cosh eta = eps^2 lambda / (2 m) - 1.
TEST(Oscillator, LeapfrogIsStableUpToTwo) {
  const StdNormal<2> target;
  PreparedMetric metric = some_diagonal_metric(2);
  const Kinetics<double, StdNormal<2>> kinetics(target, metric);
  const auto run = [&](double edge, int steps) {  // the second coordinate stays at rest
    std::vector<double> q{1.0, 0.0}, p{0.0, 0.0};
    integrate<double>(target, kinetics.diagonal(), Leapfrog{}, edge / metric.factor[0], steps, q,
                      p);
    return q[0];
  };
  double worst = 0;
  for (int steps = 1; steps < 3000; steps += 7) {
    worst = std::max(worst, std::abs(run(1.99, steps)));
  }
  EXPECT_LT(worst, 1 + 1e-9);
  EXPECT_GT(worst, 0.99);
  const int steps = 200;
  const double eta = std::acosh(2.01 * 2.01 / 2 - 1);
  EXPECT_NEAR(run(2.01, steps) / std::cosh(steps * eta), 1, 1e-9);
  EXPECT_GT(run(2.01, steps), 1e8);
}

}  // namespace
}  // namespace lockstep
