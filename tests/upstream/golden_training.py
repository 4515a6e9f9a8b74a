"""Files of models in training: `python golden_training.py write FOLDER` where Keras 3.15.1 is, `read FOLDER` with ours.

Each optimizer trains a small model for three steps; the model is saved as `.keras` and as weights (`.weights.h5`), and
trains on for three steps. `read` loads each file, trains on, and prints where the losses are others.
"""
import json
import os
import sys

import keras
import numpy as np

OPTIMIZERS = {name: {} for name in ('SGD', 'Adam', 'AdamW', 'Adamax', 'Nadam', 'Adagrad', 'Adadelta', 'RMSprop', 'Ftrl',
                                    'Lion', 'Lamb', 'Adafactor', 'Muon', 'ScheduleFreeAdamW')}
SETTINGS = [{}, dict(use_ema=True, ema_overwrite_frequency=2), dict(gradient_accumulation_steps=2), dict(clipnorm=0.1)]
OWN = {'SGD': dict(momentum=0.9), 'Adam': dict(amsgrad=True), 'RMSprop': dict(momentum=0.5, centered=True)}


def model_of(optimizer):
    keras.utils.set_random_seed(1)
    inputs = keras.Input((3,), dtype='int32')
    x = keras.layers.Embedding(5, 4)(inputs)
    x = keras.layers.Dense(4, activation='tanh')(x)
    x = keras.layers.BatchNormalization()(keras.layers.Flatten()(x))
    model = keras.Model(inputs, keras.layers.Dense(2)(x))
    model.compile(optimizer, 'mse')
    return model


def batches():
    rng = np.random.RandomState(0)
    return [(rng.randint(0, 5, (8, 3)), rng.normal(size=(8, 2)).astype('float32')) for _ in range(6)]


def cases():
    for name in OPTIMIZERS:
        for number, given in enumerate(SETTINGS + ([OWN[name]] if name in OWN else [])):
            yield '%s_%d' % (name, number), name, dict(given, learning_rate=0.05)
    yield 'LossScale_0', 'LossScaleOptimizer', {}


def optimizer_of(name, given):
    if name == 'LossScaleOptimizer':
        return keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam(0.05))
    return getattr(keras.optimizers, name)(**given)


def main(what, folder):
    path = os.path.join(folder, 'training.json')
    expected = json.load(open(path)) if what == 'read' else {}
    failures = number = 0
    for case, name, given in cases():
        files = [os.path.join(folder, case + ending) for ending in ('.keras', '.weights.h5')]
        if what == 'write':
            model = model_of(optimizer_of(name, given))
            for x, y in batches()[:3]:
                model.train_on_batch(x, y)
            for file in files:
                model.save(file) if file.endswith('.keras') else model.save_weights(file)
            expected[case] = [float(model.train_on_batch(x, y)) for x, y in batches()[3:]]
            continue
        for file in files:
            number += 1
            try:
                if file.endswith('.keras'):
                    model = keras.models.load_model(file)
                else:
                    model = model_of(optimizer_of(name, given))
                    model.optimizer.build(model.trainable_variables)
                    model.load_weights(file)
                found = [float(np.ravel(model.train_on_batch(x, y))[0]) for x, y in batches()[3:]]
            except Exception as error:  # one that does not load is to be seen beside the others
                found = '%s: %.200s' % (type(error).__name__, error)
            if isinstance(found, str) or not np.allclose(found, expected[case], 1e-4):
                failures += 1
                print(os.path.basename(file), found, 'not', expected[case], flush=True)
    if what == 'write':
        json.dump(expected, open(path, 'w'))
    print('%d of %d files go on otherwise' % (failures, number) if what == 'read' else '%d models' % len(expected))


if __name__ == '__main__':
    main(*sys.argv[1:])
