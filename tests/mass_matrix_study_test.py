"""lockstep-bench study mass-matrix: its rows against independent figures.

usage: mass_matrix_study_test.py LOCKSTEP_BENCH
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
CASES = ["mu", "log_tau"] + [f"theta_{j}" for j in range(1, 9)]
EFFECT = [28, 8, -3, 7, -1, 1, 18, 12]
ERROR = [15, 10, 16, 11, 9, 11, 10, 18]
# Exact variances under mu ~ N(2, 5), tau ~ HalfCauchy(5), computed elsewhere.
EXACT = dict(zip(CASES, [10.911, 1.3664, 30.37, 21.47, 27.12, 22.47, 21.60, 23.01, 24.97, 27.38]))


def grid_moments():
    """(mean, variance) of each case, and E tau, from a grid over mu and log tau: theta alone is
    analytic."""
    total, tau_sum = 0.0, 0.0
    sums = {case: [0.0, 0.0] for case in CASES}
    for i in range(-400, 97):
        s = i / 16  # the trapezoidal rule in both, far into the tails
        tau2 = math.exp(2 * s)
        for k in range(-72, 73):
            mu = 2 + k / 2
            density = s - math.log1p(tau2 / 25) - (mu - 2) ** 2 / 50
            for y, sigma in zip(EFFECT, ERROR):
                v = sigma ** 2 + tau2
                density -= 0.5 * math.log(v) + (y - mu) ** 2 / (2 * v)
            w = math.exp(density)
            total += w
            tau_sum += w * math.exp(s)
            sums["mu"][0] += w * mu
            sums["mu"][1] += w * mu * mu
            sums["log_tau"][0] += w * s
            sums["log_tau"][1] += w * s * s
            for j, (y, sigma) in enumerate(zip(EFFECT, ERROR)):
                share = tau2 / (sigma ** 2 + tau2)
                mean = share * y + (1 - share) * mu
                sums[f"theta_{j + 1}"][0] += w * mean
                sums[f"theta_{j + 1}"][1] += w * (share * sigma ** 2 + mean * mean)
    moments = {case: (a / total, b / total - (a / total) ** 2) for case, (a, b) in sums.items()}
    return moments, tau_sum / total


class MassMatrix(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "study.json"
            result = subprocess.run(
                [BENCH, "study", "mass-matrix", "--chains", "4096", "--seeds", "400",
                 "--json", str(path)], capture_output=True, text=True, timeout=500, check=False)
            assert (result.returncode, result.stderr) == (0, ""), result.stderr
            cls.printed = result.stdout
            cls.rows = json.loads(path.read_text())["rows"]
        cls.row = {(r["method"], r["case"], r["metric"]): r for r in cls.rows}

    def value(self, method, case, metric):
        return self.row[method, case, metric]["value"]

    def test_rows(self):
        for method in ["centred", "non-centred"]:
            found = []
            for row in self.rows:
                if row["method"] == method and row["case"] not in found:
                    found.append(row["case"])
            self.assertEqual(found, CASES)
            for case in CASES:
                for metric in ["window_variance", "stored_variance", "naive_ratio",
                               "pooled_variance"]:
                    self.assertGreater(self.value(method, case, metric), 0)
        for words in ["the 38 draws 7 to 44", "n - 1 = 37", "after transition 44 (from 0) of 50"]:
            self.assertEqual(self.printed.count(words), 2)

    def test_reference_is_the_exact_posterior(self):
        moments, tau = grid_moments()
        self.assertAlmostEqual(tau, 3.5264, delta=0.0001)
        for method in ["centred", "non-centred"]:
            for case in CASES:
                row = self.row[method, case, "pooled_variance"]
                self.assertEqual(row["source"], "quadrature")
                self.assertAlmostEqual(row["reference"], EXACT[case], delta=0.005)
                self.assertAlmostEqual(row["reference"] / moments[case][1], 1, delta=1e-5)

    def test_the_metric_is_the_windows_variance(self):
        for case in CASES:
            self.assertLess(self.value("centred", case, "window_mismatch"), 1e-12)
            # theta keeps fewer digits of its offset, the smaller tau is.
            self.assertLess(self.value("non-centred", case, "window_mismatch"),
                            1e-6 if case.startswith("theta") else 1e-12)

    def test_the_naive_variance_is_not(self):
        for method in ["centred", "non-centred"]:
            self.assertGreater(self.value(method, "log_tau", "naive_ratio"), 2)
            # Most of that is the scale: log tau over the same draws is not far off.
            self.assertLess(self.value(method, "log_tau", "all_draws_ratio"), 2)
            for case in CASES:
                low, middle, high = (self.value(method, case, "naive_ratio" + x)
                                     for x in ("_q05", "", "_q95"))
                self.assertTrue(low < middle < high)
                self.assertGreater(high / low, 1.2)

    def test_regularisation(self):
        for method in ["centred", "non-centred"]:
            for case in CASES:
                ratio = self.value(method, case, "regularised_ratio")
                self.assertGreater(ratio, 38 / 43)
                self.assertLess(ratio, 38 / 43 + 0.01)

    def test_pooling_agrees_with_quadrature(self):
        for case in CASES:
            row = self.row["non-centred", case, "pooled_variance"]
            self.assertGreater(row["mcse"], 0)
            self.assertLess(row["mcse"] / row["reference"], 0.02)  # so that agreement says something
            self.assertLess(abs(row["value"] - row["reference"]), 4 * row["mcse"], case)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    BENCH = os.path.abspath(sys.argv.pop(1))
    unittest.main()
