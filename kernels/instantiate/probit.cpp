#include "kernels/targets/probit.hpp"

#include "kernels/instantiate/instantiate.hpp"
#include "kernels/launch/cpu.hpp"
#include "kernels/launch/lane_target.hpp"

LOCKSTEP_INSTANTIATE_CPU(float, lockstep::Probit<float, 25>)
LOCKSTEP_INSTANTIATE_CPU(double, lockstep::Probit<double, 25>)
