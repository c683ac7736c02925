#pragma once

/// How many gradients chains need from their start on, for studies that compare ways to begin.

#include <functional>
#include <vector>

#include "bench/studies/study.hpp"
#include "lockstep/preparation.hpp"

namespace lockstep::bench {

/// Nested R-hat at which superchains agree.
inline constexpr double kAgreement = 1.01;
/// Squared bias of a second moment over the variance of what it is the mean of.
inline constexpr double kSmallBias = 0.01;
/// With fewer chains the noise of an ensemble's second moments alone is that large: the largest of
/// 100 squares of it is about 7 / chains.
inline constexpr std::int64_t kBiasChains = 4096;

/// E x^2 and var x^2 of each parameter on the reported scale: the former from what is known of the
/// law, where it is, the latter from a long run.
struct SecondMoments {
  std::vector<double> mean, variance;
};
SecondMoments second_moments(const Fit& fit);

/// max_j (mean over chains of x_j^2 - E x_j^2)^2 / var x_j^2.
/// @param x  [dim][chains], reported scale
double squared_bias(const std::vector<double>& x, const SecondMoments& m);

/// What chains are watched for.
struct Goals {
  bool agreement = false;           // of the frozen sampler's draws: nested R-hat below kAgreement
  SecondMoments moments = {};       // of the ensemble, warming up or not: its bias small; or empty
  int draws = 4096;                 // at most
  std::function<void()> step = {};  // called after each transition
};

/// When goals were first reached, looked at after every transition: gradients of a chain, those of
/// the preparation and the warm-up included. NaN where they were not.
struct Journey {
  double agreement = StudyRow::kUnknown, bias = StudyRow::kUnknown;
  double preparation = 0, warmup = StudyRow::kUnknown;  // gradients that these two took
  double transitions = StudyRow::kUnknown;              // of the warm-up
  double seconds = StudyRow::kUnknown;                  // until superchains agreed
  std::vector<double> gradients, squared_bias;          // after each transition, until it is small
};

/// Starts the chains, warms up, freezes the sampler and samples until all goals are reached.
Journey travel(Engine& engine, const Sampler& sampler, const SampleOptions& options,
               const Preparation& preparation, const Goals& goals);

}  // namespace lockstep::bench
