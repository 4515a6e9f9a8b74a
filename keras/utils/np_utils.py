"""Helpers for NumPy arrays."""
import numpy as np


def to_categorical(y, num_classes=None, dtype='float32'):
    """One-hot vectors of class numbers.

    Args:
        y: array of integers from 0 to `num_classes - 1`; a last axis of size 1 is dropped.
        num_classes: number of classes; default the largest number and one. dtype: of the result.

    Returns:
        Array of the shape of `y` with an axis of `num_classes` behind.

    Raises:
        ValueError: if a number lies outside the range.

    Example:
        >>> keras.utils.to_categorical([0, 2])
        array([[1., 0., 0.],
               [0., 0., 1.]], dtype=float32)
    """
    classes = np.asarray(y).astype('int64')
    if classes.ndim > 1 and classes.shape[-1] == 1:
        classes = classes[..., 0]
    if num_classes is None:
        num_classes = int(classes.max()) + 1 if classes.size else 0
    if classes.size and (classes.min() < 0 or classes.max() >= num_classes):
        raise ValueError('to_categorical: class numbers must lie between 0 and %d, those given lie between %d and %d.'
                         % (num_classes - 1, classes.min(), classes.max()))
    return (classes[..., np.newaxis] == np.arange(num_classes)).astype(dtype)


def normalize(x, axis=-1, order=2):
    """`x` divided by its norm along an axis; where that is 0, it stays 0.

    Args:
        x: array. axis: along which. order: of the norm, as in `numpy.linalg.norm`.

    Example:
        >>> keras.utils.normalize(np.array([[3.0, 4.0]]))
        array([[0.6, 0.8]])
    """
    norm = np.atleast_1d(np.linalg.norm(x, order, axis))
    return x / np.expand_dims(np.where(norm == 0, 1, norm), axis)
