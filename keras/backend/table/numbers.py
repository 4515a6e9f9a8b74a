"""Tensors and variables as numbers: what Python's conversions, NumPy's functions and the engine's own get from them.

A variable has a value, and so has a symbolic tensor that depends on no placeholder: it is computed when somebody asks.
Other symbolic and abstract tensors have none, and the error says what to do instead.
"""
import operator

import numpy as np

from keras import generations
from keras.backend.contract.context import context, learning_phase
from keras.backend.contract.loading import get_engine
from keras.backend.contract.rules import AbstractTensor
from keras.backend.graph.nodes import free_tensors
from keras.backend.graph.plans import value_of
from keras.backend.graph.tensors import KerasTensor
from keras.backend.state.variables import Variable
from keras.backend.table import primitives as p
from keras.backend.table.entries import TABLE
from keras.backend.table.operators import for_ufunc


class NoValue(TypeError, ValueError):
    """A symbolic tensor where numbers are needed: a TypeError in Keras 2, a ValueError in Keras 3."""
    explains_a_failure = False  # of a call on values: that the code takes no symbols says nothing about it


class NoTruth(TypeError):
    """A symbolic tensor where Python branches."""


def has_value(x):
    """Whether `x`, a variable or abstract tensor, has a value that can be asked for."""
    return isinstance(x, Variable) or isinstance(x, KerasTensor) and not free_tensors([x])


def current_value(tensor):
    """The value of a symbolic tensor that depends on no placeholder, as a native tensor, in the current phase.

    Raises:
        NoValue: if it depends on a placeholder.
    """
    if free_tensors([tensor]):
        raise _without_value(tensor)
    training = learning_phase.value if context.training is None else context.training
    return value_of(tensor, bool(training))


def array_of(x, wanted_by=None):
    """The value of a variable or symbolic tensor as a NumPy array.

    Args:
        wanted_by: the name of the function that needs it, for the error.

    Raises:
        NoValue: where it has none, or none yet.
    """
    if isinstance(x, Variable) and context.ledger is None:
        return x.numpy()
    if context.abstract or not has_value(x):
        # The library of the engine may know what to do with a symbolic tensor once it has been told, when it is loaded.
        get_engine()
        raise _without_value(x, wanted_by)
    return get_engine().to_numpy(x.value)


def _without_value(x, wanted_by=None):
    taker = "NumPy's %s" % wanted_by if wanted_by else (
        'what needs numbers, such as functions of NumPy or of a library that is not the engine (which is %s),'
        % get_engine().name)
    instead = 'keras.ops.{0} (or keras.backend.{0})'.format(wanted_by) if wanted_by in TABLE \
        else 'the functions of keras.ops (or keras.backend)'
    return NoValue("%r is symbolic: it has no value (it doesn't have any actual numerical value yet), so %s cannot "
                   'take it. A KerasTensor cannot be used as input to a TensorFlow function, cannot be used as input '
                   'to a JAX function, and neither to one of PyTorch. Use %s, or wrap the computation in a layer.'
                   % (x, taker, instead))


# --- Python's protocols ---------------------------------------------------------------------------------------------

def _item(x):
    array = array_of(x)
    if array.size != 1:
        raise TypeError('Only scalar arrays can be converted to Python scalars. A tensor with one element is a number, '
                        'this one has shape %s: %r' % (array.shape, x))
    return array.reshape(()).item()


def _bool(self):
    if not has_value(self) or context.abstract:
        raise NoTruth('A symbolic tensor cannot be used as a boolean. It has no value, so Python `if`, `while`, '
                      '`and`, `or` and `not` cannot branch on it. Use keras.ops.where or keras.ops.cond (K.switch) '
                      'instead. Received: %r' % (self,))
    if any(size != 1 for size in self.shape):
        raise TypeError('A Keras %s cannot be used as a boolean. Only one with one element has a truth value. '
                        'Received: %r' % ('Variable' if isinstance(self, Variable) else 'tensor', self))
    return bool(_item(self))


def _index(self):
    return operator.index(_item(self))


def _format(self, specification):
    return format(_item(self), specification) if specification else str(self)


def _round(self, digits=None):
    if self.shape == ():
        return round(_item(self), digits)
    if digits is None:
        return p.round(self)
    return p.divide(p.round(p.multiply(self, 10.0 ** digits)), 10.0 ** digits)


class _NoLength(TypeError, AttributeError):
    """`len` of a tensor of unknown length, and what lets `hasattr(x, '__len__')` say that it has none."""


class _Length:
    """`__len__`, for tensors of a known length: programs ask whether the output of a model is a list by it."""

    def __get__(self, x, owner=None):
        if x is None:
            return self
        if _has_no_elements(x):
            raise _NoLength('object of type %r has no len(): it is symbolic. Its sizes are in `shape`.'
                            % type(x).__name__)
        if not x.shape or x.shape[0] is None:
            raise _NoLength('A tensor of shape %s has no length.' % (x.shape,))
        return lambda: x.shape[0]


def _has_no_elements(x):
    return isinstance(x, KerasTensor) and generations.value('symbols_have_no_elements')


def _elements(self):
    if _has_no_elements(self):
        raise NotImplementedError('Iterating over a symbolic KerasTensor is not supported. Received: %r. Take its '
                                  'parts by x[i] or keras.ops.unstack.' % (self,))
    if not self.shape or self.shape[0] is None:
        raise TypeError('A tensor of shape %s cannot be iterated over: its first size is not known.' % (self.shape,))
    return (self[index] for index in range(self.shape[0]))


# --- NumPy's protocols ----------------------------------------------------------------------------------------------

def _array(self, dtype=None, copy=None):
    array = array_of(self)
    return array if dtype is None else array.astype(dtype)


def _ufunc(self, ufunc, method, *inputs, **kwargs):
    """Arithmetic and comparisons are those of the op table; other functions of NumPy get values."""
    tensors = [x for x in inputs if isinstance(x, (AbstractTensor, Variable))]
    if ufunc in (np.equal, np.not_equal) and not all(map(has_value, tensors)):
        return ufunc is np.not_equal  # as `==` has it: identity
    ours = for_ufunc(ufunc)
    if ours is not None and method == '__call__' and not kwargs:
        return ours(*inputs)
    values = [array_of(x, ufunc.__name__) if isinstance(x, (AbstractTensor, Variable)) else x for x in inputs]
    return getattr(ufunc, method)(*values, **kwargs)


_PROTOCOLS = {'__float__': lambda self: float(_item(self)), '__int__': lambda self: int(_item(self)),
              '__complex__': lambda self: complex(_item(self)), '__bool__': _bool, '__index__': _index,
              '__format__': _format, '__round__': _round, '__len__': _Length(), '__iter__': _elements,
              '__array__': _array, '__array_ufunc__': _ufunc}

for _kind in (AbstractTensor, Variable):
    for _name, _function in _PROTOCOLS.items():
        setattr(_kind, _name, _function)
KerasTensor.value = property(current_value, doc='The value as a native tensor, where it depends on no placeholder.')
KerasTensor.numpy = array_of
