"""The three ways in which tf.keras keeps the kernel of a locally connected layer."""
import numpy as np
import pytest

import keras
from keras.layers import LocallyConnected1D, LocallyConnected2D

rng = np.random.RandomState(0)


def connections(size, length, width, stride, same):
    """(input, output) of one axis that are connected, the windows of 'same' around each `stride`-th place."""
    starts = [number * stride - (width // 2 if same else 0) for number in range(length)]
    return [(place, number) for number, start in enumerate(starts)
            for place in range(max(start, 0), min(start + width, size))]


@pytest.mark.parametrize('padding', ['valid', 'same'])
@pytest.mark.parametrize('implementation', [2, 3])
def test_what_each_place_is_made_of(implementation, padding):
    model = keras.Sequential([LocallyConnected1D(2, 3, padding=padding, implementation=implementation,
                                                 input_shape=(5, 4))])
    length = 5 if padding == 'same' else 3
    pairs = connections(5, length, 3, 1, padding == 'same')
    x, bias = rng.rand(2, 5, 4), rng.rand(length, 2)
    kernel = rng.rand(5, 4, length, 2)
    # In the order of the outputs, and for one of them in that of its inputs.
    listed = [kernel[i, channel, o, f] for o in range(length) for f in range(2)
              for i in range(5) for channel in range(4) if (i, o) in pairs]
    model.set_weights([kernel if implementation == 2 else np.array(listed), bias])
    expected = np.tile(bias, (2, 1, 1))
    for i, o in pairs:
        expected[:, o] += x[:, i] @ kernel[i, :, o]
    np.testing.assert_allclose(model.predict(x), expected, rtol=1e-5)


def test_all_agree_on_images_with_the_channels_first():
    def model_of(implementation):
        return keras.Sequential([LocallyConnected2D(3, (2, 3), strides=(2, 1), implementation=implementation,
                                                    data_format='channels_first', use_bias=False,
                                                    input_shape=(2, 4, 5))])
    kernel = rng.rand(2, 4, 5, 3, 2, 3)
    second, third = model_of(2), model_of(3)
    second.set_weights([kernel])
    listed = [kernel[c, i, j, f, o, p] for f in range(3) for o in range(2) for p in range(3)
              for c in range(2) for i in range(2 * o, 2 * o + 2) for j in range(p, p + 3)]
    third.set_weights([np.array(listed)])
    x = rng.rand(2, 2, 4, 5)
    expected = np.array([[[[(image[:, 2 * o:2 * o + 2, p:p + 3] * kernel[:, 2 * o:2 * o + 2, p:p + 3, f, o, p]).sum()
                            for p in range(3)] for o in range(2)] for f in range(3)] for image in x])
    np.testing.assert_allclose(second.predict(x), expected, rtol=1e-5)
    np.testing.assert_allclose(third.predict(x), expected, rtol=1e-5)


@pytest.mark.on('numpy')
def test_what_is_said_of_arguments():
    with pytest.raises(ValueError, match='padding'):
        LocallyConnected1D(2, 3, padding='same')
    with pytest.raises(ValueError, match='implementation'):
        LocallyConnected1D(2, 3, implementation=4)
    assert 'implementation' not in LocallyConnected1D(2, 3).get_config()
    assert LocallyConnected1D.from_config(LocallyConnected1D(2, 3, implementation=3).get_config()).implementation == 3
