#pragma once

/// The plain loop that lanes are compared with: the same algorithm, by the same source, for one
/// chain at a time in one float.

#include <memory>

#include "host/registry.hpp"

namespace lockstep::bench {

/// An engine with scalar lanes for a target with discontinuous coordinates, on one thread; nullptr
/// where none is compiled: only the published cases have one.
std::unique_ptr<Engine> make_scalar_engine(const TargetEntry& entry, const TargetOptions& target,
                                           SampleOptions options);

}  // namespace lockstep::bench
