#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "host/adapt/blocks.hpp"
#include "host/adapt/hops.hpp"
#include "host/adapt/length.hpp"
#include "host/adapt/schedule.hpp"
#include "host/adapt/step_size.hpp"
#include "host/adapt/stranded.hpp"
#include "lockstep/engine.hpp"
#include "lockstep/result.hpp"

namespace lockstep {

/// What warm-up yields: the only thing that sampling may start from.
struct FrozenSampler {
  Sampler sampler;  // with its step size and leapfrog steps
  PreparedMetric metric;
  std::vector<double> step_factors;   // each chain's, [chains]; empty: all one
  std::vector<double> hop_lengths;    // Hops::lengths, of each discontinuous coordinate
  std::uint32_t next_transition = 0;  // warm-up has used the ones before
};

/// Tunes a sampler while its chains find the typical set, transition by transition: the step size
/// (step_size.hpp), how far discontinuous coordinates go (hops.hpp), the metric at the ends of
/// windows (schedule.hpp, estimate.hpp, blocks.hpp), the trajectory length (length.hpp); and
/// watches for stranded chains (stranded.hpp). Nothing of it is random but the chains.
class WarmUp {
 public:
  /// @param options  the run's; its chains are the engine's
  /// @throw UsageError  if the metric cannot be estimated from so few draws, and as `prepare` does
  WarmUp(Engine& engine, const Sampler& sampler, const SampleOptions& options,
         const Preparation& preparation = {});

  /// Takes the preparation's metric to begin with; before the first step.
  /// @throw UsageError  if it has one and the warm-up would not estimate its own from draws
  void prepare(const Preparation& preparation);

  bool done() const { return done_ == total(); }
  /// One transition of every chain, and what follows from it.
  void step();

  FrozenSampler frozen() const;

  /// Transitions made, and how many it will be as things stand.
  int transitions() const { return done_; }
  int total() const { return windows_.back().end; }
  /// Spent per chain, the search for a first step size included.
  std::int64_t gradients() const { return gradients_; }
  std::int64_t divergences() const { return divergences_; }
  double step_size() const;
  const std::vector<AdaptationStep>& history() const { return history_; }
  const std::vector<StrandedChain>& stranded() const { return stranded_; }
  /// Of the kept chains and parameters, if the options ask for the warm-up's.
  const Draws& draws() const { return kept_; }

  /// Restored, the engine is set up too, but for its chains.
  void archive(Archive& a);

 private:
  const Window& window() const { return windows_[window_]; }
  bool collects() const;
  Pooled advance(const Launch& launch);
  void start_metric();
  template <class Outcome>
  double searched(double bar, Outcome outcome);
  Pooled try_one_step(double step, double hop);
  double visits(const Launch& launch) const;
  double no_flip(const Launch& launch);
  double first_step_size();
  void restart_step_size(double step);
  bool has_hops();
  void begin_hops();
  void begin();
  void set_up_engine();
  void collect();
  void keep_draws();
  void close_window();
  void treat_stranded();
  void set_metric();
  bool settled() const;
  void remember_rest();

  Engine& engine_;
  Sampler sampler_;
  SampleOptions options_;
  int dim_;
  std::int64_t chains_;
  Hops hops_;
  bool tunes_step_, tunes_metric_, pooled_;
  std::int64_t stride_ = 1;  // transitions between collected positions

  std::vector<Window> windows_;
  std::size_t window_ = 0;
  int done_ = 0;
  std::uint32_t next_transition_ = 0;
  std::int64_t gradients_ = 0, divergences_ = 0;
  bool fresh_momentum_ = true;
  PreparedMetric metric_;
  StepSizes steps_;
  std::optional<TrajectoryLength> length_;
  BlockEstimator estimator_;
  SuperchainMoments superchains_;
  StrandedWatch watch_;
  // At the end of the window before.
  double rested_step_ = 0, rested_length_ = 0, rested_hop_ = 0;
  std::vector<AdaptationStep> history_;
  std::vector<StrandedChain> stranded_;
  Draws kept_;

  // Scratch: of every chain, after the last transition.
  std::vector<double> q_, before_, gradient_, acceptance_, potential_, momentum_;
  std::vector<double> tallies_;  // [dim], of the last launch
};

/// Why a warm-up would not replace a preparation's metric by one of its own, a clause; empty: it
/// would.
/// @param about  of its engine
std::string keeps_no_metric(const Sampler& sampler, const SampleOptions& options,
                            const EngineDescription& about);

/// The acceptance probability that a sampler is tuned to.
double target_acceptance(const Sampler& sampler, int dim);

}  // namespace lockstep
