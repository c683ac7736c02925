#pragma once

/// One way to evaluate any target: the hand-written function where the target has one, forward
/// differentiation where it has only `potential`.

#include "kernels/autodiff/dual.hpp"
#include "lockstep/concepts.hpp"

namespace lockstep {

/// Derivatives carried at once: enough to amortise the potential's own arithmetic, few enough to
/// stay in registers.
inline constexpr int kDualChunk = 4;

/// Calls f(j) for every coordinate; unrolled completely when their number is known, so that arrays
/// indexed by j stay in registers.
template <class Target, class F>
LOCKSTEP_INLINE void for_coordinates(const Target& target, F f) {
  if constexpr (HasStaticDimension<Target>) {
    LOCKSTEP_UNROLL
    for (int j = 0; j < Target::dim; ++j) {
      f(j);
    }
  } else {
    const int d = target.dim();
    for (int j = 0; j < d; ++j) {
      f(j);
    }
  }
}

/// U(q), as a compensated sum.
/// @param q  [dim(target)], unconstrained.
template <class Target, class L>
LOCKSTEP_INLINE Sum<L> potential(const Target& target, const L* q) {
  return Sum<L>(target.potential(q));
}

/// U(q); writes dU/dq into `gradient`, [dim(target)].
template <class Target, class L>
LOCKSTEP_HD inline Sum<L> potential_and_gradient(const Target& target, const L* q, L* gradient) {
  if constexpr (HasGradient<Target, L>) {
    return Sum<L>(target.potential_and_gradient(q, gradient));
  } else {
    constexpr int chunk = capacity<Target> < kDualChunk ? capacity<Target> : kDualChunk;
    using D = Dual<L, chunk>;
    const int d = dimension(target);
    D x[capacity<Target>];
    for_coordinates(target, [&](int j) { x[j] = D(q[j]); });
    Sum<L> u;
    for (int first = 0; first < d; first += chunk) {
      for (int k = 0; k < chunk && first + k < d; ++k) {
        x[first + k].d[k] = L(1);
      }
      const auto result = Sum<D>(target.potential(static_cast<const D*>(x)));
      for (int k = 0; k < chunk && first + k < d; ++k) {
        gradient[first + k] = result.hi.d[k] + result.lo.d[k];
        x[first + k].d[k] = L(0);
      }
      u = Sum<L>(result.hi.value, result.lo.value);
    }
    return u;
  }
}

/// H(q) v, the directional derivative of the gradient along v: written by hand, or a Dual over the
/// gradient.
/// @param q, v, product  [dim(target)].
template <class Target, class L>
LOCKSTEP_HD inline void hessian_vector(const Target& target, const L* q, const L* v, L* product) {
  if constexpr (HasHessianVector<Target, L>) {
    target.hessian_vector(q, v, product);
  } else {
    using D = Dual<L, 1>;
    D x[capacity<Target>];
    D g[capacity<Target>];
    for_coordinates(target, [&](int j) {
      x[j] = D(q[j]);
      x[j].d[0] = v[j];
    });
    potential_and_gradient(target, static_cast<const D*>(x), g);
    for_coordinates(target, [&](int j) { product[j] = g[j].d[0]; });
  }
}

}  // namespace lockstep
