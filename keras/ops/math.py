"""Segment reductions, Fourier transforms and what else Keras 3 counts as mathematics."""
import math as _math

import numpy as np

from keras.backend.contract import rules
from keras.backend.table import primitives as p
from keras.backend.table.cases import F
from keras.backend.table.composites.math import less_equal, logsumexp, rsqrt
from keras.backend.table.composites.shape import (dtype_of, expand_dims, moveaxis, ndim, resized, shape, sliced,
                                                  stack, static_shape, take_along_axis, unstack, whole_numbers)
from keras.backend.table.dispatch import composite
from keras.backend.table.primitives import erf, erfinv
from keras.ops.core import convert_to_numpy
from keras.ops.dtypes import largest, library_decides_edges


def erfc(x):
    """`1 - erf(x)`.

    Example:
        >>> keras.ops.erfc([0.0, 1.0])
        array([1.        , 0.15729922], dtype=float32)
    """
    return p.subtract(1.0, p.erf(x))


def top_k(x, k, sorted=True):
    """The `k` largest elements along the last axis in falling order, and their positions (int32).

    Example:
        >>> keras.ops.top_k([1, 5, 3], 2)
        (array([5, 3], dtype=int32), array([1, 2], dtype=int32))
    """
    values, indices = p.top_k(x, k)
    return values, indices


def in_top_k(targets, predictions, k):
    """True where the class `targets` (batch,) is among the `k` largest of `predictions` (batch, classes).

    Example:
        >>> keras.ops.in_top_k([1, 0], [[0.1, 0.9], [0.2, 0.8]], 1)
        array([ True, False])
    """
    own = take_along_axis(predictions, expand_dims(p.cast(targets, 'int32'), -1), -1)
    above = p.sum(p.cast(p.less(own, predictions), 'int32'), -1)
    finite = p.isfinite(p.sum(own, -1))
    return p.logical_and(p.less(above, k), finite)


@composite(cases=[(F(2, 6), 3, 2)])
def extract_sequences(x, sequence_length, sequence_stride):
    """Windows of the last axis: (..., n) gives (..., windows, sequence_length).

    Example:
        >>> keras.ops.extract_sequences([1, 2, 3, 4], 2, 1)
        array([[1, 2],
               [2, 3],
               [3, 4]], dtype=int32)
    """
    if ndim(x) < 1:
        raise ValueError('Input should have rank >= 1. Received: %r' % (x,))
    count = shape(x)[-1]
    if isinstance(count, int):
        count = (count - sequence_length) // sequence_stride + 1
    else:
        count = p.add(p.floor_divide(p.subtract(count, sequence_length), sequence_stride), 1)
    starts = expand_dims(p.multiply(p.arange(count, dtype='int32'), sequence_stride), 1)
    return p.gather(x, p.add(starts, p.arange(sequence_length, dtype='int32')), -1)


def cdist(x, y):
    """The Euclidean distances between the rows of `x` (..., n, d) and of `y` (..., m, d).

    Example:
        >>> keras.ops.cdist([[0.0, 0.0]], [[3.0, 4.0]])
        array([[5.]], dtype=float32)
    """
    difference = p.subtract(expand_dims(x, -2), expand_dims(y, -3))
    return p.sqrt(p.sum(p.multiply(difference, difference), -1))


def view_as_complex(x):
    """Complex numbers from their parts in the last axis, of size 2.

    Raises:
        ValueError: if the last axis has another size.

    Example:
        >>> keras.ops.view_as_complex([[1.0, 2.0]])
        array([1.+2.j], dtype=complex64)
    """
    if not ndim(x) or static_shape(x)[-1] != 2:
        raise ValueError('view_as_complex: Last dimension of input must be size 2, for the real and the imaginary '
                         'part. Received: shape %s' % (static_shape(x),))
    real, imaginary = unstack(x, 2, -1)
    return p.complex_number(real, imaginary)


def view_as_real(x):
    """The real and the imaginary parts of complex numbers along a new last axis.

    Example:
        >>> keras.ops.view_as_real([1 + 2j])
        array([[1., 2.]], dtype=float32)
    """
    return stack([p.real(x), p.imag(x)], -1)


# --- segments ---------------------------------------------------------------------------------------------------

def _reduced(data, segment_ids, num_segments, how):
    _check_segments(static_shape(data), static_shape(segment_ids))
    return segment_reduction(data, segment_ids, num_segments, how)


def _check_segments(sizes, ids):
    if len(ids) != 1:
        raise ValueError('Argument `segment_ids` should be an 1-D vector, one id per slice of `data` along axis 0. '
                         'Received: shape %s' % (ids,))
    if sizes[:1] != ids and None not in sizes[:1] + ids:
        raise ValueError('Argument `segment_ids` and `data` should have same leading dimension. Received: shapes %s '
                         'and %s' % (ids, sizes))


def _turned(x):
    """Other numbers in the opposite order; of integers those that always exist."""
    dtype = dtype_of(x)
    if rules.is_float(dtype):
        return p.negative(x)
    return p.subtract(int(np.iinfo(dtype).max) if dtype in rules.UNSIGNED else -1, x)


@composite('data segment_ids', gradient=False, cases=[
    (F(4, 3), np.array([0, 1, 1, -1], 'int32'), 2, how) for how in ('sum', 'max', 'min', 'prod')])
def segment_reduction(data, segment_ids, num_segments=None, how='sum'):
    """The slices of `data` along axis 0 that have the same id, reduced; those whose id is no segment are left out."""
    if dtype_of(data) == 'bool' and how in ('max', 'min'):
        return p.cast(segment_reduction(p.cast(data, 'int32'), segment_ids, num_segments, how), 'bool')
    if how == 'min':
        return _turned(segment_reduction(_turned(data), segment_ids, num_segments, 'max'))
    count, segment_ids = num_segments, whole_numbers(segment_ids)
    if count is None:
        count = p.add(p.max(segment_ids), 1) if static_shape(segment_ids) != (0,) else 0
    inside = p.logical_and(p.less(-1, segment_ids), p.less(segment_ids, count))
    if how == 'prod':
        ids = p.arange(count, dtype='int32')
        member = p.equal(expand_dims(ids, tuple(range(1, ndim(data) + 1))),
                         expand_dims(segment_ids, (0,) + tuple(range(2, ndim(data) + 1))))
        return p.prod(p.where(member, expand_dims(data, 0), p.full_like(expand_dims(data, 0), 1)), 1)
    # What belongs nowhere goes into one more segment, which is cut off.
    ids = p.where(inside, segment_ids, count)
    start = p.full((count + 1,) + tuple(shape(data)[1:]), 0 if how == 'sum' else _lowest(dtype_of(data)),
                   dtype_of(data))
    scatter = p.scatter_add if how == 'sum' else p.scatter_max
    return sliced(scatter(start, ids, data), 0, 0, -1)


def segment_sum(data, segment_ids, num_segments=None, sorted=False):
    """The sums of the slices of `data` along axis 0 that have the same segment id.

    Example:
        >>> keras.ops.segment_sum([1, 5, 3], [0, 0, 1])
        array([6, 3], dtype=int32)
    """
    return _reduced(data, segment_ids, num_segments, 'sum')


def segment_max(data, segment_ids, num_segments=None, sorted=False):
    """The largest of the slices of `data` along axis 0 that have the same segment id.

    Example:
        >>> keras.ops.segment_max([1, 5, 3], [0, 0, 1])
        array([5, 3], dtype=int32)
    """
    return _reduced(data, segment_ids, num_segments, 'max')


def segment_min(data, segment_ids, num_segments=None, sorted=False):
    """The smallest of the slices of `data` along axis 0 that have the same segment id.

    Example:
        >>> keras.ops.segment_min([1, 5, 3], [0, 0, 1])
        array([1, 3], dtype=int32)
    """
    return _reduced(data, segment_ids, num_segments, 'min')


def segment_prod(data, segment_ids, num_segments=None, sorted=False):
    """The products of the slices of `data` along axis 0 that have the same segment id.

    Example:
        >>> keras.ops.segment_prod([2, 5, 3], [0, 0, 1])
        array([10,  3], dtype=int32)
    """
    return _reduced(data, segment_ids, num_segments, 'prod')


def _lowest(dtype):
    if library_decides_edges() and rules.is_float(dtype):
        return -largest(dtype)
    return float('-inf') if rules.is_float(dtype) else int(np.iinfo(dtype).min)


# --- Fourier ----------------------------------------------------------------------------------------------------

def fft(x):
    """The discrete Fourier transform along the last axis; `x` and the result are pairs (real, imaginary).

    Example:
        >>> keras.ops.fft(([1.0, 2.0], [0.0, 0.0]))
        (array([ 3., -1.], dtype=float32), array([0., 0.], dtype=float32))
    """
    return tuple(p.fft(*_two_parts(x, 1)))


def _two_parts(x, rank):
    """The real and the imaginary part of `x`, of at least that rank."""
    if not isinstance(x, (tuple, list)) or len(x) != 2:
        raise ValueError('Input `x` should be a tuple of two tensors - real and imaginary. Received: x=%r' % (x,))
    first, second = static_shape(x[0]), static_shape(x[1])
    if len(first) != len(second) or any(None not in pair and pair[0] != pair[1] for pair in zip(first, second)):
        raise ValueError('Input `x` should be a tuple of two tensors - real and imaginary. Both the real and imaginary '
                         'parts should have the same shape. Received: %s and %s' % (first, second))
    if len(first) < rank:
        raise ValueError('Input should have rank >= %d. Received: shape %s' % (rank, first))
    return x


def _ifft(x):
    real, imaginary = p.fft(x[0], p.negative(x[1]))
    size = shape(real)[-1]
    return p.divide(real, size), p.divide(p.negative(imaginary), size)


def _along_rows(function, x):
    parts = function(tuple(moveaxis(part, -2, -1) for part in x))
    return tuple(moveaxis(part, -1, -2) for part in parts)


def fft2(x):
    """The discrete Fourier transform along the last two axes, of a pair (real, imaginary).

    Example:
        >>> keras.ops.fft2((np.ones((2, 2)), np.zeros((2, 2))))
        (array([[4., 0.],
               [0., 0.]]), array([[0., 0.],
               [0., 0.]]))
    """
    return _along_rows(fft, fft(_two_parts(x, 2)))


def ifft2(x):
    """The inverse of `fft2`.

    Example:
        >>> keras.ops.ifft2((np.array([[4.0, 0.0], [0.0, 0.0]]), np.zeros((2, 2))))
        (array([[1., 1.],
               [1., 1.]]), array([[-0., -0.],
               [-0., -0.]]))
    """
    return _along_rows(_ifft, _ifft(_two_parts(x, 2)))


def _fitted(x, length):
    """`x` with its last axis cut or filled with zeros to `length`."""
    size = static_shape(x)[-1]
    if length is None or length == size:
        return x
    if size is None or length > size:
        x = p.pad(x, ((0, 0),) * (ndim(x) - 1) + ((0, length - (size or 0)),))
    return x if size is not None and length > size else resized(sliced(x, -1, 0, length), shape(x)[:-1] + (length,))


@composite(promote='float', cases=[(F(2, 5),), (F(2, 5), 4)])
def rfft(x, fft_length=None):
    """The first half of the transform of a real `x` along the last axis: a pair (real, imaginary).

    Example:
        >>> keras.ops.rfft([1.0, 2.0])
        (array([ 3., -1.], dtype=float32), array([0., 0.], dtype=float32))
    """
    if not ndim(x):
        raise ValueError('Input should have rank >= 1. Received: shape ()')
    x = _fitted(x, fft_length)
    real, imaginary = p.fft(x, p.full_like(x, 0))
    size = shape(x)[-1]
    if isinstance(size, int):
        return sliced(real, -1, 0, size // 2 + 1), sliced(imaginary, -1, 0, size // 2 + 1)
    first = p.arange(p.add(p.floor_divide(size, 2), 1), dtype='int32')
    return p.gather(real, first, -1), p.gather(imaginary, first, -1)


def irfft(x, fft_length=None):
    """The real tensor of which the pair `x` is the `rfft`; `fft_length` defaults to the even one.

    Example:
        >>> keras.ops.irfft(([3.0, -1.0], [0.0, 0.0]))
        array([1., 2.], dtype=float32)
    """
    real, imaginary = _two_parts(x, 1)
    return real_from_parts(real, imaginary, fft_length)


def _even_from_parts(real, imaginary):
    """The same for a last axis of unknown size, the one for an even length."""
    ends = p.multiply(sliced(imaginary, -1, 0, 1), 0)
    inner = sliced(imaginary, -1, 1, -1)
    upper = p.flip(sliced(real, -1, 1, -1), (-1,))
    return _ifft((p.concatenate([real, upper], -1),
                  p.concatenate([ends, inner, ends, p.negative(p.flip(inner, (-1,)))], -1)))[0]


@composite('real imaginary', promote='same_float', cases=[(F(2, 4), F(2, 4)), (F(2, 4), F(2, 4), 5)])
def real_from_parts(real, imaginary, fft_length=None):
    """`irfft` of the two parts."""
    if fft_length is None and static_shape(real)[-1] is None:
        return _even_from_parts(real, imaginary)
    length = fft_length or 2 * (static_shape(real)[-1] - 1)
    real, imaginary = _fitted(real, length // 2 + 1), _fitted(imaginary, length // 2 + 1)
    stop = (length + 1) // 2
    upper = p.flip(sliced(real, -1, 1, stop), (-1,))
    lower = p.flip(sliced(imaginary, -1, 1, stop), (-1,))
    # The transform of a real tensor is Hermitian: no imaginary part at 0, nor at the middle.
    keep = [0.0] + [1.0] * (stop - 1) + [0.0] * (length // 2 + 1 - stop)
    imaginary = p.multiply(imaginary, p.cast(keep, dtype_of(imaginary)))
    return _ifft((p.concatenate([real, upper], -1), p.concatenate([imaginary, p.negative(lower)], -1)))[0]


def _check_windows(sequence_length, sequence_stride, fft_length, window):
    if not isinstance(sequence_stride, (int, np.integer)) or sequence_stride < 1:
        raise ValueError('`sequence_stride` must be a positive integer. Received: %r' % (sequence_stride,))
    if fft_length < sequence_length:
        raise ValueError('`fft_length` must equal or be larger than `sequence_length`. Received: %r and %r'
                         % (fft_length, sequence_length))
    if isinstance(window, str) and window not in _WINDOWS:
        raise ValueError('If a string is passed to `window`, it must be one of %s. Received: %r'
                         % (', '.join(sorted(_WINDOWS)), window))
    if not isinstance(window, str) and window is not None and static_shape(window) != (sequence_length,):
        raise ValueError('The shape of `window` must be equal to [sequence_length], (%d,). Received: %s'
                         % (sequence_length, static_shape(window)))


_WINDOWS = {'hann': (0.5, 0.5), 'hamming': (0.54, 0.46)}


def _stft_window(window, sequence_length, fft_length, dtype):
    if window is None:
        values = [1.0] * sequence_length
    elif isinstance(window, str):
        offset, factor = _WINDOWS[window]
        values = [offset - factor * _math.cos(2.0 * _math.pi * index / sequence_length)
                  for index in range(sequence_length)]
    else:
        values = convert_to_numpy(window).tolist()
    before = (fft_length - sequence_length) // 2
    return p.cast([0.0] * before + values + [0.0] * (fft_length - sequence_length - before), dtype)


@composite(cases=[(F(2, 8), 4, 2, 4), (F(2, 9), 3, 2, 4, 'hamming', False)])
def stft(x, sequence_length, sequence_stride, fft_length, window='hann', center=True):
    """The short-time Fourier transform of real signals (..., samples).

    Args:
        sequence_length: samples per window. sequence_stride: samples between windows. fft_length: at least the
            window's length. window: 'hann', 'hamming', a vector, or None. center: reflect half a window at both ends.

    Returns:
        A pair (real, imaginary) of tensors (..., windows, fft_length // 2 + 1).

    Example:
        >>> keras.ops.stft(np.ones(4), 2, 2, 2, center=False)
        (array([[ 1., -1.],
               [ 1., -1.]]), array([[0., 0.],
               [0., 0.]]))
    """
    from keras.ops.numpy import pad
    if dtype_of(x) not in ('float32', 'float64'):
        raise TypeError('stft: the samples must be of dtype `float32` or `float64`. Received: %s' % dtype_of(x))
    _check_windows(sequence_length, sequence_stride, fft_length, window)
    if center:
        x = pad(x, [(0, 0)] * (ndim(x) - 1) + [(fft_length // 2, fft_length // 2)], 'reflect')
    frames = extract_sequences(x, fft_length, sequence_stride)
    return rfft(p.multiply(frames, _stft_window(window, sequence_length, fft_length, dtype_of(x))), fft_length)


def istft(x, sequence_length, sequence_stride, fft_length, length=None, window='hann', center=True):
    """The signals whose `stft` is nearest to the pair `x`: overlapping windows added and divided by their squares.

    With `window=None`, as in Keras 3, they are only added. At the ends, where fewer windows overlap, the squares are
    those that are there; on TensorFlow in Keras 3's generation those inside of the signal, as there.

    Example:
        >>> parts = keras.ops.stft(np.ones(8), 4, 2, 4)
        >>> keras.ops.istft(parts, 4, 2, 4)
        array([1., 1., 1., 1., 1., 1., 1., 1.])
    """
    real, imaginary = _two_parts(x, 2)
    return signal_from_parts(real, imaginary, sequence_length, sequence_stride, fft_length, length, window, center)


@composite('real imaginary', cases=[(F(2, 5, 3), F(2, 5, 3), 4, 2, 4), (F(2, 3, 3), F(2, 3, 3), 3, 2, 4, 7)])
def signal_from_parts(real, imaginary, sequence_length, sequence_stride, fft_length, length=None, window='hann',
                      center=True):
    """`istft` of the two parts."""
    _check_windows(sequence_length, sequence_stride, fft_length, window)
    frames = real_from_parts(real, imaginary, fft_length)
    weights = _stft_window(window, sequence_length, fft_length, dtype_of(frames))
    evenly = library_decides_edges()
    if window is not None and evenly:
        weights = _divided_evenly(weights, sequence_stride)
    signal = _overlapped(p.multiply(frames, weights), sequence_stride)
    if window is not None and not evenly:
        squares = p.broadcast_to(p.multiply(weights, weights), shape(frames)[-2:])
        total = _overlapped(squares, sequence_stride)
        signal = p.divide(signal, p.where(p.less(1e-11, total), total, p.full_like(total, 1.0)))
    if center:
        signal = sliced(signal, -1, fft_length // 2, None)
        if length is None:
            signal = sliced(signal, -1, 0, -(fft_length // 2))
    return signal if length is None else _fitted(signal, length)


def _divided_evenly(weights, stride):
    """The window over the squares of all windows on each sample, as if the signal went on beyond its ends."""
    length, = static_shape(weights)
    count = -(-length // stride)
    squares = p.concatenate([p.multiply(weights, weights), p.full((count * stride - length,), 0, dtype_of(weights))], 0)
    total = p.sum(resized(squares, (count, stride)), (0,))
    total = sliced(p.concatenate([total] * count, 0), 0, 0, length)
    return p.divide(weights, p.where(p.less(1e-11, total), total, p.full_like(total, 1.0)))


def _overlapped(frames, stride):
    """Frames (..., count, length) added up, each `stride` behind the one before."""
    count, length = shape(frames)[-2:]
    starts = expand_dims(p.multiply(p.arange(count, dtype='int32'), stride), 1)
    positions = p.add(starts, p.arange(length, dtype='int32'))
    rest = tuple(range(ndim(frames) - 2))
    first = p.transpose(frames, (ndim(frames) - 2, ndim(frames) - 1) + rest)
    size = p.add(p.multiply(count, stride), length - stride) if not isinstance(count, int) else (
        (count - 1) * stride + length)
    total = p.full((size,) + tuple(shape(frames)[:-2]), 0, dtype_of(frames))
    return moveaxis(p.scatter_add(total, positions, first), 0, -1)
