#pragma once

/// Stochastic volatility (Kim, Shephard & Chib, Rev. Econ. Stud. 65 (1998) 361), with the priors of
/// inference_gym: returns y_t ~ N(0, exp((mu + h_t) / 2)),
///   h_1 ~ N(0, sg / sqrt(1 - phi^2)),  h_t ~ N(phi h_(t-1), sg),
///   (phi + 1) / 2 ~ Beta(20, 1.5),  mu ~ Cauchy(0, 5),  sg ~ HalfCauchy(0, 2).

#include "kernels/autodiff/gradient.hpp"
#include "kernels/targets/names.hpp"
#include "kernels/targets/transforms.hpp"

namespace lockstep {

/// Non-centred: q = (a, mu, b, e_1..e_n) with u = s(a), s the logistic function, phi = 2 u - 1,
/// sg = exp(b), h_1 = sg e_1 / sqrt(1 - phi^2), h_t = phi h_(t-1) + sg e_t; reported as (phi, mu,
/// sg, mu + h_1, ..., mu + h_n).
///   U = -20 log u - 1.5 log(1 - u) + log(1 + (mu / 5)^2) + log(1 + (sg / 2)^2) - b
///       + sum_t [e_t^2 / 2 + (mu + h_t) / 2 + y_t^2 exp(-(mu + h_t)) / 2],
/// the Beta density and the Jacobian u (1 - u) together. Derivatives in h run backwards in time:
/// lambda_t = 1/2 - y_t^2 exp(-(mu + h_t)) / 2 + phi lambda_(t+1) is that of U along all that h_t
/// moves.
///
/// Its loops do not unroll: `dim` is a function, though it is known.
/// @tparam S    scalar of the data
/// @tparam Max  the longest series
template <class S, int Max>
struct StochasticVolatility {
  static constexpr int max_dim = Max + 3;

  /// @param squares  y_t^2, [n], someone else's memory
  /// @throw UsageError unless 1 <= n <= Max
  StochasticVolatility(const S* squares, int n)
      : squares_(squares), n_(checked_dimension("stochastic volatility: the series", n, Max)) {}
  LOCKSTEP_INLINE int dim() const { return n_ + 3; }

  template <class T>
  LOCKSTEP_HD Sum<T> potential(const T* q) const {
    const Scales<T> k(q);
    Sum<T> u = k.prior(q);
    T h = T(0);
    const S* squares = squares_;
    for (int t = 0; t < n_; ++t) {
      h = k.next(t, h, q[3 + t]);
      u += term(q[1] + h, T(static_cast<Scalar<T>>(squares[t])), q[3 + t]);
    }
    return u;
  }
  template <class T>
  LOCKSTEP_HD Sum<T> potential_and_gradient(const T* q, T* gradient) const {
    const Scales<T> k(q);
    Sum<T> u = k.prior(q);
    T h[Max], local[Max];
    const S* squares = squares_;
    for (int t = 0; t < n_; ++t) {
      h[t] = k.next(t, t > 0 ? h[t > 0 ? t - 1 : 0] : T(0), q[3 + t]);
      const T log_variance = q[1] + h[t];
      const T weight = T(static_cast<Scalar<T>>(squares[t])) * exp(-log_variance);
      u += T(0.5f) * (log_variance + fma(q[3 + t], q[3 + t], weight));
      local[t] = fma(T(-0.5f), weight, T(0.5f));
    }
    T lambda = T(0), by_mu = T(0), by_phi = T(0), by_shock = T(0);
    for (int t = n_ - 1; t > 0; --t) {
      lambda = fma(k.phi, lambda, local[t]);
      by_mu = by_mu + local[t];
      by_phi = fma(lambda, h[t - 1], by_phi);
      by_shock = fma(lambda, q[3 + t], by_shock);
      gradient[3 + t] = fma(k.shock, lambda, q[3 + t]);
    }
    lambda = fma(k.phi, lambda, local[0]);
    by_mu = by_mu + local[0];
    // d/dphi (1 - phi^2)^(-1/2) = phi (1 - phi^2)^(-3/2).
    by_phi = fma(lambda * h[0], k.phi * k.spread * k.spread, by_phi);
    by_shock = fma(lambda * k.spread, q[3], by_shock);
    gradient[3] = fma(k.shock * k.spread, lambda, q[3]);
    // dphi/da = 2 u (1 - u).
    gradient[0] = fma(T(2) * k.u * k.other, by_phi, fma(T(21.5f), k.u, T(-20)));
    gradient[1] = by_mu + T(2) * q[1] / fma(q[1], q[1], T(25));
    // With r = (sg / 2)^2: 2 r / (1 + r) - 1.
    gradient[2] = fma(k.shock, by_shock, T(2) * logistic(k.log_ratio) - T(1));
    return u;
  }
  template <class T>
  LOCKSTEP_HD void constrain(const T* q, T* x) const {
    const Scales<T> k(q);
    x[0] = k.phi;
    x[1] = q[1];
    x[2] = k.shock;
    T h = T(0);
    for (int t = 0; t < n_; ++t) {
      h = k.next(t, h, q[3 + t]);
      x[3 + t] = q[1] + h;
    }
  }
  std::vector<std::string> names() const {
    std::vector<std::string> names = numbered_names("log_volatility", n_);
    names.insert(names.begin(),
                 {"persistence_of_volatility", "mean_log_volatility", "white_noise_shock_scale"});
    return names;
  }
  template <class Copy>
  StochasticVolatility moved(Copy copy) const {
    StochasticVolatility target = *this;
    target.squares_ = copy(squares_, static_cast<std::size_t>(n_));
    return target;
  }

 private:
  template <class T>
  struct Scales {
    T log_u, log_other, u, other, phi, shock, spread, log_ratio;

    LOCKSTEP_INLINE explicit Scales(const T* q)
        : log_u(log_logistic(q[0])),
          log_other(log_logistic(-q[0])),
          u(exp(log_u)),
          other(exp(log_other)),
          phi(u - other),
          shock(exp(q[2])),
          // 1 / sqrt(1 - phi^2), 1 - phi^2 = 4 u (1 - u)
          spread(T(0.5f) * exp(T(-0.5f) * (log_u + log_other))),
          log_ratio(T(2) * q[2] + constant<T>(-2 * 0.69314718055994531)) {}
    LOCKSTEP_INLINE Sum<T> prior(const T* q) const {
      Sum<T> sum = T(-20) * log_u;
      sum += T(-1.5f) * log_other;
      sum += log1p(constant<T>(0.04) * q[1] * q[1]);
      sum += softplus(log_ratio) - q[2];
      return sum;
    }
    /// h_t of h_(t-1) and e_t, t from 0.
    LOCKSTEP_INLINE T next(int t, const T& h, const T& e) const {
      return t == 0 ? shock * spread * e : fma(phi, h, shock * e);
    }
  };

  /// Of time t: e^2 / 2 + (mu + h) / 2 + y^2 exp(-(mu + h)) / 2.
  template <class T>
  static LOCKSTEP_INLINE T term(const T& log_variance, const T& square, const T& e) {
    return T(0.5f) * (log_variance + fma(e, e, square * exp(-log_variance)));
  }

  const S* squares_;
  int n_;
};

}  // namespace lockstep
