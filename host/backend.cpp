/// Which backends this build and this machine have.

#include <string>
#include <vector>

#include "kernels/launch/make.hpp"
#include "lockstep/error.hpp"

#if LOCKSTEP_WITH_CUDA
#include <cuda_runtime_api.h>
#endif

namespace lockstep {
namespace {

#if LOCKSTEP_WITH_CUDA
/// Any error while counting means that there is nothing to run on: no driver, a driver too old for
/// the toolkit, or no card.
std::string reason_of(cudaError_t status) {
  cudaGetLastError();
  return std::string(cudaGetErrorString(status)) + " (" + cudaGetErrorName(status) + ")";
}
#endif

}  // namespace

bool built_with_cuda() {
#if LOCKSTEP_WITH_CUDA
  return true;
#else
  return false;
#endif
}

std::vector<CudaDevice> cuda_devices(std::string* why_none) {
  std::vector<CudaDevice> devices;
  std::string reason;
#if LOCKSTEP_WITH_CUDA
  int count = 0;
  if (const cudaError_t status = cudaGetDeviceCount(&count); status != cudaSuccess) {
    reason = reason_of(status);
    count = 0;
  }
  for (int i = 0; i < count; ++i) {
    cudaDeviceProp properties;
    if (const cudaError_t status = cudaGetDeviceProperties(&properties, i); status != cudaSuccess) {
      reason = "device " + std::to_string(i) + ": " + reason_of(status);
      continue;
    }
    CudaDevice device;
    device.index = i;
    device.name = properties.name;
    device.compute_capability =
        std::to_string(properties.major) + "." + std::to_string(properties.minor);
    device.memory_bytes = properties.totalGlobalMem;
    device.multiprocessors = properties.multiProcessorCount;
    devices.push_back(device);
  }
  if (devices.empty() && reason.empty()) {
    reason = "the driver reports no device";
  }
#else
  reason =
      "this build has no CUDA: nvcc was not found, or LOCKSTEP_CUDA was OFF, when it was "
      "configured";
#endif
  if (why_none != nullptr) {
    *why_none = devices.empty() ? reason : std::string();
  }
  return devices;
}

Backend resolve_backend(Backend wanted, bool compiled_for_cuda) {
  if (wanted == Backend::cpu) {
    return Backend::cpu;
  }
  std::string why_none;
  const bool usable = compiled_for_cuda && !cuda_devices(&why_none).empty();
  if (wanted == Backend::automatic) {
    return usable ? Backend::cuda : Backend::cpu;
  }
  require<BackendError>(
      compiled_for_cuda,
      "backend cuda: this target was compiled for the CPU only; compile it with nvcc, or use "
      "backend cpu or auto");
  require<BackendError>(
      usable, "backend cuda: no usable CUDA device: " + why_none + "; use backend cpu or auto");
  return Backend::cuda;
}

}  // namespace lockstep
