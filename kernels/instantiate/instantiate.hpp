#pragma once

/// Which targets are prebuilt, and the line that builds one.

#include "kernels/launch/make.hpp"

namespace lockstep {

/// Bound of targets whose dimension is known when the program runs.
inline constexpr int kMaxDimension = 1024;
/// The same for logistic regression.
inline constexpr int kMaxPredictors = 128;
/// The same for normal laws of any precision matrix.
inline constexpr int kMaxPrecision = 256;
/// The length of the longest series with stochastic volatility.
inline constexpr int kSeries = 100;
/// The parameters of the largest item response model.
inline constexpr int kItemParameters = 501;

}  // namespace lockstep

#define LOCKSTEP_INSTANTIATE_BLOCK(S, ...)                                                         \
  template std::shared_ptr<const lockstep::BlockTarget<S>> lockstep::block_target<S, __VA_ARGS__>( \
      const __VA_ARGS__& target, int most);
/// An engine of its own, and what other engines' kernels call.
#define LOCKSTEP_INSTANTIATE_CPU(S, ...)                                                \
  template std::unique_ptr<lockstep::Engine> lockstep::make_cpu_engine<S, __VA_ARGS__>( \
      const __VA_ARGS__& target, const lockstep::SampleOptions& options);               \
  LOCKSTEP_INSTANTIATE_BLOCK(S, __VA_ARGS__)
#define LOCKSTEP_INSTANTIATE_CUDA(S, ...)                                                \
  template std::unique_ptr<lockstep::Engine> lockstep::make_cuda_engine<S, __VA_ARGS__>( \
      const __VA_ARGS__& target, const lockstep::SampleOptions& options);
