#include "kernels/instantiate/cuda_dhmc.hpp"
#include "kernels/launch/cuda_dhmc.cuh"
#include "kernels/targets/binomial_n.hpp"
#include "kernels/targets/integer_grid.hpp"
#include "kernels/targets/mixed_grid.hpp"

LOCKSTEP_INSTANTIATE_CUDA_DHMC(lockstep::BinomialN)
LOCKSTEP_INSTANTIATE_CUDA_DHMC(lockstep::IntegerGrid)
LOCKSTEP_INSTANTIATE_CUDA_DHMC(lockstep::MixedGrid)
