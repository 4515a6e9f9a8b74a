"""Linear algebra on matrices in the last two axes, under Keras 3's names and signatures."""
import math

from keras.backend.contract import rules
from keras.backend.contract.engine import UnsupportedOperation
from keras.backend.table import primitives as p
from keras.backend.table.cases import S
from keras.backend.table.composites import linalg
from keras.backend.table.composites.math import count_nonzero, greater
from keras.backend.table.composites.shape import (diagonal, dtype_of, expand_dims, eye, moveaxis, ndim, shape,
                                                  static_shape, swapaxes)
from keras.backend.table.dispatch import composite
from keras.backend.table.primitives import solve as _solve
from keras.backend.table.joined import joined
from keras.ops.core import jvp  # noqa: F401  (it is a name of this module, too)
from keras.ops.elementwise import conjugate


def cholesky(x, upper=False):
    """The triangular factor of symmetric positive definite matrices, the lower one unless `upper`.

    Raises:
        ValueError: if they are no such (inside steps that are compiled, engines may give NaN instead).

    Example:
        >>> keras.ops.cholesky([[4.0, 2.0], [2.0, 5.0]])
        array([[2., 0.],
               [1., 2.]], dtype=float32)
    """
    try:
        factor = p.cholesky(_square(x))
    except (ValueError, TypeError, UnsupportedOperation):
        raise
    except Exception as error:  # each engine has its own
        raise ValueError('Cholesky decomposition failed: the matrices must be symmetric and positive definite. %s'
                         % error) from error
    return swapaxes(factor, -1, -2) if upper else factor


def _square(x):
    """`x`, whose last two sizes are the same as far as anybody knows."""
    sizes = static_shape(x)[-2:]
    if len(sizes) < 2 or sizes[0] != sizes[1]:
        raise ValueError('Expected square matrices. Received: shape %s' % (static_shape(x),))
    return x


def cholesky_inverse(x, upper=False):
    """The inverse of the matrices whose Cholesky factor is `x`.

    Example:
        >>> keras.ops.cholesky_inverse([[2.0, 0.0], [1.0, 2.0]])
        array([[ 0.3125, -0.125 ],
               [-0.125 ,  0.25  ]], dtype=float32)
    """
    return linalg.cholesky_inverse(_square(x), upper)


def inv(x):
    """The inverse of square matrices.

    Example:
        >>> keras.ops.inv([[2.0, 0.0], [0.0, 4.0]])
        array([[0.5 , 0.  ],
               [0.  , 0.25]], dtype=float32)
    """
    return linalg.inv(_square(x))


def solve(a, b):
    """The solution X of A X = B; `b` may be a vector.

    Example:
        >>> keras.ops.solve([[2.0, 0.0], [0.0, 4.0]], [2.0, 8.0])
        array([1., 2.], dtype=float32)
    """
    if _is_vector(a, b):
        return p.sum(_solve(a, expand_dims(b, -1)), -1)
    return _solve(a, b)


def _is_vector(a, b):
    """Whether the right-hand sides `b` are vectors."""
    vectors = ndim(b) == ndim(_square(a)) - 1
    if not ndim(b) or static_shape(b)[-1 if vectors else -2] != static_shape(a)[-1]:
        raise ValueError('Matrices of shape %s do not fit right-hand sides of shape %s.'
                         % (static_shape(a), static_shape(b)))
    return vectors


def solve_triangular(a, b, lower=False):
    """The solution X of A X = B, reading only one triangle of A; `b` may be a vector.

    Example:
        >>> keras.ops.solve_triangular([[2.0, 0.0], [2.0, 4.0]], [2.0, 6.0], lower=True)
        array([1., 1.], dtype=float32)
    """
    if _is_vector(a, b):
        return p.sum(p.triangular_solve(a, expand_dims(b, -1), lower), -1)
    return p.triangular_solve(a, b, lower)


def qr(x, mode='reduced'):
    """Q and R of the QR decomposition.

    Args:
        mode: 'reduced': Q has as many columns as the smaller size; 'complete': Q is square.

    Raises:
        ValueError: for another mode, or matrices of unknown sizes.

    Example:
        >>> q, r = keras.ops.qr([[3.0, 0.0], [0.0, 2.0]])
        >>> keras.ops.matmul(q, r)
        array([[3., 0.],
               [0., 2.]], dtype=float32)
    """
    if mode not in ('reduced', 'complete'):
        raise ValueError("qr: Expected one of {'reduced', 'complete'}. Received: mode=%r" % (mode,))
    if ndim(x) < 2:
        raise ValueError('qr: Input should have rank >= 2. Received: shape %s' % (static_shape(x),))
    rows, columns = static_shape(x)[-2:]
    if rows is None or columns is None:
        raise ValueError('qr: Input should have its last 2 dimensions fully-defined. Received: shape %s'
                         % (static_shape(x),))
    q, r = p.qr(x)
    if mode == 'complete' and rows > columns:
        q = linalg.completed(q)
        r = p.pad(r, ((0, 0),) * (ndim(r) - 2) + ((0, rows - columns), (0, 0)), 0)
    return q, r


def svd(x, full_matrices=True, compute_uv=True):
    """U, the singular values in falling order, and V transposed; the values only without `compute_uv`.

    With `full_matrices`, U and V are square.

    Example:
        >>> u, values, v = keras.ops.svd([[3.0, 0.0], [0.0, 2.0]])
        >>> values
        array([3., 2.], dtype=float32)
    """
    u, values, v = p.svd(x)
    if not compute_uv:
        return values
    if full_matrices:
        u = linalg.completed(u)
        v = swapaxes(linalg.completed(swapaxes(v, -1, -2)), -1, -2)
    return u, values, v


def eig(x):
    """The eigenvalues of square matrices, in no order, and the eigenvectors as columns, both complex.

    Example:
        >>> keras.ops.eig([[2.0, 0.0], [0.0, 3.0]])
        (array([2.+0.j, 3.+0.j], dtype=complex64), array([[1.+0.j, 0.+0.j],
               [0.+0.j, 1.+0.j]], dtype=complex64))
    """
    return tuple(p.eig(x))


def eigh(x):
    """The eigenvalues of symmetric matrices in rising order, and the eigenvectors as columns.

    Example:
        >>> values, vectors = keras.ops.eigh([[2.0, 0.0], [0.0, 3.0]])
        >>> values
        array([2., 3.], dtype=float32)
    """
    return tuple(p.eigh(x))


def lu_factor(x):
    """L and U packed into one matrix, and the row exchanged at each step (int32), of square matrices.

    Example:
        >>> keras.ops.lu_factor([[2.0, 1.0], [4.0, 5.0]])
        (array([[ 4. ,  5. ],
               [ 0.5, -1.5]], dtype=float32), array([1, 1], dtype=int32))
    """
    return tuple(linalg.lu_factor(x))


@joined
def det(x):
    """The determinant of square matrices.

    Example:
        >>> keras.ops.det([[2.0, 0.0], [0.0, 3.0]])
        np.float32(6.0)
    """
    return linalg.det(_square(x))


@joined
def slogdet(x):
    """The sign and the logarithm of the absolute value of the determinant.

    Example:
        >>> keras.ops.slogdet([[2.0, 0.0], [0.0, 3.0]])
        (np.float32(1.0), np.float32(1.7917595))
    """
    return tuple(linalg.slogdet(x))


def logdet(x):
    """The logarithm of the absolute value of the determinant.

    Example:
        >>> keras.ops.logdet([[2.0, 0.0], [0.0, 3.0]])
        np.float32(1.7917595)
    """
    return slogdet(x)[1]


@joined
def pinv(x, rcond=None):
    """The pseudo-inverse; singular values below `rcond` times the largest count as 0.

    Example:
        >>> keras.ops.pinv([[2.0, 0.0], [0.0, 0.0]])
        array([[0.5, 0. ],
               [0. , 0. ]], dtype=float32)
    """
    u, values, v = p.svd(x)
    kept = greater(values, p.multiply(p.max(values, -1, True), _cutoff(x, rcond)))
    inverse = p.where(kept, p.divide(1.0, p.where(kept, values, 1.0)), 0.0)
    inverse = p.cast(expand_dims(inverse, -2), dtype_of(u))
    return p.matmul(p.multiply(swapaxes(conjugate(v), -1, -2), inverse), swapaxes(conjugate(u), -1, -2))


def _cutoff(x, rcond):
    if rcond is not None:
        return rcond
    precision = {'float64': 2.2e-16, 'float32': 1.2e-7}.get(rules.float_dtype(dtype_of(x)), 1e-3)
    return precision * max(static_shape(x)[-2:])


def matrix_rank(x, tol=None):
    """The number of singular values above `tol` (default the rounding error of the largest).

    Example:
        >>> keras.ops.matrix_rank([[1.0, 2.0], [2.0, 4.0]])
        np.int32(1)
    """
    values = p.svd(x)[1]
    bound = p.multiply(p.max(values, -1, True), _cutoff(x, None)) if tol is None else tol
    return count_nonzero(greater(values, bound), -1)


@joined
def lstsq(a, b, rcond=None):
    """The X that makes the length of A X - B least; of all such the shortest.

    Example:
        >>> keras.ops.lstsq([[1.0, 0.0], [0.0, 2.0]], [3.0, 4.0])
        array([3., 2.], dtype=float32)
    """
    inverse = pinv(a, rcond)
    return p.sum(p.matmul(inverse, expand_dims(b, -1)), -1) if ndim(b) == 1 else p.matmul(inverse, b)


@joined
def norm(x, ord=None, axis=None, keepdims=False):
    """The norm of vectors (one axis), matrices (two axes) or the flattened tensor (None).

    Args:
        ord: vectors: any number, inf, -inf; matrices: 'fro', 'nuc', 1, -1, 2, -2, inf, -inf. Default Euclidean.

    Example:
        >>> keras.ops.norm([3.0, 4.0])
        np.float32(5.0)
    """
    x = p.cast(x, rules.float_dtype(dtype_of(x)))
    rank = ndim(x)
    if ord not in ('nuc', 2, -2) or rank == 1:
        x = p.abs(x) if dtype_of(x).startswith('complex') else x
    if axis is None and (ord is None or rank == 1 and ord == 2 or rank == 2 and ord == 'fro'):
        return p.sqrt(p.sum(p.multiply(x, x), None, keepdims))
    axes = _norm_axes(axis, rank)
    if len(axes) == 1:
        return _vector_norm(p.abs(x), 2 if ord is None else ord, axes[0], keepdims)
    if len(axes) == 2:
        return _matrix_norm(x, 'fro' if ord is None else ord, axes, keepdims)
    raise NormError('norm: `axis` must name one or two axes. Received: %r for rank %d' % (axis, rank))


class NormError(rules.OutOfBounds, RuntimeError):
    """A norm that there is not; on PyTorch scripts expect IndexError or RuntimeError, elsewhere ValueError."""


def _norm_axes(axis, rank):
    try:
        return rules.normalize_axes(axis, rank)
    except ValueError as error:
        raise NormError('norm: %s' % error) from None


def _vector_norm(size, order, axis, keepdims):
    if order == math.inf:
        return p.max(size, axis, keepdims)
    if order == -math.inf:
        return p.min(size, axis, keepdims)
    if order == 0:
        return p.sum(p.cast(p.less(0.0, size), dtype_of(size)), axis, keepdims)
    if order == 1:
        return p.sum(size, axis, keepdims)
    if order == 2:
        return p.sqrt(p.sum(p.multiply(size, size), axis, keepdims))
    if isinstance(order, str):
        raise NormError('norm: order %r is for matrices, axis %r names one axis' % (order, axis))
    return p.power(p.sum(p.power(size, float(order)), axis, keepdims), 1.0 / order)


def _matrix_norm(x, order, axes, keepdims):
    rows, columns = axes
    if order == 'fro':
        return p.sqrt(p.sum(p.multiply(x, x), axes, keepdims))
    if order in (1, -1, math.inf, -math.inf):
        first, second = (rows, columns) if abs(order) == 1 else (columns, rows)
        sums = p.sum(p.abs(x), first, True)
        return (p.max if order > 0 else p.min)(sums if keepdims else p.sum(sums, first), second if keepdims or
                                               second < first else second - 1, keepdims)
    if order not in ('nuc', 2, -2):
        raise NormError("norm: the order of a matrix norm must be 'fro', 'nuc', 1, -1, 2, -2, inf or -inf. "
                        'Received: %r' % (order,))
    values = p.svd(moveaxis(x, axes, (-2, -1)))[1]
    result = {'nuc': p.sum, 2: p.max, -2: p.min}[order](values, -1, False)
    return expand_dims(result, axes) if keepdims else result
