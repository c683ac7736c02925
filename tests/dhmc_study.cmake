# lockstep-bench study dhmc from outside.
lockstep_test_groups(dhmc_study dhmc_study_test.py cli DhmcStudy DhmcStudyData)
