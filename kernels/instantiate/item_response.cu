#include "kernels/instantiate/instantiate.hpp"
#include "kernels/launch/cuda.cuh"
#include "kernels/targets/item_response.hpp"

LOCKSTEP_INSTANTIATE_CUDA(float, lockstep::ItemResponse<float, lockstep::kItemParameters>)
