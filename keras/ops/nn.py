"""Activations, convolutions, pooling, losses and normalization under Keras 3's names and signatures."""
import math
import warnings

import numpy as np

from keras import config
from keras.backend.contract import rules
from keras.backend.contract.loading import get_engine
from keras.backend.k.ctc import decode_logits
from keras.backend.table import primitives as p
from keras.backend.table.composites import conv as convolutions, nn, shape as shapes
from keras.backend.table.composites.losses import (binary_crossentropy, categorical_crossentropy, ctc_loss,
                                                   sparse_categorical_crossentropy)
from keras.backend.table.composites.math import l2_normalize, log10, mean
from keras.backend.table.composites.nn import (batch_normalization, batch_normalization_train, bias_add, celu, elu,
                                               embedding, gelu, glu, hard_shrink, hard_sigmoid, hard_silu, hard_tanh,
                                               leaky_relu, linear, log_sigmoid, log_softmax, relu, relu6, selu, sigmoid,
                                               silu, soft_shrink, softplus, softsign, sparse_plus,
                                               sparse_sigmoid, sparsemax, squareplus, tanh_shrink, threshold)
from keras.ops.linalg import norm

swish = silu
hard_swish = hard_silu


def softmax(x, axis=-1):
    """`exp(x)` divided by its sum along `axis`, an int or a tuple of ints.

    Example:
        >>> keras.ops.softmax([0.0, 0.0])
        array([0.5, 0.5], dtype=float32)
    """
    if type(axis) is int:
        sizes = shapes.static_shape(x)
        if -len(sizes) <= axis < len(sizes) and sizes[axis] == 1:
            warnings.warn('You are using a softmax over axis %d of a tensor of shape %s. This axis has size 1. The '
                          'softmax operation will always return the value 1, which is likely not what you intended. '
                          'Did you mean to use a sigmoid instead?' % (axis, tuple(sizes)), stacklevel=2)
    return nn.softmax(x, axis)


def ctc_decode(inputs, sequence_lengths, strategy='greedy', beam_width=100, top_paths=1, merge_repeated=True,
               mask_index=0):
    """The labellings that the outputs of a network stand for (CTC, Graves et al., 2006), found on the host.

    Args:
        inputs: logits (batch, time, classes). sequence_lengths: integers (batch,), how many steps count.
        strategy: 'greedy': the likeliest class of every step; 'beam_search': the likeliest labellings.
        beam_width: how many beginnings the search keeps. top_paths: how many labellings it gives.
        merge_repeated: whether the greedy way counts a class that repeats once.
        mask_index: the class that stands for the blank.

    Returns:
        (integers (top_paths, batch, time), filled up with -1; scores (batch, top_paths): the negative sum of the logits
        taken for 'greedy', log probabilities for 'beam_search').

    Raises:
        ValueError: for another strategy.

    Example:
        >>> keras.ops.ctc_decode(np.log([[[0.1, 0.9], [0.8, 0.2]]]), [2])
        (array([[[ 1, -1]]], dtype=int32), array([[0.32850407]]))
    """
    if strategy not in ('greedy', 'beam_search'):
        raise ValueError("ctc_decode: Invalid strategy, it must be 'greedy' or 'beam_search'. Received: %r"
                         % (strategy,))
    dtype = shapes.dtype_of(inputs)
    if dtype not in ('float32', 'float64'):
        inputs = p.cast(inputs, 'float32')
    return decode_logits(inputs, sequence_lengths, strategy == 'greedy', beam_width, top_paths, merge_repeated,
                         mask_index)


def conv(inputs, kernel, strides=1, padding='valid', data_format=None, dilation_rate=1):
    """The n-dimensional convolution (correlation) of `inputs` with `kernel` (spatial..., in, out).

    Args:
        inputs: (batch, spatial..., channels), or (batch, channels, spatial...) for 'channels_first'.
        padding: 'valid', 'same' or 'causal' (one spatial axis).

    Example:
        >>> keras.ops.conv(np.arange(4.0).reshape(1, 4, 1), np.ones((2, 1, 1)))
        array([[[1.],
                [3.],
                [5.]]])
    """
    return convolutions.convolution(inputs, kernel, strides, padding, data_format, dilation_rate)


def conv_transpose(inputs, kernel, strides=1, padding='valid', output_padding=None, data_format=None, dilation_rate=1):
    """The transposed convolution: the gradient of `conv` by its input. `kernel`: (spatial..., out, in).

    Example:
        >>> keras.ops.conv_transpose(np.ones((1, 2, 1)), np.ones((2, 1, 1)), strides=2)
        array([[[1.],
                [1.],
                [1.],
                [1.]]])
    """
    return convolutions.convolution_transpose(inputs, kernel, strides, padding, output_padding, data_format,
                                              dilation_rate)


def depthwise_conv(inputs, kernel, strides=1, padding='valid', data_format=None, dilation_rate=1):
    """The convolution of every channel by itself with `kernel` (spatial..., channels, multiplier).

    Example:
        >>> keras.ops.depthwise_conv(np.arange(4.0).reshape(1, 4, 1), np.ones((2, 1, 1)))
        array([[[1.],
                [3.],
                [5.]]])
    """
    return convolutions.depthwise_conv(inputs, kernel, strides, padding, data_format, dilation_rate)


def separable_conv(inputs, depthwise_kernel, pointwise_kernel, strides=1, padding='valid', data_format=None,
                   dilation_rate=1):
    """A depthwise convolution followed by a pointwise one.

    Example:
        >>> keras.ops.separable_conv(np.arange(4.0).reshape(1, 4, 1), np.ones((2, 1, 1)), 2 * np.ones((1, 1, 1)))
        array([[[ 2.],
                [ 6.],
                [10.]]])
    """
    return convolutions.separable_conv(inputs, depthwise_kernel, pointwise_kernel, strides, padding, data_format,
                                       dilation_rate)


def max_pool(inputs, pool_size, strides=None, padding='valid', data_format=None):
    """The maximum of windows of `inputs` (batch, spatial..., channels); `strides` defaults to `pool_size`.

    Example:
        >>> keras.ops.max_pool(np.arange(4.0).reshape(1, 4, 1), 2)
        array([[[1.],
                [3.]]])
    """
    return convolutions.max_pool(inputs, pool_size, strides, padding, data_format)


def average_pool(inputs, pool_size, strides=None, padding='valid', data_format=None):
    """The mean of windows of `inputs` (batch, spatial..., channels); padding does not count.

    Example:
        >>> keras.ops.average_pool(np.arange(4.0).reshape(1, 4, 1), 2)
        array([[[0.5],
                [2.5]]])
    """
    return convolutions.average_pool(inputs, pool_size, strides, padding, data_format)


def adaptive_average_pool(inputs, output_size, data_format=None):
    """The means of windows chosen so that the spatial sizes become `output_size`, an int or a tuple.

    Example:
        >>> keras.ops.adaptive_average_pool(np.arange(6.0).reshape(1, 6, 1), 2)
        array([[[1.],
                [4.]]])
    """
    return _adaptive(lambda part, axis: mean(part, axis, True), inputs, output_size, data_format)


def adaptive_max_pool(inputs, output_size, data_format=None):
    """The maxima of windows chosen so that the spatial sizes become `output_size`, an int or a tuple.

    Example:
        >>> keras.ops.adaptive_max_pool(np.arange(6.0).reshape(1, 6, 1), 2)
        array([[[2.],
                [5.]]])
    """
    return _adaptive(lambda part, axis: p.max(part, axis, True), inputs, output_size, data_format)


def _adaptive(reduce, inputs, output_size, data_format):
    first = 2 if config.normalize_data_format(data_format) == 'channels_first' else 1
    rank = shapes.ndim(inputs) - 2
    for axis, count in enumerate(convolutions.spatial_tuple(output_size, rank, 'output_size'), first):
        size = shapes.static_shape(inputs)[axis]
        bounds = [(index * size // count, -(-(index + 1) * size // count)) for index in range(count)]
        inputs = p.concatenate([reduce(shapes.sliced(inputs, axis, *pair), axis) for pair in bounds], axis)
    return inputs


def unfold(x, kernel_size, dilation=1, padding=0, stride=1):
    """The blocks under a moving window as columns: (batch, channels, rows, columns) to (batch, channels * window, n).

    Args:
        kernel_size, dilation, padding, stride: an int or a pair (rows, columns). Zeros are put around the images.

    Example:
        >>> keras.ops.unfold(np.arange(4).reshape(1, 1, 2, 2), 2)
        array([[[0],
                [1],
                [2],
                [3]]])
    """
    window, rates, margins, steps = _pairs(kernel_size, dilation, padding, stride)
    x = p.pad(x, ((0, 0), (0, 0)) + tuple((margin, margin) for margin in margins), 0)
    batch, channels, rows, columns = shapes.shape(x)
    counts = _blocks((rows, columns), window, rates, steps)
    places = [_places(*each) for each in zip(window, rates, steps, counts)]
    x = p.gather(p.gather(x, places[0], 2), places[1], 4)  # (batch, channels, window, blocks, window, blocks)
    x = p.transpose(x, (0, 1, 2, 4, 3, 5))
    return shapes.resized(x, (batch, channels * window[0] * window[1], counts[0] * counts[1]))


def fold(x, output_size, kernel_size, dilation=1, padding=0, stride=1):
    """The images whose `unfold` these columns are; where blocks overlap they are added up.

    Args:
        x: (batch, channels * window, n). output_size: (rows, columns) of the images. kernel_size, dilation, padding,
            stride: as for `unfold`.

    Example:
        >>> keras.ops.fold(np.ones((1, 4, 1)), (2, 2), 2)
        array([[[[1., 1.],
                 [1., 1.]]]])
    """
    if shapes.ndim(x) != 3:
        raise ValueError('fold: `x` must be a 3D tensor (batch, channels * window, n). Received: shape %s'
                         % (shapes.static_shape(x),))
    size, window, rates, margins, steps = _pairs(output_size, kernel_size, dilation, padding, stride)
    padded = [n + 2 * margin for n, margin in zip(size, margins)]
    counts = _blocks(padded, window, rates, steps)
    batch, depth = shapes.shape(x)[:2]
    if shapes.static_shape(x)[2] not in (None, counts[0] * counts[1]):
        raise ValueError('fold: a window of %s fits %d times into %s. Received: %d columns.'
                         % (window, counts[0] * counts[1], tuple(padded), shapes.static_shape(x)[2]))
    channels = depth // (window[0] * window[1])
    rows, columns = [_places(*each).reshape(-1) for each in zip(window, rates, steps, counts)]
    x = shapes.resized(x, (batch, channels, window[0], window[1], counts[0], counts[1]))
    x = p.transpose(x, (2, 4, 3, 5, 0, 1))  # (window, blocks, window, blocks, batch, channels)
    x = shapes.resized(x, (window[0] * counts[0] * window[1] * counts[1], batch, channels))
    flat = (rows[:, None] * padded[1] + columns[None, :]).reshape(-1).astype('int32')
    total = p.scatter_add(p.full((padded[0] * padded[1], batch, channels), 0, shapes.dtype_of(x)), flat, x)
    image = shapes.resized(p.transpose(total, (1, 2, 0)), (batch, channels, padded[0], padded[1]))
    for axis, (margin, n) in enumerate(zip(margins, size), 2):
        image = shapes.sliced(image, axis, margin, margin + n)
    return image


def _pairs(*values):
    return [(value, value) if isinstance(value, int) else tuple(value) for value in values]


def _blocks(sizes, window, rates, steps):
    return [(n - (w - 1) * rate - 1) // step + 1 for n, w, rate, step in zip(sizes, window, rates, steps)]


def _places(window, rate, step, count):
    """(window, count): the positions along an axis that the places of the window have in each block."""
    return (np.arange(window)[:, None] * rate + np.arange(count)[None, :] * step).astype('int32')


def polar(abs_, angle):
    """The complex number of that absolute value and angle in radians.

    Example:
        >>> keras.ops.polar([1.0], [0.0])
        array([1.+0.j], dtype=complex64)
    """
    return p.complex_number(p.multiply(abs_, p.cos(angle)), p.multiply(abs_, p.sin(angle)))


def _check_block(block_size):
    if block_size < 2:
        raise ValueError('`block_size` must be at least 2. Received: block_size=%r' % (block_size,))


def space_to_depth(x, block_size, data_format='channels_last'):
    """Images with every block of `block_size` by `block_size` places moved into the channels.

    Example:
        >>> keras.ops.space_to_depth(np.arange(4).reshape(1, 2, 2, 1), 2)
        array([[[[0, 1, 2, 3]]]])
    """
    _check_block(block_size)
    if data_format == 'channels_first':
        return shapes.moveaxis(space_to_depth(shapes.moveaxis(x, 1, -1), block_size), -1, 1)
    batch, rows, columns, channels = shapes.shape(x)
    blocks = (batch, rows // block_size, block_size, columns // block_size, block_size, channels)
    moved = p.transpose(shapes.resized(x, blocks), (0, 1, 3, 2, 4, 5))
    return shapes.resized(moved, (batch, blocks[1], blocks[3], block_size * block_size * channels))


def depth_to_space(x, block_size, data_format='channels_last'):
    """The inverse of `space_to_depth`.

    Example:
        >>> keras.ops.depth_to_space(np.arange(4).reshape(1, 1, 1, 4), 2)[0, :, :, 0]
        array([[0, 1],
               [2, 3]])
    """
    _check_block(block_size)
    if data_format == 'channels_first':
        return shapes.moveaxis(depth_to_space(shapes.moveaxis(x, 1, -1), block_size), -1, 1)
    batch, rows, columns, channels = shapes.shape(x)
    depth = channels // (block_size * block_size)
    moved = p.transpose(shapes.resized(x, (batch, rows, columns, block_size, block_size, depth)), (0, 1, 3, 2, 4, 5))
    return shapes.resized(moved, (batch, rows * block_size, columns * block_size, depth))


def one_hot(x, num_classes, axis=-1, dtype=None, sparse=False):
    """Vectors of zeros with a one at each integer of `x`, along a new axis.

    With `sparse` a sparse tensor of TensorFlow or JAX; other engines raise ValueError.

    Example:
        >>> keras.ops.one_hot([0, 2], 3)
        array([[1., 0., 0.],
               [0., 0., 1.]], dtype=float32)
    """
    hot = shapes.one_hot(x, num_classes, axis, dtype)
    return shapes.sparse_result(hot) if sparse else hot


def multi_hot(inputs, num_classes=None, axis=-1, dtype=None, sparse=False, **kwargs):
    """Vectors with ones at all integers along axis 1 of `inputs` (axis 0 of a vector), which that axis is reduced to.

    `axis` is where the classes are, counted before that. `sparse` as for `one_hot`.

    Example:
        >>> keras.ops.multi_hot([0, 2], 3)
        array([1., 0., 1.], dtype=float32)
    """
    num_classes = kwargs.pop('num_tokens', num_classes)
    hot = shapes.one_hot(inputs, num_classes, axis, dtype)
    hot = p.max(hot, 1 if shapes.ndim(inputs) > 1 else 0)
    return shapes.sparse_result(hot) if sparse else hot


def moments(x, axes, keepdims=False, synchronized=False):
    """The mean and the variance of `x` over `axes`.

    Example:
        >>> keras.ops.moments([[1.0, 3.0]], axes=[1])
        (array([2.], dtype=float32), array([1.], dtype=float32))
    """
    if shapes.dtype_of(x) != 'float16':
        return nn.moments(x, axes, keepdims)
    # Squares and sums of half precision overflow; what does not fit in the end is the largest number.
    found = nn.moments(p.cast(x, 'float32'), axes, keepdims)
    return tuple(p.cast(p.minimum(p.maximum(part, -65504.0), 65504.0), 'float16') for part in found)


def layer_normalization(x, gamma=None, beta=None, axis=-1, epsilon=None, **kwargs):
    """`x` with mean 0 and variance 1 over `axis`, times `gamma`, plus `beta`.

    `epsilon` defaults to `config.epsilon()`.

    Example:
        >>> keras.ops.layer_normalization([[1.0, 3.0]])
        array([[-1.,  1.]], dtype=float32)
    """
    epsilon = config.epsilon() if epsilon is None else epsilon
    if kwargs.pop('rms_scaling', False):
        warnings.warn('You passed `rms_scaling=True`, which is deprecated. Call `rms_normalization` instead.',
                      stacklevel=2)
        return rms_normalization(x, gamma, axis, epsilon)
    return _as(x, nn.layer_normalization(x, gamma, beta, axis, epsilon))


def _as(x, result):
    """`result` in the float dtype of `x`, whatever the dtypes of what it was scaled by."""
    dtype = rules.float_dtype(shapes.dtype_of(x))
    return result if shapes.dtype_of(result) == dtype else p.cast(result, dtype)


def rms_normalization(x, scale=None, axis=-1, epsilon=None):
    """`x` divided by its root mean square over `axis`, times `scale`. `epsilon` defaults to `config.epsilon()`.

    Example:
        >>> keras.ops.rms_normalization([[3.0, 4.0]])
        array([[0.84852815, 1.1313709 ]], dtype=float32)
    """
    return _as(x, nn.rms_normalization(x, scale, axis, config.epsilon() if epsilon is None else epsilon))


def normalize(x, axis=-1, order=2, epsilon=None):
    """`x` divided by its norm of the given order along `axis`.

    Example:
        >>> keras.ops.normalize([[3.0, 4.0]])
        array([[0.6, 0.8]], dtype=float32)
    """
    if not isinstance(order, int) or order < 1:
        raise ValueError('normalize: Argument `order` must be an int >= 1. Received: order=%r' % (order,))
    epsilon = config.epsilon() if epsilon is None else epsilon
    if order == 2:
        return l2_normalize(x, axis, epsilon * epsilon)
    return p.divide(x, p.maximum(norm(x, order, axis, True), epsilon))


def psnr(x1, x2, max_val):
    """The peak signal-to-noise ratio in decibels: `20 log10(max_val) - 10 log10(mean((x1 - x2)^2))`.

    Example:
        >>> keras.ops.psnr([0.0, 1.0], [0.0, 0.9], 1.0)
        np.float32(23.010296)
    """
    difference = p.subtract(x1, x2)
    return p.subtract(20.0 * math.log10(max_val), p.multiply(log10(mean(p.multiply(difference, difference))), 10.0))


def dot_product_attention(query, key, value, bias=None, mask=None, scale=None, is_causal=False, flash_attention=None,
                          attn_logits_soft_cap=None):
    """Scaled dot-product attention (Vaswani et al., 2017).

    Args:
        query: (batch, T, heads, width). key, value: (batch, S, key heads, width), heads a multiple of key heads.
        bias: added to the logits (batch, heads, T, S). mask: boolean, False where attention may not go;
            a query that may attend nowhere gets the mean of the values.
        scale: factor of the logits; default `1 / sqrt(width)`.
        is_causal: attend to earlier positions only.
        flash_attention: None takes the engine's own kernel where there is one (see `config.disable_flash_attention`),
            False does not, True refuses where there is none.
        attn_logits_soft_cap: the logits are brought between this number and its negative, by tanh.

    Example:
        >>> query, key = np.ones((1, 1, 1, 2)), np.ones((1, 2, 1, 2))
        >>> keras.ops.dot_product_attention(query, key, np.array([[[[1.0, 2.0]], [[3.0, 4.0]]]]))
        array([[[[2., 3.]]]])
    """
    if flash_attention and 'attention' not in get_engine().overrides:
        raise ValueError('dot_product_attention: flash_attention=True asks for a kernel that the %s engine does not '
                         'have; with None the same numbers are computed without it.' % get_engine().name)
    fused = config.is_flash_attention_enabled() is not False if flash_attention is None else bool(flash_attention)
    common = rules.result_dtype(*map(shapes.dtype_of, (query, key, value)))
    if bias is not None and common in ('float16', 'bfloat16'):  # the result is of these, whatever the bias is
        bias = p.cast(bias, common)
    if mask is not None:
        mask = p.reshape(mask, (1,) * (4 - shapes.ndim(mask)) + tuple(shapes.shape(mask))) \
            if shapes.ndim(mask) < 4 else mask
        return nn.attention_where(mask, query, key, value, bias, scale, is_causal, attn_logits_soft_cap, fused)
    return nn.attention(query, key, value, bias, scale, is_causal, attn_logits_soft_cap, fused)
