#!/usr/bin/env python3
"""Reference figures of the stochastic volatility posterior by another sampler, in another
parametrisation: writes stochastic_volatility.json beside this file.

usage: make_stochastic_volatility.py DATA_FOLDER (needs numpy; about ten minutes)

inference_gym publishes means and standard errors of this posterior that do not fit together: the
mean of mean_log_volatility is 10 of its standard errors from the one found here, that of
log_volatility[63] more than 4. Here are 512 independent chains of plain HMC on the centred form,
q = (logit u, mu, log sg, x_1..x_100) with x_t = mu + h_t, from dispersed starts; errors come from the
spread between chains. Mean and standard deviation of mu are left out: with phi near 1 its density
falls like |mu|^-6 only, so the standard deviation's error can hardly be estimated.
"""

import json
import pathlib
import sys

import numpy as np

CHAINS, WARMUP, DRAWS, THIN = 512, 400, 2200, 4
FOLDER = pathlib.Path(sys.argv[1], "stochastic_volatility_sp500_small")
Y2 = np.array(json.loads((FOLDER / "data.json").read_text())["centered_returns"]) ** 2
N = len(Y2)
LEVELS = (0.05, 0.5, 0.95)


def log_density_and_gradient(q):
    """[chains], [chains][3 + N]."""
    a, mu, b, x = q[:, 0], q[:, 1], q[:, 2], q[:, 3:]
    u, variance = 1 / (1 + np.exp(-a)), np.exp(2 * b)
    phi, precision = 2 * u - 1, 1 / variance
    h, k = x - mu[:, None], 1 - phi**2
    r = h[:, 1:] - phi[:, None] * h[:, :-1]
    squares, weight = (r * r).sum(1), Y2 * np.exp(-x)
    lp = (20 * np.log(u) + 1.5 * np.log1p(-u) - np.log1p((mu / 5) ** 2) - np.log1p(variance / 4) + b
          + 0.5 * np.log(k) - 0.5 * k * h[:, 0] ** 2 * precision - 0.5 * squares * precision - N * b
          - (0.5 * x + 0.5 * weight).sum(1))
    by_h = np.zeros_like(h)
    by_h[:, 0] -= k * h[:, 0] * precision
    by_h[:, 1:] -= r * precision[:, None]
    by_h[:, :-1] += r * (phi * precision)[:, None]
    by_phi = -phi / k + phi * h[:, 0] ** 2 * precision + (r * h[:, :-1]).sum(1) * precision
    g = np.empty_like(q)
    g[:, 0] = 20 * (1 - u) - 1.5 * u + by_phi * 2 * u * (1 - u)
    g[:, 1] = -by_h.sum(1) - 2 * mu / (25 + mu**2)
    g[:, 2] = -2 * variance / (4 + variance) + 1 + (k * h[:, 0] ** 2 + squares) * precision - N
    g[:, 3:] = by_h - 0.5 + 0.5 * weight
    return lp, g


def main():
    rng = np.random.default_rng(2)
    published = json.loads((FOLDER / "reference.json").read_text())["stochastic_volatility"]["parameters"]
    names = ["persistence_of_volatility", "mean_log_volatility", "white_noise_shock_scale"]
    names += [f"log_volatility[{t + 1}]" for t in range(N)]
    middle = np.r_[2.6, 8, -0.7, [published[name]["mean"] for name in names[3:]]]
    spread = np.r_[0.7, 1.0, 0.25, np.full(N, 0.6)]
    scale = np.r_[1.0, 1.0, 0.28, np.full(N, 0.55)]  # inverse masses
    q = middle + spread * rng.normal(size=(CHAINS, N + 3))
    lp, g = log_density_and_gradient(q)
    step, kept = 0.12, []
    for t in range(WARMUP + DRAWS):
        e, steps = step * rng.uniform(0.3, 1.3), rng.integers(10, 31)
        p = rng.normal(size=q.shape)
        energy = lp - 0.5 * (p * p).sum(1)
        at, slope = q, g
        with np.errstate(all="ignore"):
            p = p + 0.5 * e * scale * slope
            for i in range(steps):
                at = at + e * scale * p
                value, slope = log_density_and_gradient(at)
                p = p + (e if i < steps - 1 else 0.5 * e) * scale * slope
            gain = value - 0.5 * (p * p).sum(1) - energy
        gain = np.where(np.isfinite(gain), gain, -np.inf)
        accepted = np.log(rng.random(CHAINS)) < gain
        q, g, lp = np.where(accepted[:, None], at, q), np.where(accepted[:, None], slope, g), np.where(accepted, value, lp)
        if t < WARMUP:
            step *= np.exp(0.25 * (np.exp(np.minimum(0, gain)).mean() - 0.95))
        elif t % THIN == 0:
            x = q.copy()
            x[:, 0], x[:, 2] = 2 / (1 + np.exp(-q[:, 0])) - 1, np.exp(q[:, 2])
            kept.append(x)
    draws = np.array(kept)  # [draws][chains][parameters]

    error = lambda per_chain: float(per_chain.std(ddof=1) / np.sqrt(CHAINS))
    parameters = {}
    for j, name in enumerate(names):
        x, figures = draws[:, :, j], {}
        if name != "mean_log_volatility":
            mean, sd = x.mean(), x.std()
            figures |= {"mean": float(mean), "sd": float(sd), "mcse_mean": error(x.mean(0)),
                        "mcse_sd": error(((x - mean) ** 2).mean(0)) / float(2 * sd)}
        for level, key in zip(LEVELS, ("q05", "q50", "q95")):
            value = np.quantile(x, level)
            low, high = np.quantile(x, [level - 0.02, level + 0.02])
            # The error of the quantile: that of the share below it, over the density there.
            figures |= {key: float(value), f"mcse_{key}": error((x <= value).mean(0)) * float(high - low) / 0.04}
        parameters[name] = figures
    reference = {"stochastic_volatility_own": {
        "basis": "own run: HMC on the centred form, tests/golden/make_stochastic_volatility.py",
        "parameters": parameters}}
    path = pathlib.Path(__file__).with_name("stochastic_volatility.json")
    path.write_text(json.dumps(reference, indent=1) + "\n")


if __name__ == "__main__":
    main()
