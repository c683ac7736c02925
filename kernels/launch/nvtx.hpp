#pragma once

/// Named ranges in NVIDIA's profilers; nothing where NVTX's headers are absent.

#if LOCKSTEP_WITH_NVTX
#include <nvtx3/nvToolsExt.h>
#endif

namespace lockstep {

/// Marks the time from its construction to its destruction.
class ProfilerRange {
 public:
#if LOCKSTEP_WITH_NVTX
  explicit ProfilerRange(const char* name) {
    nvtxRangePushA(name);
  }
  ~ProfilerRange() {
    nvtxRangePop();
  }
#else
  explicit ProfilerRange(const char*) {}
  ~ProfilerRange() {}
#endif
  ProfilerRange(const ProfilerRange&) = delete;
  ProfilerRange& operator=(const ProfilerRange&) = delete;
};

}  // namespace lockstep
