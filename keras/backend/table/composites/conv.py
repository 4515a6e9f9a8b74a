"""Convolutions, pooling, padding, cropping and resizing in either data format, over the channels-last primitives.

The tensors have one batch axis, one channel axis and one to three spatial axes; `data_format` says where the
channels are, None stands for the configured default. Wherever a number per spatial axis is asked for, one int
stands for all axes.
"""
import itertools

import numpy as np

from keras import config
from keras.backend.contract.rules import float_dtype, transposed_length
from keras.backend.table import primitives as p
from keras.backend.table.cases import F
from keras.backend.table.composites.nn import bias_add
from keras.backend.table.composites.shape import (dtype_of, ndim, repeat, resized, shape as shape_of, sliced, stack,
                                                  static_shape)
from keras.backend.table.dispatch import composite


# --- arguments --------------------------------------------------------------------------------------------------

def _below(values, lowest):
    """In words, which of `values` are too small."""
    small = {size for size in values if isinstance(size, (int, np.integer)) and size < lowest} \
        if isinstance(values, (tuple, list)) else ()
    return ', including values %s that do not satisfy `value %s`' % (
        small, '> 0' if lowest == 1 else '>= %d' % lowest) if small else ''


def spatial_tuple(value, rank, name, lowest=1):
    """`value`, an int or a sequence of `rank` ints not below `lowest`, as a tuple of `rank` ints."""
    values = (value,) * rank if isinstance(value, (int, np.integer)) else value
    if (not isinstance(values, (tuple, list)) or len(values) != rank
            or not all(isinstance(size, (int, np.integer)) and size >= lowest for size in values)):
        raise ValueError('The `%s` argument must be a tuple of %d integers. Received %s=%r%s. An int stands for '
                         'one per spatial axis.' % (name, rank, name, value, _below(values, lowest)))
    return tuple(int(size) for size in values)


def spatial_pairs(value, rank, name):
    """(before, after) for each of `rank` axes, from an int, a tuple of ints (both sides), or a tuple of pairs.

    On a single axis a tuple of two ints is the pair itself.
    """
    if rank == 1 and isinstance(value, (tuple, list)) and (len(value) == 2 or isinstance(value[0], int)):
        value = (value,)
    values = (value,) * rank if isinstance(value, (int, np.integer)) else value
    if not isinstance(values, (tuple, list)) or len(values) != rank:
        raise ValueError('`%s` must be an int, a tuple of %d ints, or a tuple of %d pairs (before, after). '
                         'Received: %r' % (name, rank, rank, value))
    return tuple(spatial_tuple(pair, 2, name, lowest=0) for pair in values)


def too_much_cropped(pairs, shape):
    """What is wrong with `cropping`, which leaves nothing of an input, in words."""
    what = 'Values in `cropping` argument should be smaller than the corresponding spatial dimension of the input.'
    if len(pairs) == 1:
        what = '`cropping` parameter of `Cropping1D` layer must be smaller than the input length.'
    return '%s Received: cropping=%s, input of shape %s' % (what, pairs, tuple(shape))


def _padding(padding, allowed=('valid', 'same')):
    result = str(padding).lower()
    if result not in allowed:
        raise ValueError('`padding` must be one of %s. Received: %r' % (', '.join(map(repr, allowed)), padding))
    return result


def _spatial_rank(x):
    rank = ndim(x) - 2
    if not 1 <= rank <= 3:
        raise ValueError('a tensor with a batch axis, one to three spatial axes and a channel axis is expected, '
                         'which makes rank 3, 4 or 5; received rank %d, shape %s' % (rank + 2, static_shape(x)))
    return rank


def _channels_last(x, data_format):
    """`x` with the channels at the end, and whether they were at the front."""
    first = config.normalize_data_format(data_format) == 'channels_first'
    return p.transpose(x, (0,) + tuple(range(2, ndim(x))) + (1,)) if first else x, first


def restored(x, first):
    """`x`, which has its channels at the end, with the channels moved to the front if they were there."""
    rank = ndim(x)
    return p.transpose(x, (0, rank - 1) + tuple(range(1, rank - 1))) if first else x


# --- convolutions -----------------------------------------------------------------------------------------------

@composite('x kernel bias', promote='same', cases=[
    (F(2, 7, 3), F(3, 3, 4)), (F(2, 7, 3), F(3, 3, 4), 1, 'causal', 'channels_last', 2),
    (F(2, 3, 7), F(2, 3, 4), 2, 'same', 'channels_first'),
    (F(2, 6, 5, 3), F(3, 2, 3, 4), (2, 1), 'same', 'channels_last'),
    (F(2, 3, 6, 5), F(3, 2, 3, 4), 1, 'valid', 'channels_first', (1, 2)),
    (F(2, 5, 5, 4), F(3, 3, 2, 6), 1, 'valid', 'channels_last', 1, 2),
    (F(1, 4, 5, 4, 2), F(2, 3, 2, 2, 3), 1, 'same', 'channels_last'),
    (F(2, 7, 3), F(3, 3, 4), 2, 'causal', 'channels_last', 1, 1, F(4)),
    (F(2, 6, 5, 3), F(3, 2, 3, 4), 1, 'same', 'channels_last', 1, 1, F(4)),
    (F(2, 4, 6, 5), F(3, 2, 2, 6), (2, 1), 'valid', 'channels_first', 1, 2, F(6)),
    (F(2, 3, 5, 4), F(3, 2, 3, 4), (2, 1), 'full', 'channels_first', 1, None, F(4))])
def convolution(x, kernel, strides=1, padding='valid', data_format=None, dilation_rate=1, groups=None, bias=None):
    """Convolution (cross-correlation) over one to three spatial axes.

    Args:
        x: tensor (batch, spatial..., channels), or channels second with 'channels_first'.
        kernel: tensor (spatial..., channels / groups, filters).
        strides, dilation_rate: an int or a tuple, one int per spatial axis.
        padding: 'valid', 'same', 'full': every window that meets the input, or on one spatial axis 'causal': padded at
            the front only, so that no output depends on later inputs.
        groups: number of groups of channels that are convolved separately; None follows from the kernel.
        bias: tensor (filters,) to add, or None.

    Returns:
        A tensor laid out as `x`, with `filters` channels.

    Raises:
        ValueError: for arguments of the wrong length, or a kernel that does not fit the channels.
    """
    x, arguments, first = convolution_arguments(x, kernel, strides, padding, data_format, dilation_rate, groups)
    result = p.conv(x, kernel, *arguments)
    return restored(result if bias is None else bias_add(result, bias), first)


def convolution_arguments(x, kernel, strides, padding, data_format, dilation_rate, groups):
    """What `convolution` hands to the primitive: (`x` as it takes it, its static arguments, channels at the front?)."""
    rank = _spatial_rank(x)
    strides = spatial_tuple(strides, rank, 'strides')
    dilation = spatial_tuple(dilation_rate, rank, 'dilation_rate')
    padding = _padding(padding, ('valid', 'same', 'full') + (('causal',) if rank == 1 else ()))
    x, first = _channels_last(x, data_format)
    if padding in ('causal', 'full'):
        edges = _edges(kernel, dilation)
        x = p.pad(x, ((0, 0),) + tuple((edge, edge if padding == 'full' else 0) for edge in edges) + ((0, 0),))
        padding = 'valid'
    groups = groups or _groups(static_shape(x)[-1], kernel)
    return x, (strides, padding, dilation, groups), first


def _edges(kernel, dilation):
    """How far the first window reaches over the edge of the input along each axis, if it is to meet it at all."""
    return tuple((window - 1) * rate for window, rate in zip(static_shape(kernel), dilation))


def _groups(channels, kernel):
    if channels is None or channels % static_shape(kernel)[-2]:
        return 1
    return channels // static_shape(kernel)[-2]


@composite('x kernel', promote='same', cases=[
    (F(2, 4, 3), F(3, 2, 3), 2, 'same'), (F(1, 3, 4, 2), F(3, 2, 3, 2), 1, 'valid', None, 'channels_last'),
    (F(1, 2, 3, 4), F(3, 3, 3, 2), (2, 2), 'same', (0, 1), 'channels_first'),
    (F(1, 3, 3, 2), F(2, 2, 3, 2), 3, 'valid'),
    (F(1, 4, 5, 2), F(3, 3, 3, 2), 1, 'valid', None, 'channels_last', 2),
    (F(1, 3, 2, 2, 2), F(2, 2, 2, 3, 2), 2, 'valid', 1, 'channels_last'),
    (F(1, 4, 5, 2), F(3, 2, 3, 2), 2, 'full', 1, 'channels_last')])
def convolution_transpose(x, kernel, strides=1, padding='valid', output_padding=None, data_format=None,
                          dilation_rate=1):
    """Transposed convolution: the gradient of `convolution` by its input, which enlarges by `strides`.

    Args:
        x: tensor (batch, spatial..., channels), or channels second with 'channels_first'.
        kernel: tensor (spatial..., filters, channels).
        strides, dilation_rate: an int or a tuple, one int per spatial axis.
        padding: 'valid', 'same' or 'full', that of the convolution which this is the gradient of.
        output_padding: an int or a tuple, added to the length of each axis, below the stride there. None gives a length
            of `size * stride`, with 'valid' `max(window - stride, 0)` more, with 'full' `stride + window - 2` less.

    Raises:
        ValueError: for arguments of the wrong length, or a kernel that does not fit the channels.
    """
    rank = _spatial_rank(x)
    strides = spatial_tuple(strides, rank, 'strides')
    dilation = spatial_tuple(dilation_rate, rank, 'dilation_rate')
    padding = _padding(padding, ('valid', 'same', 'full'))
    extra = checked_output_padding(output_padding, strides)
    x, first = _channels_last(x, data_format)
    lengths = tuple(transposed_length(size, window, stride, padding, more, rate) for size, window, stride, more, rate
                    in zip(shape_of(x)[1:-1], static_shape(kernel), strides, extra, dilation))
    return restored(transposed(x, kernel, strides, padding, dilation, lengths), first)


def transposed(x, kernel, strides, padding, dilation, lengths):
    """The primitive `conv_transpose`, also for the padding 'full': what 'valid' gives but for its edges."""
    if padding != 'full':
        return p.conv_transpose(x, kernel, strides, padding, dilation, lengths)
    edges = _edges(kernel, dilation)
    result = p.conv_transpose(x, kernel, strides, 'valid', dilation,
                              tuple(length + 2 * edge for length, edge in zip(lengths, edges)))
    return spatial_cropping(result, tuple((edge, edge) for edge in edges), 'channels_last')


def checked_output_padding(output_padding, strides):
    """One int per spatial axis that is below the stride there, or None for each."""
    if output_padding is None:
        return (None,) * len(strides)
    extra = spatial_tuple(output_padding, len(strides), 'output_padding', lowest=0)
    for more, stride in zip(extra, strides):
        if more >= stride:
            raise ValueError('`output_padding` must be strictly less than `strides` along the same axis. Received: '
                             'output_padding=%r with strides %s' % (output_padding, strides))
    return extra


@composite('x kernel', promote='same', cases=[
    (F(2, 7, 3), F(3, 3, 2), 1, 'same'), (F(2, 6, 5, 3), F(3, 2, 3, 2), 2, 'valid', 'channels_last'),
    (F(2, 3, 6, 5), F(3, 2, 3, 1), 1, 'same', 'channels_first'),
    (F(2, 6, 6, 2), F(2, 2, 2, 2), 1, 'valid', 'channels_last', 2)])
def depthwise_conv(x, kernel, strides=1, padding='valid', data_format=None, dilation_rate=1):
    """Convolution of each channel with filters of its own.

    Args:
        x: tensor (batch, spatial..., channels), or channels second with 'channels_first'.
        kernel: tensor (spatial..., channels, multiplier).

    Returns:
        A tensor with `channels * multiplier` channels; those made from one channel lie side by side.
    """
    rank = _spatial_rank(x)
    channels, multiplier = static_shape(kernel)[-2:]
    if ndim(kernel) != rank + 2:
        raise ValueError('the kernel (spatial..., channels, multiplier) must have rank %d, received shape %s'
                         % (rank + 2, static_shape(kernel)))
    flat = p.reshape(kernel, static_shape(kernel)[:-2] + (1, channels * multiplier))
    return convolution(x, flat, strides, padding, data_format, dilation_rate, channels)


@composite('x depthwise_kernel pointwise_kernel', promote='same', cases=[
    (F(2, 7, 3), F(3, 3, 2), F(1, 6, 4)), (F(2, 6, 5, 3), F(3, 2, 3, 1), F(1, 1, 3, 4), 1, 'same', 'channels_last'),
    (F(2, 3, 6, 5), F(2, 2, 3, 2), F(1, 1, 6, 4), 2, 'valid', 'channels_first')])
def separable_conv(x, depthwise_kernel, pointwise_kernel, strides=1, padding='valid', data_format=None,
                   dilation_rate=1):
    """`depthwise_conv`, then a convolution with windows of size 1 that mixes the channels (Chollet 2017).

    Args:
        x: tensor (batch, spatial..., channels), or channels second with 'channels_first'.
        depthwise_kernel: tensor (spatial..., channels, multiplier).
        pointwise_kernel: tensor (1, ..., channels * multiplier, filters).
    """
    x = depthwise_conv(x, depthwise_kernel, strides, padding, data_format, dilation_rate)
    return convolution(x, pointwise_kernel, 1, 'valid', data_format, 1, 1)


# --- pooling ----------------------------------------------------------------------------------------------------

def _pooled(x, pool_size, strides, padding, data_format, mode):
    rank = _spatial_rank(x)
    size = spatial_tuple(pool_size, rank, 'pool_size')
    strides = size if strides is None else spatial_tuple(strides, rank, 'strides')
    padding = _padding(padding)
    x, first = _channels_last(x, data_format)
    return restored(p.pool(x, size, strides, padding, mode), first)


@composite(cases=[(F(2, 6, 3), 2), (F(2, 5, 6, 2), (3, 2), 2, 'same', 'channels_last'),
                  (F(2, 2, 5, 6), 2, 1, 'valid', 'channels_first'), (F(1, 4, 4, 4, 2), 2, None, 'valid')])
def max_pool(x, pool_size, strides=None, padding='valid', data_format=None):
    """The largest element of every window, for each channel.

    Args:
        x: tensor (batch, spatial..., channels), or channels second with 'channels_first'.
        pool_size: an int or a tuple, the size of the windows.
        strides: an int or a tuple; None stands for `pool_size`.
        padding: 'valid', or 'same', whose padding is never the largest.
    """
    return _pooled(x, pool_size, strides, padding, data_format, 'max')


@composite(cases=[(F(2, 6, 3), 2), (F(2, 5, 6, 2), (3, 2), 2, 'same', 'channels_last'),
                  (F(2, 2, 5, 6), 2, 1, 'valid', 'channels_first'), (F(1, 4, 4, 4, 2), 2, None, 'valid')])
def average_pool(x, pool_size, strides=None, padding='valid', data_format=None):
    """The mean of every window, for each channel; padding is not counted. Arguments as for `max_pool`."""
    return _pooled(x, pool_size, strides, padding, data_format, 'avg')


# --- padding and cropping ---------------------------------------------------------------------------------------

@composite(cases=[(F(2, 4, 3), (1, 2)), (F(2, 4, 5, 3), ((1, 0), (2, 1)), 'channels_last'),
                  (F(2, 3, 4, 5), 1, 'channels_first'), (F(1, 2, 3, 2, 1), (1, 0, 2))])
def spatial_padding(x, padding=1, data_format=None):
    """`x` with zeros around its spatial axes.

    Args:
        x: tensor (batch, spatial..., channels), or channels second with 'channels_first'.
        padding: an int; a tuple of ints, one per spatial axis; or a tuple of pairs (before, after). On one
            spatial axis a tuple of two ints is (before, after).
    """
    pairs = spatial_pairs(padding, _spatial_rank(x), 'padding')
    if config.normalize_data_format(data_format) == 'channels_first':
        return p.pad(x, ((0, 0), (0, 0)) + pairs)
    return p.pad(x, ((0, 0),) + pairs + ((0, 0),))


@composite(cases=[(F(2, 6, 3), (1, 2)), (F(2, 4, 5, 3), ((1, 0), (2, 1)), 'channels_last'),
                  (F(2, 3, 4, 5), 1, 'channels_first'), (F(1, 4, 3, 5, 1), (1, 0, 2))])
def spatial_cropping(x, cropping=1, data_format=None):
    """`x` without the outermost elements of its spatial axes. `cropping` is like `padding` of `spatial_padding`.

    Raises:
        ValueError: if more is cut off than there is.
    """
    pairs = spatial_pairs(cropping, _spatial_rank(x), 'cropping')
    lead = (None, None) if config.normalize_data_format(data_format) == 'channels_first' else (None,)
    for size, (before, after) in zip(static_shape(x)[len(lead):], pairs):
        if size is not None and before + after > size:
            raise ValueError(too_much_cropped(pairs, static_shape(x)))
    starts = lead + tuple(before for before, _ in pairs)
    stops = lead + tuple(-after or None for _, after in pairs)
    return p.strided_slice(x, starts, stops, (1,) * len(starts))


# --- patches and unshared convolution ---------------------------------------------------------------------------

@composite(cases=[(F(2, 5, 6, 2), 2), (F(2, 5, 6, 2), (3, 2), 2, 1, 'same', 'channels_last'), (F(2, 6, 3), 2, 1, 2),
                  (F(2, 2, 5, 6), 2, 1, 1, 'valid', 'channels_first')])
def extract_patches(x, size, strides=None, dilation_rate=1, padding='valid', data_format=None):
    """The windows of `x`, each laid out along the channel axis.

    Args:
        x: tensor (batch, spatial..., channels), or channels second with 'channels_first'.
        size, strides, dilation_rate: ints or tuples, one per spatial axis; strides of None are `size`.
        padding: 'valid', or 'same' with zeros.

    Returns:
        A tensor with `size... * channels` channels, the last spatial axis and then the channels varying fastest.
    """
    rank = _spatial_rank(x)
    size = spatial_tuple(size, rank, 'size')
    strides = size if strides is None else spatial_tuple(strides, rank, 'strides')
    dilation = spatial_tuple(dilation_rate, rank, 'dilation_rate')
    padding = _padding(padding)
    x, first = _channels_last(x, data_format)
    channels = static_shape(x)[-1]
    if channels is None:
        raise ValueError('the number of channels must be known; received shape %s' % (static_shape(x),))
    one_hot = np.eye(int(np.prod(size)) * channels, dtype='float32')
    kernel = p.cast(one_hot.reshape(size + (channels, -1)), dtype_of(x))
    return restored(p.conv(x, kernel, strides, padding, dilation, 1), first)


@composite('x kernel', promote='same', cases=[
    (F(2, 5, 2), F(4, 4, 3), 2), (F(2, 5, 4, 2), F(8, 8, 3), 2, (1, 2), 'channels_last'),
    (F(2, 2, 5, 4), F(4, 12, 3), (3, 2), (2, 2), 'channels_first')])
def local_conv(x, kernel, kernel_size, strides=1, data_format=None):
    """Convolution without padding whose filters differ from place to place (locally connected).

    Args:
        x: tensor (batch, spatial..., channels), or channels second with 'channels_first'.
        kernel: tensor (places, kernel_size... * channels, filters), the places in row-major order. With
            'channels_first' the channels vary slowest among the features, otherwise fastest.
        kernel_size, strides: ints or tuples, one per spatial axis.
    """
    rank = _spatial_rank(x)
    size = spatial_tuple(kernel_size, rank, 'kernel_size')
    strides = spatial_tuple(strides, rank, 'strides')
    x, first = _channels_last(x, data_format)
    features = _window_features(x, size, strides)
    counts = static_shape(features)[1:-2]
    places, depth, filters = static_shape(kernel)
    if None not in counts and int(np.prod(counts)) != places:
        raise ValueError('the kernel %s is for %d places, the input has %s' % (static_shape(kernel), places, counts))
    if first:
        features = p.transpose(features, tuple(range(rank + 1)) + (rank + 2, rank + 1))
    flat = p.transpose(p.reshape(features, (-1, places, depth)), (1, 0, 2))
    result = p.transpose(p.matmul(flat, kernel), (1, 0, 2))
    return restored(p.reshape(result, (-1,) + counts + (filters,)), first)


def _window_features(x, size, strides):
    """(batch, places..., window elements, channels): strided slices of `x`, one per element of the window."""
    spatial = static_shape(x)[1:-1]
    if None in spatial:
        raise ValueError('the spatial sizes must be known; received shape %s' % (static_shape(x),))
    counts = [(length - window) // stride + 1 for length, window, stride in zip(spatial, size, strides)]
    parts = []
    for offsets in itertools.product(*map(range, size)):
        stops = tuple(o + (n - 1) * s + 1 for o, n, s in zip(offsets, counts, strides))
        part = p.strided_slice(x, (None,) + offsets, (None,) + stops, (1,) + strides)
        parts.append(p.reshape(part, (-1,) + tuple(counts) + (1, static_shape(x)[-1])))
    return p.concatenate(parts, -2)


# --- enlarging and resizing -------------------------------------------------------------------------------------

@composite(cases=[(F(2, 3, 2), 3), (F(2, 2, 3, 2), (2, 3), 'nearest', 'channels_last'),
                  (F(2, 2, 2, 3), 2, 'bilinear', 'channels_first'),
                  (F(2, 3, 3, 1), (3, 2), 'bilinear', 'channels_last', False),
                  (F(1, 2, 1, 2, 2), (2, 1, 3))])
def upsampling(x, size=2, interpolation='nearest', data_format=None, half_pixel_centers=True):
    """`x` enlarged by whole factors along its spatial axes, whose sizes need not be known.

    Args:
        x: tensor (batch, spatial..., channels), or channels second with 'channels_first'.
        size: an int or a tuple, the factors.
        interpolation: 'nearest' repeats the elements, 'bilinear' goes straight from each to the next;
            or another kind of `resize`, for which the spatial sizes must be known.
        half_pixel_centers: for 'bilinear', whether elements are squares whose centres are interpolated
            between, as in Keras 3, or points at the squares' corners, as in Keras 2.
    """
    rank = _spatial_rank(x)
    factors = spatial_tuple(size, rank, 'size')
    offset = 1 if config.normalize_data_format(data_format) == 'channels_last' else 2
    if interpolation not in ('nearest', 'bilinear'):
        return resize(x, _enlarged(static_shape(x)[offset:], factors), interpolation, data_format)
    for axis, factor in enumerate(factors, offset):
        if factor == 1:
            continue
        if interpolation == 'nearest':
            x = repeat(x, factor, axis)
        else:
            x = _interleaved(_phases(x, axis, factor, half_pixel_centers), axis)
    return x


def _enlarged(sizes, factors):
    if None in sizes[:len(factors)]:
        raise ValueError('the spatial sizes must be known for this interpolation; received %s' % (sizes,))
    return tuple(size * factor for size, factor in zip(sizes, factors))


def _phases(x, axis, factor, half_pixel_centers):
    """The `factor` tensors that lie side by side along `axis` in the enlarged one, each of the size of `x`."""
    start = (0.5 / factor - 0.5) if half_pixel_centers else 0.0
    preceding = p.concatenate([sliced(x, axis, 0, 1), sliced(x, axis, None, -1)], axis)
    following = p.concatenate([sliced(x, axis, 1, None), sliced(x, axis, -1, None)], axis)
    phases = []
    for index in range(factor):
        distance = start + index / factor
        neighbour = preceding if distance < 0 else following
        weight = abs(distance)
        phases.append(x if weight == 0 else p.add(p.multiply(x, 1.0 - weight), p.multiply(neighbour, weight)))
    return phases


def _interleaved(parts, axis):
    sizes = shape_of(parts[0])
    return resized(stack(parts, axis + 1), sizes[:axis] + (sizes[axis] * len(parts),) + sizes[axis + 1:])


def _triangle(x):
    return np.maximum(1 - np.abs(x), 0)


def _cubic(x):
    """Keys' kernel with a = -0.5 (1981)."""
    x = np.abs(x)
    return np.where(x <= 1, (1.5 * x - 2.5) * x * x + 1, np.where(x < 2, ((-0.5 * x + 2.5) * x - 4) * x + 2, 0))


def _lanczos(radius):
    return lambda x: np.where(np.abs(x) < radius, np.sinc(x) * np.sinc(x / radius), 0)


_KERNELS = {'bilinear': _triangle, 'bicubic': _cubic, 'lanczos3': _lanczos(3), 'lanczos5': _lanczos(5)}


@composite(cases=[(F(2, 3, 4, 2), (5, 6), 'nearest'), (F(2, 3, 4, 2), (5, 3), 'bilinear', 'channels_last'),
                  (F(2, 2, 5, 6), (3, 4), 'bicubic', 'channels_first'), (F(1, 6, 5, 2), (2, 3), 'bilinear', None, True),
                  (F(1, 6, 7, 2), (8, 5), 'lanczos3')])
def resize(x, size, interpolation='bilinear', data_format=None, antialias=False, half_pixel_centers=True):
    """`x` resampled to other spatial sizes.

    Args:
        x: tensor (batch, spatial..., channels), or channels second with 'channels_first'; the spatial sizes
            must be known.
        size: an int or a tuple, the new sizes.
        interpolation: 'nearest', 'bilinear', 'bicubic' (Keys 1981), 'lanczos3' or 'lanczos5'.
        antialias: widen the kernel where an axis shrinks.
        half_pixel_centers: False for the corners that Keras 2 counted from.

    Returns:
        Floats, except with 'nearest', which keeps the dtype.
    """
    rank = _spatial_rank(x)
    size = spatial_tuple(size, rank, 'size')
    if interpolation != 'nearest' and interpolation not in _KERNELS:
        raise ValueError('`interpolation` must be one of nearest, %s. Received: %r'
                         % (', '.join(sorted(_KERNELS)), interpolation))
    offset = 1 if config.normalize_data_format(data_format) == 'channels_last' else 2
    for axis, new in enumerate(size, offset):
        old = static_shape(x)[axis]
        shift = 0.5 if half_pixel_centers else 0.0
        if old is None:
            x = _resized_from_unknown(x, axis, new, interpolation, antialias, shift)
        elif interpolation == 'nearest':
            places = np.floor((np.arange(new) + shift) * old / new).astype('int32')
            x = p.gather(x, np.minimum(places, old - 1), axis)
        else:
            weights = resize_weights(old, new, interpolation, antialias, shift)
            x = _resampled(x, axis, weights)
    return x


def resize_weights(old, new, kernel, antialias=False, shift=0.5):
    """The matrix (old, new) that resamples an axis; the weights of what lies outside go to the rest.

    Args:
        kernel: a function of the distance, or the name of one. shift: how far a place lies from the corner of its cell.
    """
    kernel = _KERNELS.get(kernel, kernel)
    scale = old / new
    centres = (np.arange(new) + shift) * scale - shift
    distance = np.arange(old)[:, None] - centres[None, :]
    weights = kernel(distance / (max(scale, 1.0) if antialias else 1.0))
    return weights / weights.sum(0, keepdims=True)


def _resampled(x, axis, weights):
    dtype = float_dtype(dtype_of(x))
    order = list(range(ndim(x)))
    order[axis], order[-1] = order[-1], order[axis]
    weights = weights.astype('float32') if isinstance(weights, np.ndarray) else weights
    product = p.matmul(p.cast(p.transpose(x, tuple(order)), dtype), p.cast(weights, dtype))
    return p.transpose(product, tuple(order))


# The kernels as functions of tensors of distances.

def _triangle_of_tensor(x):
    return p.maximum(p.subtract(1.0, x), 0.0)


def _cubic_of_tensor(x):
    near = p.add(p.multiply(p.multiply(p.subtract(p.multiply(x, 1.5), 2.5), x), x), 1.0)
    far = p.add(p.multiply(p.subtract(p.multiply(p.add(p.multiply(x, -0.5), 2.5), x), 4.0), x), 2.0)
    return p.where(p.less(1.0, x), p.where(p.less(x, 2.0), far, 0.0), near)


def _lanczos_of_tensor(radius):
    def kernel(x):
        angle = p.multiply(x, np.pi)
        value = p.multiply(p.multiply(p.sin(angle), p.sin(p.divide(angle, radius))), radius)
        small = p.less(x, 1e-3)
        value = p.divide(value, p.where(small, 1.0, p.multiply(angle, angle)))
        return p.where(small, 1.0, p.where(p.less(radius, x), 0.0, value))
    return kernel


KERNELS_OF_TENSORS = {'bilinear': _triangle_of_tensor, 'bicubic': _cubic_of_tensor,
                      'lanczos3': _lanczos_of_tensor(3.0), 'lanczos5': _lanczos_of_tensor(5.0)}


def _resized_from_unknown(x, axis, new, interpolation, antialias, shift):
    """`x` with `new` places along an axis whose size is not known before the run."""
    old = p.cast(shape_of(x)[axis], 'float32')
    scale = p.divide(old, float(new))
    centres = p.multiply(p.add(p.cast(p.arange(new, dtype='int32'), 'float32'), shift), scale)
    if interpolation == 'nearest':
        return p.gather(x, p.cast(p.minimum(p.floor(centres), p.subtract(old, 1.0)), 'int32'), axis)
    places = p.cast(p.arange(shape_of(x)[axis], dtype='int32'), 'float32')
    distance = p.abs(p.subtract(p.reshape(places, (-1, 1)), p.subtract(centres, shift)))
    weights = KERNELS_OF_TENSORS[interpolation](p.divide(distance, p.maximum(scale, 1.0)) if antialias else distance)
    return _resampled(x, axis, p.divide(weights, p.sum(weights, 0, True)))
