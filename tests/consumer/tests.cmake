# A project of its own, built from the install tree with README.md's program.
# The sanitizers are not part of the installed interface, so there is nothing to link with then.
if(LOCKSTEP_SANITIZE)
  return()
endif()

set(consumer_modes gxx pkg-config)
if(LOCKSTEP_HAS_CUDA)
  list(APPEND consumer_modes nvcc)
endif()
list(JOIN CMAKE_PREFIX_PATH ":" consumer_prefix_path)
list(JOIN CMAKE_CUDA_ARCHITECTURES "," consumer_architectures)
set(consumer_environment
    "CMAKE=${CMAKE_COMMAND}" "GENERATOR=${CMAKE_GENERATOR}" "CXX=${CMAKE_CXX_COMPILER}"
    "CUDACXX=${CMAKE_CUDA_COMPILER}" "ARCHITECTURES=${consumer_architectures}"
    "PYTHON=${Python3_EXECUTABLE}" "SOURCE=${PROJECT_SOURCE_DIR}" "BINARY=${PROJECT_BINARY_DIR}"
    "DEPENDENCIES=${consumer_prefix_path}" "LIBDIR=${CMAKE_INSTALL_LIBDIR}")

foreach(mode IN ITEMS install ${consumer_modes})
  add_test(NAME consumer.${mode} COMMAND "${BASH_PROGRAM}" "${CMAKE_CURRENT_LIST_DIR}/run" ${mode})
  set_tests_properties(consumer.${mode} PROPERTIES
    LABELS consumer TIMEOUT 1200 COST 80 ENVIRONMENT "${consumer_environment}"
    SKIP_RETURN_CODE 77)
endforeach()
set_tests_properties(consumer.install PROPERTIES FIXTURES_SETUP install_tree)
foreach(mode IN LISTS consumer_modes)
  set_tests_properties(consumer.${mode} PROPERTIES FIXTURES_REQUIRED install_tree)
endforeach()
