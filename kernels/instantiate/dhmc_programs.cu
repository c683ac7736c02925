#include "kernels/instantiate/cuda_dhmc.hpp"
#include "kernels/launch/cuda_dhmc.cuh"
#include "kernels/targets/change_point.hpp"
#include "kernels/targets/mixture_indicator.hpp"
#include "kernels/targets/sign.hpp"

LOCKSTEP_INSTANTIATE_CUDA_DHMC(lockstep::ChangePoint)
LOCKSTEP_INSTANTIATE_CUDA_DHMC(lockstep::MixtureIndicator)
LOCKSTEP_INSTANTIATE_CUDA_DHMC(lockstep::Sign)
