#include "kernels/instantiate/cuda_l2hmc.hpp"
#include "kernels/launch/cuda_l2hmc.cuh"
#include "kernels/launch/cuda_training.cuh"
#include "kernels/targets/normal.hpp"

LOCKSTEP_INSTANTIATE_CUDA_L2HMC(lockstep::Scg)
LOCKSTEP_INSTANTIATE_CUDA_L2HMC(lockstep::Icg)
