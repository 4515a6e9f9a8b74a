"""Elementwise functions, comparisons, reductions and products beyond the primitives, written once."""
import math
import string

from keras.backend.contract import rules
from keras.backend.table import primitives as p
from keras.backend.table.cases import B, F, I, P, Sample, U
from keras.backend.table.composites.shape import (count, diagonal, dtype_of, expand_dims, flatten, multiply_sizes, ndim,
                                                  resized, shape, squeeze, static_shape)
from keras.backend.table.dispatch import composite

_LOG_2 = math.log(2.0)
_LOG_10 = math.log(10.0)


# --- comparisons ------------------------------------------------------------------------------------------------

_PAIRS = [(I(3, 6), I(3, 6)), (F(2, 3), F(3)), (F(4), 0.5)]


@composite('x1 x2', promote='same', cases=_PAIRS)
def greater(x1, x2):
    """True where `x1 > x2`.

    Example:
        >>> keras.ops.greater([1, 3], 2)
        array([False,  True])
    """
    return p.less(x2, x1)


@composite('x1 x2', promote='same', cases=_PAIRS)
def greater_equal(x1, x2):
    """True where `x1 >= x2`.

    Example:
        >>> keras.ops.greater_equal([1, 2], 2)
        array([False,  True])
    """
    return p.logical_or(p.less(x2, x1), p.equal(x1, x2))


@composite('x1 x2', promote='same', cases=_PAIRS)
def less_equal(x1, x2):
    """True where `x1 <= x2`.

    Example:
        >>> keras.ops.less_equal([1, 2, 3], 2)
        array([ True,  True, False])
    """
    return p.logical_or(p.less(x1, x2), p.equal(x1, x2))


@composite('x1 x2', promote='same', cases=_PAIRS)
def not_equal(x1, x2):
    """True where `x1 != x2`.

    Example:
        >>> keras.ops.not_equal([1, 2], [1, 3])
        array([False,  True])
    """
    return p.logical_not(p.equal(x1, x2))


@composite('x1 x2', promote='bool', cases=[(B(2, 3), B(3)), (F(2, 3), I(3, 3))])
def logical_xor(x1, x2):
    """True where exactly one boolean is.

    Example:
        >>> keras.ops.logical_xor([True, True], [True, False])
        array([False,  True])
    """
    return p.logical_and(p.logical_or(x1, x2), p.logical_not(p.logical_and(x1, x2)))


@composite(promote='float', cases=[(F(2, 3),)])
def isnan(x):
    """True where `x` is not a number.

    Example:
        >>> keras.ops.isnan([1.0, np.inf, np.nan])
        array([False, False,  True])
    """
    return p.logical_not(p.equal(x, x))


@composite(promote='float', cases=[(F(2, 3),)])
def isinf(x):
    """True where `x` is infinite.

    Example:
        >>> keras.ops.isinf([1.0, np.inf, np.nan])
        array([False,  True, False])
    """
    return p.logical_and(p.logical_not(p.isfinite(x)), p.equal(x, x))


# --- elementwise ------------------------------------------------------------------------------------------------

@composite(promote='float', cases=[(F(2, 3),)])
def ceil(x):
    """The smallest whole number that is not below `x`, as a float.

    Example:
        >>> keras.ops.ceil([1.2, -1.2])
        array([ 2., -1.], dtype=float32)
    """
    return -p.floor(-x)


@composite(promote='float', cases=[(F(2, 3),)])
def trunc(x):
    """The whole part of `x`, as a float."""
    return p.sign(x) * p.floor(p.abs(x))


@composite(cases=[(F(2, 3),), (I(5, 3),)])
def square(x):
    """`x * x`."""
    return p.multiply(x, x)


@composite(promote='float', cases=[(P(2, 3),)])
def reciprocal(x):
    """`1 / x`.

    Example:
        >>> keras.ops.reciprocal([2.0, 4.0])
        array([0.5 , 0.25], dtype=float32)
    """
    return 1.0 / x


@composite(promote='float', cases=[(P(2, 3),)])
def rsqrt(x):
    """`1 / sqrt(x)`.

    Example:
        >>> keras.ops.rsqrt([4.0, 16.0])
        array([0.5 , 0.25], dtype=float32)
    """
    return 1.0 / p.sqrt(x)


@composite(promote='float', cases=[(P(2, 3),), (F(4),)])
def cbrt(x):
    """The real cube root.

    Example:
        >>> keras.ops.cbrt([8.0, -27.0])
        array([ 2.       , -3.0000002], dtype=float32)
    """
    return p.sign(x) * p.power(p.abs(x), 1.0 / 3.0)


@composite(promote='float', cases=[(F(2, 3),)])
def expm1(x):
    """`exp(x) - 1`, exact for small `x` too: tanh(x/2) (exp(x) + 1).

    Example:
        >>> keras.ops.expm1([0.0, 1.0])
        array([0.      , 1.718282], dtype=float32)
    """
    return p.tanh(x * 0.5) * (p.exp(x) + 1.0)


@composite(promote='float', cases=[(P(2, 3),), (U(3),)])
def log1p(x):
    """`log(1 + x)`, exact for small `x` too (Kahan's correction of the rounding of 1 + x).

    Example:
        >>> keras.ops.log1p([0.0, 1.0])
        array([0.       , 0.6931472], dtype=float32)
    """
    total = x + 1.0
    rounded = total - 1.0
    plain = p.logical_or(p.equal(rounded, 0.0), p.logical_not(p.isfinite(total)))
    ratio = x / p.where(plain, p.full_like(x, 1.0), rounded)
    return p.where(p.equal(rounded, 0.0), x, p.log(total) * p.where(plain, p.full_like(x, 1.0), ratio))


@composite(promote='float', cases=[(F(2, 3),)])
def exp2(x):
    """2 to the power of `x`.

    Example:
        >>> keras.ops.exp2([0.0, 3.0])
        array([1., 8.], dtype=float32)
    """
    return p.exp(x * _LOG_2)


@composite(promote='float', cases=[(P(2, 3),)])
def log2(x):
    """The logarithm to base 2.

    Example:
        >>> keras.ops.log2([1.0, 8.0])
        array([0., 3.], dtype=float32)
    """
    return p.log(x) / _LOG_2


@composite(promote='float', cases=[(P(2, 3),)])
def log10(x):
    """The logarithm to base 10.

    Example:
        >>> keras.ops.log10([1.0, 1000.0])
        array([0., 3.], dtype=float32)
    """
    return p.log(x) / _LOG_10


@composite(promote='float', cases=[(U(2, 3),)])
def tan(x):
    """The tangent of an angle in radians.

    Example:
        >>> keras.ops.tan([0.0, np.pi / 4])
        array([0., 1.], dtype=float32)
    """
    return p.sin(x) / p.cos(x)


@composite(promote='float', cases=[(F(2, 3),)])
def sinh(x):
    """The hyperbolic sine.

    Example:
        >>> keras.ops.sinh([0.0, 1.0])
        array([0.       , 1.1752013], dtype=float32)
    """
    return (expm1(x) - expm1(-x)) * 0.5


@composite(promote='float', cases=[(F(2, 3),)])
def cosh(x):
    """The hyperbolic cosine.

    Example:
        >>> keras.ops.cosh([0.0, 1.0])
        array([1.       , 1.5430807], dtype=float32)
    """
    return (p.exp(x) + p.exp(-x)) * 0.5


@composite(promote='float', cases=[(U(2, 3),)])
def arccos(x):
    """The angle in [0, pi] whose cosine is `x`.

    Example:
        >>> keras.ops.arccos([-1.0, 0.0, 1.0])
        array([3.1415927, 1.5707964, 0.       ], dtype=float32)
    """
    return math.pi / 2 - p.arcsin(x)


@composite(promote='float', cases=[(F(2, 3),)])
def arcsinh(x):
    """The inverse of `sinh`.

    Example:
        >>> keras.ops.arcsinh([0.0, 1.0])
        array([0.       , 0.8813736], dtype=float32)
    """
    sign = p.where(p.less(x, 0.0), p.full_like(x, -1.0), p.full_like(x, 1.0))
    size = x * sign
    near = p.minimum(size, _square_root_of_all(x))
    return sign * _or_logarithm_of_double(size, log1p(near + near * near / (p.sqrt(near * near + 1.0) + 1.0)))


def _square_root_of_all(x):
    """A number whose square is far below the largest one of its dtype."""
    return 100.0 if dtype_of(x) == 'float16' else 1e10


def _or_logarithm_of_double(size, value):
    """`value`, and where `size` is too large to be squared what both inverses of hyperbolic functions come to."""
    large = p.less(_square_root_of_all(size), size)
    # The slope of what is not taken has to be finite as well: 0 times infinity would be the slope of all.
    return p.where(large, p.log(p.where(large, size, 1.0)) + math.log(2.0), value)


@composite(promote='float', cases=[(Sample('float', (2, 3), 1.1, 3.0),)])
def arccosh(x):
    """The inverse of `cosh` on numbers from 1 up.

    Example:
        >>> keras.ops.arccosh([1.0, 2.0])
        array([0.      , 1.316958], dtype=float32)
    """
    near = p.minimum(x, _square_root_of_all(x))
    return _or_logarithm_of_double(x, p.log(near + p.sqrt(near - 1.0) * p.sqrt(near + 1.0)))


@composite(promote='float', cases=[(U(2, 3),)])
def arctanh(x):
    """The inverse of `tanh`.

    Example:
        >>> keras.ops.arctanh([0.0, 0.5])
        array([0.        , 0.54930615], dtype=float32)
    """
    return (log1p(x) - log1p(-x)) * 0.5


@composite('x1 x2', promote='same_float', cases=[(F(2, 3), F(3))])
def logaddexp(x1, x2):
    """`log(exp(x1) + exp(x2))`, without overflow.

    Example:
        >>> keras.ops.logaddexp([0.0], [0.0])
        array([0.6931472], dtype=float32)
    """
    # The larger of equal ones is the first for all that follows, so that each has half of the slope.
    swapped = p.less(x1, x2)
    larger, smaller = p.where(swapped, x2, x1), p.where(swapped, x1, x2)
    return larger + log1p(p.exp(smaller - p.where(p.isfinite(larger), larger, 0.0)))


@composite('x1 x2', promote='same_float', cases=[(F(2, 3), F(3)), (F(4), 0.0)])
def divide_no_nan(x1, x2):
    """`x1 / x2`, and 0 where `x2` is 0.

    Example:
        >>> keras.ops.divide_no_nan([1.0, 3.0], [0.0, 2.0])
        array([0. , 1.5], dtype=float32)
    """
    zero = p.equal(x2, 0.0)
    quotient = p.divide(x1, p.where(zero, 1.0, x2))
    return p.where(zero, p.full_like(quotient, 0.0), quotient)


@composite('x x_min x_max', promote='same', numbers='x_min x_max', cases=[
    (F(2, 3), -0.5, 0.5), (F(2, 3), F(3), 1.5), (F(2, 3), -1, F(3)), (I(9, 4), 2, 5), (I(9, 4), 2, I(9, 4)),
    (F(4), None, 0.5)])
def clip(x, x_min, x_max):
    """`x` with what is below `x_min` or above `x_max` replaced by them; None sets no bound.

    Example:
        >>> keras.ops.clip([-2, 0, 5], -1, 1)
        array([-1,  0,  1], dtype=int32)
    """
    if x_min is not None:
        x = p.maximum(x, x_min)
    return x if x_max is None else p.minimum(x, x_max)


# --- reductions -------------------------------------------------------------------------------------------------

_AXES = [(F(2, 3, 4), None, False), (F(2, 3, 4), -1, False), (F(2, 3, 4), (0, 2), True)]


@composite(promote='float', cases=_AXES + [(I(5, 3), None, False), (B(4), 0, False)])
def mean(x, axis=None, keepdims=False):
    """The mean over `axis` (an int, a tuple, or None for all).

    Example:
        >>> keras.ops.mean([[1.0, 2.0], [3.0, 6.0]], axis=0)
        array([2., 4.], dtype=float32)
    """
    if dtype_of(x) == 'float16':  # whose sums are soon too large
        return p.cast(mean(p.cast(x, 'float32'), axis, keepdims), 'float16')
    return p.divide(p.sum(x, axis, keepdims), count(x, axis))


@composite(promote='float', cases=_AXES)
def var(x, axis=None, keepdims=False):
    """The variance over `axis`: the mean square of the deviations from the mean.

    Example:
        >>> keras.ops.var([1.0, 3.0])
        np.float32(1.0)
    """
    deviations = x - mean(x, axis, True)
    deviations = p.abs(deviations) if dtype_of(x).startswith('complex') else deviations
    return mean(deviations * deviations, axis, keepdims)


@composite(promote='float', cases=_AXES)
def std(x, axis=None, keepdims=False):
    """The standard deviation over `axis`.

    Example:
        >>> keras.ops.std([1.0, 3.0])
        np.float32(1.0)
    """
    return p.sqrt(var(x, axis, keepdims))


@composite(cases=[(B(2, 3), None, False), (B(2, 3), 0, True), (F(2, 3), -1, False)])
def any(x, axis=None, keepdims=False):
    """True where at least one element along `axis` is not 0 or False.

    Example:
        >>> keras.ops.any([[True, False], [False, False]], axis=1)
        array([ True, False])
    """
    return p.less(0, p.sum(p.cast(p.cast(x, 'bool'), 'int32'), axis, keepdims))


@composite(cases=[(B(2, 3), None, False), (B(2, 3), 0, True), (F(2, 3), -1, False)])
def all(x, axis=None, keepdims=False):
    """True where no element along `axis` is 0 or False.

    Example:
        >>> keras.ops.all([[True, False], [True, True]], axis=1)
        array([False,  True])
    """
    return p.equal(0, p.sum(p.cast(p.logical_not(p.cast(x, 'bool')), 'int32'), axis, keepdims))


@composite(cases=[(F(2, 3, 4), 0.0), (F(2, 3), 1.5), (I(2, 3), 1)], gradient=False)
def differs(x, value):
    """Whether any number along the last axis is another than `value`."""
    return any(not_equal(x, value), -1)


@composite(cases=[(F(2, 3, 4), -1), (F(2, 3), 0)])
def argmin(x, axis=-1):
    """The position of the (first) smallest element along `axis`, int32."""
    if dtype_of(x) in rules.UNSIGNED or dtype_of(x) == 'bool':
        x = p.cast(x, 'int32' if dtype_of(x) in ('bool', 'uint8', 'uint16') else 'int64')
    return p.argmax(p.negative(x), axis)


@composite(promote='float', cases=_AXES)
def logsumexp(x, axis=None, keepdims=False):
    """`log(sum(exp(x)))` over `axis`, without overflow.

    Example:
        >>> keras.ops.logsumexp([0.0, 0.0])
        np.float32(0.6931472)
    """
    largest = p.stop_gradient(p.max(x, axis, True))
    largest = p.where(p.isfinite(largest), largest, p.full_like(largest, 0.0))
    total = p.log(p.sum(p.exp(x - largest), axis, keepdims))
    return total + (largest if keepdims else squeeze(largest, rules.normalize_axes(axis, ndim(x))))


@composite(cases=[(F(2, 3), None), (I(3, 4, 3), 0)], gradient=False)
def count_nonzero(x, axis=None):
    """The number of elements along `axis` that are not 0, int32.

    Example:
        >>> keras.ops.count_nonzero([[0, 1], [2, 3]], axis=1)
        array([1, 2], dtype=int32)
    """
    return p.sum(p.cast(p.cast(x, 'bool'), 'int32'), axis)


@composite(promote='float', cases=[(F(2, 3), -1), (F(2, 3), None), (F(2, 3, 4), (1, 2))])
def l2_normalize(x, axis=None, epsilon=1e-12):
    """`x` divided by its Euclidean length along `axis`, which counts as at least `sqrt(epsilon)`."""
    return x * rsqrt(p.maximum(p.sum(x * x, axis, True), epsilon))


# --- products ---------------------------------------------------------------------------------------------------

@composite('x1 x2', promote='same', cases=[(F(2, 3), F(3, 4)), (F(5, 2, 3), F(3, 4)), (F(2, 3), F(5, 3, 4)),
                                           (F(3), F(3)), (F(2, 3), 2.0)])
def dot(x1, x2):
    """The product over the last axis of `x1` and the last but one of `x2`; not batched (see `matmul`).

    Example:
        >>> keras.ops.dot([[1, 2], [3, 4]], [1, 1])
        array([3, 7], dtype=int32)
    """
    if not ndim(x1) or not ndim(x2):
        return p.multiply(x1, x2)
    if ndim(x2) <= 2:
        return _product(x1, x2)
    return tensordot(x1, x2, ((-1,), (-2,)))


@composite('x1 x2', promote='same', cases=[(F(2, 3, 4), F(3, 4, 5), 2), (F(2, 3), F(3, 4), 1), (F(2), F(3), 0),
                                         (F(2, 3, 4), F(4, 2), ((0, 2), (1, 0)))])
def tensordot(x1, x2, axes=2):
    """The product of `x1` and `x2` summed over pairs of axes.

    Args:
        axes: the number of last axes of `x1` and first axes of `x2`, or a pair (axes of `x1`, axes of `x2`).

    Example:
        >>> keras.ops.tensordot([[1, 2], [3, 4]], [1, 1], axes=1)
        array([3, 7], dtype=int32)
    """
    left, right = _tensordot_axes(axes, ndim(x1), ndim(x2))
    x_letters, rest = string.ascii_letters[:ndim(x1)], string.ascii_letters[ndim(x1):]
    pairs = dict(zip(right, left))
    y_letters = ''.join(x_letters[pairs[axis]] if axis in pairs else rest[axis] for axis in range(ndim(x2)))
    kept = [letter for letter in x_letters if letter not in y_letters]
    kept += [letter for letter in y_letters if letter not in x_letters]
    return _contract(x1, x_letters, x2, y_letters, ''.join(kept))


def _tensordot_axes(axes, x_rank, y_rank):
    if isinstance(axes, int):
        return range(x_rank - axes, x_rank), range(axes)
    left, right = [entry if isinstance(entry, (list, tuple)) else (entry,) for entry in axes]
    if len(left) != len(right):
        raise ValueError('axes %s must name as many axes of the first tensor as of the second' % (axes,))
    return rules.normalize_axes(left, x_rank), rules.normalize_axes(right, y_rank)


@composite('x y', promote='same', cases=[(F(2, 3), F(2, 3), 1), (F(2, 3, 4), F(2, 4, 5), (2, 1)),
                                         (F(2, 3), F(2, 3, 4), None), (F(2, 3, 4), F(2, 5, 4), 2)])
def batch_dot(x, y, axes=None):
    """The product of `x` (batch, ...) and `y` (batch, ...) over one axis of each, batch element by batch element.

    Args:
        axes: an int, or a pair (axis of `x`, axis of `y`); default the last of `x` and the last but one of `y` (the
            last where `y` is a matrix).

    Returns:
        Tensor (batch, other axes of `x`, other axes of `y`); (batch, 1) where there are none.
    """
    x_rank, y_rank = ndim(x), ndim(y)
    if x_rank < 2 or y_rank < 2:
        raise ValueError('both tensors need a batch axis and at least one more')
    if axes is None:
        axes = (x_rank - 1, y_rank - 1 if y_rank == 2 else y_rank - 2)
    left, right = (axes, axes) if isinstance(axes, int) else axes
    left, right = rules.normalize_axis(left, x_rank), rules.normalize_axis(right, y_rank)
    if 0 in (left, right):
        raise ValueError('axes %s name the batch axis 0, over which no product is taken' % (axes,))
    letters = string.ascii_letters
    x_letters = letters[:x_rank]
    y_letters = ''.join(x_letters[0] if axis == 0 else x_letters[left] if axis == right else letters[x_rank + axis]
                        for axis in range(y_rank))
    kept = x_letters.replace(x_letters[left], '') + ''.join(y_letters[axis] for axis in range(1, y_rank)
                                                            if axis != right)
    result = _contract(x, x_letters, y, y_letters, kept)
    return expand_dims(result, 1) if len(kept) == 1 else result


@composite('x1 x2', promote='same', cases=[(F(2), F(3)), (F(2, 2), F(3))])
def outer(x1, x2):
    """All products of an element of `x1` and one of `x2`, as a matrix.

    Example:
        >>> keras.ops.outer([1, 2], [3, 4])
        array([[3, 4],
               [6, 8]], dtype=int32)
    """
    return expand_dims(flatten(x1), 1) * expand_dims(flatten(x2), 0)


@composite('*operands', promote='same', cases=[
    ('ij,jk->ik', [F(2, 3), F(3, 4)]), ('bij,bjk->bik', [F(2, 3, 4), F(2, 4, 5)]),
    ('...ij,...kj->...ik', [F(5, 2, 3), F(4, 3)]), ('ij->ji', [F(2, 3)]), ('ij->i', [F(2, 3)]), ('ii->i', [F(3, 3)]),
    ('i,j', [F(2), F(3)]), ('abc,cd,de->abe', [F(2, 3, 4), F(4, 5), F(5, 2)]),
    ('btnh,bfnh->bnft', [F(2, 3, 4, 5), F(2, 6, 4, 5)])])
def einsum(subscripts, operands):
    """The sum of products that `subscripts` describe in Einstein's notation, as `numpy.einsum` reads it.

    Raises:
        ValueError: if the subscripts do not fit the operands.
    """
    inputs, output = _parse_einsum(subscripts, [ndim(x) for x in operands])
    parts = [_without_repeats(x, letters) for x, letters in zip(operands, inputs)]
    x, letters = parts[0]
    for index, (other, other_letters) in enumerate(parts[1:], 2):
        later = output + ''.join(part[1] for part in parts[index:])
        needed = [letter for letter in dict.fromkeys(letters + other_letters) if letter in later]
        x, letters = _contract(x, letters, other, other_letters, ''.join(needed)), ''.join(needed)
    gone = tuple(index for index, letter in enumerate(letters) if letter not in output)
    x = p.sum(x, gone) if gone else x
    letters = ''.join(letter for letter in letters if letter in output)
    return _ordered(x, letters, output)


def _parse_einsum(subscripts, ranks):
    """Letters of every operand and of the result, with `...` written out."""
    text = subscripts.replace(' ', '')
    left, arrow, output = text.partition('->')
    inputs = left.split(',')
    if len(inputs) != len(ranks):
        raise ValueError('%r names %d operands, received %d' % (subscripts, len(inputs), len(ranks)))
    spare = [letter for letter in string.ascii_letters if letter not in text]
    widths = [rank - len(part.replace('...', '')) for part, rank in zip(inputs, ranks)]
    for part, rank, width in zip(inputs, ranks, widths):
        if width < 0 or (width and '...' not in part):
            raise ValueError('%r has %d letters for a tensor of rank %d' % (part, len(part.replace('...', '')), rank))
    widest = ''.join(spare[:max([width for part, width in zip(inputs, widths) if '...' in part] or [0])])
    if not arrow:
        letters = left.replace(',', '').replace('.', '')
        output = ('...' if '...' in left else '') + ''.join(sorted(c for c in set(letters) if letters.count(c) == 1))
    inputs = [part.replace('...', widest[len(widest) - width:]) for part, width in zip(inputs, widths)]
    output = output.replace('...', widest)
    unknown = [letter for letter in output if letter not in ''.join(inputs)]
    if unknown:
        raise ValueError('%r asks for %r, which no operand has' % (subscripts, unknown[0]))
    return inputs, output


def _without_repeats(x, letters):
    """`x` with every axis that is named twice reduced to the diagonal."""
    for letter in dict.fromkeys(letters):
        while letters.count(letter) > 1:
            first = letters.index(letter)
            second = letters.index(letter, first + 1)
            x = diagonal(x, 0, first, second)
            letters = ''.join(c for index, c in enumerate(letters) if index not in (first, second)) + letter
    return x, letters


def _ordered(x, letters, wanted):
    if letters == wanted:
        return x
    return p.transpose(x, tuple(letters.index(letter) for letter in wanted))


def _contract(x, x_letters, y, y_letters, wanted):
    """The product of `x` and `y` summed over the letters that are not `wanted`: one matrix product.

    Letters in both are batched where wanted and summed over otherwise; sizes of 1 broadcast.
    """
    x, x_letters = _summed_out(x, x_letters, y_letters + wanted)
    y, y_letters = _summed_out(y, y_letters, x_letters + wanted)
    batch = [letter for letter in x_letters if letter in y_letters and letter in wanted]
    summed = [letter for letter in x_letters if letter in y_letters and letter not in wanted]
    rows = [letter for letter in x_letters if letter not in y_letters]
    columns = [letter for letter in y_letters if letter not in x_letters]
    x_size = dict(zip(x_letters, shape(x)))
    y_size = dict(zip(y_letters, shape(y)))
    _check_contraction(x, x_letters, y, y_letters)
    left = _ordered(x, x_letters, ''.join(batch + rows + summed))
    right = _ordered(y, y_letters, ''.join(batch + summed + columns))
    inner = multiply_sizes([_known(x_size[letter], y_size[letter]) for letter in summed])
    height = multiply_sizes([x_size[letter] for letter in rows])
    width = multiply_sizes([y_size[letter] for letter in columns])
    left = resized(left, [x_size[letter] for letter in batch] + [height, inner])
    right = resized(right, [y_size[letter] for letter in batch] + [inner, width])
    sizes = [_broadcast(x_size[letter], y_size[letter]) for letter in batch]
    sizes += [x_size[letter] for letter in rows] + [y_size[letter] for letter in columns]
    return _ordered(resized(_product(left, right), sizes), ''.join(batch + rows + columns), wanted)


def _product(x, y):
    """The matrix product in the dtype of both, also in one that sums may not fit into."""
    product = p.matmul(x, y)
    return p.cast(product, 'int8') if dtype_of(x) == 'int8' else product


def _summed_out(x, letters, needed):
    """`x` summed over the axes that neither the other operand nor the result has."""
    gone = tuple(index for index, letter in enumerate(letters) if letter not in needed)
    if not gone:
        return x, letters
    return p.sum(x, gone), ''.join(letter for letter in letters if letter in needed)


def _check_contraction(x, x_letters, y, y_letters):
    other = dict(zip(y_letters, static_shape(y)))
    for letter, size in zip(x_letters, static_shape(x)):
        if None not in (size, other.get(letter)) and size != other[letter] and 1 not in (size, other[letter]):
            raise ValueError('shapes %s and %s do not fit: sizes %d and %d should be equal'
                             % (static_shape(x), static_shape(y), size, other[letter]))


def _known(first, second):
    """Of two sizes that are equal, the one known as an int."""
    return first if isinstance(first, int) else second


def _broadcast(first, second):
    """Of two sizes that broadcast, the one known to be other than 1."""
    if isinstance(first, int):
        return second if first == 1 else first
    return first if isinstance(second, int) and second == 1 else second
