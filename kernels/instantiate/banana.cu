#include "kernels/instantiate/instantiate.hpp"
#include "kernels/launch/cuda.cuh"
#include "kernels/targets/banana.hpp"

LOCKSTEP_INSTANTIATE_CUDA(float, lockstep::Banana)
