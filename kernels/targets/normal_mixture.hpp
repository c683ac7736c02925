#pragma once

/// A mixture of two normals, of unknown means, widths and weight, seen in N observations:
///   y_i ~ theta N(mu_1, sigma_1) + (1 - theta) N(mu_2, sigma_2),  mu_1 < mu_2,
///   mu_k ~ N(0, 2), sigma_k ~ N(0, 2) on sigma_k > 0, theta ~ Beta(5, 5).

#include "kernels/autodiff/gradient.hpp"
#include "kernels/targets/names.hpp"
#include "kernels/targets/transforms.hpp"

namespace lockstep {

/// q = (m, d, a, b, c): mu_1 = m, mu_2 = m + exp(d), sigma_1 = exp(a), sigma_2 = exp(b),
/// theta = s(c), s the logistic function; reported as (mu_1, mu_2, sigma_1, sigma_2, theta).
///   U = -sum_i log(f_1i + f_2i) + (mu_1^2 + mu_2^2 + sigma_1^2 + sigma_2^2) / 8
///       - 5 log theta - 5 log(1 - theta) - d - a - b,
///   f_1i = theta phi(z_1i) / sigma_1,  f_2i = (1 - theta) phi(z_2i) / sigma_2.
/// @tparam S  scalar of the data
template <class S>
struct NormalMixture {
  static constexpr int dim = 5;

  /// @param y  [n], someone else's memory.
  NormalMixture(const S* y, int n) : y_(y), n_(n) {
    require(n >= 1, "normal mixture: there are no observations");
  }

  template <class T>
  LOCKSTEP_HD Sum<T> potential(const T* q) const {
    const Parameters<T> k(q);
    Sum<T> u = k.prior(q);
    sweep(k, u, [](const T&, const T&, const T&) {});
    return u;
  }

  /// Every derivative is a moment of the observations weighted by w_i = f_1i / (f_1i + f_2i), the
  /// share of the first component, or by 1 - w_i.
  template <class T>
  LOCKSTEP_HD Sum<T> potential_and_gradient(const T* q, T* gradient) const {
    const Parameters<T> k(q);
    Sum<T> u = k.prior(q);
    T count = T(0), first1 = T(0), second1 = T(0), first2 = T(0), second2 = T(0);
    sweep(k, u, [&](const T& z1, const T& z2, const T& w) {
      const T a = w * z1, b = z2 - w * z2;
      count = count + w;
      first1 = first1 + a;
      second1 = fma(a, z1, second1);
      first2 = first2 + b;
      second2 = fma(b, z2, second2);
    });
    const T n = T(static_cast<Scalar<T>>(n_)), quarter = T(0.25f);
    const T mean1 = fma(quarter, k.mu1, -k.precision1 * first1);  // dU/dmu_1
    const T mean2 = fma(quarter, k.mu2, -k.precision2 * first2);
    gradient[0] = mean1 + mean2;
    gradient[1] = fma(k.gap, mean2, T(-1));
    gradient[2] = fma(quarter * k.sigma1, k.sigma1, count - second1) - T(1);
    gradient[3] = fma(quarter * k.sigma2, k.sigma2, (n - count) - second2) - T(1);
    gradient[4] = fma(n + T(10), k.theta, -(count + T(5)));
    return u;
  }
  template <class T>
  LOCKSTEP_HD void constrain(const T* q, T* x) const {
    const Parameters<T> k(q);
    x[0] = k.mu1;
    x[1] = k.mu2;
    x[2] = k.sigma1;
    x[3] = k.sigma2;
    x[4] = k.theta;
  }
  std::vector<std::string> names() const {
    return {"mu[1]", "mu[2]", "sigma[1]", "sigma[2]", "theta"};
  }
  template <class Copy>
  NormalMixture moved(Copy copy) const {
    NormalMixture target = *this;
    target.y_ = copy(y_, static_cast<std::size_t>(n_));
    return target;
  }

 private:
  /// Observations that share a logarithm and a compensation.
  static constexpr int kBlock = 8;

  template <class T>
  struct Parameters {
    T mu1, mu2, gap, sigma1, sigma2, precision1, precision2, theta, log_theta, log_other;
    T log_weight1, log_weight2;  // log(theta / sigma_1), log((1 - theta) / sigma_2)

    LOCKSTEP_INLINE explicit Parameters(const T* q) {
      gap = exp(q[1]);
      mu1 = q[0];
      mu2 = q[0] + gap;
      sigma1 = exp(q[2]);
      sigma2 = exp(q[3]);
      precision1 = T(1) / sigma1;
      precision2 = T(1) / sigma2;
      log_theta = log_logistic(q[4]);
      log_other = log_logistic(-q[4]);
      theta = exp(log_theta);
      log_weight1 = log_theta - q[2];
      log_weight2 = log_other - q[3];
    }
    LOCKSTEP_INLINE Sum<T> prior(const T* q) const {
      Sum<T> u = T(0.125f) * fma(mu1, mu1, mu2 * mu2);
      u += T(0.125f) * fma(sigma1, sigma1, sigma2 * sigma2);
      u += T(-5) * (log_theta + log_other);
      u += -(q[1] + q[2] + q[3]);
      return u;
    }
  };

  /// Adds -sum_i log(f_1i + f_2i) to u, and calls f(z_1i, z_2i, w_i) for each observation. With the
  /// energies E_k = z_k^2 / 2 - log weight_k and e = exp(-|E_1 - E_2|), a term is
  ///   min(E_1, E_2) - log(1 + e);
  /// a block's logarithms are one, of a product between 1 and 2^8.
  template <class T, class F>
  LOCKSTEP_INLINE void sweep(const Parameters<T>& k, Sum<T>& u, F f) const {
    const S* y = y_;
    for (int first = 0; first < n_; first += kBlock) {
      const int end = first + kBlock < n_ ? first + kBlock : n_;
      T sum = T(0), product = T(1);
      for (int i = first; i < end; ++i) {
        const T x = T(static_cast<Scalar<T>>(y[i]));
        const T z1 = (x - k.mu1) * k.precision1, z2 = (x - k.mu2) * k.precision2;
        const T e1 = fma(T(0.5f) * z1, z1, -k.log_weight1);
        const T e2 = fma(T(0.5f) * z2, z2, -k.log_weight2);
        const T e = exp(-abs(e1 - e2));
        const T share = T(1) / (T(1) + e);  // of the likelier component
        sum = sum + smaller(e1, e2);
        product = product * (T(1) + e);
        f(z1, z2, select(e1 < e2, share, e * share));
      }
      u += sum - log(product);
    }
  }

  const S* y_;
  int n_;
};

}  // namespace lockstep
