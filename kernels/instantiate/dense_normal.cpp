#include "kernels/targets/dense_normal.hpp"

#include "kernels/instantiate/instantiate.hpp"
#include "kernels/launch/cpu.hpp"
#include "kernels/launch/lane_target.hpp"

LOCKSTEP_INSTANTIATE_CPU(float, lockstep::DenseNormal<float, lockstep::kMaxPrecision>)
LOCKSTEP_INSTANTIATE_CPU(double, lockstep::DenseNormal<double, lockstep::kMaxPrecision>)
