# The same bits on every instruction set this processor runs, and in nvcc's host pass: one program
# compiled several times. (random_test.cpp asserts the random stream's value, and
# random_device_test.cu that the device finds it too.)
set(same_bits_nvcc "")
if(LOCKSTEP_HAS_CUDA)
  set(same_bits_nvcc "${CMAKE_CUDA_COMPILER}")
endif()
foreach(program IN ITEMS random_stream_digest chain_digest)
  add_test(NAME same_bits.${program}
           COMMAND "${BASH_PROGRAM}" "${CMAKE_CURRENT_LIST_DIR}/same_bits.sh"
                   "${CMAKE_CURRENT_LIST_DIR}/${program}.cpp"
                   "${PROJECT_SOURCE_DIR}" "${CMAKE_CURRENT_BINARY_DIR}/${program}")
  set_tests_properties(same_bits.${program} PROPERTIES
    LABELS same_bits TIMEOUT 900 COST 100
    ENVIRONMENT "CXX=${CMAKE_CXX_COMPILER};CXXFLAGS=${xsimd_flags};NVCC=${same_bits_nvcc}")
endforeach()
