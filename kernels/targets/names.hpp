#pragma once

/// What the targets' constructors and name lists have in common. Host only.

#include <cmath>
#include <functional>
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

/// Coordinates along which the target's density jumps, ascending.
template <class Target>
std::vector<int> discontinuous_coordinates(const Target& target) {
  std::vector<int> list;
  if constexpr (requires { target.discontinuous_coordinates(); }) {
    list = target.discontinuous_coordinates();
  } else if constexpr (HasDiscontinuities<Target>) {
    for (int j = 0; j < dimension(target); ++j) {
      if (target.discontinuous(j)) {
        list.push_back(j);
      }
    }
  }
  return list;
}

/// Where the target's chains start, if it says so (EngineDescription::start).
template <class Target>
std::function<void(const double*, double*)> start_of(const Target& target) {
  if constexpr (requires { target.start_function(); }) {
    return target.start_function();
  } else if constexpr (HasStart<Target>) {
    return [target](const double* u, double* q) { target.start(u, q); };
  } else {
    return {};
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
