#pragma once

#include <cmath>

namespace lockstep {

/// Dual averaging of the log step size (Nesterov 2009; Hoffman & Gelman, JMLR 15 (2014) 1593,
/// section 3.2). One update per transition, from the arithmetic mean of all chains' acceptance
/// probabilities: M chains are one better estimate, not M updates.
///
/// t0 and kappa are Stan's; gamma is not. Stan's 0.05 suits one chain's noisy acceptance. A pooled
/// acceptance is a nearly noiseless function a(log eps), and then the update is a feedback loop of
/// gain -a' sqrt(t) / (gamma (t + t0)): at gamma = 0.25 it exceeds 2 around t = 10 for a' = -0.7,
/// so the step size swings from side to side and its average ends where acceptance is 0.1 too high.
/// At 0.25 the gain stays below one half.
///
///   H_t = (1 - 1/(t + t0)) H_{t-1} + (delta - a_t) / (t + t0)
///   log eps_t = mu - sqrt(t) / gamma H_t
///   log epsbar_t = t^-kappa log eps_t + (1 - t^-kappa) log epsbar_{t-1}
class DualAveraging {
 public:
  static constexpr double gamma = 0.25, t0 = 10, kappa = 0.75;

  /// @param target  acceptance probability to reach, delta
  DualAveraging(double step_size, double target) : target_(target) { restart(step_size); }

  /// Begins again around a step size, after the metric has changed. Stan pulls towards ten times
  /// the step size, to be bold while one chain's acceptance tells little; a pooled acceptance tells
  /// all, and the excursions that this pull causes would only bias the average.
  void restart(double step_size) {
    mu_ = log_step_ = log_average_ = std::log(step_size);
    error_ = 0;
    t_ = 0;
  }

  void update(double acceptance) {
    ++t_;
    const double eta = 1 / (t_ + t0);
    error_ = (1 - eta) * error_ + eta * (target_ - acceptance);
    log_step_ = mu_ - std::sqrt(t_) / gamma * error_;
    const double weight = std::pow(t_, -kappa);
    log_average_ = weight * log_step_ + (1 - weight) * log_average_;
  }

  /// For the next transition of the warm-up.
  double step_size() const { return std::exp(log_step_); }
  /// To freeze.
  double average() const { return std::exp(log_average_); }

 private:
  double target_;
  double mu_ = 0, log_step_ = 0, log_average_ = 0, error_ = 0;
  double t_ = 0;
};

}  // namespace lockstep
