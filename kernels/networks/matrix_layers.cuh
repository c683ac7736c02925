#pragma once

/// A tile's layers on matrix units. Weights w and units x enter as sums of two bfloat16,
///
///   w x ~ w_small x_big + w_big x_small + w_big x_big,
///
/// three products that are exact, with sums in float. What is left out, w_small x_small and the
/// remainders of both splits, is at most 3 2^-16 of |w x| (lane/matrix_unit.cuh), so that a sum is
/// wrong by at most 4.6e-5 of sum |w x|, and hardly ever by a tenth of it. TF32 in place of
/// bfloat16 would leave out 3 2^-22, at half the rate.
///
/// A sampler is exact with it. S, Q and T may be any functions of what an update does not change,
/// continuous or not: the update is affine in the rest, its inverse and its Jacobian are those of
/// integrators/l2hmc.hpp whatever the functions are, and both directions evaluate the same ones: a
/// sum's value depends on its chain's inputs and on nothing else, not on the tile or the place in
/// it. Rounding makes the way back differ from the way there as it always does, by a little more:
/// where an input's rounding moves it across a bfloat16's edge, a sum moves by 2^-16 and not 2^-24.
///
/// What limits it, in multiply-adds of the network per clock and multiprocessor of sm_90. Plain
/// ones are 128 at best. The unit does a third of its bfloat16 rate: 683 by the data sheet, of
/// which mma.sync is reported to reach about five eighths, 430. A warp takes 32 chains and half of
/// the outputs; for 16 inputs of 100 outputs it reads 7 tiles of weights, 512 bytes each, and 32 x
/// 16 units, 2048 bytes, for 28,672 multiply-adds: 0.2 bytes each, so that shared memory's 128
/// bytes a clock feed 650. The loop has 182 instructions for 42 of the unit's, which take it 269
/// clocks. Weights take four bytes, as many as floats, and serve 64 chains: at 430 a multiprocessor
/// draws 27 bytes a clock from the second-level cache, about what it gives. Two blocks of the
/// widest of the paper's networks fit a multiprocessor, so that one can be at its networks while
/// the other is between them. All this says up to three times the plain layers' rate, and padding
/// (to 16 inputs and 16 outputs) takes back less than that from networks of ten units or more, so
/// these layers are the default. None of it is measured: bench/gpu_report times both.

#include <bit>
#include <cstdint>
#include <vector>

#include <cuda_pipeline.h>

#include "kernels/lane/matrix_unit.cuh"
#include "kernels/networks/stq.hpp"
#include "kernels/networks/tile.cuh"

namespace lockstep::tile {

struct MatrixLayers {
  /// With 4 more than the chains, the 32 threads of a warp read 4 rows (2 t, t = 0 .. 3) of 8
  /// chains, and write as many, without two of them in one bank: 8 t + g, g = 0 .. 7.
  static constexpr int stride = kChains + 4;

  /// Inputs of a step, outputs of a tile, chains of a tile: the instruction's.
  static constexpr int kInputs = 16, kOutputs = 8, kRows = 16;
  /// Tiles of outputs to a warp in one pass over the inputs: their sums are in registers.
  static constexpr int kMost = 10;
  /// A tile's weights: four words to each thread of a warp.
  static constexpr int kTile = 4 * 32;
  /// A slab holds the tiles of both halves for one step. With three, one barrier a step is enough:
  /// the slab that is written is the one all were through with before the barrier.
  static constexpr int kSlabs = 3;
  static constexpr int kSlab = 2 * kMost * kTile;
  static constexpr int slab_floats = kSlabs * kSlab;

  LOCKSTEP_INLINE static constexpr int steps_for(int inputs) {
    return (inputs + kInputs - 1) / kInputs;
  }
  LOCKSTEP_INLINE static constexpr int padded_rows(int rows) { return steps_for(rows) * kInputs; }
  /// Tiles of a warp, in a pass that has so many outputs left.
  LOCKSTEP_INLINE static constexpr int of_warp(int outputs) {
    const int n = (outputs + 2 * kOutputs - 1) / (2 * kOutputs);
    return n < kMost ? n : kMost;
  }

  /// For each pass of n tiles to a warp: biases [2 n kOutputs], then for each step
  /// [2 n tiles][32 threads]: b[0] and b[1] of the big parts, b[0] and b[1] of the small ones.
  /// @param weights  [inputs][outputs]
  static void append(const float* weights, const float* bias, int inputs, int outputs,
                     std::vector<float>& to) {
    const auto at = [&](int i, int o) {
      return i < inputs && o < outputs ? weights[i * outputs + o] : 0.0f;
    };
    for (int first = 0; first < outputs; first += 2 * kMost * kOutputs) {
      const int tiles = 2 * of_warp(outputs - first);
      for (int o = first; o < first + tiles * kOutputs; ++o) {
        to.push_back(o < outputs ? bias[o] : 0.0f);
      }
      for (int step = 0; step < steps_for(inputs); ++step) {
        for (int i = 0; i < 32 * tiles; ++i) {
          const int o = first + i / 4, row = kInputs * step + 2 * (i % 4);
          const auto low = matrix_unit::split(at(row, o), at(row + 1, o));
          const auto high = matrix_unit::split(at(row + 8, o), at(row + 9, o));
          for (const std::uint32_t word : {low.big, high.big, low.small, high.small}) {
            to.push_back(std::bit_cast<float>(word));
          }
        }
      }
    }
  }

  /// One layer for the tile's chains, to padded_rows(outputs) rows: those of no output are zero,
  /// as their weights are. All threads of the block, which have all read `in` when it returns.
  [[gnu::noinline]] __device__ static const float* layer(const float* weights, int inputs,
                                                         int outputs, const float* in, float* out,
                                                         float* slabs, bool rectified) {
    for (int first = 0; first < outputs; first += 2 * kMost * kOutputs) {
      const int n = of_warp(outputs - first), steps = steps_for(inputs);
      pass_of(n, weights, steps, in, out + first * stride, slabs, rectified);
      weights += 2 * n * (kOutputs + steps * kTile);
    }
    return weights;
  }

 private:
  /// One pass of a layer: N tiles to each warp.
  /// @param weights  as `append` leaves them
  /// @param in, out  [rows][stride]
  template <int N>
  __device__ static __forceinline__ void pass(const float* weights, int steps, const float* in,
                                              float* out, float* slabs, bool rectified) {
    const int thread = static_cast<int>(threadIdx.x), warp = thread / 32;
    const int g = thread % 32 / 4, t = thread % 4;
    const int chain = warp % 2 * 2 * kRows + g;  // of four: it, and 8, 16 and 24 on
    const int tile = warp / 2 * N;               // the first of N
    const auto stage = [&](int step) {
      constexpr int size = 2 * N * kTile, at_once = 4 * kThreads;
      const float* from = weights + 2 * N * kOutputs + step * size + 4 * thread;
      float* to = slabs + step % kSlabs * kSlab + 4 * thread;
#pragma unroll
      for (int i = 0; i < size; i += at_once) {
        if (i + at_once <= size || i + 4 * thread < size) {
          __pipeline_memcpy_async(to + i, from + i, sizeof(float4));
        }
      }
    };
    float sum[2][N][4];  // [16 chains][tile of outputs]: the instruction's c
#pragma unroll
    for (int j = 0; j < N; ++j) {
      const float* bias = weights + (tile + j) * kOutputs + 2 * t;
#pragma unroll
      for (int i = 0; i < 8; ++i) {
        sum[i / 4][j][i % 4] = bias[i % 2];
      }
    }
    for (int step = 0; step < kSlabs - 1; ++step) {
      if (step < steps) {
        stage(step);
      }
      __pipeline_commit();
    }
    for (int step = 0; step < steps; ++step) {
      __pipeline_wait_prior(kSlabs - 2);  // all but the youngest
      __syncthreads();
      if (step + kSlabs - 1 < steps) {
        stage(step + kSlabs - 1);
      }
      __pipeline_commit();
      std::uint32_t big[2][4], small[2][4];  // the instruction's a
#pragma unroll
      for (int i = 0; i < 8; ++i) {
        const int row = kInputs * step + 2 * t + i % 4 / 2 * 8;
        const float* x = in + row * stride + chain + i / 4 * kRows + i % 2 * 8;
        const auto parts = matrix_unit::split(x[0], x[stride]);
        big[i / 4][i % 4] = parts.big;
        small[i / 4][i % 4] = parts.small;
      }
      const float* w = slabs + step % kSlabs * kSlab + tile * kTile + thread % 32 * 4;
#pragma unroll
      for (int j = 0; j < N; ++j, w += kTile) {
        const float4 words = *reinterpret_cast<const float4*>(w);
        const auto big0 = std::bit_cast<std::uint32_t>(words.x);
        const auto big1 = std::bit_cast<std::uint32_t>(words.y);
        const auto small0 = std::bit_cast<std::uint32_t>(words.z);
        const auto small1 = std::bit_cast<std::uint32_t>(words.w);
#pragma unroll
        for (int m = 0; m < 2; ++m) {
          matrix_unit::add_product(sum[m][j], small[m], big0, big1);
          matrix_unit::add_product(sum[m][j], big[m], small0, small1);
          matrix_unit::add_product(sum[m][j], big[m], big0, big1);
        }
      }
    }
#pragma unroll
    for (int j = 0; j < N; ++j) {
#pragma unroll
      for (int i = 0; i < 8; ++i) {
        const int o = (tile + j) * kOutputs + 2 * t + i % 2;
        const float x = sum[i / 4][j][i % 4];
        out[o * stride + chain + i / 4 * kRows + i % 4 / 2 * 8] = rectified ? relu(x) : x;
      }
    }
    __syncthreads();  // before the first slabs are written over
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
