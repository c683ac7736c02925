#include "kernels/instantiate/instantiate.hpp"
#include "kernels/launch/cpu.hpp"
#include "kernels/launch/lane_target.hpp"
#include "kernels/targets/mixture.hpp"

LOCKSTEP_INSTANTIATE_CPU(float, lockstep::Mog)
LOCKSTEP_INSTANTIATE_CPU(double, lockstep::Mog)
LOCKSTEP_INSTANTIATE_CPU(float, lockstep::Mog2)
LOCKSTEP_INSTANTIATE_CPU(double, lockstep::Mog2)
