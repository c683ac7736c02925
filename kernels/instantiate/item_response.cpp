#include "kernels/targets/item_response.hpp"

#include "kernels/instantiate/instantiate.hpp"
#include "kernels/launch/cpu.hpp"
#include "kernels/launch/lane_target.hpp"

LOCKSTEP_INSTANTIATE_CPU(float, lockstep::ItemResponse<float, lockstep::kItemParameters>)
LOCKSTEP_INSTANTIATE_CPU(double, lockstep::ItemResponse<double, lockstep::kItemParameters>)
