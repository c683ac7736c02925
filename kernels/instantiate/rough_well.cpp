#include "kernels/targets/rough_well.hpp"

#include "kernels/instantiate/instantiate.hpp"
#include "kernels/launch/cpu.hpp"
#include "kernels/launch/lane_target.hpp"

LOCKSTEP_INSTANTIATE_CPU(float, lockstep::RoughWell<2>)
LOCKSTEP_INSTANTIATE_CPU(double, lockstep::RoughWell<2>)
LOCKSTEP_INSTANTIATE_CPU(float, lockstep::RoughWellN<lockstep::kMaxDimension>)
LOCKSTEP_INSTANTIATE_CPU(double, lockstep::RoughWellN<lockstep::kMaxDimension>)
