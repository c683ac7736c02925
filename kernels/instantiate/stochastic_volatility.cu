#include "kernels/instantiate/instantiate.hpp"
#include "kernels/launch/cuda.cuh"
#include "kernels/targets/stochastic_volatility.hpp"

LOCKSTEP_INSTANTIATE_CUDA(float, lockstep::StochasticVolatility<float, lockstep::kSeries>)
