"""Pictures turned, moved, sheared, zoomed, brightened: functions of one array of rank 3."""
import contextlib
import threading

import numpy as np

from keras.utils.image_utils import array_to_img, img_to_array, pillow

FILL_MODES = ('constant', 'nearest', 'reflect', 'wrap')


# --- where random numbers come from

class _Draws(threading.local):
    generator = np.random


_draws = _Draws()


def generator():
    """What random numbers are drawn from in this thread: NumPy's global generator, or that of a batch."""
    return _draws.generator


@contextlib.contextmanager
def drawing_from(other):
    """A `with` block in which this thread draws from `other`, a `numpy.random.RandomState`; None changes nothing."""
    previous = _draws.generator
    _draws.generator = other or previous
    try:
        yield
    finally:
        _draws.generator = previous


# --- affine maps

def affine_matrix(theta, tx, ty, shear, zx, zy, height, width):
    """The 3x3 matrix from places (row, column, 1) of the result to places of the picture; None where nothing moves.

    Angles are in degrees; turning, shearing and zooming leave the middle where it is.
    """
    if (theta, tx, ty, shear, zx, zy) == (0, 0, 0, 0, 1, 1):
        return None
    theta, shear = np.deg2rad(theta), np.deg2rad(shear)
    rotation = np.array([[np.cos(theta), -np.sin(theta), 0], [np.sin(theta), np.cos(theta), 0], [0, 0, 1]])
    shift = np.array([[1, 0, tx], [0, 1, ty], [0, 0, 1]])
    slant = np.array([[1, -np.sin(shear), 0], [0, np.cos(shear), 0], [0, 0, 1]])
    zoom = np.array([[zx, 0, 0], [0, zy, 0], [0, 0, 1]])
    return transform_matrix_offset_center(rotation.dot(shift).dot(slant).dot(zoom), height, width)


def apply_affine_transform(x, theta=0, tx=0, ty=0, shear=0, zx=1, zy=1, row_axis=0, col_axis=1, channel_axis=2,
                           fill_mode='nearest', cval=0.0, order=1):
    """A picture turned, moved, sheared and zoomed, in this order, around its middle.

    Args:
        x: array of rank 3. theta: degrees. tx, ty: rows and columns. shear: degrees. zx, zy: factors along rows and
            columns, below 1 to enlarge. row_axis, col_axis, channel_axis: what the axes of `x` are.
        fill_mode: what is outside of the picture: 'nearest' the pixel at the edge, 'constant' `cval`, 'reflect' the
            picture mirrored, 'wrap' the picture again. cval: see `fill_mode`. order: of the splines between pixels,
            0 to 5; 1 is linear.

    Returns:
        Array of the shape and dtype of `x`.

    Raises:
        ImportError: if SciPy is missing where it is needed: for other orders than 1, 'reflect' and 'wrap'.
    """
    matrix = affine_matrix(theta, tx, ty, shear, zx, zy, x.shape[row_axis], x.shape[col_axis])
    return x if matrix is None else _mapped(x, matrix, (channel_axis, row_axis, col_axis), fill_mode, cval, order)


def _mapped(x, matrix, axes, fill_mode, cval, order):
    """`x` mapped by a matrix as `affine_matrix` gives it; `axes` are those of channels, rows and columns."""
    if fill_mode not in FILL_MODES:
        raise ValueError('fill_mode must be one of %s. Received: %r' % (', '.join(FILL_MODES), fill_mode))
    planes = np.transpose(x, axes)
    by_hand = order == 1 and fill_mode in ('nearest', 'constant') and x.dtype in (np.float32, np.float64)
    if by_hand and min(planes.shape[1:]) > 1:
        moved = _linear(planes, matrix, cval if fill_mode == 'constant' else None)
    else:
        moved = _splines(planes, matrix, fill_mode, cval, order)
    return np.transpose(moved, np.argsort(axes))


def _splines(planes, matrix, fill_mode, cval, order):
    try:
        from scipy import ndimage
    except ImportError as error:
        raise ImportError('Moving pictures with fill_mode "reflect" or "wrap", or interpolation_order other than 1, '
                          'needs SciPy: pip install scipy (%s)' % error)
    return np.stack([ndimage.affine_transform(plane, matrix[:2, :2], matrix[:2, 2], order=order, mode=fill_mode,
                                              cval=cval) for plane in planes])


def _linear(planes, matrix, cval):
    """Linear interpolation of all channels at once: places and weights are computed once, pixels fetched by number.

    Args:
        planes: array (channels, height, width). matrix: see `_matrix`. cval: what is outside; None for the edge.
    """
    channels, height, width = planes.shape
    rows, columns = np.arange(height)[:, np.newaxis], np.arange(width)
    # Added in SciPy's order: what is just inside and what just outside then is the same to the last bit.
    row, below, row_out = _neighbours(matrix[0, 0] * rows + matrix[0, 1] * columns + matrix[0, 2], height, cval)
    column, right, column_out = _neighbours(matrix[1, 0] * rows + matrix[1, 1] * columns + matrix[1, 2], width, cval)
    upper_left = (row * width + column).reshape(-1)
    below, right = below.astype(planes.dtype).reshape(-1), right.astype(planes.dtype).reshape(-1)

    # What lies beside, below and diagonally is the same numbers in arrays that begin later.
    flat = np.ascontiguousarray(planes).reshape(channels, -1)
    moved = np.empty((channels, height * width), planes.dtype)
    upper, lower, difference = (np.empty(height * width, planes.dtype) for _ in range(3))
    for plane, result in zip(flat, moved):
        for line, begin in ((upper, 0), (lower, width)):
            # `mode` has no effect on numbers in range, but saves a copy.
            plane[begin:].take(upper_left, out=line, mode='clip')
            plane[begin + 1:].take(upper_left, out=difference, mode='clip')
            difference -= line
            difference *= right
            line += difference
        np.subtract(lower, upper, out=result)
        result *= below
        result += upper
    moved = moved.reshape(planes.shape)
    if cval is not None:
        moved[:, row_out | column_out] = cval
    return moved


def _neighbours(place, size, cval):
    """The number of the pixel before each place, the weight of the one behind it, and whether it is outside.

    The latter is None if nobody wants to know. `place` is overwritten.
    """
    outside = None if cval is None else (place < 0) | (place > size - 1)
    np.clip(place, 0, size - 1, out=place)
    before = place.astype(np.intp)
    np.minimum(before, size - 2, out=before)
    place -= before
    return before, place, outside


def apply_transform(x, transform_matrix, channel_axis=0, fill_mode='nearest', cval=0.0, order=1):
    """A picture mapped by a 3x3 matrix, as Keras had it before `apply_affine_transform`.

    Args:
        x: array of rank 3. transform_matrix: from places (row, column, 1) of the result to places of the picture.
        channel_axis: the axis of the channels; rows come before columns. The others: as in `apply_affine_transform`.
    """
    rows, columns = [axis for axis in range(3) if axis != channel_axis % 3]
    return _mapped(x, np.asarray(transform_matrix), (channel_axis, rows, columns), fill_mode, cval, order)


def transform_matrix_offset_center(matrix, x, y):
    """A 3x3 matrix that does around the middle of a picture of `x` rows and `y` columns what `matrix` does."""
    middle = np.array([[1, 0, x / 2 + 0.5], [0, 1, y / 2 + 0.5], [0, 0, 1]])
    return middle.dot(matrix).dot(np.linalg.inv(middle))


def flip_axis(x, axis):
    """An array with one axis turned over."""
    return np.flip(x, axis)


def random_rotation(x, rg, row_axis=1, col_axis=2, channel_axis=0, fill_mode='nearest', cval=0.0,
                    interpolation_order=1):
    """A picture turned at random.

    Args:
        x: array of rank 3. rg: up to how many degrees, either way. The others: as in `apply_affine_transform`.
    """
    theta = generator().uniform(-rg, rg)
    return apply_affine_transform(x, theta=theta, row_axis=row_axis, col_axis=col_axis, channel_axis=channel_axis,
                                  fill_mode=fill_mode, cval=cval, order=interpolation_order)


def random_shift(x, wrg, hrg, row_axis=1, col_axis=2, channel_axis=0, fill_mode='nearest', cval=0.0,
                 interpolation_order=1):
    """A picture moved at random.

    Args:
        x: array of rank 3. wrg, hrg: up to which part of the width and height, either way. The others: as in
            `apply_affine_transform`.
    """
    tx = generator().uniform(-hrg, hrg) * x.shape[row_axis]
    ty = generator().uniform(-wrg, wrg) * x.shape[col_axis]
    return apply_affine_transform(x, tx=tx, ty=ty, row_axis=row_axis, col_axis=col_axis, channel_axis=channel_axis,
                                  fill_mode=fill_mode, cval=cval, order=interpolation_order)


def random_shear(x, intensity, row_axis=1, col_axis=2, channel_axis=0, fill_mode='nearest', cval=0.0,
                 interpolation_order=1):
    """A picture sheared at random.

    Args:
        x: array of rank 3. intensity: up to how many degrees, either way. The others: as in `apply_affine_transform`.
    """
    shear = generator().uniform(-intensity, intensity)
    return apply_affine_transform(x, shear=shear, row_axis=row_axis, col_axis=col_axis, channel_axis=channel_axis,
                                  fill_mode=fill_mode, cval=cval, order=interpolation_order)


def random_zoom(x, zoom_range, row_axis=1, col_axis=2, channel_axis=0, fill_mode='nearest', cval=0.0,
                interpolation_order=1):
    """A picture zoomed at random, rows and columns each by a factor of their own.

    Args:
        x: array of rank 3. zoom_range: (least, greatest factor). The others: as in `apply_affine_transform`.

    Raises:
        ValueError: if `zoom_range` is no pair.
    """
    zx, zy = drawn_zoom(pair(zoom_range, 'zoom_range'))
    return apply_affine_transform(x, zx=zx, zy=zy, row_axis=row_axis, col_axis=col_axis, channel_axis=channel_axis,
                                  fill_mode=fill_mode, cval=cval, order=interpolation_order)


def drawn_zoom(zoom_range):
    """Two factors; nothing is drawn where they can only be 1."""
    if zoom_range[0] == 1 and zoom_range[1] == 1:
        return 1, 1
    return generator().uniform(zoom_range[0], zoom_range[1], 2)


def pair(value, name):
    """`value`, two numbers.

    Raises:
        ValueError: if it is something else.
    """
    if not isinstance(value, (tuple, list, np.ndarray)) or len(value) != 2:
        raise ValueError('`%s` should be a tuple or list of two floats. Received: %r' % (name, value))
    return value


# --- values

def apply_channel_shift(x, intensity, channel_axis=0):
    """`intensity` added to all values, which stay between the least and the greatest of the picture."""
    return np.clip(x + intensity, np.min(x), np.max(x))


def random_channel_shift(x, intensity_range, channel_axis=0):
    """A number between `-intensity_range` and `intensity_range` added, as in `apply_channel_shift`."""
    return apply_channel_shift(x, generator().uniform(-intensity_range, intensity_range), channel_axis)


def apply_brightness_shift(x, brightness):
    """A picture made brighter or darker; its values are first brought to 0 to 255.

    Args:
        x: array of rank 3. brightness: factor; 0 is black, 1 leaves it.

    Raises:
        ImportError: without Pillow.
    """
    return brightened(x, brightness, None)


def brightened(x, brightness, data_format):
    """`apply_brightness_shift` where the channels are known to be where `data_format` says."""
    image = pillow('ImageEnhance').Brightness(array_to_img(x, data_format)).enhance(brightness)
    return img_to_array(image, data_format)


def random_brightness(x, brightness_range):
    """A picture made brighter or darker at random.

    Args:
        x: array of rank 3. brightness_range: (least, greatest factor).

    Raises:
        ValueError: if `brightness_range` is no pair.
    """
    least, greatest = pair(brightness_range, 'brightness_range')
    return apply_brightness_shift(x, generator().uniform(least, greatest))
