#include "kernels/instantiate/instantiate.hpp"
#include "kernels/launch/cpu.hpp"
#include "kernels/targets/banana.hpp"

LOCKSTEP_INSTANTIATE_CPU(float, lockstep::Banana)
LOCKSTEP_INSTANTIATE_CPU(double, lockstep::Banana)
