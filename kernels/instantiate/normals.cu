#include "kernels/instantiate/instantiate.hpp"
#include "kernels/launch/cuda.cuh"
#include "kernels/targets/dense_normal.hpp"
#include "kernels/targets/normal.hpp"

LOCKSTEP_INSTANTIATE_CUDA(float, lockstep::StdNormal<1>)
LOCKSTEP_INSTANTIATE_CUDA(float, lockstep::StdNormal<2>)
LOCKSTEP_INSTANTIATE_CUDA(float, lockstep::StdNormal<10>)
LOCKSTEP_INSTANTIATE_CUDA(float, lockstep::StdNormalN<lockstep::kMaxDimension>)
LOCKSTEP_INSTANTIATE_CUDA(float, lockstep::DenseNormal<float, lockstep::kMaxPrecision>)
