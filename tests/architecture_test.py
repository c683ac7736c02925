"""The shape of the tree: includes follow the arrows, and every header compiles alone.

    bench, tests -> host -> kernels -> include
    kernels: instantiate -> launch -> {transitions, statistics}
             transitions -> integrators -> {energy, targets, networks} -> {autodiff, random} -> lane
             statistics -> lane

An arrow may be followed any number of times: transitions may include lane. A room includes its own
files freely. The public face (lockstep.hpp, sampler.hpp, l2hmc.hpp, dhmc.hpp, concepts.hpp) pulls
kernels in, because a user's target is compiled with them.
"""

import concurrent.futures
import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[1]
SOURCES = {".hpp", ".cuh", ".cpp", ".cu"}
INCLUDE = re.compile(r'^\s*#\s*include\s*(?:"([^"]+)"|<([^>]+)>)', re.MULTILINE)
PUBLIC_FACE = {"lockstep.hpp", "sampler.hpp", "l2hmc.hpp", "dhmc.hpp", "concepts.hpp"}
# What includes the public face would include itself.
CLOSED_TO_KERNELS = {"lockstep/lockstep.hpp", "lockstep/sampler.hpp", "lockstep/l2hmc.hpp",
                     "lockstep/dhmc.hpp"}

KERNEL_ARROWS = {
    "lane": [],
    "random": ["lane"],
    "autodiff": ["lane"],
    "energy": ["autodiff", "random"],
    "targets": ["autodiff", "random"],
    "networks": ["autodiff", "random"],
    "integrators": ["energy", "targets", "networks"],
    "transitions": ["integrators"],
    "statistics": ["lane"],
    "launch": ["transitions", "statistics", "random"],
    "instantiate": ["launch"],
}
TREE_ARROWS = {
    "include": [],
    "kernels": ["include"],
    "host": ["kernels"],
    "bench": ["host"],
    "tests": ["host"],
}


def reachable(arrows, start):
    found, todo = {start}, [start]
    while todo:
        for target in arrows[todo.pop()]:
            if target not in found:
                found.add(target)
                todo.append(target)
    return found


def sources(root):
    for top in TREE_ARROWS:
        for path in sorted((root / top).rglob("*")):
            # tests/consumer is a project of its own.
            if path.suffix in SOURCES and path.parts[len(root.parts) + 1] != "consumer":
                yield path.relative_to(root)


def located(include):
    """Top folder of an include as it is written, None for a foreign one."""
    top = include.split("/", 1)[0]
    return "include" if top == "lockstep" else top if top in TREE_ARROWS else None


def violations(root):
    """One line for each include that runs against an arrow."""
    for file in sources(root):
        text = (root / file).read_text(encoding="utf-8")
        top, room = file.parts[0], file.parts[1]
        if top == "kernels" and (len(file.parts) < 3 or room not in KERNEL_ARROWS):
            yield f"{file}: kernels/ has no room '{room}'; the arrows in this test name them all"
            continue
        for quoted, angled in INCLUDE.findall(text):
            include = quoted or angled
            target = located(include)
            if quoted and target is None:
                yield f'{file}: "{include}" is not written from the root of the tree'
            elif target is not None:
                if quoted and not exists(root, include):
                    yield f'{file}: "{include}" does not exist'
                elif not may_include(file, include, target):
                    yield f'{file}: may not include "{include}"'
            elif foreign_to(top, include):
                yield f"{file}: <{include}> does not belong in {top}/"


def exists(root, include):
    return (root / include).is_file() or (root / "include" / include).is_file()


def may_include(file, include, target):
    top = file.parts[0]
    if top == "include" and target == "kernels":
        return file.name in PUBLIC_FACE and not include.startswith("kernels/instantiate/")
    if target not in reachable(TREE_ARROWS, top):
        return False
    if top == "kernels" and include in CLOSED_TO_KERNELS:
        return False
    if top == "kernels" and target == "kernels":
        return include.split("/")[1] in reachable(KERNEL_ARROWS, file.parts[1])
    return True


def foreign_to(top, include):
    """The public face shows no dependency; what one chain does needs no host library."""
    library = include.split("/", 1)[0]
    if top == "include":
        return library in {"Eigen", "xsimd", "thrust", "cub", "nlohmann", "CLI"} or re.match(
            r"cu(da|rand|blas)", library
        )
    return top == "kernels" and library in {"Eigen", "nlohmann", "CLI"}


def cycles(root):
    """Include cycles, each as the path that closes."""
    graph = {}
    for file in sources(root):
        text = (root / file).read_text(encoding="utf-8")
        names = [quoted for quoted, _ in INCLUDE.findall(text) if quoted]
        graph[str(file)] = [f"include/{n}" if n.startswith("lockstep/") else n for n in names]
    state = {}

    def visit(node, path):
        state[node] = "open"
        for target in graph.get(node, []):
            if state.get(target) == "open":
                yield " -> ".join(path[path.index(target) :] + [target])
            elif target not in state:
                yield from visit(target, path + [target])
        state[node] = "done"

    for node in graph:
        if node not in state:
            yield from visit(node, [node])


class Arrows(unittest.TestCase):
    def test_includes_follow_the_arrows(self):
        found = list(violations(ROOT))
        self.assertEqual(found, [], "\n" + "\n".join(found))

    def test_no_include_cycles(self):
        found = list(cycles(ROOT))
        self.assertEqual(found, [], "\n" + "\n".join(found))

    def test_there_is_something_to_look_at(self):
        for top in ("include", "kernels", "host"):
            self.assertTrue([file for file in sources(ROOT) if file.parts[0] == top], top)


class ArrowsCatch(unittest.TestCase):
    """The checker itself, on trees made to break one rule each."""

    def tree(self, **files):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        # Always there, so that an include of them is judged by its direction alone.
        existing = ["kernels/lane/lane.hpp", "kernels/transitions/hmc.hpp", "host/registry.hpp",
                    "kernels/launch/cpu.hpp", "kernels/random/philox.hpp", "tests/helper.hpp",
                    "include/lockstep/lockstep.hpp", "include/lockstep/error.hpp"]
        root = pathlib.Path(folder.name)
        for name in existing:
            self.write(root / name, "#pragma once\n")
        for name, text in files.items():
            self.write(root / name, text)
        return root

    @staticmethod
    def write(path, text):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def test_wrong_directions(self):
        for file, include in (
            ("kernels/lane/x.hpp", '"kernels/random/philox.hpp"'),
            ("kernels/statistics/x.hpp", '"kernels/launch/cpu.hpp"'),
            ("kernels/integrators/x.hpp", '"kernels/transitions/hmc.hpp"'),
            ("kernels/transitions/x.hpp", '"kernels/launch/cpu.hpp"'),
            ("kernels/targets/x.hpp", '"host/registry.hpp"'),
            ("kernels/targets/x.hpp", '"lockstep/lockstep.hpp"'),
            ("kernels/targets/x.hpp", "<Eigen/Core>"),
            ("kernels/nowhere/x.hpp", '"kernels/lane/lane.hpp"'),
            ("kernels/x.hpp", '"kernels/lane/lane.hpp"'),
            ("include/lockstep/x.hpp", '"kernels/lane/lane.hpp"'),
            ("include/lockstep/x.hpp", '"host/registry.hpp"'),
            ("include/lockstep/x.hpp", "<cuda_runtime.h>"),
            ("host/x.cpp", '"tests/helper.hpp"'),
            ("host/x.cpp", '"registry.hpp"'),
            ("host/x.cpp", '"host/absent.hpp"'),
        ):
            with self.subTest(f"{file} {include}"):
                root = self.tree(**{file: f"#pragma once\n  # include {include}\n"})
                self.assertEqual(len(list(violations(root))), 1)

    def test_right_directions(self):
        for file, include in (
            ("kernels/instantiate/x.cpp", '"kernels/launch/cpu.hpp"'),
            ("kernels/launch/x.cuh", '"kernels/transitions/hmc.hpp"'),
            ("kernels/transitions/x.hpp", '"kernels/lane/lane.hpp"'),
            ("kernels/lane/x.hpp", '"lockstep/error.hpp"'),
            ("include/lockstep/sampler.hpp", '"kernels/launch/cpu.hpp"'),
            ("host/x.cpp", '"kernels/launch/cpu.hpp"'),
            ("host/x.cpp", "<Eigen/Core>"),
            ("tests/x_test.cpp", '"tests/helper.hpp"'),
            ("bench/cli/x.cpp", '"host/registry.hpp"'),
        ):
            with self.subTest(f"{file} {include}"):
                root = self.tree(**{file: f"#include {include}\n"})
                self.assertEqual(list(violations(root)), [])

    def test_cycle(self):
        root = self.tree(**{
            "kernels/lane/a.hpp": '#include "kernels/lane/b.hpp"\n',
            "kernels/lane/b.hpp": '#include "kernels/lane/a.hpp"\n',
        })
        self.assertEqual(len(list(cycles(root))), 1)


def compiler_command():
    return [
        *shlex.split(os.environ.get("LOCKSTEP_CXX", "g++")), "-std=c++20", "-Wall", "-Wextra",
        "-Wpedantic", "-fopenmp", f"-I{ROOT / 'include'}", f"-I{ROOT}",
        *shlex.split(os.environ.get("LOCKSTEP_CXX_FLAGS", "")),
    ]


def compile_alone(header, prelude):
    """Diagnostics of a unit that includes just this header, "" when it compiles."""
    include = header.relative_to("include") if header.parts[0] == "include" else header
    command = [*compiler_command(), "-fsyntax-only", *prelude, "-x", "c++", "-"]
    result = subprocess.run(
        command, input=f'#include "{include}"\n', capture_output=True, text=True, timeout=300
    )
    return result.stderr if result.returncode or result.stderr else ""


def brings_in_xsimd(root):
    """The files that include xsimd, directly or through others."""
    graph, found = {}, set()
    for file in sources(root):
        text = (root / file).read_text(encoding="utf-8")
        for quoted, angled in INCLUDE.findall(text):
            if angled.startswith("xsimd/"):
                found.add(str(file))
            name = f"include/{quoted}" if quoted.startswith("lockstep/") else quoted
            graph.setdefault(name, set()).add(str(file))
    todo = list(found)
    while todo:
        for file in graph.get(todo.pop(), ()):
            if file not in found:
                found.add(file)
                todo.append(file)
    return found


class Headers(unittest.TestCase):
    def xsimd_prelude(self):
        """xsimd precompiled: nine tenths of the work, and only for headers that include it anyway,
        so that nothing a header forgot is hidden."""
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        header = pathlib.Path(folder.name, "prelude.hpp")
        header.write_text("#include <xsimd/xsimd.hpp>\n")
        subprocess.run(
            [*compiler_command(), "-w", "-x", "c++-header", header, "-o", f"{header}.gch"],
            check=True, timeout=300,
        )
        return ["-include", str(header)]

    def test_each_compiles_alone(self):
        headers = [
            file for file in sources(ROOT)
            if file.suffix == ".hpp" and file.parts[0] in ("include", "kernels")
        ]
        self.assertTrue(headers)
        with_xsimd = brings_in_xsimd(ROOT)
        prelude = self.xsimd_prelude() if with_xsimd else []
        preludes = [prelude if str(header) in with_xsimd else [] for header in headers]
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            for header, problems in zip(headers, pool.map(compile_alone, headers, preludes)):
                with self.subTest(str(header)):
                    self.assertEqual(problems, "", f"\n{problems}")

    def test_each_is_included_once(self):
        for file in sources(ROOT):
            if file.suffix in (".hpp", ".cuh"):
                with self.subTest(str(file)):
                    self.assertIn("#pragma once", (ROOT / file).read_text(encoding="utf-8"))


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    unittest.main()
