"""Depthwise and separable convolutions with both strides and a dilation, which Keras 3 has on JAX and PyTorch."""
import numpy as np
import pytest

import keras
from keras import layers
from keras.backend.state.variables import to_array


@pytest.mark.parametrize('name', ['DepthwiseConv1D', 'DepthwiseConv2D', 'SeparableConv1D', 'SeparableConv2D'])
def test_every_other_window_of_a_dilated_convolution(name):
    """Without padding, strides leave out windows of the same convolution in steps of 1."""
    rank = int(name[-2])
    arguments = {'kernel_size': 3, 'dilation_rate': 2}
    if name.startswith('Separable'):
        arguments['filters'] = 2
    x = np.random.RandomState(0).uniform(-1, 1, (2,) + (8, 9)[:rank] + (3,)).astype('float32')
    with keras.config.generation(3):
        whole, stepping = getattr(layers, name)(**arguments), getattr(layers, name)(strides=2, **arguments)
    expected = to_array(whole(x))
    stepping.build(x.shape)
    stepping.set_weights(whole.get_weights())
    expected = expected[:, ::2] if rank == 1 else expected[:, ::2, ::2]
    np.testing.assert_allclose(to_array(stepping(x)), expected, atol=1e-6)


@pytest.mark.on('numpy')
def test_a_plain_convolution_refuses_both():
    with keras.config.generation(3), pytest.raises(ValueError, match='not supported in conjunction'):
        layers.Conv1D(2, 3, strides=2, dilation_rate=2)
