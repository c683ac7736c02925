# What a builder can choose. Every default suits `cmake -B build && cmake --build build`.

# Without a build type CMake compiles unoptimised code, and the first benchmark misleads.
get_property(lockstep_multi_config GLOBAL PROPERTY GENERATOR_IS_MULTI_CONFIG)
if(PROJECT_IS_TOP_LEVEL AND NOT lockstep_multi_config AND NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Debug, Release, RelWithDebInfo or MinSizeRel" FORCE)
endif()

set(LOCKSTEP_CUDA AUTO CACHE STRING "CUDA backend: AUTO (when nvcc works), ON (required) or OFF")
set_property(CACHE LOCKSTEP_CUDA PROPERTY STRINGS AUTO ON OFF)

set(LOCKSTEP_MARCH native CACHE STRING
    "-march of the CPU code, which fixes the lane width; empty for the compiler's default")

option(LOCKSTEP_BUILD_TESTS "Build the tests" ${PROJECT_IS_TOP_LEVEL})
option(LOCKSTEP_BUILD_BENCH "Build lockstep-bench" ${PROJECT_IS_TOP_LEVEL})
set(LOCKSTEP_BUILD_MICROBENCH AUTO CACHE STRING
    "Google Benchmark programs: AUTO (when it is installed), ON (fetch it) or OFF")
set_property(CACHE LOCKSTEP_BUILD_MICROBENCH PROPERTY STRINGS AUTO ON OFF)

option(LOCKSTEP_WERROR "Warnings are errors" OFF)
option(LOCKSTEP_SANITIZE "Address and undefined-behaviour sanitizers" OFF)
set(LOCKSTEP_KERNELS_FROM "" CACHE FILEPATH
    "With LOCKSTEP_SANITIZE: a liblockstep.a of this source, whose kernels are linked instead of compiled")
