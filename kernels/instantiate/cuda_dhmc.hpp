#pragma once

/// For which targets with discontinuous coordinates CUDA kernels are prebuilt.

#include "kernels/launch/dhmc.hpp"

namespace lockstep {

template <class Target>
inline constexpr bool has_cuda_dhmc = false;

}  // namespace lockstep
