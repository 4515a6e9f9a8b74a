"""Sorting, searching and counting in tensors, under the names and signatures of Keras 3."""
import builtins

import numpy as _np

from keras.backend.contract import rules
from keras.backend.table import primitives as p
from keras.backend.table.composites import shape as shapes
from keras.backend.table.composites.math import any, less_equal
from keras.backend.table.composites.shape import dtype_of, expand_dims, flatten, shape
from keras.ops.core import convert_to_numpy, convert_to_tensor
from keras.ops.creation import linspace
from keras.ops.dtypes import common_dtype


def sort(x, axis=-1):
    """The elements along `axis` in rising order; with None those of the flattened tensor.

    Example:
        >>> keras.ops.sort([3, 1, 2])
        array([1, 2, 3], dtype=int32)
    """
    return p.sort(flatten(x), -1) if axis is None else p.sort(x, axis)


def argsort(x, axis=-1):
    """The positions (int32) that sort `x` along `axis`; equal elements keep their order. None flattens `x` first.

    Example:
        >>> keras.ops.argsort([3, 1, 2])
        array([1, 2, 0], dtype=int32)
    """
    return p.argsort(flatten(x), -1) if axis is None else p.argsort(x, axis)


def argpartition(x, kth, axis=-1):
    """Positions that put the `kth` smallest element along `axis` in its place, the smaller ones before it.

    Example:
        >>> keras.ops.argpartition([3, 1, 2], 1)
        array([1, 2, 0], dtype=int32)
    """
    return p.argsort(x, axis)


def digitize(x, bins):
    """The numbers of the intervals between the rising `bins` in which the elements lie.

    Example:
        >>> keras.ops.digitize([0.5, 1.5, 2.5], [1.0, 2.0])
        array([0, 1, 2], dtype=int32)
    """
    positions = p.searchsorted(bins, flatten(x), 'right')
    return shapes.resized(positions, shape(x))


def bincount(x, weights=None, minlength=0, sparse=False):
    """How often each integer from 0 occurs along the last axis of `x`, or the sums of `weights`.

    The number of bins is the largest integer plus 1, at least `minlength`; it follows from the values.

    Example:
        >>> keras.ops.bincount([0, 1, 1, 3])
        array([1, 2, 0, 1], dtype=int32)
    """
    array = convert_to_numpy(x)
    bins = builtins.max(int(array.max()) + 1 if array.size else 0, minlength)
    if weights is None:
        return p.sum(shapes.one_hot(x, bins, -1, 'int32'), -2)
    dtype = common_dtype(x, weights)
    return p.cast(p.sum(p.multiply(shapes.one_hot(x, bins, -1, dtype), expand_dims(weights, -1)), -2), dtype)


def histogram(x, bins=10, range=None):
    """Counts of the elements in `bins` equal intervals of `range` (default smallest to largest), and their edges.

    Example:
        >>> keras.ops.histogram([1.0, 2.0, 2.5, 4.0], bins=3)
        (array([1, 2, 1], dtype=int32), array([1., 2., 3., 4.], dtype=float32))
    """
    low, high = (p.min(x), p.max(x)) if range is None else range
    dtype = rules.float_dtype(dtype_of(x))
    edges = linspace(low, high, bins + 1, dtype=dtype)
    flat = p.cast(flatten(x), dtype)
    position = p.minimum(p.subtract(p.searchsorted(edges, flat, 'right'), 1), bins - 1)
    inside = p.logical_and(less_equal(low, flat), less_equal(flat, high))
    hot = shapes.one_hot(position, bins, -1, 'int32')
    return p.sum(p.multiply(hot, expand_dims(p.cast(inside, 'int32'), 1)), 0), edges


def isin(x1, x2, assume_unique=False, invert=False):
    """True where an element of `x1` is among those of `x2`.

    Example:
        >>> keras.ops.isin([1, 2, 3], [2, 4])
        array([False,  True, False])
    """
    found = any(p.equal(expand_dims(x1, -1), flatten(x2)), -1)
    return p.logical_not(found) if invert else found


def unique(x, sorted=True, return_index=False, return_inverse=False, return_counts=False, axis=None, size=None,
           fill_value=None):
    """The distinct elements of `x` in rising order. Their number follows from the values: not for symbolic tensors.

    Args:
        size: cut or fill (with `fill_value`, default the first element) to that many.

    Example:
        >>> keras.ops.unique([3, 1, 3])
        array([1, 3], dtype=int32)
    """
    found = _np.unique(convert_to_numpy(x), True, True, True, axis)
    values, wanted = found[0], [True, return_index, return_inverse, return_counts]
    parts = [part for part, want in builtins.zip(found, wanted) if want]
    if size is not None:
        filler = values[:1] if fill_value is None else _np.full_like(values[:1], fill_value)
        parts[0] = _np.concatenate([values] + [filler] * (size - len(values)))[:size]
    tensors = [convert_to_tensor(part, 'int32' if index else dtype_of(x)) for index, part in builtins.enumerate(parts)]
    return tensors[0] if len(tensors) == 1 else tuple(tensors)
