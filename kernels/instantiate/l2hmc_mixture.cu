#include "kernels/instantiate/cuda_l2hmc.hpp"
#include "kernels/launch/cuda_l2hmc.cuh"
#include "kernels/launch/cuda_training.cuh"
#include "kernels/targets/mixture.hpp"

LOCKSTEP_INSTANTIATE_CUDA_L2HMC(lockstep::Mog)
LOCKSTEP_INSTANTIATE_CUDA_L2HMC(lockstep::Mog2)
