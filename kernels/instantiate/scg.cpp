#include "kernels/instantiate/instantiate.hpp"
#include "kernels/launch/cpu.hpp"
#include "kernels/launch/lane_target.hpp"
#include "kernels/targets/normal.hpp"

LOCKSTEP_INSTANTIATE_CPU(float, lockstep::Scg)
LOCKSTEP_INSTANTIATE_CPU(double, lockstep::Scg)
