#pragma once

/// Circular ridges about the origin of the plane (Song, Zhao & Ermon, "A-NICE-MC: adversarial
/// training for MCMC", NIPS 2017, section 5.1 and appendix). With r = |q| and rings of radii R_k,
///   U(q) = min_k ((r - R_k) / w)^2.

#include <cmath>

#include "kernels/lane/math.hpp"
#include "kernels/targets/constant.hpp"
#include "kernels/targets/names.hpp"
#include "lockstep/concepts.hpp"

namespace lockstep {

/// N rings of radii first, first + 1, ..., first + N - 1.
template <int N>
struct Rings {
  static constexpr int dim = 2;

  /// @throw UsageError unless both are positive and finite.
  Rings(double first, double width) : first_(first), width_(width) {
    check_positive("ring", "radius", first);
    check_positive("ring", "width", width);
    sharpness_ = 1 / (width * width);
  }

  template <class T>
  LOCKSTEP_HD T potential(const T* q) const {
    const T d = distance(q, radius(q));
    return constant<T>(sharpness_) * d * d;
  }
  /// dU/dq = 2 (r - R) / w^2 q / r. At the origin, a cone's tip, it is 0.
  template <class T>
  LOCKSTEP_HD T potential_and_gradient(const T* q, T* gradient) const {
    const T r = radius(q);
    const T d = distance(q, r);
    const T slope = constant<T>(2 * sharpness_) * d / larger(r, constant<T>(1e-30));
    gradient[0] = slope * q[0];
    gradient[1] = slope * q[1];
    return constant<T>(sharpness_) * d * d;
  }
  std::vector<std::string> names() const { return numbered_names("x", dim); }
  /// Var x = E r^2 / 2, r having the density r exp(-U(r)) on the positive numbers.
  Truth truth() const {
    double weight = 0, square = 0;
    for (int k = 0; k < N; ++k) {
      const double low = k == 0 ? 0 : first_ + k - 0.5;
      const double high = k == N - 1 ? HUGE_VAL : first_ + k + 0.5;
      weight += moment(1, first_ + k, low, high);
      square += moment(3, first_ + k, low, high);
    }
    const double sd = std::sqrt(0.5 * square / weight);
    return {{0, 0}, {sd, sd}, {}, {}, "exact"};
  }

 private:
  template <class T>
  static LOCKSTEP_INLINE T radius(const T* q) {
    return sqrt(fma(q[0], q[0], q[1] * q[1]));
  }
  /// r - R from the nearest ring, as (x^2 - R^2 + y^2) / (r + R): the rounding of r, which the
  /// ridge's steepness would magnify, does not enter.
  template <class T>
  LOCKSTEP_INLINE T distance(const T* q, const T& r) const {
    T nearest = constant<T>(first_);
    LOCKSTEP_UNROLL
    for (int k = 1; k < N; ++k) {
      nearest = select(r > constant<T>(first_ + k - 0.5), constant<T>(first_ + k), nearest);
    }
    return fma(q[1], q[1], fma(q[0], q[0], -(nearest * nearest))) / (r + nearest);
  }

  /// I_n = int_low^high r^n e(r) dr with e(r) = exp(-((r - R) / w)^2). By parts, since
  /// e' = -2 (r - R) / w^2 e,
  ///   I_{n+1} = R I_n + w^2 / 2 (n I_{n-1} - [r^n e]_low^high).
  double moment(int n, double centre, double low, double high) const {
    const auto edge = [&](int power, double r) {
      const double z = (r - centre) / width_;
      return std::isinf(r) ? 0 : std::pow(r, power) * std::exp(-z * z);
    };
    double before = 0;
    double value = 0.5 * std::sqrt(std::acos(-1.0)) * width_ *
                   (std::erf((high - centre) / width_) - std::erf((low - centre) / width_));
    for (int i = 0; i < n; ++i) {
      const double next =
          centre * value + 0.5 * width_ * width_ * (i * before - edge(i, high) + edge(i, low));
      before = value;
      value = next;
    }
    return value;
  }

  double first_, width_, sharpness_;
};

/// U = ((r - 2) / 0.4)^2.
struct Ring : Rings<1> {
  Ring() : Rings(2, 0.4) {}
};

/// U = min_k ((r - k) / 0.2)^2, k = 1, ..., 5: between rings the density falls to exp(-6.25).
struct Ring5 : Rings<5> {
  Ring5() : Rings(1, 0.2) {}
};

}  // namespace lockstep
