# find_package(lockstep) and pkg-config --cflags --libs lockstep.
include(CMakePackageConfigHelpers)

install(TARGETS lockstep EXPORT lockstepTargets)
install(DIRECTORY include/lockstep DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
# The bodies a user's target is compiled with. instantiate/ holds what the library has prebuilt.
install(DIRECTORY kernels DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/lockstep"
        FILES_MATCHING PATTERN "*.hpp" PATTERN "*.cuh" PATTERN "instantiate" EXCLUDE)
install(FILES LICENSE DESTINATION "${CMAKE_INSTALL_DATADIR}/doc/lockstep")

set(lockstep_package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/lockstep")
install(EXPORT lockstepTargets NAMESPACE lockstep:: DESTINATION "${lockstep_package_dir}")
configure_package_config_file(
  "${PROJECT_SOURCE_DIR}/cmake/lockstepConfig.cmake.in" "${PROJECT_BINARY_DIR}/lockstepConfig.cmake"
  INSTALL_DESTINATION "${lockstep_package_dir}" NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file("${PROJECT_BINARY_DIR}/lockstepConfigVersion.cmake"
                                 COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/lockstepConfig.cmake"
              "${PROJECT_BINARY_DIR}/lockstepConfigVersion.cmake"
        DESTINATION "${lockstep_package_dir}")

# pkg-config serves g++ units. Paths are relative to the .pc file, so the tree can be moved.
list(JOIN lockstep_host_flags " " LOCKSTEP_PC_CFLAGS)
set(LOCKSTEP_PC_LIBS "-fopenmp")
if(LOCKSTEP_HAS_CUDA)
  string(APPEND LOCKSTEP_PC_LIBS
         " -L${CUDAToolkit_LIBRARY_DIR} -lcudart_static -ldl -lpthread -lrt")
endif()
if(LOCKSTEP_HAS_NETCDF)
  if(LOCKSTEP_NETCDF_LINK STREQUAL "netcdf")
    string(APPEND LOCKSTEP_PC_LIBS " -lnetcdf")
  else()
    string(APPEND LOCKSTEP_PC_LIBS " ${LOCKSTEP_NETCDF_LINK}")
  endif()
endif()
get_target_property(lockstep_xsimd_include xsimd INTERFACE_INCLUDE_DIRECTORIES)
if(lockstep_xsimd_include MATCHES "^/" AND NOT lockstep_xsimd_include STREQUAL "/usr/include"
   AND NOT lockstep_xsimd_include MATCHES "[<;]")
  string(APPEND LOCKSTEP_PC_CFLAGS " -isystem ${lockstep_xsimd_include}")
endif()
file(RELATIVE_PATH LOCKSTEP_PC_PREFIX "/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/")
string(REGEX REPLACE "/$" "" LOCKSTEP_PC_PREFIX "${LOCKSTEP_PC_PREFIX}")
configure_file("${PROJECT_SOURCE_DIR}/cmake/lockstep.pc.in" "${PROJECT_BINARY_DIR}/lockstep.pc"
               @ONLY)
install(FILES "${PROJECT_BINARY_DIR}/lockstep.pc" DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
