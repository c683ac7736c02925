#include "kernels/instantiate/instantiate.hpp"
#include "kernels/launch/cuda.cuh"
#include "kernels/targets/rough_well.hpp"

LOCKSTEP_INSTANTIATE_CUDA(float, lockstep::RoughWell<2>)
LOCKSTEP_INSTANTIATE_CUDA(float, lockstep::RoughWellN<lockstep::kMaxDimension>)
