#pragma once

#include <cstdint>
#include <vector>

#include "lockstep/options.hpp"

namespace lockstep {

/// A stretch of the warm-up, transitions [begin, end).
struct Window {
  int begin = 0, end = 0;
  int collects_from = 0;     // positions from this transition on are pooled for the metric;
  bool sets_metric = false;  // at the end of the window, if it sets one
  bool operator==(const Window&) const = default;
};

/// NumPyro's windows, which are Stan's for 1000 transitions: a first and a last one for the step
/// size alone, 75 and 50 long, between them windows of 25, 50, 100, ... that set the metric, each
/// from all of its own draws; one that would leave less than twice its length behind runs to the
/// end. With fewer than 150 transitions the three parts are 15 %, 75 % and 10 %; with fewer than 20
/// no metric is set.
///
/// Stan differs: below 150 its metric is never updated (its issue 3380), and from 151 to 199 it
/// closes the first 25 and leaves a rump.
std::vector<Window> windowed_schedule(int warmup);

/// For many chains, which need few transitions each: windows of 10, 20, 40, ... that set the metric
/// from the second half of their draws (the first still carries the transient that the window
/// before was in), then a last one for the step size alone.
std::vector<Window> pooled_schedule(int warmup);

/// Transitions that the pooled step size needs to settle after the last metric.
inline constexpr int kSettling = 15;

/// Chains from which on `Schedule::automatic` is pooled.
inline constexpr std::int64_t kPooledChains = 64;

/// Never `automatic`.
Schedule resolved(Schedule schedule, std::int64_t chains);

}  // namespace lockstep
