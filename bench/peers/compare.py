#!/usr/bin/env python3
"""Lockstep beside NumPyro and BlackJAX on one CPU core, in one run. bench/peers/run sets it up.

Speed: the same target, static HMC, step size, leapfrog steps, metric, float32, number of chains and
burn-in in each, from starts of the same law. Repetitions are interleaved (ours, NumPyro, BlackJAX,
ours, ...); a ratio is ours over theirs within a repetition; its median and quartiles count. ESS is
ArviZ's bulk ESS of the worst parameter, of the same number of kept chains in each, scaled to all
chains. A row is void where the mean acceptance differs by more than 0.01, or a first or second moment
by more than 4 combined standard errors (between chains, which are independent).

Cold start: from process start (imports, compilation, warm-up, all) to nested R-hat < 1.01 of ours,
and to split R-hat < 1.01 of NumPyro's NUTS and HMC with the settings it recommends; the seconds, and
the gradients per chain spent until then. Both are looked at after the same numbers of draws.

L2HMC: transitions per second with the paper's networks, and training steps per second, beside the same
in jitted JAX; a row is void where the port does not leave the target as it is.

Exit status 2: something needed is missing. 1: a row failed or is void.
"""

import argparse
import datetime
import importlib.metadata
import json
import os
import pathlib
import platform
import subprocess
import sys
import tempfile
import time

FOLDER = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER))
import cases  # noqa: E402
import compare_l2hmc  # noqa: E402
import verdict  # noqa: E402
from cold_start import CHECKS  # noqa: E402

PACKAGES = ["jax", "numpyro", "blackjax", "arviz", "numpy"]
RHAT = 1.01


def one_core(core):
    """Pins this process, and so all it starts, to a core; XLA and OpenMP to one thread."""
    if hasattr(os, "sched_setaffinity"):
        allowed = sorted(os.sched_getaffinity(0))
        core = allowed[-1] if core is None else core
        if core not in allowed:
            sys.exit(f"compare.py: --core {core} is not one of this process's: {allowed}")
        os.sched_setaffinity(0, {core})
    os.environ["XLA_FLAGS"] = (os.environ.get("XLA_FLAGS", "") +
                               " --xla_cpu_multi_thread_eigen=false").strip()
    os.environ["JAX_PLATFORMS"] = "cpu"
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[variable] = "1"


def processor():
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as lines:
            return next(line.split(":", 1)[1].strip() for line in lines if "model name" in line)
    except (OSError, StopIteration):
        return platform.processor() or "unknown"


def figures(drawn, setting, chains):
    """What verdict.py compares, of one repetition."""
    import arviz
    import numpy as np

    x = np.array(drawn.draws, np.float64)  # [kept][draws][parameters]
    for j in setting.folded:
        x[..., j] = np.abs(x[..., j])
    means = np.concatenate([x.mean(axis=1), (x * x).mean(axis=1)], axis=1)  # of each chain
    errors = means.std(axis=0, ddof=1) / np.sqrt(len(x))
    ess = min(float(arviz.ess(x[..., j], method="bulk")) for j in range(x.shape[2]))
    return dict(seconds=drawn.seconds, cpu_seconds=drawn.cpu_seconds, ess=ess * chains / len(x), acceptance=drawn.acceptance,
                moments=means.mean(axis=0).tolist(), errors=errors.tolist())


def efficiency(options, folder, target):
    """Rows of one target, one for each peer."""
    import dataclasses

    import samplers

    setting = cases.SETTINGS[target]
    if options.quick:
        setting = dataclasses.replace(setting, draws=max(100, setting.draws // 10))
    kept = min(options.keep_chains, options.chains)
    ours = samplers.Lockstep(options.bench, folder, target, setting, options.chains, kept)
    peers, failures = [], {}
    for make in (samplers.NumPyro, samplers.BlackJax):
        if make.name in options.peer:
            try:
                peers.append(make(target, setting, options.chains, kept))
            except Exception as error:  # one peer that fails must not lose the other
                failures[make.name] = f"{type(error).__name__}: {str(error)[:200]}"
    done = {sampler.name: [] for sampler in [ours, *peers]}
    for repetition in range(options.repetitions):
        for sampler in [ours, *peers]:
            drawn = sampler.run(1000 * repetition + 17)
            done[sampler.name].append(figures(drawn, setting, options.chains))
    rows = []
    for peer in peers:
        row = verdict.efficiency_row(target, peer.name, done[ours.name], done[peer.name])
        row.update(compile_seconds=peer.compile_seconds, chains=options.chains,
                   repetitions=options.repetitions, **dataclasses.asdict(setting))
        rows.append(row)
    return rows + [verdict.failed_row(target, *failure) for failure in failures.items()]


def our_cold_start(options, folder, target, seed):
    """After how many draws nested R-hat is below the bound: each try is a run from the start, and the
    last one, which has just enough, is what counts."""
    import samplers

    file = pathlib.Path(folder) / "cold.json"
    for draws in CHECKS:
        began = time.time()
        samplers.run_lockstep(
            [str(options.bench), "run", "--target", target, "--backend", "cpu", "--threads", "1",
             "--chains", "1024", "--draws", str(draws), "--seed", str(seed), "--json", str(file)])
        seconds = time.time() - began
        said = json.loads(file.read_text(encoding="utf-8"))
        rhat = max(p["nested_rhat"] for p in said["parameters"])
        if rhat < RHAT:
            break
    spent = said["gradients"]
    return dict(gradients=spent["warmup"] + spent["sampling"], warmup_gradients=spent["warmup"],
                draws=draws, rhat=rhat, converged=rhat < RHAT, seconds=seconds)


def their_cold_start(options, target, sampler, seed):
    done = subprocess.run(
        [sys.executable, "-B", str(FOLDER / "cold_start.py"), "--target", target,
         "--sampler", sampler, "--chains", str(options.cold_chains),
         "--warmup", str(options.cold_warmup), "--seed", str(seed), "--rhat", str(RHAT),
         "--began", repr(time.time())], capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(done.stderr.strip().splitlines()[-1][:200] if done.stderr else "failed")
    return json.loads(done.stdout.splitlines()[-1])


def cold_start(options, folder, target):
    ours = [our_cold_start(options, folder, target, seed) for seed in options.seeds]
    rows = []
    for sampler in options.cold_samplers:
        name = f"NumPyro {sampler.upper()}"
        try:
            theirs = [their_cold_start(options, target, sampler, seed) for seed in options.seeds]
            row = verdict.cold_row(target, name, ours, theirs)
            row.update(chains_ours=1024, chains_theirs=options.cold_chains, of_ours=ours,
                       of_theirs=theirs)
        except RuntimeError as error:
            row = verdict.failed_row(target, name, str(error))
        rows.append(row)
    return rows


def arguments(argv):
    parser = argparse.ArgumentParser(prog="bench/peers/run", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bench", required=True, type=pathlib.Path, metavar="PATH",
                        help="lockstep-bench")
    parser.add_argument("--part", choices=["speed", "cold", "l2hmc", "all"], default="all")
    parser.add_argument("--target", nargs="+", metavar="NAME", help="only these")
    parser.add_argument("--peer", nargs="+", choices=["NumPyro", "BlackJAX"],
                        default=["NumPyro", "BlackJAX"])
    parser.add_argument("--chains", type=int, default=1024)
    parser.add_argument("--keep-chains", type=int, default=64, metavar="N",
                        help="chains whose draws every library keeps, for ESS and moments [64]")
    parser.add_argument("--repetitions", type=int, metavar="N", help="[5; quick: 3]")
    parser.add_argument("--seeds", type=int, nargs="+", metavar="SEED",
                        help="of cold starts [1 2 3 4 5; quick: 1]")
    parser.add_argument("--cold-chains", type=int, metavar="N", default=64,
                        help="chains of NumPyro in cold starts; gradients per chain do not depend on "
                             "it [64]")
    parser.add_argument("--cold-warmup", type=int, metavar="N", default=1000,
                        help="its warm-up [1000, as it recommends]")
    parser.add_argument("--cold-samplers", nargs="+", choices=["nuts", "hmc"],
                        default=["nuts", "hmc"])
    parser.add_argument("--l2hmc-chains", type=int, nargs="+", metavar="N",
                        help="[200 1024 16384; quick: 1024]")
    parser.add_argument("--core", type=int, help="the one core all run on [the last]")
    parser.add_argument("--quick", action="store_true", help="a tenth of the draws, 3 repetitions")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="all rows")
    parser.add_argument("--report", type=pathlib.Path, metavar="FILE", help="the tables, Markdown")
    options = parser.parse_args(argv)
    known = {*cases.SETTINGS, *cases.COLD_TARGETS}
    for name in options.target or []:
        if name not in known:
            parser.error(f"no target is called {name!r}: choose from {', '.join(sorted(known))}")
    for name in ("chains", "keep_chains", "repetitions", "cold_chains", "cold_warmup"):
        value = getattr(options, name)
        if value is not None and value < 1:
            parser.error(f"--{name.replace('_', '-')} is {value}: give a positive number")
    for name in ("chains", "keep_chains"):
        if getattr(options, name) < 4:
            parser.error(f"--{name.replace('_', '-')} is {getattr(options, name)}: give at least 4")
    if not os.access(options.bench, os.X_OK) or options.bench.is_dir():
        parser.error(f"--bench {options.bench} is not a program: build lockstep-bench")
    for chains in options.l2hmc_chains or []:
        if chains < 4:
            parser.error(f"--l2hmc-chains is {chains}: give at least 4")
    options.l2hmc_chains = options.l2hmc_chains or ([1024] if options.quick else [200, 1024, 16384])
    options.repetitions = options.repetitions or (3 if options.quick else 5)
    options.seeds = options.seeds or ([1] if options.quick else [1, 2, 3, 4, 5])
    return options


def missing_packages():
    absent = []
    for package in PACKAGES:
        try:
            __import__(package)
        except ImportError as error:
            absent.append(f"{package} ({error})")
    return absent


def document(options):
    versions = {package: importlib.metadata.version(package) for package in PACKAGES}
    said = subprocess.run([str(options.bench), "--version"], capture_output=True, text=True)
    versions["lockstep"] = said.stdout.strip() or "unknown"
    return dict(date=datetime.date.today().isoformat(), processor=processor(), cores=1,
                versions=versions, speed=[], cold=[], l2hmc=[])


def markdown(results):
    versions = ", ".join(f"{name} {version}" for name, version in results["versions"].items())
    text = (f"# Lockstep and its peers on one core\n\n{results['date']}; {results['processor']}, one "
            f"core for all; {versions}.\n")
    if results["speed"]:
        text += ("\n## The same static HMC: ESS per second\n\nMedians over interleaved repetitions, "
                 "quartiles of the ratio. That of CPU time, which other processes do not stretch, is "
                 "a lower bound, and a weak one with --quick: our summary and files count as ours.\n\n"
                 + verdict.efficiency_table(results["speed"]))
    if results["cold"]:
        text += (f"\n## From process start to R-hat < {RHAT}\n\nGradients per chain, median over "
                 "seeds; ours: 1024 chains, nested R-hat, default settings; NumPyro: "
                 f"{results['cold'][0].get('chains_theirs', '-')} vectorised chains, split R-hat.\n\n"
                 + verdict.cold_table(results["cold"]))
    if results["l2hmc"]:
        text += ("\n## L2HMC, and its port to jitted JAX\n\nTen leapfrog steps; networks of 10 units, "
                 "icg of 100. Medians over interleaved repetitions, quartiles of the ratio.\n\n"
                 + verdict.rate_table(results["l2hmc"]))
    return text


def save(options, results):
    """After each target, so that an interrupted run leaves what is done."""
    if options.json:
        options.json.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    if options.report:
        options.report.write_text(markdown(results), encoding="utf-8")


def main(argv=None):
    options = arguments(argv)
    one_core(options.core)
    absent = missing_packages()
    if absent:
        print(f"compare.py: not importable in {sys.executable}: {'; '.join(absent)}; "
              "bench/peers/run makes an environment that has them", file=sys.stderr)
        return 2
    results = document(options)
    parts = {"speed": (efficiency, list(cases.SETTINGS)), "cold": (cold_start, cases.COLD_TARGETS),
             "l2hmc": (compare_l2hmc.rates, cases.L2HMC_TARGETS)}
    with tempfile.TemporaryDirectory(prefix="lockstep-peers-") as folder:
        for part, (compare, targets) in parts.items():
            if options.part not in (part, "all"):
                continue
            for target in targets:
                if options.target and target not in options.target:
                    continue
                print(f"{part}: {target}", file=sys.stderr, flush=True)
                try:
                    results[part] += compare(options, folder, target)
                except Exception as error:  # the other targets still count
                    reason = f"{type(error).__name__}: {str(error)[:300]}"
                    print(f"{target}: {reason}", file=sys.stderr)
                    results[part].append(verdict.failed_row(target, "all", reason))
                save(options, results)
    print(markdown(results))
    return 1 if any(row["void"] for part in parts for row in results[part]) else 0


if __name__ == "__main__":
    sys.exit(main())
