/// Targets with discontinuous coordinates: their differences, caches, conditional laws and lanes
/// against their potentials, and their potentials against the laws that they claim.

#include "tests/discontinuous_targets.hpp"

#include <cmath>
#include <limits>
#include <map>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "kernels/integrators/check_delta.hpp"

namespace lockstep {
namespace {

using testing_targets::for_each_discontinuous_target;

constexpr double kEps = std::numeric_limits<float>::epsilon();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// On (0, 1].
class Uniform {
 public:
  explicit Uniform(unsigned seed) : bits_(seed) {}
  double operator()() { return static_cast<double>((bits_() >> 11) + 1) * 0x1p-53; }
  std::mt19937_64& bits() { return bits_; }

 private:
  std::mt19937_64 bits_;
};

template <class Target>
std::vector<double> start(const Target& target, Uniform& uniform) {
  std::vector<double> u(static_cast<std::size_t>(dimension(target))), q(u.size());
  for (double& x : u) {
    x = uniform();
  }
  target.start(u.data(), q.data());
  return q;
}

template <class Target>
std::vector<int> sites(const Target& target) {
  std::vector<int> list;
  for (int j = 0; j < dimension(target); ++j) {
    if (target.discontinuous(j)) {
      list.push_back(j);
    }
  }
  return list;
}

/// A target without its delta: what everybody gets who writes none.
template <class Target>
struct WithoutDelta {
  static constexpr int dim = Target::dim;
  Target target;

  bool discontinuous(int j) const { return target.discontinuous(j); }
  template <class T>
  auto potential(const T* q) const {
    return target.potential(q);
  }
  void start(const double* u, double* q) const { target.start(u, q); }
};

TEST(DiscontinuousTargets, DerivativesAndDifferencesAreThoseOfThePotential) {
  for_each_discontinuous_target([](const std::string& name, const auto& target, double) {
    GradientOptions options;
    options.points = 200;
    const GradientReport report = check_target(target, options);
    EXPECT_TRUE(report.passed()) << name << '\n' << report.summary();
    ASSERT_GE(report.checks.size(), 4u);
    EXPECT_EQ(report.checks[report.checks.size() - 2].what, "delta");
    EXPECT_EQ(report.checks.back().what, "delta and back");

    const GradientReport plain =
        check_target(WithoutDelta<std::decay_t<decltype(target)>>{target}, options);
    EXPECT_TRUE(plain.passed()) << name << '\n' << plain.summary();
  });
}

/// Whatever has been visited, the cache knows what one filled here and now would.
TEST(DiscontinuousTargets, CachesDoNotDependOnThePast) {
  for_each_discontinuous_target([](const std::string& name, const auto& target, double) {
    using Target = std::decay_t<decltype(target)>;
    Uniform uniform(5);
    const auto list = sites(target);
    std::vector<double> q = start(target, uniform);
    Cache<Target, double> kept;
    prepare(target, static_cast<const double*>(q.data()), kept);
    for (int move = 0; move < 500; ++move) {
      const int j = list[uniform.bits()() % list.size()];
      const double to =
          start(target, uniform)[static_cast<std::size_t>(j)] + 0.2 * (uniform() - 0.5);
      const double rise = delta(target, j, q.data(), to, kept);
      commit(target, j, q.data(), to, std::isfinite(rise) && uniform() < 0.5, kept);

      Cache<Target, double> fresh;
      prepare(target, static_cast<const double*>(q.data()), fresh);
      for (const int k : list) {
        const double there = start(target, uniform)[static_cast<std::size_t>(k)];
        const double a = delta(target, k, q.data(), there, kept);
        const double b = delta(target, k, q.data(), there, fresh);
        ASSERT_NEAR(a, b, 1e-12 * std::max(1.0, std::abs(b))) << name << " after " << move;
      }
    }
  });
}

/// What chains of this lane say, chain by chain, beside one chain in double at the same place.
/// @param slack  of U, where cells have other widths in float
template <class L, class Target>
void expect_lane_agrees(const std::string& name, const Target& target, double slack) {
  using S = Scalar<L>;
  constexpr int w = width<L>;
  constexpr auto room = static_cast<std::size_t>(capacity<Target>);
  Uniform uniform(17);
  const int d = dimension(target);
  for (int round = 0; round < 60; ++round) {
    std::vector<std::vector<double>> at;
    std::vector<double> to(w), shares(w);
    const auto list = sites(target);
    const int j = list[static_cast<std::size_t>(round) % list.size()];
    std::vector<L> q(room), g(room), x(room);
    std::vector<S> buffer(room * w), target_to(w), u(w);
    for (int k = 0; k < w; ++k) {
      at.push_back(start(target, uniform));
      for (int i = 0; i < d; ++i) {
        double& x_i = at.back()[static_cast<std::size_t>(i)];
        x_i = static_cast<S>(x_i);  // every lane starts from the same numbers
        buffer[static_cast<std::size_t>(i * w + k)] = static_cast<S>(x_i);
      }
      to[k] = static_cast<S>(start(target, uniform)[static_cast<std::size_t>(j)]);
      target_to[k] = static_cast<S>(to[k]);
      shares[k] = u[k] = static_cast<S>(uniform());
    }
    for (int i = 0; i < d; ++i) {
      q[i] = load_lane<L>(&buffer[static_cast<std::size_t>(i * w)]);
    }
    const auto spread_out = [](const L& lane) {
      std::vector<S> values(w);
      store_lane(values.data(), lane);
      return values;
    };
    const auto here = spread_out(potential(target, static_cast<const L*>(q.data())).value());
    potential_and_gradient(target, static_cast<const L*>(q.data()), g.data());
    Cache<Target, L> cache;
    prepare(target, static_cast<const L*>(q.data()), cache);
    const auto rise = spread_out(delta(target, j, q.data(), load_lane<L>(target_to.data()), cache));
    for (int k = 0; k < w; ++k) {
      const double* q_k = at[static_cast<std::size_t>(k)].data();
      std::vector<double> copy = at[static_cast<std::size_t>(k)], slope(room);
      const double expected = potential(target, q_k).value();
      ASSERT_NEAR(here[k], expected, 40 * kEps * std::max(1.0, std::abs(expected)) + slack)
          << name << " width " << w;
      potential_and_gradient(target, q_k, slope.data());
      for (int i = 0; i < d; ++i) {
        if (!target.discontinuous(i)) {
          const double g_i = slope[static_cast<std::size_t>(i)];
          ASSERT_NEAR(spread_out(g[i])[k], g_i, 100 * kEps * (1 + std::abs(g_i)) + 10 * slack)
              << name;
        }
      }
      Cache<Target, double> alone;
      prepare(target, q_k, alone);
      const double one = delta(target, j, copy.data(), to[k], alone);
      ASSERT_NEAR(rise[k], one,
                  40 * kEps * std::max({1.0, std::abs(expected), std::abs(one)}) + slack)
          << name << " width " << w;
    }
    if constexpr (HasConstrain<Target, L>) {
      target.constrain(static_cast<const L*>(q.data()), x.data());
      for (int k = 0; k < w; ++k) {
        std::vector<double> reported(room);
        target.constrain(static_cast<const double*>(at[static_cast<std::size_t>(k)].data()),
                         reported.data());
        for (const int i : list) {
          ASSERT_EQ(spread_out(x[i])[k], reported[static_cast<std::size_t>(i)]) << name;
        }
      }
    }
  }
}

TEST(DiscontinuousTargets, LanesAgree) {
  for_each_discontinuous_target([](const std::string& name, const auto& target, double slack) {
    expect_lane_agrees<float>(name, target, slack);
    expect_lane_agrees<FloatBatch>(name, target, slack);
    expect_lane_agrees<Twin<FloatBatch>>(name, target, slack);
    expect_lane_agrees<DoubleBatch>(name, target, 0);
    expect_lane_agrees<Twin<DoubleBatch>>(name, target, 0);
  });
}

// ---- laws
// ----------------------------------------------------------------------------------------------

/// Points of one coordinate, and what each counts.
struct Grid {
  std::vector<double> at, weight;
};
/// The midpoints of n equal pieces: for what is smooth and falls off before the ends, exact.
Grid even(double low, double high, int n) {
  Grid g;
  for (int i = 0; i < n; ++i) {
    g.at.push_back(low + (high - low) * (i + 0.5) / n);
    g.weight.push_back((high - low) / n);
  }
  return g;
}
template <class Cells>
Grid middles(const Cells& cells) {
  Grid g;
  for (int n = cells.low; n <= cells.high; ++n) {
    g.at.push_back(cells.middle(n));
    g.weight.push_back(cells.edge(n + 1.0) - cells.edge(1.0 * n));
  }
  return g;
}

/// The law of a target, summed over the product of the grids.
struct Summed {
  std::vector<double> mean, sd;                 // reported
  std::map<std::vector<int>, double> integers;  // probabilities of the discontinuous coordinates
};
template <class Target>
Summed sum_over(const Target& target, const std::vector<Grid>& grids) {
  const std::size_t d = grids.size();
  std::vector<double> q(d), x(d);
  const auto for_points = [&](auto f) {
    std::vector<std::size_t> i(d);
    for (std::size_t j = 0; j < d;) {
      double volume = 1;
      for (std::size_t k = 0; k < d; ++k) {
        q[k] = grids[k].at[i[k]];
        volume *= grids[k].weight[i[k]];
      }
      f(volume, potential(target, static_cast<const double*>(q.data())).value());
      for (j = 0; j < d && ++i[j] == grids[j].at.size(); ++j) {
        i[j] = 0;
      }
    }
  };
  double least = kInfinity, total = 0;
  for_points([&](double, double u) { least = std::min(least, u); });
  Summed sum;
  sum.mean.resize(d);
  sum.sd.resize(d);
  const auto list = sites(target);
  std::vector<int> integers(list.size());
  for_points([&](double volume, double u) {
    const double w = volume * std::exp(least - u);
    x = q;
    if constexpr (HasConstrain<Target, double>) {
      target.constrain(static_cast<const double*>(q.data()), x.data());
    }
    total += w;
    for (std::size_t j = 0; j < d; ++j) {
      sum.mean[j] += w * x[j];
      sum.sd[j] += w * x[j] * x[j];
    }
    for (std::size_t k = 0; k < list.size(); ++k) {
      integers[k] = static_cast<int>(std::floor(x[static_cast<std::size_t>(list[k])]));
    }
    sum.integers[integers] += w;
  });
  for (std::size_t j = 0; j < d; ++j) {
    sum.mean[j] /= total;
    sum.sd[j] = std::sqrt(sum.sd[j] / total - sum.mean[j] * sum.mean[j]);
  }
  for (auto& [n, p] : sum.integers) {
    p /= total;
  }
  return sum;
}

/// The law, once its moments are known to be those of the target's truth.
template <class Target>
Summed expect_truth(const Target& target, const std::vector<Grid>& grids, double tolerance) {
  const Summed sum = sum_over(target, grids);
  const Truth truth = target.truth();
  for (std::size_t j = 0; j < grids.size(); ++j) {
    EXPECT_NEAR(sum.mean[j], truth.mean[j], tolerance * (1 + std::abs(truth.mean[j]))) << j;
    EXPECT_NEAR(sum.sd[j], truth.sd[j], tolerance * (1 + truth.sd[j])) << j;
  }
  return sum;
}

TEST(DiscontinuousLaws, IntegerGrid) {
  const IntegerGrid target;
  const Summed sum = expect_truth(target, {middles(target.cells), middles(target.cells)}, 1e-13);
  for (const auto& [n, p] : sum.integers) {
    EXPECT_NEAR(p, IntegerGrid::probability(n[0], n[1]), 1e-14);
  }
}

TEST(DiscontinuousLaws, MixedGrid) {
  const MixedGrid target;
  const Grid n = middles(target.cells);
  const Summed sum = expect_truth(target, {n, n, even(-15, 15, 600)}, 1e-12);
  for (const auto& [mn, p] : sum.integers) {
    EXPECT_NEAR(p, MixedGrid::probability(mn[0], mn[1]), 1e-13);
  }
  // Given m and n, what is called standardised is standard normal.
  for (const double y : {-1.0, 0.0, 2.0}) {
    const double at[] = {2.5, 1.5, y}, mode[] = {2.5, 1.5, MixedGrid::mean(2, 1)};
    const double z = MixedGrid::standardised(2, 1, y);
    EXPECT_NEAR(target.potential(at) - target.potential(mode), 0.5 * z * z, 1e-13);
  }
}

TEST(DiscontinuousLaws, BinomialN) {
  const BinomialN target;
  // All 20000 would be many; that the others follow the same formula is the formula's own.
  const LogCells cells{BinomialN::successes, 1500};
  const Summed sum = sum_over(target, {even(-8, 18, 800), middles(cells)});
  const std::vector<double> law = BinomialN::law();
  double kept = 0, mean_p = 0;
  for (int k = cells.low; k <= cells.high; ++k) {
    const double w = law[static_cast<std::size_t>(k)];
    kept += w;
    mean_p += w * 102 / (k + 4);  // of Beta(102, k - 98)
  }
  EXPECT_NEAR(sum.mean[0], mean_p / kept, 1e-12);
  ASSERT_EQ(sum.integers.size(), 1401u);
  for (const auto& [k, p] : sum.integers) {
    EXPECT_NEAR(p * kept, law[static_cast<std::size_t>(k[0])], 1e-14) << k[0];
  }
  // One integer further is outside.
  const double p = 0.3;
  for (const int outside : {BinomialN::successes - 1, BinomialN::most + 1}) {
    const double q[] = {p, std::log(outside + 0.5)};
    EXPECT_EQ(target.potential(q).value(), kInfinity);
  }
  check_cells<float>("binomial-n", LogCells{BinomialN::successes, BinomialN::most});
}

TEST(DiscontinuousLaws, Sign) {
  const Summed sum = expect_truth(Sign{}, {even(-10, 10, 200000)}, 1e-8);
  EXPECT_NEAR(sum.mean[0], 0.6077, 5e-5);
  double above = 0;
  for (const auto& [n, p] : sum.integers) {
    above += n[0] >= 0 ? p : 0;
  }
  EXPECT_NEAR(above, 1 / (1 + std::exp(-2.0)), 1e-8);
}

TEST(DiscontinuousLaws, ChangePoint) {
  const ChangePoint target;
  const Grid rates = even(-5, 3, 160);
  const Summed sum = expect_truth(target, {rates, rates, middles(UnitCells{1, 111})}, 1e-10);
  const std::vector<double> law = target.law();
  double total = 0;
  for (const auto& [k, p] : sum.integers) {
    EXPECT_NEAR(p, law[static_cast<std::size_t>(k[0])], 1e-12) << k[0];
    total += p;
  }
  EXPECT_NEAR(total, 1, 1e-11);
  // The data do have a change near year 40, and they are the same everywhere.
  EXPECT_NEAR(sum.mean[2], 40, 5);
  double counts = 0;
  for (const double y : ChangePoint::made_up_counts()) {
    counts += y;
  }
  EXPECT_EQ(ChangePoint::made_up_counts().size(), 112u);
  EXPECT_EQ(counts, 192);
}

TEST(DiscontinuousLaws, MixtureIndicator) {
  const MixtureIndicator target;
  const Summed sum = expect_truth(target, {even(-8, 10, 900), middles(target.categories)}, 1e-12);
  EXPECT_NEAR(sum.mean[0], 1.3, 1e-12);
  EXPECT_NEAR(sum.sd[0] * sum.sd[0], 4.36, 1e-12);
  for (const auto& [k, p] : sum.integers) {
    EXPECT_NEAR(p, MixtureIndicator::probability(k[0]), 1e-13);
  }
}

// ---- proposals
// ------------------------------------------------------------------------------------------

/// Evenly spaced uniforms, put through `conditional`, come out as exp(-U) says, and evenly in their
/// cells; on every lane the same integers.
TEST(DiscontinuousTargets, ConditionalsAreWhatThePotentialSays) {
  for_each_discontinuous_target([](const std::string& name, const auto& target, double) {
    using Target = std::decay_t<decltype(target)>;
    if constexpr (HasConditional<Target, double>) {
      Uniform uniform(3);
      constexpr int points = 20000;
      for (int round = 0; round < 5; ++round) {
        const std::vector<double> q = start(target, uniform);
        for (const int j : sites(target)) {
          const auto k = static_cast<std::size_t>(j);
          std::map<double, double> share, weight;  // by integer
          double total = 0, offset = 0;
          for (int i = 0; i < points; ++i) {
            std::vector<double> to = q, reported = q;
            to[k] = target.conditional(j, static_cast<const double*>(q.data()), (i + 0.5) / points);
            target.constrain(static_cast<const double*>(to.data()), reported.data());
            const double n = reported[k];
            share[n] += 1.0 / points;
            if (!weight.count(n)) {
              weight[n] = std::exp(potential(target, q.data()).value() -
                                   potential(target, to.data()).value());
              total += weight[n];
            }
            offset += (to[k] - n) / points;  // conditionals so far are on cells of width 1
          }
          for (const auto& [n, s] : share) {
            EXPECT_NEAR(s, weight[n] / total, 1.5 / points + 1e-9) << name << ": " << n;
          }
          EXPECT_NEAR(offset, 0.5, 0.001) << name;
        }
      }
      // Lanes: the integers of one chain alone.
      using L = FloatBatch;
      std::vector<float> u(width<L>);
      const std::vector<double> q = start(target, uniform);
      std::vector<L> lanes(q.size());
      std::vector<float> alone(q.begin(), q.end());
      for (std::size_t j = 0; j < q.size(); ++j) {
        lanes[j] = L(alone[j]);
      }
      for (const int j : sites(target)) {
        for (float& x : u) {
          x = static_cast<float>(uniform());
        }
        std::vector<float> drawn(width<L>);
        store_lane(drawn.data(), target.conditional(j, static_cast<const L*>(lanes.data()),
                                                    load_lane<L>(u.data())));
        for (int c = 0; c < width<L>; ++c) {
          const float one = target.conditional(j, static_cast<const float*>(alone.data()), u[c]);
          EXPECT_NEAR(drawn[c], one, 1e-3) << name;
        }
      }
    }
  });
}

/// From every integer to every other as often as back, and never to the same.
TEST(DiscontinuousTargets, ExchangesAreSymmetric) {
  for_each_discontinuous_target([](const std::string& name, const auto& target, double) {
    using Target = std::decay_t<decltype(target)>;
    if constexpr (HasExchange<Target, double>) {
      Uniform uniform(4);
      const std::vector<double> q = start(target, uniform);
      for (const int j : sites(target)) {
        std::map<std::pair<double, double>, int> count;
        for (int n = 0; n < 4; ++n) {
          for (int i = 0; i < 300; ++i) {
            const double to = target.exchange(j, n + 0.3, (i + 0.5) / 300);
            EXPECT_NEAR(to - std::floor(to), 0.3, 1e-12) << name;
            ++count[{n, std::floor(to)}];
          }
        }
        for (const auto& [pair, times] : count) {
          EXPECT_NE(pair.first, pair.second) << name;
          EXPECT_EQ(times, (count[{pair.second, pair.first}])) << name;
          EXPECT_EQ(times, 100) << name;
        }
      }
    }
  });
}

TEST(DiscontinuousTargets, StartsAreInTheSupport) {
  for_each_discontinuous_target([](const std::string& name, const auto& target, double) {
    Uniform uniform(9);
    const auto n = static_cast<std::size_t>(dimension(target));
    std::vector<double> q(n), reported(n);
    for (int i = 0; i < 200; ++i) {
      // The ends of the uniforms too.
      std::vector<double> u(n, i == 0 ? 1 : 0x1p-53);
      for (double& x : u) {
        x = i < 2 ? x : uniform();
      }
      target.start(u.data(), q.data());
      EXPECT_TRUE(std::isfinite(potential(target, static_cast<const double*>(q.data())).value()))
          << name;
    }
    EXPECT_EQ(target.names().size(), n) << name;
  });
}

TEST(DiscontinuousTargets, ChangePointRefusesWhatAreNoCounts) {
  EXPECT_THROW(ChangePoint({3}), UsageError);
  EXPECT_THROW(ChangePoint({3, -1}), UsageError);
  EXPECT_THROW(ChangePoint({3, 1.5}), UsageError);
  EXPECT_THROW(ChangePoint({3, std::nan("")}), UsageError);
  EXPECT_THROW(ChangePoint(std::vector<double>(201, 1.0)), UsageError);
}

// ---- the check itself
// -----------------------------------------------------------------------------------

/// Two unit cells of unequal mass, and ways to get them wrong.
struct Two {
  static constexpr int dim = 1;
  double factor = 1, shift = 0;
  bool forgets = false, leaks = false;

  bool discontinuous(int) const { return true; }
  template <class T>
  T potential(const T* q) const {
    const T n = floor(q[0]);
    return select(T(0) <= n && n <= T(1), T(0.7) * n, T(kInfinity));
  }
  template <class T>
  struct Cache {
    T n;
  };
  template <class T>
  void prepare(const T* q, Cache<T>& cache) const {
    cache.n = floor(q[0]);
  }
  template <class T>
  T delta(int, const T*, const T& to, Cache<T>& cache) const {
    const T n = floor(to);
    const T rise = T(0.7 * factor) * (n - cache.n) + T(shift);
    return leaks ? rise : select(T(0) <= n && n <= T(1), rise, T(kInfinity));
  }
  template <class T>
  void commit(int, const T*, const T& to, const Mask<T>& moves, Cache<T>& cache) const {
    cache.n = forgets ? cache.n : select(moves, floor(to), cache.n);
  }
  void start(const double* u, double* q) const { q[0] = u[0] < 0.5 ? 0.5 : 1.5; }
};

TEST(CheckDelta, NoticesEachMistake) {
  const auto failed = [](const Two& target) {
    std::string names;
    for (const DerivativeCheck& c : check_delta(target)) {
      names += c.passed() ? "" : c.what + ";";
    }
    return names;
  };
  EXPECT_EQ(failed(Two{}), "");
  EXPECT_EQ(failed(Two{.factor = 1 + 1e-10}), "delta;");
  EXPECT_EQ(failed(Two{.shift = 1e-10}), "delta;delta and back;");
  EXPECT_EQ(failed(Two{.forgets = true}), "delta;delta and back;");
  EXPECT_EQ(failed(Two{.leaks = true}), "delta;");
  EXPECT_EQ(failed(Two{.factor = std::nan("")}), "delta;");
}

}  // namespace
}  // namespace lockstep
