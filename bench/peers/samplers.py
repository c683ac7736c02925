"""The samplers of the comparison, each behind the same call:

    run(seed) -> Drawn(seconds, cpu_seconds, draws [kept chains][draws][parameters], acceptance)

Each runs `chains` chains and keeps the draws of the first `kept`. Burn-in is run and not timed; the
seconds are those of the draws, with compilation, tracing and process start left out. Seconds of CPU
time, which other processes on the core do not stretch, are the peers' own in that call; ours are those
of the whole process less those of one that makes hardly a draw, so that our summary of the draws and the
writing of them count against us.
"""

import json
import pathlib
import resource
import statistics
import subprocess
import time
from dataclasses import dataclass

import cases


@dataclass
class Drawn:
    seconds: float
    cpu_seconds: float
    draws: object
    acceptance: float


class Failed(Exception):
    """One line on why a sampler could not run."""


class Lockstep:
    name = "Lockstep"

    def __init__(self, program, folder, target, setting, chains, kept):
        self.compile_seconds = 0.0
        self.target, self.setting = target, setting
        self.json = pathlib.Path(folder) / "ours.json"
        self.npy = pathlib.Path(folder) / "ours.npy"
        metric = "unit"
        if setting.inverse_mass:
            metric = str(pathlib.Path(folder) / "metric.json")
            with open(metric, "w", encoding="utf-8") as file:
                json.dump(list(setting.inverse_mass), file)
        # With a given step size and metric, warm-up changes neither: it is a burn-in.
        self.command = [
            str(program), "run", "--target", target, "--sampler", "hmc", "--backend", "cpu",
            "--threads", "1", "--precision", "float", "--chains", str(chains),
            "--warmup", str(setting.burn_in), "--schedule", "windowed", "--no-restart", "--step-size", repr(setting.step_size),
            "--leapfrog", str(setting.leapfrog), "--length-jitter", "none", "--metric", metric,
            "--start-radius", repr(setting.start_radius), "--superchain", "1",
            "--keep-chains", str(kept), "--json", str(self.json), "--draws-out", str(self.npy)]
        self.overhead = statistics.median(self.cpu_seconds(seed, 4) for seed in (1, 2, 3))

    def cpu_seconds(self, seed, draws):
        """Of a whole process."""
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        run_lockstep([*self.command, "--seed", str(seed), "--draws", str(draws)])
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    def run(self, seed):
        import numpy as np

        cpu_seconds = self.cpu_seconds(seed, self.setting.draws) - self.overhead
        said = json.loads(self.json.read_text(encoding="utf-8"))
        seconds = said["seconds"]["sampling"] + said["seconds"]["transfer"]
        draws = np.load(self.npy)
        self.npy.unlink()
        return Drawn(seconds, cpu_seconds, draws, said["acceptance"])


def run_lockstep(command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise Failed(f"{command[0]} exited with {done.returncode}: {done.stderr.strip()[:300]}")


class Scanned:
    """A vmapped kernel under lax.scan, compiled once for the burn-in and once for the draws."""

    def __init__(self, target, setting, chains, kept):
        import jax
        import jax.numpy as jnp

        self.jax, self.jnp = jax, jnp
        self.target, self.setting, self.chains = target, setting, chains
        self.dim, potential = cases.target(target, jnp)
        mass = jnp.array(setting.inverse_mass or [1.0] * self.dim, jnp.float32)
        begin = self.begin(potential, mass)

        def scan(state, keys, length):
            def body(state, key):
                state, position, acceptance = self.step(state, key)
                return state, (position[:kept], jnp.mean(acceptance))

            state, (draws, acceptance) = jax.lax.scan(body, state, keys, length=length)
            return state, draws, jnp.mean(acceptance)

        start = time.perf_counter()
        q = jax.ShapeDtypeStruct((chains, self.dim), jnp.float32)
        key = jax.eval_shape(lambda: jax.random.PRNGKey(0))
        state = jax.eval_shape(begin, q, key)
        self.begin_jit = jax.jit(begin)
        self.burn = jax.jit(lambda s, k: scan(s, self.keys(k, setting.burn_in),
                                              setting.burn_in)[0]).lower(state, key).compile()
        self.sample = jax.jit(lambda s, k: scan(s, self.keys(k, setting.draws),
                                                setting.draws)).lower(state, key).compile()
        self.compile_seconds = time.perf_counter() - start

    def keys(self, key, length):
        return None

    def run(self, seed):
        import numpy as np

        jax, radius = self.jax, self.setting.start_radius
        start, begin, burn, draw = jax.random.split(jax.random.PRNGKey(seed), 4)
        q = jax.random.uniform(start, (self.chains, self.dim), minval=-radius, maxval=radius)
        state = jax.block_until_ready(self.burn(self.begin_jit(q, begin), burn))
        clock, cpu_clock = time.perf_counter(), time.process_time()
        _, draws, acceptance = jax.block_until_ready(self.sample(state, draw))
        seconds, cpu_seconds = time.perf_counter() - clock, time.process_time() - cpu_clock
        draws = np.swapaxes(np.asarray(draws), 0, 1)
        return Drawn(seconds, cpu_seconds, cases.constrain(self.target, draws), float(acceptance))


class NumPyro(Scanned):
    """NumPyro's HMC kernel, batched by its own vmap, in our scan: what MCMC with vectorized chains
    runs, without that class's second or so of Python for each call."""

    name = "NumPyro"

    def begin(self, potential, mass):
        from numpyro.infer import HMC

        s = self.setting
        self.kernel = HMC(potential_fn=potential, step_size=s.step_size, num_steps=s.leapfrog,
                          trajectory_length=None, inverse_mass_matrix=mass,
                          adapt_step_size=False, adapt_mass_matrix=False)
        return lambda q, key: self.kernel.init(self.jax.random.split(key, self.chains), 0, q, (), {})

    def step(self, state, _):
        state = self.kernel.sample(state, (), {})
        return state, state.z, state.accept_prob


class BlackJax(Scanned):
    """blackjax.hmc, vmapped over chains."""

    name = "BlackJAX"

    def begin(self, potential, mass):
        import blackjax

        s = self.setting
        self.algorithm = blackjax.hmc(lambda q: -potential(q), s.step_size, mass, s.leapfrog)
        return lambda q, key: self.jax.vmap(self.algorithm.init)(q)

    def keys(self, key, length):
        return self.jax.random.split(key, length)

    def step(self, state, key):
        state, info = self.jax.vmap(self.algorithm.step)(
            self.jax.random.split(key, self.chains), state)
        return state, state.position, info.acceptance_rate
