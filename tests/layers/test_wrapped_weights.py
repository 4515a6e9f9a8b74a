"""Weights that layers written for tf.keras wrap, as those of Larq do."""
import copy
import pickle

import numpy as np
import pytest

import keras
from keras import layers

pytestmark = pytest.mark.on('tensorflow', 'torch')


class Signs:
    """What such a layer makes of a variable: its signs where quantizing is on."""
    on = False

    def __init__(self, variable):
        self.latent, self.precision = variable, 1

    def value(self):
        value = self.latent.value()
        return keras.ops.sign(value) if Signs.on else value

    def numpy(self):
        return np.sign(self.latent.numpy()) if Signs.on else self.latent.numpy()


class SignDense(layers.Dense):
    def _add_variable_with_custom_getter(self, name, **kwargs):
        if name != 'kernel':
            return super()._add_variable_with_custom_getter(name, **kwargs)
        getter = kwargs.pop('getter')
        return super()._add_variable_with_custom_getter(
            name, getter=lambda *args, **given: Signs(getter(*args, **given)), **kwargs)

    def call(self, inputs):
        Signs.on = True
        try:
            return super().call(inputs)
        finally:
            Signs.on = False


def test_the_wrapper_is_read_and_the_weight_is_kept(tmp_path):
    kernel = np.array([[0.5], [-2.0]], 'float32')
    model = keras.Sequential([SignDense(1, input_shape=(2,))])
    model.set_weights([kernel, np.zeros(1, 'float32')])
    x = np.array([[3, 5]], 'float32')
    np.testing.assert_allclose(model.predict(x, verbose=0), [[3 - 5]])
    np.testing.assert_allclose(keras.ops.convert_to_numpy(model(x)), [[-2]])
    np.testing.assert_array_equal(model.get_weights()[0], kernel)
    assert model.layers[0].kernel.precision == 1 and not hasattr(model.layers[0].bias, 'precision')
    path = str(tmp_path / 'weights.h5')
    Signs.on = True
    found = model.get_weights()[0]
    model.save_weights(path)
    Signs.on = False
    np.testing.assert_array_equal(found, [[1], [-1]])
    other = keras.Sequential([SignDense(1, input_shape=(2,))])
    other.load_weights(path)
    np.testing.assert_array_equal(other.get_weights()[0], kernel)


def test_training_moves_the_weight_that_is_kept():
    class Straight(Signs):
        def value(self):
            value = self.latent.value()  # the gradient goes past the signs
            return value + keras.ops.stop_gradient(keras.ops.sign(value) - value) if Signs.on else value

    class Trained(SignDense):
        def _add_variable_with_custom_getter(self, name, getter=None, **given):
            return Straight(getter(name=name)) if name == 'kernel' else getter(name=name)
    model = keras.Sequential([Trained(1, use_bias=False, input_shape=(2,))])
    model.set_weights([np.array([[0.5], [-2.0]], 'float32')])
    model.compile(keras.optimizers.SGD(0.1), 'mse')
    model.fit(np.array([[3, 5]], 'float32'), np.array([[1]], 'float32'), verbose=0)
    # y = 3 - 5, the derivative of (y - 1) ** 2 is -6.
    np.testing.assert_allclose(model.get_weights()[0], [[0.5 + 0.1 * 6 * 3], [-2 + 0.1 * 6 * 5]], rtol=1e-5)


@pytest.mark.parametrize('copied', [copy.deepcopy, lambda layer: pickle.loads(pickle.dumps(layer))])
def test_copies_read_their_own_weight(copied):
    layer = SignDense(1, use_bias=False)
    layer.build((None, 2))
    layer.set_weights([np.array([[0.5], [2.0]], 'float32')])
    other = copied(layer)
    np.testing.assert_array_equal(other.get_weights()[0], [[0.5], [2.0]])
    other.kernel.assign([[-3.0], [-4.0]])
    x = np.array([[3, 5]], 'float32')
    np.testing.assert_allclose(keras.ops.convert_to_numpy(other(x)), [[-8]])
    np.testing.assert_allclose(keras.ops.convert_to_numpy(layer(x)), [[8]])
