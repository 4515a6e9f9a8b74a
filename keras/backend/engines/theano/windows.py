"""Convolution and pooling: primitives on channels-last tensors, and composites that run channels first as they are.

Theano has both, with the channels in front of the spatial axes, two or three of them. PyTensor has neither; its
operations are in `window_ops.py`, with the channels at the end.
"""
import itertools

import numpy as np

from keras import config
from keras.backend.contract import rules
from keras.backend.contract.rules import AbstractTensor, transposed_length, window_length
from keras.backend.engines.theano.compat import IS_THEANO, T
from keras.backend.engines.theano.tensors import static_shape, with_shape
from keras.backend.engines.theano.operators import subtensor
from keras.backend.table.composites.conv import checked_output_padding, spatial_tuple

if IS_THEANO:
    from theano.tensor.nnet import abstract_conv
    from theano.tensor.signal import pool as pooling
else:
    from keras.backend.engines.theano import numba_windows, window_ops  # noqa: F401

# Where the engine's own convolutions want the channels.
DATA_FORMAT = 'channels_first' if IS_THEANO else 'channels_last'


# --- sizes --------------------------------------------------------------------------------------------------------

def _sizes(x, axes):
    """The sizes of `x` along `axes`: ints where they are known, symbolic scalars elsewhere."""
    shape = static_shape(x)
    return [x.shape[axis] if shape[axis] is None else shape[axis] for axis in axes]


def _larger(size, other):
    """The larger of an int or a symbolic scalar, and an int."""
    return max(size, other) if isinstance(size, int) else T.maximum(size, other)


def _count(size, window, stride, padding, dilation=1):
    """`rules.window_length` for a size that may be symbolic."""
    if isinstance(size, int):
        return window_length(size, window, stride, padding, dilation)
    reach = 1 if padding == 'same' else (window - 1) * dilation + 1
    return (size - reach) // stride + 1


def _pairs(sizes, window, strides, padding, dilation):
    """The padding (before, after) of every spatial axis, the odd element at the end."""
    if padding == 'valid':
        return [(0, 0)] * len(sizes)
    pairs = []
    for size, w, s, d in zip(sizes, window, strides, dilation):
        reach = (w - 1) * d + 1
        # With a stride of 1 it does not depend on the size.
        total = reach - 1 if s == 1 else _larger((_count(size, w, s, padding) - 1) * s + reach - size, 0)
        pairs.append((total // 2, total - total // 2))
    return pairs


def _padded(x, pairs, value):
    """`x` (batch, channels, spatial...) with (before, after) elements around its spatial axes."""
    sizes = _sizes(x, range(x.ndim))
    total = sizes[:2] + [size + before + after for size, (before, after) in zip(sizes[2:], pairs)]
    inside = (slice(None),) * 2 + tuple(slice(b, b + size) for size, (b, _) in zip(sizes[2:], pairs))
    return T.set_subtensor(subtensor(T.alloc(T.constant(value, dtype=x.dtype), *total), inside), x)


# --- Theano: channels first ---------------------------------------------------------------------------------------

def _to_first(x):
    """From channels last to channels first."""
    return x.dimshuffle((0, x.ndim - 1) + tuple(range(1, x.ndim - 1)))


def _to_last(x):
    """From channels first to channels last."""
    return x.dimshuffle((0,) + tuple(range(2, x.ndim)) + (1,))


def _plane(x):
    """A line as a plane of height 1."""
    return x.dimshuffle(0, 1, 'x', 2)


def _computed_in(dtype):
    """The dtype that Theano's convolutions work in."""
    return dtype if dtype in ('float32', 'float64') else 'float32' if dtype == 'float16' else 'float64'


def _native_convolution(x, kernel, strides, pairs, dilation, groups):
    """Theano's own, of `x` (batch, channels, spatial...) with `kernel` (filters, channels / groups, spatial...)."""
    border = _border(pairs, x.ndim - 2)
    if border is None:
        x, border = _padded(x, pairs, 0), 'valid'
    function = abstract_conv.conv2d if x.ndim == 4 else abstract_conv.conv3d
    return function(x, kernel, input_shape=static_shape(x), filter_shape=static_shape(kernel), border_mode=border,
                    subsample=strides, filter_flip=False, filter_dilation=dilation, num_groups=groups)


def _border(pairs, rank):
    """The padding as Theano's convolutions take it, None where they do not."""
    if not all(isinstance(width, int) and width >= 0 for pair in pairs for width in pair):
        return None
    if all(before == after for before, after in pairs):
        return tuple([before for before, _ in pairs])
    return tuple(pairs) if rank == 2 else None


def _native_kernel(kernel):
    """A kernel (spatial..., in, out) as Theano has it: (out, in, spatial...)."""
    return kernel.dimshuffle((kernel.ndim - 1, kernel.ndim - 2) + tuple(range(kernel.ndim - 2)))


def _convolution_first(x, kernel, strides, padding, dilation, groups):
    """The convolution of `x` (batch, channels, spatial...), its static shape not noted.

    padding: 'valid', 'same', or 'causal' on one spatial axis.
    """
    dtype = _computed_in(x.dtype)
    if dtype != x.dtype:
        return T.cast(_convolution_first(T.cast(x, dtype), T.cast(kernel, dtype), strides, padding, dilation, groups),
                      x.dtype)
    window = static_shape(kernel)[:-2]
    if padding == 'causal':
        pairs = [((window[0] - 1) * dilation[0], 0)]
    else:
        pairs = _pairs(_sizes(x, range(2, x.ndim)), window, strides, padding, dilation)
    if len(window) > 1:
        return _native_convolution(x, _native_kernel(kernel), strides, pairs, dilation, groups)
    result = _native_convolution(_plane(x), _plane(_native_kernel(kernel)), (1,) + strides, [(0, 0)] + pairs,
                                 (1,) + dilation, groups)
    return result[:, :, 0]


def _transposed_first(x, kernel, strides, padding, dilation, output_size):
    """The gradient of a convolution by its input, for `x` (batch, channels, spatial...)."""
    dtype = _computed_in(x.dtype)
    if dtype != x.dtype:
        return T.cast(_transposed_first(T.cast(x, dtype), T.cast(kernel, dtype), strides, padding, dilation,
                                        output_size), x.dtype)
    kernel = _native_kernel(kernel)
    if x.ndim == 3:
        result = _transposed(_plane(x), _plane(kernel), (1,) + strides, padding, (1,) + dilation, (1,) + output_size)
        return result[:, :, 0]
    return _transposed(x, kernel, strides, padding, dilation, output_size)


def _transposed(x, kernel, strides, padding, dilation, output_size):
    window = static_shape(kernel)[2:]
    canvas = [(size - 1) * s + (w - 1) * d + 1 for size, w, s, d in
              zip(_sizes(x, range(2, x.ndim)), window, strides, dilation)]
    before = [_larger(full - size, 0) // 2 if padding == 'same' else 0 for full, size in zip(canvas, output_size)]
    rest = [full - size - b for full, size, b in zip(canvas, output_size, before)]
    # Less than a stride more than the windows reach is what a convolution leaves out at the end.
    exact = all(isinstance(r, int) and r > -s for r, s in zip(rest, strides))
    border = _border([(b, max(r, 0)) for b, r in zip(before, rest)], len(window)) if exact else None
    if border is not None:
        return _native_transposed(x, kernel, strides, border, dilation, output_size)
    result = _native_transposed(x, kernel, strides, (0,) * len(window), dilation, canvas)
    result = _padded(result, [(0, _larger(-r, 0)) for r in rest], 0)
    return result[(slice(None),) * 2 + tuple(slice(b, b + size) for b, size in zip(before, output_size))]


def _native_transposed(x, kernel, strides, border, dilation, sizes):
    """Theano's own gradient of a convolution by its input, whose spatial sizes are `sizes`."""
    kind = abstract_conv.AbstractConv2d_gradInputs if x.ndim == 4 else abstract_conv.AbstractConv3d_gradInputs
    shape = (None, static_shape(kernel)[1]) + tuple(size if isinstance(size, int) else None for size in sizes)
    op = kind(imshp=shape, kshp=static_shape(kernel), subsample=strides, border_mode=border, filter_flip=False,
              filter_dilation=dilation)
    result = op(kernel, x, T.stack([T.cast(size, 'int64') for size in sizes]))
    return with_shape(result, shape)


def _pooled_first(x, size, strides, padding, mode):
    """The maximum ('max') or the mean ('avg') of the windows of `x` (batch, channels, spatial...)."""
    if x.ndim == 3:
        return _pooled_first(_plane(x), (1,) + size, (1,) + strides, padding, mode)[:, :, 0]
    sizes = _sizes(x, range(2, x.ndim))
    pairs = _pairs(sizes, size, strides, padding, (1,) * len(size))
    if mode == 'max' and rules.product(size) <= _SMALL_WINDOW:
        return _maximum_of_slices(x, size, strides, padding, pairs)
    native = 'max' if mode == 'max' else 'average_exc_pad'
    # In Python, not C, Theano has no gradient for means that leave out padding.
    if all(isinstance(before, int) and before == after and (mode == 'max' or before == 0) for before, after in pairs):
        return _native_pool(x, size, strides, native, pad=tuple([before for before, _ in pairs]))
    if all(isinstance(before, int) and before == 0 and after < s for (before, after), s in zip(pairs, strides)):
        # Windows may go over the end.
        return _native_pool(x, size, strides, native, ignore_border=False)
    if mode == 'max':
        lowest = float('-inf') if 'float' in x.dtype else np.iinfo(x.dtype).min
        return _native_pool(_padded(x, pairs, lowest), size, strides, 'max')
    ones = with_shape(T.alloc(T.constant(1, dtype=x.dtype), 1, 1, *sizes), (1, 1) + static_shape(x)[2:])
    total, count = [_native_pool(_padded(part, pairs, 0), size, strides, 'sum') for part in (x, ones)]
    return T.cast(total / T.patternbroadcast(count, (True, True) + count.broadcastable[2:]), x.dtype)


# Up to this many elements the maximum of shifted slices is used: it takes less time, forward and back, than Theano's
# pooling (101 against 113 ms for a step of the convnet of the benchmarks), and its gradient goes to one of equals.
_SMALL_WINDOW = 9


def _maximum_of_slices(x, size, strides, padding, pairs):
    """Max pooling of `x` (batch, channels, spatial...): the maximum of one strided slice per element of the window."""
    sizes = _sizes(x, range(2, x.ndim))
    counts = [_count(n, w, s, padding, 1) for n, w, s in zip(sizes, size, strides)]
    if any(not isinstance(width, int) or width for pair in pairs for width in pair):
        x = _padded(x, pairs, float('-inf') if 'float' in x.dtype else np.iinfo(x.dtype).min)
    parts = [x[(slice(None),) * 2 + tuple(slice(offset, offset + (count - 1) * s + 1, s)
                                          for offset, count, s in zip(offsets, counts, strides))]
             for offsets in itertools.product(*map(range, size))]
    # In pairs: a chain of maxima that depend on each other took 4.7 ms where pairs take 1.5.
    while len(parts) > 1:
        parts = [T.maximum(*pair) if len(pair) > 1 else pair[0]
                 for pair in (parts[start:start + 2] for start in range(0, len(parts), 2))]
    return parts[0]


def _native_pool(x, size, strides, mode, pad=None, ignore_border=True):
    function = pooling.pool_2d if x.ndim == 4 else pooling.pool_3d
    return function(x, size, ignore_border=ignore_border, stride=strides, pad=pad or (0,) * len(size), mode=mode)


# --- primitives ---------------------------------------------------------------------------------------------------

def conv(x, kernel, strides, padding, dilation, groups=1):
    if IS_THEANO:
        return _to_last(_convolution_first(_to_first(x), kernel, strides, padding, dilation, groups))
    counts = [_count(size, w, s, padding, d) for size, w, s, d in
              zip(_sizes(x, range(1, x.ndim - 1)), static_shape(kernel), strides, dilation)]
    return window_ops.Convolve(strides, padding, dilation, groups)(x, kernel, *counts)


def conv_transpose(x, kernel, strides, padding, dilation, output_size):
    if IS_THEANO:
        return _to_last(_transposed_first(_to_first(x), kernel, strides, padding, dilation, output_size))
    return window_ops.ConvolveByInput(strides, padding, dilation, 1)(x, kernel, *output_size)


def pool(x, size, strides, padding, mode):
    if IS_THEANO:
        return _to_last(_pooled_first(_to_first(x), size, strides, padding, mode))
    if mode == 'max':
        return window_ops.MaxPool(size, strides, padding)(x)[0]
    return window_ops.MeanPool(size, strides, padding)(x)


# --- composites, channels first as they are --------------------------------------------------------------------------

OVERRIDES = {}


def _override(function):
    """Enter a function into `OVERRIDES` under its own name."""
    OVERRIDES[function.__name__] = function
    return function


def _is_native(x, data_format):
    return IS_THEANO and config.normalize_data_format(data_format) == 'channels_first' and 3 <= x.ndim <= 5


def _channels_last_shape(x):
    shape = static_shape(x)
    return AbstractTensor(shape[:1] + shape[2:] + shape[1:2], x.dtype)


def _with_first_shape(result, abstract):
    """`result` (batch, channels, spatial...) with the shape that a rule gave for channels last."""
    return with_shape(result, abstract.shape[:1] + abstract.shape[-1:] + abstract.shape[1:-1])


@_override
def convolution(x, kernel, strides=1, padding='valid', data_format=None, dilation_rate=1, groups=None, bias=None):
    if not _is_native(x, data_format) or padding not in ('valid', 'same') and (padding, x.ndim) != ('causal', 3):
        return NotImplemented
    rank = x.ndim - 2
    strides, dilation = spatial_tuple(strides, rank, 'strides'), spatial_tuple(dilation_rate, rank, 'dilation_rate')
    channels, depth = static_shape(x)[1], static_shape(kernel)[-2]
    groups = groups or (1 if channels is None or channels % depth else channels // depth)
    last = _channels_last_shape(x)
    if padding == 'causal':
        last = rules.pad(last, ((0, 0), ((static_shape(kernel)[0] - 1) * dilation[0], 0), (0, 0)), 0)
    abstract = rules.conv(last, AbstractTensor(static_shape(kernel), kernel.dtype), strides,
                          'valid' if padding == 'causal' else padding, dilation, groups)
    result = _with_first_shape(_convolution_first(x, kernel, strides, padding, dilation, groups), abstract)
    if bias is None:
        return result
    return with_shape(result + bias.dimshuffle(('x', 0) + ('x',) * rank), static_shape(result))


@_override
def convolution_transpose(x, kernel, strides=1, padding='valid', output_padding=None, data_format=None,
                          dilation_rate=1):
    if not _is_native(x, data_format) or padding not in ('valid', 'same'):
        return NotImplemented
    rank = x.ndim - 2
    strides, dilation = spatial_tuple(strides, rank, 'strides'), spatial_tuple(dilation_rate, rank, 'dilation_rate')
    extra = checked_output_padding(output_padding, strides)
    sizes = tuple([transposed_length(size, window, stride, padding, more, rate) for size, window, stride, more, rate in
                   zip(_sizes(x, range(2, x.ndim)), static_shape(kernel), strides, extra, dilation)])
    abstract = rules.conv_transpose(_channels_last_shape(x), AbstractTensor(static_shape(kernel), kernel.dtype),
                                    strides, padding, dilation, sizes)
    return _with_first_shape(_transposed_first(x, kernel, strides, padding, dilation, sizes), abstract)


def _pool_override(x, pool_size, strides, padding, data_format, mode):
    if not _is_native(x, data_format) or padding not in ('valid', 'same'):
        return NotImplemented
    size = spatial_tuple(pool_size, x.ndim - 2, 'pool_size')
    strides = size if strides is None else spatial_tuple(strides, x.ndim - 2, 'strides')
    abstract = rules.pool(_channels_last_shape(x), size, strides, padding, mode)
    return _with_first_shape(_pooled_first(x, size, strides, padding, mode), abstract)


@_override
def max_pool(x, pool_size, strides=None, padding='valid', data_format=None):
    return _pool_override(x, pool_size, strides, padding, data_format, 'max')


@_override
def average_pool(x, pool_size, strides=None, padding='valid', data_format=None):
    return _pool_override(x, pool_size, strides, padding, data_format, 'avg')
