"""The works in plain JAX: one jitted training step whose state is donated."""
import functools

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

import works


def _mlp(weights, statistics, x, training):
    hidden = jax.nn.relu(x @ weights['w1'] + weights['b1'])
    return hidden @ weights['w2'] + weights['b2'], statistics


def _conv(weights, statistics, x, training):
    updated = {}
    for index in range(len(works.FILTERS)):
        x = lax.conv_general_dilated(x, weights['kernel%d' % index], (1, 1), 'SAME',
                                     dimension_numbers=('NHWC', 'HWIO', 'NHWC'))
        moving_mean, moving_variance = statistics[index]
        mean, variance = moving_mean, moving_variance
        if training:
            mean, variance = x.mean((0, 1, 2)), x.var((0, 1, 2))
            updated[index] = (moving_mean * works.MOMENTUM + mean * (1 - works.MOMENTUM),
                              moving_variance * works.MOMENTUM + variance * (1 - works.MOMENTUM))
        factor = weights['scale%d' % index] * lax.rsqrt(variance + works.NORMALIZATION_EPSILON)
        x = jax.nn.relu(x * factor + (weights['offset%d' % index] - mean * factor))
        x = lax.reduce_window(x, -jnp.inf, lax.max, (1, 2, 2, 1), (1, 2, 2, 1), 'VALID')
    return x.reshape(x.shape[0], -1) @ weights['w'] + weights['b'], updated


def _lstm(weights, statistics, x, training):
    # The product with the kernel stays in the step: done before the scan, XLA's gradient takes three times as long.
    embedded = jnp.swapaxes(weights['table'][x], 0, 1)

    def step(carry, element):
        h, c = carry
        z = element @ weights['kernel'] + weights['bias'] + h @ weights['recurrent']
        i, f, g, o = jnp.split(z, 4, axis=-1)
        c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
        h = jax.nn.sigmoid(o) * jnp.tanh(c)
        return (h, c), None

    zeros = jnp.zeros((x.shape[0], works.LSTM_UNITS))
    (h, _), _ = lax.scan(step, (zeros, zeros), embedded)
    return h @ weights['w'] + weights['b'], statistics


def _sparse_crossentropy(logits, y):
    return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(logits), y[:, None], 1))


def _binary_crossentropy(logits, y):
    return jnp.mean(jnp.maximum(logits, 0) - logits * y + jnp.log1p(jnp.exp(-jnp.abs(logits))))


class Peer:
    def __init__(self, work):
        forward = {'mlp': _mlp, 'conv': _conv, 'lstm': _lstm}[work]
        loss = _binary_crossentropy if work == 'lstm' else _sparse_crossentropy
        weights = {name: jnp.array(value) for name, value in works.initial_weights(work).items()}
        zeros = jax.tree.map(jnp.zeros_like, weights)
        statistics = {}
        if work == 'conv':
            statistics = {i: (jnp.zeros(n), jnp.ones(n)) for i, n in enumerate(works.FILTERS)}
        self.state = (weights, zeros, jax.tree.map(jnp.zeros_like, weights), jnp.zeros(()), statistics)

        @functools.partial(jax.jit, donate_argnums=(0, 1))
        def train(state, total, x, y):
            weights, first, second, count, statistics = state

            def objective(weights):
                logits, updated = forward(weights, statistics, x, True)
                return loss(logits, y), updated

            (value, statistics), gradients = jax.value_and_grad(objective, has_aux=True)(weights)
            count = count + 1
            rate = works.LEARNING_RATE * jnp.sqrt(1 - works.BETA_2 ** count) / (1 - works.BETA_1 ** count)
            first = jax.tree.map(lambda m, g: m + (g - m) * (1 - works.BETA_1), first, gradients)
            second = jax.tree.map(lambda v, g: v + (g * g - v) * (1 - works.BETA_2), second, gradients)
            weights = jax.tree.map(lambda w, m, v: w - rate * m / (jnp.sqrt(v) + works.EPSILON),
                                   weights, first, second)
            return (weights, first, second, count, statistics), total + value

        self._train = train
        self._test = jax.jit(lambda weights, statistics, total, x, y:
                             total + loss(forward(weights, statistics, x, False)[0], y))
        self._forward = jax.jit(lambda weights, statistics, x: forward(weights, statistics, x, False)[0])

    def fit(self, x, y, batch):
        order = np.random.permutation(len(x))
        total, state = jnp.zeros(()), self.state
        for start in range(0, len(x), batch):
            chosen = order[start:start + batch]
            state, total = self._train(state, total, x[chosen], y[chosen])
        self.state = state
        return float(total) / (len(x) // batch)

    def evaluate(self, x, y, batch):
        weights, _, _, _, statistics = self.state
        total = jnp.zeros(())
        for start in range(0, len(x), batch):
            total = self._test(weights, statistics, total, x[start:start + batch], y[start:start + batch])
        return float(total) / (len(x) // batch)

    def predict(self, x):
        return np.asarray(self._forward(self.state[0], self.state[4], x))
