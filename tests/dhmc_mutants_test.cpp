// Would the tests of discontinuous HMC notice? Each erratum of the published algorithms that breaks
// the law, and each other known way to lose exactness, must fail the check that is there to catch
// it. The true algorithm passes all checks, with the same seeds.
//
// A mutant is the algorithm as documents print it, with momenta p_j, masses m_j and steps eps, one
// of its lines changed. Unchanged it draws what the kernel draws.

#include <cstdio>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/dhmc_laws.hpp"

namespace lockstep {
namespace {

using testing::Coupled;
using testing::CoupledLaw;
using testing::GridLaw;
using testing::Occupation;
using testing::unit_metric;

// ---- the algorithm as printed, and its mutants
// -----------------------------------------------------------------------------

enum class Orders { coin, permutation, fixed };

struct Variant {
  std::string name;
  // p_j ~ Laplace(m_j^scale), q_j += eps m_j^velocity sign(p_j), p_j -= sign(p_j) m_j^factor dU
  double scale = 1, velocity = -1, factor = 1;
  bool sign = true;
  Orders orders = Orders::coin;
  bool jitter = true;
  /// At the trajectory's end U is evaluated, instead of what visits have made of it.
  bool recomputes = true;
  /// Mixed HMC: what visits do to U is weighed against their budgets, and not again at the end.
  bool mixed = false, once = true;
};

/// Discontinuous or Mixed HMC with the unit metric for the smooth coordinates.
template <int N>
struct Printed {
  Variant variant;
  Trajectory trajectory;
  std::vector<double> masses;  // [dim]
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
    sites.order = v.orders == Orders::permutation ? VisitOrder::permutation : VisitOrder::coin;
    for (int j = 0; j < dimension(target); ++j) {
      masses.push_back(s.step_size / (s.hop * scale[static_cast<std::size_t>(j)]));
      if (target.discontinuous(j)) {
        sites.at[sites.count++] = static_cast<std::uint16_t>(j);
      }
    }
  }

  bool smooth(int j) const {
    for (int i = 0; i < sites.count; ++i) {
      if (sites.at[i] == j) {
        return false;
      }
    }
    return true;
  }

  template <class L>
  L mass(int j, double power) const {
    return L(static_cast<Scalar<L>>(std::pow(masses[static_cast<std::size_t>(j)], power)));
  }

  template <class L>
  Sum<L> kinetic_energy(const L* p, bool discontinuous) const {
    Sum<L> k;
    for (int j = 0; j < N; ++j) {
      if (smooth(j)) {
        k += L(0.5) * p[j] * p[j];
      } else if (discontinuous) {
        k += abs(p[j]) * mass<L>(j, -1);
      }
    }
    return k;
  }

  /// One visit; what it does to U is added to `gained`.
  template <class Target, class L>
  void visit(const Target& target, const L& eps, int j, const L& to, L* q, L* p,
             Cache<Target, L>& cache, Sum<L>& gained) const {
    (void)eps;
    const L rise = delta(target, j, q, to, cache);
    const Mask<L> moves = abs(p[j]) * mass<L>(j, -1) > rise;
    const L sign = select(p[j] < L(0), L(-1), L(1));
    const L paid = select(moves, mass<L>(j, variant.factor) * rise, L(0));
    p[j] = select(moves, p[j] - (variant.sign ? sign * paid : paid),
                  variant.mixed ? p[j] : -p[j]);
    gained += select(moves, rise, L(0));
    commit(target, j, q, to, moves, cache);
  }

  /// A trajectory. @param back  its orders and arrivals are those of one that goes back
  template <class Target, class L, class Stream>
  void go(const Target& target, const Stream& stream, std::uint32_t transition, bool back,
          Position<L, N>& x, L* p, Sum<L>& gained) const {
    const L eps = L(static_cast<Scalar<L>>(trajectory.step_size_at(transition)));
    const L half = L(0.5) * eps;
    const int steps = trajectory.steps_at(transition);
    std::uint16_t order[N];
    int when[N];
    sites.arrivals(transition, steps, when);
    std::uint32_t word = 0;
    Proposals<L> proposals(stream, transition, 0);
    for (int i = 0; i < steps; ++i) {
      for (int j = 0; j < N; ++j) {
        if (smooth(j)) {
          p[j] = p[j] - half * x.gradient[j];
          x.q[j] = x.q[j] + half * p[j];
        }
      }
      const int step = back ? steps - 1 - i : i;
      int count = sites.count;
      if (variant.mixed) {
        count = sites.arriving(transition, when, step, order);
      } else {
        sites.in_order(transition, step, order);
      }
      if (variant.orders == Orders::fixed) {
        std::copy_n(sites.at, count, order);
      } else if (back) {
        std::reverse(order, order + count);
      }
      Cache<Target, L> cache;
      prepare(target, static_cast<const L*>(x.q), cache);
      for (int k = 0; k < count; ++k, ++word) {
        const int j = order[k];
        L along = eps * mass<L>(j, variant.velocity);
        if (variant.mixed) {
          along = along * L(static_cast<Scalar<L>>(std::sqrt(12.0))) * (proposals.next() - L(0.5));
        } else {
          along = select(p[j] < L(0), -along, along);
        }
        visit(target, eps, j, x.q[j] + along, x.q, p, cache, gained);
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

  template <class Target, class L, class Stream>
  Info<L> operator()(const Target& target, const Solo&, const Stream& stream,
                     std::uint32_t transition, Position<L, N>& x, L* p, const L&, L*) const {
    L z[(N + 3) / 4 * 4];
    L u = uniform(words(stream, transition, Purpose::transition, 0)[0]);
    if (sites.count < N) {
      u = normals_and_uniform<N, false>(Solo{}, N, stream, transition, z);
    }
    std::copy_n(z, N, p);
    Words<L> block;
    for (int i = 0; i < sites.count; ++i) {
      if (i % 4 == 0) {
        block = words(stream, transition, Purpose::momentum, static_cast<std::uint32_t>(i / 4));
      }
      const int j = sites.at[i];
      p[j] = mass<L>(j, variant.scale) * laplace(block[i % 4]);
    }
    const Sum<L> before = x.potential + kinetic_energy(p, variant.once);
    Position<L, N> y = x;
    Sum<L> gained;
    go(target, stream, transition, false, y, p, gained);
    const Sum<L> end = variant.recomputes ? y.potential : x.potential + gained;
    const Info<L> info = Metropolis{}(before, end + kinetic_energy(p, variant.once), L(0), u);
    for (int j = 0; j < N; ++j) {
      x.q[j] = select(info.accepted, y.q[j], x.q[j]);
      x.gradient[j] = select(info.accepted, y.gradient[j], x.gradient[j]);
    }
    x.potential = select(info.accepted, y.potential, x.potential);
    return info;
  }
};

}  // namespace
}  // namespace lockstep
