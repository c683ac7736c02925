"""L2HMC in JAX: leapfrog with networks inside, sampled and trained (Levy, Hoffman & Sohl-Dickstein,
"Generalizing Hamiltonian Monte Carlo with Neural Networks", ICLR 2018; the equations of the authors'
program, since the printed ones have errors).

With masks m_t (1 - m_t = n_t), time code tau_t, a = grad U and step size e, step t of a forward
trajectory is, S, T, Q being the outputs of the network named before the semicolon,

  V(x, a(x), tau):    v <- v exp(e/2 S) + e/2 (T - a exp(e Q))
  X(v, m x, tau):     x <- m x + n (x exp(e S) + e (v exp(e Q) + T))
  X(v, n x, tau):     x <- n x + m (x exp(e S) + e (v exp(e Q) + T))
  V(x, a(x), tau):    v, as above

and the log-Jacobian is the sum of the exponents' e S over what they multiply. A backward trajectory is
the inverse: steps from the last to the first, updates in reverse order, u -> a u + b becoming
u -> (u - b) / a. Every chain draws its direction and evaluates only that: the order of updates is the
same both ways, so selects of the mask, the time code and the sign are all it takes.

Arrays are [units or coordinates, chains]: XLA's products are several times faster this way round than
[chains, units] for the paper's ten units, on a CPU, and no slower for its hundred.
"""

import math

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree

BATCH = 200
LOSS_SCALE = 0.1  # lambda^2
LEARNING_RATE, DECAY, DECAY_STEPS = 1e-3, 0.96, 1000
BETA1, BETA2, ADAM_EPSILON = 0.9, 0.999, 1e-8


def initial_network(key, dim, width, second_factor, head_factor):
    """Truncated normal weights of variance 2 factor / fan-in; zero biases and log scales."""
    keys = jax.random.split(key, 5)

    def weights(key, rows, columns, factor):
        make = jax.nn.initializers.variance_scaling(2 * factor, "fan_in", "truncated_normal",
                                                    in_axis=1, out_axis=0)
        return make(key, (rows, columns))

    return dict(
        first=weights(keys[0], width, dim, 1 / 3), second=weights(keys[1], width, dim, second_factor),
        time=weights(keys[2], width, 2, 1 / 3), time_bias=jnp.zeros(width),
        hidden=weights(keys[3], width, width, 1.0), hidden_bias=jnp.zeros(width),
        heads=weights(keys[4], 3 * dim, width, head_factor), heads_bias=jnp.zeros(3 * dim),
        scale_s=jnp.zeros(dim), scale_q=jnp.zeros(dim))


def initial_parameters(key, dim, width, step_size=0.1, head_factor=1e-3):
    """All that is trained. The second input of X is half masked, hence twice the factor."""
    for_v, for_x = jax.random.split(key)
    return dict(log_step=jnp.asarray(math.log(step_size)),
                v=initial_network(for_v, dim, width, 1 / 3, head_factor),
                x=initial_network(for_x, dim, width, 2 / 3, head_factor))


def random_masks(seed, steps, dim):
    """[steps, dim] of bool, floor(dim / 2) of each row true: what the first position update keeps."""
    rng = np.random.default_rng(seed)
    return np.stack([rng.permutation(dim) < dim // 2 for _ in range(steps)])


def outputs(net, first_layer):
    """S, T, Q, each [dim, chains], from the sum that enters the first ReLU."""
    hidden = jax.nn.relu(net["hidden"] @ jax.nn.relu(first_layer) + net["hidden_bias"][:, None])
    s, t, q = jnp.split(net["heads"] @ hidden + net["heads_bias"][:, None], 3)
    return (jnp.exp(net["scale_s"])[:, None] * jnp.tanh(s), t,
            jnp.exp(net["scale_q"])[:, None] * jnp.tanh(q))


def trajectory(potential, parameters, masks, x, v, forward, unroll=1):
    """(x, v, log-Jacobian [chains]) after all steps; forward: [chains] of bool."""
    steps = len(masks)
    net_v, net_x = parameters["v"], parameters["x"]
    step = jnp.exp(parameters["log_step"])
    gradient = jax.grad(lambda q: jnp.sum(potential(q)))
    sign = jnp.where(forward, 1, -1).astype(x.dtype)
    angle = 2 * math.pi / steps * np.arange(steps)
    tau = jnp.asarray(np.stack([np.cos(angle), np.sin(angle)]), x.dtype)
    time_v, time_x = ((net["time"] @ tau + net["time_bias"][:, None]).T for net in (net_v, net_x))
    masks = jnp.asarray(masks)

    def pick(going, coming, i):
        """Row i of one for chains that go forward, the row that mirrors it of the other."""
        return jnp.where(forward, going[i][:, None], coming[steps - 1 - i][:, None])

    def affine(u, log_scale, shift):
        scale = jnp.exp(sign * log_scale)
        return jnp.where(forward, u * scale + shift, (u - shift) * scale)

    def at(x):
        """What V needs of x; the end of a step and the start of the next share it."""
        a = gradient(x)
        return a, net_v["first"] @ x + net_v["second"] @ a

    def kick(v, a, embedded, time):
        s, t, q = outputs(net_v, embedded + time)
        return (affine(v, step / 2 * s, step / 2 * (t - a * jnp.exp(step * q))),
                step / 2 * jnp.sum(s, axis=0))

    def drift(x, v, keep, time):
        s, t, q = outputs(net_x, net_x["first"] @ v + net_x["second"] @ jnp.where(keep, x, 0) + time)
        moved = affine(x, step * s, step * (v * jnp.exp(step * q) + t))
        return jnp.where(keep, x, moved), step * jnp.sum(jnp.where(keep, 0, s), axis=0)

    def body(i, state):
        x, v, (a, embedded), log_jacobian = state
        for_v, for_x = pick(time_v, time_v, i), pick(time_x, time_x, i)
        keep = pick(masks, ~masks, i)
        v, first = kick(v, a, embedded, for_v)
        x, second = drift(x, v, keep, for_x)
        x, third = drift(x, v, ~keep, for_x)
        a, embedded = at(x)
        v, fourth = kick(v, a, embedded, for_v)
        return x, v, (a, embedded), log_jacobian + sign * (first + second + third + fourth)

    state = jax.lax.fori_loop(0, steps, body, (x, v, at(x), jnp.zeros_like(x[0])), unroll=unroll)
    return state[0], state[1], state[3]


def propose(potential, parameters, masks, key, x, unroll=1):
    """(proposal, log of the acceptance ratio, which a non-finite one turns into a rejection)."""
    momentum, direction = jax.random.split(key)
    v = jax.random.normal(momentum, x.shape, x.dtype)
    forward = jax.random.bernoulli(direction, shape=x.shape[1:])
    y, w, log_jacobian = trajectory(potential, parameters, masks, x, v, forward, unroll)
    log_ratio = (potential(x) - potential(y) + 0.5 * jnp.sum(v * v - w * w, axis=0) + log_jacobian)
    return y, log_ratio


def probability(log_ratio):
    """Masked before the exponential: a masked branch that is not finite has no finite gradient."""
    finite = jnp.isfinite(log_ratio)
    return jnp.where(finite, jnp.exp(jnp.minimum(jnp.where(finite, log_ratio, 0), 0)), 0)


def accept(key, x, y, chance):
    return jnp.where(jax.random.uniform(key, chance.shape, chance.dtype) < chance, y, x)


def sampler(potential, masks, unroll=1):
    """run(parameters, key, x, transitions) -> (x, sums over transitions, each of every chain):
    acceptance, balance, x, x squared. The mean of balance is zero where detailed balance holds and x
    started from the law: E[min(1, r)] = 2 P(r > 1) + P(r = 1)."""

    def run(parameters, key, x, transitions):
        def transition(_, state):
            key, x, (acceptance, balance, total, square) = state
            key, proposal_key, accept_key = jax.random.split(key, 3)
            y, log_ratio = propose(potential, parameters, masks, proposal_key, x, unroll)
            chance = probability(log_ratio)
            x = accept(accept_key, x, y, chance)
            above = jnp.sign(jnp.where(jnp.isfinite(log_ratio), log_ratio, -1))
            sums = (acceptance + chance, balance + chance - 1 - above, total + x, square + x * x)
            return key, x, sums

        zero, none = jnp.zeros_like(x), jnp.zeros_like(x[0])
        state = jax.lax.fori_loop(0, transitions, transition, (key, x, (none, none, zero, zero)))
        return state[1], state[2]

    return jax.jit(run)


def draws(potential, masks, parameters, key, x, transitions):
    """[transitions, dim, chains]."""

    def transition(x, key):
        proposal_key, accept_key = jax.random.split(key)
        y, log_ratio = propose(potential, parameters, masks, proposal_key, x)
        x = accept(accept_key, x, y, probability(log_ratio))
        return x, x

    return jax.jit(lambda x, keys: jax.lax.scan(transition, x, keys)[1])(
        x, jax.random.split(key, transitions))


def loss(distance, chance):
    """c mean(1 / d) - mean(d) / c with d = |y - x|^2 A + 1e-4 and c = lambda^2."""
    d = distance * chance + 1e-4
    return LOSS_SCALE * jnp.mean(1 / d) - jnp.mean(d) / LOSS_SCALE


class Trainer:
    """The paper's training: persistent chains, and as many fresh normal starts where q_weight is not
    0, through one pass; Adam; no gradient clipping. Steps whose gradient is not finite leave the
    parameters alone, and are counted.

    begin(seed) -> state; run(state, steps) -> state, one compiled program; state: dict with
    parameters (flat), mean, square, chains [dim, BATCH], key, iteration, loss, acceptance, skipped.
    """

    def __init__(self, potential, dim, width, masks, q_weight=0.0, step_size=0.1):
        self.dim, self.width, self.step_size = dim, width, step_size
        self.unravel = ravel_pytree(initial_parameters(jax.random.PRNGKey(0), dim, width))[1]

        def total(parameters, key, x):
            y, log_ratio = propose(potential, self.unravel(parameters), masks, key, x)
            finite = jnp.isfinite(log_ratio)
            chance = probability(log_ratio)
            distance = jnp.where(finite, jnp.sum((y - x) ** 2, axis=0), 0)
            value = loss(distance[:BATCH], chance[:BATCH])
            if q_weight:
                value += q_weight * loss(distance[BATCH:], chance[BATCH:])
            return value, (y[:, :BATCH], chance[:BATCH])

        def step(_, state):
            key, start_key, proposal_key, accept_key = jax.random.split(state["key"], 4)
            x = start = state["chains"]
            if q_weight:
                start = jnp.concatenate([x, jax.random.normal(start_key, x.shape, x.dtype)], axis=1)
            (value, (y, chance)), slope = jax.value_and_grad(total, has_aux=True)(
                state["parameters"], proposal_key, start)
            usable = jnp.all(jnp.isfinite(slope))
            slope = jnp.where(usable, slope, 0)
            count = state["iteration"] + 1
            mean = BETA1 * state["mean"] + (1 - BETA1) * slope
            square = BETA2 * state["square"] + (1 - BETA2) * slope * slope
            rate = (LEARNING_RATE * DECAY ** (state["iteration"] // DECAY_STEPS) *
                    jnp.sqrt(1 - BETA2 ** count) / (1 - BETA1 ** count))
            moved = state["parameters"] - rate * mean / (jnp.sqrt(square) + ADAM_EPSILON)

            def kept(new, old):
                return jnp.where(usable, new, old)

            return dict(parameters=kept(moved, state["parameters"]), mean=kept(mean, state["mean"]),
                        square=kept(square, state["square"]), chains=accept(accept_key, x, y, chance),
                        key=key, iteration=count, loss=value, acceptance=jnp.mean(chance),
                        skipped=state["skipped"] + jnp.where(usable, 0, 1))

        self.run = jax.jit(lambda state, steps: jax.lax.fori_loop(0, steps, step, state))

    def begin(self, seed):
        key, weights_key, chains_key = jax.random.split(jax.random.PRNGKey(seed), 3)
        flat = ravel_pytree(initial_parameters(weights_key, self.dim, self.width, self.step_size))[0]
        zero = jnp.zeros((), flat.dtype)
        return dict(parameters=flat, mean=jnp.zeros_like(flat), square=jnp.zeros_like(flat),
                    chains=jax.random.normal(chains_key, (self.dim, BATCH), flat.dtype), key=key,
                    iteration=jnp.asarray(0), loss=zero, acceptance=zero, skipped=jnp.asarray(0))
