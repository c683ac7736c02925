"""bench/fetch-data against file URLs: the same bytes as the stored form, and every way to fail."""

import hashlib
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest
import zipfile

FETCH = pathlib.Path(__file__).resolve().parents[2] / "bench" / "fetch-data"


def stored(*parts):
    """A file of $LOCKSTEP_DATA; the test is skipped where it is absent."""
    root = os.environ.get("LOCKSTEP_DATA")
    path = pathlib.Path(root, *parts) if root else None
    if path is None or not path.is_file():
        raise unittest.SkipTest(f"{'/'.join(parts)} is not in $LOCKSTEP_DATA")
    return path


def rows_of(path):
    return [line.split(",") for line in path.read_text().splitlines()[1:]]


# UCI's layouts, from the values of the stored table.
def german_original(path):
    return "".join("".join(f"{v:>4}" for v in row) + " \n" for row in rows_of(path))


def heart_original(path):
    lines = []
    for *features, label in rows_of(path):
        fields = [v if "." in v else f"{v}.0" for v in features] + [str(int(label) + 1)]
        lines.append(" ".join(fields) + "\n")
    return "".join(lines)


def australian_original(path):
    # The original pads some figures with zeros.
    return "".join(" ".join(row).replace("0.085", "0.08500") + "\n" for row in rows_of(path))


TABLES = {
    "german-credit": ("german_credit_numeric", german_original),
    "heart-disease": ("heart_disease", heart_original),
    "australian-credit": ("australian_credit", australian_original),
}


class FetchData(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(self.enterContext_(tempfile.TemporaryDirectory()))
        self.dest = self.folder / "dest"

    def enterContext_(self, manager):  # unittest has enterContext from Python 3.11
        value = manager.__enter__()
        self.addCleanup(manager.__exit__, None, None, None)
        return value

    def run_fetch(self, *arguments, **environment):
        command = [sys.executable, str(FETCH), *map(str, arguments)]
        return subprocess.run(
            command, capture_output=True, text=True, timeout=120, env={**os.environ, **environment}
        )

    def fetch(self, name, source=None):
        extra = ["--source", source] if source else []
        return self.run_fetch(name, "--dest", self.dest, *extra)

    def original(self, text, name="original"):
        path = self.folder / name
        path.write_text(text)
        return path.as_uri()

    def assert_fails(self, result, *words):
        self.assertEqual(result.returncode, 2, result.stderr)
        self.assertEqual(result.stderr.count("\n"), 1, f"more than one line: {result.stderr}")
        self.assertTrue(result.stderr.startswith("fetch-data: "), result.stderr)
        for word in words:
            self.assertIn(word, result.stderr)
        left = [path for path in self.dest.rglob("*") if path.is_file()]
        self.assertEqual(left, [], "something was written")

    def test_tables_come_out_byte_for_byte(self):
        for name, (folder, original_of) in TABLES.items():
            with self.subTest(name):
                expected = stored(folder, f"{folder}.csv")
                source = self.original(original_of(expected), name)
                result = self.fetch(name, source)
                self.assertEqual(result.returncode, 0, result.stderr)
                written = self.dest / folder / f"{folder}.csv"
                self.assertEqual(written.read_bytes(), expected.read_bytes())
                again = self.fetch(name)  # no source: would need the network if it were not there
                self.assertEqual(again.returncode, 0, again.stderr)
                self.assertIn("already there", again.stdout)

    def test_table_out_of_an_archive(self):
        expected = stored("heart_disease", "heart_disease.csv")
        archive = self.folder / "statlog+heart.zip"
        with zipfile.ZipFile(archive, "w") as members:
            members.writestr("heart.doc", "words")
            members.writestr("heart.dat", heart_original(expected))
        result = self.fetch("heart-disease", archive.as_uri())
        self.assertEqual(result.returncode, 0, result.stderr)
        written = self.dest / "heart_disease" / "heart_disease.csv"
        self.assertEqual(written.read_bytes(), expected.read_bytes())

    def test_archive_without_the_table(self):
        archive = self.folder / "other.zip"
        with zipfile.ZipFile(archive, "w") as members:
            members.writestr("heart.doc", "words")
        self.assert_fails(self.fetch("heart-disease", archive.as_uri()), "heart.dat")

    def test_eight_schools_needs_no_download(self):
        result = self.fetch("eight-schools")
        self.assertEqual(result.returncode, 0, result.stderr)
        data = (self.dest / "eight_schools" / "data.json").read_bytes()
        self.assertEqual(
            hashlib.sha256(data).hexdigest(),
            "feb0ce0fd2ec56ddc34f77c8dd878590aee2a6119ed216da46371668dc287fc7",
        )

    def test_mnist_is_kept_as_it_is(self):
        source = stored("mnist", "train-images-idx3-ubyte.gz").parent
        result = self.fetch("mnist", source.as_uri())
        self.assertEqual(result.returncode, 0, result.stderr)
        for name in ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1"):
            file = f"{name}-ubyte.gz"
            self.assertEqual((self.dest / "mnist" / file).read_bytes(), (source / file).read_bytes())

    def test_wrong_checksum(self):
        row = " ".join(["1"] * 25) + "\n"
        self.assert_fails(
            self.fetch("german-credit", self.original(row * 1000)), "SHA-256", "2752b044394958ab"
        )
        # No hash of the original is on record for this one: the converted table is checked.
        row = " ".join(["1"] * 15) + "\n"
        self.assert_fails(
            self.fetch("australian-credit", self.original(row * 690)), "SHA-256", "520ac0526b8fd82e"
        )
        (self.folder / "train-images-idx3-ubyte.gz").write_bytes(b"not the one")
        self.assert_fails(self.fetch("mnist", self.folder.as_uri()), "SHA-256", "440fcabf73cc546f")

    def test_file_cut_short(self):
        row = " ".join(["1"] * 25) + "\n"
        self.assert_fails(self.fetch("german-credit", self.original(row * 431)), "431 rows", "1000")
        self.assert_fails(
            self.fetch("german-credit", self.original(row * 431 + "1 6 4")), "line 432", "3 numbers"
        )
        self.assert_fails(self.fetch("german-credit", self.original("")), "0 rows")

    def test_not_a_table(self):
        row = " ".join(["one"] * 25) + "\n"
        self.assert_fails(self.fetch("german-credit", self.original(row)), "not a table")
        self.assert_fails(self.fetch("german-credit", self.original("<html>\n")), "line 1 has 1")
        infinite = " ".join(["inf"] * 25) + "\n"
        self.assert_fails(self.fetch("german-credit", self.original(infinite)), "not a table")

    def test_absent_source(self):
        missing = (self.folder / "missing").as_uri()
        self.assert_fails(self.fetch("german-credit", missing), "No such file")
        self.assert_fails(self.fetch("german-credit", "/a/path"), "not an http, https or file URL")
        self.assert_fails(self.fetch("eight-schools", missing), "leave out --source")

    def test_destination_that_cannot_be_written(self):
        self.dest.write_text("a file, not a folder")
        result = self.fetch("eight-schools")
        self.assertEqual(result.returncode, 2)
        self.assertEqual(result.stderr.count("\n"), 1, result.stderr)

    def test_a_damaged_copy_is_replaced(self):
        self.fetch("eight-schools")
        path = self.dest / "eight_schools" / "data.json"
        good = path.read_bytes()
        path.write_bytes(good[:20])
        self.assertEqual(self.fetch("eight-schools").returncode, 0)
        self.assertEqual(path.read_bytes(), good)
        self.assertEqual([p.name for p in path.parent.iterdir()], ["data.json"], "left-overs")

    def test_default_destinations(self):
        name = pathlib.Path("eight_schools", "data.json")
        self.run_fetch("eight-schools", LOCKSTEP_DATA=str(self.folder / "a"))
        self.assertTrue((self.folder / "a" / name).is_file())
        self.run_fetch("eight-schools", LOCKSTEP_DATA="", XDG_CACHE_HOME=str(self.folder / "b"))
        self.assertTrue((self.folder / "b" / "lockstep" / name).is_file())
        self.run_fetch("eight-schools", LOCKSTEP_DATA="", XDG_CACHE_HOME="", HOME=str(self.folder))
        self.assertTrue((self.folder / ".cache" / "lockstep" / name).is_file())

    def test_bad_arguments(self):
        self.assert_fails(self.fetch("iris"), "unknown data set 'iris'", "german-credit")
        self.assert_fails(self.run_fetch(), "NAME")
        self.assert_fails(self.run_fetch("mnist", "--size"), "--size")

    def test_help_and_list(self):
        result = self.run_fetch("--help")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("usage: bench/fetch-data", result.stdout)
        self.fetch("eight-schools")
        result = self.run_fetch("list", "--dest", self.dest)
        self.assertEqual(result.returncode, 0, result.stderr)
        states = {line.split()[0]: line.split()[1] for line in result.stdout.splitlines()[:-1]}
        self.assertEqual(states["eight-schools"], "present")
        self.assertEqual(states["german-credit"], "absent")


if __name__ == "__main__":
    unittest.main()
