#pragma once

#include <cmath>
#include <string>
#include <vector>

#include "kernels/targets/constant.hpp"
#include "kernels/targets/embedding.hpp"
#include "kernels/targets/names.hpp"
#include "lockstep/concepts.hpp"

namespace lockstep {

/// Four normals with the indicator of which one x is from (the first example of Zhou, "Mixed
/// Hamiltonian Monte Carlo for mixed discrete and continuous variables", NeurIPS 2020): z is k =
/// 0..3 with probability w_k = 0.15, 0.3, 0.3, 0.25, and x ~ N(2 k - 2, 0.5),
///
///   U(x, z) = -log w_z + 2 (x - 2 z + 2)^2.
///
/// x alone would have to climb over the gaps between modes; E x = 1.3, Var x = 4.36. The categories
/// have no order that a sampler should know: `exchange` goes to any other.
struct MixtureIndicator {
  static constexpr int dim = 2;  // x, z
  static constexpr int size = 4;
  UnitCells categories{0, size - 1};

  LOCKSTEP_HD bool discontinuous(int j) const { return j == 1; }
  template <class T>
  LOCKSTEP_HD T potential(const T* q) const {
    const T z = categories.index(q[1]);
    return select(categories.contains(z), energy(q[0], z),
                  T(std::numeric_limits<Scalar<T>>::infinity()));
  }
  template <class T>
  LOCKSTEP_HD T potential_and_gradient(const T* q, T* gradient) const {
    gradient[0] = T(4) * (q[0] - mean(categories.index(q[1])));
    gradient[1] = T(0);
    return potential(q);
  }
  template <class T>
  LOCKSTEP_HD T exchange(int, const T& z, const T& u) const {
    return another_cell(categories, z, u);
  }
  template <class T>
  LOCKSTEP_HD T conditional(int, const T* q, const T& u) const {
    return draw_cell(categories, u, [&](const T& k) { return energy(q[0], k); });
  }
  template <class T>
  LOCKSTEP_HD void constrain(const T* q, T* x) const {
    x[0] = q[0];
    x[1] = categories.index(q[1]);
  }
  /// x on +- 6, any category.
  void start(const double* u, double* q) const {
    q[0] = 12 * u[0] - 6;
    q[1] = categories.middle(any_integer(categories, u[1]));
  }
  std::vector<std::string> names() const { return {"x", "z"}; }

  /// P(z = k).
  static double probability(int k) { return k == 0 ? 0.15 : k < 3 ? 0.3 : 0.25; }

  Truth truth() const {
    double first[dim] = {}, second[dim] = {};
    for (int k = 0; k < size; ++k) {
      const double w = probability(k), m = mean(1.0 * k);
      first[0] += w * m;
      second[0] += w * (m * m + 0.25);
      first[1] += w * k;
      second[1] += w * k * k;
    }
    return {
        {first[0], first[1]},
        {std::sqrt(second[0] - first[0] * first[0]), std::sqrt(second[1] - first[1] * first[1])},
        {},
        {},
        "exact"};
  }

 private:
  template <class T>
  static LOCKSTEP_INLINE T mean(const T& z) {
    return T(2) * (z - T(1));
  }
  template <class T>
  static LOCKSTEP_INLINE T energy(const T& x, const T& z) {
    const T off = x - mean(z);
    const T minus_log_weight =
        select(z < T(1), constant<T>(1.8971199848858813),  // 0.15
               select(z < T(3), constant<T>(1.2039728043259360), constant<T>(1.3862943611198906)));
    return fma(T(2) * off, off, minus_log_weight);
  }
};

}  // namespace lockstep
