#include "kernels/instantiate/instantiate.hpp"
#include "kernels/launch/cuda.cuh"
#include "kernels/targets/dense_normal.hpp"

LOCKSTEP_INSTANTIATE_CUDA(float, lockstep::DenseNormal<float, lockstep::kMaxPrecision>)
