"""What Python adds to one operation and one layer. Prints seconds as JSON.

Run as a script: `KERAS_BACKEND=jax python overhead.py`, with our keras or upstream's on the path.
"""
import json
import os

import numpy as np

import timing

ROUNDS, REPEAT = 25, 400


def native_operations(engine):
    """{name: (the engine's own function, arguments)} on 8x8 tensors, by the names of keras.ops.

    None on Theano and CNTK, whose operations build a graph and compute nothing.
    """
    names = ('add', 'multiply', 'exp', 'matmul', 'maximum', 'less')
    if engine in ('theano', 'cntk'):
        return {}
    array = np.random.RandomState(0).rand(8, 8).astype('float32') + 0.5
    if engine == 'jax':
        import jax.numpy as library
        x = library.array(array)
    elif engine == 'torch':
        import torch as library
        x = library.from_numpy(array)
    elif engine == 'mxnet':
        from mxnet import np as library
        x = library.array(array)
    else:
        import tensorflow as library
        x = library.constant(array)
    return {name: (getattr(library, name), (x,) if name == 'exp' else (x, x)) for name in names}


def operations(keras, engine):
    result = {}
    for name, (native, arguments) in native_operations(engine).items():
        ours = getattr(keras.ops, name)
        raw, wrapped = timing.alternate([lambda: native(*arguments), lambda: ours(*arguments)], ROUNDS, REPEAT)
        result[name] = (raw, wrapped)
    return result


def dense_on_torch(keras):
    import torch
    x = torch.rand(32, 64)
    raw, layer = torch.nn.Linear(64, 64), keras.layers.Dense(64)
    layer(x)
    return timing.alternate([lambda: raw(x), lambda: layer(x)], ROUNDS, REPEAT)


def abstract_layers(keras):
    """Seconds of one symbolic call of layers that are built."""
    layers = keras.layers
    cases = {'Dense': (layers.Dense(64), (32,)), 'Conv2D': (layers.Conv2D(16, 3), (32, 32, 3)),
             'BatchNormalization': (layers.BatchNormalization(), (32, 32, 3)),
             'MaxPooling2D': (layers.MaxPooling2D(), (32, 32, 3)), 'LSTM': (layers.LSTM(8), (10, 4))}
    result = {}
    for name, (layer, shape) in cases.items():
        inputs = keras.Input(shape)
        layer(inputs)
        result[name], = timing.alternate([lambda: layer(inputs)], 5, 40)
    return result


def main():
    engine = os.environ['KERAS_BACKEND']
    import keras
    result = {'operations': {}, 'layers': abstract_layers(keras)}
    if hasattr(keras, 'ops'):  # Keras 2 has none
        result['operations'] = operations(keras, engine)
    if engine == 'torch':
        result['dense'] = dense_on_torch(keras)
    print(json.dumps(result))


if __name__ == '__main__':
    main()
