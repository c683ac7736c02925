#include "kernels/instantiate/instantiate.hpp"
#include "kernels/launch/cuda.cuh"
#include "kernels/targets/logistic.hpp"

LOCKSTEP_INSTANTIATE_CUDA(float, lockstep::Logistic<float, 25>)
LOCKSTEP_INSTANTIATE_CUDA(float, lockstep::LogisticN<float, lockstep::kMaxPredictors>)
