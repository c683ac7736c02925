/// Targets whose density jumps: their engine's kernels are those of dhmc.cpp.

#include "kernels/instantiate/instantiate.hpp"
#include "kernels/launch/dhmc.hpp"
#include "kernels/launch/lane_target.hpp"
#include "kernels/targets/binomial_n.hpp"
#include "kernels/targets/change_point.hpp"
#include "kernels/targets/integer_grid.hpp"
#include "kernels/targets/jolly_seber.hpp"
#include "kernels/targets/mixed_grid.hpp"
#include "kernels/targets/mixture_indicator.hpp"
#include "kernels/targets/sign.hpp"
#include "kernels/targets/zero_one.hpp"

LOCKSTEP_INSTANTIATE_BLOCK(float, lockstep::BinomialN)
LOCKSTEP_INSTANTIATE_BLOCK(double, lockstep::BinomialN)
LOCKSTEP_INSTANTIATE_BLOCK(float, lockstep::ChangePoint)
LOCKSTEP_INSTANTIATE_BLOCK(double, lockstep::ChangePoint)
LOCKSTEP_INSTANTIATE_BLOCK(float, lockstep::IntegerGrid)
LOCKSTEP_INSTANTIATE_BLOCK(double, lockstep::IntegerGrid)
LOCKSTEP_INSTANTIATE_BLOCK(float, lockstep::JollySeber<13>)
LOCKSTEP_INSTANTIATE_BLOCK(double, lockstep::JollySeber<13>)
LOCKSTEP_INSTANTIATE_BLOCK(float, lockstep::MixedGrid)
LOCKSTEP_INSTANTIATE_BLOCK(double, lockstep::MixedGrid)
LOCKSTEP_INSTANTIATE_BLOCK(float, lockstep::MixtureIndicator)
LOCKSTEP_INSTANTIATE_BLOCK(double, lockstep::MixtureIndicator)
LOCKSTEP_INSTANTIATE_BLOCK(float, lockstep::Sign)
LOCKSTEP_INSTANTIATE_BLOCK(double, lockstep::Sign)
LOCKSTEP_INSTANTIATE_BLOCK(float, lockstep::ZeroOne<float, lockstep::kMostDiscontinuous>)
LOCKSTEP_INSTANTIATE_BLOCK(double, lockstep::ZeroOne<double, lockstep::kMostDiscontinuous>)
