#pragma once

#include <cmath>
#include <string>
#include <vector>

#include "kernels/targets/constant.hpp"
#include "kernels/targets/embedding.hpp"
#include "kernels/targets/names.hpp"
#include "lockstep/concepts.hpp"

namespace lockstep {

/// Two integers on 0..5, whose law is a table that can be summed:
///   pi(m, n) ~ exp(-(m - n)^2 / 3 - |m + n - 5| / 4).
struct IntegerGrid {
  static constexpr int dim = 2;
  UnitCells cells{0, 5};

  LOCKSTEP_HD bool discontinuous(int) const { return true; }
  template <class T>
  LOCKSTEP_HD T potential(const T* q) const {
    const T m = cells.index(q[0]), n = cells.index(q[1]);
    return select(cells.contains(m) && cells.contains(n), energy(m, n),
                  T(std::numeric_limits<Scalar<T>>::infinity()));
  }
  template <class T>
  LOCKSTEP_HD T conditional(int j, const T* q, const T& u) const {
    const T other = cells.index(q[1 - j]);  // the law is symmetric
    return draw_cell(cells, u, [&](const T& n) { return energy(n, other); });
  }
  template <class T>
  LOCKSTEP_HD void constrain(const T* q, T* x) const {
    x[0] = cells.index(q[0]);
    x[1] = cells.index(q[1]);
  }
  /// Every integer as likely.
  void start(const double* u, double* q) const {
    for (int j = 0; j < dim; ++j) {
      q[j] = cells.middle(any_integer(cells, u[j]));
    }
  }
  std::vector<std::string> names() const { return {"m", "n"}; }

  /// The probability of (m, n).
  static double probability(int m, int n) {
    double total = 0;
    for (int i = 0; i < 6; ++i) {
      for (int j = 0; j < 6; ++j) {
        total += std::exp(-energy<double>(i, j));
      }
    }
    return std::exp(-energy<double>(m, n)) / total;
  }
  Truth truth() const {
    Truth t{{0, 0}, {0, 0}, {}, {}, "exact"};
    for (int m = 0; m < 6; ++m) {
      for (int n = 0; n < 6; ++n) {
        t.mean[0] += probability(m, n) * m;
        t.sd[0] += probability(m, n) * m * m;
      }
    }
    t.sd[0] = std::sqrt(t.sd[0] - t.mean[0] * t.mean[0]);
    t.mean[1] = t.mean[0];  // the law is symmetric
    t.sd[1] = t.sd[0];
    return t;
  }

 private:
  template <class T>
  static LOCKSTEP_INLINE T energy(const T& m, const T& n) {
    const T across = m - n;
    return fma(constant<T>(1.0 / 3), across * across, constant<T>(0.25) * abs(m + n - T(5)));
  }
};

}  // namespace lockstep
