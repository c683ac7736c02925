#pragma once

/// Discontinuous HMC, Mixed HMC and Gibbs for a target of one's own whose density jumps along some
/// coordinates: embedded integers (kernels/targets/embedding.hpp), likelihoods with steps. It says
/// which (concepts.hpp: `discontinuous`), and is +infinity outside its support:
///
///   struct Coin {                                  // x ~ N(0, 1), twice as likely where x > 0
///     static constexpr int dim = 1;
///     LOCKSTEP_HD bool discontinuous(int) const { return true; }
///     template <class T> LOCKSTEP_HD T potential(const T* q) const {
///       return T(0.5f) * q[0] * q[0] - lockstep::select(q[0] > T(0), T(0.6931472f), T(0));
///     }
///   };
///   const lockstep::Fit fit = lockstep::sample(Coin{}, lockstep::Dhmc{});
///
/// A visit moves coordinate q_j by +-hop scale_j, or turns its momentum around: the mass is
/// m_j = step_size / (hop scale_j), and scale_j is its standard deviation as warm-up finds it.
/// Warm-up tunes the step size of the smooth coordinates to their acceptance, and the hop to the
/// share of visits that move (0.8; Nishimura, Dunson & Lu advise 0.7 to 0.9). `Fit::visits` has
/// what became of each. A `delta` with its `Cache` makes visits cheaper than two potentials; at
/// most kMostDiscontinuous parameters. A sampler for smooth densities is refused, and so is one of
/// these for a smooth target.

#include <concepts>

#include "kernels/launch/dhmc.hpp"
#include "kernels/launch/lane_target.hpp"
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
