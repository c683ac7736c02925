#pragma once

#include "lockstep/engine.hpp"

namespace lockstep {

/// @param jumps  whether the target's density jumps along some of its coordinates
/// @throw UsageError  if the sampler would not see that, or has no use for a target without
void require_suited(const Sampler& sampler, bool jumps);

/// All of `validate`, and what can be told only once the target is bound: whether the sampler suits
/// it, and what is left to tune.
/// @throw UsageError
void validate(const Sampler& sampler, const SampleOptions& options, const EngineDescription& about);

}  // namespace lockstep
