#include "kernels/instantiate/instantiate.hpp"
#include "kernels/launch/cuda.cuh"
#include "kernels/targets/mixture.hpp"

LOCKSTEP_INSTANTIATE_CUDA(float, lockstep::Mog)
LOCKSTEP_INSTANTIATE_CUDA(float, lockstep::Mog2)
