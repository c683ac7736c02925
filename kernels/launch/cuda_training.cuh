#pragma once

/// Training L2HMC's networks on CUDA, in single precision. One kernel takes each chain through a
/// transition and back, a chain to a thread, and leaves what every evaluation saw and the adjoints
/// of its sums in memory; another contracts these to the gradient, a weight to a thread. All sums
/// have the order that they have on the CPU with one chain to a lane.
///
/// A step is one launch, of a graph: what changes from step to step, the networks and
/// TrainingLaunch, goes to the card and the gradient comes back by copies that are in it too. Adam
/// stays with the host, which has the networks in double, keeps the best of them and saves them.

#include <memory>
#include <span>
#include <vector>

#include "kernels/launch/cuda_kernels.cuh"
#include "kernels/launch/cuda_memory.cuh"
#include "kernels/launch/l2hmc.hpp"
#include "kernels/launch/make.hpp"
#include "kernels/launch/training_summary.hpp"
#include "kernels/transitions/l2hmc_training.hpp"

namespace lockstep {

namespace cuda {

/// The training's arrays, all in device memory.
struct TrainingArrays {
  AnyLayout layout;
  const float* network;
  const TrainingLaunch* launch;
  float* q;                            // [dim][batch]
  float* records;                      // [chains][2 networks][2 steps][stride]
  float* vectors;                      // [chains][vectors_of]
  float* scalars;                      // [chains][1 + 4 dim]: gradients of log step size, s and q
  TrainingInfo<float>* infos;          // [chains]
  double* gradient;                    // [parameters]
  std::int64_t batch = 0, chains = 0;  // with those of fresh noise

  LOCKSTEP_INLINE int stride() const { return UpdateRecord<float>::size(layout.net); }
  LOCKSTEP_INLINE int records_of() const { return 4 * layout.steps * stride(); }
  LOCKSTEP_INLINE int vectors_of() const { return (kTrainingVectors + 1) * layout.net.dim + 3; }
  LOCKSTEP_INLINE int scalars_of() const { return 1 + 4 * layout.net.dim; }
};

/// A chain's TrainingMemory.
class TrainingSlice {
 public:
  static constexpr bool contracted_here = false;

  LOCKSTEP_INLINE TrainingSlice(const TrainingArrays& a, std::int64_t chain)
      : dim_(a.layout.net.dim),
        steps_(a.layout.steps),
        stride_(a.stride()),
        records_(a.records + chain * a.records_of()),
        vectors_(a.vectors + chain * a.vectors_of()) {}

  LOCKSTEP_INLINE std::span<float> records() const {
    return {records_, static_cast<std::size_t>(4 * steps_ * stride_)};
  }
  LOCKSTEP_INLINE auto step(int i) const {
    return [this, i](int k) {
      const int net = k == 0 || k == 3 ? 0 : 1;
      return records_ + (2 * (net * steps_ + i) + (k < 2 ? 0 : 1)) * stride_;
    };
  }
  LOCKSTEP_INLINE float* vector(int k) const { return vectors_ + k * dim_; }
  /// Room for a position and whole quads of normals.
  LOCKSTEP_INLINE float* x() const { return vector(kTrainingVectors); }

 private:
  int dim_, steps_, stride_;
  float *records_, *vectors_;
};

/// Where a chain's gradients of log step size, s and q go, by the index of the parameter.
struct TrainingScalars {
  const AnyLayout& layout;
  float* to;

  LOCKSTEP_INLINE float& operator[](int k) const {
    const int v = k - layout.v() - layout.net.log_scales();
    const int x = k - layout.x() - layout.net.log_scales();
    return to[k == 0 ? 0 : x >= 0 ? 1 + 2 * layout.net.dim + x : 1 + v];
  }
};

/// Threads of a block that go through transitions: few, so that a batch of hundreds spreads over
/// the card.
inline constexpr int kTrainingBlock = 32;

template <class Target>
__global__ void __launch_bounds__(kTrainingBlock)
    train_kernel(const __grid_constant__ Target target,
                 const __grid_constant__ TrainingArrays arrays, std::uint64_t seed) {
  const std::int64_t chain = std::int64_t{blockIdx.x} * kTrainingBlock + threadIdx.x;
  if (chain >= arrays.chains) {
    return;
  }
  const TrainingLaunch launch = *arrays.launch;
  const bool noise = chain >= arrays.batch;
  const int dim = arrays.layout.net.dim;
  const L2hmcNetwork<float, AnyShape> network{arrays.layout, arrays.network};
  const float* scale = network.at(arrays.layout.scale());
  const auto id = static_cast<std::uint64_t>(noise ? chain - arrays.batch : chain);
  const auto stream = Stream<float>::of(seed, id + (noise ? kFirstNoise : 0));
  TrainingSlice memory(arrays, chain);
  float* x = memory.x();
  if (noise) {
    normals(stream, launch.iteration, Purpose::training, dim, x);
  } else {
    for (int j = 0; j < dim; ++j) {
      x[j] = arrays.q[j * arrays.batch + chain] / scale[j];
    }
  }
  float* scalars = arrays.scalars + chain * arrays.scalars_of();
  for (int k = 0; k < arrays.scalars_of(); ++k) {
    scalars[k] = 0;
  }
  const auto weight =
      static_cast<float>((noise ? launch.noise_weight : 1.0) / static_cast<double>(arrays.batch));
  arrays.infos[chain] = train_chains(target, network, Remember::steps, launch, stream, weight, x,
                                     memory, TrainingScalars{arrays.layout, scalars});
  if (!noise) {
    for (int j = 0; j < dim; ++j) {
      arrays.q[j * arrays.batch + chain] = scale[j] * x[j];
    }
  }
}

/// Where the factors of a parameter's gradient stand.
struct Factors {
  int net;      // 0: V, 1: X
  int in, out;  // in a record; in < 0: there is none, it is a bias
  int scalar;   // >= 0: instead, in the chain's scalars
};
LOCKSTEP_INLINE Factors factors_of(const AnyLayout& layout, int parameter) {
  const auto& net = layout.net;
  if (parameter == 0) {
    return {0, 0, 0, 0};
  }
  const int x = parameter < layout.x() ? 0 : 1;
  const int k = parameter - (x == 0 ? layout.v() : layout.x());
  if (k >= net.log_scales()) {
    return {x, 0, 0, 1 + 2 * net.dim * x + k - net.log_scales()};
  }
  int layer = 0;
  while (layer < net.hidden && k >= net.weights(layer + 1)) {  // weights(hidden) are the heads
    ++layer;
  }
  const bool heads = layer == net.hidden;
  const int outputs = heads ? net.outputs() : net.width;
  const int at = k - net.weights(layer), bias = heads ? net.heads_bias() : net.bias(layer);
  const int before = layer == 0 ? 0 : net.inputs() + (layer - 1) * net.width;
  const int sums = Update<float>::size(net) + layer * net.width;
  return {x, k < bias ? before + at / outputs : -1, sums + at % outputs, -1};
}

/// Of a block: parameters, times chains whose sums over the records are made at the same time.
inline constexpr int kContracted = 16, kAtATime = kBlock / kContracted;

/// gradient[k] = sum over chains of the sum over their records.
template <int = 0>
__global__ void __launch_bounds__(kBlock)
    contract_kernel(const __grid_constant__ TrainingArrays a) {
  __shared__ float sums[kAtATime][kContracted];
  const int column = static_cast<int>(threadIdx.x) % kContracted;
  const int row = static_cast<int>(threadIdx.x) / kContracted;
  const int parameter = static_cast<int>(blockIdx.x) * kContracted + column;
  const bool real = parameter < a.layout.parameters();
  const Factors f = real ? factors_of(a.layout, parameter) : Factors{0, 0, 0, 0};
  const int stride = a.stride();
  double total = 0;
  for (std::int64_t first = 0; first < a.chains; first += kAtATime) {
    const std::int64_t chain = first + row;
    float sum = 0;
    if (chain < a.chains && f.scalar >= 0) {
      sum = a.scalars[chain * a.scalars_of() + f.scalar];
    } else if (chain < a.chains) {
      const float* record =
          a.records + chain * a.records_of() + 2 * f.net * a.layout.steps * stride;
      for (int r = 0; r < 2 * a.layout.steps; ++r, record += stride) {
        sum = fma(f.in < 0 ? 1.0f : record[f.in], record[f.out], sum);
      }
    }
    sums[row][column] = sum;
    __syncthreads();
    if (row == 0) {
      for (int c = 0; c < kAtATime && first + c < a.chains; ++c) {
        total += static_cast<double>(sums[c][column]);
      }
    }
    __syncthreads();
  }
  if (row == 0 && real) {
    a.gradient[parameter] = total;
  }
}

}  // namespace cuda

template <class Target>
class CudaTrainingEngine final : public TrainingEngine {
 public:
  /// @throw BackendError, UsageError
  CudaTrainingEngine(const Target& target, const TrainingPlace& place)
      : target_(target),
        place_(place),
        layout_(layout_of(place.shape)),
        dim_(place.shape.dim),
        network_(static_cast<std::size_t>(layout_.size()), "the networks"),
        q_(static_cast<std::size_t>(dim_ * place.batch), "the chains' positions"),
        launch_(1, "what to do"),
        gradient_(static_cast<std::size_t>(layout_.parameters()), "the networks' gradient"),
        network_here_(network_.size(), "the networks"),
        launch_here_(1, "what to do"),
        gradient_here_(gradient_.size(), "the networks' gradient") {
    require(dim_ == dimension(target_), "the networks' shape is of another target");
    require(place.remember == Remember::steps,
            "training on CUDA keeps the steps of its trajectories: leave `remember` at steps, or "
            "train on the cpu");
    const auto chains = static_cast<std::size_t>(2 * place.batch);
    const cuda::TrainingArrays a = arrays(place.batch);
    records_ = {chains * static_cast<std::size_t>(a.records_of()), "the networks' evaluations"};
    vectors_ = {chains * static_cast<std::size_t>(a.vectors_of()), "the chains' trajectories"};
    scalars_ = {chains * static_cast<std::size_t>(a.scalars_of()), "the step size's gradient"};
    infos_ = {chains, "what the chains did"};
    infos_here_ = {chains, "what the chains did"};
  }

  int dim() const override { return dim_; }

  void place(std::span<const double> q) override {
    const std::vector<float> from(q.begin(), q.end());
    q_.upload(from.data(), stream_);
  }

  void positions(std::span<double> q) const override {
    std::vector<float> to(q_.size());
    q_.download(to.data(), stream_);
    std::copy(to.begin(), to.end(), q.begin());
  }

  TrainingStep step(const Network& network, const TrainingLaunch& launch,
                    std::span<double> gradient) override {
    const std::vector<float> data = packed<float>(network);
    std::copy(data.begin(), data.end(), network_here_.data());
    *launch_here_.data() = launch;
    const std::int64_t chains = launch.noise_weight > 0 ? 2 * place_.batch : place_.batch;
    if (chains != captured_) {
      graph_ = cuda::Graph(stream_, "a training step", [&] { begin_step(chains); });
      captured_ = chains;
    }
    graph_.launch(stream_);
    stream_.synchronize("a training step");
    std::copy_n(gradient_here_.data(), gradient.size(), gradient.begin());
    return summary<float>({infos_here_.data(), static_cast<std::size_t>(chains)}, place_.batch,
                          place_.batch, launch.noise_weight);
  }

  void archive(Archive& a) override {
    std::vector<float> q(q_.size());
    if (!a.reading()) {
      q_.download(q.data(), stream_);
    }
    a.bytes(q.data(), q.size() * sizeof(float));
    if (a.reading()) {
      q_.upload(q.data(), stream_);
    }
  }

 private:
  /// Gives the stream all of a step.
  void begin_step(std::int64_t chains) {
    const cuda::TrainingArrays a = arrays(chains);
    const auto blocks = [](std::int64_t n, int size) {
      return static_cast<unsigned>((n + size - 1) / size);
    };
    network_.begin_upload(network_here_.data(), stream_);
    launch_.begin_upload(launch_here_.data(), stream_);
    cuda::launch_blocks(cuda::train_kernel<Target>, blocks(chains, cuda::kTrainingBlock),
                        cuda::kTrainingBlock, 0, stream_, "train_kernel", target_, a, place_.seed);
    cuda::launch(cuda::contract_kernel<>, blocks(layout_.parameters(), cuda::kContracted), stream_,
                 "contract_kernel", a);
    infos_.begin_download(infos_here_.data(), stream_, static_cast<std::size_t>(chains));
    gradient_.begin_download(gradient_here_.data(), stream_, gradient_.size());
  }

  cuda::TrainingArrays arrays(std::int64_t chains) const {
    return {layout_,          network_.data(), launch_.data(),  q_.data(),
            records_.data(),  vectors_.data(), scalars_.data(), infos_.data(),
            gradient_.data(), place_.batch,    chains};
  }

  Target target_;
  TrainingPlace place_;
  AnyLayout layout_;
  int dim_;
  cuda::WorkStream stream_;
  cuda::DeviceArray<float> network_, q_, records_, vectors_, scalars_;
  cuda::DeviceArray<TrainingLaunch> launch_;
  cuda::DeviceArray<TrainingInfo<float>> infos_;
  cuda::DeviceArray<double> gradient_;
  // Where the step's copies come from and go to.
  cuda::PinnedArray<float> network_here_;
  cuda::PinnedArray<TrainingLaunch> launch_here_;
  cuda::PinnedArray<TrainingInfo<float>> infos_here_;
  cuda::PinnedArray<double> gradient_here_;
  cuda::Graph graph_;
  std::int64_t captured_ = 0;  // chains of the graph; none yet
};

template <class Target>
std::unique_ptr<TrainingEngine> make_cuda_training_engine(const Target& target,
                                                          const TrainingPlace& place) {
  resolve_backend(Backend::cuda, true);  // says why there is no device, if there is none
  return std::make_unique<CudaTrainingEngine<Target>>(target, place);
}

}  // namespace lockstep
