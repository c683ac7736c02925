#include "kernels/instantiate/cuda_dhmc.hpp"
#include "kernels/launch/cuda_zero_one.cuh"

using ZeroOneOfFloats = lockstep::ZeroOne<float, lockstep::kMostDiscontinuous>;
LOCKSTEP_INSTANTIATE_CUDA_DHMC(ZeroOneOfFloats)
