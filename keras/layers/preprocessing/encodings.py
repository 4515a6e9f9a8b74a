"""Integers as rows of numbers: one-hot, multi-hot, counts."""
import numpy as np

from keras import ops
from keras.backend.contract.loading import get_engine
from keras.backend.table.composites.shape import sparse_result, static_shape

MODES = ('int', 'one_hot', 'multi_hot', 'count')
# An older name.
_ALIASES = {'binary': 'multi_hot'}


def checked_mode(mode, allowed=MODES):
    """The name of an output mode, newer ones for older ones.

    Raises:
        ValueError: for one that is not `allowed`.
    """
    found = _ALIASES.get(mode, mode) if isinstance(mode, str) else mode
    if found not in allowed:
        raise ValueError('Invalid value for argument `output_mode`. Expected one of %s. Unknown arg for output_mode: %s'
                         % (allowed, mode))
    return found


def refuse_sparse(layer, sparse, mode):
    """Say what cannot be done where `sparse` is true.

    Raises:
        ValueError: if the outputs are no rows, or the engine has no sparse tensors.
    """
    if sparse and mode == 'int':
        raise ValueError("`sparse` may only be true if `output_mode` is `'one_hot'`, `'multi_hot'`, `'count'` or "
                         "`'tf_idf'`. Received: sparse=%s and output_mode=%s" % (sparse, mode))
    if sparse and not get_engine().has_sparse:
        raise ValueError('%s: `sparse=True` can only be used with TensorFlow and JAX; the %s engine has no sparse '
                         'tensors. Leave it out to get dense rows.' % (layer, get_engine().name))


def encoded_shape(shape, mode, depth):
    """The shape of what comes of integers of a shape."""
    shape = tuple(shape)
    if mode == 'int':
        return shape
    if mode == 'one_hot':
        return (shape[:-1] if shape and shape[-1] == 1 else shape) + (depth,)
    return shape[:1] * (len(shape) > 1) + shape[2:] + (depth,)


def encoded(numbers, mode, depth, weights=None):
    """Rows for an array of integers; those that are below 0, or too large, count nowhere.

    'multi_hot' and 'count' take those along axis 1 together, of a vector all.

    Args:
        mode: 'one_hot', 'multi_hot' or 'count'. depth: length of a row. weights: how much each integer counts.
    """
    if mode == 'int':
        return numbers
    numbers = np.asarray(numbers)
    rows = (numbers[..., None] == np.arange(depth)).astype('float32')
    if weights is not None:
        rows = rows * np.asarray(weights, 'float32')[..., None]
    if mode == 'one_hot':
        return rows.reshape(encoded_shape(numbers.shape, mode, depth))
    if not numbers.ndim:
        return rows
    axis = 1 if numbers.ndim > 1 else 0
    return rows.max(axis=axis) if mode == 'multi_hot' else rows.sum(axis=axis)


def encoded_tensor(numbers, mode, depth, dtype, weights=None, sparse=False):
    """`encoded` for tensors; with `sparse` as a sparse tensor."""
    if mode == 'int':
        return numbers
    rows = _rows(numbers, mode, depth, dtype, weights)
    return sparse_result(rows) if sparse else rows


def _rows(numbers, mode, depth, dtype, weights):
    rank = ops.ndim(numbers)
    rows = ops.cast(ops.equal(ops.expand_dims(numbers, -1), ops.arange(depth, dtype='int32')), dtype)
    if weights is not None:
        rows = rows * ops.expand_dims(ops.cast(weights, dtype), -1)
    if mode == 'one_hot':
        return ops.squeeze(rows, -2) if static_shape(numbers)[-1:] == (1,) else rows
    if not rank:
        return rows
    axis = 1 if rank > 1 else 0
    return ops.max(rows, axis) if mode == 'multi_hot' else ops.sum(rows, axis)
