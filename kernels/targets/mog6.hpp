#pragma once

#include <cmath>

#include "kernels/lane/math.hpp"
#include "kernels/targets/constant.hpp"
#include "kernels/targets/names.hpp"
#include "lockstep/concepts.hpp"

namespace lockstep {

/// Six round normals of equal weight on a circle: radius 5, standard deviation 0.5 (Song, Zhao &
/// Ermon, "A-NICE-MC: adversarial training for MCMC", NIPS 2017, section 5.1). With
///   e_k = |q - m_k|^2 / (2 s^2),   m_k = 5 (cos(k pi / 3), sin(k pi / 3)),
///   U = e_min - log sum_k exp(e_min - e_k) + const.
struct Mog6 {
  static constexpr int dim = 2, modes = 6;

  /// @throw UsageError unless both are positive and finite.
  explicit Mog6(double radius = 5, double sd = 0.5) : radius_(radius), sd_(sd) {
    check_positive("mog6", "radius", radius);
    check_positive("mog6", "standard deviation", sd);
    precision_ = 1 / (sd * sd);
    for (int k = 0; k < modes; ++k) {
      const double angle = k * std::acos(-1.0) / 3;
      mode_[k][0] = radius * std::cos(angle);
      mode_[k][1] = radius * std::sin(angle);
    }
  }

  template <class T>
  LOCKSTEP_HD T potential(const T* q) const {
    T share[modes], sum;
    const T least = energies(q, share, sum);
    return least - log(sum);
  }
  /// dU/dq = (q - mean of the m_k by their shares of the density) / s^2.
  template <class T>
  LOCKSTEP_HD T potential_and_gradient(const T* q, T* gradient) const {
    T share[modes], sum;
    const T least = energies(q, share, sum);
    T x = T(0), y = T(0);
    LOCKSTEP_UNROLL
    for (int k = 0; k < modes; ++k) {
      x = fma(share[k], q[0] - constant<T>(mode_[k][0]), x);
      y = fma(share[k], q[1] - constant<T>(mode_[k][1]), y);
    }
    const T scale = constant<T>(precision_) / sum;
    gradient[0] = scale * x;
    gradient[1] = scale * y;
    return least - log(sum);
  }
  std::vector<std::string> names() const { return numbered_names("x", dim); }
  /// Var x = Var y = s^2 + radius^2 / 2.
  Truth truth() const {
    const double sd = std::sqrt(sd_ * sd_ + 0.5 * radius_ * radius_);
    return {{0, 0}, {sd, sd}, {}, {}, "exact"};
  }

 private:
  /// The least e_k; share[k] = exp(least - e_k), and their sum.
  template <class T>
  LOCKSTEP_INLINE T energies(const T* q, T* share, T& sum) const {
    T least = T(0);
    LOCKSTEP_UNROLL
    for (int k = 0; k < modes; ++k) {
      const T x = q[0] - constant<T>(mode_[k][0]), y = q[1] - constant<T>(mode_[k][1]);
      share[k] = constant<T>(0.5 * precision_) * fma(x, x, y * y);
      least = k == 0 ? share[k] : smaller(least, share[k]);
    }
    sum = T(0);
    LOCKSTEP_UNROLL
    for (int k = 0; k < modes; ++k) {
      share[k] = exp(least - share[k]);
      sum = sum + share[k];
    }
    return least;
  }

  double radius_, sd_, precision_;
  double mode_[modes][2];
};

}  // namespace lockstep
