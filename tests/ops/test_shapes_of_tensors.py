"""Shapes that are tensors, of the engine or of NumPy, or hold some."""
import numpy as np
import pytest

from keras import ops

numbers = np.arange(3, dtype='float32')


def shapes():
    """2 by 3, said in each way."""
    yield 'tuple', (2, 3)
    yield 'list', [2, 3]
    yield 'array', np.array([2, 3])
    yield 'sizes of NumPy', (np.int64(2), np.int32(3))
    yield 'tensor', ops.convert_to_tensor(np.array([2, 3], 'int32'))
    yield 'a scalar tensor among numbers', (2, ops.convert_to_tensor(np.array(3, 'int32')))


@pytest.mark.parametrize('function, expected', [
    (lambda shape: ops.full(shape, 4.0), np.full((2, 3), 4.0)),
    (lambda shape: ops.full(shape, np.array([4.0, 5.0, 6.0], 'float32')), np.full((2, 3), [4.0, 5.0, 6.0])),
    (lambda shape: ops.broadcast_to(numbers, shape), np.broadcast_to(numbers, (2, 3))),
    (lambda shape: ops.reshape(np.arange(6), shape), np.arange(6).reshape(2, 3)),
    (ops.zeros, np.zeros((2, 3))), (ops.ones, np.ones((2, 3)))],
    ids=['full', 'full of rows', 'broadcast_to', 'reshape', 'zeros', 'ones'])
def test_each_way_of_saying_a_shape(function, expected):
    for way, shape in shapes():
        np.testing.assert_array_equal(ops.convert_to_numpy(function(shape)), expected, err_msg=way)
