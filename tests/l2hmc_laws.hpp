#pragma once

/// What a transition does to chains that start in the target's law, and what must be true of it
/// afterwards if it is exact. Statistics are in standard errors.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "host/exact_draws.hpp"
#include "tests/l2hmc_legs.hpp"

namespace lockstep::testing {

/// Chains of Bent<N> before and after some transitions, as the independent uniforms that its law
/// makes of them.
struct Journey {
  int dim;
  std::vector<double> before, after;             // [chains][dim]
  std::vector<double> acceptance, log_ratio;     // [chains], of the first transition
  double accepted = 0, divergent = 0, both = 0;  // fractions of all transitions

  std::size_t chains() const { return acceptance.size(); }
};

/// Moves exact draws by `transitions`.
/// @tparam L  the lane, of double
template <class L, int N, class Transition>
Journey journey(const Transition& transition, std::int64_t chains, int transitions,
                std::uint64_t seed) {
  const Bent<N> target;
  exact::Random bits(seed);
  Journey j{N, {}, {}, {}, {}};
  for (std::int64_t c = 0; c < chains * N; ++c) {
    j.before.push_back((static_cast<double>(bits() >> 11) + 0.5) * 0x1p-53);
  }
  std::vector<double> q(static_cast<std::size_t>(N * width<L>)), one(N);
  std::int64_t counts[3] = {0, 0, 0};
  for (std::int64_t c = 0; c < chains; c += width<L>) {
    const auto first = j.before.begin() + c * N;
    for (int k = 0; k < width<L>; ++k) {
      one = Bent<N>::from_uniform({first + k * N, first + (k + 1) * N});
      for (int i = 0; i < N; ++i) {
        q[static_cast<std::size_t>(i * width<L> + k)] = one[static_cast<std::size_t>(i)];
      }
    }
    Position<L, N> x;
    L unused[N];
    for (int i = 0; i < N; ++i) {
      x.q[i] = load_lane<L>(q.data() + i * width<L>);
    }
    x.potential = potential_and_gradient(target, Solo{}, x.q, x.gradient);
    const auto stream = Stream<L>::of(seed, static_cast<std::uint64_t>(c));
    for (int t = 0; t < transitions; ++t) {
      const Info<L> info =
          transition(target, Solo{}, stream, static_cast<std::uint32_t>(t), x, unused);
      const auto take = [](const L& value, auto use) {
        double values[static_cast<std::size_t>(width<L>)];
        store_lane(values, value);
        std::for_each(values, values + width<L>, use);
      };
      if (t == 0) {
        take(info.acceptance, [&](double a) { j.acceptance.push_back(a); });
        take(info.energy_error, [&](double e) { j.log_ratio.push_back(-e); });
      }
      const L yes = L(1), no = L(0);
      const auto count = [&](const Mask<L>& which, int i) {
        take(select(which, yes, no), [&](double one_or_zero) { counts[i] += one_or_zero > 0; });
      };
      count(info.accepted, 0);
      count(info.divergent, 1);
      count(info.accepted && info.divergent, 2);
    }
    for (int i = 0; i < N; ++i) {
      store_lane(q.data() + i * width<L>, x.q[i]);
    }
    for (int k = 0; k < width<L>; ++k) {
      for (int i = 0; i < N; ++i) {
        one[static_cast<std::size_t>(i)] = q[static_cast<std::size_t>(i * width<L> + k)];
      }
      const std::vector<double> u = Bent<N>::to_uniform(one);
      j.after.insert(j.after.end(), u.begin(), u.end());
    }
  }
  const auto all = static_cast<double>(chains * transitions);
  j.accepted = static_cast<double>(counts[0]) / all;
  j.divergent = static_cast<double>(counts[1]) / all;
  j.both = static_cast<double>(counts[2]) / all;
  return j;
}

/// |sum| of independent terms of expectation zero, in standard errors.
class Deviation {
 public:
  void operator+=(double term) {
    sum_ += term;
    squares_ += term * term;
  }
  double value() const { return squares_ > 0 ? std::abs(sum_) / std::sqrt(squares_) : 0; }

 private:
  double sum_ = 0, squares_ = 0;
};

/// E[min(1, e^r)] = 2 P(r > 0) for every measure-preserving involution, r its log ratio: the law
/// weighs the proposals that gain against those that lose by just that ratio.
inline double acceptance_error(const Journey& j) {
  Deviation d;
  for (std::size_t c = 0; c < j.chains(); ++c) {
    d += j.acceptance[c] - (j.log_ratio[c] > 0 ? 2 : 0);
  }
  return d.value();
}

/// The worst moment of the chains' ends: of every coordinate and its square, of both tails, and of
/// pairs.
inline double worst_moment(const Journey& j) {
  const auto n = static_cast<std::size_t>(j.dim);
  double worst = 0;
  const auto check = [&](double expected, auto of) {
    Deviation d;
    for (std::size_t c = 0; c < j.chains(); ++c) {
      d += of(j.after.data() + c * n) - expected;
    }
    worst = d.value() <= worst ? worst : d.value();
  };
  for (std::size_t a = 0; a < n; ++a) {
    check(1.0 / 2, [&](const double* u) { return u[a]; });
    check(1.0 / 3, [&](const double* u) { return u[a] * u[a]; });
    check(-1, [&](const double* u) { return std::log(u[a]); });
    check(-1, [&](const double* u) { return std::log1p(-u[a]); });
    for (std::size_t b = 0; b < a; ++b) {
      check(1.0 / 4, [&](const double* u) { return u[a] * u[b]; });
    }
  }
  return worst;
}

/// Detailed balance: between any two cells as many chains go one way as the other. Returns the
/// worst pair's difference.
inline double worst_flux(const Journey& j) {
  constexpr int cells = 6;
  const auto cell = [&](const double* u) {
    const double first = u[0], last = j.dim == 1 ? u[0] : u[j.dim - 1];
    const int third = first < 0.25 ? 0 : first < 0.65 ? 1 : 2;
    const int half = j.dim == 1 ? (last < (third == 0   ? 0.1
                                           : third == 1 ? 0.45
                                                        : 0.85)
                                       ? 0
                                       : 1)
                                : (last < 0.4 ? 0 : 1);
    return 2 * third + half;
  };
  double moves[cells][cells] = {};
  for (std::size_t c = 0; c < j.chains(); ++c) {
    const std::size_t at = c * static_cast<std::size_t>(j.dim);
    moves[cell(j.before.data() + at)][cell(j.after.data() + at)] += 1;
  }
  double worst = 0;
  for (int a = 0; a < cells; ++a) {
    for (int b = 0; b < a; ++b) {
      const double total = moves[a][b] + moves[b][a];
      if (total >= 50) {  // enough for a normal law
        worst = std::max(worst, std::abs(moves[a][b] - moves[b][a]) / std::sqrt(total));
      }
    }
  }
  return worst;
}

}  // namespace lockstep::testing
