#pragma once

/// Discontinuous HMC, Mixed HMC and Gibbs for a target of one's own whose density jumps along some
/// coordinates (concepts.hpp: `discontinuous`):
///
///   const lockstep::Fit fit = lockstep::sample(target, lockstep::Dhmc{}, {.chains = 4096});

#include <concepts>

#include "kernels/launch/dhmc.hpp"
#include "lockstep/sampler.hpp"
#if defined(__CUDACC__)
#include "kernels/launch/cuda_dhmc.cuh"
#endif

namespace lockstep {

/// Binds a target to the kernels for discontinuous coordinates on the backend that `options` ask
/// for. On CUDA these run in single precision, for targets whose dimension is known to the
/// compiler.
template <class Target>
requires HasDiscontinuities<Target> std::unique_ptr<Engine> make_engine(
    const Target& target, const SampleOptions& options) {
#if defined(__CUDACC__)
  constexpr bool compiled_for_cuda = HasStaticDimension<Target>;
#else
  constexpr bool compiled_for_cuda = false;
#endif
  const bool single = options.precision == Precision::single_;
  if (resolve_backend(options.backend, compiled_for_cuda && single) == Backend::cuda) {
#if defined(__CUDACC__)
    if constexpr (compiled_for_cuda) {
      return make_cuda_discontinuous_engine(target, options);
    }
#endif
  }
  return single ? make_cpu_discontinuous_engine<float>(
                      block_target<float>(target, kMostDiscontinuous), options)
                : make_cpu_discontinuous_engine<double>(
                      block_target<double>(target, kMostDiscontinuous), options);
}

}  // namespace lockstep
