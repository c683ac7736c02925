#pragma once

#include <cmath>
#include <string>
#include <vector>

#include "kernels/targets/constant.hpp"
#include "kernels/targets/embedding.hpp"
#include "kernels/targets/names.hpp"
#include "lockstep/concepts.hpp"

namespace lockstep {

/// Two integers on 0..3 and a real number whose mean a = m - n and precision t = (1 + n) / 2 they
/// set:
///
///   U(m, n, y) = (m - n)^2 / 3 + |m + n - 3| / 4 + t (y - a)^2 / 2,
///
/// so that P(m, n) ~ exp(-(m - n)^2 / 3 - |m + n - 3| / 4) / sqrt(t) can be summed, and y given
/// them is normal. A visit that moves n changes how fast y's trajectory turns, so that what order
/// the visits come in shows in the law once the steps are long: three steps of 1.75 with hops of
/// 1.2 are accepted with probability 0.43, and a fixed order is then 0.07 off in total variation.
struct MixedGrid {
  static constexpr int dim = 3;  // m, n, y
  static constexpr int size = 4;
  UnitCells cells{0, size - 1};

  LOCKSTEP_HD bool discontinuous(int j) const { return j < 2; }
  template <class T>
  LOCKSTEP_HD T potential(const T* q) const {
    const T m = cells.index(q[0]), n = cells.index(q[1]);
    return select(cells.contains(m) && cells.contains(n), energy(m, n, q[2]),
                  T(std::numeric_limits<Scalar<T>>::infinity()));
  }
  template <class T>
  LOCKSTEP_HD T potential_and_gradient(const T* q, T* gradient) const {
    const T m = cells.index(q[0]), n = cells.index(q[1]);
    gradient[0] = gradient[1] = T(0);
    gradient[2] = precision(n) * (q[2] - (m - n));
    return potential(q);
  }
  /// Any other integer.
  template <class T>
  LOCKSTEP_HD T exchange(int, const T& x, const T& u) const {
    return another_cell(cells, x, u);
  }
  template <class T>
  LOCKSTEP_HD T conditional(int j, const T* q, const T& u) const {
    const T other = cells.index(q[1 - j]);
    return draw_cell(cells, u, [&](const T& k) {
      return j == 0 ? energy(k, other, q[2]) : energy(other, k, q[2]);
    });
  }
  template <class T>
  LOCKSTEP_HD void constrain(const T* q, T* x) const {
    x[0] = cells.index(q[0]);
    x[1] = cells.index(q[1]);
    x[2] = q[2];
  }
  /// Integers evenly, y on +- 2.
  void start(const double* u, double* q) const {
    for (int j = 0; j < 2; ++j) {
      q[j] = cells.middle(any_integer(cells, u[j]));
    }
    q[2] = 4 * u[2] - 2;
  }
  std::vector<std::string> names() const { return {"m", "n", "y"}; }

  /// The law: the probability of (m, n), and y's mean and standard deviation given them.
  static double probability(int m, int n) {
    double total = 0;
    for (int i = 0; i < size; ++i) {
      for (int j = 0; j < size; ++j) {
        total += weight(i, j);
      }
    }
    return weight(m, n) / total;
  }
  static double mean(int m, int n) { return m - n; }
  static double sd(int, int n) { return 1 / std::sqrt(precision<double>(n)); }
  /// (y - mean) / sd, which is standard normal whatever m and n are: its bins, together with m and
  /// n, are cells of known probability.
  static double standardised(int m, int n, double y) { return (y - mean(m, n)) / sd(m, n); }

  Truth truth() const {
    double first[dim] = {}, second[dim] = {};
    for (int m = 0; m < size; ++m) {
      for (int n = 0; n < size; ++n) {
        const double p = probability(m, n), a = mean(m, n), s = sd(m, n);
        const double moments[dim][2] = {
            {1.0 * m, 1.0 * m * m}, {1.0 * n, 1.0 * n * n}, {a, a * a + s * s}};
        for (int j = 0; j < dim; ++j) {
          first[j] += p * moments[j][0];
          second[j] += p * moments[j][1];
        }
      }
    }
    Truth t{{}, {}, {}, {}, "exact"};
    for (int j = 0; j < dim; ++j) {
      t.mean.push_back(first[j]);
      t.sd.push_back(std::sqrt(second[j] - first[j] * first[j]));
    }
    return t;
  }

 private:
  template <class T>
  static LOCKSTEP_INLINE T precision(const T& n) {
    return constant<T>(0.5) * (T(1) + n);
  }
  template <class T>
  static LOCKSTEP_INLINE T energy(const T& m, const T& n, const T& y) {
    const T across = m - n, off = y - across;
    const T integers =
        fma(constant<T>(1.0 / 3), across * across, constant<T>(0.25) * abs(m + n - T(size - 1)));
    return fma(constant<T>(0.5) * precision(n), off * off, integers);
  }
  /// The integral of exp(-U) over y, but for a factor.
  static double weight(int m, int n) {
    return std::exp(-energy<double>(m, n, mean(m, n))) * sd(m, n);
  }
};

}  // namespace lockstep
