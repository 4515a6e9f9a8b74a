"""Recurrent networks beside the engine's own fused layers (`torch.nn.LSTM` and `GRU`), or a scan in JAX, side by side.

The works: one layer, one of either direction, two stacked, and one over sequences of different lengths (masked; packed
in PyTorch). 32 sequences of 100 steps of 64 numbers, 128 units; mean squared error of a dense unit, Adam.

Run as a script: `KERAS_BACKEND=torch python recurrent.py WORK ROUNDS`, with our keras or upstream's on the path.
Prints seconds of a training step and of a prediction as JSON.
"""
import functools
import json
import os
import sys

import numpy as np
import timing
import works

WORKS = ('lstm', 'gru', 'bidirectional', 'stacked', 'masked')
BATCH, LENGTH, WIDTH, UNITS = 32, 100, 64, 128


def data(work):
    generator = np.random.RandomState(0)
    x = generator.normal(size=(BATCH, LENGTH, WIDTH)).astype('float32')
    lengths = np.full(BATCH, LENGTH)
    if work == 'masked':
        lengths = generator.randint(LENGTH // 2, LENGTH + 1, BATCH)
        x[np.arange(LENGTH) >= lengths[:, None]] = 0
    return x, generator.normal(size=(BATCH, 1)).astype('float32'), lengths


def model(work):
    """The compiled Keras model, of ours or upstream's."""
    import keras
    layers = keras.layers
    lstm = functools.partial(layers.LSTM, UNITS, recurrent_activation='sigmoid')
    inputs = x = keras.Input((LENGTH, WIDTH))
    if work == 'masked':
        x = lstm()(layers.Masking()(x))
    elif work == 'gru':
        x = layers.GRU(UNITS, recurrent_activation='sigmoid', reset_after=True)(x)
    elif work == 'bidirectional':
        x = layers.Bidirectional(lstm())(x)
    else:
        x = lstm()(lstm(return_sequences=True)(x) if work == 'stacked' else x)
    result = keras.Model(inputs, layers.Dense(1)(x))
    result.compile(keras.optimizers.Adam(works.LEARNING_RATE), 'mse')
    return result


def raw_torch(work):
    import torch
    from torch import nn

    class Network(nn.Module):
        def __init__(self):
            super().__init__()
            kind, both = nn.GRU if work == 'gru' else nn.LSTM, work == 'bidirectional'
            self.layer = kind(WIDTH, UNITS, 2 if work == 'stacked' else 1, batch_first=True, bidirectional=both)
            self.dense = nn.Linear(UNITS * (1 + both), 1)

        def forward(self, x, lengths):
            if work == 'masked':
                x = nn.utils.rnn.pack_padded_sequence(x, lengths, True, enforce_sorted=False)
            _, h = self.layer(x)
            h = h if work == 'gru' else h[0]
            return self.dense(torch.cat([h[0], h[1]], 1) if work == 'bidirectional' else h[-1])
    network = Network()
    optimizer = torch.optim.Adam(network.parameters(), works.LEARNING_RATE, fused=True)

    def fit(x, y, lengths):
        loss = nn.functional.mse_loss(network(torch.from_numpy(x), torch.from_numpy(lengths)), torch.from_numpy(y))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return float(loss.detach())

    def predict(x, lengths):
        with torch.inference_mode():
            return network(torch.from_numpy(x), torch.from_numpy(lengths)).numpy()
    return fit, predict


def raw_jax(work):
    import jax
    import jax.numpy as jnp
    generator = np.random.RandomState(1)
    gates = 3 if work == 'gru' else 4

    def drawn(*shape):
        return jnp.array(generator.normal(size=shape) / np.sqrt(shape[0]), 'float32')

    def drawn_layer(width):
        return {'kernel': drawn(width, gates * UNITS), 'recurrent': drawn(UNITS, gates * UNITS),
                'bias': jnp.zeros(gates * UNITS), 'recurrent bias': jnp.zeros(gates * UNITS)}
    count = 2 if work in ('stacked', 'bidirectional') else 1
    weights = {'layers': [drawn_layer(UNITS if work == 'stacked' and index else WIDTH) for index in range(count)],
               'w': drawn(UNITS * (2 if work == 'bidirectional' else 1), 1), 'b': jnp.zeros(1)}

    def lstm(w, state, x):
        h, c = state
        i, f, g, o = jnp.split(x @ w['kernel'] + w['bias'] + h @ w['recurrent'], 4, -1)
        c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
        return jax.nn.sigmoid(o) * jnp.tanh(c), c

    def gru(w, state, x):
        h, = state
        xz, xr, xh = jnp.split(x @ w['kernel'] + w['bias'], 3, -1)
        hz, hr, hh = jnp.split(h @ w['recurrent'] + w['recurrent bias'], 3, -1)
        z, r = jax.nn.sigmoid(xz + hz), jax.nn.sigmoid(xr + hr)
        return z * h + (1 - z) * jnp.tanh(xh + r * hh),
    cell = gru if work == 'gru' else lstm

    def run(w, xs, reverse=False, present=None):
        def step(state, x):
            if present is None:
                state = cell(w, state, x)
            else:
                x, kept = x
                state = tuple(jnp.where(kept, new, old) for new, old in zip(cell(w, state, x), state))
            return state, state[0]
        zeros = jnp.zeros((xs.shape[1], UNITS))
        state, outputs = jax.lax.scan(step, (zeros,) if work == 'gru' else (zeros, zeros),
                                      xs if present is None else (xs, present), reverse=reverse)
        return outputs, state[0]

    def forward(w, x, lengths):
        xs = jnp.swapaxes(x, 0, 1)
        present = (jnp.arange(LENGTH)[:, None] < lengths[None])[:, :, None] if work == 'masked' else None
        if work == 'bidirectional':
            h = jnp.concatenate([run(w['layers'][0], xs)[1], run(w['layers'][1], xs, True)[1]], -1)
        else:
            for layer in w['layers']:
                xs, h = run(layer, xs, present=present)
        return h @ w['w'] + w['b']

    def loss(w, x, y, lengths):
        return jnp.mean((forward(w, x, lengths) - y) ** 2)

    @functools.partial(jax.jit, donate_argnums=0)
    def step(state, x, y, lengths):
        w, first, second, count = state
        value, gradients = jax.value_and_grad(loss)(w, x, y, lengths)
        count = count + 1
        rate = works.LEARNING_RATE * jnp.sqrt(1 - works.BETA_2 ** count) / (1 - works.BETA_1 ** count)
        first = jax.tree.map(lambda m, g: m + (g - m) * (1 - works.BETA_1), first, gradients)
        second = jax.tree.map(lambda v, g: v + (g * g - v) * (1 - works.BETA_2), second, gradients)
        w = jax.tree.map(lambda w, m, v: w - rate * m / (jnp.sqrt(v) + works.EPSILON), w, first, second)
        return (w, first, second, count), value
    zeros = functools.partial(jax.tree.map, jnp.zeros_like)
    state, run_forward = [(weights, zeros(weights), zeros(weights), jnp.zeros(()))], jax.jit(forward)

    def fit(x, y, lengths):
        state[0], value = step(state[0], x, y, lengths)
        return float(value)
    return fit, lambda x, lengths: np.asarray(run_forward(state[0][0], x, lengths))


def main(work, rounds):
    x, y, lengths = data(work)
    peers = [] if works.keras_is_upstream() else [
        {'torch': raw_torch, 'jax': raw_jax}[os.environ['KERAS_BACKEND']](work)]
    network, options = model(work), {'batch_size': BATCH, 'verbose': 0}
    fits = [lambda: network.fit(x, y, epochs=1, **options)] + [lambda peer=peer: peer[0](x, y, lengths)
                                                               for peer in peers]
    predictions = [lambda: network.predict(x, **options)] + [lambda peer=peer: peer[1](x, lengths) for peer in peers]
    result = dict(zip(('fit', 'raw fit'), timing.alternate(fits, rounds)))
    result.update(zip(('predict', 'raw predict'), timing.alternate(predictions, rounds)))
    print(json.dumps(result))


if __name__ == '__main__':
    main(sys.argv[1], int(sys.argv[2]))
