"""Creation, indexing and rearranging, written once over the primitives.

Sizes: `shape(x)` gives ints, and scalars of the engine (or abstract scalars) where a size is not known. Both kinds
may be added, multiplied and passed to every function that takes a shape.
"""
import builtins
import functools
import operator

import numpy as np

from keras import config
from keras.backend.contract import rules
from keras.backend.contract.context import context
from keras.backend.contract.loading import active, get_engine, is_ragged, is_sparse
from keras.backend.contract.rules import AbstractTensor
from keras.backend.graph.tensors import KerasTensor
from keras.backend.state.variables import Variable
from keras.backend.table import primitives as p
from keras.backend.table.cases import B, F, I
from keras.backend.table.dispatch import composite


# --- what a tensor is -------------------------------------------------------------------------------------------

def shape(x):
    """The shape of `x`, a tuple of ints, for computing with.

    A size that is not known is an engine scalar for a native tensor, None for a `KerasTensor` (a scalar of the graph
    where a model is traced), and an abstract scalar while shapes are inferred.

    Example:
        >>> keras.ops.shape(keras.ops.zeros((2, 3)))
        (2, 3)
    """
    if type(x) in active.native:
        return tuple(active.engine.dynamic_shape(x))
    if isinstance(x, KerasTensor) and not context.abstract:
        return tuple(x.shape) if context.tracing is None else context.tracing.sizes(x)
    if isinstance(x, AbstractTensor):
        return tuple(AbstractTensor((), 'int32') if size is None else size for size in x.shape)
    if isinstance(x, Variable):
        return tuple(x.shape)
    if is_sparse(x):
        known = active.engine.shape_of(x)
        return tuple(active.engine.sparse_parts(x)[2] if None in known else known)
    if not isinstance(x, (np.ndarray, np.generic, list, tuple, int, float)) and get_engine().is_native(x):
        return tuple(get_engine().dynamic_shape(x))
    return np.shape(x)


def static_shape(x):
    """The shape of `x` with None for sizes that are not known."""
    if type(x) in active.native:
        return tuple(active.engine.shape_of(x))
    if isinstance(x, (AbstractTensor, Variable)):
        return x.shape
    if not isinstance(x, (np.ndarray, np.generic, list, tuple, int, float)) and (
            get_engine().is_native(x) or is_sparse(x)):
        return tuple(get_engine().shape_of(x))
    return np.shape(x)


def ndim(x):
    """The number of axes.

    Example:
        >>> keras.ops.ndim([[1, 2]])
        2
    """
    return len(static_shape(x))


def dtype_of(x):
    """The name of the dtype of a tensor, a variable, an array or a Python value."""
    if type(x) in active.native:
        return active.engine.dtype_of(x)
    if isinstance(x, (AbstractTensor, Variable)):
        return x.dtype
    if isinstance(x, (np.ndarray, np.generic)):
        return x.dtype.name
    if isinstance(x, (bool, int, float)):
        return rules.result_dtype(type(x))
    if is_sparse(x) or is_ragged(x):
        return active.engine.dtype_of(x)
    return get_engine().dtype_of(get_engine().convert(x))


def multiply_sizes(sizes):
    """The product of sizes as `shape` gives them."""
    return functools.reduce(operator.mul, sizes, 1)


def count(x, axis=None):
    """The number of elements along `axis` (an int, a tuple, or None for all), as `shape` gives sizes."""
    sizes = shape(x)
    return multiply_sizes([sizes[entry] for entry in rules.normalize_axes(axis, len(sizes))])


def resized(x, sizes):
    """`x` reshaped to `sizes`, of which the only unknown one, if there is just one, is left to the engine."""
    sizes = tuple(sizes)
    unknown = [position for position, size in enumerate(sizes) if not isinstance(size, (int, np.integer))]
    if len(unknown) == 1 and 0 not in [size for size in sizes if isinstance(size, (int, np.integer))]:
        sizes = sizes[:unknown[0]] + (-1,) + sizes[unknown[0] + 1:]
    return p.reshape(x, sizes)


# --- creation ---------------------------------------------------------------------------------------------------

def shape_tuple(shape):
    """A shape as a tuple of sizes: of a list, of a vector of a known length (`tf.shape(x)`), or of one number."""
    if isinstance(shape, (list, tuple)):
        return tuple(shape)
    if hasattr(shape, 'as_list'):  # of TensorFlow
        return tuple(shape.as_list())
    lengths = static_shape(shape) if hasattr(shape, 'shape') else ()
    if len(lengths) == 1:
        return tuple([int(shape[index]) if isinstance(shape, np.ndarray) else shape[index]
                      for index in range(lengths[0])])
    return (shape,)


@composite(tensors='', cases=[((2, 3), None), ((2,), 'int32'), ((), 'float32')])
def zeros(shape, dtype=None):
    """A tensor of zeros; `dtype` defaults to `floatx`.

    Example:
        >>> keras.ops.zeros((2,))
        array([0., 0.], dtype=float32)
    """
    return p.full(shape_tuple(shape), 0, dtype or config.floatx())


@composite(tensors='', cases=[((2, 3), None), ((2,), 'int32')])
def ones(shape, dtype=None):
    """A tensor of ones; `dtype` defaults to `floatx`.

    Example:
        >>> keras.ops.ones((2,))
        array([1., 1.], dtype=float32)
    """
    return p.full(shape_tuple(shape), 1, dtype or config.floatx())


@composite(cases=[(F(2, 3),), (F(2), 'int32')], gradient=False)
def zeros_like(x, dtype=None):
    """Zeros in the shape of `x`, and its dtype unless one is given.

    Example:
        >>> keras.ops.zeros_like(np.array([1, 2]))
        array([0, 0])
    """
    return p.full_like(x, 0, dtype)


@composite(cases=[(F(2, 3),), (F(2), 'int32')], gradient=False)
def ones_like(x, dtype=None):
    """Ones in the shape of `x`, and its dtype unless one is given.

    Example:
        >>> keras.ops.ones_like(np.array([1, 2]))
        array([1, 1])
    """
    return p.full_like(x, 1, dtype)


@composite(tensors='', cases=[(3,), (2, 4), (3, 3, 1), (4, 3, -1, 'int32')])
def eye(N, M=None, k=0, dtype=None):
    """A matrix (N, M) with ones on the `k`-th diagonal (above the main one for positive `k`), zeros elsewhere.

    Example:
        >>> keras.ops.eye(2)
        array([[1., 0.],
               [0., 1.]], dtype=float32)
    """
    if not all(size is None or rules.is_integer(dtype_of(size)) for size in (N, M)):
        raise TypeError('sizes must be integers, not N=%r, M=%r' % (N, M))
    rows = p.arange(N, dtype='int32')
    columns = p.arange(N if M is None else M, dtype='int32')
    return p.cast(p.equal(expand_dims(rows, 1) + k, columns), dtype or config.floatx())


@composite(tensors='', cases=[(3,), (2, 4), (3, 3, 1)])
def tri(N, M=None, k=0, dtype=None):
    """A matrix (N, M) with ones at and below the `k`-th diagonal, zeros elsewhere.

    Example:
        >>> keras.ops.tri(2)
        array([[1., 0.],
               [1., 1.]], dtype=float32)
    """
    rows = p.arange(N, dtype='int32')
    columns = p.arange(N if M is None else M, dtype='int32')
    return p.cast(p.less(columns, expand_dims(rows, 1) + (k + 1)), dtype or config.floatx())


@composite('start stop', promote='same_float', cases=[(0.0, 1.0, 5), (F(3), F(3), 4), (0.0, 1.0, 4, False)])
def linspace(start, stop, num=50, endpoint=True, dtype=None, axis=0):
    """`num` evenly spaced numbers from `start` to `stop`; without `endpoint`, `stop` is left out."""
    start, stop = _as_float(start), _as_float(stop)
    steps = builtins.max(num - 1 if endpoint else num, 1)
    difference = stop - start
    positions = p.divide(p.cast(p.arange(num, dtype='int32'), dtype_of(difference)), float(steps))
    for _ in range(ndim(difference)):
        positions = expand_dims(positions, -1)
    result = start + difference * positions
    if endpoint and num > 1:
        # The last number is `stop` itself, not what rounding makes of it.
        last = broadcast_like(expand_dims(stop, 0), sliced(result, 0, num - 1, num))
        result = p.concatenate([sliced(result, 0, 0, num - 1), last], 0)
    result = result if axis == 0 else moveaxis(result, 0, axis)
    return result if dtype is None else p.cast(result, dtype)


def _as_float(x):
    """Python scalars as tensors."""
    return p.full((), x, config.floatx()) if isinstance(x, (int, float)) else x


# --- axes -------------------------------------------------------------------------------------------------------

@composite(cases=[(F(2, 3, 4),), (F(2, 3),)])
def join_batch(x):
    """`x` with its first two axes as one: a batch of sequences as a batch of steps."""
    sizes = shape(x)
    return resized(x, (sizes[0] * sizes[1],) + sizes[2:])


@composite('x like', cases=[(F(6, 4), F(2, 3, 5)), (F(6), F(3, 2))])
def part_batch(x, like):
    """`x` with its first axis as two, of the sizes of the first two of `like`: `join_batch` undone."""
    return resized(x, shape(like)[:2] + shape(x)[1:])



@composite(cases=[(F(2, 3), 0), (F(2, 3), -1), (F(2, 3), (0, 2)), (F(), 0)])
def expand_dims(x, axis):
    """`x` with an axis of size 1 put in at `axis`, an int or a tuple of ints, counted in the result.

    Example:
        >>> keras.ops.expand_dims([1, 2], -1)
        array([[1],
               [2]], dtype=int32)
    """
    sizes = list(shape(x))
    axes = shape_tuple(axis)
    rank = len(sizes) + len(axes)
    for entry in sorted(rules.normalize_axis(entry, rank) for entry in axes):
        sizes.insert(entry, 1)
    return resized(x, sizes)


@composite(cases=[(F(2, 1, 3), 1), (F(1, 2, 1), (0, -1))])
def squeeze(x, axis=None):
    """`x` without the axes of size 1: those of `axis` (an int or a tuple), or all.

    Raises:
        ValueError: if a size along `axis` is known and not 1.

    Example:
        >>> keras.ops.squeeze([[1, 2]])
        array([1, 2], dtype=int32)
    """
    known, sizes = static_shape(x), shape(x)
    if axis is None:
        axes = [index for index, size in enumerate(known) if size == 1]
    else:
        axes = rules.normalize_axes(axis, len(known))
    for entry in axes:
        if known[entry] not in (1, None):
            raise ValueError('axis %d of shape %s has size %d, only axes of size 1 can be squeezed'
                             % (entry, known, known[entry]))
    return resized(x, [size for index, size in enumerate(sizes) if index not in axes])


@composite(cases=[(F(2, 3, 4), 0, -1), (F(2, 3, 4), (0, 1), (1, 2))])
def moveaxis(x, source, destination):
    """`x` with the axes `source` at the positions `destination`; the others keep their order.

    Example:
        >>> keras.ops.moveaxis(np.zeros((2, 3, 4)), 0, -1).shape
        (3, 4, 2)
    """
    rank = ndim(x)
    sources = [rules.normalize_axis(entry, rank) for entry in shape_tuple(source)]
    targets = [rules.normalize_axis(entry, rank) for entry in shape_tuple(destination)]
    order = [index for index in range(rank) if index not in sources]
    for target, entry in sorted(zip(targets, sources)):
        order.insert(target, entry)
    return p.transpose(x, tuple(order))


@composite(cases=[(F(2, 3, 4), 0, -1), (F(2, 3), 0, 1)])
def swapaxes(x, axis1, axis2):
    """`x` with two axes exchanged.

    Example:
        >>> keras.ops.swapaxes([[1, 2], [3, 4]], 0, 1)
        array([[1, 3],
               [2, 4]], dtype=int32)
    """
    order = list(range(ndim(x)))
    axis1, axis2 = [rules.normalize_axis(entry, len(order)) for entry in (axis1, axis2)]
    order[axis1], order[axis2] = order[axis2], order[axis1]
    return p.transpose(x, tuple(order))


@composite(cases=[(F(2, 3),), (F(),), (F(0, 2),)])
def flatten(x):
    """`x` as a vector.

    Example:
        >>> keras.ops.flatten([[1, 2], [3, 4]])
        array([1, 2, 3, 4], dtype=int32)
    """
    return p.reshape(x, (-1,))


@composite(cases=[(F(2, 3, 4),), (F(5,),), (F(2, 3),)])
def batch_flatten(x):
    """`x` as a matrix (batch, everything else)."""
    features = rules.product(static_shape(x)[1:])
    batch = shape(x)[0]
    if isinstance(batch, int):
        return p.reshape(x, (batch, count(x, tuple(range(1, ndim(x))))))
    return p.reshape(x, (-1, features) if features else (batch, -1))


def broadcast_like(x, reference):
    """`x` broadcast to the shape of `reference`."""
    return p.broadcast_to(x, shape(reference))


# --- joining and cutting ----------------------------------------------------------------------------------------

def computed(fn, inputs, dtype, shape):
    """What NumPy makes of tensors, where its shape follows from their values; `shape` has None for such sizes."""
    if builtins.any(isinstance(x, AbstractTensor) for x in inputs):
        return AbstractTensor(shape, dtype)
    return get_engine().on_host(fn, inputs, dtype, shape)


@composite('*xs', promote='same', cases=[([F(2, 3), F(2, 3)], 0), ([F(2), F(2), F(2)], -1), ([F(), F()], 0)])
def stack(xs, axis=0):
    """The tensors of the list `xs`, all of one shape, along a new axis."""
    axis = rules.normalize_axis(axis, ndim(xs[0]) + 1)
    return p.concatenate([expand_dims(x, axis) for x in xs], axis)


def sliced(x, axis, start, stop, step=1):
    """`x[start:stop:step]` along one axis."""
    axis = rules.normalize_axis(axis, ndim(x))
    rest = (None,) * axis
    return p.strided_slice(x, rest + (start,), rest + (stop,), (1,) * axis + (step,))


@composite(cases=[(F(3, 2), 3, 0), (F(2, 3), 3, -1)])
def unstack(x, num=None, axis=0):
    """A list of the slices of `x` along `axis`, whose size must be known or given as `num`.

    Example:
        >>> keras.ops.unstack(np.array([[1, 2], [3, 4]]))
        [array([1, 2]), array([3, 4])]
    """
    axis = rules.normalize_axis(axis, ndim(x))
    number = static_shape(x)[axis] if num is None else num
    if number is None:
        raise ValueError('Cannot infer argument `num` from shape %s, as the size along axis %d is not known; pass it'
                         % (static_shape(x), axis))
    return [squeeze(sliced(x, axis, index, index + 1), axis) for index in range(number)]


@composite(cases=[(F(4, 3), 2, 0), (F(2, 6), (1, 4), -1), (F(2, 6), 3, 1)])
def split(x, indices_or_sections, axis=0):
    """A list of parts of `x` along `axis`: that many equal ones, or cut before each of the indices.

    Raises:
        ValueError: if the size is not a multiple of the number of parts.

    Example:
        >>> keras.ops.split(np.array([1, 2, 3, 4]), 2)
        [array([1, 2]), array([3, 4])]
    """
    axis = rules.normalize_axis(axis, ndim(x))
    size = shape(x)[axis]
    if isinstance(indices_or_sections, (int, np.integer)):
        sections = int(indices_or_sections)
        if isinstance(size, int) and size % sections:
            raise ValueError('%d elements along axis %d cannot be split into %d equal parts'
                             % (size, axis, sections))
        bounds = [index * (size // sections) for index in range(sections + 1)]
    else:
        bounds = [0] + [int(index) for index in indices_or_sections] + [None]
        if not isinstance(size, int):
            return [_bounded(x, axis, start, stop) for start, stop in zip(bounds, bounds[1:])]
    return [sliced(x, axis, start, stop) for start, stop in zip(bounds, bounds[1:])]


def _bounded(x, axis, start, stop):
    """`x[start:stop]` along an axis of unknown size, which reaches as far as that."""
    part = sliced(x, axis, start, stop)
    if stop is None or min(start, stop) < 0:
        return part
    return resized(part, shape(part)[:axis] + (stop - start,) + shape(part)[axis + 1:])


@composite(cases=[(F(2, 3), 2, 1), (F(2, 3), 2, None)])
def repeat(x, repeats, axis=None):
    """Every element along `axis` (of the flattened tensor for None) `repeats` times in a row.

    Example:
        >>> keras.ops.repeat([1, 2], 2)
        array([1, 1, 2, 2], dtype=int32)
    """
    if axis is None:
        x, axis = flatten(x), 0
    axis = rules.normalize_axis(axis, ndim(x))
    if isinstance(repeats, (list, tuple, np.ndarray)) and np.size(repeats) == 1:
        repeats = int(np.ravel(repeats)[0])
    if isinstance(repeats, (list, tuple, np.ndarray)):
        size = static_shape(x)[axis]
        size = len(repeats) if size is None else size
        return p.gather(x, np.repeat(np.arange(size), repeats).astype('int32'), axis)
    sizes = list(shape(x))
    spread = p.broadcast_to(expand_dims(x, axis + 1), sizes[:axis + 1] + [repeats] + sizes[axis + 1:])
    return resized(spread, sizes[:axis] + [sizes[axis] * repeats] + sizes[axis + 1:])


@composite(cases=[(F(2, 3), (2, 1)), (F(2, 3), (2, 1, 3)), (F(2, 3), 2), (F(), (3,))])
def tile(x, repeats):
    """`x` laid side by side `repeats` times, one number per axis.

    Example:
        >>> keras.ops.tile([1, 2], 2)
        array([1, 2, 1, 2], dtype=int32)
    """
    repeats = [int(n) if isinstance(n, np.integer) else n for n in shape_tuple(repeats)]
    sizes = list(shape(x))
    rank = builtins.max(len(sizes), len(repeats))
    sizes = [1] * (rank - len(sizes)) + sizes
    repeats = [1] * (rank - len(repeats)) + repeats
    apart, spread = [], []
    for n, size in zip(repeats, sizes):
        once = isinstance(n, int) and n == 1
        apart += [size] if once else [1, size]
        spread += [size] if once else [n, size]
    return resized(p.broadcast_to(resized(x, apart), spread), [n * size for n, size in zip(repeats, sizes)])


@composite(cases=[(F(2, 5), 2, 1), (F(2, 5), -1, 0), (F(2, 3), 2, None)])
def roll(x, shift, axis=None):
    """`x` with its elements moved `shift` places along `axis`, those at the end coming in at the front.

    Example:
        >>> keras.ops.roll([1, 2, 3], 1)
        array([3, 1, 2], dtype=int32)
    """
    if axis is None:
        return resized(roll(flatten(x), shift, 0), shape(x))
    shifts, axes = shape_tuple(shift), shape_tuple(axis)
    if 1 not in (len(shifts), len(axes)) and len(shifts) != len(axes):
        raise ValueError('%d shifts for %d axes' % (len(shifts), len(axes)))
    many = builtins.max(len(shifts), len(axes))
    for places, entry in zip(shifts * (many // len(shifts)), axes * (many // len(axes))):
        entry = rules.normalize_axis(entry, ndim(x))
        size = shape(x)[entry]
        cut = size - places % size if isinstance(size, int) and size else -places
        if isinstance(size, int) and not 0 < cut < size:
            continue
        x = p.concatenate([sliced(x, entry, cut, None), sliced(x, entry, 0, cut)], entry)
    return x


# --- indexing ---------------------------------------------------------------------------------------------------

def getitem(x, key):
    """`x[key]` with ints, slices, None, Ellipsis and at most one integer tensor, list or array.

    Raises:
        IndexError: for too many indices. TypeError: for anything else, boolean masks included: the shape of
            their result would depend on the values.
    """
    keys = _full_key(key if isinstance(key, tuple) else (key,), ndim(x))
    starts, stops, steps, dropped, new, gathered = [], [], [], [], [], []
    axis = 0
    for entry in keys:
        if entry is None:
            new.append(axis + len(new) - len(dropped))
            continue
        if isinstance(entry, slice):
            bounds = (entry.start, entry.stop, 1 if entry.step is None else entry.step)
        elif isinstance(entry, (int, np.integer)) and not isinstance(entry, bool):
            bounds = (int(entry), int(entry) + 1 if entry != -1 else None, 1)
            _check_index(int(entry), static_shape(x)[axis], axis)
            dropped.append(axis)
        else:
            bounds = (None, None, 1)
            gathered.append((axis + len(new) - len(dropped), entry))
        starts.append(bounds[0])
        stops.append(bounds[1])
        steps.append(bounds[2])
        axis += 1
    if any(bounds != (None, None, 1) for bounds in zip(starts, stops, steps)):
        x = p.strided_slice(x, tuple(starts), tuple(stops), tuple(steps))
    # A single axis as an int: a tuple in the config of the operation would come back from JSON as a list.
    x = squeeze(x, dropped[0] if len(dropped) == 1 else tuple(dropped)) if dropped else x
    x = expand_dims(x, new[0] if len(new) == 1 else tuple(new)) if new else x
    return _gathered(x, gathered)


def _full_key(keys, rank):
    """The key with Ellipsis, or what is missing at the end, written out."""
    taken = sum(1 for entry in keys if entry is not None and entry is not Ellipsis)
    if taken > rank:
        raise rules.OutOfBounds('%d indices for a tensor of rank %d.' % (taken, rank))
    positions = [index for index, entry in enumerate(keys) if entry is Ellipsis]
    if len(positions) > 1:
        raise rules.OutOfBounds('An index may hold one Ellipsis only.')
    if not positions:
        return keys
    return keys[:positions[0]] + (slice(None),) * (rank - taken) + keys[positions[0] + 1:]


def _check_index(index, size, axis):
    if size is not None and not -size <= index < size:
        raise rules.OutOfBounds('Index %d is out of range for axis %d of size %d.' % (index, axis, size))


def _gathered(x, gathered):
    if not gathered:
        return x
    if len(gathered) > 1:
        raise TypeError('An index may hold one integer tensor, received %d. Use keras.ops.take or take_along_axis.'
                        % len(gathered))
    axis, indices = gathered[0]
    if isinstance(indices, (list, tuple)):
        indices = np.asarray(indices)
    if dtype_of(indices) == 'bool':
        raise TypeError('A tensor cannot be indexed with booleans: the shape of the result would depend on their '
                        'values. Use keras.ops.where to choose between values.')
    return take(x, indices, axis)


@composite('x indices', cases=[(F(5, 3), I(5, 4), 0), (F(2, 3), I(6, 4), None), (F(2, 5), I(5, 2, 2), -1)])
def take(x, indices, axis=None):
    """The slices of `x` at integer `indices` along `axis` (of the flattened tensor for None); -1 is the last.

    Example:
        >>> keras.ops.take([10, 20, 30], [2, 0])
        array([30, 10], dtype=int32)
    """
    if axis is None:
        x, axis = flatten(x), 0
    axis, indices = rules.normalize_axis(axis, ndim(x)), whole_numbers(indices)
    if not dtype_of(indices).startswith('u'):
        size = shape(x)[axis]
        indices = p.where(p.less(indices, 0), p.add(indices, size), indices)
    return p.gather(x, indices, axis)


@composite('x *starts', cases=[(F(5, 3), (3, 0), (2, None)), (F(2, 5), (0, 1), (None, 3)), (F(4, 5), (1, 2), (2, 3))])
def part_at(x, starts, sizes):
    """The part of `x` that begins at `starts`, integers of rank 0, and has `sizes`; None: the axis is taken whole."""
    for axis, (start, size) in enumerate(zip(starts, sizes)):
        if size is not None:
            x = p.gather(x, p.add(p.arange(size, dtype='int32'), p.cast(start, 'int32')), axis)
    return x


def whole_numbers(indices):
    """Indices as integers, whatever numbers they came as."""
    return indices if rules.is_integer(dtype_of(indices)) else p.cast(indices, 'int32')


@composite('x indices', cases=[(F(2, 5), I(5, 2, 3), 1), (F(4, 2), I(4, 3, 2), 0), (F(2, 3), I(6, 4), None),
                             (F(2, 3), I(2, 1, 3), 0), (F(1, 3), I(3, 2, 2), 1)])
def take_along_axis(x, indices, axis=None):
    """The elements of `x` at `indices`, which has the shape of `x` but for the size along `axis`, or broadcasts to it.

    Example:
        >>> keras.ops.take_along_axis([[1, 2], [3, 4]], [[1], [0]], axis=1)
        array([[2],
               [3]], dtype=int32)
    """
    if axis is None:
        return take(x, indices if ndim(indices) == 1 else flatten(indices), None)
    axis = rules.normalize_axis(axis, ndim(x))
    if ndim(indices) != ndim(x):
        raise ValueError('the indices %s must have as many axes as the tensor %s'
                         % (static_shape(indices), static_shape(x)))
    last = ndim(x) - 1
    if axis != last:
        return moveaxis(take_along_axis(moveaxis(x, axis, -1), moveaxis(indices, axis, -1), last), -1, axis)
    x, indices = _of_one_batch(x, whole_numbers(indices))
    size = shape(x)[-1]
    indices = p.where(p.less(indices, 0), p.add(indices, size), indices)
    result_shape = shape(indices)
    rows = multiply_sizes(result_shape[:-1])
    offsets = p.multiply(p.cast(p.arange(rows, dtype='int32'), dtype_of(indices)), size)
    flat = p.add(resized(indices, (rows, result_shape[-1])), expand_dims(offsets, 1))
    return resized(p.gather(flatten(x), flat, 0), result_shape)


def _of_one_batch(*xs):
    """Tensors broadcast against each other along all axes but the last."""
    known = [static_shape(x)[:-1] for x in xs]
    target = rules.broadcast_shapes(*known)
    if all(sizes == target for sizes in known):
        return xs
    sizes = []
    for position, size in enumerate(target):
        source = next((x for x, own in zip(xs, known) if own[position] != 1), xs[0])
        sizes.append(shape(source)[position] if size is None else size)
    return [p.broadcast_to(x, tuple(sizes) + shape(x)[-1:]) for x in xs]


@composite(gradient=False)
def sparsified(x):
    """`x` as a sparse tensor of the engine's library, which has the elements that are not 0.

    Raises:
        ValueError: if the engine has none.
    """
    return x if context.abstract else get_engine().sparse_from(x)


def sparse_result(x):
    """What a function with `sparse=True` gives in the place of the dense `x`: a sparse tensor, or a symbolic one."""
    found = sparsified(x)
    if isinstance(found, KerasTensor):
        found.mark(sparse=True)
    return found


@composite(cases=[(I(4, 3), 4), (I(3, 2, 2), 3, 1), (I(3, 2), 3, -1, 'int32')])
def one_hot(x, num_classes, axis=-1, dtype=None):
    """Vectors of zeros with a one at each integer of `x`, along a new axis; all zeros for integers out of range."""
    x = whole_numbers(x)
    classes = p.cast(p.arange(num_classes, dtype='int32'), dtype_of(x))
    result = p.cast(p.equal(expand_dims(x, -1), classes), dtype or config.floatx())
    return result if axis in (-1, ndim(x)) else moveaxis(result, -1, axis)


# --- triangles and diagonals ------------------------------------------------------------------------------------

def _below(x, k):
    """True at and below the k-th diagonal of the matrices in the last two axes."""
    rows, columns = shape(x)[-2:]
    return p.less(p.arange(columns, dtype='int32'), expand_dims(p.arange(rows, dtype='int32'), 1) + (k + 1))


@composite(cases=[(F(3, 3),), (F(2, 3, 4), 1), (F(3, 2), -1)])
def tril(x, k=0):
    """The matrices in the last two axes with zeros above the `k`-th diagonal.

    Example:
        >>> keras.ops.tril([[1, 2], [3, 4]])
        array([[1, 0],
               [3, 4]], dtype=int32)
    """
    return p.where(_below(x, k), x, zeros_like(x))


@composite(cases=[(F(3, 3),), (F(2, 3, 4), 1), (F(3, 2), -1)])
def triu(x, k=0):
    """The matrices in the last two axes with zeros below the `k`-th diagonal.

    Example:
        >>> keras.ops.triu([[1, 2], [3, 4]])
        array([[1, 2],
               [0, 4]], dtype=int32)
    """
    return p.where(_below(x, k - 1), zeros_like(x), x)


@composite(cases=[(F(3, 3),), (F(3, 4), 1), (F(4, 3), -1), (F(2, 3, 4), 0, 1, 2)])
def diagonal(x, offset=0, axis1=0, axis2=1):
    """The `offset`-th diagonal of the matrices in two axes, as the last axis of the result.

    Example:
        >>> keras.ops.diagonal([[1, 2], [3, 4]])
        array([1, 4], dtype=int32)
    """
    x = moveaxis(x, (axis1, axis2), (-2, -1))
    sizes = shape(x)
    rows, columns = sizes[-2:]
    length = _smaller(rows + builtins.min(offset, 0), columns - builtins.max(offset, 0))
    first = offset if offset >= 0 else columns * -offset
    indices = p.add(p.multiply(p.arange(length, dtype='int32'), columns + 1), first)
    return p.gather(resized(x, sizes[:-2] + (rows * columns,)), indices, -1)


def _smaller(first, second):
    if isinstance(first, int) and isinstance(second, int):
        return builtins.max(builtins.min(first, second), 0)
    return p.minimum(first, second)


@composite(cases=[(F(3),), (F(3), 1), (F(3), -2), (F(3, 3),), (F(3, 4), 1)])
def diag(x, k=0):
    """The `k`-th diagonal of a matrix, or the matrix with the vector `x` there and zeros elsewhere.

    Example:
        >>> keras.ops.diag([1, 2])
        array([[1, 0],
               [0, 2]], dtype=int32)
    """
    if ndim(x) == 2:
        return diagonal(x, k)
    size = shape(x)[0]
    square = p.where(p.equal(expand_dims(p.arange(size, dtype='int32'), 1), p.arange(size, dtype='int32')),
                     expand_dims(x, 1), zeros_like(expand_dims(x, 1)))
    above, left = builtins.max(-k, 0), builtins.max(k, 0)
    return p.pad(square, ((above, left), (left, above))) if k else square


@composite('*xs', cases=[([F(3), F(2)],), ([F(3), F(2)], 'ij')])
def meshgrid(xs, indexing='xy'):
    """Grids of coordinates: for vectors of sizes n1, n2, ... that many tensors of shape (n1, n2, ...).

    Args:
        indexing: 'xy' exchanges the first two axes of the results, 'ij' does not.
    """
    if indexing not in ('xy', 'ij'):
        raise ValueError("`indexing` must be 'xy' or 'ij', not %r" % (indexing,))
    xs = [flatten(x) for x in xs]
    sizes = [shape(x)[0] for x in xs]
    grids = [p.broadcast_to(resized(x, [size if other == index else 1 for other in range(len(xs))]), sizes)
             for index, (x, size) in enumerate(zip(xs, sizes))]
    return [swapaxes(grid, 0, 1) for grid in grids] if indexing == 'xy' and len(xs) > 1 else grids


@composite('condition x', promoted='x', cases=[(B(2, 3), F(2, 3))])
def keep_where(condition, x):
    """`x` where the boolean condition is True, 0 elsewhere."""
    return p.where(condition, x, zeros_like(x))


@composite(gradient=False)
def size_along(x, axis):
    """The size of one axis: an int, or an int32 scalar where it is not known."""
    size = shape(x)[axis]
    return size if isinstance(size, (int, AbstractTensor)) else p.cast(size, 'int32')
