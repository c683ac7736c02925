#pragma once

#include <cstdint>

#include "lockstep/engine.hpp"

namespace lockstep {

/// Gradients that one chain evaluates in a launch: a sum over its transitions, whose lengths are
/// known from the seed. Random-walk Metropolis counts its potential evaluations.
std::int64_t gradients_of(const Sampler& sampler, std::uint64_t seed, const Launch& launch);

}  // namespace lockstep
