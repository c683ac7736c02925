# lockstep-bench study a-nice from outside.
lockstep_test_groups(a_nice_study a_nice_study_test.py cli ANiceStudy)
