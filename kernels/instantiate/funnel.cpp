#include "kernels/targets/funnel.hpp"

#include "kernels/instantiate/instantiate.hpp"
#include "kernels/launch/cpu.hpp"
#include "kernels/launch/lane_target.hpp"

LOCKSTEP_INSTANTIATE_CPU(float, lockstep::Funnel)
LOCKSTEP_INSTANTIATE_CPU(double, lockstep::Funnel)
LOCKSTEP_INSTANTIATE_CPU(float, lockstep::FunnelNc)
LOCKSTEP_INSTANTIATE_CPU(double, lockstep::FunnelNc)
