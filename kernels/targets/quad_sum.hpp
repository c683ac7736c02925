#pragma once

#include "kernels/lane/sum.hpp"
#include "lockstep/concepts.hpp"

namespace lockstep {

/// Coordinate j belongs to quad j / kQuad.
inline constexpr int kQuad = 4;

/// sum_j term(j) over `dimension(target)` coordinates, in the one order that every energy uses:
/// plain within a quad, from its lowest coordinate up, compensated across quads in index order.
/// A quad shares one compensation, which costs six operations against three additions; the order is
/// fixed so that threads that share a chain by whole quads add up the same numbers.
template <class L, class Target, class Term>
LOCKSTEP_INLINE Sum<L> quad_sum(const Target& target, Term term) {
  Sum<L> sum;
  const auto add_quad = [&](int first, int end) {
    L quad = term(first);
    LOCKSTEP_UNROLL
    for (int j = first + 1; j < end; ++j) {
      quad = quad + term(j);
    }
    sum += quad;
  };
  if constexpr (HasStaticDimension<Target>) {
    LOCKSTEP_UNROLL
    for (int first = 0; first < Target::dim; first += kQuad) {
      add_quad(first, first + kQuad < Target::dim ? first + kQuad : Target::dim);
    }
  } else {
    const int d = dimension(target);
    for (int first = 0; first < d; first += kQuad) {
      add_quad(first, first + kQuad < d ? first + kQuad : d);
    }
  }
  return sum;
}

}  // namespace lockstep
