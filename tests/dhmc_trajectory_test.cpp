/// Trajectories of discontinuous HMC: they retrace themselves and preserve volume with every
/// metric, whose momenta are of the smooth coordinates alone, and visit in orders that read the
/// same backwards.

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "lockstep/error.hpp"
#include "tests/dhmc_laws.hpp"

namespace lockstep {
namespace {

using testing::Coupled;
using testing::CoupledLaw;
using testing::every_metric;
using testing::Exact;
using testing::MetricCase;
using testing::MixedLaw;
using testing::position_at;
using testing::some_dhmc;
using testing::some_low_rank_metric;
using testing::unit_metric;
using Matrix = std::vector<std::vector<double>>;

// ---- trajectories
// ------------------------------------------------------------------

/// (q, p) after a trajectory from (q, p), [2 dim]; where gradients are of the smooth coordinates.
template <class Target, class Transition>
std::vector<double> travelled(const Target& target, const Transition& transition, std::uint32_t t,
                              const std::vector<double>& from) {
  constexpr int n = Target::dim;
  Position<double, n> y = position_at(target, from.data());
  transition.flatten(y.gradient);
  double p[n], tally[n] = {};
  std::copy_n(from.begin() + n, n, p);
  transition.travel(target, Solo{}, Stream<double>::of(1, 0), t, 1.0, y, p, tally);
  std::vector<double> to(y.q, y.q + n);
  to.insert(to.end(), p, p + n);
  return to;
}

template <class Law, class Target>
std::vector<double> some_phase(const Target&, Exact& exact) {
  std::vector<double> z(2 * Target::dim);
  Law::draw(exact, z.data());
  for (int j = 0; j < Target::dim; ++j) {
    z[static_cast<std::size_t>(Target::dim + j)] = 1.5 * exact.normal();
  }
  return z;
}

/// Visits with random proposals do not undo themselves; only DHMC's.
template <class Transition>
inline constexpr bool undoes_itself = false;
template <class K, class S, int N, class R>
inline constexpr bool undoes_itself<transitions::Dhmc<K, S, N, Visit::laplace, R>> = true;

template <class Target, class F>
void with_dhmc(const Target& target, const Sampler& sampler, const PreparedMetric& metric, F f) {
  testing::with_transition<double>(target, sampler, metric, 5, [&](const auto& transition) {
    if constexpr (undoes_itself<std::decay_t<decltype(transition)>>) {
      f(transition);
    }
  });
}

template <class Law, class Target>
void retraces(const char* name, const Target& target) {
  for (const MetricCase& metric : every_metric(Target::dim)) {
    for (const VisitOrder order : {VisitOrder::coin, VisitOrder::permutation}) {
      for (const int steps : {1, 4, 7}) {
        with_dhmc(target, some_dhmc(order, steps), metric.metric, [&](const auto& transition) {
          Exact exact(3);
          double worst = 0, moved = 0;
          for (std::uint32_t t = 0; t < 100; ++t) {
            const std::vector<double> start = some_phase<Law>(target, exact);
            const auto turned = [](std::vector<double> z) {
              std::transform(z.begin() + Target::dim, z.end(), z.begin() + Target::dim,
                             [](double p) { return -p; });
              return z;
            };
            const std::vector<double> end = travelled(target, transition, t, start);
            const std::vector<double> back = turned(travelled(target, transition, t, turned(end)));
            for (std::size_t k = 0; k < start.size(); ++k) {
              worst = std::max(worst, std::abs(back[k] - start[k]));
              moved = std::max(moved, std::abs(end[k] - start[k]));
            }
          }
          EXPECT_LT(worst, 1e-10) << name << ", " << metric.name << ", " << steps << " steps";
          EXPECT_GT(moved, 1);
        });
      }
    }
  }
}

TEST(Trajectory, RetracesItself) {
  retraces<MixedLaw>("mixed grid", MixedGrid{});
  retraces<CoupledLaw>("coupled", Coupled{});
}

double determinant(Matrix a) {
  double product = 1;
  const std::size_t n = a.size();
  for (std::size_t k = 0; k < n; ++k) {
    std::size_t pivot = k;
    for (std::size_t i = k + 1; i < n; ++i) {
      pivot = std::abs(a[i][k]) > std::abs(a[pivot][k]) ? i : pivot;
    }
    if (pivot != k) {
      std::swap(a[pivot], a[k]);
      product = -product;
    }
    product *= a[k][k];
    for (std::size_t i = k + 1; i < n; ++i) {
      for (std::size_t j = n; j-- > k;) {
        a[i][j] -= a[i][k] / a[k][k] * a[k][j];
      }
    }
  }
  return product;
}

TEST(Trajectory, PreservesVolume) {
  const Coupled target;
  constexpr std::size_t n = 2 * Coupled::dim;
  constexpr double h = 1e-6;
  for (const MetricCase& metric : every_metric(Coupled::dim)) {
    with_dhmc(target, some_dhmc(VisitOrder::permutation, 3), metric.metric,
              [&](const auto& transition) {
                Exact exact(5);
                double worst = 0;
                int smooth = 0;
                for (std::uint32_t t = 0; t < 200; ++t) {
                  const std::vector<double> z = some_phase<CoupledLaw>(target, exact);
                  Matrix jacobian(n, std::vector<double>(n));
                  double steepest = 0;
                  for (std::size_t k = 0; k < n; ++k) {
                    std::vector<double> up = z, down = z;
                    up[k] += h;
                    down[k] -= h;
                    up = travelled(target, transition, t, up);
                    down = travelled(target, transition, t, down);
                    for (std::size_t i = 0; i < n; ++i) {
                      jacobian[i][k] = (up[i] - down[i]) / (2 * h);
                      steepest = std::max(steepest, std::abs(jacobian[i][k]));
                    }
                  }
                  if (steepest < 1e3) {  // else an edge lies between
                    ++smooth;
                    worst = std::max(worst, std::abs(std::abs(determinant(jacobian)) - 1));
                  }
                }
                std::printf("%-10s | |det| - 1 | %.1e in %d of 200\n", metric.name, worst, smooth);
                EXPECT_LT(worst, 1e-6) << metric.name;
                EXPECT_GT(smooth, 190) << metric.name;
              });
  }
}

/// The momentum that is drawn has the covariance that the kinetic energy says: M, of the smooth
/// coordinates alone.
TEST(Trajectory, MetricOfSmoothCoordinates) {
  constexpr int n = Coupled::dim;
  for (const MetricCase& metric : every_metric(n)) {
    with_dhmc(Coupled{}, some_dhmc(VisitOrder::coin), metric.metric, [&](const auto& transition) {
      double root[n][n] = {}, inverse[n][n] = {};  // p = root z, drift = inverse p
      for (int k = 0; k < n; ++k) {
        double z[n] = {}, p[n] = {}, unit[n] = {}, q[n] = {};
        z[k] = unit[k] = 1;
        transition.kinetic.momentum(Solo{}, z, p);
        transition.kinetic.drift(Solo{}, q, 1.0, unit);
        for (int j = 0; j < n; ++j) {
          root[j][k] = p[j];
          inverse[j][k] = q[j];
        }
      }
      for (const int i : {1, 3}) {
        for (const int j : {1, 3}) {
          double product = 0;  // (M^-1 E[p p'])_ij
          for (const int a : {1, 3}) {
            for (int k = 0; k < n; ++k) {
              product += inverse[i][a] * root[a][k] * root[j][k];
            }
          }
          EXPECT_NEAR(product, i == j, 1e-12) << metric.name;
        }
        // As the whole metric has it, and nothing for the others.
        if (metric.metric.kind == Metric::dense) {
          for (const int j : {1, 3}) {
            EXPECT_DOUBLE_EQ(inverse[i][j],
                             metric.metric.inverse_mass[static_cast<std::size_t>(i * n + j)]);
          }
        }
        EXPECT_EQ(inverse[i][0], 0);
        EXPECT_EQ(inverse[0][i], 0);
      }
    });
  }
}

/// The same of a low-rank metric: D (I + U (Lambda - I) U') D, rows and columns left out.
TEST(SmoothMetric, LowRankIsTheMatrixRestricted) {
  constexpr int dim = 7, rank = 2;
  const PreparedMetric whole = some_low_rank_metric(dim);
  const auto matrix = [&](const PreparedMetric& m) {
    const double* lambda = m.inverse_mass.data() + dim;
    Matrix a(dim, std::vector<double>(dim));
    for (int i = 0; i < dim; ++i) {
      for (int j = 0; j < dim; ++j) {
        double sum = i == j;
        for (int k = 0; k < rank; ++k) {
          sum += lambda[rank + k * dim + i] * (lambda[k] - 1) * lambda[rank + k * dim + j];
        }
        a[static_cast<std::size_t>(i)][static_cast<std::size_t>(j)] =
            std::sqrt(m.inverse_mass[static_cast<std::size_t>(i)]) * sum *
            std::sqrt(m.inverse_mass[static_cast<std::size_t>(j)]);
      }
    }
    return a;
  };
  const Matrix all = matrix(whole);
  for (const std::vector<int>& out :
       {std::vector<int>{0}, {2, 5}, {0, 1, 3, 4, 6}, {1, 2, 3, 4, 5, 6}}) {
    const PreparedMetric smooth = smooth_metric(whole, dim, out);
    const Matrix some = matrix(smooth);
    const double* u = smooth.inverse_mass.data() + dim + rank;
    for (std::size_t i = 0; i < dim; ++i) {
      for (std::size_t j = 0; j < dim; ++j) {
        const bool left_out = std::count(out.begin(), out.end(), static_cast<int>(i)) ||
                              std::count(out.begin(), out.end(), static_cast<int>(j));
        EXPECT_NEAR(some[i][j], left_out ? 0 : all[i][j], 1e-12);
      }
    }
    for (int a = 0; a < rank; ++a) {
      for (int b = 0; b < rank; ++b) {
        double product = 0;
        for (int j = 0; j < dim; ++j) {
          product += u[a * dim + j] * u[b * dim + j];
        }
        // Orthonormal, or nothing left of it.
        if (a != b || product > 0.5) {
          EXPECT_NEAR(product, a == b, 1e-12);
        } else {
          EXPECT_NEAR(product, 0, 1e-12);
        }
      }
    }
  }
}

// ---- orders
// ------------------------------------------------------------------

Sites<double, 8> some_sites(VisitOrder order) {
  Sites<double, 8> sites{};
  for (const int j : {1, 2, 4, 5, 7}) {
    sites.at[sites.count++] = static_cast<std::uint16_t>(j);
  }
  sites.order = order;
  sites.seed = 6;
  return sites;
}

TEST(Orders, ReadTheSameBackwards) {
  std::uint16_t to[16];
  for (const VisitOrder order : {VisitOrder::coin, VisitOrder::permutation}) {
    const auto sites = some_sites(order);
    for (std::uint32_t t = 0; t < 20; ++t) {
      for (const int steps : {1, 2, 5, 8}) {
        std::vector<std::uint16_t> all, mixed;
        int when[8];
        sites.arrivals(t, steps, when);
        for (int i = 0; i < steps; ++i) {
          const int n = sites.retracing(t, i, steps, to);
          EXPECT_EQ(n, 2 * i == steps - 1 ? 10 : 5);
          EXPECT_EQ(std::set<std::uint16_t>(to, to + n).size(), 5u);
          all.insert(all.end(), to, to + n);
          const int arrived = sites.arriving(t, when, i, steps, to);
          mixed.insert(mixed.end(), to, to + arrived);
        }
        EXPECT_TRUE(std::equal(all.begin(), all.end(), all.rbegin()));
        EXPECT_TRUE(std::equal(mixed.begin(), mixed.end(), mixed.rbegin()));
        EXPECT_EQ(mixed.size(), 10u);
        for (const int j : {1, 2, 4, 5, 7}) {
          EXPECT_EQ(std::count(mixed.begin(), mixed.end(), j), 2);
        }
      }
    }
  }
}

/// All 120 orders are as likely, in each step; steps and transitions differ.
TEST(Orders, PermutationsAreUniform) {
  const auto sites = some_sites(VisitOrder::permutation);
  for (const int step : {0, 3}) {
    std::vector<double> count(8 * 8 * 8 * 8 * 8 / 8);
    constexpr int draws = 60000;
    std::uint16_t to[8];
    for (std::uint32_t t = 0; t < draws; ++t) {
      sites.in_order(t, step, to);
      ++count[static_cast<std::size_t>(((to[0] * 8 + to[1]) * 8 + to[2]) * 8 + to[3])];
    }
    double chi_square = 0;
    int orders = 0;
    for (const double c : count) {
      if (c > 0) {
        ++orders;
        chi_square += (c - draws / 120.0) * (c - draws / 120.0) / (draws / 120.0);
      }
    }
    EXPECT_EQ(orders, 120);
    EXPECT_LT((chi_square - 119) / std::sqrt(2 * 119.0), 4);
  }
  int different = 0;
  std::uint16_t a[8], b[8];
  for (std::uint32_t t = 0; t < 100; ++t) {
    sites.in_order(t, 0, a);
    sites.in_order(t, 1, b);
    different += !std::equal(a, a + 5, b);
  }
  EXPECT_GT(different, 90);
}

TEST(Orders, HaveRandomNumbersForEveryStep) {
  Sampler sampler = some_dhmc(VisitOrder::permutation);
  sampler.leapfrog = 1 << 23;
  EXPECT_THROW(with_dhmc(MixedGrid{}, sampler, unit_metric(3), [](const auto&) {}), UsageError);
}

}  // namespace
}  // namespace lockstep
