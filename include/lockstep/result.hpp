#pragma once

#include <array>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <string>
#include <vector>

#include "lockstep/archive.hpp"
#include "lockstep/engine.hpp"
#include "lockstep/options.hpp"
#include "lockstep/preparation.hpp"

namespace lockstep {

/// One parameter's figures, on the reported scale. NaN where a figure is not defined.
struct ParameterSummary {
  static constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();
  std::string name;
  double mean = kUnknown, sd = kUnknown;                  // over all chains and draws
  double q05 = kUnknown, q50 = kUnknown, q95 = kUnknown;  // of the kept draws
  double mcse = kUnknown;                                 // Monte Carlo standard error of `mean`
  double ess_bulk = kUnknown;  // of all draws (kept chains' rank-normalised ESS, scaled)
  double ess_tail = kUnknown;
  double ess_between = kUnknown;  // of all draws, from the variance between all chains' means
  double rhat = kUnknown;         // rank-normalised split R-hat of the kept chains
  double nested_rhat = kUnknown;  // over superchains of all chains
  double truth_mean = kUnknown, truth_sd = kUnknown;
  double error_in_mcse = kUnknown;  // (mean - truth_mean) / combined standard error
  double sd_error_in_mcse =
      kUnknown;  // the same for sd, its error from the variance between chains
};

/// Wall-clock seconds by what they were spent on.
struct Seconds {
  double setup = 0;        // engine, data to the device, start positions
  double preparation = 0;  // fits, their engines included
  double warmup = 0;
  double sampling = 0;
  double transfer = 0;  // waiting for draws and statistics to reach the host
  double total() const { return setup + preparation + warmup + sampling + transfer; }
};

/// One transition of the warm-up, for all chains.
struct AdaptationStep {
  double step_size = 0;       // it was made with; the mean over chains where each has its own
  double length = 0;          // of its trajectory: step size times leapfrog steps
  double acceptance = 0;      // mean over chains
  double low_acceptance = 0;  // the 5 % quantile over chains
  std::int64_t divergences = 0;
  bool new_metric = false;  // a metric was set after it
  // Of discontinuous coordinates; 0 without:
  double hop = 0;      // in units of their scales, the geometric mean where each has its own
  double no_flip = 0;  // the share of visits that moved their coordinate
};

/// A discontinuous coordinate, as DHMC, Mixed HMC and Gibbs move it.
struct VisitSummary {
  static constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();
  int coordinate = 0;  // from 0
  std::string name;    // of the parameter
  /// How far it goes in a visit, on the unconstrained scale, before jitter. Mixed HMC and Gibbs:
  /// the standard deviation of the proposal; NaN where the target proposes itself.
  double hop = kUnknown;
  /// DHMC: of its Laplace momentum, m_j = step_size / hop. NaN for the others.
  double mass = kUnknown;
  /// The share of its visits after warm-up that moved it, as E[min(1, exp(-dU))] over all chains.
  double no_flip = kUnknown;
};

/// A chain that stayed far from the others.
struct StrandedChain {
  std::int64_t chain = 0;
  int transition = 0;                // of the warm-up; -1: found after sampling
  std::string parameter;             // the one in which it is farthest away
  std::string cause;                 // a sentence
  std::int64_t restarted_from = -1;  // the chain whose place it was given; -1: left where it was

  void archive(Archive& a) { a(chain, transition, parameter, cause, restarted_from); }
};

/// Why sampling ended: all draws were made, `until` was reached, `max_hours` were up, or `progress`
/// said so.
enum class Stop : std::uint8_t { draws, until, hours, interrupted };

/// Everything a run produced.
class Fit {
 public:
  EngineDescription engine;
  Sampler sampler;                   // as frozen after warm-up: with its step size
  PreparedMetric metric;             // as frozen after warm-up
  std::vector<double> step_factors;  // [chains], where each chain has a step size of its own
  SampleOptions options;

  Preparation preparation;  // without its starts

  bool interrupted = false;  // the caller, or a signal, stopped it
  Stop stop = Stop::draws;
  std::string missing;  // what `until` lacked when it was last looked at; empty: nothing
  int warmup_done = 0;  // transitions per chain; fewer than asked where it ended early
  std::vector<AdaptationStep> adaptation;  // [warmup_done]
  std::vector<StrandedChain> stranded;
  std::uint32_t first_transition = 0;  // of those that count, as random numbers count them
  std::int64_t draws_done = 0;         // transitions per chain that count
  double acceptance = 0;               // mean over chains and draws
  std::int64_t divergences = 0;        // after warm-up, over all chains
  std::int64_t warmup_divergences = 0;
  /// Per chain. DHMC counts one for each step, which without smooth coordinates is a sweep over the
  /// others; Mixed HMC and Gibbs then one for each transition.
  std::int64_t gradients_warmup = 0, gradients_sampling = 0;
  std::int64_t gradients_preparation = 0;  // all of the preparation's, shared out among the chains
  double esjd = 0;    // mean squared jump distance of a transition, reported scale
  double e_bfmi = 0;  // pooled over chains
  Seconds seconds;

  std::vector<ParameterSummary> parameters;  // [dim]
  std::vector<VisitSummary> visits;          // of each discontinuous coordinate that was visited
  Statistics statistics;                     // streamed, every chain
  Draws draws;                               // kept
  Draws warmup_draws;                        // kept, if asked for
  std::vector<double> positions;             // final q, [dim][chains], unconstrained

  std::int64_t total_draws() const { return draws_done * options.chains; }
  /// Of one chain: preparation, warm-up and sampling.
  std::int64_t gradients_total() const {
    return gradients_preparation + gradients_warmup + gradients_sampling;
  }

  /// Smallest bulk ESS over parameters (ess_between where too few draws were kept), per transition
  /// of one chain, per gradient of one chain, and per second of sampling on this machine.
  double ess_min() const;
  double ess_per_transition_min() const;
  double ess_per_gradient_min() const;
  double ess_per_second_min() const;
  /// The same with everything counted: per gradient of `gradients_total`, and per second of
  /// preparation, warm-up and sampling.
  double ess_per_gradient_total_min() const;
  double ess_per_second_total_min() const;
  double rhat_max() const;
  double nested_rhat_max() const;
  /// Mean over `visits`; NaN without.
  double no_flip() const;

  /// A hash of the final positions of the first min(64, chains) chains: equal digests mean equal
  /// bits. 16 hexadecimal digits.
  std::string digest() const;

  /// Sentences on a preparation that failed, and on chains that were stranded, or accept far less
  /// than the others.
  std::vector<std::string> warnings() const;

  /// A table for people, and the warnings.
  std::string summary() const;

  /// Writes the kept draws as `path` (.npy, shape (chains, draws, parameters), float64 C order) and
  /// a JSON sidecar `path`.json with names and settings.
  /// @throw FileError  naming the file, if it cannot be written in full
  void write_draws(const std::filesystem::path& path) const;

  /// Writes the final positions as .npy, shape (chains, parameters), float64, unconstrained: where
  /// another run's chains can start (PrepareOptions::start_file).
  /// @throw FileError  naming the file, if it cannot be written in full
  void write_positions(const std::filesystem::path& path) const;

  /// Writes the kept draws as netCDF-4 in the layout of ArviZ's InferenceData, float64 on the
  /// reported scale, with dimensions (chain, draw, ...):
  ///   posterior       a variable for each parameter; theta[1] .. theta[8] become one, `theta`,
  ///   with
  ///                   the dimension theta_dim_0, whose coordinate holds the indices kept
  ///   sample_stats    acceptance_rate, energy, diverging, and, where all chains share them,
  ///                   step_size and n_steps, the leapfrog steps
  ///   warmup_posterior, warmup_sample_stats    the same of `warmup_draws`, if they were kept
  /// Attributes of the file and its groups say what made it. Draws are transposed block by block,
  /// so that little memory is needed beside them. An older file is replaced once the new one is
  /// whole.
  /// @throw UsageError  if no draws were kept, or this build is without the netCDF library
  /// @throw FileError   naming the file, if it cannot be written in full
  void write_netcdf(const std::filesystem::path& path) const;
};

/// Starts the chains, warms up, freezes the sampler, and samples.
/// @throw UsageError           for options that make no sense, naming the option, value and remedy
/// @throw InitialisationError  if starts with a finite potential and gradient cannot be found
Fit run(Engine& engine, const Sampler& sampler, const SampleOptions& options);

/// The same from where a preparation says.
/// @throw UsageError  also if it gives starts twice, or a metric to a run that tunes none from its
///                    draws: one that is given or the unit metric, a warm-up that is too short, or
///                    a target with jumps
Fit run(Engine& engine, const Sampler& sampler, const SampleOptions& options,
        const Preparation& preparation);
/// The same from a preparation that is made unless a checkpoint makes it needless.
Fit run(Engine& engine, const Sampler& sampler, const SampleOptions& options, const Recipe& recipe);

}  // namespace lockstep
