#include "kernels/targets/brownian_motion.hpp"

#include "kernels/instantiate/instantiate.hpp"
#include "kernels/launch/cpu.hpp"
#include "kernels/launch/lane_target.hpp"

LOCKSTEP_INSTANTIATE_CPU(float, lockstep::BrownianMotion)
LOCKSTEP_INSTANTIATE_CPU(double, lockstep::BrownianMotion)
LOCKSTEP_INSTANTIATE_CPU(float, lockstep::BrownianMotionUnknown)
LOCKSTEP_INSTANTIATE_CPU(double, lockstep::BrownianMotionUnknown)
