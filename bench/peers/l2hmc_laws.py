"""The densities of the L2HMC paper (Levy, Hoffman & Sohl-Dickstein, ICLR 2018, section 5.1), with exact
draws, and its ESS. Arrays are [dimension, chains]: chains last, so that every operation runs along them.
"""

import math
from dataclasses import dataclass
from typing import Any, Callable

import numpy as np


@dataclass(frozen=True)
class Law:
    """A density, and the paper's settings for it. All means are zero."""

    potential: Callable[[Any, Any], Any]  # (numpy or jax.numpy, q [dim, chains]) -> [chains]
    variances: tuple  # of each coordinate
    draw: Callable[[Any, int], Any]  # (generator, chains) -> [dim, chains], exact
    width: int = 10  # hidden units
    q_weight: float = 0.0  # lambda_b: the weight of the loss of fresh normal starts

    @property
    def dim(self):
        return len(self.variances)


def normal(variances, width=10):
    """Independent coordinates."""

    def potential(xp, q):
        return 0.5 * (xp.asarray([[1 / v] for v in variances], q.dtype) * q * q).sum(axis=0)

    def draw(rng, chains):
        return rng.standard_normal((len(variances), chains)) * np.sqrt(variances)[:, None]

    return Law(potential, tuple(variances), draw, width)


def strongly_correlated(small):
    """Variance 100 along (1, 1), `small` along (-1, 1)."""

    def potential(_, q):
        return (q[0] + q[1]) ** 2 / 400 + (q[1] - q[0]) ** 2 / (4 * small)

    def draw(rng, chains):
        wide, narrow = rng.standard_normal((2, chains)) * [[10], [math.sqrt(small)]]
        return np.stack([wide - narrow, wide + narrow]) / math.sqrt(2)

    return Law(potential, ((100 + small) / 2,) * 2, draw)


def two_modes():
    """At (+-2, 0), variance 0.1 each."""

    def potential(xp, q):
        far = abs(q[0])
        return ((far - 2) ** 2 + q[1] ** 2) / 0.2 - xp.log1p(xp.exp(-40 * far))

    def draw(rng, chains):
        q = math.sqrt(0.1) * rng.standard_normal((2, chains))
        q[0] += rng.choice([-2, 2], chains)
        return q

    return Law(potential, (4.1, 0.1), draw, q_weight=1.0)


def rough_well(eta=0.01):
    def potential(xp, q):
        return (0.5 * q * q + eta * xp.cos(q / eta)).sum(axis=0)

    def draw(rng, chains):
        """A normal draw is kept with probability exp(-eta (1 + cos(q / eta)))."""
        kept = np.empty(0)
        while len(kept) < 2 * chains:
            q = rng.standard_normal(4 * chains)
            kept = np.append(kept, q[rng.random(len(q)) < np.exp(-eta * (1 + np.cos(q / eta)))])
        return kept[:2 * chains].reshape(2, chains)

    # The ripples change the variance by a term in exp(-1 / (2 eta^2)).
    return Law(potential, (1.0, 1.0), draw, q_weight=1.0)


LAWS = {
    "scg": strongly_correlated(0.01),
    "scg-notebook": strongly_correlated(0.1),  # as the authors' notebook runs it
    "mog": two_modes(),
    "rough-well": rough_well(),
    "icg": normal([10 ** (-2 + 4 * j / 49) for j in range(50)], width=100),
}


def ess_per_step(draws, divisor):
    """The paper's: 1 / (1 + 2 sum_t rho_t [rho_t > 0.05]) over all lags t >= 1, with

      rho_t = mean over chains and the T - t pairs of <x_s, x_{s+t}> / divisor,

    the true mean being zero and the divisor the trace of the true covariance (the authors plotted the
    Rough Well with divisor 1). draws: [T, dim, chains].
    """
    length = len(draws)
    size = 1 << (2 * length - 1).bit_length()  # no wrap-around
    power = sum((abs(np.fft.rfft(draws[:, j].astype(np.float64), size, axis=0)) ** 2).mean(axis=1)
                for j in range(draws.shape[1]))
    rho = np.fft.irfft(power, size)[:length] / np.arange(length, 0, -1) / divisor
    return 1 / (1 + 2 * rho[1:][rho[1:] > 0.05].sum())


def standard_errors(law, x, sums, transitions):
    """How far (detailed balance, the worst first or second moment) are off after transitions from exact
    starts. x, sums: what l2hmc_model.sampler returns. Chains are independent: of each the mean over its
    transitions counts.
    """
    _, balance, total, square = (np.asarray(s, np.float64) / transitions for s in sums)
    if not np.isfinite(np.asarray(x)).all():
        return np.inf, np.inf
    truth = np.concatenate([np.zeros(law.dim), law.variances])
    moments = np.concatenate([total, square])

    def z(figures, true):
        error = figures.std(axis=-1, ddof=1) / np.sqrt(figures.shape[-1])
        return float(np.max(np.abs(figures.mean(axis=-1) - true) / np.maximum(error, 1e-300)))

    return z(balance, 0), z(moments, truth)
