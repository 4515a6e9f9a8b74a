"""What operations on images have in common: ranks, layouts and dtypes."""
from keras import config
from keras.backend.contract import rules
from keras.backend.table import primitives as p
from keras.backend.table.composites.shape import expand_dims, moveaxis, ndim, squeeze, static_shape
from keras.ops.core import saturate_cast


def check_images(images):
    """Raise ValueError unless `images` is a single image or a batch of them."""
    if ndim(images) not in (3, 4):
        raise ValueError('Invalid images rank: expected rank 3 (single image) or rank 4 (batch of images). Received: '
                         'images.shape=%s' % (static_shape(images),))


def as_channels_last(images, data_format):
    """(images as a batch with the channels last, what `channels_back` needs to undo that)."""
    first = config.normalize_data_format(data_format) == 'channels_first'
    single = ndim(images) == 3
    images = expand_dims(images, 0) if single else images
    return (moveaxis(images, 1, -1) if first else images), (first, single)


def channels_back(images, form):
    """A batch with the channels last as the layout and rank that it came from."""
    first, single = form
    images = moveaxis(images, -1, 1) if first else images
    return squeeze(images, 0) if single else images


def width_of(dtype):
    """The float type in which numbers of a dtype are computed with."""
    return dtype if rules.is_float(dtype) else 'float32'


def from_floats(x, dtype, half_up=False):
    """Floats in the dtype that an image had: integers are rounded and kept in their range.

    Args:
        half_up: round halves up, not to the even number.
    """
    if rules.is_integer(dtype):
        return saturate_cast(p.floor(p.add(x, 0.5)) if half_up else p.round(x), dtype)
    return p.cast(x, dtype)
