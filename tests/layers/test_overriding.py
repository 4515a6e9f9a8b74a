"""What scripts override in subclasses of the layers: it has effect, or a warning says that it has none."""
import warnings

import numpy as np
import pytest

import keras
from keras import layers, ops
from keras.backend.state.variables import to_array
from keras.layers.merge import _Merge


def normal(*shape):
    return np.random.RandomState(sum(shape)).normal(size=shape).astype('float32')


def of_model(layer, *inputs):
    """What the layer gives inside a model."""
    symbols = [keras.Input(x.shape[1:]) for x in inputs]
    outputs = layer(symbols if len(symbols) > 1 else symbols[0])
    model = keras.Model(symbols, outputs)
    return model.predict(list(inputs) if len(inputs) > 1 else inputs[0], verbose=0)


def both_ways(layer, *inputs):
    """What the layer gives in a model, after a look at whether it gives the same by itself."""
    inside = of_model(layer, *inputs)
    alone = to_array(layer(list(inputs) if len(inputs) > 1 else inputs[0]))
    np.testing.assert_allclose(alone, inside, rtol=1e-5, atol=1e-6)
    return inside


class Standardized(layers.Conv2D):
    """A convolution whose kernel has mean 0, by way of the method of tf.keras and Keras 3."""

    def convolution_op(self, inputs, kernel):
        return super().convolution_op(inputs, ops.subtract(kernel, ops.mean(kernel, axis=[0, 1, 2], keepdims=True)))


def test_convolutions_by_their_own_kernel():
    x, layer = normal(2, 6, 6, 3), Standardized(4, 3, activation='relu', bias_initializer='ones')
    found = both_ways(layer, x)
    kernel, bias = layer.get_weights()
    plain = layers.Conv2D(4, 3, activation='relu')
    plain.build(x.shape)
    plain.set_weights([kernel - kernel.mean((0, 1, 2)), bias])
    np.testing.assert_allclose(found, to_array(plain(x)), rtol=1e-4, atol=1e-5)


def test_merging_by_a_function_of_the_script():
    class Joined(_Merge):
        def _merge_function(self, inputs):
            return inputs[0] - 2.0 * inputs[1]

    class Half(layers.Average):
        def _merge_function(self, inputs):
            return super()._merge_function(inputs) / 2.0

    class Turned(layers.Concatenate):
        def _merge_function(self, inputs):
            return super()._merge_function(inputs[::-1])
    x, y = normal(2, 3), normal(2, 3) + 1.0
    np.testing.assert_allclose(both_ways(Joined(), x, y), x - 2 * y, rtol=1e-5)
    np.testing.assert_allclose(both_ways(Half(), x, y), (x + y) / 4, rtol=1e-5)
    np.testing.assert_allclose(both_ways(Turned(), x, y), np.concatenate([y, x], -1), rtol=1e-5)


def test_pooling_by_a_function_of_the_script():
    def smallest(self, inputs, pool_size, strides, padding, data_format):
        assert keras.backend.ndim(inputs) == len(pool_size) + 2 == 4
        return -keras.backend.pool2d(-inputs, pool_size, strides, padding, data_format, pool_mode='max')

    class Minimum2D(layers.MaxPooling2D):
        _pooling_function = smallest

    class Minimum1D(layers.MaxPooling1D):
        _pooling_function = smallest
    x = normal(2, 4, 6, 3)
    np.testing.assert_allclose(both_ways(Minimum2D(2), x), x.reshape(2, 2, 2, 3, 2, 3).min((2, 4)), rtol=1e-5)
    x = normal(2, 6, 3)
    np.testing.assert_allclose(both_ways(Minimum1D(2), x), x.reshape(2, 3, 2, 3).min(2), rtol=1e-5)


def test_attention_by_scores_of_the_script():
    class Scaled(layers.Attention):
        def _calculate_scores(self, query, key):
            return super()._calculate_scores(query, key) / 2.0

        def _apply_scores(self, scores, value, scores_mask=None, training=False):
            outputs, weights = super()._apply_scores(scores, value, scores_mask, training)
            return outputs * 3.0, weights
    query, value = normal(2, 3, 4), normal(2, 5, 4)
    scores = np.exp(np.einsum('bqd,bvd->bqv', query, value) / 2)
    expected = 3 * np.einsum('bqv,bvd->bqd', scores / scores.sum(-1, keepdims=True), value)
    np.testing.assert_allclose(both_ways(Scaled(), query, value), expected, rtol=1e-4)


@pytest.mark.on('numpy')
@pytest.mark.parametrize('base, name', [(layers.BatchNormalization, '_moments'), (layers.LSTM, 'inner_loop'),
                                        (layers.GRUCell, 'get_dropout_mask')])
def test_what_has_no_effect_is_said(base, name):
    with pytest.warns(UserWarning, match=r'Mine\.%s is never called: here %s' % (name, base.__name__)):
        type('Mine', (base,), {name: lambda self, *args: None})
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        type('Mine', (base,), {'extra': lambda self: None})
