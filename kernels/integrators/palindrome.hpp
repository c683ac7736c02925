#pragma once

/// Coefficient tables of the splitting integrators (palindromic.hpp).

#include "lockstep/options.hpp"

namespace lockstep {

inline constexpr int kMaxStages = 4;

/// Coefficients of one step, in units of the step size. `kick[i]` precedes `drift[i]`; the step
/// ends with `kick[0]` again. sum drift = 1 and 2 kick[0] + sum_{i>0} kick[i] = 1.
struct Palindrome {
  int stages = 1;  // gradients per step
  double kick[kMaxStages] = {0.5};
  double drift[kMaxStages] = {1.0};
};

/// Second order, one gradient a step (Verlet 1967; Duane et al. 1987).
constexpr Palindrome leapfrog_table() {
  return {};
}

/// Second order, two gradients a step, with the smallest truncation error of that form: lambda =
/// 0.1931833275 (McLachlan 1995; Omelyan, Mryglod & Folk, Comput. Phys. Commun. 151 (2003) 272,
/// eq. 31).
constexpr Palindrome minimal_norm_2_table() {
  constexpr double lambda = 0.19318332750378364;
  return {2, {lambda, 1 - 2 * lambda}, {0.5, 0.5}};
}

/// Fourth order, four gradients a step, velocity form (Omelyan, Mryglod & Folk, Comput. Phys.
/// Commun. 146 (2002) 188, "velocity extended Forest-Ruth-like"): the kicks are xi, chi, 1 - 2 (xi
/// + chi), chi, xi around the drifts (1 - 2 lambda) / 2, lambda, lambda, (1 - 2 lambda) / 2.
constexpr Palindrome minimal_norm_4_table() {
  constexpr double xi = 0.1644986515575760;
  constexpr double lambda = -0.2094333910398989e-1;
  constexpr double chi = 0.1235692651138917e1;
  constexpr double outer = (1 - 2 * lambda) / 2;
  return {4, {xi, chi, 1 - 2 * (xi + chi), chi}, {outer, lambda, lambda, outer}};
}

constexpr Palindrome palindrome_of(Integrator integrator) {
  switch (integrator) {
    case Integrator::minimal_norm_2:
      return minimal_norm_2_table();
    case Integrator::minimal_norm_4:
      return minimal_norm_4_table();
    default:
      return leapfrog_table();
  }
}

}  // namespace lockstep
