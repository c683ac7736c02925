#include "kernels/targets/logistic.hpp"

#include "kernels/instantiate/instantiate.hpp"
#include "kernels/launch/cpu.hpp"
#include "kernels/launch/lane_target.hpp"

LOCKSTEP_INSTANTIATE_CPU(float, lockstep::Logistic<float, 25>)
LOCKSTEP_INSTANTIATE_CPU(double, lockstep::Logistic<double, 25>)
LOCKSTEP_INSTANTIATE_CPU(float, lockstep::LogisticN<float, lockstep::kMaxPredictors>)
LOCKSTEP_INSTANTIATE_CPU(double, lockstep::LogisticN<double, lockstep::kMaxPredictors>)
