"""Converters of convolutions and pooling.

ONNX has the channels on axis 1. What runs there already, as chains of image layers do in an export, is written without
a transpose; the primitives, which are channels last, stand between two.
"""
from keras import config
from keras.backend.contract.rules import is_float
from keras.backend.table.composites.conv import checked_output_padding, spatial_tuple
from keras.export.onnx.converters import converter


def _moved(block, x, last):
    """`x` with its channels on axis 1, given whether they are `last`."""
    return block.transpose(x, [0, x.ndim - 1] + list(range(1, x.ndim - 1))) if last else x


def _restored(block, x, last):
    return block.transpose(x, [0] + list(range(2, x.ndim)) + [1]) if last else x


def _channels_last(data_format):
    return config.normalize_data_format(data_format) == 'channels_last'


def _pads(sizes, windows, strides, dilation, padding):
    """What ONNX is told of the padding: the number of elements before and after each axis, where that is known."""
    if padding == 'valid':
        return {}
    before, after = [], []
    for size, window, stride, rate in zip(sizes, windows, strides, dilation):
        extent = (window - 1) * rate + 1
        if size is None and stride > 1:
            return {'auto_pad': 'SAME_UPPER'}
        total = extent - 1 if stride == 1 else max((-(-size // stride) - 1) * stride + extent - size, 0)
        before.append(total // 2)
        after.append(total - total // 2)
    return {'pads': before + after}


def _floats(block, x):
    return x if is_float(x.dtype) else block.cast(x, 'float32')


# --- convolutions -------------------------------------------------------------------------------------------------

@converter
def conv(block, x, kernel, strides, padding, dilation, groups):
    return _convolved(block, x, kernel, strides, padding, dilation, groups, None, True)


@converter
def convolution(block, x, kernel, strides, padding, data_format, dilation_rate, groups, bias):
    rank, last = x.ndim - 2, _channels_last(data_format)
    channels = x.shape[-1 if last else 1]
    if groups is None:
        groups = 1 if channels is None or channels % kernel.shape[-2] else channels // kernel.shape[-2]
    dilation = spatial_tuple(dilation_rate, rank, 'dilation_rate')
    return _convolved(block, x, kernel, spatial_tuple(strides, rank, 'strides'), padding.lower(), dilation, groups,
                      bias, last)


@converter
def depthwise_conv(block, x, kernel, strides, padding, data_format, dilation_rate):
    channels, multiplier = kernel.shape[-2:]
    flat = block.reshape(kernel, kernel.shape[:-2] + (1, channels * multiplier))
    return convolution(block, x, flat, strides, padding, data_format, dilation_rate, channels, None)


def _convolved(block, x, kernel, strides, padding, dilation, groups, bias, last):
    dtype = x.dtype
    x, kernel = _moved(block, _floats(block, x), last), _floats(block, kernel)
    windows = kernel.shape[:-2]
    if padding == 'causal':
        pads = {'pads': [(windows[0] - 1) * dilation[0], 0]}
    elif padding == 'full':
        pads = {'pads': [(window - 1) * rate for window, rate in zip(windows, dilation)] * 2}
    else:
        pads = _pads(x.shape[2:], windows, strides, dilation, padding)
    weights = block.transpose(kernel, [kernel.ndim - 1, kernel.ndim - 2] + list(range(kernel.ndim - 2)))
    inputs = [x, weights] + ([] if bias is None or bias.ndim > 1 else [_floats(block, bias)])
    result = block.add('Conv', *inputs, shape=x.shape[:1] + kernel.shape[-1:] + (None,) * len(windows),
                       strides=list(strides), dilations=list(dilation), group=groups, kernel_shape=list(windows),
                       **pads)
    result = _restored(block, result, last)
    if bias is not None and bias.ndim > 1:
        result = block.add('Add', result, bias)
    return block.cast(result, dtype)


@converter
def conv_transpose(block, x, kernel, strides, padding, dilation, output_size):
    sizes = x.shape[1:-1]
    if None in sizes or not all(isinstance(size, int) for size in output_size):
        raise ValueError('the spatial sizes must be known')
    surplus = [(size - 1) * stride + (window - 1) * rate + 1 - length for size, stride, window, rate, length
               in zip(sizes, strides, kernel.shape, dilation, output_size)]
    return _enlarged(block, x, kernel, strides, padding, dilation, surplus, True)


@converter
def convolution_transpose(block, x, kernel, strides, padding, output_padding, data_format, dilation_rate):
    rank = x.ndim - 2
    strides, dilation = spatial_tuple(strides, rank, 'strides'), spatial_tuple(dilation_rate, rank, 'dilation_rate')
    surplus = []
    for window, stride, rate, more in zip(kernel.shape, strides, dilation,
                                          checked_output_padding(output_padding, strides)):
        extent = (window - 1) * rate + 1
        if padding.lower() == 'full':
            surplus.append(2 * (extent - 1) - (more or 0))
        elif more is None:
            surplus.append(extent - stride - (max(extent - stride, 0) if padding.lower() == 'valid' else 0))
        else:
            surplus.append(2 * (extent // 2 if padding.lower() == 'same' else 0) - more)
    return _enlarged(block, x, kernel, strides, padding.lower(), dilation, surplus, _channels_last(data_format))


def _enlarged(block, x, kernel, strides, padding, dilation, surplus, last):
    """`surplus`: by how many elements the whole result is longer than what is wanted of it, for each axis."""
    dtype = x.dtype
    x, kernel = _moved(block, _floats(block, x), last), _floats(block, kernel)
    before = [max(more, 0) // 2 if padding == 'same' else 0 for more in surplus]
    if padding == 'full':
        before = [(window - 1) * rate for window, rate in zip(kernel.shape, dilation)]
    after = [max(more, 0) - first for more, first in zip(surplus, before)]
    weights = block.transpose(kernel, [kernel.ndim - 1, kernel.ndim - 2] + list(range(kernel.ndim - 2)))
    result = block.add('ConvTranspose', x, weights, strides=list(strides), dilations=list(dilation),
                       shape=x.shape[:1] + kernel.shape[-2:-1] + (None,) * len(strides),
                       kernel_shape=list(kernel.shape[:-2]), pads=before + after,
                       output_padding=[max(-more, 0) for more in surplus])
    return block.cast(_restored(block, result, last), dtype)


# --- pooling ------------------------------------------------------------------------------------------------------

@converter
def pool(block, x, size, strides, padding, mode):
    return _pooled(block, x, size, strides, padding, mode, True)


@converter
def max_pool(block, x, pool_size, strides, padding, data_format):
    return _pooled_by_layer(block, x, pool_size, strides, padding, data_format, 'max')


@converter
def average_pool(block, x, pool_size, strides, padding, data_format):
    return _pooled_by_layer(block, x, pool_size, strides, padding, data_format, 'avg')


def _pooled_by_layer(block, x, pool_size, strides, padding, data_format, mode):
    size = spatial_tuple(pool_size, x.ndim - 2, 'pool_size')
    strides = size if strides is None else spatial_tuple(strides, x.ndim - 2, 'strides')
    return _pooled(block, x, size, strides, padding.lower(), mode, _channels_last(data_format))


def _pooled(block, x, size, strides, padding, mode, last):
    dtype = x.dtype
    x = _moved(block, _floats(block, x), last)
    pads = _pads(x.shape[2:], size, strides, (1,) * len(size), padding)
    if mode == 'avg':
        pads['count_include_pad'] = 0
    result = block.add('MaxPool' if mode == 'max' else 'AveragePool', x, kernel_shape=list(size),
                       strides=list(strides), shape=x.shape[:2] + (None,) * len(size), **pads)
    return block.cast(_restored(block, result, last), dtype)
