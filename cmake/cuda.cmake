# Sets LOCKSTEP_HAS_CUDA and, where it is true, enables the CUDA language and finds the toolkit.

set(LOCKSTEP_HAS_CUDA OFF)
set(LOCKSTEP_CUDA_SUMMARY "off")
string(TOUPPER "${LOCKSTEP_CUDA}" lockstep_cuda_choice)
if(lockstep_cuda_choice MATCHES "^(OFF|0|NO|FALSE)$")
  return()
endif()

# An nvcc outside PATH, where NVIDIA's own installers put it.
if(NOT CMAKE_CUDA_COMPILER AND NOT DEFINED ENV{CUDACXX})
  find_program(LOCKSTEP_NVCC nvcc
               HINTS ENV CUDA_HOME ENV CUDA_PATH PATHS /usr/local/cuda PATH_SUFFIXES bin)
  mark_as_advanced(LOCKSTEP_NVCC)
  if(LOCKSTEP_NVCC)
    set(CMAKE_CUDA_COMPILER "${LOCKSTEP_NVCC}" CACHE FILEPATH "CUDA compiler")
  endif()
endif()

# `native` is an error where there is no device, so the device is asked for first, and its own
# architectures are named. Otherwise: Turing and Ampere as machine code, Hopper with PTX for what
# comes after it.
function(lockstep_choose_cuda_architectures)
  if(DEFINED CMAKE_CUDA_ARCHITECTURES)
    return()
  endif()
  set(architectures 75-real 80-real 90)
  find_program(LOCKSTEP_NVIDIA_SMI nvidia-smi)
  mark_as_advanced(LOCKSTEP_NVIDIA_SMI)
  if(LOCKSTEP_NVIDIA_SMI)
    execute_process(
      COMMAND "${LOCKSTEP_NVIDIA_SMI}" --query-gpu=compute_cap --format=csv,noheader
      OUTPUT_VARIABLE capabilities RESULT_VARIABLE failed ERROR_QUIET TIMEOUT 30)
    execute_process(COMMAND "${CMAKE_CUDA_COMPILER}" --list-gpu-arch
                    OUTPUT_VARIABLE supported ERROR_QUIET)
    string(REGEX MATCHALL "[0-9]+\\.[0-9]+" capabilities "${capabilities}")
    if(NOT failed AND capabilities)
      list(REMOVE_DUPLICATES capabilities)
      set(found)
      foreach(capability IN LISTS capabilities)
        string(REPLACE "." "" number "${capability}")
        if(supported MATCHES "compute_${number}([^0-9]|$)")
          list(APPEND found ${number})
        endif()
      endforeach()
      if(found)
        set(architectures ${found})
      endif()
    endif()
  endif()
  set(CMAKE_CUDA_ARCHITECTURES "${architectures}" CACHE STRING "CUDA architectures")
endfunction()

include(CheckLanguage)
if(CMAKE_CUDA_COMPILER OR DEFINED ENV{CUDACXX})
  lockstep_choose_cuda_architectures()
  check_language(CUDA)
endif()
if(CMAKE_CUDA_COMPILER)
  enable_language(CUDA)
  find_package(CUDAToolkit QUIET)
endif()

if(CMAKE_CUDA_COMPILER AND CUDAToolkit_FOUND
   AND CMAKE_CUDA_COMPILER_VERSION VERSION_GREATER_EQUAL 12.0)
  set(LOCKSTEP_HAS_CUDA ON)
  set(LOCKSTEP_CUDA_SUMMARY "${CMAKE_CUDA_COMPILER_VERSION} for ${CMAKE_CUDA_ARCHITECTURES}")
else()
  set(reason "no nvcc was found that compiles here")
  if(CMAKE_CUDA_COMPILER)
    set(reason "nvcc ${CMAKE_CUDA_COMPILER_VERSION} with its toolkit is not CUDA 12 or newer")
  endif()
  if(lockstep_cuda_choice STREQUAL "AUTO")
    set(LOCKSTEP_CUDA_SUMMARY "off (${reason})")
  else()
    message(FATAL_ERROR "LOCKSTEP_CUDA is ON, but ${reason}. Set CMAKE_CUDA_COMPILER to an nvcc "
                        "of CUDA 12 or newer, or leave LOCKSTEP_CUDA at AUTO.")
  endif()
endif()
