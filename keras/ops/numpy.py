"""NumPy's functions on tensors, under Keras 3's names and signatures."""
import builtins
import math as _math

import numpy as _np

from keras import config
from keras.backend import primitives as p
from keras.backend import rules
from keras.backend.composites import math, shape as shapes
from keras.backend.composites.math import (all, any, arccos, arccosh, arcsinh, arctanh, cbrt, ceil, clip, cosh,
                                           count_nonzero, divide_no_nan, dot, exp2, expm1, greater, greater_equal,
                                           isinf, isnan, less_equal, log1p, log2, log10, logaddexp, logical_xor, mean,
                                           not_equal, outer, reciprocal, sinh, square, std, tan, tensordot, trunc, var)
from keras.backend.composites.shape import (diag, diagonal, dtype_of, expand_dims, eye, flatten, getitem, moveaxis,
                                            ndim, ones, ones_like, repeat, roll, shape, split, squeeze, static_shape,
                                            swapaxes, take, take_along_axis, tile, tri, tril, triu, zeros, zeros_like)
from keras.backend.primitives import (abs, add, arcsin, arctan, arctan2, argsort, bitwise_and, bitwise_or, bitwise_xor,
                                      broadcast_to, cos, divide, equal, exp, floor, floor_divide, isfinite, left_shift,
                                      less, log, logical_and, logical_not, logical_or, matmul, maximum, minimum, mod,
                                      multiply, negative, power, right_shift, searchsorted, sign, sin, sort, sqrt,
                                      subtract, sum, tanh, transpose)
from keras.ops.core import convert_to_numpy, convert_to_tensor, copy
from keras.ops.linalg import slogdet

absolute = abs
fabs = abs
true_divide = divide
bitwise_left_shift = left_shift
bitwise_right_shift = right_shift


# --- creation ---------------------------------------------------------------------------------------------------

def array(x, dtype=None):
    """A tensor from an array, a nested list or a scalar."""
    return convert_to_tensor(x, dtype)


def full(shape, fill_value, dtype=None):
    """A tensor of `shape` filled with `fill_value`, a scalar or a tensor that broadcasts."""
    shape = shape if isinstance(shape, (list, tuple)) else (shape,)
    if isinstance(fill_value, (bool, int, float)):
        return p.full(tuple(shape), fill_value, dtype or config.floatx())
    filled = p.broadcast_to(convert_to_tensor(fill_value), tuple(shape))
    return filled if dtype is None else p.cast(filled, dtype)


def full_like(x, fill_value, dtype=None):
    """A tensor of the shape of `x`, and its dtype unless one is given, filled with `fill_value`."""
    if isinstance(fill_value, (bool, int, float)):
        return p.full_like(x, fill_value, dtype)
    return full(shape(x), fill_value, dtype or dtype_of(x))


def empty(shape, dtype=None):
    """A tensor of `shape` whose values do not matter (they are zeros)."""
    return zeros(shape, dtype)


def empty_like(x, dtype=None):
    """A tensor of the shape of `x` whose values do not matter (they are zeros)."""
    return zeros_like(x, dtype)


def identity(n, dtype=None):
    """The identity matrix of size `n`."""
    return eye(n, dtype=dtype)


def arange(start, stop=None, step=None, dtype=None):
    """Evenly spaced numbers from `start` up to, not including, `stop`; from 0 where only one is given."""
    return p.arange(start, stop, 1 if step is None else step, dtype)


def logspace(start, stop, num=50, endpoint=True, base=10, dtype=None, axis=0):
    """`num` numbers from `base ** start` to `base ** stop` with equal ratios."""
    result = p.power(float(base), linspace(start, stop, num, endpoint, axis=axis))
    return result if dtype is None else p.cast(result, dtype)


def geomspace(start, stop, num=50, endpoint=True, dtype=None, axis=0):
    """`num` numbers from `start` to `stop`, of one sign, with equal ratios."""
    exponents = linspace(p.log(p.abs(start)), p.log(p.abs(stop)), num, endpoint, axis=axis)
    result = p.multiply(p.sign(p.cast(start, config.floatx())), p.exp(exponents))
    return result if dtype is None else p.cast(result, dtype)


def meshgrid(*x, indexing='xy'):
    """Grids of coordinates from vectors."""
    return shapes.meshgrid(list(x), indexing)


def vander(x, N=None, increasing=False):
    """The Vandermonde matrix: powers of the vector `x` as columns."""
    count = shape(x)[0] if N is None else N
    powers = p.cast(p.arange(count, dtype='int32'), dtype_of(x))
    powers = powers if increasing else p.flip(powers, (0,))
    return p.power(expand_dims(x, 1), powers)


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


def linspace(start, stop, num=50, endpoint=True, retstep=False, dtype=None, axis=0):
    """`num` evenly spaced numbers from `start` to `stop`; without `endpoint`, `stop` is left out.

    With `retstep` the distance between neighbours is given as well.
    """
    result = shapes.linspace(start, stop, num, endpoint, dtype, axis)
    if not retstep:
        return result
    return result, p.divide(p.subtract(stop, start), float(builtins.max(num - 1 if endpoint else num, 1)))


def hanning(x):
    """The Hann window of `x` points."""
    return _window(x, (0.5, -0.5))


def hamming(x):
    """The Hamming window of `x` points."""
    return _window(x, (0.54, -0.46))


def blackman(x):
    """The Blackman window of `x` points."""
    return _window(x, (0.42, -0.5, 0.08))


def bartlett(x):
    """The triangular window of `x` points."""
    return convert_to_tensor(_np.bartlett(int(x)), config.floatx())


def kaiser(x, beta):
    """The Kaiser window of `x` points with shape parameter `beta`."""
    return convert_to_tensor(_np.kaiser(int(x), float(beta)), config.floatx())


# --- elementwise ------------------------------------------------------------------------------------------------

def round(x, decimals=0):
    """The nearest number with that many decimals, halves to the even one."""
    if rules.is_integer(dtype_of(x)):
        return x
    return p.divide(p.round(p.multiply(x, 10.0 ** decimals)), 10.0 ** decimals) if decimals else p.round(x)


def where(condition, x1=None, x2=None):
    """`x1` where the condition is True, `x2` elsewhere; the positions of True where neither is given."""
    if x1 is None and x2 is None:
        return nonzero(condition)
    return p.where(condition if dtype_of(condition) == 'bool' else p.cast(condition, 'bool'), x1, x2)


def nonzero(x):
    """The positions of elements that are not 0, one vector per axis. Needs the values: not for symbolic tensors."""
    return tuple(convert_to_tensor(part.astype('int32')) for part in _np.nonzero(convert_to_numpy(x)))


def bitwise_not(x):
    """The integer with every bit flipped."""
    return p.subtract(-1, x) if not dtype_of(x).startswith('u') else p.bitwise_xor(x, _np.iinfo(dtype_of(x)).max)


bitwise_invert = bitwise_not


def conjugate(x):
    """The complex conjugate, which is `x` for real numbers."""
    return x


conj = conjugate


def real(x):
    """The real part, which is `x` for real numbers."""
    return x


def imag(x):
    """The imaginary part, which is 0 for real numbers."""
    return zeros_like(x)


def isreal(x):
    """True where the imaginary part is 0: everywhere for real numbers."""
    return p.full_like(x, True, 'bool')


def angle(x):
    """The argument of a complex number: 0 for positive, pi for negative real numbers."""
    return p.where(p.less(x, 0), p.full_like(x, _math.pi, rules.float_dtype(dtype_of(x))),
                   p.full_like(x, 0.0, rules.float_dtype(dtype_of(x))))


def deg2rad(x):
    """Degrees in radians."""
    return p.multiply(x, _math.pi / 180.0)


def rad2deg(x):
    """Radians in degrees."""
    return p.multiply(x, 180.0 / _math.pi)


def isposinf(x):
    """True where `x` is plus infinity."""
    return p.logical_and(isinf(x), p.less(0, x))


def isneginf(x):
    """True where `x` is minus infinity."""
    return p.logical_and(isinf(x), p.less(x, 0))


def isclose(x1, x2, rtol=1e-5, atol=1e-8, equal_nan=False):
    """True where `|x1 - x2| <= atol + rtol |x2|`."""
    allowed = p.add(p.multiply(p.abs(x2), rtol), atol)
    near = p.logical_and(less_equal(p.abs(p.subtract(x1, x2)), allowed), p.isfinite(x2))
    near = p.logical_or(near, p.equal(x1, x2))
    return p.logical_or(near, p.logical_and(isnan(x1), isnan(x2))) if equal_nan else near


def allclose(x1, x2, rtol=1e-5, atol=1e-8, equal_nan=False):
    """Whether `isclose` holds everywhere, a scalar boolean."""
    return all(isclose(x1, x2, rtol, atol, equal_nan))


def signbit(x):
    """True where `x` is negative."""
    return p.less(x, 0)


def heaviside(x1, x2):
    """0 where `x1` is negative, `x2` where it is 0, 1 where it is positive."""
    return p.where(p.less(x1, 0), 0.0, p.where(p.equal(x1, 0), x2, 1.0))


def hypot(x1, x2):
    """`sqrt(x1^2 + x2^2)`, without overflow."""
    larger, smaller = p.maximum(p.abs(x1), p.abs(x2)), p.minimum(p.abs(x1), p.abs(x2))
    ratio = divide_no_nan(smaller, larger)
    return p.multiply(larger, p.sqrt(p.add(p.multiply(ratio, ratio), 1.0)))


def logaddexp2(x1, x2):
    """`log2(2^x1 + 2^x2)`, without overflow."""
    log_2 = _math.log(2.0)
    return p.divide(logaddexp(p.multiply(x1, log_2), p.multiply(x2, log_2)), log_2)


def ldexp(x1, x2):
    """`x1 * 2^x2`."""
    return p.multiply(x1, exp2(x2))


def fmod(x1, x2):
    """The remainder of the division rounded towards 0; it has the sign of `x1`."""
    return p.multiply(p.sign(x1), p.mod(p.abs(x1), p.abs(x2)))


def fmax(x1, x2):
    """The larger of two numbers, the other one where one is NaN."""
    return p.where(isnan(x1), x2, p.where(isnan(x2), x1, p.maximum(x1, x2)))


def fmin(x1, x2):
    """The smaller of two numbers, the other one where one is NaN."""
    return p.where(isnan(x1), x2, p.where(isnan(x2), x1, p.minimum(x1, x2)))


def gcd(x1, x2):
    """The greatest common divisor of integers, by Euclid's algorithm."""
    a, b = p.abs(x1), p.abs(x2)
    a, b = p.add(a, zeros_like(b)), p.add(b, zeros_like(a))

    def step(a, b):
        done = p.equal(b, 0)
        return [p.where(done, a, b), p.where(done, b, p.mod(a, p.where(done, p.full_like(b, 1), b)))]
    # The remainders fall at least as fast as Fibonacci numbers, of which 92 fit into 64 bits (Lame, 1844).
    return p.while_loop(lambda a, b: any(not_equal(b, 0)), step, [a, b], 92)[0]


def lcm(x1, x2):
    """The least common multiple of integers."""
    divisor = gcd(x1, x2)
    safe = p.where(p.equal(divisor, 0), p.full_like(divisor, 1), divisor)
    return p.multiply(p.floor_divide(p.abs(x1), safe), p.abs(x2))


def sinc(x):
    """`sin(pi x) / (pi x)`, 1 at 0."""
    scaled = p.multiply(x, _math.pi)
    zero = p.equal(scaled, 0.0)
    return p.where(zero, 1.0, p.divide(p.sin(scaled), p.where(zero, 1.0, scaled)))


def i0(x):
    """The modified Bessel function of the first kind, order 0 (Abramowitz and Stegun 9.8.1 and 9.8.2)."""
    size = p.abs(x)
    small = p.power(p.divide(p.minimum(size, 3.75), 3.75), 2.0)
    low = _polynomial(small, (1.0, 3.5156229, 3.0899424, 1.2067492, 0.2659732, 0.0360768, 0.0045813))
    inverse = p.divide(3.75, p.maximum(size, 3.75))
    high = _polynomial(inverse, (0.39894228, 0.01328592, 0.00225319, -0.00157565, 0.00916281, -0.02057706, 0.02635537,
                                 -0.01647633, 0.00392377))
    large = p.maximum(size, 3.75)
    return p.where(p.less(size, 3.75), low, p.divide(p.multiply(p.exp(large), high), p.sqrt(large)))


def _polynomial(x, coefficients):
    result = full_like(x, coefficients[-1])
    for coefficient in reversed(coefficients[:-1]):
        result = p.add(p.multiply(result, x), coefficient)
    return result


def nan_to_num(x, nan=0.0, posinf=None, neginf=None):
    """`x` with NaN and infinities replaced; infinities by the largest finite numbers by default."""
    dtype = rules.float_dtype(dtype_of(x))
    largest = 3.3895314e38 if dtype == 'bfloat16' else float(_np.finfo(dtype).max)
    x = p.where(isnan(x), nan, x)
    x = p.where(isposinf(x), largest if posinf is None else posinf, x)
    return p.where(isneginf(x), -largest if neginf is None else neginf, x)


def select(condlist, choicelist, default=0):
    """From the first choice whose condition is True, `default` where none is."""
    result = default
    for condition, choice in builtins.reversed(list(builtins.zip(condlist, choicelist))):
        result = p.where(condition, choice, result)
    return result


# --- reductions -------------------------------------------------------------------------------------------------

def max(x, axis=None, keepdims=False, initial=None):
    """The largest element along `axis`, at least `initial`."""
    result = p.max(x, axis, keepdims)
    return result if initial is None else p.maximum(result, initial)


def min(x, axis=None, keepdims=False, initial=None):
    """The smallest element along `axis`, at most `initial`."""
    result = p.min(x, axis, keepdims)
    return result if initial is None else p.minimum(result, initial)


def amax(x, axis=None, keepdims=False):
    """The largest element along `axis`."""
    return p.max(x, axis, keepdims)


def amin(x, axis=None, keepdims=False):
    """The smallest element along `axis`."""
    return p.min(x, axis, keepdims)


def ptp(x, axis=None, keepdims=False):
    """The difference between the largest and the smallest element along `axis`."""
    return p.subtract(p.max(x, axis, keepdims), p.min(x, axis, keepdims))


def prod(x, axis=None, keepdims=False, dtype=None):
    """The product over `axis`."""
    return p.prod(x if dtype is None else p.cast(x, dtype), axis, keepdims)


def argmax(x, axis=None, keepdims=False):
    """The position of the largest element along `axis`, or in the flattened tensor."""
    return _position(p.argmax, x, axis, keepdims)


def argmin(x, axis=None, keepdims=False):
    """The position of the smallest element along `axis`, or in the flattened tensor."""
    return _position(math.argmin, x, axis, keepdims)


def _position(function, x, axis, keepdims):
    if axis is not None:
        result = function(x, axis)
        return expand_dims(result, axis) if keepdims else result
    result = function(flatten(x), 0)
    return p.reshape(result, (1,) * ndim(x)) if keepdims else result


def average(x, axis=None, weights=None):
    """The mean over `axis`, with weights of the shape of `x` or, along one axis, a vector."""
    if weights is None:
        return mean(x, axis)
    if ndim(weights) != ndim(x):
        weights = shapes.resized(weights, [size if index == axis % ndim(x) else 1 for index, size
                                           in enumerate(shape(x))])
    weights = p.broadcast_to(weights, shape(x))
    return p.divide(p.sum(p.multiply(x, weights), axis), p.sum(weights, axis))


def cumsum(x, axis=None, dtype=None):
    """The running sum along `axis`, or of the flattened tensor."""
    return _running(p.cumsum, x, axis, dtype)


def cumprod(x, axis=None, dtype=None):
    """The running product along `axis`, or of the flattened tensor."""
    return _running(p.cumprod, x, axis, dtype)


def _running(function, x, axis, dtype):
    x = x if dtype is None else p.cast(x, dtype)
    result = function(flatten(x), 0) if axis is None else function(x, axis)
    return result if dtype is None else p.cast(result, dtype)


def trace(x, offset=0, axis1=0, axis2=1):
    """The sum of a diagonal."""
    return p.sum(diagonal(x, offset, axis1, axis2), -1)


def quantile(x, q, axis=None, method='linear', keepdims=False):
    """The `q`-th quantiles (between 0 and 1, a scalar or vector) along `axis`.

    Args:
        method: between two elements, 'linear', 'lower', 'higher', 'midpoint' or 'nearest'.
    """
    rank = ndim(x)
    axes = rules.normalize_axes(axis, rank)
    rest = [index for index in range(rank) if index not in axes]
    moved = p.transpose(x, tuple(rest) + axes)
    sizes = shape(moved)
    ordered = p.sort(shapes.resized(moved, sizes[:len(rest)] + (shapes.multiply_sizes(sizes[len(rest):]),)), -1)
    ordered = p.cast(ordered, rules.float_dtype(dtype_of(x)))
    position = p.multiply(p.cast(q, dtype_of(ordered)), p.cast(p.subtract(shape(ordered)[-1], 1), dtype_of(ordered)))
    result = _between(ordered, position, method)
    if ndim(q):
        result = moveaxis(result, -1, 0)
    if keepdims:
        result = expand_dims(result, tuple(entry + ndim(q) for entry in axes))
    return result


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
    return p.add(low, p.multiply(p.subtract(high, low), weights[method]))


def percentile(x, q, axis=None, method='linear', keepdims=False):
    """The `q`-th percentiles (between 0 and 100) along `axis`."""
    return quantile(x, p.divide(q, 100.0), axis, method, keepdims)


def median(x, axis=None, keepdims=False):
    """The median along `axis`."""
    return quantile(x, 0.5, axis, 'linear', keepdims)


def _without_nan(x, value):
    return p.where(isnan(x), value, x)


def nansum(x, axis=None, keepdims=False):
    """The sum over `axis`, NaN counting as 0."""
    return p.sum(_without_nan(x, 0), axis, keepdims)


def nanprod(x, axis=None, keepdims=False):
    """The product over `axis`, NaN counting as 1."""
    return p.prod(_without_nan(x, 1), axis, keepdims)


def nancumsum(x, axis=None, dtype=None):
    """The running sum along `axis`, NaN counting as 0."""
    return cumsum(_without_nan(x, 0), axis, dtype)


def nancumprod(x, axis=None, dtype=None):
    """The running product along `axis`, NaN counting as 1."""
    return cumprod(_without_nan(x, 1), axis, dtype)


def _or_nan(result, x, axis, keepdims):
    """`result`, and NaN where all elements of `x` along `axis` are."""
    return p.where(all(isnan(x), axis, keepdims), float('nan'), result)


def nanquantile(x, q, axis=None, method='linear', keepdims=False):
    """The `q`-th quantiles along `axis` of the elements that are not NaN."""
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


def nanpercentile(x, q, axis=None, method='linear', keepdims=False):
    """The `q`-th percentiles along `axis` of the elements that are not NaN."""
    return nanquantile(x, p.divide(q, 100.0), axis, method, keepdims)


def nanmedian(x, axis=None, keepdims=False):
    """The median along `axis` of the elements that are not NaN."""
    return nanquantile(x, 0.5, axis, 'linear', keepdims)


def nanmax(x, axis=None, keepdims=False):
    """The largest element along `axis` that is not NaN."""
    return _or_nan(p.max(_without_nan(x, float('-inf')), axis, keepdims), x, axis, keepdims)


def nanmin(x, axis=None, keepdims=False):
    """The smallest element along `axis` that is not NaN."""
    return _or_nan(p.min(_without_nan(x, float('inf')), axis, keepdims), x, axis, keepdims)


def nanargmax(x, axis=None, keepdims=False):
    """The position of the largest element that is not NaN, -1 where all are."""
    position = argmax(_without_nan(x, float('-inf')), axis, keepdims)
    return p.where(all(isnan(x), axis, keepdims), -1, position)


def nanargmin(x, axis=None, keepdims=False):
    """The position of the smallest element that is not NaN, -1 where all are."""
    position = argmin(_without_nan(x, float('inf')), axis, keepdims)
    return p.where(all(isnan(x), axis, keepdims), -1, position)


def nanmean(x, axis=None, keepdims=False):
    """The mean over `axis` of the elements that are not NaN."""
    present = p.cast(p.logical_not(isnan(x)), rules.float_dtype(dtype_of(x)))
    return p.divide(nansum(x, axis, keepdims), p.sum(present, axis, keepdims))


def nanvar(x, axis=None, keepdims=False):
    """The variance over `axis` of the elements that are not NaN."""
    deviations = p.subtract(x, nanmean(x, axis, True))
    return nanmean(p.multiply(deviations, deviations), axis, keepdims)


def nanstd(x, axis=None, keepdims=False):
    """The standard deviation over `axis` of the elements that are not NaN."""
    return p.sqrt(nanvar(x, axis, keepdims))


# --- shapes -----------------------------------------------------------------------------------------------------

def reshape(x, newshape):
    """`x` in another shape; one size may be -1 and follows from the others. None counts as -1."""
    sizes = newshape if isinstance(newshape, (list, tuple)) else (newshape,)
    return p.reshape(x, tuple(-1 if size is None else size for size in sizes))


def ravel(x):
    """`x` as a vector."""
    return flatten(x)


def size(x):
    """The number of elements, None for a `KerasTensor` of unknown size."""
    sizes = shape(x)
    return None if None in sizes else shapes.multiply_sizes(sizes)


def flip(x, axis=None):
    """`x` with the order of its elements along `axis` (an int, a tuple, or None for all) reversed."""
    return p.flip(x, rules.normalize_axes(axis, ndim(x)))


def fliplr(x):
    """`x` reversed along axis 1."""
    return p.flip(x, (1,))


def flipud(x):
    """`x` reversed along axis 0."""
    return p.flip(x, (0,))


def rot90(array, k=1, axes=(0, 1)):
    """`array` turned by `k` quarter turns from the first of `axes` towards the second."""
    first, second = axes
    if k % 4 == 0:
        return array
    if k % 4 == 2:
        return p.flip(array, (first, second))
    if k % 4 == 1:
        return swapaxes(p.flip(array, (second,)), first, second)
    return p.flip(swapaxes(array, first, second), (second,))


def concatenate(xs, axis=0):
    """The tensors of the list `xs` joined along `axis`."""
    return p.concatenate(xs, axis)


def stack(x, axis=0):
    """The tensors of the list `x`, all of one shape, along a new axis."""
    return shapes.stack(x, axis)


def append(x1, x2, axis=None):
    """`x2` behind `x1` along `axis`, or both flattened."""
    if axis is None:
        return p.concatenate([flatten(x1), flatten(x2)], 0)
    return p.concatenate([x1, x2], axis)


def hstack(xs):
    """The tensors of the list joined along axis 1, vectors along axis 0."""
    xs = [p.reshape(x, (1,)) if not ndim(x) else x for x in xs]
    return p.concatenate(xs, 0 if ndim(xs[0]) == 1 else 1)


def vstack(xs):
    """The tensors of the list joined along axis 0, vectors as rows."""
    return p.concatenate([p.reshape(x, (1, -1)) if ndim(x) < 2 else x for x in xs], 0)


def dstack(xs):
    """The tensors of the list joined along axis 2."""
    def deep(x):
        if ndim(x) < 2:
            return p.reshape(x, (1, -1, 1))
        return expand_dims(x, 2) if ndim(x) == 2 else x
    return p.concatenate([deep(x) for x in xs], 2)


def hsplit(x, indices_or_sections):
    """Parts of `x` along axis 1 (axis 0 of a vector)."""
    return split(x, indices_or_sections, 0 if ndim(x) == 1 else 1)


def vsplit(x, indices_or_sections):
    """Parts of `x` along axis 0."""
    return split(x, indices_or_sections, 0)


def dsplit(x, indices_or_sections):
    """Parts of `x` along axis 2."""
    return split(x, indices_or_sections, 2)


def array_split(x, indices_or_sections, axis=0):
    """Parts of `x` along `axis`, the first ones longer by one where the size is not a multiple."""
    if not isinstance(indices_or_sections, int):
        return split(x, indices_or_sections, axis)
    length, rest = builtins.divmod(static_shape(x)[axis], indices_or_sections)
    bounds = [index * length + builtins.min(index, rest) for index in range(1, indices_or_sections)]
    return split(x, tuple(bounds), axis)


def get_item(x, key):
    """`x[key]` with ints, slices, None, Ellipsis and at most one integer tensor."""
    return getitem(x, key)


def pad(x, pad_width, mode='constant', constant_values=None):
    """`x` with elements added around each axis.

    Args:
        pad_width: pairs (before, after), one per axis, one pair for all, or an int.
        mode: 'constant', 'reflect', 'symmetric' or 'edge'.
    """
    rank = ndim(x)
    widths = _np.broadcast_to(_np.asarray(pad_width), (rank, 2)).tolist()
    if mode == 'constant':
        value = 0 if constant_values is None else constant_values
        return p.pad(x, tuple(tuple(pair) for pair in widths), value)
    if mode not in ('reflect', 'symmetric', 'edge'):
        raise ValueError("pad: `mode` must be 'constant', 'reflect', 'symmetric' or 'edge'. Received: %r" % (mode,))
    for axis, (before, after) in enumerate(widths):
        if before or after:
            positions = _np.pad(_np.arange(static_shape(x)[axis]), (before, after), mode=mode)
            x = p.gather(x, positions.astype('int32'), axis)
    return x


def diagflat(x, k=0):
    """The matrix with the flattened `x` on its `k`-th diagonal."""
    return diag(flatten(x), k)


def diff(a, n=1, axis=-1):
    """The `n`-th differences of neighbours along `axis`."""
    for _ in range(n):
        a = p.subtract(shapes.sliced(a, axis, 1, None), shapes.sliced(a, axis, 0, -1))
    return a


def trapezoid(y, x=None, dx=1.0, axis=-1):
    """The integral of `y` along `axis` by the trapezoidal rule."""
    middle = p.multiply(p.add(shapes.sliced(y, axis, 1, None), shapes.sliced(y, axis, 0, -1)), 0.5)
    if x is None:
        return p.multiply(p.sum(middle, axis), dx)
    widths = diff(x)
    if ndim(x) == 1:
        rank = ndim(y)
        widths = shapes.resized(widths, [shape(widths)[0] if index == axis % rank else 1 for index in range(rank)])
    return p.sum(p.multiply(middle, widths), axis)


def unravel_index(indices, shape):
    """The positions along every axis of a tensor of `shape` that flat `indices` stand for."""
    parts = []
    for size in builtins.reversed(tuple(shape)):
        parts.append(p.mod(indices, size))
        indices = p.floor_divide(indices, size)
    return tuple(builtins.reversed(parts))


# --- products ---------------------------------------------------------------------------------------------------

def einsum(subscripts, *operands, **kwargs):
    """The sum of products that `subscripts` describe in Einstein's notation."""
    return math.einsum(subscripts, list(operands))


def inner(x1, x2):
    """The product over the last axes of both."""
    if not ndim(x1) or not ndim(x2):
        return p.multiply(x1, x2)
    return tensordot(x1, x2, ((-1,), (-1,)))


def vdot(x1, x2):
    """The dot product of two flattened tensors."""
    return p.sum(p.multiply(flatten(x1), flatten(x2)))


def kron(x1, x2):
    """The Kronecker product."""
    rank = builtins.max(ndim(x1), ndim(x2))
    first = shapes.resized(x1, (1,) * (rank - ndim(x1)) + shape(x1))
    second = shapes.resized(x2, (1,) * (rank - ndim(x2)) + shape(x2))
    outer_, inner_, sizes = [], [], []
    for a, b in builtins.zip(shape(first), shape(second)):
        outer_ += [a, 1]
        inner_ += [1, b]
        sizes.append(a * b)
    return shapes.resized(p.multiply(shapes.resized(first, outer_), shapes.resized(second, inner_)), sizes)


def cross(x1, x2, axisa=-1, axisb=-1, axisc=-1, axis=None):
    """The vector product of vectors of two or three components along an axis."""
    if axis is not None:
        axisa = axisb = axisc = axis
    a, b = shapes.unstack(x1, axis=axisa), shapes.unstack(x2, axis=axisb)
    third = p.subtract(p.multiply(a[0], b[1]), p.multiply(a[1], b[0]))
    if len(a) == 2 and len(b) == 2:
        return third
    a3, b3 = (a[2] if len(a) == 3 else 0), (b[2] if len(b) == 3 else 0)
    first = p.subtract(p.multiply(a[1], b3), p.multiply(a3, b[1]))
    second = p.subtract(p.multiply(a3, b[0]), p.multiply(a[0], b3))
    return shapes.stack([first, second, third], axisc)


def corrcoef(x):
    """The matrix of correlation coefficients of the rows of `x`."""
    x = x if ndim(x) == 2 else p.reshape(x, (1, -1))
    centered = p.subtract(x, mean(x, -1, True))
    covariance = p.matmul(centered, p.transpose(centered))
    deviations = p.sqrt(diag(covariance))
    result = clip(p.divide(p.divide(covariance, expand_dims(deviations, 1)), expand_dims(deviations, 0)), -1.0, 1.0)
    return result if static_shape(result) != (1, 1) else p.reshape(result, ())


def correlate(x1, x2, mode='valid'):
    """The cross-correlation of two vectors; `mode` is 'valid', 'same' or 'full'."""
    n, m = static_shape(x1)[0], static_shape(x2)[0]
    if m > n:
        return p.flip(correlate(x2, x1, mode), (0,))
    before = {'valid': 0, 'same': m // 2, 'full': m - 1}[mode]
    after = {'valid': 0, 'same': (m - 1) - m // 2, 'full': m - 1}[mode]
    dtype = rules.result_dtype(dtype_of(x1), dtype_of(x2))
    floating = rules.float_dtype(dtype)
    padded = p.pad(p.cast(x1, floating), ((before, after),))
    result = p.conv(p.reshape(padded, (1, -1, 1)), p.reshape(p.cast(x2, floating), (-1, 1, 1)), (1,), 'valid', (1,))
    return p.cast(p.reshape(result, (-1,)), dtype)


# --- order and counting -----------------------------------------------------------------------------------------

def argpartition(x, kth, axis=-1):
    """Positions that put the `kth` smallest element along `axis` in its place, the smaller ones before it."""
    return p.argsort(x, axis)


def digitize(x, bins):
    """The numbers of the intervals between the rising `bins` in which the elements lie."""
    positions = p.searchsorted(bins, flatten(x), 'right')
    return shapes.resized(positions, shape(x))


def bincount(x, weights=None, minlength=0, sparse=False):
    """How often each integer from 0 occurs along the last axis of `x`, or the sums of `weights`.

    The number of bins is the largest integer plus 1, at least `minlength`; it follows from the values.
    """
    array = convert_to_numpy(x)
    bins = builtins.max(int(array.max()) + 1 if array.size else 0, minlength)
    hot = shapes.one_hot(x, bins, -1, 'int32' if weights is None else dtype_of(weights))
    return p.sum(hot if weights is None else p.multiply(hot, expand_dims(weights, -1)), -2)


def histogram(x, bins=10, range=None):
    """Counts of the elements in `bins` equal intervals of `range` (default smallest to largest), and their edges."""
    low, high = (p.min(x), p.max(x)) if range is None else range
    dtype = rules.float_dtype(dtype_of(x))
    edges = linspace(low, high, bins + 1, dtype=dtype)
    flat = p.cast(flatten(x), dtype)
    position = p.minimum(p.subtract(p.searchsorted(edges, flat, 'right'), 1), bins - 1)
    inside = p.logical_and(less_equal(low, flat), less_equal(flat, high))
    hot = shapes.one_hot(position, bins, -1, 'int32')
    return p.sum(p.multiply(hot, expand_dims(p.cast(inside, 'int32'), 1)), 0), edges


def isin(x1, x2, assume_unique=False, invert=False):
    """True where an element of `x1` is among those of `x2`."""
    found = any(p.equal(expand_dims(x1, -1), flatten(x2)), -1)
    return p.logical_not(found) if invert else found


def unique(x, sorted=True, return_index=False, return_inverse=False, return_counts=False, axis=None, size=None,
           fill_value=None):
    """The distinct elements of `x` in rising order. Their number follows from the values: not for symbolic tensors.

    Args:
        size: cut or fill (with `fill_value`, default the first element) to that many.
    """
    found = _np.unique(convert_to_numpy(x), True, True, True, axis)
    values, wanted = found[0], [True, return_index, return_inverse, return_counts]
    parts = [part for part, want in builtins.zip(found, wanted) if want]
    if size is not None:
        filler = values[:1] if fill_value is None else _np.full_like(values[:1], fill_value)
        parts[0] = _np.concatenate([values] + [filler] * (size - len(values)))[:size]
    tensors = [convert_to_tensor(part, 'int32' if index else None) for index, part in builtins.enumerate(parts)]
    return tensors[0] if len(tensors) == 1 else tuple(tensors)
