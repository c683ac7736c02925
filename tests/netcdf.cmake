# Draws as netCDF, opened by those who will use them. ArviZ lives in an environment of its own more
# often than not: LOCKSTEP_PYTHON (variable or environment) names its interpreter.
if(LOCKSTEP_HAS_NETCDF)
  target_compile_definitions(netcdf_test PRIVATE LOCKSTEP_WITH_NETCDF=1)
  target_include_directories(netcdf_test SYSTEM PRIVATE ${LOCKSTEP_NETCDF_INCLUDES})
  target_link_libraries(netcdf_test PRIVATE "${LOCKSTEP_NETCDF_LINK}")
endif()

if(TARGET lockstep-bench)
  set(LOCKSTEP_PYTHON "$ENV{LOCKSTEP_PYTHON}" CACHE STRING "A Python that has ArviZ, for its test")
  set(arviz_python "${LOCKSTEP_PYTHON}")
  if(NOT arviz_python)
    set(arviz_python "${Python3_EXECUTABLE}")
  endif()
  add_test(NAME netcdf.arviz
           COMMAND "${arviz_python}" -B "${CMAKE_CURRENT_LIST_DIR}/netcdf_arviz_test.py"
                   "$<TARGET_FILE:lockstep-bench>")
  set_tests_properties(netcdf.arviz PROPERTIES
    LABELS cli TIMEOUT 600 SKIP_RETURN_CODE 77 ENVIRONMENT OMP_WAIT_POLICY=passive)
endif()
