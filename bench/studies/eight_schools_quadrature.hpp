#pragma once

/// The posterior of eight schools by quadrature, for any normal prior of mu.

#include "kernels/targets/eight_schools.hpp"

namespace lockstep::bench {

/// Means and variances, exact to rounding. Entries [0, schools) are the schools.
struct EightSchoolsMoments {
  static constexpr int schools = EightSchoolsModel::schools;
  double mean_mu = 0, var_mu = 0;
  double mean_tau = 0, var_tau = 0;
  double mean_log_tau = 0, var_log_tau = 0;
  double mean_theta[schools] = {}, var_theta[schools] = {};
  double mean_offset[schools] = {}, var_offset[schools] = {};  // of (theta_j - mu) / tau
};

/// Given s = log tau everything else is normal: with v_j = sigma_j^2 + tau^2 and the prior
/// mu ~ N(m, d^2),
///   mu | s           N(b / P, 1 / P),  P = 1 / d^2 + sum 1 / v_j,  b = m / d^2 + sum y_j / v_j
///   theta_j | mu, s  N((tau^2 y_j + sigma_j^2 mu) / v_j, sigma_j^2 tau^2 / v_j)
///   log p(s)       = s - log(1 + tau^2 / 25) - sum log(v_j) / 2 - log(P) / 2
///                    + (b^2 / P - sum y_j^2 / v_j) / 2 + const
/// so that one integral over s is left. Its integrand is smooth and falls off exponentially on both
/// sides, where the trapezoidal rule converges faster than any power of its step.
EightSchoolsMoments eight_schools_moments(const NormalPrior& prior);

}  // namespace lockstep::bench
