#pragma once

#include <vector>

#include "lockstep/engine.hpp"

namespace lockstep {

/// Puts the engine's chains where `options` say: at `options.start`, or at random with the draw
/// repeated up to 100 times for superchains whose potential or gradient is not finite there.
/// @throw InitialisationError  naming chain, coordinate and term when that fails
void start_chains(Engine& engine, const SampleOptions& options);

}  // namespace lockstep
