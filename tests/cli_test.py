"""lockstep-bench from outside: what it prints, writes and returns.

usage: cli_test.py LOCKSTEP_BENCH [GROUP...]

Runs are tiny; nothing here asserts how long anything takes.
"""

import ast
import json
import math
import os
import pathlib
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import tempfile
import time
import unittest

BENCH = ""
PATIENCE = 300  # seconds before a run counts as hung, however busy the machine
SMALL = ["--chains", "64", "--warmup", "20", "--draws", "20", "--threads", "1"]
FIXED = ["--warmup", "0", "--metric", "unit"]
ENDLESS = ["run", "--target", "std-normal", "--chains", "64", "--threads", "1"]
PARAMETER_KEYS = ["name", "mean", "sd", "q05", "q50", "q95", "mcse", "ess_bulk", "ess_tail",
                  "ess_between", "rhat", "nested_rhat", "truth_mean", "truth_sd",
                  "error_in_mcse", "sd_error_in_mcse"]
RUN_KEYS = ["lockstep", "target", "dimension", "sampler", "inverse_mass", "backend", "device",
            "lane", "threads", "threads_per_chain", "precision", "rng", "chains", "warmup",
            "warmup_done", "schedule", "draws", "draws_asked", "seed", "interrupted", "stop",
            "missing", "acceptance", "no_flip", "divergences", "warmup_divergences", "preparation",
            "gradients", "esjd",
            "e_bfmi", "seconds", "truth_source", "stranded", "warnings", "parameters", "visits", "ess_min",
            "ess_per_transition_min", "ess_per_gradient_min", "ess_per_second_min",
            "ess_per_gradient_total_min", "ess_per_second_total_min", "rhat_max",
            "nested_rhat_max", "digest", "data", "geometry"]


def environment():
    """No data but what a test names."""
    kept = {k: v for k, v in os.environ.items() if k not in ("LOCKSTEP_DATA", "XDG_CACHE_HOME")}
    kept["HOME"] = "/nonexistent"
    return kept


def bench(*arguments, **options):
    return subprocess.run([BENCH, *map(str, arguments)], capture_output=True, text=True,
                          timeout=PATIENCE, env=environment(), check=False, **options)


class Case(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def ok(self, *arguments):
        result = bench(*arguments)
        self.assertEqual((result.returncode, result.stderr), (0, ""), arguments)
        return result.stdout

    def refused(self, *arguments, says=()):
        """Exit 2, nothing on stdout, one line on stderr with every one of `says`."""
        with self.subTest(" ".join(map(str, arguments))):
            result = bench(*arguments)
            self.assertEqual((result.returncode, result.stdout), (2, ""), result.stderr)
            self.assertRegex(result.stderr, r"\Alockstep-bench: [^\n]+\n\Z")
            for text in (says,) if isinstance(says, str) else says:
                self.assertIn(text, result.stderr)

    def fit(self, *arguments):
        """The JSON object of a run."""
        path = self.folder / "fit.json"
        self.ok("run", *arguments, "--json", path)
        # NaN and Infinity, which Python would read, are not JSON.
        return json.loads(path.read_text(), parse_constant=self.fail)

    def write(self, name, text):
        path = self.folder / name
        path.write_text(text)
        return path

    def started(self, *arguments, **streams):
        """A run that has printed its header and will not end by itself."""
        process = subprocess.Popen([BENCH, *map(str, arguments)], stdout=subprocess.PIPE,
                                   text=True, env=environment(), **streams)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        self.assertIn("std-normal", process.stdout.readline())
        return process


class Help(Case):
    COMMANDS = ["run", "train", "list", "check", "speed", "study", "sweep"]

    def test_without_arguments_and_with_help(self):
        text = self.ok()
        self.assertEqual(text, self.ok("--help"))
        for word in [*self.COMMANDS, "Examples:", "Exit status"]:
            self.assertIn(word, text)

    def test_every_command_has_help(self):
        for command in self.COMMANDS:
            with self.subTest(command):
                self.assertIn("usage: lockstep-bench " + command,
                              self.ok(command, "--help").replace("Usage", "usage"))

    def test_examples_parse(self):
        """Every option that a help's examples of its command use exists."""
        for command in ["run", "train", "speed"]:
            options, examples = self.ok(command, "--help").split("Examples:")
            used = re.findall(rf"lockstep-bench {command} .*", examples)
            self.assertGreater(len(used), 2)
            for option in set(re.findall(r"--[a-z-]+", " ".join(used))):
                self.assertRegex(options, rf"\n\s+{option}[ \n]")

    def test_version(self):
        self.assertRegex(self.ok("--version"), r"\Alockstep-bench \d+\.\d+\.\d+\n\Z")


class List(Case):
    def test_table(self):
        text = self.ok("list")
        for word in ["banana", "eight-schools-nc", "german-credit", "hmc", "mala", "ghmc", "rwm",
                     "l2hmc", "cpu", "cuda", "default"]:
            self.assertIn(word, text)

    def test_json(self):
        found = json.loads(self.ok("list", "--json"))
        dimensions = {t["name"]: t["dimension"] for t in found["targets"]}
        self.assertEqual(dimensions["icg"], 50)
        self.assertEqual(dimensions["banana"], 2)
        self.assertIsNone(dimensions["logistic"])
        self.assertEqual([s["name"] for s in found["samplers"]],
                         ["hmc", "mala", "ghmc", "rwm", "dhmc", "mixed-hmc", "gibbs", "l2hmc"])
        self.assertEqual({t["name"]: t["discontinuous"] for t in found["targets"]
                          if t["name"] in ("integer-grid", "mixed-grid", "banana")},
                         {"integer-grid": True, "mixed-grid": True, "banana": False})
        self.assertIn("default", [s["name"] for s in found["studies"]])
        cuda = found["backends"]["cuda"]
        self.assertEqual(cuda["devices"] == [], bool(cuda["why_none"]))


class Check(Case):
    def test_every_target(self):
        text = self.ok("check", "--points", 2)
        for target in json.loads(self.ok("list", "--json"))["targets"]:
            verdict = "skipped: " if target["needs_data"] else "2 points: ok"
            self.assertRegex(text, rf"(?m)^{target['name']}[:,] {verdict}")
        self.assertIn("bench/fetch-data", text)

    def test_one_target_with_options(self):
        self.assertIn("rough-well, 5 points: ok",
                      self.ok("check", "--target", "rough-well", "--dim", 3, "--eta", 0.1,
                              "--points", 5))

    def test_a_failure_is_exit_1(self):
        """No derivative is exact to 1e-17."""
        result = bench("check", "--target", "banana", "--tolerance", 1e-17)
        self.assertEqual(result.returncode, 1)
        self.assertIn("FAILED", result.stdout)


class Errors(Case):
    RUN = ["run", "--target", "banana"]

    def test_unknown_names_suggest_the_nearest(self):
        self.refused("rnu", says=["'rnu'", "'run'"])
        self.refused("--verson", says="'--version'")
        self.refused("run", "--taret", "x", says="'--target'")
        self.refused("list", "--jsn", says="'--json'")
        self.refused("run", "--target", "bananna", says="'banana'")
        self.refused("check", "--target", "icgg", says="'icg'")
        self.refused("speed", "--target", "scgg", says="'scg'")
        self.refused("study", "defalt", says="'default'")
        self.refused(*self.RUN, "--sampler", "hcm", says="'hmc'")
        self.refused(*self.RUN, "--metric", "diagnal", says="'diagonal'")
        self.refused(*self.RUN, "--integrator", "leapforg", says="'leapfrog'")
        self.refused(*self.RUN, "--length-jitter", "halten", says="'halton'")
        self.refused(*self.RUN, "--backend", "cupu", says="'cpu'")
        self.refused(*self.RUN, "--precision", "doubel", says="'double'")
        self.refused(*self.RUN, "--rng", "phylox", says="'philox'")
        self.refused(*self.RUN, "--keep-parameters", "x[3]", says="'x[1]'")

    def test_arguments_that_cannot_be_read(self):
        self.refused("run", says="--target")
        self.refused("run", "--target", says="--target")
        self.refused("run", "--target=", says="--target")
        self.refused(*self.RUN, "--chains", "many", says=["--chains", "'many'"])
        self.refused(*self.RUN, "--chains", "1.5", says=["--chains", "'1.5'"])
        self.refused(*self.RUN, "--chains", "99999999999999999999", says="--chains")
        self.refused(*self.RUN, "--chains", "1", "--chains", "2", says="--chains")
        self.refused(*self.RUN, "--seed", "-1", says=["--seed", "-1"])
        self.refused(*self.RUN, "--keep-chains", "few", says=["--keep-chains", "'few'"])
        self.refused(*self.RUN, "--keep-chains", "-1", says=["--keep-chains", "'-1'"])
        self.refused(*self.RUN, "surplus", says="'surplus'")
        self.refused(*self.RUN, "-x", says="-x")
        self.refused("study", says="study default")

    def test_values_out_of_range(self):
        for option, value in [("chains", 0), ("chains", -3), ("draws", 0), ("warmup", -1),
                              ("thin", 0), ("thin", 501), ("lags", -1), ("lags", 500),
                              ("superchain", 0), ("step-size", -1), ("step-size", "nan"),
                              ("step-jitter", 1), ("leapfrog", 0), ("target-acceptance", 1),
                              ("start-radius", 0), ("threads", -1), ("threads", 1000000),
                              ("threads-per-chain", 3), ("devices", "0,-1")]:
            self.refused(*self.RUN, f"--{option}", value,
                         says=re.sub("-", "_", option) if option in
                         ("start-radius", "step-size", "step-jitter", "target-acceptance",
                          "threads-per-chain") else option)
        self.refused("run", "--target", "std-normal", "--dim", 0, says="--dim is 0")
        self.refused("run", "--target", "std-normal", "--dim", 1000000, says="1000000")
        self.refused("run", "--target", "scg", "--small-variance", -1, says="--small-variance")
        self.refused("run", "--target", "eight-schools", "--prior-sd", 0, says="--prior-sd")
        self.refused("speed", "--chains", 0, says="--chains")
        self.refused("speed", "--leapfrog", 0, says="--leapfrog")
        self.refused("speed", "--transitions", -1, says="--transitions")
        self.refused("study", "default", "--seeds", 0, says="--seeds")
        self.refused("study", "default", "--chains", 0, says="--chains")
        self.refused("check", "--points", 0, says="points")
        self.refused("check", "--target", "icg", "--tolerance", 0, says="tolerance")

    def test_combinations_that_make_no_sense(self):
        for sampler, option, value, remedy in [("rwm", "leapfrog", 3, "hmc"),
                                               ("mala", "leapfrog", 3, "hmc"),
                                               ("rwm", "integrator", "leapfrog", "hmc"),
                                               ("ghmc", "length-jitter", "halton", "hmc"),
                                               ("rwm", "step-jitter", 0.1, "hmc"),
                                               ("hmc", "persistence", 0.5, "ghmc")]:
            self.refused(*self.RUN, "--sampler", sampler, f"--{option}", value,
                         says=[f"--{option}", sampler, f"choose {remedy}"])
        self.refused(*self.RUN, "--warmup", 0, says=["step_size", "warmup"])
        self.refused(*self.RUN, "--step-size", 0, "--warmup", 0, says=["step_size", "warmup"])
        self.refused("run", "--target", "icg", "--dim", 3, says=["--dim", "icg"])
        self.refused("run", "--target", "banana", "--eta", 0.1, says=["--eta", "banana"])
        self.refused("check", "--dim", 3, says=["--dim", "--target"])
        self.refused(*self.RUN, "--backend", "cpu", "--devices", 0, says="--devices")
        self.refused(*self.RUN, "--backend", "cpu", "--rng", "curand", says="philox")
        self.refused(*self.RUN, "--keep-parameters", "x[1],x[1]", says="twice")
        self.refused(*self.RUN, "--draws-out", self.folder / "d.npy", "--keep-chains", 0,
                     says="--keep-chains")

    def test_cuda_without_a_device(self):
        if json.loads(self.ok("list", "--json"))["backends"]["cuda"]["devices"]:
            self.skipTest("a CUDA device is present")
        self.refused(*self.RUN, "--backend", "cuda", says=["--backend cuda: ", "--backend cpu"])
        # `auto` falls back on the CPU, but not past an option that only CUDA has.
        for option, value in [("rng", "curand"), ("devices", 0), ("threads-per-chain", 4)]:
            self.refused(*self.RUN, f"--{option}", value, says=[f"--{option}", "CUDA"])

    def test_outputs_are_checked_before_sampling(self):
        """`refused` sees an empty stdout: not even the header was printed."""
        nowhere = self.folder / "absent" / "x"
        for option in ["--json", "--draws-out"]:
            self.refused(*self.RUN, option, nowhere, says=["cannot write", str(nowhere)])
            self.refused(*self.RUN, option, self.folder, says=["cannot write", str(self.folder)])
        same = self.folder / "same"
        self.refused(*self.RUN, "--json", same, "--draws-out", same, says=str(same))
        self.refused(*self.RUN, "--json", f"{same}.json", "--draws-out", same, says=str(same))
        self.refused("speed", "--json", nowhere, says=str(nowhere))
        self.refused("study", "default", "--json", nowhere, says=str(nowhere))
        self.refused("study", "default", "--report", nowhere.with_suffix(".md"), says="absent")
        self.refused("study", "default", "--report", self.folder / "x.pdf", says=".html")
        self.assertEqual(list(self.folder.iterdir()), [])

    def test_malformed_files(self):
        absent = self.folder / "absent.json"
        self.refused(*self.RUN, "--metric", absent, says=str(absent))
        for text in ["[1, 2", "{}", "[]", '[1, "a"]', "[1, [2]]", "[[1, 2]]", "[[1], [2, 3]]",
                     "[1, null]"]:
            path = self.write("m.json", text)
            self.refused(*self.RUN, "--metric", path, says=str(path))
        path = self.write("m.json", "[1, 2, 3]")
        self.refused(*self.RUN, "--metric", path, says="3")
        self.refused(*self.RUN, "--metric", self.write("m.json", "[1, -2]"), says="-2")
        self.refused(*self.RUN, "--metric", self.write("m.json", "[[1, 2], [2, 1]]"),
                     says="positive definite")
        self.refused(*self.RUN, "--metric", self.write("m.json", '{"metric": "dense"}'),
                     says="inverse_mass")
        nowhere = self.folder / "absent" / "m.json"
        self.refused(*self.RUN, "--metric-out", nowhere, says=str(nowhere))
        self.refused("run", "--target", "logistic", says="--data")
        self.refused("run", "--target", "logistic", "--data", absent, says=str(absent))
        path = self.write("bad.csv", "a,y\n1,0\n2,one\n")
        self.refused("run", "--target", "logistic", "--data", path, says=[str(path), "one"])
        self.refused("run", "--target", "german-credit", "--data-dir", self.folder,
                     says=[str(self.folder), "bench/fetch-data"])
        loss = ("run", "--target", "zero-one", "--sampler", "dhmc")
        self.refused(*loss, "--data", absent, says=str(absent))
        self.refused(*loss, "--data", path, says=[str(path), "one"])
        path = self.write("gaps.csv", "a,b,y\n1,,0\n,2,1\n")
        self.refused(*loss, "--data", path, says=[str(path), "every row has a gap"])
        self.refused(*loss, "--data", path, "--dim", 3, says=["--data", "--dim"])
        self.refused(*loss, "--dim", 1, says=["dimension 1", "2..512"])
        self.refused(*loss, "--observations", 1, says="1 observations")
        self.refused(*loss, "--observations", 0, says="--observations is 0")
        self.refused("run", "--target", "banana", "--observations", 9, says="--observations")
        self.refused("run", "--target", "zero-one", "--sampler", "hmc", says="density jumps")

    def test_more_memory_than_there_is(self):
        if b"__asan_init" in pathlib.Path(BENCH).read_bytes():
            self.skipTest("the address sanitizer ends the process instead of throwing bad_alloc")
        self.refused(*self.RUN, "--chains", 10 ** 14, says="--chains")

    def test_starts_that_cannot_be_found(self):
        result = bench(*self.RUN, "--start-radius", 1e30, *SMALL)
        self.assertEqual(result.returncode, 2)
        self.assertRegex(result.stderr, r"\Alockstep-bench: [^\n]*start[^\n]*\n\Z")


class Run(Case):
    def test_table(self):
        text = self.ok("run", "--target", "banana", *SMALL)
        header, table = text.split("\n\n", 1)
        for word in ["banana", "hmc", "64 chains", "20 + 20", "seed 1", "cpu", "1 thread"]:
            self.assertIn(word, header)
        self.assertRegex(table, r"(?m)^x\[1\] .*\nx\[2\] ")
        self.assertIn("smallest ESS", table)

    def test_json(self):
        fit = self.fit("--target", "scg", *SMALL, "--seed", 18446744073709551615)
        self.assertEqual(list(fit), RUN_KEYS)
        expected = {"target": "scg", "dimension": 2, "backend": "cpu", "threads": 1, "chains": 64,
                    "warmup": 20, "draws": 20, "draws_asked": 20, "seed": 18446744073709551615,
                    "precision": "float", "rng": "philox", "interrupted": False,
                    "truth_source": "exact"}
        self.assertEqual({k: fit[k] for k in expected}, expected)
        self.assertEqual(list(fit["seconds"]), ["setup", "preparation", "warmup", "sampling",
                                                "transfer"])
        self.assertTrue(all(x >= 0 for x in fit["seconds"].values()))
        self.assertEqual(fit["sampler"]["name"], "hmc")
        self.assertGreater(fit["sampler"]["step_size"], 0)
        self.assertIn(fit["sampler"]["metric"], ["unit", "diagonal", "dense"])
        self.assertEqual(len(fit["inverse_mass"]), 4 if fit["sampler"]["metric"] == "dense" else 2)
        self.assertTrue(0 < fit["acceptance"] <= 1)
        self.assertGreater(fit["gradients"]["sampling"], 20)
        self.assertRegex(fit["digest"], r"\A[0-9a-f]{16}\Z")
        for p, name in zip(fit["parameters"], ["x[1]", "x[2]"]):
            self.assertEqual(list(p), PARAMETER_KEYS)
            self.assertEqual(p["name"], name)
            self.assertEqual(p["truth_mean"], 0)
            self.assertAlmostEqual(p["truth_sd"], math.sqrt(50.005), places=4)
        ess = min(p["ess_bulk"] for p in fit["parameters"])
        self.assertAlmostEqual(fit["ess_per_transition_min"], ess / (64 * 20), places=9)
        self.assertAlmostEqual(fit["ess_per_gradient_min"],
                               ess / (64 * fit["gradients"]["sampling"]), places=9)

    def test_geometry(self):
        report, json_file = self.folder / "page.html", self.folder / "fit.json"
        text = self.ok("run", "--target", "icg", *SMALL, "--metric", "unit", "--geometry",
                       "--json", json_file, "--report", report)
        geometry = json.loads(json_file.read_text())["geometry"]
        # Variances 1e-2 to 1e2.
        self.assertEqual(geometry["points"], 64)
        self.assertEqual(geometry["indefinite"], 0)
        for key in ["kappa_median", "kappa_95"]:
            self.assertAlmostEqual(geometry[key] / 1e4, 1, places=3)
        self.assertAlmostEqual(geometry["edge_median"], 0.2, places=4)
        self.assertGreater(geometry["kappa_bar"], 0)
        self.assertIn("kappa_bar", text)
        self.assertIn("stability edge", text)
        page = report.read_text()
        self.assertIn('id="geometry"', page)
        self.assertIn(f'value="{geometry["kappa_median"]}"', page)
        self.assertIsNone(self.fit("--target", "icg", *SMALL)["geometry"])
        self.refused("run", "--target", "std-normal", "--dim", 1000, "--geometry",
                     says=["std-normal has 1000", "256"])
        self.refused("run", "--target", "integer-grid", "--sampler", "dhmc", "--geometry",
                     says="integer-grid jumps")

    def test_undefined_figures_are_null(self):
        fit = self.fit("--target", "banana", "--chains", 1, "--warmup", 5, "--draws", 1)
        self.assertIsNone(fit["parameters"][0]["rhat"])
        self.assertIsNone(fit["nested_rhat_max"])

    def test_every_sampler_is_what_it_says(self):
        for name, options, settings in [
                ("hmc", ["--leapfrog", 4, "--length-jitter", "halton", "--integrator",
                         "minimal-norm-4"],
                 {"leapfrog": 4, "length_jitter": "halton", "integrator": "minimal-norm-4"}),
                ("mala", ["--step-jitter", 0.1], {"leapfrog": 1, "step_jitter": 0.1}),
                ("ghmc", ["--persistence", 0.5, "--leapfrog", 2],
                 {"persistence": 0.5, "leapfrog": 2}),
                ("rwm", ["--metric", "unit"], {"metric": "unit"})]:
            with self.subTest(name):
                fit = self.fit("--target", "icg", *SMALL, "--sampler", name, "--step-size", 0.05,
                               *options)
                settings = {"name": name, "step_size": 0.05, **settings}
                self.assertEqual({k: fit["sampler"][k] for k in settings}, settings)

    def test_leapfrog_steps_are_counted(self):
        fit = self.fit("--target", "icg", *SMALL, "--leapfrog", 7, "--length-jitter", "none")
        self.assertEqual(fit["gradients"]["sampling"], 7 * 20)

    def test_metric_files(self):
        for text, metric in [("[100, 19]", "diagonal"), ("[[100, 1], [1, 19]]", "dense")]:
            with self.subTest(metric):
                fit = self.fit("--target", "banana", *SMALL, "--metric",
                               self.write("m.json", text))
                self.assertEqual(fit["sampler"]["metric"], metric)
                flat = [x for row in json.loads(text) for x in (row if metric == "dense" else
                                                                [row])]
                self.assertEqual(fit["inverse_mass"], flat)
        # What one run found, another starts from.
        for metric in ["diagonal", "dense", "fisher", "low-rank"]:
            with self.subTest(metric):
                path = self.folder / "found.json"
                found = self.fit("--target", "scg", "--chains", 128, "--warmup", 60, "--draws", 10,
                                 "--metric", metric, "--metric-out", path)
                used = self.fit("--target", "scg", "--chains", 128, "--warmup", 30, "--draws", 10,
                                "--metric", path)
                self.assertEqual(used["inverse_mass"], found["inverse_mass"])

    def test_target_options(self):
        self.assertEqual(self.fit("--target", "std-normal", "--dim", 7, *SMALL)["dimension"], 7)
        sd = self.fit("--target", "scg", "--small-variance", 1, *SMALL)["parameters"][0]["truth_sd"]
        self.assertAlmostEqual(sd, math.sqrt(50.5), places=4)

    def test_a_data_set_of_ones_own(self):
        rows = "".join(f"{i % 7},{i % 5},{int(i % 3 == 0)}\n" for i in range(60))
        path = self.write("own.csv", "a,b,y\n" + rows)
        fit = self.fit("--target", "logistic", "--data", path, *SMALL)
        self.assertEqual(fit["dimension"], 3)
        self.assertIsNone(fit["truth_source"])
        self.assertIsNone(fit["parameters"][0]["truth_mean"])
        self.assertIsNone(fit["data"])

    def test_made_up_data_are_named_so(self):
        dhmc = ("--sampler", "dhmc", "--step-size", 0.3, "--hop", 0.3, *FIXED, "--chains", 64,
                "--draws", 20)
        page = self.folder / "page.html"
        fit = self.fit("--target", "zero-one", "--dim", 5, "--observations", 60, *dhmc,
                       "--report", page)
        self.assertEqual(fit["data"], "a synthetic design, 60 x 5, outcomes 4 : 56")
        self.assertIn(fit["data"], page.read_text())
        rows = "".join(f"{i % 7},{'' if i < 3 else i % 5},{i % 3 // 2}\n" for i in range(60))
        path = self.write("gaps.csv", "a,b,y\n" + rows)
        fit = self.fit("--target", "zero-one", "--data", path, *dhmc)
        self.assertEqual(fit["data"], f"{path}, 57 x 3, outcomes 19 : 38; left out 0 gappy "
                                      "columns, 3 incomplete rows, 0 constant columns")

    def test_double_precision(self):
        self.assertEqual(self.fit("--target", "scg", *SMALL, "--precision", "double")["precision"],
                         "double")

    def test_it_samples_the_target(self):
        """icg: standard deviations from 0.1 to 10, exact; 5 standard errors."""
        fit = self.fit("--target", "icg", "--chains", 1024, "--warmup", 200, "--draws", 50)
        for p in fit["parameters"]:
            self.assertLess(abs(p["error_in_mcse"]), 5, p)
            self.assertAlmostEqual(p["sd"] / p["truth_sd"], 1, delta=0.05)


class Preparation(Case):
    """Where chains start and which metric warm-up begins with, from the command line."""

    RUN = ["run", "--target", "eight-schools-nc"]
    FAST = ["--target", "eight-schools-nc", "--chains", 128, "--warmup", 40, "--draws", 40,
            "--threads", 1]

    def test_what_does_not_go_together(self):
        self.refused(*self.RUN, "--init", "pathfnder", says=["'pathfnder'", "'pathfinder'"])
        self.refused(*self.RUN, "--metric-init", "fischer", says=["'fischer'", "'fisher'"])
        self.refused(*self.RUN, "--init", "vi", "--vi-family", "fulrank",
                     says=["'fulrank'", "'full-rank'"])
        self.refused(*self.RUN, "--vi-family", "low-rank", says=["--vi-family", "uniform", "vi"])
        self.refused(*self.RUN, "--init", "jitter+adapt_diag", "--metric-init", "unit",
                     says=["--metric-init", "jitter+adapt_diag", "recipe"])
        self.refused(*self.RUN, "--init", "advi+adapt_diag", "--metric-weight", 3,
                     says=["--metric-weight", "advi+adapt_diag", "recipe"])
        self.refused(*self.RUN, "--init", "jitter+adapt_diag", "--metric", "dense",
                     says=["diagonal", "dense"])
        self.refused(*self.RUN, "--metric-weight", 3, says=["--metric-weight", "--metric-init"])
        self.refused(*self.RUN, "--metric-init", "unit", "--metric-weight", -1,
                     says=["weight", "-1"])
        self.refused(*self.RUN, "--init", "prior", "--most-k-hat", 1, says="--most-k-hat")
        self.refused(*self.RUN, "--metric-init", "unit", "--metric", "unit",
                     says=["unit metric is not tuned", "choose"])
        self.refused(*self.RUN, "--metric-init", "unit", "--warmup", 10,
                     says=["warm-up of 10", "at least 20"])
        self.refused("run", "--target", "banana", "--init", "prior",
                     says=["banana has no prior", "eight-schools-nc"])
        self.refused("run", "--target", "integer-grid", "--sampler", "dhmc", "--metric-init",
                     "unit", says=["jumps", "without a metric"])

    def test_files_are_read_or_refused(self):
        end = self.folder / "end.npy"
        self.ok("run", *self.FAST, "--positions-out", end, "--metric-out",
                self.folder / "metric.json")
        fit = self.fit(*self.FAST, "--init", end, "--metric-init", self.folder / "metric.json")
        self.assertEqual(fit["preparation"]["name"], "file starts, file metric")
        self.assertEqual(fit["preparation"]["gradients"], 0)
        self.assertLess(fit["nested_rhat_max"], 1.1)
        self.refused("run", "--target", "banana", "--init", end, says=["end.npy", "10 parameters"])
        self.refused(*self.RUN, "--init", self.folder / "absent.npy",
                     says=["absent.npy", "cannot be read"])
        self.refused(*self.RUN, "--init", self.write("text.npy", "1 2 3"),
                     says=["text.npy", "no .npy file"])
        self.refused(*self.RUN, "--metric-init", self.write("bad.json", "{}"), says="bad.json")
        self.refused(*self.RUN, "--positions-out", self.folder / "no" / "end.npy",
                     says=["end.npy", "cannot write"])

    def test_prior_and_recipe(self):
        fit = self.fit(*self.FAST, "--init", "prior")
        self.assertEqual(fit["preparation"]["name"], "prior")
        self.assertIsNone(fit["preparation"]["metric"])
        self.assertIsNone(fit["preparation"]["k_hat"])
        fit = self.fit(*self.FAST, "--init", "jitter+adapt_diag")
        self.assertEqual(fit["preparation"]["metric"], "diagonal")
        self.assertEqual(fit["preparation"]["weight"], 10)
        self.assertEqual(fit["sampler"]["metric"], "diagonal")
        self.assertIsNone(self.fit(*self.FAST)["preparation"])

    def test_a_fit_is_counted_and_told_of(self):
        path = self.folder / "fit.json"
        page = self.folder / "fit.html"
        text = self.ok("run", *self.FAST, "--init", "pathfinder", "--json", path, "--report", page)
        fit = json.loads(path.read_text(), parse_constant=self.fail)
        prepared = fit["preparation"]
        self.assertEqual(prepared["name"], "pathfinder")
        self.assertGreater(prepared["gradients"], 100)
        self.assertEqual(fit["gradients"]["preparation"], math.ceil(prepared["gradients"] / 128))
        self.assertGreater(prepared["seconds"], 0)
        self.assertEqual(fit["seconds"]["preparation"], prepared["seconds"])
        self.assertIsNotNone(prepared["k_hat"])
        total = sum(fit["gradients"].values())
        self.assertAlmostEqual(fit["ess_per_gradient_total_min"] * total,
                               fit["ess_per_gradient_min"] * fit["gradients"]["sampling"], places=9)
        line = re.search(r"(?m)^preparation: pathfinder, (\d+) gradients a chain", text)
        self.assertEqual(int(line[1]), fit["gradients"]["preparation"])
        self.assertIn("with preparation and warm-up counted", text)
        self.assertIn("<dt>Preparation</dt><dd>pathfinder", page.read_text())
        for warning in prepared["warnings"]:
            self.assertIn(warning, fit["warnings"])

    def test_a_fit_that_fails_falls_back(self):
        fit = self.fit(*self.FAST, "--init", "pathfinder", "--most-k-hat", "-10")
        self.assertIsNone(fit["preparation"]["metric"])
        self.assertGreater(fit["gradients"]["preparation"], 0)
        self.assertRegex(" ".join(fit["warnings"]), r"pathfinder: k-hat .* is above -10")
        plain = self.fit(*self.FAST)
        self.assertEqual(fit["digest"], plain["digest"])  # as if it had not been asked for

    def test_threads_change_no_bit(self):
        one, two = (self.fit(*self.FAST[:-1], threads, "--init", "pathfinder", "--metric-init",
                             "mean-field") for threads in (1, 2))
        for fit in one, two:
            fit["preparation"].pop("seconds")
        self.assertEqual(one["digest"], two["digest"])
        self.assertEqual(one["preparation"], two["preparation"])


class Files(Case):
    def npy(self, path):
        """Shape and values of a .npy file, read by hand."""
        raw = path.read_bytes()
        self.assertEqual(raw[:8], b"\x93NUMPY\x01\x00")
        (length,) = struct.unpack("<H", raw[8:10])
        self.assertEqual((10 + length) % 64, 0)
        header = ast.literal_eval(raw[10:10 + length].decode())
        self.assertEqual((header["descr"], header["fortran_order"]), ("<f8", False))
        count = math.prod(header["shape"])
        self.assertEqual(len(raw), 10 + length + 8 * count)
        return header["shape"], struct.unpack(f"<{count}d", raw[10 + length:])

    def test_draws(self):
        path = self.folder / "d.npy"
        fit = self.fit("--target", "banana", *SMALL, "--keep-chains", "all", "--draws-out", path)
        shape, values = self.npy(path)
        self.assertEqual(shape, (64, 20, 2))
        for j, p in enumerate(fit["parameters"]):
            column = values[j::2]
            self.assertAlmostEqual(sum(column) / len(column), p["mean"], places=4)
        sidecar = json.loads((self.folder / "d.npy.json").read_text())
        self.assertEqual(sidecar["parameters"], ["x[1]", "x[2]"])
        self.assertEqual(sorted(f.name for f in self.folder.iterdir()),
                         ["d.npy", "d.npy.json", "fit.json"])

    def test_what_is_kept(self):
        path = self.folder / "d.npy"
        self.ok("run", "--target", "eight-schools-nc", *SMALL, "--keep-chains", 5, "--thin", 3,
                "--keep-parameters", "tau,theta[2]", "--draws-out", path)
        self.assertEqual(self.npy(path)[0], (5, 6, 2))
        sidecar = json.loads((self.folder / "d.npy.json").read_text())
        self.assertEqual(sidecar["parameters"], ["tau", "theta[2]"])
        self.assertTrue(all(tau > 0 for tau in self.npy(path)[1][::2]))

    def test_an_older_file_is_replaced_and_links_are_followed(self):
        old = self.write("old.json", "old")
        link = self.folder / "link.json"
        link.symlink_to(old)
        self.ok("run", "--target", "scg", *SMALL, "--json", link)
        self.assertTrue(link.is_symlink())
        self.assertEqual(json.loads(old.read_text())["target"], "scg")

    @unittest.skipUnless(os.path.exists("/dev/full"), "needs /dev/full")
    def test_a_full_disk(self):
        result = bench("run", "--target", "scg", *SMALL, "--json", "/dev/full")
        self.assertEqual(result.returncode, 2)
        self.assertRegex(result.stderr, r"\Alockstep-bench: cannot write /dev/full: [^\n]+\n\Z")
        self.assertFalse(os.path.isfile("/dev/full"))
        with open("/dev/full", "w", encoding="ascii") as full:
            result = subprocess.run([BENCH, "list"], stdout=full, stderr=subprocess.PIPE,
                                    text=True, check=False)
        self.assertEqual(result.returncode, 2)
        self.assertIn("stdout", result.stderr)

    def test_special_files_stay_what_they_are(self):
        self.ok("run", "--target", "scg", *SMALL, "--json", "/dev/null")
        self.assertFalse(os.path.isfile("/dev/null"))


class Bits(Case):
    """With fixed settings a chain's bits depend on its seed alone."""

    def digest(self, target, *options):
        draws = [] if "--draws" in options else ["--draws", 20]
        return self.fit("--target", target, "--step-size", 0.09, *FIXED, *draws, *options)["digest"]

    def test_chains_and_threads(self):
        for target in ["scg", "banana", "icg", "eight-schools-nc"]:
            with self.subTest(target):
                one = self.digest(target, "--chains", 64, "--threads", 1)
                for chains in [64, 1000, 4096]:
                    for threads in [1, 2]:
                        self.assertEqual(
                            self.digest(target, "--chains", chains, "--threads", threads), one,
                            f"{chains} chains, {threads} threads")

    def test_samplers(self):
        for sampler in [["rwm"], ["mala"], ["ghmc", "--leapfrog", 3], ["hmc", "--step-jitter", 0.2]]:
            with self.subTest(sampler[0]):
                options = ["--sampler", *sampler, "--threads"]
                self.assertEqual(self.digest("mog", *options, 1, "--chains", 64),
                                 self.digest("mog", *options, 2, "--chains", 1000))

    def test_what_is_recorded_changes_nothing(self):
        self.assertEqual(self.digest("scg", "--chains", 64),
                         self.digest("scg", "--chains", 64, "--keep-chains", "all", "--thin", 3,
                                     "--lags", 5))

    def test_seeds_and_settings_do(self):
        self.assertEqual(len({self.digest("scg", "--chains", 64, *options) for options in
                              [[], ["--seed", 2], ["--leapfrog", 11], ["--draws", 21]]}), 4)


def catches(pid, number):
    """Whether a process has a handler for the signal."""
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"SigCgt:\s*(\w+)", status)[1], 16) >> (number - 1) & 1


class Interrupt(Case):
    def interrupted(self, *arguments):
        """SIGINT after the header: the JSON object and the whole output."""
        path = self.folder / "fit.json"
        process = self.started(*ENDLESS, *arguments, "--json", path, stderr=subprocess.PIPE)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=PATIENCE)
        self.assertEqual((process.returncode, err), (130, ""))
        self.assertIn("interrupted", out)
        fit = json.loads(path.read_text(), parse_constant=self.fail)
        self.assertTrue(fit["interrupted"])
        return fit, out

    def test_while_sampling(self):
        fit, out = self.interrupted("--warmup", 0, "--step-size", 0.5, "--draws", 10 ** 9,
                                    "--draws-out", self.folder / "d.npy", "--keep-chains", 1,
                                    "--thin", 10 ** 6)
        self.assertTrue(0 < fit["draws"] < 10 ** 9)
        self.assertEqual(fit["draws_asked"], 10 ** 9)
        self.assertIsNotNone(fit["parameters"][0]["mean"])
        self.assertIn("x[1]", out)
        self.assertTrue((self.folder / "d.npy").exists())

    def test_while_warming_up(self):
        fit, _ = self.interrupted("--warmup", 10 ** 9, "--draws", 10, "--keep-chains", 0)
        self.assertEqual(fit["draws"], 0)

    def test_speed_and_study(self):
        for arguments in [["study", "default", "--chains", 200000], ["speed"]]:
            with self.subTest(arguments[0]):
                path = self.folder / "out.json"
                process = subprocess.Popen([BENCH, *map(str, arguments), "--json", path],
                                           stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                           env=environment(), text=True)
                # `speed` prints nothing before it ends: its handler stands when the system says so.
                deadline = time.monotonic() + PATIENCE
                while not catches(process.pid, signal.SIGINT) and time.monotonic() < deadline:
                    time.sleep(0.01)
                process.send_signal(signal.SIGINT)
                _, err = process.communicate(timeout=PATIENCE)
                self.assertEqual((process.returncode, err), (130, ""))
                self.assertIn("rows", json.loads(path.read_text()))


class Progress(Case):
    ARGUMENTS = [*ENDLESS, "--keep-chains", 0, "--warmup", 0, "--step-size", 0.5, "--draws", 10 ** 9]

    def test_on_a_terminal(self):
        primary, secondary = pty.openpty()
        self.addCleanup(os.close, primary)
        process = self.started(*self.ARGUMENTS, stderr=secondary)
        os.close(secondary)
        seen = b""
        deadline = time.monotonic() + PATIENCE
        while b"left" not in seen and time.monotonic() < deadline:
            if select.select([primary], [], [], 1)[0]:
                seen += os.read(primary, 4096)
        for word in [b"%", b"/s", b"acceptance", b"left"]:
            self.assertIn(word, seen)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=PATIENCE)
        self.assertEqual(process.returncode, 130)
        while select.select([primary], [], [], 0.5)[0]:
            try:
                seen += os.read(primary, 4096)
            except OSError:  # the other end is closed
                break
        self.assertTrue(seen.endswith(b"\r\x1b[K"), seen[-60:])
        for line in re.split(rb"\r\x1b\[K", seen):
            self.assertLess(len(line), 80)

    def test_what_is_still_missing(self):
        primary, secondary = pty.openpty()
        self.addCleanup(os.close, primary)
        process = self.started(*self.ARGUMENTS, "--until", "ess=1e15", stderr=secondary)
        os.close(secondary)
        seen = b""
        deadline = time.monotonic() + PATIENCE
        while b"below 1e+15" not in seen and time.monotonic() < deadline:
            if select.select([primary], [], [], 1)[0]:
                seen += os.read(primary, 4096)
        self.assertRegex(seen, rb"sampling  ESS \d+ \(x\[\d+\]\) below 1e\+15")

    def test_none_in_a_pipe(self):
        process = self.started(*self.ARGUMENTS, stderr=subprocess.PIPE)
        time.sleep(3)  # a terminal would have its bar by now
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=PATIENCE)
        self.assertEqual((process.returncode, err), (130, ""))
        self.assertNotRegex(out, r"[\r\x1b]")

    def test_none_for_a_short_run(self):
        primary, secondary = pty.openpty()
        self.addCleanup(os.close, primary)
        subprocess.run([BENCH, "run", "--target", "scg", *SMALL], stdout=subprocess.DEVNULL,
                       stderr=secondary, timeout=PATIENCE, check=True)
        os.close(secondary)
        try:
            seen = os.read(primary, 4096) if select.select([primary], [], [], 0)[0] else b""
        except OSError:
            seen = b""
        self.assertEqual(seen, b"")


class Speed(Case):
    def test_rows(self):
        path = self.folder / "speed.json"
        text = self.ok("speed", "--target", "scg", "icg", "--chains", "64,128", "--leapfrog", 1, 10,
                       "--transitions", 3, "--json", path)
        self.assertIn("of FMA", text)
        found = json.loads(path.read_text())
        self.assertEqual([(r["target"], r["chains"], r["leapfrog"]) for r in found["rows"]],
                         [(t, c, length) for t in ["scg", "icg"] for c in [64, 128]
                          for length in [1, 10]])
        self.assertEqual({r["target"]: r["fma_per_step"] for r in found["rows"]},
                         {"scg": 6, "icg": 100})
        self.assertGreater(found["fma_per_second"], 0)
        self.assertGreater(found["normals"]["ns"], 0)
        for row in found["rows"]:
            self.assertAlmostEqual(row["ns_per_transition"] * row["transitions_per_second"] / 1e9,
                                   1, places=9)

    def test_logistic_regression_without_its_data(self):
        text = self.ok("speed", "--target", "german-credit", "--chains", 64, "--transitions", 1)
        self.assertRegex(text, r"(?m)^german-credit\s+25\s")
        self.assertIn("made-up", text)


    def test_of_discontinuous(self):
        path = self.folder / "speed.json"
        text = self.ok("speed", "--sampler", "dhmc", "--target", "mixed-grid", "sign", "--chains", 64,
                       "--leapfrog", 2, 4, "--transitions", 1, "--json", path)
        self.assertIn("updates/s", text)
        rows = json.loads(path.read_text())["dhmc"]
        self.assertEqual([(r["target"], r["sites"], r["leapfrog"]) for r in rows],
                         [("mixed-grid", 2, 2), ("mixed-grid", 2, 4), ("sign", 1, 2), ("sign", 1, 4)])
        for row in rows:
            # How fast is not tested. Only the published cases have a plain loop beside them.
            self.assertAlmostEqual(row["updates_per_second"] * row["ns_per_update"] / 1e9, 1)
            if row["target"] == "mixed-grid":
                self.assertAlmostEqual(row["ratio"] * row["scalar_updates_per_second"]
                                       / row["updates_per_second"], 1)
            else:
                self.assertIsNone(row["ratio"])
        self.refused("speed", "--sampler", "dhmc", "--target", "sign", "--leapfrog", 3,
                     says=["--leapfrog is 3", "even"])
        self.refused("speed", "--sampler", "dhmc", "--target", "scg", says=["scg", "jump"])


class L2hmc(Case):
    """Networks: trained, written, read, refused."""
    QUICK = {"--iterations": 20, "--batch": 32, "--threads": 1}

    def network(self, *options, target="scg"):
        """The file of a network that is trained quickly, but for what `options` say."""
        path = self.folder / "network.json"
        quick = [word for option, value in self.QUICK.items() if option not in options
                 for word in (option, value)]
        text = self.ok("train", "--target", target, *quick, "--output", path, *options)
        self.assertIn(f"written to {path}", text)
        return path

    def trained(self, *options, **names):
        """What is trained, without what it took."""
        network = json.loads(self.network(*options, **names).read_text(), parse_constant=self.fail)
        del network["training"]["seconds"]
        return network

    def test_training_tells_what_it_took(self):
        path = self.folder / "training.json"
        network = json.loads(self.network("--json", path, "--steps", 5, "--width", 7).read_text())
        self.assertEqual(network["shape"], {"dim": 2, "steps": 5, "width": 7, "hidden": 2})
        found = json.loads(path.read_text(), parse_constant=self.fail)
        self.assertEqual([found[k] for k in ["target", "dimension", "steps", "width", "hidden",
                                             "seed", "iterations", "interrupted", "failure"]],
                         ["scg", 2, 5, 7, 2, 1, 20, False, None])
        # Chains and noise, each 1 + T gradients and T Hessian-vector products that count two.
        self.assertEqual(found["gradients"], 20 * 64 * (1 + 3 * 5))
        self.assertAlmostEqual(found["steps_per_second"] * found["seconds"], 20)
        self.assertEqual(found["training"], network["training"])
        history = found["training"]["history"]
        self.assertEqual(history["iteration"], list(range(1, 21)))
        for column in ["loss", "acceptance", "jump", "step_size", "temperature", "clipped"]:
            self.assertEqual(len(history[column]), 20)
        self.assertTrue(all(0 < a <= 1 for a in history["acceptance"]))

    def test_the_same_seed_trains_the_same_network(self):
        one = self.trained()
        self.assertEqual(self.trained("--threads", 2), one)
        for options in [["--seed", 2], ["--learning-rate", 0.01], ["--noise-weight", 0],
                        ["--stop-gradient"], ["--temperature", 2], ["--precision", "double"]]:
            other = self.trained(*options)
            self.assertNotEqual(other["parameters"], one["parameters"], options)
        self.assertEqual(self.trained("--metric", self.write("m.json", "[4, 9]"))["scale"], [2, 3])

    def test_it_goes_on_from_a_checkpoint(self):
        whole = self.trained("--trials", 2, "--trial-iterations", 5)
        torn = ["--trials", 2, "--trial-iterations", 5, "--checkpoint", self.folder / "state"]
        for _ in range(3):  # one iteration each
            self.trained(*torn, "--max-hours", 1e-12)
        self.assertEqual(self.trained(*torn), whole)
        self.refused("train", "--target", "scg", "--iterations", 20, "--batch", 32, *torn, "--seed",
                     2, "--output", self.folder / "n.json", says=["seed was 1 and is now 2"])

    def test_a_run_with_it(self):
        network = self.network("--steps", 4)
        fit = self.fit("--target", "scg", *SMALL, "--sampler", "l2hmc", "--network", network)
        self.assertEqual([fit["sampler"][k] for k in ["name", "leapfrog", "width", "hidden"]],
                         ["l2hmc", 4, 10, 2])
        self.assertEqual(fit["sampler"]["training"], json.loads(network.read_text())["training"])
        self.assertEqual(fit["gradients"]["sampling"], 4 * 20)
        self.assertTrue(0 < fit["acceptance"] <= 1)
        text = self.ok("run", "--target", "scg", *SMALL, "--sampler", "l2hmc", "--network", network,
                       "--report", self.folder / "r.html", "--csv", self.folder / "r.csv")
        self.assertIn("l2hmc, step size", text)

    def test_every_target(self):
        for target in [t["name"] for t in json.loads(self.ok("list", "--json"))["targets"]
                       if not t["needs_data"] and not t["discontinuous"]]:
            with self.subTest(target):
                network = self.network("--iterations", 1, "--steps", 2, "--width", 4, target=target)
                self.fit("--target", target, "--chains", 64, "--warmup", 1, "--draws", 5,
                         "--sampler", "l2hmc", "--network", network)

    def test_bits(self):
        network = self.network()
        digest = [self.fit("--target", "scg", "--sampler", "l2hmc", "--network", network,
                           "--chains", chains, "--threads", threads, "--warmup", 0, "--draws",
                           20)["digest"] for chains, threads in [(64, 1), (64, 2), (1000, 2)]]
        self.assertEqual(len(set(digest)), 1)

    def test_runs_that_are_refused(self):
        network = self.network()
        run = ["run", "--target", "scg", "--sampler"]
        self.refused(*run, "l2hmc", says=["--network", "lockstep-bench train"])
        self.refused(*run, "hmc", "--network", network, says=["--network", "choose l2hmc"])
        self.refused(*run, "hmc", "--plain-networks", says=["--plain-networks", "choose l2hmc"])
        for option in ["leapfrog", "step-size", "persistence", "target-acceptance"]:
            self.refused(*run, "l2hmc", "--network", network, f"--{option}", 1,
                         says=[f"--{option} does not apply", "choose"])
        self.refused(*run, "l2hmc", "--network", network, "--metric", "unit", says="--metric")
        self.refused(*run, "l2hmc", "--network", network, "--per-chain-step-size",
                     says="per_chain_step_size")
        self.refused("run", "--target", "icg", "--sampler", "l2hmc", "--network", network,
                     says=["2 parameters", "50"])
        self.refused(*run, "l2hmc", "--network", self.folder / "absent", says="absent")
        good = network.read_text()
        for text, fault in [("", "not JSON"), (good[:len(good) // 2], "not JSON"), ("{}", "format"),
                            (good.replace('"version":1', '"version":9'), "version 9"),
                            (good.replace('"steps":10', '"steps":0'), "steps is 0"),
                            (good.replace('"width":10', '"width":11'), "its shape needs"),
                            (re.sub(r'("log_step_size":\[)[^]]*', r'\1null', good), "nothing"),
                            (re.sub(r'("log_step_size":\[)[^]]*', r'\1 1e999', good), "not JSON")]:
            self.refused(*run, "l2hmc", "--network", self.write("bad.json", text),
                         says=[fault, "bad.json"])

    def test_trainings_that_are_refused(self):
        train = ["train", "--target", "scg"]
        self.refused(*train, says="--output")
        train += ["--output", self.folder / "n.json"]
        for option, value in [("steps", 0), ("steps", -1), ("steps", 99999), ("width", -1),
                              ("width", 99999), ("hidden", 0), ("batch", 0), ("iterations", 0),
                              ("step-size", 0), ("step-size", "nan"), ("learning-rate", -1),
                              ("decay", 2), ("decay-every", 0), ("loss-scale", 0),
                              ("noise-weight", -1), ("temperature", 0.5), ("cooling", 0),
                              ("clip-gradient", -1), ("trials", 0), ("patience", -1),
                              ("enough-jump", -1), ("threads", -1), ("max-hours", -1),
                              ("checkpoint-every", -1)]:
            name = "checkpoint_minutes" if option == "checkpoint-every" else option
            result = bench(*train, f"--{option}", value)
            self.assertEqual((result.returncode, result.stdout), (2, ""), option)
            self.assertRegex(result.stderr.replace("_", "-"),
                             rf"\Alockstep-bench: [^\n]*{name.replace('_', '-')} is[^\n]*\n\Z")
        self.refused(*train, "--trials", 2, "--trial-iterations", 6000, says="trial_iterations")
        self.refused("train", "--target", "sgc", "--output", "x", says="'scg'")
        self.refused(*train, "--remember", "all", says=["--remember", "nothing"])
        self.refused(*train, "--seed", -1, says="--seed")
        self.refused(*train, "--dim", 3, says="--dim")
        self.refused(*train, "--json", self.folder / "n.json", says="n.json")
        self.refused(*train, "--checkpoint", self.folder / "absent" / "x", says="cannot write")
        self.refused(*train, "--metric", self.write("m.json", "[[1, 0], [0, 1]]"), says="diagonal")
        self.refused(*train, "--metric", self.write("m.json", "[1]"), says="inverse_mass has 1")
        self.refused("train", "--target", "std-normal", "--dim", 300, "--output", "x",
                     says=["256", "300"])
        self.refused("train", "--target", "scg", "--output", self.folder, says="cannot write")
        self.assertFalse((self.folder / "n.json").exists())

    def test_a_loss_that_is_lost(self):
        path, record = self.folder / "n.json", self.folder / "t.json"
        self.refused("train", "--target", "scg", "--iterations", 100, "--learning-rate", 1e30,
                     "--batch", 32, "--output", path, "--json", record,
                     says=["scg", "stopped in iteration", "last good network is in", str(path)])
        self.assertIn("finite", json.loads(record.read_text())["failure"])
        self.fit("--target", "scg", *SMALL, "--sampler", "l2hmc", "--network", path)

    def test_interrupted(self):
        path, record, state = (self.folder / name for name in ["n.json", "t.json", "state"])
        process = subprocess.Popen(
            [BENCH, "train", "--target", "scg", "--iterations", "1000000000", "--threads", "1",
             "--output", path, "--json", record, "--checkpoint", state, "--checkpoint-every", "0"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment(), text=True)
        deadline = time.monotonic() + PATIENCE
        while not state.exists() and time.monotonic() < deadline:
            time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=PATIENCE)
        self.assertEqual((process.returncode, err), (130, ""))
        self.assertIn("written to", out)
        self.assertTrue(json.loads(record.read_text())["interrupted"])
        self.fit("--target", "scg", *SMALL, "--sampler", "l2hmc", "--network", path)

    def test_speed(self):
        path = self.folder / "speed.json"
        text = self.ok("speed", "--sampler", "l2hmc", "--target", "scg", "--chains", 64,
                       "--leapfrog", 1, 10, "--width", 10, "--batch", 32, "--transitions", 1,
                       "--json", path)
        self.assertIn("iterations/s", text)
        rows = json.loads(path.read_text())["l2hmc"]
        self.assertEqual([(r["target"], r["leapfrog"], r["width"], r["plain_networks"])
                          for r in rows], [("scg", 1, 10, False), ("scg", 10, 10, False)])
        # Two networks, each twice a step: 6 inputs, a hidden layer, 6 outputs.
        evaluation = 6 * 10 + 10 * 10 + 10 * 6
        self.assertEqual([r["fma_per_transition"] for r in rows],
                         [4 * evaluation, 40 * evaluation])
        self.assertEqual(rows[0]["fma_per_iteration"], 64 * 3 * 4 * evaluation)
        for row in rows:
            # How fast is not tested; that both are shares of one probed rate is.
            sampling = row["transitions_per_second"] * row["fma_per_transition"]
            training = row["iterations_per_second"] * row["fma_per_iteration"]
            self.assertAlmostEqual(sampling / row["fraction_of_fma"] * row["training_fraction_of_fma"]
                                   / training, 1)
        self.ok("speed", "--sampler", "l2hmc", "--target", "scg", "--chains", 64,
                "--transitions", 1, "--network", self.network(), "--plain-networks")
        self.refused("speed", "--sampler", "nuts", says=["nuts", "l2hmc"])
        self.refused("speed", "--width", 10, says=["--width", "l2hmc"])
        self.refused("speed", "--plain-networks", says=["--plain-networks", "l2hmc"])
        self.refused("speed", "--sampler", "l2hmc", "--network", "x", "--leapfrog", 5,
                     says="--leapfrog")
        self.refused("speed", "--sampler", "l2hmc", "--target", "icg", "--network", self.network(),
                     says=["2 parameters", "50"])


class Dhmc(Case):
    """Discontinuous parameters."""

    RUN = ["run", "--target", "mixed-grid", "--sampler"]

    def test_table_and_list(self):
        text = self.ok(*self.RUN, "dhmc", *SMALL)
        self.assertIn("dhmc, step size tuned +- 10 %, hop tuned, about 10 steps", text)
        self.assertRegex(text, r"discontinuous parameters: 2, moved by 0\.\d+ of their visits \(")
        listed = self.ok("list")
        self.assertRegex(listed, r"(?m)^integer-grid \* .*")
        self.assertRegex(listed, r"(?m)^banana  .*")
        self.assertIn("* its density jumps", listed)

    def test_json(self):
        fit = self.fit("--target", "mixed-grid", "--sampler", "dhmc", "--chains", 256, "--warmup",
                       100, "--draws", 100, "--visit-order", "permutation", "--longest", 20)
        self.assertEqual(list(fit), RUN_KEYS)
        sampler = fit["sampler"]
        expected = {"name": "dhmc", "step_jitter": 0.1, "leapfrog": 10, "longest": 20,
                    "hop_per_coordinate": False, "target_no_flip": None, "order": "permutation",
                    "metric": "diagonal"}
        self.assertEqual({k: sampler[k] for k in expected}, expected)
        self.assertNotIn("length_jitter", sampler)
        self.assertEqual([v["name"] for v in fit["visits"]], ["m", "n"])
        for j, v in enumerate(fit["visits"]):
            self.assertEqual(list(v), ["name", "hop", "mass", "no_flip"])
            self.assertAlmostEqual(v["hop"], sampler["hop"] * math.sqrt(fit["inverse_mass"][j]))
            self.assertAlmostEqual(v["mass"], sampler["step_size"] / v["hop"])
        self.assertAlmostEqual(fit["no_flip"], 0.8, delta=0.03)
        self.assertAlmostEqual(fit["no_flip"], sum(v["no_flip"] for v in fit["visits"]) / 2)
        self.assertTrue(1000 < fit["gradients"]["sampling"] < 2000)
        other = self.fit("--target", "banana", *SMALL)
        self.assertEqual((other["no_flip"], other["visits"]), (None, []))

    def test_every_sampler_is_what_it_says(self):
        for name, target, options, settings in [
                ("dhmc", "mixed-grid", ["--hop", 0.5, "--leapfrog", 3, "--length-jitter", "none"],
                 {"hop": 0.5, "leapfrog": 3, "length_jitter": "none", "order": "coin"}),
                ("dhmc", "mixed-grid", ["--hop-per-coordinate"], {"hop_per_coordinate": True}),
                ("mixed-hmc", "binomial-n", ["--hop", 2], {"hop": 2}),
                ("gibbs", "mixed-grid", ["--no-flip", 0.6, "--step-jitter", 0],
                 {"target_no_flip": 0.6, "step_jitter": 0})]:
            with self.subTest(name):
                fit = self.fit("--target", target, *SMALL, "--sampler", name, "--step-size", 0.3,
                               *options)
                settings = {"name": name, "step_size": 0.3, **settings}
                self.assertEqual({k: fit["sampler"][k] for k in settings}, settings)
        fit = self.fit("--target", "integer-grid", *SMALL, "--sampler", "rwm")
        self.assertEqual(fit["visits"], [])

    def test_bits(self):
        for sampler in ["dhmc", "mixed-hmc", "gibbs"]:
            with self.subTest(sampler):
                digest = [self.fit("--target", "mixed-grid", "--sampler", sampler, "--step-size",
                                   0.3, "--hop", 0.7, *FIXED, "--draws", 20, "--chains", chains,
                                   "--threads", threads)["digest"]
                          for chains, threads in [(64, 1), (64, 2), (1000, 2)]]
                self.assertEqual(len(set(digest)), 1)

    def test_steps_are_counted(self):
        for target, sampler, gradients in [("integer-grid", "dhmc", 7), ("mixed-grid", "dhmc", 7),
                                           ("integer-grid", "mixed-hmc", 1),
                                           ("mixed-grid", "mixed-hmc", 7),
                                           ("integer-grid", "gibbs", 1), ("mixed-grid", "gibbs", 8)]:
            with self.subTest(f"{target}, {sampler}"):
                fit = self.fit("--target", target, *SMALL, "--sampler", sampler, "--leapfrog", 7,
                               "--length-jitter", "none")
                self.assertEqual(fit["gradients"]["sampling"], gradients * 20)

    def test_requests_that_are_refused(self):
        for sampler in ["hmc", "mala", "ghmc"]:
            self.refused(*self.RUN, sampler, says=["density jumps", sampler, "choose dhmc"])
        for sampler in ["dhmc", "mixed-hmc", "gibbs"]:
            self.refused("run", "--target", "banana", "--sampler", sampler,
                         says=[sampler, "smooth", "choose hmc"])
            for option in [["--integrator", "leapfrog"], ["--persistence", 0.5],
                           ["--tune-length", "chees"], ["--network", "n"]]:
                self.refused(*self.RUN, sampler, *option,
                             says=[f"{option[0]} does not apply", "choose"])
            self.refused(*self.RUN, sampler, "--per-chain-step-size", says="per_chain_step_size")
            self.refused(*self.RUN, sampler, "--warmup", 0, says=["hop", "warmup above 0"])
            self.refused(*self.RUN, sampler, "--warmup", 0, "--hop", 1,
                         says=["step_size", "warmup above 0"])
            for option, value, name in [("hop", -1, "hop is"), ("hop", "nan", "hop is"),
                                        ("hop", "inf", "hop is"), ("no-flip", 1, "target_no_flip"),
                                        ("no-flip", -0.1, "target_no_flip"),
                                        ("longest", 9, "longest is 9"),
                                        ("longest", -1, "longest is -1"),
                                        ("step-jitter", 1, "step_jitter"), ("leapfrog", 0, "leapfrog")]:
                self.refused(*self.RUN, sampler, f"--{option}", value, says=name)
            self.refused(*self.RUN, sampler, "--hop", "far", says=["--hop", "far"])
        self.refused(*self.RUN, "dhmc", "--hop", 1, "--no-flip", 0.7, says=["hop", "leave one"])
        self.refused(*self.RUN, "dhmc", "--hop", 1, "--hop-per-coordinate", says="leave one")
        self.refused(*self.RUN, "gibbs", "--hop-per-coordinate", says="choose dhmc")
        self.refused(*self.RUN, "gibbs", "--visit-order", "coin", says="choose dhmc")
        self.refused(*self.RUN, "dhmc", "--visit-order", "con", says="'coin'")
        self.refused(*self.RUN, "dhcm", says="'dhmc'")
        self.refused("train", "--target", "integer-grid", "--output", self.folder / "n.json",
                     says=["density jumps", "l2hmc"])
        for option in [["--hop", 1], ["--no-flip", 0.5], ["--hop-per-coordinate"],
                       ["--visit-order", "coin"]]:
            self.refused("run", "--target", "banana", *option,
                         says=[f"{option[0]} does not apply", "dhmc"])


class Study(Case):
    def test_forms(self):
        table = self.ok("study", "default", "--chains", 64, "--seeds", 2, "--json",
                        self.folder / "s.json", "--report", self.folder / "s.html")
        self.ok("study", "default", "--chains", 64, "--report", self.folder / "s.md")
        found = json.loads((self.folder / "s.json").read_text(), parse_constant=self.fail)
        self.assertEqual(found["study"], "default")
        self.assertEqual((found["settings"]["chains"], found["settings"]["seeds"]), (64, 2))
        cases = list(found["settings"]["cases"])
        for name in ["std-normal", "icg", "scg", "mog", "mog2", "rough-well", "banana",
                     "funnel-nc", "eight-schools-nc"]:
            self.assertIn(name, cases)
            self.assertRegex(table, rf"(?m)^{name}\s")
        for row in found["rows"]:
            self.assertEqual(list(row), ["case", "method", "metric", "value", "mcse", "reference",
                                         "source", "low", "high"])
        metrics = {r["metric"]: r for r in found["rows"] if r["case"] == "icg"}
        for name in ["ess_per_transition_min", "ess_per_gradient_min", "ess_per_second_min",
                     "acceptance", "divergences", "worst_error_in_mcse", "nested_rhat_max"]:
            self.assertIn(name, metrics)
        self.assertGreater(metrics["ess_per_transition_min"]["mcse"], 0)  # two seeds differ
        page = (self.folder / "s.html").read_text()
        self.assertTrue(page.startswith("<!doctype html>"))
        self.assertNotRegex(page, r"(src|href)=")  # nothing from outside
        self.assertIn("<td class=\"name\">icg</td>", page)
        self.assertRegex((self.folder / "s.md").read_text(), r"(?m)^\| icg \| hmc \| [\d.]+ \|")

    def test_the_law_is_sampled(self):
        """What HMC can sample it samples right; the mode problem is seen and said."""
        path = self.folder / "s.json"
        table = self.ok("study", "default", "--chains", 1024, "--json", path)
        figures = {(r["case"], r["metric"]): r["value"]
                   for r in json.loads(path.read_text())["rows"]}
        for case in ["std-normal", "icg", "scg", "rough-well", "banana", "funnel-nc",
                     "eight-schools-nc"]:
            with self.subTest(case):
                self.assertLess(figures[case, "nested_rhat_max"], 1.01)
                worst = figures[case, "worst_error_in_mcse"]
                self.assertTrue(worst is None or worst < 4, worst)
        # Chains stay in the mode they are in; mog2's narrow one may lose all of them.
        self.assertGreater(figures["mog", "nested_rhat_max"], 1.1)
        self.assertGreater(figures["mog2", "worst_error_in_mcse"], 10)
        for case in ["mog", "mog2", "funnel"]:
            self.assertIn(f"\n{case}: HMC cannot sample this law", table)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    BENCH = os.path.abspath(sys.argv.pop(1))
    unittest.main()
