"""Objects that stand for tensors, as layers of TensorFlow Probability give them: distributions."""
import numpy as np
import pytest

import keras
from keras import layers

pytestmark = pytest.mark.on('tensorflow')
X = np.array([[1.0, 2.0], [3.0, 5.0], [-1.0, 0.5]], 'float32')


class Pair:
    """Stands for `mean`; a loss may ask for `spread`, too."""

    def __init__(self, mean, spread):
        self.mean, self.spread = mean, spread
        self.shape, self.dtype = mean.shape, mean.dtype


@pytest.fixture(scope='module', autouse=True)
def registered():
    import tensorflow as tf
    keras.__internal__.utils.register_symbolic_tensor_type(Pair)
    tf.register_tensor_conversion_function(
        Pair, lambda value, dtype=None, name=None, as_ref=False: tf.convert_to_tensor(value.mean, dtype))


class Pairs(layers.Layer):
    """Outside it gives what stands for the tensor, inside of graphs the tensor as well."""
    outside = False

    def __call__(self, inputs):
        self.outside = True
        try:
            return super().__call__(inputs)[0]
        finally:
            self.outside = False

    def call(self, inputs):
        import tensorflow as tf
        pair = Pair(inputs * 2.0, tf.exp(inputs))
        return (pair, pair.mean) if self.outside else pair


def gap(y_true, pair):
    return keras.backend.mean(keras.backend.square(y_true - pair.mean) + pair.spread)


def test_they_go_through_a_model_as_they_are():
    x = keras.Input((2,))
    model = keras.Model(x, Pairs()(x))
    assert model.output_shape == (None, 2) and type(model(X)) is Pair
    np.testing.assert_allclose(model.predict(X, verbose=0), X * 2, rtol=1e-6)
    model.compile('sgd', gap, metrics=['mae'])
    loss, error = model.evaluate(X, X, verbose=0)
    np.testing.assert_allclose(loss, np.mean(X ** 2 + np.exp(X)), rtol=1e-5)
    np.testing.assert_allclose(error, np.mean(np.abs(X)), rtol=1e-5)


def test_they_become_tensors_where_a_layer_computes_and_gradients_pass():
    x = keras.Input((2,))
    model = keras.Model(x, layers.Dense(1, kernel_initializer='ones')(Pairs()(x)))
    np.testing.assert_allclose(model.predict(X, verbose=0)[:, 0], 2 * X.sum(1), rtol=1e-6)
    inner = layers.Dense(2, use_bias=False, kernel_initializer='ones')
    trained = keras.Model(x, Pairs()(inner(x)))
    trained.compile(keras.optimizers.SGD(0.01), gap)
    trained.fit(X, X, batch_size=3, epochs=1, verbose=0)
    # d/dk of mean over 3 rows and 2 columns of (y - 2s)^2 + exp(s), with s = x @ k.
    s = X @ np.ones((2, 2), 'float32')
    slope = (-4 * (X - 2 * s) + np.exp(s)) / 6
    np.testing.assert_allclose(inner.get_weights()[0], 1 - 0.01 * X.T @ slope, rtol=1e-5)
