#include "kernels/launch/cuda_memory.cuh"
#include "kernels/launch/cuda_statistics.cuh"

namespace lockstep::cuda {
namespace {

__device__ std::int64_t chain_of_thread(const ChainRange& chains) {
  return chains.begin + std::int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
}

template <class S>
__global__ void __launch_bounds__(kBlock)
    fold_kernel(const TraceView<S> trace, int n, const StatisticsView statistics,
                const ChainRange chains, const ChunkPlace place) {
  const std::int64_t chain = chain_of_thread(chains);
  if (chain >= chains.end) {
    return;
  }
  fold_chunk<S>(trace, 0, n, statistics, chain, place);
  if (statistics.lags > 0) {
    fold_lags(trace, 0, n, statistics, chain, place);
  }
}

template <class S>
__global__ void __launch_bounds__(kBlock)
    pool_kernel(const TraceView<S> trace, int n, const ChainRange chains, PooledCounts* total) {
  const std::int64_t chain = chain_of_thread(chains);
  unsigned long long acceptance = 0;
  unsigned divergences = 0;
  if (chain < chains.end) {
    for (int t = 0; t < n; ++t) {
      const S a = trace.info(t, TraceView<S>::acceptance)[chain];
      acceptance += static_cast<unsigned long long>(llrint(a * S(1 / PooledCounts::unit)));
      divergences += trace.info(t, TraceView<S>::divergent)[chain] > S(0.5);
    }
  }
  for (int distance = 16; distance > 0; distance /= 2) {
    acceptance += __shfl_down_sync(0xffffffffu, acceptance, distance);
    divergences += __shfl_down_sync(0xffffffffu, divergences, distance);
  }
  if (threadIdx.x % 32 == 0) {
    atomicAdd(&total->acceptance, acceptance);
    if (divergences > 0) {
      atomicAdd(&total->divergences, static_cast<unsigned long long>(divergences));
    }
  }
}

/// One row of one draw per blockIdx.y.
template <class S>
__global__ void __launch_bounds__(kBlock)
    pack_kernel(const TraceView<S> trace, const KeptRows kept, const ChainRange chains, S* to) {
  const std::int64_t chain = chain_of_thread(chains);
  if (chain >= chains.end) {
    return;
  }
  const int draw = static_cast<int>(blockIdx.y) / kept.rows;
  const int row = static_cast<int>(blockIdx.y) % kept.rows;
  to[blockIdx.y * (chains.end - chains.begin) + (chain - chains.begin)] =
      trace.row(kept.first + draw * kept.thin, kept.row[row])[chain];
}

}  // namespace

template <class S>
void fold(const TraceView<S>& trace, int n, const StatisticsView& statistics,
          const ChainRange& chains, const ChunkPlace& place, cudaStream_t stream) {
  launch(fold_kernel<S>, blocks_for(chains.end - chains.begin), stream,
         "fold_kernel, the streamed statistics", trace, n, statistics, chains, place);
}

template <class S>
void pool(const TraceView<S>& trace, int n, const ChainRange& chains, PooledCounts* total,
          cudaStream_t stream) {
  launch(pool_kernel<S>, blocks_for(chains.end - chains.begin), stream,
         "pool_kernel, the pooled acceptance", trace, n, chains, total);
}

template <class S>
void pack(const TraceView<S>& trace, const KeptRows& kept, const ChainRange& chains, S* to,
          cudaStream_t stream) {
  const dim3 grid(blocks_for(chains.end - chains.begin),
                  static_cast<unsigned>(kept.draws * kept.rows));
  launch(pack_kernel<S>, grid, stream, "pack_kernel, the kept draws", trace, kept, chains, to);
}

#define LOCKSTEP_INSTANTIATE(S)                                                                 \
  template void fold(const TraceView<S>&, int, const StatisticsView&, const ChainRange&,        \
                     const ChunkPlace&, cudaStream_t);                                          \
  template void pool(const TraceView<S>&, int, const ChainRange&, PooledCounts*, cudaStream_t); \
  template void pack(const TraceView<S>&, const KeptRows&, const ChainRange&, S*, cudaStream_t);
LOCKSTEP_INSTANTIATE(float)
LOCKSTEP_INSTANTIATE(double)

}  // namespace lockstep::cuda
