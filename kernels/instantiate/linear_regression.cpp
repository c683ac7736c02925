#include "kernels/targets/linear_regression.hpp"

#include "kernels/instantiate/instantiate.hpp"
#include "kernels/launch/cpu.hpp"
#include "kernels/launch/lane_target.hpp"

LOCKSTEP_INSTANTIATE_CPU(float, lockstep::LinearRegression)
LOCKSTEP_INSTANTIATE_CPU(double, lockstep::LinearRegression)
