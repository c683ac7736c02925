#!/usr/bin/env python3
"""Golden log densities of the reference posteriors: writes posteriors.json beside this file.

usage: make_posteriors.py DATA_FOLDER (needs numpy and scipy)

Each density is written down from the model, on unconstrained q with the log-Jacobian of the map to
the parameters, up to a constant, with plain sums over the raw data: none of the reductions that the
targets use. Point k of a target has q_j = centre_j + 0.5 sin((k + 1)(j + 1)), k = 0..4.
"""

import csv
import json
import pathlib
import sys

import numpy as np
from scipy.special import log_ndtr, logsumexp
from scipy.stats import norm

DATA = pathlib.Path(sys.argv[1])
POINTS = 5


def load(name):
    return {k: np.array(v, dtype=float) for k, v in json.loads((DATA / name / "data.json").read_text()).items()}


def table(name, file):
    with open(DATA / name / file, newline="") as stream:
        return np.array(list(csv.reader(stream))[1:], dtype=float)


def log_s(t):
    """log of the logistic function."""
    return -np.logaddexp(0, -t)


def half_cauchy(x, scale):
    return -np.log1p((x / scale) ** 2)


def ark(q):
    y, (alpha, *beta), sigma = load("arK")["y"], q[:6], np.exp(q[6])
    lp = norm.logpdf(q[:6], 0, 10).sum() + half_cauchy(sigma, 2.5) + q[6]
    for t in range(5, 200):
        lp += norm.logpdf(y[t], alpha + sum(beta[k] * y[t - 1 - k] for k in range(5)), sigma)
    return lp


def kidiq(q, interaction):
    d, sigma = load("kidiq"), np.exp(q[-1])
    mean = q[0] + q[1] * d["mom_hs"] + q[2] * d["mom_iq"]
    if interaction:
        mean = mean + q[3] * d["mom_hs"] * d["mom_iq"]
    return norm.logpdf(d["kid_score"], mean, sigma).sum() + half_cauchy(sigma, 2.5) + q[-1]


def kilpisjarvi(q):
    d, sigma = load("kilpisjarvi"), np.exp(q[2])
    return (norm.logpdf(q[0], d["pmualpha"], d["psalpha"]) + norm.logpdf(q[1], d["pmubeta"], d["psbeta"])
            + norm.logpdf(d["y"], q[0] + q[1] * d["x"], sigma).sum() + q[2])


def garch11(q):
    d, mu, a0, a1 = load("garch11"), q[0], np.exp(q[1]), np.exp(log_s(q[2]))
    share = np.exp(log_s(q[3]))
    b1, y = (1 - a1) * share, d["y"]
    v, lp = float(d["sigma1"]) ** 2, 0.0
    for t in range(len(y)):
        if t > 0:
            v = a0 + a1 * (y[t - 1] - mu) ** 2 + b1 * v
        lp += norm.logpdf(y[t], mu, np.sqrt(v))
    # Jacobians: a0, a1 (1 - a1), and b1 = w share with the width w = 1 - a1.
    return lp + q[1] + np.log(a1 * (1 - a1)) + np.log((1 - a1) * share * (1 - share))


def gauss_mix(q):
    y = load("low_dim_gauss_mix")["y"]
    mu = np.array([q[0], q[0] + np.exp(q[1])])
    sigma, theta = np.exp(q[2:4]), np.exp(log_s(q[4]))
    parts = np.stack([np.log(theta) + norm.logpdf(y, mu[0], sigma[0]),
                      np.log(1 - theta) + norm.logpdf(y, mu[1], sigma[1])])
    return (logsumexp(parts, axis=0).sum() + norm.logpdf(mu, 0, 2).sum() + norm.logpdf(sigma, 0, 2).sum()
            + 4 * np.log(theta * (1 - theta)) + q[1] + q[2] + q[3] + np.log(theta * (1 - theta)))


def peregrine(q):
    d, s = load("glm_poisson_peregrine"), np.exp(log_s(q))
    c = np.array([-20.0, -10, -10, -10]) + np.array([40.0, 20, 20, 20]) * s
    eta = sum(c[k] * d["year"] ** k for k in range(4))
    return (d["C"] * eta - np.exp(eta)).sum() + np.log(s * (1 - s)).sum()


def regression(name):
    rows = table(name, f"{name}.csv")
    x, y = rows[:, :-1], rows[:, -1]
    x = (x - x.mean(0)) / x.std(0)
    return np.column_stack([x, np.ones(len(x))]), (y == y.max()).astype(float)


def logistic(q, name):
    x, y = regression(name)
    return norm.logpdf(q).sum() + np.where(y == 1, log_s(x @ q), log_s(-(x @ q))).sum()


def probit(q):
    x, y = regression("german_credit_numeric")
    return norm.logpdf(q).sum() + np.where(y == 1, log_ndtr(x @ q), log_ndtr(-(x @ q))).sum()


def sparse(q):
    x, y = regression("german_credit_numeric")
    z, local, overall = q[:25], np.exp(q[25:50]), np.exp(q[50])
    eta = x @ (z * local * overall)
    gamma = lambda v: -0.5 * np.log(v) - 0.5 * v  # shape and rate 1/2
    return (norm.logpdf(z).sum() + gamma(local).sum() + gamma(overall) + q[25:].sum()
            + np.where(y == 1, log_s(eta), log_s(-eta)).sum())


def brownian(q, si, so):
    y = load("brownian_motion")["observed_locs"]
    seen = ~np.isnan(y)
    return (norm.logpdf(np.diff(np.concatenate([[0.0], q])), 0, si).sum()
            + norm.logpdf(y[seen], q[seen], so).sum())


def brownian_unknown(q):
    return brownian(q[2:], np.exp(q[0]), np.exp(q[1])) + norm.logpdf(q[:2], 0, 2).sum()


def stochastic_volatility(q):
    y = load("stochastic_volatility_sp500_small")["centered_returns"]
    u, mu, sg, e = np.exp(log_s(q[0])), q[1], np.exp(q[2]), q[3:]
    phi, h = 2 * u - 1, np.empty(100)
    h[0] = sg * e[0] / np.sqrt(1 - phi**2)
    for t in range(1, 100):
        h[t] = phi * h[t - 1] + sg * e[t]
    return (19 * np.log(u) + 0.5 * np.log(1 - u) + np.log(u * (1 - u)) - np.log1p((mu / 5) ** 2)
            + half_cauchy(sg, 2) + q[2] + norm.logpdf(e).sum() + norm.logpdf(y, 0, np.exp((mu + h) / 2)).sum())


def item_response(q):
    student, question, correct = table("item_response_1pl", "responses.csv").T
    m, a, d = q[0], q[1:401], q[401:]
    eta = m + a[student.astype(int)] - d[question.astype(int)]
    return norm.logpdf(m, 0.75, 1) + norm.logpdf(q[1:]).sum() + np.where(correct == 1, log_s(eta), log_s(-eta)).sum()


def eight_schools_log(q):
    d = load("eight_schools")
    t, m, log_tau = q[:8], q[8], q[9]
    return (norm.logpdf(t).sum() + norm.logpdf(m, 0, 10) + norm.logpdf(log_tau, 5, 1)
            + norm.logpdf(d["y"], m + np.exp(log_tau) * t, d["sigma"]).sum())


DENSITIES = {  # target: density, dimension, centre of the leading coordinates
    "ark": (ark, 7, []),
    "kidiq": (lambda q: kidiq(q, False), 4, [25, 6, 0.5, 3]),
    "kidiq-interaction": (lambda q: kidiq(q, True), 5, [-10, 50, 1, -0.5, 3]),
    "kilpisjarvi": (kilpisjarvi, 3, [-30, 0.01, 0]),
    "garch11": (garch11, 4, [5, 0, 0, 0]),
    "gauss-mix": (gauss_mix, 5, [-2.7, 1.7, 0, 0, 0.5]),
    "peregrine": (peregrine, 4, []),
    "german-credit": (lambda q: logistic(q, "german_credit_numeric"), 25, []),
    "german-credit-probit": (probit, 25, []),
    "german-credit-sparse": (sparse, 51, []),
    "australian-credit": (lambda q: logistic(q, "australian_credit"), 15, []),
    "heart-disease": (lambda q: logistic(q, "heart_disease"), 14, []),
    "brownian": (lambda q: brownian(q, 0.1, 0.15), 30, []),
    "brownian-unknown": (brownian_unknown, 32, [-2, -2]),
    "stochastic-volatility": (stochastic_volatility, 103, [2.5, 8, -0.7]),
    "item-response": (item_response, 501, []),
    "eight-schools-log": (eight_schools_log, 10, [0, 0, 0, 0, 0, 0, 0, 0, 5, 1]),
}


def main():
    golden = {}
    for target, (density, dim, centre) in DENSITIES.items():
        base = np.zeros(dim)
        base[: len(centre)] = centre
        points = [base + 0.5 * np.sin((k + 1) * np.arange(1, dim + 1)) for k in range(POINTS)]
        golden[target] = {"centre": centre, "log_density": [float(density(q)) for q in points]}
    path = pathlib.Path(__file__).with_name("posteriors.json")
    path.write_text(json.dumps(golden, indent=1) + "\n")


if __name__ == "__main__":
    main()
