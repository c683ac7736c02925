/// Transitions of DHMC, Mixed HMC and Gibbs: what they accept, tally and leave behind, what holes
/// in the density do to them, and the same bits for any number of chains, threads and lanes.

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

#include "kernels/launch/lane_target.hpp"
#include "tests/dhmc_laws.hpp"

namespace lockstep {
namespace {

using testing::Bare;
using testing::Coupled;
using testing::CoupledLaw;
using testing::every_metric;
using testing::Exact;
using testing::GridLaw;
using testing::MetricCase;
using testing::MixedLaw;
using testing::position_at;
using testing::some_dense_metric;
using testing::some_dhmc;
using testing::some_diagonal_metric;
using testing::unit_metric;

// ---- transitions
// ------------------------------------------------------------------

TEST(Transition, AcceptsEverythingWithoutSmoothCoordinates) {
  for (const double hop : {0.9, 4.0}) {  // the second mostly beyond the support
    for (const VisitOrder order : {VisitOrder::coin, VisitOrder::permutation}) {
      Sampler sampler = some_dhmc(order, 5);
      sampler.hop = hop;
      testing::with_transition<double>(
          IntegerGrid{}, sampler, unit_metric(2), 7, [&](const auto& kernel) {
            double worst = 0;
            for (std::uint64_t chain = 0; chain < 100; ++chain) {
              Exact exact(chain);
              double q[2], p[2], tally[2] = {};
              GridLaw::draw(exact, q);
              auto x = position_at(IntegerGrid{}, q);
              for (std::uint32_t t = 0; t < 50; ++t) {
                const auto info = kernel(IntegerGrid{}, Solo{}, Stream<double>::of(7, chain), t, x,
                                         p, 1.0, tally);
                worst = std::max(worst, std::abs(info.energy_error));
                EXPECT_TRUE(info.accepted);
                EXPECT_FALSE(info.divergent);
                EXPECT_TRUE(std::min(x.q[0], x.q[1]) >= 0 && std::max(x.q[0], x.q[1]) < 6);
              }
            }
            EXPECT_LT(worst, 1e-13);
          });
    }
  }
}

class Deviation {
 public:
  void operator+=(double term) {
    sum_ += term;
    squares_ += term * term;
  }
  double value() const { return std::abs(sum_) / std::sqrt(squares_); }

 private:
  double sum_ = 0, squares_ = 0;
};

/// The tally is the probability to move.
TEST(Transition, TalliesTheChanceToMove) {
  const Sampler laplace = Dhmc{.step_size = 1,
                               .hop = 0.9,
                               .leapfrog = 1,
                               .length_jitter = LengthJitter::none,
                               .hop_scale = {0.8, 1.7}};
  Sampler gibbs = laplace;
  gibbs.method = Method::gibbs;
  for (const Sampler& sampler : {laplace, gibbs}) {
    testing::with_transition<double>(
        Bare<IntegerGrid>{}, sampler, unit_metric(2), 8, [&](const auto& kernel) {
          Deviation moves[2];
          double rate = 0;
          constexpr std::uint64_t chains = 200000;
          Exact exact(9);
          for (std::uint64_t chain = 0; chain < chains; ++chain) {
            double q[2], p[2], tally[2] = {};
            GridLaw::draw(exact, q);
            auto x = position_at(Bare<IntegerGrid>{}, q);
            kernel(Bare<IntegerGrid>{}, Solo{}, Stream<double>::of(8, chain), 0, x, p, 1.0, tally);
            for (int j = 0; j < 2; ++j) {
              moves[j] += (x.q[j] != q[j]) - tally[j];
              rate += tally[j] / (2 * chains);
            }
          }
          std::printf("%s: no-flip %.3f, moves less tally %.1f and %.1f standard errors\n",
                      sampler.method == Method::gibbs ? "Metropolis" : "DHMC", rate,
                      moves[0].value(), moves[1].value());
          EXPECT_LT(moves[0].value(), 4);
          EXPECT_LT(moves[1].value(), 4);
        });
  }
}

/// In the law r is Laplace before and after, one r_j independent of another.
TEST(Transition, MomentumStaysLaplace) {
  const Bare<IntegerGrid> target;
  testing::with_transition<double>(
      target, some_dhmc(VisitOrder::permutation, 5), unit_metric(2), 8, [&](const auto& kernel) {
        if constexpr (requires(Position<double, 2> y, double* p) {
                        kernel.travel(target, Solo{}, Stream<double>::of(8, 0), 0u, 1.0, y, p, p);
                      }) {
          for (const bool after : {false, true}) {
            Deviation mean, square, sign, together;
            Exact exact(9);
            for (std::uint64_t chain = 0; chain < 200000; ++chain) {
              double q[2], r[2], tally[2] = {};
              GridLaw::draw(exact, q);
              auto x = position_at(target, q);
              const auto stream = Stream<double>::of(8, chain);
              kernel.laplace_momentum(stream, 0, r);
              if (after) {
                kernel.travel(target, Solo{}, stream, 0u, 1.0, x, r, tally);
              }
              const double size = std::abs(r[0]);
              mean += size - 1;
              square += size * size - 2;
              sign += r[0];
              together += (std::abs(r[0]) - 1) * (std::abs(r[1]) - 1);
            }
            for (const Deviation& d : {mean, square, sign, together}) {
              EXPECT_LT(d.value(), 4) << after;
            }
          }
        }
      });
}

/// Of visits there and back in the centre, and of Mixed HMC's two, each counts half.
TEST(Transition, TallyCountsOneVisitAStep) {
  for (Sampler sampler : {some_dhmc(VisitOrder::coin, 1), some_dhmc(VisitOrder::permutation, 4),
                          some_dhmc(VisitOrder::coin, 5)}) {
    sampler.hop = 1e-9;  // never out of its cell: every visit moves
    for (const Method method : {Method::dhmc, Method::mixed_hmc, Method::gibbs}) {
      sampler.method = method;
      testing::with_transition<double>(
          Bare<MixedGrid>{}, sampler, unit_metric(3), 8, [&](const auto& kernel) {
            const double q[3] = {1.5, 2.5, 0};
            double p[3], tally[3] = {};
            auto x = position_at(Bare<MixedGrid>{}, q);
            kernel(Bare<MixedGrid>{}, Solo{}, Stream<double>::of(8, 0), 0, x, p, 1.0, tally);
            const double visits = method == Method::dhmc ? sampler.leapfrog : 1;
            EXPECT_DOUBLE_EQ(tally[0], visits);
            EXPECT_DOUBLE_EQ(tally[1], visits);
            EXPECT_EQ(tally[2], 0);
          });
    }
  }
}

/// All leave U and the gradient of where they end behind, and report the energy of there: less U,
/// it is the kinetic energy, of which the law is known.
TEST(Transition, LeavesWhatIsKnownThere) {
  for (const Method method : {Method::dhmc, Method::mixed_hmc, Method::gibbs}) {
    Sampler sampler = some_dhmc(VisitOrder::coin, 3);
    sampler.method = method;
    sampler.step_size = 1.1;  // some are rejected
    const PreparedMetric metric = some_dense_metric(4);
    testing::with_transition<double>(Coupled{}, sampler, metric, 9, [&](const auto& kernel) {
      int rejected = 0;
      Deviation mean, variance;
      Exact exact(9);
      for (std::uint64_t chain = 0; chain < 20000; ++chain) {
        double q[4], p[4], tally[4] = {};
        CoupledLaw::draw(exact, q);
        auto x = position_at(Coupled{}, q);
        Info<double> info;
        for (std::uint32_t t = 0; t < 2; ++t) {
          info = kernel(Coupled{}, Solo{}, Stream<double>::of(9, chain), t, x, p, 1.0, tally);
          const auto fresh = position_at(Coupled{}, x.q);
          EXPECT_EQ(x.potential.value(), fresh.potential.value());
          EXPECT_EQ(x.gradient[1], fresh.gradient[1]);
          EXPECT_EQ(x.gradient[3], fresh.gradient[3]);
          rejected += !info.accepted;
        }
        // Two normal momenta and two of Laplace's: mean 1 + 2, variance 1 + 2.
        const double kinetic = info.energy - x.potential.value();
        EXPECT_GE(kinetic, 0);
        mean += kinetic - 3;
        variance += (kinetic - 3) * (kinetic - 3) - 3;
      }
      EXPECT_GT(rejected, 5000);
      EXPECT_LT(mean.value(), 4) << static_cast<int>(method);
      EXPECT_LT(variance.value(), 4) << static_cast<int>(method);
    });
  }
}

/// A chain's factor multiplies its step size and its hop.
TEST(Transition, ScalesEachChainsSteps) {
  constexpr double factor = 0.5;  // halving is exact
  for (const Method method : {Method::dhmc, Method::mixed_hmc, Method::gibbs}) {
    Sampler sampler = some_dhmc(VisitOrder::permutation, 3);
    sampler.method = method;
    Sampler scaled = sampler;
    scaled.step_size *= factor;
    scaled.hop *= factor;
    std::vector<double> ends[2];
    for (const int which : {0, 1}) {
      testing::with_transition<double>(MixedGrid{}, which == 0 ? sampler : scaled, unit_metric(3),
                                       9, [&](const auto& kernel) {
                                         const double q[3] = {1.5, 2.5, 0.3};
                                         double p[3], tally[3] = {};
                                         auto x = position_at(MixedGrid{}, q);
                                         for (std::uint32_t t = 0; t < 20; ++t) {
                                           kernel(MixedGrid{}, Solo{}, Stream<double>::of(9, 1), t,
                                                  x, p, which == 0 ? factor : 1.0, tally);
                                           ends[which].insert(ends[which].end(), x.q, x.q + 3);
                                         }
                                       });
    }
    EXPECT_EQ(ends[0], ends[1]);
  }
}

/// U is no number for y > 1, and for m = 2.
struct Holes {
  static constexpr int dim = 2;  // m, y
  bool discontinuous(int j) const { return j == 0; }
  template <class T>
  T potential(const T* q) const {
    const T m = floor(q[0]);
    const T bad =
        select(T(1) < q[1] || m == T(2), T(std::numeric_limits<Scalar<T>>::quiet_NaN()), T(0));
    return fma(T(0.5) * q[1], q[1], T(0.5) * abs(m)) + bad;
  }
};

TEST(Transition, HolesAreNeverEnteredAndCount) {
  for (const Method method : {Method::dhmc, Method::mixed_hmc, Method::gibbs}) {
    Sampler sampler = some_dhmc(VisitOrder::coin, 4);
    sampler.method = method;
    sampler.hop = 1;
    for (const MetricCase& metric : every_metric(2)) {
      testing::with_transition<double>(
          Holes{}, sampler, metric.metric, 10, [&](const auto& kernel) {
            int divergent = 0, moves = 0;
            double tally[2] = {};
            for (std::uint64_t chain = 0; chain < 50; ++chain) {
              const double q[2] = {0.5, 0};
              double p[2];
              auto x = position_at(Holes{}, q);
              for (std::uint32_t t = 0; t < 30; ++t) {
                const double before = x.q[0];
                const auto info =
                    kernel(Holes{}, Solo{}, Stream<double>::of(10, chain), t, x, p, 1.0, tally);
                ASSERT_TRUE(std::isfinite(x.potential.value()));
                ASSERT_TRUE(std::isfinite(x.gradient[1]));
                ASSERT_TRUE(std::isfinite(info.energy));
                ASSERT_LE(x.q[1], 1);
                ASSERT_NE(std::floor(x.q[0]), 2);
                ASSERT_TRUE(std::isfinite(info.acceptance));
                EXPECT_FALSE(info.accepted && info.divergent);
                divergent += info.divergent;
                moves += x.q[0] != before;
              }
            }
            EXPECT_GT(divergent, 20);
            EXPECT_GT(moves, 100);
            EXPECT_TRUE(std::isfinite(tally[0]));
          });
    }
  }
}

/// A chain that starts where there is no density stays, and every transition is divergent.
TEST(Transition, LostChains) {
  testing::with_transition<double>(
      MixedGrid{}, some_dhmc(VisitOrder::coin), unit_metric(3), 10, [&](const auto& kernel) {
        const double q[3] = {-0.2, 1.5, 0.1};
        double p[3], tally[3] = {};
        auto x = position_at(MixedGrid{}, q);
        for (std::uint32_t t = 0; t < 20; ++t) {
          const auto info =
              kernel(MixedGrid{}, Solo{}, Stream<double>::of(10, 0), t, x, p, 1.0, tally);
          EXPECT_TRUE(info.divergent);
          EXPECT_FALSE(info.accepted);
          EXPECT_EQ(x.q[0], q[0]);
        }
        EXPECT_TRUE(std::isfinite(tally[0]));
      });
}

// ---- the same bits
// ------------------------------------------------------------------

/// Positions of 64 chains after 20 transitions on lane L.
template <class L, class Law, class Target>
std::vector<double> on_lanes(const Target& target, const Sampler& sampler) {
  using S = Scalar<L>;
  constexpr int n = Target::dim, w = width<L>;
  std::vector<double> ends(64 * n);
  testing::with_transition<S>(
      target, sampler, some_diagonal_metric(n), 11, [&](const auto& kernel) {
        for (int c = 0; c < 64; c += w) {
          Position<L, n> x;
          L p[n], tally[n];
          S lane[n * w];
          for (int k = 0; k < w; ++k) {
            Exact exact(static_cast<std::uint64_t>(c + k));
            double q[n];
            Law::draw(exact, q);
            for (int j = 0; j < n; ++j) {
              lane[j * w + k] = static_cast<S>(static_cast<float>(q[j]));
            }
          }
          for (int j = 0; j < n; ++j) {
            x.q[j] = load_lane<L>(lane + j * w);
            tally[j] = L(0);
          }
          x.potential = potential_and_gradient(target, Solo{}, x.q, x.gradient);
          const auto stream = Stream<L>::of(11, static_cast<std::uint64_t>(c));
          for (std::uint32_t t = 0; t < 20; ++t) {
            kernel(target, Solo{}, stream, t, x, p, L(1), tally);
          }
          for (int j = 0; j < n; ++j) {
            store_lane(lane, x.q[j]);
            for (int k = 0; k < w; ++k) {
              ends[static_cast<std::size_t>(j * 64 + c + k)] = static_cast<double>(lane[k]);
            }
          }
        }
      });
  return ends;
}

/// The same through the engine, which knows the target by virtual functions only.
template <class S, class Law, class Target>
std::vector<double> on_engine(const Target& target, const Sampler& sampler, std::int64_t chains,
                              int threads, int length) {
  constexpr int n = Target::dim;
  SampleOptions options;
  options.chains = chains;
  options.threads = threads;
  options.seed = 11;
  const auto engine = make_cpu_discontinuous_engine<S>(block_target<S>(target), options);
  engine->configure(sampler, some_diagonal_metric(n));
  std::vector<double> q(static_cast<std::size_t>(n * chains)), first;
  for (std::int64_t c = 0; c < chains; ++c) {
    Exact exact(static_cast<std::uint64_t>(c));
    double at[n];
    Law::draw(exact, at);
    for (int j = 0; j < n; ++j) {
      q[static_cast<std::size_t>(j * chains + c)] = static_cast<float>(at[j]);
    }
  }
  engine->place(q);
  for (int done = 0; done < 20; done += length) {
    Launch launch{static_cast<std::uint32_t>(done), std::min(length, 20 - done)};
    launch.step_size = sampler.step_size;
    launch.hop = sampler.hop;
    engine->advance(launch);
  }
  engine->positions(q);
  for (int j = 0; j < n; ++j) {
    first.insert(first.end(), q.begin() + j * chains,
                 q.begin() + j * chains + std::min<std::int64_t>(chains, 64));
  }
  return first;
}

template <class Law, class Target>
void same_bits(const Target& target) {
  for (const Method method : {Method::dhmc, Method::mixed_hmc, Method::gibbs}) {
    for (const VisitOrder order : {VisitOrder::coin, VisitOrder::permutation}) {
      SCOPED_TRACE(static_cast<int>(method));
      Sampler sampler = some_dhmc(order, 3);
      sampler.method = method;
      sampler.hop = 0.9;
      const std::vector<double> one = on_lanes<float, Law>(target, sampler);
      EXPECT_EQ(one, (on_lanes<FloatBatch, Law>(target, sampler)));
      EXPECT_EQ(one, (on_lanes<Twin<FloatBatch>, Law>(target, sampler)));
      EXPECT_EQ(one, (on_engine<float, Law>(target, sampler, 64, 1, 20)));
      EXPECT_EQ(one, (on_engine<float, Law>(target, sampler, 1000, 2, 1)));
      EXPECT_EQ(one, (on_engine<float, Law>(target, sampler, 4096, 2, 7)));
      const std::vector<double> alone = on_engine<float, Law>(target, sampler, 1, 1, 20);
      for (std::size_t j = 0; j < Target::dim; ++j) {
        EXPECT_EQ(alone[j], one[64 * j]);
      }
      const std::vector<double> fine = on_lanes<double, Law>(target, sampler);
      EXPECT_EQ(fine, (on_engine<double, Law>(target, sampler, 64, 1, 20)));
      EXPECT_NE(fine, one);
    }
  }
}

TEST(SameBits, OnEveryLaneAndHoweverManyChains) {
  same_bits<GridLaw>(Bare<IntegerGrid>{});
  same_bits<MixedLaw>(Bare<MixedGrid>{});
}

}  // namespace
}  // namespace lockstep
