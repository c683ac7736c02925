#include "kernels/instantiate/cuda_dhmc.hpp"
#include "kernels/launch/cuda_dhmc.cuh"
#include "kernels/targets/jolly_seber.hpp"

LOCKSTEP_INSTANTIATE_CUDA_DHMC(lockstep::JollySeber<13>)
