#pragma once

#include "kernels/networks/dense.hpp"
#include "kernels/networks/scratch.hpp"

namespace lockstep {

/// A volume-preserving map of position and velocity, and its inverse (NICE: Dinh, Krueger & Bengio,
/// 2014), for the chains of a lane:
///   forwards   v += f1(q),  q += f2(v),  v += f3(q)
///   backwards  v -= f3(q),  q -= f2(v),  v -= f1(q)
/// with f networks of `hidden` layers of `width` units, max(x, 0) after each.
template <class S>
struct NiceFlow {
  /// f1, f2, f3, one after the other; of each, layer by layer, weights [inputs][outputs] and biases
  /// [outputs].
  const S* weights;
  int dim, width, hidden;

  /// Numbers in one f.
  static LOCKSTEP_INLINE constexpr int size(int dim, int width, int hidden) {
    return (dim + 1) * width + (hidden - 1) * (width + 1) * width + (width + 1) * dim;
  }

  /// Moves (q, v), [dim] each, in place, some chains forwards and some backwards. Where the two
  /// ways need different networks both are evaluated: five evaluations instead of three.
  template <class L>
  LOCKSTEP_INLINE void operator()(const Mask<L>& forward, L* q, L* v) const {
    Scratch<L, AnyShape, 0> scratch(2 * width + 2 * dim);
    L* first = scratch.data() + 2 * width;
    L* second = first + dim;
    const L sign = select(forward, L(1), L(-1));
    const auto add = [&](L* x, const L* f) {
      for (int j = 0; j < dim; ++j) {
        x[j] = fma(sign, f[j], x[j]);
      }
    };
    const auto add_either = [&](const Mask<L>& mask) {  // to v, from q: f1 where it holds, else f3
      evaluate(0, q, first, scratch.data());
      evaluate(2, q, second, scratch.data());
      for (int j = 0; j < dim; ++j) {
        first[j] = select(mask, first[j], second[j]);
      }
      add(v, first);
    };
    add_either(forward);
    evaluate(1, v, first, scratch.data());
    add(q, first);
    add_either(!forward);
  }

  /// Network k at `in`, [dim].
  /// @param memory  [2 width]
  template <class L>
  LOCKSTEP_INLINE void evaluate(int k, const L* in, L* out, L* memory) const {
    const S* at = weights + k * size(dim, width, hidden);
    int inputs = dim;
    for (int layer = 0; layer < hidden; ++layer) {
      L* units = memory + layer % 2 * width;
      dense::forward(at, at + inputs * width, inputs, width, in,
                     [&](int o, const L& sum) { units[o] = larger(sum, L(0)); });
      at += (inputs + 1) * width;
      in = units;
      inputs = width;
    }
    dense::forward(at, at + inputs * dim, inputs, dim, in,
                   [&](int o, const L& sum) { out[o] = sum; });
  }
};

}  // namespace lockstep
