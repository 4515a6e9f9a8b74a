"""Spectrograms: what they take, held against SciPy."""
import numpy as np
import pytest

import keras
from keras import layers
from keras.backend.state.variables import to_array


@pytest.mark.on('numpy', 'jax')
@pytest.mark.parametrize('window', ['nuttall', 'flattop', 'hann'])
def test_windows_of_scipy(window):
    signal = pytest.importorskip('scipy.signal')
    x = np.random.RandomState(3).uniform(-1, 1, 700).astype('float32')
    layer = layers.STFTSpectrogram('magnitude', 128, 64, 128, window, periodic=True, scaling='spectrum')
    found = np.asarray(layer(x[None, :, None]))[0]
    weights = signal.get_window(window, 128)
    frames = np.stack([x[start:start + 128] * weights for start in range(0, 700 - 127, 64)])
    np.testing.assert_allclose(found, np.abs(np.fft.rfft(frames)) / weights.sum(), atol=2e-6)


@pytest.mark.on('numpy')
def test_what_spectrograms_refuse():
    with pytest.raises(ValueError, match="Unknown `window`: 'unknowable'"):
        layers.STFTSpectrogram(window='unknowable')
    with pytest.raises(TypeError, match='must be floats. Received: int'):
        layers.STFTSpectrogram()(np.ones((2, 600, 1), 'int32'))
    with pytest.raises(ValueError, match='`fft_length` must be greater than or equal to `sequence_length`'):
        layers.MelSpectrogram(fft_length=256, sequence_length=512)


@pytest.mark.on('numpy')
def test_a_blur_of_no_width_changes_nothing():
    images = np.random.RandomState(3).uniform(0, 255, (2, 4, 5, 3)).astype('float32')
    np.testing.assert_allclose(layers.RandomGaussianBlur(1.0, 3, 0)(images, training=True), images, atol=1e-4)


class MakesInCall(layers.Layer):
    def call(self, x):
        return x * self.add_weight(name='made', shape=(), initializer='ones')


@pytest.mark.on('numpy')
def test_weights_that_call_makes_are_refused_by_keras_3():
    x = np.ones((2, 3), 'float32')
    with keras.config.generation(3):
        with pytest.raises(ValueError, match='You cannot add new elements of state'):
            MakesInCall()(x)
        with pytest.raises(TypeError, match='add_weight takes at most 3 positional arguments'):
            layers.Layer().add_weight((3, 4), 'zeros', 'float32', 'name')
    assert np.array_equal(MakesInCall()(x), x)
    with pytest.raises(ValueError, match='LeakyReLU|Leaky ReLU'):
        with keras.config.generation(3):
            layers.LeakyReLU(negative_slope=None)
    slopes = [layers.LeakyReLU(**given).alpha for given in ({}, {'negative_slope': None}, {'alpha': 0.5})]
    assert slopes == [0.3, 0.3, 0.5]


@pytest.mark.on('numpy')
def test_length_of_transforms():
    """As upstream 3.15.1: the next power of two by default; another length warns and is taken."""
    x = np.random.RandomState(3).uniform(-1, 1, (1, 600, 1)).astype('float32')
    by_default = np.asarray(layers.STFTSpectrogram('magnitude', 200, 100)(x))
    assert by_default.shape == (1, 5, 129)
    np.testing.assert_array_equal(by_default, np.asarray(layers.STFTSpectrogram('magnitude', 200, 100, 256)(x)))
    with pytest.warns(UserWarning, match='recommended to be a power of two. Received: fft_length=300'):
        layer = layers.STFTSpectrogram('magnitude', 200, 100, 300, window=None, scaling=None)
    found = np.asarray(layer(x))[0]
    frames = np.stack([x[0, start:start + 200, 0] for start in range(0, 401, 100)])
    np.testing.assert_allclose(found, np.abs(np.fft.rfft(frames, 300)), atol=1e-4)


@pytest.mark.on('numpy', 'torch', 'jax', 'tensorflow')
def test_mel_spectrograms_of_half_floats():
    x = np.random.RandomState(3).uniform(-1, 1, (2, 4000)).astype('float32')
    wide = to_array(layers.MelSpectrogram(256, 128, num_mel_bins=20)(x))
    narrow = layers.MelSpectrogram(256, 128, num_mel_bins=20, dtype='mixed_float16')(x)
    assert to_array(narrow).dtype == 'float16'
    np.testing.assert_allclose(to_array(narrow), wide, rtol=2e-2, atol=1e-2)


@pytest.mark.on('numpy', 'torch')
def test_decibels_are_cut_below_the_largest_of_the_batch():
    """As Keras 3 does: a quiet sound beside a loud one is cut where the loud one is."""
    x = np.random.RandomState(5).uniform(-1, 1, (2, 256)).astype('float32')
    x[1] *= 1e-6
    layer = layers.MelSpectrogram(fft_length=64, sequence_stride=32, num_mel_bins=5, min_power=1e-20, top_db=60.0)
    for found in (to_array(layer(x)), keras.Sequential([keras.Input((256,)), layer]).predict(x, verbose=0)):
        np.testing.assert_allclose(found[1], found[0].max() - 60.0, rtol=1e-5)
