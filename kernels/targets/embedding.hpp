#pragma once

/// Integers as cells of a real line: parameter n lives anywhere in [a_n, a_(n+1)), with density
///
///   pi(x) = pi_N(n) / (a_(n+1) - a_n)   on the cell of n
///
/// so that x's law gives n its own (Nishimura, Dunson & Lu, Biometrika 2020, equation 15; with
/// a_n strictly increasing, and a_n = log n for logarithmic cells). A target adds
/// `log_width(n)` to U for each embedded coordinate, reports n and never x, and starts at `middle`.
/// pi_N is the target's own: cells know widths, not masses.
///
/// Cells of integers `low` to `high`, both included, offer
///
///   index(x)       the integer whose cell x is in, as a real number; one beyond the range, or
///                  further, outside
///   contains(n)    whether n is in the range: U is +infinity elsewhere
///   edge(n)        a_n, for low <= n <= high + 1
///   log_width(n)   log(a_(n+1) - a_n)
///   middle(n)      where a chain starts
///   tightest<S>()  the integer whose cell holds the fewest numbers of precision S
///
/// **Edges are the numbers that `edge` computes**, the same bits on every lane of a precision:
/// index compares x with them, and widths are their differences. So x is in the cell of n exactly
/// where edge(n) <= x < edge(n + 1), and n's mass is exactly pi_N(n), however edges are rounded.
/// (floor(exp(log n)) is n - 1 for 45 % of n up to 1e5. In float, a cell of width 1/5000 near 8.5
/// is 210 numbers, give or take one: log((n + 1) / n) in its place would be off by half a percent.)

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <type_traits>
#include <vector>

#include "kernels/autodiff/dual.hpp"
#include "kernels/lane/approximate.hpp"
#include "kernels/lane/look_up.hpp"
#include "kernels/lane/math.hpp"
#include "kernels/random/distributions.hpp"
#include "kernels/targets/constant.hpp"
#include "lockstep/error.hpp"

namespace lockstep {

/// f(x) of a plain lane; the derivative of a step function is zero wherever it exists.
template <class T, class F>
LOCKSTEP_INLINE T step_function(const T& x, F f) {
  return f(x);
}
template <class L, int N, class F>
LOCKSTEP_INLINE Dual<L, N> step_function(const Dual<L, N>& x, F f) {
  return Dual<L, N>(step_function(x.value, f));
}

/// table[i] of each chain's whole number i, or of the nearer end of 0..last.
template <int N, class T>
LOCKSTEP_INLINE T table_entry(const Constants<N>& table, int last, const T& i) {
  return step_function(i, [&table, last](const auto& at) {
    using L = std::decay_t<decltype(at)>;
    using S = Scalar<L>;
    const L inside = smaller(larger(L(0), at), L(static_cast<S>(last)));
    if constexpr (sizeof(S) == 4) {
      return look_up(table.as_float, inside);
    } else {
      return look_up(table.as_double, inside);
    }
  });
}

/// Whether low <= n <= high.
template <class T>
LOCKSTEP_INLINE Mask<T> in_range(const T& n, int low, int high) {
  return T(static_cast<Scalar<T>>(low)) <= n && n <= T(static_cast<Scalar<T>>(high));
}

/// How many numbers of precision S the cell of n holds.
template <class S, class Cells>
double numbers_in_cell(const Cells& cells, int n) {
  const S from = cells.edge(static_cast<S>(n)), to = cells.edge(static_cast<S>(n) + 1);
  const S far = std::max(std::abs(from), std::abs(to));
  return (to - from) / (far - std::nextafter(far, S(0)));
}

/// Cells of width 1: n is [n, n + 1), for short ranges.
struct UnitCells {
  static constexpr int least = std::numeric_limits<int>::min();
  int low, high;

  template <class T>
  LOCKSTEP_INLINE T index(const T& x) const {
    return floor(x);
  }
  template <class T>
  LOCKSTEP_INLINE Mask<T> contains(const T& n) const {
    return in_range(n, low, high);
  }
  template <class T>
  LOCKSTEP_INLINE T edge(const T& n) const {
    return n;
  }
  template <class T>
  LOCKSTEP_INLINE T log_width(const T&) const {
    return T(0);
  }
  double middle(int n) const { return n + 0.5; }
  template <class S>
  int tightest() const {
    return -low > high + 1 ? low : high;
  }
};

/// Logarithmic cells, for counts: n >= 1 is [log n, log(n + 1)), so that steps multiply.
struct LogCells {
  static constexpr int least = 1;
  int low, high;

  /// The edge nearest to x decides, and any exponential finds it: within half a cell of it, all
  /// other edges are on the side where they should be.
  template <class T>
  LOCKSTEP_INLINE T index(const T& x) const {
    return step_function(x, [this](const auto& at) {
      using L = std::decay_t<decltype(at)>;
      using S = Scalar<L>;
      const L guess = approximate_exp(larger(L(-1), at));  // what is not a number is below
      const L nearest = larger(floor(smaller(guess, L(static_cast<S>(high) + 1)) + L(S(0.5))),
                               L(static_cast<S>(low)));
      return select(edge(nearest) <= at, nearest, nearest - L(1));
    });
  }
  template <class T>
  LOCKSTEP_INLINE Mask<T> contains(const T& n) const {
    return in_range(n, low, high);
  }
  template <class T>
  LOCKSTEP_INLINE T edge(const T& n) const {
    return step_function(n, [](const auto& whole) {
      using L = std::decay_t<decltype(whole)>;
      if constexpr (sizeof(Scalar<L>) == 4) {
        return -detail::minus_log(whole);  // the same bits on every lane
      } else {
        return each_number(whole, [](double x) { return std::log(x); });
      }
    });
  }
  template <class T>
  LOCKSTEP_INLINE T log_width(const T& n) const {
    return step_function(n, [this](const auto& whole) {
      using L = std::decay_t<decltype(whole)>;
      return log(edge(whole + L(1)) - edge(whole));
    });
  }
  double middle(int n) const { return std::log(n + 0.5); }
  template <class S>
  int tightest() const {
    return high;
  }
};

/// Cells between any edges: `low` + i is [edges[i], edges[i + 1]).
/// @tparam Most  bound of the number of cells
template <int Most>
struct TableCells {
  static constexpr int least = std::numeric_limits<int>::min();
  int low, high;

  /// @param edges  [cells + 1], increasing
  /// @throw UsageError  for no cells, more than Most, or edges out of order
  TableCells(int first, const std::vector<double>& edges)
      : low(first), high(first + static_cast<int>(edges.size()) - 2) {
    require(2 <= edges.size() && edges.size() <= Most + 1,
            "cells: " + std::to_string(edges.size()) + " edges, but 2 to " +
                std::to_string(Most + 1) + " are possible");
    for (std::size_t i = 0; i < edges.size(); ++i) {
      require(std::isfinite(edges[i]) && (i == 0 || edges[i - 1] < edges[i]),
              "cells: edge " + std::to_string(i + 1) + " is " + std::to_string(edges[i]) +
                  ": give finite edges in ascending order");
      edges_.set(static_cast<int>(i), edges[i]);
    }
  }

  /// Edges at or below x are counted by halving.
  template <class T>
  LOCKSTEP_INLINE T index(const T& x) const {
    return step_function(x, [this](const auto& at) {
      using L = std::decay_t<decltype(at)>;
      using S = Scalar<L>;
      const int edges = high - low + 2;
      L count = L(0);
      for (int stride = first_stride(edges); stride > 0; stride /= 2) {
        const L more = count + L(static_cast<S>(stride));
        const L last = table_entry(edges_, edges - 1, more - L(1));
        count = select(more <= L(static_cast<S>(edges)) && last <= at, more, count);
      }
      return count + L(static_cast<S>(low - 1));
    });
  }
  template <class T>
  LOCKSTEP_INLINE Mask<T> contains(const T& n) const {
    return in_range(n, low, high);
  }
  template <class T>
  LOCKSTEP_INLINE T edge(const T& n) const {
    return table_entry(edges_, high - low + 1, n - T(static_cast<Scalar<T>>(low)));
  }
  template <class T>
  LOCKSTEP_INLINE T log_width(const T& n) const {
    return step_function(n, [this](const auto& whole) {
      using L = std::decay_t<decltype(whole)>;
      return log(edge(whole + L(1)) - edge(whole));
    });
  }
  double middle(int n) const { return 0.5 * (edge(1.0 * n) + edge(n + 1.0)); }
  template <class S>
  int tightest() const {
    int n = low;
    for (int i = low; i <= high; ++i) {
      n = numbers_in_cell<S>(*this, i) < numbers_in_cell<S>(*this, n) ? i : n;
    }
    return n;
  }

 private:
  /// The largest power of two that is not above n.
  static LOCKSTEP_INLINE int first_stride(int n) {
    int stride = 1;
    while (2 * stride <= n) {
      stride *= 2;
    }
    return stride;
  }

  Constants<Most + 1> edges_;
};

// ---- places in cells
// ------------------------------------------------------------------------------

/// The point of n's cell that has the share v in [0, 1] of it below; in the cell whatever rounding
/// does.
template <class Cells, class T>
LOCKSTEP_INLINE T place_in(const Cells& cells, const T& n, const T& v) {
  const T from = cells.edge(n), to = cells.edge(n + T(1));
  const T x = fma(v, to - from, from);
  return select(x < to, x, from);
}

/// The share of n's cell that is below x.
template <class Cells, class T>
LOCKSTEP_INLINE T share_below(const Cells& cells, const T& n, const T& x) {
  const T from = cells.edge(n);
  return (x - from) / (cells.edge(n + T(1)) - from);
}

/// One of the range's integers, all being as likely, for starts.
/// @param u  uniform on (0, 1]
template <class Cells>
int any_integer(const Cells& cells, double u) {
  const int n = cells.high - cells.low + 1;
  return cells.low + std::min(static_cast<int>(n * u), n - 1);
}

/// At the same share of another integer's cell, all others being as probable: a symmetric proposal
/// for what has no order, or a short one.
/// @param u  uniform on (0, 1]
template <class Cells, class T>
LOCKSTEP_INLINE T another_cell(const Cells& cells, const T& x, const T& u) {
  const T others = T(static_cast<Scalar<T>>(cells.high - cells.low));
  const T n = cells.index(x);
  const T ahead = n - floor(-(u * others));  // by 1 to `others`
  const T to = select(ahead <= T(static_cast<Scalar<T>>(cells.high)), ahead, ahead - others - T(1));
  return place_in(cells, to, share_below(cells, n, x));
}

/// A draw from the law with energy(n) for the integer n, even in n's cell: by inversion, so the
/// integers are gone through three times.
/// @param u  uniform on (0, 1]
template <class Cells, class T, class Energy>
LOCKSTEP_INLINE T draw_cell(const Cells& cells, const T& u, Energy energy) {
  using S = Scalar<T>;
  T least = energy(T(static_cast<S>(cells.low)));
  for (int k = cells.low + 1; k <= cells.high; ++k) {
    least = smaller(least, energy(T(static_cast<S>(k))));
  }
  T total = T(0);
  for (int k = cells.low; k <= cells.high; ++k) {
    total = total + exp(least - energy(T(static_cast<S>(k))));
  }
  const T wanted = u * total;
  T sum = T(0), n = T(static_cast<S>(cells.low)), below = T(0), weight = T(1);
  for (int k = cells.low; k <= cells.high; ++k) {
    const T w = exp(least - energy(T(static_cast<S>(k))));
    const Mask<T> reached = sum < wanted;
    n = select(reached, T(static_cast<S>(k)), n);
    below = select(reached, sum, below);
    weight = select(reached, w, weight);
    sum = sum + w;
  }
  return place_in(cells, n, (wanted - below) / weight);
}

// ---- room in cells
// --------------------------------------------------------------------------------

/// How many numbers a cell must hold, since positions and steps are rounded to them.
inline constexpr int kRoom = 32;

/// @throw UsageError  for an empty range, integers that have no cell, or cells too narrow to move
///        in with precision S (logarithmic cells beyond 32767 in float)
template <class S, class Cells>
void check_cells(const std::string& target, const Cells& cells) {
  require(Cells::least <= cells.low && cells.low <= cells.high,
          target + ": integers from " + std::to_string(cells.low) + " to " +
              std::to_string(cells.high) + " have no cells: give a range" +
              (Cells::least > 0 ? " from 1 or higher" : " in ascending order"));
  const int n = cells.template tightest<S>();
  const double room = numbers_in_cell<S>(cells, n);
  const bool single = sizeof(S) == 4;
  require(room >= kRoom, target + ": the cell of " + std::to_string(n) + " holds " +
                             std::to_string(static_cast<int>(room)) + " numbers of " +
                             (single ? "single" : "double") + " precision, but " +
                             std::to_string(kRoom) + " are needed to move in it: " +
                             (single ? "choose double precision, or " : "choose ") +
                             "a smaller upper bound or wider cells");
}

}  // namespace lockstep
