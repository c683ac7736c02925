#pragma once

/// L2HMC for a target of one's own:
///
///   const lockstep::Network network = lockstep::train(target, {.iterations = 5000});
///   const lockstep::Fit fit =
///       lockstep::sample(target, lockstep::L2hmc{network}, {.chains = 4096});

#include "kernels/launch/l2hmc.hpp"
#include "kernels/launch/lane_target.hpp"
#include "lockstep/sampler.hpp"
#if defined(__CUDACC__)
#include "kernels/launch/cuda_l2hmc.cuh"
#include "kernels/launch/cuda_training.cuh"
#endif

namespace lockstep {

/// Binds a target to L2HMC's kernels on the backend that `options` ask for. On CUDA these run in
/// single precision, for targets whose dimension is known to the compiler.
template <class Target>
std::unique_ptr<Engine> make_l2hmc_engine(const Target& target, const SampleOptions& options) {
#if defined(__CUDACC__)
  constexpr bool compiled_for_cuda = HasStaticDimension<Target>;
#else
  constexpr bool compiled_for_cuda = false;
#endif
  const bool single = options.precision == Precision::single_;
  if (resolve_backend(options.backend, compiled_for_cuda && single) == Backend::cuda) {
#if defined(__CUDACC__)
    if constexpr (compiled_for_cuda) {
      return make_cuda_l2hmc_engine(target, options);
    }
#endif
  }
  return single ? make_cpu_l2hmc_engine<float>(block_target<float>(target), options)
                : make_cpu_l2hmc_engine<double>(block_target<double>(target), options);
}

/// The same for training.
template <class Target>
std::unique_ptr<TrainingEngine> make_training_engine(const Target& target,
                                                     const L2hmcOptions& options) {
#if defined(__CUDACC__)
  constexpr bool compiled_for_cuda = HasStaticDimension<Target>;
#else
  constexpr bool compiled_for_cuda = false;
#endif
  const TrainingPlace place = place_of(options, dimension(target));
  const bool single = options.precision == Precision::single_;
  if (resolve_backend(options.backend, compiled_for_cuda && single) == Backend::cuda) {
#if defined(__CUDACC__)
    if constexpr (compiled_for_cuda) {
      return make_cuda_training_engine(target, place);
    }
#endif
  }
  return single ? make_cpu_training_engine<float>(block_target<float>(target), place)
                : make_cpu_training_engine<double>(block_target<double>(target), place);
}

/// Trains a network for the target.
template <class Target>
Network train(const Target& target, const L2hmcOptions& options = {}) {
  const auto engine = make_training_engine(target, options);
  return train(*engine, "the target", options);
}

/// Samples exp(-U) with L2HMC.
template <class Target>
Fit sample(const Target& target, const L2hmc& sampler, const SampleOptions& options = {}) {
  validate(sampler, options, dimension(target));
  const auto engine = make_l2hmc_engine(target, options);
  return run(*engine, sampler, options);
}

}  // namespace lockstep
