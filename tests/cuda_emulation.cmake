# The CUDA engine on an emulated card (emulated_cuda/). It takes the host's compiler for nvcc, so it
# is compiled apart from the library, whose lanes are SIMD registers.
add_executable(cuda_emulation "${CMAKE_CURRENT_LIST_DIR}/emulated_cuda/engine.cpp"
                              "${CMAKE_CURRENT_LIST_DIR}/emulated_cuda/dhmc.cpp"
                              "${CMAKE_CURRENT_LIST_DIR}/emulated_cuda/matrix_units.cpp"
                              "${PROJECT_SOURCE_DIR}/host/backend.cpp"
                              "${PROJECT_SOURCE_DIR}/host/train/network.cpp")
add_dependencies(unit_tests cuda_emulation)
target_compile_features(cuda_emulation PRIVATE cxx_std_20)
target_include_directories(cuda_emulation BEFORE PRIVATE
  "${CMAKE_CURRENT_LIST_DIR}/emulated_cuda" "${PROJECT_SOURCE_DIR}"
  "${PROJECT_SOURCE_DIR}/include")
target_compile_definitions(cuda_emulation PRIVATE __CUDACC__ __CUDA_ARCH__=900)
target_compile_options(cuda_emulation PRIVATE
  ${lockstep_host_flags} ${lockstep_sanitizers} "SHELL:-include cuda_runtime.h"
  -Wno-unknown-pragmas)
# GCC follows loops over a dimension that might be 0, which no target's is.
set_source_files_properties("${CMAKE_CURRENT_LIST_DIR}/emulated_cuda/dhmc.cpp"
  PROPERTIES COMPILE_OPTIONS -Wno-maybe-uninitialized)
target_link_options(cuda_emulation PRIVATE ${lockstep_sanitizers})
target_link_libraries(cuda_emulation PRIVATE lockstep_warnings OpenMP::OpenMP_CXX
                                             GTest::gtest_main)
set_target_properties(cuda_emulation PROPERTIES CXX_EXTENSIONS OFF)
# As for the other tests.
target_compile_options(cuda_emulation PRIVATE "$<$<CONFIG:Release>:-O1>")
gtest_discover_tests(cuda_emulation
  DISCOVERY_TIMEOUT 120
  PROPERTIES LABELS unit.cuda_emulation TIMEOUT 900 ENVIRONMENT OMP_WAIT_POLICY=passive)
