#include "host/gradients.hpp"

#include "kernels/integrators/palindrome.hpp"
#include "kernels/transitions/trajectory.hpp"

namespace lockstep {

std::int64_t gradients_of(const Sampler& sampler, std::uint64_t seed, const Launch& launch) {
  if (sampler.method == Method::random_walk) {
    return launch.count;
  }
  const Trajectory trajectory = trajectory_of(sampler, seed, launch);
  const int per_step = palindrome_of(sampler.integrator).stages;
  std::int64_t total = 0;
  for (int t = 0; t < launch.count; ++t) {
    total +=
        std::int64_t{per_step} * trajectory.steps_at(launch.first + static_cast<std::uint32_t>(t));
  }
  return total;
}

}  // namespace lockstep
