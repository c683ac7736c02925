#pragma once

/// Discontinuous HMC on one target, timed.

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "host/io/json.hpp"
#include "host/registry.hpp"

namespace lockstep::bench {

/// A coordinate update is one visit of a discontinuous coordinate of one chain; whatever else a
/// transition does, gradients of smooth coordinates too, is in its time.
struct DhmcRow {
  std::string target;
  int dim = 0, sites = 0, leapfrog = 0;
  std::int64_t chains = 0;
  double updates_per_second = 0;
  double scalar_updates_per_second = std::numeric_limits<double>::quiet_NaN();  // of one thread
  double ratio = std::numeric_limits<double>::quiet_NaN();                      // thread by thread
  double fma_per_update = 0;                                                    // 0: not counted
  double fraction = std::numeric_limits<double>::quiet_NaN();
};

/// @param steps        of a trajectory, an even number: each visits every site once
/// @param transitions  per timing; 0: as many as last about 20 milliseconds
/// @param best_fma     raised to the rate of multiply-adds that the rounds in between reached
/// @throw UsageError   for an odd number of steps, and for a target that does not jump
DhmcRow measure_dhmc(const TargetEntry& entry, const TargetOptions& target,
                     const SampleOptions& options, int steps, int transitions, double& best_fma,
                     EngineDescription& about);

Json to_json(const DhmcRow& row);
std::string table_of(const std::vector<DhmcRow>& rows);

}  // namespace lockstep::bench
