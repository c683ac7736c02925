"""What the comparison runs: targets as JAX potentials, and one setting for each.

The potentials are those of jax_hmc.py, and two more. Draws are compared on the scale that Lockstep
reports: theta and tau of the eight schools, v and x of the funnel.
"""

import csv
import os
import pathlib
from dataclasses import dataclass, field

import jax_hmc


class DataMissing(Exception):
    """A data set that is not where Lockstep would look for it either."""


@dataclass(frozen=True)
class Setting:
    """One static HMC, the same in every library: no jitter, no adaptation. As many draws as take the
    peers some seconds, and us long enough to be timed.

    Trajectories are about a quarter of a period of the widest direction, and away from multiples of
    half a period of any other, where a fixed length returns to where it came from.
    """

    step_size: float
    leapfrog: int
    draws: int  # timed transitions of each chain, after the burn-in
    burn_in: int
    inverse_mass: tuple = ()  # diagonal; empty: the unit metric
    start_radius: float = 2.0  # uniform on +- this, unconstrained scale, each chain on its own
    folded: tuple = field(default=())  # coordinates compared by absolute value


ICG_VARIANCES = tuple(10 ** (-2 + 4 * j / 49) for j in range(50))

SETTINGS = {
    "std-normal": Setting(0.25, 6, 4000, 50),
    "icg": Setting(0.25, 6, 3000, 200, inverse_mass=ICG_VARIANCES),
    "scg": Setting(0.09, 170, 8000, 50),
    # The modes are 4 apart with a standard deviation of 0.32: no chain ever changes its mode. By
    # symmetry |x_1| is a Markov chain of its own, and that one mixes: it is what is compared.
    "mog": Setting(0.1, 5, 20000, 100, folded=(0,)),
    "rough-well": Setting(0.1, 15, 2000, 50),
    "banana": Setting(0.5, 30, 8000, 100, start_radius=10.0),
    "eight-schools-nc": Setting(0.2, 12, 1500, 100),
    "german-credit": Setting(0.03, 7, 200, 100, start_radius=0.5),
}
COLD_TARGETS = ["icg", "eight-schools-nc", "german-credit", "funnel-nc", "banana"]
L2HMC_TARGETS = ["scg", "mog", "rough-well", "icg"]


def data_folder(name):
    """Where Lockstep looks for a data set: $LOCKSTEP_DATA, then the user's cache folder."""
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    for root in filter(None, [os.environ.get("LOCKSTEP_DATA"), os.path.join(cache, "lockstep")]):
        folder = pathlib.Path(root) / name
        if folder.is_dir():
            return folder
    raise DataMissing(f"{name} is neither under $LOCKSTEP_DATA nor in the cache folder: "
                      "run bench/fetch-data german-credit")


def german_credit(jnp):
    """(dimension, potential): signs times standardised features (divisor N) and an intercept, last.

    U(w) = w'w / 2 + sum_i log(1 + exp(z_i'w)), z_i = -x_i where the outcome is 1, else x_i.
    """
    import numpy as np

    file = data_folder("german_credit_numeric") / "german_credit_numeric.csv"
    with open(file, encoding="utf-8") as lines:
        table = np.array([[float(x) for x in row] for row in list(csv.reader(lines))[1:]])
    features, outcome = table[:, :-1], table[:, -1]
    features = (features - features.mean(axis=0)) / features.std(axis=0)
    sign = np.where(outcome == outcome.max(), -1.0, 1.0)
    z = np.column_stack([features, np.ones(len(features))]) * sign[:, None]
    z = jnp.array(z, jnp.float32)

    def potential(w):
        return 0.5 * jnp.sum(w * w) + jnp.sum(jnp.logaddexp(0.0, z @ w))

    return 25, potential


def target(name, jnp):
    """(dimension, potential(q)) on the unconstrained scale."""
    if name == "german-credit":
        return german_credit(jnp)
    if name == "funnel-nc":
        return 10, lambda q: 0.5 * jnp.sum(q * q)
    dim, potential, _ = jax_hmc.targets(jnp, jnp.log1p, jnp.exp)[name]
    return dim, potential


def constrain(name, q):
    """q [..., parameter], a NumPy array, on the scale Lockstep reports."""
    import numpy as np

    if name == "eight-schools-nc":
        mu, tau = q[..., 8:9], np.exp(q[..., 9:10])
        return np.concatenate([mu + tau * q[..., :8], mu, tau], axis=-1)
    if name == "funnel-nc":
        return np.concatenate([3 * q[..., :1], np.exp(1.5 * q[..., :1]) * q[..., 1:]], axis=-1)
    return q
