# Reports and CSV of lockstep-bench, parsed.
if(TARGET lockstep-bench)
  foreach(group IN ITEMS Report Csv Disk)
    add_test(NAME report.${group}
             COMMAND "${Python3_EXECUTABLE}" -B "${CMAKE_CURRENT_LIST_DIR}/report_html_test.py"
                     "$<TARGET_FILE:lockstep-bench>" ${group})
    set_tests_properties(report.${group} PROPERTIES
      LABELS cli TIMEOUT 600 ENVIRONMENT OMP_WAIT_POLICY=passive)
  endforeach()
endif()
