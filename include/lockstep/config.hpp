#pragma once

/// Version of the library, and the few macros that let one source serve g++, clang and nvcc.

#define LOCKSTEP_VERSION_MAJOR 0
#define LOCKSTEP_VERSION_MINOR 1
#define LOCKSTEP_VERSION_PATCH 0
#define LOCKSTEP_VERSION "0.1.0"

/// Marks a function that runs in kernels: on the host and, under nvcc, on the device too.
#if defined(__CUDACC__)
#define LOCKSTEP_HD __host__ __device__
#else
#define LOCKSTEP_HD
#endif

/// The same, for the small functions whose call overhead would dominate their arithmetic.
#if defined(__CUDACC__)
#define LOCKSTEP_INLINE __host__ __device__ __forceinline__
#elif defined(__GNUC__)
#define LOCKSTEP_INLINE inline __attribute__((always_inline))
#else
#define LOCKSTEP_INLINE inline
#endif

/// Unrolls the next loop completely when its bounds are known, so that arrays indexed by it can
/// live in registers.
#define LOCKSTEP_PRAGMA(x) _Pragma(#x)
#if defined(__CUDACC__) && !defined(__CUDA_ARCH__)
#define LOCKSTEP_UNROLL  // nvcc's host pass hands pragmas on to a compiler that knows neither form
#elif defined(__CUDA_ARCH__)
#define LOCKSTEP_UNROLL LOCKSTEP_PRAGMA(unroll)
#elif defined(__GNUC__) && !defined(__clang__)
#define LOCKSTEP_UNROLL LOCKSTEP_PRAGMA(GCC unroll 64)
#else
#define LOCKSTEP_UNROLL LOCKSTEP_PRAGMA(unroll)
#endif
