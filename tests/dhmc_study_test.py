"""lockstep-bench study dhmc in its small form: rows, notes, report, what is left out and why.

usage: dhmc_study_test.py LOCKSTEP_BENCH [GROUP]
"""

import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import unittest

BENCH = ""
METHODS = ["dhmc", "dhmc-tuned", "mixed-hmc", "gibbs", "rwm"]
METRICS = ["min_ess_per_100", "ess_per_second", "rhat_max", "common_error_ratio", "acceptance",
           "path_length", "coordinate_updates_per_draw", "gradients_per_draw", "tuning_seconds",
           "tuning_coordinate_updates", "tuning_gradients", "relative_time_per_draw"]
SUMMED = ["grid", "mixed-grid", "binomial-n", "sign", "change-point", "mixture"]


def bench(*arguments, **environment):
    return subprocess.run([BENCH, "study", "dhmc", *map(str, arguments)], capture_output=True,
                          text=True, timeout=500, check=False, env={**os.environ, **environment})


def rows_of(path):
    return {(r["case"], r["method"], r["metric"]): r for r in json.loads(path.read_text())["rows"]}


class DhmcStudy(unittest.TestCase):
    """Laws that can be summed."""

    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory()
        cls.folder = pathlib.Path(cls.temporary.name)
        cls.printed = cls.study("first", "--report", cls.folder / "study.html")
        cls.rows = rows_of(cls.folder / "first.json")

    @classmethod
    def tearDownClass(cls):
        cls.temporary.cleanup()

    @classmethod
    def study(cls, name, *more):
        result = bench("--only", ",".join(SUMMED), "--quick", "--seeds", 2, "--chains", 256,
                       "--threads", 1, "--json", cls.folder / (name + ".json"), *more)
        assert (result.returncode, result.stderr) == (0, ""), result.stderr
        return result.stdout

    def value(self, case, method, metric):
        return self.rows[case, method, metric]["value"]

    def test_rows(self):
        for case in SUMMED:
            for method in METHODS:
                for metric in METRICS + ["total_variation", "worst_cell_in_mcse"]:
                    row = self.rows[case, method, metric]
                    self.assertGreaterEqual(row["value"], 0, (case, method, metric))
                    self.assertLessEqual(row["low"], row["value"])
                    self.assertGreaterEqual(row["high"], row["value"])
                self.assertLessEqual(self.value(case, method, "acceptance"), 1)
                self.assertEqual((case, method, "no_flip") in self.rows, method != "rwm")
        self.assertFalse(any(k[0] in ("jolly-seber", "zero-one") for k in self.rows))
        self.assertIn(("mixed-grid", "dhmc-stressed", "total_variation"), self.rows)

    def test_draws_are_their_laws(self):
        """No more off than Monte Carlo errors have it, whose size the study knows."""
        for case in SUMMED:
            for method in METHODS:
                row = self.rows[case, method, "total_variation"]
                self.assertIn("Monte Carlo error", row["source"])
                if self.rows[case, method, "rhat_max"]["high"] < 1.1:
                    self.assertLess(row["high"], 2.5 * row["reference"], (case, method))
        for case in ["grid", "mixed-grid"]:
            self.assertLess(self.rows[case, "dhmc", "rhat_max"]["high"], 1.01)
        self.assertNotIn("WRONG", self.printed)

    def test_who_does_not_mix_is_said(self):
        """Gibbs hardly leaves a mode of the mixture: z says where x is, x says which z."""
        self.assertGreater(self.value("mixture", "gibbs", "rhat_max"), 1.05)
        self.assertIn("mixture: gibbs does not mix in 200 transitions: R-hat is ", self.printed)
        self.assertNotIn("grid: dhmc does not mix", self.printed)

    def test_acceptance(self):
        """Without smooth coordinates visits conserve the energy; long steps do not."""
        for case in ["grid", "sign"]:
            for method in ["dhmc", "dhmc-tuned", "mixed-hmc", "gibbs"]:
                self.assertGreater(self.rows[case, method, "acceptance"]["low"], 0.99999)
        self.assertLess(self.value("mixed-grid", "dhmc-stressed", "acceptance"), 0.6)
        self.assertGreater(self.value("mixed-grid", "dhmc", "acceptance"), 0.9)

    def test_work(self):
        """Visits and gradients of a draw, as steps and coordinates make them."""
        self.assertAlmostEqual(self.value("grid", "dhmc", "coordinate_updates_per_draw"),
                               2 * self.value("grid", "dhmc", "path_length"))
        self.assertEqual(self.value("grid", "gibbs", "coordinate_updates_per_draw"), 2)
        self.assertEqual(self.value("grid", "dhmc", "gradients_per_draw"), 0)
        self.assertAlmostEqual(self.value("change-point", "dhmc", "gradients_per_draw"),
                               self.value("change-point", "dhmc", "path_length"))
        # The central one of an odd number of steps goes there and back.
        self.assertGreater(self.value("change-point", "dhmc", "coordinate_updates_per_draw"),
                           self.value("change-point", "dhmc", "path_length"))
        for case in SUMMED:
            self.assertEqual(self.value(case, "rwm", "coordinate_updates_per_draw"), 0)
            self.assertGreater(self.value(case, "rwm", "tuning_coordinate_updates"), 0)
            self.assertEqual(self.value(case, "rwm", "relative_time_per_draw") > 0, True)

    def test_no_flip(self):
        for case, names in [("grid", "mn"), ("mixed-grid", "mn")]:
            each = [self.value(case, "dhmc", "no_flip " + n) for n in names]
            self.assertAlmostEqual(self.value(case, "dhmc", "no_flip"), sum(each) / 2, delta=0.01)
            self.assertLessEqual(self.value(case, "dhmc", "no_flip_lowest"), min(each) + 1e-9)
            self.assertLessEqual(max(each), self.value(case, "dhmc", "no_flip_highest") + 1e-9)
        # Drawn anew from the law given the rest, every visit counts.
        self.assertEqual(self.value("mixture", "gibbs", "no_flip"), 1)

    def test_published_figures_stand_beside(self):
        row = self.rows["binomial-n", "dhmc", "acceptance"]
        self.assertEqual(row["reference"], 0.967)
        self.assertIn("Nishimura", row["source"])
        self.assertIsNone(self.rows["binomial-n", "gibbs", "acceptance"]["reference"])

    def test_notes(self):
        for case in SUMMED:
            self.assertIn(case + ": the worst coordinate and its effective draws in 100 are",
                          self.printed)
        self.assertIn("sqrt(2 / pi) tanh 1 = 0.6077", self.printed)

    def test_report(self):
        page = (self.folder / "study.html").read_text()
        self.assertNotRegex(page, r"(src|href)=")
        self.assertEqual(page.count("A trajectory crosses and bounces"), 2)
        for words in ["Embedded m: edges crossed, and bounces",
                      "What a crossing costs is paid by the momentum",
                      "Total variation against draws", "independent draws"]:
            self.assertIn(words, page)
        # Of each case total variation and autocorrelation; of two coordinates how often they move;
        # of the grids a trajectory in three figures.
        self.assertEqual(page.count("<svg viewBox=\"0 0 300"), 2 * len(SUMMED) + 2 + 2 * 3)

    def test_the_same_seed_draws_the_same(self):
        self.study("again")
        for key, row in rows_of(self.folder / "again.json").items():
            if "second" not in key[2] and "time" not in key[2]:
                self.assertEqual(row, self.rows[key])

    def test_refusals(self):
        for arguments, says in [(["--only", "mixedgrid"], "'mixed-grid'"),
                                (["--networks", "folder"], "--networks"),
                                (["--only", "zero-one", "--data", "absent.csv"], "absent.csv")]:
            result = bench("--quick", *arguments)
            self.assertEqual(result.returncode, 2, result.stderr)
            self.assertIn(says, result.stderr)


class DhmcStudyData(unittest.TestCase):
    """Cases with data: given, made up or absent."""

    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory()
        cls.folder = pathlib.Path(cls.temporary.name)

    @classmethod
    def tearDownClass(cls):
        cls.temporary.cleanup()

    def test_absent_data_are_said(self):
        empty = self.folder / "empty"
        empty.mkdir()
        result = bench("--quick", "--only", "grid,jolly-seber,jolly-seber-as-coded", "--chains",
                       128, "--json", self.folder / "a.json", LOCKSTEP_DATA=str(empty),
                       XDG_CACHE_HOME=str(empty), HOME=str(empty))
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        for case in ["jolly-seber", "jolly-seber-as-coded"]:
            self.assertRegex(result.stdout, case + ": left out: .*capsid_jolly_seber")
        self.assertEqual({k[0] for k in rows_of(self.folder / "a.json")}, {"grid"})

    def test_given_data(self):
        draw = random.Random(3)
        table = self.folder / "table.csv"
        lines = ["a,b,c,y"]
        for _ in range(60):
            x = [draw.gauss(0, 1) for _ in range(3)]
            lines.append(",".join(map(str, x)) + f",{1 if x[0] + draw.gauss(0, 1) > 0 else 0}")
        table.write_text("\n".join(lines) + "\n")
        result = bench("--quick", "--only", "zero-one", "--data", table, "--json",
                       self.folder / "b.json", "--report", self.folder / "b.html")
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertIn("zero-one: on " + str(table), result.stdout)
        self.assertNotIn("synthetic", result.stdout)
        rows = rows_of(self.folder / "b.json")
        self.assertGreater(rows["zero-one", "dhmc", "acceptance"]["value"], 0.999)
        # Four coordinates, twenty to thirty times.
        self.assertGreaterEqual(rows["zero-one", "dhmc", "coordinate_updates_per_draw"]["value"], 80)
        self.assertLessEqual(rows["zero-one", "dhmc", "coordinate_updates_per_draw"]["value"], 120)
        self.assertEqual(rows["zero-one", "dhmc", "min_ess_per_100"]["reference"], 26.3)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    BENCH = os.path.abspath(sys.argv.pop(1))
    unittest.main()
