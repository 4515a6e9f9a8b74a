"""The same models, weights and batches on every installed engine with gradients: losses and weights agree.

Runs in the process of the NumPy engine, which switches to the others.
"""
import os

import numpy as np
import pytest

from keras import backend, layers, optimizers
from keras.backend.engine import installed_engines
from keras.models import Model, Sequential

ENGINES = [name for name in installed_engines() if name in ('tensorflow', 'jax', 'torch')]

pytestmark = [pytest.mark.skipif(os.environ.get('KERAS_BACKEND') != 'numpy',
                                 reason='runs once, in the process of the NumPy engine'),
              pytest.mark.skipif(len(ENGINES) < 2, reason='fewer than two engines with gradients are installed')]


def mlp():
    return Sequential([layers.Dense(16, activation='tanh', input_shape=(8,)), layers.Dense(3, activation='softmax')])


def convnet():
    # No bias before the normalization: its gradient is 0, and Adam would step by the sign of the rounding error.
    return Sequential([layers.Conv2D(4, 3, padding='same', use_bias=False, input_shape=(8, 8, 3)),
                       layers.BatchNormalization(), layers.Activation('relu'),
                       layers.MaxPooling2D(), layers.Conv2D(6, 3, strides=2),
                       layers.GlobalAveragePooling2D(), layers.Dense(3, activation='softmax')])


def masked_lstm():
    return Sequential([layers.Embedding(11, 5, mask_zero=True, input_length=7), layers.LSTM(6, return_sequences=True),
                       layers.GRU(4), layers.Dense(3, activation='softmax')])


def two_in_two_out():
    a, b = layers.Input((5,), name='a'), layers.Input((4, 5), name='b')
    merged = layers.concatenate([layers.Dense(6, activation='relu')(a), layers.Flatten()(layers.Conv1D(2, 2)(b))])
    return Model([a, b], [layers.Dense(3, activation='softmax', name='one')(merged),
                          layers.Dense(1, name='two')(merged)])


def classes(generator, count):
    return np.eye(3, dtype='float32')[generator.randint(0, 3, count)]


CASES = {
    'mlp': (mlp, 'categorical_crossentropy', lambda g: (g.randn(12, 8), classes(g, 12))),
    'convnet': (convnet, 'categorical_crossentropy', lambda g: (g.randn(12, 8, 8, 3), classes(g, 12))),
    'masked_lstm': (masked_lstm, 'categorical_crossentropy', lambda g: (g.randint(0, 11, (12, 7)), classes(g, 12))),
    'two_in_two_out': (two_in_two_out, ['categorical_crossentropy', 'mse'],
                       lambda g: ([g.randn(12, 5), g.randn(12, 4, 5)], [classes(g, 12), g.randn(12, 1)])),
}


def run(engine, build, loss, make_batch, start):
    with backend.use(engine):
        model = build()
        model.set_weights(start)
        model.compile(optimizers.Adam(learning_rate=0.01), loss)
        generator = np.random.RandomState(3)
        losses = [np.ravel(model.train_on_batch(*make_batch(generator))) for _ in range(5)]
        weights = model.get_weights()
    return np.array(losses), weights, model


@pytest.mark.parametrize('name', sorted(CASES))
def test_five_steps_agree(name):
    build, loss, make_batch = CASES[name]
    np.random.seed(1)
    start = build().get_weights()
    runs = {engine: run(engine, build, loss, make_batch, start) for engine in ENGINES}
    losses, weights, model = runs[ENGINES[0]]
    for engine in ENGINES[1:]:
        np.testing.assert_allclose(runs[engine][0], losses, rtol=2e-4, err_msg='losses on %s' % engine)
        for variable, ours, theirs in zip(model.weights, weights, runs[engine][1]):
            np.testing.assert_allclose(theirs, ours, rtol=2e-3, atol=2e-4,
                                       err_msg='%s on %s and %s' % (variable.path, ENGINES[0], engine))


@pytest.mark.parametrize('name', sorted(CASES))
def test_a_model_trained_on_one_engine_predicts_the_same_on_all(name):
    build, loss, make_batch = CASES[name]
    np.random.seed(2)
    _, _, model = run(ENGINES[0], build, loss, make_batch, build().get_weights())
    x = make_batch(np.random.RandomState(5))[0]
    found = {}
    for engine in ENGINES + ['numpy']:
        with backend.use(engine):
            found[engine] = np.concatenate([np.ravel(part) for part in np.atleast_1d(model.predict(x))]) \
                if not isinstance(x, list) else np.concatenate([np.ravel(part) for part in model.predict(x)])
    for engine in ENGINES:
        np.testing.assert_allclose(found[engine], found['numpy'], rtol=1e-4, atol=1e-6, err_msg=engine)


def test_the_same_seed_gives_the_same_initial_weights():
    found = []
    for engine in ENGINES:
        np.random.seed(1337)
        with backend.use(engine):
            found.append(two_in_two_out().get_weights())
    for weights in found[1:]:
        for ours, theirs in zip(found[0], weights):
            np.testing.assert_array_equal(ours, theirs)
