"""Names inside of Keras 3 that packages which build on it read, or use for something of their own."""
import numpy as np
import pytest

import keras
from keras import layers, ops

pytestmark = pytest.mark.on('numpy', 'torch')


class Chain(layers.Layer):
    """As BayesFlow's Sequential: its list of layers has the name that Keras has for its own."""

    def __init__(self, *parts):
        super().__init__()
        self._layers = parts
        self.last = layers.Dense(2)

    def build(self, input_shape):
        for part in self._layers:
            part.build(input_shape)
            input_shape = part.compute_output_shape(input_shape)
        self.last.build(input_shape)

    def call(self, inputs):
        for part in self._layers:
            inputs = part(inputs)
        return self._forward(self.last(inputs))

    def _forward(self, x):
        return ops.add(x, 1.)


def test_own_list_of_layers_and_own_forward():
    chain = Chain(layers.Dense(4), layers.Dense(5))
    assert tuple(chain(np.ones((2, 3), 'float32')).shape) == (2, 2)
    assert len(chain._layers) == 2 and len(chain.weights) == 6


def test_which_arguments_call_takes():
    assert layers.Dropout(.5)._call_has_training_arg and not layers.Dense(2)._call_has_training_arg
    assert layers.LSTM(2)._call_has_mask_arg and not layers.Dense(2)._call_has_mask_arg


class Silent(keras.Model):
    def call(self, inputs):
        pass


def test_a_model_that_gives_nothing_runs():
    assert Silent()(np.ones((2, 3), 'float32')) is None


@keras.saving.register_keras_serializable('names')
class TwoShapes(layers.Layer):
    def build(self, a_shape, b_shape=None):
        self.kernel = self.add_weight(shape=(a_shape[-1],), name='kernel')

    def call(self, a, b=None):
        return ops.multiply(a, self.kernel)


def test_built_by_a_config_with_a_shape_of_none():
    layer = TwoShapes()
    layer.build((2, 5), b_shape=None)
    again = TwoShapes()
    again.build_from_config(layer.get_build_config())
    assert again.built and tuple(again.kernel.shape) == (5,)


class Scaled(keras.Model):
    def __init__(self):
        super().__init__()
        self.inner = layers.Dense(2, kernel_initializer='ones')

    def call(self, inputs, factors):
        return ops.multiply(self.inner(inputs), factors['scale'])


def test_a_model_whose_call_needs_several_arguments():
    model = Scaled()
    result = model(np.ones((2, 3), 'float32'), factors={'scale': np.full((2, 2), 2., 'float32')})
    np.testing.assert_allclose(ops.convert_to_numpy(result), np.full((2, 2), 6.))
    assert model.built and len(model.weights) == 2
