#pragma once

#include <string>
#include <vector>

namespace lockstep {

/// What is known of a target's law, on the reported scale. Unknown entries are NaN, unknown vectors
/// empty. `error_*` are standard errors of the figures themselves (0: exact).
struct Truth {
  std::vector<double> mean, sd;              // [dim]
  std::vector<double> error_mean, error_sd;  // [dim], or empty when the truth is exact
  std::string source;                        // "exact", or where the figures come from
};

}  // namespace lockstep
