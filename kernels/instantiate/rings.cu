#include "kernels/instantiate/instantiate.hpp"
#include "kernels/launch/cuda.cuh"
#include "kernels/targets/rings.hpp"

LOCKSTEP_INSTANTIATE_CUDA(float, lockstep::Ring)
LOCKSTEP_INSTANTIATE_CUDA(float, lockstep::Ring5)
