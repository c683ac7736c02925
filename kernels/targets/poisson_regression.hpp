#pragma once

/// Poisson regression on a cubic trend (Kery & Schaub, "Bayesian Population Analysis using
/// WinBUGS", 2011, section 3.3): C_i ~ Poisson(exp(eta_i)),
///   eta_i = alpha + beta_1 x_i + beta_2 x_i^2 + beta_3 x_i^3,
/// uniform priors: alpha on (-20, 20), each beta on (-10, 10).

#include "kernels/autodiff/gradient.hpp"
#include "kernels/targets/names.hpp"
#include "kernels/targets/transforms.hpp"

namespace lockstep {

/// q in R^4, mapped to the intervals; reported as (alpha, beta1, beta2, beta3).
///   U = sum_i exp(eta_i) - sum_k coefficient_k sum_i C_i x_i^k - log J.
/// The counts enter through their moments sum_i C_i x_i^k alone.
/// @tparam S  scalar of the data
template <class S>
struct PoissonRegression {
  static constexpr int dim = 4;

  /// @param x       [n], someone else's memory
  /// @param moment  sum_i C_i x_i^k, k = 0..3
  PoissonRegression(const S* x, int n, const double (&moment)[dim]) : x_(x), n_(n) {
    require(n >= 1, "poisson regression: there are no observations");
    for (int k = 0; k < dim; ++k) {
      moment_.set(k, moment[k]);
    }
  }

  template <class T>
  LOCKSTEP_HD Sum<T> potential(const T* q) const {
    Mapped<T> c[dim];
    Sum<T> u = prior(q, c);
    for (int i = 0; i < n_; ++i) {
      u += rate(c, T(static_cast<Scalar<T>>(x_[i])));
    }
    return u;
  }
  template <class T>
  LOCKSTEP_HD Sum<T> potential_and_gradient(const T* q, T* gradient) const {
    Mapped<T> c[dim];
    Sum<T> u = prior(q, c);
    T slope[dim];  // of U in the coefficients
    for (int k = 0; k < dim; ++k) {
      slope[k] = -moment_.template get<T>(k);
    }
    const S* x = x_;
    for (int i = 0; i < n_; ++i) {
      const T at = T(static_cast<Scalar<T>>(x[i]));
      T term = rate(c, at);
      u += term;
      for (int k = 0; k < dim; ++k) {
        slope[k] = slope[k] + term;
        term = term * at;
      }
    }
    for (int k = 0; k < dim; ++k) {
      gradient[k] = fma(slope[k], c[k].slope, -c[k].log_jacobian_slope);
    }
    return u;
  }
  template <class T>
  LOCKSTEP_HD void constrain(const T* q, T* x) const {
    for (int k = 0; k < dim; ++k) {
      x[k] = support(k).map(q[k]).x;
    }
  }
  std::vector<std::string> names() const { return {"alpha", "beta1", "beta2", "beta3"}; }
  template <class Copy>
  PoissonRegression moved(Copy copy) const {
    PoissonRegression target = *this;
    target.x_ = copy(x_, static_cast<std::size_t>(n_));
    return target;
  }

 private:
  LOCKSTEP_INLINE const Interval& support(int k) const { return k == 0 ? alpha_ : beta_; }

  /// The terms without a sum over observations; maps q.
  template <class T>
  LOCKSTEP_INLINE Sum<T> prior(const T* q, Mapped<T>* c) const {
    Sum<T> u;
    for (int k = 0; k < dim; ++k) {
      c[k] = support(k).map(q[k]);
      u += -c[k].log_jacobian;
      u += -moment_.template get<T>(k) * c[k].x;
    }
    return u;
  }
  /// exp(eta) at x.
  template <class T>
  static LOCKSTEP_INLINE T rate(const Mapped<T>* c, const T& x) {
    return exp(fma(fma(fma(c[3].x, x, c[2].x), x, c[1].x), x, c[0].x));
  }

  const S* x_;
  int n_;
  Interval alpha_{-20, 20}, beta_{-10, 10};
  Constants<dim> moment_;
};

}  // namespace lockstep
