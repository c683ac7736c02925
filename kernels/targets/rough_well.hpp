#pragma once

#include <cmath>

#include "kernels/autodiff/trigonometry.hpp"
#include "kernels/targets/constant.hpp"
#include "kernels/targets/names.hpp"
#include "kernels/targets/separable.hpp"

namespace lockstep {

/// A wide well with a rough bottom: U(q) = sum_j q_j^2 / 2 + eta cos(q_j / eta) (Levy, Hoffman &
/// Sohl-Dickstein, ICLR 2018, section 5.1; Sohl-Dickstein, Mudigonda & DeWeese, "Hamiltonian Monte
/// Carlo without detailed balance", ICML 2014). The ripples hardly move the density, by a factor
/// exp(-eta cos) near 1, but their slope sin(q / eta) does not shrink with eta.
template <class Derived>
struct RoughWellTarget : SeparableTarget<Derived> {
  /// @throw UsageError unless eta is positive and finite.
  explicit RoughWellTarget(double eta) : eta_(eta) {
    check_positive("rough-well", "eta", eta);
    constexpr double two_pi = 6.283185307179586;
    cycles_ = 1 / (two_pi * eta);
  }

  template <class T>
  LOCKSTEP_HD T term(int, const T& x) const {
    return fma(T(0.5f) * x, x, constant<T>(eta_) * cos_cycles(x, constant<T>(cycles_)));
  }
  template <class T>
  LOCKSTEP_HD T slope(int, const T& x) const {
    return x - sin_cycles(x, constant<T>(cycles_));
  }
  template <class T>
  LOCKSTEP_HD T kick_term(int j, const T& x, const T& scale, const T& p) const {
    return fma(scale, slope(j, x), p);
  }
  std::vector<std::string> names() const { return numbered_names("x", dimension(self())); }
  Truth truth() const {
    const auto d = static_cast<std::size_t>(dimension(self()));
    return {std::vector<double>(d, 0.0),
            std::vector<double>(d, std::sqrt(variance())),
            {},
            {},
            "exact"};
  }

  /// Variance of a coordinate. With z ~ N(0, 1), exp(-eta cos w) = sum_n (-1)^n c_n I_n(eta) cos(n
  /// w) (c_0 = 1, else 2) and E[cos(z n / eta)] = exp(-s / 2), E[z^2 cos(z n / eta)] = (1 - s)
  /// exp(-s / 2), s = (n / eta)^2, so
  ///   Var = sum_n (-1)^n c_n I_n (1 - s_n) exp(-s_n / 2) / sum_n (-1)^n c_n I_n exp(-s_n / 2).
  /// At eta = 1e-2 all terms but n = 0 are below exp(-5000): the variance is 1.
  double variance() const {
    double numerator = 0, denominator = 0;
    for (int n = 0; n <= kOrders; ++n) {
      const double s = (n / eta_) * (n / eta_);
      const double weight = (n % 2 == 0 ? 1 : -1) * (n == 0 ? 1 : 2) * bessel(n) * std::exp(-s / 2);
      numerator += weight * (1 - s);
      denominator += weight;
    }
    return numerator / denominator;
  }

 private:
  static constexpr int kOrders = 40;

  /// The modified Bessel function I_n(eta), by its power series.
  double bessel(int n) const {
    double term = 1;
    for (int k = 1; k <= n; ++k) {
      term *= eta_ / (2 * k);
    }
    double sum = 0;
    for (int k = 1; k <= 200; ++k) {
      sum += term;
      term *= eta_ * eta_ / (4.0 * k * (k + n));
    }
    return sum;
  }

  const Derived& self() const { return static_cast<const Derived&>(*this); }

  double eta_, cycles_;
};

/// The rough well in D dimensions.
template <int D>
struct RoughWell : RoughWellTarget<RoughWell<D>> {
  static constexpr int dim = D;
  explicit RoughWell(double eta = 1e-2) : RoughWellTarget<RoughWell<D>>(eta) {}
};

/// The rough well, its dimension (1 to Max) known when the program runs.
template <int Max>
struct RoughWellN : RoughWellTarget<RoughWellN<Max>> {
  static constexpr int max_dim = Max;

  /// @throw UsageError unless 1 <= d <= Max and eta is positive and finite.
  explicit RoughWellN(int d, double eta = 1e-2)
      : RoughWellTarget<RoughWellN<Max>>(eta), dim_(checked_dimension("rough-well", d, Max)) {}
  LOCKSTEP_INLINE int dim() const { return dim_; }

 private:
  int dim_;
};

}  // namespace lockstep
