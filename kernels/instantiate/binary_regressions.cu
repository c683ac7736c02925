#include "kernels/instantiate/instantiate.hpp"
#include "kernels/launch/cuda.cuh"
#include "kernels/targets/logistic.hpp"
#include "kernels/targets/probit.hpp"
#include "kernels/targets/sparse_logistic.hpp"

LOCKSTEP_INSTANTIATE_CUDA(float, lockstep::Logistic<float, 25>)
LOCKSTEP_INSTANTIATE_CUDA(float, lockstep::LogisticN<float, lockstep::kMaxPredictors>)
LOCKSTEP_INSTANTIATE_CUDA(float, lockstep::Probit<float, 25>)
LOCKSTEP_INSTANTIATE_CUDA(float, lockstep::SparseLogistic<float, 25>)
