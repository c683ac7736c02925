#include "kernels/targets/sparse_logistic.hpp"

#include "kernels/instantiate/instantiate.hpp"
#include "kernels/launch/cpu.hpp"
#include "kernels/launch/lane_target.hpp"

LOCKSTEP_INSTANTIATE_CPU(float, lockstep::SparseLogistic<float, 25>)
LOCKSTEP_INSTANTIATE_CPU(double, lockstep::SparseLogistic<double, 25>)
