#pragma once

/// One fully connected layer for the chains of a lane: every chain reads the same weights, so a
/// multiply-add takes one weight for the whole lane. A tile of outputs is summed at once: enough
/// independent sums to fill the pipes.

#include "kernels/lane/math.hpp"
#include "kernels/networks/layout.hpp"

namespace lockstep::dense {

/// Sums in flight.
inline constexpr int kTile = 8;

/// Calls f(first, integral_constant<int, count>) for tiles that cover [0, n): eights, then what is
/// left in a four, a two and a one.
/// @tparam Fixed  n is known to the compiler
template <int Tile = kTile, bool Fixed = false, class F>
LOCKSTEP_INLINE void for_tiles(int n, F f, int first = 0) {
  const int whole = (n - first) / Tile;
  for_range<Fixed>(whole, [&](int i) { f(first + i * Tile, std::integral_constant<int, Tile>{}); });
  if constexpr (Tile > 1) {
    for_tiles<Tile / 2, Fixed>(n, f, first + whole * Tile);
  }
}

/// out(o, bias_o + sum_i weights[i][o] in_i) for o = 0 .. outputs - 1.
///
/// @param weights  [inputs][outputs]
/// @param in       [inputs]
/// @param bias     [outputs]
/// @tparam Fixed   the sizes are known to the compiler
template <bool Fixed = false, class L, class F>
LOCKSTEP_INLINE void forward(const Scalar<L>* weights, const Scalar<L>* bias, int inputs,
                             int outputs, const L* in, F out) {
  for_tiles<kTile, Fixed>(outputs, [&](int first, auto count) {
    constexpr int n = decltype(count)::value;
    L sum[n];
    LOCKSTEP_UNROLL
    for (int k = 0; k < n; ++k) {
      sum[k] = L(bias[first + k]);
    }
    for_range<Fixed>(inputs, [&](int i) {
      const Scalar<L>* row = weights + i * outputs + first;
      LOCKSTEP_UNROLL
      for (int k = 0; k < n; ++k) {
        sum[k] = fma(L(row[k]), in[i], sum[k]);
      }
    });
    LOCKSTEP_UNROLL
    for (int k = 0; k < n; ++k) {
      out(first + k, sum[k]);
    }
  });
}

/// in(i, sum_o weights[i][o] out_o) for i = 0 .. inputs - 1: the adjoint of `forward`.
///
/// @param rows  only the first so many inputs are wanted
template <class L, class F>
LOCKSTEP_INLINE void backward(const Scalar<L>* weights, int rows, int outputs, const L* out, F in) {
  for_tiles(rows, [&](int first, auto count) {
    constexpr int n = decltype(count)::value;
    L sum[n];
    LOCKSTEP_UNROLL
    for (int k = 0; k < n; ++k) {
      sum[k] = L(0);
    }
    const Scalar<L>* at = weights + first * outputs;
    for (int o = 0; o < outputs; ++o) {
      const L x = out[o];
      LOCKSTEP_UNROLL
      for (int k = 0; k < n; ++k) {
        sum[k] = fma(L(at[k * outputs + o]), x, sum[k]);
      }
    }
    LOCKSTEP_UNROLL
    for (int k = 0; k < n; ++k) {
      in(first + k, sum[k]);
    }
  });
}

/// The register within a lane: many sums of products need no more than one each.
template <class L>
struct InnermostOf {
  using Type = L;
};
template <class L>
struct InnermostOf<Twin<L>> : InnermostOf<L> {};
template <class L>
using Innermost = typename InnermostOf<L>::Type;

/// sum + a b, the products of all registers of a lane into one.
template <class H, class L>
LOCKSTEP_INLINE H add_product(const H& sum, const L& a, const L& b) {
  if constexpr (is_twin<L>) {
    return add_product(add_product(sum, a.lo, b.lo), a.hi, b.hi);
  } else {
    return fma(a, b, sum);
  }
}

/// The sum over a lane's chains, in a fixed order.
template <class L>
LOCKSTEP_INLINE Scalar<L> over_chains(const L& x) {
  if constexpr (is_twin<L>) {
    return over_chains(x.lo + x.hi);
  } else if constexpr (width<L> == 1) {
    return x;
  } else {
#if LOCKSTEP_WITH_XSIMD && defined(__AVX512F__)
    if constexpr (sizeof(L) == sizeof(__m512)) {
      if constexpr (std::is_same_v<Scalar<L>, float>) {
        return _mm512_reduce_add_ps(x);
      } else {
        return _mm512_reduce_add_pd(x);
      }
    }
#endif
    Scalar<L> values[width<L>];
    store_lane(values, x);
    for (int n = width<L> / 2; n > 0; n /= 2) {
      for (int i = 0; i < n; ++i) {
        values[i] += values[i + n];
      }
    }
    return values[0];
  }
}

}  // namespace lockstep::dense
