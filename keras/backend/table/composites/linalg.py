"""Decompositions that the primitives do not give, written once: unrolled loops over the columns of small matrices."""
from keras.backend.table import primitives as p
from keras.backend.table.cases import F, S
from keras.backend.table.composites.shape import (diagonal, dtype_of, expand_dims, eye, getitem, shape, sliced, stack,
                                                  static_shape, swapaxes)
from keras.backend.table.dispatch import composite


def _sizes(x):
    """(rows, columns) of matrices."""
    sizes = static_shape(x)[-2:]
    if len(sizes) < 2 or None in sizes:
        raise ValueError('the sizes of the matrices must be known')
    return sizes


@composite(promote='float', cases=[(S(3, 3),), (S(2, 4, 4),), (F(3, 3),), (F(4, 3),), (F(2, 3, 5),)], gradient=False)
def lu_factor(x):
    """Gaussian elimination with partial pivoting (Golub and Van Loan, algorithm 3.4.1).

    Returns:
        L below and U on and above the diagonal in one matrix, and the row exchanged with row k at step k (int32).
    """
    rows, columns = _sizes(x)
    return _eliminated(x, rows, columns, min(rows, columns))


def _of_square(x):
    """`lu_factor` of square matrices, of which one size is enough."""
    known = set(static_shape(x)[-2:]) - {None}
    if len(static_shape(x)) < 2 or len(known) != 1:
        raise ValueError('expected square matrices, of a size that is known')
    rows, columns = shape(x)[-2:]
    return _eliminated(x, rows, columns, known.pop())


def _eliminated(x, rows, columns, count):
    row_numbers, column_numbers = p.arange(rows, dtype='int32'), p.arange(columns, dtype='int32')
    pivots = []
    for k in range(count):
        column = p.abs(getitem(x, (Ellipsis, k)))
        pivot = p.argmax(p.where(p.less(row_numbers, k), p.full_like(column, -1.0), column), -1)
        pivots.append(pivot)
        chosen = p.cast(p.equal(row_numbers, expand_dims(pivot, -1)), dtype_of(x))
        x = _exchanged(x, k, chosen, row_numbers)
        below = p.cast(p.less(k, row_numbers), dtype_of(x))
        diagonal_entry = getitem(x, (Ellipsis, k, k))
        safe = p.where(p.equal(diagonal_entry, 0.0), p.full_like(diagonal_entry, 1.0), diagonal_entry)
        factors = getitem(x, (Ellipsis, k)) / expand_dims(safe, -1) * below
        right = p.cast(p.less(k, column_numbers), dtype_of(x))
        row = getitem(x, (Ellipsis, k, slice(None))) * right
        unit = p.cast(p.equal(column_numbers, k), dtype_of(x))
        # Column k below the diagonal becomes the factors, the rest loses its multiple of row k.
        x = x - expand_dims(factors, -1) * expand_dims(row, -2)
        x = x - expand_dims(getitem(x, (Ellipsis, k)) * below - factors, -1) * unit
    return x, stack(pivots, -1)


def _exchanged(x, k, chosen, row_numbers):
    """`x` with row `k` and the row marked in `chosen` exchanged."""
    row = getitem(x, (Ellipsis, k, slice(None)))
    other = p.sum(x * expand_dims(chosen, -1), -2)
    unit = p.cast(p.equal(row_numbers, k), dtype_of(x))
    difference = expand_dims(other - row, -2)
    return x + expand_dims(unit, -1) * difference - expand_dims(chosen, -1) * difference


def _exchanges(pivots):
    """1 for an even number of rows exchanged, -1 for an odd one."""
    size = static_shape(pivots)[-1]
    moved = p.cast(p.logical_not(p.equal(pivots, p.arange(size, dtype='int32'))), 'float32')
    return 1.0 - p.mod(p.sum(moved, -1), 2.0) * 2.0


@composite(promote='float', cases=[(S(3, 3),), (S(2, 3, 3),), (F(3, 3),)])
def det(x):
    """The determinant of square matrices."""
    packed, pivots = _of_square(x)
    return p.prod(diagonal(packed, 0, -2, -1), -1) * p.cast(_exchanges(pivots), dtype_of(x))


@composite(promote='float', cases=[(S(3, 3),), (S(2, 3, 3),), (F(3, 3),)])
def slogdet(x):
    """The sign and the logarithm of the absolute value of the determinant."""
    packed, pivots = _of_square(x)
    entries = diagonal(packed, 0, -2, -1)
    sizes = p.abs(entries)
    if dtype_of(x).startswith('complex'):
        signs = entries / p.cast(p.where(p.equal(sizes, 0.0), p.full_like(sizes, 1.0), sizes), dtype_of(x))
    else:
        signs = p.sign(entries)
    return p.prod(signs, -1) * p.cast(_exchanges(pivots), dtype_of(x)), p.sum(p.log(sizes), -1)


def _identity_like(x):
    return p.broadcast_to(eye(shape(x)[-1], dtype=dtype_of(x)), shape(x))


@composite(promote='float', cases=[(S(2, 3, 3),)])
def inv(x):
    """The inverse of square matrices."""
    return p.solve(x, _identity_like(x))


@composite(promote='float', cases=[(S(2, 3, 3),), (S(3, 3), True)])
def cholesky_inverse(x, upper=False):
    """The inverse of the matrices whose Cholesky factor is `x`."""
    lower = swapaxes(x, -1, -2) if upper else x
    inverse = p.triangular_solve(lower, _identity_like(lower), True)
    return p.matmul(swapaxes(inverse, -1, -2), inverse)


@composite(promote='float', gradient=False)
def completed(x):
    """Orthonormal columns (..., n, k) completed to a square orthogonal matrix (..., n, n)."""
    rows, columns = static_shape(x)[-2:]
    if rows == columns:
        return x
    projector = eye(rows, dtype=dtype_of(x)) - p.matmul(x, swapaxes(x, -1, -2))
    # The eigenvectors of eigenvalue 1 of the projector onto the complement.
    vectors = p.eigh(projector)[1]
    return p.concatenate([x, sliced(vectors, -1, columns, None)], -1)
