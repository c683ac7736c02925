#pragma once

/// Normal targets: the standard one in any dimension, an ill-conditioned one (ICG) and a strongly
/// correlated one (SCG).

#include <cmath>

#include "kernels/targets/constant.hpp"
#include "kernels/targets/names.hpp"
#include "kernels/targets/separable.hpp"

namespace lockstep {

/// N(0, I), coordinate by coordinate: U(q) = q'q / 2.
template <class Derived>
struct StandardNormal : SeparableTarget<Derived> {
  template <class T>
  LOCKSTEP_HD T term(int, const T& x) const {
    return T(0.5f) * x * x;
  }
  template <class T>
  LOCKSTEP_HD T slope(int, const T& x) const {
    return x;
  }
  template <class T>
  LOCKSTEP_HD T kick_term(int, const T& x, const T& scale, const T& p) const {
    return fma(scale, x, p);
  }
  std::vector<std::string> names() const { return numbered_names("x", dimension(self())); }
  Truth truth() const {
    const auto d = static_cast<std::size_t>(dimension(self()));
    return {std::vector<double>(d, 0.0), std::vector<double>(d, 1.0), {}, {}, "exact"};
  }

 private:
  const Derived& self() const { return static_cast<const Derived&>(*this); }
};

/// N(0, I) in D dimensions.
template <int D>
struct StdNormal : StandardNormal<StdNormal<D>> {
  static constexpr int dim = D;
};

/// N(0, I), its dimension (1 to Max) known when the program runs.
template <int Max>
struct StdNormalN : StandardNormal<StdNormalN<Max>> {
  static constexpr int max_dim = Max;

  /// @throw UsageError unless 1 <= d <= Max.
  explicit StdNormalN(int d) : dim_(checked_dimension("std-normal", d, Max)) {}
  LOCKSTEP_INLINE int dim() const { return dim_; }

 private:
  int dim_;
};

/// Ill-conditioned normal: D independent coordinates, variances log-spaced over so many decades
/// around 1. U(q) = sum_j q_j^2 / (2 v_j).
template <int D, int Decades>
struct LogSpacedNormal : SeparableTarget<LogSpacedNormal<D, Decades>> {
  static constexpr int dim = D;

  LogSpacedNormal() {
    for (int j = 0; j < dim; ++j) {
      precision_.set(j, 1.0 / variance(j));
    }
  }
  static double variance(int j) {
    return std::pow(10.0, -0.5 * Decades + static_cast<double>(Decades) * j / (dim - 1));
  }

  template <class T>
  LOCKSTEP_HD T term(int j, const T& x) const {
    return T(0.5f) * x * (precision_.template get<T>(j) * x);
  }
  template <class T>
  LOCKSTEP_HD T slope(int j, const T& x) const {
    return precision_.template get<T>(j) * x;
  }
  /// scale / v_j does not change along a trajectory: one FMA a step is left.
  template <class T>
  LOCKSTEP_HD T kick_term(int j, const T& x, const T& scale, const T& p) const {
    return fma(scale * precision_.template get<T>(j), x, p);
  }
  std::vector<std::string> names() const { return numbered_names("x", dim); }
  Truth truth() const {
    Truth t{std::vector<double>(dim, 0.0), {}, {}, {}, "exact"};
    for (int j = 0; j < dim; ++j) {
      t.sd.push_back(std::sqrt(variance(j)));
    }
    return t;
  }

 private:
  Constants<dim> precision_;
};

/// Variances from 1e-2 to 1e2 (Levy, Hoffman & Sohl-Dickstein, "Generalizing Hamiltonian Monte
/// Carlo with neural networks", ICLR 2018, section 5.1).
using Icg = LogSpacedNormal<50, 4>;
/// Of condition 1e5, the size in which ensemble samplers are compared (LAPS, arXiv 2601.16696).
using Icg100 = LogSpacedNormal<100, 5>;

/// Strongly correlated normal in two dimensions: variance `large` along (1, 1) and `small` along
/// (1, -1), that is diag(large, small) rotated by pi/4 (Levy et al. 2018, section 5.1, with 1e2 and
/// 1e-2; its published code takes `small` = 1e-1).
///
///   U(q) = (q_0 + q_1)^2 / (4 large) + (q_1 - q_0)^2 / (4 small)
///
/// The energy is evaluated in this form: through the precision matrix, terms a thousand times
/// larger than their sum would cancel.
struct Scg {
  static constexpr int dim = 2;

  /// @throw UsageError unless both variances are positive and finite.
  explicit Scg(double small = 1e-2, double large = 1e2) : small_(small), large_(large) {
    check_positive("scg", "small variance", small);
    check_positive("scg", "large variance", large);
    quarter_large_ = 0.25 / large;
    quarter_small_ = 0.25 / small;
    diagonal_ = 0.5 * (1 / large + 1 / small);
    off_diagonal_ = 0.5 * (1 / large - 1 / small);
  }

  template <class T>
  LOCKSTEP_HD T potential(const T* q) const {
    const T sum = q[0] + q[1], difference = q[1] - q[0];
    return fma(constant<T>(quarter_large_) * sum, sum,
               constant<T>(quarter_small_) * difference * difference);
  }
  template <class T>
  LOCKSTEP_HD T potential_and_gradient(const T* q, T* gradient) const {
    const T sum = q[0] + q[1], difference = q[1] - q[0];
    const T a = constant<T>(quarter_large_) * sum, b = constant<T>(quarter_small_) * difference;
    gradient[0] = T(2) * (a - b);
    gradient[1] = T(2) * (a + b);
    return fma(a, sum, b * difference);
  }
  /// p += scale P q with the precision matrix P: scale P does not change along a trajectory, so a
  /// leapfrog step is six FMAs. Gradients, unlike energies, may round as they like.
  template <class T>
  LOCKSTEP_HD void kick(const T* q, T scale, T* p) const {
    const T a = scale * constant<T>(diagonal_), b = scale * constant<T>(off_diagonal_);
    p[0] = fma(a, q[0], fma(b, q[1], p[0]));
    p[1] = fma(a, q[1], fma(b, q[0], p[1]));
  }
  template <class T>
  LOCKSTEP_HD void hessian_vector(const T*, const T* v, T* product) const {
    const T a = constant<T>(diagonal_), b = constant<T>(off_diagonal_);
    product[0] = fma(a, v[0], b * v[1]);
    product[1] = fma(a, v[1], b * v[0]);
  }
  std::vector<std::string> names() const { return numbered_names("x", dim); }
  /// Each coordinate has variance (large + small) / 2.
  Truth truth() const {
    const double sd = std::sqrt(0.5 * (large_ + small_));
    return {{0, 0}, {sd, sd}, {}, {}, "exact"};
  }

 private:
  double small_, large_, quarter_large_, quarter_small_, diagonal_, off_diagonal_;
};

}  // namespace lockstep
