# bench/gpu_report: what can be tested without a device, and the probes it runs.
add_test(NAME gpu_report
         COMMAND "${Python3_EXECUTABLE}" -B "${CMAKE_CURRENT_LIST_DIR}/scripts/gpu_report_test.py")
set_tests_properties(gpu_report PROPERTIES LABELS scripts TIMEOUT 120)
if(LOCKSTEP_HAS_CUDA)
  add_executable(gpu_probes "${PROJECT_SOURCE_DIR}/bench/gpu/probes.cu")
  target_compile_options(gpu_probes PRIVATE -std=c++20 --expt-relaxed-constexpr)
  target_include_directories(gpu_probes PRIVATE "${PROJECT_SOURCE_DIR}"
                                                "${PROJECT_SOURCE_DIR}/include")
  target_link_libraries(gpu_probes PRIVATE lockstep_warnings CUDA::cudart_static)
  set_target_properties(gpu_probes PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}")
  add_test(NAME gpu_probes COMMAND gpu_probes)
  set_tests_properties(gpu_probes PROPERTIES
    LABELS cuda.probes TIMEOUT 120 SKIP_RETURN_CODE 2 RUN_SERIAL ON)
endif()
