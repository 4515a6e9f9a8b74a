"""Several steps in one call, and what compiles them: `steps_per_execution`, `jit_compile`."""

import numpy as np
import pytest

import keras
from keras import layers

pytestmark = pytest.mark.on('torch', 'jax', 'tensorflow')

X = np.random.RandomState(0).rand(23, 3).astype('float32')
Y = X.dot(np.array([[1.0], [-2.0], [0.5]], 'float32'))


def gradient_descent(epochs, batch, rate=0.1):
    """The mean losses of the epochs, and the kernel and the bias in the end, of a linear model from ones."""
    kernel, bias, losses = np.ones((3, 1)), np.zeros(1), []
    for _ in range(epochs):
        total = 0.0
        for start in range(0, len(X), batch):
            x, y = X[start:start + batch].astype('float64'), Y[start:start + batch].astype('float64')
            error = x.dot(kernel) + bias - y
            total += (error ** 2).sum()
            kernel = kernel - rate * 2 * x.T.dot(error) / len(x)
            bias = bias - rate * 2 * error.mean(axis=0)
        losses.append(total / len(X))
    return losses, kernel, bias


def linear(**kwargs):
    model = keras.Sequential([layers.Dense(1, kernel_initializer='ones', input_shape=(3,))])
    model.compile(keras.optimizers.SGD(0.1), 'mse', metrics=['mae'], **kwargs)
    return model


class Watch(keras.callbacks.Callback):
    def __init__(self):
        super().__init__()
        self.seen, self.logs = [], []

    def on_train_batch_begin(self, batch, logs=None):
        self.seen.append(('begin', batch))

    def on_train_batch_end(self, batch, logs=None):
        self.seen.append(('end', batch))
        self.logs.append(logs['mae'])


@pytest.mark.parametrize('executions', [3, 'auto'])
def test_several_steps_do_what_single_ones_do(executions):
    # Eight batches, the last of which is smaller.
    losses, kernel, bias = gradient_descent(3, 3)
    model = linear(steps_per_execution=executions)
    history = model.fit(X, Y, batch_size=3, epochs=3, shuffle=False, verbose=0).history
    np.testing.assert_allclose(history['loss'], losses, rtol=1e-4)
    for found, expected in zip(model.get_weights(), (kernel, bias)):
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)
    expected = X.dot(kernel) + bias
    np.testing.assert_allclose(model.predict(X, batch_size=3), expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(model.evaluate(X, Y, batch_size=3, verbose=0),
                               [((expected - Y) ** 2).mean(), np.abs(expected - Y).mean()], rtol=1e-3)


def test_callbacks_see_several_batches_as_one():
    # As in Keras 3.15.1, which gives the last group the number it would have if it were whole.
    watch = Watch()
    linear(steps_per_execution=3).fit(X, Y, batch_size=3, verbose=0, callbacks=[watch])
    assert watch.seen == [('begin', 0), ('end', 2), ('begin', 3), ('end', 5), ('begin', 6), ('end', 8)]
    watch = Watch()
    linear(steps_per_execution='auto').fit(X, Y, batch_size=3, verbose=0, callbacks=[watch])
    assert watch.seen[:4] == [('begin', 0), ('end', 0), ('begin', 1), ('end', 1)]


def test_random_numbers_and_states_go_on_from_step_to_step():
    weights = []
    for executions in (1, 4):
        keras.utils.set_random_seed(3)
        model = keras.Sequential([layers.Dense(8, input_shape=(3,)), layers.Dropout(0.5, seed=1), layers.Dense(1)])
        model.compile(keras.optimizers.SGD(0.01, momentum=0.9), 'mse', steps_per_execution=executions,
                      metrics=[keras.metrics.MeanSquaredError()])
        model.fit(X, Y, batch_size=3, epochs=2, verbose=0)
        weights.append(model.get_weights())
        assert int(np.array(model.optimizer.iterations)) == 16
    for one, other in zip(*weights):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize('value', [True, False, 'auto'])
def test_jit_compile(value):
    losses, kernel, _ = gradient_descent(1, 8)
    model = linear(jit_compile=value)
    found = model.fit(X, Y, batch_size=8, shuffle=False, verbose=0).history
    np.testing.assert_allclose(found['loss'], losses, rtol=1e-4)
    np.testing.assert_allclose(model.get_weights()[0], kernel, rtol=1e-4)
    assert model.jit_compile == (keras.config.backend() == 'jax' if value == 'auto' else value)


@pytest.mark.parametrize('arguments', [dict(steps_per_execution=0), dict(steps_per_execution=1.5),
                                       dict(run_eagerly=True, jit_compile=True)])
def test_what_compile_refuses(arguments):
    with pytest.raises(ValueError, match='compile|steps_per_execution'):
        linear(**arguments)


def test_settings_are_attributes():
    model = linear(steps_per_execution=2)
    assert model.steps_per_execution == 2 and model.run_eagerly is False
    model.run_eagerly = True
    assert model.run_eagerly is True
    losses, _, _ = gradient_descent(1, 8)
    found = model.fit(X, Y, batch_size=8, shuffle=False, verbose=0).history
    np.testing.assert_allclose(found['loss'], losses, rtol=1e-4)
