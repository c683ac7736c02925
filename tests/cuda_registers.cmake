# Registers and spills of the CUDA kernels, read from what the compiler says; no device is needed.
add_test(NAME cuda_registers.reading
         COMMAND "${Python3_EXECUTABLE}" -B
                 "${CMAKE_CURRENT_LIST_DIR}/cuda_registers/check_test.py")
set_tests_properties(cuda_registers.reading PROPERTIES LABELS scripts TIMEOUT 60)
if(LOCKSTEP_HAS_CUDA)
  add_test(NAME cuda_registers.kernels
           COMMAND "${Python3_EXECUTABLE}" -B
                   "${CMAKE_CURRENT_LIST_DIR}/cuda_registers/check.py"
                   --nvcc "${CMAKE_CUDA_COMPILER}" --compiler-version "${CMAKE_CUDA_COMPILER_VERSION}")
  set_tests_properties(cuda_registers.kernels PROPERTIES
    LABELS cuda.registers TIMEOUT 600 COST 90 SKIP_RETURN_CODE 77)
endif()
