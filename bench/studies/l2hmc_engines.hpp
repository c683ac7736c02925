#pragma once

#include <memory>

#include "bench/studies/l2hmc_cases.hpp"
#include "lockstep/engine.hpp"

namespace lockstep::bench {

/// An engine for the case that runs such samplers.
std::unique_ptr<Engine> engine_of(const L2hmcCase& c, const Sampler& sampler,
                                  const SampleOptions& options);

/// Chains of the case that train a network.
std::unique_ptr<TrainingEngine> training_engine_of(const L2hmcCase& c, const L2hmcOptions& options);

}  // namespace lockstep::bench
