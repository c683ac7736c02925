#include "kernels/instantiate/instantiate.hpp"
#include "kernels/launch/cuda.cuh"
#include "kernels/targets/eight_schools.hpp"
#include "kernels/targets/funnel.hpp"
#include "kernels/targets/item_response.hpp"

LOCKSTEP_INSTANTIATE_CUDA(float, lockstep::EightSchools)
LOCKSTEP_INSTANTIATE_CUDA(float, lockstep::EightSchoolsNc)
LOCKSTEP_INSTANTIATE_CUDA(float, lockstep::EightSchoolsLogNormal)
LOCKSTEP_INSTANTIATE_CUDA(float, lockstep::Funnel)
LOCKSTEP_INSTANTIATE_CUDA(float, lockstep::FunnelNc)
LOCKSTEP_INSTANTIATE_CUDA(float, lockstep::ItemResponse<float, lockstep::kItemParameters>)
