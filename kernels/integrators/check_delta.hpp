#pragma once

/// Is what a target says of moves along its discontinuous coordinates the difference of its
/// potentials? Host only.

#include <cmath>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "kernels/autodiff/check_gradient.hpp"
#include "kernels/integrators/delta.hpp"

namespace lockstep {

/// Largest error of a `delta` in double that passes, over the size of the potentials.
inline constexpr double kDeltaTolerance = 1e-12;

/// Walks along the discontinuous coordinates, a few dozen random moves from each of
/// `options.points` points, half of them committed, with one cache all the way. Two checks:
///
///   "delta"           |delta - (U there - U here)| / max(1, |U here|, |U there|), in double;
///                     +infinity where U there is, and nowhere else
///   "delta and back"  |delta + delta of the way back, once there|, which must be 0: the samplers
///                     stay exact with any delta that has this
///
/// @throw UsageError for senseless options; InitialisationError when 100 redraws of a point find no
///        finite potential.
template <class Target>
requires HasDiscontinuities<Target> std::vector<DerivativeCheck> check_delta(
    const Target& target, const GradientOptions& options = {}) {
  namespace gc = gradient_check;
  options.validate();
  constexpr int moves = 25;
  const int d = dimension(target);
  std::mt19937_64 bits(options.seed);
  std::vector<int> sites;
  for (int j = 0; j < d; ++j) {
    if (target.discontinuous(j)) {
      sites.push_back(j);
    }
  }
  DerivativeCheck value, back;
  value.what = "delta";
  value.limit = kDeltaTolerance;
  back.what = "delta and back";

  std::vector<double> q(static_cast<std::size_t>(capacity<Target>)), other;
  const auto u_at = [&] { return potential(target, static_cast<const double*>(q.data())); };
  for (int point = 0; point < options.points && !sites.empty(); ++point) {
    gc::random_point(target, options, bits, q.data());
    Cache<Target, double> cache;
    prepare(target, static_cast<const double*>(q.data()), cache);
    for (int move = 0; move < moves; ++move) {
      const int j = sites[bits() % sites.size()];
      double& at = q[static_cast<std::size_t>(j)];
      const double from = at;
      // To near places and to far ones.
      double to = from + options.spread * gc::uniform(bits);
      if (move % 2 == 1) {
        other = q;
        gc::place_discontinuous(target, bits, other.data());
        to = other[static_cast<std::size_t>(j)] + 0.01 * gc::uniform(bits);
      }
      const std::vector<double> here(q.begin(), q.begin() + d);
      const double rise = delta(target, j, q.data(), to, cache);
      const Sum<double> before = u_at();
      at = to;
      const Sum<double> after = u_at();
      at = from;
      const bool possible = std::isfinite(after.value());
      const double expected =
          possible ? (after - before).value() : std::numeric_limits<double>::infinity();
      const double size = std::max({1.0, std::abs(before.value()), std::abs(after.value())});
      const double error = rise == expected ? 0 : std::abs(rise - expected) / size;
      gc::compare_one(error, j, rise, expected, here, value);

      const bool moved = std::isfinite(rise) && possible && (bits() >> 63) != 0;
      commit(target, j, q.data(), to, moved, cache);
      if (moved) {
        const double reverse = delta(target, j, q.data(), from, cache);
        gc::compare_one(std::abs(rise + reverse), j, reverse, -rise, here, back);
        commit(target, j, q.data(), from, false, cache);
      }
    }
  }
  for (DerivativeCheck* c : {&value, &back}) {
    c->name = gc::coordinate_name(target, c->coordinate);
  }
  return {value, back};
}

/// Everything that can be checked of a target: check_gradient, and check_delta where it has
/// discontinuous coordinates.
template <class Target>
GradientReport check_target(const Target& target, const GradientOptions& options = {}) {
  GradientReport report = check_gradient(target, options);
  if constexpr (HasDiscontinuities<Target>) {
    for (const DerivativeCheck& c : check_delta(target, options)) {
      report.checks.push_back(c);
    }
  }
  return report;
}

}  // namespace lockstep
