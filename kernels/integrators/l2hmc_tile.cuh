#pragma once

/// L2HMC with wide networks on CUDA: a chain's thread goes through the integrator, and networks are
/// the common work of its block (networks/tile.cuh).

#include "kernels/integrators/l2hmc.hpp"
#include "kernels/networks/scratch.hpp"
#include "kernels/networks/tile.cuh"

namespace lockstep {

namespace tile {

/// A chain's numbers in shared memory.
template <class Layers>
struct Column {
  float* first;
  LOCKSTEP_INLINE float& operator[](int i) const { return first[i * Layers::stride]; }
  LOCKSTEP_INLINE Column operator+(int i) const { return {first + i * Layers::stride}; }
};

/// Takes what only training needs.
struct Nowhere {
  LOCKSTEP_INLINE const Nowhere& operator[](int) const { return *this; }
  LOCKSTEP_INLINE void operator=(float) const {}
};

/// A chain's Activations (stq.hpp), as far as they are kept.
template <class Layers>
struct Activations {
  Column<Layers> input, bounded, shift;
};

/// A chain's Update (integrators/l2hmc.hpp), of which nothing is kept.
template <class Layers>
struct Record {
  Activations<Layers> net;
  Nowhere multiplier, gain, before;

  /// @param memory  the chain's place in A
  LOCKSTEP_INLINE Record(const NetworkLayout<TileShape<Layers>>& n, float* memory) {
    const Column<Layers> heads{memory + (n.hidden % 2 == 0 ? rows(n).a * Layers::stride : 0)};
    net = {{memory}, heads, heads + 2 * n.dim};
  }
};

}  // namespace tile

/// The weights of the networks' layers stand apart, in the tile's order.
template <class Layers>
struct L2hmcNetwork<float, TileShape<Layers>> {
  using Shape = TileShape<Layers>;
  L2hmcLayout<Shape> layout;
  const float* data;
  const float *tiles_of_v, *tiles_of_x;

  LOCKSTEP_INLINE const float* at(int offset) const { return data + offset; }
  LOCKSTEP_INLINE const float* v() const { return tiles_of_v; }
  LOCKSTEP_INLINE const float* x() const { return tiles_of_x; }
};

template <class Layers>
struct RecordOf<float, TileShape<Layers>> {
  using Type = tile::Record<Layers>;
};

template <class Layers, int Size>
struct Scratch<float, TileShape<Layers>, Size> {
  __device__ explicit Scratch(int) {}
  __device__ float* data() { return tile::shared() + threadIdx.x; }
};

/// For the thread of a chain; the others of its block take part through `tile::help`.
template <class Layers>
__device__ void evaluate_network(const NetworkLayout<TileShape<Layers>>& net, const float* weights,
                                 const tile::Activations<Layers>& a) {
  for (int i = net.inputs(); i < Layers::padded_rows(net.inputs()); ++i) {
    a.input[i] = 0;
  }
  tile::evaluate(net, weights);
  for (int j = 0; j < 2 * net.dim; ++j) {
    a.bounded[j] = approximate_tanh(a.bounded[j]);
  }
}

namespace tile {

/// What threads without a chain do while the others go through so many steps of the integrator.
template <class Layers>
__device__ void help(const L2hmcNetwork<float, TileShape<Layers>>& network, int steps) {
  for (int i = 0; i < steps; ++i) {
    for (int k = 0; k < 4; ++k) {
      evaluate(network.layout.net, k == 1 || k == 2 ? network.x() : network.v());
    }
  }
}

}  // namespace tile

}  // namespace lockstep
