#include "kernels/instantiate/instantiate.hpp"
#include "kernels/launch/cuda.cuh"
#include "kernels/targets/mixture.hpp"
#include "kernels/targets/mog6.hpp"
#include "kernels/targets/normal_mixture.hpp"

LOCKSTEP_INSTANTIATE_CUDA(float, lockstep::Mog)
LOCKSTEP_INSTANTIATE_CUDA(float, lockstep::Mog2)
LOCKSTEP_INSTANTIATE_CUDA(float, lockstep::Mog6)
LOCKSTEP_INSTANTIATE_CUDA(float, lockstep::NormalMixture<float>)
