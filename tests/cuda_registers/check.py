"""Registers, stack and spills of the resident kernels on sm_90, read from the compiled code.

Prints a table and fails where a kernel spills that must not, or spills more than the committed
baseline (baseline.json) says. No device is needed.

    check.py [--nvcc NVCC] [--object FILE ...] [--update]

Without --object, the .cu files beside this script are compiled with the project's flags. --object
lists the kernels of object files or libraries instead (all of them, for reading; nothing is
checked). --update rewrites the baseline.
"""

import argparse
import json
import pathlib
import re
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
BASELINE = HERE / "baseline.json"
FLAGS = ["-std=c++20", "-arch=sm_90", "-O3", "-fmad=false", "--expt-relaxed-constexpr",
         "-Xcompiler=-w"]
NO_SPILL_ALONE = 24  # coordinates that one thread must hold without spilling
NO_SPILL_SHARED = {("lockstep::Icg", 4)}


def run(*command):
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{command[0]} failed:\n{done.stderr or done.stdout}")
    return done.stdout + done.stderr


def demangled(names):
    """cu++filt stands beside nvcc; c++filt is as good where it is missing."""
    for tool in ("cu++filt", "c++filt"):
        try:
            done = subprocess.run([tool], input="\n".join(names), capture_output=True, text=True)
        except FileNotFoundError:
            continue
        if done.returncode == 0:
            return dict(zip(names, done.stdout.splitlines()))
    return {name: name for name in names}


def template_arguments(name):
    """The top-level arguments of the first template argument list."""
    start = name.find("<")
    if start < 0:
        return []
    depth, arguments, current = 0, [], ""
    for c in name[start:]:
        if c == "<":
            depth += 1
            if depth == 1:
                continue
        elif c == ">":
            depth -= 1
            if depth == 0:
                return [a.strip() for a in arguments + [current]]
        if c == "," and depth == 1:
            arguments.append(current)
            current = ""
        else:
            current += c
    return []


def integer(text):
    """demanglers write 4 and (int)4."""
    return int(re.sub(r"\(\w+\)", "", text))


def visiting(transition):
    """Which sampler of discontinuous coordinates; Visit is an enumeration, shown by its number."""
    if "Gibbs" in transition:
        return "Gibbs"
    return "Dhmc" if re.search(r"Visit\)0|Visit::laplace", transition) else "Mixed"


class Kernel:
    def __init__(self, name, usage):
        self.name = name
        self.usage = usage
        arguments = template_arguments(name)
        self.target = self.threads = self.dim = None
        self.label = name.split("(")[0]
        if "advance_kernel" in name and len(arguments) == 5:
            self.target = re.sub(r"\(\w+\)", "", arguments[3])
            tile = re.search(r"Tile<(.+?)>", arguments[2])
            self.threads = integer(tile.group(1)) if tile else 1
            if shape := re.search(r"FixedShape<([^,]+),", arguments[4]):
                self.dim = integer(shape.group(1))
            else:
                metric = re.search(r"Metric<\w+, ([^,]+), ([^>]+)>", arguments[4])
                fixed = integer(metric.group(2).replace("true", "1").replace("false", "0"))
                self.dim = integer(metric.group(1)) if fixed else None
            transition = " ".join(re.findall(
                r"RandomWalk|Palindromic|Leapfrog|DenseMetric|PartialRefreshment|L2hmc",
                arguments[4]))
            generator = " curand" if "CurandStream" in arguments[1] else ""
            self.label = (f"{self.target.replace('lockstep::', '')} x{self.threads} "
                          f"{transition}{generator}")
        elif "advance_pairs_kernel" in name:
            self.target = re.sub(r"\(\w+\)", "", arguments[1])
            self.label = f"{self.target.replace('lockstep::', '')} in pairs L2hmc"
        elif "advance_tile_kernel" in name:
            self.target = arguments[1]
            units = " on matrix units" if "MatrixLayers" in name else ""
            self.label = f"{self.target.replace('lockstep::', '')} by tiles{units} L2hmc"
        elif "advance_slices_kernel" in name:
            self.target = re.sub(r"\(\w+\)", "", arguments[1])
            self.label = f"{self.target.replace('lockstep::', '')} in slices {visiting(arguments[2])}"
        elif "advance_zero_one_kernel" in name:
            self.label = f"ZeroOne by tiles {visiting(arguments[2])}"
        elif "train_kernel" in name:
            self.target = arguments[0]
            self.label = f"{self.target.replace('lockstep::', '')} L2hmc training"
        elif "contract_kernel" in name:
            self.label = "L2hmc training: contraction"

    @property
    def spill(self):
        return self.usage["spill_stores"] + self.usage["spill_loads"]

    def must_not_spill(self):
        if self.threads == 1:
            return self.dim is not None and self.dim <= NO_SPILL_ALONE
        return (self.target, self.threads) in NO_SPILL_SHARED


def from_ptxas(text):
    """Kernels of `nvcc -Xptxas -v`."""
    found, name, frame = {}, None, None
    for line in text.splitlines():
        if m := re.search(r"Compiling entry function '(\S+)'", line):
            name = m.group(1)
        elif m := re.search(r"(\d+) bytes stack frame, (\d+) bytes spill stores, "
                            r"(\d+) bytes spill loads", line):
            frame = [int(x) for x in m.groups()]
        elif (m := re.search(r"Used (\d+) registers", line)) and name:
            found[name] = dict(registers=int(m.group(1)), stack=frame[0], spill_stores=frame[1],
                               spill_loads=frame[2])
            name = None
    return found


def from_cuobjdump(text):
    """Kernels of `cuobjdump --dump-resource-usage`, which knows the stack but not the spills."""
    found, name = {}, None
    for line in text.splitlines():
        if m := re.search(r"Function (\S+):", line):
            name = m.group(1)
        elif (m := re.search(r"REG:(\d+) STACK:(\d+)", line)) and name:
            found[name] = dict(registers=int(m.group(1)), stack=int(m.group(2)), spill_stores=0,
                               spill_loads=0)
            name = None
    return found


def kernels_of(usage):
    names = demangled(list(usage))
    return sorted((Kernel(names[n], u) for n, u in usage.items()), key=lambda k: k.label)


def table(kernels, spills=True):
    width = max(len(k.label) for k in kernels)
    lines = [f"{'kernel x threads per chain':{width}}  registers  stack" +
             ("  spill stores  spill loads" if spills else "")]
    for k in kernels:
        u = k.usage
        line = f"{k.label:{width}}  {u['registers']:9d}  {u['stack']:5d}"
        if spills:
            line += f"  {u['spill_stores']:12d}  {u['spill_loads']:11d}"
        lines.append(line)
    return "\n".join(lines)


def complaints(kernels, baseline):
    """One line for each kernel that is worse than it may be."""
    found = []
    for k in kernels:
        allowed = baseline.get(k.label, {}).get("spill", 0)
        if k.must_not_spill() and k.spill > 0:
            found.append(f"{k.label} spills {k.spill} bytes, but must not spill")
        elif k.spill > allowed:
            found.append(f"{k.label} spills {k.spill} bytes, {allowed} in the baseline: restructure "
                         f"it, or accept it with {pathlib.Path(__file__).name} --update")
    seen = {k.label for k in kernels}
    found += [f"{label} is in the baseline but was not compiled" for label in baseline
              if label not in seen]
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nvcc", default="nvcc")
    parser.add_argument("--compiler-version", default="",
                        help="exits 77 (skipped) where it is not of the baseline's major version")
    parser.add_argument("--cuobjdump", default="cuobjdump")
    parser.add_argument("--object", nargs="+", default=[])
    parser.add_argument("--update", action="store_true")
    options = parser.parse_args()

    if options.object:
        usage = {}
        for path in options.object:
            usage.update(from_cuobjdump(run(options.cuobjdump, "--dump-resource-usage", path)))
        print(table(kernels_of(usage), spills=False))
        return

    recorded = json.loads(BASELINE.read_text(encoding="utf-8")) if BASELINE.exists() else {}
    major = options.compiler_version.split(".")[0]
    if major and not options.update and major != recorded["nvcc"]:
        # Another compiler allots registers otherwise, which is no regression of this code.
        print(f"nvcc {options.compiler_version} is not the baseline's nvcc {recorded['nvcc']}")
        sys.exit(77)
    with tempfile.TemporaryDirectory() as folder:
        text = "".join(run(options.nvcc, *FLAGS, "-I", ROOT, "-I", ROOT / "include", "-Xptxas", "-v",
                           "-cubin", "-o", pathlib.Path(folder) / "kernels.cubin", source)
                       for source in sorted(HERE.glob("*.cu")))
    kernels = kernels_of(from_ptxas(text))
    print(table(kernels))
    if not kernels:
        sys.exit("no kernel was found in the compiler's report")
    if options.update:
        version = re.search(r"release (\d+)", run(options.nvcc, "--version")).group(1)
        content = {"nvcc": version,
                   "kernels": {k.label: dict(registers=k.usage["registers"], spill=k.spill)
                               for k in kernels}}
        BASELINE.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
        return
    found = complaints(kernels, recorded["kernels"])
    if found:
        sys.exit("\n".join(found))


if __name__ == "__main__":
    main()
