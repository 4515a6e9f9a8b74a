"""K on values: variables, constants, placeholders, evaluation, names, and the learning phase."""
import numpy as np

from keras import config
from keras.backend import primitives as p
from keras.backend.composites.math import mean as _mean, rsqrt
from keras.backend.composites.random import normal as _normal, uniform as _uniform
from keras.backend.composites.shape import dtype_of, ndim as _ndim, shape as _sizes, size_along, static_shape
from keras.backend.dispatch import Entry
from keras.backend.engine import active, get_engine
from keras.backend.rules import AbstractTensor
from keras.backend import state
from keras.backend.state import (Variable, context, draw_host_seed, numpy_dtype, reset_uids,
                                 to_array)
from keras.backend.symbolic import KerasTensor, Plan


def variable(value, dtype=None, name=None, constraint=None):
    """A `Variable` with the given value (an array, list, scalar or tensor); `dtype` defaults to `floatx`."""
    return Variable(value if isinstance(value, (np.ndarray, list, tuple, int, float)) else to_array(value),
                    dtype=dtype or config.floatx(), name=name, constraint=constraint)


def constant(value, dtype=None, shape=None, name=None):
    """A tensor with a fixed value, broadcast to `shape` where one is given."""
    array = np.asarray(value, numpy_dtype(dtype or config.floatx()))
    return get_engine().convert(array if shape is None else np.broadcast_to(array, shape).copy(),
                                dtype or config.floatx())


def placeholder(shape=None, ndim=None, dtype=None, sparse=False, name=None):
    """A symbolic tensor without a value. Give `shape` (None for unknown sizes) or `ndim`."""
    if shape is None:
        if ndim is None:
            raise ValueError('placeholder: give `shape` or `ndim`.')
        shape = (None,) * ndim
    return KerasTensor(shape, dtype or config.floatx(), sparse=sparse, name=name or 'placeholder')


def random_uniform_variable(shape, low, high, dtype=None, name=None, seed=None):
    """A `Variable` drawn uniformly from [low, high)."""
    seed = draw_host_seed() if seed is None else seed
    return variable(to_array(_uniform(shape, low, high, dtype, seed)), dtype, name)


def random_normal_variable(shape, mean, scale, dtype=None, name=None, seed=None):
    """A `Variable` drawn from the normal distribution."""
    seed = draw_host_seed() if seed is None else seed
    return variable(to_array(_normal(shape, mean, scale, dtype, seed)), dtype, name)


# --- what a tensor is -------------------------------------------------------------------------------------------

def is_tensor(x):
    """Whether `x` is a tensor of the engine, a symbolic tensor or a `Variable`."""
    return isinstance(x, (AbstractTensor, Variable)) or type(x) in active.native or get_engine().is_native(x)


def is_keras_tensor(x):
    """Whether `x` is a symbolic tensor that came out of a layer or `Input`.

    Raises:
        ValueError: if `x` is no tensor at all.
    """
    if not is_tensor(x):
        raise ValueError('Unexpectedly found an instance of type %s. Expected a symbolic tensor.' % type(x))
    return isinstance(x, KerasTensor) and x.node is not None


def is_placeholder(x):
    """Whether `x` is a symbolic tensor without an operation behind it, or the output of `Input`."""
    return isinstance(x, KerasTensor) and (x.node is None or not x.node.inputs
                                           and getattr(x.node.operation, 'is_input', False))


def is_variable(x):
    """Whether `x` is a `Variable`."""
    return isinstance(x, Variable)


def is_sparse(tensor):
    """Whether `tensor` is marked as sparse."""
    return bool(getattr(tensor, 'sparse', False))


def to_dense(tensor):
    """`tensor` itself: tensors are dense here."""
    return tensor


def int_shape(x):
    """The shape of `x` as a tuple, with None for sizes that are not known."""
    return tuple(static_shape(x))


def ndim(x):
    """The number of axes."""
    return _ndim(x)


def dtype(x):
    """The name of the dtype."""
    return dtype_of(x)


def shape(x):
    """The shape of `x` for computing with: ints, and scalars of the graph or engine for sizes that are not known."""
    if isinstance(x, KerasTensor) and not context.abstract:
        return tuple(size_along(x, axis) if size is None else size for axis, size in enumerate(x.shape))
    return _sizes(x)


def count_params(x):
    """The number of elements of a variable or of a tensor of known shape."""
    return int(np.prod(static_shape(x), dtype='int64'))


def cast_to_floatx(x):
    """An array, or a tensor, in the dtype `floatx`."""
    if isinstance(x, (np.ndarray, list, tuple, int, float)):
        return np.asarray(x, dtype=numpy_dtype(config.floatx()))
    return p.cast(x, config.floatx())


# --- values -----------------------------------------------------------------------------------------------------

def eval(x):
    """The value of a tensor or variable as a NumPy array.

    Raises:
        ValueError: for a symbolic tensor that depends on an input.
    """
    if isinstance(x, KerasTensor):
        plan = Plan([], [x], lambda node: node.operation.call if isinstance(node.operation, Entry) else node.operation)
        x = plan([])[0]
    return to_array(x)


def get_value(x):
    """The value of a variable or tensor as a NumPy array."""
    return eval(x)


def batch_get_value(ops):
    """The values of a list of variables as NumPy arrays."""
    return [eval(x) for x in ops]


def set_value(x, value):
    """Set the value of a `Variable` from an array, list or scalar."""
    x.assign(np.broadcast_to(np.asarray(value), x.shape) if np.ndim(value) == 0 else value)


def batch_set_value(tuples):
    """Set the values of variables from a list of pairs (variable, value)."""
    for x, value in tuples:
        set_value(x, value)


def update(x, new_x):
    """Set the variable `x` to `new_x`; inside a model, when the step ends."""
    return x.assign(new_x)


def update_add(x, increment):
    """Add `increment` to the variable `x`."""
    return x.assign_add(increment)


def update_sub(x, decrement):
    """Subtract `decrement` from the variable `x`."""
    return x.assign_sub(decrement)


def moving_average_update(x, value, momentum):
    """Set the variable `x` to `x * momentum + value * (1 - momentum)`."""
    return x.assign(p.add(p.multiply(x.value, momentum), p.multiply(value, 1.0 - momentum)))


def normalize_batch_in_training(x, gamma, beta, reduction_axes, epsilon=1e-3):
    """`x` normalized by its own statistics over `reduction_axes`, and these: (output, mean, variance)."""
    axes = tuple(reduction_axes)
    center = _mean(x, axes, True)
    deviations = p.subtract(x, center)
    variance = _mean(p.multiply(deviations, deviations), axes, True)
    target = tuple(size if axis not in axes else 1 for axis, size in enumerate(_sizes(x)))
    parts = [part if part is None or _ndim(part) == _ndim(x) else p.reshape(part, target) for part in (beta, gamma)]
    return normalized(x, center, variance, parts[0], parts[1], epsilon), p.sum(center, axes), p.sum(variance, axes)


def normalized(x, mean, variance, offset, scale, epsilon):
    """Batch normalization with statistics that broadcast to `x`."""
    result = p.multiply(p.subtract(x, mean), rsqrt(p.add(variance, epsilon)))
    result = result if scale is None else p.multiply(result, scale)
    return result if offset is None else p.add(result, offset)


def print_tensor(x, message=''):
    """Print the value of `x` now, if it has one, and return `x`."""
    if not isinstance(x, AbstractTensor):
        print(message, to_array(x))
    return x


# --- the learning phase -----------------------------------------------------------------------------------------

def learning_phase():
    """1 while training, 0 otherwise: the flag of the running call, else what `set_learning_phase` was given, else 0."""
    training = context.training if context.training is not None else state.learning_phase.value
    return int(bool(training))


def set_learning_phase(value):
    """Set what `training` means where no call gives it: 0 or 1.

    Raises:
        ValueError: for any other value.
    """
    if value not in (0, 1):
        raise ValueError('Expected learning phase to be 0 or 1. Received: %r' % (value,))
    state.learning_phase.value = bool(value)


def in_train_phase(x, alt, training=None):
    """`x` while training, `alt` otherwise; functions are called."""
    training = learning_phase() if training is None else training
    chosen = x if training else alt
    return chosen() if callable(chosen) else chosen


def in_test_phase(x, alt, training=None):
    """`alt` while training, `x` otherwise; functions are called."""
    return in_train_phase(alt, x, training)


# --- sessions: nothing to manage here ---------------------------------------------------------------------------

def clear_session():
    """Start afresh: names count from 1 again and the learning phase is forgotten."""
    reset_uids()
    state.learning_phase.value = None


def manual_variable_initialization(value):
    """Accepted for old scripts: variables are always initialized when they are first used."""


def eager(func):
    """`func` itself: operations on tensors run at once."""
    return func


def symbolic(func):
    """`func` itself: operations on symbolic tensors build graph."""
    return func


class control_dependencies:
    """Accepted for old scripts: operations run in the order in which they are written."""

    def __init__(self, control_inputs):
        self.control_inputs = control_inputs

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return None
