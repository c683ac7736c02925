#include "kernels/targets/banana.hpp"

#include "kernels/instantiate/instantiate.hpp"
#include "kernels/launch/cpu.hpp"
#include "kernels/launch/lane_target.hpp"

LOCKSTEP_INSTANTIATE_CPU(float, lockstep::Banana)
LOCKSTEP_INSTANTIATE_CPU(double, lockstep::Banana)
