#include "kernels/targets/stochastic_volatility.hpp"

#include "kernels/instantiate/instantiate.hpp"
#include "kernels/launch/cpu.hpp"
#include "kernels/launch/lane_target.hpp"

LOCKSTEP_INSTANTIATE_CPU(float, lockstep::StochasticVolatility<float, lockstep::kSeries>)
LOCKSTEP_INSTANTIATE_CPU(double, lockstep::StochasticVolatility<double, lockstep::kSeries>)
