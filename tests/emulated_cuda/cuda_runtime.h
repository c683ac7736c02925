#pragma once

/// As much of CUDA as Lockstep's backend uses, for a compiler and a machine that have none: device
/// memory is host memory, every operation is done when its call returns, and a warp is 32 threads that
/// meet at each shuffle. What it leaves out is what only a card can show: concurrency between streams,
/// and the device's own rounding.

#include <atomic>
#include <barrier>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <thread>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#define __host__
#define __device__
#define __global__
#define __forceinline__ inline
#define __grid_constant__
#define __launch_bounds__(...)

struct dim3 {
  unsigned x, y, z;
  dim3(unsigned x_ = 1, unsigned y_ = 1, unsigned z_ = 1) : x(x_), y(y_), z(z_) {}
};

inline thread_local dim3 threadIdx, blockIdx, blockDim;

// ---- intrinsics, exact here -----------------------------------------------------------------------

inline float __expf(float x) { return std::exp(x); }
inline float __fdividef(float x, float y) { return x / y; }

// ---- warps ----------------------------------------------------------------------------------------

namespace emulated {

struct Warp {
  std::barrier<> meeting{32};
  std::uint64_t passed[32] = {};
};
inline thread_local Warp* warp = nullptr;

template <class T>
T shuffle(const T& x, int from) {
  const unsigned lane = threadIdx.x % 32;
  warp->passed[lane] = 0;
  std::memcpy(&warp->passed[lane], &x, sizeof(T));
  warp->meeting.arrive_and_wait();
  T y;
  std::memcpy(&y, &warp->passed[from], sizeof(T));
  warp->meeting.arrive_and_wait();
  return y;
}

}  // namespace emulated

template <class T>
T __shfl_xor_sync(unsigned, const T& x, int mask) {
  return emulated::shuffle(x, static_cast<int>(threadIdx.x % 32) ^ mask);
}
template <class T>
T __shfl_down_sync(unsigned, const T& x, int distance) {
  const int from = static_cast<int>(threadIdx.x % 32) + distance;
  return emulated::shuffle(x, from < 32 ? from : static_cast<int>(threadIdx.x % 32));
}
template <class T>
T atomicAdd(T* to, T x) {
  return std::atomic_ref<T>(*to).fetch_add(x);
}

// ---- the runtime -----------------------------------------------------------------------------------

enum cudaError_t { cudaSuccess, cudaErrorMemoryAllocation = 2 };
inline const char* cudaGetErrorString(cudaError_t e) { return e == cudaSuccess ? "no error" : "out of memory"; }
inline const char* cudaGetErrorName(cudaError_t e) {
  return e == cudaSuccess ? "cudaSuccess" : "cudaErrorMemoryAllocation";
}
inline cudaError_t cudaGetLastError() { return cudaSuccess; }

using cudaStream_t = int*;
using cudaEvent_t = int*;
enum { cudaStreamNonBlocking = 1, cudaEventDisableTiming = 2 };
enum cudaMemcpyKind { cudaMemcpyHostToDevice, cudaMemcpyDeviceToHost };

struct cudaDeviceProp {
  char name[32] = "an emulated card";
  int multiProcessorCount = 1;
  int l2CacheSize = 1;
};
inline cudaError_t cudaGetDeviceProperties(cudaDeviceProp* p, int) {
  *p = {};
  return cudaSuccess;
}
inline cudaError_t cudaSetDevice(int) { return cudaSuccess; }

/// Filled with a pattern that no number is made of: what is read before it is written shows.
inline cudaError_t cudaMalloc(void** p, std::size_t bytes) {
  *p = std::malloc(bytes);
  if (*p == nullptr) {
    return cudaErrorMemoryAllocation;
  }
  std::memset(*p, 0xFF, bytes);
  return cudaSuccess;
}
inline cudaError_t cudaMallocHost(void** p, std::size_t bytes) { return cudaMalloc(p, bytes); }
inline cudaError_t cudaFree(void* p) {
  std::free(p);
  return cudaSuccess;
}
inline cudaError_t cudaFreeHost(void* p) { return cudaFree(p); }
inline cudaError_t cudaMemsetAsync(void* p, int value, std::size_t bytes, cudaStream_t) {
  std::memset(p, value, bytes);
  return cudaSuccess;
}
inline cudaError_t cudaMemcpyAsync(void* to, const void* from, std::size_t bytes, cudaMemcpyKind,
                                   cudaStream_t) {
  std::memcpy(to, from, bytes);
  return cudaSuccess;
}
inline cudaError_t cudaStreamCreateWithFlags(cudaStream_t*, unsigned) { return cudaSuccess; }
inline cudaError_t cudaStreamDestroy(cudaStream_t) { return cudaSuccess; }
inline cudaError_t cudaStreamSynchronize(cudaStream_t) { return cudaSuccess; }
inline cudaError_t cudaStreamWaitEvent(cudaStream_t, cudaEvent_t, unsigned) { return cudaSuccess; }
inline cudaError_t cudaEventCreateWithFlags(cudaEvent_t*, unsigned) { return cudaSuccess; }
inline cudaError_t cudaEventDestroy(cudaEvent_t) { return cudaSuccess; }
inline cudaError_t cudaEventRecord(cudaEvent_t, cudaStream_t) { return cudaSuccess; }
inline cudaError_t cudaEventSynchronize(cudaEvent_t) { return cudaSuccess; }

/// One block at a time on one multiprocessor: even small tests run in several tiles.
template <class Kernel>
cudaError_t cudaOccupancyMaxActiveBlocksPerMultiprocessor(int* blocks, Kernel, int, std::size_t) {
  *blocks = 1;
  return cudaSuccess;
}

template <class... P>
cudaError_t cudaLaunchKernel(void (*kernel)(P...), dim3 grid, dim3 block, void** arguments,
                             std::size_t, cudaStream_t) {
  const auto run = [&]<std::size_t... I>(std::index_sequence<I...>) {
    kernel(*static_cast<std::remove_reference_t<P>*>(arguments[I])...);
  };
  for (unsigned y = 0; y < grid.y; ++y) {
    for (unsigned x = 0; x < grid.x; ++x) {
      for (unsigned first = 0; first < block.x; first += 32) {
        emulated::Warp warp;
        std::vector<std::jthread> lanes;
        for (unsigned lane = 0; lane < 32; ++lane) {
          lanes.emplace_back([&, lane] {
            emulated::warp = &warp;
            threadIdx = dim3(first + lane, 0, 0);
            blockIdx = dim3(x, y, 0);
            blockDim = block;
            run(std::index_sequence_for<P...>{});
          });
        }
      }
    }
  }
  return cudaSuccess;
}
