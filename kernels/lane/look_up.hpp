#pragma once

/// What lanes have no instruction for, one chain after the other.

#include "kernels/lane/lane.hpp"

namespace lockstep {

/// f(x) of each chain's number.
/// @param f  (Scalar) -> Scalar
template <class L, class F>
LOCKSTEP_INLINE L each_number(const L& x, F f) {
  if constexpr (width<L> == 1) {
    return f(x);
  } else if constexpr (is_twin<L>) {
    return {each_number(x.lo, f), each_number(x.hi, f)};
  } else {
    Scalar<L> at[width<L>];
    store_lane(at, x);
    for (int i = 0; i < width<L>; ++i) {
      at[i] = f(at[i]);
    }
    return load_lane<L>(at);
  }
}

/// table[index] of each chain's index, a whole number inside the table.
template <class L>
LOCKSTEP_INLINE L look_up(const Scalar<L>* table, const L& index) {
  return each_number(index, [table](Scalar<L> i) { return table[static_cast<int>(i)]; });
}

}  // namespace lockstep
