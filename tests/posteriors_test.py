#!/usr/bin/env python3
"""`lockstep-bench study posteriors` for one target: every figure of its references within four
combined standard errors. usage: posteriors_test.py LOCKSTEP_BENCH TARGET [CHAINS]

Exit status 77, which ctest counts as skipped: the data are not on this machine."""

import json
import pathlib
import subprocess
import sys
import tempfile

LIMIT = 4.0  # combined Monte Carlo standard errors
CONVERGED = 1.01  # nested R-hat
SHARP = 0.03  # a run whose own errors are larger, in standard deviations, proves nothing


def main():
    bench, target, *chains = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder, "study.json")
        command = [bench, "study", "posteriors", "--only", target, "--backend", "cpu", "--json",
                   str(file)] + (["--chains", chains[0]] if chains else [])
        done = subprocess.run(command, capture_output=True, text=True)
        print(done.stdout + done.stderr)
        if done.returncode != 0:
            return done.returncode
        study = json.loads(file.read_text())
    if any(note.startswith(f"{target}: left out") for note in study["notes"]):
        return 77
    values = {}
    for row in study["rows"]:
        values.setdefault(row["case"], {})[row["metric"]] = row["value"]
    failed = not values
    for case, figures in values.items():
        if "DO_NOT_USE" in case:  # known to be wrong: a sampler that reproduces it is, too
            failed |= figures["worst_z"] < LIMIT
            continue
        # A missing figure is null, and fails.
        failed |= not (figures["figures"] > 0 and figures["worst_z"] is not None
                       and figures["worst_z"] < LIMIT
                       and figures["nested_rhat_max"] < CONVERGED
                       and figures["own_error_in_sd"] < SHARP)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
