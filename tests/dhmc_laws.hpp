#pragma once

/// Laws with discontinuous coordinates that can be summed, and how often chains are where.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

#include "kernels/launch/advance.hpp"
#include "kernels/launch/dhmc.hpp"
#include "kernels/targets/integer_grid.hpp"
#include "kernels/targets/mixed_grid.hpp"
#include "tests/phase_space.hpp"

namespace lockstep::testing {

/// A place in [0, 1), normals, and one of a law's cells: exact draws to start from.
class Exact {
 public:
  explicit Exact(std::uint64_t seed) : bits_(seed) {}
  double uniform() { return static_cast<double>(bits_() >> 11) * 0x1p-53; }
  double normal() { return normal_(bits_); }
  double gamma(double shape) { return std::gamma_distribution<double>(shape)(bits_); }
  template <class Law>
  int cell() {
    double left = uniform();
    int k = 0;
    while (k < Law::cells - 1 && (left -= Law::probability(k)) >= 0) {
      ++k;
    }
    return k;
  }

 private:
  std::mt19937_64 bits_;
  std::normal_distribution<double> normal_;
};

/// The integer grid's 36 pairs.
struct GridLaw {
  static constexpr int cells = 36;
  template <class L>
  static L cell(const L* q) {
    return fma(L(6), floor(q[0]), floor(q[1]));
  }
  static double probability(int cell) {
    static const std::vector<double> table = [] {
      std::vector<double> p;
      for (int k = 0; k < cells; ++k) {
        p.push_back(IntegerGrid::probability(k / 6, k % 6));
      }
      return p;
    }();
    return table[static_cast<std::size_t>(cell)];
  }
  static void draw(Exact& exact, double* q) {
    const int k = exact.cell<GridLaw>();
    q[0] = k / 6 + exact.uniform();
    q[1] = k % 6 + exact.uniform();
  }
};

/// The mixed grid's 16 pairs, each with the two halves of the real number's law.
struct MixedLaw {
  static constexpr int cells = 32;
  template <class L>
  static L cell(const L* q) {
    const L m = floor(q[0]), n = floor(q[1]);
    return fma(L(8), m, fma(L(2), n, select(m - n < q[2], L(1), L(0))));
  }
  static double probability(int cell) {
    static const std::vector<double> table = [] {
      std::vector<double> p;
      for (int k = 0; k < cells; ++k) {
        p.push_back(0.5 * MixedGrid::probability(k / 8, k / 2 % 4));
      }
      return p;
    }();
    return table[static_cast<std::size_t>(cell)];
  }
  static void draw(Exact& exact, double* q) {
    const int k = exact.cell<MixedLaw>(), m = k / 8, n = k / 2 % 4;
    q[0] = m + exact.uniform();
    q[1] = n + exact.uniform();
    q[2] = MixedGrid::mean(m, n) + MixedGrid::sd(m, n) * exact.normal();
  }
};

/// Two integers on 0..2 and two real numbers, so intertwined that neither half can be right alone:
///
///   q = (m, x, n, y),   U = v^2 / 2 + w^2 / 2 + |m + n - 2| / 2 - m n / 5,
///   v = 1.5 (x - 1.2 (m - 1)),   w = y - 1.2 (n - 1) + v / 2
///
/// with discontinuous coordinates first and in the middle. v and w are independent standard normals
/// given (m, n), so that the pair's weight is the sum's last two terms and each sign a fair coin.
struct Coupled {
  static constexpr int dim = 4;
  static constexpr UnitCells cells{0, 2};

  LOCKSTEP_HD bool discontinuous(int j) const { return j % 2 == 0; }

  template <class T>
  Sum<T> potential(const T* q) const {
    const T m = cells.index(q[0]), n = cells.index(q[2]), v = first(q), w = second(q);
    const T u = fma(T(0.5) * v, v,
                    fma(T(0.5) * w, w, fma(T(0.5), abs(m + n - T(2)), constant<T>(-0.2) * m * n)));
    return select(cells.contains(m) && cells.contains(n), u,
                  T(std::numeric_limits<Scalar<T>>::infinity()));
  }
  template <class T>
  Sum<T> potential_and_gradient(const T* q, T* gradient) const {
    const T v = first(q), w = second(q);
    gradient[0] = gradient[2] = T(0);
    gradient[1] = T(1.5) * fma(T(0.5), w, v);
    gradient[3] = w;
    return potential(q);
  }
  static double weight(int m, int n) { return std::exp(0.2 * m * n - 0.5 * std::abs(m + n - 2)); }

  template <class T>
  static T first(const T* q) {
    return T(1.5) * (q[1] - constant<T>(1.2) * (cells.index(q[0]) - T(1)));
  }
  template <class T>
  static T second(const T* q) {
    return fma(T(0.5), first(q), q[3] - constant<T>(1.2) * (cells.index(q[2]) - T(1)));
  }
};

/// Its pairs and signs.
struct CoupledLaw {
  static constexpr int cells = 36;
  template <class L>
  static L cell(const L* q) {
    const L pair = fma(L(3), floor(q[0]), floor(q[2]));
    const auto positive = [](const L& x) { return select(L(0) < x, L(1), L(0)); };
    return fma(L(4), pair, fma(L(2), positive(Coupled::first(q)), positive(Coupled::second(q))));
  }
  static double probability(int cell) {
    double total = 0;
    for (int k = 0; k < 9; ++k) {
      total += Coupled::weight(k / 3, k % 3);
    }
    return Coupled::weight(cell / 12, cell / 4 % 3) / (4 * total);
  }
  static void draw(Exact& exact, double* q) {
    const int k = exact.cell<CoupledLaw>(), m = k / 12, n = k / 4 % 3;
    q[0] = m + exact.uniform();
    q[2] = n + exact.uniform();
    const double v = exact.normal();
    q[1] = v / 1.5 + 1.2 * (m - 1);
    q[3] = exact.normal() - 0.5 * v + 1.2 * (n - 1);
  }
};

/// A target of which nothing is known but U: differences of two of it, proposals along coordinates.
template <class Target>
struct Bare {
  static constexpr int dim = Target::dim;
  Target target = {};

  LOCKSTEP_HD bool discontinuous(int j) const { return target.discontinuous(j); }
  template <class T>
  Sum<T> potential(const T* q) const {
    return target.potential(q);
  }
};

/// What is known at q, [dim].
template <class Target>
Position<double, Target::dim> position_at(const Target& target, const double* q) {
  Position<double, Target::dim> x;
  std::copy_n(q, Target::dim, x.q);
  x.potential = potential_and_gradient(target, Solo{}, x.q, x.gradient);
  return x;
}

inline PreparedMetric unit_metric(int dim) {
  const std::vector<double> ones(static_cast<std::size_t>(dim), 1.0);
  return {Metric::unit, ones, ones};
}

struct MetricCase {
  const char* name;
  PreparedMetric metric;
};
inline std::vector<MetricCase> every_metric(int dim) {
  return {{"unit", unit_metric(dim)},
          {"diagonal", some_diagonal_metric(dim)},
          {"dense", some_dense_metric(dim)},
          {"low rank", some_low_rank_metric(dim)}};
}

/// Trajectories of a few careful steps.
inline Sampler some_dhmc(VisitOrder order, int leapfrog = 4) {
  return Dhmc{.step_size = 0.3,
              .hop = 0.4,
              .step_jitter = 0.2,
              .leapfrog = leapfrog,
              .length_jitter = LengthJitter::none,
              .order = order};
}

/// f(transition) with the transition that engines run for `sampler`, its step size and hop as
/// given.
template <class S, class Target, class F>
auto with_transition(const Target& target, const Sampler& sampler, const PreparedMetric& metric,
                     std::uint64_t seed, F f) {
  constexpr int n = capacity<Target>;
  EngineDescription about;
  about.dim = dimension(target);
  about.names = numbered_names("q", about.dim);
  about.discontinuous = discontinuous_coordinates(target);
  const DiscontinuousSettings<S> settings(sampler, metric, about, n);
  Launch launch;
  launch.step_size = sampler.step_size;
  launch.hop = sampler.hop;
  const auto call = [&](const auto& transition) {
    if constexpr (tallies<std::decay_t<decltype(transition)>>) {
      f(transition);
    }
  };
  settings.template with_transition<n, exact_dimension<Target>>(
      settings.arrays([](const std::vector<S>& array) { return array.data(); }), about.dim,
      trajectory_of(sampler, seed, launch), call);
}

/// What chains did.
struct Occupation {
  std::vector<double> frequency;          // of each cell
  std::vector<double> last;               // [cells], chains that were there at the end
  double last_mean = 0, last_square = 0;  // of q[0] at the end, over chains
  double acceptance = 0;
  double divergent = 0;
  std::vector<double> tally;  // [dim], per chain and transition
};

/// Runs chains that start in the law, and counts where they are after each transition.
template <class L, class Law, class Target, class Transition>
[[gnu::noinline]] Occupation occupy(const Target& target, const Transition& transition,
                                    std::uint64_t seed, std::int64_t chains, int transitions) {
  using S = Scalar<L>;
  constexpr int w = width<L>, n = capacity<Target>;
  const int d = dimension(target);
  Occupation o;
  std::vector<std::int64_t> counts(Law::cells), last(Law::cells);
  o.tally.assign(static_cast<std::size_t>(d), 0);
  Exact exact(seed);
  std::vector<double> start(static_cast<std::size_t>(d));
  std::vector<S> lane(static_cast<std::size_t>(d * w));
  for (std::int64_t c = 0; c < chains; c += w) {
    for (int k = 0; k < w; ++k) {
      Law::draw(exact, start.data());
      for (int j = 0; j < d; ++j) {
        lane[static_cast<std::size_t>(j * w + k)] =
            static_cast<S>(start[static_cast<std::size_t>(j)]);
      }
    }
    Position<L, n> x;
    L p[n], tally[n];
    for (int j = 0; j < d; ++j) {
      x.q[j] = load_lane<L>(lane.data() + j * w);
      tally[j] = L(0);
    }
    x.potential = potential_and_gradient(target, Solo{}, x.q, x.gradient);
    const auto stream = Stream<L>::of(seed, static_cast<std::uint64_t>(c));
    L acceptance = L(0), divergent = L(0);
    S cells[w];
    for (int t = 0; t < transitions; ++t) {
      const Info<L> info =
          transition(target, Solo{}, stream, static_cast<std::uint32_t>(t), x, p, L(1), tally);
      acceptance += info.acceptance;
      divergent += select(info.divergent, L(1), L(0));
      store_lane(cells, Law::cell(static_cast<const L*>(x.q)));
      for (const S cell : cells) {
        ++counts[static_cast<std::size_t>(cell)];
      }
    }
    for (const S cell : cells) {
      ++last[static_cast<std::size_t>(cell)];
    }
    store_lane(cells, x.q[0]);
    for (const S value : cells) {
      o.last_mean += static_cast<double>(value) / static_cast<double>(chains);
      o.last_square += static_cast<double>(value * value) / static_cast<double>(chains);
    }
    const double all = static_cast<double>(chains) * transitions;
    const auto sum = [&](const L& x) {
      S values[w];
      store_lane(values, x);
      double total = 0;
      for (const S value : values) {
        total += static_cast<double>(value);
      }
      return total / all;
    };
    o.acceptance += sum(acceptance);
    o.divergent += sum(divergent);
    for (int j = 0; j < d; ++j) {
      o.tally[static_cast<std::size_t>(j)] += sum(tally[j]);
    }
  }
  for (const std::int64_t count : counts) {
    o.frequency.push_back(static_cast<double>(count) /
                          (static_cast<double>(chains) * static_cast<double>(transitions)));
  }
  o.last.assign(last.begin(), last.end());
  return o;
}

/// Half the sum of |frequency - probability|.
template <class Law>
double total_variation(const Occupation& o) {
  double distance = 0;
  for (int k = 0; k < Law::cells; ++k) {
    distance += 0.5 * std::abs(o.frequency[static_cast<std::size_t>(k)] - Law::probability(k));
  }
  return distance;
}

/// The chi-square statistic of the chains' last cells, which are independent, in standard
/// deviations above its mean (Law::cells - 1 degrees of freedom).
template <class Law>
double chi_square_excess(const Occupation& o) {
  double chains = 0, chi_square = 0;
  for (const double count : o.last) {
    chains += count;
  }
  for (int k = 0; k < Law::cells; ++k) {
    const double expected = chains * Law::probability(k);
    const double miss = o.last[static_cast<std::size_t>(k)] - expected;
    chi_square += miss * miss / expected;
  }
  const double freedom = Law::cells - 1;
  return (chi_square - freedom) / std::sqrt(2 * freedom);
}

}  // namespace lockstep::testing
