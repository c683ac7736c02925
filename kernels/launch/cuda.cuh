#pragma once

/// The CUDA backend. A thread, or a few, is a chain; a launch runs up to kChunk transitions with
/// the state in registers and writes their trace to a buffer, which is folded into statistics, and
/// from which kept draws are gathered, on a second stream while the next launch runs:
///
///   compute    advance 0 -> trace A | advance 1 -> trace B | advance 2 -> trace A | ...
///   transfer                        | fold A, copy A       | fold B, copy B       | ...
///
/// More chains than the card holds run as tiles, each through the whole of a launch.

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <cuda_runtime.h>

#include "kernels/launch/cuda_kernels.cuh"
#include "kernels/launch/cuda_memory.cuh"
#include "kernels/launch/cuda_shape.hpp"
#include "kernels/launch/cuda_statistics.cuh"
#include "kernels/launch/describe.hpp"
#include "kernels/launch/make.hpp"
#include "kernels/launch/nvtx.hpp"
#include "kernels/launch/settings.hpp"
#include "kernels/launch/sharded.hpp"
#include "kernels/random/curand.cuh"
#include "kernels/statistics/store.hpp"
#include "lockstep/engine.hpp"

namespace lockstep {

/// @tparam Settings  which samplers it has kernels for (settings.hpp)
template <class S, class Target, class Settings = KernelSettings<S>>
class CudaEngine final : public Engine {
  static constexpr int kCapacity = capacity<Target>;
  static constexpr bool kExact = exact_dimension<Target>;
  static constexpr int kLargestGroup = cuda::largest_group_of<S, Target>;
  /// Chains are padded to a multiple of this: whole warps, even with one chain per warp.
  static constexpr std::int64_t kPadding = 64;
  static_assert(std::is_trivially_copyable_v<Target>,
                "a target is passed to kernels by value: give it `moved` and pointers, no vectors");

 public:
  /// @param device       index of the card
  /// @param first_chain  global id of chain 0, for an engine that runs some chains of many
  /// @throw BackendError, UsageError
  CudaEngine(const Target& target, const SampleOptions& options, int device = 0,
             std::uint64_t first_chain = 0)
      : device_((use(device), device)),
        target_(on_device(target)),
        dim_(dimension(target)),
        chains_(options.chains),
        stride_((options.chains + kPadding - 1) / kPadding * kPadding),
        seed_(options.seed),
        first_chain_(first_chain),
        generator_(options.generator),
        wanted_threads_(options.threads_per_chain),
        q_(matrix("the chains' positions")),
        gradient_(matrix("the chains' gradients")),
        momentum_(matrix("the chains' momenta")),
        potential_hi_(row("the chains' potentials")),
        potential_lo_(row("the chains' potentials")),
        tally_(tallying<Settings> ? q_.size() : 0, "what transitions tally"),
        counts_(1, "the pooled acceptance") {
    cudaDeviceProp properties;
    cuda::check(cudaGetDeviceProperties(&properties, device), "cudaGetDeviceProperties",
                "device " + std::to_string(device));
    multiprocessors_ = properties.multiProcessorCount;
    cache_bytes_ = properties.l2CacheSize;
    shared_bytes_ = properties.sharedMemPerBlockOptin;
    description_ = describe(target);
    description_.backend = "cuda";
    description_.device = properties.name;
    description_.lane = sizeof(S) == 4 ? "float" : "double";
    description_.chains = chains_;
    description_.threads_per_chain = group_for(kLargestGroup);
  }

  void configure(const Sampler& sampler, const PreparedMetric& metric) override {
    use(device_);
    settings_ = Settings(sampler, metric, description_, kCapacity);
    settings_memory_.clear();
    settings_arrays_ = settings_.arrays([&](const std::vector<S>& array) {
      settings_memory_.push_back(uploaded(array, "the sampler's arrays"));
      return static_cast<const S*>(settings_memory_.back().data());
    });
    kernel_for(Launch{});  // an impossible combination is refused here, before anything runs
  }

  void place(std::span<const double> q) override {
    const ProfilerRange range("lockstep: place");
    use(device_);
    std::vector<S> padded(static_cast<std::size_t>(dim_ * stride_));
    for (int j = 0; j < dim_; ++j) {
      for (std::int64_t c = 0; c < stride_; ++c) {  // padding repeats the last chain's start
        padded[static_cast<std::size_t>(j * stride_ + c)] =
            static_cast<S>(q[static_cast<std::size_t>(j * chains_ + std::min(c, chains_ - 1))]);
      }
    }
    q_.upload(padded.data(), compute_);
    momentum_.clear(compute_);
    cuda::launch(cuda::evaluate_kernel<S, Target>, cuda::blocks_for(stride_), compute_,
                 "evaluate_kernel, " + where(), target_, view(), 0, stride_);
    compute_.synchronize("evaluate_kernel, " + where());
  }

  void evaluations(std::span<double> potential, std::span<double> gradient) const override {
    use(device_);
    std::vector<S> hi(potential_hi_.size()), lo(potential_lo_.size());
    potential_hi_.download(hi.data(), compute_);
    potential_lo_.download(lo.data(), compute_);
    for (std::size_t c = 0; c < static_cast<std::size_t>(chains_); ++c) {
      potential[c] = static_cast<double>(hi[c]) + static_cast<double>(lo[c]);
    }
    if (!gradient.empty()) {
      copy_out(gradient_, 0, dim_, gradient);
    }
  }

  void positions(std::span<double> q) const override { copy_out(q_, 0, dim_, q); }
  void momenta(std::span<double> p) const override { copy_out(momentum_, 0, dim_, p); }

  void scale_steps(std::span<const double> factors) override {
    use(device_);
    std::vector<S> padded;
    for (std::int64_t c = 0; !factors.empty() && c < stride_; ++c) {
      padded.push_back(static_cast<S>(factors[static_cast<std::size_t>(std::min(c, chains_ - 1))]));
    }
    step_scale_ = uploaded(padded, "the chains' step sizes");
  }

  void observed(int first_row, std::span<double> values) const override {
    copy_out(observed_, first_row, static_cast<std::int64_t>(values.size()) / chains_, values);
  }

  void tallies(std::span<double> sums) const override {
    if constexpr (tallying<Settings>) {
      use(device_);
      std::vector<S> rows(tally_.size());
      tally_.download(rows.data(), compute_);
      sum_rows(rows.data(), stride_, chains_, sums);
    } else {
      Engine::tallies(sums);
    }
  }

  Pooled advance(const Launch& launch) override {
    const ProfilerRange range("lockstep: advance");
    use(device_);
    tally_.clear(compute_);
    const Kernel kernel = kernel_for(launch);
    counts_.clear(compute_);
    const int parameters = launch.observe ? dim_ : 0;
    for_tiles(kernel, parameters, [&](const cuda::ChainRange& tile) {
      const TraceView<S> trace{traces_[0].memory.data(), tile.end - tile.begin, parameters,
                               tile.begin};
      for (int done = 0; done < launch.count; done += kChunk) {
        const int n = std::min(kChunk, launch.count - done);
        kernel.advance(sweep(tile, launch, done, n, trace));
        cuda::pool(trace, n, real(tile), counts_.data(), compute_);
        if (launch.observe && done + n == launch.count) {
          observe(trace, n - 1, tile);
        }
      }
    });
    return pooled(launch, kernel);
  }

  void record(const Recording& recording) override {
    use(device_);
    store_ = StatisticsStore(recording, dim_, chains_, stride_, /*here=*/false);
    statistics_ = store_.view();
    std::size_t i = 0;
    store_.for_arrays(
        [&](double* StatisticsView::*array, std::vector<double>& known, std::size_t size) {
          if (arrays_[i].size() != size) {
            arrays_[i] = {};  // frees it first
            arrays_[i] = cuda::DeviceArray<double>(size, "the streamed statistics");
          }
          if (known.empty()) {
            arrays_[i].clear(compute_);
          } else {
            arrays_[i].upload(known.data(), compute_);
          }
          statistics_.*array = arrays_[i++].data();
        });
    compute_.synchronize("the streamed statistics");
    kept_rows_ = uploaded(store_.kept_rows(), "the kept draws");
  }

  Pooled advance_recording(const Launch& launch) override {
    const ProfilerRange range("lockstep: advance and record");
    use(device_);
    const Kernel kernel = kernel_for(launch);
    tally_.clear(compute_);
    counts_.clear(compute_);
    compute_.synchronize("the pooled acceptance");
    for_tiles(kernel, dim_, [&](const cuda::ChainRange& tile) {
      int turn = 0;
      store_.for_chunks(launch.count, [&](int done, int n, const ChunkPlace& place) {
        Trace& trace = traces_[static_cast<std::size_t>(turn++ % 2)];
        deliver(trace);                // the host has its previous draws, and
        trace.folded.block(compute_);  // the device is through with it
        trace.view = {trace.memory.data(), tile.end - tile.begin, dim_, tile.begin};
        kernel.advance(sweep(tile, launch, done, n, trace.view));
        trace.written.record(compute_);
        trace.written.block(transfer_);
        cuda::fold(trace.view, n, statistics_, real(tile), place, transfer_);
        cuda::pool(trace.view, n, real(tile), counts_.data(), transfer_);
        keep(trace, n, tile, place.first_draw);
        trace.folded.record(transfer_);
      });
    });
    for (Trace& trace : traces_) {
      deliver(trace);
      trace.folded.block(compute_);
    }
    store_.advance(launch.count);
    return pooled(launch, kernel);
  }

  Statistics statistics() const override {
    use(device_);
    StatisticsStore store = store_.without_draws();
    std::size_t i = 0;
    store.for_arrays([&](double* StatisticsView::*, std::vector<double>& memory, std::size_t) {
      arrays_[i++].download(memory.data(), compute_);
    });
    return store.statistics();
  }

  Draws draws() const override { return store_.draws(); }
  Draws take_draws() override { return store_.take_draws(); }

  void archive(Archive& a) override {
    use(device_);
    for (cuda::DeviceArray<S>* array :
         {&q_, &gradient_, &momentum_, &potential_hi_, &potential_lo_}) {
      archive_array(a, *array);
    }
    Recording recording = store_.recording();
    a(recording);
    if (recording.draws > 0) {
      if (a.reading()) {
        record(recording);
      }
      store_.archive_draws(a);
      for (cuda::DeviceArray<double>& array : arrays_) {
        archive_array(a, array);
      }
    }
  }

 private:
  using Sweep = cuda::Sweep<S>;

  /// A kernel bound to its transition.
  struct Kernel {
    std::function<void(const Sweep&)> advance;
    std::int64_t resident = 0;  // chains that run at the same time
    std::string name;           // for errors
  };

  /// One of the two buffers, and how far it has got.
  struct Trace {
    cuda::DeviceArray<S> memory, packed;
    cuda::PinnedArray<S> pinned;
    std::size_t pinned_size = 0;
    TraceView<S> view;
    cuda::Event written, folded;
    std::int64_t first_kept = 0;  // the kept draw that `pinned` begins with
    int kept = 0;                 // draws in it that the host has yet to take
    cuda::ChainRange kept_chains;
  };

  static void use(int device) {
    cuda::check(cudaSetDevice(device), "cudaSetDevice", "device " + std::to_string(device));
  }

  std::string where() const {
    return description_.device + ", " + std::to_string(chains_) + " chains of " +
           std::to_string(dim_) + " coordinates";
  }

  cuda::DeviceArray<S> matrix(const std::string& purpose) const {
    return cuda::DeviceArray<S>(static_cast<std::size_t>(dim_ * stride_), purpose);
  }
  template <class T>
  void archive_array(Archive& a, cuda::DeviceArray<T>& array) const {
    std::vector<T> host(array.size());
    if (!a.reading()) {
      array.download(host.data(), compute_);
    }
    a.bytes(host.data(), host.size() * sizeof(T));
    if (a.reading()) {
      array.upload(host.data(), compute_);
    }
  }
  cuda::DeviceArray<S> row(const std::string& purpose) const {
    return cuda::DeviceArray<S>(static_cast<std::size_t>(stride_), purpose);
  }

  template <class T>
  cuda::DeviceArray<T> uploaded(const std::vector<T>& from, const std::string& purpose) const {
    cuda::DeviceArray<T> to(from.size(), purpose);
    to.upload(from.data(), compute_);
    return to;
  }

  /// The target with its arrays, if it has any, copied to the device.
  Target on_device(const Target& target) {
    const auto copy = [&](const auto* from, std::size_t n) {
      using T = std::remove_const_t<std::remove_pointer_t<decltype(from)>>;
      auto memory = std::make_shared<cuda::DeviceArray<T>>(n, "the target's data");
      memory->upload(from, compute_);
      target_memory_.push_back(memory);
      return static_cast<const T*>(memory->data());
    };
    if constexpr (requires { target.moved(copy); }) {
      return target.moved(copy);
    } else {
      return target;
    }
  }

  /// Rows [first, first + rows) of an array of such rows, without the padding.
  void copy_out(const cuda::DeviceArray<S>& from, std::int64_t first, std::int64_t rows,
                std::span<double> to) const {
    use(device_);
    std::vector<S> padded(static_cast<std::size_t>(rows * stride_));
    from.download(padded.data(), compute_, static_cast<std::size_t>(first * stride_),
                  padded.size());
    for (std::int64_t r = 0; r < rows; ++r) {
      std::copy_n(padded.begin() + r * stride_, chains_, to.begin() + r * chains_);
    }
  }

  /// Copies the last transition of a tile to where `observed` finds it.
  void observe(const TraceView<S>& trace, int transition, const cuda::ChainRange& tile) {
    const auto size = static_cast<std::size_t>(trace.rows() * stride_);
    if (observed_.size() < size) {
      observed_ = cuda::DeviceArray<S>(size, "what each chain did last");
    }
    const auto width = static_cast<std::size_t>(tile.end - tile.begin);
    for (int r = 0; r < trace.rows(); ++r) {
      cuda::check(cudaMemcpyAsync(observed_.data() + r * stride_ + tile.begin,
                                  trace.row(transition, r) + tile.begin, width * sizeof(S),
                                  cudaMemcpyDeviceToDevice, compute_),
                  "cudaMemcpyAsync", "what each chain did last");
    }
  }

  ChainsView<S> view() const {
    return {
        q_.data(), gradient_.data(), momentum_.data(),   potential_hi_.data(), potential_lo_.data(),
        stride_,   first_chain_,     step_scale_.data(), tally_.data()};
  }

  Sweep sweep(const cuda::ChainRange& tile, const Launch& launch, int done, int n,
              const TraceView<S>& trace) const {
    return {view(), tile.begin, tile.end, seed_, launch.first + static_cast<std::uint32_t>(done),
            n,      trace};
  }

  /// Without the padding.
  cuda::ChainRange real(const cuda::ChainRange& tile) const {
    return {tile.begin, std::min(tile.end, chains_)};
  }

  int group_for(int largest) const {
    return wanted_threads_ > 0 ? cuda::checked_threads_per_chain(wanted_threads_, dim_, largest)
                               : cuda::threads_per_chain(dim_, chains_, multiprocessors_, largest);
  }

  /// The kernel for the sampler that `configure` set, at this launch's step size.
  Kernel kernel_for(const Launch& launch) {
    Kernel kernel;
    settings_.template with_transition<kCapacity, kExact>(
        settings_arrays_, dim_, trajectory_of(settings_.sampler, seed_, launch),
        [&](const auto& transition) {
          using Transition = std::decay_t<decltype(transition)>;
          constexpr bool common = cuda::is_default_transition<Transition>;
          if (generator_ == Generator::curand) {
            if constexpr (common && std::is_same_v<S, float>) {
              description_.threads_per_chain = group_for(1);
              kernel = bound<CurandStream, Solo>(transition);
              return;
            } else {
              throw UsageError(
                  "the curand generator serves HMC with leapfrog, full momentum refreshment, a "
                  "unit "
                  "or diagonal metric and single precision on CUDA; use the philox generator");
            }
          }
          const int threads = group_for(common ? kLargestGroup : 1);
          description_.threads_per_chain = threads;
          if constexpr (common) {
            kernel = with_group<1>(transition, threads);
          } else {
            if constexpr (cuda::runs_in_pairs<Transition>) {
              if (cuda::pairs_fill(chains_, multiprocessors_)) {
                kernel = bound<lockstep::Stream<S>, cuda::Pairs>(transition);
                return;
              }
            }
            kernel = bound<lockstep::Stream<S>, Solo>(transition);
          }
        });
    return kernel;
  }

  template <int G, class Transition>
  Kernel with_group(const Transition& transition, int threads) const {
    if constexpr (2 * G <= kLargestGroup) {
      if (threads > G) {
        return with_group<2 * G>(transition, threads);
      }
    }
    return bound<lockstep::Stream<S>, typename cuda::GroupOf<G>::Type>(transition);
  }

  template <class Stream, class Group, class Transition>
  Kernel bound(const Transition& transition) const {
    using Plan = cuda::Plan<S, Stream, Group, Target, Transition>;
    const auto kernel = Plan::kernel();
    const std::size_t shared = Plan::shared_bytes(target_, transition);
    const std::string name =
        "advance_kernel with " + std::to_string(Group::size) + " threads per chain, " + where();
    if (shared > 0) {
      require(shared <= shared_bytes_,
              "this needs " + std::to_string(shared) + " bytes of shared memory and " +
                  description_.device + " has " + std::to_string(shared_bytes_) +
                  " for a block: use narrower networks or fewer data, or the cpu backend");
      cuda::check(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize,
                                       static_cast<int>(shared)),
                  "cudaFuncSetAttribute", name);
    }
    int blocks = 0;
    cuda::check(
        cudaOccupancyMaxActiveBlocksPerMultiprocessor(&blocks, kernel, Plan::threads, shared),
        "cudaOccupancyMaxActiveBlocksPerMultiprocessor", name);
    const auto advance = [this, kernel, shared, transition, name](const Sweep& s) {
      const std::int64_t grid =
          (s.end - s.begin + Plan::chains_per_block - 1) / Plan::chains_per_block;
      cuda::launch_blocks(kernel, static_cast<unsigned>(grid), Plan::threads, shared, compute_,
                          name, target_, transition, s);
    };
    return {advance, std::int64_t{blocks} * multiprocessors_ * Plan::chains_per_block, name};
  }

  /// Calls f for each tile, with trace buffers that are large enough.
  template <class F>
  void for_tiles(const Kernel& kernel, int parameters, F f) {
    const std::int64_t rows = parameters + TraceView<S>::info_rows;
    const std::int64_t bytes_per_chain = kChunk * rows * std::int64_t{sizeof(S)};
    // Two traces share the cache with the chains themselves.
    const std::int64_t cached = cache_bytes_ / (3 * bytes_per_chain);
    const std::int64_t tile = cuda::chains_per_tile(stride_, kernel.resident, cached, kPadding);
    const auto size = static_cast<std::size_t>(kChunk * rows * tile);
    for (Trace& trace : traces_) {
      if (trace.memory.size() < size) {
        trace.memory = cuda::DeviceArray<S>(size, "the trace of a launch");
      }
    }
    for (std::int64_t begin = 0; begin < stride_; begin += tile) {
      f(cuda::ChainRange{begin, std::min(begin + tile, stride_)});
    }
  }

  /// Starts the way of a chunk's kept draws to the host.
  void keep(Trace& trace, int n, const cuda::ChainRange& tile, std::int64_t first_draw) {
    const std::int64_t thin = store_.thin();
    const std::int64_t last = std::min(tile.end, store_.kept_chains());
    const std::int64_t first_kept = first_draw / thin;  // draws kept so far
    const int kept = static_cast<int>((first_draw + n) / thin - first_kept);
    if (tile.begin >= last || kept == 0) {
      return;
    }
    trace.first_kept = first_kept;
    trace.kept = kept;
    trace.kept_chains = {tile.begin, last};
    const std::size_t size =
        static_cast<std::size_t>(kept * std::int64_t(kept_rows_.size()) * (last - tile.begin));
    if (trace.pinned_size < size) {
      // As large as it will ever be for tiles of this size.
      const std::size_t most = static_cast<std::size_t>((kChunk + thin - 1) / thin) *
                               kept_rows_.size() * static_cast<std::size_t>(last - tile.begin);
      trace.packed = cuda::DeviceArray<S>(most, "the kept draws");
      trace.pinned = cuda::PinnedArray<S>(most, "the kept draws");
      trace.pinned_size = most;
    }
    const cuda::KeptRows rows{static_cast<int>((first_kept + 1) * thin - 1 - first_draw),
                              static_cast<int>(thin), kept, kept_rows_.data(),
                              static_cast<int>(kept_rows_.size())};
    cuda::pack(trace.view, rows, trace.kept_chains, trace.packed.data(), transfer_);
    cuda::check(cudaMemcpyAsync(trace.pinned.data(), trace.packed.data(), size * sizeof(S),
                                cudaMemcpyDeviceToHost, transfer_),
                "cudaMemcpyAsync", "the kept draws");
  }

  /// Takes a buffer's kept draws, once they have arrived.
  void deliver(Trace& trace) {
    if (trace.kept == 0) {
      return;
    }
    trace.folded.synchronize("the kept draws, " + where());
    const std::int64_t begin = trace.kept_chains.begin, end = trace.kept_chains.end;
    const S* from = trace.pinned.data();
    for (int k = 0; k < trace.kept; ++k) {
      for (int r = 0; r < static_cast<int>(kept_rows_.size()); ++r, from += end - begin) {
        std::copy(from, from + (end - begin), store_.kept_row(trace.first_kept + k, r) + begin);
      }
    }
    trace.kept = 0;
  }

  /// What all chains did in the launch; waits for it to end.
  Pooled pooled(const Launch& launch, const Kernel& kernel) {
    cuda::PooledCounts counts;
    compute_.synchronize(kernel.name);
    counts_.download(&counts, compute_);
    const double transitions = static_cast<double>(launch.count) * static_cast<double>(chains_);
    return {static_cast<double>(counts.acceptance) * cuda::PooledCounts::unit / transitions,
            static_cast<std::int64_t>(counts.divergences)};
  }

  int device_;
  cuda::WorkStream compute_, transfer_;
  std::vector<std::shared_ptr<void>> target_memory_;
  Target target_;
  int dim_;
  std::int64_t chains_, stride_;
  std::uint64_t seed_, first_chain_;
  Generator generator_;
  int wanted_threads_;
  int multiprocessors_ = 0;
  std::int64_t cache_bytes_ = 0;
  std::size_t shared_bytes_ = 0;  // that one block may have
  cuda::DeviceArray<S> q_, gradient_, momentum_, potential_hi_, potential_lo_, tally_;
  cuda::DeviceArray<cuda::PooledCounts> counts_;
  Settings settings_;
  typename Settings::Arrays settings_arrays_;
  std::vector<cuda::DeviceArray<S>> settings_memory_;
  cuda::DeviceArray<S> step_scale_, observed_;
  std::array<Trace, 2> traces_;
  StatisticsStore store_;
  StatisticsView statistics_;                         // store_'s arrays, on the device
  std::array<cuda::DeviceArray<double>, 10> arrays_;  // in the order of for_arrays
  cuda::DeviceArray<int> kept_rows_;
};

/// @tparam Settings  CudaEngine's
template <class S, class Target, class Settings>
std::unique_ptr<Engine> make_cuda_engine_with(const Target& target, const SampleOptions& options) {
  resolve_backend(Backend::cuda, true);  // says why there is no device, if there is none
  return make_sharded(options.chains, options.devices,
                      [&](int device, std::int64_t first, std::int64_t chains) {
                        SampleOptions part = options;
                        part.chains = chains;
                        return std::make_unique<CudaEngine<S, Target, Settings>>(
                            target, part, device, static_cast<std::uint64_t>(first));
                      });
}

template <class S, class Target>
std::unique_ptr<Engine> make_cuda_engine(const Target& target, const SampleOptions& options) {
  return make_cuda_engine_with<S, Target, KernelSettings<S>>(target, options);
}

}  // namespace lockstep
