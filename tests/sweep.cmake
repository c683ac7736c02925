# lockstep-bench sweep from outside.
lockstep_test_groups(sweep sweep_test.py cli
  Grid Rows Report BadFiles)
