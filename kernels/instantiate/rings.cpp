#include "kernels/targets/rings.hpp"

#include "kernels/instantiate/instantiate.hpp"
#include "kernels/launch/cpu.hpp"
#include "kernels/launch/lane_target.hpp"

LOCKSTEP_INSTANTIATE_CPU(float, lockstep::Ring)
LOCKSTEP_INSTANTIATE_CPU(double, lockstep::Ring)
LOCKSTEP_INSTANTIATE_CPU(float, lockstep::Ring5)
LOCKSTEP_INSTANTIATE_CPU(double, lockstep::Ring5)
