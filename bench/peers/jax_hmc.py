#!/usr/bin/env python3
"""Hamiltonian Monte Carlo in plain jitted JAX, and in NumPyro where it is installed, timed.

The same sampler as `lockstep-bench speed`: fixed step size and number of steps, unit metric, float32,
statistics streamed. What makes the comparison fair:

* all transitions of a timing run inside one compiled program (lax.fori_loop), with the outputs on the
  device and block_until_ready before the clock stops; compilation is timed apart;
* every case runs rolled and with the leapfrog loop unrolled, and the faster one counts;
* matrix products, where a target has any, run in full float32, not TF32;
* NumPyro gets num_steps and no trajectory_length (which would otherwise override step_size), no
  adaptation, vectorised chains and no progress bar, and is timed by the difference between a long
  and a short run; it stores its draws, which the others do not;
* fresh seeds for each of at least 5 timings of at least 0.3 s; the median counts;
* acceptance, and for normal targets mean and variance over the chains, are reported, so that a case
  which sampled something else can be discarded.

Runs on whatever device JAX finds, a CPU included. Exit status 2 where JAX is not installed.
"""

import argparse
import json
import math
import statistics
import sys
import time

LEAST_SECONDS = 0.3
TIMINGS = 5


def targets(jnp, log1p, exp):
    """{name: (dimension, potential(q), variances or None)}, as in Lockstep's target list."""
    icg = [10 ** (-2 + 4 * j / 49) for j in range(50)]
    effect = jnp.array([28.0, 8, -3, 7, -1, 1, 18, 12], jnp.float32)
    error = jnp.array([15.0, 10, 16, 11, 9, 11, 10, 18], jnp.float32)

    def softplus(x):
        return jnp.maximum(x, 0) + log1p(exp(-abs(x)))

    def scg(q):  # variance 100 along (1, 1), 0.01 along (1, -1)
        return (q[0] + q[1]) ** 2 / 400 + (q[1] - q[0]) ** 2 / 0.04

    def mog(q):
        far = abs(q[0])
        return ((far - 2) ** 2 + q[1] ** 2) / 0.2 - log1p(exp(-40 * far))

    def rough_well(q):
        return jnp.sum(q * q / 2 + 0.01 * jnp.cos(q / 0.01))

    def eight_schools_nc(q):
        t, mu, s = q[:8], q[8], q[9]
        misfit = (effect - mu - exp(s) * t) / error
        return (0.5 * jnp.sum(t * t + misfit * misfit) + mu * mu / 50 +
                softplus(2 * s - 2 * math.log(5)) - s)

    def banana(q):  # x1 ~ N(0, 10), x2 ~ N(0.03 (x1^2 - 100), 1)
        bend = q[1] - 0.03 * (q[0] * q[0] - 100)
        return 0.005 * q[0] * q[0] + 0.5 * bend * bend

    precision = jnp.array([1 / v for v in icg], jnp.float32)
    both = (100 + 0.01) / 2
    return {
        "std-normal": (10, lambda q: 0.5 * jnp.sum(q * q), [1.0] * 10),
        "icg": (50, lambda q: 0.5 * jnp.sum(precision * q * q), icg),
        "scg": (2, scg, [both, both]),
        "mog": (2, mog, None),
        "rough-well": (2, rough_well, None),
        "banana": (2, banana, None),
        "eight-schools-nc": (10, eight_schools_nc, None),
    }


def starts(jax, jnp, name, dim, variances, chains, seed):
    """[chains][dim]: from the law itself where it is normal, else near the origin."""
    key = jax.random.PRNGKey(seed)
    if name == "scg":
        z = jax.random.normal(key, (chains, 2)) * jnp.array([10.0, 0.1])
        return jnp.stack([z[:, 0] - z[:, 1], z[:, 0] + z[:, 1]], axis=1) / math.sqrt(2)
    if variances is not None:
        return jax.random.normal(key, (chains, dim)) * jnp.sqrt(jnp.array(variances))
    return jax.random.uniform(key, (chains, dim), minval=-0.5, maxval=0.5)


def plain_sampler(jax, jnp, potential, step, leapfrog, unroll):
    """run(key, q, transitions) -> (q, mean acceptance, sums of q and of q squared)."""
    value_and_gradient = jax.vmap(jax.value_and_grad(potential))
    gradient = jax.vmap(jax.grad(potential))

    def kinetic(p):
        return 0.5 * jnp.sum(p * p, axis=1)

    def transition(_, state):
        key, q, u, g, accepted, total, square = state
        key, momentum_key, accept_key = jax.random.split(key, 3)
        p = jax.random.normal(momentum_key, q.shape, jnp.float32)
        before = u + kinetic(p)
        p = p - 0.5 * step * g
        x = q + step * p

        def kick_drift(_, xp):
            x, p = xp
            p = p - step * gradient(x)
            return x + step * p, p

        x, p = jax.lax.fori_loop(0, leapfrog - 1, kick_drift, (x, p), unroll=unroll)
        v, h = value_and_gradient(x)
        p = p - 0.5 * step * h
        error = v + kinetic(p) - before
        probability = jnp.where(jnp.isfinite(error), jnp.exp(jnp.minimum(-error, 0)), 0)
        accept = jax.random.uniform(accept_key, (q.shape[0],)) < probability
        q = jnp.where(accept[:, None], x, q)
        g = jnp.where(accept[:, None], h, g)
        u = jnp.where(accept, v, u)
        return key, q, u, g, accepted + probability, total + q, square + q * q

    def run(key, q, transitions):
        u, g = value_and_gradient(q)
        zero = jnp.zeros_like(q)
        state = (key, q, u, g, jnp.zeros(q.shape[0], jnp.float32), zero, zero)
        state = jax.lax.fori_loop(0, transitions, transition, state)
        return state[1], jnp.mean(state[4]) / transitions, state[5], state[6]

    return jax.jit(run)


def timed(run):
    """(seconds per transition, median of the timings; seconds of the first call; last result).

    run(seed, transitions) must not return before its work is done.
    """
    begin = time.perf_counter()
    run(0, 1)
    first = time.perf_counter() - begin
    transitions, seconds = 1, 0.0
    while seconds < LEAST_SECONDS:
        if seconds > 0:
            transitions = max(2 * transitions, int(1.2 * transitions * LEAST_SECONDS / seconds))
        begin = time.perf_counter()
        result = run(1, transitions)
        seconds = time.perf_counter() - begin
    times = []
    for seed in range(2, 2 + TIMINGS):
        begin = time.perf_counter()
        result = run(seed, transitions)
        times.append((time.perf_counter() - begin) / transitions)
    return statistics.median(times), first, result


def moments(jnp, q, variances):
    """Standard errors that the chains' mean and variance are off, worst coordinate: the chains are
    independent, and one draw of each is used."""
    if variances is None:
        return {}
    chains = q.shape[0]
    mean = jnp.mean(q, axis=0) / jnp.sqrt(jnp.array(variances) / chains)
    ratio = (jnp.mean(q * q, axis=0) / jnp.array(variances) - 1) / math.sqrt(2 / chains)
    # The worst of so many coordinates: a bound of 4 is for one, so the excess is shared out.
    allowance = math.sqrt(2 * math.log(max(len(variances), 1)))
    worst = [float(jnp.max(jnp.abs(z))) for z in (mean, ratio)]
    return {"mean_z": max(worst[0] - allowance, 0.0), "variance_z": max(worst[1] - allowance, 0.0)}


def plain_case(jax, jnp, options, name, chains):
    dim, potential, variances = targets(jnp, jnp.log1p, jnp.exp)[name]
    best = None
    for unroll in (1, options.leapfrog):
        sampler = plain_sampler(jax, jnp, potential, options.step_size, options.leapfrog, unroll)
        q = starts(jax, jnp, name, dim, variances, chains, 99)
        q = jax.block_until_ready(sampler(jax.random.PRNGKey(98), q, 200)[0])  # burn-in

        def run(seed, transitions):
            return jax.block_until_ready(sampler(jax.random.PRNGKey(seed), q, transitions))

        jax.clear_caches()
        seconds, first, result = timed(run)
        row = dict(method="JAX" if unroll == 1 else "JAX, unrolled", compile_seconds=first,
                   transitions_per_second=chains / seconds, acceptance=float(result[1]),
                   **moments(jnp, result[0], variances))
        if best is None or row["transitions_per_second"] > best["transitions_per_second"]:
            best = row
    return best


def numpyro_case(jax, jnp, options, name, chains):
    from numpyro.infer import HMC, MCMC

    dim, potential, variances = targets(jnp, jnp.log1p, jnp.exp)[name]
    q = starts(jax, jnp, name, dim, variances, chains, 99)

    def median_seconds(transitions):
        """(of a run that goes on from the last one, of the first run, that run's result)."""
        kernel = HMC(potential_fn=potential, step_size=options.step_size, trajectory_length=None,
                     num_steps=options.leapfrog, adapt_step_size=False, adapt_mass_matrix=False)
        mcmc = MCMC(kernel, num_warmup=0, num_samples=transitions, num_chains=chains,
                    chain_method="vectorized", progress_bar=False)
        times = []
        for i in range(2 + TIMINGS):
            begin = time.perf_counter()
            if i == 0:
                mcmc.run(jax.random.PRNGKey(0), init_params=q, extra_fields=("accept_prob",))
            else:
                mcmc.post_warmup_state = mcmc.last_state
                mcmc.run(mcmc.post_warmup_state.rng_key, extra_fields=("accept_prob",))
            result = jax.block_until_ready((mcmc.get_samples(group_by_chain=True),
                                            mcmc.get_extra_fields(group_by_chain=True)))
            times.append(time.perf_counter() - begin)
        return statistics.median(times[2:]), times[0], result  # both of the first ones compile

    # Each run begins with about a second of Python and tracing: the difference between two lengths is
    # free of it. The longer one's draws must fit the memory.
    short, long = 50, max(100, min(1050, int(1e9 / (chains * dim))))
    short_seconds, _, _ = median_seconds(short)
    long_seconds, first, (samples, extra) = median_seconds(long)
    seconds = (long_seconds - short_seconds) / (long - short)
    if seconds <= 0:
        raise RuntimeError(f"{long - short} transitions take no longer than the noise of a run")
    return dict(method="NumPyro", compile_seconds=first,
                transitions_per_second=chains / seconds,
                acceptance=float(jnp.mean(extra["accept_prob"])),
                **moments(jnp, samples[:, -1], variances))


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--target", nargs="+", default=["scg"])
    parser.add_argument("--chains", nargs="+", type=int, default=[1024])
    parser.add_argument("--step-size", type=float, default=0.09)
    parser.add_argument("--leapfrog", type=int, default=10)
    parser.add_argument("--json", metavar="FILE")
    options = parser.parse_args()

    try:
        import jax
        import jax.numpy as jnp
    except ImportError as error:
        print(f"jax_hmc: JAX is not installed: {error}", file=sys.stderr)
        return 2
    jax.config.update("jax_default_matmul_precision", "highest")
    known = targets(jnp, jnp.log1p, jnp.exp)
    for name in options.target:
        if name not in known:
            parser.error(f"no target is called {name!r}: choose from {', '.join(known)}")
    try:
        import numpyro  # noqa: F401
        cases = [plain_case, numpyro_case]
    except ImportError:
        cases = [plain_case]
        print("NumPyro is not installed: left out")

    document = dict(jax=jax.__version__, device=str(jax.devices()[0]), rows=[])
    for name in options.target:
        for chains in options.chains:
            for case in cases:
                row = dict(target=name, chains=chains, leapfrog=options.leapfrog)
                try:
                    row.update(case(jax, jnp, options, name, chains))
                    print(f"{name}, {chains} chains, {row['method']}: "
                          f"{row['transitions_per_second']:.3g} transitions/s, acceptance "
                          f"{row['acceptance']:.3f}, first call {row['compile_seconds']:.1f} s",
                          flush=True)
                except Exception as error:  # one case out of memory must not lose the others
                    row.update(method=case.__name__.split("_")[0], error=str(error)[:200])
                    print(f"{name}, {chains} chains: {row['error']}", flush=True)
                document["rows"].append(row)
                if options.json:  # after each case: a time limit leaves what is done
                    with open(options.json, "w", encoding="utf-8") as file:
                        json.dump(document, file, indent=1)
    return 0


if __name__ == "__main__":
    sys.exit(main())
