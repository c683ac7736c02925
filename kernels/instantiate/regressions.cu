#include "kernels/instantiate/instantiate.hpp"
#include "kernels/launch/cuda.cuh"
#include "kernels/targets/linear_regression.hpp"
#include "kernels/targets/poisson_regression.hpp"

LOCKSTEP_INSTANTIATE_CUDA(float, lockstep::LinearRegression)
LOCKSTEP_INSTANTIATE_CUDA(float, lockstep::PoissonRegression<float>)
