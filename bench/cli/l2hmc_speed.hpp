#pragma once

/// L2HMC on one target, timed: sampling and training.

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "host/io/json.hpp"
#include "host/registry.hpp"
#include "lockstep/network.hpp"
#include "lockstep/training.hpp"

namespace lockstep::bench {

/// What is timed.
struct L2hmcSpeedOptions {
  std::string network;    // its file; empty: a fresh one of `training`'s shape
  L2hmcOptions training;  // also the batch, and what an iteration does
  int transitions = 0;    // per timing; 0: as many as last 20 ms
  bool plain = false;     // not on matrix units
};

/// L2HMC: sampling, and training for the same network.
struct L2hmcRow {
  std::string target;
  NetworkShape shape;
  std::int64_t chains = 0, batch = 0;
  bool plain = false;  // as asked for
  double transitions_per_second = 0, iterations_per_second = 0;
  double fma_per_transition = 0, fma_per_iteration = 0;
  double sampling_fraction = std::numeric_limits<double>::quiet_NaN();
  double training_fraction = std::numeric_limits<double>::quiet_NaN();
};

/// @param steps  of a fresh network's trajectory
/// @param best_fma  raised to the rate of multiply-adds that the rounds in between reached
L2hmcRow measure_l2hmc(const TargetEntry& entry, const TargetOptions& target,
                       const SampleOptions& options, int steps, const L2hmcSpeedOptions& what,
                       double& best_fma, EngineDescription& about);

Json to_json(const L2hmcRow& row);
std::string table_of(const std::vector<L2hmcRow>& rows);

/// Fused multiply-adds of one network's evaluation: its matrices. What else it does, dim tanh and
/// exp for each head, is left out, so fractions of the peak are lower bounds.
double fma_per_evaluation(const NetworkShape& shape);

/// Those of a transition: four evaluations a step.
double fma_per_transition(const NetworkShape& shape);

/// Those of a training iteration. The way back through a layer costs twice the way there, once for
/// its inputs and once for its weights.
double fma_per_iteration(const NetworkShape& shape, const L2hmcOptions& options);

}  // namespace lockstep::bench
