#pragma once

/// L2HMC's engines: which kernels they run, and how one is made for any target.

#include <memory>
#include <vector>

#include "kernels/launch/erased.hpp"
#include "kernels/networks/packed.hpp"
#include "kernels/transitions/l2hmc.hpp"
#include "lockstep/engine.hpp"
#include "lockstep/error.hpp"
#include "lockstep/training.hpp"

namespace lockstep {

/// The kernels of L2HMC; a template argument of engines, as KernelSettings (settings.hpp) is.
/// @tparam Shape  networks/layout.hpp
template <class S, class Shape = AnyShape>
struct L2hmcSettings {
  Sampler sampler;
  L2hmcLayout<Shape> layout{};
  std::vector<S> network;

  L2hmcSettings() = default;
  L2hmcSettings(const Sampler& s, const PreparedMetric&, const EngineDescription& about, int)
      : sampler(s) {
    const int dim = about.dim;
    require(s.method == Method::l2hmc && s.network != nullptr,
            "an engine of make_l2hmc_engine runs L2HMC with a network, and nothing else");
    s.network->validate();
    const NetworkShape& shape = s.network->shape;
    require(shape.dim == dim, "the network is of a target with " + std::to_string(shape.dim) +
                                  " parameters, but this one has " + std::to_string(dim) +
                                  ": train one for it");
    if constexpr (!Shape::fixed) {
      layout.net = {{shape.dim, shape.width, shape.hidden}};
    }
    layout.steps = shape.steps;
    network = packed<S>(*s.network);
  }

  struct Arrays {
    const S* network = nullptr;
  };
  template <class Place>
  Arrays arrays(Place place) const {
    return {place(network)};
  }

  template <int N, bool Exact, class F>
  void with_transition(const Arrays& arrays, int, const Trajectory& trajectory, F f) const {
    f(transitions::L2hmc<S, Shape>{{layout, arrays.network}, trajectory});
  }
};

/// An engine that runs L2HMC, and nothing else. Compiled in the library.
template <class S>
std::unique_ptr<Engine> make_cpu_l2hmc_engine(std::shared_ptr<const BlockTarget<S>> target,
                                              const SampleOptions& options);

/// The same on CUDA, in single precision, for targets whose dimension is known to the compiler.
/// Defined in cuda_l2hmc.cuh; compiled in the library for scg, icg, mog, mog2, rough-well, banana
/// and eight-schools-nc.
/// @throw BackendError  where there is no device, or its driver or memory fails
template <class Target>
std::unique_ptr<Engine> make_cuda_l2hmc_engine(const Target& target, const SampleOptions& options);

/// What trains a network for the target. Compiled in the library.
template <class S>
std::unique_ptr<TrainingEngine> make_cpu_training_engine(
    std::shared_ptr<const BlockTarget<S>> target, const TrainingPlace& place);

/// The same on CUDA, in single precision. Defined in cuda_training.cuh; compiled in the library for
/// the targets of make_cuda_l2hmc_engine.
/// @throw BackendError  where there is no device, or its driver or memory fails
template <class Target>
std::unique_ptr<TrainingEngine> make_cuda_training_engine(const Target& target,
                                                          const TrainingPlace& place);

}  // namespace lockstep
