#!/usr/bin/env python3
"""L2HMC in jitted JAX, sampling and training, timed on whatever device JAX finds, a CPU included.

The best port we know how to write (l2hmc_model.py), so that a ratio to it means something: chains along
the last axis; each chain evaluates its own direction only; the gradient at the end of a step, and what V
makes of it, serve the next one; Adam on one flat vector. All of a timing is one compiled program
(lax.fori_loop), compilation is timed apart, and the median of at least 5 timings of at least 0.3 s is
taken. Sampling runs with the leapfrog loop rolled and unrolled, and the faster one counts; training
only rolled, since its ten steps take minutes to compile and come out slower. Float32, products in full
precision. Number of threads: the environment's (bench/peers/run pins all to one core).

Sampling is timed with networks as training finds them: random, of the reference's initial scale. It
starts from exact draws, so all that follows has the target's law: a row whose first or second moments
are more than 5 standard errors from the truth, or whose acceptances break detailed balance by as much,
is void. --train trains in earnest, then measures ESS as the paper defines it, over its 200 chains x 2000
transitions from exact draws.

Targets: scg (variances 1e2, 1e-2), scg-notebook (1e2, 1e-1), mog and rough-well with networks of 10
units, icg with 100. No annealing of mog's temperature.

Exit status: 0; 1, a check failed or a row is void; 2, JAX is not installed or an argument is wrong.
"""

import argparse
import functools
import json
import sys
import time

try:
    import jax
    import jax.numpy as jnp
    import numpy as np

    import l2hmc_model as model
    from l2hmc_laws import LAWS, ess_per_step, standard_errors
except ImportError as error:
    if __name__ != "__main__":
        raise
    print(f"jax_l2hmc: JAX is not installed: {error}", file=sys.stderr)
    sys.exit(2)
from jax_hmc import timed  # noqa: E402

jax.config.update("jax_default_matmul_precision", "highest")  # no TF32

BOUND = 5  # standard errors
BLOCK = 500  # training steps between two lines
EVALUATION_CHAINS, EVALUATION_TRANSITIONS = 200, 2000


class SamplingCase:
    """A compiled sampler and exact starts; its unit of work is a chain's transition."""

    def __init__(self, name, leapfrog, width, unroll, chains):
        self.law, self.work = LAWS[name], chains
        self.sampler = model.sampler(functools.partial(self.law.potential, jnp),
                                     model.random_masks(5, leapfrog, self.law.dim), unroll)
        self.parameters = model.initial_parameters(jax.random.PRNGKey(1), self.law.dim, width)
        self.starts = jnp.asarray(self.law.draw(np.random.default_rng(2), chains), jnp.float32)

    def run(self, seed, transitions):
        self.transitions = transitions
        self.result = jax.block_until_ready(self.sampler(
            self.parameters, jax.random.PRNGKey(seed), self.starts, transitions))

    def figures(self):
        """Of the last run."""
        balance, moments = standard_errors(self.law, *self.result, self.transitions)
        worst = max(balance, moments)
        return dict(acceptance=float(jnp.mean(self.result[1][0])) / self.transitions,
                    balance_z=balance, moment_z=moments,
                    void=None if worst <= BOUND else f"{worst:.1f} standard errors from the target")


class TrainingCase:
    """A compiled training and its start; its unit of work is a step of all its chains."""

    work = 1

    def __init__(self, name, leapfrog, width, q_weight, step_size=0.1, seed=0):
        self.law = LAWS[name]
        self.masks = model.random_masks(seed, leapfrog, self.law.dim)
        self.potential = functools.partial(self.law.potential, jnp)
        self.trainer = model.Trainer(self.potential, self.law.dim, width, self.masks, q_weight,
                                     step_size)
        self.start = self.trainer.begin(seed)

    def run(self, seed, steps):
        start = {**self.start, "key": jax.random.PRNGKey(seed)}
        self.result = jax.block_until_ready(self.trainer.run(start, steps))

    def figures(self):
        finite = bool(jnp.isfinite(self.result["loss"]))
        return dict(acceptance=float(self.result["acceptance"]), skipped=int(self.result["skipped"]),
                    void=None if finite and self.result["skipped"] == 0 else "gradients not finite")


def measured(case):
    """Figures of a case, timed."""
    seconds, first, _ = timed(case.run)
    return dict(compile_seconds=first, rate=case.work / seconds, **case.figures())


def sampling_case(name, leapfrog, width, chains):
    """(case, figures) of the rolled or the unrolled leapfrog loop, whichever is faster."""
    best = None
    for unroll in dict.fromkeys((1, leapfrog)):
        case = SamplingCase(name, leapfrog, width, unroll, chains)
        figures = dict(unroll=unroll, **measured(case))
        if best is None or figures["rate"] > best[1]["rate"]:
            best = case, figures
    return best


def train(name, leapfrog, width, q_weight, step_size, steps, seed):
    """Trains, prints on the way, and measures ESS per transition; a row."""
    case = TrainingCase(name, leapfrog, width, q_weight, step_size, seed)
    state, begin = case.start, time.perf_counter()
    for at in range(0, steps, BLOCK):
        state = jax.block_until_ready(case.trainer.run(state, min(BLOCK, steps - at)))
        parameters = case.trainer.unravel(state["parameters"])
        print(f"{name}: {int(state['iteration'])} steps, loss {float(state['loss']):.4g}, acceptance "
              f"{float(state['acceptance']):.3f}, step size "
              f"{float(jnp.exp(parameters['log_step'])):.4g}", file=sys.stderr, flush=True)
    seconds = time.perf_counter() - begin
    law, rng = case.law, np.random.default_rng(seed)
    starts = jnp.asarray(law.draw(rng, EVALUATION_CHAINS), jnp.float32)
    draws = np.asarray(model.draws(case.potential, case.masks, parameters, jax.random.PRNGKey(seed),
                                   starts, EVALUATION_TRANSITIONS))
    row = dict(kind="trained", seed=seed, steps=steps, seconds=seconds, skipped=int(state["skipped"]),
               step_size=float(jnp.exp(parameters["log_step"])),
               ess_per_step=ess_per_step(draws, sum(law.variances)),
               ess_per_step_unnormalised=ess_per_step(draws, 1.0),
               void=None if np.isfinite(draws).all() else "draws not finite")
    as_plotted = (f" (autocovariance not divided by the variance, as the authors plotted it: "
                  f"{row['ess_per_step_unnormalised']:.4g})" if name == "rough-well" else "")
    print(f"{name}, seed {seed}: {steps} steps in {seconds:.1f} s with compilation; ESS per transition "
          f"{row['ess_per_step']:.4g}{as_plotted}", flush=True)
    return row


def positive(text):
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{value}: give a positive number")
    return value


def arguments(argv):
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--target", nargs="+", default=["scg"], choices=list(LAWS))
    parser.add_argument("--part", nargs="+", choices=["sampling", "training"],
                        default=["sampling", "training"], help="what to time [both]")
    parser.add_argument("--chains", nargs="+", type=positive, default=[200, 1024, 16384])
    parser.add_argument("--leapfrog", type=positive, default=10, help="steps of a trajectory [10]")
    parser.add_argument("--width", type=positive, help="hidden units [10; icg: 100]")
    parser.add_argument("--q-weight", type=float, metavar="W", help="of the loss of fresh normal "
                        "starts, lambda_b [the paper's: 1 for mog and rough-well, else 0]")
    parser.add_argument("--step-size", type=float, default=0.1, metavar="EPS",
                        help="before training [0.1]")
    parser.add_argument("--train", type=positive, metavar="N",
                        help="train for N steps and measure ESS; time nothing else")
    parser.add_argument("--seed", nargs="+", type=int, default=[1], help="of --train [1]")
    parser.add_argument("--check", action="store_true", help="check the port in float64, and end")
    parser.add_argument("--json", metavar="FILE")
    return parser.parse_args(argv)


def rows_of(options, name):
    """Yields functions that measure a row each."""
    law = LAWS[name]
    width = options.width or law.width
    q_weight = law.q_weight if options.q_weight is None else options.q_weight
    about = dict(target=name, leapfrog=options.leapfrog, width=width)

    def trained(seed):
        return dict(about, q_weight=q_weight, **train(name, options.leapfrog, width, q_weight,
                                                      options.step_size, options.train, seed))

    def sampling(chains):
        row = sampling_case(name, options.leapfrog, width, chains)[1]
        print(f"{name}, {chains} chains: {row['rate']:.3g} transitions/s (unroll {row['unroll']}, first "
              f"call {row['compile_seconds']:.1f} s), acceptance {row['acceptance']:.3f}, moments "
              f"{row['moment_z']:.1f} and balance {row['balance_z']:.1f} standard errors off",
              flush=True)
        return dict(about, kind="sampling", chains=chains, transitions_per_second=row.pop("rate"),
                    **row)

    def training():
        row = measured(TrainingCase(name, options.leapfrog, width, q_weight))
        print(f"{name}, training: {row['rate']:.3g} steps/s (first call "
              f"{row['compile_seconds']:.1f} s)", flush=True)
        return dict(about, kind="training", batch=model.BATCH, q_weight=q_weight,
                    steps_per_second=row.pop("rate"), **row)

    if options.train:
        yield from (functools.partial(trained, seed) for seed in options.seed)
        return
    if "sampling" in options.part:
        yield from (functools.partial(sampling, chains) for chains in options.chains)
    if "training" in options.part:
        yield training


def main(argv=None):
    options = arguments(argv)
    if options.check:
        import l2hmc_check

        return 0 if l2hmc_check.run() else 1
    document = dict(jax=jax.__version__, device=str(jax.devices()[0]), rows=[])
    for name in options.target:
        for measure in rows_of(options, name):
            try:
                document["rows"].append(measure())
            except Exception as error:  # one case out of memory must not lose the others
                reason = f"{type(error).__name__}: {str(error)[:200]}"
                print(f"{name}: {reason}", flush=True)
                document["rows"].append(dict(target=name, void=reason))
            if options.json:  # after each case: a time limit leaves what is done
                with open(options.json, "w", encoding="utf-8") as file:
                    json.dump(document, file, indent=1)
    return 1 if any(row["void"] for row in document["rows"]) else 0


if __name__ == "__main__":
    sys.exit(main())
