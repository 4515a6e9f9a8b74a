"""Converters of the elementwise primitives."""
import math

from keras.backend.contract.rules import is_float
from keras.export.onnx.converters import converter, plain

for _name, _kind in [('sign', 'Sign'), ('floor', 'Floor'), ('round', 'Round'), ('exp', 'Exp'), ('log', 'Log'),
                     ('sqrt', 'Sqrt'), ('sin', 'Sin'), ('cos', 'Cos'), ('tanh', 'Tanh'), ('arcsin', 'Asin'),
                     ('arctan', 'Atan'), ('erf', 'Erf'), ('logical_not', 'Not'), ('logical_and', 'And'),
                     ('logical_or', 'Or'), ('bitwise_and', 'BitwiseAnd'), ('bitwise_or', 'BitwiseOr'),
                     ('bitwise_xor', 'BitwiseXor'), ('multiply', 'Mul'), ('divide', 'Div'), ('power', 'Pow'),
                     ('add', 'Add'), ('subtract', 'Sub'), ('abs', 'Abs'), ('negative', 'Neg')]:
    plain(_name, _kind)


@converter
def isfinite(block, x):
    nan = block.add('IsNaN', x, dtype='bool')
    return block.add('Not', block.add('Or', nan, block.add('IsInf', x, dtype='bool')))


@converter
def stop_gradient(block, x):
    return x


@converter
def cast(block, x, dtype):
    return block.cast(x, dtype)


def _in_numbers(kind):
    """A comparison or choice, in integers for booleans, for which ONNX has none."""
    def convert(block, x, y):
        if x.dtype != 'bool':
            return block.add(kind, x, y)
        return block.cast(block.add(kind, block.cast(x, 'int32'), block.cast(y, 'int32')), 'bool')
    return convert


@converter
def maximum(block, x, y):
    return _in_numbers('Max')(block, x, y)


@converter
def minimum(block, x, y):
    return _in_numbers('Min')(block, x, y)


@converter
def equal(block, x, y):
    return block.add('Equal', x, y, dtype='bool')


@converter
def less(block, x, y):
    if x.dtype == 'bool':
        x, y = block.cast(x, 'int32'), block.cast(y, 'int32')
    return block.add('Less', x, y, dtype='bool')


@converter
def where(block, condition, x, y):
    return block.add('Where', block.cast(condition, 'bool'), x, y, dtype=x.dtype)


@converter
def floor_divide(block, x, y):
    if is_float(x.dtype):
        return block.add('Floor', block.add('Div', x, y))
    # Whole numbers are divided towards 0 by ONNX; without the remainder, which has the sign of `y`, nothing is left.
    return block.add('Div', block.add('Sub', x, block.add('Mod', x, y)), y)


@converter
def mod(block, x, y):
    if not is_float(x.dtype):
        return block.add('Mod', x, y)
    return block.add('Sub', x, block.add('Mul', block.add('Floor', block.add('Div', x, y)), y))


@converter
def arctan2(block, y, x):
    """atan(y / x), moved by pi to the left of the axis of y, and pi / 2 on it."""
    zero, pi = block.constant(0.0, x.dtype), block.constant(math.pi, x.dtype)
    below = block.add('Less', y, zero, dtype='bool')
    turn = block.add('Where', below, block.add('Neg', pi), pi, dtype=x.dtype)
    right = block.add('Atan', block.add('Div', y, x))
    moved = block.add('Where', block.add('Less', x, zero, dtype='bool'), block.add('Add', right, turn), right,
                      dtype=x.dtype)
    on_axis = block.add('Mul', block.add('Sign', y), block.constant(math.pi / 2, x.dtype))
    return block.add('Where', block.add('Equal', x, zero, dtype='bool'), on_axis, moved, dtype=x.dtype)


@converter
def left_shift(block, x, y):
    return block.add('Mul', x, _power_of_two(block, y))


@converter
def right_shift(block, x, y):
    return floor_divide(block, x, _power_of_two(block, y))


def _power_of_two(block, y):
    return block.add('Pow', block.constant(2, y.dtype), y)
