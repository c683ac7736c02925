#pragma once

/// For which targets with discontinuous coordinates CUDA kernels are prebuilt, and the line that
/// builds them.

#include "kernels/launch/dhmc.hpp"

namespace lockstep {

/// Those of the dhmc_*.cu.
template <class Target>
inline constexpr bool has_cuda_dhmc = false;

struct BinomialN;
class ChangePoint;
struct IntegerGrid;
template <int Occasions>
class JollySeber;
struct MixedGrid;
struct MixtureIndicator;
struct Sign;
template <class S, int Max>
struct ZeroOne;
template <>
inline constexpr bool has_cuda_dhmc<BinomialN> = true;
template <>
inline constexpr bool has_cuda_dhmc<ChangePoint> = true;
template <>
inline constexpr bool has_cuda_dhmc<IntegerGrid> = true;
template <>
inline constexpr bool has_cuda_dhmc<JollySeber<13>> = true;
template <>
inline constexpr bool has_cuda_dhmc<MixedGrid> = true;
template <>
inline constexpr bool has_cuda_dhmc<MixtureIndicator> = true;
template <>
inline constexpr bool has_cuda_dhmc<Sign> = true;
template <>
inline constexpr bool has_cuda_dhmc<ZeroOne<float, kMostDiscontinuous>> = true;

}  // namespace lockstep

#define LOCKSTEP_INSTANTIATE_CUDA_DHMC(...)                                        \
  template std::unique_ptr<lockstep::Engine>                                       \
  lockstep::make_cuda_discontinuous_engine<__VA_ARGS__>(const __VA_ARGS__& target, \
                                                        const lockstep::SampleOptions& options);
