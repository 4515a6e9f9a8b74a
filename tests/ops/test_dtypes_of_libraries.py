"""Operations take the dtypes of tensors, which are objects of the engine's library, and types of Python."""

import numpy as np
import pytest

import keras
from keras import ops

TAKERS = {
    'cast': lambda dtype: ops.cast(np.ones(2, 'int32'), dtype),
    'symbolic cast': lambda dtype: ops.cast(keras.Input(batch_shape=(2,), dtype='int32'), dtype),
    'convert_to_tensor': lambda dtype: ops.convert_to_tensor([1, 1], dtype=dtype),
    'zeros': lambda dtype: ops.zeros((2,), dtype=dtype),
    'ones_like': lambda dtype: ops.ones_like(ops.convert_to_tensor(np.ones(2, 'int32')), dtype=dtype),
    'array': lambda dtype: ops.array([1, 1], dtype=dtype),
    'Input': lambda dtype: keras.Input(batch_shape=(2,), dtype=dtype),
    'Variable': lambda dtype: keras.Variable(np.ones(2), dtype=dtype),
    'initializer': lambda dtype: keras.initializers.Zeros()((2,), dtype=dtype),
    'weight': lambda dtype: keras.layers.Layer().add_weight(shape=(2,), dtype=dtype),
}


@pytest.mark.parametrize('name', sorted(TAKERS))
def test_dtype_of_a_tensor(name):
    dtype = ops.convert_to_tensor(np.ones(1, 'float32')).dtype
    assert keras.backend.standardize_dtype(TAKERS[name](dtype).dtype) == 'float32'


@pytest.mark.parametrize('name', ['cast', 'symbolic cast', 'convert_to_tensor', 'ones_like'])
@pytest.mark.parametrize('dtype, expected', [(float, 'float32'), (bool, 'bool'), (int, 'int32'), ('int', 'int32')])
def test_types_of_python(name, dtype, expected):
    assert keras.backend.standardize_dtype(TAKERS[name](dtype).dtype) in (expected, expected.replace('32', '64'))


def test_random_numbers():
    dtype = ops.convert_to_tensor(np.ones(1, 'float32')).dtype
    assert ops.convert_to_numpy(keras.random.normal((2,), dtype=dtype)).shape == (2,)
    assert ops.convert_to_numpy(keras.random.randint((2,), 0, 5, dtype='int')).shape == (2,)


@pytest.mark.parametrize(
    'sizes, of_indices, axis',
    [
        ((2, 3, 4), (2, 1, 1), 1),
        ((2, 3, 4), (2, 5, 1), 1),
        ((1, 3, 4), (2, 3, 2), 2),
        ((2, 1, 4), (1, 3, 2), -1),
        ((2, 3), (1, 3), 0),
    ],
)
def test_take_along_axis_spreads_sizes_of_one(sizes, of_indices, axis):
    random = np.random.RandomState(0)
    x, indices = random.rand(*sizes).astype('float32'), random.randint(0, sizes[axis], of_indices)
    expected = np.take_along_axis(x, indices, axis)
    np.testing.assert_array_equal(ops.convert_to_numpy(ops.take_along_axis(x, indices, axis)), expected)
    symbolic = ops.take_along_axis(
        keras.Input(batch_shape=sizes), keras.Input(batch_shape=of_indices, dtype='int32'), axis
    )
    assert symbolic.shape == expected.shape
