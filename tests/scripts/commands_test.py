"""bench/run and tests/run on a machine made of stand-ins: PATH holds nothing else.

Each stand-in writes its command line to a log. The scripts run from a copy, so that nothing in
this tree changes.
"""

import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
TOOLS = "bash cat chmod cp date dirname env grep head ln mkdir nproc printf sed sort tail tr".split()
ALL_HEADERS = ["eigen", "json", "cli", "toml", "gtest", "benchmark", "netcdf", "thrust", "xtl",
               "xsimd 8 1"]

CMAKE = r"""
case $1 in
  --version) echo "cmake version $(cat "$MACHINE/cmake_version")" ;;
  --build)
    [ ! -e "$MACHINE/build_fails" ] || { echo "error: no such semicolon"; exit 1; }
    cp "$MACHINE/program" "$2/lockstep-bench"; chmod +x "$2/lockstep-bench" ;;
  *)
    while [ "$1" != -B ]; do shift; done
    mkdir -p "$2"; : >"$2/CMakeCache.txt" ;;
esac
"""
PROGRAM = r"""#!/usr/bin/env bash
printf '<%s>\n' "$@"
exit "$(cat "$MACHINE/status")"
"""


class Machine:
    """A folder that serves as PATH, and what the stand-ins in it report."""

    def __init__(self, folder):
        self.folder = folder
        self.path = folder / "path"
        self.tree = folder / "tree"
        self.log = folder / "log"
        self.path.mkdir()
        for name in ("bench/setup", "bench/run", "tests/run"):
            target = self.tree / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, target)
        for tool in TOOLS:
            (self.path / tool).symlink_to(shutil.which(tool))
        self.log.write_text("")
        self.set("status", "0")
        self.set("program", PROGRAM)
        self.set("cmake_version", "3.25.1")
        self.headers(*ALL_HEADERS)
        self.stand_in("g++", 'cat "$MACHINE/headers"')
        self.stand_in("cmake", CMAKE)
        self.stand_in("ctest", PROGRAM.split("\n", 1)[1])
        self.stand_in("ninja", "")
        self.stand_in("python3", "")
        self.stand_in("id", "echo 0")
        self.stand_in("dpkg-query", "exit 1")
        self.stand_in("apt-get", "")
        self.stand_in("apt-cache", 'cat "$MACHINE/candidate.$2" 2>/dev/null')

    def set(self, name, text):
        (self.folder / name).write_text(text)

    def headers(self, *names):
        self.set("headers", "".join(f"{name}\n" for name in names))

    def candidate(self, package, version):
        self.set(f"candidate.{package}", f"{package}:\n  Installed: (none)\n  Candidate: {version}\n")

    def stand_in(self, name, body):
        log = f'{{ printf "{name}"; printf " %s" "$@"; echo; }} >>"$MACHINE/log"'
        file = self.path / name
        file.write_text(f"#!{shutil.which('bash')}\n{log}\n{body}\n")
        file.chmod(0o755)

    def remove(self, name):
        (self.path / name).unlink()

    def user(self):
        self.stand_in("id", "echo 1000")

    def run(self, script, *arguments, **environment):
        clean = {"PATH": str(self.path), "MACHINE": str(self.folder), "HOME": str(self.folder)}
        return subprocess.run(
            [shutil.which("bash"), str(self.tree / script), *arguments],
            capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL,
            env={**clean, **environment},
        )

    def calls(self, program):
        return [line for line in self.log.read_text().splitlines() if line.split()[0] == program]


class Commands(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.machine = Machine(pathlib.Path(folder.name))

    def configured(self):
        return [call for call in self.machine.calls("cmake") if " -S " in call]

    def assert_status(self, result, status):
        self.assertEqual(result.returncode, status, result.stdout + result.stderr)

    # ---- arguments and exit statuses

    def test_help(self):
        for script, words in (("bench/run", "lockstep-bench"), ("tests/run", "ctest")):
            for flag in ("--help", "-h"):
                result = self.machine.run(script, flag)
                self.assert_status(result, 0)
                self.assertIn(f"usage: {script}", result.stdout)
                self.assertIn("--no-install", result.stdout)
                self.assertIn(words, result.stdout)
        self.assertEqual(self.machine.calls("cmake"), [])

    def test_arguments_reach_the_program_as_they_are(self):
        result = self.machine.run("bench/run", "run", "--target", "a b", "", "*", "--help")
        self.assert_status(result, 0)
        self.assertEqual(result.stdout, "<run>\n<--target>\n<a b>\n<>\n<*>\n<--help>\n")
        result = self.machine.run("bench/run", "--no-install", "--", "--no-install", "--")
        self.assertEqual(result.stdout, "<--no-install>\n<-->\n")

    def test_without_arguments_the_default_study(self):
        for arguments in ([], ["--no-install"], ["--"]):
            result = self.machine.run("bench/run", *arguments)
            self.assert_status(result, 0)
            self.assertEqual(result.stdout, "<study>\n<default>\n")

    def test_arguments_reach_ctest(self):
        result = self.machine.run("tests/run", "--no-install", "-R", "Philox known|answers", "-N")
        self.assert_status(result, 0)
        given = result.stdout.splitlines()
        self.assertEqual(given[-3:], ["<-R>", "<Philox known|answers>", "<-N>"])
        self.assertIn("<--output-on-failure>", given)
        self.assertIn("<--no-tests=error>", given)
        self.assertIn(f"<{self.machine.tree}/build/release>", given)

    def test_exit_status_is_the_programs(self):
        self.machine.set("status", "130")
        for script in ("bench/run", "tests/run"):
            self.assert_status(self.machine.run(script), 130)

    def test_build_failure(self):
        self.machine.set("build_fails", "")
        result = self.machine.run("bench/run", "run")
        self.assert_status(result, 1)
        self.assertIn("no such semicolon", result.stderr)
        self.assertEqual(result.stdout, "")

    def test_environment(self):
        folder = self.machine.folder / "elsewhere"
        result = self.machine.run("bench/run", BUILD_DIR=str(folder), CMAKE_ARGS="-DA=1 -DB=2")
        self.assert_status(result, 0)
        self.assertTrue((folder / "lockstep-bench").is_file())
        self.assertTrue(self.configured()[0].endswith("-DA=1 -DB=2"), self.configured())

    def test_ninja_is_chosen_once(self):
        self.machine.run("bench/run")
        self.machine.run("bench/run")
        self.assertEqual([("-G Ninja" in call) for call in self.configured()], [True, False])

    # ---- what is missing

    def test_no_install_names_what_is_missing(self):
        for script in ("bench/run", "tests/run"):
            with self.subTest(script):
                self.machine.headers(*ALL_HEADERS[1:])
                result = self.machine.run(script, "--no-install")
                self.assert_status(result, 2)
                self.assertIn("libeigen3-dev", result.stderr)
                self.assertNotIn("libgtest-dev", result.stderr)
                self.assertEqual(self.configured(), [])
                self.assertEqual(self.machine.calls("apt-get"), [])

    def test_root_installs(self):
        self.machine.headers(*ALL_HEADERS[2:])
        result = self.machine.run("bench/run")
        self.assert_status(result, 0)
        update, install = self.machine.calls("apt-get")
        self.assertIn("update", update)
        self.assertTrue(install.endswith(" libeigen3-dev nlohmann-json3-dev"), install)
        self.assertIn("linear algebra", result.stderr)  # says why
        self.assertEqual(result.stdout, "<study>\n<default>\n")

    def test_user_installs_with_sudo(self):
        self.machine.user()
        self.machine.stand_in("sudo", '"$@"')
        self.machine.headers(*[name for name in ALL_HEADERS if name != "gtest"])
        self.assert_status(self.machine.run("tests/run"), 0)
        self.assertTrue(self.machine.calls("sudo")[-1].endswith(" libgtest-dev"))

    def test_user_without_sudo(self):
        self.machine.user()
        self.assert_status(self.machine.run("tests/run"), 0)  # nothing is missing
        self.machine.headers(*ALL_HEADERS[1:])
        result = self.machine.run("tests/run")
        self.assert_status(result, 2)
        self.assertIn("apt-get install libeigen3-dev", result.stderr)
        self.assertEqual(self.machine.calls("apt-get"), [])

    def test_optional_packages_ask_for_no_password(self):
        self.machine.user()
        self.machine.stand_in("sudo", "exit 1")
        self.machine.headers(*[n for n in ALL_HEADERS if n not in ("thrust", "benchmark", "netcdf")])
        for arguments in ([], ["--no-install"]):
            result = self.machine.run("bench/run", *arguments)
            self.assert_status(result, 0)
            self.assertIn("libthrust-dev", result.stderr)
            self.assertIn("libnetcdf-dev", result.stderr)
        self.assertEqual(self.machine.calls("sudo"), [])

    def test_failing_apt(self):
        self.machine.stand_in("apt-get", "exit 100")
        self.machine.headers(*ALL_HEADERS[1:])
        result = self.machine.run("bench/run")
        self.assert_status(result, 2)
        self.assertIn("could not install: libeigen3-dev", result.stderr)
        self.machine.headers(*[n for n in ALL_HEADERS if n != "benchmark"])
        self.assert_status(self.machine.run("bench/run"), 0)  # not needed: goes on

    def test_without_apt(self):
        self.machine.remove("apt-get")
        self.machine.remove("apt-cache")
        self.assert_status(self.machine.run("bench/run"), 0)
        self.machine.headers(*ALL_HEADERS[1:])
        result = self.machine.run("bench/run")
        self.assert_status(result, 2)
        self.assertIn("libeigen3-dev", result.stderr)

    def test_bare_machine(self):
        """Without a compiler to ask for headers, dpkg is asked for packages."""
        for tool in ("g++", "cmake", "ninja", "python3"):
            self.machine.remove(tool)
        self.machine.candidate("cmake", "3.25.1-1")
        result = self.machine.run("bench/run", "--no-install")
        self.assert_status(result, 2)
        for package in ("g++", "cmake", "ninja-build", "python3", "libeigen3-dev", "libcli11-dev",
                        "nlohmann-json3-dev", "libgtest-dev", "libxsimd-dev", "xtl-dev"):
            self.assertIn(f" {package} ", result.stderr.replace("\n", " "))
        self.machine.stand_in("dpkg-query", 'printf "installed"')
        result = self.machine.run("bench/run", "--no-install")
        self.assertNotIn("libeigen3-dev", result.stderr)

    def test_old_xsimd(self):
        self.machine.headers(*ALL_HEADERS[:-1], "xsimd 7 6")
        self.machine.candidate("libxsimd-dev", "7.6.0-2")  # Ubuntu 22.04
        result = self.machine.run("bench/run", "--no-install")
        self.assert_status(result, 0)
        self.assertIn("the build downloads it", result.stderr)
        self.machine.candidate("libxsimd-dev", "8.1.0-7")  # Debian 12
        result = self.machine.run("bench/run", "--no-install")
        self.assert_status(result, 2)
        self.assertIn("libxsimd-dev", result.stderr)
        for version in ("8 1", "9 0", "12 1"):
            self.machine.headers(*ALL_HEADERS[:-1], f"xsimd {version}")
            self.assert_status(self.machine.run("bench/run", "--no-install"), 0)

    def test_old_cmake(self):
        self.machine.set("cmake_version", "3.22.1")
        self.machine.candidate("cmake", "3.22.1-1ubuntu1")
        result = self.machine.run("bench/run", "--no-install")
        self.assert_status(result, 2)
        self.assertIn("3.25", result.stderr)
        # python3 -m venv DIR; DIR/bin/pip install cmake
        self.machine.stand_in("python3", r"""
mkdir -p "$3/bin"
{ echo '#!/usr/bin/env bash'; echo 'echo 3.31.6 >"$MACHINE/cmake_version"'
  echo 'cp "$MACHINE/path/cmake" "${0%pip}cmake"; : >"$MACHINE/pip_ran"'; } >"$3/bin/pip"
chmod +x "$3/bin/pip"
""")
        result = self.machine.run("bench/run")
        self.assert_status(result, 0)
        self.assertTrue((self.machine.folder / "pip_ran").is_file())
        self.assertIn("apt-get", self.machine.log.read_text())  # python3-venv
        self.assertTrue((self.machine.tree / ".venv" / "bin" / "cmake").is_file())

    def test_neither_driver_nor_cuda_is_ever_installed(self):
        self.machine.headers()
        for tool in ("cmake", "ninja"):
            self.machine.remove(tool)
        self.machine.candidate("cmake", "3.25.1-1")
        self.machine.run("bench/run")
        installed = " ".join(self.machine.calls("apt-get"))
        self.assertIn("libeigen3-dev", installed)
        for word in ("cuda", "nvidia"):
            self.assertNotIn(word, installed)

    # ---- the probe itself, with the real compiler

    def test_headers_are_found_under_a_prefix(self):
        prefix = self.machine.folder / "prefix"
        marks = {
            "eigen3/Eigen/Core": "", "nlohmann/json.hpp": "", "CLI/CLI.hpp": "", "gtest/gtest.h": "",
            "benchmark/benchmark.h": "", "netcdf.h": "", "thrust/version.h": "",
            "xtl/xtl_config.hpp": "",
            "xsimd/config/xsimd_config.hpp":
                "#define XSIMD_VERSION_MAJOR 98\n#define XSIMD_VERSION_MINOR 7\n",
        }
        for name, text in marks.items():
            file = prefix / "include" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        for variable, value in (("CMAKE_PREFIX_PATH", f"/nowhere:{prefix}"),
                                ("CMAKE_ARGS", f"-DA=1 -DCMAKE_PREFIX_PATH=/nowhere;{prefix}")):
            result = subprocess.run(
                ["bash", "-c", f"source '{ROOT}/bench/setup'; found_headers"],
                capture_output=True, text=True, timeout=60, env={**os.environ, variable: value},
            )
            self.assertEqual(set(result.stdout.split("\n")) - {""},
                             {*ALL_HEADERS[:-1], "xsimd 98 7"}, result.stderr)


if __name__ == "__main__":
    unittest.main()
