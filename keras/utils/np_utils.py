"""Helpers for NumPy arrays."""
import numpy as np

from keras import generations
from keras.backend.contract.loading import get_engine, is_native
from keras.backend.state.variables import to_array
from keras.layers import conv_input_length, conv_output_length  # noqa: F401  (Keras 1 had them here)
from keras.legacy import calls
from keras.utils.conv_utils import convert_kernel  # noqa: F401


def to_categorical(x=None, num_classes=None, dtype='float32', y=None):
    """One-hot vectors of class numbers.

    Args:
        x: array of integers from 0 to `num_classes - 1`; a last axis of size 1 is dropped. y: what Keras 2 calls it.
        num_classes: number of classes; default the largest number and one. dtype: of the result.

    Returns:
        Array of the shape of `x` with an axis of `num_classes` behind; for a tensor a tensor, in Keras 3's generation.

    Raises:
        ValueError: if a number lies outside the range.

    Example:
        >>> keras.utils.to_categorical([0, 2])
        array([[1., 0., 0.],
               [0., 0., 1.]], dtype=float32)
    """
    if x is None and y is None:
        raise TypeError('to_categorical: an array of class numbers is needed.')
    given = y if x is None else x
    classes = (to_array(given) if is_native(given) else np.asarray(given)).astype('int64')
    if classes.ndim > 1 and classes.shape[-1] == 1:
        classes = classes[..., 0]
    if num_classes is None:
        num_classes = int(classes.max()) + 1 if classes.size else 0
    if classes.size and (classes.min() < 0 or classes.max() >= num_classes):
        raise ValueError('to_categorical: class numbers must lie between 0 and %d, those given lie between %d and %d.'
                         % (num_classes - 1, classes.min(), classes.max()))
    rows = (classes[..., np.newaxis] == np.arange(num_classes)).astype(dtype)
    as_tensor = is_native(given) and not isinstance(given, np.ndarray) and generations.value('tensors_of_categories')
    return get_engine().convert(rows) if as_tensor else rows


def to_ordinal(y, num_classes=None, dtype='float32'):
    """Class numbers as vectors of whether the class is above each of the others: ordinal regression.

    Args:
        y: array of integers from 0 to `num_classes - 1`; a last axis of size 1 is dropped.
        num_classes: number of classes; default the largest number and one. dtype: of the result.

    Returns:
        Array of the shape of `y` with an axis of `num_classes - 1` behind.

    Raises:
        ValueError: if a number lies outside the range.

    Example:
        >>> keras.utils.to_ordinal([0, 2, 3])
        array([[0., 0., 0.],
               [1., 1., 0.],
               [1., 1., 1.]], dtype=float32)
    """
    one_hot = to_categorical(y, num_classes)
    return (1 - np.cumsum(one_hot, axis=-1)[..., :-1]).astype(dtype)


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


# --- Keras 1's ----------------------------------------------------------------------------------------------------

def probas_to_classes(y_pred):
    """The classes of rows of probabilities: the largest, or whether a single one is above 0.5."""
    return categorical_probas_to_classes(y_pred) if y_pred.ndim > 1 and y_pred.shape[1] > 1 else \
        (np.reshape(y_pred, -1) > 0.5).astype('int64')


def categorical_probas_to_classes(p):
    """The number of the largest entry of each row."""
    return np.argmax(p, axis=1)


def accuracy(p, y):
    """The share of entries that are equal.

    Example:
        >>> accuracy(np.array([1, 2]), np.array([1, 3]))
        0.5
    """
    return float(np.mean(np.equal(p, y)))


def binary_logloss(p, y):
    """The mean cross-entropy of targets `y`, 0 or 1, and probabilities `p`.

    Example:
        >>> round(binary_logloss(np.array([0.5]), np.array([1.0])), 4)
        0.6931
    """
    p, y = np.clip(p, 1e-15, 1 - 1e-15), np.asarray(y)
    return float(-np.mean(y * np.log(p) + (1 - y) * np.log(1 - p)))


def multiclass_logloss(p, y):
    """The mean cross-entropy of class numbers `y` and rows of probabilities `p`.

    Example:
        >>> round(multiclass_logloss(np.array([[0.5, 0.5]]), np.array([1])), 4)
        0.6931
    """
    return float(-np.mean(np.log(np.asarray(p)[np.arange(len(p)), np.asarray(y, 'int64')])))


calls.install(globals(), calls.ARRAYS)
