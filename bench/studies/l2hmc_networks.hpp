#pragma once

/// Networks for the study of L2HMC: trained, or read from where an earlier study left them.

#include <string>
#include <vector>

#include "bench/studies/l2hmc_evaluation.hpp"
#include "lockstep/network.hpp"

namespace lockstep::bench {

/// One point of a training's course.
struct CurvePoint {
  double iteration = 0, loss = 0, acceptance = 0, jump = 0, seconds = 0;
};

struct TrainedNetwork {
  Network network;
  std::vector<CurvePoint> curve;
  double seconds = 0, gradients = 0;  // the warm start's included
};

/// @param method  under which name the network is kept in `settings.networks`, with the case, the
///                seed and a hash of the recipe, so that another recipe does not find it
/// @throw Interrupted, and what `train` throws
TrainedNetwork trained_network(const L2hmcWorkplace& place, const L2hmcRecipe& recipe,
                               const std::string& method, std::uint64_t seed);

}  // namespace lockstep::bench
