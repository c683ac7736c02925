# lockstep-bench from outside: one ctest per group of cli_test.py.
if(TARGET lockstep-bench)
  foreach(group IN ITEMS Help List Check Errors Run Files Bits Interrupt Progress Speed Study)
    add_test(NAME cli.${group}
             COMMAND "${Python3_EXECUTABLE}" -B "${CMAKE_CURRENT_LIST_DIR}/cli_test.py"
                     "$<TARGET_FILE:lockstep-bench>" ${group})
    # Threads that wait must not spin: ctest runs as many programs as there are cores.
    set_tests_properties(cli.${group} PROPERTIES
      LABELS cli TIMEOUT 600 ENVIRONMENT OMP_WAIT_POLICY=passive)
  endforeach()
endif()
