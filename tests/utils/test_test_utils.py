"""The help for tests. Numbers were printed by Keras 2.3.1 for the same seed."""
import numpy as np
import pytest

from keras import layers
from keras.utils.test_utils import get_test_data, layer_test


def test_data():
    np.random.seed(3)
    (x, y), (_, y_test) = get_test_data(3, 2, input_shape=(2,), num_classes=3)
    np.testing.assert_allclose(x[:2], [[2.686387777328491, 2.0189132690429688],
                                       [-0.3220294713973999, -0.04054458811879158]], rtol=1e-6)
    assert y.tolist() == [2, 0, 1] and y_test.tolist() == [0, 0]
    (x, y), (_, y_test) = get_test_data(2, 1, input_shape=(2,), output_shape=(1,), classification=False)
    np.testing.assert_allclose(y, [[-0.27067849040031433], [0.4249538481235504]], rtol=1e-6)
    np.testing.assert_allclose(y_test, [[0.8527726531028748]], rtol=1e-6)


def test_layers_live():
    layer_test(layers.Dense, {'units': 3, 'activation': 'tanh'}, input_shape=(3, 2))
    layer_test(layers.Flatten, input_shape=(3, 2, 2), fixed_batch_size=True)
    layer_test(layers.Embedding, {'output_dim': 4, 'input_dim': 10}, input_shape=(3, 2), input_dtype='int32',
               expected_output_dtype='float32')
    x = np.arange(6, dtype='float32').reshape(1, 6)
    np.testing.assert_allclose(layer_test(layers.ReLU, {'threshold': 3.}, input_data=x, expected_output=x * (x > 3)),
                               x * (x > 3))


def test_layers_that_do_not_do_what_they_say():
    class Wrong(layers.Layer):
        def call(self, x):
            return x

        def compute_output_shape(self, input_shape):
            return input_shape[0], 7
    with pytest.raises((AssertionError, ValueError)):
        layer_test(Wrong, input_shape=(3, 2))
    with pytest.raises(AssertionError):
        layer_test(layers.ReLU, input_data=np.ones((1, 2), 'float32'), expected_output=np.zeros((1, 2)))
    with pytest.raises(AssertionError, match='dtype float32 instead of int32'):
        layer_test(layers.Embedding, {'output_dim': 4, 'input_dim': 10}, input_shape=(3, 2), input_dtype='int32')
    with pytest.raises(ValueError, match='give input_shape'):
        layer_test(layers.ReLU)
