"""Pictures at another size, by NumPy, so that worker processes need no engine."""
import numpy as np

from keras.backend.contract.loading import get_engine
from keras.backend.state.variables import to_array
from keras.backend.table.composites.conv import resize_weights
from keras.utils.image_utils import checked_data_format

_KERNELS = {
    'gaussian': lambda x: np.where(np.abs(x) < 1.5, np.exp(-2 * x ** 2), 0),
    # Mitchell and Netravali, Reconstruction filters in computer graphics (1988), B = C = 1/3.
    'mitchellcubic': lambda x: np.where(
        np.abs(x) < 1, 7 * np.abs(x) ** 3 - 12 * x ** 2 + 16 / 3,
        np.where(np.abs(x) < 2, -7 / 3 * np.abs(x) ** 3 + 12 * x ** 2 - 20 * np.abs(x) + 32 / 3, 0)) / 6,
}


def _matrix(old, new, interpolation):
    """The matrix (new, old) that brings an axis to another length."""
    if interpolation == 'nearest':
        places = np.minimum(np.floor((np.arange(new) + 0.5) * old / new), old - 1)
        return (np.arange(old) == places[:, None]).astype('float32')
    if interpolation == 'area':
        edges = np.arange(new + 1) * old / new
        cells = np.arange(old)
        shares = np.minimum(edges[1:, None], cells + 1) - np.maximum(edges[:-1, None], cells)
        return (np.maximum(shares, 0) * new / old).astype('float32')
    return resize_weights(old, new, _KERNELS.get(interpolation, interpolation)).T.astype('float32')


def resized(x, size, interpolation='bilinear'):
    """An array (..., rows, columns, channels) at another size (rows, columns), as floats.

    Args:
        interpolation: 'nearest', 'bilinear', 'bicubic', 'area', 'lanczos3', 'lanczos5', 'gaussian' or 'mitchellcubic'.

    Raises:
        ValueError: for another interpolation.
    """
    known = ('nearest', 'bilinear', 'bicubic', 'area', 'lanczos3', 'lanczos5') + tuple(_KERNELS)
    if str(interpolation).lower() not in known:
        raise ValueError('Unknown interpolation: %r. Expected one of %s.' % (interpolation, ', '.join(known)))
    x = np.asarray(x, 'float32')
    for axis, new in zip((-3, -2), size):
        old = x.shape[axis]
        if old != new:
            matrix = _matrix(old, new, str(interpolation).lower())
            x = np.moveaxis(np.tensordot(matrix, x, ((1,), (x.ndim + axis,))), 0, axis)
    return np.ascontiguousarray(x)


def _fitting_box(sizes, target):
    """(rows, columns) of the largest box of the proportions of `target` in a picture."""
    rows, columns = sizes
    height, width = target
    return min(rows, int(columns * height / width)) or 1, min(columns, int(rows * width / height)) or 1


def smart_resize(x, size, interpolation='bilinear', data_format='channels_last', backend_module=None):
    """Pictures at another size, without squeezing them: what is too long is cut off at both ends.

    Args:
        x: array of shape (rows, columns, channels) or (batch, rows, columns, channels), or channels before the rows.
        size: (rows, columns) that are wanted. interpolation: see `resized`. data_format: 'channels_last' or
            'channels_first'. backend_module: without effect.

    Returns:
        A NumPy array for NumPy arrays and lists, else a tensor.

    Raises:
        ValueError: for a size that is no pair, and for arrays of another rank.

    Example:
        >>> keras.preprocessing.image.smart_resize(np.zeros((20, 40, 3)), (8, 8)).shape
        (8, 8, 3)
    """
    if len(size) != 2:
        raise ValueError('Expected `size` to be a tuple of 2 integers, but got: size=%s.' % (size,))
    array = to_array(x)
    if array.ndim not in (3, 4):
        raise ValueError('Expected an image array with shape `(height, width, channels)`, or `(batch_size, height, '
                         'width, channels)`, but got input with incorrect rank, of shape %s.' % (array.shape,))
    first = checked_data_format(data_format) == 'channels_first'
    array = np.moveaxis(array, -3, -1) if first else array
    box = _fitting_box(array.shape[-3:-1], size)
    top, left = ((whole - part) // 2 for whole, part in zip(array.shape[-3:-1], box))
    array = resized(array[..., top:top + box[0], left:left + box[1], :], size, interpolation)
    array = np.moveaxis(array, -1, -3) if first else array
    return array.astype(x.dtype) if isinstance(x, np.ndarray) else array if isinstance(x, (list, tuple)) else \
        get_engine().convert(array)


def padded_to_aspect_ratio(x, size):
    """An array (rows, columns, channels) with zeros around it, so that it has the proportions of `size`."""
    rows, columns = x.shape[:2]
    height, width = max(rows, int(columns * size[0] / size[1])), max(columns, int(rows * size[1] / size[0]))
    top, left = (height - rows) // 2, (width - columns) // 2
    return np.pad(x, ((top, height - rows - top), (left, width - columns - left), (0, 0)), mode='constant')
