#pragma once

#include <fstream>
#include <string>

#include "lockstep/concepts.hpp"
#include "lockstep/engine.hpp"

namespace lockstep {

/// "q[1]", "q[2]", ... for targets that name no parameters.
inline std::vector<std::string> default_names(int dim) {
  std::vector<std::string> names;
  for (int j = 1; j <= dim; ++j) {
    names.push_back("q[" + std::to_string(j) + "]");
  }
  return names;
}

/// What a target says of itself.
template <class Target>
EngineDescription describe(const Target& target) {
  EngineDescription d;
  d.dim = dimension(target);
  if constexpr (HasNames<Target>) {
    d.names = target.names();
  } else {
    d.names = default_names(d.dim);
  }
  if constexpr (HasTruth<Target>) {
    d.has_truth = true;
    d.truth = target.truth();
  }
  return d;
}

/// The processor's name as the system tells it.
inline std::string processor_name() {
  std::ifstream cpuinfo("/proc/cpuinfo");
  for (std::string line; std::getline(cpuinfo, line);) {
    if (line.rfind("model name", 0) == 0) {
      return line.substr(line.find(':') + 2);
    }
  }
  return "cpu";
}

/// E.g. "float x 16, 2 in flight".
template <class S>
std::string lane_name(int batch, int lane) {
  return std::string(sizeof(S) == 4 ? "float" : "double") + " x " + std::to_string(batch) + ", " +
         std::to_string(lane / batch) + " in flight";
}

}  // namespace lockstep
