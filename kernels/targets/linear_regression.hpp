#pragma once

/// Linear regression with normal errors of unknown size: y_i ~ N(x_i'b, sigma), i = 1..N.
///
/// The data enter through their QR decomposition alone. With X = Q R and the least-squares fit c,
///   sum_i (y_i - x_i'b)^2 = |R (b - c)|^2 + rss,
/// exactly: a gradient costs dim^2 operations for any N, and no large sums cancel, however far from
/// nought the predictors lie. Autoregressions are regressions too, on lagged values.

#include <array>

#include "kernels/autodiff/gradient.hpp"
#include "kernels/targets/constant.hpp"
#include "kernels/targets/names.hpp"

namespace lockstep {

/// A regression of P coefficients at most, reduced to what its density needs.
struct LinearRegressionModel {
  static constexpr int max_coefficients = 7;

  int coefficients = 0;
  /// Of the reported parameters, [coefficients + 1]: literals, which outlive every target.
  std::array<const char*, max_coefficients + 1> names = {};
  double observations = 0;
  std::array<double, max_coefficients> fit = {};  // c
  // R, upper triangular: [row][column]
  std::array<std::array<double, max_coefficients>, max_coefficients> r = {};
  double rss = 0;  // residual sum of squares at c
  /// b_j ~ N(prior_mean_j, prior_precision_j^(-1/2)); precision 0 is a flat prior.
  std::array<double, max_coefficients> prior_mean = {}, prior_precision = {};
  /// sigma ~ HalfCauchy(0, sigma_scale); 0 is a flat prior on sigma > 0.
  double sigma_scale = 0;
};

/// q = (b_1..b_P, s), sigma = exp(s); reported as (b, sigma).
///   U = (|R (b - c)|^2 + rss) / (2 sigma^2) + N s + log(1 + (sigma / scale)^2) - s
///       + sum_j precision_j (b_j - mean_j)^2 / 2.
struct LinearRegression {
  static constexpr int max_dim = LinearRegressionModel::max_coefficients + 1;

  /// @throw UsageError  for a model of no coefficients or too many
  explicit LinearRegression(const LinearRegressionModel& m)
      : n_(checked_dimension("linear regression", m.coefficients,
                             LinearRegressionModel::max_coefficients)),
        names_(m.names),
        power_(m.observations - 1),
        half_rss_(0.5 * m.rss),
        cauchy_(m.sigma_scale > 0 ? 1 : 0),
        log_scale_(m.sigma_scale > 0 ? std::log(m.sigma_scale) : 0) {
    for (int i = 0; i < n_; ++i) {
      const auto k = static_cast<std::size_t>(i);
      fit_.set(i, m.fit[k]);
      mean_.set(i, m.prior_mean[k]);
      precision_.set(i, m.prior_precision[k]);
      for (int j = 0; j < n_; ++j) {
        r_.set(i * kMax + j, m.r[k][static_cast<std::size_t>(j)]);
      }
    }
  }
  LOCKSTEP_INLINE int dim() const { return n_ + 1; }

  template <class T>
  LOCKSTEP_HD Sum<T> potential(const T* q) const {
    T z[kMax];
    return energy(q, exp(T(-2) * q[n_]), z);
  }
  template <class T>
  LOCKSTEP_HD Sum<T> potential_and_gradient(const T* q, T* gradient) const {
    const T precision = exp(T(-2) * q[n_]);  // 1 / sigma^2
    T z[kMax];
    const Sum<T> u = energy(q, precision, z);
    T squares = constant<T>(2 * half_rss_);
    for (int i = 0; i < n_; ++i) {
      squares = fma(z[i], z[i], squares);
    }
    for (int j = 0; j < n_; ++j) {
      T back = T(0);  // (R'z)_j
      for (int i = 0; i <= j; ++i) {
        back = fma(r_.get<T>(i * kMax + j), z[i], back);
      }
      gradient[j] = fma(precision, back, precision_.get<T>(j) * (q[j] - mean_.get<T>(j)));
    }
    // With t = (sigma / scale)^2, d/ds log(1 + t) = 2 t / (1 + t).
    const T cauchy = constant<T>(2 * cauchy_) * logistic(log_ratio(q[n_]));
    gradient[n_] = fma(-precision, squares, cauchy + constant<T>(power_));
    return u;
  }
  template <class T>
  LOCKSTEP_HD void constrain(const T* q, T* x) const {
    for (int j = 0; j < n_; ++j) {
      x[j] = q[j];
    }
    x[n_] = exp(q[n_]);
  }
  std::vector<std::string> names() const { return {names_.begin(), names_.begin() + n_ + 1}; }

 private:
  static constexpr int kMax = LinearRegressionModel::max_coefficients;

  /// 2 log(sigma / scale).
  template <class T>
  LOCKSTEP_INLINE T log_ratio(const T& s) const {
    return T(2) * (s - constant<T>(log_scale_));
  }
  /// U; leaves R (b - c) in z.
  template <class T>
  LOCKSTEP_INLINE Sum<T> energy(const T* q, const T& precision, T* z) const {
    Sum<T> u = precision * constant<T>(half_rss_);
    u += constant<T>(power_) * q[n_];
    u += constant<T>(cauchy_) * softplus(log_ratio(q[n_]));
    for (int i = 0; i < n_; ++i) {
      T sum = T(0);
      for (int j = i; j < n_; ++j) {
        sum = fma(r_.get<T>(i * kMax + j), q[j] - fit_.get<T>(j), sum);
      }
      z[i] = sum;
      u += T(0.5f) * precision * sum * sum;
    }
    for (int j = 0; j < n_; ++j) {
      const T d = q[j] - mean_.get<T>(j);
      u += T(0.5f) * precision_.get<T>(j) * d * d;
    }
    return u;
  }

  int n_;
  std::array<const char*, kMax + 1> names_;
  double power_, half_rss_, cauchy_, log_scale_;
  Constants<kMax> fit_ = {}, mean_ = {}, precision_ = {};
  Constants<kMax* kMax> r_ = {};
};

}  // namespace lockstep
