"""lockstep-bench study a-nice in its small form: rows, notes, report.

usage: a_nice_study_test.py LOCKSTEP_BENCH [GROUP]
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

BENCH = ""
METHODS = ["a-nice", "l2hmc", "hmc"]
METRICS = ["crossings_per_1000", "ess_bulk_per_step", "ess_per_second", "rhat_max", "acceptance",
           "training_seconds", "training_evaluations"]


def bench(*arguments):
    return subprocess.run([BENCH, "study", "a-nice", *map(str, arguments)], capture_output=True,
                          text=True, timeout=500, check=False)


class ANiceStudy(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory()
        folder = pathlib.Path(cls.temporary.name)
        result = bench("--quick", "--only", "mog2-equal,mog6", "--chains", 64, "--json",
                       folder / "a.json", "--report", folder / "a.html")
        assert (result.returncode, result.stderr) == (0, ""), result.stderr
        cls.printed = result.stdout
        cls.rows = {(r["case"], r["method"], r["metric"]): r
                    for r in json.loads((folder / "a.json").read_text())["rows"]}
        cls.page = (folder / "a.html").read_text()

    @classmethod
    def tearDownClass(cls):
        cls.temporary.cleanup()

    def value(self, case, method, metric):
        return self.rows[case, method, metric]["value"]

    def test_rows(self):
        for case, weights in [("mog2-equal", ["mode_weight"]),
                              ("mog6", [f"mode_weight_{k}" for k in range(1, 7)])]:
            for method in METHODS:
                for metric in METRICS:
                    self.assertGreaterEqual(self.value(case, method, metric), 0)
                for metric in ["training_seconds", "training_evaluations", "acceptance"]:
                    self.assertGreater(self.value(case, method, metric), 0)
                for weight in weights:
                    row = self.rows[case, method, weight]
                    self.assertAlmostEqual(row["reference"], 1 / max(2, len(weights)))
                    self.assertGreaterEqual(row["mcse"], 0)
                if len(weights) == 6:
                    self.assertAlmostEqual(sum(self.value(case, method, w) for w in weights), 1)
        self.assertNotIn(("ring", "hmc", "acceptance"), self.rows)

    def test_hmc_stays_where_it_began(self):
        """And the note says so; its warm-up has tuned it for that mode."""
        row = self.rows["mog2-equal", "hmc", "mode_weight"]
        self.assertAlmostEqual(row["value"], 1)
        self.assertEqual(self.value("mog2-equal", "hmc", "crossings_per_1000"), 0)
        self.assertGreater(self.value("mog2-equal", "hmc", "acceptance"), 0.5)
        self.assertIn("mog2-equal: hmc's weights are wrong: no chain left the mode it began in",
                      self.printed)

    def test_report(self):
        self.assertNotRegex(self.page, r"(src|href)=")
        for method in METHODS:
            self.assertEqual(self.page.count(f">{method}: four chains from one mode"), 2)

    def test_refusals(self):
        for arguments, says in [(["--only", "mog22"], "'mog2'"),
                                (["--networks", "folder"], "--networks")]:
            result = bench(*arguments)
            self.assertEqual(result.returncode, 2)
            self.assertIn(says, result.stderr)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    BENCH = os.path.abspath(sys.argv.pop(1))
    unittest.main()
