"""Operations on the sparse tensors of an engine's library: those that give sparse results, all others are run densely.

A sparse tensor is (indices, values, shape) here, with a row of numbers in `indices` for each value and each place once;
what is done with these is the same for all engines. Those of `_sliced` keep whole slices, too (`IndexedSlices`, BCOO
with dense axes): the values are slices then, and `indices` number the axes before. The fast path of the dispatcher
knows nothing of it.
"""
import builtins

import numpy as np

from keras import generations
from keras.backend.contract import rules, tree
from keras.backend.contract.loading import active, get_engine, is_sparse
from keras.backend.graph.tensors import KerasTensor
from keras.backend.table.abstract import map_tensors
from keras.backend.table.entries import TABLE

# Functions that are 0 at 0, one element at a time.
_UNARY = """abs arcsin arcsinh arctan arctanh cast ceil copied expm1 floor imag log1p negative real round sign sin sinh
    sqrt square stop_gradient tan tanh""".split()


def run(entry, args):
    """The call of an entry with sparse tensors among its arguments.

    A kernel says `NotImplemented` where it cannot keep the result sparse, or the arguments are wrong: then the call
    runs densely, which has the messages as well.
    """
    args = map_tensors(entry, args, lambda leaf, position: active.engine.sparse_shaped(leaf)
                       if is_sparse(leaf) else leaf)
    if entry.name in _KERNELS and all(map(_has_rank, tree.flatten(args))):
        result = _KERNELS[entry.name][0](*args)
        if result is not NotImplemented:
            return result
    engine = get_engine()
    return entry.call(*map_tensors(entry, args, lambda leaf, position: engine.convert(leaf)
                                   if is_sparse(leaf) else leaf))


def is_kept(entry, args):
    """Whether a call with symbolic tensors, some of them sparse, gives a sparse one."""
    return entry.name in _KERNELS and _KERNELS[entry.name][1](*args)


def _has_rank(x):
    return not is_sparse(x) or getattr(x.shape, 'rank', 0) is not None


def _sparse(x):
    return x.sparse if isinstance(x, KerasTensor) else is_sparse(x)


def _call(name, *args):
    return TABLE[name].call(*args)


def _parts(x):
    return active.engine.sparse_parts(x)


def _sliced(x):
    return active.engine.slices_parts(x)


def _with(x, values):
    return active.engine.sparse_with(x, values)


def _made(indices, values, shape):
    return active.engine.sparse_of(indices, values, tuple(shape))


def _columns(indices, axes):
    """`indices` with the numbers of the axes `axes` only, in that order."""
    return _call('gather', indices, list(axes), 1)


def _alike(x, y):
    """Both values in their common dtype."""
    dtype = rules.result_dtype(active.engine.dtype_of(x), active.engine.dtype_of(y))
    return _call('cast', x, dtype), _call('cast', y, dtype)


# --- one element at a time ------------------------------------------------------------------------------------------

def _elementwise(name):
    def kernel(x, *rest):
        return _with(x, _call(name, _sliced(x)[1], *rest))
    return kernel, lambda x, *rest: True


def _of_both(name):
    """A function of two that is 0 where both are."""
    def kernel(x1, x2):
        # Sizes that are unknown may differ, and would broadcast.
        if not (is_sparse(x1) and is_sparse(x2)) or tuple(x1.shape) != tuple(x2.shape) or None in tuple(x1.shape):
            return NotImplemented
        (indices1, values1, shape), (indices2, values2, _) = _sliced(x1), _sliced(x2)
        if active.engine.shape_of(indices1)[1] != active.engine.shape_of(indices2)[1]:
            return NotImplemented
        values1, values2 = _alike(values1, values2)
        indices = _call('concatenate', [indices1, indices2], 0)
        none1, none2 = _call('zeros_like', values1), _call('zeros_like', values2)
        first = _made(indices, _call('concatenate', [values1, none2], 0), shape)
        second = _made(indices, _call('concatenate', [none1, values2], 0), shape)
        return _with(first, _call(name, _sliced(first)[1], _sliced(second)[1]))
    return kernel, lambda x1, x2: _sparse(x1) and _sparse(x2)


def _product(x1, x2):
    if is_sparse(x1) and is_sparse(x2):
        return _of_both('multiply')[0](x1, x2)
    x, y = (x1, x2) if is_sparse(x1) else (x2, x1)
    return _of_values('multiply', x, y)


def _of_values(name, x, y):
    """What an operation makes of the values of a sparse `x` and the elements of `y` in their places."""
    indices, values, shape = _sliced(x)
    if type(y) in (int, float, builtins.bool):
        return _with(x, _call(name, values, y))
    y = active.engine.convert(y)
    if active.engine.shape_of(y) != ():
        if not _fits(shape, y):
            return NotImplemented
        counted = tuple(shape)[:active.engine.shape_of(indices)[1]]
        # Some libraries fill up with places outside.
        flat = _call('minimum', _flat(indices, counted), _size(counted) - 1)
        y = _call('reshape', _call('broadcast_to', y, tuple(shape)), (_size(counted),) + tuple(shape)[len(counted):])
        y = _call('gather', y, flat, 0)
    return _with(x, _call(name, *_alike(values, y)))


def _fits(shape, y):
    """Whether the dense `y` broadcasts to `shape`, which is known."""
    return all(type(size) is int for size in shape) and rules.broadcast_shapes(
        tuple(shape), active.engine.shape_of(y)) == tuple(shape)


def _divided(x1, x2):
    if not is_sparse(x1) or is_sparse(x2) or type(x2) in (int, float) and x2 == 0:
        return NotImplemented
    quotient = _of_values('divide', x1, x2)
    if quotient is NotImplemented or type(x2) in (int, float):
        return quotient
    # 0 divided by 0 or by NaN is NaN: such places are added.
    x2 = active.engine.convert(x2)
    if not _fits(tuple(x1.shape), x2):
        return NotImplemented
    x, dtype = active.engine.convert(x1), active.engine.dtype_of(_sliced(quotient)[1])
    unlike = _call('not_equal', x2, x2)  # NaN alone
    undefined = _call('logical_and', _call('equal', x, 0), _call('logical_or', _call('equal', x2, 0), unlike))
    sliced = active.engine.shape_of(_sliced(x1)[0])[1] < len(x1.shape)
    missing = _call('where', undefined, float('nan'), _call('cast', _call('zeros_like', x), dtype))
    return _of_both('add')[0](quotient, active.engine.sparse_from(missing, sliced))


def _digitized(x, bins):
    return _with(x, _call('digitize', _sliced(x)[1], bins)) if _is_zero_first(x, bins) else NotImplemented


def _is_zero_first(x, bins):
    """Whether 0 is below all bins, and stays 0."""
    return _sparse(x) and isinstance(bins, (list, tuple, np.ndarray)) and builtins.all(each > 0 for each in bins)


# --- sums and products of matrices ----------------------------------------------------------------------------------

def _matmul(x1, x2):
    x1, x2 = [x if hasattr(x, 'shape') else active.engine.convert(x) for x in (x1, x2)]
    engine = get_engine()
    if not len(x1.shape) == len(x2.shape) == 2:
        if not (is_sparse(x1) and is_sparse(x2)) or min(len(x1.shape), len(x2.shape)) < 2:
            return NotImplemented
        return engine.sparse_from(_call('matmul', engine.convert(x1), engine.convert(x2)))
    if not is_sparse(x1) or not is_sparse(x2):
        dense = engine.convert(x2 if is_sparse(x1) else x1)
        x1, x2 = (x1, dense) if is_sparse(x1) else (dense, x2)
    return engine.sparse_product(x1, x2) if engine.dtype_of(x1) == engine.dtype_of(x2) else NotImplemented


def _batch_dot(x, y, axes=None):
    if not is_sparse(x) or not is_sparse(y):
        return NotImplemented
    engine = get_engine()
    return engine.sparse_from(_call('batch_dot', engine.convert(x), engine.convert(y), axes))


def _linear(x, kernel, bias=None):
    if not is_sparse(x):
        return NotImplemented
    product = _matmul(x, kernel)
    return product if bias is None or product is NotImplemented else _call('add', product, bias)


def _reduced_axes(x, axis, keepdims):
    """The axes that a sum is over, None where no axis is left and a single number is a dense one."""
    rank = len(x.shape)
    axes = set(rules.normalize_axes(axis, rank))
    dense = len(axes) == rank and not keepdims and not generations.value('full_sums_are_sparse')
    return None if dense else axes


def _sum(x, axis=None, keepdims=False):
    axes = _reduced_axes(x, axis, keepdims)
    if axes is None:
        return NotImplemented
    indices, values, shape = _parts(x)
    values = _call('cast', values, rules.sum_dtype(active.engine.dtype_of(values)))
    if keepdims:
        kept = [0 if number in axes else 1 for number in range(len(shape))]
        indices = _call('multiply', indices, _call('cast', kept, active.engine.dtype_of(indices)))
        shape = [1 if number in axes else size for number, size in enumerate(shape)]
    else:
        kept = [number for number in range(len(shape)) if number not in axes]
        indices, shape = _columns(indices, kept), [shape[number] for number in kept]
    return _made(indices, values, shape)


def _mean(x, axis=None, keepdims=False):
    axes = _reduced_axes(x, axis, keepdims)
    sizes = [x.shape[number] for number in axes or ()]
    if axes is None or None in sizes or not rules.is_float(active.engine.dtype_of(_parts(x)[1])):
        return NotImplemented
    return _of_values('divide', _sum(x, axis, keepdims), float(_size(sizes)))


def _is_partial(x, axis=None, keepdims=False):
    return x.shape is not None and _reduced_axes(x, axis, keepdims) is not None


# --- where the elements stand ---------------------------------------------------------------------------------------

def _size(shape):
    count = 1
    for size in shape:
        count *= int(size)
    return count


def _strides(shape):
    return [_size(shape[number + 1:]) for number in range(len(shape))]


def _flat(indices, shape):
    """The number of each place among all."""
    strides = _call('cast', _strides(shape), active.engine.dtype_of(indices))
    return _call('sum', _call('multiply', indices, strides), 1)


def _transpose(x, axes=None):
    indices, values, shape = _parts(x)
    axes = [rules.normalize_axis(axis, len(shape)) for axis in (
        reversed(range(len(shape))) if axes is None else axes)]
    if sorted(axes) != list(range(len(shape))):
        return NotImplemented  # which has the message
    return _made(_columns(indices, axes), values, [shape[axis] for axis in axes])


def _reshape(x, shape):
    indices, values, old = _parts(x)
    if not len(shape) or not all(type(size) is int for size in list(old) + list(shape)):
        return NotImplemented
    shape = list(shape)
    if -1 in shape:
        place = shape.index(-1)
        shape[place] = _size(old) // max(1, _size(shape[:place] + shape[place + 1:]))
    if _size(shape) != _size(old):
        return NotImplemented  # which has the message
    if _size(old) >= 2 ** 31 and active.engine.dtype_of(indices) == 'int32':
        raise ValueError('reshape: a sparse tensor of shape %s has more places than int32 can number.' % (tuple(old),))
    flat, columns = _flat(indices, old), []
    for stride in _strides(shape):
        columns.append(_call('floor_divide', flat, stride))
        flat = _call('mod', flat, stride)
    return _made(_call('stack', columns, 1), values, shape)


def _expand_dims(x, axis):
    rank = len(x.shape)
    given = axis if isinstance(axis, (list, tuple)) else [axis]
    axes = [rules.normalize_axis(number, rank + len(given)) for number in given]
    indices, values, shape = _parts(x)
    old, columns, sizes = iter(range(rank)), [], []
    for number in range(rank + len(axes)):
        place = None if number in axes else next(old)
        columns.append(_columns(indices, [place]) if place is not None else _call('zeros_like', indices[:, :1]))
        sizes.append(1 if place is None else shape[place])
    return _made(_call('concatenate', columns, 1), values, sizes)


def _squeeze(x, axis=None):
    rank = len(x.shape)
    given = [number for number in range(rank) if x.shape[number] == 1] if axis is None else \
        list(rules.normalize_axes(axis, rank))
    if any(x.shape[number] != 1 for number in given) or len(given) == rank:
        return NotImplemented
    indices, values, shape = _parts(x)
    kept = [number for number in range(rank) if number not in given]
    return _made(_columns(indices, kept), values, [shape[number] for number in kept])


def _concatenate(xs, axis=-1):
    rank = len(xs[0].shape)
    axis = rules.normalize_axis(axis, rank)
    if not all(map(is_sparse, xs)) or any(
            x.shape[number] != xs[0].shape[number] for x in xs for number in range(rank) if number != axis):
        return NotImplemented
    before, all_indices, all_values, shape = 0, [], [], None
    for x in xs:
        indices, values, shape = _parts(x)
        if type(shape[axis]) is not int:
            return NotImplemented
        moved = [before if number == axis else 0 for number in range(rank)]
        all_indices.append(_call('add', indices, _call('cast', moved, active.engine.dtype_of(indices))))
        all_values.append(values)
        before += shape[axis]
    dtype = rules.result_dtype(*map(active.engine.dtype_of, all_values))
    values = _call('concatenate', [_call('cast', each, dtype) for each in all_values], 0)
    return _made(_call('concatenate', all_indices, 0), values, shape[:axis] + (before,) + shape[axis + 1:])


def _counted(x, weights=None, minlength=0):
    """`bincount` of the elements that are given."""
    if not is_sparse(x) or len(x.shape) > 2 or not all(type(size) is int for size in x.shape):
        return NotImplemented
    indices, values, shape = _parts(x)
    flat, size = _flat(indices, shape), _size(shape)
    if weights is not None:
        weights = _call('reshape', active.engine.convert(weights), (-1,))
        weights = _call('expand_dims', _call('gather', weights, _call('minimum', flat, size - 1), 0), 1)
    counts = _call('counted', _call('expand_dims', values, 1), weights, minlength)
    inside = _call('cast', _call('less', flat, size), active.engine.dtype_of(counts))
    counts = _call('multiply', counts, _call('expand_dims', inside, 1))
    if len(shape) == 1:
        return active.engine.sparse_from(_call('sum', counts, 0))
    start = _call('broadcast_to', _call('zeros_like', counts[:1]), (shape[0], active.engine.shape_of(counts)[1]))
    return active.engine.sparse_from(_call('scatter_add', start, indices[:, 0], counts))


def _always(*args):
    return True


_KERNELS = {name: _elementwise(name) for name in _UNARY}
_KERNELS.update({name: _of_both(name) for name in ('add', 'subtract', 'maximum', 'minimum')})
_KERNELS.update(
    multiply=(_product, lambda x1, x2: True), matmul=(_matmul, lambda x1, x2: _sparse(x1) and _sparse(x2)),
    divide=(_divided, lambda x1, x2: _sparse(x1) and not _sparse(x2) and not (type(x2) in (int, float) and x2 == 0)),
    digitize=(_digitized, _is_zero_first), counted=(_counted, lambda x, *args: _sparse(x)),
    batch_dot=(_batch_dot, lambda x, y, axes=None: _sparse(x) and _sparse(y)), linear=(_linear, lambda *args: False),
    sum=(_sum, _is_partial), mean=(_mean, _is_partial),
    transpose=(_transpose, _always), reshape=(_reshape, _always), expand_dims=(_expand_dims, _always),
    squeeze=(_squeeze, _always), concatenate=(_concatenate, lambda xs, axis=-1: all(map(_sparse, xs))))
