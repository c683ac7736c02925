"""lockstep-bench study preconditioning: known condition numbers, step sizes, everything counted.

usage: preconditioning_study_test.py LOCKSTEP_BENCH [GROUP]
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
METHODS = ["identity", "stan", "pooled", "mean-field", "full-rank", "low-rank", "fisher",
           "pathfinder", "jitter+adapt_diag", "advi+adapt_diag"]
FITS = METHODS[3:8]
CASES = ["normal-8", "normal-rotated-8", "funnel-nc"]
KAPPA = 1000


class PreconditioningStudy(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory()
        cls.folder = pathlib.Path(cls.temporary.name)
        report = cls.folder / "study.html"
        cls.printed = cls.study("first", "--threads", 1, "--report", report)
        cls.page = report.read_text()
        cls.rows = cls.rows_of("first")

    @classmethod
    def tearDownClass(cls):
        cls.temporary.cleanup()

    @classmethod
    def study(cls, name, *more):
        result = subprocess.run(
            [BENCH, "study", "preconditioning", "--only", ",".join(CASES), "--chains", "256",
             "--seeds", "1", "--json", str(cls.folder / (name + ".json")),
             *map(str, more)], capture_output=True, text=True, timeout=500, check=False)
        assert (result.returncode, result.stderr) == (0, ""), result.stderr
        return result.stdout

    @classmethod
    def rows_of(cls, name):
        rows = json.loads((cls.folder / (name + ".json")).read_text())["rows"]
        return {(r["case"], r["method"], r["metric"]): r for r in rows}

    def value(self, case, method, metric):
        return self.rows[case, method, metric]["value"]

    def test_rows(self):
        for case in CASES:
            for method in METHODS:
                wanted = ["gradients_to_rhat", "gradients_to_bias"]
                if "adapt_diag" not in method:
                    wanted += ["kappa_median", "kappa_95", "kappa_bar", "edge", "step_size"]
                if method in FITS:
                    wanted += ["k_hat", "elbo"]
                for metric in wanted:
                    self.assertGreater(self.value(case, method, metric), -1e9,
                                       (case, method, metric))

    # What a fit that is exact must do: kappa(M^-1 H) = 1 iff M is proportional to H.
    def test_condition_numbers_of_normal_laws(self):
        for case in CASES[:2]:
            self.assertAlmostEqual(self.value(case, "identity", "kappa_median") / KAPPA, 1, 4)
            for method in ["full-rank", "fisher"]:
                self.assertAlmostEqual(self.value(case, method, "kappa_median"), 1, 2)
        for method in ["stan", "mean-field"]:  # axes: the diagonal is all there is
            self.assertLess(self.value("normal-8", method, "kappa_median"), 2)
            self.assertGreater(self.value("normal-rotated-8", method, "kappa_median"), 20)

    # 2 / sqrt(lambda_max), and tuned step sizes below it.
    def test_steps(self):
        for case in CASES[:2]:
            edge = 2 / math.sqrt(math.sqrt(KAPPA))
            self.assertAlmostEqual(self.value(case, "identity", "edge") / edge, 1, 4)
            for method in METHODS[:8]:
                self.assertLess(self.value(case, method, "step_size"),
                                self.value(case, method, "edge"))
            self.assertGreater(self.value(case, "full-rank", "step_size"),
                               3 * self.value(case, "identity", "step_size"))

    def test_everything_is_counted(self):
        for case in CASES:
            for method in METHODS:
                fit = self.value(case, method, "gradients_of_fit")
                self.assertEqual(fit > 0, method in FITS + ["advi+adapt_diag"], (case, method))
                self.assertGreater(self.value(case, method, "gradients_to_rhat"),
                                   fit + self.value(case, method, "gradients_of_warmup"))
                self.assertGreaterEqual(self.value(case, method, "gradients_to_bias"),
                                        fit / 16)  # of 4096 chains

    def test_verdicts_and_pages(self):
        for method in FITS:
            self.assertIn(f"{method}: total gradients to nested R-hat below 1.01", self.printed)
        for words in ["How soon the ensemble is near the law", "until superchains agree"]:
            self.assertIn(words, self.page)

    def test_threads_do_not_matter(self):
        self.study("second", "--threads", 2)
        for key, row in self.rows_of("second").items():
            if key[2] != "seconds_to_rhat":
                self.assertEqual(row["value"], self.rows[key]["value"], key)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    BENCH = os.path.abspath(sys.argv.pop(1))
    unittest.main()
