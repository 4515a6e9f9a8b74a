"""Sizes and kernels of convolutions; expected values by counting, and from Keras 2.3.1 where its rule is its own."""

import numpy as np
import pytest

import keras
from keras.utils import conv_utils as C
from keras.utils import layer_utils

pytestmark = pytest.mark.on('numpy')


def test_tuples():
    assert C.normalize_tuple(3, 2, 'size') == (3, 3) and C.normalize_tuple([1, np.int64(2)], 2, 'size') == (1, 2)
    for value in ((1, 2, 3), 'ab', None, (1, 'q'), 2.5):
        with pytest.raises(ValueError, match='The `size` argument must be a tuple of 2 integers'):
            C.normalize_tuple(value, 2, 'size')


def test_padding():
    assert C.normalize_padding('VALID') == 'valid' and C.normalize_padding('causal') == 'causal'
    for value in ('q', ['same'], 1):
        with pytest.raises(ValueError, match='The `padding` argument must be one of'):
            C.normalize_padding(value)


@pytest.mark.parametrize('padding', ['valid', 'same', 'full', 'causal'])
@pytest.mark.parametrize('length, size, stride, dilation', [
    (7, 3, 1, 1), (10, 3, 2, 1), (10, 2, 3, 2), (None, 3, 2, 1)])
def test_lengths_by_counting(padding, length, size, stride, dilation):
    found = C.conv_output_length(length, size, padding, stride, dilation)
    if length is None:
        assert found is None and C.conv_input_length(None, size, 'valid', stride) is None
        return
    reach = (size - 1) * dilation
    begin, end = {'valid': (0, length - reach), 'full': (-reach, length), 'same': (0, length), 'causal': (0, length)}[
        padding]
    assert found == len(range(begin, end, stride))


def test_lengths_backwards():
    for size in (1, 3, 5):
        for stride in (1, 2):
            length = C.conv_input_length(4, size, 'valid', stride)
            assert C.conv_output_length(length, size, 'valid', stride) == 4
            assert C.conv_output_length(length - 1, size, 'valid', stride) == 3
            assert C.conv_output_length(C.conv_input_length(4, size, 'same', stride), size, 'same', stride) == 4
    with pytest.raises(AssertionError, match="Received: 'causal'"):
        C.conv_input_length(4, 3, 'causal', 1)


@pytest.mark.parametrize('arguments, expected', [
    ((4, 1, 3, 'valid', None), 6), ((4, 3, 2, 'valid', None), 12), ((4, 2, 3, 'same', None), 8),
    ((4, 3, 3, 'valid', 0, 2), 14), ((4, 3, 3, 'valid', 1, 1), 13), ((4, 3, 3, 'full', None), 8),
    ((4, 3, 3, 'full', 1, 2), 7), ((None, 2, 3, 'same', 0), None)])
def test_transposed_lengths(arguments, expected):
    assert C.deconv_length(*arguments) == expected


def test_kernels():
    kernel = np.arange(12).reshape(2, 3, 2, 1)
    np.testing.assert_array_equal(C.convert_kernel(kernel), kernel[::-1, ::-1])
    with pytest.raises(ValueError, match=r'Invalid kernel shape: \(2, 2\)'):
        C.convert_kernel(np.zeros((2, 2)))


def test_all_kernels_of_a_model():
    inner = keras.Sequential([keras.layers.Conv2D(2, 3, input_shape=(8, 8, 1)), keras.layers.Conv2DTranspose(2, 3)])
    model = keras.Sequential([keras.layers.SeparableConv2D(1, 3, input_shape=(8, 8, 1)), inner, keras.layers.Flatten(),
                              keras.layers.Dense(1)])
    before = model.get_weights()
    keras.utils.convert_all_kernels_in_model(model)
    for weight, old, new in zip(model.weights, before, model.get_weights()):
        turned = weight.path.endswith('/kernel') and old.ndim == 4
        np.testing.assert_array_equal(new, old[::-1, ::-1] if turned else old)
    layer_utils.convert_all_kernels_in_model(model)
    for old, new in zip(before, model.get_weights()):
        np.testing.assert_array_equal(new, old)


@pytest.mark.parametrize('target', ['channels_first', 'channels_last'])
def test_dense_behind_flatten(target):
    picture = np.random.rand(1, 3, 4, 5).astype('float32')
    order = (0, 2, 3, 1) if target == 'channels_first' else (0, 3, 1, 2)
    dense = keras.layers.Dense(2)
    expected = np.asarray(dense(picture.transpose(order).reshape(1, -1)))
    layer_utils.convert_dense_weights_data_format(dense, (3, 4, 5), target)
    np.testing.assert_allclose(np.asarray(dense(picture.reshape(1, -1))), expected, rtol=1e-5)
    with pytest.raises(ValueError, match='has 24 entries, but the kernel of .* has 60 rows'):
        layer_utils.convert_dense_weights_data_format(dense, (2, 3, 4))
    with pytest.raises(ValueError, match="Received: 'NCHW'"):
        layer_utils.convert_dense_weights_data_format(dense, (3, 4, 5), 'NCHW')
