#include "bench/studies/l2hmc_engines.hpp"

namespace lockstep::bench {

std::unique_ptr<Engine> engine_of(const L2hmcCase& c, const Sampler& sampler,
                                  const SampleOptions& options) {
  (void)sampler;
  return find_target(c.target).make(c.target_options, options);
}

}  // namespace lockstep::bench
