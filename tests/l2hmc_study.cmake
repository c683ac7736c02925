# lockstep-bench study l2hmc from outside.
lockstep_test_groups(l2hmc_study l2hmc_study_test.py cli L2hmcStudy)
