#pragma once

/// GARCH(1,1) (Bollerslev, J. Econometrics 31 (1986) 307): y_t ~ N(mu, sqrt(v_t)),
///   v_1 = sigma_1^2,  v_t = a_0 + a_1 (y_(t-1) - mu)^2 + b_1 v_(t-1),
/// flat on mu, a_0 > 0, 0 < a_1 < 1, 0 < b_1 < 1 - a_1.

#include "kernels/autodiff/gradient.hpp"
#include "kernels/targets/names.hpp"
#include "kernels/targets/quad_sum.hpp"
#include "kernels/targets/transforms.hpp"

namespace lockstep {

/// q = (mu, a, b, c): a_0 = exp(a), a_1 = s(b), b_1 = (1 - a_1) s(c), s the logistic function;
/// reported as (mu, a_0, a_1, b_1).
///   U = sum_t [(y_t - mu)^2 / (2 v_t) + log(v_t) / 2]
///       - a - log s(b) - log s(-b) - log s(-b) - log s(c) - log s(-c).
/// The third of log s(-b) = log(1 - a_1) is the width of b_1's interval, which moves with a_1.
///
/// The gradient is automatic: forward differentiation carries dv_t/dq along the recursion, which is
/// what one would write by hand.
/// @tparam S  scalar of the data
template <class S>
struct Garch {
  static constexpr int dim = 4;
  static constexpr int lanes_in_flight = 1;  // each carries four derivatives

  /// @param y  [n], someone else's memory.
  Garch(const S* y, int n, double first_sd) : y_(y), n_(n), first_variance_(first_sd * first_sd) {
    require(n >= 1, "garch11: the series is empty");
    check_positive("garch11", "sigma1", first_sd);
  }

  template <class T>
  LOCKSTEP_HD Sum<T> potential(const T* q) const {
    const Coefficients<T> k(q);
    Sum<T> u = -k.log_jacobian;
    T v = constant<T>(first_variance_);
    T quad = T(0);  // of terms, one compensation for each
    const S* y = y_;
    for (int t = 0; t < n_; ++t) {
      const T r = T(static_cast<Scalar<T>>(y[t])) - q[0];
      const T square = r * r;
      quad = quad + T(0.5f) * (square / v + log(v));
      v = fma(k.a1, square, fma(k.b1, v, k.a0));
      if (t % kQuad == kQuad - 1 || t == n_ - 1) {
        u += quad;
        quad = T(0);
      }
    }
    return u;
  }
  template <class T>
  LOCKSTEP_HD void constrain(const T* q, T* x) const {
    const Coefficients<T> k(q);
    x[0] = q[0];
    x[1] = k.a0;
    x[2] = k.a1;
    x[3] = k.b1;
  }
  std::vector<std::string> names() const { return {"mu", "alpha0", "alpha1", "beta1"}; }
  template <class Copy>
  Garch moved(Copy copy) const {
    Garch target = *this;
    target.y_ = copy(y_, static_cast<std::size_t>(n_));
    return target;
  }

 private:
  template <class T>
  struct Coefficients {
    T a0, a1, b1, log_jacobian;

    LOCKSTEP_INLINE explicit Coefficients(const T* q) {
      const T log_a1 = log_logistic(q[2]), log_rest = log_logistic(-q[2]);
      const T log_share = log_logistic(q[3]);
      a0 = exp(q[1]);
      a1 = exp(log_a1);
      b1 = exp(log_rest + log_share);
      log_jacobian = q[1] + (log_a1 + log_rest) + (log_rest + log_share + log_logistic(-q[3]));
    }
  };

  const S* y_;
  int n_;
  double first_variance_;
};

}  // namespace lockstep
