"""The graphs of K: a step of style transfer, what `K.function` adds to a call, and how long graphs take to build.

Run as a script: `KERAS_BACKEND=jax python graph.py [STYLE_ROUNDS]`. Prints seconds as JSON. The raw peers take and give
NumPy arrays, as `K.function` does.
"""
import json
import os
import sys

import numpy as np

import timing

SIZE, BLOCKS = 64, ((32, 32), (64, 64), (128, 128))
OPERATIONS = 10000


def style_data():
    """The image, kernels and biases of a small VGG with random weights, and the targets of its layers."""
    generator = np.random.RandomState(0)
    weights, before = [], 3
    for filters in np.ravel(BLOCKS):
        kernel = generator.randn(3, 3, before, filters) * np.sqrt(2.0 / (9 * before))
        weights.append((kernel.astype('float32'), np.zeros(filters, 'float32')))
        before = filters
    grams = [generator.rand(block[0], block[0]).astype('float32') for block in BLOCKS]
    content = generator.rand(1, SIZE // 4, SIZE // 4, BLOCKS[-1][-1]).astype('float32')
    return generator.rand(1, SIZE, SIZE, 3).astype('float32'), weights, grams, content


def keras_style(weights, grams, content):
    """image -> [loss, gradient] by `K.function`."""
    import keras
    from keras import backend as K
    inputs = x = keras.layers.Input((SIZE, SIZE, 3))
    first, last = [], None
    for number, block in enumerate(BLOCKS):
        x = keras.layers.MaxPooling2D()(x) if number else x
        for place, filters in enumerate(block):
            x = last = keras.layers.Conv2D(filters, 3, padding='same', activation='relu')(x)
            if place == 0:
                first.append(x)
    model = keras.Model(inputs, x)
    model.set_weights([part for pair in weights for part in pair])

    def gram_matrix(features):
        flat = K.batch_flatten(K.permute_dimensions(features, (2, 0, 1)))
        return K.dot(flat, K.transpose(flat)) / float(np.prod(K.int_shape(features)))

    loss = K.mean(K.square(last - K.constant(content)))
    for features, gram in zip(first, grams):
        loss = loss + K.mean(K.square(gram_matrix(features[0]) - K.constant(gram)))
    function = K.function([inputs], [loss] + K.gradients(loss, inputs))
    return lambda image: function([image])


def jax_style(weights, grams, content):
    import jax
    import jax.numpy as jnp
    from jax import lax

    def loss_of(image, weights, grams, content):
        x, total, index = image, 0.0, 0
        for number, block in enumerate(BLOCKS):
            if number:
                x = lax.reduce_window(x, -jnp.inf, lax.max, (1, 2, 2, 1), (1, 2, 2, 1), 'VALID')
            for place in range(len(block)):
                kernel, bias = weights[index]
                x = jax.nn.relu(lax.conv_general_dilated(x, kernel, (1, 1), 'SAME',
                                                         dimension_numbers=('NHWC', 'HWIO', 'NHWC')) + bias)
                index += 1
                if place == 0:
                    flat = x.reshape(-1, x.shape[-1])
                    total += jnp.mean(jnp.square(flat.T @ flat / flat.size - grams[number]))
        return total + jnp.mean(jnp.square(x - content))
    step = jax.jit(jax.value_and_grad(loss_of))
    constants = jax.device_put((weights, grams, content))
    return lambda image: [np.asarray(part) for part in step(image, *constants)]


def tensorflow_style(weights, grams, content):
    import tensorflow as tf
    weights = [[tf.Variable(part) for part in pair] for pair in weights]
    grams, content = [tf.constant(gram) for gram in grams], tf.constant(content)

    @tf.function
    def step(image):
        with tf.GradientTape() as tape:
            tape.watch(image)
            x, total, index = image, 0.0, 0
            for number, block in enumerate(BLOCKS):
                x = tf.nn.max_pool2d(x, 2, 2, 'VALID') if number else x
                for place in range(len(block)):
                    kernel, bias = weights[index]
                    x = tf.nn.relu(tf.nn.bias_add(tf.nn.conv2d(x, kernel, 1, 'SAME'), bias))
                    index += 1
                    if place == 0:
                        flat = tf.reshape(x, (-1, x.shape[-1]))
                        size = float(np.prod(flat.shape))
                        total += tf.reduce_mean(tf.square(tf.matmul(flat, flat, transpose_a=True) / size
                                                          - grams[number]))
            total += tf.reduce_mean(tf.square(x - content))
        return total, tape.gradient(total, image)
    return lambda image: [part.numpy() for part in step(tf.constant(image))]


def torch_style(weights, grams, content):
    import torch
    from torch.nn import functional as F
    device = 'cuda' if torch.cuda.is_available() else 'cpu'
    weights = [(torch.from_numpy(kernel.transpose(3, 2, 0, 1)).to(device, memory_format=torch.channels_last),
                torch.from_numpy(bias).to(device)) for kernel, bias in weights]
    grams = [torch.from_numpy(gram).to(device) for gram in grams]
    content = torch.from_numpy(content).to(device).permute(0, 3, 1, 2)

    def step(image):
        image = torch.from_numpy(image).to(device).requires_grad_()
        x, total, index = image.permute(0, 3, 1, 2), 0.0, 0
        for number, block in enumerate(BLOCKS):
            x = F.max_pool2d(x, 2) if number else x
            for place in range(len(block)):
                x = F.relu(F.conv2d(x, *weights[index], padding=1))
                index += 1
                if place == 0:
                    flat = x[0].flatten(1)
                    total = total + F.mse_loss(flat @ flat.T / flat.numel(), grams[number])
        total = total + F.mse_loss(x, content)
        gradient, = torch.autograd.grad(total, image)
        return [total.detach().cpu().numpy(), gradient.cpu().numpy()]
    return step


def raw_call(engine):
    """x -> [2 x + 1] by a compiled function; by plain operations on PyTorch."""
    if engine == 'jax':
        import jax
        function = jax.jit(lambda x: x * 2.0 + 1.0)
        return lambda x: [np.asarray(function(x))]
    if engine == 'tensorflow':
        import tensorflow as tf
        function = tf.function(lambda x: x * 2.0 + 1.0)
        return lambda x: [function(tf.constant(x)).numpy()]
    import torch
    return lambda x: [(torch.from_numpy(x) * 2.0 + 1.0).numpy()]


def keras_call():
    from keras import backend as K
    x = K.placeholder((None, 8))
    function = K.function([x], [x * 2.0 + 1.0])
    return lambda x: function([x])


def long_graph():
    """The first and last tensor of a chain of operations."""
    from keras import backend as K
    first = x = K.placeholder((None, 8))
    for _ in range(OPERATIONS // 2):
        x = K.tanh(x + 1.0)
    return first, x


def compared(raw, ours, argument, rounds, repeat):
    """(seconds of raw, seconds of ours), after seeing that both give the same."""
    for expected, found in zip(raw(argument), ours(argument)):
        np.testing.assert_allclose(found, expected, rtol=2e-3, atol=1e-6)
    return timing.alternate([lambda: raw(argument), lambda: ours(argument)], rounds, repeat)


def main(rounds):
    engine = os.environ['KERAS_BACKEND']
    image, *parts = style_data()
    raw_style = {'jax': jax_style, 'tensorflow': tensorflow_style, 'torch': torch_style}[engine](*parts)
    result = {}
    result['raw style'], result['style'] = compared(raw_style, keras_style(*parts), image, rounds, 5)
    result['raw call'], result['call'] = compared(raw_call(engine), keras_call(), np.ones((4, 8), 'float32'), 25, 400)
    result['graph'], = timing.alternate([long_graph], 5)
    print(json.dumps(result))


if __name__ == '__main__':
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 7)
