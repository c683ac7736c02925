#pragma once

/// Neal's funnel in ten dimensions (Neal, "Slice sampling", Ann. Statist. 31 (2003) 705, section
/// 8): v ~ N(0, 3), x_i ~ N(0, exp(v / 2)), i = 1..9, standard deviations second.

#include <cmath>
#include <limits>

#include "kernels/autodiff/gradient.hpp"
#include "kernels/targets/constant.hpp"
#include "kernels/targets/names.hpp"
#include "kernels/targets/normal.hpp"
#include "kernels/targets/quad_sum.hpp"

namespace lockstep {

inline std::vector<std::string> funnel_names(int dim) {
  std::vector<std::string> names = numbered_names("x", dim - 1);
  names.insert(names.begin(), "v");
  return names;
}

/// v: mean 0, sd 3. x_i: mean 0; the sd is exp(9/4) = 9.4877, but it is left unknown here, because
/// no run could be compared with it: E[x_i^4] = 3 exp(18), so a sample variance needs 24000
/// independent draws for each that a normal needs.
inline Truth funnel_truth(int dim) {
  const auto d = static_cast<std::size_t>(dim);
  Truth t{std::vector<double>(d, 0.0),
          std::vector<double>(d, std::numeric_limits<double>::quiet_NaN()),
          {},
          {},
          "exact"};
  t.sd[0] = 3;
  return t;
}

/// Centred: q = (v, x_1..x_9), U = v^2 / 18 + sum_i [x_i^2 exp(-v) / 2 + v / 2]. Its narrow end is
/// out of reach of any fixed step size.
struct Funnel {
  static constexpr int dim = 10;

  template <class T>
  LOCKSTEP_HD Sum<T> potential(const T* q) const {
    const T half_precision = T(0.5f) * exp(-q[0]);
    return energy(q, half_precision);
  }
  template <class T>
  LOCKSTEP_HD Sum<T> potential_and_gradient(const T* q, T* gradient) const {
    const T precision = exp(-q[0]);
    T r2 = T(0);
    LOCKSTEP_UNROLL
    for (int j = 1; j < dim; ++j) {
      gradient[j] = precision * q[j];
      r2 = fma(q[j], q[j], r2);
    }
    gradient[0] = v_slope(q[0], precision * r2);
    return energy(q, T(0.5f) * precision);
  }
  template <class T>
  LOCKSTEP_HD void kick(const T* q, T scale, T* p) const {
    const T precision = exp(-q[0]);
    const T scaled = scale * precision;
    T r2 = T(0);
    LOCKSTEP_UNROLL
    for (int j = 1; j < dim; ++j) {
      p[j] = fma(scaled, q[j], p[j]);
      r2 = fma(q[j], q[j], r2);
    }
    p[0] = fma(scale, v_slope(q[0], precision * r2), p[0]);
  }
  std::vector<std::string> names() const { return funnel_names(dim); }
  Truth truth() const { return funnel_truth(dim); }

 private:
  template <class T>
  LOCKSTEP_INLINE Sum<T> energy(const T* q, const T& half_precision) const {
    return quad_sum<T>(*this, [&](int j) {
      return j == 0 ? q[0] * fma(constant<T>(1.0 / 18), q[0], constant<T>(0.5 * (dim - 1)))
                    : half_precision * q[j] * q[j];
    });
  }
  /// dU/dv = v / 9 + (9 - exp(-v) sum x^2) / 2.
  template <class T>
  LOCKSTEP_INLINE T v_slope(const T& v, const T& scaled_r2) const {
    return fma(constant<T>(1.0 / 9), v, T(0.5f) * (T(dim - 1) - scaled_r2));
  }
};

/// Non-centred: q ~ N(0, I), v = 3 q_0, x_i = exp(v / 2) q_i; reported as (v, x_1..x_9).
struct FunnelNc : StandardNormal<FunnelNc> {
  static constexpr int dim = 10;

  template <class T>
  LOCKSTEP_HD void constrain(const T* q, T* x) const {
    const T sd = exp(T(1.5f) * q[0]);
    x[0] = T(3) * q[0];
    LOCKSTEP_UNROLL
    for (int j = 1; j < dim; ++j) {
      x[j] = sd * q[j];
    }
  }
  std::vector<std::string> names() const { return funnel_names(dim); }
  Truth truth() const { return funnel_truth(dim); }
};

}  // namespace lockstep
