#pragma once

/// What the targets' constructors and name lists have in common. Host only.

#include <cmath>
#include <string>
#include <vector>

#include "lockstep/concepts.hpp"
#include "lockstep/error.hpp"

namespace lockstep {

/// prefix[1], ..., prefix[n].
inline std::vector<std::string> numbered_names(const std::string& prefix, int n) {
  std::vector<std::string> names;
  for (int j = 1; j <= n; ++j) {
    names.push_back(prefix + "[" + std::to_string(j) + "]");
  }
  return names;
}

/// What the target calls its parameters; "q[1]", "q[2]", ... where it has no names for them.
template <class Target>
std::vector<std::string> names_of(const Target& target) {
  if constexpr (HasNames<Target>) {
    return target.names();
  } else {
    return numbered_names("q", dimension(target));
  }
}

/// d, once it is known to fit. @throw UsageError unless 1 <= d <= max.
inline int checked_dimension(const std::string& target, int d, int max) {
  require(1 <= d && d <= max,
          target + ": dimension " + std::to_string(d) + " is outside 1.." + std::to_string(max));
  return d;
}

/// @throw UsageError unless 0 < x < infinity.
inline void check_positive(const std::string& target, const std::string& what, double x) {
  require(std::isfinite(x) && x > 0,
          target + ": " + what + " is " + std::to_string(x) + ", but must be positive and finite");
}

}  // namespace lockstep
