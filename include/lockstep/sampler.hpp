#pragma once

/// `sample`: the whole of a run, for a target of one's own.

#include <memory>

#include "kernels/launch/cpu.hpp"
#include "lockstep/result.hpp"
#if defined(__CUDACC__)
#include "kernels/launch/cuda.cuh"
#endif

namespace lockstep {

/// Binds a target to the backend that `options` ask for.
template <class Target>
std::unique_ptr<Engine> make_engine(const Target& target, const SampleOptions& options) {
#if defined(__CUDACC__)
  constexpr bool compiled_for_cuda = true;
#else
  constexpr bool compiled_for_cuda = false;
#endif
  if (resolve_backend(options.backend, compiled_for_cuda) == Backend::cuda) {
#if defined(__CUDACC__)
    return options.precision == Precision::double_ ? make_cuda_engine<double>(target, options)
                                                   : make_cuda_engine<float>(target, options);
#endif
  }
  return options.precision == Precision::double_ ? make_cpu_engine<double>(target, options)
                                                 : make_cpu_engine<float>(target, options);
}

/// Samples exp(-U) with thousands of chains.
///
/// @param target   concepts.hpp
/// @param sampler  Hmc{}, Mala{}, Ghmc{}, RandomWalk{}
template <class Target>
requires TargetOn<Target, float> Fit sample(const Target& target, const Sampler& sampler,
                                            const SampleOptions& options = {}) {
  validate(sampler, options, dimension(target));
  const auto engine = make_engine(target, options);
  return run(*engine, sampler, options);
}

/// The same after a preparation: {.init = Init::pathfinder}, ... Fits are made in double precision
/// on the CPU, in float on CUDA.
template <class Target>
requires TargetOn<Target, float> Fit sample(const Target& target, const Sampler& sampler,
                                            const SampleOptions& options,
                                            const PrepareOptions& preparation) {
  validate(sampler, options, dimension(target));
  const auto engine = make_engine(target, options);
  const EngineDescription& about = engine->description();
  return run(*engine, sampler, options,
             recipe_of(preparation, sampler, options, about, [&](std::int64_t chains) {
               return make_engine(target, options_of_fits(options, about, chains));
             }));
}

}  // namespace lockstep
