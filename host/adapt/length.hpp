#pragma once

#include <cstdint>
#include <vector>

#include "host/adapt/metric.hpp"
#include "lockstep/archive.hpp"

namespace lockstep {

/// Tunes the trajectory length T that all chains share by stochastic gradient ascent on log T, with
/// trajectories of h T, h from Halton's sequence on (0, 1) (Hoffman, Radul & Sountsov, "An adaptive
/// MCMC scheme for setting trajectory lengths in HMC", AISTATS 2021).
///
/// In the coordinates y that whiten the metric, about the chains' mean, with y' and velocity v' at
/// the end of a trajectory of length t:
///
///   ChEES:   C = (|y'|^2 - |y|^2)^2,                  dC/dt = 4 (|y'|^2 - |y|^2) y'v',
///            ascends E[C];
///   SNAPER:  C = ((w y')^2 - (w y)^2)^2, w the leading principal component of y,
///            ascends E[C] / t: squared jumps per unit of work (arXiv 2110.11576).
///
/// The criterion is an expectation over accepted proposals, so it is averaged over the chains that
/// accepted, each with weight one: the indicator's expectation is the acceptance probability that
/// the papers weight by, without a need to see rejected proposals. The step size is tuned by the
/// arithmetic mean acceptance; the ChEES paper's harmonic mean guards a few chains against one
/// that is stuck, but among thousands that one would drag it to nothing.
class TrajectoryLength {
 public:
  /// @param length     where it begins
  /// @param criterion  chees or snaper
  TrajectoryLength(Length criterion, int dim, double length);

  /// The number of leapfrog steps for a transition: about h T / step size, at least 1.
  int steps(std::uint32_t transition, double step_size) const;

  /// Half of T: the mean over h.
  double mean_length() const { return 0.5 * length_; }

  /// @param before, after  positions, [dim][chains]; a chain that rejected has the same ones
  /// @param momenta        at the ends of accepted trajectories, [dim][chains]
  /// @param length         of this transition's trajectories
  /// @param step_size      of the warm-up: T stays between one and kMostSteps of it
  void update(const Whitening& whitening, const std::vector<double>& before,
              const std::vector<double>& after, const std::vector<double>& momenta, double length,
              double step_size);

  void archive(Archive& a);

  static constexpr int kMostSteps = 1000;

 private:
  void find_component(const Matrix& y);

  Length criterion_;
  int dim_;
  double length_;
  double square_ = 0, updates_ = 0;  // Adam's second moment of the gradient
  Eigen::VectorXd component_;        // [dim], snaper
};

}  // namespace lockstep
