#include "kernels/instantiate/cuda_l2hmc.hpp"
#include "kernels/launch/cuda_l2hmc.cuh"
#include "kernels/launch/cuda_training.cuh"
#include "kernels/targets/banana.hpp"
#include "kernels/targets/eight_schools.hpp"
#include "kernels/targets/rough_well.hpp"

LOCKSTEP_INSTANTIATE_CUDA_L2HMC(lockstep::RoughWell<2>)
LOCKSTEP_INSTANTIATE_CUDA_L2HMC(lockstep::Banana)
LOCKSTEP_INSTANTIATE_CUDA_L2HMC(lockstep::EightSchoolsNc)
