# Floating-point semantics are part of the interface: a user's target is instantiated in the
# user's own unit and must round as the library's units do.
#   -ffp-contract=off / -fmad=false  fused multiply-adds are written out, hence equal on CPU and GPU
#   -fno-math-errno, -fno-trapping-math  let loops with selects vectorise; values do not change
set(lockstep_host_flags -ffp-contract=off -fno-math-errno -fno-trapping-math)
if(LOCKSTEP_MARCH)
  list(APPEND lockstep_host_flags "-march=${LOCKSTEP_MARCH}")
endif()

target_compile_options(lockstep PUBLIC "$<$<COMPILE_LANGUAGE:CXX>:${lockstep_host_flags}>")

if(LOCKSTEP_HAS_CUDA)
  # CMake 3.25 knows no CUDA_STANDARD 20 for nvcc, so the flag is spelled out. A call from a
  # __host__ __device__ body into host code is only a warning by default, and wrong at run time.
  set(lockstep_cuda_flags -std=c++20 -fmad=false --expt-relaxed-constexpr
      "SHELL:-Werror cross-execution-space-call")
  foreach(flag IN LISTS lockstep_host_flags ITEMS -fopenmp)
    list(APPEND lockstep_cuda_flags "-Xcompiler=${flag}")
  endforeach()
  target_compile_options(lockstep PUBLIC "$<$<COMPILE_LANGUAGE:CUDA>:${lockstep_cuda_flags}>")
endif()

# Warnings for this tree's own targets: lockstep, the bench, the tests.
add_library(lockstep_warnings INTERFACE)
target_compile_options(lockstep_warnings INTERFACE
  "$<$<COMPILE_LANGUAGE:CXX>:-Wall;-Wextra;-Wpedantic>"
  # -Wpedantic rejects the line markers nvcc itself writes.
  "$<$<COMPILE_LANGUAGE:CUDA>:-Xcompiler=-Wall;-Xcompiler=-Wextra>")
if(LOCKSTEP_WERROR)
  target_compile_options(lockstep_warnings INTERFACE
    "$<$<COMPILE_LANGUAGE:CXX>:-Werror>" "$<$<COMPILE_LANGUAGE:CUDA>:SHELL:-Werror all-warnings>")
endif()
target_link_libraries(lockstep PRIVATE "$<BUILD_INTERFACE:lockstep_warnings>")

if(LOCKSTEP_SANITIZE)
  set(lockstep_sanitizers -fsanitize=address,undefined -fno-sanitize-recover=undefined
      -fno-omit-frame-pointer)
  target_compile_options(lockstep PUBLIC
    "$<BUILD_INTERFACE:$<$<COMPILE_LANGUAGE:CXX>:${lockstep_sanitizers}>>")
  target_link_options(lockstep PUBLIC "$<BUILD_INTERFACE:-fsanitize=address,undefined>")
  # Kernels inlined whole for every target take minutes each to compile with checks; the tests
  # sanitize the same bodies on fewer targets. So another build's serve as well.
  if(LOCKSTEP_KERNELS_FROM)
    target_link_libraries(lockstep PUBLIC "$<BUILD_INTERFACE:${LOCKSTEP_KERNELS_FROM}>")
  else()
    set_source_files_properties(${lockstep_kernels} PROPERTIES COMPILE_OPTIONS -fno-sanitize=all)
  endif()
  # Thrust's sequential backend binds a reference through a null policy, in 1.17 and in 3.
  set_source_files_properties(host/diagnostics/order.cpp PROPERTIES
                              COMPILE_OPTIONS -fno-sanitize=null)
endif()
