"""Reductions of tensors, cumulative ones included, under the names and signatures of Keras 3."""
import builtins

from keras.backend.contract import rules
from keras.backend.table import primitives as p
from keras.backend.table.cases import F
from keras.backend.table.composites import math, shape as shapes
from keras.backend.table.composites.math import all, any, ceil, isnan, mean
from keras.backend.table.composites.shape import (diagonal, dtype_of, expand_dims, flatten, moveaxis, ndim, shape,
                                                  squeeze, static_shape, take_along_axis)
from keras.backend.table.dispatch import composite
from keras.backend.table.joined import joined
from keras.ops.dtypes import is_whole, library_decides_edges


def max(x, axis=None, keepdims=False, initial=None):
    """The largest element along `axis`, at least `initial`.

    Example:
        >>> keras.ops.max([[1, 5], [3, 2]], axis=1)
        array([5, 3], dtype=int32)
    """
    return _extreme(p.max, p.maximum, x, axis, keepdims, initial)


def min(x, axis=None, keepdims=False, initial=None):
    """The smallest element along `axis`, at most `initial`.

    Example:
        >>> keras.ops.min([[1, 5], [3, 2]], axis=1)
        array([1, 2], dtype=int32)
    """
    return _extreme(p.min, p.minimum, x, axis, keepdims, initial)


def _extreme(reduced, larger, x, axis, keepdims, initial):
    if initial is None:
        return reduced(x, axis, keepdims)
    initial, axes = p.cast(initial, dtype_of(x)), rules.normalize_axes(axis, ndim(x))
    if 0 in [static_shape(x)[entry] for entry in axes]:  # a sum of nothing is 0
        return p.add(p.cast(p.sum(x, axis, keepdims), dtype_of(x)), initial)
    return larger(reduced(x, axis, keepdims), initial)


def amax(x, axis=None, keepdims=False):
    """The largest element along `axis`.

    Example:
        >>> keras.ops.amax([[1, 5], [3, 2]], axis=0)
        array([3, 5], dtype=int32)
    """
    return p.max(x, axis, keepdims)


def amin(x, axis=None, keepdims=False):
    """The smallest element along `axis`.

    Example:
        >>> keras.ops.amin([[1, 5], [3, 2]], axis=0)
        array([1, 2], dtype=int32)
    """
    return p.min(x, axis, keepdims)


@joined
def ptp(x, axis=None, keepdims=False):
    """The difference between the largest and the smallest element along `axis`.

    Example:
        >>> keras.ops.ptp([1, 5, 3])
        np.int32(4)
    """
    return p.subtract(p.max(x, axis, keepdims), p.min(x, axis, keepdims))


def prod(x, axis=None, keepdims=False, dtype=None):
    """The product over `axis`.

    Example:
        >>> keras.ops.prod([2, 3, 4])
        np.int32(24)
    """
    return p.prod(x if dtype is None else p.cast(x, dtype), axis, keepdims)


def argmax(x, axis=None, keepdims=False):
    """The position of the largest element along `axis`, or in the flattened tensor.

    Example:
        >>> keras.ops.argmax([[1, 5, 2], [7, 0, 3]], axis=1)
        array([1, 0], dtype=int32)
    """
    return _position(p.argmax, x, axis, keepdims)


def argmin(x, axis=None, keepdims=False):
    """The position of the smallest element along `axis`, or in the flattened tensor.

    Example:
        >>> keras.ops.argmin([[1, 5, 2], [7, 0, 3]], axis=1)
        array([0, 1], dtype=int32)
    """
    return _position(math.argmin, x, axis, keepdims)


def _position(function, x, axis, keepdims):
    if library_decides_edges() and rules.is_float(dtype_of(x)) and ndim(x):
        tiny = 6.1e-5 if dtype_of(x) == 'float16' else 1.17549435e-38  # TensorFlow takes what is less for 0
        x = p.where(p.logical_and(p.equal(x, 0), p.less(p.arctan2(x, -1.0), 0.0)), -tiny, x)
    if axis is not None:
        result = function(x, axis)
        return expand_dims(result, axis) if keepdims else result
    result = function(flatten(x), 0)
    return p.reshape(result, (1,) * ndim(x)) if keepdims else result


def average(x, axis=None, weights=None):
    """The mean over `axis`, with weights of the shape of `x` or, along one axis, a vector.

    Example:
        >>> keras.ops.average([1.0, 4.0], weights=[3.0, 1.0])
        np.float32(1.75)
    """
    return mean(x, axis) if weights is None else weighted_mean(x, weights, axis)


@composite('x weights', promote='same', cases=[(F(2, 3), F(3), 1), (F(2, 3), F(2, 3))])
def weighted_mean(x, weights, axis=None):
    """`average` with weights."""
    if ndim(weights) != ndim(x):
        if ndim(weights) != 1 or not isinstance(axis, int):
            raise ValueError('the weights %s must have the shape of the tensor %s, or be a vector along one `axis`, '
                             'not %r' % (shapes.static_shape(weights), shapes.static_shape(x), axis))
        weights = shapes.resized(weights, [size if index == axis % ndim(x) else 1 for index, size
                                           in enumerate(shape(x))])
    weights = p.broadcast_to(weights, shape(x))
    return p.divide(p.sum(p.multiply(x, weights), axis), p.sum(weights, axis))


@joined
def cumsum(x, axis=None, dtype=None):
    """The running sum along `axis`, or of the flattened tensor.

    Example:
        >>> keras.ops.cumsum([1, 2, 3, 4])
        array([ 1,  3,  6, 10], dtype=int32)
    """
    return _running(p.cumsum, x, axis, dtype)


@joined
def cumprod(x, axis=None, dtype=None):
    """The running product along `axis`, or of the flattened tensor.

    Example:
        >>> keras.ops.cumprod([1, 2, 3, 4])
        array([ 1,  2,  6, 24], dtype=int32)
    """
    return _running(p.cumprod, x, axis, dtype)


def _running(function, x, axis, dtype):
    x = x if dtype is None else p.cast(x, dtype)
    if isinstance(axis, (list, tuple)) and len(axis) == 1:
        axis = axis[0]
    result = function(flatten(x), 0) if axis is None else function(x, axis)
    # Running sums keep the dtype of small integers, other than sums.
    kept = dtype_of(x) if dtype is None else dtype
    return result if kept == 'bool' or dtype_of(result) == kept else p.cast(result, kept)


@joined
def trace(x, offset=0, axis1=0, axis2=1):
    """The sum of a diagonal.

    Example:
        >>> keras.ops.trace([[1, 2], [3, 4]])
        np.int32(5)
    """
    return p.sum(diagonal(x, offset, axis1, axis2), -1)


@composite('x q', cases=[(F(3, 4), 0.3), (F(3, 4), 0.5, 1, 'nearest', True), (F(2, 3, 4), 0.2, (0, 2))])
def quantile(x, q, axis=None, method='linear', keepdims=False):
    """The `q`-th quantiles (between 0 and 1, a scalar or vector) along `axis`.

    Args:
        method: between two elements, 'linear', 'lower', 'higher', 'midpoint' or 'nearest'.

    Example:
        >>> keras.ops.quantile([1.0, 2.0, 3.0], 0.25)
        array(1.5, dtype=float32)
    """
    rank = ndim(x)
    axes = rules.normalize_axes(axis, rank)
    rest = [index for index in range(rank) if index not in axes]
    moved = p.transpose(x, tuple(rest) + axes)
    sizes = shape(moved)
    ordered = p.sort(shapes.resized(moved, sizes[:len(rest)] + (shapes.multiply_sizes(sizes[len(rest):]),)), -1)
    ordered = p.cast(ordered, rules.float_dtype(dtype_of(x)))
    # Positions in half precision would not tell the elements of a long axis apart.
    position = p.multiply(p.cast(q, dtype_of(ordered)), p.cast(p.subtract(shape(ordered)[-1], 1), dtype_of(ordered)))
    result = _between(ordered, position, method)
    if rules.is_float(dtype_of(x)):
        unknown = any(isnan(ordered), -1)
        for _ in builtins.range(ndim(q)):
            unknown = expand_dims(unknown, -1)
        result = p.where(unknown, float('nan'), result)
    if ndim(q):
        result = moveaxis(result, -1, 0)
    if keepdims:
        result = expand_dims(result, tuple(entry + ndim(q) for entry in axes))
    return result


# A `q` of Python stays a number where calls are compiled: to make it a tensor takes longer than all the rest.
quantile = joined(quantile)


def _between(ordered, position, method):
    low = p.gather(ordered, p.cast(p.floor(position), 'int32'), -1)
    return _mixed(low, p.gather(ordered, p.cast(ceil(position), 'int32'), -1), position, method)


def _mixed(low, high, position, method):
    """The value at a fractional `position`, given those of the whole numbers below and above."""
    fraction = p.subtract(position, p.floor(position))
    between = p.multiply(p.cast(p.less(0.0, fraction), dtype_of(fraction)), 0.5)
    weights = {'linear': fraction, 'lower': 0.0, 'higher': 1.0, 'midpoint': between,
               'nearest': p.subtract(p.round(position), p.floor(position))}
    if method not in weights:
        raise ValueError('quantile: `method` must be one of %s. Received: %r' % (', '.join(sorted(weights)), method))
    weight = weights[method]
    between = p.add(low, p.multiply(p.subtract(high, low), weight))
    # The neighbour counts for nothing, also where it is infinite.
    return p.where(p.equal(weight, 0.0), low, p.where(p.equal(weight, 1.0), high, between))


@joined
def percentile(x, q, axis=None, method='linear', keepdims=False):
    """The `q`-th percentiles (between 0 and 100) along `axis`.

    Example:
        >>> keras.ops.percentile([1.0, 2.0, 3.0], 25)
        array(1.5, dtype=float32)
    """
    return quantile(x, p.divide(q, 100.0), axis, method, keepdims)


@joined
def median(x, axis=None, keepdims=False):
    """The median along `axis`.

    Example:
        >>> keras.ops.median([3.0, 1.0, 2.0])
        array(2., dtype=float32)
    """
    return quantile(x, 0.5, axis, 'linear', keepdims)


def _without_nan(x, value):
    return p.where(isnan(x), value, x)


@joined
def nansum(x, axis=None, keepdims=False):
    """The sum over `axis`, NaN counting as 0.

    Example:
        >>> keras.ops.nansum([1.0, np.nan, 3.0])
        np.float32(4.0)
    """
    return p.sum(_without_nan(x, 0), axis, keepdims)


@joined
def nanprod(x, axis=None, keepdims=False):
    """The product over `axis`, NaN counting as 1.

    Example:
        >>> keras.ops.nanprod([2.0, np.nan, 3.0])
        np.float32(6.0)
    """
    return p.prod(_without_nan(x, 1), axis, keepdims)


@joined
def nancumsum(x, axis=None, dtype=None):
    """The running sum along `axis`, NaN counting as 0; `axis=()` leaves it at that.

    Example:
        >>> keras.ops.nancumsum([1.0, np.nan, 3.0])
        array([1., 1., 4.], dtype=float32)
    """
    values = _without_nan(x, 0)
    return values if axis == () else cumsum(values, axis, dtype)


@joined
def nancumprod(x, axis=None, dtype=None):
    """The running product along `axis`, NaN counting as 1; `axis=()` leaves it at that.

    Example:
        >>> keras.ops.nancumprod([2.0, np.nan, 3.0])
        array([2., 2., 6.], dtype=float32)
    """
    values = _without_nan(x, 1)
    return values if axis == () else cumprod(values, axis, dtype)


def _or_nan(result, x, axis, keepdims):
    """`result`, and NaN where all elements of `x` along `axis` are."""
    return p.where(all(isnan(x), axis, keepdims), float('nan'), result)


@composite('x q', cases=[(F(3, 4), 0.3), (F(3, 4), 0.5, 1, 'lower', True)])
def nanquantile(x, q, axis=None, method='linear', keepdims=False):
    """The `q`-th quantiles along `axis` of the elements that are not NaN.

    Example:
        >>> keras.ops.nanquantile([1.0, np.nan, 3.0], 0.5)
        array(2., dtype=float32)
    """
    axes = rules.normalize_axes(axis, ndim(x))
    rest = tuple(index for index in builtins.range(ndim(x)) if index not in axes)
    moved = p.transpose(x, rest + axes)
    sizes = shape(moved)
    flat = shapes.resized(moved, sizes[:len(rest)] + (shapes.multiply_sizes(sizes[len(rest):]),))
    ordered = p.sort(_without_nan(flat, float('inf')), -1)
    last = p.subtract(p.sum(p.cast(p.logical_not(isnan(flat)), dtype_of(ordered)), -1, True), 1.0)
    position = p.multiply(last, p.reshape(p.cast(q, dtype_of(ordered)), (-1,)))
    low = take_along_axis(ordered, p.cast(p.maximum(p.floor(position), 0.0), 'int32'), -1)
    high = take_along_axis(ordered, p.cast(p.maximum(ceil(position), 0.0), 'int32'), -1)
    result = p.where(p.less(last, 0.0), float('nan'), _mixed(low, high, position, method))
    result = moveaxis(result, -1, 0) if ndim(q) else squeeze(result, -1)
    return expand_dims(result, tuple(entry + ndim(q) for entry in axes)) if keepdims else result


@joined
def nanpercentile(x, q, axis=None, method='linear', keepdims=False):
    """The `q`-th percentiles along `axis` of the elements that are not NaN.

    Example:
        >>> keras.ops.nanpercentile([1.0, np.nan, 3.0], 50)
        array(2., dtype=float32)
    """
    return nanquantile(x, p.divide(q, 100.0), axis, method, keepdims)


@joined
def nanmedian(x, axis=None, keepdims=False):
    """The median along `axis` of the elements that are not NaN.

    Example:
        >>> keras.ops.nanmedian([1.0, np.nan, 3.0])
        array(2., dtype=float32)
    """
    return nanquantile(x, 0.5, axis, 'linear', keepdims)


@joined
def nanmax(x, axis=None, keepdims=False):
    """The largest element along `axis` that is not NaN.

    Example:
        >>> keras.ops.nanmax([1.0, np.nan, 3.0])
        array(3., dtype=float32)
    """
    if is_whole(x):
        return p.max(x, axis, keepdims)
    return _or_nan(p.max(_without_nan(x, float('-inf')), axis, keepdims), x, axis, keepdims)


@joined
def nanmin(x, axis=None, keepdims=False):
    """The smallest element along `axis` that is not NaN.

    Example:
        >>> keras.ops.nanmin([1.0, np.nan, 3.0])
        array(1., dtype=float32)
    """
    if is_whole(x):
        return p.min(x, axis, keepdims)
    return _or_nan(p.min(_without_nan(x, float('inf')), axis, keepdims), x, axis, keepdims)


@joined
def nanargmax(x, axis=None, keepdims=False):
    """The position of the largest element that is not NaN, -1 where all are.

    Example:
        >>> keras.ops.nanargmax([1.0, np.nan, 3.0])
        array(2, dtype=int32)
    """
    position = argmax(_without_nan(x, float('-inf')), axis, keepdims)
    return p.where(all(isnan(x), axis, keepdims), -1, position)


@joined
def nanargmin(x, axis=None, keepdims=False):
    """The position of the smallest element that is not NaN, -1 where all are.

    Example:
        >>> keras.ops.nanargmin([1.0, np.nan, 3.0])
        array(0, dtype=int32)
    """
    position = argmin(_without_nan(x, float('inf')), axis, keepdims)
    return p.where(all(isnan(x), axis, keepdims), -1, position)


@joined
def nanmean(x, axis=None, keepdims=False):
    """The mean over `axis` of the elements that are not NaN.

    Example:
        >>> keras.ops.nanmean([1.0, np.nan, 3.0])
        np.float32(2.0)
    """
    present = p.cast(p.logical_not(isnan(x)), rules.float_dtype(dtype_of(x)))
    return p.divide(nansum(x, axis, keepdims), p.sum(present, axis, keepdims))


@joined
def nanvar(x, axis=None, keepdims=False):
    """The variance over `axis` of the elements that are not NaN.

    Example:
        >>> keras.ops.nanvar([1.0, np.nan, 3.0])
        np.float32(1.0)
    """
    deviations = p.subtract(x, nanmean(x, axis, True))
    return nanmean(p.multiply(deviations, deviations), axis, keepdims)


@joined
def nanstd(x, axis=None, keepdims=False):
    """The standard deviation over `axis` of the elements that are not NaN.

    Example:
        >>> keras.ops.nanstd([1.0, np.nan, 3.0])
        np.float32(1.0)
    """
    return p.sqrt(nanvar(x, axis, keepdims))
