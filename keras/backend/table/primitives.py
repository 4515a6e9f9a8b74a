"""The op table: every primitive that an engine implements, with signature, rule, docstring and cases.

A function here has no body: `@primitive` makes the dispatcher. Names and meanings are NumPy's or the
array API's. Shapes in the docstrings read "same as x" where nothing is said.
"""
import builtins
import operator

from keras.backend.contract import rules, tree
from keras.backend.contract.ledger import AbstractLedger
from keras.backend.table.cases import B, F, I, P, S, U
from keras.backend.table.dispatch import primitive


# --- creation ---------------------------------------------------------------------------------------------------

@primitive(rules.full, tensors='', cases=[((2, 3), 1.5, 'float32'), ((), 2, 'int32'), ((0, 2), 1.0, 'float32')])
def full(shape, value, dtype=None):
    """A tensor of `shape` filled with the Python scalar `value`."""


@primitive(rules.full_like, cases=[(F(2, 3), 0.5, None), (F(2), 1, 'int32'), (F(2), True, 'bool')], gradient=False)
def full_like(x, value, dtype=None):
    """A tensor of the shape of `x`, and its dtype unless `dtype` is given, filled with a Python scalar."""


@primitive(rules.arange, tensors='', cases=[(5, None, 1, 'int32'), (1, 8, 3, 'int32'), (0.0, 1.0, 0.25, 'float32')])
def arange(start, stop=None, step=1, dtype=None):
    """Evenly spaced numbers from `start` up to, not including, `stop`; from 0 where only one is given."""


@primitive(rules.draw, tensors='seed', gradient=False)
def random_uniform(seed, shape, dtype):
    """Floats drawn uniformly from [0, 1). `seed`: what `SeedGenerator.draw()` gives."""


@primitive(rules.draw, tensors='seed', gradient=False)
def random_normal(seed, shape, dtype):
    """Floats drawn from the normal distribution of mean 0 and deviation 1."""


@primitive(rules.draw_integers, tensors='seed', gradient=False)
def random_integers(seed, shape, minval, maxval, dtype):
    """Integers drawn uniformly from [minval, maxval)."""


@primitive(rules.permutation, tensors='seed', gradient=False)
def random_permutation(seed, count):
    """The integers below `count` in random order."""


# --- elementwise, one argument ----------------------------------------------------------------------------------

@primitive(rules.same, cases=[(F(2, 3),), (F(),), (F(0, 2),), (I(5, 3),)])
def negative(x):
    """`-x`.

    Example:
        >>> keras.ops.negative([1, -2])
        array([-1,  2], dtype=int32)
    """


@primitive(rules.real_part, cases=[(F(2, 3),), (F(),), (I(5, 3),)])
def abs(x):
    """The absolute value; of a complex number the length, a float.

    Example:
        >>> keras.ops.abs([-1.5, 2.0])
        array([1.5, 2. ], dtype=float32)
    """


@primitive(rules.same, cases=[(F(2, 3),), (I(3, 4),)])
def sign(x):
    """-1, 0 or 1 by the sign of `x`.

    Example:
        >>> keras.ops.sign([-2.0, 0.0, 3.0])
        array([-1.,  0.,  1.], dtype=float32)
    """


@primitive(rules.floating, promote='float', cases=[(F(2, 3),), (F(),)])
def floor(x):
    """The largest whole number that is not above `x`, as a float.

    Example:
        >>> keras.ops.floor([1.7, -1.2])
        array([ 1., -2.], dtype=float32)
    """


@primitive(rules.floating, promote='float', cases=[(F(2, 3),)])
def round(x):
    """The nearest whole number, halves to the even one, as a float."""


@primitive(rules.floating, promote='float', cases=[(F(2, 3),), (F(),), (F(0,),), (I(3, 4),)])
def exp(x):
    """e to the power of `x`.

    Example:
        >>> keras.ops.exp([0.0, 1.0])
        array([1.      , 2.718282], dtype=float32)
    """


@primitive(rules.floating, promote='float', cases=[(P(2, 3),), (P(),)])
def log(x):
    """The natural logarithm.

    Example:
        >>> keras.ops.log([1.0, np.e])
        array([0., 1.], dtype=float32)
    """


@primitive(rules.floating, promote='float', cases=[(P(2, 3),), (I(9, 4),)])
def sqrt(x):
    """The square root.

    Example:
        >>> keras.ops.sqrt([4.0, 9.0])
        array([2., 3.], dtype=float32)
    """


@primitive(rules.floating, promote='float', cases=[(F(2, 3),)])
def sin(x):
    """The sine of an angle in radians.

    Example:
        >>> keras.ops.sin([0.0, np.pi / 2])
        array([0., 1.], dtype=float32)
    """


@primitive(rules.floating, promote='float', cases=[(F(2, 3),)])
def cos(x):
    """The cosine of an angle in radians.

    Example:
        >>> keras.ops.cos([0.0, np.pi])
        array([ 1., -1.], dtype=float32)
    """


@primitive(rules.floating, promote='float', cases=[(F(2, 3),), (F(),)])
def tanh(x):
    """The hyperbolic tangent.

    Example:
        >>> keras.ops.tanh([0.0, 1.0])
        array([0.       , 0.7615942], dtype=float32)
    """


@primitive(rules.floating, promote='float', cases=[(U(2, 3),)])
def arcsin(x):
    """The angle in [-pi/2, pi/2] whose sine is `x`.

    Example:
        >>> keras.ops.arcsin([0.0, 1.0])
        array([0.       , 1.5707964], dtype=float32)
    """


@primitive(rules.floating, promote='float', cases=[(F(2, 3),)])
def arctan(x):
    """The angle in (-pi/2, pi/2) whose tangent is `x`.

    Example:
        >>> keras.ops.arctan([0.0, 1.0])
        array([0.       , 0.7853982], dtype=float32)
    """


@primitive(rules.floating, promote='float', cases=[(F(2, 3),)])
def erf(x):
    """The error function, 2/sqrt(pi) times the integral of exp(-t^2) from 0 to `x`.

    Example:
        >>> keras.ops.erf([0.0, 1.0])
        array([0.       , 0.8427008], dtype=float32)
    """


@primitive(rules.floating, promote='float', cases=[(U(2, 3),)])
def erfinv(x):
    """The inverse of `erf`.

    Example:
        >>> keras.ops.erfinv([0.0, 0.5])
        array([0.        , 0.47693628], dtype=float32)
    """


@primitive(rules.floating, promote='float', cases=[(P(2, 3),)])
def lgamma(x):
    """The logarithm of the absolute value of the gamma function."""


@primitive(rules.floating, promote='float', cases=[(P(2, 3),)], gradient=False)
def digamma(x):
    """The derivative of `lgamma`."""


@primitive(rules.boolean, promote='bool', cases=[(B(2, 3),), (I(3, 3),)])
def logical_not(x):
    """True where the boolean `x` is False.

    Example:
        >>> keras.ops.logical_not([True, False])
        array([False,  True])
    """


@primitive(rules.boolean, promote='float', cases=[(F(2, 3),)])
def isfinite(x):
    """True where `x` is neither infinite nor NaN.

    Example:
        >>> keras.ops.isfinite([1.0, np.inf, np.nan])
        array([ True, False, False])
    """


@primitive(rules.same, 'variable', cases=[(F(2, 3),)], gradient=False)
def stop_gradient(variable):
    """`variable`, as a constant for gradients.

    Example:
        >>> keras.ops.stop_gradient(np.array([1.0]))
        array([1.])
    """


@primitive(rules.cast, cases=[(F(2, 3), 'int32'), (I(3, 4), 'float32'), (I(2, 4), 'bool'), (B(3), 'float32'),
                              (F(3), 'float16')])
def cast(x, dtype):
    """`x` in another dtype; floats become integers by truncation, numbers True where they are not 0.

    Example:
        >>> keras.ops.cast([1.7, -1.7], 'int32')
        array([ 1, -1], dtype=int32)
    """


@primitive(rules.view, gradient=False)
def view(x, dtype):
    """The bytes of `x` read as another dtype; the last axis becomes longer or shorter where that has another size."""


@primitive(rules.real_part)
def real(x):
    """The real part of a complex number; a real `x` itself."""


@primitive(rules.real_part)
def imag(x):
    """The imaginary part of a complex number."""


@primitive(rules.complex_number, 'real imaginary', promote='same_float')
def complex_number(real, imaginary):
    """The complex number with these parts: complex128 from float64, complex64 from any other float."""


# --- elementwise, two and three arguments -----------------------------------------------------------------------

_PAIRS = [(F(2, 3), F(2, 3)), (F(2, 3), F(3)), (F(2, 1), F(1, 3)), (F(2, 3), 1.5), (I(5, 2, 3), F(3)), (F(0, 3), F(3))]


@primitive(rules.binary, 'x1 x2', promote='same', of_sizes=operator.add, scalars=True,
           cases=_PAIRS + [(I(5, 3), I(5, 3))])
def add(x1, x2):
    """`x1 + x2`, broadcast.

    Example:
        >>> keras.ops.add([1, 2], [10, 20])
        array([11, 22], dtype=int32)
    """


@primitive(rules.binary, 'x1 x2', promote='same', of_sizes=operator.sub, scalars=True, cases=_PAIRS)
def subtract(x1, x2):
    """`x1 - x2`, broadcast.

    Example:
        >>> keras.ops.subtract([3, 4], [1, 1])
        array([2, 3], dtype=int32)
    """


@primitive(rules.binary, 'x1 x2', promote='same', of_sizes=operator.mul, scalars=True, cases=_PAIRS)
def multiply(x1, x2):
    """`x1 * x2`, broadcast.

    Example:
        >>> keras.ops.multiply([1, 2], [3, 4])
        array([3, 8], dtype=int32)
    """


@primitive(rules.binary_float, 'x1 x2', promote='same_float', scalars=True,
           cases=[(F(2, 3), P(3)), (F(2, 3), 2.0), (I(5, 3), 2), (1.0, P(2, 3))])
def divide(x1, x2):
    """`x1 / x2`, broadcast, always a float.

    Example:
        >>> keras.ops.divide([1.0, 3.0], [2.0, 2.0])
        array([0.5, 1.5], dtype=float32)
    """


@primitive(rules.binary, 'x1 x2', promote='same', of_sizes=operator.floordiv,
           cases=[(F(2, 3), P(3)), (I(9, 4), 2)], gradient=False)
def floor_divide(x1, x2):
    """The quotient rounded down.

    Example:
        >>> keras.ops.floor_divide([7, -7], 2)
        array([ 3, -4], dtype=int32)
    """


@primitive(rules.binary, 'x1 x2', promote='same', of_sizes=operator.mod,
           cases=[(F(2, 3), P(3)), (I(9, 4), 4)], gradient=False)
def mod(x1, x2):
    """The remainder of `floor_divide`; it has the sign of `x2`.

    Example:
        >>> keras.ops.mod([7, -7], 3)
        array([1, 2], dtype=int32)
    """


@primitive(rules.binary, 'x1 x2', promote='same', cases=[(P(2, 3), F(3)), (P(2, 3), 2.0), (F(2, 3), 2)])
def power(x1, x2):
    """`x1` to the power of `x2`.

    Example:
        >>> keras.ops.power([2, 3], 2)
        array([4, 9], dtype=int32)
    """


@primitive(rules.binary, 'x1 x2', promote='same', of_sizes=builtins.max,
           cases=[(F(2, 3), F(1, 3)), (F(2, 3), 0.5), (I(5, 3), 2)])
def maximum(x1, x2):
    """The larger of two numbers.

    Example:
        >>> keras.ops.maximum([1, 5], [3, 2])
        array([3, 5], dtype=int32)
    """


@primitive(rules.binary, 'x1 x2', promote='same', of_sizes=builtins.min, cases=[(F(2, 3), F(1, 3)), (F(2, 3), 0.5)])
def minimum(x1, x2):
    """The smaller of two numbers.

    Example:
        >>> keras.ops.minimum([1, 5], [3, 2])
        array([1, 2], dtype=int32)
    """


@primitive(rules.binary_float, 'x1 x2', promote='same_float', cases=[(F(2, 3), P(2, 3))])
def arctan2(x1, x2):
    """The angle of the point (x2, x1): `arctan(x1 / x2)` in the right quadrant.

    Example:
        >>> keras.ops.arctan2([1.0, -1.0], [1.0, -1.0])
        array([ 0.7853981, -2.3561945], dtype=float32)
    """


@primitive(rules.comparison, 'x1 x2', promote='same', cases=[(I(3, 6), I(3, 6)), (F(2, 3), F(3)), (I(3, 4), 1)])
def equal(x1, x2):
    """True where `x1 == x2`.

    Example:
        >>> keras.ops.equal([1, 2], [1, 3])
        array([ True, False])
    """


@primitive(rules.comparison, 'x1 x2', promote='same', cases=[(I(3, 6), I(3, 6)), (F(2, 3), F(3)), (F(4), 0.0)])
def less(x1, x2):
    """True where `x1 < x2`.

    Example:
        >>> keras.ops.less([1, 3], 2)
        array([ True, False])
    """


@primitive(rules.comparison, 'x1 x2', promote='bool', cases=[(B(2, 3), B(3)), (F(2, 3), I(3, 3))])
def logical_and(x1, x2):
    """True where both booleans are.

    Example:
        >>> keras.ops.logical_and([True, True], [True, False])
        array([ True, False])
    """


@primitive(rules.comparison, 'x1 x2', promote='bool', cases=[(B(2, 3), B(3)), (F(2, 3), I(3, 3))])
def logical_or(x1, x2):
    """True where at least one boolean is.

    Example:
        >>> keras.ops.logical_or([True, False], [False, False])
        array([ True, False])
    """


@primitive(rules.where, 'condition x1 x2', promote='same', promoted='x1 x2',
           cases=[(B(2, 3), F(2, 3), F(2, 3)), (B(2, 1), F(3), 0.0), (B(3), I(4, 3), I(4, 3))])
def where(condition, x1, x2):
    """`x1` where the boolean condition is True, `x2` elsewhere, broadcast."""


@primitive(rules.binary, 'x y', promote='same', cases=[(I(9, 4), I(9, 4))])
def bitwise_and(x, y):
    """The bits set in both integers.

    Example:
        >>> keras.ops.bitwise_and(12, 10)
        np.int32(8)
    """


@primitive(rules.binary, 'x y', promote='same', cases=[(I(9, 4), I(9, 4))])
def bitwise_or(x, y):
    """The bits set in at least one integer.

    Example:
        >>> keras.ops.bitwise_or(12, 10)
        np.int32(14)
    """


@primitive(rules.binary, 'x y', promote='same', cases=[(I(9, 4), I(9, 4))])
def bitwise_xor(x, y):
    """The bits set in exactly one integer.

    Example:
        >>> keras.ops.bitwise_xor(12, 10)
        np.int32(6)
    """


@primitive(rules.binary, 'x y', promote='same', cases=[(I(9, 4), I(3, 4))])
def left_shift(x, y):
    """The bits of `x` moved `y` places to the left.

    Example:
        >>> keras.ops.bitwise_left_shift([1, 3], 2)
        array([ 4, 12], dtype=int32)
    """


@primitive(rules.binary, 'x y', promote='same', cases=[(I(90, 4), I(3, 4))])
def right_shift(x, y):
    """The bits of `x` moved `y` places to the right.

    Example:
        >>> keras.ops.bitwise_right_shift([8, 3], 1)
        array([4, 1], dtype=int32)
    """


# --- reductions -------------------------------------------------------------------------------------------------

_AXES = [(F(2, 3, 4), None, False), (F(2, 3, 4), -1, False), (F(2, 3, 4), (0, 2), True), (F(3), 0, False)]


@primitive(rules.summation, cases=_AXES + [(I(5, 2, 3), 1, False), (B(4), None, False), (F(0, 3), 0, False)])
def sum(x, axis=None, keepdims=False):
    """The sum over `axis` (an int, a tuple, or None for all). Integers of 8 and 16 bits are summed in 32.

    Example:
        >>> keras.ops.sum([[1, 2], [3, 4]], axis=0)
        array([4, 6], dtype=int32)
    """


@primitive(rules.summation, cases=[(P(2, 3, 4), -1, False), (P(2, 3), (0, 1), True), (I(4, 3), None, False)])
def prod(x, axis=None, keepdims=False):
    """The product over `axis`."""


@primitive(rules.reduction, cases=_AXES + [(I(9, 2, 3), 1, True)])
def max(x, axis=None, keepdims=False):
    """The largest element along `axis`."""


@primitive(rules.reduction, cases=_AXES)
def min(x, axis=None, keepdims=False):
    """The smallest element along `axis`."""


@primitive(rules.arg_reduction, cases=[(F(2, 3, 4), -1), (F(2, 3, 4), 0), (F(3), 0)])
def argmax(x, axis=-1):
    """The position of the (first) largest element along `axis`, int32."""


@primitive(rules.cumulative, cases=[(F(2, 3), 0), (F(2, 3), -1), (I(4, 5), 0)])
def cumsum(x, axis=0):
    """The running sum along `axis`."""


@primitive(rules.cumulative, cases=[(P(2, 3), 0), (P(2, 3), -1)])
def cumprod(x, axis=0):
    """The running product along `axis`."""


# --- movement ---------------------------------------------------------------------------------------------------

@primitive(rules.reshape, cases=[(F(2, 3, 4), (6, 4)), (F(2, 3), (-1,)), (F(2, 3), (3, -1)), (F(), (1, 1))])
def reshape(x, shape):
    """`x` in another shape; one size may be -1 and follows from the others."""


@primitive(rules.transpose, cases=[(F(2, 3, 4), None), (F(2, 3, 4), (1, 0, 2)), (F(2, 3, 4), (-1, 0, 1))])
def transpose(x, axes=None):
    """`x` with its axes in the order `axes`, or reversed.

    Example:
        >>> keras.ops.transpose([[1, 2], [3, 4]])
        array([[1, 3],
               [2, 4]], dtype=int32)
    """


@primitive(rules.broadcast_to, cases=[(F(3), (2, 3)), (F(2, 1), (2, 4)), (F(), (2, 2))])
def broadcast_to(x, shape):
    """`x` repeated to `shape`.

    Example:
        >>> keras.ops.broadcast_to([1, 2], (2, 2))
        array([[1, 2],
               [1, 2]], dtype=int32)
    """


@primitive(rules.concatenate, '*xs', promote='same',
           cases=[([F(2, 3), F(2, 1)], -1), ([F(2, 3), F(4, 3), F(1, 3)], 0), ([I(3, 2), F(2)], 0)])
def concatenate(xs, axis=-1):
    """The tensors of the list `xs` joined along `axis`."""


@primitive(rules.strided_slice, cases=[(F(4, 5), (1, 0), (3, 5), (1, 2)), (F(4, 5), (None,), (-1,), (1,)),
                                       (F(5,), (None,), (None,), (-1,)), (F(2, 3), (-1,), (None,), (1,))])
def strided_slice(x, starts, stops, steps):
    """The part of `x` from `starts` to `stops` by `steps`, one entry per leading axis; None as in a Python slice."""


@primitive(rules.pad, cases=[(F(2, 3), ((1, 0), (0, 2)), 0.0), (F(3), ((2, 1),), -1.5), (I(4, 3), ((1, 1),), 0)])
def pad(x, widths, value=0):
    """`x` with (before, after) elements of a constant around each axis."""


@primitive(rules.flip, cases=[(F(2, 3), (0,)), (F(2, 3, 4), (1, -1))])
def flip(x, axes):
    """`x` with the order of the elements along the tuple `axes` reversed."""


@primitive(rules.gather, 'x indices', cases=[(F(5, 3), I(5, 4), 0), (F(2, 5), I(5, 2, 2), -1), (F(3, 4), I(3), 0)])
def gather(x, indices, axis=0):
    """The slices of `x` at integer `indices` along `axis`; its shape there is that of the indices.

    Indices count from 0. Where one is out of range, a negative one included, the engine raises or gives NaN, for
    integers a number that stands out.
    """


@primitive(rules.gather_nd, 'x indices', cases=[(F(2, 3), I(2, 4, 2)), (F(2, 3), I(2, 4, 1))])
def gather_nd(x, indices):
    """The slices of `x` at the index vectors in the last axis of `indices`."""


@primitive(rules.scatter, 'x indices updates', promote='same', promoted='x updates',
           cases=[(F(5, 3), I(5, 4), F(4, 3)), (F(3), I(2, 4), F(4))])
def scatter_add(x, indices, updates):
    """`x` with `updates` added to its slices at `indices` along axis 0; repeated indices add up."""


@primitive(rules.scatter, 'x indices updates', promote='same', promoted='x updates', gradient=False)
def scatter_update(x, indices, updates):
    """`x` with its slices at the distinct `indices` along axis 0 replaced."""


@primitive(rules.scatter, 'x indices updates', promote='same', promoted='x updates', gradient=False,
           cases=[(F(5, 3), I(5, 4), F(4, 3)), (F(3), I(2, 4), F(4))])
def scatter_max(x, indices, updates):
    """`x` with its slices at `indices` along axis 0 raised to at least `updates`."""


# --- contraction, windows, order --------------------------------------------------------------------------------

@primitive(rules.matmul, 'x1 x2', promote='product', cases=[
    (F(2, 3), F(3, 4)), (F(5, 2, 3), F(3, 4)), (F(5, 2, 3), F(5, 3, 4)), (F(3), F(3)), (F(2, 3), F(3)), (F(3), F(3, 2)),
    (F(2, 1, 2, 3), F(4, 3, 2))])
def matmul(x1, x2):
    """The matrix product over the last axis of `x1` and the last but one of `x2`, batched over the others.

    Two tensors of int8 give int32, so that products of quantized numbers do not overflow.

    Example:
        >>> keras.ops.matmul([[1, 2], [3, 4]], [[1, 0], [0, 2]])
        array([[1, 4],
               [3, 8]], dtype=int32)
    """


@primitive(rules.conv, 'x kernel', promote='same', cases=[
    (F(2, 7, 3), F(3, 3, 4), (1,), 'valid', (1,), 1), (F(2, 8, 2), F(2, 2, 3), (2,), 'same', (1,), 1),
    (F(2, 6, 5, 3), F(3, 2, 3, 4), (1, 1), 'same', (1, 1), 1),
    (F(1, 7, 7, 2), F(3, 3, 2, 3), (2, 2), 'same', (1, 1), 1),
    (F(1, 7, 7, 2), F(2, 2, 2, 3), (1, 1), 'valid', (2, 2), 1),
    (F(2, 5, 5, 4), F(3, 3, 2, 6), (1, 1), 'valid', (1, 1), 2),
    (F(1, 4, 5, 4, 2), F(2, 3, 2, 2, 3), (1, 1, 1), 'same', (1, 1, 1), 1)])
def conv(x, kernel, strides, padding, dilation, groups=1):
    """The n-dimensional correlation of `x` (batch, spatial..., channels) with `kernel` (spatial..., in, out).

    Args:
        strides, dilation: tuples of ints, one per spatial axis.
        padding: 'valid' or 'same' (the odd element of padding goes to the end).
        groups: input channels and filters are split into that many independent groups.
    """


@primitive(rules.conv_transpose, 'x kernel', promote='same', cases=[
    (F(2, 4, 3), F(3, 2, 3), (2,), 'same', (1,), (8,)), (F(1, 3, 4, 2), F(3, 2, 3, 2), (1, 1), 'valid', (1, 1), (5, 5)),
    (F(1, 3, 4, 2), F(3, 3, 3, 2), (2, 2), 'same', (1, 1), (6, 8)),
    (F(1, 2, 3, 2, 2), F(2, 2, 2, 3, 2), (2, 2, 2), 'valid', (1, 1, 1), (4, 6, 4))])
def conv_transpose(x, kernel, strides, padding, dilation, output_size):
    """The gradient of `conv` by its input: `x` (batch, spatial..., in), `kernel` (spatial..., out, in).

    Args:
        padding: that of the convolution this is the gradient of.
        output_size: tuple with the spatial sizes of the result.
    """


@primitive(rules.pool, cases=[
    (F(2, 6, 3), (2,), (2,), 'valid', 'max'), (F(2, 5, 6, 2), (2, 2), (2, 2), 'same', 'max'),
    (F(2, 5, 6, 2), (3, 2), (2, 2), 'same', 'avg'), (F(1, 4, 4, 4, 2), (2, 2, 2), (1, 1, 1), 'valid', 'avg')])
def pool(x, size, strides, padding, mode):
    """The maximum ('max') or mean ('avg') of windows of `x` (batch, spatial..., channels).

    Padding counts neither for the maximum nor for the mean.
    """


@primitive(rules.top_k, cases=[(F(2, 5), 3), (F(4), 1)], gradient=False)
def top_k(x, k):
    """The `k` largest elements along the last axis in falling order, and their positions (int32)."""


@primitive(rules.along_axis, cases=[(F(2, 5), -1), (F(4, 2), 0)])
def sort(x, axis=-1):
    """The elements along `axis` in rising order.

    Example:
        >>> keras.ops.sort([3, 1, 2])
        array([1, 2, 3], dtype=int32)
    """


@primitive(rules.indices_along_axis, cases=[(F(2, 5), -1), (F(4, 2), 0)])
def argsort(x, axis=-1):
    """The positions (int32) that sort `x` along `axis`; equal elements keep their order.

    Example:
        >>> keras.ops.argsort([3, 1, 2])
        array([1, 2, 0], dtype=int32)
    """


@primitive(rules.searchsorted, 'sorted_sequence values', promote='same', cases=[(F(1,), F(4), 'left')])
def searchsorted(sorted_sequence, values, side='left'):
    """The positions (int32) at which `values` would go into the sorted vector `sorted_sequence`.

    Example:
        >>> keras.ops.searchsorted([1, 3, 5], [2, 5])
        array([1, 2], dtype=int32)
    """


# --- linear algebra and Fourier -----------------------------------------------------------------------------------

@primitive(rules.square_matrix, promote='float', cases=[(S(3, 3),), (S(2, 3, 3),)])
def cholesky(x):
    """The lower triangular factor of symmetric positive definite matrices."""


@primitive(rules.solve, 'a b', promote='same_float', cases=[(S(3, 3), F(3, 2), True), (S(3, 3), F(3, 2), False)])
def triangular_solve(a, b, lower=True):
    """The solution X of A X = B, reading only the lower (or upper) triangle of A."""


@primitive(rules.solve, 'a b', promote='same_float', cases=[(S(3, 3), F(3, 2)), (S(2, 3, 3), F(2, 3, 1))])
def solve(a, b):
    """The solution X of A X = B for square matrices (..., n, n) and (..., n, k)."""


@primitive(rules.qr, promote='float', gradient=False)
def qr(x):
    """Q and R of the reduced QR decomposition."""


@primitive(rules.svd, promote='float', gradient=False)
def svd(x):
    """U, the singular values in falling order, and V transposed, of the reduced decomposition."""


@primitive(rules.eigh, promote='float', gradient=False)
def eigh(x):
    """The eigenvalues of symmetric matrices in rising order, and the eigenvectors as columns."""


@primitive(rules.eig, promote='float', gradient=False)
def eig(x):
    """The eigenvalues of square matrices, in no order, and the eigenvectors as columns, both complex."""


@primitive(rules.fft, 'real imaginary', promote='same_float', cases=[(F(2, 8), F(2, 8))])
def fft(real, imaginary):
    """The discrete Fourier transform along the last axis: real and imaginary parts from the same."""


# --- control ------------------------------------------------------------------------------------------------------

def _scan_rule(step, init, xs, length, reverse):
    leaves = tree.flatten(xs)
    if leaves and any(leaf.shape[0] is not None for leaf in leaves):
        length = next(leaf.shape[0] for leaf in leaves if leaf.shape[0] is not None)
    with_abstract = tree.map_structure(lambda leaf: rules.AbstractTensor(leaf.shape[1:], leaf.dtype), xs)
    carry, outputs = _abstractly(step, init, with_abstract)
    stacked = tree.map_structure(lambda leaf: rules.AbstractTensor((length,) + leaf.shape, leaf.dtype), outputs)
    return carry, stacked


def _abstractly(function, *args):
    with AbstractLedger():
        return function(*args)


@primitive(_scan_rule, '*init *xs', functions='step', cases=[])
def scan(step, init, xs, length=None, reverse=False):
    """Run `carry, output = step(carry, x)` along axis 0 of the tensors `xs`.

    Args:
        step: pure function; the carry it returns has the structure, shapes and dtypes of the one it takes.
        init: the first carry, a flat list of tensors. xs: a flat list of tensors, or empty with `length`.
        reverse: go from the last element to the first; outputs keep the order of `xs`.

    Returns:
        The last carry, and the outputs stacked along a new axis 0.
    """


def _cond_rule(predicate, then, otherwise, operands):
    first = _abstractly(then, *operands)
    second = _abstractly(otherwise, *operands)
    merged = [rules.AbstractTensor([a if a == b else None for a, b in zip(x.shape, y.shape)], x.dtype)
              for x, y in zip(tree.flatten(first), tree.flatten(second))]
    return tree.pack_as(first, merged)


@primitive(_cond_rule, 'predicate *operands', functions='then otherwise', cases=[])
def cond(predicate, then, otherwise, operands):
    """`then(*operands)` if the scalar boolean `predicate` is True, else `otherwise(*operands)`.

    Both branches may run, so neither may have side effects or rely on the other's not running.
    """


def _while_rule(condition, body, init, maximum_iterations):
    return _abstractly(body, *init)


@primitive(_while_rule, '*init', functions='condition body', cases=[])
def while_loop(condition, body, init, maximum_iterations=None):
    """`init = body(*init)` as long as `condition(*init)` holds; the last values, as a list.

    Differentiable only with `maximum_iterations`.
    """


