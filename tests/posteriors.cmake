# Reference posteriors that take seconds each; `lockstep-bench study posteriors` runs them all.
if(TARGET lockstep-bench)
  foreach(target IN ITEMS eight-schools-log ark kidiq kidiq-interaction kilpisjarvi garch11 gauss-mix
                          peregrine german-credit-probit australian-credit heart-disease brownian)
    add_test(NAME posteriors.${target}
             COMMAND "${Python3_EXECUTABLE}" -B "${CMAKE_CURRENT_LIST_DIR}/posteriors_test.py"
                     "$<TARGET_FILE:lockstep-bench>" ${target})
    set_tests_properties(posteriors.${target} PROPERTIES
      LABELS posteriors TIMEOUT 600 SKIP_RETURN_CODE 77 ENVIRONMENT OMP_WAIT_POLICY=passive)
  endforeach()
endif()
