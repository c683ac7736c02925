#pragma once

#include <cstdint>
#include <functional>

#include "lockstep/engine.hpp"

namespace lockstep {

/// What warm-up yields: the only thing that sampling may start from.
struct FrozenSampler {
  Sampler sampler;  // with its step size
  PreparedMetric metric;
  std::uint32_t next_transition = 0;  // warm-up has used the ones before
  std::int64_t gradients = 0;         // spent per chain
  std::int64_t divergences = 0;       // over all chains
  bool interrupted = false;

  void archive(Archive& a) {
    a(sampler.step_size, sampler.leapfrog, sampler.metric, sampler.inverse_mass, metric.kind,
      metric.inverse_mass, metric.factor, next_transition, gradients, divergences);
  }
};

/// Called after every transition of the warm-up with (done, acceptance, step size); false stops it.
using WarmupProgress = std::function<bool(int, double, double)>;

/// Tunes the step size by one pooled dual-averaging update per transition and, for diagonal and
/// dense metrics that are not given, the metric from pooled draws of growing windows (the last one
/// alone: earlier ones still carry the transient).
///
/// With `warmup` = 0 nothing is tuned and `sampler.step_size` is used as it is.
FrozenSampler warm_up(Engine& engine, const Sampler& sampler, int warmup, std::uint64_t seed,
                      const WarmupProgress& progress);

/// The acceptance probability that a sampler is tuned to.
double target_acceptance(const Sampler& sampler, int dim);

}  // namespace lockstep
