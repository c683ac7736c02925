#include "kernels/targets/normal_mixture.hpp"

#include "kernels/instantiate/instantiate.hpp"
#include "kernels/launch/cpu.hpp"
#include "kernels/launch/lane_target.hpp"

LOCKSTEP_INSTANTIATE_CPU(float, lockstep::NormalMixture<float>)
LOCKSTEP_INSTANTIATE_CPU(double, lockstep::NormalMixture<double>)
