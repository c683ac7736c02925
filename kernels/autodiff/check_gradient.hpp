#pragma once

/// Are a target's derivatives those of its potential? Every hand-written one is compared with
/// central differences in double at random points, along the coordinates that have derivatives:
/// where the density jumps, integrators/check_delta.hpp looks. Host only.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <iomanip>
#include <limits>
#include <random>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "kernels/autodiff/gradient.hpp"
#include "lockstep/error.hpp"

namespace lockstep {

struct GradientOptions {
  int points = 20;
  std::uint64_t seed = 1;
  /// Points are uniform on [-spread, spread]^d; discontinuous coordinates where chains start, if
  /// the target says where.
  double spread = 2;
  /// Largest relative error that passes. The differences themselves are good to about 1e-9.
  double tolerance = 1e-6;
  /// First step of the extrapolation, in every coordinate. A target that wiggles on a shorter scale
  /// needs a shorter one.
  double step = 1e-3;

  /// @throw UsageError naming the option that makes no sense.
  void validate() const {
    require(points > 0,
            "check_gradient: points is " + std::to_string(points) + ", but at least one is needed");
    for (const auto& [name, x] : {std::pair{"spread", spread}, std::pair{"tolerance", tolerance},
                                  std::pair{"step", step}}) {
      require(std::isfinite(x) && x > 0, std::string("check_gradient: ") + name + " is " +
                                             std::to_string(x) + ", but must be positive");
    }
  }
};

/// The worst coordinate of one derivative over all points.
struct DerivativeCheck {
  std::string what;        // "gradient", "Hessian-vector product", "kick", ...
  double error = 0;        // |computed - expected| over the size of the derivative there
  double limit = 0;        // largest error that passes
  int coordinate = 0;      // from 0
  std::string name;        // of that coordinate of q
  double computed = 0;     // what the target says
  double expected = 0;     // what the differences say
  std::vector<double> at;  // the point, [dim]

  bool passed() const { return error <= limit; }  // NaN does not pass
  /// How bad: above 1 where it did not pass.
  double excess() const {
    return limit > 0 ? error / limit : passed() ? 0 : std::numeric_limits<double>::infinity();
  }
};

struct GradientReport {
  /// In this order: "gradient"; "Hessian-vector product"; then "potential" (of the function that
  /// returns both), "kick" and "slope" where the target has them.
  std::vector<DerivativeCheck> checks;
  int points = 0;

  /// The check with the largest error, measured by its limit.
  const DerivativeCheck& worst() const {
    std::size_t worst = 0;
    for (std::size_t i = 1; i < checks.size(); ++i) {
      if (!(checks[i].excess() <= checks[worst].excess())) {
        worst = i;
      }
    }
    return checks[worst];
  }
  bool passed() const {
    return std::all_of(checks.begin(), checks.end(),
                       [](const DerivativeCheck& c) { return c.passed(); });
  }

  /// One line per check: what, verdict, worst coordinate, both values.
  std::string summary() const {
    std::ostringstream text;
    for (const DerivativeCheck& c : checks) {
      text << std::left << std::setw(24) << c.what << (c.passed() ? "ok    " : "FAILED")
           << std::setprecision(2) << "  worst relative error " << c.error << " (limit " << c.limit
           << ") at " << c.name << std::setprecision(9) << ": " << c.computed << ", expected "
           << c.expected << '\n';
    }
    return text.str();
  }
};

namespace gradient_check {

/// f'(0) of a vector-valued f, each entry by central differences extrapolated to step 0 (Ridders,
/// Adv. Eng. Software 4 (1982) 75): the tableau entry whose neighbours agree best.
/// @param f  f(h, out) writes n values.
template <class F>
std::vector<double> derivative(F f, int n, double step) {
  constexpr int levels = 12;
  constexpr double shrink = 1.6;
  const auto count = static_cast<std::size_t>(n);
  std::vector<double> forward(count), backward(count), best(count);
  std::vector<double> error(count, std::numeric_limits<double>::infinity());
  std::vector<std::vector<double>> previous, row;  // tableau rows: [order][n]
  double h = step;
  for (int i = 0; i < levels; ++i, h /= shrink) {
    f(h, forward.data());
    f(-h, backward.data());
    row.assign(1, std::vector<double>(count));
    for (std::size_t j = 0; j < count; ++j) {
      row[0][j] = (forward[j] - backward[j]) / (2 * h);
    }
    double factor = shrink * shrink;
    for (std::size_t k = 1; k <= static_cast<std::size_t>(i); ++k, factor *= shrink * shrink) {
      row.emplace_back(count);
      for (std::size_t j = 0; j < count; ++j) {
        row[k][j] = (row[k - 1][j] * factor - previous[k - 1][j]) / (factor - 1);
        const double e =
            std::max(std::abs(row[k][j] - row[k - 1][j]), std::abs(row[k][j] - previous[k - 1][j]));
        if (e <= error[j]) {
          error[j] = e;
          best[j] = row[k][j];
        }
      }
    }
    previous.swap(row);
  }
  return best;
}

/// Folds one comparison into `check`, which keeps the worst: NaN, once there.
inline void compare_one(double error, int coordinate, double computed, double expected,
                        const std::vector<double>& at, DerivativeCheck& check) {
  const bool worse = error > check.error || std::isnan(error) || check.at.empty();
  if (worse && !std::isnan(check.error)) {
    check.error = error;
    check.coordinate = coordinate;
    check.computed = computed;
    check.expected = expected;
    check.at = at;
  }
}

/// The same for a vector. Errors are relative to the entry itself, but not to less than a
/// thousandth of the largest entry, nor than `floor`.
inline void compare(const double* computed, const double* expected, int n, double floor,
                    const std::vector<double>& at, DerivativeCheck& check) {
  double largest = 0;
  for (int j = 0; j < n; ++j) {
    largest = std::max(largest, std::abs(expected[j]));
  }
  for (int j = 0; j < n; ++j) {
    const double scale = std::max({std::abs(expected[j]), 1e-3 * largest, floor});
    compare_one(std::abs(computed[j] - expected[j]) / scale, j, computed[j], expected[j], at,
                check);
  }
}

/// Uniform on [-1, 1], the same on every platform.
inline double uniform(std::mt19937_64& bits) {
  return static_cast<double>(bits() >> 11) * 0x1p-52 - 1;
}

/// Whether the density jumps along q_j.
template <class Target>
bool jumps([[maybe_unused]] const Target& target, [[maybe_unused]] int j) {
  if constexpr (HasDiscontinuities<Target>) {
    return target.discontinuous(j);
  } else {
    return false;
  }
}

/// Somewhere that discontinuous coordinates can be; others are left as they are.
template <class Target>
void place_discontinuous(const Target& target, std::mt19937_64& bits, double* q) {
  if constexpr (HasDiscontinuities<Target> && HasStart<Target>) {
    const auto n = static_cast<std::size_t>(dimension(target));
    std::vector<double> u(n), start(n);
    for (double& x : u) {
      x = static_cast<double>((bits() >> 11) + 1) * 0x1p-53;
    }
    target.start(u.data(), start.data());
    for (std::size_t j = 0; j < n; ++j) {
      q[j] = target.discontinuous(static_cast<int>(j)) ? start[j] : q[j];
    }
  }
}

/// A random point, [dim]. @throw InitialisationError  when 100 have no finite potential
template <class Target>
void random_point(const Target& target, const GradientOptions& options, std::mt19937_64& bits,
                  double* q) {
  for (int tries = 0; tries < 100; ++tries) {
    for (int j = 0; j < dimension(target); ++j) {
      q[j] = options.spread * uniform(bits);
    }
    place_discontinuous(target, bits, q);
    if (std::isfinite(potential(target, static_cast<const double*>(q)).value())) {
      return;
    }
  }
  throw InitialisationError("check_gradient: no finite potential in 100 points of [-" +
                            std::to_string(options.spread) + ", " + std::to_string(options.spread) +
                            "]^d: give a smaller spread");
}

/// What the check calls coordinate j of q.
template <class Target>
std::string coordinate_name([[maybe_unused]] const Target& target, int j) {
  if constexpr (HasNames<Target> && !HasConstrain<Target, double>) {
    return target.names()[static_cast<std::size_t>(j)];
  } else {
    return "q[" + std::to_string(j + 1) + "]";
  }
}

}  // namespace gradient_check

/// Compares, at random points in double precision,
///   * the gradient with differences of the potential,
///   * Hessian-vector products, along random directions, with differences of the gradient,
///   * and whatever else the target offers with these two: the potential returned beside the
///     gradient, `kick`, and `slope`/`kick_term` of separable targets.
/// @param target  any target on double lanes.
/// @throw UsageError for senseless options; InitialisationError when 100 redraws of a point find no
///        finite potential.
template <class Target>
requires TargetOn<Target, double> GradientReport
check_gradient(const Target& target, const GradientOptions& options = {}) {
  namespace gc = gradient_check;
  options.validate();
  const int d = dimension(target);
  const auto n = static_cast<std::size_t>(d);
  constexpr auto room = static_cast<std::size_t>(capacity<Target>);
  std::mt19937_64 bits(options.seed);

  GradientReport report;
  report.points = options.points;
  const auto check_of = [&](const char* what) {
    DerivativeCheck check;
    check.what = what;
    check.limit = options.tolerance;
    return check;
  };
  DerivativeCheck gradient_check = check_of("gradient");
  DerivativeCheck hessian_check = check_of("Hessian-vector product");
  DerivativeCheck value_check = check_of("potential");
  DerivativeCheck kick_check = check_of("kick");
  DerivativeCheck slope_check = check_of("slope");

  std::vector<double> q(room), g(room), moved(room), v(room), product(room), other(room);
  // What stands at a discontinuous coordinate is not used.
  const auto flatten = [&](double* slope) {
    for (int j = 0; j < d; ++j) {
      slope[j] = gc::jumps(target, j) ? 0 : slope[j];
    }
  };
  const auto value = [&](const std::vector<double>& x) {
    return potential(target, x.data()).value();
  };
  for (int point = 0; point < options.points; ++point) {
    gc::random_point(target, options, bits, q.data());
    for (std::size_t j = 0; j < n; ++j) {
      v[j] = gc::uniform(bits);
    }
    flatten(v.data());
    const double u = value(q);
    const double u_both = potential_and_gradient(target, q.data(), g.data()).value();
    flatten(g.data());

    // Differences of U carry its rounding, about eps |U| / step: no derivative can be known to the
    // tolerance below this size.
    const double floor = std::numeric_limits<double>::epsilon() * std::max(1.0, std::abs(u)) /
                         (options.step * options.tolerance);
    const std::vector<double> at(q.begin(), q.begin() + d);
    std::vector<double> expected(n);
    for (std::size_t j = 0; j < n; ++j) {
      if (gc::jumps(target, static_cast<int>(j))) {
        continue;
      }
      moved = q;
      expected[j] = gc::derivative(
          [&](double h, double* out) {
            moved[j] = q[j] + h;
            *out = value(moved);
          },
          1, options.step)[0];
    }
    gc::compare(g.data(), expected.data(), d, floor, at, gradient_check);

    hessian_vector(target, q.data(), v.data(), product.data());
    expected = gc::derivative(
        [&](double h, double* out) {
          for (std::size_t j = 0; j < n; ++j) {
            moved[j] = q[j] + h * v[j];
          }
          potential_and_gradient(target, moved.data(), other.data());
          std::copy_n(other.begin(), n, out);
          flatten(out);
        },
        d, options.step);
    flatten(product.data());
    gc::compare(product.data(), expected.data(), d, floor, at, hessian_check);

    gc::compare(&u_both, &u, 1, 1.0, at, value_check);
    const double scale = -0.25;
    if constexpr (HasKick<Target, double>) {
      std::copy(v.begin(), v.end(), other.begin());
      target.kick(q.data(), scale, other.data());
      for (std::size_t j = 0; j < n; ++j) {
        other[j] = (other[j] - v[j]) / scale;
      }
      flatten(other.data());
      gc::compare(other.data(), g.data(), d, floor, at, kick_check);
    }
    if constexpr (Separable<Target>) {
      for (int j = 0; j < d; ++j) {
        const auto k = static_cast<std::size_t>(j);
        other[k] = target.slope(j, q[k]);
        if constexpr (HasKickTerm<Target, double>) {
          // Both must agree with the gradient: keep the one that is further off.
          const double kicked = (target.kick_term(j, q[k], scale, v[k]) - v[k]) / scale;
          other[k] = std::abs(kicked - g[k]) > std::abs(other[k] - g[k]) ? kicked : other[k];
        }
      }
      gc::compare(other.data(), g.data(), d, floor, at, slope_check);
    }
  }

  report.checks = {gradient_check, hessian_check};
  if constexpr (HasGradient<Target, double>) {
    report.checks.push_back(value_check);
  }
  if constexpr (HasKick<Target, double>) {
    report.checks.push_back(kick_check);
  }
  if constexpr (Separable<Target>) {
    report.checks.push_back(slope_check);
  }
  for (DerivativeCheck& c : report.checks) {
    c.name = gc::coordinate_name(target, c.coordinate);
  }
  return report;
}

}  // namespace lockstep
