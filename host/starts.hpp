#pragma once

#include <vector>

#include "lockstep/engine.hpp"
#include "lockstep/preparation.hpp"

namespace lockstep {

/// Puts the engine's chains where `preparation` or `options` say: at a given start, or at random by
/// a law with the draw repeated up to 100 times for superchains whose potential or gradient is not
/// finite there.
/// @throw UsageError           if both say
/// @throw InitialisationError  naming chain, coordinate and term when starting fails
void start_chains(Engine& engine, const SampleOptions& options,
                  const Preparation& preparation = {});

}  // namespace lockstep
