#pragma once

/// A random walk seen through noise, with a gap: x_1 ~ N(0, si), x_t ~ N(x_(t-1), si), and where t
/// is observed y_t ~ N(x_t, so). Thirty steps, of which the middle ten are not observed
/// (inference_gym's BrownianMotionMissingMiddleObservations).

#include <array>
#include <limits>

#include "kernels/autodiff/gradient.hpp"
#include "kernels/targets/constant.hpp"
#include "kernels/targets/names.hpp"

namespace lockstep {

/// The observations, and what both targets compute of a path x.
struct BrownianPath {
  static constexpr int steps = 30;
  /// Of the data file: NaN where there is no observation.
  using Observations = std::array<double, steps>;

  explicit BrownianPath(const Observations& y) {
    for (int t = 0; t < steps; ++t) {
      const double at = y[static_cast<std::size_t>(t)];
      const bool seen = !std::isnan(at);
      seen_.set(t, seen ? 1 : 0);
      y_.set(t, seen ? at : 0);
      observed_ += seen;
    }
  }

 protected:
  /// Sums of squares of increments and of misfits.
  template <class T>
  struct Squares {
    Sum<T> increments, misfits;
  };
  template <class T>
  LOCKSTEP_INLINE Squares<T> squares(const T* x) const {
    Squares<T> s;
    T before = T(0);
    LOCKSTEP_UNROLL
    for (int t = 0; t < steps; ++t) {
      const T step = x[t] - before, misfit = x[t] - y_.get<T>(t);
      s.increments += step * step;
      s.misfits += seen_.get<T>(t) * misfit * misfit;
      before = x[t];
    }
    return s;
  }
  /// p += dU/dx, with the precisions 1 / si^2 and 1 / so^2, or as many times that.
  template <class T>
  LOCKSTEP_INLINE void add_gradient(const T* x, const T& innovation, const T& observation,
                                    T* p) const {
    T force = innovation * x[0];  // of the increment into t
    LOCKSTEP_UNROLL
    for (int t = 0; t < steps; ++t) {
      const T next = t + 1 < steps ? innovation * (x[t + 1 < steps ? t + 1 : t] - x[t]) : T(0);
      p[t] = p[t] + fma(observation * seen_.get<T>(t), x[t] - y_.get<T>(t), force - next);
      force = next;
    }
  }

  Constants<steps> y_, seen_;
  int observed_ = 0;
};

/// c s / 2, its error too.
template <class T>
LOCKSTEP_INLINE Sum<T> half_scaled(const T& c, const Sum<T>& s) {
  const T half = T(0.5f) * c;
  return {half * s.hi, half * s.lo};
}

/// Both scales known: q = x, exactly normal.
///   U = sum_t (x_t - x_(t-1))^2 / (2 si^2) + sum_observed (y_t - x_t)^2 / (2 so^2),  x_0 = 0.
struct BrownianMotion : BrownianPath {
  static constexpr int dim = steps;

  /// @throw UsageError unless both scales are positive and finite.
  BrownianMotion(const Observations& y, double innovation_scale, double observation_scale)
      : BrownianPath(y) {
    check_positive("brownian", "innovation noise scale", innovation_scale);
    check_positive("brownian", "observation noise scale", observation_scale);
    innovation_ = 1 / (innovation_scale * innovation_scale);
    observation_ = 1 / (observation_scale * observation_scale);
  }

  template <class T>
  LOCKSTEP_HD Sum<T> potential(const T* q) const {
    const Squares<T> s = squares(q);
    return half_scaled(constant<T>(innovation_), s.increments) +
           half_scaled(constant<T>(observation_), s.misfits);
  }
  template <class T>
  LOCKSTEP_HD Sum<T> potential_and_gradient(const T* q, T* gradient) const {
    LOCKSTEP_UNROLL
    for (int t = 0; t < dim; ++t) {
      gradient[t] = T(0);
    }
    add_gradient(q, constant<T>(innovation_), constant<T>(observation_), gradient);
    return potential(q);
  }
  template <class T>
  LOCKSTEP_HD void kick(const T* q, T scale, T* p) const {
    add_gradient(q, scale * constant<T>(innovation_), scale * constant<T>(observation_), p);
  }
  std::vector<std::string> names() const { return numbered_names("locs", steps); }

 private:
  double innovation_, observation_;
};

/// Both scales unknown, log-normal with log-mean 0 and log-sd 2: q = (log si, log so, x), reported
/// with the scales themselves. A funnel towards so = 0, centred: hard on purpose.
///   U = sum_t [(x_t - x_(t-1))^2 / (2 si^2) + log si] + sum_observed [(y_t - x_t)^2 / (2 so^2)
///       + log so] + (log si)^2 / 8 + (log so)^2 / 8.
///
/// inference_gym's stored ground truth for this posterior is wrong: it has so = 0.1011 (sd 0.0444)
/// and si = 0.1198 (sd 0.0467), where integrating the path out exactly gives 0.1127 (0.0375) and
/// 0.1155 (0.0403). A sampler that reproduces the stored figures has stuck in the funnel.
struct BrownianMotionUnknown : BrownianPath {
  static constexpr int dim = steps + 2;

  explicit BrownianMotionUnknown(const Observations& y) : BrownianPath(y) {}

  template <class T>
  LOCKSTEP_HD Sum<T> potential(const T* q) const {
    return energy(q, squares(q + 2), exp(T(-2) * q[0]), exp(T(-2) * q[1]));
  }
  template <class T>
  LOCKSTEP_HD Sum<T> potential_and_gradient(const T* q, T* gradient) const {
    LOCKSTEP_UNROLL
    for (int t = 0; t < dim; ++t) {
      gradient[t] = T(0);
    }
    const T innovation = exp(T(-2) * q[0]), observation = exp(T(-2) * q[1]);
    const Squares<T> s = squares(q + 2);
    add_all(q, s, innovation, observation, T(1), gradient);
    return energy(q, s, innovation, observation);
  }
  template <class T>
  LOCKSTEP_HD void kick(const T* q, T scale, T* p) const {
    add_all(q, squares(q + 2), exp(T(-2) * q[0]), exp(T(-2) * q[1]), scale, p);
  }
  template <class T>
  LOCKSTEP_HD void constrain(const T* q, T* x) const {
    LOCKSTEP_UNROLL
    for (int j = 0; j < dim; ++j) {
      x[j] = j < 2 ? exp(q[j]) : q[j];
    }
  }
  std::vector<std::string> names() const {
    std::vector<std::string> names = numbered_names("locs", steps);
    names.insert(names.begin(), {"innovation_noise_scale", "observation_noise_scale"});
    return names;
  }

 private:
  template <class T>
  LOCKSTEP_INLINE Sum<T> energy(const T* q, const Squares<T>& s, const T& innovation,
                                const T& observation) const {
    Sum<T> u = half_scaled(innovation, s.increments) + half_scaled(observation, s.misfits);
    u += q[0] * fma(T(0.125f), q[0], T(steps));
    u += q[1] * fma(T(0.125f), q[1], T(static_cast<Scalar<T>>(observed_)));
    return u;
  }
  /// p += scale dU/dq.
  template <class T>
  LOCKSTEP_INLINE void add_all(const T* q, const Squares<T>& s, const T& innovation,
                               const T& observation, const T& scale, T* p) const {
    const T count = T(static_cast<Scalar<T>>(observed_));
    const T by_innovation = fma(-innovation, s.increments.value(), T(steps));
    const T by_observation = fma(-observation, s.misfits.value(), count);
    p[0] = fma(scale, fma(T(0.25f), q[0], by_innovation), p[0]);
    p[1] = fma(scale, fma(T(0.25f), q[1], by_observation), p[1]);
    add_gradient(q + 2, scale * innovation, scale * observation, p + 2);
  }
};

}  // namespace lockstep
