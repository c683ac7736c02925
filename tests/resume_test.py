"""Runs of lockstep-bench that are killed, starved and lied to.

usage: resume_test.py LOCKSTEP_BENCH [GROUP...]

A run that is killed with -9 at random moments and started again each time must end with the bits of
a run that was left alone: draws, statistics, adaptation.
"""

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
# What the clock decides, and what may be asked for differently when a run goes on.
NOT_BITS = ("seconds", "ess_per_second_min", "ess_per_second_total_min", "threads")


def start(*arguments, **options):
    environment = {k: v for k, v in os.environ.items() if k != "LOCKSTEP_DATA"}
    return subprocess.Popen([BENCH, *map(str, arguments)], stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True, env=environment, **options)


def finish(process):
    out, err = process.communicate(timeout=PATIENCE)
    return process.returncode, out, err


def bench(*arguments, **options):
    return finish(start(*arguments, **options))


class Case(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def ok(self, *arguments, **options):
        status, out, err = bench(*arguments, **options)
        self.assertEqual((status, err), (0, ""), arguments)
        return out

    def refused(self, *arguments, says=(), **options):
        """Exit 2 and one line on stderr with every one of `says`."""
        status, _, err = bench(*arguments, **options)
        self.assertEqual(status, 2, err)
        self.assertRegex(err, r"\Alockstep-bench: [^\n]+\n\Z")
        for text in (says,) if isinstance(says, str) else says:
            self.assertIn(text, err)

    def figures(self, name):
        """The JSON object of a run, without what its clock decides."""
        fit = json.loads((self.folder / name).read_text())
        for key in NOT_BITS:
            del fit[key]
        return fit


class Kill(Case):
    """kill -9 at random moments; the moments are drawn with a fixed seed."""

    def killed_is_as_if_never(self, kills, *arguments):
        """At least so many kills, in as many runs as that takes."""
        run = ["run", *arguments, "--seed", 5, "--threads", 1]
        checkpoint = ["--checkpoint", self.folder / "state", "--checkpoint-every", 0]

        def outputs(name):
            return ["--json", self.folder / f"{name}.json", "--draws-out",
                    self.folder / f"{name}.npy"]

        self.ok(*run, *outputs("whole"))
        # How long the same run takes that saves itself after every launch.
        begin = time.monotonic()
        self.ok(*run, *checkpoint, *outputs("saved"))
        duration = time.monotonic() - begin
        (self.folder / "state").unlink()
        self.assertEqual(self.figures("saved.json"), self.figures("whole.json"))

        moments = random.Random(1)
        done = resumed = 0
        while done < kills:
            process = start(*run[:-1], 1 + done % 2, *checkpoint, *outputs("killed"))
            header = process.stdout.readline() + process.stdout.readline()
            try:
                process.wait(moments.uniform(0, duration * 2 / kills))
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate()
                self.assertEqual(process.returncode, -signal.SIGKILL)
                done += 1
                resumed += (self.folder / "state").exists()
                continue
            self.assertEqual(finish(process)[0], 0, header)
            self.compare()
            (self.folder / "state").unlink()
        self.assertGreater(resumed, kills // 2)
        out = self.ok(*run, *checkpoint, *outputs("killed"))
        self.compare()
        return out

    def compare(self):
        self.assertEqual(self.figures("killed.json"), self.figures("whole.json"))
        self.assertEqual((self.folder / "killed.npy").read_bytes(),
                         (self.folder / "whole.npy").read_bytes())

    def test_adaptation_and_sampling(self):
        out = self.killed_is_as_if_never(
            24, "--target", "eight-schools-nc", "--chains", 256, "--warmup", 150, "--draws", 3000,
            "--keep-chains", 7, "--thin", 3, "--lags", 2)
        self.assertIn("goes on from", out)

    def test_until(self):
        self.killed_is_as_if_never(
            8, "--target", "scg", "--chains", 128, "--warmup", 100, "--max-draws", 100000,
            "--until", "nested-rhat=1.05,ess=1500000,mcse=0.02", "--keep-chains", 7)
        self.assertEqual(self.figures("whole.json")["stop"], "until")

    def test_kept_momenta(self):
        self.killed_is_as_if_never(
            6, "--target", "mog", "--sampler", "ghmc", "--chains", 128, "--warmup", 0,
            "--step-size", 0.1, "--draws", 20000, "--keep-chains", 2, "--thin", 10)

    def test_what_it_leaves_is_whole(self):
        """Killed while it writes its draws: an older file stays as it was."""
        draws = self.folder / "d.npy"
        draws.write_text("older")
        process = start("run", "--target", "icg", "--chains", 256, "--warmup", 0, "--step-size",
                        0.1, "--draws", 2000, "--keep-chains", 256, "--draws-out", draws)
        part = self.folder / "d.npy.part"
        while not part.exists() and process.poll() is None:
            time.sleep(0.0005)
        process.kill()
        process.communicate()
        self.assertEqual(process.returncode, -signal.SIGKILL)
        self.assertEqual(draws.read_text(), "older")


class Signals(Case):
    def test_the_same_command_goes_on(self):
        for number, status in [(signal.SIGINT, 130), (signal.SIGTERM, 143)]:
            with self.subTest(number.name):
                state = self.folder / number.name
                run = ["run", "--target", "icg", "--chains", 512, "--warmup", 50, "--draws",
                       20000, "--keep-chains", 0]
                self.ok(*run, "--json", self.folder / "whole.json")
                run += ["--json", self.folder / "fit.json", "--checkpoint", state]
                process = start(*run)
                self.assertIn("icg", process.stdout.readline())
                time.sleep(0.05)
                process.send_signal(number)
                code, out, err = finish(process)
                self.assertEqual((code, err), (status, ""))
                self.assertIn("interrupted", out)
                fit = self.figures("fit.json")
                self.assertEqual((fit["stop"], fit["interrupted"]), ("interrupted", True))
                self.assertLess(fit["draws"], 20000)
                self.assertIn(f"goes on from {state}", self.ok(*run))
                self.assertEqual(self.figures("fit.json"), self.figures("whole.json"))
                # And once more: nothing is left to do.
                self.ok(*run)
                self.assertEqual(self.figures("fit.json"), self.figures("whole.json"))

    def test_the_hours_are_up(self):
        run = ["run", "--target", "icg", "--chains", 512, "--warmup", 50, "--draws", 20000,
               "--keep-chains", 0, "--json", self.folder / "fit.json", "--checkpoint",
               self.folder / "state"]
        self.assertIn("hours are up", self.ok(*run, "--max-hours", 1e-5))
        fit = self.figures("fit.json")
        self.assertEqual((fit["stop"], fit["interrupted"]), ("hours", False))
        self.assertLess(fit["draws"], 20000)
        self.ok(*run)
        self.assertEqual(self.figures("fit.json")["draws"], 20000)


class Faults(Case):
    RUN = ["run", "--target", "scg", "--chains", 64, "--warmup", 20, "--draws", 64]

    def test_checkpoint_of_another_run(self):
        state = self.folder / "state"
        self.ok(*self.RUN, "--checkpoint", state)
        before = state.read_bytes()
        for option, value, says in [("--seed", 2, "seed was 1 and is now 2"),
                                    ("--draws", 65, "draws was 64 and is now 65"),
                                    ("--chains", 128, "chains was 64 and is now 128"),
                                    ("--leapfrog", 3, "leapfrog was 10 and is now 3"),
                                    ("--small-variance", 0.02, "potential at fixed points was")]:
            run = [x for i, x in enumerate(self.RUN)
                   if option not in (x, self.RUN[i - 1])] + [option, value]
            self.refused(*run, "--checkpoint", state, says=[str(state), says, "delete it"])
        self.assertEqual(state.read_bytes(), before)

    def test_data_that_have_changed(self):
        data = self.folder / "own.csv"
        rows = [f"{i % 7},{i % 5},{int(i % 3 == 0)}\n" for i in range(60)]
        run = ["run", "--target", "logistic", "--data", data, "--chains", 64, "--warmup", 20,
               "--draws", 20, "--checkpoint", self.folder / "state"]
        data.write_text("a,b,y\n" + "".join(rows))
        self.ok(*run)
        data.write_text("a,b,y\n" + "".join(rows[:-1]) + "6,4,1\n")
        self.refused(*run, says="potential at fixed points")

    def test_checkpoint_that_is_torn_or_foreign(self):
        state = self.folder / "state"
        self.ok(*self.RUN, "--checkpoint", state)
        whole = state.read_bytes()
        for content, says in [(whole[:1000], "torn"), (whole[:30], "truncated"),
                              (whole[:-1], "torn"), (b"", "no checkpoint"),
                              (b"PNG" + whole, "no checkpoint"),
                              (whole[:-9] + bytes([whole[-9] ^ 1]) + whole[-8:], "checksum"),
                              (whole[:20] + b"\2" + whole[21:], "format version 2")]:
            with self.subTest(says):
                state.write_bytes(content)
                self.refused(*self.RUN, "--checkpoint", state, says=[str(state), says])
                self.assertEqual(state.read_bytes(), content)

    def test_what_a_kill_leaves_behind_does_not_matter(self):
        (self.folder / "state.part").write_text("half")
        self.ok(*self.RUN, "--checkpoint", self.folder / "state")
        self.assertEqual([f.name for f in self.folder.iterdir()], ["state"])

    def test_disk_full(self):
        """A limit on the size of files stands for the disk's end."""

        def limit():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))

        for option in ["--checkpoint", "--draws-out", "--json"]:
            with self.subTest(option):
                file = self.folder / f"full{option}.npy"
                run = ["run", "--target", "icg", "--chains", 64, "--warmup", 20, "--draws", 64]
                self.refused(*run, option, file, preexec_fn=limit,
                             says=["cannot write", str(file)])
                self.assertEqual(list(self.folder.iterdir()), [])

    def test_a_checkpoint_that_can_no_longer_be_written_stays_whole(self):
        """The disk fills up between two savings."""
        state = self.folder / "state"
        run = ["run", "--target", "icg", "--chains", 64, "--warmup", 20, "--draws", 6400,
               "--keep-chains", 64, "--checkpoint", state, "--checkpoint-every", 0]

        def limit():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (10 ** 7, 10 ** 7))

        self.refused(*run, preexec_fn=limit, says=["cannot write", str(state)])
        self.assertEqual([f.name for f in self.folder.iterdir()], ["state"])
        self.assertIn("goes on from", self.ok(*run))

    def test_folder_that_cannot_be_written(self):
        folders = [pathlib.Path("/proc/self")]  # which not even root can write
        if os.geteuid() != 0:
            folders.append(self.folder / "mine")
            folders[-1].mkdir(mode=0o555)
        for folder in folders:
            for option in ["--checkpoint", "--draws-out", "--json"]:
                status, out, err = bench(*self.RUN, option, folder / "x")
                self.assertEqual((status, out), (2, ""), "it must say so before it samples")
                self.assertIn(f"cannot write {folder / 'x'}", err)

    def test_more_draws_than_memory_holds(self):
        status, out, err = bench("run", "--target", "eight-schools-nc", "--chains", 1000000,
                                 "--draws", 1000000, "--keep-chains", "all")
        self.assertEqual((status, out), (2, ""))
        self.assertRegex(err, r"needs \S+ TiB of memory.* but \S+ [KMGT]iB can be had: .*"
                              r"--keep-chains.*--thin")

    def test_nonsense(self):
        for arguments, says in [(["--until", "rhat=1.01"], "nested-rhat=X"),
                                (["--until", "ess=-3"], "ess must be a positive number"),
                                (["--until", "ess"], "nested-rhat=X"),
                                (["--until", "nested-rhat=0.99"], "above 1"),
                                (["--until", "nested-rhat=1.01", "--superchain", 512],
                                 "at least 4 superchains"),
                                (["--until", "ess=9", "--draws", 5, "--max-draws", 6],
                                 "leave one out"),
                                (["--max-draws", 6], "--until"),
                                (["--max-hours", -1], "max_hours is -1"),
                                (["--checkpoint-every", -1], "checkpoint_minutes is -1"),
                                (["--checkpoint", "/dev/null"], "ordinary file"),
                                (["--checkpoint", "x", "--json", "x"], "its own file")]:
            with self.subTest(" ".join(map(str, arguments))):
                self.refused("run", "--target", "scg", *arguments, says=says)


class Memory(Case):
    def peak(self, *arguments):
        """The most that a run ever held, KiB."""
        process = start("run", "--target", "eight-schools-nc", "--warmup", 50, *arguments)
        process.stdout.read()
        process.stderr.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        process.stdout.close()
        process.stderr.close()
        self.assertEqual(process.returncode, 0)
        return usage.ru_maxrss

    def test_draws_need_none(self):
        """100,000 chains hold less than 1 GiB, and a longer run holds no more."""
        short = self.peak("--chains", 100000, "--draws", 32)
        longer = self.peak("--chains", 100000, "--draws", 256)
        self.assertLess(longer, 2 ** 20)
        self.assertLess(longer, short + 20 * 1024)  # 256 chains' kept draws: 6 MiB


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    BENCH = os.path.abspath(sys.argv.pop(1))
    unittest.main()
