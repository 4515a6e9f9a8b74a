"""A training step in bfloat16, weights kept in 32 bits, beside raw code: a network 512-1024-1024-10, batch 128, Adam.

Run as a script: `KERAS_BACKEND=torch python precision.py [ROUNDS]`, with our keras or upstream's on the path. Prints
seconds of a step as JSON.
"""
import json
import os
import sys

import numpy as np
import timing
import works

STEPS, BATCH, WIDTHS = 12, 128, (512, 1024, 1024, 10)


def data():
    generator = np.random.RandomState(0)
    return (generator.rand(STEPS * BATCH, WIDTHS[0]).astype('float32'),
            generator.randint(0, WIDTHS[-1], STEPS * BATCH).astype('int64'))


def batches(x, y):
    for start in range(0, len(x), BATCH):
        yield x[start:start + BATCH], y[start:start + BATCH]


def keras_epoch(x, y, policy):
    import keras
    layers = keras.layers
    keras.config.set_dtype_policy(policy)
    model = keras.Sequential([keras.Input((WIDTHS[0],))] + [layers.Dense(width, activation='relu')
                                                           for width in WIDTHS[1:-1]]
                             + [layers.Dense(WIDTHS[-1]), layers.Activation('linear', dtype='float32')])
    model.compile(keras.optimizers.Adam(works.LEARNING_RATE),
                  keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    keras.config.set_dtype_policy('float32')
    return lambda: model.fit(x, y, batch_size=BATCH, epochs=1, shuffle=False, verbose=0)


def torch_epoch(x, y):
    import torch
    from torch import nn
    layers = []
    for before, after in zip(WIDTHS, WIDTHS[1:]):
        layers += [nn.Linear(before, after), nn.ReLU()]
    network = nn.Sequential(*layers[:-1])
    optimizer = torch.optim.Adam(network.parameters(), works.LEARNING_RATE, fused=True)

    def epoch():
        for some, wanted in batches(torch.from_numpy(x), torch.from_numpy(y)):
            with torch.autocast('cpu', dtype=torch.bfloat16):
                found = network(some)
            loss = nn.functional.cross_entropy(found.float(), wanted)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        return float(loss)
    return epoch


def jax_epoch(x, y):
    import functools

    import jax
    import jax.numpy as jnp
    generator = np.random.RandomState(1)
    weights = [(jnp.asarray(generator.normal(size=pair).astype('float32') / np.sqrt(pair[0])), jnp.zeros(pair[1]))
               for pair in zip(WIDTHS, WIDTHS[1:])]
    zeros = jax.tree_util.tree_map(jnp.zeros_like, weights)
    state = [weights, zeros, jax.tree_util.tree_map(jnp.zeros_like, weights), jnp.zeros(())]

    def loss_of(weights, x, y):
        x = x.astype(jnp.bfloat16)
        for place, (kernel, bias) in enumerate(weights):
            x = x @ kernel.astype(jnp.bfloat16) + bias.astype(jnp.bfloat16)
            x = jax.nn.relu(x) if place + 1 < len(weights) else x.astype(jnp.float32)
        return -jnp.take_along_axis(jax.nn.log_softmax(x), y[:, None], 1).mean()

    @functools.partial(jax.jit, donate_argnums=0)
    def step(state, x, y):
        weights, first, second, count = state
        loss, slopes = jax.value_and_grad(loss_of)(weights, x, y)
        count = count + 1
        rate = works.LEARNING_RATE * jnp.sqrt(1 - works.BETA_2 ** count) / (1 - works.BETA_1 ** count)
        mapped = jax.tree_util.tree_map
        first = mapped(lambda m, g: m + (g - m) * (1 - works.BETA_1), first, slopes)
        second = mapped(lambda v, g: v + (g * g - v) * (1 - works.BETA_2), second, slopes)
        weights = mapped(lambda w, m, v: w - rate * m / (jnp.sqrt(v) + works.EPSILON), weights, first, second)
        return (weights, first, second, count), loss

    def epoch():
        for some, wanted in batches(x, y):
            state[:], loss = step(tuple(state), some, wanted)
        return float(loss)
    return epoch


def main(rounds):
    engine = os.environ['KERAS_BACKEND']
    x, y = data()
    epochs = {policy: keras_epoch(x, y, policy) for policy in ('mixed_bfloat16', 'float32')}
    raw = {'torch': torch_epoch, 'jax': jax_epoch}
    if engine in raw and not works.keras_is_upstream():
        epochs['raw'] = raw[engine](x, y)
    times = timing.alternate(list(epochs.values()), rounds)
    print(json.dumps({name: seconds / STEPS for name, seconds in zip(epochs, times)}))


if __name__ == '__main__':
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
