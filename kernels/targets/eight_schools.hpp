#pragma once

/// Eight schools (Rubin, "Estimation in parallel randomized experiments", J. Educ. Stat. 6 (1981)
/// 377): y_j ~ N(theta_j, sigma_j), theta_j ~ N(mu, tau), mu ~ N(m, d), tau ~ HalfCauchy(0, 5);
/// standard deviations second. Unconstrained last coordinate s = log tau.

#include <cmath>

#include "kernels/autodiff/gradient.hpp"
#include "kernels/targets/constant.hpp"
#include "kernels/targets/names.hpp"
#include "kernels/targets/quad_sum.hpp"

namespace lockstep {

/// The prior of mu: N(mean, sd).
struct NormalPrior {
  double mean = 0, sd = 5;
};

/// tau ~ HalfCauchy(0, 5), of s = log tau: log(1 + tau^2 / 25) - s, the Jacobian in it.
struct HalfCauchySpread {
  static constexpr double scale = 5;

  /// log(1 + tau^2 / 25) = softplus(2 s - log 25), which does not overflow before s does.
  template <class T>
  static LOCKSTEP_INLINE T term(const T& s) {
    return softplus(fma(T(2), s, constant<T>(-2 * std::log(scale)))) - s;
  }
  /// 2 tau^2 / (25 + tau^2) - 1.
  template <class T>
  static LOCKSTEP_INLINE T slope(const T&, const T& tau) {
    constexpr double square = scale * scale;
    return T(1) - constant<T>(2 * square) / fma(tau, tau, constant<T>(square));
  }
};

/// log tau ~ N(5, 1): s is the parameter itself.
struct LogNormalSpread {
  template <class T>
  static LOCKSTEP_INLINE T term(const T& s) {
    return T(0.5f) * (s - T(5)) * (s - T(5));
  }
  template <class T>
  static LOCKSTEP_INLINE T slope(const T& s, const T&) {
    return s - T(5);
  }
};

/// Data and hyperpriors, shared by both parametrisations.
struct EightSchoolsModel {
  static constexpr int schools = 8;
  static constexpr int dim = schools + 2;
  static constexpr int mu = schools, log_tau = schools + 1;  // their places in q
  static constexpr double effect[schools] = {28, 8, -3, 7, -1, 1, 18, 12};
  static constexpr double error[schools] = {15, 10, 16, 11, 9, 11, 10, 18};

  /// @throw UsageError unless the prior's mean is finite and its sd positive and finite.
  explicit EightSchoolsModel(NormalPrior prior) : prior_mean_(prior.mean) {
    require(std::isfinite(prior.mean), "eight-schools: prior mean of mu is " +
                                           std::to_string(prior.mean) + ", but must be finite");
    check_positive("eight-schools", "prior sd of mu", prior.sd);
    prior_precision_ = 1 / (prior.sd * prior.sd);
    for (int j = 0; j < schools; ++j) {
      precision_.set(j, 1 / (error[j] * error[j]));
      weighted_effect_.set(j, effect[j] / (error[j] * error[j]));
      effect_.set(j, effect[j]);
    }
  }

  std::vector<std::string> names() const {
    std::vector<std::string> names = numbered_names("theta", schools);
    names.insert(names.end(), {"mu", "tau"});
    return names;
  }

 protected:
  /// (theta_j - y_j)^2 / (2 sigma_j^2).
  template <class T>
  LOCKSTEP_INLINE T misfit(int j, const T& theta) const {
    const T r = theta - effect_.get<T>(j);
    return T(0.5f) * r * (precision_.get<T>(j) * r);
  }
  /// (theta_j - y_j) / sigma_j^2.
  template <class T>
  LOCKSTEP_INLINE T misfit_slope(int j, const T& theta) const {
    return fma(theta, precision_.get<T>(j), -weighted_effect_.get<T>(j));
  }
  template <class T>
  LOCKSTEP_INLINE T mu_term(const T& mu) const {
    const T r = mu - constant<T>(prior_mean_);
    return constant<T>(0.5 * prior_precision_) * r * r;
  }
  template <class T>
  LOCKSTEP_INLINE T mu_slope(const T& mu) const {
    return constant<T>(prior_precision_) * (mu - constant<T>(prior_mean_));
  }

 private:
  double prior_mean_, prior_precision_;
  Constants<schools> precision_, weighted_effect_, effect_;
};

/// Centred: q = (theta_1..theta_8, mu, s), a funnel, hard on purpose.
///   U = sum_j [(theta_j - mu)^2 / (2 tau^2) + s + (y_j - theta_j)^2 / (2 sigma_j^2)]
///       + (mu - m)^2 / (2 d^2) + log(1 + tau^2 / 25) - s.
struct EightSchools : EightSchoolsModel {
  explicit EightSchools(NormalPrior prior = {}) : EightSchoolsModel(prior) {}

  template <class T>
  LOCKSTEP_HD Sum<T> potential(const T* q) const {
    return energy(q, exp(T(-2) * q[log_tau]));
  }
  template <class T>
  LOCKSTEP_HD Sum<T> potential_and_gradient(const T* q, T* gradient) const {
    const T precision = exp(T(-2) * q[log_tau]);
    LOCKSTEP_UNROLL
    for (int j = 0; j < dim; ++j) {
      gradient[j] = T(0);
    }
    add_gradient(q, precision, T(1), gradient);
    return energy(q, precision);
  }
  template <class T>
  LOCKSTEP_HD void kick(const T* q, T scale, T* p) const {
    add_gradient(q, exp(T(-2) * q[log_tau]), scale, p);
  }
  template <class T>
  LOCKSTEP_HD void constrain(const T* q, T* x) const {
    LOCKSTEP_UNROLL
    for (int j = 0; j < dim; ++j) {
      x[j] = j == log_tau ? exp(q[j]) : q[j];
    }
  }

 private:
  /// `precision` is 1 / tau^2.
  template <class T>
  LOCKSTEP_INLINE Sum<T> energy(const T* q, const T& precision) const {
    return quad_sum<T>(*this, [&](int j) {
      if (j < schools) {
        const T r = q[j] - q[mu];
        return fma(T(0.5f) * precision * r, r, misfit(j, q[j]));
      }
      return j == mu ? mu_term(q[mu])
                     : fma(T(schools), q[log_tau], HalfCauchySpread::term(q[log_tau]));
    });
  }
  /// p += scale dU/dq.
  template <class T>
  LOCKSTEP_INLINE void add_gradient(const T* q, const T& precision, const T& scale, T* p) const {
    T pull = T(0), spread = T(0);  // sum (theta - mu), sum (theta - mu)^2
    const T scaled = scale * precision;
    LOCKSTEP_UNROLL
    for (int j = 0; j < schools; ++j) {
      const T r = q[j] - q[mu];
      pull = pull + r;
      spread = fma(r, r, spread);
      p[j] = fma(scaled, r, fma(scale, misfit_slope(j, q[j]), p[j]));
    }
    p[mu] = fma(scale, fma(-precision, pull, mu_slope(q[mu])), p[mu]);
    // With i = 1 / tau^2: 2 tau^2 / (25 + tau^2) = 2 / (1 + 25 i).
    const T prior =
        T(2) / fma(constant<T>(HalfCauchySpread::scale * HalfCauchySpread::scale), precision, T(1));
    p[log_tau] = fma(scale, fma(-precision, spread, prior + T(schools - 1)), p[log_tau]);
  }
};

/// Non-centred: q = (t_1..t_8, mu, s), theta_j = mu + tau t_j.
///   U = sum_j [t_j^2 / 2 + (y_j - mu - tau t_j)^2 / (2 sigma_j^2)]
///       + (mu - m)^2 / (2 d^2) + Spread::term(s).
/// @tparam Spread  the prior of tau
template <class Spread>
struct NonCentredSchools : EightSchoolsModel {
  explicit NonCentredSchools(NormalPrior prior) : EightSchoolsModel(prior) {}

  template <class T>
  LOCKSTEP_HD Sum<T> potential(const T* q) const {
    return energy(q, exp(q[log_tau]));
  }
  template <class T>
  LOCKSTEP_HD Sum<T> potential_and_gradient(const T* q, T* gradient) const {
    const T tau = exp(q[log_tau]);
    LOCKSTEP_UNROLL
    for (int j = 0; j < dim; ++j) {
      gradient[j] = T(0);
    }
    add_gradient(q, tau, T(1), gradient);
    return energy(q, tau);
  }
  template <class T>
  LOCKSTEP_HD void kick(const T* q, T scale, T* p) const {
    add_gradient(q, exp(q[log_tau]), scale, p);
  }

 protected:
  /// theta and mu of q into x; returns tau.
  template <class T>
  static LOCKSTEP_INLINE T centre(const T* q, T* x) {
    const T tau = exp(q[log_tau]);
    LOCKSTEP_UNROLL
    for (int j = 0; j < schools; ++j) {
      x[j] = fma(tau, q[j], q[mu]);
    }
    x[mu] = q[mu];
    return tau;
  }

 private:
  template <class T>
  LOCKSTEP_INLINE Sum<T> energy(const T* q, const T& tau) const {
    return quad_sum<T>(*this, [&](int j) {
      if (j < schools) {
        return fma(T(0.5f) * q[j], q[j], misfit(j, fma(tau, q[j], q[mu])));
      }
      return j == mu ? mu_term(q[mu]) : Spread::term(q[log_tau]);
    });
  }
  /// p += scale dU/dq.
  template <class T>
  LOCKSTEP_INLINE void add_gradient(const T* q, const T& tau, const T& scale, T* p) const {
    T pull = T(0), stretch = T(0);  // with r = (theta - y) / sigma^2: sum r, sum t r
    const T scaled = scale * tau;
    LOCKSTEP_UNROLL
    for (int j = 0; j < schools; ++j) {
      const T r = misfit_slope(j, fma(tau, q[j], q[mu]));
      pull = pull + r;
      stretch = fma(q[j], r, stretch);
      p[j] = fma(scaled, r, fma(scale, q[j], p[j]));
    }
    p[mu] = fma(scale, pull + mu_slope(q[mu]), p[mu]);
    p[log_tau] = fma(scale, fma(tau, stretch, Spread::slope(q[log_tau], tau)), p[log_tau]);
  }
};

/// The same posterior as EightSchools; reported as (theta, mu, tau).
struct EightSchoolsNc : NonCentredSchools<HalfCauchySpread> {
  explicit EightSchoolsNc(NormalPrior prior = {}) : NonCentredSchools(prior) {}

  template <class T>
  LOCKSTEP_HD void constrain(const T* q, T* x) const {
    x[log_tau] = centre(q, x);
  }
};

/// With the priors of inference_gym, mu ~ N(0, 10) and log tau ~ N(5, 1), and its names; reported
/// as (theta, mu, log tau).
struct EightSchoolsLogNormal : NonCentredSchools<LogNormalSpread> {
  EightSchoolsLogNormal() : NonCentredSchools(NormalPrior{0, 10}) {}

  template <class T>
  LOCKSTEP_HD void constrain(const T* q, T* x) const {
    centre(q, x);
    x[log_tau] = q[log_tau];
  }
  std::vector<std::string> names() const {
    std::vector<std::string> names = numbered_names("school_effects", schools);
    names.insert(names.end(), {"avg_effect", "log_stddev"});
    return names;
  }
};

}  // namespace lockstep
