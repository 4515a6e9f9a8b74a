"""What it takes to make a layer, to get its config and to make one of the config. Prints seconds as JSON.

Run as a script: `KERAS_BACKEND=jax python construction.py`, with our keras or upstream's on the path; no engine
computes.
"""
import json
import os

import timing

ROUNDS, REPEAT = 15, 60


def makers(keras):
    layers = keras.layers
    return {
        'Dense': lambda: layers.Dense(8, activation='relu', kernel_initializer='he_normal', kernel_regularizer='l2'),
        'Conv2D': lambda: layers.Conv2D(8, 3, padding='same'),
        'LSTM': lambda: layers.LSTM(8, dropout=0.5)}


def main():
    import keras
    result = {}
    for name, make in makers(keras).items():
        layer = make()
        again = type(layer).from_config
        seconds = timing.alternate([make, layer.get_config, lambda: again(layer.get_config())], ROUNDS, REPEAT)
        result.update(zip(('making %s' % name, 'config of %s' % name, '%s from its config' % name), seconds))
    print(json.dumps(result))


if __name__ == '__main__':
    os.environ.setdefault('KERAS_BACKEND', 'numpy')
    main()
