#pragma once

/// How HMC samples each posterior with reference figures, for studies of them.

#include <string>
#include <vector>

#include "lockstep/options.hpp"

namespace lockstep::bench {

/// Figures of weights that the sparse regression does not report.
inline constexpr const char* kSparseWeights = "sparse_logistic_own_effective_weights";

/// How a target is sampled, and what it is compared with beside its own reference.
struct PosteriorCase {
  const char* target;
  int warmup = 300, draws = 300;
  int leapfrog = 5;  // mean; the number is uniform on 1..2 leapfrog - 1
  Metric metric = Metric::automatic;
  double target_acceptance = 0.8;
  double step_jitter = 0;
  double start_radius = 2;             // about `centre`
  std::vector<double> centre = {};     // unconstrained; empty: 0
  std::vector<std::string> also = {};  // further posteriors of the same reference.json
  // One whose figures or errors are not right, and why: compared, and not counted.
  std::string distrusted = {}, why = {};
};

const std::vector<PosteriorCase>& posterior_cases();

Hmc sampler_of(const PosteriorCase& c);

/// Starts about the case's centre, the same for each superchain; [dim][chains]. Empty without one.
std::vector<double> starts(const PosteriorCase& c, const SampleOptions& options);

}  // namespace lockstep::bench
