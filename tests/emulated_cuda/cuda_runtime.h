#pragma once

/// As much of CUDA as Lockstep's backend uses, for a compiler and a machine that have none: device
/// memory is host memory, every operation is done when its call returns, the 32 threads of a warp
/// meet at each shuffle and those of a block at each barrier. What it leaves out is what only a
/// card can show: concurrency between streams, and the device's own rounding.

#include <atomic>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <type_traits>
#include <utility>
#include <vector>

#include <ucontext.h>

#define __host__
#define __device__
#define __global__
#define __forceinline__ inline
#define __shared__ thread_local
#define __grid_constant__
#define __launch_bounds__(...)

struct dim3 {
  unsigned x, y, z;
  dim3(unsigned x_ = 1, unsigned y_ = 1, unsigned z_ = 1) : x(x_), y(y_), z(z_) {}
};

inline thread_local dim3 threadIdx, blockIdx, blockDim;

struct alignas(16) float4 {
  float x, y, z, w;
};

// ---- intrinsics, exact here
// -----------------------------------------------------------------------

inline float __expf(float x) {
  return std::exp(x);
}
inline float __fdividef(float x, float y) {
  return x / y;
}

// ---- blocks and their warps
// ----------------------------------------------------------------------------------------

namespace emulated {

/// The threads of a block, which take turns on one thread of the host; each keeps a stack of its
/// own and gives way to the next at every shuffle and barrier.
class Block {
 public:
  static constexpr unsigned most = 288;

  Block() {
    for (Lane& lane : lanes_) {
      lane.stack.resize(1 << 17);
    }
  }

  /// Runs body() once for each of `size` threads, thread i with threadIdx.x = i.
  template <class F>
  void run(unsigned size, F body) {
    const std::function<void()> work = body;
    work_ = &work;
    size_ = size;
    arrived_ = 0;
    for (unsigned i = 0; i < size; ++i) {
      prepare(lanes_[i]);
    }
    for (bool busy = true; busy;) {
      busy = false;
      for (unsigned i = 0; i < size; ++i) {
        if (!lanes_[i].done) {
          current_ = i;
          threadIdx = dim3(i, 0, 0);
          swapcontext(&host_, &lanes_[i].context);
          busy = busy || !lanes_[i].done;
        }
      }
    }
  }

  /// The value that thread `from` of the same warp passes in the same shuffle. The threads arrive
  /// one by one; once all have, each reads. Two buffers, because the first to go on may write
  /// before the last has read.
  template <class T>
  T shuffle(const T& x, unsigned from) {
    Lane& lane = lanes_[current_];
    const unsigned warp = current_ / 32 * 32;
    std::uint64_t* const passed = passed_[lane.shuffles++ % 2];
    std::memcpy(&passed[current_], &x, sizeof(T));
    give_way();
    T y;
    std::memcpy(&y, &passed[warp + from], sizeof(T));
    return y;
  }

  /// Returns once all threads have come here. The last to come gives way too, so that those of a
  /// warp stay in step for its shuffles.
  void barrier() {
    const unsigned turn = turns_;
    if (++arrived_ == size_) {
      arrived_ = 0;
      ++turns_;
    }
    do {
      give_way();
    } while (turn == turns_);
  }

  static Block& mine() {
    thread_local Block block;
    return block;
  }

 private:
  struct Lane {
    ucontext_t context;
    std::vector<char> stack;
    unsigned shuffles = 0;
    bool done = false;
  };

  void give_way() { swapcontext(&lanes_[current_].context, &host_); }

  // Not inlined: a function that calls getcontext may keep nothing in registers.
  [[gnu::noinline]] static void prepare(Lane& lane) {
    getcontext(&lane.context);
    lane.context.uc_stack.ss_sp = lane.stack.data();
    lane.context.uc_stack.ss_size = lane.stack.size();
    lane.context.uc_link = nullptr;
    makecontext(&lane.context, &Block::enter, 0);
    lane.shuffles = 0;
    lane.done = false;
  }

  static void enter() {
    Block& block = mine();
    (*block.work_)();
    block.lanes_[block.current_].done = true;
    block.give_way();
  }

  Lane lanes_[most];
  std::uint64_t passed_[2][most] = {};
  ucontext_t host_;
  unsigned current_ = 0, size_ = 0, arrived_ = 0, turns_ = 0;
  const std::function<void()>* work_ = nullptr;
};

}  // namespace emulated

inline void __syncthreads() {
  emulated::Block::mine().barrier();
}
template <class T>
T __shfl_xor_sync(unsigned, const T& x, int mask) {
  return emulated::Block::mine().shuffle(x, (threadIdx.x % 32) ^ static_cast<unsigned>(mask));
}
template <class T>
T __shfl_down_sync(unsigned, const T& x, int distance) {
  const unsigned lane = threadIdx.x % 32, from = lane + static_cast<unsigned>(distance);
  return emulated::Block::mine().shuffle(x, from < 32 ? from : lane);
}
template <class T>
T atomicAdd(T* to, T x) {
  return std::atomic_ref<T>(*to).fetch_add(x);
}

// ---- the runtime
// -----------------------------------------------------------------------------------

enum cudaError_t { cudaSuccess, cudaErrorMemoryAllocation = 2 };
inline const char* cudaGetErrorString(cudaError_t e) {
  return e == cudaSuccess ? "no error" : "out of memory";
}
inline const char* cudaGetErrorName(cudaError_t e) {
  return e == cudaSuccess ? "cudaSuccess" : "cudaErrorMemoryAllocation";
}
inline cudaError_t cudaGetLastError() {
  return cudaSuccess;
}

using cudaStream_t = int*;
using cudaEvent_t = int*;
enum { cudaStreamNonBlocking = 1, cudaEventDisableTiming = 2 };
enum cudaMemcpyKind { cudaMemcpyHostToDevice, cudaMemcpyDeviceToHost, cudaMemcpyDeviceToDevice };

struct cudaDeviceProp {
  char name[32] = "an emulated card";
  int multiProcessorCount = 1;
  int l2CacheSize = 1;
  std::size_t sharedMemPerBlockOptin = 227 << 10;
};
inline cudaError_t cudaGetDeviceProperties(cudaDeviceProp* p, int) {
  *p = {};
  return cudaSuccess;
}
inline cudaError_t cudaSetDevice(int) {
  return cudaSuccess;
}

/// Filled with a pattern that no number is made of: what is read before it is written shows.
inline cudaError_t cudaMalloc(void** p, std::size_t bytes) {
  *p = std::malloc(bytes);
  if (*p == nullptr) {
    return cudaErrorMemoryAllocation;
  }
  std::memset(*p, 0xFF, bytes);
  return cudaSuccess;
}
inline cudaError_t cudaMallocHost(void** p, std::size_t bytes) {
  return cudaMalloc(p, bytes);
}
inline cudaError_t cudaFree(void* p) {
  std::free(p);
  return cudaSuccess;
}
inline cudaError_t cudaFreeHost(void* p) {
  return cudaFree(p);
}
inline cudaError_t cudaMemsetAsync(void* p, int value, std::size_t bytes, cudaStream_t) {
  std::memset(p, value, bytes);
  return cudaSuccess;
}
inline cudaError_t cudaMemcpyAsync(void* to, const void* from, std::size_t bytes, cudaMemcpyKind,
                                   cudaStream_t) {
  std::memcpy(to, from, bytes);
  return cudaSuccess;
}
inline cudaError_t cudaStreamCreateWithFlags(cudaStream_t*, unsigned) {
  return cudaSuccess;
}
inline cudaError_t cudaStreamDestroy(cudaStream_t) {
  return cudaSuccess;
}
inline cudaError_t cudaStreamSynchronize(cudaStream_t) {
  return cudaSuccess;
}
inline cudaError_t cudaStreamWaitEvent(cudaStream_t, cudaEvent_t, unsigned) {
  return cudaSuccess;
}
inline cudaError_t cudaEventCreateWithFlags(cudaEvent_t*, unsigned) {
  return cudaSuccess;
}
inline cudaError_t cudaEventDestroy(cudaEvent_t) {
  return cudaSuccess;
}
inline cudaError_t cudaEventRecord(cudaEvent_t, cudaStream_t) {
  return cudaSuccess;
}
inline cudaError_t cudaEventSynchronize(cudaEvent_t) {
  return cudaSuccess;
}

/// One block at a time on one multiprocessor: even small tests run in several tiles.
template <class Kernel>
cudaError_t cudaOccupancyMaxActiveBlocksPerMultiprocessor(int* blocks, Kernel, int, std::size_t) {
  *blocks = 1;
  return cudaSuccess;
}

enum cudaFuncAttribute { cudaFuncAttributeMaxDynamicSharedMemorySize };
template <class Kernel>
cudaError_t cudaFuncSetAttribute(Kernel, cudaFuncAttribute, int) {
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
      blockIdx = dim3(x, y, 0);
      blockDim = block;
      emulated::Block::mine().run(block.x, [&] { run(std::index_sequence_for<P...>{}); });
    }
  }
  return cudaSuccess;
}
