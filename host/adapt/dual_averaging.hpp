#pragma once

#include <cmath>

#include "lockstep/archive.hpp"

namespace lockstep {

struct DualAveragingConstants {
  double gamma = 0.05, t0 = 10, kappa = 0.75, boldness = 10;
};

/// Stan's, for the noisy acceptance of one chain.
inline constexpr DualAveragingConstants kDualAveragingOfOne{};

/// For the mean acceptance of many chains. That is a nearly noiseless function a(log eps), and the
/// update is then a feedback loop of gain -a' sqrt(t) / (gamma (t + t0)): with Stan's gamma it
/// exceeds 2 around t = 10 for a' = -0.7, so the step size swings from side to side and its average
/// ends where acceptance is 0.1 too high. At 0.25 the gain stays below one half. Nor is there a
/// reason to be bold: the pull towards ten times the step size would only bias the average.
inline constexpr DualAveragingConstants kDualAveragingOfMany{0.25, 10, 0.75, 1};

/// Dual averaging of the log step size (Nesterov 2009; Hoffman & Gelman, JMLR 15 (2014) 1593,
/// section 3.2):
///
///   H_t = (1 - 1/(t + t0)) H_{t-1} + (delta - a_t) / (t + t0)
///   log eps_t = mu - sqrt(t) / gamma H_t,            mu = log(boldness eps_0)
///   log epsbar_t = t^-kappa log eps_t + (1 - t^-kappa) log epsbar_{t-1}
class DualAveraging {
 public:
  /// @param target  acceptance probability to reach, delta
  explicit DualAveraging(double step_size = 1, double target = 0.8,
                         const DualAveragingConstants& constants = kDualAveragingOfOne)
      : constants_(constants), target_(target) {
    restart(step_size);
  }

  /// Begins again around a step size, after the metric has changed.
  void restart(double step_size) {
    mu_ = std::log(constants_.boldness * step_size);
    log_step_ = log_average_ = std::log(step_size);
    error_ = 0;
    t_ = 0;
  }

  void update(double acceptance) {
    ++t_;
    const double eta = 1 / (t_ + constants_.t0);
    error_ = (1 - eta) * error_ + eta * (target_ - acceptance);
    log_step_ = mu_ - std::sqrt(t_) / constants_.gamma * error_;
    const double weight = std::pow(t_, -constants_.kappa);
    log_average_ = weight * log_step_ + (1 - weight) * log_average_;
  }

  /// For the next transition of the warm-up.
  double step_size() const { return std::exp(log_step_); }
  /// To freeze.
  double average() const { return std::exp(log_average_); }

  void archive(Archive& a) { a(mu_, log_step_, log_average_, error_, t_); }

 private:
  DualAveragingConstants constants_;
  double target_;
  double mu_ = 0, log_step_ = 0, log_average_ = 0, error_ = 0;
  double t_ = 0;
};

}  // namespace lockstep
