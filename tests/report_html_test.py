"""The report of `lockstep-bench run` as a browser's parser sees it, and the summary as CSV.

usage: report_html_test.py LOCKSTEP_BENCH [GROUP...]
"""

import csv
import html.parser
import json
import os
import pathlib
import re
import resource
import signal
import subprocess
import sys
import tempfile
import time
import unittest

BENCH = ""
SMALL = ["--chains", "64", "--warmup", "50", "--draws", "100", "--threads", "1"]
# The table's columns, by their keys in JSON.
COLUMNS = ["mean", "sd", "mcse", "q05", "q50", "q95", "ess_bulk", "ess_tail", "ess_between", "rhat",
           "nested_rhat"]
TRUTH = ["truth_mean", "truth_sd", "error_in_mcse", "sd_error_in_mcse"]
VOID = {"meta", "br", "hr", "img", "input", "link"}
OUTSIDE = {"src", "srcset", "action", "data", "poster", "background", "xlink:href"}


def bench(*arguments, **options):
    kept = {k: v for k, v in os.environ.items() if k not in ("LOCKSTEP_DATA", "XDG_CACHE_HOME")}
    return subprocess.run([BENCH, *map(str, arguments)], capture_output=True, text=True, timeout=300,
                          env={**kept, "HOME": "/nonexistent"}, check=False, **options)


class Page(html.parser.HTMLParser):
    """Complains about tags that do not match, and gathers what a reader sees."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.open, self.ids, self.links, self.tables, self.texts = [], [], [], {}, []
        self.faults, self.outside = [], []
        self.feed(text)
        self.close()
        self.faults += [f"<{tag}> is never closed" for tag in self.open]

    def handle_starttag(self, tag, attrs):
        names = [name for name, _ in attrs]
        if len(names) != len(set(names)):
            self.faults.append(f"an attribute of <{tag}> comes twice")
        given = dict(attrs)
        if "id" in given:
            self.ids.append(given["id"])
        if tag == "a":
            self.links.append(given.get("href", ""))
        self.outside += [f"{tag} {n}" for n in names if n in OUTSIDE or n.startswith("on")]
        self.outside += [tag for _ in [0] if tag in ("script", "link", "iframe", "object", "img")]
        if tag == "table":
            self.table = self.tables[given["id"]] = []
        elif tag == "tr":
            self.table.append([])
        elif tag in ("td", "th"):
            self.table[-1].append("")
        elif tag == "data":
            if "td" in self.open:
                self.table[-1][-1] = float(given["value"])
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        self.open.pop()

    def handle_endtag(self, tag):
        if not self.open or self.open[-1] != tag:
            self.faults.append(f"</{tag}> closes {self.open[-1:]}")
        else:
            self.open.pop()

    def handle_data(self, data):
        self.texts.append(data)
        if {"td", "th"} & set(self.open) and "data" not in self.open:
            self.table[-1][-1] += data

    @property
    def text(self):
        return " ".join(self.texts)


class Case(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def path(self, name):
        return self.folder / name

    def run_with(self, *arguments, status=0):
        """The parsed page and the JSON object of one run."""
        result = bench("run", *arguments, "--report", self.path("r.html"), "--json",
                       self.path("r.json"), "--csv", self.path("r.csv"))
        self.assertEqual((result.returncode, result.stderr), (status, ""))
        return self.page(), json.loads(self.path("r.json").read_text())

    def page(self):
        page = Page(self.path("r.html").read_text(encoding="utf-8"))
        self.assertEqual(page.faults, [])
        self.assertEqual(page.outside, [])
        self.assertEqual(len(page.ids), len(set(page.ids)))
        for link in page.links:
            self.assertIn(link.removeprefix("#"), page.ids)
        self.assertNotRegex(self.path("r.html").read_text(), r"https?:|url\(|@import")
        return page

    def refused(self, *arguments, says=()):
        result = bench("run", "--target", "banana", *arguments)
        self.assertEqual((result.returncode, result.stdout), (2, ""), arguments)
        for text in (says,) if isinstance(says, str) else says:
            self.assertIn(text, result.stderr)


class Report(Case):
    def check_table(self, page, fit, table="summary"):
        columns = COLUMNS + (TRUTH if fit["truth_source"] else [])
        rows = {row[0]: row[1:] for row in page.tables[table][1:]}
        self.assertEqual(list(rows), [p["name"] for p in fit["parameters"]])
        for p in fit["parameters"]:
            for key, shown in zip(columns, rows[p["name"]], strict=True):
                self.assertEqual(shown, "\u2013" if p[key] is None else p[key], (p["name"], key))

    def test_numbers_equal_those_of_json(self):
        for target in ["banana", "eight-schools-nc"]:
            page, fit = self.run_with("--target", target, *SMALL)
            self.check_table(page, fit)
            self.assertIn(fit["digest"], page.text)

    def test_visits_of_discontinuous_parameters(self):
        for sampler in ["dhmc", "gibbs"]:
            page, fit = self.run_with("--target", "mixed-grid", "--sampler", sampler, *SMALL)
            self.check_table(page, fit)
            rows = {row[0]: row[1:] for row in page.tables["visits"][1:]}
            self.assertEqual(list(rows), ["m", "n"])
            for v in fit["visits"]:
                for key, shown in zip(["no_flip", "hop", "mass"], rows[v["name"]], strict=True):
                    self.assertEqual(shown, "\u2013" if v[key] is None else v[key], key)
            for text in ["no-flip rate", "Hop", "hop "]:
                self.assertIn(text, page.text)
        self.assertNotIn("no-flip", self.run_with("--target", "banana", *SMALL)[0].text)

    def test_many_parameters_are_folded_away(self):
        page, fit = self.run_with("--target", "icg", *SMALL)
        self.check_table(page, fit)
        self.assertEqual(len(page.tables["worst"]), 17)
        worst = max(fit["parameters"], key=lambda p: max(
            (p["rhat"] - 1) / 0.01, (p["nested_rhat"] - 1) / 0.01, 400 / p["ess_bulk"],
            400 / p["ess_tail"]))
        self.assertEqual(page.tables["worst"][1][0], worst["name"])

    def test_it_says_how_to_run_again(self):
        odd = self.path("an odd 'name'.json")
        self.assertEqual(bench("run", "--target", "scg", *SMALL, "--report", self.path("r.html"),
                               "--json", odd).returncode, 0)
        line = next(t for t in self.page().texts if t.startswith("lockstep-bench run"))
        first = json.loads(odd.read_text())["digest"]
        odd.unlink()
        subprocess.run(["sh", "-c", line.replace("lockstep-bench", BENCH, 1)], check=True,
                       stdout=subprocess.DEVNULL)
        self.assertEqual(json.loads(odd.read_text())["digest"], first)

    def test_divergences_are_said_and_marked(self):
        page, fit = self.run_with("--target", "banana", *SMALL, "--step-size", 0.5, "--keep-chains",
                                  "all")
        self.assertGreater(fit["divergences"], 0)
        self.assertIn("Divergent transitions", page.texts)
        self.assertIn(f"{fit['divergences']:,} of 6,400 transitions", page.text)
        self.assertRegex(self.path("r.html").read_text(), r'class="cross b" d="M')

    def test_a_good_run_has_no_failures(self):
        page, fit = self.run_with("--target", "std-normal", "--chains", 256, "--warmup", 200,
                                  "--draws", 400, "--leapfrog", 3)
        self.assertEqual(fit["divergences"], 0)
        self.assertIn("None found.", page.texts)

    def test_pairs_of_ones_choice(self):
        page, _ = self.run_with("--target", "eight-schools-nc", *SMALL, "--report-pairs",
                                "mu,tau,theta[3]")
        text = self.path("r.html").read_text()
        for pair in ["tau against mu", "theta[3] against mu", "theta[3] against tau"]:
            self.assertIn(f'aria-label="{pair}"', text)
        self.assertEqual(len(re.findall(r'aria-label="[^"]* against [^"]*"', text)), 3 + 8)
        self.assertTrue(page.tables)

    def test_random_walk_and_tiny_runs(self):
        self.run_with("--target", "std-normal", *SMALL, "--sampler", "rwm")
        for sizes in [(1, 1), (1, 2), (1, 5), (2, 8), (3, 40), (1000, 1), (1, 400)]:
            with self.subTest(sizes):
                page, fit = self.run_with("--target", "mog", "--warmup", 0, "--step-size", 0.3,
                                          "--chains", sizes[0], "--draws", sizes[1])
                self.check_table(page, fit)

    def test_interrupted(self):
        process = subprocess.Popen(
            [BENCH, "run", "--target", "std-normal", "--chains", "64", "--warmup", "0",
             "--step-size", "0.5", "--draws", str(10 ** 9), "--thin", str(10 ** 6), "--threads", "1",
             "--report", self.path("r.html")], stdout=subprocess.PIPE, text=True)
        self.addCleanup(process.stdout.close)
        process.stdout.readline()
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=300)
        self.assertEqual(process.returncode, 130)
        self.assertIn("Interrupted", self.page().texts)

    def test_bad_requests(self):
        report = ["--report", self.path("r.html")]
        self.refused("--report", self.path("r.pdf"), says=["--report", ".html"])
        self.refused("--report", self.folder / "absent" / "r.html", says="absent")
        self.refused(*report, "--report-pairs", "x[1],y", says=["--report-pairs", "'y'"])
        self.refused(*report, "--report-pairs", "x[1]", says="--report-pairs")
        self.refused("--report-pairs", "x[1],x[2]", says="--report")
        self.refused(*report, "--csv", self.path("r.html"), says=["--csv", "--report"])
        self.refused("--draws-out", self.path("d.h5"), says=[".nc", ".npy"])
        self.refused("--draws-out", self.path("d"), says=[".nc", ".npy"])
        self.refused("--keep", "everything", says=["--keep", "warmup"])
        self.refused("--keep", "warmup", "--draws-out", self.path("d.npy"), says=".nc")
        self.refused("--keep", "warmup", says=".nc")
        self.refused("--draws-out", self.path("d.nc"), "--keep-chains", 0, says="--keep-chains")
        self.assertEqual(list(self.folder.iterdir()), [])


class Csv(Case):
    def test_every_figure_in_full(self):
        _, fit = self.run_with("--target", "banana", *SMALL)
        raw = self.path("r.csv").read_bytes()
        self.assertEqual(raw.count(b"\r\n"), 3)
        with open(self.path("r.csv"), newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        for row, p in zip(rows, fit["parameters"], strict=True):
            self.assertEqual(list(row), list(p))
            self.assertEqual(row.pop("name"), p.pop("name"))
            self.assertEqual({k: float(v) for k, v in row.items()}, p)

    def test_undefined_figures_are_empty(self):
        _, fit = self.run_with("--target", "banana", "--chains", 1, "--warmup", 5, "--draws", 1)
        self.assertIsNone(fit["parameters"][0]["rhat"])
        with open(self.path("r.csv"), newline="", encoding="utf-8") as file:
            self.assertEqual([row["rhat"] for row in csv.DictReader(file)], ["", ""])


class Disk(Case):
    """Writes that fail in the middle, as on a full disk: an error, and nothing half done."""

    def limited(self, *arguments):
        def limit():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))
        return bench("run", "--target", "icg", *SMALL, *arguments, preexec_fn=limit,
                     restore_signals=False)

    def test_no_half_file(self):
        for option, name in [("--report", "r.html"), ("--csv", "r.csv"), ("--json", "r.json"),
                             ("--draws-out", "d.npy"), ("--draws-out", "d.nc")]:
            with self.subTest(name):
                path = self.path(name)
                path.write_text("older")
                result = self.limited(option, path)
                if "no netCDF library" in result.stderr:
                    self.skipTest(result.stderr)
                if result.returncode == 0:
                    self.assertLess(path.stat().st_size, 10_001)
                    self.assertEqual(option, "--csv")
                else:
                    self.assertEqual(result.returncode, 2, result.stderr)
                    self.assertRegex(result.stderr, rf"cannot write {re.escape(str(path))}: [^\n]+\n\Z")
                    self.assertEqual(path.read_text(), "older")
                path.unlink()
                self.assertEqual(list(self.folder.iterdir()), [])


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    BENCH = os.path.abspath(sys.argv.pop(1))
    unittest.main()
