#pragma once

/// The density of a prebuilt target, for tests of fits: in double, on the CPU.

#include <string>

#include "host/registry.hpp"
#include "host/vi/density.hpp"

namespace lockstep::test {

/// @throw FileError  if it needs data that are absent
inline Density registered_density(const std::string& target, int threads = 1,
                                  const TargetOptions& of = {}) {
  return Density([=](std::int64_t chains) {
    SampleOptions options;
    options.chains = chains;
    options.backend = Backend::cpu;
    options.precision = Precision::double_;
    options.threads = threads;
    return find_target(target).make(of, options);
  });
}

}  // namespace lockstep::test
