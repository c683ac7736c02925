# Reports and CSV of lockstep-bench, parsed.
lockstep_test_groups(report report_html_test.py cli
  Report Csv Disk)
