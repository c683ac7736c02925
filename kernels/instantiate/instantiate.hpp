#pragma once

/// Which targets are prebuilt, and the line that builds one.

#include "kernels/launch/make.hpp"

namespace lockstep {

/// Bound of targets whose dimension is known when the program runs.
inline constexpr int kMaxDimension = 1024;
/// The same for logistic regression.
inline constexpr int kMaxPredictors = 128;
/// The length of the longest series with stochastic volatility.
inline constexpr int kSeries = 100;
/// The parameters of the largest item response model.
inline constexpr int kItemParameters = 501;

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

#define LOCKSTEP_INSTANTIATE_CPU(S, ...)                                                \
  template std::unique_ptr<lockstep::Engine> lockstep::make_cpu_engine<S, __VA_ARGS__>( \
      const __VA_ARGS__& target, const lockstep::SampleOptions& options);
#define LOCKSTEP_INSTANTIATE_CUDA(S, ...)                                                \
  template std::unique_ptr<lockstep::Engine> lockstep::make_cuda_engine<S, __VA_ARGS__>( \
      const __VA_ARGS__& target, const lockstep::SampleOptions& options);
#define LOCKSTEP_INSTANTIATE_CUDA_L2HMC(...)                                                \
  template std::unique_ptr<lockstep::Engine> lockstep::make_cuda_l2hmc_engine<__VA_ARGS__>( \
      const __VA_ARGS__& target, const lockstep::SampleOptions& options);
