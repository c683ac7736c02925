# lockstep-bench study preconditioning from outside.
lockstep_test_groups(preconditioning_study preconditioning_study_test.py cli PreconditioningStudy)
