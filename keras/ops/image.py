"""Operations on images (batch, rows, columns, channels), under Keras 3's names and signatures."""
from keras.backend import primitives as p
from keras.backend.composites import conv as convolutions
from keras.backend.composites.shape import ndim, shape, sliced, stack, static_shape, unstack
from keras import config


def _spatial_axes(images, data_format):
    return (-2, -1) if config.normalize_data_format(data_format) == 'channels_first' else (-3, -2)


def _channel_axis(images, data_format):
    return -3 if config.normalize_data_format(data_format) == 'channels_first' else -1


def resize(images, size, interpolation='bilinear', antialias=False, data_format=None, **kwargs):
    """Images at another size (rows, columns).

    Args:
        images: a batch of images or one image. interpolation: 'nearest', 'bilinear', 'bicubic', 'lanczos3', 'lanczos5'.
        antialias: widen the filter where images become smaller.
    """
    if ndim(images) == 3:
        return p.reshape(resize(p.reshape(images, (1,) + tuple(shape(images))), size, interpolation, antialias,
                                data_format), _resized_shape(images, size, data_format))
    return convolutions.resize(images, tuple(size), interpolation, data_format, antialias)


def _resized_shape(image, size, data_format):
    sizes = list(shape(image))
    for axis, new in zip(_spatial_axes(image, data_format), size):
        sizes[axis] = new
    return tuple(sizes)


def extract_patches(images, size, strides=None, dilation_rate=1, padding='valid', data_format=None):
    """Patches (rows, columns) of images, flattened into the channels (rows, columns, channels)."""
    return convolutions.extract_patches(images, size, strides, dilation_rate, padding, data_format)


def pad_images(images, top_padding=None, left_padding=None, bottom_padding=None, right_padding=None, target_height=None,
               target_width=None, data_format=None):
    """Images with zeros around them. Of each pair of paddings one may follow from the target size."""
    row, column = _spatial_axes(images, data_format)
    sizes = static_shape(images)
    widths = [(0, 0)] * ndim(images)
    widths[row] = _both('height', top_padding, bottom_padding, target_height, sizes[row])
    widths[column] = _both('width', left_padding, right_padding, target_width, sizes[column])
    return p.pad(images, tuple(widths), 0)


def crop_images(images, top_cropping=None, left_cropping=None, bottom_cropping=None, right_cropping=None,
                target_height=None, target_width=None, data_format=None):
    """Images without some rows and columns at their edges. Of each pair one may follow from the target size."""
    sizes = static_shape(images)
    for axis, first, last, target, what in zip(_spatial_axes(images, data_format), (top_cropping, left_cropping),
                                               (bottom_cropping, right_cropping), (target_height, target_width),
                                               ('height', 'width')):
        target = None if target is None else -target
        before, after = _both(what, first, last, target, -sizes[axis])
        images = sliced(images, axis, before, sizes[axis] - after)
    return images


def _both(what, before, after, target, size):
    """The amounts on both sides, one of which may follow from the target."""
    if [before, after, target].count(None) != 1:
        raise ValueError('Exactly two of both amounts and the target %s must be given. Received: %r, %r and %r.'
                         % (what, before, after, target))
    if before is None:
        before = target - size - after
    elif after is None:
        after = target - size - before
    if before < 0 or after < 0:
        raise ValueError('The target %s does not fit: the amounts would be %d and %d.' % (what, before, after))
    return before, after


def rgb_to_grayscale(images, data_format=None):
    """The brightness of RGB images (ITU-R BT.601), one channel."""
    axis = _channel_axis(images, data_format)
    red, green, blue = unstack(images, 3, axis)
    gray = p.add(p.add(p.multiply(red, 0.2989), p.multiply(green, 0.587)), p.multiply(blue, 0.114))
    return stack([gray], axis)


def rgb_to_hsv(images, data_format=None):
    """RGB images with values in [0, 1] as hue, saturation and value, all in [0, 1] (Smith, 1978)."""
    axis = _channel_axis(images, data_format)
    red, green, blue = unstack(images, 3, axis)
    value = p.max(images, axis)
    spread = p.subtract(value, p.min(images, axis))
    safe = p.where(p.equal(spread, 0.0), 1.0, spread)
    saturation = p.where(p.less(0.0, value), p.divide(spread, p.where(p.less(0.0, value), value, 1.0)), 0.0)
    from_red = p.divide(p.subtract(green, blue), safe)
    from_green = p.add(p.divide(p.subtract(blue, red), safe), 2.0)
    from_blue = p.add(p.divide(p.subtract(red, green), safe), 4.0)
    hue = p.where(p.equal(value, red), from_red, p.where(p.equal(value, green), from_green, from_blue))
    hue = p.where(p.equal(spread, 0.0), 0.0, p.mod(p.divide(hue, 6.0), 1.0))
    return stack([hue, saturation, value], axis)


def hsv_to_rgb(images, data_format=None):
    """The inverse of `rgb_to_hsv`."""
    axis = _channel_axis(images, data_format)
    hue, saturation, value = unstack(images, 3, axis)

    def channel(offset):
        position = p.mod(p.add(p.multiply(hue, 6.0), offset), 6.0)
        weight = p.maximum(p.minimum(p.minimum(position, p.subtract(4.0, position)), 1.0), 0.0)
        return p.subtract(value, p.multiply(p.multiply(value, saturation), weight))
    return stack([channel(5.0), channel(3.0), channel(1.0)], axis)
