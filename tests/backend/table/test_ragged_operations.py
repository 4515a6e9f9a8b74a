"""Operations on ragged tensors of TensorFlow."""
import numpy as np
import pytest

from keras import ops

pytestmark = pytest.mark.on('tensorflow')


@pytest.fixture
def tf():
    return pytest.importorskip('tensorflow')


@pytest.fixture
def x(tf):
    return tf.ragged.constant([[2], [0, -1, 1]])


def test_functions_of_one_element_keep_the_rows(tf, x):
    for found, expected in ((ops.relu(x), [[2], [0, 0, 1]]), (ops.abs(x), [[2], [0, 1, 1]]),
                            (ops.cast(x, 'float32'), [[2.0], [0.0, -1.0, 1.0]]), (ops.add(x, 1), [[3], [1, 0, 2]]),
                            (ops.subtract(1, x), [[-1], [1, 2, 0]]),
                            (ops.greater(x, 0), [[True], [False, False, True]]),
                            (tf.function(lambda x: ops.square(x))(x), [[4], [0, 1, 1]])):
        assert isinstance(found, tf.RaggedTensor) and found.to_list() == expected


def test_other_operations_run_on_filled_rows(x):
    np.testing.assert_array_equal(ops.sum(x, 1), [2, 0])
    np.testing.assert_array_equal(ops.add(x, [1, 2, 3]), [[3, 2, 3], [1, 1, 4]])


@pytest.mark.parametrize('axis', [None, 0, 1, 2, -1])
def test_take_at_ragged_indices(tf, x, axis):
    values = np.arange(60.0, dtype='float32').reshape(3, 4, 5) + 1
    found = ops.take(values, x, axis=axis)
    assert isinstance(found, tf.RaggedTensor) == (axis in (None, 0))
    filled = np.array([[2, 0, 0], [0, -1, 1]])
    expected, there = np.take(values, filled, axis=axis), np.array([[1, 0, 0], [1, 1, 1]], 'float32')
    behind = 0 if axis is None else 2 - axis % 3
    np.testing.assert_array_equal(ops.convert_to_numpy(found), expected * there.reshape((2, 3) + (1,) * behind))
