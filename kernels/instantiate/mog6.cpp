#include "kernels/targets/mog6.hpp"

#include "kernels/instantiate/instantiate.hpp"
#include "kernels/launch/cpu.hpp"
#include "kernels/launch/lane_target.hpp"

LOCKSTEP_INSTANTIATE_CPU(float, lockstep::Mog6)
LOCKSTEP_INSTANTIATE_CPU(double, lockstep::Mog6)
