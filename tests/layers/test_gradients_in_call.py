"""`K.gradients` inside of layers: by their inputs, by their weights, and through the layers before them."""
import functools

import numpy as np
import pytest

import keras
from keras import backend as K
from keras.backend import gradients
from keras.layers import Dense, Input, Lambda, Layer
from keras.models import Model, Sequential

pytestmark = pytest.mark.needs_gradients

X = np.array([[1.0, -2.0, 3.0], [0.5, 1.0, -1.0]])


class Slope(Layer):
    """The gradient of the sum of the cubes."""

    def call(self, x):
        return K.gradients(K.sum(x * x * x), x)[0]


class Penalty(Layer):
    """The squared norm of the gradient of the first input by the second, as Wasserstein GANs have it."""

    def call(self, inputs):
        score, points = inputs
        gradient = K.gradients(score, [points])[0]
        return K.sum(K.square(gradient), axis=-1, keepdims=True)

    def compute_output_shape(self, input_shapes):
        return (input_shapes[0][0], 1)


class ByWeight(Layer):
    """The gradient of a sum by a weight of the layer, which is what the weight is multiplied by."""

    def build(self, input_shape):
        self.scale = self.add_weight(name='scale', shape=(1,), initializer='ones')
        super().build(input_shape)

    def call(self, x):
        return x * 0.0 + K.gradients(K.sum(x * self.scale), self.scale)[0]


def helper(y, x):
    return gradients(K.sum(y), x)[0]


FUNCTIONS = {
    'layer': Slope,
    'lambda': lambda: Lambda(lambda x: K.gradients(K.sum(x * x * x), [x])[0]),
    'lambda with arguments': lambda: Lambda(lambda x, power: K.gradients(K.sum(K.pow(x, power)), x)[0],
                                            arguments={'power': 3.0}),
    'lambda of a helper': lambda: Lambda(lambda x: helper(x * x * x, x)),
    'lambda of a partial': lambda: Lambda(functools.partial(lambda factor, x: factor * helper(x * x * x, x), 1.0)),
    'qualified': lambda: Lambda(lambda x: keras.backend.gradients(keras.backend.sum(x * x * x), x)[0]),
    'inside another layer': lambda: Lambda(lambda x: Slope()(x)),
    'inside a model': lambda: Sequential([Slope(input_shape=(3,))]),
}


@pytest.mark.parametrize('name', sorted(FUNCTIONS))
def test_by_the_input(name):
    x = Input((3,))
    model = Model(x, FUNCTIONS[name]()(x))
    assert model.output_shape == (None, 3)
    np.testing.assert_allclose(model.predict(X), 3 * X ** 2, rtol=1e-5)
    again = Model.from_config(model.get_config(), {'Slope': Slope}) if name in ('layer', 'inside a model') else model
    np.testing.assert_allclose(again.predict(X), 3 * X ** 2, rtol=1e-5)


def test_on_arrays():
    np.testing.assert_allclose(K.eval(Slope()(K.constant(X))), 3 * X ** 2, rtol=1e-5)

    class Own(Model):
        def __init__(self):
            super().__init__()
            self.slope = Slope()

        def call(self, x):
            return self.slope(x) * 2.0
    np.testing.assert_allclose(Own().predict(X), 6 * X ** 2, rtol=1e-5)


def test_by_a_weight():
    x = Input((3,))
    np.testing.assert_allclose(Model(x, ByWeight()(x)).predict(X), np.full((2, 3), X.sum()), rtol=1e-5)


@pytest.mark.parametrize('penalty', [Penalty, lambda: Lambda(lambda pair: K.sum(K.square(
    K.gradients(pair[0], pair[1])[0]), axis=-1, keepdims=True))])
def test_through_the_layers_before(penalty):
    points = Input((3,))
    score = Dense(1, kernel_initializer='ones')(points)
    model = Model(points, penalty()([score, points]))
    np.testing.assert_allclose(model.predict(X), [[3.0], [3.0]], rtol=1e-5)


def test_a_penalty_is_trained():
    points = Input((3,))
    layer = Dense(1, kernel_initializer='ones', use_bias=False)
    model = Model(points, Penalty()([layer(points), points]))
    model.compile(keras.optimizers.SGD(0.05), 'mae')
    # The penalty is the squared norm of the kernel w; its gradient is 2 w: each step takes away a tenth.
    for step in range(1, 4):
        model.train_on_batch(X, np.zeros((2, 1)))
        np.testing.assert_allclose(layer.get_weights()[0][:, 0], np.full(3, 0.9 ** step), rtol=1e-4)


def test_what_comes_from_around_the_function():
    x, other = Input((3,)), Input((3,))
    y = Lambda(lambda x: K.gradients(K.sum(x * x * other), x)[0])(x)
    np.testing.assert_allclose(Model([x, other], y).predict([X, X + 1.0]), 2 * X * (X + 1.0), rtol=1e-5)
