#pragma once

/// Discontinuous HMC, Mixed HMC and Gibbs for a target of one's own whose density jumps along some
/// coordinates (concepts.hpp: `discontinuous`):
///
///   const lockstep::Fit fit = lockstep::sample(target, lockstep::Dhmc{}, {.chains = 4096});

#include <concepts>

#include "kernels/launch/dhmc.hpp"
#include "lockstep/sampler.hpp"

namespace lockstep {

/// Binds a target to the kernels for discontinuous coordinates on the backend that `options` ask
/// for.
template <class Target>
requires HasDiscontinuities<Target> std::unique_ptr<Engine> make_engine(
    const Target& target, const SampleOptions& options) {
  resolve_backend(options.backend, false);
  return options.precision == Precision::double_
             ? make_cpu_discontinuous_engine<double>(
                   block_target<double>(target, kMostDiscontinuous), options)
             : make_cpu_discontinuous_engine<float>(block_target<float>(target, kMostDiscontinuous),
                                                    options);
}

}  // namespace lockstep
