#pragma once

#include <string>
#include <vector>

#include "bench/studies/posterior_cases.hpp"
#include "bench/studies/study.hpp"
#include "host/registry.hpp"

namespace lockstep::bench {

/// A target of the study of preconditioning, and how every method samples it.
struct PreconditioningCase {
  std::string target;  // what rows call it: the registry's name, with the dimension of a normal law
  std::string entry;   // the registry's name
  TargetOptions options;
  PosteriorCase how;
  double kappa = StudyRow::kUnknown;  // condition number of the Hessian, where it is known
  bool normal = false;                // the law is normal, and fits can be exact
};

/// Normal laws of dimension 2 to 256 and condition number 1000, along the axes and rotated; the
/// posteriors with references; funnels and the banana.
std::vector<PreconditioningCase> preconditioning_cases();

}  // namespace lockstep::bench
