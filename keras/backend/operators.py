"""Python operators of abstract and symbolic tensors and of variables: each is a call of the op table.

`==` stays identity: tensors and variables are dictionary keys; equality by value is `keras.ops.equal`.
"""
from keras.backend import primitives as p
from keras.backend.composites import math, shape
from keras.backend.nodes import runs_at_once, symbol_of
from keras.backend.rules import AbstractTensor
from keras.backend.state import Variable, context

_BINARY = {'add': p.add, 'sub': p.subtract, 'mul': p.multiply, 'truediv': p.divide, 'floordiv': p.floor_divide,
           'mod': p.mod, 'pow': p.power, 'matmul': p.matmul, 'and': p.logical_and, 'or': p.logical_or,
           'xor': math.logical_xor}
_COMPARISONS = {'lt': p.less, 'le': math.less_equal, 'gt': math.greater, 'ge': math.greater_equal}
_UNARY = {'neg': p.negative, 'abs': p.abs, 'invert': p.logical_not}


def _symbol(x):
    """A variable of K, outside what runs, as the symbolic tensor that stands for it."""
    if isinstance(x, Variable) and (x.symbolic or context.symbolic) and not runs_at_once():
        return symbol_of(x)
    return x


def _method(function, name):
    def operator(self, other):
        return function(_symbol(self), _symbol(other))
    operator.__name__ = name
    return operator


def _reflected(function, name):
    def operator(self, other):
        return function(_symbol(other), _symbol(self))
    operator.__name__ = name
    return operator


def _unary(function, name):
    def operator(self):
        return function(_symbol(self))
    operator.__name__ = name
    return operator


def _getitem(self, key):
    return shape.getitem(_symbol(self), key)


def install(kind):
    """Give the class `kind` the operators; engines whose tensors have none of their own call this, too."""
    for name, function in _BINARY.items():
        setattr(kind, '__%s__' % name, _method(function, '__%s__' % name))
        setattr(kind, '__r%s__' % name, _reflected(function, '__r%s__' % name))
    for name, function in _COMPARISONS.items():
        setattr(kind, '__%s__' % name, _method(function, '__%s__' % name))
    for name, function in _UNARY.items():
        setattr(kind, '__%s__' % name, _unary(function, '__%s__' % name))
    kind.__getitem__ = _getitem


for _kind in (AbstractTensor, Variable):
    install(_kind)
