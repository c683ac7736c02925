#pragma once

/// Two round normals of equal weight in the plane. A sampler that does not jump between them fails.

#include <cmath>

#include "kernels/lane/approximate.hpp"
#include "kernels/targets/constant.hpp"
#include "kernels/targets/names.hpp"
#include "lockstep/concepts.hpp"

namespace lockstep {

/// Modes at (+-2, 0), variance 0.1 each (Levy, Hoffman & Sohl-Dickstein, ICLR 2018, section 5.1):
///   U(x, y) = ((|x| - m)^2 + y^2) / (2 v) - log(1 + exp(-2 m |x| / v)) + const.
struct Mog {
  static constexpr int dim = 2;

  /// @throw UsageError unless both are positive and finite.
  explicit Mog(double mode = 2, double variance = 0.1) : mode_(mode), variance_(variance) {
    check_positive("mog", "mode", mode);
    check_positive("mog", "variance", variance);
    precision_ = 1 / variance;
    pull_ = mode / variance;
  }

  template <class T>
  LOCKSTEP_HD T potential(const T* q) const {
    const T far = abs(q[0]);
    const T near = far - constant<T>(mode_);
    const T r2 = fma(near, near, q[1] * q[1]);
    return fma(constant<T>(0.5 * precision_), r2, -log1p(exp(constant<T>(-2 * pull_) * far)));
  }
  template <class T>
  LOCKSTEP_HD T potential_and_gradient(const T* q, T* gradient) const {
    gradient[0] = slope(q[0], logistic(steepness<T>() * q[0]));
    gradient[1] = constant<T>(precision_) * q[1];
    return potential(q);
  }
  template <class T>
  LOCKSTEP_HD void kick(const T* q, T scale, T* p) const {
    p[0] = fma(scale, slope(q[0], approximate_logistic(steepness<T>() * q[0])), p[0]);
    p[1] = fma(scale * constant<T>(precision_), q[1], p[1]);
  }
  /// The share s changes by (2 m / v) s (1 - s) with x.
  template <class T>
  LOCKSTEP_HD void hessian_vector(const T* q, const T* v, T* product) const {
    const T share = logistic(steepness<T>() * q[0]);
    const T bend = constant<T>(4 * pull_ * pull_) * share * (T(1) - share);
    product[0] = (constant<T>(precision_) - bend) * v[0];
    product[1] = constant<T>(precision_) * v[1];
  }
  std::vector<std::string> names() const { return numbered_names("x", dim); }
  /// Var x = v + m^2, Var y = v.
  Truth truth() const {
    return {{0, 0}, {std::sqrt(variance_ + mode_ * mode_), std::sqrt(variance_)}, {}, {}, "exact"};
  }

 private:
  /// The right mode's share of the density at x is 1 / (1 + exp(-2 m x / v)).
  template <class T>
  LOCKSTEP_INLINE T steepness() const {
    return constant<T>(2 * pull_);
  }
  /// dU/dx = (x + m) / v - (2 m / v) share.
  template <class T>
  LOCKSTEP_INLINE T slope(const T& x, const T& share) const {
    return fma(-steepness<T>(), share, fma(constant<T>(precision_), x, constant<T>(pull_)));
  }

  double mode_, variance_, precision_, pull_;
};

/// Distance 10 and unequal widths: means (-5, 0) and (5, 0), variances 3 and 0.05 (the harder
/// mixture of Levy, Hoffman & Sohl-Dickstein, ICLR 2018, section 5.1). With
///   U_i = |q - m_i|^2 / (2 v_i) + log v_i,
///   U = min(U_1, U_2) - log(1 + exp(-|U_1 - U_2|)) + const.
struct Mog2 {
  static constexpr int dim = 2;

  /// @throw UsageError unless all are positive and finite.
  explicit Mog2(double distance = 10, double wide = 3, double narrow = 0.05)
      : mode_(distance / 2), wide_(wide), narrow_(narrow) {
    check_positive("mog2", "distance", distance);
    check_positive("mog2", "wide variance", wide);
    check_positive("mog2", "narrow variance", narrow);
    wide_precision_ = 1 / wide;
    narrow_precision_ = 1 / narrow;
    log_ratio_ = std::log(narrow / wide);
  }

  template <class T>
  LOCKSTEP_HD T potential(const T* q) const {
    const Parts<T> part(*this, q);
    return part.potential();
  }
  template <class T>
  LOCKSTEP_HD T potential_and_gradient(const T* q, T* gradient) const {
    const Parts<T> part(*this, q);
    const T w = logistic(part.log_odds());
    gradient[0] = part.slope(part.wide_x, part.narrow_x, w);
    gradient[1] = part.slope(part.y, part.y, w);
    return part.potential();
  }
  template <class T>
  LOCKSTEP_HD void kick(const T* q, T scale, T* p) const {
    const Parts<T> part(*this, q);
    const T w = approximate_logistic(part.log_odds());
    p[0] = fma(scale, part.slope(part.wide_x, part.narrow_x, w), p[0]);
    p[1] = fma(scale, part.slope(part.y, part.y, w), p[1]);
  }
  /// With slopes a of the wide and b of the narrow component, whose share is w:
  ///   H v = ((1 - w) / v_1 + w / v_2) v - w (1 - w) (a - b) (a - b)'v.
  template <class T>
  LOCKSTEP_HD void hessian_vector(const T* q, const T* v, T* product) const {
    const Parts<T> part(*this, q);
    const T w = logistic(part.log_odds());
    const T x = part.wide_precision * part.wide_x - part.narrow_precision * part.narrow_x;
    const T y = (part.wide_precision - part.narrow_precision) * part.y;
    const T curvature = fma(w, part.narrow_precision - part.wide_precision, part.wide_precision);
    const T bend = w * (T(1) - w) * fma(x, v[0], y * v[1]);
    product[0] = fma(curvature, v[0], -(bend * x));
    product[1] = fma(curvature, v[1], -(bend * y));
  }
  std::vector<std::string> names() const { return numbered_names("x", dim); }
  /// Var x = (v_1 + v_2) / 2 + (distance / 2)^2, Var y = (v_1 + v_2) / 2.
  Truth truth() const {
    const double v = 0.5 * (wide_ + narrow_);
    return {{0, 0}, {std::sqrt(v + mode_ * mode_), std::sqrt(v)}, {}, {}, "exact"};
  }

 private:
  /// What energy and gradient share: offsets from the means, and both components' energies.
  template <class T>
  struct Parts {
    T wide_precision, narrow_precision;
    T wide_x, narrow_x, y;
    T wide_energy, narrow_energy;

    LOCKSTEP_INLINE Parts(const Mog2& m, const T* q)
        : wide_precision(constant<T>(m.wide_precision_)),
          narrow_precision(constant<T>(m.narrow_precision_)),
          wide_x(q[0] + constant<T>(m.mode_)),
          narrow_x(q[0] - constant<T>(m.mode_)),
          y(q[1]) {
      const T y2 = y * y;
      wide_energy = constant<T>(0.5 * m.wide_precision_) * fma(wide_x, wide_x, y2);
      narrow_energy = fma(constant<T>(0.5 * m.narrow_precision_), fma(narrow_x, narrow_x, y2),
                          constant<T>(m.log_ratio_));
    }
    LOCKSTEP_INLINE T potential() const {
      return smaller(wide_energy, narrow_energy) - log1p(exp(-abs(log_odds())));
    }
    /// Of the narrow component here, whose share of the density is 1 / (1 + exp(-log_odds)).
    LOCKSTEP_INLINE T log_odds() const { return wide_energy - narrow_energy; }
    LOCKSTEP_INLINE T slope(const T& from_wide, const T& from_narrow, const T& weight) const {
      const T wide = wide_precision * from_wide;
      return fma(weight, fma(narrow_precision, from_narrow, -wide), wide);
    }
  };

  double mode_, wide_, narrow_, wide_precision_, narrow_precision_, log_ratio_;
};

}  // namespace lockstep
