# lockstep-bench from outside.
lockstep_test_groups(cli cli_test.py cli
  Help List Check Errors Run Preparation Files Bits Interrupt Progress Speed L2hmc Dhmc Study)
