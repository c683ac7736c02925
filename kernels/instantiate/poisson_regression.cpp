#include "kernels/targets/poisson_regression.hpp"

#include "kernels/instantiate/instantiate.hpp"
#include "kernels/launch/cpu.hpp"
#include "kernels/launch/lane_target.hpp"

LOCKSTEP_INSTANTIATE_CPU(float, lockstep::PoissonRegression<float>)
LOCKSTEP_INSTANTIATE_CPU(double, lockstep::PoissonRegression<double>)
