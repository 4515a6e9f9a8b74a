"""Python operators of abstract and symbolic tensors and of variables: each is a call of the op table. Variables get
`assign_add` and `assign_sub` here, too.

`==` stays identity: tensors and variables are dictionary keys; equality by value is `keras.ops.equal`. In generation 3
a variable beside anything but a variable is compared by value.
"""
import numpy as np

from keras import generations
from keras.backend.contract.context import context, runs_at_once
from keras.backend.contract.rules import AbstractTensor
from keras.backend.graph.nodes import order
from keras.backend.graph.reads import symbol_of
from keras.backend.graph.tensors import KerasTensor
from keras.backend.state.variables import Variable
from keras.backend.table import primitives as p
from keras.backend.table.composites import math, shape

_BINARY = {'add': p.add, 'sub': p.subtract, 'mul': p.multiply, 'truediv': p.divide, 'floordiv': p.floor_divide,
           'mod': p.mod, 'pow': p.power, 'matmul': p.matmul, 'and': p.logical_and, 'or': p.logical_or,
           'xor': math.logical_xor}
_DIVMOD = 'divmod', lambda x, y: (p.floor_divide(x, y), p.mod(x, y))
_COMPARISONS = {'lt': p.less, 'le': math.less_equal, 'gt': math.greater, 'ge': math.greater_equal}
_UNARY = {'neg': p.negative, 'pos': lambda x: x, 'abs': p.abs, 'invert': p.logical_not}
# NumPy's functions behind its own operators, which meet tensors in `array * tensor`.
_UFUNCS = {np.add: p.add, np.subtract: p.subtract, np.multiply: p.multiply, np.true_divide: p.divide,
           np.floor_divide: p.floor_divide, np.remainder: p.mod, np.power: p.power, np.matmul: p.matmul,
           np.bitwise_and: p.logical_and, np.bitwise_or: p.logical_or, np.bitwise_xor: math.logical_xor,
           np.less: p.less, np.less_equal: math.less_equal, np.greater: math.greater,
           np.greater_equal: math.greater_equal}


def _symbol(x):
    """A variable of K, outside what runs, as the symbolic tensor that stands for it."""
    if isinstance(x, Variable) and (x.symbolic or context.symbolic) and not runs_at_once():
        return symbol_of(x)
    return x


def _operand(x, other):
    """`x` beside `other`. In runs for shapes an int is weak whatever its value, as it is for the engine's operators."""
    return 1 if type(x) is int and type(other) is AbstractTensor else _symbol(x)


def _method(function, name):
    def operator(self, other):
        return function(_symbol(self), _operand(other, self))
    operator.__name__ = name
    return operator


def _reflected(function, name):
    def operator(self, other):
        return function(_operand(other, self), _symbol(self))
    operator.__name__ = name
    return operator


def _unary(function, name):
    def operator(self):
        return function(_symbol(self))
    operator.__name__ = name
    return operator


def for_ufunc(ufunc):
    """The operator on tensors and variables for a function of NumPy, None where there is none."""
    function = _UFUNCS.get(ufunc)
    return function and (lambda x, y: function(_symbol(x), _symbol(y)))


def _getitem(self, key):
    return shape.getitem(_symbol(self), key)


def install(kind):
    """Give the class `kind` the operators; engines whose tensors have none of their own call this, too."""
    for name, function in list(_BINARY.items()) + [_DIVMOD]:
        setattr(kind, '__%s__' % name, _method(function, '__%s__' % name))
        setattr(kind, '__r%s__' % name, _reflected(function, '__r%s__' % name))
    for name, function in _COMPARISONS.items():
        setattr(kind, '__%s__' % name, _method(function, '__%s__' % name))
    for name, function in _UNARY.items():
        setattr(kind, '__%s__' % name, _unary(function, '__%s__' % name))
    kind.__getitem__ = _getitem


def _change(variable, function, value):
    """Assign `function(present value, value)` to `variable`, or make graph of it where assignments are recorded."""
    if context.record_assignment is None:
        return variable.assign(function(variable.value, value))
    value = _symbol(value)
    update = variable.assign(function(_symbol(variable), value))
    if not order.before:
        update.change = lambda old: function(old, value)
    return update


def _assign_add(self, value, use_locking=None, name=None, read_value=True):
    """Add `value` (a tensor or array that broadcasts to the shape). The rest is about the operation that TensorFlow
    makes of it, as methods written for its variables give it."""
    return _change(self, p.add, value)


def _assign_sub(self, value, use_locking=None, name=None, read_value=True):
    """Subtract `value`; see `assign_add`."""
    return _change(self, p.subtract, value)


def _reshape(self, newshape):
    """It in another shape, as `keras.ops.reshape` gives it."""
    return p.reshape(_symbol(self), newshape)


def _squeeze(self, axis=None):
    """It without its axes of size 1, or without `axis`."""
    return shape.squeeze(_symbol(self), axis)


def _compared(function, by_identity):
    def operator(self, other):
        if isinstance(other, _VALUES) and generations.value('variables_compare_by_value'):
            return function(self, other)
        return other is self if by_identity else other is not self
    return operator


# What a variable is compared with by its value; types of native tensors answer by themselves.
_VALUES = (int, float, bool, np.ndarray, np.generic, list, tuple)


for _kind in (AbstractTensor, Variable):
    install(_kind)
Variable.assign_add, Variable.assign_sub = _assign_add, _assign_sub
KerasTensor.reshape, KerasTensor.squeeze = _reshape, _squeeze
# The hash stays that of the object.
Variable.__eq__, Variable.__ne__ = _compared(p.equal, True), _compared(math.not_equal, False)
