# lockstep-bench sweep from outside: one ctest per group of sweep_test.py.
if(TARGET lockstep-bench)
  foreach(group IN ITEMS Grid Rows Report BadFiles)
    add_test(NAME sweep.${group}
             COMMAND "${Python3_EXECUTABLE}" -B "${CMAKE_CURRENT_LIST_DIR}/sweep_test.py"
                     "$<TARGET_FILE:lockstep-bench>" ${group})
    set_tests_properties(sweep.${group} PROPERTIES
      LABELS cli TIMEOUT 600 ENVIRONMENT OMP_WAIT_POLICY=passive)
  endforeach()
endif()
