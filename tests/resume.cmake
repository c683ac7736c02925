# Runs that are killed, starved and lied to.
lockstep_test_groups(resume resume_test.py resume
  Kill Signals Faults Memory)
