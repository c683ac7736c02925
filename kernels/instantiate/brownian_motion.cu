#include "kernels/instantiate/instantiate.hpp"
#include "kernels/launch/cuda.cuh"
#include "kernels/targets/brownian_motion.hpp"

LOCKSTEP_INSTANTIATE_CUDA(float, lockstep::BrownianMotion)
LOCKSTEP_INSTANTIATE_CUDA(float, lockstep::BrownianMotionUnknown)
