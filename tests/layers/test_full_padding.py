"""padding='full', which Keras 2 had on Theano: every window that meets the input. Checked against SciPy."""
import numpy as np
import pytest
import scipy.signal

import keras
from keras import backend as K

pytestmark = pytest.mark.on('numpy', 'theano', 'torch', 'tensorflow')


@pytest.mark.parametrize('data_format', ['channels_last', 'channels_first'])
@pytest.mark.parametrize('strides', [1, 2])
def test_conv2d_is_the_full_correlation(data_format, strides):
    layer = keras.layers.Conv2D(1, (3, 2), padding='full', strides=strides, input_shape=(5, 4, 1)
                                if data_format == 'channels_last' else (1, 5, 4), data_format=data_format)
    model = keras.Sequential([layer])
    x, kernel = np.random.RandomState(0).rand(5, 4), layer.get_weights()[0][:, :, 0, 0]
    expected = scipy.signal.correlate2d(x, kernel, 'full')[::strides, ::strides]
    result = model.predict(x.reshape((1,) + layer.batch_input_shape[1:]))
    assert result.shape[1:] == model.output_shape[1:]
    np.testing.assert_allclose(result.reshape(expected.shape), expected, rtol=1e-5, atol=1e-6)


def test_conv1d_with_dilation():
    layer = keras.layers.Conv1D(1, 3, padding='full', dilation_rate=2, input_shape=(6, 1), use_bias=False)
    model, x = keras.Sequential([layer]), np.arange(6.)
    spread = np.zeros(5)
    spread[::2] = layer.get_weights()[0][:, 0, 0]
    np.testing.assert_allclose(model.predict(x.reshape(1, 6, 1))[0, :, 0], np.correlate(x, spread, 'full'), rtol=1e-5,
                               atol=1e-6)


@pytest.mark.parametrize('stride, output_padding', [(1, None), (2, None), (2, 0), (2, 1)])
def test_a_transposed_convolution_undoes_the_shape(stride, output_padding):
    # Lengths as upstream's deconv_length gives them; the values are those of the gradient of the convolution.
    length = {(1, None): 4, (2, None): 9, (2, 0): 9, (2, 1): 10}[stride, output_padding]
    layer = keras.layers.Conv2DTranspose(1, 3, strides=stride, padding='full', output_padding=output_padding,
                                         input_shape=(6, 6, 1), use_bias=False)
    model, y = keras.Sequential([layer]), np.random.RandomState(0).rand(6, 6)
    kernel = layer.get_weights()[0][:, :, 0, 0]
    whole = np.zeros((5 * stride + 3 + stride,) * 2)
    for row in range(6):
        for column in range(6):
            whole[row * stride:row * stride + 3, column * stride:column * stride + 3] += y[row, column] * kernel
    result = model.predict(y.reshape(1, 6, 6, 1))[0, :, :, 0]
    assert model.output_shape == (None, length, length, 1)
    np.testing.assert_allclose(result, whole[2:2 + length, 2:2 + length], rtol=1e-5, atol=1e-6)


def test_other_convolutions():
    x = np.ones((1, 4, 5, 2), 'float32')
    for layer in (keras.layers.SeparableConv2D(3, 2, padding='full'), keras.layers.DepthwiseConv2D(2, padding='full')):
        assert layer.compute_output_shape((1, 4, 5, 2))[1:3] == (5, 6) == K.int_shape(layer(x))[1:3]
    assert K.eval(K.conv2d(K.variable(x), K.ones((2, 2, 2, 1)), padding='full')).max() == 8


def test_pooling_has_no_full_padding():
    with pytest.raises(ValueError, match='full'):
        keras.layers.MaxPooling2D(2, padding='full')
