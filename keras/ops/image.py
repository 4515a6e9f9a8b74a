"""Operations on images (batch, rows, columns, channels), under Keras 3's names and signatures."""
from keras import config
from keras.backend.contract import rules
from keras.backend.graph.tensors import is_symbolic
from keras.backend.table import primitives as p
from keras.backend.table.cases import F
from keras.backend.table.composites import conv as convolutions
from keras.backend.table.composites.colors import hsv_of_rgb, rgb_of_hsv
from keras.backend.table.composites.shape import (dtype_of, expand_dims, ndim, shape, sliced, squeeze, stack,
                                                  static_shape, unstack)
from keras.backend.table.dispatch import composite
from keras.ops.filters import gaussian_blur, sobel_edges, ssim  # noqa: F401  (names of this module)
from keras.ops.pictures import as_channels_last, channels_back, check_images, from_floats, width_of
from keras.ops.warps import (affine_transform, elastic_transform, map_coordinates,  # noqa: F401
                             perspective_transform, scale_and_translate)


def _spatial_axes(images, data_format):
    return (-2, -1) if config.normalize_data_format(data_format) == 'channels_first' else (-3, -2)


def _channel_axis(images, data_format):
    return -3 if config.normalize_data_format(data_format) == 'channels_first' else -1


def resize(images, size, interpolation='bilinear', antialias=False, crop_to_aspect_ratio=False,
           pad_to_aspect_ratio=False, fill_mode='constant', fill_value=0.0, data_format=None):
    """Images at another size (rows, columns), in the dtype they had: integers are rounded.

    Args:
        images: a batch of images or one image. interpolation: 'nearest', 'bilinear', 'bicubic', 'lanczos3', 'lanczos5'.
        antialias: widen the filter where images become smaller. crop_to_aspect_ratio: cut off what does not fit the
            proportions of `size`, alike on both sides, instead of stretching. pad_to_aspect_ratio: put `fill_value`
            around instead. fill_mode: 'constant', the only one.

    Raises:
        ValueError: for another rank, sizes that are not positive, or both ways to keep the proportions.

    Example:
        >>> keras.ops.image.resize(np.arange(4.0).reshape(2, 2, 1), (2, 4), 'nearest')[..., 0]
        array([[0., 0., 1., 1.],
               [2., 2., 3., 3.]])
    """
    size = tuple(size)
    if len(size) != 2:
        raise ValueError('resize: Expected `size` to be a tuple of 2 integers. Received: size=%r' % (size,))
    if size[0] <= 0 or size[1] <= 0:
        raise ValueError('resize: `size` must have positive height and width. Received: size=%r' % (size,))
    check_images(images)
    if crop_to_aspect_ratio and pad_to_aspect_ratio:
        raise ValueError('resize: Only one of `crop_to_aspect_ratio` and `pad_to_aspect_ratio` can be `True`.')
    if fill_mode != 'constant':
        raise ValueError("resize: `fill_mode` must be 'constant'. Received: fill_mode=%r" % (fill_mode,))
    proportions = 'crop' if crop_to_aspect_ratio else 'pad' if pad_to_aspect_ratio else None
    return _resized(images, size, interpolation, antialias, proportions, fill_value,
                    config.normalize_data_format(data_format))


@composite('images')
def _resized(images, size, interpolation, antialias, proportions, fill_value, data_format):
    """`resize`, whose arguments have been looked at."""
    dtype = dtype_of(images)
    values, form = as_channels_last(images, data_format)
    if interpolation != 'nearest':
        values = p.cast(values, width_of(dtype))
    if proportions == 'crop':
        values = _in_proportion(values, size, False, fill_value)
    elif proportions == 'pad':
        values = _in_proportion(values, size, True, fill_value)
    values = convolutions.resize(values, size, interpolation, 'channels_last', antialias)
    return channels_back(from_floats(values, dtype) if interpolation != 'nearest' else values, form)


def _in_proportion(images, size, pads, fill_value):
    """Images (batch, rows, columns, channels) with margins cut off or put around, in the proportions of `size`."""
    rows, columns = shape(images)[1:3]
    if not isinstance(rows, int) or not isinstance(columns, int):
        return _in_proportion_of_unknown(images, size, pads, fill_value)
    wanted = [int(float(columns * size[0]) / size[1]), int(float(rows * size[1]) / size[0])]
    further = max if pads else min
    wanted = [further(rows, wanted[0]), further(columns, wanted[1])]
    for axis, (have, want) in enumerate(zip((rows, columns), wanted), 1):
        before = int(abs(have - want) / 2)
        if pads and want != have:
            # Alike on both sides: of an odd number of missing pixels one is left out, as in Keras 3.
            widths = [(0, 0)] * 4
            widths[axis] = (before, before)
            images = p.pad(images, tuple(widths), fill_value)
        elif want != have:
            images = sliced(images, axis, before, before + want)
    return images


def _in_proportion_of_unknown(images, size, pads, fill_value):
    """The same by positions, for sizes that only the run knows."""
    rows, columns = [p.cast(each, 'int32') for each in shape(images)[1:3]]
    for axis, have, other, ratio in ((1, rows, columns, size[0] / size[1]), (2, columns, rows, size[1] / size[0])):
        want = p.cast(p.floor(p.multiply(p.cast(other, 'float32'), ratio)), 'int32')
        want = (p.maximum if pads else p.minimum)(have, want)
        before = p.floor_divide(p.abs(p.subtract(have, want)), 2)
        want = p.add(have, p.multiply(before, 2)) if pads else want
        places = p.arange(0, want, dtype='int32')
        places = p.subtract(places, before) if pads else p.add(places, before)
        inside = p.logical_and(p.less(-1, places), p.less(places, have))
        images = p.gather(images, p.minimum(p.maximum(places, 0), p.subtract(have, 1)), axis)
        if pads:
            inside = p.reshape(inside, (-1, 1, 1) if axis == 1 else (1, -1, 1))
            images = p.where(inside, images, p.full_like(images, fill_value))
    return images


def extract_patches(images, size, strides=None, dilation_rate=1, padding='valid', data_format=None):
    """Patches (rows, columns) of images, flattened into the channels: (batch, rows, columns, channels).

    A `size` of three numbers takes them from volumes, as `extract_patches_3d`.

    Raises:
        TypeError: if `size` is neither an int nor a tuple. ValueError: if it has another length.

    Example:
        >>> image = np.arange(16).reshape(1, 4, 4, 1)
        >>> keras.ops.image.extract_patches(image, 2)[0, 0]
        array([[0, 1, 4, 5],
               [2, 3, 6, 7]])
    """
    if not isinstance(size, (int, tuple, list)):
        raise TypeError('extract_patches: Invalid `size` argument. Expected an int or a tuple of length 2 or 3. '
                        'Received: size=%r of type %s' % (size, type(size).__name__))
    if not isinstance(size, int) and len(size) == 3:
        return extract_patches_3d(images, size, strides, dilation_rate, padding, data_format)
    return _patches(images, size, strides, dilation_rate, padding, data_format, 2)


def extract_patches_3d(volumes, size, strides=None, dilation_rate=1, padding='valid', data_format=None):
    """Patches (depth, rows, columns) of volumes (batch, depth, rows, columns, channels), flattened into the channels.

    Args:
        size, strides, dilation_rate: an int or three; `strides` are `size` by default. padding: 'valid', or 'same' with
            zeros around.

    Raises:
        TypeError: for another number of sizes. ValueError: for another number of strides.

    Example:
        >>> keras.ops.image.extract_patches_3d(np.zeros((1, 4, 4, 4, 3)), 2).shape
        (1, 2, 2, 2, 24)
    """
    return _patches(volumes, size, strides, dilation_rate, padding, data_format, 3)


def _patches(images, size, strides, dilation_rate, padding, data_format, rank):
    operation = 'extract_patches_3d' if rank == 3 else 'extract_patches'
    for name, value in (('size', size), ('strides', strides), ('dilation_rate', dilation_rate)):
        if isinstance(value, (tuple, list)) and len(value) != rank:
            kind = TypeError if rank == 3 and name == 'size' else ValueError
            raise kind('%s: Invalid `%s` argument. Expected a tuple of length %s. Received: %s=%r'
                             % (operation, name, '2 or 3' if rank == 2 else 3, name, value))
    if rank == 3 and ndim(images) not in (4, 5):
        raise ValueError('extract_patches_3d: Invalid rank: expected volumes of rank 4 or 5. Received: shape %s'
                         % (static_shape(images),))
    if rank == 2:
        check_images(images)
    single = ndim(images) == rank + 1
    images = expand_dims(images, 0) if single else images
    found = convolutions.extract_patches(images, size, strides, dilation_rate, padding, data_format)
    return squeeze(found, 0) if single else found


def _checked_amounts(images, what, amounts):
    """Raise ValueError unless of the four amounts and two targets each pair lacks one, and none is negative."""
    check_images(images)
    for first, second, target in (('top_' + what, 'bottom_' + what, 'target_height'),
                                  ('left_' + what, 'right_' + what, 'target_width')):
        given = [amounts[name] for name in (first, second, target)]
        if given.count(None) != 1:
            raise ValueError('Must specify exactly two of %s, %s, %s. Received: %r, %r and %r.'
                             % ((first, second, target) + tuple(given)))
        for name, amount in zip((first, second, target), given):
            if isinstance(amount, int) and amount < 0:
                raise ValueError('%s must be >= 0. Received: %s=%d' % (name, name, amount))


def pad_images(images, top_padding=None, left_padding=None, bottom_padding=None, right_padding=None, target_height=None,
               target_width=None, data_format=None):
    """Images with zeros around them. Of each pair of paddings one may follow from the target size.

    Example:
        >>> keras.ops.image.pad_images(np.ones((1, 1, 1)), 1, 0, 0, 1)[..., 0]
        array([[0., 0.],
               [1., 0.]])
    """
    _checked_amounts(images, 'padding', locals())
    row, column = _spatial_axes(images, data_format)
    sizes = static_shape(images)
    widths = [(0, 0)] * ndim(images)
    unknown = []
    for axis, first, last, target, names in (
            (row, top_padding, bottom_padding, target_height, ('top_padding', 'bottom_padding')),
            (column, left_padding, right_padding, target_width, ('left_padding', 'right_padding'))):
        if sizes[axis] is None and target is not None:
            unknown.append((axis, first, last, target))
        else:
            widths[axis] = _both(names[0], names[1], first, last, target, sizes[axis])
    images = p.pad(images, tuple(widths), 0) if any(widths[axis] != (0, 0) for axis in (row, column)) else images
    for axis, first, last, target in unknown:
        images = padded_to(images, axis, first, last, target)
    return images


@composite('images', cases=[(F(2, 3, 4), 1, 1, None, 6), (F(2, 3, 4), 0, None, 2, 5)])
def padded_to(images, axis, first, last, target):
    """`images` with zeros along an axis up to a size, `first` of them before it or `last` behind it."""
    size = shape(images)[axis]
    begin = first if last is None else target - last - size
    places = p.arange(target, dtype='int32') - begin
    inside = p.logical_and(p.less(-1, places), p.less(places, size))
    axis = axis % ndim(images)
    taken = p.gather(images, p.where(inside, places, 0), axis)
    return p.where(expand_dims(inside, tuple(range(1, ndim(images) - axis))), taken, p.full_like(taken, 0))


def crop_images(images, top_cropping=None, left_cropping=None, bottom_cropping=None, right_cropping=None,
                target_height=None, target_width=None, data_format=None):
    """Images without some rows and columns at their edges. Of each pair one may follow from the target size.

    Raises:
        ValueError: for symbolic images of unknown size without a target size.

    Example:
        >>> image = np.arange(9).reshape(3, 3, 1)
        >>> keras.ops.image.crop_images(image, 1, 1, 0, 0)[..., 0]
        array([[4, 5],
               [7, 8]])
    """
    _checked_amounts(images, 'cropping', locals())
    sizes = static_shape(images)
    for axis, first, last, target, names in zip(
            _spatial_axes(images, data_format), (top_cropping, left_cropping), (bottom_cropping, right_cropping),
            (target_height, target_width), (('top_cropping', 'bottom_cropping'), ('left_cropping', 'right_cropping'))):
        size = sizes[axis]
        if size is None and target is not None:
            # What is left has a known size, wherever it begins.
            images = cropped_to(images, axis, first, last, target)
            continue
        if size is None and is_symbolic(images):
            what = names[0].startswith('top')
            raise ValueError('crop_images: When the %s of the images is unknown, `target_%s` must be specified. '
                             'Received: images.shape=%s' % (('height', 'height', images.shape) if what
                                                            else ('width', 'width', images.shape)))
        if size is None:
            images = sliced(images, axis, first, -last if last else None)
            continue
        before, after = _both(names[0], names[1], first, last, None if target is None else -target, -size)
        images = sliced(images, axis, before, size - after)
    return images


@composite('images', cases=[(F(2, 6, 4), 1, 1, None, 3), (F(2, 6, 4), 1, None, 2, 3)])
def cropped_to(images, axis, first, last, target):
    """The part of that size along an axis that has `first` elements before it or `last` behind it."""
    begin = first if last is None else shape(images)[axis] - last - target
    return p.gather(images, p.arange(target, dtype='int32') + begin, axis)


def _both(first, last, before, after, target, size):
    """The amounts on both sides, called `first` and `last`, one of which may follow from the target."""
    if before is None:
        before = target - size - after
    elif after is None:
        after = target - size - before
    for name, amount in ((first, before), (last, after)):
        if amount < 0:
            raise ValueError('%s must be >= 0. It would be %d: the target size does not fit.' % (name, amount))
    return before, after


def _checked_channels(images, axis, floats=True):
    """Raise ValueError unless these are images of three channels, of floats where that is asked for."""
    check_images(images)
    if floats and not rules.is_float(dtype_of(images)):
        raise ValueError('Invalid images dtype: expected float dtype. Received: images.dtype=%s' % dtype_of(images))
    if static_shape(images)[axis] not in (3, None):
        raise ValueError('Input images must have 3 channels, but received images with %s channels. Received: '
                         'images.shape=%s' % (static_shape(images)[axis], static_shape(images)))


def rgb_to_grayscale(images, data_format=None):
    """The brightness of RGB images (ITU-R BT.601), one channel. Images of one channel stay as they are.

    Raises:
        ValueError: for another rank or number of channels.

    Example:
        >>> keras.ops.image.rgb_to_grayscale(np.ones((1, 1, 3)))
        array([[[0.9999]]])
    """
    axis = _channel_axis(images, data_format)
    check_images(images)
    if static_shape(images)[axis] not in (1, 3, None):
        raise ValueError('Invalid channel size: expected 3 (RGB) or 1 (Grayscale). Received: images.shape=%s'
                         % (static_shape(images),))
    if static_shape(images)[axis] == 1:
        return images
    dtype = dtype_of(images)
    images = p.cast(images, width_of(dtype))
    red, green, blue = unstack(images, 3, axis)
    gray = p.add(p.add(p.multiply(red, 0.2989), p.multiply(green, 0.587)), p.multiply(blue, 0.114))
    return p.cast(stack([gray], axis), dtype)


def rgb_to_hsv(images, data_format=None):
    """RGB images with values in [0, 1] as hue, saturation and value, all in [0, 1] (Smith, 1978).

    Example:
        >>> keras.ops.image.rgb_to_hsv(np.array([[[1.0, 0.0, 0.0]]]))  # red
        array([[[0., 1., 1.]]])
    """
    axis = _channel_axis(images, data_format)
    _checked_channels(images, axis)
    return hsv_of_rgb(images, axis)


def hsv_to_rgb(images, data_format=None):
    """The inverse of `rgb_to_hsv`.

    Example:
        >>> keras.ops.image.hsv_to_rgb(np.array([[[0.0, 1.0, 1.0]]]))  # red
        array([[[1., 0., 0.]]])
    """
    axis = _channel_axis(images, data_format)
    _checked_channels(images, axis)
    return rgb_of_hsv(images, axis)
