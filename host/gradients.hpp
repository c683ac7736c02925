#pragma once

#include <cstdint>
#include <vector>

#include "lockstep/engine.hpp"

namespace lockstep {

/// Whether the sampler visits discontinuous coordinates one at a time: DHMC, Mixed HMC and Gibbs
/// do.
bool makes_visits(const Sampler& sampler);

/// The coordinates that it visits: all of the target's discontinuous ones, or none.
std::vector<int> visited_coordinates(const Sampler& sampler, const EngineDescription& about);

/// Gradients that one chain evaluates in a launch: a sum over its transitions, whose lengths are
/// known from the seed. Random-walk Metropolis counts its potential evaluations. Gibbs has one more
/// than its steps, after the others have been updated. Without smooth coordinates, where there is
/// no gradient, each sweep over all coordinates counts as one: a step of DHMC, a transition of
/// Mixed HMC and Gibbs.
std::int64_t gradients_of(const Sampler& sampler, const EngineDescription& about,
                          std::uint64_t seed, const Launch& launch);

/// How often one chain visits each of `visited_coordinates` in a launch: once in a step of DHMC,
/// once in a transition of Mixed HMC and Gibbs.
std::int64_t visits_of(const Sampler& sampler, std::uint64_t seed, const Launch& launch);

}  // namespace lockstep
