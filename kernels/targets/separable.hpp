#pragma once

#include "kernels/autodiff/gradient.hpp"
#include "kernels/targets/quad_sum.hpp"

namespace lockstep {

/// The whole target, from one coordinate's: for U(q) = sum_j u_j(q_j) a `Derived` writes
///   T term(int j, T x)                 u_j(x),
///   T slope(int j, T x)                u_j'(x),
///   T kick_term(int j, T x, T scale, T p)   p + scale u_j'(x), fused as suits it,
/// and where both share work also
///   T term_and_slope(int j, T x, T& slope).
template <class Derived>
struct SeparableTarget {
  static constexpr bool separable = true;

  template <class T>
  LOCKSTEP_HD Sum<T> potential(const T* q) const {
    return quad_sum<T>(self(), [&](int j) { return self().term(j, q[j]); });
  }

  template <class T>
  LOCKSTEP_HD Sum<T> potential_and_gradient(const T* q, T* gradient) const {
    return quad_sum<T>(self(), [&](int j) {
      if constexpr (requires(T & s) { self().term_and_slope(j, q[j], s); }) {
        return self().term_and_slope(j, q[j], gradient[j]);
      } else {
        gradient[j] = self().slope(j, q[j]);
        return self().term(j, q[j]);
      }
    });
  }

  template <class T>
  LOCKSTEP_HD void kick(const T* q, T scale, T* p) const {
    for_coordinates(self(), [&](int j) { p[j] = self().kick_term(j, q[j], scale, p[j]); });
  }

 private:
  LOCKSTEP_INLINE const Derived& self() const { return static_cast<const Derived&>(*this); }
};

}  // namespace lockstep
