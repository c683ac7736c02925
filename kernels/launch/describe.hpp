#pragma once

#include <fstream>
#include <string>

#include "kernels/targets/names.hpp"
#include "lockstep/concepts.hpp"
#include "lockstep/engine.hpp"

namespace lockstep {

/// What a target says of itself.
template <class Target>
EngineDescription describe(const Target& target) {
  EngineDescription d;
  d.dim = dimension(target);
  d.names = names_of(target);
  d.discontinuous = discontinuous_coordinates(target);
  d.start = start_of(target);
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
