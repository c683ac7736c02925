#include "kernels/instantiate/instantiate.hpp"
#include "kernels/launch/cuda.cuh"
#include "kernels/targets/garch.hpp"

LOCKSTEP_INSTANTIATE_CUDA(float, lockstep::Garch<float>)
