#pragma once

/// A tile's layers by float multiply-adds. A thread's many sums share what they read: with n
/// outputs times eight chains to a thread, 8 n multiply-adds take n / 4 + 2 reads of four numbers:
/// for 100 outputs, n = 7, 64 bytes for 56 of them, so that shared memory's 128 bytes a clock feed
/// 112 of the 128 that a multiprocessor does, even if reads of the same numbers are no gain. Sums
/// are added up in the order of a lane (dense.hpp): results are the same, bit for bit.

#include <vector>

#include <cuda_pipeline.h>

#include "kernels/networks/stq.hpp"
#include "kernels/networks/tile.cuh"

namespace lockstep::tile {

struct PlainLayers {
  static constexpr int stride = kChains;
  LOCKSTEP_INLINE static constexpr int padded_rows(int rows) { return rows; }

  /// Threads t with the same t / 8 sum the same outputs, each for the eight chains that start at
  /// 4 (t % 8) and 32 + 4 (t % 8).
  static constexpr int kGroups = 16;
  /// Outputs of a group in one pass over the inputs: their sums are in registers.
  static constexpr int kMost = 10;
  /// Rows of weights in a slab.
  static constexpr int kRows = 16;
  /// Outputs of a group, in a pass that has so many left.
  LOCKSTEP_INLINE static constexpr int of_group(int outputs) {
    const int n = (outputs + kGroups - 1) / kGroups;
    return n < kMost ? n : kMost;
  }
  /// The same in memory, where they are read in fours.
  LOCKSTEP_INLINE static constexpr int padded(int n) { return (n + 3) / 4 * 4; }
  /// Numbers in a slab, of which there are two.
  static constexpr int kSlab = kRows * kGroups * ((kMost + 3) / 4 * 4);
  static constexpr int slab_floats = 2 * kSlab;

  /// For each pass: [bias, then inputs][kGroups][padded].
  /// @param weights  [inputs][outputs]
  static void append(const float* weights, const float* bias, int inputs, int outputs,
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

  /// One layer for the tile's chains. All threads of the block, which is in step when it returns
  /// only as far as the next layer's own barriers make it.
  [[gnu::noinline]] __device__ static const float* layer(const float* weights, int inputs,
                                                         int outputs, const float* in, float* out,
                                                         float* slabs, bool rectified) {
    for (int first = 0; first < outputs; first += kGroups * kMost) {
      const int left = outputs - first, n = of_group(left);
      pass_of(n, weights, inputs, left, in, out + first * stride, slabs, rectified);
      weights += (1 + inputs) * kGroups * padded(n);
    }
    return weights;
  }

 private:
  /// One pass of a layer: N outputs of each group, `outputs` of them real.
  /// @param weights  as `append` leaves them
  /// @param in, out  [rows][stride]
  template <int N>
  __device__ static __forceinline__ void pass(const float* weights, int inputs, int outputs,
                                              const float* in, float* out, float* slabs,
                                              bool rectified) {
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
      const float* x = in + slab * kRows * stride + chain;
#pragma unroll 2
      for (int r = 0; r < rows; ++r, w += row_size, x += stride) {
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
          out[o * stride + chain + c % 4 + c / 4 * (kChains / 2)] =
              rectified ? relu(sum[k][c]) : sum[k][c];
        }
      }
    }
  }

  /// Calls pass<n>.
  template <int N = 1, class... Arguments>
  __device__ static __forceinline__ void pass_of(int n, Arguments... arguments) {
    if constexpr (N < kMost) {
      if (n > N) {
        pass_of<N + 1>(n, arguments...);
        return;
      }
    }
    pass<N>(arguments...);
  }
};

}  // namespace lockstep::tile
