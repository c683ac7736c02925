# Runs that are killed, starved and lied to: one ctest per group of resume_test.py.
if(TARGET lockstep-bench)
  foreach(group IN ITEMS Kill Signals Faults Memory)
    add_test(NAME resume.${group}
             COMMAND "${Python3_EXECUTABLE}" -B "${CMAKE_CURRENT_LIST_DIR}/resume_test.py"
                     "$<TARGET_FILE:lockstep-bench>" ${group})
    # Threads that wait must not spin: ctest runs as many programs as there are cores.
    set_tests_properties(resume.${group} PROPERTIES
      LABELS resume TIMEOUT 600 ENVIRONMENT OMP_WAIT_POLICY=passive)
  endforeach()
endif()
