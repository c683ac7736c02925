#pragma once

/// CUDA's resources as values: memory, streams and events that free themselves, launches, and
/// errors that say what failed and for what.

#include <cstddef>
#include <string>
#include <type_traits>
#include <utility>

#include <cuda_runtime.h>

#include "kernels/launch/cuda_shape.hpp"
#include "lockstep/error.hpp"

namespace lockstep::cuda {

/// @throw BackendError  naming the call, what it was for, and CUDA's reason
inline void check(cudaError_t status, const std::string& call, const std::string& purpose) {
  if (status == cudaSuccess) {
    return;
  }
  cudaGetLastError();  // an error that has been reported must not surface again in a later call
  std::string message = call + " failed for " + purpose + ": " + cudaGetErrorString(status) + " (" +
                        cudaGetErrorName(status) + ")";
  if (status == cudaErrorMemoryAllocation) {
    message += "; use fewer chains, fewer lags, or more devices";
  }
  throw BackendError(message);
}

/// Launches kernel<<<grid, threads, shared, stream>>>(arguments...).
/// @param shared  bytes of shared memory for each block
template <class... P>
void launch_blocks(void (*kernel)(P...), dim3 grid, int threads, std::size_t shared,
                   cudaStream_t stream, const std::string& purpose,
                   const std::type_identity_t<P>&... arguments) {
  void* pointers[] = {const_cast<void*>(static_cast<const void*>(&arguments))...};
  check(cudaLaunchKernel(kernel, grid, dim3(static_cast<unsigned>(threads)), pointers, shared,
                         stream),
        "launch of a kernel", purpose);
}
/// With kBlock threads and no shared memory but the kernel's own.
template <class... P>
void launch(void (*kernel)(P...), dim3 grid, cudaStream_t stream, const std::string& purpose,
            const std::type_identity_t<P>&... arguments) {
  launch_blocks<P...>(kernel, grid, kBlock, 0, stream, purpose, arguments...);
}

/// Blocks for so many threads.
constexpr unsigned blocks_for(std::int64_t threads) {
  return static_cast<unsigned>((threads + kBlock - 1) / kBlock);
}

/// An array in device memory. Its contents are indeterminate until written.
template <class T>
class DeviceArray {
 public:
  DeviceArray() = default;
  /// @param purpose  for people: what the memory is for
  DeviceArray(std::size_t size, const std::string& purpose) : size_(size), purpose_(purpose) {
    if (size > 0) {
      check(cudaMalloc(reinterpret_cast<void**>(&data_), size * sizeof(T)),
            "cudaMalloc of " + std::to_string(size * sizeof(T)) + " bytes", purpose);
    }
  }
  ~DeviceArray() { cudaFree(data_); }
  DeviceArray(DeviceArray&& other) noexcept { swap(other); }
  DeviceArray& operator=(DeviceArray&& other) noexcept {
    swap(other);
    return *this;
  }

  T* data() const { return data_; }
  std::size_t size() const { return size_; }

  /// Sets every byte to zero, in the order of the stream.
  void clear(cudaStream_t stream) {
    if (size_ > 0) {
      check(cudaMemsetAsync(data_, 0, size_ * sizeof(T), stream), "cudaMemsetAsync", purpose_);
    }
  }
  /// Copies all of it, in the order of the stream; returns once it has arrived.
  void upload(const T* from, cudaStream_t stream) {
    copy(data_, from, size_, cudaMemcpyHostToDevice, stream);
  }
  void download(T* to, cudaStream_t stream) const { download(to, stream, 0, size_); }
  /// Elements [first, first + count) of it.
  void download(T* to, cudaStream_t stream, std::size_t first, std::size_t count) const {
    copy(to, data_ + first, count, cudaMemcpyDeviceToHost, stream);
  }
  /// The same between it and page-locked memory, of the first elements; it returns at once.
  void begin_upload(const T* from, cudaStream_t stream) {
    begin_copy(data_, from, size_, cudaMemcpyHostToDevice, stream);
  }
  void begin_download(T* to, cudaStream_t stream, std::size_t count) const {
    begin_copy(to, data_, count, cudaMemcpyDeviceToHost, stream);
  }

 private:
  void swap(DeviceArray& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    std::swap(purpose_, other.purpose_);
  }
  void begin_copy(T* to, const T* from, std::size_t count, cudaMemcpyKind kind,
                  cudaStream_t stream) const {
    check(cudaMemcpyAsync(to, from, count * sizeof(T), kind, stream), "cudaMemcpyAsync", purpose_);
  }
  void copy(T* to, const T* from, std::size_t count, cudaMemcpyKind kind,
            cudaStream_t stream) const {
    if (count > 0) {
      begin_copy(to, from, count, kind, stream);
      check(cudaStreamSynchronize(stream), "cudaStreamSynchronize", purpose_);
    }
  }

  T* data_ = nullptr;
  std::size_t size_ = 0;
  std::string purpose_;
};

/// An array in page-locked host memory, which copies can reach while kernels run.
template <class T>
class PinnedArray {
 public:
  PinnedArray() = default;
  PinnedArray(std::size_t size, const std::string& purpose) {
    if (size > 0) {
      check(cudaMallocHost(reinterpret_cast<void**>(&data_), size * sizeof(T)),
            "cudaMallocHost of " + std::to_string(size * sizeof(T)) + " bytes", purpose);
    }
  }
  ~PinnedArray() { cudaFreeHost(data_); }
  PinnedArray(PinnedArray&& other) noexcept : data_(std::exchange(other.data_, nullptr)) {}
  PinnedArray& operator=(PinnedArray&& other) noexcept {
    std::swap(data_, other.data_);
    return *this;
  }
  T* data() const { return data_; }

 private:
  T* data_ = nullptr;
};

/// Work in order, concurrent with other streams.
class WorkStream {
 public:
  WorkStream() {
    check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "cudaStreamCreateWithFlags",
          "a stream of launches");
  }
  ~WorkStream() { cudaStreamDestroy(stream_); }
  WorkStream(const WorkStream&) = delete;
  WorkStream& operator=(const WorkStream&) = delete;

  operator cudaStream_t() const { return stream_; }
  void synchronize(const std::string& purpose) const {
    check(cudaStreamSynchronize(stream_), "cudaStreamSynchronize", purpose);
  }

 private:
  cudaStream_t stream_ = nullptr;
};

/// Work that is put together once and then launched as a whole, as often as wanted: a launch costs
/// the host one call, and the card no gaps in which it waits for the host.
class Graph {
 public:
  Graph() = default;
  /// @param work  work(): gives the stream all of it, to be kept instead of done. It may neither
  ///              wait nor free what the work uses, and what it says of sizes is said for good.
  template <class F>
  Graph(cudaStream_t stream, const std::string& purpose, F work) : purpose_(purpose) {
    // Relaxed: a kernel that is launched for the first time may have to be loaded.
    check(cudaStreamBeginCapture(stream, cudaStreamCaptureModeRelaxed), "cudaStreamBeginCapture",
          purpose);
    cudaGraph_t graph = nullptr;
    try {
      work();
    } catch (...) {
      cudaStreamEndCapture(stream, &graph);
      cudaGraphDestroy(graph);
      throw;
    }
    check(cudaStreamEndCapture(stream, &graph), "cudaStreamEndCapture", purpose);
    const cudaError_t status = cudaGraphInstantiateWithFlags(&graph_, graph, 0);
    cudaGraphDestroy(graph);
    check(status, "cudaGraphInstantiate", purpose);
  }
  ~Graph() {
    if (graph_ != nullptr) {
      cudaGraphExecDestroy(graph_);
    }
  }
  Graph(Graph&& other) noexcept { swap(other); }
  Graph& operator=(Graph&& other) noexcept {
    swap(other);
    return *this;
  }

  void launch(cudaStream_t stream) const {
    check(cudaGraphLaunch(graph_, stream), "cudaGraphLaunch", purpose_);
  }

 private:
  void swap(Graph& other) noexcept {
    std::swap(graph_, other.graph_);
    std::swap(purpose_, other.purpose_);
  }

  cudaGraphExec_t graph_ = nullptr;
  std::string purpose_;
};

/// A point in a stream's work that another stream, or the host, can wait for.
class Event {
 public:
  Event() {
    check(cudaEventCreateWithFlags(&event_, cudaEventDisableTiming), "cudaEventCreateWithFlags",
          "ordering launches");
  }
  ~Event() { cudaEventDestroy(event_); }
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;

  void record(cudaStream_t stream) {
    check(cudaEventRecord(event_, stream), "cudaEventRecord", "ordering launches");
  }
  /// Makes the stream wait. An event never recorded is no wait at all.
  void block(cudaStream_t stream) const {
    check(cudaStreamWaitEvent(stream, event_, 0), "cudaStreamWaitEvent", "ordering launches");
  }
  /// Makes the host wait.
  void synchronize(const std::string& purpose) const {
    check(cudaEventSynchronize(event_), "cudaEventSynchronize", purpose);
  }

 private:
  cudaEvent_t event_ = nullptr;
};

}  // namespace lockstep::cuda
