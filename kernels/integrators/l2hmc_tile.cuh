#pragma once

/// Wide networks on CUDA: a block of threads evaluates them for a tile of chains at once. A weight
/// is then fetched once for all of the tile, and a thread's many sums share what they read: with n
/// outputs times eight chains to a thread, 8 n multiply-adds take n / 4 + 2 reads of four numbers.
///
///   shared memory   A [rows][chains] -> layer -> B -> layer -> A -> heads -> B,
///                   and two slabs of weights: one in use, the next on its way
///
/// Sums are added up in the order of a lane (dense.hpp): results are the same, bit for bit.

#include <algorithm>
#include <vector>

#include <cuda_pipeline.h>

#include "kernels/integrators/l2hmc.hpp"
#include "kernels/networks/scratch.hpp"

namespace lockstep {

/// A shape known when the program runs, whose evaluations are a block's common work.
struct TileShape {
  static constexpr bool fixed = false;
  int dim, width, hidden;
};

namespace tile {

inline constexpr int kChains = 64;
inline constexpr int kThreads = 128;
/// Threads t with the same t / 8 sum the same outputs, each for the eight chains that start at
/// 4 (t % 8) and 32 + 4 (t % 8).
inline constexpr int kGroups = 16;
/// Outputs of a group in one pass over the inputs: their sums are in registers.
inline constexpr int kMost = 10;
/// Rows of weights in a slab.
inline constexpr int kRows = 16;
/// Outputs of a group, in a pass that has so many left.
LOCKSTEP_INLINE constexpr int of_group(int outputs) {
  const int n = (outputs + kGroups - 1) / kGroups;
  return n < kMost ? n : kMost;
}
/// The same in memory, where they are read in fours.
LOCKSTEP_INLINE constexpr int padded(int n) {
  return (n + 3) / 4 * 4;
}
/// Numbers in a slab.
inline constexpr int kSlab = kRows * kGroups * padded(kMost);

/// Rows of A and B.
struct Rows {
  int a, b;
};
template <class Net>
LOCKSTEP_INLINE constexpr Rows rows(const Net& net) {
  const int even = net.hidden % 2 == 0 ? net.outputs() : 0;  // the heads end up in B
  const int odd = net.hidden % 2 == 0 ? 0 : net.outputs();
  Rows r{net.inputs(), net.width};
  r.a = r.a < net.width ? net.width : r.a;
  r.a = r.a < odd ? odd : r.a;
  r.b = r.b < even ? even : r.b;
  return r;
}
template <class Net>
constexpr std::size_t shared_bytes(const Net& net) {
  const Rows r = rows(net);
  return sizeof(float) * (static_cast<std::size_t>(r.a + r.b) * kChains + 2 * kSlab);
}

/// Appends one layer as the tile reads it. For each pass: [bias, then inputs][kGroups][padded].
inline void append_layer(const float* weights, const float* bias, int inputs, int outputs,
                         std::vector<float>& to) {
  for (int first = 0; first < outputs; first += kGroups * kMost) {
    const int n = of_group(outputs - first);
    for (int row = 0; row <= inputs; ++row) {
      const float* from = row == 0 ? bias : weights + (row - 1) * outputs;
      for (int group = 0; group < kGroups; ++group) {
        for (int k = 0; k < padded(n); ++k) {
          const int o = first + group * n + k;
          to.push_back(k < n && o < outputs ? from[o] : 0.0f);
        }
      }
    }
  }
}

/// Appends one network, from its parameters.
template <class Net>
void append_network(const Net& net, const float* from, std::vector<float>& to) {
  int inputs = net.inputs();
  for (int layer = 0; layer < net.hidden; ++layer) {
    append_layer(from + net.weights(layer), from + net.bias(layer), inputs, net.width, to);
    inputs = net.width;
  }
  append_layer(from + net.heads(), from + net.heads_bias(), inputs, net.outputs(), to);
}

/// A, B and the slabs.
extern __shared__ float4 memory[];
__device__ inline float* shared() {
  return reinterpret_cast<float*>(memory);
}

/// One pass of a layer: N outputs of each group, `outputs` of them real.
/// @param weights  as append_layer leaves them
/// @param in, out  [rows][kChains]
template <int N>
__device__ __forceinline__ void pass(const float* weights, int inputs, int outputs, const float* in,
                                     float* out, float* slabs, bool rectified) {
  constexpr int row_size = kGroups * padded(N);
  const int thread = static_cast<int>(threadIdx.x);
  const int group = thread / 8, chain = 4 * (thread % 8);
  const auto stage = [&](int slab) {
    const int count = (inputs - slab * kRows < kRows ? inputs - slab * kRows : kRows) * row_size;
    const float* from = weights + (1 + slab * kRows) * row_size;
    float* to = slabs + slab % 2 * kSlab;
    for (int i = 4 * thread; i < count; i += 4 * kThreads) {
      __pipeline_memcpy_async(to + i, from + i, sizeof(float4));
    }
  };
  float sum[N][8];
#pragma unroll
  for (int k = 0; k < N; ++k) {
    const float bias = weights[group * padded(N) + k];
#pragma unroll
    for (int c = 0; c < 8; ++c) {
      sum[k][c] = bias;
    }
  }
  stage(0);
  __pipeline_commit();
  for (int slab = 0; slab * kRows < inputs; ++slab) {
    if ((slab + 1) * kRows < inputs) {
      stage(slab + 1);
    }
    __pipeline_commit();
    __pipeline_wait_prior(1);  // all but the slab just asked for
    __syncthreads();
    const int rows = inputs - slab * kRows < kRows ? inputs - slab * kRows : kRows;
    const float* w = slabs + slab % 2 * kSlab + group * padded(N);
    const float* x = in + slab * kRows * kChains + chain;
#pragma unroll 2
    for (int r = 0; r < rows; ++r, w += row_size, x += kChains) {
      float at[8], weight[padded(N)];
      *reinterpret_cast<float4*>(at) = *reinterpret_cast<const float4*>(x);
      *reinterpret_cast<float4*>(at + 4) = *reinterpret_cast<const float4*>(x + kChains / 2);
#pragma unroll
      for (int k = 0; k < N; k += 4) {
        *reinterpret_cast<float4*>(weight + k) = *reinterpret_cast<const float4*>(w + k);
      }
#pragma unroll
      for (int k = 0; k < N; ++k) {
#pragma unroll
        for (int c = 0; c < 8; ++c) {
          sum[k][c] = fma(weight[k], at[c], sum[k][c]);
        }
      }
    }
    __syncthreads();  // before the slab is written over
  }
#pragma unroll
  for (int k = 0; k < N; ++k) {
    const int o = group * N + k;
    if (o < outputs) {
#pragma unroll
      for (int c = 0; c < 8; ++c) {
        out[o * kChains + chain + c % 4 + c / 4 * (kChains / 2)] =
            rectified ? relu(sum[k][c]) : sum[k][c];
      }
    }
  }
}

/// Calls pass<n>.
template <int N = 1, class... Arguments>
__device__ __forceinline__ void pass_of(int n, Arguments... arguments) {
  if constexpr (N < kMost) {
    if (n > N) {
      pass_of<N + 1>(n, arguments...);
      return;
    }
  }
  pass<N>(arguments...);
}

/// One layer for the tile's chains. All threads of the block, which is in step when it returns only
/// as far as the next layer's own barriers make it.
/// @return  the weights of the layer after it
template <int = 0>
[[gnu::noinline]] __device__ const float* layer(const float* weights, int inputs, int outputs,
                                                const float* in, float* out, float* slabs,
                                                bool rectified) {
  for (int first = 0; first < outputs; first += kGroups * kMost) {
    const int left = outputs - first, n = of_group(left);
    pass_of(n, weights, inputs, left, in, out + first * kChains, slabs, rectified);
    weights += (1 + inputs) * kGroups * padded(n);
  }
  return weights;
}

/// One network for the tile's chains, from A to where the heads end up. All threads of the block.
/// @param weights  as append_network leaves them
__device__ inline void evaluate(const NetworkLayout<TileShape>& net, const float* weights) {
  const Rows r = rows(net);
  float* in = shared();
  float* out = in + r.a * kChains;
  float* slabs = out + r.b * kChains;
  int inputs = net.inputs();
  for (int i = 0; i <= net.hidden; ++i) {
    const bool heads = i == net.hidden;
    weights = layer(weights, inputs, heads ? net.outputs() : net.width, in, out, slabs, !heads);
    float* last = in;
    in = out;
    out = last;
    inputs = net.width;
  }
  __syncthreads();
}

/// A chain's numbers in shared memory.
struct Column {
  float* first;
  LOCKSTEP_INLINE float& operator[](int i) const { return first[i * kChains]; }
  LOCKSTEP_INLINE Column operator+(int i) const { return {first + i * kChains}; }
};

/// Takes what only training needs.
struct Nowhere {
  LOCKSTEP_INLINE const Nowhere& operator[](int) const { return *this; }
  LOCKSTEP_INLINE void operator=(float) const {}
};

/// A chain's Activations (stq.hpp), as far as they are kept.
struct Activations {
  Column input, bounded, shift;
};

/// A chain's Update (integrators/l2hmc.hpp), of which nothing is kept.
struct Record {
  Activations net;
  Nowhere multiplier, gain, before;

  /// @param memory  the chain's place in A
  LOCKSTEP_INLINE Record(const NetworkLayout<TileShape>& n, float* memory) {
    const Column heads{memory + (n.hidden % 2 == 0 ? rows(n).a * kChains : 0)};
    net = {{memory}, heads, heads + 2 * n.dim};
  }
};

}  // namespace tile

/// The weights in the tile's order lie behind the rest.
template <>
struct L2hmcNetwork<float, TileShape> {
  using Shape = TileShape;
  L2hmcLayout<TileShape> layout;
  const float* data;
  const float *tiles_of_v, *tiles_of_x;

  LOCKSTEP_INLINE const float* at(int offset) const { return data + offset; }
  LOCKSTEP_INLINE const float* v() const { return tiles_of_v; }
  LOCKSTEP_INLINE const float* x() const { return tiles_of_x; }
};

template <>
struct RecordOf<float, TileShape> {
  using Type = tile::Record;
};

template <int Size>
struct Scratch<float, TileShape, Size> {
  __device__ explicit Scratch(int) {}
  __device__ float* data() { return tile::shared() + threadIdx.x; }
};

/// For the thread of a chain; the others of its block take part through `tile::help`.
__device__ inline void evaluate_network(const NetworkLayout<TileShape>& net, const float* weights,
                                        const tile::Activations& a) {
  tile::evaluate(net, weights);
  for (int j = 0; j < 2 * net.dim; ++j) {
    a.bounded[j] = approximate_tanh(a.bounded[j]);
  }
}

namespace tile {

/// What threads without a chain do while the others go through so many steps of the integrator.
__device__ inline void help(const L2hmcNetwork<float, TileShape>& network, int steps) {
  for (int i = 0; i < steps; ++i) {
    for (int k = 0; k < 4; ++k) {
      evaluate(network.layout.net, k == 1 || k == 2 ? network.x() : network.v());
    }
  }
}

}  // namespace tile

}  // namespace lockstep
