#pragma once

#include "kernels/lane/lane.hpp"

namespace lockstep {

/// A constant that was computed in double, rounded once to the lane's own precision.
template <class T>
LOCKSTEP_INLINE T constant(double x) {
  return T(static_cast<Scalar<T>>(x));
}

/// N constants computed in double, kept in both precisions: a vector loop then broadcasts each from
/// memory instead of converting it.
template <int N>
struct Constants {
  double as_double[N];
  float as_float[N];

  constexpr void set(int j, double x) {
    as_double[j] = x;
    as_float[j] = static_cast<float>(x);
  }
  template <class T>
  LOCKSTEP_INLINE T get(int j) const {
    if constexpr (std::is_same_v<Scalar<T>, float>) {
      return T(as_float[j]);
    } else {
      return T(as_double[j]);
    }
  }
};

}  // namespace lockstep
