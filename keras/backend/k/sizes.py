"""Shapes for computing with: `Sizes`, the vector that `K.shape` gives, and what functions of K make of it.

Sizes that are known are ints of Python, the others scalars of the graph or the engine; arithmetic on them stays what
they are, so that a shape made from shapes can be one on engines that trace with fixed sizes, too.
"""
import functools
import operator

import numpy as np

from keras.backend.contract.context import runs_at_once
from keras.backend.contract.loading import get_engine, is_native
from keras.backend.contract.rules import AbstractTensor, Shape, dtype_named, is_integer
from keras.backend.k.operations import constant_in_graph
from keras.backend.state.variables import Variable
from keras.backend.table import primitives as p
from keras.backend.table.composites import math, shape as shapes

_INTS = (int, np.integer)


class Sizes(tuple):
    """A vector of integers: a tuple where a shape is wanted, a tensor of K everywhere else."""
    dtype = dtype_named('int32')
    ndim = 1

    @property
    def shape(self):
        return (len(self),)

    def get_shape(self):
        return Shape(self.shape)

    def tensor(self):
        """The sizes as one integer tensor."""
        if runs_at_once() and not any(isinstance(size, AbstractTensor) for size in self):
            return get_engine().convert(tuple(self), 'int32')
        if all(isinstance(size, _INTS) for size in self):
            return constant_in_graph(np.array(self, 'int32'), 'int32')
        return p.concatenate([np.array([size], 'int32') if isinstance(size, _INTS)
                              else p.cast(p.reshape(size, (1,)), 'int32') for size in self], 0)

    def numpy(self):
        return np.array([int(size) for size in self], 'int32')

    def __getitem__(self, key):
        if isinstance(key, tuple):  # of one axis
            parts = [part for part in key if part is not Ellipsis]
            key = parts[0] if len(parts) == 1 else key
        if isinstance(key, slice) and all(part is None or isinstance(part, _INTS)
                                          for part in (key.start, key.stop, key.step)):
            return Sizes(super().__getitem__(key))
        return super().__getitem__(key) if isinstance(key, _INTS) else self.tensor()[key]

    def __neg__(self):
        return Sizes(-size for size in self)


def _elementwise(function, swapped=False):
    """An operator that gives sizes for sizes, else a tensor."""
    def method(self, other):
        others = _as_sizes(other, len(self))
        if others is None:
            other = tensor_of(other)
            return function(other, self.tensor()) if swapped else function(self.tensor(), other)
        pairs = zip(others, self) if swapped else zip(self, others)
        return Sizes(function(first, second) for first, second in pairs)
    return method


def _on_tensors(function, swapped=False):
    def method(self, other):
        other = tensor_of(other)
        return function(other, self.tensor()) if swapped else function(self.tensor(), other)
    return method


for _name in ('add', 'sub', 'mul', 'floordiv', 'mod'):
    setattr(Sizes, '__%s__' % _name, _elementwise(getattr(operator, _name)))
    setattr(Sizes, '__r%s__' % _name, _elementwise(getattr(operator, _name), True))
for _name, _function in [('truediv', p.divide), ('pow', p.power)]:
    setattr(Sizes, '__%s__' % _name, _on_tensors(_function))
    setattr(Sizes, '__r%s__' % _name, _on_tensors(_function, True))
for _name, _function in [('lt', p.less), ('le', math.less_equal), ('gt', math.greater), ('ge', math.greater_equal)]:
    setattr(Sizes, '__%s__' % _name, _on_tensors(_function))


def tensor_of(x):
    """`x`, sizes as a tensor."""
    return x.tensor() if isinstance(x, Sizes) else x


def is_size(x):
    """Whether `x` may stand in a shape: an int, or an integer scalar without a value."""
    return isinstance(x, _INTS) and not isinstance(x, bool) \
        or isinstance(x, AbstractTensor) and x.shape == () and is_integer(x.dtype)


def _is_scalar(x):
    return is_size(x) or is_native(x) and shapes.static_shape(x) == () and is_integer(shapes.dtype_of(x))


def _as_sizes(other, count):
    """`other` as that many sizes, None where it is something else."""
    if _is_scalar(other):
        return [other] * count
    if isinstance(other, (list, tuple, np.ndarray)) and np.ndim(other) < 2 and len(other) == count:
        return list(other) if all(map(_is_scalar, other)) else None
    return None


def sizes_in(given):
    """A shape, in any of the forms that K takes, as a tuple: of an int, of a sequence, of the elements of a vector."""
    if isinstance(given, _INTS):
        return (int(given),)
    if isinstance(given, (list, tuple)):
        return tuple(given)
    if isinstance(given, np.ndarray):
        return tuple(given.reshape(-1).tolist())
    return _elements(given) if len(shapes.static_shape(given)) else (given,)


def _elements(vector):
    """The elements of an integer vector: ints where the engine knows them."""
    if isinstance(vector, Variable):
        return tuple(vector.numpy().tolist())
    count = shapes.static_shape(vector)[0]
    if count is None:
        raise ValueError('A shape must have a known number of sizes. Received: %r' % (vector,))
    if not isinstance(vector, AbstractTensor):
        try:
            return tuple(get_engine().to_numpy(vector).tolist())
        except Exception:  # while an engine traces, it has its own way to say that there are no numbers
            pass
    return tuple(shapes.getitem(vector, index) for index in range(count))


# --- functions of K that give sizes for sizes -------------------------------------------------------------------------

def stacked(parts, axis):
    """The `Sizes` that scalars make, None where they are no sizes."""
    if axis in (0, -1) and parts and any(map(is_size, parts)) and all(map(_is_scalar, parts)):
        return Sizes(parts)
    return None


def joined(parts, axis):
    """The `Sizes` that vectors, some of them sizes, make; None where they are none."""
    if axis not in (0, -1) or not any(isinstance(part, Sizes) for part in parts):
        return None
    if not all(is_integer(shapes.dtype_of(part)) for part in parts if not isinstance(part, (list, tuple))):
        return None
    return Sizes(size for part in parts for size in sizes_in(part))


def _folded(function):
    def run(sizes, axis=None, keepdims=False):
        if axis not in (None, 0, -1) or not sizes:
            return None
        result = functools.reduce(function, sizes)
        return Sizes([result]) if keepdims else result
    return run


def _extreme(ours, of_ints):
    return _folded(lambda x, y: of_ints(x, y) if isinstance(x, _INTS) and isinstance(y, _INTS) else ours(x, y))


def _pairwise(ours, of_ints):
    def run(sizes, other):
        others = _as_sizes(other, len(sizes))
        return others and Sizes(of_ints(x, y) if isinstance(x, _INTS) and isinstance(y, _INTS) else ours(x, y)
                                for x, y in zip(sizes, others))
    return run


def _part(sizes, start, size):
    (first,), (count,) = sizes_in(start), sizes_in(size)
    known = isinstance(first, _INTS) and isinstance(count, _INTS)
    return sizes[first:None if count == -1 else first + count] if known else None


def _taken(sizes, indices):
    if isinstance(indices, (list, tuple, np.ndarray)) and all(isinstance(index, _INTS) for index in indices):
        return Sizes(sizes[index] for index in indices)
    return sizes[int(indices)] if isinstance(indices, _INTS) else None


# Of each function of K on `Sizes`: the same giving sizes, or None where the result is an ordinary tensor.
ON_SIZES = {
    'shape': lambda sizes: Sizes([len(sizes)]),
    'size': lambda sizes, name=None: len(sizes),
    'identity': lambda sizes, name=None: sizes,
    'flatten': lambda sizes: sizes,
    'stop_gradient': lambda sizes: sizes,
    'cast': lambda sizes, dtype: sizes if dtype in ('int32', 'int64') else None,
    'reverse': lambda sizes, axes: Sizes(sizes[::-1]),
    'slice': _part,
    'gather': _taken,
    'prod': _folded(operator.mul),
    'sum': _folded(operator.add),
    'max': _extreme(p.maximum, max),
    'min': _extreme(p.minimum, min),
    'maximum': _pairwise(p.maximum, max),
    'minimum': _pairwise(p.minimum, min),
}
