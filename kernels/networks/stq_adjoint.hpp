#pragma once

/// The adjoint of one evaluation of a network (stq.hpp), and the gradient of its weights from many.

#include "kernels/networks/stq.hpp"

namespace lockstep {

/// The adjoints of the sums before each layer's nonlinearity. In memory of the caller, beside the
/// evaluation's Activations: the gradient of a weight is the sum of their products.
template <class L>
struct Deltas {
  L* hidden;  // [hidden][width]
  L* heads;   // [3 dim]

  template <class Net>
  static LOCKSTEP_INLINE constexpr int size(const Net& net) {
    return net.hidden * net.width + net.outputs();
  }
  template <class Net>
  LOCKSTEP_INLINE Deltas(const Net& net, L* memory)
      : hidden(memory), heads(memory + net.hidden * net.width) {}
};

/// From the adjoints of `bounded` [2 dim] and `shift` [dim], which stand in d.heads, to those of
/// all sums before, and in(i, adjoint of input i) for the inputs a and b, i = 0 .. 2 dim - 1.
/// @param weights  the network's parameters
template <class Net, class L, class F>
LOCKSTEP_INLINE void evaluate_adjoint(const Net& net, const Scalar<L>* weights,
                                      const Activations<L>& a, const Deltas<L>& d, F in) {
  for_range<Net::fixed>(
      2 * net.dim, [&](int j) { d.heads[j] = d.heads[j] * (L(1) - a.bounded[j] * a.bounded[j]); });
  const L* out = d.heads;
  int outputs = net.outputs(), from = net.heads();
  for (int layer = net.hidden - 1; layer >= 0; --layer) {
    const L* value = a.hidden + layer * net.width;
    L* delta = d.hidden + layer * net.width;
    dense::backward(weights + from, net.width, outputs, out,
                    [&](int i, const L& sum) { delta[i] = select(L(0) < value[i], sum, L(0)); });
    out = delta;
    outputs = net.width;
    from = net.weights(layer);
  }
  dense::backward(weights + from, 2 * net.dim, outputs, out, in);
}

/// gradient[i][o] += sum over records r and chains of in_r[i] out_r[o], and bias[o] += sum
/// out_r[o]: the gradient of one layer.
///
/// A tile of four by four sums stays in registers while the records stream by; each is then added
/// up over the chains. Fixed order, whatever the number of threads.
///
/// @param in, out  of the first record, [inputs] and [outputs]; the next is `stride` lanes further
template <class L>
inline void add_outer_products(const L* in, const L* out, int inputs, int outputs, int records,
                               int stride, Scalar<L>* gradient, Scalar<L>* bias) {
  using Half = dense::Innermost<L>;
  dense::for_tiles<4>(outputs, [&](int o, auto columns) {
    constexpr int m = decltype(columns)::value;
    dense::for_tiles<4>(inputs, [&](int i, auto rows) {
      constexpr int n = decltype(rows)::value;
      Half sum[n][m];
      for (auto& row : sum) {
        for (Half& s : row) {
          s = Half(0);
        }
      }
      for (int r = 0; r < records; ++r) {
        const L* a = in + r * stride + i;
        const L* b = out + r * stride + o;
        LOCKSTEP_UNROLL
        for (int k = 0; k < n; ++k) {
          LOCKSTEP_UNROLL
          for (int l = 0; l < m; ++l) {
            sum[k][l] = dense::add_product(sum[k][l], a[k], b[l]);
          }
        }
      }
      for (int k = 0; k < n; ++k) {
        for (int l = 0; l < m; ++l) {
          gradient[(i + k) * outputs + o + l] += dense::over_chains(sum[k][l]);
        }
      }
    });
    Half sum[m];
    for (int l = 0; l < m; ++l) {
      sum[l] = Half(0);
      for (int r = 0; r < records; ++r) {
        sum[l] = dense::add_product(sum[l], out[r * stride + o + l], L(1));
      }
      bias[o + l] += dense::over_chains(sum[l]);
    }
  });
}

/// Adds the gradient of a network's parameters from `records` evaluations, `stride` lanes apart.
/// @param gradient  laid out as the parameters
template <class Net, class L>
inline void add_network_gradient(const Net& net, const Activations<L>& a, const Deltas<L>& d,
                                 int records, int stride, Scalar<L>* gradient) {
  const L* in = a.input;
  int inputs = net.inputs();
  for (int layer = 0; layer < net.hidden; ++layer) {
    add_outer_products<L>(in, d.hidden + layer * net.width, inputs, net.width, records, stride,
                          gradient + net.weights(layer), gradient + net.bias(layer));
    in = a.hidden + layer * net.width;
    inputs = net.width;
  }
  add_outer_products<L>(in, d.heads, inputs, net.outputs(), records, stride, gradient + net.heads(),
                        gradient + net.heads_bias());
}

}  // namespace lockstep
