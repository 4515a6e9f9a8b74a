"""Steps of networks with attention beside raw code with the engine's own fused attention, in one process.

`gpt2`: a decoder block of the size of GPT-2 small's (768 numbers, 12 heads) on 4 x 256 tokens, mean squared error.
`vit`: ViT-tiny (192 numbers, 3 heads, 12 blocks, patches of 16) on 8 images of 224 x 224, ten classes. Adam trains
both.

Run as a script: `KERAS_BACKEND=torch python attention.py WORK ROUNDS`, with our keras or upstream's on the path.
Prints seconds as JSON.
"""
import functools
import json
import math
import os
import sys

import numpy as np
import timing
import works

WORKS = ('gpt2', 'vit')
WIDTH, HEADS, BLOCKS = {'gpt2': 768, 'vit': 192}, {'gpt2': 12, 'vit': 3}, {'gpt2': 1, 'vit': 12}
BATCH, TOKENS, IMAGE, PATCH, CLASSES = {'gpt2': 4, 'vit': 8}, 256, 224, 16, 10
EPSILON = 1e-5


def data(work):
    generator = np.random.RandomState(0)
    if work == 'gpt2':
        x = generator.normal(size=(BATCH[work], TOKENS, WIDTH[work])).astype('float32')
        return x, x[::-1].copy()
    return (generator.rand(BATCH[work], IMAGE, IMAGE, 3).astype('float32'),
            generator.randint(0, CLASSES, BATCH[work]).astype('int64'))


def model(work):
    """The compiled Keras model, of ours or upstream's."""
    import keras
    layers, width = keras.layers, WIDTH[work]

    def gelu(x):
        return keras.ops.gelu(x, approximate=True)

    def block(x):
        y = layers.LayerNormalization(epsilon=EPSILON)(x)
        y = layers.MultiHeadAttention(HEADS[work], width // HEADS[work])(y, y, use_causal_mask=work == 'gpt2')
        x = layers.Add()([x, y])
        y = layers.LayerNormalization(epsilon=EPSILON)(x)
        return layers.Add()([x, layers.Dense(width)(layers.Dense(4 * width, activation=gelu)(y))])
    if work == 'gpt2':
        inputs = keras.Input((TOKENS, width))
        outputs, loss = block(inputs), 'mse'
    else:
        inputs = keras.Input((IMAGE, IMAGE, 3))
        x = layers.Conv2D(width, PATCH, strides=PATCH)(inputs)
        x = layers.Reshape(((IMAGE // PATCH) ** 2, width))(x)
        for _ in range(BLOCKS[work]):
            x = block(x)
        x = layers.GlobalAveragePooling1D()(layers.LayerNormalization(epsilon=EPSILON)(x))
        outputs, loss = layers.Dense(CLASSES)(x), keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    result = keras.Model(inputs, outputs)
    result.compile(keras.optimizers.Adam(works.LEARNING_RATE), loss)
    return result


def raw_torch(work):
    """(a training step, a prediction) in PyTorch: one projection for queries, keys and values, fused Adam."""
    import torch
    from torch import nn
    from torch.nn import functional as F
    width, heads = WIDTH[work], HEADS[work]

    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.second = nn.LayerNorm(width, EPSILON), nn.LayerNorm(width, EPSILON)
            self.projections, self.output = nn.Linear(width, 3 * width), nn.Linear(width, width)
            self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

        def forward(self, x):
            q, k, v = [part.view(*x.shape[:2], heads, -1).transpose(1, 2)
                       for part in self.projections(self.first(x)).chunk(3, -1)]
            y = F.scaled_dot_product_attention(q, k, v, is_causal=work == 'gpt2').transpose(1, 2).reshape(x.shape)
            x = x + self.output(y)
            return x + self.down(F.gelu(self.up(self.second(x)), approximate='tanh'))

    class Vision(nn.Module):
        def __init__(self):
            super().__init__()
            self.patches = nn.Conv2d(3, width, PATCH, PATCH)
            self.blocks = nn.Sequential(*[Block() for _ in range(BLOCKS[work])])
            self.norm, self.head = nn.LayerNorm(width, EPSILON), nn.Linear(width, CLASSES)

        def forward(self, x):
            x = self.patches(x.permute(0, 3, 1, 2)).flatten(2).transpose(1, 2)
            return self.head(self.norm(self.blocks(x)).mean(1))
    network, loss = (Block(), F.mse_loss) if work == 'gpt2' else (Vision(), F.cross_entropy)
    optimizer = torch.optim.Adam(network.parameters(), works.LEARNING_RATE, fused=True)

    def fit(x, y):
        value = loss(network(torch.from_numpy(x)), torch.from_numpy(y))
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        return float(value.detach())

    def predict(x):
        with torch.inference_mode():
            return network(torch.from_numpy(x)).numpy()
    return fit, predict


def raw_jax(work):
    """(a training step, a prediction) in JAX: one jitted step with donated state, `jax.nn.dot_product_attention`."""
    import jax
    import jax.numpy as jnp
    width, heads = WIDTH[work], HEADS[work]

    def normalized(x, scale, offset):
        mean = x.mean(-1, keepdims=True)
        variance = jnp.mean((x - mean) ** 2, -1, keepdims=True)
        return (x - mean) * jax.lax.rsqrt(variance + EPSILON) * scale + offset

    def block(w, x):
        q, k, v = jnp.split(normalized(x, *w['first']) @ w['projections'] + w['biases'], 3, -1)
        y = jax.nn.dot_product_attention(*[part.reshape(x.shape[:2] + (heads, -1)) for part in (q, k, v)],
                                         is_causal=work == 'gpt2').reshape(x.shape)
        x = x + y @ w['output'] + w['output bias']
        y = jax.nn.gelu(normalized(x, *w['second']) @ w['up'] + w['up bias'])
        return x + y @ w['down'] + w['down bias']

    generator = np.random.RandomState(1)

    def drawn(*shape):
        return jnp.array(generator.normal(size=shape) / math.sqrt(np.prod(shape[:-1])), 'float32')

    def drawn_block():
        norms = {name: (jnp.ones(width), jnp.zeros(width)) for name in ('first', 'second')}
        return dict(norms, projections=drawn(width, 3 * width), biases=jnp.zeros(3 * width), output=drawn(width, width),
                    up=drawn(width, 4 * width), down=drawn(4 * width, width),
                    **{'output bias': jnp.zeros(width), 'up bias': jnp.zeros(4 * width), 'down bias': jnp.zeros(width)})
    weights = {'blocks': [drawn_block() for _ in range(BLOCKS[work])]}
    if work == 'vit':
        weights.update(patches=drawn(PATCH * PATCH * 3, width), bias=jnp.zeros(width), head=drawn(width, CLASSES),
                       norm=(jnp.ones(width), jnp.zeros(width)))

    def forward(w, x):
        if work == 'vit':
            side = IMAGE // PATCH
            x = x.reshape(-1, side, PATCH, side, PATCH, 3).swapaxes(2, 3).reshape(-1, side * side, PATCH * PATCH * 3)
            x = x @ w['patches'] + w['bias']
        for each in w['blocks']:
            x = block(each, x)
        return x if work == 'gpt2' else normalized(x, *w['norm']).mean(1) @ w['head']

    def loss(w, x, y):
        outputs = forward(w, x)
        if work == 'gpt2':
            return jnp.mean((outputs - y) ** 2)
        return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(outputs), y[:, None], 1))

    @functools.partial(jax.jit, donate_argnums=0)
    def step(state, x, y):
        w, first, second, count = state
        value, gradients = jax.value_and_grad(loss)(w, x, y)
        count = count + 1
        rate = works.LEARNING_RATE * jnp.sqrt(1 - works.BETA_2 ** count) / (1 - works.BETA_1 ** count)
        first = jax.tree.map(lambda m, g: m + (g - m) * (1 - works.BETA_1), first, gradients)
        second = jax.tree.map(lambda v, g: v + (g * g - v) * (1 - works.BETA_2), second, gradients)
        w = jax.tree.map(lambda w, m, v: w - rate * m / (jnp.sqrt(v) + works.EPSILON), w, first, second)
        return (w, first, second, count), value
    zeros = functools.partial(jax.tree.map, jnp.zeros_like)
    state, run = [(weights, zeros(weights), zeros(weights), jnp.zeros(()))], jax.jit(forward)

    def fit(x, y):
        state[0], value = step(state[0], x, y)
        return float(value)
    return fit, lambda x: np.asarray(run(state[0][0], x))


def main(work, rounds):
    x, y = data(work)
    raw = {'torch': raw_torch, 'jax': raw_jax}[os.environ['KERAS_BACKEND']]
    peers = [] if works.keras_is_upstream() else [raw(work)]
    network = model(work)
    options = {'batch_size': len(x), 'verbose': 0}
    fits = [lambda: network.fit(x, y, epochs=1, **options)] + [lambda peer=peer: peer[0](x, y) for peer in peers]
    predictions = [lambda: network.predict(x, **options)] + [lambda peer=peer: peer[1](x) for peer in peers]
    result = dict(zip(('fit', 'raw fit'), timing.alternate(fits, rounds)))
    result.update(zip(('predict', 'raw predict'), timing.alternate(predictions, rounds)))
    print(json.dumps(result))


if __name__ == '__main__':
    main(sys.argv[1], int(sys.argv[2]))
