#include "kernels/instantiate/instantiate.hpp"
#include "kernels/launch/cuda.cuh"
#include "kernels/targets/banana.hpp"
#include "kernels/targets/rings.hpp"
#include "kernels/targets/rough_well.hpp"

LOCKSTEP_INSTANTIATE_CUDA(float, lockstep::Banana)
LOCKSTEP_INSTANTIATE_CUDA(float, lockstep::Ring)
LOCKSTEP_INSTANTIATE_CUDA(float, lockstep::Ring5)
LOCKSTEP_INSTANTIATE_CUDA(float, lockstep::RoughWell<2>)
LOCKSTEP_INSTANTIATE_CUDA(float, lockstep::RoughWellN<lockstep::kMaxDimension>)
