#include "kernels/instantiate/instantiate.hpp"
#include "kernels/launch/cuda.cuh"
#include "kernels/targets/eight_schools.hpp"

LOCKSTEP_INSTANTIATE_CUDA(float, lockstep::EightSchools)
LOCKSTEP_INSTANTIATE_CUDA(float, lockstep::EightSchoolsNc)
LOCKSTEP_INSTANTIATE_CUDA(float, lockstep::EightSchoolsLogNormal)
