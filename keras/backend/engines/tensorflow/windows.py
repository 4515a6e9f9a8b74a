"""Convolution and pooling."""

import tensorflow as tf

from keras.backend.contract.rules import check_windows, window_length
from keras.backend.engines.tensorflow.tensors import positive, raw, size_vector, sizes_of


def windowed(sizes):
    return [1] + list(sizes) + [1]


def _with_height(x):
    return raw.ExpandDims(input=x, axis=1)


def _without_height(x):
    return raw.Squeeze(input=x, axis=[1])


def _window_fits(size, window, stride, padding, count):
    """Whether a convolution over `size` gives `count` windows."""
    try:
        return window_length(size, window, stride, padding) == count
    except ValueError:
        return False


def _dilated(kernel, dilation):
    """`kernel` with zeros between its elements."""
    for axis, rate in enumerate(dilation):
        if rate > 1:
            sizes = kernel.shape.as_list()
            widths = [(0, 0)] * (len(sizes) + 1)
            widths[axis + 1] = (0, rate - 1)
            spread = tf.pad(tf.expand_dims(kernel, axis + 1), widths)
            sizes[axis] *= rate
            kernel = tf.reshape(spread, sizes)
            sizes[axis] -= rate - 1
            kernel = tf.slice(kernel, [0] * len(sizes), sizes)
    return kernel


def conv(x, kernel, strides, padding, dilation, groups=1):
    if x.shape[-1] is None:
        raise ValueError('the number of channels must be known; received shape %s' % (x.shape,))
    channels = kernel.shape[-2] * groups
    if channels != x.shape[-1]:
        # TensorFlow would take more channels than the kernel has for groups.
        raise ValueError('the input has %s channels, the kernel is for %s' % (x.shape[-1], channels))
    check_windows(x.shape.as_list()[1:-1], kernel.shape.as_list(), strides, padding, dilation)
    if len(strides) == 1:
        return _without_height(conv(_with_height(x), raw.ExpandDims(input=kernel, axis=0), strides * 2,
                                         padding, (1,) + dilation, groups))
    if groups > 1:
        return _grouped_conv(x, kernel, strides, padding, dilation, groups)
    if max(dilation) > 1 and (max(strides) > 1 or len(strides) > 2):
        # The gradients know no dilation on the CPU; tf.nn.convolution has it for strides of 1 only.
        kernel, dilation = _dilated(kernel, dilation), (1,) * len(dilation)
    if max(dilation) > 1:
        return tf.nn.convolution(x, kernel, strides, padding.upper(), dilations=dilation)
    op = raw.Conv2D if len(strides) == 2 else raw.Conv3D
    return op(input=x, filter=kernel, strides=windowed(strides), padding=padding.upper())


def _grouped_conv(x, kernel, strides, padding, dilation, groups):
    if len(strides) == 2 and kernel.shape[-2] == 1 and strides[0] == strides[1] and max(dilation) == 1:
        height, width, _, filters = kernel.shape.as_list()
        kernel = raw.Reshape(tensor=kernel, shape=[height, width, groups, filters // groups])
        return raw.DepthwiseConv2dNative(input=x, filter=kernel, strides=windowed(strides),
                                         padding=padding.upper())
    parts = zip(tf.split(x, groups, -1), tf.split(kernel, groups, -1))
    return tf.concat([conv(part, weights, strides, padding, dilation) for part, weights in parts], -1)


def conv_transpose(x, kernel, strides, padding, dilation, output_size):
    if len(strides) == 1:
        return _without_height(conv_transpose(
            _with_height(x), raw.ExpandDims(input=kernel, axis=0), strides * 2, padding, (1,) + dilation,
            (1,) + tuple(output_size)))
    kernel = _dilated(kernel, dilation)
    sizes, window = sizes_of(x), kernel.shape.as_list()[:-2]
    direct = all(isinstance(out, int) and _window_fits(out, w, s, padding, n)
                 for out, w, s, n in zip(output_size, window, strides, sizes[1:-1]))
    if direct:
        return _conv_gradient(x, kernel, strides, padding, output_size)
    full = [(n - 1) * s + w for n, s, w in zip(sizes[1:-1], strides, window)]
    result = _conv_gradient(x, kernel, strides, 'valid', full)
    before = [positive(size - out) // 2 if padding == 'same' else 0 for size, out in zip(full, output_size)]
    missing = [positive(first + out - size) for first, out, size in zip(before, output_size, full)]
    result = tf.pad(result, [(0, 0)] + [(0, after) for after in missing] + [(0, 0)])
    result = tf.slice(result, size_vector([0] + before + [0]), size_vector([-1] + list(output_size) + [-1]))
    return tf.ensure_shape(result, [None] + [size if isinstance(size, int) else None for size in output_size]
                           + [kernel.shape[-2]])


def _conv_gradient(x, kernel, strides, padding, output_size):
    sizes = size_vector(sizes_of(x)[:1] + list(output_size) + kernel.shape.as_list()[-2:-1])
    if len(strides) == 2:
        return raw.Conv2DBackpropInput(input_sizes=sizes, filter=kernel, out_backprop=x,
                                       strides=windowed(strides), padding=padding.upper())
    return raw.Conv3DBackpropInputV2(input_sizes=sizes, filter=kernel, out_backprop=x,
                                     strides=windowed(strides), padding=padding.upper())


def pool(x, size, strides, padding, mode):
    check_windows(x.shape.as_list()[1:-1], size, strides, padding)  # else the kernels end the process
    if len(size) == 1:
        return _without_height(pool(_with_height(x), (1,) + size, strides * 2, padding, mode))
    ksize, strides, padding = windowed(size), windowed(strides), padding.upper()
    if len(size) == 2 and mode == 'max':
        return raw.MaxPool(input=x, ksize=ksize, strides=strides, padding=padding)
    if len(size) == 2:
        return raw.AvgPool(value=x, ksize=ksize, strides=strides, padding=padding)
    op = raw.MaxPool3D if mode == 'max' else raw.AvgPool3D
    return op(input=x, ksize=ksize, strides=strides, padding=padding)
