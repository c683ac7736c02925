#include "kernels/instantiate/instantiate.hpp"
#include "kernels/launch/cuda.cuh"
#include "kernels/targets/mog6.hpp"

LOCKSTEP_INSTANTIATE_CUDA(float, lockstep::Mog6)
