#pragma once

/// What happens to a trace on the device after the chains have moved. Independent of targets and
/// samplers, and so compiled once (cuda_statistics.cu), for S = float and double.

#include <cuda_runtime_api.h>

#include "kernels/statistics/streaming.hpp"

namespace lockstep::cuda {

/// Chains [begin, end).
struct ChainRange {
  std::int64_t begin = 0, end = 0;
};

/// Totals over chains and transitions. Acceptance probabilities are added as integers in units of
/// 2^-26: integer sums do not depend on their order, so neither does what is adapted from them.
/// Overflows beyond 2.7e11 transitions of a launch, all chains together.
struct PooledCounts {
  static constexpr double unit = 0x1p-26;
  unsigned long long acceptance = 0, divergences = 0;
};

/// Folds the first n transitions of the trace into the chains' statistics
/// (statistics/streaming.hpp).
template <class S>
void fold(const TraceView<S>& trace, int n, const StatisticsView& statistics,
          const ChainRange& chains, const ChunkPlace& place, cudaStream_t stream);

/// Adds up acceptance and divergences of the first n transitions of the trace.
template <class S>
void pool(const TraceView<S>& trace, int n, const ChainRange& chains, PooledCounts* total,
          cudaStream_t stream);

/// Which of a trace's values are kept: `draws` transitions from `first` on, `thin` apart, and of
/// them the given rows.
struct KeptRows {
  int first = 0, thin = 1, draws = 0;
  const int* row = nullptr;  // [rows], in device memory
  int rows = 0;
};

/// Gathers them into `to`, [draw][row][chain of the range].
template <class S>
void pack(const TraceView<S>& trace, const KeptRows& kept, const ChainRange& chains, S* to,
          cudaStream_t stream);

}  // namespace lockstep::cuda
