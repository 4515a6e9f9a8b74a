"""Layers that show sounds as frequencies over time."""
import math
import warnings

import numpy as np

from keras import config, ops
from keras.backend.contract.rules import is_float, numpy_dtype
from keras.backend.table.composites.conv import convolution
from keras.backend.table.composites.shape import dtype_of
from keras.layers.arguments import positive_integer
from keras.layers.base import InputSpec, Layer
from keras.layers.preprocessing.data_layer import DataLayer

_WINDOWS = {'hann': (0.5, 0.5, 0.0), 'hamming': (0.54, 0.46, 0.0), 'blackman': (0.42, 0.5, 0.08)}


def window_of(name, length, periodic):
    """The numbers of a window, which fall to both sides.

    Args:
        name: 'hann', 'hamming', 'blackman', 'rectangular', another window of SciPy's by name, an array of `length`
            numbers, or None for ones.
        periodic: whether the window is one period of a longer one.

    Raises:
        ValueError: for a name that SciPy does not know. ImportError: for one of its windows where it is missing.
    """
    if name is None or isinstance(name, str) and name == 'rectangular':
        return np.ones(length)
    if not isinstance(name, str):
        return np.asarray(name, 'float64')
    if name not in _WINDOWS:
        return _window_of_scipy(name, length, periodic)
    angle = 2.0 * np.pi * np.arange(length) / max(length if periodic else length - 1, 1)
    first, second, third = _WINDOWS[name]
    return first - second * np.cos(angle) + third * np.cos(2.0 * angle)


def _window_of_scipy(name, length, periodic):
    try:
        from scipy.signal import get_window
    except ImportError as error:
        raise ImportError('The window %r is one of SciPy: pip install scipy. Without it there are %s, arrays and None.'
                          % (name, ', '.join(sorted(_WINDOWS)))) from error
    try:
        return get_window(name, length, fftbins=periodic)
    except ValueError as error:
        raise ValueError('STFTSpectrogram: Unknown `window`: %r. Expected one of %s, another one of SciPy, an array or '
                         'None.' % (name, ', '.join(sorted(_WINDOWS)))) from error


class STFTSpectrogram(Layer):
    """The short-time Fourier transform of sounds, by two convolutions whose kernels are waves.

    Args:
        mode: what comes out: 'log' of the 'magnitude', 'psd' (power spectral density, one-sided), 'real' or 'imag'
            part, 'angle', or 'stft': real and imaginary parts side by side.
        frame_length: samples in a window. frame_step: samples between windows, default half a window.
        fft_length: of the transform, at least the window's, default the next power of two; it gives
            `fft_length // 2 + 1` frequencies.
        window: 'hann', 'hamming', 'blackman', 'rectangular', another one of SciPy's, an array, or None for ones.
        periodic: whether the window is one period of a longer one.
        scaling: 'density', 'spectrum', or None. padding: 'valid' or 'same'.
        expand_dims: whether the frequencies get an axis of their own, so that the result is an image for each channel.
        data_format: 'channels_last' or 'channels_first', default from keras.json.

    Input (batch, samples, channels), output (batch, windows, channels * frequencies), or with `expand_dims` (batch,
    windows, frequencies, channels). The kernels are trained, unless `trainable=False`.

    Source: Oppenheim and Schafer, Discrete-time signal processing, chapter 10.

    Example:
        >>> x = np.ones((2, 24, 1), 'float32')
        >>> keras.layers.STFTSpectrogram('magnitude', frame_length=8, fft_length=16)(x).shape
        (2, 5, 9)
    """
    _MODES = ('log', 'magnitude', 'psd', 'real', 'imag', 'angle', 'stft')

    def __init__(self, mode='log', frame_length=256, frame_step=None, fft_length=None, window='hann', periodic=False,
                 scaling='density', padding='valid', expand_dims=False, data_format=None, **kwargs):
        super().__init__(**kwargs)
        self.declare(locals())
        self._check()
        self.data_format = config.normalize_data_format(data_format)
        self.input_spec = InputSpec(ndim=3)

    def _check(self):
        positive_integer(self.frame_length, 'STFTSpectrogram', 'frame_length')
        known = (('mode', self.mode, self._MODES), ('scaling', self.scaling, ('density', 'spectrum', None)),
                 ('padding', self.padding, ('valid', 'same')))
        for name, value, values in known:
            if value not in values:
                raise ValueError('STFTSpectrogram: Unknown `%s`: expected one of %s. Received: %r' % (
                    name, ', '.join(map(repr, values)), value))
        window_of(self.window, 1, self.periodic)
        if self.frame_step is not None and not 1 <= self.frame_step <= self.frame_length:
            raise ValueError('STFTSpectrogram: `frame_step` must be from 1 to frame_length (%d). Received: %r'
                             % (self.frame_length, self.frame_step))
        if self.fft_length is not None and self.fft_length < self.frame_length:
            raise ValueError('STFTSpectrogram: `fft_length` must be equal or larger than frame_length (%d). Received: '
                             '%r' % (self.frame_length, self.fft_length))
        if self.fft_length is not None and self.fft_length & (self.fft_length - 1):
            warnings.warn('STFTSpectrogram: `fft_length` is recommended to be a power of two. Received: fft_length=%r'
                          % (self.fft_length,), stacklevel=4)

    def _length(self):
        return self.fft_length or 2 ** (self.frame_length - 1).bit_length()

    def _frequencies(self):
        return self._length() // 2 + 1

    def _step(self):
        return self.frame_step or self.frame_length // 2 or 1

    def build(self, input_shape):
        window = window_of(self.window, self.frame_length, self.periodic)
        if self.scaling is not None:
            window = window / (np.sqrt(np.sum(window ** 2)) if self.scaling == 'density' else np.abs(np.sum(window)))
        angle = 2.0 * np.pi * np.arange(self.frame_length)[:, None] * np.arange(self._frequencies()) / self._length()
        shape = (self.frame_length, 1, self._frequencies())
        self.real_kernel = self.imag_kernel = None
        if self.mode != 'imag':
            self.real_kernel = self._wave('real_kernel', np.cos(angle) * window[:, None], shape)
        if self.mode != 'real':
            self.imag_kernel = self._wave('imag_kernel', -np.sin(angle) * window[:, None], shape)
        self.built = True

    def _wave(self, name, values, shape):
        return self.add_weight(name=name, shape=shape, initializer=lambda shape, dtype=None: ops.convert_to_tensor(
            values.reshape(shape).astype('float32'), dtype), trainable=self.trainable)

    def call(self, inputs):
        if not is_float(dtype_of(inputs)):
            raise TypeError('Layer %s (STFTSpectrogram): The inputs must be floats. Received: %s'
                            % (self.name, dtype_of(inputs)))
        first = self.data_format == 'channels_first'
        x = inputs if first else ops.transpose(inputs, (0, 2, 1))
        batch, channels, samples = ops.shape(x)
        x = ops.reshape(x, (-1, samples, 1))
        parts = [None if kernel is None else convolution(x, kernel.value, self._step(), self.padding, 'channels_last')
                 for kernel in (self.real_kernel, self.imag_kernel)]
        result = self._shown(*parts)
        _, windows, frequencies = ops.shape(result)
        result = ops.reshape(result, (-1, channels, windows, frequencies))
        if first:  # (batch, channels, windows, frequencies)
            if self.expand_dims:
                return result
            return ops.reshape(ops.transpose(result, (0, 1, 3, 2)), (-1, channels * frequencies, windows))
        if self.expand_dims:
            return ops.transpose(result, (0, 2, 3, 1))
        return ops.reshape(ops.transpose(result, (0, 2, 1, 3)), (-1, windows, channels * frequencies))

    def _shown(self, real, imaginary):
        if self.mode in ('real', 'imag'):
            return imaginary if real is None else real
        if self.mode == 'stft':
            return ops.concatenate([real, imaginary], -1)
        if self.mode == 'angle':
            return ops.arctan2(imaginary, real)
        power = ops.add(ops.square(real), ops.square(imaginary))
        if self.mode == 'psd':
            # Of a real sound the negative frequencies are those above once more; there are none of 0 and the last.
            twice = np.full(self._frequencies(), 2.0, 'float32')
            twice[0] = twice[-1] = 1.0
            return ops.multiply(power, twice)
        if self.mode == 'magnitude':
            return ops.sqrt(power)
        return ops.multiply(ops.log(ops.maximum(power, 1e-14)), 0.5)

    def compute_output_shape(self, input_shape):
        first = self.data_format == 'channels_first'
        batch, samples, channels = (input_shape[0],) + (tuple(input_shape[:0:-1]) if first else tuple(input_shape[1:]))
        windows = None
        if samples is not None:
            windows = -(-samples // self._step()) if self.padding == 'same' else \
                (samples - self.frame_length) // self._step() + 1
        frequencies = self._frequencies() * (2 if self.mode == 'stft' else 1)
        if self.expand_dims:
            return (batch, channels, windows, frequencies) if first else (batch, windows, frequencies, channels)
        width = None if channels is None else channels * frequencies
        return (batch, width, windows) if first else (batch, windows, width)


class MelSpectrogram(DataLayer):
    """Sounds as the power of frequencies, in steps as wide as people hear them, over time.

    Args:
        fft_length: of the Fourier transform. sequence_stride: samples between windows.
        sequence_length: samples in a window, default `fft_length`. window: see `keras.ops.stft`.
        sampling_rate: samples per second. num_mel_bins: number of frequencies that come out.
        min_freq, max_freq: the lowest and highest frequency in Hz, the highest by default half the sampling rate.
        power_to_db: whether the power is in decibels: `10 * log10(power / ref_power)`, not below `min_power` and not
            more than `top_db` below the largest of the batch, as in Keras 3. mag_exp: power of the magnitudes: 1 for
            energy, 2 for power.
        min_power, ref_power, top_db: see `power_to_db`.

    Input (samples,) or (batch, samples), output (num_mel_bins, windows) or (batch, num_mel_bins, windows).

    Source: Davis and Mermelstein, Comparison of parametric representations for monosyllabic word recognition in
    continuously spoken sentences (1980).

    Example:
        >>> x = np.sin(np.arange(4000.0))[None]
        >>> keras.layers.MelSpectrogram(fft_length=256, sequence_stride=128, num_mel_bins=20)(x).shape
        (1, 20, 32)
    """
    numeric = True
    floats_give_floats = True

    def __init__(self, fft_length=2048, sequence_stride=512, sequence_length=None, window='hann', sampling_rate=16000,
                 num_mel_bins=128, min_freq=20.0, max_freq=None, power_to_db=True, top_db=80.0, mag_exp=2.0,
                 min_power=1e-10, ref_power=1.0, **kwargs):
        super().__init__(**kwargs)
        self.declare(locals())
        self.sequence_length = sequence_length or fft_length
        if fft_length < self.sequence_length:
            raise ValueError('MelSpectrogram: `fft_length` must be greater than or equal to `sequence_length`. '
                             'Received: fft_length=%s, sequence_length=%s' % (fft_length, sequence_length))
        self.max_freq = max_freq or int(sampling_rate / 2)

    def call(self, inputs):
        # Fourier transforms are of these floats only.
        x = ops.cast(inputs, self.compute_dtype if self.compute_dtype == 'float64' else 'float32')
        single = ops.ndim(x) == 1
        real, imaginary = ops.stft(ops.expand_dims(x, 0) if single else x, self.sequence_length, self.sequence_stride,
                                   self.fft_length, self.window)
        power = ops.add(ops.square(real), ops.square(imaginary))
        if self.mag_exp != 2:
            power = ops.power(ops.maximum(power, 0.0), self.mag_exp / 2.0)
        shown = ops.swapaxes(ops.matmul(power, self._matrix(dtype_of(power))), -1, -2)
        if self.power_to_db:
            shown = self._in_decibels(shown)
        return ops.cast(ops.squeeze(shown, 0) if single else shown, self.compute_dtype)

    def host(self, x):
        """The same by NumPy, for pipelines of other libraries."""
        x = np.asarray(x, 'float64')
        reach = self.fft_length // 2
        padded = np.pad(x, [(0, 0)] * (x.ndim - 1) + [(reach, reach)], mode='reflect')
        window = window_of(self.window, self.sequence_length, True)
        before = (self.fft_length - self.sequence_length) // 2
        window = np.pad(window, (before, self.fft_length - self.sequence_length - before), mode='constant')
        count = (padded.shape[-1] - self.fft_length) // self.sequence_stride + 1
        places = np.arange(count)[:, None] * self.sequence_stride + np.arange(self.fft_length)
        shown = np.abs(np.fft.rfft(padded[..., places] * window)) ** self.mag_exp @ self._matrix(
            self.compute_dtype if self.compute_dtype == 'float64' else 'float32')
        shown = np.swapaxes(shown, -1, -2)
        if self.power_to_db:
            shown = 10.0 * np.log10(np.maximum(shown, self.min_power)) - self._reference()
            shown = np.maximum(shown, shown.max() - self.top_db)
        return shown.astype(numpy_dtype(self.compute_dtype))

    def _reference(self):
        return 10.0 * math.log10(max(self.min_power, self.ref_power))

    def _in_decibels(self, power):
        decibels = ops.subtract(ops.multiply(ops.log(ops.maximum(power, self.min_power)), 10.0 / math.log(10.0)),
                                self._reference())
        return ops.maximum(decibels, ops.subtract(ops.max(decibels), self.top_db))

    def _matrix(self, dtype):
        return self.linear_to_mel_weight_matrix(self.num_mel_bins, self.fft_length // 2 + 1, self.sampling_rate,
                                                self.min_freq, self.max_freq, dtype)

    def linear_to_mel_weight_matrix(self, num_mel_bins=20, num_spectrogram_bins=129, sampling_rate=8000,
                                    lower_edge_hertz=125.0, upper_edge_hertz=3800.0, dtype='float32'):
        """A matrix (num_spectrogram_bins, num_mel_bins) of overlapping triangles, evenly spaced in mel.

        Args:
            sampling_rate: of the sound that the spectrogram is of. lower_edge_hertz, upper_edge_hertz: where the first
                triangle begins and the last one ends.
        """
        # In the float type of the result, as in Keras 3: narrow triangles show it.
        frequencies = np.linspace(0.0, sampling_rate / 2.0, num_spectrogram_bins).astype(dtype)[1:]
        lowest, highest = _mel(np.array([lower_edge_hertz, upper_edge_hertz], dtype))
        edges = np.linspace(lowest, highest, num_mel_bins + 2, dtype=dtype)
        mels = _mel(frequencies)[:, None]
        rising = (mels - edges[:-2]) / (edges[1:-1] - edges[:-2])
        falling = (edges[2:] - mels) / (edges[2:] - edges[1:-1])
        # Frequency 0 is in no triangle.
        triangles = np.maximum(0.0, np.minimum(rising, falling))
        return np.concatenate([np.zeros((1, num_mel_bins)), triangles]).astype(dtype)

    def compute_output_shape(self, input_shape):
        samples = input_shape[-1]
        count = None if samples is None else \
            (samples + 2 * (self.fft_length // 2) - self.fft_length) // self.sequence_stride + 1
        return tuple(input_shape[:-1]) + (self.num_mel_bins, count)


def _mel(frequency):
    """An array of frequencies in Hertz in mel, by the formula of O'Shaughnessy (1987)."""
    one, scale, base = [frequency.dtype.type(number) for number in (1.0, 1127.0, 700.0)]
    return scale * np.log(one + frequency / base)
