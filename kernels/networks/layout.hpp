#pragma once

/// Where a network's numbers are: offsets into `Network::parameters` and into the array that
/// kernels read.

#include "lockstep/config.hpp"
#include "lockstep/network.hpp"

/// Leaves the next loop a loop, on CUDA, where compilers unroll most eagerly.
#if defined(__CUDA_ARCH__)
#define LOCKSTEP_KEEP_LOOP LOCKSTEP_PRAGMA(unroll 1)
#else
#define LOCKSTEP_KEEP_LOOP
#endif

namespace lockstep {

/// Offsets within one of the two networks, from its first parameter. `Shape` has dim, width and
/// hidden, known when the program runs or when it is compiled.
template <class Shape>
struct NetworkLayout : Shape {
  using Shape::dim, Shape::hidden, Shape::width;

  /// The first layer's rows: a [dim], b [dim], cos and sin of the time.
  LOCKSTEP_INLINE constexpr int inputs() const { return 2 * dim + 2; }
  /// S, Q and T.
  LOCKSTEP_INLINE constexpr int outputs() const { return 3 * dim; }

  LOCKSTEP_INLINE constexpr int weights(int layer) const {
    return layer == 0 ? 0 : (inputs() + 1) * width + (layer - 1) * (width + 1) * width;
  }
  LOCKSTEP_INLINE constexpr int bias(int layer) const {
    return weights(layer) + (layer == 0 ? inputs() : width) * width;
  }
  LOCKSTEP_INLINE constexpr int heads() const { return weights(hidden); }
  LOCKSTEP_INLINE constexpr int heads_bias() const { return heads() + width * outputs(); }
  /// s, then q.
  LOCKSTEP_INLINE constexpr int log_scales() const { return heads_bias() + outputs(); }
  LOCKSTEP_INLINE constexpr int size() const { return log_scales() + 2 * dim; }
};

/// A shape known when the program runs.
struct AnyShape {
  static constexpr bool fixed = false;
  int dim, width, hidden;
};

/// A shape known to the compiler, which then unrolls every loop over it: for CUDA threads, whose
/// registers are the only place where small networks' units can live.
template <int Dim, int Width, int Hidden>
struct FixedShape {
  static constexpr bool fixed = true;
  static constexpr int dim = Dim, width = Width, hidden = Hidden;
};

/// Calls f(i) for i = 0 .. n - 1; unrolled if n is known to the compiler.
template <bool Fixed, class F>
LOCKSTEP_INLINE void for_range(int n, F f) {
  if constexpr (Fixed) {
    LOCKSTEP_UNROLL
    for (int i = 0; i < n; ++i) {
      f(i);
    }
  } else {
    for (int i = 0; i < n; ++i) {
      f(i);
    }
  }
}

/// Offsets in the array that kernels read: the parameters, then what follows from them and is the
/// same in every evaluation (networks/packed.hpp fills it).
template <class Shape>
struct L2hmcLayout {
  NetworkLayout<Shape> net;
  int steps;

  LOCKSTEP_INLINE constexpr int v() const { return 1; }
  LOCKSTEP_INLINE constexpr int x() const { return v() + net.size(); }
  /// log step size, V and X: what is trained.
  LOCKSTEP_INLINE constexpr int parameters() const { return x() + net.size(); }

  /// exp(s), exp(q) of V, then of X.
  LOCKSTEP_INLINE constexpr int v_scales() const { return parameters(); }
  LOCKSTEP_INLINE constexpr int x_scales() const { return v_scales() + 2 * net.dim; }
  /// cos, sin of 2 pi t / T, [steps][2].
  LOCKSTEP_INLINE constexpr int times() const { return x_scales() + 2 * net.dim; }
  /// [steps][dim], 0 or 1.
  LOCKSTEP_INLINE constexpr int masks() const { return times() + 2 * steps; }
  /// [dim].
  LOCKSTEP_INLINE constexpr int scale() const { return masks() + steps * net.dim; }
  LOCKSTEP_INLINE constexpr int size() const { return scale() + net.dim; }
};

using AnyLayout = L2hmcLayout<AnyShape>;

inline AnyLayout layout_of(const NetworkShape& s) {
  return {{{s.dim, s.width, s.hidden}}, s.steps};
}

}  // namespace lockstep
