#include "kernels/instantiate/instantiate.hpp"
#include "kernels/launch/cuda.cuh"
#include "kernels/targets/normal_mixture.hpp"

LOCKSTEP_INSTANTIATE_CUDA(float, lockstep::NormalMixture<float>)
