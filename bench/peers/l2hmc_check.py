"""What must hold of l2hmc_model.py, in float64, with networks whose outputs are of order 1. Importing
this turns JAX's float64 on."""

import functools

import jax

jax.config.update("jax_enable_x64", True)
import jax.numpy as jnp  # noqa: E402
import numpy as np  # noqa: E402

import l2hmc_model as model  # noqa: E402
from l2hmc_laws import LAWS, ess_per_step, normal, standard_errors  # noqa: E402

STEPS = 10
SMALL = {"scg": LAWS["scg"], "mog": LAWS["mog"], "rough-well": LAWS["rough-well"],
         "3-d normal": normal([0.5, 1.0, 2.0])}


def large(law, seed, step_size=0.1):
    """Normal weights of variance 1 / fan-in; biases and log scales of variance 1 / 4."""
    parameters = model.initial_parameters(jax.random.PRNGKey(seed), law.dim, law.width, step_size)
    rng = np.random.default_rng(seed)

    def drawn(leaf):
        return jnp.asarray(rng.standard_normal(leaf.shape) /
                           np.sqrt(leaf.shape[1] if leaf.ndim == 2 else 4))

    return {**jax.tree.map(drawn, parameters), "log_step": parameters["log_step"]}


def start(law, chains, seed):
    """(x, v, forward), from the joint law."""
    rng = np.random.default_rng(seed)
    return (jnp.asarray(law.draw(rng, chains)), jnp.asarray(rng.standard_normal((law.dim, chains))),
            jnp.asarray(rng.random(chains) < 0.5))


def travel(law, parameters, x, v, forward, unroll=1):
    masks = model.random_masks(5, STEPS, law.dim)
    return model.trajectory(functools.partial(law.potential, jnp), parameters, masks, x, v, forward,
                            unroll)


def round_trip():
    """Largest error of x, v and of the sum of both log-Jacobians, over all laws."""
    worst = 0.0
    for law in [*SMALL.values(), LAWS["icg"]]:
        # The Rough Well's curvature is 100: errors grow by its exponential at a larger step.
        parameters = large(law, 1, 0.02 if law is LAWS["rough-well"] else 0.1)
        x, v, forward = start(law, 16, 2)
        y, w, there = travel(law, parameters, x, v, forward)
        unroll = STEPS if law is LAWS["scg"] else 1  # slow to compile
        again, v_again, back = travel(law, parameters, y, w, ~forward, unroll)
        errors = [abs(again - x), abs(v_again - v), abs(there + back)]
        worst = max(worst, *(float(e.max()) for e in errors))
        if not float(abs(there).max()) > 0.1:
            return np.inf  # a map that keeps volume: not what these networks make
    return worst


def log_jacobian():
    """Largest difference from the log-determinant by forward-mode derivatives."""
    worst = 0.0
    for law in SMALL.values():
        parameters = large(law, 3, 0.02 if law is LAWS["rough-well"] else 0.1)

        def both(x, v, forward):  # of one chain
            def flat(z):
                y, w, there = travel(law, parameters, *jnp.split(z[:, None], 2), forward[None])
                return jnp.concatenate([y, w])[:, 0], there[0]

            matrix, there = jax.jacfwd(flat, has_aux=True)(jnp.concatenate([x, v]))
            return there - jnp.linalg.slogdet(matrix)[1]

        errors = jax.jit(jax.vmap(both, in_axes=(1, 1, 0)))(*start(law, 8, 3))
        worst = max(worst, float(abs(errors).max()))
    return worst


def written_out():
    """Largest difference from the forward equations for one chain, in NumPy, a line for each update."""
    law = SMALL["3-d normal"]
    parameters = jax.tree.map(np.asarray, large(law, 4))
    masks = model.random_masks(5, STEPS, law.dim).astype(float)
    x, v, _ = start(law, 1, 6)
    step, inverse = np.exp(parameters["log_step"]), 1 / np.array(law.variances)

    def network(net, a, b, t):
        code = np.array([np.cos(2 * np.pi * t / STEPS), np.sin(2 * np.pi * t / STEPS)])
        h = np.maximum(net["first"] @ a + net["second"] @ b + net["time"] @ code + net["time_bias"], 0)
        h = np.maximum(net["hidden"] @ h + net["hidden_bias"], 0)
        o = net["heads"] @ h + net["heads_bias"]
        return (np.exp(net["scale_s"]) * np.tanh(o[:3]), o[3:6],
                np.exp(net["scale_q"]) * np.tanh(o[6:]))

    q, p, log_jacobian = np.array(x[:, 0]), np.array(v[:, 0]), 0.0
    for t, m in enumerate(masks):
        s, r, u = network(parameters["v"], q, inverse * q, t)
        p = p * np.exp(step / 2 * s) + step / 2 * (-inverse * q * np.exp(step * u) + r)
        log_jacobian += step / 2 * s.sum()
        s, r, u = network(parameters["x"], p, m * q, t)
        q = m * q + (1 - m) * (q * np.exp(step * s) + step * (p * np.exp(step * u) + r))
        log_jacobian += step * ((1 - m) * s).sum()
        s, r, u = network(parameters["x"], p, (1 - m) * q, t)
        q = (1 - m) * q + m * (q * np.exp(step * s) + step * (p * np.exp(step * u) + r))
        log_jacobian += step * (m * s).sum()
        s, r, u = network(parameters["v"], q, inverse * q, t)
        p = p * np.exp(step / 2 * s) + step / 2 * (-inverse * q * np.exp(step * u) + r)
        log_jacobian += step / 2 * s.sum()
    y, w, there = travel(law, parameters, x, v, jnp.asarray([True]))
    return max(abs(y[:, 0] - q).max(), abs(w[:, 0] - p).max(), abs(there[0] - log_jacobian))


def leapfrog():
    """Largest difference, networks zero, from leapfrog with either sign of the step."""
    worst = 0.0
    for law in SMALL.values():
        x, v, forward = start(law, 16, 7)
        parameters = jax.tree.map(jnp.zeros_like, large(law, 0))
        parameters["log_step"] = jnp.log(0.05)
        y, w, there = travel(law, parameters, x, v, forward)
        step = jnp.where(forward, 0.05, -0.05)
        gradient = jax.grad(lambda q: law.potential(jnp, q).sum())
        for _ in range(STEPS):
            v = v - step / 2 * gradient(x)
            x = x + step * v
            v = v - step / 2 * gradient(x)
        worst = max(worst, float(abs(y - x).max()), float(abs(w - v).max()), float(abs(there).max()))
    return worst


def stationarity(chains=4096, transitions=20):
    """The worse of both, over the small laws."""
    worst = 0.0
    for law in SMALL.values():
        run = model.sampler(functools.partial(law.potential, jnp),
                            model.random_masks(5, STEPS, law.dim))
        x, sums = run(large(law, 8), jax.random.PRNGKey(9), start(law, chains, 10)[0], transitions)
        worst = max(worst, *standard_errors(law, x, sums, transitions))
    return worst


def ess(length=400, chains=4000, phi=0.8):
    """Relative error of the ESS of autoregressive chains x' = phi x + noise, where rho_t = phi^t."""
    rng = np.random.default_rng(11)
    x = rng.standard_normal((length, 2, chains))
    for t in range(1, length):
        x[t] = phi * x[t - 1] + np.sqrt(1 - phi * phi) * x[t]
    lags = phi ** np.arange(1, 50)
    return abs(ess_per_step(x, 2) * (1 + 2 * lags[lags > 0.05].sum()) - 1)


def loss_gradient():
    """Largest relative error against central differences, of some parameters and the step size."""
    law = SMALL["mog"]
    masks = model.random_masks(5, 4, law.dim)
    flat, unravel = model.ravel_pytree(large(law, 12))
    x = start(law, 16, 13)[0]

    def value(flat):
        y, log_ratio = model.propose(functools.partial(law.potential, jnp), unravel(flat), masks,
                                     jax.random.PRNGKey(14), x)
        return model.loss(jnp.sum((y - x) ** 2, axis=0), model.probability(log_ratio))

    slope = jax.grad(value)(flat)
    at = np.unique(np.append(np.random.default_rng(15).choice(len(flat), 20),
                             model.ravel_pytree(jax.tree.map(jnp.zeros_like, unravel(flat)) | {
                                 "log_step": jnp.asarray(1.0)})[0].argmax()))
    f, h = jax.jit(value), 1e-6
    differences = [(f(flat.at[i].add(h)) - f(flat.at[i].add(-h))) / (2 * h) for i in at]
    return float(abs(slope[at] - jnp.asarray(differences)).max() / abs(slope[at]).max())


CHECKS = [  # what, figure, bound
    ("forward, then backward: error", round_trip, 1e-10),
    ("log-Jacobian less log-determinant", log_jacobian, 1e-10),
    ("the equations written out: difference", written_out, 1e-12),
    ("zero networks less leapfrog", leapfrog, 1e-12),
    ("loss gradient less central differences", loss_gradient, 1e-6),
    ("stationarity and balance: standard errors", stationarity, 5),
    ("ESS of autoregressive chains: relative error", ess, 0.05),
]


def run():
    """Prints a line for each; whether all hold."""
    good = True
    for what, figure, bound in CHECKS:
        value = float(figure())
        held = value <= bound  # not a NaN
        good = good and held
        print(f"{'ok  ' if held else 'FAIL'} {what} {value:.2g}, bound {bound:g}", flush=True)
    return good
