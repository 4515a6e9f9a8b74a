"""Convolution and pooling, channels first as CNTK's kernels want them, and the overrides that take data that way round.

CNTK's windows need a batch axis of its own kind around the samples, which `to_batch` puts there. Its automatic padding
begins half a window before the data whatever the stride, and refuses windows larger than the data, so padding that lies
otherwise is laid out before.
"""
import cntk
import numpy as np
from cntk import cntk_py

from keras import config
from keras.backend.contract import rules
from keras.backend.engines.cntk.overrides import override
from keras.backend.engines.cntk.tensors import (Batched, Tensor, constant_node, current, data_view, node_type, output,
                                                scalar_node, shape_of_node)


def _padding(size, window, stride, padding):
    """(before, after) of one axis; `window` is the extent with dilation."""
    if padding != 'same':
        return 0, 0
    total = max((rules.window_length(size, window, stride, padding) - 1) * stride + window - size, 0)
    return total // 2, total - total // 2


def _padded(x, windows, strides, padding, value):
    """The tensor `x` (batch, channels, spatial...) as a batched node with such padding as CNTK would not put there.

    Returns it and which axes CNTK is to pad.
    """
    widths, automatic = [(0, 0)], [False]
    for size, window, stride in zip(x.shape[2:], windows, strides):
        before, after = _padding(size, window, stride, padding)
        usual = after and window % 2 == 1 and before == after == window // 2 and window <= size
        automatic.append(bool(usual))
        widths.append((0, 0) if usual else (before, after))
    node = x.with_batch_axis()
    if any(map(any, widths)):
        node = cntk.pad(node, widths, cntk.ops.CONSTANT_PAD, value)
    return node, automatic


def _spread(node, shape, dilation, axis):
    """A kernel with zeros between its elements along the axes from `axis` on: CNTK has no dilation on the CPU."""
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


def _parts(x, axis, count):
    """A tensor in `count` equal parts along an axis."""
    size = x.shape[axis] // count
    shape = x.shape[:axis] + (size,) + x.shape[axis + 1:]
    return [Tensor(shape, x.dtype, node=output(cntk.slice(x.node, axis, start, start + size)))
            for start in range(0, size * count, size)]


def _convolved(x, kernel, strides, padding, dilation, groups):
    """The convolution of a tensor (batch, channels, spatial...), as a batched node."""
    if groups > 1 and len(strides) == 1:
        # CNTK's kernels for groups know no single spatial axis.
        kernel = Tensor((1,) + kernel.shape, kernel.dtype, node=output(cntk.reshape(kernel.node, (1,) + kernel.shape)))
        shape = x.shape[:2] + (1,) + x.shape[2:]
        flat = Tensor(shape, x.dtype, node=output(cntk.reshape(x.node, shape)))
        found = output(_convolved(flat, kernel, (1,) + strides, padding, (1,) + dilation, groups))
        sizes = shape_of_node(found)
        return cntk.reshape(found, sizes[:1] + sizes[2:])
    if groups > 1 and len(strides) == 3:
        # Nor three of them on the CPU.
        parts = zip(_parts(x, 1, groups), _parts(kernel, len(kernel.shape) - 1, groups))
        return cntk.splice(*[output(_convolved(part, own, strides, padding, dilation, 1)) for part, own in parts],
                           axis=0)
    node, automatic = _padded(x, _extents(kernel, dilation), strides, padding, 0)
    # More temporary memory than for some samples makes it slower.
    return cntk.convolution(_kernel(kernel, dilation), node, strides=strides, auto_padding=automatic, groups=groups,
                            max_temp_mem_size_in_samples=16)


def _transposed(x, kernel, strides, padding, dilation, sizes):
    """The transposed convolution of a tensor (batch, channels, spatial...) to spatial `sizes`, as a batched node."""
    result = cntk.convolution_transpose(_kernel(kernel, dilation), x.with_batch_axis(), strides=strides,
                                        auto_padding=[False] * (len(strides) + 1))
    full = tuple((n - 1) * stride + extent
                 for n, stride, extent in zip(x.shape[2:], strides, _extents(kernel, dilation)))
    starts = [max(there - size, 0) // 2 if padding == 'same' else 0 for there, size in zip(full, sizes)]
    missing = [max(start + size - there, 0) for start, size, there in zip(starts, sizes, full)]
    if any(missing):
        result = cntk.pad(result, [(0, 0)] + [(0, more) for more in missing], cntk.ops.CONSTANT_PAD, 0)
    for axis, (start, size, there, more) in enumerate(zip(starts, sizes, full, missing), 1):
        if (start, size) != (0, there + more):
            result = cntk.slice(result, axis, start, start + size)
    return result


def _pooled(x, size, strides, padding, mode):
    """Pooling of a tensor (batch, channels, spatial...), as a batched node."""
    lowest = float(np.finfo(node_type(x.dtype)).min)
    node, automatic = _padded(x, size, strides, padding, lowest if mode == 'max' else 0)
    kind = cntk.MAX_POOLING if mode == 'max' else cntk.AVG_POOLING
    result = cntk.pooling(node, kind, size, strides, auto_padding=automatic)
    if mode == 'max':
        return result
    shares = [np.ones(1) if usual else _shares(*axis, padding) for usual, axis
              in zip(automatic[1:], zip(x.shape[2:], size, strides))]
    if all((share == 1).all() for share in shares):
        return result
    factor = np.ones(())
    for share in shares:
        factor = factor[..., None] * share
    return cntk.element_times(result, constant_node(1 / factor, node_type(x.dtype)))


def _shares(size, window, stride, padding):
    """How much of each window along an axis is data, not padding."""
    before, _ = _padding(size, window, stride, padding)
    starts = np.arange(rules.window_length(size, window, stride, padding)) * stride - before
    return (np.minimum(starts + window, size) - np.maximum(starts, 0)) / window


# --- primitives -----------------------------------------------------------------------------------------------------

def _to_first(x):
    rank = len(x.shape)
    node = cntk.transpose(x.node, (0, rank - 1) + tuple(range(1, rank - 1)))
    return Tensor(x.shape[:1] + x.shape[-1:] + x.shape[1:-1], x.dtype, node=output(node))


def _to_last(node, rank):
    """A batched node with the channels moved to the end."""
    return Batched(cntk.transpose(node, tuple(range(1, rank - 1)) + (0,)))


def conv(x, kernel, strides, padding, dilation, groups=1):
    return _to_last(_convolved(_to_first(x), kernel, strides, padding, dilation, groups), len(x.shape))


def conv_transpose(x, kernel, strides, padding, dilation, output_size):
    return _to_last(_transposed(_to_first(x), kernel, strides, padding, dilation, output_size), len(x.shape))


def pool(x, size, strides, padding, mode):
    return _to_last(_pooled(_to_first(x), size, strides, padding, mode), len(x.shape))


# --- overrides ------------------------------------------------------------------------------------------------------

def _is_first(data_format):
    return config.normalize_data_format(data_format) == 'channels_first'


def _tuple(value, rank):
    return (value,) * rank if isinstance(value, int) else tuple(value)


def convolution(x, kernel, strides=1, padding='valid', data_format=None, dilation_rate=1, groups=None, bias=None):
    if not _is_first(data_format) or str(padding).lower() not in ('valid', 'same'):
        return NotImplemented
    rank = len(x.shape) - 2
    groups = groups or x.shape[1] // kernel.shape[-2]
    node = _convolved(x, kernel, _tuple(strides, rank), str(padding).lower(), _tuple(dilation_rate, rank), groups)
    if bias is not None:
        node = cntk.plus(node, cntk.reshape(bias.node, bias.shape + (1,) * rank))
    return Batched(node)


def depthwise_conv(x, kernel, strides=1, padding='valid', data_format=None, dilation_rate=1):
    if not _is_first(data_format):
        return NotImplemented
    shape = kernel.shape[:-2] + (1, kernel.shape[-2] * kernel.shape[-1])
    flat = Tensor(shape, kernel.dtype, node=output(cntk.reshape(kernel.node, shape)))
    return convolution(x, flat, strides, padding, data_format, dilation_rate, x.shape[1])


def convolution_transpose(x, kernel, strides=1, padding='valid', output_padding=None, data_format=None,
                          dilation_rate=1):
    if not _is_first(data_format) or str(padding).lower() not in ('valid', 'same'):
        return NotImplemented
    rank, padding = len(x.shape) - 2, str(padding).lower()
    strides, dilation = _tuple(strides, rank), _tuple(dilation_rate, rank)
    extra = (None,) * rank if output_padding is None else _tuple(output_padding, rank)
    sizes = tuple(rules.transposed_length(size, window, stride, padding, more, rate)
                  for size, window, stride, more, rate in zip(x.shape[2:], kernel.shape, strides, extra, dilation))
    return Batched(_transposed(x, kernel, strides, padding, dilation, sizes))


def _pooling(mode):
    def run(x, pool_size, strides=None, padding='valid', data_format=None):
        if not _is_first(data_format):
            return NotImplemented
        rank = len(x.shape) - 2
        size = _tuple(pool_size, rank)
        strides = size if strides is None else _tuple(strides, rank)
        return Batched(_pooled(x, size, strides, str(padding).lower(), mode))
    return run


def batch_normalization(x, mean, variance, axis=-1, offset=None, scale=None, epsilon=1e-3):
    """One factor and one summand for each channel."""
    axis %= len(x.shape)
    shape = tuple(size if index == axis else 1 for index, size in enumerate(x.shape))
    factor = cntk.reciprocal(cntk.sqrt(cntk.plus(variance.node, scalar_node(epsilon, x.dtype))))
    if scale is not None:
        factor = cntk.element_times(factor, scale.node)
    shift = cntk.negate(cntk.element_times(mean.node, factor))
    if offset is not None:
        shift = cntk.plus(offset.node, shift)
    inside = axis > 0 and x.batched is not None
    node = x.batched if inside else x.node
    factor, shift = [cntk.reshape(part, shape[1:] if inside else shape) for part in (factor, shift)]
    result = cntk.plus(cntk.element_times(node, factor), shift)
    return Batched(result) if inside else result


def batch_normalization_train(x, axis=-1, offset=None, scale=None, epsilon=1e-3):
    axis %= len(x.shape)
    others = [index for index in range(len(x.shape)) if index != axis]
    if axis == 1 and current.differentiating and x.stage == 0 and x.dtype == 'float32' \
            and x.shape[0] * int(np.prod(x.shape[2:])) > 1:
        return _native_normalization(x, offset, scale, epsilon)
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


def _native_normalization(x, offset, scale, epsilon):
    """CNTK's own node, which knows the statistics of the batch only where it will be differentiated.

    It leaves them in constants, so they are known behind the stage in which it runs.
    """
    channels = x.shape[1]
    mean, variance, count = [cntk_py.Constant(data_view(np.zeros(shape, 'float32')))
                             for shape in (channels, channels, ())]
    vectors = [constant_node(np.full(channels, value), 'float32') if part is None else part.node
               for part, value in ((scale, 1), (offset, 0))]
    result = cntk.batch_normalization(x.with_batch_axis(), *vectors, mean, variance, len(x.shape) > 2,
                                      normalization_time_constant=0, epsilon=epsilon, use_cudnn_engine=False,
                                      running_count=count)
    current.trace.filled_by_nodes.extend([mean, variance])
    samples = x.shape[0] * int(np.prod(x.shape[2:]))
    mean = Tensor((channels,), 'float32', node=mean, stage=x.stage + 1, leaf=True)
    # It is that of an estimate for all data.
    variance = Tensor((channels,), 'float32', node=variance, stage=x.stage + 1, leaf=True) * (1 - 1 / samples)
    return [Batched(result), mean, variance]


GRAPH = dict(conv=conv, conv_transpose=conv_transpose, pool=pool)
OVERRIDES = {name: override(name, function) for name, function in dict(
    convolution=convolution, depthwise_conv=depthwise_conv, convolution_transpose=convolution_transpose,
    max_pool=_pooling('max'), average_pool=_pooling('avg'), batch_normalization=batch_normalization,
    batch_normalization_train=batch_normalization_train).items()}
