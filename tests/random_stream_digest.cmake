# The random stream has the same bits on every instruction set this processor runs, and in nvcc's
# host pass: one program compiled several times (random_test.cpp asserts the value, and
# random_device_test.cu that the device finds it too).
set(stream_digest_nvcc "")
if(LOCKSTEP_HAS_CUDA)
  set(stream_digest_nvcc "${CMAKE_CUDA_COMPILER}")
endif()
add_test(NAME random.stream_digest
         COMMAND "${BASH_PROGRAM}" "${CMAKE_CURRENT_LIST_DIR}/random_stream_digest.sh"
                 "${PROJECT_SOURCE_DIR}" "${CMAKE_CURRENT_BINARY_DIR}/stream_digest")
set_tests_properties(random.stream_digest PROPERTIES
  LABELS random TIMEOUT 900
  ENVIRONMENT "CXX=${CMAKE_CXX_COMPILER};CXXFLAGS=${xsimd_flags};NVCC=${stream_digest_nvcc}")
