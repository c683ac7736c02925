#!/usr/bin/env python3
"""Writes arviz.json, the diagnostics that the C++ ones must reproduce to 1e-6 relative.

    python3 -m venv venv
    venv/bin/pip install arviz==0.23.4 && venv/bin/pip install --no-deps arviz-stats==0.8.0
    venv/bin/python make_golden.py

ArviZ gives all numbers but nested R-hat, which ArviZ has only in its successor package arviz-stats.
The versions used are recorded in the output. Draws are not stored: diagnostics_test.cpp builds the
same doubles from the same integer generator, with +, -, * and / alone, and compares the sums kept
under "check" first.
"""

import json
import logging
import math
import pathlib
import warnings

import arviz
import arviz_stats
import numpy
import scipy
from arviz_stats.base import array_stats

PROBABILITIES = (0.1, 0.5, 0.9)

GOLDEN_RATIO = numpy.uint64(0x9E3779B97F4A7C15)


def uniform(stream, index):
    """Uniform on [0, 1): the splitmix64 mixing function of a counter, its top 53 bits."""
    z = (numpy.uint64(stream << 40) + index.astype(numpy.uint64) + numpy.uint64(1)) * GOLDEN_RATIO
    z = (z ^ (z >> numpy.uint64(30))) * numpy.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> numpy.uint64(27))) * numpy.uint64(0x94D049BB133111EB)
    z = z ^ (z >> numpy.uint64(31))
    return (z >> numpy.uint64(11)).astype(float) * 2.0**-53


def bell(stream, index):
    """Sum of four uniforms less its mean: bell-shaped, and the same bits in any language."""
    a, b, c, d = (uniform(stream, 4 * index + k) for k in range(4))
    return ((a + b) + (c + d)) - 2.0


def recursive(step, first, draws):
    rows = [first]
    for t in range(1, draws):
        rows.append(step(t, rows[-1]))
    return numpy.array(rows)


def make_draws(kind, chains, draws, seed, parameter):
    """Array [draw][chain]."""
    index = numpy.arange(draws * chains).reshape(draws, chains)
    chain = numpy.arange(chains)
    x = bell(seed, index)
    if kind == "independent":
        pass
    elif kind == "autoregressive":
        x = recursive(lambda t, before: parameter * before + x[t], x[0], draws)
    elif kind == "shifted":  # chains with different means
        x = x + parameter * chain
    elif kind == "scaled":  # chains with different spreads
        x = x * (1.0 + parameter * chain)
    elif kind == "offset":
        x = x + parameter
    elif kind == "ratio":  # heavy tails like Cauchy's
        x = x / bell(seed + 1, index)
    elif kind == "sticky":  # repeats the last value, as rejected proposals do
        stay = uniform(seed + 1, index) < parameter
        x = recursive(lambda t, before: numpy.where(stay[t], before, x[t]), x[0], draws)
    elif kind == "discrete":
        x = numpy.floor(parameter * uniform(seed, index))
    elif kind == "constant":
        x = numpy.full((draws, chains), parameter)
    elif kind == "one_nan":
        x[draws // 3, chains // 2] = numpy.nan
    elif kind == "one_inf":
        x[draws // 3, chains // 2] = numpy.inf
    elif kind == "two_infs":
        x[draws // 3, chains // 2] = numpy.inf
        x[draws // 2, 0] = -numpy.inf
    else:
        raise ValueError(kind)
    return x


#        kind, chains, draws, stream, parameter
CASES = [
    ("independent", 2, 100, 1, 0),
    ("independent", 4, 501, 3, 0),
    ("independent", 4, 4, 5, 0),
    ("independent", 4, 5, 7, 0),
    ("independent", 4, 3, 9, 0),
    ("independent", 1, 200, 11, 0),
    ("independent", 64, 100, 13, 0),
    ("independent", 4096, 10, 15, 0),
    ("independent", 4096, 21, 17, 0),
    ("autoregressive", 2, 1000, 19, 0.9),
    ("autoregressive", 4, 999, 21, 0.99),
    ("autoregressive", 64, 101, 23, 0.95),
    ("autoregressive", 4096, 20, 25, 0.7),
    ("autoregressive", 4, 500, 27, -0.5),
    ("autoregressive", 64, 151, 29, -0.9),
    ("autoregressive", 4096, 11, 31, -0.3),
    ("shifted", 2, 100, 33, 0.5),
    ("shifted", 4, 101, 35, 0.25),
    ("shifted", 64, 50, 37, 0.015625),
    ("shifted", 4, 300, 39, 100.0),
    ("scaled", 4, 250, 41, 1.0),
    ("scaled", 64, 31, 43, 0.25),
    ("offset", 4, 200, 45, 1e6),
    ("ratio", 2, 301, 47, 0),
    ("ratio", 4, 1000, 49, 0),
    ("ratio", 4096, 12, 51, 0),
    ("sticky", 4, 400, 53, 0.75),
    ("sticky", 64, 75, 55, 0.9),
    ("discrete", 4, 200, 57, 3.0),
    ("discrete", 64, 41, 59, 2.0),
    ("constant", 2, 100, 0, 2.5),
    ("constant", 64, 33, 0, -0.75),  # exact in binary: else NumPy's rounding decides
    ("one_nan", 4, 100, 61, 0),
    ("one_nan", 4096, 9, 63, 0),
    ("one_inf", 4, 100, 65, 0),
    ("two_infs", 4, 101, 67, 0),
    ("one_inf", 4096, 10, 69, 0),
]


def number(value):
    """JSON has no NaN or infinity; those become strings."""
    value = float(value)
    return value if math.isfinite(value) else repr(value)


def metrics(x):
    """All diagnostics of draws [draw][chain]."""
    draws, chains = x.shape
    by_chain = numpy.ascontiguousarray(x.T)  # ArviZ: (chain, draw)
    result = {
        "rhat": arviz.rhat(by_chain, method="rank"),
        "split_rhat": arviz.rhat(by_chain, method="split"),
        "mcse_mean": arviz.mcse(by_chain, method="mean"),
        "mcse_sd": arviz.mcse(by_chain, method="sd"),
        "sd": numpy.std(by_chain, ddof=1),
        "mean": numpy.mean(by_chain),
    }
    for method in ("bulk", "tail", "mean", "sd"):
        result[f"ess_{method}"] = arviz.ess(by_chain, method=method)
    result = {name: number(value) for name, value in result.items()}
    result["ess_quantile"] = [
        number(arviz.ess(by_chain, method="quantile", prob=p)) for p in PROBABILITIES
    ]
    result["mcse_quantile"] = [
        number(arviz.mcse(by_chain, method="quantile", prob=p)) for p in PROBABILITIES
    ]
    if not numpy.isnan(x).any():
        result["quantiles"] = [number(q) for q in numpy.quantile(by_chain, PROBABILITIES)]
    bfmi = arviz.bfmi(by_chain)
    result["bfmi"] = [number(value) for value in bfmi[:4]]
    autocovariance = numpy.mean(arviz.autocov(by_chain, axis=1), axis=0)
    result["autocovariance"] = [number(value) for value in autocovariance[:5]]
    if draws >= 4:  # below, the C++ function is defined and arviz-stats' is not
        result["nested"] = []
        for length in sorted({1, chains // 2}):
            if length >= 1 and chains % length == 0 and chains // length >= 2:
                ids = numpy.arange(chains) // length
                result["nested"].append(
                    {
                        "chains_per_superchain": length,
                        "plain": number(array_stats.rhat_nested(by_chain, ids, method="identity")),
                        "rank": number(array_stats.rhat_nested(by_chain, ids, method="rank")),
                    }
                )
    return result


def main():
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    numpy.seterr(all="ignore")
    lines = []
    for kind, chains, draws, seed, parameter in CASES:
        x = make_draws(kind, chains, draws, seed, parameter)
        case = {
            "kind": kind,
            "chains": chains,
            "draws": draws,
            "stream": seed,
            "parameter": parameter,
            "check": [number(x[0, 0]), number(x[-1, -1]), number(numpy.sum(numpy.abs(x)))],
        }
        lines.append(json.dumps({**case, **metrics(x)}))
    versions = {
        "arviz": arviz.__version__,
        "arviz_stats": arviz_stats.__version__,
        "numpy": numpy.__version__,
        "scipy": scipy.__version__,
    }
    text = '{"versions": %s,\n "probabilities": %s,\n "cases": [\n  %s\n]}\n' % (
        json.dumps(versions),
        json.dumps(PROBABILITIES),
        ",\n  ".join(lines),
    )
    pathlib.Path(__file__).with_name("arviz.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
