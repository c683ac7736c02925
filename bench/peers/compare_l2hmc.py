"""Our L2HMC beside its port to JAX (jax_l2hmc.py): rows of transitions and of training steps per second.

Both run ten leapfrog steps with fresh networks of the paper's shape, in float32, and train with the
paper's batch and weight of normal starts. JAX's compilation does not count; for sampling, the faster of
its two compiled forms does.
"""

import json
import pathlib
import subprocess

import verdict

PEER = "JAX"
LEAPFROG = 10
BATCH = 200
ITERATIONS = 500  # of our training, in a timing
SAMPLING, TRAINING = "transitions/s", "training steps/s"


class Absent(Exception):
    """This lockstep-bench cannot do what the comparison asks it for."""


def ours(command, file):
    """What a lockstep-bench command writes to `file`."""
    done = subprocess.run([*map(str, command), "--json", str(file)], capture_output=True, text=True)
    if done.returncode != 0:
        said = done.stderr.strip().splitlines()
        raise Absent(f"`{pathlib.Path(command[0]).name} {' '.join(map(str, command[1:]))}` exits with "
                     f"{done.returncode} ({said[0][:160] if said else 'no message'}): the comparison "
                     "needs a lockstep-bench with `speed --sampler l2hmc` and `train`")
    return json.loads(file.read_text(encoding="utf-8"))


def our_sampling(bench, folder, target, width, chains):
    """Transitions per second."""
    said = ours([bench, "speed", "--target", target, "--sampler", "l2hmc", "--chains", chains,
                 "--leapfrog", LEAPFROG, "--width", width], pathlib.Path(folder) / "speed.json")
    for row in said.get("l2hmc", []):
        if (row["target"], row["chains"], row["leapfrog"]) == (target, chains, LEAPFROG):
            return row["transitions_per_second"]
    raise Absent(f"`speed --target {target} --sampler l2hmc` gives no row of {chains} chains and "
                 f"{LEAPFROG} leapfrog steps")


def our_training(bench, folder, target, width, q_weight):
    """Iterations per second."""
    folder = pathlib.Path(folder)
    said = ours([bench, "train", "--target", target, "--steps", LEAPFROG, "--width", width, "--batch",
                 BATCH, "--noise-weight", q_weight, "--iterations", ITERATIONS, "--threads", 1,
                 "--output", folder / "network.json"], folder / "train.json")
    if "steps_per_second" not in said:
        raise Absent(f"`train --target {target} --json` gives no steps_per_second")
    return said["steps_per_second"]


def compared(repetitions, target, unit, ours_now, case, figures, work):
    """A row; ours and theirs take turns."""
    import jax_hmc

    pairs = []
    for _ in range(repetitions):
        mine = ours_now()
        pairs.append((mine, case.work / jax_hmc.timed(case.run)[0]))
    void = figures["void"] or case.figures()["void"]
    row = verdict.rate_row(target, PEER, unit, *zip(*pairs), void and f"JAX: {void}")
    row.update(work, leapfrog=LEAPFROG, repetitions=repetitions, acceptance_theirs=figures["acceptance"],
               compile_seconds=figures["compile_seconds"])
    return row


def rates(options, folder, target):
    """Rows of one target: sampling with each number of chains, and training."""
    import jax_l2hmc

    law = jax_l2hmc.LAWS[target]

    def sampling(chains):
        def now():
            return our_sampling(options.bench, folder, target, law.width, chains)

        now()  # before JAX compiles anything: a program that cannot says so at once
        case, figures = jax_l2hmc.sampling_case(target, LEAPFROG, law.width, chains)
        return compared(options.repetitions, target, SAMPLING, now, case, figures,
                        dict(chains=chains, width=law.width))

    def training(batch):
        def now():
            return our_training(options.bench, folder, target, law.width, law.q_weight)

        now()
        case = jax_l2hmc.TrainingCase(target, LEAPFROG, law.width, law.q_weight)
        return compared(options.repetitions, target, TRAINING, now, case, jax_l2hmc.measured(case),
                        dict(chains=batch, width=law.width, q_weight=law.q_weight))

    rows = []
    for measure, unit, chains in [*((sampling, SAMPLING, n) for n in options.l2hmc_chains),
                                  (training, TRAINING, BATCH)]:
        try:
            rows.append(measure(chains))
        except Absent as error:  # the other rows still count
            rows.append({**verdict.failed_row(target, PEER, str(error)), "unit": unit,
                         "chains": chains})
    return rows
