"""Pooling to a given size."""
import numpy as np
import pytest

from keras import layers
from keras.backend.contract.loading import get_engine
from keras.backend.state.variables import Variable, to_array
from keras.backend.table.primitives import multiply, sum as total


@pytest.mark.needs_gradients
def test_gradient_of_adaptive_maxima():
    """Windows of unequal lengths: each maximum has its gradient once."""
    x = Variable((np.arange(14, dtype='float32').reshape(1, 7, 2) * [1, -1]).astype('float32'))
    factors = np.arange(1, 9, dtype='float32').reshape(1, 4, 2)
    layer = layers.AdaptiveMaxPooling1D(4)

    def loss():
        outputs = layer(x.value)
        return total(multiply(outputs, get_engine().convert(factors))), outputs
    (_, outputs), (gradient,) = get_engine().value_and_grad(loss, [x])
    # The windows are 0 and 1, 1 to 3, 3 to 5, 5 and 6.
    np.testing.assert_array_equal(to_array(outputs)[0], [[2, -1], [6, -3], [10, -7], [12, -11]])
    np.testing.assert_array_equal(to_array(gradient)[0].T, [[0, 1, 0, 3, 0, 5, 7], [2, 4, 0, 6, 0, 8, 0]])
