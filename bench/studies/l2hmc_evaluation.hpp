#pragma once

/// How well a sampler does on a case of the study of L2HMC, by the paper's measure and by others.

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "bench/studies/l2hmc_cases.hpp"
#include "bench/studies/study.hpp"
#include "lockstep/result.hpp"

namespace lockstep::bench {

/// What a sampler yields once it is trained or tuned. ESS of the worst coordinate, where it is not
/// the paper's.
struct Figures {
  double ess_per_step = 0;               // the paper's definition
  double ess_per_step_unnormalised = 0;  // its products not divided by tr(Sigma)
  double ess_bulk_per_step = 0;          // signed: antithetic chains exceed 1
  double ess_square_per_step = 0;        // of x_j^2: a sampler that only mirrors x has none
  double ess_per_gradient = 0;           // bulk
  double ess_per_second = 0;             // bulk, of all chains
  double gradients_per_step = 0;
  double acceptance = 0;
  /// Of the worst of all x_j and x_j^2.
  double ess_of_all_per_gradient() const {
    return std::min(ess_bulk_per_step, ess_square_per_step) / gradients_per_step;
  }
  double mode_weight = StudyRow::kUnknown;  // of x_0 < 0, from chains that all began at x_0 > 0
  double mode_weight_mcse = StudyRow::kUnknown;
};

/// What its plots show.
struct Traces {
  std::vector<double> autocorrelation;  // pooled, lags 0, 1, ...
  std::vector<double> x, y;             // one chain's first and last coordinate
  double gradients_per_step = 0;
};

struct Evaluation {
  Figures figures;
  Traces traces;
  double gradients = 0, seconds = 0;  // that the paper's evaluation took, over all chains
};

/// A case with its engines and sizes.
class L2hmcWorkplace {
 public:
  L2hmcWorkplace(const L2hmcCase& c, const StudySettings& settings);

  const L2hmcCase& which() const { return *case_; }
  const StudySettings& settings() const { return settings_; }
  /// Chains and seed of a run; no warm-up.
  SampleOptions options(std::int64_t chains, int draws, std::uint64_t seed) const;
  /// Where training and warm-up begin, which must find the law: N(0, I).
  std::vector<double> training_starts(const SampleOptions& options) const;
  /// Runs the sampler, from exact draws unless `options` say where to start. @throw Interrupted
  Fit sample(const Sampler& sampler, SampleOptions options, const std::string& label) const;

  /// The paper's evaluation, 200 chains of 2000 transitions from exact draws, then all chains.
  Evaluation evaluate(const Sampler& sampler, std::uint64_t seed, const std::string& label) const;
  /// The paper's evaluation alone, of x only.
  Evaluation paper_evaluation(const Sampler& sampler, std::uint64_t seed,
                              const std::string& label) const;

 private:
  void find_mode_weight(const Sampler& sampler, std::uint64_t seed, const std::string& label,
                        Figures& figures) const;

  const L2hmcCase* case_;
  StudySettings settings_;
};

/// ESS of the squares x_j^2 of the worst coordinate, from the variance between chains, per
/// transition.
double square_ess_per_transition(const Statistics& statistics);

}  // namespace lockstep::bench
