#pragma once

#include <cmath>

#include "kernels/targets/constant.hpp"
#include "kernels/targets/names.hpp"
#include "lockstep/concepts.hpp"

namespace lockstep {

/// A normal bent along a parabola (Haario, Saksman & Tamminen, Comput. Stat. 14 (1999) 375):
/// x_1 ~ N(0, 10), x_2 ~ N(0.03 (x_1^2 - 100), 1), standard deviations second.
///   U(x) = x_1^2 / 200 + r^2 / 2,   r = x_2 - 0.03 (x_1^2 - 100).
struct Banana {
  static constexpr int dim = 2;

  template <class T>
  LOCKSTEP_HD T potential(const T* q) const {
    const T r = residual(q);
    return fma(constant<T>(0.005) * q[0], q[0], T(0.5f) * r * r);
  }
  template <class T>
  LOCKSTEP_HD T potential_and_gradient(const T* q, T* gradient) const {
    const T r = residual(q);
    gradient[0] = q[0] * fma(constant<T>(-0.06), r, constant<T>(0.01));
    gradient[1] = r;
    return fma(constant<T>(0.005) * q[0], q[0], T(0.5f) * r * r);
  }
  template <class T>
  LOCKSTEP_HD void kick(const T* q, T scale, T* p) const {
    const T r = residual(q);
    p[0] = fma(scale * q[0], fma(constant<T>(-0.06), r, constant<T>(0.01)), p[0]);
    p[1] = fma(scale, r, p[1]);
  }
  std::vector<std::string> names() const { return numbered_names("x", dim); }
  /// E x_2 = 0.03 (E x_1^2 - 100) = 0; Var x_2 = 0.03^2 Var(x_1^2) + 1 = 9e-4 * 2e4 + 1 = 19.
  Truth truth() const { return {{0, 0}, {10, std::sqrt(19.0)}, {}, {}, "exact"}; }

 private:
  template <class T>
  static LOCKSTEP_INLINE T residual(const T* q) {
    return fma(constant<T>(-0.03) * q[0], q[0], q[1] + T(3));
  }
};

}  // namespace lockstep
