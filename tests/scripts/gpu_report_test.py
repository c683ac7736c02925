"""bench/gpu_report on machines made of stand-ins, its arithmetic, and the peers' script."""

import ast
import importlib.util
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import types
import unittest
from importlib.machinery import SourceFileLoader

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = ROOT / "bench" / "gpu_report"
PEERS = ROOT / "bench" / "peers" / "jax_hmc.py"
sys.path.insert(0, str(ROOT / "bench" / "gpu"))
import report  # noqa: E402


def load(path, name):
    loader = SourceFileLoader(name, str(path))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(name, loader))
    loader.exec_module(module)
    return module


PROBES = dict(ffma_per_second=3.0e13, mma_per_second=3.6e14, mufu_per_second=4.0e12,
              copy_per_second=4.0e12)


def results():
    rows = [dict(target="scg", chains=1024, leapfrog=10, transitions_per_second=1e10,
                 steps_per_second=2e11),
            dict(target="banana", chains=1024, leapfrog=10, transitions_per_second=1e9,
                 steps_per_second=1e10)]
    l2hmc = dict(target="scg", chains=200, leapfrog=10, width=10, transitions_per_second=3e8,
                 fma_per_transition=8800, batch=200, iterations_per_second=2000,
                 products=report.FLOAT)
    wide = dict(l2hmc, target="icg", width=100, transitions_per_second=6e6,
                fma_per_transition=1.5e6, products=report.MATRIX_UNITS)
    peer = dict(target="scg", chains=1024, leapfrog=10, method="JAX", compile_seconds=1.5,
                transitions_per_second=1e8, acceptance=0.9, mean_z=1.0, variance_z=-2.0)
    return dict(date="2030-01-01", lockstep="1.2.3", cuda="CUDA 13.0", device=dict(name="a card"),
                steps=[dict(name="build", outcome="ok", seconds=61.2),
                       dict(name="tests", outcome="exit status 8", seconds=3, note="1 failed")],
                probes=PROBES, speed=report.with_bounds(rows, PROBES),
                l2hmc=report.with_l2hmc_bounds([l2hmc, wide], PROBES),
                dhmc=report.with_dhmc_bounds(
                    [dict(target="zero-one", dimension=377, sites=377, chains=4224, leapfrog=20,
                          updates_per_second=1e9),
                     dict(target="mixed-grid", dimension=3, sites=2, chains=16384, leapfrog=20,
                          updates_per_second=2e11)], PROBES),
                prepared=[dict(target="icg", init="pathfinder", k_hat=0.25,
                               gradients=dict(preparation=3, warmup=254, sampling=4990),
                               seconds=dict(preparation=0.01, warmup=0.02, sampling=0.4),
                               nested_rhat=1.00004, ess_per_second=2e8)],
                acceptance={"scg": dict(acceptance=0.905)},
                peers=[peer, dict(peer, method="NumPyro", acceptance=0.7),
                       dict(peer, chains=16384, error="out of memory")])


class Arithmetic(unittest.TestCase):
    def test_the_slowest_pipe_bounds(self):
        rate, pipe = report.bound("scg", 10, PROBES)
        self.assertEqual(pipe, "issue")
        self.assertAlmostEqual(rate / (3e13 / (119 + 67.5)), 1)
        rate, pipe = report.bound("mog", 1000, PROBES)
        self.assertEqual(pipe, "MUFU")
        self.assertAlmostEqual(rate / (4e12 / 2000), 1)
        self.assertIsNone(report.bound("banana", 10, PROBES))
        self.assertIsNone(report.bound("scg", 10, None))

    def test_fractions(self):
        scg, banana = results()["speed"]
        self.assertAlmostEqual(scg["fraction"], 1e10 / (3e13 / 186.5))
        self.assertIsNone(banana["fraction"])

    def test_networks_are_bounded_by_their_matrices(self):
        row, wide = results()["l2hmc"]
        self.assertAlmostEqual(row["bound"] / (3e13 / 8800), 1)
        self.assertAlmostEqual(row["fraction"], 3e8 * 8800 / 3e13)
        self.assertAlmostEqual(wide["bound"] / (3.6e14 / 3 / 1.5e6), 1)
        row = dict(fma_per_transition=8800, products=report.MATRIX_UNITS)
        for probes in (None, dict(PROBES, mma_per_second=0)):
            self.assertIsNone(report.with_l2hmc_bounds([row], probes)[0]["fraction"])

    def test_visits_are_bounded_by_the_slowest_pipe(self):
        zero_one, grid = results()["dhmc"]
        self.assertEqual(zero_one["pipe"], "shared memory")
        self.assertAlmostEqual(zero_one["bound"] / (3e13 / 14800), 1)
        self.assertAlmostEqual(zero_one["fraction"], 1e9 * 14800 / 3e13)
        self.assertIsNone(grid["bound"])
        capsid, = report.with_dhmc_bounds([dict(target="jolly-seber", updates_per_second=1e11)],
                                          dict(PROBES, mufu_per_second=1e12))
        self.assertEqual((capsid["pipe"], capsid["bound"]), ("MUFU", 5e11))
        unknown, = report.with_dhmc_bounds([dict(target="zero-one")], None)
        self.assertIsNone(unknown["fraction"])

    def test_peers_that_sampled_something_else_are_void(self):
        peer, ours = dict(acceptance=0.9, mean_z=3.9), dict(acceptance=0.905)
        self.assertIsNone(report.comparable(peer, ours))
        self.assertIn("acceptance", report.comparable(dict(peer, acceptance=0.88), ours))
        self.assertIn("variance", report.comparable(dict(peer, variance_z=-4.1), ours))
        self.assertIn("unknown", report.comparable(peer, None))


class Page(unittest.TestCase):
    def test_has_every_figure(self):
        page = report.markdown(results())
        for text in ("# Lockstep on a card", "CUDA 13.0", "| tests | exit status 8 | 3 | 1 failed |",
                     "| scg | 1024 | 10 | 1e+10 | 2e+11 | 1.61e+11 | issue | 6 % |",
                     "| banana | 1024 | 10 | 1e+09 | 1e+10 | - | - | - |",
                     "| icg | pathfinder | 0.25 | 3 | 254 | 4990 | 0.01 | 0.02 | 0.4 | 1 | 2e+08 |",
                     "| scg | 10 | float | 200 | 10 | 3e+08 | 3e+09 | 3.41e+09 | 9 % | 200 | 500 |",
                     "| icg | 100 | 3 bfloat16 | 200 | 10 | 6e+06 | 6e+07 | 8e+07 | 8 % | 200 | 500 |",
                     "| zero-one | 377 | 377 | 4224 | 20 | 1e+09 | 2.03e+09 | shared memory | 49 % |",
                     "| mixed-grid | 3 | 2 | 16384 | 20 | 2e+11 | - | - | - |",
                     "| scg | 1024 | JAX | 1e+08 | 100 | 1.5 |  |",
                     "| scg | 1024 | NumPyro | 1e+08 | - | 1.5 | void: acceptance 0.700, ours 0.905 |",
                     "| scg | 16384 | JAX | - | - | - | out of memory |"):
            self.assertIn(text, page)

    def test_of_a_run_in_which_nothing_worked(self):
        page = report.markdown(dict(steps=[], probes=None, speed=[], peers_absent="No JAX."))
        self.assertIn("No JAX.", page)
        self.assertNotIn("Ceilings", page)


class Program(unittest.TestCase):
    def run_program(self, path, *arguments):
        return subprocess.run([sys.executable, "-B", PROGRAM, *arguments], capture_output=True,
                              text=True, env={"PATH": str(path)})

    def test_without_a_driver(self):
        with tempfile.TemporaryDirectory() as empty:
            done = self.run_program(empty)
            self.assertEqual(done.returncode, 2)
            self.assertIn("no NVIDIA driver is installed", done.stderr)
            self.assertEqual(done.stdout, "")

    def test_without_a_device(self):
        with tempfile.TemporaryDirectory() as folder:
            stand_in = pathlib.Path(folder) / "nvidia-smi"
            stand_in.write_text("#!/bin/sh\necho 'No devices were found'\nexit 6\n")
            stand_in.chmod(0o755)
            out = pathlib.Path(folder) / "out"
            done = self.run_program(folder, "--out", str(out))
            self.assertEqual(done.returncode, 2)
            self.assertIn("No devices were found", done.stderr)
            self.assertFalse(out.exists())

    def test_help(self):
        done = self.run_program(os.environ["PATH"], "--help")
        self.assertEqual(done.returncode, 0)
        for option in ("--out", "--prefix"):
            self.assertIn(option, done.stdout)

    def test_steps_are_boxed_in_time_and_recorded(self):
        program = load(PROGRAM, "gpu_report")
        with tempfile.TemporaryDirectory() as folder:
            steps = program.Steps(pathlib.Path(folder), budget=60)
            self.assertEqual(steps.run("says", ["echo", "yes"], 30), "yes\n")
            self.assertIsNone(steps.run("fails", ["sh", "-c", "echo why; exit 3"], 30))
            self.assertIsNone(steps.run("hangs", ["sh", "-c", "sleep 60 & wait"], 5.1))
            steps.deadline = 0
            self.assertIsNone(steps.run("late", ["echo"], 30))
            outcomes = [s["outcome"] for s in steps.done]
            self.assertEqual(outcomes, ["ok", "exit status 3", "stopped after 5 s", "left out"])
            self.assertIn("why", steps.done[1]["note"])
            self.assertTrue(steps.failed())
            self.assertEqual((pathlib.Path(folder) / "logs" / "says.txt").read_text(), "yes\n")

    def test_report_is_written_as_json_and_markdown(self):
        program = load(PROGRAM, "gpu_report")
        with tempfile.TemporaryDirectory() as folder:
            out = pathlib.Path(folder)
            program.write(out, results())
            self.assertEqual(json.loads((out / "gpu_report.json").read_text())["lockstep"], "1.2.3")
            self.assertTrue((out / "gpu_report.md").read_text().startswith("# Lockstep on a card"))


class Peers(unittest.TestCase):
    def test_parses(self):
        ast.parse(PEERS.read_text(encoding="utf-8"))

    def test_without_jax(self):
        # -I: no site of the user's; a stand-in that cannot be imported hides an installed JAX.
        with tempfile.TemporaryDirectory() as folder:
            (pathlib.Path(folder) / "jax.py").write_text("raise ImportError('hidden')\n")
            done = subprocess.run([sys.executable, "-B", PEERS], capture_output=True, text=True,
                                  env={**os.environ, "PYTHONPATH": folder})
        self.assertEqual(done.returncode, 2)
        self.assertIn("JAX is not installed", done.stderr)

    def test_targets_are_those_of_the_library(self):
        """Potentials at one point, by the formulas of kernels/targets."""
        import math

        peers = load(PEERS, "jax_hmc")
        array = types.SimpleNamespace(
            array=lambda x, *_: list(x), float32=None, cos=math.cos, maximum=max,
            sum=lambda x: sum(x) if hasattr(x, "__iter__") else x)
        known = peers.targets(array, math.log1p, math.exp)
        q = (0.7, -0.4)
        large, small = 100.0, 0.01
        self.assertAlmostEqual(known["scg"][1](q),
                               (q[0] + q[1]) ** 2 / (4 * large) + (q[1] - q[0]) ** 2 / (4 * small))
        modes = [math.exp(-((q[0] - m) ** 2 + q[1] ** 2) / 0.2) for m in (-2, 2)]
        self.assertAlmostEqual(known["mog"][1](q), -math.log(sum(modes)))
        self.assertAlmostEqual(known["icg"][2][0], 1e-2)
        self.assertAlmostEqual(known["icg"][2][49], 1e2)


if __name__ == "__main__":
    unittest.main()
