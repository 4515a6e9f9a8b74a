"""Sorting, searching and counting in tensors, under the names and signatures of Keras 3."""
import builtins
import inspect

import numpy as _np

from keras.backend.contract import rules
from keras.backend.contract.loading import get_engine
from keras.backend.state.variables import to_array
from keras.backend.table import primitives as p
from keras.backend.table.cases import F, I
from keras.backend.table.composites import shape as shapes
from keras.backend.table.composites.math import any, less_equal
from keras.backend.table.composites.shape import computed, dtype_of, expand_dims, flatten, ndim, shape, static_shape
from keras.backend.table.dispatch import composite
from keras.backend.table.joined import joined
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
    if ndim(x) == 0 and axis in (0, -1):
        return p.full_like(x, 0, 'int32')
    return p.argsort(flatten(x), -1) if axis is None else p.argsort(x, axis)


def argpartition(x, kth, axis=-1):
    """Positions that put the `kth` smallest element along `axis` in its place, the smaller ones before it.

    Example:
        >>> keras.ops.argpartition([3, 1, 2], 1)
        array([1, 2, 0], dtype=int32)
    """
    if not isinstance(kth, (int, _np.integer)):
        raise ValueError('argpartition: `kth` must be an integer. Received: %r' % (kth,))
    return argsort(x, axis)


@composite('x bins', gradient=False, cases=[(F(2, 3), F(1))])
def digitize(x, bins):
    """The numbers of the intervals between the rising `bins` in which the elements lie.

    Example:
        >>> keras.ops.digitize([0.5, 1.5, 2.5], [1.0, 2.0])
        array([0, 1, 2], dtype=int32)
    """
    if len(shapes.static_shape(bins)) != 1:
        raise ValueError('`bins` must be a vector, not of shape %s' % (shapes.static_shape(bins),))
    positions = p.searchsorted(bins, flatten(x), 'right')
    return shapes.resized(positions, shape(x))


def bincount(x, weights=None, minlength=0, sparse=False):
    """How often each integer from 0 occurs along the last axis of `x`, or the sums of `weights`.

    The number of bins is the largest integer plus 1, at least `minlength`; it follows from the values. `sparse` as for
    `one_hot`. Of a sparse `x` only the elements that are given are counted, and the result is sparse.

    Example:
        >>> keras.ops.bincount([0, 1, 1, 3])
        array([1, 2, 0, 1], dtype=int32)
    """
    counts = counted(x, weights, minlength)
    return shapes.sparse_result(counts) if sparse else counts


def _weights_fit(rows, bins, weights=None):
    if weights is not None and not builtins.all(None in pair or pair[0] == pair[1] for pair in zip(
            static_shape(rows), static_shape(weights))):
        raise ValueError('bincount: weights of shape %s do not fit numbers of shape %s.'
                         % (static_shape(weights), static_shape(rows)))


@composite('rows weights', cases=[(I(4, 2, 5), 3), (I(4, 2, 5), 6, F(2, 5)), (I(4, 1, 0), 2)], gradient=False,
           check=_weights_fit)
def row_counts(rows, bins, weights=None):
    """How often each integer from 0 to below `bins` occurs in each row, (rows, bins) of int32, or sums of weights.

    Args:
        rows: int32 (rows, numbers); what is no bin does not count. weights: numbers of the same shape.
    """
    count = shape(rows)[0]
    inside = p.logical_and(less_equal(0, rows), p.less(rows, bins))
    offsets = expand_dims(p.multiply(p.arange(count, dtype='int32'), bins), 1)
    places = p.add(p.where(inside, rows, 0), offsets)
    dtype = 'int32' if weights is None else dtype_of(weights)
    values = p.cast(inside, dtype)
    values = values if weights is None else p.multiply(values, weights)
    empty = shapes.zeros((shapes.multiply_sizes((count, bins)),), dtype)
    found = p.scatter_add(empty, flatten(places), flatten(values))
    return shapes.resized(found, (count, bins))


@composite('x weights', gradient=False)
def counted(x, weights=None, minlength=0):
    """`bincount` as an entry of the table."""
    last = p.max(p.cast(x, 'int32')) if 0 not in shapes.static_shape(x) else -1
    bins = p.maximum(p.add(last, 1), minlength)
    sizes = static_shape(x)
    if None not in sizes and get_engine().is_native(bins) and get_engine().has_values(bins):
        bins, count, dtype = int(to_array(bins)), shapes.multiply_sizes(sizes[:-1]), None
        if weights is not None:
            dtype = common_dtype(x, weights)
            # Many numbers of 16 bits added to one another would soon come to a stand.
            weights = p.reshape(p.cast(weights, 'float32' if dtype in ('float16', 'bfloat16') else dtype),
                                (count, sizes[-1]))
        counts = row_counts(p.reshape(p.cast(x, 'int32'), (count, sizes[-1])), bins, weights)
        counts = p.reshape(counts, tuple(sizes[:-1]) + (bins,))
        return counts if dtype is None else p.cast(counts, dtype)
    if weights is None:
        return p.sum(shapes.one_hot(x, bins, -1, 'int32'), -2)
    dtype = common_dtype(x, weights)
    return p.cast(p.sum(p.multiply(shapes.one_hot(x, bins, -1, dtype), expand_dims(weights, -1)), -2), dtype)


def histogram(x, bins=10, range=None):
    """Counts of the elements in `bins` equal intervals of `range` (default smallest to largest), and their edges.

    Raises:
        ValueError: unless `x` is a vector, `bins` a number of bins and `range` (smallest, largest).

    Example:
        >>> keras.ops.histogram([1.0, 2.0, 2.5, 4.0], bins=3)
        (array([1, 2, 1], dtype=int32), array([1., 2., 3., 4.], dtype=float32))
    """
    if not isinstance(bins, int) or bins < 0:
        raise ValueError('histogram: Argument `bins` should be a non-negative integer. Received: bins=%r' % (bins,))
    if range is not None and (not isinstance(range, (tuple, list)) or len(range) != 2):
        raise ValueError('histogram: Argument `range` must be a tuple of two elements. Received: range=%r' % (range,))
    if range is not None and range[1] < range[0]:
        raise ValueError('histogram: The second element of `range` must be greater than the first. Received: range=%r'
                         % (range,))
    if ndim(x) != 1:
        raise ValueError('histogram: Input tensor must be 1-dimensional. Received: shape %s; flatten it first'
                         % (static_shape(x),))
    low, high = (p.min(x), p.max(x)) if range is None else range
    dtype = rules.float_dtype(dtype_of(x))
    edges = linspace(low, high, bins + 1, dtype=dtype)
    flat = p.cast(flatten(x), dtype)
    position = p.minimum(p.subtract(p.searchsorted(edges, flat, 'right'), 1), bins - 1)
    inside = p.logical_and(less_equal(low, flat), less_equal(flat, high))
    hot = shapes.one_hot(position, bins, -1, 'int32')
    return p.sum(p.multiply(hot, expand_dims(p.cast(inside, 'int32'), 1)), 0), edges


@joined
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
    """The distinct elements of `x` in rising order, or its distinct slices along `axis`.

    Args:
        return_index: where each is found first. return_inverse: the number of the element for each of `x`.
        return_counts: how often each occurs. size: cut or fill (with `fill_value`, default 0) to that many, for steps
            that are compiled: without it, their number follows from the values.

    Example:
        >>> keras.ops.unique([3, 1, 3])
        array([1, 3], dtype=int32)
    """
    parts = [distinct(x, 'value', axis, size, fill_value)]
    parts += [distinct(x, what, axis, size) for what, wanted in builtins.zip(
        ('index', 'inverse', 'count'), (return_index, return_inverse, return_counts)) if wanted]
    return parts[0] if len(parts) == 1 else tuple(parts)


# Each NaN is an element of its own; before NumPy 1.21 there is no other way.
_APART = {'equal_nan': False} if 'equal_nan' in inspect.signature(_np.unique).parameters else {}


@composite(gradient=False, cases=[
    (_np.array([[3, 1], [3, 1], [0, 1]], 'int32'), what, axis, size)
    for what in ('value', 'index', 'inverse', 'count') for axis, size in ((None, 4), (0, 2))])
def distinct(x, what, axis=None, size=None, fill_value=None):
    """One of the results of `unique`."""
    sizes = shapes.static_shape(x)
    along = None if axis is None else rules.normalize_axis(axis, len(sizes))

    def found(array):
        values, index, inverse, counts = _np.unique(array, True, True, True, along, **_APART)
        if what == 'inverse':
            return inverse.reshape(array.shape if along is None else (-1,)).astype('int32')
        result = {'value': values, 'index': index, 'count': counts}[what]
        if size is None:
            return result
        place = along if along is not None and what == 'value' else 0
        result = result.take(range(builtins.min(size, result.shape[place])), place)
        widths = [(0, size - result.shape[place] if index == place else 0) for index in range(result.ndim)]
        filler = (fill_value or 0) if what == 'value' else index[0] if what == 'index' and len(index) else 0
        return _np.pad(result, widths, 'constant', constant_values=filler)
    if what == 'inverse':
        return computed(found, [x], 'int32', sizes if along is None else sizes[along:along + 1])
    if what == 'value' and along is not None:
        return computed(found, [x], dtype_of(x), sizes[:along] + (size,) + sizes[along + 1:])
    return computed(found, [x], dtype_of(x) if what == 'value' else 'int32', (size,))
