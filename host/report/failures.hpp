#pragma once

#include <string>
#include <vector>

#include "lockstep/result.hpp"

namespace lockstep::report {

/// What a result is measured against.
inline constexpr double kRhatLimit = 1.01;   // Vehtari et al. 2021
inline constexpr double kEssLimit = 400;     // of all draws; the same
inline constexpr double kEnergyLimit = 0.3;  // E-BFMI; Betancourt 2016
inline constexpr double kErrorLimit = 4;     // standard errors from a known value

/// Something that a reader must know before trusting a figure.
struct Failure {
  std::string title;
  std::string text;                  // what was seen, and what helps
  std::vector<std::string> details;  // one line each
};

/// The most serious first.
std::vector<Failure> failures(const Fit& fit);

/// How much a parameter needs looking at: above 1 where a limit is passed, infinite where a figure
/// is not finite.
double badness(const ParameterSummary& parameter);

/// Parameter indices, the worst first.
std::vector<int> worst_first(const Fit& fit);

}  // namespace lockstep::report
