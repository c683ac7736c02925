#include "kernels/instantiate/instantiate.hpp"
#include "kernels/launch/cpu.hpp"
#include "kernels/launch/lane_target.hpp"
#include "kernels/targets/normal.hpp"

LOCKSTEP_INSTANTIATE_CPU(float, lockstep::StdNormal<1>)
LOCKSTEP_INSTANTIATE_CPU(double, lockstep::StdNormal<1>)
LOCKSTEP_INSTANTIATE_CPU(float, lockstep::StdNormal<2>)
LOCKSTEP_INSTANTIATE_CPU(double, lockstep::StdNormal<2>)
LOCKSTEP_INSTANTIATE_CPU(float, lockstep::StdNormal<10>)
LOCKSTEP_INSTANTIATE_CPU(double, lockstep::StdNormal<10>)
