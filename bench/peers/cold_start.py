#!/usr/bin/env python3
"""One cold start of NumPyro: imports, compilation, warm-up, and draws until split R-hat is below the
bound for all parameters. Prints one JSON object. compare.py starts it; the clock starts there.

Adaptation is NumPyro's own, each chain by itself. Gradients are the steps of all trajectories, mean
over chains; the lanes of a vectorised NUTS that wait for the longest tree are not counted.
"""

import argparse
import json
import sys
import time

import cases

# Where convergence is looked for: after so many draws of each chain, ours and theirs alike.
CHECKS = [*range(10, 101, 10), 150, 200, 300, 400, 500, 750, 1000, 1500, 2000]


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--target", required=True)
    parser.add_argument("--sampler", choices=["nuts", "hmc"], required=True)
    parser.add_argument("--chains", type=int, required=True)
    parser.add_argument("--warmup", type=int, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--rhat", type=float, required=True)
    parser.add_argument("--began", type=float, required=True, help="time.time() before the start")
    options = parser.parse_args()

    import jax
    import jax.numpy as jnp
    import numpy as np
    from numpyro.diagnostics import split_gelman_rubin
    from numpyro.infer import HMC, NUTS

    dim, potential = cases.target(options.target, jnp)
    kernel = {"nuts": NUTS, "hmc": HMC}[options.sampler](potential_fn=potential)
    start, key = jax.random.split(jax.random.PRNGKey(options.seed))
    # NumPyro's own starts: uniform on +-2.
    q = jax.random.uniform(start, (options.chains, dim), minval=-2.0, maxval=2.0)
    state = kernel.init(jax.random.split(key, options.chains), options.warmup, q, (), {})

    def body(state, _):
        state = kernel.sample(state, (), {})
        return state, (state.z, state.num_steps)

    def warm_up(state):
        def count(carry, _):
            state, (_, steps) = body(carry[0], None)
            return (state, carry[1] + jnp.mean(steps.astype(jnp.float32))), None

        return jax.lax.scan(count, (state, 0.0), length=options.warmup)[0]

    state, warmup_gradients = jax.block_until_ready(jax.jit(warm_up)(state))
    block = jax.jit(lambda state: jax.lax.scan(body, state, length=10))
    draws, steps, done, converged, rhat = [], 0.0, 0, False, float("inf")
    while done < CHECKS[-1] and not converged:
        state, (z, n) = block(state)
        draws.append(np.asarray(z))
        steps += float(np.sum(np.mean(n, axis=1)))
        done += 10
        if done in CHECKS:
            x = cases.constrain(options.target, np.swapaxes(np.concatenate(draws), 0, 1))
            rhat = float(np.max(split_gelman_rubin(x.astype(np.float64))))
            converged = rhat < options.rhat
    print(json.dumps(dict(
        gradients=float(warmup_gradients) + steps, warmup_gradients=float(warmup_gradients),
        draws=done, rhat=rhat, converged=converged, seconds=time.time() - options.began)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
