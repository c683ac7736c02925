#pragma once

/// One target on one engine, timed.

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "host/registry.hpp"

namespace lockstep::bench {

/// How a target is timed.
struct SpeedSettings {
  /// Fixed, and stable where the target's curvature is largest: what is timed are trajectories such
  /// as a tuned sampler runs, not overflowing ones.
  double step_size = 0.1;
  /// Fused multiply-adds of a leapfrog step, drift and kick, over the dimension. 0: not counted,
  /// because other instructions take much of its time.
  double fma_per_coordinate = 0;
};

/// From a table in speed_case.cpp.
SpeedSettings speed_settings(const std::string& target);

/// Uniform on +-1/2, [dim][chains]: inside the typical set of every target, and the same on every
/// machine.
std::vector<double> speed_starts(int dim, std::int64_t chains);

inline constexpr double kLeastSeconds = 0.02;  // of one timing

class SpeedCase {
 public:
  /// @param lengths       leapfrog steps of the trajectories to time
  /// @param transitions   per timing; 0: as many as last about 20 milliseconds
  SpeedCase(const TargetEntry& entry, const TargetOptions& target, const SampleOptions& options,
            std::vector<int> lengths, int transitions);

  /// Times every length once more. The best of all rounds counts: on a shared machine the others
  /// tell of its other users.
  void round();

  const EngineDescription& description() const { return engine_->description(); }
  /// Seconds per transition of all chains.
  double seconds(int length) const;
  /// Leapfrog steps of all chains per second, without what a transition costs once: from the
  /// difference between the long trajectories and those of kShort steps.
  double steps_per_second() const;

  static constexpr int kShort = 10;

 private:
  double timed(int length, int transitions);

  std::unique_ptr<Engine> engine_;
  double step_size_;
  std::uint32_t next_ = 0;
  int long_ = 0;
  struct Timing {
    int transitions = 1;
    double seconds = 0;  // per transition, best so far
  };
  std::map<int, Timing> timings_;  // by length
};

}  // namespace lockstep::bench
