"""Convolution and pooling, channels first as CNTK's kernels want them, and the overrides that take data that way round.

CNTK's windows need a batch axis of its own kind around the samples, which `to_batch` puts there. Its automatic padding
begins half a window before the data whatever the stride, so padding that lies otherwise is laid out before.
"""
import cntk
import numpy as np

from keras import config
from keras.backend import rules
from keras.backend.engines.cntk.overrides import override
from keras.backend.engines.cntk.tensors import (
    Tensor, constant_node, node_type, output, scalar_node, shape_of_node)


def _padding(size, window, stride, padding):
    """(before, after) of one axis; `window` is the extent with dilation."""
    if padding != 'same':
        return 0, 0
    total = max((rules.window_length(size, window, stride, padding) - 1) * stride + window - size, 0)
    return total // 2, total - total // 2


def _padded(node, sizes, windows, strides, padding, value):
    """The node (batch, channels, spatial...) with such padding as CNTK would not put there, and what to have it put."""
    widths, automatic = [(0, 0), (0, 0)], [False]
    for size, window, stride in zip(sizes, windows, strides):
        before, after = _padding(size, window, stride, padding)
        usual = after and window % 2 == 1 and before == after == window // 2
        automatic.append(bool(usual))
        widths.append((0, 0) if usual else (before, after))
    if any(map(any, widths)):
        node = cntk.pad(node, widths, cntk.ops.CONSTANT_PAD, value)
    return node, automatic


def _spread(node, shape, dilation, axis):
    """A kernel with zeros between its elements along the spatial axes from `axis` on: CNTK has no dilation on the CPU."""
    for index, rate in enumerate(dilation, axis):
        if rate > 1 and shape[index] > 1:
            size = shape[index]
            node = cntk.reshape(node, shape[:index + 1] + (1,) + shape[index + 1:])
            widths = [(0, 0)] * (len(shape) + 1)
            widths[index + 1] = (0, rate - 1)
            shape = shape[:index] + (size * rate,) + shape[index + 1:]
            node = cntk.reshape(cntk.pad(node, widths, cntk.ops.CONSTANT_PAD, 0), shape)
            shape = shape[:index] + ((size - 1) * rate + 1,) + shape[index + 1:]
            node = cntk.slice(node, index, 0, shape[index])
    return node


def _kernel(kernel, dilation):
    """The node of a kernel (spatial..., a, b) as (b, a, spatial...), spread by `dilation`."""
    rank = len(dilation)
    node = cntk.transpose(kernel.node, (rank + 1, rank) + tuple(range(rank)))
    return _spread(node, kernel.shape[:rank - 1:-1] + kernel.shape[:rank], dilation, 2)


def _extents(kernel, dilation):
    return tuple((window - 1) * rate + 1 for window, rate in zip(kernel.shape, dilation))


def _convolved(node, shape, kernel, strides, padding, dilation, groups):
    """The convolution of a node of `shape` (batch, channels, spatial...)."""
    if groups > 1 and len(strides) == 1:
        # CNTK's kernels for groups know no single spatial axis.
        flat = Tensor((1,) + kernel.shape, kernel.dtype, node=output(cntk.reshape(kernel.node, (1,) + kernel.shape)))
        shape = shape[:2] + (1,) + shape[2:]
        found = _convolved(cntk.reshape(node, shape), shape, flat, (1,) + strides, padding, (1,) + dilation, groups)
        sizes = shape_of_node(output(found))
        return cntk.reshape(found, shape[:1] + sizes[1:2] + sizes[3:])
    node, automatic = _padded(node, shape[2:], _extents(kernel, dilation), strides, padding, 0)
    result = cntk.convolution(_kernel(kernel, dilation), cntk.to_batch(node), strides=strides,
                              auto_padding=automatic, groups=groups)
    return cntk.unpack_batch(result)


def _transposed(node, shape, kernel, strides, padding, dilation, sizes):
    """The transposed convolution of a node (batch, channels, spatial...) to the spatial `sizes`."""
    result = cntk.unpack_batch(cntk.convolution_transpose(
        _kernel(kernel, dilation), cntk.to_batch(node), strides=strides, auto_padding=[False] * (len(strides) + 1)))
    full = tuple((n - 1) * stride + extent for n, stride, extent in zip(shape[2:], strides, _extents(kernel, dilation)))
    result = cntk.reshape(result, (shape[0], kernel.shape[-2]) + full)
    starts = [max(there - size, 0) // 2 if padding == 'same' else 0 for there, size in zip(full, sizes)]
    missing = [max(start + size - there, 0) for start, size, there in zip(starts, sizes, full)]
    if any(missing):
        result = cntk.pad(result, [(0, 0), (0, 0)] + [(0, more) for more in missing], cntk.ops.CONSTANT_PAD, 0)
    for axis, (start, size, there, more) in enumerate(zip(starts, sizes, full, missing), 2):
        if (start, size) != (0, there + more):
            result = cntk.slice(result, axis, start, start + size)
    return result


def _pooled(node, shape, size, strides, padding, mode, dtype):
    """Pooling of a node of `shape` (batch, channels, spatial...)."""
    lowest = float(np.finfo(node_type(dtype)).min)
    node, automatic = _padded(node, shape[2:], size, strides, padding, lowest if mode == 'max' else 0)
    kind = cntk.MAX_POOLING if mode == 'max' else cntk.AVG_POOLING
    result = cntk.unpack_batch(cntk.pooling(cntk.to_batch(node), kind, size, strides, auto_padding=automatic))
    if mode == 'max':
        return result
    shares = [np.ones(1) if usual else _shares(*axis, padding) for usual, axis
              in zip(automatic[1:], zip(shape[2:], size, strides))]
    if all((share == 1).all() for share in shares):
        return result
    factor = np.ones(())
    for share in shares:
        factor = factor[..., None] * share
    return cntk.element_times(result, constant_node(1 / factor, node_type(dtype)))


def _shares(size, window, stride, padding):
    """How much of each window along an axis is data, not padding."""
    before, _ = _padding(size, window, stride, padding)
    starts = np.arange(rules.window_length(size, window, stride, padding)) * stride - before
    return (np.minimum(starts + window, size) - np.maximum(starts, 0)) / window


# --- primitives -----------------------------------------------------------------------------------------------------

def _first(shape):
    return shape[:1] + shape[-1:] + shape[1:-1]


def _to_first(x):
    rank = len(x.shape)
    return cntk.transpose(x.node, (0, rank - 1) + tuple(range(1, rank - 1))), _first(x.shape)


def _to_last(node, rank):
    return cntk.transpose(node, (0,) + tuple(range(2, rank)) + (1,))


def _known_batch(node, x):
    """`node`, made by `unpack_batch`, with the number of samples of `x` in its shape."""
    return cntk.reshape(node, x.shape[:1] + shape_of_node(output(node))[1:])


def conv(x, kernel, strides, padding, dilation, groups=1):
    node, shape = _to_first(x)
    result = _convolved(node, shape, kernel, strides, padding, dilation, groups)
    return _to_last(_known_batch(result, x), len(shape))


def conv_transpose(x, kernel, strides, padding, dilation, output_size):
    node, shape = _to_first(x)
    return _to_last(_transposed(node, shape, kernel, strides, padding, dilation, output_size), len(shape))


def pool(x, size, strides, padding, mode):
    node, shape = _to_first(x)
    result = _pooled(node, shape, size, strides, padding, mode, x.dtype)
    return _to_last(_known_batch(result, x), len(shape))


# --- overrides ------------------------------------------------------------------------------------------------------

def _is_first(data_format):
    return config.normalize_data_format(data_format) == 'channels_first'


def _tuple(value, rank):
    return (value,) * rank if isinstance(value, int) else tuple(value)


def convolution(x, kernel, strides=1, padding='valid', data_format=None, dilation_rate=1, groups=None, bias=None):
    if not _is_first(data_format) or str(padding).lower() == 'causal':
        return NotImplemented
    rank = len(x.shape) - 2
    groups = groups or x.shape[1] // kernel.shape[-2]
    node = _convolved(x.node, x.shape, kernel, _tuple(strides, rank), str(padding).lower(), _tuple(dilation_rate, rank),
                      groups)
    return node if bias is None else cntk.plus(node, cntk.reshape(bias.node, bias.shape + (1,) * rank))


def depthwise_conv(x, kernel, strides=1, padding='valid', data_format=None, dilation_rate=1):
    if not _is_first(data_format):
        return NotImplemented
    shape = kernel.shape[:-2] + (1, kernel.shape[-2] * kernel.shape[-1])
    flat = Tensor(shape, kernel.dtype, node=cntk.reshape(kernel.node, shape).output)
    return convolution(x, flat, strides, padding, data_format, dilation_rate, x.shape[1])


def convolution_transpose(x, kernel, strides=1, padding='valid', output_padding=None, data_format=None,
                          dilation_rate=1):
    if not _is_first(data_format):
        return NotImplemented
    rank, padding = len(x.shape) - 2, str(padding).lower()
    strides, dilation = _tuple(strides, rank), _tuple(dilation_rate, rank)
    extra = (None,) * rank if output_padding is None else _tuple(output_padding, rank)
    sizes = tuple(rules.transposed_length(size, window, stride, padding, more, rate) for size, window, stride, more, rate
                  in zip(x.shape[2:], kernel.shape, strides, extra, dilation))
    return _transposed(x.node, x.shape, kernel, strides, padding, dilation, sizes)


def _pooling(mode):
    def run(x, pool_size, strides=None, padding='valid', data_format=None):
        if not _is_first(data_format):
            return NotImplemented
        rank = len(x.shape) - 2
        size = _tuple(pool_size, rank)
        strides = size if strides is None else _tuple(strides, rank)
        return _pooled(x.node, x.shape, size, strides, str(padding).lower(), mode, x.dtype)
    return run


def batch_normalization(x, mean, variance, axis=-1, offset=None, scale=None, epsilon=1e-3):
    """One factor and one summand for each channel."""
    shape = tuple(size if index == axis % len(x.shape) else 1 for index, size in enumerate(x.shape))
    factor = cntk.reciprocal(cntk.sqrt(cntk.plus(variance.node, scalar_node(epsilon, x.dtype))))
    if scale is not None:
        factor = cntk.element_times(factor, scale.node)
    shift = cntk.negate(cntk.element_times(mean.node, factor))
    if offset is not None:
        shift = cntk.plus(offset.node, shift)
    return cntk.plus(cntk.element_times(x.node, cntk.reshape(factor, shape)), cntk.reshape(shift, shape))


def batch_normalization_train(x, axis=-1, offset=None, scale=None, epsilon=1e-3):
    axis %= len(x.shape)
    others = [index for index in range(len(x.shape)) if index != axis]
    center = cntk.reduce_mean(x.node, axis=others)
    difference = cntk.minus(x.node, center)
    variance = cntk.reduce_mean(cntk.square(difference), axis=others)
    factor = cntk.reciprocal(cntk.sqrt(cntk.plus(variance, scalar_node(epsilon, x.dtype))))
    shape = tuple(size if index == axis else 1 for index, size in enumerate(x.shape))
    if scale is not None:
        factor = cntk.element_times(factor, cntk.reshape(scale.node, shape))
    result = cntk.element_times(difference, factor)
    if offset is not None:
        result = cntk.plus(result, cntk.reshape(offset.node, shape))
    return [result, cntk.stop_gradient(center), cntk.stop_gradient(variance)]


GRAPH = dict(conv=conv, conv_transpose=conv_transpose, pool=pool)
OVERRIDES = {name: override(name, function) for name, function in dict(
    convolution=convolution, depthwise_conv=depthwise_conv, convolution_transpose=convolution_transpose,
    max_pool=_pooling('max'), average_pool=_pooling('avg'), batch_normalization=batch_normalization,
    batch_normalization_train=batch_normalization_train).items()}
