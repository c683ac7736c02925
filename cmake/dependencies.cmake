# Installed packages first. What is missing comes from its release archive; the hashes are those
# of the public package recipes (conan-center-index, Homebrew, Spack, xrepo, Bazel workspaces).
# Public headers need xsimd and OpenMP; the rest stays inside this tree (lockstep_internal).
include(FetchContent)
set(FETCHCONTENT_QUIET ON)
# Archives keep their own time stamps out of the build; old releases ask for a CMake that CMake 4
# no longer imitates.
cmake_policy(SET CMP0135 NEW)
set(CMAKE_POLICY_VERSION_MINIMUM 3.5)

# Says which package would have spared the download, before the download can fail.
function(lockstep_announce_download name debian_package)
  if(FETCHCONTENT_FULLY_DISCONNECTED)
    message(FATAL_ERROR "${name} is not installed and downloads are off: install ${debian_package}")
  endif()
  message(STATUS "${name} is not installed (Debian, Ubuntu: ${debian_package}): "
                 "downloading its release archive")
endfunction()

# ---- xsimd: the CPU's lanes ---------------------------------------------------------------------
# Debian's xsimd target links xtl without finding it, so xtl is looked for first. xsimd's version
# file accepts its own major version only: each one that is known to work is asked for in turn.
find_package(xtl CONFIG QUIET)
set(LOCKSTEP_XSIMD_VERSION "")
foreach(version IN ITEMS 8.1 9 10 11 12 13)
  if(NOT LOCKSTEP_XSIMD_VERSION)
    find_package(xsimd ${version} CONFIG QUIET)
    if(xsimd_FOUND)
      set(LOCKSTEP_XSIMD_VERSION "${xsimd_VERSION}")
    endif()
  endif()
endforeach()
if(LOCKSTEP_XSIMD_VERSION)
  get_target_property(lockstep_xsimd_links xsimd INTERFACE_LINK_LIBRARIES)
  if("xtl" IN_LIST lockstep_xsimd_links AND NOT TARGET xtl)
    message(FATAL_ERROR "the installed xsimd ${LOCKSTEP_XSIMD_VERSION} needs xtl: install xtl-dev")
  endif()
else()
  lockstep_announce_download("xsimd 8.1 or newer" "libxsimd-dev and xtl-dev of Debian 12")
  set(BUILD_TESTS OFF CACHE INTERNAL "xsimd's own")
  FetchContent_Declare(xsimd SYSTEM
    URL https://github.com/xtensor-stack/xsimd/archive/8.1.0.tar.gz
    URL_HASH SHA256=d52551360d37709675237d2a0418e28f70995b5b7cdad7c674626bcfbbf48328)
  FetchContent_MakeAvailable(xsimd)
  set(LOCKSTEP_XSIMD_VERSION 8.1.0)
endif()

find_package(OpenMP REQUIRED COMPONENTS CXX)

# ---- inside only --------------------------------------------------------------------------------
add_library(lockstep_internal INTERFACE)

find_package(Eigen3 3.4 CONFIG QUIET)
if(NOT Eigen3_FOUND)
  lockstep_announce_download("Eigen 3.4" libeigen3-dev)
  # Its own build offers hundreds of targets, and the headers need none: SOURCE_SUBDIR names a
  # folder without a CMakeLists.txt.
  FetchContent_Declare(eigen SOURCE_SUBDIR none
    URL https://gitlab.com/libeigen/eigen/-/archive/3.4.0/eigen-3.4.0.tar.bz2
    URL_HASH SHA256=b4c198460eba6f28d34894e3a5710998818515104d6e74e5cc331ce31e46e626)
  FetchContent_MakeAvailable(eigen)
  add_library(Eigen3::Eigen INTERFACE IMPORTED)
  target_include_directories(Eigen3::Eigen SYSTEM INTERFACE "${eigen_SOURCE_DIR}")
endif()

find_package(nlohmann_json 3.9 CONFIG QUIET)
if(NOT nlohmann_json_FOUND)
  lockstep_announce_download("nlohmann_json" nlohmann-json3-dev)
  FetchContent_Declare(nlohmann_json SYSTEM
    URL https://github.com/nlohmann/json/releases/download/v3.11.3/json.tar.xz
    URL_HASH SHA256=d6c65aca6b1ed68e7a182f4757257b107ae403032760ed6ef121c9d55e81757d)
  FetchContent_MakeAvailable(nlohmann_json)
endif()
target_link_libraries(lockstep_internal INTERFACE Eigen3::Eigen nlohmann_json::nlohmann_json)

# Thrust: the toolkit's own for nvcc and, beside it, for g++; without CUDA the packaged headers.
# g++ units always take the sequential device system; nvcc keeps its default, CUDA.
if(LOCKSTEP_HAS_CUDA)
  list(TRANSFORM CUDAToolkit_INCLUDE_DIRS APPEND /cccl OUTPUT_VARIABLE lockstep_cccl)
endif()
find_path(LOCKSTEP_THRUST_INCLUDE_DIR thrust/version.h
          HINTS ${lockstep_cccl} ${CUDAToolkit_INCLUDE_DIRS})
mark_as_advanced(LOCKSTEP_THRUST_INCLUDE_DIR)
if(LOCKSTEP_THRUST_INCLUDE_DIR)
  set(LOCKSTEP_THRUST_SUMMARY "${LOCKSTEP_THRUST_INCLUDE_DIR}")
  # g++ only: nvcc puts its own Thrust first by itself.
  target_include_directories(lockstep_internal SYSTEM INTERFACE
    "$<$<COMPILE_LANGUAGE:CXX>:${LOCKSTEP_THRUST_INCLUDE_DIR}>")
  target_compile_definitions(lockstep_internal INTERFACE
    "$<$<COMPILE_LANGUAGE:CXX>:THRUST_HOST_SYSTEM=THRUST_HOST_SYSTEM_CPP>"
    "$<$<COMPILE_LANGUAGE:CXX>:THRUST_DEVICE_SYSTEM=THRUST_DEVICE_SYSTEM_CPP>")
else()
  set(LOCKSTEP_THRUST_SUMMARY "absent (libthrust-dev)")
  target_compile_definitions(lockstep_internal INTERFACE LOCKSTEP_WITHOUT_THRUST=1)
endif()

# netCDF writes draws for ArviZ; without it that one output says which package is missing. A static
# lockstep hands the library on to those who link it: by name where every linker looks.
find_path(LOCKSTEP_NETCDF_INCLUDE_DIR netcdf.h)
find_library(LOCKSTEP_NETCDF_LIBRARY netcdf)
mark_as_advanced(LOCKSTEP_NETCDF_INCLUDE_DIR LOCKSTEP_NETCDF_LIBRARY)
set(LOCKSTEP_HAS_NETCDF OFF)
set(LOCKSTEP_NETCDF_SUMMARY "absent (libnetcdf-dev)")
if(LOCKSTEP_NETCDF_INCLUDE_DIR AND LOCKSTEP_NETCDF_LIBRARY)
  set(netcdf_meta "${LOCKSTEP_NETCDF_INCLUDE_DIR}/netcdf_meta.h")
  if(EXISTS "${netcdf_meta}")
    file(STRINGS "${netcdf_meta}" netcdf_groups REGEX "^#define +NC_HAS_(NC4|HDF5) +1")
    file(STRINGS "${netcdf_meta}" netcdf_version REGEX "^#define +NC_VERSION ")
    string(REGEX MATCH "[0-9.]+" netcdf_version "${netcdf_version}")
  endif()
  if(netcdf_groups)
    set(LOCKSTEP_HAS_NETCDF ON)
    set(LOCKSTEP_NETCDF_SUMMARY "${netcdf_version}")
    # Naming the compiler's own folders to it would change the order in which it looks.
    set(LOCKSTEP_NETCDF_INCLUDES "${LOCKSTEP_NETCDF_INCLUDE_DIR}")
    list(REMOVE_ITEM LOCKSTEP_NETCDF_INCLUDES ${CMAKE_CXX_IMPLICIT_INCLUDE_DIRECTORIES})
    set(LOCKSTEP_NETCDF_LINK "${LOCKSTEP_NETCDF_LIBRARY}")
    cmake_path(GET LOCKSTEP_NETCDF_LIBRARY PARENT_PATH netcdf_folder)
    if(netcdf_folder IN_LIST CMAKE_CXX_IMPLICIT_LINK_DIRECTORIES)
      set(LOCKSTEP_NETCDF_LINK netcdf)
    endif()
  else()
    set(LOCKSTEP_NETCDF_SUMMARY "without netCDF-4 (libnetcdf-dev)")
  endif()
endif()

# NVTX is header-only and compiles without a toolkit; absent, the ranges are empty.
find_path(LOCKSTEP_NVTX_INCLUDE_DIR nvtx3/nvToolsExt.h HINTS ${CUDAToolkit_INCLUDE_DIRS})
mark_as_advanced(LOCKSTEP_NVTX_INCLUDE_DIR)
if(LOCKSTEP_NVTX_INCLUDE_DIR)
  target_include_directories(lockstep_internal SYSTEM INTERFACE "${LOCKSTEP_NVTX_INCLUDE_DIR}")
  target_compile_definitions(lockstep_internal INTERFACE LOCKSTEP_WITH_NVTX=1)
endif()

# ---- the bench's and the tests' own -------------------------------------------------------------
if(LOCKSTEP_BUILD_BENCH OR LOCKSTEP_BUILD_TESTS)
  find_package(CLI11 CONFIG QUIET)
  if(NOT CLI11_FOUND)
    lockstep_announce_download("CLI11" libcli11-dev)
    FetchContent_Declare(cli11 SYSTEM
      URL https://github.com/CLIUtils/CLI11/archive/v2.4.2.tar.gz
      URL_HASH SHA256=f2d893a65c3b1324c50d4e682c0cdc021dd0477ae2c048544f39eed6654b699a)
    FetchContent_MakeAvailable(cli11)
  endif()
endif()

if(LOCKSTEP_BUILD_BENCH)
  # toml++ by its header: distributions disagree on what its package target links, and the bench
  # compiles it into one unit anyway.
  find_path(LOCKSTEP_TOML_INCLUDE_DIR toml++/toml.h)
  mark_as_advanced(LOCKSTEP_TOML_INCLUDE_DIR)
  if(NOT LOCKSTEP_TOML_INCLUDE_DIR)
    lockstep_announce_download("toml++" libtomlplusplus-dev)
    FetchContent_Declare(tomlplusplus SOURCE_SUBDIR none
      URL https://github.com/marzer/tomlplusplus/archive/refs/tags/v3.4.0.tar.gz
      URL_HASH SHA256=8517f65938a4faae9ccf8ebb36631a38c1cadfb5efa85d9a72e15b9e97d25155)
    FetchContent_MakeAvailable(tomlplusplus)
    set(LOCKSTEP_TOML_INCLUDE_DIR "${tomlplusplus_SOURCE_DIR}/include")
  endif()
  add_library(lockstep_toml INTERFACE)
  target_include_directories(lockstep_toml SYSTEM INTERFACE "${LOCKSTEP_TOML_INCLUDE_DIR}")
  target_compile_definitions(lockstep_toml INTERFACE TOML_HEADER_ONLY=1)
endif()

if(LOCKSTEP_BUILD_TESTS)
  find_package(GTest CONFIG QUIET)
  if(NOT GTest_FOUND)
    lockstep_announce_download("GoogleTest" libgtest-dev)
    set(INSTALL_GTEST OFF CACHE BOOL "" FORCE)
    FetchContent_Declare(googletest SYSTEM
      URL https://github.com/google/googletest/archive/refs/tags/v1.14.0.tar.gz
      URL_HASH SHA256=8ad598c73ad796e0d8280b082cebd82a630d73e73cd3c70057938a6501bba5d7)
    FetchContent_MakeAvailable(googletest)
  endif()
endif()

set(LOCKSTEP_HAS_MICROBENCH OFF)
if(LOCKSTEP_BUILD_BENCH AND NOT LOCKSTEP_BUILD_MICROBENCH STREQUAL "OFF")
  find_package(benchmark CONFIG QUIET)
  if(NOT benchmark_FOUND AND LOCKSTEP_BUILD_MICROBENCH STREQUAL "ON")
    lockstep_announce_download("Google Benchmark" libbenchmark-dev)
    set(BENCHMARK_ENABLE_TESTING OFF CACHE BOOL "" FORCE)
    set(BENCHMARK_ENABLE_INSTALL OFF CACHE BOOL "" FORCE)
    FetchContent_Declare(benchmark SYSTEM
      URL https://github.com/google/benchmark/archive/refs/tags/v1.8.3.tar.gz
      URL_HASH SHA256=6bc180a57d23d4d9515519f92b0c83d61b05b5bab188961f36ac7b06b0d9e9ce)
    FetchContent_MakeAvailable(benchmark)
  endif()
  if(TARGET benchmark::benchmark)
    set(LOCKSTEP_HAS_MICROBENCH ON)
  endif()
endif()
