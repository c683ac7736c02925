#pragma once

/// Wide networks on CUDA: a block of threads evaluates them for a tile of chains at once, because a
/// weight is then fetched once for all of them.
///
///   shared memory   A [rows][chains] -> layer -> B -> layer -> A -> heads -> B,
///                   and slabs of weights: one in use, the others on their way
///
/// How a layer is computed is a template argument, `Layers`: PlainLayers (plain_layers.cuh) or
/// MatrixLayers (matrix_layers.cuh). It has
///
///   stride         floats from one row of units to the next, the tile's chains and perhaps padding
///   padded_rows(n) rows that n units take: it reads those beyond them, which must be zero
///   slab_floats    of all slabs together
///   append(...)    to an array, a layer's weights as `layer` reads them
///   layer(...)     one layer for the tile's chains, by all threads of the block; returns where the
///                  weights of the next begin

#include <cstddef>
#include <vector>

#include "kernels/networks/layout.hpp"

namespace lockstep {

/// A shape known when the program runs, whose evaluations are a block's common work.
template <class Layers_>
struct TileShape {
  static constexpr bool fixed = false;
  using Layers = Layers_;
  int dim, width, hidden;
};

namespace tile {

inline constexpr int kChains = 64;
inline constexpr int kThreads = 128;

/// Rows of A and B.
struct Rows {
  int a, b;
};
template <class Layers>
LOCKSTEP_INLINE constexpr Rows rows(const NetworkLayout<TileShape<Layers>>& net) {
  const int even = net.hidden % 2 == 0 ? net.outputs() : 0;  // the heads end up in B
  const int odd = net.hidden % 2 == 0 ? 0 : net.outputs();
  Rows r{net.inputs(), net.width};
  r.a = r.a < net.width ? net.width : r.a;
  r.a = r.a < odd ? odd : r.a;
  r.b = r.b < even ? even : r.b;
  return {Layers::padded_rows(r.a), Layers::padded_rows(r.b)};
}
template <class Layers>
constexpr std::size_t shared_bytes(const NetworkLayout<TileShape<Layers>>& net) {
  const Rows r = rows(net);
  return sizeof(float) *
         (static_cast<std::size_t>(r.a + r.b) * Layers::stride + Layers::slab_floats);
}

/// Appends one network, from its parameters.
template <class Layers, class Net>
void append_network(const Net& net, const float* from, std::vector<float>& to) {
  int inputs = net.inputs();
  for (int layer = 0; layer < net.hidden; ++layer) {
    Layers::append(from + net.weights(layer), from + net.bias(layer), inputs, net.width, to);
    inputs = net.width;
  }
  Layers::append(from + net.heads(), from + net.heads_bias(), inputs, net.outputs(), to);
}

/// A, B and the slabs.
extern __shared__ float4 memory[];
__device__ inline float* shared() {
  return reinterpret_cast<float*>(memory);
}

/// One network for the tile's chains, from A to where the heads end up. All threads of the block.
/// @param weights  as append_network leaves them
template <class Layers>
__device__ void evaluate(const NetworkLayout<TileShape<Layers>>& net, const float* weights) {
  const Rows r = rows(net);
  float* in = shared();
  float* out = in + r.a * Layers::stride;
  float* slabs = out + r.b * Layers::stride;
  int inputs = net.inputs();
  for (int i = 0; i <= net.hidden; ++i) {
    const bool heads = i == net.hidden;
    weights =
        Layers::layer(weights, inputs, heads ? net.outputs() : net.width, in, out, slabs, !heads);
    float* last = in;
    in = out;
    out = last;
    inputs = net.width;
  }
  __syncthreads();
}

}  // namespace tile

}  // namespace lockstep
