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


def _normalized(weights, statistics, updated, x, name, training, epsilon):
    moving_mean, moving_variance = statistics[name]
    mean, variance = moving_mean, moving_variance
    if training:
        mean, variance = x.mean((0, 1, 2)), x.var((0, 1, 2))
        updated[name] = (moving_mean * works.MOMENTUM + mean * (1 - works.MOMENTUM),
                         moving_variance * works.MOMENTUM + variance * (1 - works.MOMENTUM))
    factor = weights['scale%s' % name] * lax.rsqrt(variance + epsilon)
    return x * factor + (weights['offset%s' % name] - mean * factor)


def _residual(weights, statistics, x, training):
    updated = {}
    strides = {name: stride for name, _, _, _, stride in works.residual_convolutions()}

    def step(x, name, padding='SAME'):
        x = lax.conv_general_dilated(x, weights['kernel' + name], (strides[name],) * 2, padding,
                                     dimension_numbers=('NHWC', 'HWIO', 'NHWC')) + weights['bias' + name]
        return _normalized(weights, statistics, updated, x, name, training, works.RESIDUAL_EPSILON)

    x = jax.nn.relu(step(x, 'stem', ((3, 3), (3, 3))))
    x = lax.reduce_window(x, -jnp.inf, lax.max, (1, 3, 3, 1), (1, 2, 2, 1), ((0, 0), (1, 1), (1, 1), (0, 0)))
    for stack, (_, blocks) in enumerate(works.STACKS):
        for block in range(blocks):
            name = '%d_%d' % (stack, block)
            shortcut = step(x, name + '_0', 'VALID') if block == 0 else x
            inner = jax.nn.relu(step(x, name + '_1', 'VALID'))
            inner = jax.nn.relu(step(inner, name + '_2'))
            x = jax.nn.relu(shortcut + step(inner, name + '_3', 'VALID'))
    return x.mean((1, 2)) @ weights['w'] + weights['b'], updated


def _conv(weights, statistics, x, training):
    updated = {}
    for index in range(len(works.FILTERS)):
        x = lax.conv_general_dilated(x, weights['kernel%d' % index], (1, 1), 'SAME',
                                     dimension_numbers=('NHWC', 'HWIO', 'NHWC'))
        x = jax.nn.relu(_normalized(weights, statistics, updated, x, index, training, works.NORMALIZATION_EPSILON))
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
        forward = {'mlp': _mlp, 'conv': _conv, 'lstm': _lstm, 'resnet50': _residual}[work]
        loss = _binary_crossentropy if work == 'lstm' else _sparse_crossentropy
        weights = {name: jnp.array(value) for name, value in works.initial_weights(work).items()}
        zeros = jax.tree.map(jnp.zeros_like, weights)
        statistics = {}
        if work == 'conv':
            statistics = {i: (jnp.zeros(n), jnp.ones(n)) for i, n in enumerate(works.FILTERS)}
        elif work == 'resnet50':
            statistics = {name: (jnp.zeros(n), jnp.ones(n)) for name, _, n, _, _ in works.residual_convolutions()}
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
        return np.asarray(self.call(x))

    def call(self, x):
        return self._forward(self.state[0], self.state[4], x)
