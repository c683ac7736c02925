# Programs that are not C++ are tested from Python. -B: no __pycache__ in the source tree.
foreach(name IN ITEMS commands fetch_data)
  add_test(NAME scripts.${name}
           COMMAND "${Python3_EXECUTABLE}" -B "${CMAKE_CURRENT_LIST_DIR}/${name}_test.py")
  set_tests_properties(scripts.${name} PROPERTIES LABELS scripts TIMEOUT 300)
endforeach()

set(header_flags "${xsimd_flags}")
if(LOCKSTEP_MARCH)
  string(APPEND header_flags " -march=${LOCKSTEP_MARCH}")
endif()
foreach(name IN ITEMS Arrows ArrowsCatch Headers)
  add_test(NAME architecture.${name}
           COMMAND "${Python3_EXECUTABLE}" -B "${PROJECT_SOURCE_DIR}/tests/architecture_test.py"
                   ${name})
  set_tests_properties(architecture.${name} PROPERTIES
    LABELS architecture TIMEOUT 900 COST 70
    ENVIRONMENT "LOCKSTEP_CXX='${CMAKE_CXX_COMPILER}';LOCKSTEP_CXX_FLAGS=${header_flags}")
endforeach()
