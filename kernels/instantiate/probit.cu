#include "kernels/instantiate/instantiate.hpp"
#include "kernels/launch/cuda.cuh"
#include "kernels/targets/probit.hpp"

LOCKSTEP_INSTANTIATE_CUDA(float, lockstep::Probit<float, 25>)
