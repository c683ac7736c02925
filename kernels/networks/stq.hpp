#pragma once

/// One of the two networks of L2HMC, evaluated for the chains of a lane (lockstep/network.hpp has
/// its equations).

#include "kernels/lane/approximate.hpp"
#include "kernels/networks/dense.hpp"
#include "kernels/networks/layout.hpp"

namespace lockstep {

/// One evaluation: the inputs, what they went through, the outputs. In memory of the caller, so
/// that training can keep what sampling writes over.
template <class L>
struct Activations {
  L* input;    // [2 dim + 2]: a, b, cos, sin
  L* hidden;   // [hidden][width], after the relu
  L* bounded;  // [2 dim]: tanh of the heads S and Q, before their scales
  L* shift;    // [dim]: T

  template <class Net>
  static LOCKSTEP_INLINE constexpr int size(const Net& net) {
    return net.inputs() + net.hidden * net.width + net.outputs();
  }
  template <class Net>
  LOCKSTEP_INLINE Activations(const Net& net, L* memory)
      : input(memory),
        hidden(input + net.inputs()),
        bounded(hidden + net.hidden * net.width),
        shift(bounded + 2 * net.dim) {}
};

/// max(0, x).
template <class L>
LOCKSTEP_INLINE L relu(const L& x) {
  if constexpr (is_twin<L>) {
    return {relu(x.lo), relu(x.hi)};
  }
#if defined(__CUDA_ARCH__)
  if constexpr (std::is_same_v<L, float>) {
    return fmaxf(x, 0.0f);  // one instruction, where a selection is two
  }
#endif
  return larger(x, L(0));
}

/// Evaluates the network at `a.input`.
/// @param weights  the network's parameters
template <class Net, class L>
LOCKSTEP_INLINE void evaluate_network(const Net& net, const Scalar<L>* weights,
                                      const Activations<L>& a) {
  const L* in = a.input;
  int inputs = net.inputs();
  for_range<Net::fixed>(net.hidden, [&](int layer) {
    L* out = a.hidden + layer * net.width;
    dense::forward<Net::fixed>(weights + net.weights(layer), weights + net.bias(layer), inputs,
                               net.width, in, [&](int o, const L& sum) { out[o] = relu(sum); });
    in = out;
    inputs = net.width;
  });
  dense::forward<Net::fixed>(weights + net.heads(), weights + net.heads_bias(), inputs,
                             net.outputs(), in, [&](int o, const L& sum) { a.bounded[o] = sum; });
  for_range<Net::fixed>(2 * net.dim, [&](int j) { a.bounded[j] = approximate_tanh(a.bounded[j]); });
}

}  // namespace lockstep
