#pragma once

#include <string>

#include "bench/studies/l2hmc_evaluation.hpp"
#include "lockstep/network.hpp"

namespace lockstep::bench {

/// A network for the study of L2HMC: trained, or read from where an earlier study left it. Its
/// record counts the warm start, where the recipe has one.
/// @param method  under which name the network is kept in `settings.networks`, with the case, the
///                seed and a hash of the recipe, so that another recipe does not find it
/// @param failure  why training ended early, if it did: the network is then the last good one, and
///                 is not kept
/// @throw Interrupted
Network trained_network(const L2hmcWorkplace& place, const L2hmcRecipe& recipe,
                        const std::string& method, std::uint64_t seed, std::string& failure);

}  // namespace lockstep::bench
