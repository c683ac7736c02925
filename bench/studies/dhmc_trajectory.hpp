#pragma once

/// A trajectory of discontinuous HMC, visit by visit, in double: what the kernels do in a
/// transition, written down.

#include <cstdint>
#include <vector>

#include "kernels/autodiff/gradient.hpp"
#include "kernels/transitions/dhmc.hpp"

namespace lockstep::bench {

/// Where a chain is after a visit, or after a drift of the smooth coordinates.
struct TrajectoryPoint {
  int coordinate = -1;        // that was visited; -1: the smooth ones moved
  bool moved = true;          // else its momentum turned around,
  double tried = 0;           // at the place that it tried
  std::vector<double> q;      // [dim], unconstrained
  double potential, kinetic;  // U and K = p' M^-1 p / 2 + sum |r_j|
};

struct TrajectoryPlan {
  std::vector<double> start;  // q, [dim]
  double step = 1, hop = 1;
  int steps = 20;
  std::uint64_t seed = 1;  // of the momenta
};

/// One chain with unit metric and scales; sites are visited in the order of a coin, with smooth
/// coordinates between them retraced in the second half.
template <class Target>
std::vector<TrajectoryPoint> record_trajectory(const Target& target, const TrajectoryPlan& plan,
                                               std::uint64_t chain) {
  constexpr int n = capacity<Target>;
  using Kinetic = DiagonalMetric<double, n, false>;
  const int d = dimension(target);
  Discontinuous<Kinetic, double, n> parts{};
  parts.sites.seed = plan.seed;
  for (int j = 0; j < d; ++j) {
    const bool jumps = target.discontinuous(j);
    if (jumps) {
      parts.sites.at[parts.sites.count++] = static_cast<std::uint16_t>(j);
    }
    parts.kinetic.inverse_mass.at[j] = jumps ? 0 : 1;
    parts.kinetic.scale.at[j] = 1;
  }
  parts.kinetic.dim = d;

  const auto stream = Stream<double>::of(plan.seed, chain);
  constexpr std::uint32_t transition = 0;
  double p[whole_quads<n, Solo>], tally[n] = {};
  parts.smooth_momentum(Solo{}, d, stream, transition, p);
  parts.laplace_momentum(stream, transition, p);
  Position<double, n> y{};
  for (int j = 0; j < d; ++j) {
    y.q[j] = plan.start[static_cast<std::size_t>(j)];
  }
  y.potential = potential_and_gradient(target, static_cast<const double*>(y.q), y.gradient);
  parts.flatten(y.gradient);

  std::vector<TrajectoryPoint> points;
  const auto add = [&](int coordinate, bool moved, double tried) {
    points.push_back({coordinate, moved, tried, std::vector<double>(y.q, y.q + d),
                      potential(target, static_cast<const double*>(y.q)).value(),
                      parts.energy(Solo{}, d, p).value()});
  };
  add(-1, true, 0);
  std::uint16_t order[2 * n];
  const auto middle = [&](int i) {
    int visits = parts.sites.count;
    double hop = plan.hop;
    if (parts.has_smooth(d)) {
      add(-1, true, 0);
      visits = parts.sites.retracing(transition, i, plan.steps, order);
      hop *= 2 * i == plan.steps - 1 ? 0.5 : 1;
    } else {
      parts.sites.in_order(transition, i, order);
    }
    Cache<Target, double> cache;
    prepare(target, static_cast<const double*>(y.q), cache);
    for (int k = 0; k < visits; ++k) {
      const int j = order[k];
      const double from = y.q[j], to = from + (p[j] < 0 ? -hop : hop);
      visit<true>(target, j, to, y.q, p, tally, 1.0, cache);
      add(j, y.q[j] != from, to);
    }
  };
  if (parts.has_smooth(d)) {
    leapfrog_around(
        target, parts.kinetic, Solo{}, plan.step, plan.steps, y, p,
        [&](double* g) { parts.flatten(g); }, middle);
    add(-1, true, 0);
  } else {
    for (int i = 0; i < plan.steps; ++i) {
      middle(i);
    }
  }
  return points;
}

}  // namespace lockstep::bench
