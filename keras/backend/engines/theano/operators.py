"""Python's operators on the tensors that the engine made: NumPy's meaning where Theano's differs.

Theano takes a Python float as a constant of `floatX`, whatever tensor it stands beside, and a slice of size 1 as
one of unknown size, which does not broadcast. On tensors of this engine, which are those that carry a static shape, the
operators are adjusted; on all others they are Theano's own.
"""
import functools

import numpy as np

from keras import config
from keras.backend.contract.rules import AbstractTensor
from keras.backend.engines.theano.compat import Tensor, new_constant
from keras.backend.engines.theano.tensors import found_shape, is_computable, value_of, with_shape
from keras.backend.state.variables import Variable

# Theano's own indexing: what set_subtensor and inc_subtensor take must be the result of nothing else.
subtensor = Tensor.__getitem__

_ARITHMETIC = ('add', 'sub', 'mul', 'truediv', 'floordiv', 'mod', 'pow')
_COMPARISONS = ('lt', 'le', 'gt', 'ge')


def _beside_scalars(original):
    @functools.wraps(original)
    def operator(self, other):
        if isinstance(other, (Variable, AbstractTensor)):
            return NotImplemented  # their own operators take over; Theano would copy their values
        if type(other) in (int, float) and hasattr(self.tag, 'static_shape'):
            if self.dtype.startswith('float'):
                other = new_constant(np.array(other, self.dtype))
            elif type(other) is float:
                other = new_constant(np.array(other, config.floatx()))
        return original(self, other)
    return operator


def _sliced(original):
    @functools.wraps(original)
    def operator(self, index):
        if type(index) is tuple and any(part is None for part in index) and not any(part is Ellipsis for part in index):
            # Axes that are not named behind a None are taken whole.
            index += (slice(None),) * (self.ndim - sum(part is not None for part in index))
        result = original(self, index)
        return with_shape(result, found_shape(result)) if hasattr(self.tag, 'static_shape') else result
    return operator


def _truth(original):
    @functools.wraps(original)
    def truth(self):
        if self.dtype == 'bool' and is_computable(self):
            return bool(value_of(self))
        try:
            return original(self)  # Theano 1.0 relies on its variables being true
        except TypeError:
            return bool(value_of(self))
    return truth


def install():
    """Adjust the operators of Theano's variables, and let those that have a value be numbers for Python."""
    Tensor.__float__ = lambda self: float(value_of(self))
    Tensor.__int__ = lambda self: int(value_of(self))
    Tensor.__bool__ = _truth(Tensor.__bool__)
    names = ['__%s__' % name for name in _ARITHMETIC + _COMPARISONS] + ['__r%s__' % name for name in _ARITHMETIC]
    for name in names:
        setattr(Tensor, name, _beside_scalars(getattr(Tensor, name)))
    Tensor.__getitem__ = _sliced(Tensor.__getitem__)
