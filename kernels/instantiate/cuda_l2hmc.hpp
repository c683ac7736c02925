#pragma once

/// For which targets L2HMC's CUDA kernels are prebuilt, and the line that builds them.

#include "kernels/launch/l2hmc.hpp"

namespace lockstep {

/// Which of them have L2HMC's kernels for CUDA: those of the l2hmc_*.cu.
template <class Target>
inline constexpr bool has_cuda_l2hmc = false;

struct Banana;
struct EightSchoolsNc;
struct Icg;
struct Mog;
struct Mog2;
template <int D>
struct RoughWell;
struct Scg;
template <>
inline constexpr bool has_cuda_l2hmc<Banana> = true;
template <>
inline constexpr bool has_cuda_l2hmc<EightSchoolsNc> = true;
template <>
inline constexpr bool has_cuda_l2hmc<Icg> = true;
template <>
inline constexpr bool has_cuda_l2hmc<Mog> = true;
template <>
inline constexpr bool has_cuda_l2hmc<Mog2> = true;
template <>
inline constexpr bool has_cuda_l2hmc<RoughWell<2>> = true;
template <>
inline constexpr bool has_cuda_l2hmc<Scg> = true;

}  // namespace lockstep

#define LOCKSTEP_INSTANTIATE_CUDA_L2HMC(...)                                                \
  template std::unique_ptr<lockstep::Engine> lockstep::make_cuda_l2hmc_engine<__VA_ARGS__>( \
      const __VA_ARGS__& target, const lockstep::SampleOptions& options);                   \
  template std::unique_ptr<lockstep::TrainingEngine>                                        \
  lockstep::make_cuda_training_engine<__VA_ARGS__>(const __VA_ARGS__& target,               \
                                                   const lockstep::TrainingPlace& place);
