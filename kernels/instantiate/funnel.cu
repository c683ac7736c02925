#include "kernels/instantiate/instantiate.hpp"
#include "kernels/launch/cuda.cuh"
#include "kernels/targets/funnel.hpp"

LOCKSTEP_INSTANTIATE_CUDA(float, lockstep::Funnel)
LOCKSTEP_INSTANTIATE_CUDA(float, lockstep::FunnelNc)
