#include "kernels/targets/garch.hpp"

#include "kernels/instantiate/instantiate.hpp"
#include "kernels/launch/cpu.hpp"
#include "kernels/launch/lane_target.hpp"

LOCKSTEP_INSTANTIATE_CPU(float, lockstep::Garch<float>)
LOCKSTEP_INSTANTIATE_CPU(double, lockstep::Garch<double>)
