#include "bench/studies/preconditioning_cases.hpp"

#include <algorithm>

namespace lockstep::bench {

namespace {

constexpr double kCondition = 1000;

PreconditioningCase normal(int dim, bool rotated) {
  PreconditioningCase c;
  c.entry = rotated ? "normal-rotated" : "normal";
  c.target = c.entry + "-" + std::to_string(dim);
  c.options.dim = dim;
  c.options.condition = c.kappa = kCondition;
  c.how = {.target = "normal", .leapfrog = 8};
  c.normal = true;
  return c;
}

PreconditioningCase law(PosteriorCase how) {
  PreconditioningCase c;
  c.target = c.entry = how.target;
  c.how = std::move(how);
  return c;
}

}  // namespace

std::vector<PreconditioningCase> preconditioning_cases() {
  std::vector<PreconditioningCase> cases;
  for (const bool rotated : {false, true}) {
    for (const int dim : {2, 8, 32, 128, 256}) {
      cases.push_back(normal(dim, rotated));
    }
  }
  for (const PosteriorCase& how : posterior_cases()) {
    cases.push_back(law(how));
  }
  cases.push_back(law({.target = "funnel",
                       .warmup = 500,
                       .draws = 1000,
                       .leapfrog = 20,
                       .metric = Metric::unit,
                       .target_acceptance = 0.95}));
  cases.push_back(law({.target = "funnel-nc", .leapfrog = 4}));
  cases.push_back(law({.target = "banana",
                       .warmup = 500,
                       .draws = 1000,
                       .leapfrog = 10,
                       .metric = Metric::unit,
                       .target_acceptance = 0.9}));
  return cases;
}

}  // namespace lockstep::bench
