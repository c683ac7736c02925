# lockstep-bench study mass-matrix from outside.
if(TARGET lockstep-bench)
  add_test(NAME mass_matrix_study
           COMMAND "${Python3_EXECUTABLE}" -B "${CMAKE_CURRENT_LIST_DIR}/mass_matrix_study_test.py"
                   "$<TARGET_FILE:lockstep-bench>")
  set_tests_properties(mass_matrix_study PROPERTIES
    LABELS cli TIMEOUT 600 ENVIRONMENT OMP_WAIT_POLICY=passive)
endif()
