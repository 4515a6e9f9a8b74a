"""Making tensors, under the names and signatures of Keras 3."""
import builtins
import math as _math

import numpy as _np

from keras import config
from keras.backend.contract import rules
from keras.backend.table import primitives as p
from keras.backend.table.cases import F
from keras.backend.table.composites import shape as shapes
from keras.backend.table.composites.shape import dtype_of, expand_dims, eye, ones, shape, zeros, zeros_like
from keras.backend.table.dispatch import composite
from keras.backend.table.joined import joined
from keras.ops.core import convert_to_tensor
from keras.ops.dtypes import common_dtype, floating


def array(x, dtype=None):
    """A tensor from an array, a nested list or a scalar.

    Example:
        >>> keras.ops.array([[1, 2], [3, 4]])
        array([[1, 2],
               [3, 4]], dtype=int32)
    """
    return convert_to_tensor(x, dtype)


def full(shape, fill_value, dtype=None):
    """A tensor of `shape` filled with `fill_value`, a scalar or a tensor that broadcasts.

    Example:
        >>> keras.ops.full((2,), 7)
        array([7., 7.], dtype=float32)
    """
    shape = shapes.shape_tuple(shape)
    if isinstance(fill_value, (bool, int, float)):
        return p.full(shape, fill_value, dtype or config.floatx())
    return p.cast(p.broadcast_to(convert_to_tensor(fill_value), shape), dtype or config.floatx())


def full_like(x, fill_value, dtype=None):
    """A tensor of the shape of `x`, and its dtype unless one is given, filled with `fill_value`.

    Example:
        >>> keras.ops.full_like(np.array([1, 2]), 7)
        array([7, 7])
    """
    if isinstance(fill_value, (bool, int, float)):
        return p.full_like(x, fill_value, dtype)
    return filled_like(x, fill_value, dtype)


@composite('x fill_value', cases=[(F(2, 3), F(3)), (F(2, 3), F(), 'int32')], gradient=False)
def filled_like(x, fill_value, dtype=None):
    """`full_like` with a tensor as the entry of the table."""
    return p.cast(p.broadcast_to(fill_value, shape(x)), dtype or dtype_of(x))


def empty(shape, dtype=None):
    """A tensor of `shape` whose values do not matter (they are zeros).

    Example:
        >>> keras.ops.empty((2,))
        array([0., 0.], dtype=float32)
    """
    return zeros(shape, dtype)


def empty_like(x, dtype=None):
    """A tensor of the shape of `x` whose values do not matter (they are zeros).

    Example:
        >>> keras.ops.empty_like(np.array([1, 2]))
        array([0, 0])
    """
    return zeros_like(x, dtype)


def identity(n, dtype=None):
    """The identity matrix of size `n`.

    Example:
        >>> keras.ops.identity(2)
        array([[1., 0.],
               [0., 1.]], dtype=float32)
    """
    return eye(n, dtype=dtype)


def arange(start, stop=None, step=None, dtype=None):
    """Evenly spaced numbers from `start` up to, not including, `stop`; from 0 where only one is given.

    Example:
        >>> keras.ops.arange(2, 8, 3)
        array([2, 5], dtype=int32)
    """
    step = 1 if step is None else step
    given = [part for part in (start, stop, step) if part is not None]
    if dtype is None and not all(isinstance(part, (int, float)) for part in given):
        # Engines count in few dtypes.
        dtype = common_dtype(*given)
        wide = rules.result_dtype(dtype, 'float32' if rules.is_float(dtype) else 'int32')
        start, stop, step = [None if part is None else p.cast(part, wide) for part in (start, stop, step)]
        return p.cast(p.arange(start, stop, step, wide), dtype)
    return p.arange(start, stop, step, dtype)


@joined
def logspace(start, stop, num=50, endpoint=True, base=10, dtype=None, axis=0):
    """`num` numbers from `base ** start` to `base ** stop` with equal ratios.

    Example:
        >>> keras.ops.logspace(0.0, 2.0, 3)
        array([  1.,  10., 100.], dtype=float32)
    """
    result = p.power(float(base), linspace(start, stop, num, endpoint, axis=axis))
    return result if dtype is None else p.cast(result, dtype)


@joined
def geomspace(start, stop, num=50, endpoint=True, dtype=None, axis=0):
    """`num` numbers from `start` to `stop`, of one sign, with equal ratios.

    Example:
        >>> keras.ops.geomspace(1.0, 100.0, 3)
        array([  1.      ,  10.000001, 100.      ], dtype=float32)
    """
    start, stop = floating(start, stop)
    exponents = linspace(p.log(p.abs(start)), p.log(p.abs(stop)), num, endpoint, axis=axis)
    result = p.multiply(p.sign(start), p.exp(exponents))
    return result if dtype is None else p.cast(result, dtype)


def meshgrid(*x, indexing='xy'):
    """Grids of coordinates from vectors.

    Example:
        >>> keras.ops.meshgrid([1, 2], [3, 4])
        [array([[1, 2],
               [1, 2]], dtype=int32), array([[3, 3],
               [4, 4]], dtype=int32)]
    """
    return shapes.meshgrid(list(x), indexing)


@composite(cases=[(F(3),), (F(3), 2, True)])
def vander(x, N=None, increasing=False):
    """The Vandermonde matrix: powers of the vector `x` as columns.

    Example:
        >>> keras.ops.vander([1, 2, 3])
        array([[1, 1, 1],
               [4, 2, 1],
               [9, 3, 1]], dtype=int32)
    """
    count = shape(x)[0] if N is None else N
    # Whole exponents: a negative number has powers, too.
    powers = p.cast(p.arange(count, dtype='int32'), 'int32' if dtype_of(x) == 'bool' else dtype_of(x))
    powers = powers if increasing else p.flip(powers, (0,))
    return p.cast(p.power(expand_dims(x, 1), powers), dtype_of(x))


def _window(x, coefficients):
    size = int(x)
    if size < 1:
        return zeros((0,))
    if size == 1:
        return ones((1,))
    angle = p.multiply(p.arange(size, dtype='float32'), 2.0 * _math.pi / (size - 1))
    result = full((size,), coefficients[0])
    for order, coefficient in enumerate(coefficients[1:], 1):
        result = p.add(result, p.multiply(p.cos(p.multiply(angle, float(order))), coefficient))
    return result


@joined
def linspace(start, stop, num=50, endpoint=True, retstep=False, dtype=None, axis=0):
    """`num` evenly spaced numbers from `start` to `stop`; without `endpoint`, `stop` is left out.

    With `retstep` the distance between neighbours is given as well.

    Example:
        >>> keras.ops.linspace(0.0, 1.0, 5)
        array([0.  , 0.25, 0.5 , 0.75, 1.  ], dtype=float32)
    """
    result = shapes.linspace(start, stop, num, endpoint, dtype, axis)
    if not retstep:
        return result
    return result, p.divide(p.subtract(stop, start), float(builtins.max(num - 1 if endpoint else num, 1)))


def hanning(x):
    """The Hann window of `x` points.

    Example:
        >>> keras.ops.hanning(5)
        array([0. , 0.5, 1. , 0.5, 0. ], dtype=float32)
    """
    return _window(x, (0.5, -0.5))


def hamming(x):
    """The Hamming window of `x` points.

    Example:
        >>> keras.ops.hamming(5)
        array([0.08000001, 0.54      , 1.        , 0.54      , 0.08000001],
              dtype=float32)
    """
    return _window(x, (0.54, -0.46))


def blackman(x):
    """The Blackman window of `x` points.

    Example:
        >>> keras.ops.blackman(5)
        array([-1.4901161e-08,  3.4000003e-01,  9.9999994e-01,  3.3999997e-01,
               -1.4901161e-08], dtype=float32)
    """
    return _window(x, (0.42, -0.5, 0.08))


def bartlett(x):
    """The triangular window of `x` points.

    Example:
        >>> keras.ops.bartlett(5)
        array([0. , 0.5, 1. , 0.5, 0. ], dtype=float32)
    """
    return convert_to_tensor(_np.bartlett(int(x)), config.floatx())


def kaiser(x, beta):
    """The Kaiser window of `x` points with shape parameter `beta`.

    Example:
        >>> keras.ops.kaiser(5, 2.0)
        array([0.43867627, 0.83476144, 1.        , 0.83476144, 0.43867627],
              dtype=float32)
    """
    return convert_to_tensor(_np.kaiser(int(x), float(beta)), config.floatx())
