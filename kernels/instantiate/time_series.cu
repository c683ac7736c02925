#include "kernels/instantiate/instantiate.hpp"
#include "kernels/launch/cuda.cuh"
#include "kernels/targets/brownian_motion.hpp"
#include "kernels/targets/garch.hpp"
#include "kernels/targets/stochastic_volatility.hpp"

LOCKSTEP_INSTANTIATE_CUDA(float, lockstep::BrownianMotion)
LOCKSTEP_INSTANTIATE_CUDA(float, lockstep::BrownianMotionUnknown)
LOCKSTEP_INSTANTIATE_CUDA(float, lockstep::Garch<float>)
LOCKSTEP_INSTANTIATE_CUDA(float, lockstep::StochasticVolatility<float, lockstep::kSeries>)
