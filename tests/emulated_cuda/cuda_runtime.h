#pragma once

/// As much of CUDA as Lockstep's backend uses, for a compiler and a machine that have none: device
/// memory is host memory, every operation is done when its call returns, the 32 threads of a warp
/// meet at each shuffle and those of a block at each barrier. What it leaves out is what only a
/// card can show: concurrency between streams, and the device's own rounding.

#include <array>
#include <atomic>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <tuple>
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

  /// What the threads of the warp pass in the same exchange. They arrive one by one; once all have,
  /// each reads. Two buffers, because the first to go on may write before the last has read.
  template <class T>
  std::array<T, 32> exchange(const T& x) {
    static_assert(sizeof(T) <= sizeof(Passed));
    Lane& lane = lanes_[current_];
    const Passed* const warp = passed_[lane.exchanges % 2] + current_ / 32 * 32;
    std::memcpy(&passed_[lane.exchanges++ % 2][current_], &x, sizeof(T));
    give_way();
    std::array<T, 32> all;
    for (unsigned i = 0; i < 32; ++i) {
      std::memcpy(&all[i], &warp[i], sizeof(T));
    }
    return all;
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
    unsigned exchanges = 0;
    bool done = false;
  };
  using Passed = std::uint64_t[4];

  void give_way() { swapcontext(&lanes_[current_].context, &host_); }

  // Not inlined: a function that calls getcontext may keep nothing in registers.
  [[gnu::noinline]] static void prepare(Lane& lane) {
    getcontext(&lane.context);
    lane.context.uc_stack.ss_sp = lane.stack.data();
    lane.context.uc_stack.ss_size = lane.stack.size();
    lane.context.uc_link = nullptr;
    makecontext(&lane.context, &Block::enter, 0);
    lane.exchanges = 0;
    lane.done = false;
  }

  static void enter() {
    Block& block = mine();
    (*block.work_)();
    block.lanes_[block.current_].done = true;
    block.give_way();
  }

  Lane lanes_[most];
  Passed passed_[2][most] = {};
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
  return emulated::Block::mine().exchange(x)[(threadIdx.x % 32) ^ static_cast<unsigned>(mask)];
}
template <class T>
T __shfl_down_sync(unsigned, const T& x, int distance) {
  const unsigned lane = threadIdx.x % 32, from = lane + static_cast<unsigned>(distance);
  return emulated::Block::mine().exchange(x)[from < 32 ? from : lane];
}
template <class T>
T atomicAdd(T* to, T x) {
  return std::atomic_ref<T>(*to).fetch_add(x);
}

namespace emulated {

/// mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32, c += a b: element (row, k) of a is in
/// thread 4 (row % 8) + k % 8 / 2, word row / 8 + 2 (k / 8); (k, column) of b in thread 4 column +
/// k % 8 / 2, word k / 8; both in the lower half if k is even. Sums are rounded to nearest, one
/// product after the other; a card's are not, and not in this order.
inline void mma_m16n8k16(float (&c)[4], const std::uint32_t (&a)[4], const std::uint32_t (&b)[2]) {
  struct Words {
    std::uint32_t a[4], b[2];
  };
  const auto warp = Block::mine().exchange(Words{{a[0], a[1], a[2], a[3]}, {b[0], b[1]}});
  const unsigned lane = threadIdx.x % 32;
  const auto half = [](std::uint32_t word, unsigned k) {
    return std::bit_cast<float>(k % 2 == 0 ? word << 16 : word & 0xFFFF0000u);
  };
  for (unsigned i = 0; i < 4; ++i) {
    const unsigned row = lane / 4 + 8 * (i / 2), column = 2 * (lane % 4) + i % 2;
    for (unsigned k = 0; k < 16; ++k) {
      c[i] += half(warp[4 * (row % 8) + k % 8 / 2].a[row / 8 + 2 * (k / 8)], k) *
              half(warp[4 * column + k % 8 / 2].b[k / 8], k);
    }
  }
}

}  // namespace emulated

// ---- the runtime
// -----------------------------------------------------------------------------------

enum cudaError_t {
  cudaSuccess,
  cudaErrorMemoryAllocation = 2,
  cudaErrorStreamCaptureUnsupported = 900
};
inline const char* cudaGetErrorString(cudaError_t e) {
  return e == cudaSuccess                 ? "no error"
         : e == cudaErrorMemoryAllocation ? "out of memory"
                                          : "operation not permitted when stream is capturing";
}
inline const char* cudaGetErrorName(cudaError_t e) {
  return e == cudaSuccess                 ? "cudaSuccess"
         : e == cudaErrorMemoryAllocation ? "cudaErrorMemoryAllocation"
                                          : "cudaErrorStreamCaptureUnsupported";
}
inline cudaError_t cudaGetLastError() {
  return cudaSuccess;
}

namespace emulated {

using Graph = std::vector<std::function<void()>>;

/// In capture, a stream keeps its work in a graph.
struct Stream {
  Graph* capturing = nullptr;
};

/// Calls so far that gave the card work: copies, kernels, graphs.
inline int submissions = 0;

template <class F>
cudaError_t submit(Stream* stream, F work) {
  if (stream != nullptr && stream->capturing != nullptr) {
    stream->capturing->push_back(work);
  } else {
    ++submissions;
    work();
  }
  return cudaSuccess;
}

/// Of the card.
inline int compute_capability = 9;

}  // namespace emulated

using cudaStream_t = emulated::Stream*;
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
inline cudaError_t cudaGetDevice(int* device) {
  *device = 0;
  return cudaSuccess;
}
enum cudaDeviceAttr { cudaDevAttrComputeCapabilityMajor };
inline cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr, int) {
  *value = emulated::compute_capability;
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
inline cudaError_t cudaMemsetAsync(void* p, int value, std::size_t bytes, cudaStream_t stream) {
  return emulated::submit(stream, [=] { std::memset(p, value, bytes); });
}
inline cudaError_t cudaMemcpyAsync(void* to, const void* from, std::size_t bytes, cudaMemcpyKind,
                                   cudaStream_t stream) {
  return emulated::submit(stream, [=] { std::memcpy(to, from, bytes); });
}
inline cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned) {
  *stream = new emulated::Stream;
  return cudaSuccess;
}
inline cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  delete stream;
  return cudaSuccess;
}
inline cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  return stream != nullptr && stream->capturing != nullptr ? cudaErrorStreamCaptureUnsupported
                                                           : cudaSuccess;
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
                             std::size_t, cudaStream_t stream) {
  const auto copied = [&]<std::size_t... I>(std::index_sequence<I...>) {
    return std::tuple<std::remove_cvref_t<P>...>(
        *static_cast<std::remove_reference_t<P>*>(arguments[I])...);
  }
  (std::index_sequence_for<P...>{});
  return emulated::submit(stream, [=] {
    for (unsigned y = 0; y < grid.y; ++y) {
      for (unsigned x = 0; x < grid.x; ++x) {
        blockIdx = dim3(x, y, 0);
        blockDim = block;
        emulated::Block::mine().run(block.x, [&] { std::apply(kernel, copied); });
      }
    }
  });
}

// ---- graphs
// -----------------------------------------------------------------------------------

using cudaGraph_t = emulated::Graph*;
using cudaGraphExec_t = emulated::Graph*;
enum cudaStreamCaptureMode { cudaStreamCaptureModeRelaxed = 2 };

inline cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode) {
  stream->capturing = new emulated::Graph;
  return cudaSuccess;
}
inline cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
  *graph = std::exchange(stream->capturing, nullptr);
  return cudaSuccess;
}
inline cudaError_t cudaGraphInstantiateWithFlags(cudaGraphExec_t* to, cudaGraph_t from,
                                                 unsigned long long) {
  *to = new emulated::Graph(*from);
  return cudaSuccess;
}
inline cudaError_t cudaGraphLaunch(cudaGraphExec_t graph, cudaStream_t stream) {
  return emulated::submit(stream, [=] {
    for (const auto& work : *graph) {
      work();
    }
  });
}
inline cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  delete graph;
  return cudaSuccess;
}
inline cudaError_t cudaGraphExecDestroy(cudaGraphExec_t graph) {
  delete graph;
  return cudaSuccess;
}
