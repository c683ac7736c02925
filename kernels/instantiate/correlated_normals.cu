#include "kernels/instantiate/instantiate.hpp"
#include "kernels/launch/cuda.cuh"
#include "kernels/targets/normal.hpp"

LOCKSTEP_INSTANTIATE_CUDA(float, lockstep::Icg)
LOCKSTEP_INSTANTIATE_CUDA(float, lockstep::Icg100)
LOCKSTEP_INSTANTIATE_CUDA(float, lockstep::Scg)
