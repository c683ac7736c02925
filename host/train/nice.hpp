#pragma once

/// A-NICE-MC's training (Song, Zhao & Ermon, "A-NICE-MC: adversarial training for MCMC", NIPS 2017,
/// section 4): the proposal of kernels/transitions/nice.hpp learns to take noise to the target's
/// law in a few steps, and from there on to far and likely places, against a critic that sees pairs
/// of states. No gradient of U is needed, in training or in sampling.

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "kernels/launch/nice.hpp"

namespace lockstep {

/// Defaults are those of the paper's code, but for sizes that fit a processor: networks of two and
/// three layers of 64 units instead of three of 400, batches of 128 instead of 32, twice its
/// learning rate and fewer replayed states, more often. They reach the effective draws per
/// transition that the paper prints for its plane targets (0.2 on ring, 0.071 on mog2-equal, 0.064
/// on mog6): `lockstep-bench study a-nice`.
struct NiceOptions {
  int width = 64, hidden = 2;                // of the proposal's three networks
  int critic_width = 64, critic_hidden = 3;  // of the critic
  int iterations = 2000;
  int batch = 128;
  int critic_steps = 5;          // of the critic, to one of the proposal
  double gradient_penalty = 10;  // weight of (|grad D| - 1)^2 (Gulrajani et al., NIPS 2017)
  double velocity_weight = 1;    // of |v'|^2 / 2, which keeps velocities likely
  int steps_from_noise = 8;      // b is uniform on 1 .. this,
  int steps_from_data = 2;       // m is uniform on 1 .. this
  double learning_rate = 1e-3;   // of Adam, betas 0.5 and 0.9
  /// Chains of the proposal as it is stand for the law: so many of them, from N(0, I), their states
  /// after `replay_burn_in` transitions kept for `replay_steps`, every `refresh` iterations.
  int refresh = 250;
  int replay_chains = 64, replay_burn_in = 300, replay_steps = 300;
  std::uint64_t seed = 1;
  int threads = 0;  // of the chains; 0: all
  struct Progress;
  /// Called at each refresh; returning false ends training, with the best proposal so far.
  std::function<bool(const Progress&)> progress;
};

/// How far training is.
struct NiceOptions::Progress {
  int done = 0, total = 0;  // iterations
  double distance = 0;      // between chain and law as the critic sees it (Wasserstein's, roughly)
  double acceptance = 0;    // of the replayed chains,
  double jump = 0;          // and their mean squared jump
  double seconds = 0;
};

/// What training yields.
struct NiceTraining {
  NiceNetwork network;  // that whose replayed chains jumped farthest
  std::vector<NiceOptions::Progress> history;
  double evaluations = 0;  // of the potential, over all chains
  double seconds = 0;
};

/// Trains a proposal for the target. Equal options give equal bits on one kind of machine, whatever
/// the number of threads.
/// @throw UsageError  for options that make no sense, naming the option, its value and the remedy;
///                    and where the proposal stops being finite, naming the iteration
NiceTraining train_nice(std::shared_ptr<const BlockTarget<float>> target,
                        const NiceOptions& options = {});

}  // namespace lockstep
