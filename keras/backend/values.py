"""K on values: variables, constants, placeholders, evaluation, names, and the learning phase."""
import numpy as np

from keras import config
from keras.backend import primitives as p
from keras.backend.composites.math import mean as _mean, rsqrt
from keras.backend.composites.random import normal as _normal, uniform as _uniform
from keras.backend.composites.shape import (dtype_of, ndim as _ndim, shape as _sizes, size_along, stack as _stack,
                                            static_shape)
from keras.backend.engine import active, get_engine
from keras.backend.function import evaluated
from keras.backend.nodes import Deferred, LearningPhase, PhaseChoice, Printing, Update, runs_at_once, symbol_of
from keras.backend.rules import AbstractTensor
from keras.backend import state
from keras.backend.state import (Variable, context, draw_host_seed, numpy_dtype, reset_uids,
                                 to_array)
from keras.backend.symbolic import KerasTensor, Node, is_placeholder as _is_placeholder, order


def variable(value, dtype=None, name=None, constraint=None):
    """A `Variable` with the given value (an array, list, scalar, tensor or SciPy's sparse matrix).

    `dtype` defaults to `floatx`. Operators on it make graph, to be run by `K.eval` and `K.function`.
    """
    sparse = hasattr(value, 'toarray')
    value = value.toarray() if sparse else value
    if not isinstance(value, (np.ndarray, list, tuple, int, float)):
        value = evaluated(value)
    result = Variable(value, dtype=dtype or config.floatx(), name=name, constraint=constraint)
    result.symbolic, result.sparse = True, sparse
    if context.ledger is not None and not context.abstract:
        # Made while a step runs or is traced: its value is a constant there.
        context.ledger.values[result] = get_engine().convert(result.numpy(), result.dtype)
    return result


def constant(value, dtype=None, shape=None, name=None):
    """A tensor with a fixed value, broadcast to `shape` if one is given; a part of the graph outside running calls."""
    dtype = dtype or config.floatx()
    array = np.array(value, numpy_dtype(dtype))
    array = array if shape is None else np.broadcast_to(array, shape).copy()
    if runs_at_once():
        return get_engine().convert(array, dtype)
    return Node(Deferred(lambda: get_engine().convert(array, dtype), name or 'constant'), [], {},
                AbstractTensor(array.shape, dtype)).output_structure


def placeholder(shape=None, ndim=None, dtype=None, sparse=False, name=None):
    """A symbolic tensor without a value. Give `shape` (None for unknown sizes) or `ndim`."""
    if shape is None:
        if ndim is None:
            raise ValueError('placeholder: give `shape` or `ndim`.')
        shape = (None,) * ndim
    return KerasTensor(tuple(shape), dtype or config.floatx(), sparse=sparse, name=name or 'placeholder')


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
    return isinstance(x, KerasTensor) and x.node is not None and hasattr(x.node.operation, '_inbound_nodes')


def is_placeholder(x):
    """Whether `x` is a symbolic tensor without an operation behind it, or the output of `Input`."""
    return isinstance(x, KerasTensor) and _is_placeholder(x)


def is_variable(x):
    """Whether `x` is a `Variable`."""
    return isinstance(x, Variable)


def is_sparse(tensor):
    """Whether `tensor` is marked as sparse."""
    return bool(getattr(tensor, 'sparse', False))


def to_dense(tensor):
    """`tensor` without the mark of being sparse; its values are held densely in any case."""
    if not is_sparse(tensor):
        return tensor
    tensor = symbol_of(tensor) if isinstance(tensor, Variable) else tensor
    return p.add(tensor, 0.0)


def int_shape(x):
    """The shape of `x` as a tuple, with None for sizes that are not known."""
    return tuple(static_shape(x))


def ndim(x):
    """The number of axes."""
    return _ndim(x)


def dtype(x):
    """The name of the dtype."""
    return dtype_of(x)


class Sizes(tuple):
    """A shape, some of whose sizes are scalars of the graph: a tuple where a shape is wanted, else a vector."""

    def tensor(self):
        """The sizes as one integer tensor."""
        return _stack([p.cast(size, 'int32') if isinstance(size, KerasTensor) else constant(size, 'int32')
                       for size in self])

    def __getitem__(self, key):
        found = super().__getitem__(key)
        return Sizes(found) if isinstance(key, slice) else found


def shape(x):
    """The shape of `x` for computing with: ints, and scalars of the graph or engine for sizes that are not known."""
    if isinstance(x, KerasTensor) and not context.abstract:
        return Sizes(size_along(x, axis) if size is None else size for axis, size in enumerate(x.shape))
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
    return evaluated(x.tensor() if isinstance(x, Sizes) else x)


def get_value(x):
    """The value of a variable or tensor as a NumPy array."""
    return eval(x)


def batch_get_value(ops):
    """The values of a list of variables as NumPy arrays."""
    return [eval(x) for x in ops]


def set_value(x, value):
    """Set the value of a `Variable` from an array, list or scalar."""
    value = value.toarray() if hasattr(value, 'toarray') else value
    x.assign(np.broadcast_to(np.asarray(value), x.shape) if np.ndim(value) == 0 else value)


def batch_set_value(tuples):
    """Set the values of variables from a list of pairs (variable, value)."""
    for x, value in tuples:
        set_value(x, value)


def update(x, new_x):
    """An update that sets the variable `x` to `new_x`.

    Inside a running layer it takes place at once (`Layer.add_update` then restricts it to training). Elsewhere it is a
    part of the graph, which takes place when it is evaluated or handed to `K.function(..., updates=[...])`.
    """
    if not runs_at_once():
        return Update(x, new_x)
    if context.assigned is None or context.abstract:
        return x.assign(new_x)
    old = x.value
    result = x.assign(new_x)
    context.assigned.append((result, x, old))
    return result


def update_add(x, increment):
    """An update that adds `increment` to the variable `x`; see `update`."""
    return update(x, p.add(_current(x), increment))


def update_sub(x, decrement):
    """An update that subtracts `decrement` from the variable `x`; see `update`."""
    return update(x, p.subtract(_current(x), decrement))


def moving_average_update(x, value, momentum):
    """An update of the variable `x` to `x * momentum + value * (1 - momentum)`; see `update`."""
    value = symbol_of(value) if isinstance(value, Variable) and not runs_at_once() else value
    return update(x, p.add(p.multiply(_current(x), momentum), p.multiply(value, 1.0 - momentum)))


def _current(x):
    return x.value if runs_at_once() else symbol_of(x)


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
    """`x`, whose value is printed behind `message` whenever it is computed.

    Example:
        >>> x = K.placeholder((2,))
        >>> K.function([x], [K.print_tensor(x, 'x is') * 2])([[1.0, 2.0]])
        x is [1. 2.]
        [array([2., 4.], dtype=float32)]
    """
    if isinstance(x, KerasTensor) and not context.abstract:
        return Node(Printing(message), [x], {}, AbstractTensor(x.shape, x.dtype)).output_structure
    if isinstance(x, AbstractTensor):
        return x
    value = x.value if isinstance(x, Variable) else x
    return get_engine().print_tensor(value if is_tensor(value) else get_engine().convert(value), message)


# --- the learning phase -----------------------------------------------------------------------------------------

_phases = []


def learning_phase():
    """1 while training, 0 otherwise: the flag of the running call, or what `set_learning_phase` was given.

    Where neither is known, a symbolic flag that a `K.function` with it among its inputs is fed; as a number it is 0.
    """
    if context.training is not None or state.learning_phase.value is not None or runs_at_once():
        training = context.training if context.training is not None else state.learning_phase.value
        return int(bool(training))
    if not _phases:
        _phases.append(LearningPhase())
    return _phases[0]


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
    if isinstance(training, LearningPhase):
        return _by_phase(_called(x), _called(alt))
    return _called(x if training else alt)


def _called(x):
    return x() if callable(x) and not isinstance(x, (KerasTensor, Variable)) else x


def _by_phase(x, alt):
    if x is alt:
        return x
    x, alt = [symbol_of(each) if isinstance(each, Variable) else each for each in (x, alt)]
    if not isinstance(x, KerasTensor) and not isinstance(alt, KerasTensor):
        return x if state.learning_phase.value else alt
    like = x if isinstance(x, KerasTensor) else alt
    return Node(PhaseChoice(), [x, alt], {}, AbstractTensor(like.shape, like.dtype)).output_structure


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
    """In this block symbolic tensors are made that run after `control_inputs`, and variables are read after them.

    Args:
        control_inputs: a list of symbolic tensors, above all of updates; others, which have run, are passed over.
    """

    def __init__(self, control_inputs):
        given = control_inputs if isinstance(control_inputs, (list, tuple)) else [control_inputs]
        self.control_inputs = tuple(tensor for tensor in given if isinstance(tensor, KerasTensor))

    def __enter__(self):
        self._previous, order.before = order.before, order.before + self.control_inputs
        return self

    def __exit__(self, *_):
        order.before = self._previous


class name_scope:
    """Accepted for old scripts: names of variables and operations are their own."""

    def __init__(self, name, *args, **kwargs):
        self.name = name

    def __enter__(self):
        return self.name

    def __exit__(self, *_):
        return None
