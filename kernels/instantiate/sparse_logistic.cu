#include "kernels/instantiate/instantiate.hpp"
#include "kernels/launch/cuda.cuh"
#include "kernels/targets/sparse_logistic.hpp"

LOCKSTEP_INSTANTIATE_CUDA(float, lockstep::SparseLogistic<float, 25>)
