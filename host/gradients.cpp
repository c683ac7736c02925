#include "host/gradients.hpp"

#include "kernels/integrators/palindrome.hpp"
#include "kernels/transitions/trajectory.hpp"

namespace lockstep {

namespace {

/// Integrator steps of a launch's trajectories.
std::int64_t steps_of(const Sampler& sampler, std::uint64_t seed, const Launch& launch) {
  const Trajectory trajectory = trajectory_of(sampler, seed, launch);
  std::int64_t total = 0;
  for (int t = 0; t < launch.count; ++t) {
    total += trajectory.steps_at(launch.first + static_cast<std::uint32_t>(t));
  }
  return total;
}

}  // namespace

bool makes_visits(const Sampler& sampler) {
  return sampler.method == Method::dhmc || sampler.method == Method::mixed_hmc ||
         sampler.method == Method::gibbs;
}

std::vector<int> visited_coordinates(const Sampler& sampler, const EngineDescription& about) {
  return makes_visits(sampler) ? about.discontinuous : std::vector<int>{};
}

std::int64_t gradients_of(const Sampler& sampler, const EngineDescription& about,
                          std::uint64_t seed, const Launch& launch) {
  if (sampler.method == Method::random_walk) {
    return launch.count;
  }
  const auto visited = static_cast<int>(visited_coordinates(sampler, about).size());
  if (visited == about.dim) {
    return visits_of(sampler, seed, launch);
  }
  return palindrome_of(sampler.integrator).stages * steps_of(sampler, seed, launch) +
         (sampler.method == Method::gibbs ? launch.count : 0);
}

std::int64_t visits_of(const Sampler& sampler, std::uint64_t seed, const Launch& launch) {
  return sampler.method == Method::dhmc ? steps_of(sampler, seed, launch) : launch.count;
}

}  // namespace lockstep
