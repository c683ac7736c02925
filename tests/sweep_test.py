"""lockstep-bench sweep from outside: its grid, its rows through interruptions, its page.

usage: sweep_test.py LOCKSTEP_BENCH [GROUP...]
"""

import fcntl
import html.parser
import itertools
import json
import os
import pathlib
import random
import re
import resource
import signal
import subprocess
import sys
import tempfile
import time
import unittest

BENCH = ""
PATIENCE = 300  # seconds before a run counts as hung, however busy the machine
ROOT = pathlib.Path(__file__).resolve().parents[1]
SMALL = """
target = ["std-normal", "scg"]
step-size = [0.05, 0.1, 0.15]
leapfrog = [5, 10]
chains = 64
warmup = 20
draws = 50
seed = [1, 2]
"""
# What depends on the clock.
UNEQUAL = ("seconds", "ess_per_second_min", "ess_per_second_total_min")


def environment():
    """No data but what a test names."""
    kept = {k: v for k, v in os.environ.items() if k not in ("LOCKSTEP_DATA", "XDG_CACHE_HOME")}
    kept["HOME"] = "/nonexistent"
    return kept


def bench(*arguments):
    return subprocess.run([BENCH, *map(str, arguments)], capture_output=True, text=True,
                          timeout=PATIENCE, env=environment(), check=False)


def rows_of(path):
    """The rows; NaN and Infinity, which Python would read, are not JSON."""
    text = path.read_text()
    if text and not text.endswith("\n"):
        raise AssertionError("the last line is not whole")

    def no_constant(name):
        raise AssertionError(name + " is not JSON")
    return [json.loads(line, parse_constant=no_constant) for line in text.splitlines()]


def lasting(row):
    return {k: v for k, v in row.items() if k not in UNEQUAL}


class Case(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.out = self.folder / "rows.jsonl"

    def write(self, text, name="sweep.toml"):
        path = self.folder / name
        path.write_text(text)
        return path

    def sweep(self, text, *arguments):
        """Runs the sweep to its end: what it prints."""
        result = bench("sweep", self.write(text), "--out", self.out, "--threads", 1, *arguments)
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        return result.stdout

    def refused(self, text, *says, arguments=()):
        """Exit 2, nothing on stdout, one line on stderr with every one of `says`, no rows."""
        with self.subTest(text):
            path = self.write(text)
            result = bench("sweep", path, "--out", self.out, *arguments)
            self.assertEqual((result.returncode, result.stdout), (2, ""), result.stderr)
            self.assertRegex(result.stderr, r"\Alockstep-bench: [^\n]+\n\Z")
            for word in says:
                self.assertIn(word, result.stderr)
            self.assertFalse(self.out.exists())

    def refused_at(self, line, column, text, *says):
        self.refused(text, f"sweep.toml:{line}:{column}: ", *says)


class Grid(Case):
    def test_every_combination_once(self):
        out = self.sweep(SMALL)
        rows = rows_of(self.out)
        found = [(r["settings"]["target"], r["settings"]["step-size"], r["settings"]["leapfrog"],
                  r["settings"]["seed"]) for r in rows]
        # In the file's order, the seed varying fastest.
        self.assertEqual(found, list(itertools.product(["std-normal", "scg"], [0.05, 0.1, 0.15],
                                                       [5, 10], [1, 2])))
        self.assertEqual(len({r["key"] for r in rows}), 24)
        self.assertIn("1 of 24  std-normal, step-size 0.05, leapfrog 5, seed 1: ", out)
        self.assertIn("24 of 24 runs are done", out)
        for row in rows:
            self.assertEqual((row["sweep"], row["chains"], row["warmup"], row["draws"]),
                             (1, 64, 20, 50))
            self.assertEqual((row["target"], row["seed"]),
                             (row["settings"]["target"], row["settings"]["seed"]))
            self.assertEqual((row["sampler"]["step_size"], row["sampler"]["leapfrog"]),
                             (row["settings"]["step-size"], row["settings"]["leapfrog"]))

    def test_a_row_is_the_run_it_names(self):
        """Its command gives the same bits and figures."""
        self.sweep('target = "eight-schools-nc"\nprior-mean = -3\nchains = 64\nwarmup = 30\n'
                   'draws = 40\nmetric = ["unit", "diagonal"]')
        rows = rows_of(self.out)
        self.assertEqual(len(rows), 2)
        for row in rows:
            path = self.folder / "fit.json"
            run = bench("run", *row["command"].split(), "--json", path)
            self.assertEqual(run.returncode, 0, run.stderr)
            fit = json.loads(path.read_text())
            for key in ["digest", "ess_per_gradient_min", "ess_per_transition_min", "acceptance",
                        "divergences", "sampler", "gradients", "nested_rhat_max"]:
                self.assertEqual(row[key], fit[key], key)

    def test_discontinuous_parameters(self):
        self.sweep('target = "mixed-grid"\nsampler = "dhmc"\nchains = 64\nwarmup = 30\ndraws = 40\n'
                   'no-flip = [0.6, 0.8]\nvisit-order = ["coin", "permutation"]\n'
                   'hop-per-coordinate = true\nlongest = 12')
        rows = rows_of(self.out)
        self.assertEqual(len(rows), 4)
        for row in rows:
            self.assertAlmostEqual(row["no_flip"], row["settings"]["no-flip"], delta=0.15)
            self.assertEqual(row["sampler"]["order"], row["settings"]["visit-order"])
            self.assertNotIn("visits", row)

    def test_grids_share_and_override(self):
        self.sweep('chains = 64\nwarmup = 10\ndraws = 20\nseed = [1, 2, 3]\n'
                   '[[grid]]\ntarget = "scg"\nstep-size = [0.1, 0.2]\n'
                   '[[grid]]\ntarget = "rough-well"\neta = 0.1\nchains = 32\nseed = 5\n'
                   'sampler = ["mala", "rwm"]\n')
        rows = rows_of(self.out)
        self.assertEqual([(r["target"], r["chains"], r["seed"], r["sampler"]["name"])
                          for r in rows],
                         [("scg", 64, s, "hmc") for _ in range(2) for s in (1, 2, 3)] +
                         [("rough-well", 32, 5, "mala"), ("rough-well", 32, 5, "rwm")])

    def test_flags(self):
        self.sweep('target = "icg"\nchains = 128\nwarmup = 50\ndraws = 20\nmetric = "diagonal"\n'
                   'no-early-stop = true\nno-regularise = [false, true]')
        rows = rows_of(self.out)
        self.assertEqual([r["settings"]["no-regularise"] for r in rows], [False, True])
        self.assertNotEqual(rows[0]["digest"], rows[1]["digest"])
        plain = self.folder / "fit.json"
        bench("run", "--target", "icg", "--chains", 128, "--warmup", 50, "--draws", 20, "--metric",
              "diagonal", "--no-early-stop", "--json", plain)
        self.assertEqual(rows[0]["digest"], json.loads(plain.read_text())["digest"])

    def test_one_run(self):
        out = self.sweep('target = "scg"\nchains = 32\nwarmup = 5\ndraws = 20')
        self.assertIn("sweep.toml: 1 run, 0 of them", out)
        self.assertEqual([r["seed"] for r in rows_of(self.out)], [1])

    def test_rows_stand_beside_the_sweep_by_default(self):
        path = self.write('target = "scg"\nchains = 32\nwarmup = 5\ndraws = 20', "mine.toml")
        self.assertEqual(bench("sweep", path).returncode, 0)
        self.assertEqual(len(rows_of(self.folder / "mine.jsonl")), 1)

    def test_the_example_and_the_help(self):
        """Both are read, up to their last combination."""
        text = bench("sweep", "--help").stdout
        example = "".join(line + "\n" for line in text.splitlines()
                          if re.match(r"  (\[\[|[a-z-]+ = )", line))
        self.assertIn("[[grid]]", example)
        for toml in [example, (ROOT / "bench/sweeps/well-tuned-hmc.toml").read_text()]:
            self.refused(toml + '\n[[grid]]\ntarget = "scg"\nchains = 0\n',
                         "the combination --target=scg", "chains is 0")


class Rows(Case):
    def start(self, path, out):
        process = subprocess.Popen([BENCH, "sweep", path, "--out", out, "--threads", "1"],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                   env=environment())
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def test_killed_and_resumed(self):
        """Ended by kill -9 at random times until all is done: the rows of an undisturbed sweep."""
        text = SMALL.replace("draws = 50", "draws = 1500").replace("chains = 64", "chains = 128")
        path = self.write(text)
        begin = time.monotonic()
        self.sweep(text)
        whole = time.monotonic() - begin
        expected = [lasting(r) for r in rows_of(self.out)]
        self.assertEqual(len(expected), 24)

        out = self.folder / "killed.jsonl"
        lucky = random.Random(1)
        killed = 0
        for _ in range(200):
            process = self.start(path, out)
            try:
                process.wait(lucky.uniform(0.02, 0.25) * whole)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
                killed += 1
            process.communicate()
            if process.returncode == 0:
                break
        self.assertEqual(process.returncode, 0)
        self.assertGreater(killed, 2)
        self.assertEqual([lasting(r) for r in rows_of(out)], expected)

    def test_nothing_is_run_twice(self):
        self.sweep(SMALL)
        before = self.out.read_bytes()
        out = self.sweep(SMALL)
        self.assertIn("24 runs, 24 of them in", out)
        self.assertNotIn("24 of 24  ", out)
        self.assertEqual(self.out.read_bytes(), before)
        # A longer list adds what is new; a shorter one leaves the others be.
        out = self.sweep(SMALL.replace("seed = [1, 2]", "seed = [1, 2, 3]"))
        self.assertIn("36 runs, 24 of them in", out)
        self.assertTrue(self.out.read_bytes().startswith(before))
        self.assertEqual(len(rows_of(self.out)), 36)
        out = self.sweep(SMALL)
        self.assertIn("12 rows of other settings or another version left as they are", out)
        # How a number is written does not matter.
        out = self.sweep(SMALL.replace("0.1,", "1e-1,"))
        self.assertIn("24 runs, 24 of them in", out)

    def test_torn_last_line(self):
        self.sweep(SMALL)
        whole = self.out.read_bytes()
        last = whole.rstrip(b"\n").rfind(b"\n") + 1
        for length in [1, 12, len(whole) - last - 1]:  # the last: all but the newline
            with self.subTest(length):
                self.out.write_bytes(whole[:last + length])
                out = self.sweep(SMALL)
                self.assertIn("its last line was not whole and has been cut off", out)
                self.assertIn("24 runs, 23 of them in", out)
                self.assertEqual([lasting(r) for r in rows_of(self.out)],
                                 [lasting(json.loads(x)) for x in whole.splitlines()])
        self.out.write_bytes(whole[:7])  # a first line that is not whole
        self.assertIn("0 of them in", self.sweep(SMALL))

    def test_foreign_files_are_refused_as_they_are(self):
        self.sweep(SMALL)
        row = self.out.read_text().splitlines()[0]
        other = json.loads(row)
        other["sweep"] = 2
        short = json.loads(row)
        del short["acceptance"]
        path = self.write(SMALL)
        for content, says in [(row + "\n" + json.dumps(other) + "\n", ["line 2", "format 2"]),
                              ("a,b\n1,2\n", ["line 1", "not a row"]),
                              ('{"a": 1}\n', ["line 1", "not a row"]),
                              ("[]\n", ["line 1", "not a row"]),
                              (json.dumps(short) + "\n", ["line 1", "acceptance"]),
                              (row[:-9] + "\n" + row + "\n", ["line 1", "not a row"]),
                              ("a thesis", ["not a sweep's"])]:
            with self.subTest(content[:60]):
                self.out.write_text(content)
                result = bench("sweep", path, "--out", self.out)
                self.assertEqual((result.returncode, result.stdout), (2, ""))
                for word in [str(self.out), "--out", *says]:
                    self.assertIn(word, result.stderr)
                self.assertEqual(self.out.read_text(), content)

    def test_two_at_once(self):
        self.out.touch()
        with self.out.open("a") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            result = bench("sweep", self.write(SMALL), "--out", self.out)
        self.assertEqual(result.returncode, 2)
        self.assertIn("another sweep is writing it", result.stderr)

    def test_full_disk(self):
        """A row that does not fit is an error; the rows before it are kept and gone on from."""
        path = self.write(SMALL)
        self.sweep(SMALL)
        expected = [lasting(r) for r in rows_of(self.out)]
        room = self.out.stat().st_size // 2 + 100  # ends within a row
        self.out.unlink()

        def little_room():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # or the write would end the process
            resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))
        result = subprocess.run([BENCH, "sweep", path, "--out", self.out, "--threads", "1"], capture_output=True,
                                text=True, timeout=PATIENCE, env=environment(), check=False,
                                restore_signals=False, preexec_fn=little_room)
        self.assertEqual(result.returncode, 2)
        self.assertIn("cannot write a row: File too large", result.stderr)
        self.assertEqual(self.out.stat().st_size, room)
        self.assertIn("its last line was not whole", self.sweep(SMALL))
        self.assertEqual([lasting(r) for r in rows_of(self.out)], expected)

    def test_no_ordinary_file(self):
        result = bench("sweep", self.write(SMALL), "--out", "/dev/null")
        self.assertEqual(result.returncode, 2)
        self.assertIn("ordinary file", result.stderr)

    def test_interrupt(self):
        path = self.write('target = "std-normal"\nchains = 64\ndraws = 20\nstep-size = 0.5\n'
                          'warmup = [5, 900000000]')
        page = self.folder / "x.html"
        for number, status in [(signal.SIGINT, 130), (signal.SIGTERM, 143)]:
            with self.subTest(number):
                self.out.unlink(missing_ok=True)
                process = subprocess.Popen([BENCH, "sweep", path, "--out", self.out, "--threads",
                                            "1", "--report", page], stdout=subprocess.PIPE,
                                           stderr=subprocess.PIPE, text=True, env=environment())
                self.addCleanup(process.kill)
                while "1 of 2" not in process.stdout.readline():
                    pass
                process.send_signal(number)
                out, err = process.communicate(timeout=PATIENCE)
                self.assertEqual((process.returncode, err), (status, ""))
                self.assertIn("1 of 2 runs are done; interrupted", out)
                self.assertEqual([r["warmup"] for r in rows_of(self.out)], [5])
                self.assertIn("1 of 2 runs are done; interrupted", page.read_text())

    def test_a_run_that_cannot_begin(self):
        """It is a row, failed, and the others go on."""
        out = self.sweep('target = "banana"\nchains = 32\nwarmup = 5\ndraws = 20\n'
                         'start-radius = [1e30, 2.0]')
        rows = rows_of(self.out)
        self.assertEqual([("error" in r, r["failures"] == []) for r in rows][0], (True, False))
        self.assertNotIn("error", rows[1])
        self.assertIn("2 of 2 runs are done", out)
        self.assertIn("2 runs, 2 of them in", self.sweep((self.folder / "sweep.toml").read_text()))


class Page(html.parser.HTMLParser):
    """A page's tables and its drawings' marks; asserts that every element is closed."""
    VOID = {"meta", "circle", "line", "path", "rect"}

    def __init__(self, text):
        super().__init__()
        self.open, self.tables, self.classes, self.titles = [], [], [], []
        self.feed(text)
        assert self.open == [], self.open

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        if tag not in self.VOID:
            self.open.append(tag)
        self.classes.append((tag, attrs.get("class", "")))
        for value in attrs.values():
            assert "nan" not in (value or "") and "inf" not in (value or ""), attrs
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append((attrs.get("class", ""), []))
        elif tag in ("td", "th"):
            self.tables[-1][-1][1].append("")
        elif tag == "title":
            self.titles.append("")

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        assert tag in self.VOID, tag

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, tag

    def handle_data(self, data):
        if self.open and self.open[-1] in ("td", "th"):
            self.tables[-1][-1][1][-1] += data
        elif self.open and self.open[-1] == "title":
            self.titles[-1] += data

    def handle_decl(self, decl):
        assert decl == "doctype html"


class Report(Case):
    # The step of 2.5 is past the leapfrog's limit: every proposal is refused. Chains of mog stay
    # where they begin: its settings fail whatever their ESS.
    SWEEP = """
chains = 256
warmup = 100
draws = 200
metric = "unit"
[[grid]]
target = "std-normal"
step-size = [0.1, 0.5, 2.5]
seed = [1, 2, 3]
[[grid]]
target = "mog"
step-size = [0.1, 0.2]
"""

    def test_page(self):
        path = self.folder / "x.html"
        out = self.sweep(self.SWEEP, "--report", path)
        text = path.read_text()
        self.assertTrue(text.startswith("<!doctype html>"))
        self.assertNotRegex(text, r"(src|href)=|url\(|@import|<script")  # nothing from outside
        self.assertIn("prefers-color-scheme:dark", text)
        page = Page(text)
        best, std_normal, mog = page.tables

        rows = rows_of(self.out)
        def mean(step, figure):
            values = [r[figure] for r in rows
                      if r["target"] == "std-normal" and r["settings"]["step-size"] == step]
            self.assertEqual(len(values), 3)
            return sum(values) / 3
        # Failed settings are marked, whatever their figures.
        self.assertEqual([(style, cells[0]) for style, cells in std_normal[1:]],
                         [("", "0.1"), ("", "0.5"), ("failed", "2.5")])
        self.assertIn("FAILED: 3 of 3 seeds", std_normal[3][1][-1])
        self.assertEqual([style for style, _ in mog[1:]], ["failed", "failed"])
        self.assertIn("nested R-hat", mog[1][1][-1])
        # The best, and its figure over seeds.
        winner = max([0.1, 0.5], key=lambda step: mean(step, "ess_per_gradient_min"))
        self.assertIn("gradient", std_normal[[0.1, 0.5].index(winner) + 1][1][-1])
        shown = [cells for _, cells in best[1:] if cells[1] == "gradient"]
        self.assertEqual([cells[2] for cells in shown], [f"step-size {winner}"])
        value, error = shown[0][3].split(" ± ")
        self.assertAlmostEqual(float(value) / mean(winner, "ess_per_gradient_min"), 1, delta=0.005)
        self.assertGreater(float(error), 0)
        self.assertIn("every setting failed", best[-1][1][2])
        # The drawings: a point for each setting, a ring, a cross for each that failed.
        classes = [c for _, c in page.classes]
        self.assertEqual(classes.count("cross c0"), 3)
        self.assertEqual(sum(tag == "circle" and c == "" for tag, c in page.classes), 2)
        self.assertEqual(sum(tag == "circle" and c == "best" for tag, c in page.classes), 1)
        # The same verdicts at a prompt.
        self.assertRegex(out, rf"(?m)^std-normal +{winner} .*best per .*gradient")
        self.assertRegex(out, r"(?m)^std-normal +2.5 .*FAILED")
        self.assertRegex(out, r"(?m)^mog +0.1 .*FAILED")

    def test_what_lines_run_along(self):
        for varied, axis, legend in [
                ("leapfrog = [2, 5, 10]", "leapfrog steps", None),
                ("target-acceptance = [0.6, 0.9]", "step size", None),
                ('step-size = [0.1, 0.2]\nleapfrog = [2, 5]', "step size", "leapfrog 5"),
                ('leapfrog = [2, 5]\nlength-jitter = ["none", "uniform"]', "leapfrog steps",
                 "length-jitter none")]:
            with self.subTest(varied):
                path = self.folder / "x.html"
                self.sweep('target = "std-normal"\nchains = 64\nwarmup = 50\ndraws = 100\n' +
                           varied, "--report", path)
                text = path.read_text()
                self.assertIn(f'class="title middle">{axis}</text>', text)
                self.assertEqual('class="legend"' in text, legend is not None)
                self.assertIn(f"{legend}</span>" if legend else "", text)
                runs = len(rows_of(self.out))
                self.out.unlink()
                points = [c for t, c in Page(text).classes if t == "g"]
                self.assertEqual(len(points), runs)

    def test_page_of_nothing(self):
        """No run could begin: there is nothing to draw, and a page all the same."""
        path = self.folder / "x.html"
        self.sweep('target = "banana"\nchains = 32\nwarmup = 5\ndraws = 20\nstart-radius = 1e30',
                   "--report", path)
        page = Page(path.read_text())
        self.assertEqual(page.tables[1][1][0], "failed")

    def test_page_is_written_again_without_running(self):
        path = self.folder / "x.html"
        self.sweep(self.SWEEP, "--report", path)
        before = path.read_text()
        path.unlink()
        self.sweep(self.SWEEP, "--report", path)
        self.assertEqual(path.read_text(), before)

    def test_names_are_escaped(self):
        path = self.folder / "x.html"
        self.sweep('# a <b> & "c"\ntarget = "scg"\nchains = 32\nwarmup = 5\ndraws = 20',
                   "--report", path)
        self.assertIn("# a &lt;b&gt; &amp; &quot;c&quot;", path.read_text())


class BadFiles(Case):
    def test_syntax(self):
        for text in ["target = ", 'target = "scg', "x y", 'target = "scg"\ntarget = "icg"\n',
                     "[[grid]\n", "step-size = [1, \n"]:
            self.refused(text, "sweep.toml:")
            self.assertRegex(bench("sweep", self.write(text)).stderr, r"sweep.toml:\d+:\d+: \S+")
        self.refused_at(2, 1, 'target = "scg"\n= 3\n')

    def test_keys(self):
        self.refused_at(2, 1, 'target = "scg"\nstep-sise = 1\n', "'step-sise'", "'step-size'")
        self.refused_at(3, 3, 'target = "scg"\n[[grid]]\n  targets = "scg"\n', "'target'")
        self.refused_at(2, 1, 'target = "scg"\nhelp = 1\n', "'help'")
        self.refused_at(2, 1, 'target = "scg"\njson = "x"\n', "'json'")  # not what is run
        self.refused_at(1, 2, '[girds]\n', "'girds'", "'grid'")
        self.refused_at(1, 3, '[[girds]]\n', "'girds'", "'grid'")

    def test_types(self):
        for value, found in [('"ten"', "a string"), ("10.5", "a number with a fraction"),
                             ("true", "true or false"), ("1979-05-27", "a date"),
                             ("{a = 1}", "a table")]:
            self.refused_at(2, 12, f'target = "scg"\nleapfrog = {value}\n', "leapfrog",
                            "a whole number", found)
        self.refused_at(2, 17, 'target = "scg"\nleapfrog = [10, [20]]\n', "a whole number", "a list")
        self.refused_at(2, 13, 'target = "scg"\nstep-size = "0.1"\n', "a number", "a string")
        self.refused_at(1, 10, 'target = 3\n', "a string")
        self.refused_at(1, 15, 'force-dense = "yes"\n', "true or false", "a string")
        self.refused_at(1, 10, 'target = ""\n', "empty")
        self.refused_at(2, 8, 'target = "scg"\ngrid = 3\n', "[[grid]]")
        self.refused_at(2, 1, 'target = "scg"\n[grid]\nchains = 3\n', "[[grid]]")
        self.refused('[[grid]]\ntarget = "scg"\n[[grid.grid]]\nchains = 3\n', "grid within a grid")

    def test_lists(self):
        self.refused_at(2, 13, 'target = "scg"\nstep-size = []\n', "step-size", "empty list")
        self.refused_at(1, 10, 'target = []\n', "empty list")
        self.refused_at(2, 19, 'target = "scg"\nstep-size = [0.1, 1e-1]\n', "0.1 twice")
        many = ", ".join(map(str, range(1, 1002)))
        self.refused(f'target = "scg"\nseed = [{many}]\nleapfrog = [{many}]\n', "more than 1000000")

    def test_without_target(self):
        self.refused("", "no target")
        self.refused("chains = 3\n", "no target")
        self.refused('[[grid]]\ntarget = "scg"\n[[grid]]\nchains = 3\n', "no target")

    def test_combinations_that_cannot_be_run(self):
        self.refused('target = ["scg", "bananna"]\n', "the combination --target=bananna",
                     "'banana'")
        self.refused('target = "scg"\nsampler = ["hmc", "mala"]\nleapfrog = [5]\n',
                     "the combination --target=scg --sampler=mala --leapfrog=5", "choose hmc")
        self.refused('target = ["rough-well", "scg"]\neta = 0.1\n', "--target=scg --eta=0.1",
                     "--eta does not apply")
        self.refused('target = "scg"\nwarmup = [0, 10]\n', "--warmup=0", "step_size")
        self.refused('target = ["integer-grid", "scg"]\nsampler = "dhmc"\n',
                     "--target=scg --sampler=dhmc", "smooth")
        self.refused('target = "integer-grid"\n', "--target=integer-grid", "choose dhmc")
        self.refused('target = "integer-grid"\nsampler = "dhmc"\nhop = [0.5, -1]\n', "--hop=-1",
                     "hop is -1")
        self.refused('target = "scg"\nchains = [64, -1]\n', "--chains=-1", "chains is -1")
        self.refused('target = "scg"\nseed = -1\n', "--seed=-1")
        self.refused('target = "scg"\nmetric = "diagnal"\n', "--metric=diagnal", "'diagonal'")
        self.refused('target = "scg"\nchains = 99999999999999999\nleapfrog = 99999999999\n',
                     "--leapfrog")
        self.refused('target = "german-credit"\n', "--target=german-credit", "bench/fetch-data")
        self.refused('[[grid]]\ntarget = "scg"\n[[grid]]\ntarget = ["icg", "scg"]\n',
                     "two grids", "--target=scg")

    def test_files(self):
        path = self.write(SMALL)
        nowhere = self.folder / "absent" / "x"
        for arguments, says in [([self.folder / "no.toml"], "cannot read"),
                                ([self.folder], "cannot read"),
                                ([], "which one"),
                                ([path, "--out", path], "the sweep itself"),
                                ([path, "--out", nowhere], "cannot write"),
                                ([path, "--out", self.folder], "directory"),
                                ([path, "--report", nowhere.with_suffix(".html")], "cannot write"),
                                ([path, "--report", self.folder / "x.pdf"], ".html"),
                                ([path, "--out", self.folder / "x.html",
                                  "--report", self.folder / "x.html"], "its own file"),
                                ([path, "--threads", -1], "--threads"),
                                ([path, "--chains", 1], "--chains")]:
            with self.subTest(arguments):
                result = bench("sweep", *arguments)
                self.assertEqual((result.returncode, result.stdout), (2, ""), result.stderr)
                self.assertIn(says, result.stderr)
        self.assertEqual(list(self.folder.iterdir()), [path])


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    BENCH = os.path.abspath(sys.argv.pop(1))
    unittest.main()
