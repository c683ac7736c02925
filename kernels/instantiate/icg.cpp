#include "kernels/instantiate/instantiate.hpp"
#include "kernels/launch/cpu.hpp"
#include "kernels/launch/lane_target.hpp"
#include "kernels/targets/normal.hpp"

LOCKSTEP_INSTANTIATE_CPU(float, lockstep::Icg)
LOCKSTEP_INSTANTIATE_CPU(double, lockstep::Icg)
LOCKSTEP_INSTANTIATE_CPU(float, lockstep::Icg100)
LOCKSTEP_INSTANTIATE_CPU(double, lockstep::Icg100)
