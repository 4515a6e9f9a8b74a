"""What is done to each element of tensors, under the names and signatures of Keras 3."""
import builtins
import math as _math

import numpy as _np

from keras.backend.contract import rules
from keras.backend.contract.loading import is_sparse
from keras.backend.table import primitives as p
from keras.backend.table.composites import math
from keras.backend.table.composites.math import (all, any, divide_no_nan, exp2, isinf, isnan, less_equal, logaddexp,
                                                 not_equal)
from keras.backend.table.composites.shape import computed, dtype_of, ndim, unstack, zeros_like
from keras.backend.table.dispatch import composite
from keras.backend.table.joined import joined
from keras.ops.creation import full_like
from keras.ops.dtypes import as_tensor, common_dtype, exact, floating, is_whole, largest, together


def trunc(x):
    """The whole part of `x`, in its dtype.

    Example:
        >>> keras.ops.trunc([1.7, -1.7])
        array([ 1., -1.], dtype=float32)
    """
    return as_tensor(x) if is_whole(x) else math.trunc(x)


def square(x):
    """`x * x`; of booleans int32.

    Example:
        >>> keras.ops.square([2, -3])
        array([4, 9], dtype=int32)
    """
    return math.square(p.cast(x, 'int32') if dtype_of(x) == 'bool' else x)


def round(x, decimals=0):
    """The nearest number with that many decimals, halves to the even one.

    With negative `decimals` the nearest multiple of 10, 100, ...; integers stay integers.

    Example:
        >>> keras.ops.round([1.25, 2.75], 1)
        array([1.2, 2.8], dtype=float32)
    """
    if is_whole(x) and dtype_of(x) != 'bool':
        if decimals >= 0:
            return as_tensor(x)
        step = 10 ** -decimals
        rest = p.mod(x, step)
        low = p.subtract(x, rest)
        odd = p.equal(p.mod(p.floor_divide(low, step), 2), 1)
        up = p.logical_or(p.less(step, p.multiply(rest, 2)), p.logical_and(p.equal(p.multiply(rest, 2), step), odd))
        return p.where(up, p.add(low, step), low)
    if decimals < 0:
        return p.multiply(p.round(p.divide(x, 10.0 ** -decimals)), 10.0 ** -decimals)
    return p.divide(p.round(p.multiply(x, 10.0 ** decimals)), 10.0 ** decimals) if decimals else p.round(x)


def where(condition, x1=None, x2=None):
    """`x1` where the condition is True, `x2` elsewhere; the positions of True where neither is given.

    Example:
        >>> keras.ops.where([True, False], [1, 2], [3, 4])
        array([1, 4], dtype=int32)
    """
    if x1 is None and x2 is None:
        return nonzero(condition)
    if x1 is None or x2 is None:
        raise ValueError('where: `x1` and `x2` either both should be `None` or both be tensors. Received: x1=%r, x2=%r'
                         % (x1, x2))
    return p.where(condition if dtype_of(condition) == 'bool' else p.cast(condition, 'bool'), x1, x2)


def nonzero(x):
    """The positions of elements that are not 0, one vector per axis. How many follows from the values.

    Example:
        >>> keras.ops.nonzero([0, 3, 0, 5])
        (array([1, 3], dtype=int32),)
    """
    return tuple(unstack(found_nonzero(x), ndim(x)))


@composite(gradient=False)
def found_nonzero(x):
    """The positions of elements that are not 0 as one matrix (axes, count)."""
    return computed(lambda array: _np.stack(_np.nonzero(array)).astype('int32'), [x], 'int32', (ndim(x), None))


def bitwise_not(x):
    """The integer with every bit flipped; of booleans the opposite.

    Example:
        >>> keras.ops.bitwise_invert([0, 5])
        array([-1, -6], dtype=int32)
    """
    if dtype_of(x) == 'bool':
        return p.logical_not(x)
    return p.subtract(-1, x) if not dtype_of(x).startswith('u') else p.bitwise_xor(x, _np.iinfo(dtype_of(x)).max)


bitwise_invert = bitwise_not


def conjugate(x):
    """The complex conjugate, which is `x` for real numbers.

    Example:
        >>> keras.ops.conj([1 + 2j, 3 - 1j])
        array([1.-2.j, 3.+1.j], dtype=complex64)
    """
    if not _is_complex(x):
        return as_tensor(x)
    if is_sparse(x):
        return p.subtract(x, p.multiply(p.imag(x), 2j))
    return p.complex_number(p.real(x), p.negative(p.imag(x)))


conj = conjugate


def _is_complex(x):
    return dtype_of(x).startswith('complex')


def _floating(x):
    """`x` as a float."""
    return p.cast(x, rules.float_dtype(dtype_of(x)))


def real(x):
    """The real part, which is `x` for real numbers.

    Example:
        >>> keras.ops.real([1 + 2j, 3 - 1j])
        array([1., 3.], dtype=float32)
    """
    return p.real(x) if _is_complex(x) else as_tensor(x)


def imag(x):
    """The imaginary part, which is 0 for real numbers.

    Example:
        >>> keras.ops.imag([1 + 2j, 3 - 1j])
        array([ 2., -1.], dtype=float32)
    """
    if _is_complex(x):
        return p.imag(x)
    return p.multiply(x, 0) if is_sparse(x) or getattr(x, 'sparse', False) else zeros_like(x)


def isreal(x):
    """True where the imaginary part is 0: everywhere for real numbers.

    Example:
        >>> keras.ops.isreal([1 + 2j, 3 + 0j])
        array([False,  True])
    """
    return p.equal(p.imag(x), 0) if _is_complex(x) else p.full_like(x, True, 'bool')


@joined
def angle(x):
    """The argument of a complex number: 0 for positive, pi for negative real numbers.

    Example:
        >>> keras.ops.angle([-1.0, 1.0])
        array([3.1415927, 0.       ], dtype=float32)
    """
    if _is_complex(x):
        return p.arctan2(p.imag(x), p.real(x))
    x = p.cast(x, rules.float_dtype(dtype_of(x)))
    return p.where(p.less(x, 0), p.full_like(x, _math.pi), p.where(isnan(x), x, p.full_like(x, 0.0)))


def view(x, dtype=None):
    """The bytes of `x` read as another dtype; the last axis becomes longer or shorter where that has another size.

    Example:
        >>> keras.ops.view(np.array([1.0], 'float32'), 'int32')
        array([1065353216], dtype=int32)
    """
    return x if dtype is None else p.view(x, rules.dtype_named(dtype))


@joined
def nextafter(x1, x2):
    """The next float behind `x1` on the way to `x2`.

    Example:
        >>> keras.ops.nextafter([1.0], [2.0])
        array([1.0000001], dtype=float32)
    """
    x1, x2 = floating(x1, x2)
    dtype = dtype_of(x1)
    x1, x2 = p.add(x1, zeros_like(x2)), p.add(x2, zeros_like(x1))
    whole = {'float16': 'int16', 'bfloat16': 'int16', 'float32': 'int32', 'float64': 'int64'}[dtype]
    # Floats of one sign are ordered as the integers that have their bits.
    bits = p.view(x1, whole)
    away = p.equal(p.less(x1, x2), p.less(0, x1))
    one = p.full_like(bits, 1)
    # The smallest numbers, which some engines take for 0 where they compute with them.
    smallest = p.where(p.less(x2, 0), p.full_like(bits, int(_np.iinfo(whole).min) + 1), one)
    neighbour = p.where(away, p.add(bits, one), p.subtract(bits, one))
    moved = p.view(p.where(p.equal(x1, 0), smallest, neighbour), dtype)
    return p.where(p.equal(x1, x2), x2, p.where(p.logical_or(isnan(x1), isnan(x2)), p.add(x1, x2), moved))


def fabs(x):
    """The absolute value, as a float.

    Example:
        >>> keras.ops.fabs([-1, 2])
        array([1., 2.], dtype=float32)
    """
    return p.abs(_floating(x))


def cbrt(x):
    """The real cube root.

    Example:
        >>> keras.ops.cbrt([8.0])
        array([2.], dtype=float32)
    """
    return math.cbrt(exact(x))


@joined
def deg2rad(x):
    """Degrees in radians.

    Example:
        >>> keras.ops.deg2rad([0.0, 180.0])
        array([0.       , 3.1415927], dtype=float32)
    """
    return p.multiply(exact(x), _math.pi / 180.0)


@joined
def rad2deg(x):
    """Radians in degrees.

    Example:
        >>> keras.ops.rad2deg([np.pi])
        array([180.], dtype=float32)
    """
    return p.multiply(exact(x), 180.0 / _math.pi)


def isposinf(x):
    """True where `x` is plus infinity.

    Example:
        >>> keras.ops.isposinf([-np.inf, np.inf])
        array([False,  True])
    """
    return p.logical_and(isinf(x), p.less(0, x))


def isneginf(x):
    """True where `x` is minus infinity.

    Example:
        >>> keras.ops.isneginf([-np.inf, np.inf])
        array([ True, False])
    """
    return p.logical_and(isinf(x), p.less(x, 0))


@joined
def isclose(x1, x2, rtol=1e-5, atol=1e-8, equal_nan=False):
    """True where `|x1 - x2| <= atol + rtol |x2|`.

    Example:
        >>> keras.ops.isclose([1.0, 2.0], [1.0, 2.1])
        array([ True, False])
    """
    x1, x2 = together(x1, x2)
    allowed = p.add(p.multiply(p.abs(x2), rtol), atol)
    near = p.logical_and(less_equal(p.abs(p.subtract(x1, x2)), allowed), p.isfinite(x2))
    near = p.logical_or(near, p.equal(x1, x2))
    return p.logical_or(near, p.logical_and(isnan(x1), isnan(x2))) if equal_nan else near


@joined
def allclose(x1, x2, rtol=1e-5, atol=1e-8, equal_nan=False):
    """Whether `isclose` holds everywhere, a scalar boolean.

    Example:
        >>> keras.ops.allclose([1.0, 2.0], [1.0, 2.0 + 1e-9])
        np.True_
    """
    return all(isclose(x1, x2, rtol, atol, equal_nan))


@joined
def signbit(x):
    """True where `x` is negative, or -0.0.

    Example:
        >>> keras.ops.signbit([-2.0, 3.0])
        array([ True, False])
    """
    return p.less(x, 0) if is_whole(x) else p.less(p.arctan2(x, -1.0), 0.0)


@joined
def heaviside(x1, x2):
    """0 where `x1` is negative, `x2` where it is 0, 1 where it is positive.

    Example:
        >>> keras.ops.heaviside([-1.0, 0.0, 2.0], 0.5)
        array([0. , 0.5, 1. ], dtype=float32)
    """
    dtype = common_dtype(x1, x2)
    dtype = 'float32' if dtype == 'bool' else dtype if rules.is_float(dtype) else rules.float_dtype(dtype)
    step = p.where(p.less(x1, 0), 0.0, p.where(p.equal(x1, 0), x2, 1.0))
    return p.cast(step if is_whole(x1) else p.where(isnan(x1), x1, step), dtype)


@joined
def hypot(x1, x2):
    """`sqrt(x1^2 + x2^2)`, without overflow.

    Example:
        >>> keras.ops.hypot([3.0], [4.0])
        array([5.], dtype=float32)
    """
    x1, x2 = floating(x1, x2)
    first, second = p.abs(x1), p.abs(x2)
    swapped = p.less(first, second)
    larger, smaller = p.where(swapped, second, first), p.where(swapped, first, second)
    ratio = divide_no_nan(smaller, larger)
    length = p.multiply(larger, p.sqrt(p.add(p.multiply(ratio, ratio), 1.0)))
    length = p.where(p.logical_or(isnan(x1), isnan(x2)), float('nan'), length)
    return p.where(p.logical_or(isinf(x1), isinf(x2)), float('inf'), length)


@joined
def logaddexp2(x1, x2):
    """`log2(2^x1 + 2^x2)`, without overflow.

    Example:
        >>> keras.ops.logaddexp2([1.0], [1.0])
        array([2.], dtype=float32)
    """
    log_2 = _math.log(2.0)
    x1, x2 = floating(x1, x2)
    return p.divide(logaddexp(p.multiply(x1, log_2), p.multiply(x2, log_2)), log_2)


def ldexp(x1, x2):
    """`x1 * 2^x2`.

    Example:
        >>> keras.ops.ldexp([1.0, 3.0], [2, 1])
        array([4., 6.], dtype=float32)
    """
    x1, x2 = floating(x1, x2)
    dtype = dtype_of(x1)
    largest = {'float16': 15.0, 'float64': 1023.0}.get(dtype, 127.0)
    # In steps whose factors are finite: from the smallest number to the largest takes three.
    for _ in range(3):
        step = p.minimum(p.maximum(x2, 1.0 - largest), largest)
        x1, x2 = p.multiply(x1, exp2(step)), p.subtract(x2, step)
    return p.cast(x1, dtype)


@joined
def fmod(x1, x2):
    """The remainder of the division rounded towards 0; it has the sign of `x1`.

    Example:
        >>> keras.ops.fmod([7, -7], 3)
        array([ 1, -1], dtype=int32)
    """
    dtype = common_dtype(x1, x2)
    x1, x2 = together(x1, x2, dtype='int32' if dtype == 'bool' else dtype)
    return p.multiply(p.sign(x1), p.mod(p.abs(x1), p.abs(x2)))


@joined
def fmax(x1, x2):
    """The larger of two numbers, the other one where one is NaN.

    Example:
        >>> keras.ops.fmax([1.0, np.nan], [0.0, 2.0])
        array([1., 2.], dtype=float32)
    """
    return p.where(isnan(x1), x2, p.where(isnan(x2), x1, p.maximum(x1, x2)))


@joined
def fmin(x1, x2):
    """The smaller of two numbers, the other one where one is NaN.

    Example:
        >>> keras.ops.fmin([1.0, np.nan], [0.0, 2.0])
        array([0., 2.], dtype=float32)
    """
    return p.where(isnan(x1), x2, p.where(isnan(x2), x1, p.minimum(x1, x2)))


@joined
def gcd(x1, x2):
    """The greatest common divisor of integers, by Euclid's algorithm.

    Example:
        >>> keras.ops.gcd([12, 18], 8)
        array([4, 2], dtype=int32)
    """
    a, b = [p.abs(x) for x in together(x1, x2)]
    a, b = p.add(a, zeros_like(b)), p.add(b, zeros_like(a))

    def step(a, b):
        done = p.equal(b, 0)
        return [p.where(done, a, b), p.where(done, b, p.mod(a, p.where(done, p.full_like(b, 1), b)))]
    # The remainders fall at least as fast as Fibonacci numbers, of which 92 fit into 64 bits (Lame, 1844).
    return p.while_loop(lambda a, b: any(not_equal(b, 0)), step, [a, b], 92)[0]


@joined
def lcm(x1, x2):
    """The least common multiple of integers.

    Example:
        >>> keras.ops.lcm([4, 6], 10)
        array([20, 30], dtype=int32)
    """
    x1, x2 = together(x1, x2)
    divisor = gcd(x1, x2)
    safe = p.where(p.equal(divisor, 0), p.full_like(divisor, 1), divisor)
    return p.multiply(p.floor_divide(p.abs(x1), safe), p.abs(x2))


@joined
def sinc(x):
    """`sin(pi x) / (pi x)`, 1 at 0.

    Example:
        >>> keras.ops.sinc([0.0, 0.5])
        array([1.        , 0.63661975], dtype=float32)
    """
    scaled = p.multiply(x, _math.pi)
    zero = p.equal(scaled, 0.0)
    return p.where(zero, 1.0, p.divide(p.sin(scaled), p.where(zero, 1.0, scaled)))


@joined
def i0(x):
    """The modified Bessel function of the first kind, order 0 (Abramowitz and Stegun 9.8.1 and 9.8.2).

    Example:
        >>> keras.ops.i0([0.0, 1.0])
        array([1.       , 1.2660658], dtype=float32)
    """
    size = p.abs(exact(x))
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


@joined
def nan_to_num(x, nan=0.0, posinf=None, neginf=None):
    """`x` with NaN and infinities replaced; infinities by the largest finite numbers by default.

    Example:
        >>> keras.ops.nan_to_num([1.0, np.nan], nan=5.0)
        array([1., 5.], dtype=float32)
    """
    if is_whole(x):
        return as_tensor(x)
    dtype = rules.float_dtype(dtype_of(x))
    most = largest(dtype)
    x = p.where(isnan(x), nan, x)
    x = p.where(isposinf(x), most if posinf is None else posinf, x)
    return p.where(isneginf(x), -most if neginf is None else neginf, x)


def select(condlist, choicelist, default=0):
    """From the first choice whose condition is True, `default` where none is.

    Example:
        >>> keras.ops.select([[True, False], [True, True]], [[1, 2], [3, 4]])
        array([1, 4], dtype=int32)
    """
    result = default
    for condition, choice in builtins.reversed(list(builtins.zip(condlist, choicelist))):
        result = p.where(condition, choice, result)
    return result
