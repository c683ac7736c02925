"""bench/peers: arguments, the arithmetic of ratios and the void rule on made-up figures, the targets;
and, where JAX is installed, a short comparison with the program that LOCKSTEP_BENCH names."""

import contextlib
import importlib.util
import io
import json
import math
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import types
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PEERS = ROOT / "bench" / "peers"
sys.path.insert(0, str(PEERS))
import cases  # noqa: E402
import compare  # noqa: E402
import verdict  # noqa: E402

BENCH = os.environ.get("LOCKSTEP_BENCH", "")
COMPARABLE = all(importlib.util.find_spec(name) for name in compare.PACKAGES)


def repetition(seconds=1.0, ess=100.0, acceptance=0.9, moments=(0.0, 1.0), errors=(0.01, 0.01)):
    return dict(seconds=seconds, cpu_seconds=seconds / 2, ess=ess, acceptance=acceptance, moments=list(moments),
                errors=list(errors))


class Arithmetic(unittest.TestCase):
    def test_quartiles(self):
        self.assertEqual(verdict.quartiles([5, 1, 4, 2, 3]), (2, 3, 4))
        self.assertEqual(verdict.quartiles([2, 1]), (1.25, 1.5, 1.75))
        self.assertEqual(verdict.quartiles([7]), (7, 7, 7))

    def test_ratio_is_taken_within_a_repetition(self):
        # The machine slows to a third in the second repetition: both do, and the ratio stays.
        ours = [repetition(1), repetition(3), repetition(1)]
        theirs = [repetition(10), repetition(30), repetition(10)]
        row = verdict.efficiency_row("t", "p", ours, theirs)
        self.assertEqual((row["ours"], row["theirs"], row["void"]), (100, 10, None))
        for figure in ("q25", "ratio", "q75", "speed_ratio", "cpu_ratio"):
            self.assertAlmostEqual(row[figure], 10)

    def test_ratio_counts_ess_and_time(self):
        row = verdict.efficiency_row("t", "p", [repetition(2, 400)], [repetition(8, 200)])
        self.assertAlmostEqual(row["ratio"], 8)
        self.assertAlmostEqual(row["speed_ratio"], 4)

    def test_cold_ratio(self):
        def seed(gradients, converged=True):
            return dict(gradients=gradients, warmup_gradients=gradients / 2, seconds=1.0,
                        converged=converged)

        row = verdict.cold_row("t", "p", [seed(100), seed(300)], [seed(1000), seed(1000)])
        self.assertAlmostEqual(row["ratio"], 0.2)
        self.assertEqual((row["ours"], row["warmup_gradients_ours"], row["void"]), (200, 100, None))
        row = verdict.cold_row("t", "p", [seed(100)], [seed(1000, False)])
        self.assertIn("p", row["void"])
        self.assertNotIn("ours", row["void"])
        self.assertIn("ours", verdict.cold_row("t", "p", [seed(1, False)], [seed(2)])["void"])


class Void(unittest.TestCase):
    def reason(self, **theirs):
        return verdict.void_reason([repetition()] * 4, [repetition(**theirs)] * 4)

    def test_equal_is_not(self):
        self.assertIsNone(self.reason())

    def test_acceptance_within_one_percent(self):
        self.assertIsNone(self.reason(acceptance=0.909))
        self.assertIn("acceptance 0.920, ours 0.900", self.reason(acceptance=0.92))
        self.assertIn("acceptance", self.reason(acceptance=math.nan))

    def test_moments_within_four_combined_standard_errors(self):
        # Of 4 repetitions each: 0.01 / 2, and of both together sqrt(2) of that.
        error = 0.005 * math.sqrt(2)
        self.assertIsNone(self.reason(moments=(3.9 * error, 1)))
        self.assertIn("4.1 standard errors", self.reason(moments=(0, 1 - 4.1 * error)))
        self.assertIn("moment", self.reason(moments=(math.nan, 1)))
        self.assertIn("moment", self.reason(moments=(0, 1, 2)))

    def test_other_errors(self):
        self.assertIn("no ESS", self.reason(ess=math.nan))
        self.assertIn("no ESS or no time of theirs", self.reason(seconds=0))

    def test_void_rows_say_so_and_show_no_ratio(self):
        rows = [verdict.efficiency_row("scg", "P", [repetition()], [repetition(acceptance=0.5)]),
                verdict.efficiency_row("icg", "P", [repetition()], [repetition(seconds=16)]),
                verdict.failed_row("mog", "Q", "out of memory")]
        page = verdict.efficiency_table(rows)
        self.assertIn("| scg | P | 100 | 100 | void | - | - | 0.900, 0.500 | "
                      "void: acceptance 0.500, ours 0.900 |", page)
        self.assertIn("| icg | P | 100 | 6.25 | 16 | 16 - 16 | 16 | 0.900, 0.900 |  |", page)
        self.assertIn("| mog | Q | - | - | void | - | - | - | void: out of memory |", page)
        self.assertIn("void: late", verdict.cold_table([verdict.failed_row("t", "p", "late")]))


class Arguments(unittest.TestCase):
    def refused(self, *arguments, bench=sys.executable):
        said = io.StringIO()
        with contextlib.redirect_stderr(said), self.assertRaises(SystemExit) as exit:
            compare.arguments(["--bench", bench, *arguments])
        self.assertEqual(exit.exception.code, 2)
        return said.getvalue()

    def test_refused(self):
        self.assertIn("no target is called 'scgg'", self.refused("--target", "scgg"))
        self.assertIn("--repetitions is 0", self.refused("--repetitions", "0"))
        self.assertIn("--chains is 3", self.refused("--chains", "3"))
        self.assertIn("is not a program", self.refused(bench="/nowhere/lockstep-bench"))
        self.assertIn("is not a program", self.refused(bench="/"))

    def test_defaults(self):
        options = compare.arguments(["--bench", sys.executable])
        self.assertGreaterEqual(options.repetitions, 5)
        self.assertEqual(len(options.seeds), 5)
        options = compare.arguments(["--bench", sys.executable, "--quick", "--seeds", "7", "8"])
        self.assertEqual((options.repetitions, options.seeds), (3, [7, 8]))

    def test_data_that_are_absent(self):
        with tempfile.TemporaryDirectory() as empty:
            before = dict(os.environ)
            os.environ.update(LOCKSTEP_DATA=empty, XDG_CACHE_HOME=empty)
            try:
                with self.assertRaisesRegex(cases.DataMissing, "bench/fetch-data german-credit"):
                    cases.data_folder("german_credit_numeric")
            finally:
                os.environ.clear()
                os.environ.update(before)


class Program(unittest.TestCase):
    def run_script(self, *arguments, **environment):
        return subprocess.run(["bash", str(PEERS / "run"), *arguments], capture_output=True,
                              text=True, timeout=120, env={**os.environ, **environment})

    def test_help(self):
        with tempfile.TemporaryDirectory() as empty:
            done = self.run_script("--help", "--venv", empty)
        self.assertEqual(done.returncode, 0)
        for option in ("--venv", "--bench", "--quick", "--json", "--report"):
            self.assertIn(option, done.stdout)

    def test_without_an_environment(self):
        with tempfile.TemporaryDirectory() as empty:
            done = self.run_script("--no-install", "--venv", empty, "--bench", sys.executable)
        self.assertEqual(done.returncode, 2)
        self.assertIn(f"no environment with NumPyro and BlackJAX at {empty}", done.stderr)
        self.assertIn("--venv", done.stderr)
        self.assertEqual(done.stdout, "")

    def test_without_python(self):
        with tempfile.TemporaryDirectory() as empty:
            done = self.run_script("--venv", f"{empty}/venv", "--bench", sys.executable,
                                   PYTHON="no-such-python")
        self.assertEqual(done.returncode, 2)
        self.assertIn("no no-such-python here", done.stderr)

    def test_wrong_arguments(self):
        done = self.run_script("--bench", "/nowhere/lockstep-bench")
        self.assertEqual(done.returncode, 2)
        self.assertIn("is not a program", done.stderr)
        self.assertEqual(self.run_script("--venv").returncode, 2)

    def test_arguments_reach_the_comparison(self):
        with tempfile.TemporaryDirectory() as folder:
            python = pathlib.Path(folder) / "bin" / "python"
            python.parent.mkdir()
            python.write_text("#!/bin/sh\n[ \"$1\" = -c ] || printf '<%s>\\n' \"$@\"\n")
            python.chmod(0o755)
            done = self.run_script("--venv", folder, "--bench", sys.executable, "--quick",
                                   "--target", "a b")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stdout.splitlines()[2:],
                         ["<--bench>", f"<{sys.executable}>", "<--quick>", "<--target>", "<a b>"])

    def test_packages_that_are_absent_are_named(self):
        with tempfile.TemporaryDirectory() as folder:
            # A stand-in that cannot be imported hides an installed JAX.
            (pathlib.Path(folder) / "jax.py").write_text("raise ImportError('hidden')\n")
            done = subprocess.run(
                [sys.executable, "-B", str(PEERS / "compare.py"), "--bench", sys.executable],
                capture_output=True, text=True, env={**os.environ, "PYTHONPATH": folder})
        self.assertEqual(done.returncode, 2)
        self.assertIn("jax (hidden)", done.stderr)


class Targets(unittest.TestCase):
    def test_banana_is_the_librarys(self):
        array = types.SimpleNamespace(array=lambda x, *_: list(x), float32=None, cos=math.cos,
                                      maximum=max, log1p=math.log1p, exp=math.exp,
                                      sum=lambda x: sum(x) if hasattr(x, "__iter__") else x)
        dim, potential = cases.target("banana", array)
        self.assertEqual(dim, 2)
        self.assertAlmostEqual(potential((3.0, 1.0)), 9 / 200 + (1 - 0.03 * (9 - 100)) ** 2 / 2)

    def test_no_trajectory_returns_to_its_start(self):
        """A leapfrog step turns a normal coordinate of frequency w by arccos(1 - (step w)^2 / 2);
        after all steps no direction may be back at +- where it was."""
        directions = {"std-normal": [1.0], "icg": [1.0], "scg": [0.1, 10.0], "mog": [10 ** 0.5]}
        for name, frequencies in directions.items():
            setting = cases.SETTINGS[name]
            for w in frequencies:
                turn = math.acos(1 - (setting.step_size * w) ** 2 / 2)
                self.assertLess(abs(math.cos(setting.leapfrog * turn)), 0.5, (name, w))
        # icg has frequency 1 in every direction because its metric is exact.
        self.assertEqual(cases.SETTINGS["icg"].inverse_mass, cases.ICG_VARIANCES)
        self.assertEqual(len(cases.ICG_VARIANCES), 50)
        self.assertAlmostEqual(cases.ICG_VARIANCES[-1], 100)


@unittest.skipUnless(COMPARABLE and shutil.which(BENCH or " "),
                     "needs JAX, NumPyro, BlackJAX, ArviZ and LOCKSTEP_BENCH")
class Real(unittest.TestCase):
    def test_a_short_comparison(self):
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder) / "rows.json"
            done = subprocess.run(
                [sys.executable, "-B", str(PEERS / "compare.py"), "--bench", BENCH, "--quick",
                 "--part", "speed", "--target", "eight-schools-nc", "--chains", "256",
                 "--repetitions", "2", "--json", str(file)],
                capture_output=True, text=True, timeout=280)
            self.assertEqual(done.returncode, 0, done.stderr + done.stdout)
            rows = json.loads(file.read_text())["speed"]
        self.assertEqual([row["peer"] for row in rows], ["NumPyro", "BlackJAX"])
        for row in rows:
            self.assertIsNone(row["void"])
            self.assertGreater(row["ratio"], 0)
            self.assertGreater(row["compile_seconds"], 0)
            self.assertTrue(row["q25"] <= row["ratio"] <= row["q75"])


if __name__ == "__main__":
    unittest.main()
