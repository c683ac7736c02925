#pragma once

/// How runs of the prebuilt targets are prepared.

#include "host/registry.hpp"
#include "lockstep/preparation.hpp"

namespace lockstep {

/// Draws from the prior of the target's model.
/// @throw UsageError  if it has none, or one of infinite mass, naming the targets that have
/// @throw FileError   if it depends on data that are absent
StartLaw prior_of(const TargetEntry& entry, const TargetOptions& target);

/// `recipe_of` for a prebuilt target, whose prior it knows.
/// @param about  of the run's engine
Recipe recipe_of(PrepareOptions how, const TargetEntry& entry, const TargetOptions& target,
                 const Sampler& sampler, const SampleOptions& options,
                 const EngineDescription& about);

}  // namespace lockstep
