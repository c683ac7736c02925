#pragma once

#include <cstdint>
#include <filesystem>

#include "lockstep/options.hpp"

namespace lockstep {

/// Host memory of a run, bytes.
struct MemoryNeeds {
  double draws = 0;  // kept ones, and working copies of one parameter's while it is summarised
  double rest = 0;   // chains and streamed statistics
  double total() const { return draws + rest; }
};

/// An estimate from above, to a few per cent of what is large. (What streams lives on the card with
/// CUDA, but passes through the host.)
MemoryNeeds memory_needs(const SampleOptions& options, int dim);

/// What this process may still take, bytes: the least of what the machine has available and what
/// the control groups it is in have left, not counting file pages that can be dropped. Infinite
/// where nobody says.
/// @param root  for tests: holds proc/ and sys/
double memory_available(const std::filesystem::path& root = "/");

/// @throw UsageError  naming both figures and the remedy, if a run needs more than there is
void require_memory(const SampleOptions& options, int dim, double available = memory_available());

}  // namespace lockstep
