"""lockstep-bench study l2hmc in its small form: rows, notes, report, networks kept and found again.

usage: l2hmc_study_test.py LOCKSTEP_BENCH [GROUP]
"""

import json
import math
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

BENCH = ""
METHODS = ["l2hmc-paper", "l2hmc-best", "hmc-paper", "hmc-tuned", "hmc-tuned-squares",
           "hmc-adapted"]
METRICS = ["ess_per_step", "ess_bulk_per_step", "ess_square_per_step", "ess_per_gradient",
           "ess_per_second", "acceptance", "gradients_per_step", "training_seconds",
           "training_gradients", "seconds_to_million", "gradients_to_million"]
DRAWS = 100  # of the paper's evaluation in its small form


def bench(*arguments):
    return subprocess.run([BENCH, "study", "l2hmc", *map(str, arguments)], capture_output=True,
                          text=True, timeout=500, check=False)


class L2hmcStudy(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory()
        cls.folder = pathlib.Path(cls.temporary.name)
        cls.printed, cls.found = cls.study("first", "--report", cls.folder / "study.html")
        cls.rows = {(r["case"], r["method"], r["metric"]): r for r in cls.found["rows"]}

    @classmethod
    def tearDownClass(cls):
        cls.temporary.cleanup()

    @classmethod
    def study(cls, name, *more):
        path = cls.folder / (name + ".json")
        result = bench("--only", "scg,mog", "--quick", "--seeds", 2, "--chains", 64, "--threads", 1,
                       "--networks", cls.folder / "networks", "--json", path, *more)
        assert (result.returncode, result.stderr) == (0, ""), result.stderr
        return result.stdout, json.loads(path.read_text())

    def value(self, method, metric, case="scg"):
        return self.rows[case, method, metric]["value"]

    def test_rows(self):
        for case in ["scg", "mog"]:
            for method in METHODS:
                for metric in METRICS:
                    row = self.rows[case, method, metric]
                    self.assertGreaterEqual(row["value"], 0, (case, method, metric))
                    self.assertLessEqual(row["low"], row["value"])
                    self.assertGreaterEqual(row["high"], row["value"])
                self.assertGreater(self.value(method, "ess_per_step", case), 1 / (4 * DRAWS))
                self.assertLessEqual(self.value(method, "ess_per_step", case), 1)
                self.assertEqual("mode_weight" in {k[2] for k in self.rows if k[:2] == (case,
                                                                                     method)},
                                 case == "mog")
        self.assertFalse(any(k[0] in ("icg", "rough-well", "scg-notebook") for k in self.rows))

    def test_published_figures_stand_beside(self):
        row = self.rows["scg", "l2hmc-best", "ess_per_step"]
        self.assertEqual((row["reference"], row["source"]), (0.497, "Levy et al., ICLR 2018"))
        self.assertEqual(self.value("l2hmc-paper", "published_v1"), 0.232)
        self.assertEqual(self.value("hmc-paper", "published_iclr"), 0.00469)
        self.assertEqual(self.value("l2hmc-paper", "reproduced_mcgill", "mog"), 0.177)

    def test_figures_hang_together(self):
        """Per gradient is per transition over gradients; L2HMC of ten steps takes ten."""
        for method in METHODS:
            for case in ["scg", "mog"]:
                self.assertAlmostEqual(
                    self.rows[case, method, "ess_per_gradient"]["low"]
                    * self.value(method, "gradients_per_step", case)
                    / self.rows[case, method, "ess_bulk_per_step"]["low"], 1,
                    delta=0.3 if method == "hmc-adapted" else 1e-6)
        for method in ["l2hmc-paper", "l2hmc-best", "hmc-paper"]:
            self.assertEqual(self.value(method, "gradients_per_step"), 10)
        for method in METHODS:
            self.assertGreater(self.value(method, "training_gradients"), 0)
            low = 1e6 / self.rows["scg", method, "ess_per_gradient"]["high"]
            self.assertGreater(self.value(method, "gradients_to_million"), 0.999 * low)

    def test_comparison(self):
        """The gain is over the median of tuned HMC; what is slower never pays for its training."""
        for method in ["l2hmc-paper", "l2hmc-best"]:
            for case in ["scg", "mog"]:
                gain = self.rows[case, method, "gain_per_gradient"]
                ess = self.rows[case, method, "ess_per_gradient"]
                hmc = self.value("hmc-tuned", "ess_per_gradient", case)
                self.assertAlmostEqual(gain["low"] * hmc / ess["low"], 1)
                self.assertAlmostEqual(gain["high"] * hmc / ess["high"], 1)
                if (self.rows[case, method, "ess_per_second"]["high"]
                        <= self.value("hmc-tuned", "ess_per_second", case)):
                    self.assertIsNone(self.rows[case, method, "break_even_by_seconds"]["low"])

    def test_hmc_does_not_leave_its_mode(self):
        self.assertEqual(self.value("hmc-paper", "mode_weight", "mog"), 0)
        self.assertGreater(self.rows["mog", "hmc-paper", "mode_weight_error_in_mcse"]["high"] or
                           math.inf, 100)  # null: its standard error is 0

    def test_notes(self):
        self.assertIn("scg: hmc-paper, ten leapfrog steps: step size 0.100 has ESS", self.printed)
        self.assertIn("times the bulk ESS per gradient of hmc-tuned, training apart", self.printed)

    def test_report(self):
        page = (self.folder / "study.html").read_text()
        self.assertNotRegex(page, r"(src|href)=")
        for words in ["Autocorrelation against gradients", "l2hmc-best: a chain",
                      "l2hmc-paper: training", "hmc-tuned: a chain"]:
            self.assertIn(words, page)
        # Autocorrelations, a chain of each method, jump and acceptance of two trainings.
        self.assertEqual(page.count("<svg viewBox=\"0 0 300"), 2 * (1 + len(METHODS) + 2 * 2))

    def test_networks_are_found_again(self):
        files = sorted((self.folder / "networks").iterdir())
        self.assertEqual(len(files), 2 * 2 * 2)
        before = {f: f.read_bytes() for f in files}
        _, again = self.study("again")
        self.assertEqual({f: f.read_bytes() for f in sorted((self.folder / "networks").iterdir())},
                         before)
        for old, new in zip(self.found["rows"], again["rows"]):
            clock = "second" in old["metric"]
            self.assertTrue(clock or old == new, (old, new))
            if old["metric"] == "training_seconds" and old["method"].startswith("l2hmc"):
                self.assertEqual(old, new)

    def test_refusals(self):
        for arguments, says in [(["--only", "scgg"], "'scg'"), (["--seeds", 0], "--seeds")]:
            result = bench(*arguments)
            self.assertEqual(result.returncode, 2)
            self.assertIn(says, result.stderr)
        result = subprocess.run([BENCH, "study", "default", "--quick"], capture_output=True,
                                text=True, timeout=60, check=False)
        self.assertEqual(result.returncode, 2)
        self.assertIn("--quick", result.stderr)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    BENCH = os.path.abspath(sys.argv.pop(1))
    unittest.main()
