# bench/peers: the comparison's arithmetic and arguments; short real ones, and the checks of the port of
# L2HMC, where JAX is installed.
add_test(NAME peers
         COMMAND "${Python3_EXECUTABLE}" -B "${CMAKE_CURRENT_LIST_DIR}/scripts/peers_test.py")
add_test(NAME peers.l2hmc
         COMMAND "${Python3_EXECUTABLE}" -B "${CMAKE_CURRENT_LIST_DIR}/scripts/jax_l2hmc_test.py")
set_tests_properties(peers PROPERTIES LABELS scripts TIMEOUT 300)
set_tests_properties(peers.l2hmc PROPERTIES LABELS scripts TIMEOUT 900)
if(TARGET lockstep-bench)
  set_tests_properties(peers peers.l2hmc PROPERTIES
    ENVIRONMENT "LOCKSTEP_BENCH=$<TARGET_FILE:lockstep-bench>")
endif()
