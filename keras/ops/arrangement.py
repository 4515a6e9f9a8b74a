"""Shapes of tensors, and the order of what is in them, under the names and signatures of Keras 3."""
import builtins
import functools
import re

import numpy as _np

from keras.backend.contract import rules, tree
from keras.backend.graph.tensors import KerasTensor, any_symbolic, is_symbolic
from keras.backend.table import primitives as p
from keras.backend.table.cases import F
from keras.backend.table.composites import shape as shapes
from keras.backend.table.composites.math import clip
from keras.backend.table.composites.shape import (diag, expand_dims, flatten, getitem, ndim, shape, split, static_shape,
                                                  swapaxes)
from keras.backend.table.dispatch import composite
from keras.backend.table.joined import joined
from keras.ops.core import convert_to_tensor, vectorized_map


def broadcast_to(x, shape):
    """`x` repeated to `shape`, whose sizes may be scalar tensors; also a vector.

    Example:
        >>> keras.ops.broadcast_to([1, 2], np.array([2, 2]))
        array([[1, 2],
               [1, 2]], dtype=int32)
    """
    return p.broadcast_to(x, shapes.shape_tuple(shape))


def reshape(x, newshape):
    """`x` in another shape; one size may be -1 and follows from the others. None counts as -1.

    Sizes may be scalar tensors, and the shape a vector.

    Example:
        >>> keras.ops.reshape([1, 2, 3, 4], (2, -1))
        array([[1, 2],
               [3, 4]], dtype=int32)
    """
    sizes = tuple([-1 if size is None else size for size in shapes.shape_tuple(newshape)])
    symbolic = [size for size in sizes if isinstance(size, KerasTensor)]
    if symbolic and not isinstance(x, KerasTensor):  # so that the result is a part of the graph
        x = p.where(p.equal(symbolic[0], symbolic[0]), x, x)
    if builtins.any(type(size) is int and size < -1 for size in sizes):  # NumPy would take them for -1
        raise ValueError('reshape: each size must be a non-negative integer, or -1 where it follows from the others. '
                         'Received: newshape=%s' % (sizes,))
    return p.reshape(x, sizes)


def ravel(x):
    """`x` as a vector.

    Example:
        >>> keras.ops.ravel([[1, 2], [3, 4]])
        array([1, 2, 3, 4], dtype=int32)
    """
    return flatten(x)


def size(x):
    """The number of elements: an int, or a symbolic tensor where a size is not known yet.

    Example:
        >>> keras.ops.size([[1, 2], [3, 4]])
        4
    """
    sizes = shape(x)
    return p.sum(shapes.ones_like(x, 'int32')) if None in sizes else shapes.multiply_sizes(sizes)


def flip(x, axis=None):
    """`x` with the order of its elements along `axis` (an int, a tuple, or None for all) reversed.

    Example:
        >>> keras.ops.flip([1, 2, 3])
        array([3, 2, 1], dtype=int32)
    """
    return p.flip(x, rules.normalize_axes(axis, ndim(x)))


def fliplr(x):
    """`x` reversed along axis 1.

    Example:
        >>> keras.ops.fliplr([[1, 2], [3, 4]])
        array([[2, 1],
               [4, 3]], dtype=int32)
    """
    return p.flip(x, (1,))


def flipud(x):
    """`x` reversed along axis 0.

    Example:
        >>> keras.ops.flipud([[1, 2], [3, 4]])
        array([[3, 4],
               [1, 2]], dtype=int32)
    """
    return p.flip(x, (0,))


@joined
def rot90(array, k=1, axes=(0, 1)):
    """`array` turned by `k` quarter turns from the first of `axes` towards the second.

    Raises:
        ValueError: where the two axes are one, or there are fewer than two.

    Example:
        >>> keras.ops.rot90([[1, 2], [3, 4]])
        array([[2, 4],
               [1, 3]], dtype=int32)
    """
    first, second = rules.normalize_axes(tuple(axes), ndim(array))
    if k % 4 == 0:
        return array
    if k % 4 == 2:
        return p.flip(array, (first, second))
    if k % 4 == 1:
        return swapaxes(p.flip(array, (second,)), first, second)
    return p.flip(swapaxes(array, first, second), (second,))


def concatenate(xs, axis=0):
    """The tensors of the list `xs` joined along `axis`, flattened for None.

    Raises:
        ValueError: for symbolic tensors and `axis=None`, as Keras 3 has it.

    Example:
        >>> keras.ops.concatenate([[1, 2], [3]])
        array([1, 2, 3], dtype=int32)
    """
    if axis is None and any_symbolic(xs):
        raise ValueError('concatenate: `axis` cannot be None for symbolic tensors.')
    return p.concatenate([flatten(x) for x in xs], 0) if axis is None else p.concatenate(xs, axis)


def squeeze(x, axis=None):
    """`x` without the axes of size 1: those of `axis` (an int or a tuple), or all.

    Raises:
        ValueError: if a size along `axis` is not 1; of a symbolic tensor, also if it is unknown.

    Example:
        >>> keras.ops.squeeze([[1, 2]])
        array([1, 2], dtype=int32)
    """
    if axis is not None and is_symbolic(x):
        for entry in rules.normalize_axes(axis, len(x.shape)):
            if x.shape[entry] is None:
                raise ValueError('squeeze: cannot squeeze axis %d of shape %s, whose size is not known to be 1.'
                                 % (entry, x.shape))
    return shapes.squeeze(x, axis)


def stack(x, axis=0):
    """The tensors of the list `x`, all of one shape, along a new axis.

    Example:
        >>> keras.ops.stack([[1, 2], [3, 4]], axis=1)
        array([[1, 3],
               [2, 4]], dtype=int32)
    """
    return shapes.stack(x, axis)


@joined
def append(x1, x2, axis=None):
    """`x2` behind `x1` along `axis`, or both flattened.

    Example:
        >>> keras.ops.append([1, 2], [3])
        array([1, 2, 3], dtype=int32)
    """
    if axis is None:
        return p.concatenate([flatten(x1), flatten(x2)], 0)
    return p.concatenate([x1, x2], axis)


def hstack(xs):
    """The tensors of the list joined along axis 1, vectors along axis 0.

    Example:
        >>> keras.ops.hstack([[1, 2], [3]])
        array([1, 2, 3], dtype=int32)
    """
    xs = [p.reshape(x, (1,)) if not ndim(x) else x for x in xs]
    return p.concatenate(xs, 0 if ndim(xs[0]) == 1 else 1)


def vstack(xs):
    """The tensors of the list joined along axis 0, vectors as rows.

    Example:
        >>> keras.ops.vstack([[1, 2], [3, 4]])
        array([[1, 2],
               [3, 4]], dtype=int32)
    """
    return p.concatenate([p.reshape(x, (1, -1)) if ndim(x) < 2 else x for x in xs], 0)


def dstack(xs):
    """The tensors of the list joined along axis 2.

    Example:
        >>> keras.ops.dstack([[1, 2], [3, 4]])
        array([[[1, 3],
                [2, 4]]], dtype=int32)
    """
    def deep(x):
        if ndim(x) < 2:
            return p.reshape(x, (1, -1, 1))
        return expand_dims(x, 2) if ndim(x) == 2 else x
    return p.concatenate([deep(x) for x in xs], 2)


def hsplit(x, indices_or_sections):
    """Parts of `x` along axis 1 (axis 0 of a vector).

    Example:
        >>> keras.ops.hsplit(np.array([1, 2, 3, 4]), 2)
        [array([1, 2]), array([3, 4])]
    """
    return split(x, indices_or_sections, 0 if ndim(x) == 1 else 1)


def vsplit(x, indices_or_sections):
    """Parts of `x` along axis 0.

    Example:
        >>> keras.ops.vsplit(np.array([[1], [2]]), 2)
        [array([[1]]), array([[2]])]
    """
    return split(x, indices_or_sections, 0)


def dsplit(x, indices_or_sections):
    """Parts of `x` along axis 2.

    Example:
        >>> keras.ops.dsplit(np.zeros((1, 1, 4)), 2)
        [array([[[0., 0.]]]), array([[[0., 0.]]])]
    """
    return split(x, indices_or_sections, 2)


def array_split(x, indices_or_sections, axis=0):
    """Parts of `x` along `axis`, the first ones longer by one where the size is not a multiple.

    Example:
        >>> keras.ops.array_split(np.array([1, 2, 3]), 2)
        [array([1, 2]), array([3])]
    """
    if not isinstance(indices_or_sections, int):
        return split(x, indices_or_sections, axis)
    return parted(x, indices_or_sections, axis)


@composite(cases=[(F(5, 2), 3), (F(2, 4), 3, -1)])
def parted(x, sections, axis=0):
    """`x` in that many parts along `axis`, of which the first ones are longer by one where they cannot be equal."""
    size = shape(x)[axis]
    length, rest = size // sections, size % sections
    smaller = builtins.min if isinstance(size, int) else p.minimum
    bounds = [length * index + smaller(rest, index) for index in range(1, sections)]
    return [shapes.sliced(x, axis, start, stop) for start, stop in builtins.zip([0] + bounds, bounds + [None])]


def get_item(x, key):
    """`x[key]` with ints, slices, None, Ellipsis and at most one integer tensor.

    Example:
        >>> keras.ops.get_item(np.array([[1, 2], [3, 4]]), (0, slice(None)))
        array([1, 2])
    """
    return getitem(x, key)


def pad(x, pad_width, mode='constant', constant_values=None):
    """`x` with elements added around each axis.

    Args:
        pad_width: pairs (before, after), one per axis, one pair for all, or an int.
        mode: 'constant', 'reflect', 'symmetric' or 'edge'.

    Example:
        >>> keras.ops.pad([1, 2], (1, 0))
        array([0, 1, 2], dtype=int32)
    """
    rank = ndim(x)
    widths = _np.broadcast_to(_np.asarray(pad_width), (rank, 2)).tolist()
    if mode == 'constant':
        value = 0 if constant_values is None else constant_values
        return p.pad(x, tuple(tuple(pair) for pair in widths), value)
    if mode not in ('reflect', 'symmetric', 'edge'):
        raise ValueError("pad: `mode` must be 'constant', 'reflect', 'symmetric' or 'edge'. Received: %r" % (mode,))
    if constant_values is not None:
        raise ValueError("pad: Argument `constant_values` can only be provided when `mode == 'constant'`. Received: "
                         'mode=%r, constant_values=%r' % (mode, constant_values))
    for axis, (before, after) in enumerate(widths):
        if before or after:
            size = static_shape(x)[axis]
            positions = (_mirrored(shapes.size_along(x, axis), before, after, mode) if size is None
                         else _np.pad(_np.arange(size), (before, after), mode=mode).astype('int32'))
            x = p.gather(x, positions, axis)
    return x


def _mirrored(size, before, after, mode):
    """The positions that `numpy.pad` repeats, of an axis whose size is a tensor."""
    places = p.subtract(p.arange(p.add(size, before + after), dtype='int32'), before)
    last = p.subtract(size, 1)
    if mode == 'edge':
        return clip(places, 0, last)
    if mode == 'symmetric':
        places = p.mod(places, p.multiply(size, 2))
        return p.minimum(places, p.subtract(p.add(last, size), places))
    places = p.mod(places, p.maximum(p.multiply(last, 2), 1))
    return p.subtract(last, p.abs(p.subtract(places, last)))


def diagflat(x, k=0):
    """The matrix with the flattened `x` on its `k`-th diagonal.

    Example:
        >>> keras.ops.diagflat([[1, 2]])
        array([[1, 0],
               [0, 2]], dtype=int32)
    """
    return diag(flatten(x), k)


@joined
def diff(a, n=1, axis=-1):
    """The `n`-th differences of neighbours along `axis`.

    Example:
        >>> keras.ops.diff([1, 4, 9])
        array([3, 5], dtype=int32)
    """
    for _ in range(n):
        a = p.subtract(shapes.sliced(a, axis, 1, None), shapes.sliced(a, axis, 0, -1))
    return a


@joined
def trapezoid(y, x=None, dx=1.0, axis=-1):
    """The integral of `y` along `axis` by the trapezoidal rule.

    Example:
        >>> keras.ops.trapezoid([1.0, 2.0, 3.0])
        np.float32(4.0)
    """
    y = convert_to_tensor(y)
    if not rules.is_float(shapes.dtype_of(y)):  # two neighbours may be more than small integers can hold
        y = p.cast(y, rules.float_dtype(shapes.dtype_of(y)))
    middle = p.multiply(p.add(shapes.sliced(y, axis, 1, None), shapes.sliced(y, axis, 0, -1)), 0.5)
    if x is None:
        return p.multiply(p.sum(middle, axis), dx)
    widths = diff(x, axis=axis if ndim(x) > 1 else 0)
    if ndim(x) == 1:
        rank = ndim(y)
        widths = shapes.resized(widths, [shape(widths)[0] if index == axis % rank else 1 for index in range(rank)])
    return p.sum(p.multiply(middle, widths), axis)


def vectorize(pyfunc, excluded=None, signature=None):
    """A function of tensors that calls `pyfunc` for every entry (or core part) of its broadcast arguments.

    Args:
        pyfunc: takes and gives scalars, or what `signature` says, by operations of Keras. excluded: numbers of
            positional and names of keyword arguments that are handed on as they are. signature: the core axes, such as
            '(n),(n)->()' for functions of two vectors that give a scalar.

    Raises:
        TypeError: if `pyfunc` is not callable. ValueError: for a signature that does not fit.

    Example:
        >>> larger = keras.ops.vectorize(lambda a, b: keras.ops.maximum(a, b))
        >>> larger(np.array([1, 5]), np.array([3]))
        array([3, 5])
    """
    if not callable(pyfunc):
        raise TypeError('vectorize: `pyfunc` must be callable. Received: %r' % (pyfunc,))
    left_out = set(excluded or ())

    @functools.wraps(pyfunc)
    def run(*args, **kwargs):
        places = [place for place in builtins.range(len(args)) if place not in left_out]
        ranks = _core_ranks(signature, len(places))
        tensors = [convert_to_tensor(args[place]) for place in places]
        names = [name for name in kwargs if name not in left_out]
        tensors += [convert_to_tensor(kwargs[name]) for name in names]
        ranks += [0] * len(names)

        def call(parts):
            new_args, new_kwargs = list(args), dict(kwargs)
            for place, part in builtins.zip(places, parts):
                new_args[place] = part
            new_kwargs.update(builtins.zip(names, parts[len(places):]))
            return pyfunc(*new_args, **new_kwargs)
        loops = [static_shape(x)[:ndim(x) - rank] for x, rank in builtins.zip(tensors, ranks)]
        loop = rules.broadcast_shapes(*loops)
        if not loop:
            return call(tensors)
        flat = [p.reshape(p.broadcast_to(x, loop + static_shape(x)[ndim(x) - rank:]),
                          (-1,) + static_shape(x)[ndim(x) - rank:]) for x, rank in builtins.zip(tensors, ranks)]
        found = vectorized_map(lambda parts: call(list(parts)), flat)
        return tree.map_structure(lambda x: p.reshape(x, loop + static_shape(x)[1:]), found)
    return run


def _core_ranks(signature, count):
    """How many core axes each of `count` arguments has."""
    if signature is None:
        return [0] * count
    if not re.match(r'^\s*\([\w\s,]*\)(\s*,\s*\([\w\s,]*\))*\s*->', signature):
        raise ValueError("vectorize: not a valid gufunc signature: %r. Expected something like '(n),(n)->()'."
                         % (signature,))
    ranks = [len(re.findall(r'\w+', part)) for part in re.findall(r'\(([^)]*)\)', signature.split('->')[0])]
    if len(ranks) != count:
        raise ValueError('vectorize: the signature %r is one of %d arguments. Received: %d.'
                         % (signature, len(ranks), count))
    return ranks


def unravel_index(indices, shape):
    """The positions along every axis of a tensor of `shape` that flat `indices` stand for.

    Example:
        >>> keras.ops.unravel_index([5], (2, 3))
        (array([1], dtype=int32), array([2], dtype=int32))
    """
    parts = []
    for size in builtins.reversed(tuple(shape)):
        parts.append(p.mod(indices, size))
        indices = p.floor_divide(indices, size)
    return tuple(builtins.reversed(parts))
