"""Products of tensors, under the names and signatures of Keras 3."""
import builtins

from keras.backend.contract import rules
from keras.backend.table import primitives as p
from keras.backend.table.cases import F
from keras.backend.table.composites import math, shape as shapes
from keras.backend.table.composites.math import clip, mean, tensordot
from keras.backend.table.composites.shape import diag, dtype_of, expand_dims, flatten, ndim, shape, static_shape
from keras.backend.table.dispatch import composite
from keras.backend.table.joined import joined
from keras.ops.dtypes import common_dtype, exact
from keras.ops.elementwise import conjugate


def einsum(subscripts, *operands, **kwargs):
    """The sum of products that `subscripts` describe in Einstein's notation.

    Example:
        >>> keras.ops.einsum('ij,j->i', [[1, 2], [3, 4]], [1, 1])
        array([3, 7], dtype=int32)
    """
    if operands and all(dtype_of(x) == 'int8' for x in operands):
        # Sums of products of quantized numbers do not fit into them.
        operands = [p.cast(x, 'int32') for x in operands]
    return math.einsum(subscripts, list(operands))


@joined
def inner(x1, x2):
    """The product over the last axes of both.

    Example:
        >>> keras.ops.inner([1, 2], [3, 4])
        array(11, dtype=int32)
    """
    if not ndim(x1) or not ndim(x2):
        return p.multiply(x1, x2)
    sizes = {static_shape(x1)[-1], static_shape(x2)[-1]} - {None}
    if len(sizes) > 1:
        raise ValueError('inner: the last dimension of both tensors must be the same. Received: shapes %s and %s'
                         % (static_shape(x1), static_shape(x2)))
    return tensordot(x1, x2, ((-1,), (-1,)))


@joined
def vdot(x1, x2):
    """The dot product of two flattened tensors; of complex ones the first is conjugated.

    Example:
        >>> keras.ops.vdot([1, 2], [3, 4])
        array(11, dtype=int32)
    """
    return p.cast(p.sum(p.multiply(flatten(conjugate(x1)), flatten(x2))), common_dtype(x1, x2))


@composite('x1 x2', promote='same', cases=[(F(2, 3), F(3)), (F(2, 1), F(2, 2))])
def kron(x1, x2):
    """The Kronecker product.

    Example:
        >>> keras.ops.kron([1, 2], [1, 10])
        array([ 1, 10,  2, 20], dtype=int32)
    """
    rank = builtins.max(ndim(x1), ndim(x2))
    first = shapes.resized(x1, (1,) * (rank - ndim(x1)) + shape(x1))
    second = shapes.resized(x2, (1,) * (rank - ndim(x2)) + shape(x2))
    outer_, inner_, sizes = [], [], []
    for a, b in builtins.zip(shape(first), shape(second)):
        outer_ += [a, 1]
        inner_ += [1, b]
        sizes.append(a * b)
    return shapes.resized(p.multiply(shapes.resized(first, outer_), shapes.resized(second, inner_)), sizes)


@joined
def cross(x1, x2, axisa=-1, axisb=-1, axisc=-1, axis=None):
    """The vector product of vectors of two or three components along an axis.

    Example:
        >>> keras.ops.cross([1, 0, 0], [0, 1, 0])
        array([0, 0, 1], dtype=int32)
    """
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


@joined
def corrcoef(x):
    """The matrix of correlation coefficients of the rows of `x`.

    Example:
        >>> keras.ops.corrcoef([[1.0, 2.0, 3.0], [3.0, 2.0, 1.0]])
        array([[ 1., -1.],
               [-1.,  1.]], dtype=float32)
    """
    x = exact(x if ndim(x) == 2 else p.reshape(x, (1, -1)))
    centered = p.subtract(x, mean(x, -1, True))
    covariance = p.matmul(centered, p.transpose(conjugate(centered)))
    deviations = p.sqrt(diag(covariance))
    result = p.divide(p.divide(covariance, expand_dims(deviations, 1)), expand_dims(deviations, 0))
    result = result if dtype_of(result).startswith('complex') else clip(result, -1.0, 1.0)
    return result if static_shape(result) != (1, 1) else p.reshape(result, ())


@composite('x1 x2', promote='same', cases=[(F(5), F(3)), (F(5), F(3), 'same'), (F(3), F(5), 'full')])
def correlate(x1, x2, mode='valid'):
    """The cross-correlation of two vectors; `mode` is 'valid', 'same' or 'full'.

    Example:
        >>> keras.ops.correlate([1.0, 2.0, 3.0], [0.0, 1.0, 0.5])
        array([3.5], dtype=float32)
    """
    n, m = static_shape(x1)[0], static_shape(x2)[0]
    if None in (n, m):
        raise ValueError('correlate: the number of elements of both vectors must be known. Received: %s and %s'
                         % (static_shape(x1), static_shape(x2)))
    if m > n:
        return p.flip(correlate(x2, x1, mode), (0,))
    before = {'valid': 0, 'same': m // 2, 'full': m - 1}[mode]
    after = {'valid': 0, 'same': (m - 1) - m // 2, 'full': m - 1}[mode]
    dtype = rules.float_dtype(dtype_of(exact(x1)))
    padded = p.pad(p.cast(x1, dtype), ((before, after),))
    result = p.conv(p.reshape(padded, (1, -1, 1)), p.reshape(p.cast(x2, dtype), (-1, 1, 1)), (1,), 'valid', (1,))
    return p.reshape(result, (-1,))
