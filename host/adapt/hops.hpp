#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "host/adapt/metric.hpp"
#include "host/adapt/step_size.hpp"

namespace lockstep {

/// How far discontinuous coordinates go: dual averaging of the probability that a visit moves its
/// coordinate, E[min(1, exp(-dU))], pooled over chains and visits (the Rao-Blackwellised no-flip
/// rate). One hop in units of each coordinate's scale sqrt(M^-1_jj), so that the mass
/// m_j = step_size / (hop scale_j) is proportional to sd_j^-1; or each coordinate's own.
///
/// That probability falls about linearly, a(h) = 1 - c h where U jumps or has a slope, so that
/// da/d log h = -(1 - a): much flatter than a step size's acceptance where 1 - a is small. Gamma is
/// proportional to it, for the loop gain of kDualAveragingOfMany.
class Hops {
 public:
  /// @param sites  the coordinates it is about, of `dim`
  Hops(const Sampler& sampler, std::vector<int> sites, int dim);

  const std::vector<int>& sites() const { return sites_; }
  bool tuned() const { return tuned_; }
  /// Whether each coordinate is tuned to a hop of its own; engines then need `applied` anew before
  /// every transition.
  bool each() const { return tuned_ && each_; }
  /// The target proposes where its coordinates go: there are no hops, and nothing to tune.
  void give_up() {
    tuned_ = has_ = false;
    given_ = 1;
  }

  /// Takes the coordinates' scales from a new metric. They go as far as before: dual averaging
  /// begins again there.
  void rescale(const PreparedMetric& metric);
  /// Begins again around a hop, in units of the scales.
  void restart(double hop) { rules_.restart(hop); }

  /// The mean of the coordinates' rates.
  /// @param tallies  Engine::tallies, [dim]
  /// @param visits   of each coordinate, over all chains
  double rate(std::span<const double> tallies, double visits) const;
  /// What it is tuned to is the rate of visits, not the mean over transitions of their rates: one
  /// of few steps counts for less.
  /// @param visits  of each coordinate by one chain
  void update(std::span<const double> tallies, std::int64_t visits, std::int64_t chains);

  /// For the next transition; the geometric mean over coordinates where each has its own.
  double hop() const { return tuned_ ? rules_.step_size() : given_; }
  /// The same, to freeze.
  double average() const { return tuned_ ? rules_.average() : given_; }

  /// The sampler for the next transition: with its hop, and each coordinate's own in hop_scale.
  Sampler applied(const Sampler& sampler) const;
  /// The same, to freeze.
  Sampler frozen(const Sampler& sampler) const;
  /// How far each coordinate then goes, before jitter, unconstrained: hop times its scale, [sites];
  /// NaN where the target proposes.
  std::vector<double> lengths() const;

  void archive(Archive& a) { a(tuned_, has_, given_, scales_, rules_); }

 private:
  Sampler with(Sampler sampler, double hop, const std::vector<double>& factors) const;

  std::vector<int> sites_;
  int dim_;
  bool tuned_, each_, has_ = true;
  double given_;
  double target_, mean_visits_;
  std::vector<double> given_scales_;  // [dim] or empty
  std::vector<double> scales_;        // [sites]
  StepSizes rules_;
};

/// The rate that a sampler's hop is tuned to.
double target_no_flip(const Sampler& sampler);

}  // namespace lockstep
