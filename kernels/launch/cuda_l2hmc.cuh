#pragma once

/// L2HMC on CUDA. The paper's small networks in few dimensions run a chain to a thread, all of
/// their units in registers and all of their weights in the kernel's parameters; any other network
/// runs a tile of chains to a block (integrators/l2hmc_tile.cuh), on matrix units where the sampler
/// and the card let it.

#include "kernels/integrators/l2hmc_tile.cuh"
#include "kernels/launch/cuda.cuh"
#include "kernels/launch/l2hmc.hpp"
#include "kernels/networks/matrix_layers.cuh"
#include "kernels/networks/plain_layers.cuh"

namespace lockstep {

namespace cuda {

/// What advance_kernel does, by blocks of which the first threads have a chain each.
template <class Stream, class Target, class Transition>
__global__ void __launch_bounds__(tile::kThreads, 3)
    advance_tile_kernel(const __grid_constant__ Target target,
                        const __grid_constant__ Transition transition,
                        const __grid_constant__ Sweep<float> sweep) {
  if (threadIdx.x < tile::kChains) {
    const std::int64_t chain = sweep.begin + std::int64_t{blockIdx.x} * tile::kChains + threadIdx.x;
    advance_chains<float, Stream>(target, transition, Solo{}, sweep.chains, sweep.seed, chain,
                                  sweep.first, sweep.count, sweep.trace);
  } else {
    tile::help(transition.network, sweep.count * transition.network.layout.steps);
  }
}

/// Two chains share the reading of a weight: a tenth fewer instructions for each, while the units
/// of both fit the registers.
template <int Dim, int Width, int Hidden, class Rule>
inline constexpr bool
    runs_in_pairs<transitions::L2hmc<float, FixedShape<Dim, Width, Hidden>, Rule>> = Dim <= 2;

template <class Stream, class Target, class Layers, class Rule>
struct Plan<float, Stream, Solo, Target, transitions::L2hmc<float, TileShape<Layers>, Rule>> {
  using Transition = transitions::L2hmc<float, TileShape<Layers>, Rule>;
  static constexpr int chains_per_block = tile::kChains;
  static auto kernel() { return advance_tile_kernel<Stream, Target, Transition>; }
  static constexpr int threads = tile::kThreads;
  static std::size_t shared_bytes(const Target&, const Transition& t) {
    return tile::shared_bytes(t.network.layout.net);
  }
};

/// Whether this thread's card has the matrix unit's instruction.
inline bool has_matrix_units() {
  int device = 0, major = 0;
  check(cudaGetDevice(&device), "cudaGetDevice", "the card's matrix units");
  check(cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, device),
        "cudaDeviceGetAttribute", "the card's matrix units");
  return major >= matrix_unit::kLeastMajor;
}

}  // namespace cuda

/// A template argument of CudaEngine: L2HMC's kernels for a target of Dim dimensions.
template <int Dim>
struct CudaL2hmcSettings {
  Sampler sampler;

  CudaL2hmcSettings() = default;
  CudaL2hmcSettings(const Sampler& s, const PreparedMetric& metric, const EngineDescription& about,
                    int capacity)
      : sampler(s), shape_(s.network ? s.network->shape : NetworkShape{}) {
    // It says what is wrong with the sampler or its network, if anything is.
    const L2hmcSettings<float> any(s, metric, about, capacity);
    network_ = any.network;
    if (is_small()) {
      return;
    }
    on_matrix_units_ = s.matrix_units && cuda::has_matrix_units();
    on_matrix_units_ ? append_tiles<tile::MatrixLayers>(any.layout)
                     : append_tiles<tile::PlainLayers>(any.layout);
  }

  struct Arrays {
    const float *network = nullptr, *tiles_of_v = nullptr, *tiles_of_x = nullptr;
  };
  template <class Place>
  Arrays arrays(Place place) const {
    return {place(network_), place(tiles_of_v_), place(tiles_of_x_)};
  }

  template <int N, bool Exact, class F>
  void with_transition(const Arrays& arrays, int, const Trajectory& trajectory, F f) const {
    if constexpr (Dim <= kSmallDim) {
      if (is_small()) {
        Small network{};
        network.layout.steps = shape_.steps;
        std::copy(network_.begin(), network_.end(), network.data);
        f(transitions::L2hmc<float, typename Small::Shape>{network, trajectory});
        return;
      }
    }
    on_matrix_units_ ? f(by_tiles<tile::MatrixLayers>(arrays, trajectory))
                     : f(by_tiles<tile::PlainLayers>(arrays, trajectory));
  }

 private:
  /// The paper's networks, and the dimensions in which a thread's registers hold their units.
  static constexpr int kSmallDim = 10, kSmallWidth = 10, kSmallHidden = 2;
  using Small = L2hmcNetwork<float, FixedShape<Dim, kSmallWidth, kSmallHidden>>;

  bool is_small() const {
    return Dim <= kSmallDim && shape_.width == kSmallWidth && shape_.hidden == kSmallHidden &&
           shape_.steps <= Small::max_steps;
  }

  template <class Layers>
  void append_tiles(const AnyLayout& layout) {
    tile::append_network<Layers>(layout.net, network_.data() + layout.v(), tiles_of_v_);
    tile::append_network<Layers>(layout.net, network_.data() + layout.x(), tiles_of_x_);
  }
  template <class Layers>
  auto by_tiles(const Arrays& arrays, const Trajectory& trajectory) const {
    const L2hmcLayout<TileShape<Layers>> layout{{{shape_.dim, shape_.width, shape_.hidden}},
                                                shape_.steps};
    return transitions::L2hmc<float, TileShape<Layers>>{
        {layout, arrays.network, arrays.tiles_of_v, arrays.tiles_of_x}, trajectory};
  }

  NetworkShape shape_;
  bool on_matrix_units_ = false;
  std::vector<float> network_, tiles_of_v_, tiles_of_x_;
};

template <class Target>
std::unique_ptr<Engine> make_cuda_l2hmc_engine(const Target& target, const SampleOptions& options) {
  static_assert(exact_dimension<Target>);
  return make_cuda_engine_with<float, Target, CudaL2hmcSettings<capacity<Target>>>(target, options);
}

}  // namespace lockstep
