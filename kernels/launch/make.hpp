#pragma once

/// How an engine comes to be. The definitions are in cpu.hpp and cuda.cuh, which a user's own
/// target is compiled with; for the prebuilt targets instantiate/ holds them, and this is all that
/// the rest of the library sees.

#include <memory>

#include "lockstep/engine.hpp"

namespace lockstep {

/// @tparam S       float or double: the chains' state and arithmetic
/// @tparam Target  concepts.hpp
template <class S, class Target>
std::unique_ptr<Engine> make_cpu_engine(const Target& target, const SampleOptions& options);

/// @throw BackendError  where there is no device, or its driver or memory fails
template <class S, class Target>
std::unique_ptr<Engine> make_cuda_engine(const Target& target, const SampleOptions& options);

/// One CUDA device that this process can use.
struct CudaDevice {
  int index = 0;
  std::string name;
  std::string compute_capability;  // "9.0"
  std::size_t memory_bytes = 0;
  int multiprocessors = 0;
};

/// The devices; empty with a reason in `why_none` when there are none, the driver is missing, or
/// the library was built without CUDA.
std::vector<CudaDevice> cuda_devices(std::string* why_none = nullptr);

/// True if the library was built with CUDA.
bool built_with_cuda();

/// The backend that runs: `automatic` means CUDA where a device is present and the target was
/// compiled for it, else the CPU.
/// @param compiled_for_cuda  whether this target has a CUDA engine
/// @throw BackendError  if CUDA is asked for and cannot be had, with the reason
Backend resolve_backend(Backend wanted, bool compiled_for_cuda);

}  // namespace lockstep
