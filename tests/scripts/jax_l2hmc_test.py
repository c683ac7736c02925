"""bench/peers, L2HMC: what is asked of lockstep-bench and what is read from it, with a stand-in for it;
and, where JAX is installed, the port's own checks in float64, its timings and a comparison, all short."""

import contextlib
import importlib.util
import io
import json
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
import compare  # noqa: E402
import compare_l2hmc  # noqa: E402
import verdict  # noqa: E402

JAX = bool(importlib.util.find_spec("jax"))
BENCH = os.environ.get("LOCKSTEP_BENCH", "")
COMPARABLE = all(importlib.util.find_spec(name) for name in compare.PACKAGES)

# Writes to --json what lockstep-bench would; to its own folder what it was asked.
STAND_IN = """#!{python} -B
import json, pathlib, sys
asked = sys.argv[1:]
with open(pathlib.Path(__file__).parent / "asked", "a") as file:
    print(*asked, file=file)
if asked == ["--version"]:
    sys.exit(print("stand-in"))
given = dict(zip(asked[1::2], asked[2::2]))
if asked[0] == "train" and not {train}:
    sys.exit("lockstep-bench: The following argument was not expected: train")
if asked[0] == "train":
    said = dict(steps_per_second=4000.0)
else:
    rows = [dict(target="other", chains=64, leapfrog=10, transitions_per_second=1.0),
            dict(target=given["--target"], chains=int(given["--chains"]), leapfrog=10,
                 transitions_per_second=1e9)]
    said = dict(rows=[], l2hmc=rows)
pathlib.Path(given["--json"]).write_text(json.dumps(said))
"""


def stand_in(folder, train=True):
    program = pathlib.Path(folder) / "lockstep-bench"
    program.write_text(STAND_IN.format(python=sys.executable, train=train))
    program.chmod(0o755)
    return program


class Asked(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def asked(self):
        return (pathlib.Path(self.folder) / "asked").read_text().splitlines()

    def test_sampling(self):
        rate = compare_l2hmc.our_sampling(stand_in(self.folder), self.folder, "icg", 100, 64)
        self.assertEqual(rate, 1e9)
        self.assertEqual(self.asked(), [
            "speed --target icg --sampler l2hmc --chains 64 --leapfrog 10 --width 100 "
            f"--json {self.folder}/speed.json"])

    def test_training(self):
        rate = compare_l2hmc.our_training(stand_in(self.folder), self.folder, "mog", 10, 1.0)
        self.assertEqual(rate, 4000)
        self.assertEqual(self.asked(), [
            "train --target mog --steps 10 --width 10 --batch 200 --noise-weight 1.0 --iterations 500 "
            f"--threads 1 --output {self.folder}/network.json --json {self.folder}/train.json"])

    def test_a_program_that_cannot(self):
        program = stand_in(self.folder, train=False)
        with self.assertRaisesRegex(compare_l2hmc.Absent, "exits with 1 .*not expected: train.*needs a "
                                    "lockstep-bench with `speed --sampler l2hmc` and `train`"):
            compare_l2hmc.our_training(program, self.folder, "scg", 10, 0.0)

    def test_a_row_that_is_not_there(self):
        file = pathlib.Path(self.folder) / "lockstep-bench"
        file.write_text(f"#!/bin/sh\necho '{{\"l2hmc\": []}}' > {self.folder}/speed.json\n")
        file.chmod(0o755)
        with self.assertRaisesRegex(compare_l2hmc.Absent, "no row of 64 chains"):
            compare_l2hmc.our_sampling(file, self.folder, "scg", 10, 64)


class Rows(unittest.TestCase):
    def test_ratio_is_taken_within_a_repetition(self):
        row = verdict.rate_row("scg", "JAX", "transitions/s", [100, 50, 90], [10, 5, 30], None)
        self.assertEqual((row["ours"], row["theirs"], row["ratio"]), (90, 10, 10))
        self.assertEqual((row["q25"], row["q75"]), (6.5, 10))

    def test_void_rows_say_so_and_show_no_ratio(self):
        rows = [dict(verdict.rate_row("scg", "JAX", "steps/s", [9], [3], None), chains=200),
                dict(verdict.rate_row("mog", "JAX", "steps/s", [9], [3], "off"), chains=200),
                verdict.failed_row("icg", "all", "no such command")]
        page = verdict.rate_table(rows)
        self.assertIn("| scg | 200 | steps/s | 9 | 3 | 3 | 3 - 3 |  |", page)
        self.assertIn("| mog | 200 | steps/s | 9 | 3 | void | - | void: off |", page)
        self.assertIn("void: no such command", page)

    def test_a_repetition_runs_both(self):
        """Of a port that is never stationary: the row has the rates, and is void."""
        turns = []
        case = types.SimpleNamespace(work=64, run=lambda seed, n: turns.append("theirs"),
                                     figures=lambda: dict(void="7.0 standard errors"))
        stub = types.SimpleNamespace(timed=lambda run: (run(1, 1), (0.5, 0, None))[1])
        before = sys.modules.get("jax_hmc")
        sys.modules["jax_hmc"] = stub
        try:
            row = compare_l2hmc.compared(2, "scg", "u", lambda: turns.append("ours") or 1280, case,
                                         dict(void=None, acceptance=0.5, compile_seconds=1.0), {})
        finally:
            sys.modules["jax_hmc"] = before
        self.assertEqual(turns, ["ours", "theirs"] * 2)
        self.assertEqual((row["theirs"], row["ratio"]), (128, 10))
        self.assertEqual(row["void"], "JAX: 7.0 standard errors")

    def test_chains(self):
        options = compare.arguments(["--bench", sys.executable])
        self.assertEqual(options.l2hmc_chains, [200, 1024, 16384])
        with contextlib.redirect_stderr(io.StringIO()) as said, self.assertRaises(SystemExit):
            compare.arguments(["--bench", sys.executable, "--l2hmc-chains", "2"])
        self.assertIn("--l2hmc-chains is 2", said.getvalue())


def run(script, *arguments, timeout=280):
    return subprocess.run([sys.executable, "-B", str(PEERS / script), *map(str, arguments)],
                          capture_output=True, text=True, timeout=timeout,
                          env={**os.environ, "JAX_PLATFORMS": "cpu"})


class WithoutJax(unittest.TestCase):
    def test_says_so(self):
        with tempfile.TemporaryDirectory() as folder:
            (pathlib.Path(folder) / "jax.py").write_text("raise ImportError('hidden')\n")
            done = subprocess.run([sys.executable, "-B", str(PEERS / "jax_l2hmc.py")],
                                  capture_output=True, text=True,
                                  env={**os.environ, "PYTHONPATH": folder})
        self.assertEqual(done.returncode, 2)
        self.assertIn("JAX is not installed: hidden", done.stderr)


@unittest.skipUnless(JAX, "JAX is not installed: pip install -r bench/peers/requirements.txt")
class Port(unittest.TestCase):
    def test_holds_in_float64(self):
        done = run("jax_l2hmc.py", "--check")
        self.assertEqual(done.returncode, 0, done.stderr + done.stdout)
        self.assertEqual(done.stdout.count("ok   "), 7, done.stdout)

    def test_timings(self):
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder) / "rows.json"
            done = run("jax_l2hmc.py", "--target", "mog", "--chains", 256, "--leapfrog", 3,
                       "--json", file)
            self.assertEqual(done.returncode, 0, done.stderr + done.stdout)
            sampling, training = json.loads(file.read_text())["rows"]
        self.assertEqual((sampling["kind"], sampling["chains"], sampling["width"]),
                         ("sampling", 256, 10))
        self.assertGreater(sampling["transitions_per_second"], 0)
        self.assertTrue(0 < sampling["acceptance"] <= 1)
        self.assertTrue(max(sampling["moment_z"], sampling["balance_z"]) <= 5)
        self.assertEqual((training["kind"], training["batch"], training["q_weight"]),
                         ("training", 200, 1))
        self.assertGreater(training["steps_per_second"], 0)

    def test_training_pays(self):
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder) / "rows.json"
            done = run("jax_l2hmc.py", "--target", "scg-notebook", "--train", 1000, "--json", file)
            self.assertEqual(done.returncode, 0, done.stderr + done.stdout)
            row, = json.loads(file.read_text())["rows"]
        # HMC with this step size and number of steps: 0.0025. Below 0.9: not the sum of noise.
        self.assertTrue(0.005 < row["ess_per_step"] < 0.9, row)
        self.assertEqual(row["skipped"], 0)

    def test_wrong_arguments(self):
        for arguments in (["--target", "scgg"], ["--chains", "0"], ["--train", "-1"]):
            self.assertEqual(run("jax_l2hmc.py", *arguments).returncode, 2, arguments)


@unittest.skipUnless(COMPARABLE, "needs JAX, NumPyro, BlackJAX and ArviZ")
class Comparison(unittest.TestCase):
    def test_rows(self):
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder) / "rows.json"
            done = run("compare.py", "--bench", stand_in(folder, train=False), "--part", "l2hmc",
                       "--target", "scg", "--l2hmc-chains", 64, "--repetitions", 2, "--json", file)
            self.assertEqual(done.returncode, 1, done.stderr + done.stdout)  # no `train`
            sampling, training = json.loads(file.read_text())["l2hmc"]
        self.assertIsNone(sampling["void"])
        self.assertAlmostEqual(sampling["ratio"] * sampling["theirs"] / 1e9, 1, delta=0.5)
        self.assertIn("needs a lockstep-bench with", training["void"])
        self.assertIn("| scg | 64 | transitions/s | 1e+09 |", done.stdout)


@unittest.skipUnless(shutil.which(BENCH or " "), "LOCKSTEP_BENCH names no lockstep-bench")
class Ours(unittest.TestCase):
    """The program itself understands what it is asked."""

    def test_rates(self):
        with tempfile.TemporaryDirectory() as folder:
            self.assertGreater(compare_l2hmc.our_sampling(BENCH, folder, "scg", 10, 64), 0)
            self.assertGreater(compare_l2hmc.our_training(BENCH, folder, "scg", 10, 0.0), 0)


if __name__ == "__main__":
    unittest.main()
