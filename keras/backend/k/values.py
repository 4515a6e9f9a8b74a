"""K on values: variables, constants, placeholders, evaluation, names, and the learning phase."""
import contextlib
import gc

import numpy as np

from keras import config, generations
from keras.backend.contract.context import context, learning_phase as phase, recording_assignments, runs_at_once
from keras.backend.contract.loading import get_engine, is_native, meet_the_engine
from keras.backend.contract.loading import is_sparse as is_sparse_of_engine
from keras.backend.contract.rules import (AbstractTensor, DTYPES, FLOAT8, dtype_named, is_float, is_integer,
                                           numpy_dtype, result_dtype, standard_dtype)
from keras.backend.graph.nodes import Node, order
from keras.backend.graph.reads import symbol_of
from keras.backend.graph.tensors import KerasTensor, is_placeholder as _is_placeholder
from keras.backend.k.compiled import evaluated
from keras.backend.k.sizes import Sizes, sizes_in, tensor_of
from keras.backend.k.operations import constant_in_graph, LearningPhase, PhaseChoice, Printing, Update
from keras.backend.state import scopes
from keras.backend.state.seeds import draw_host_seed
from keras.backend.state.uids import reset_uids
from keras.backend.state.variables import Variable, in_shape, to_array
from keras.backend.table import primitives as p
from keras.backend.table.abstract import is_unranked
from keras.backend.table.composites.math import mean as _mean, rsqrt
from keras.backend.table.composites.random import normal as _normal, uniform as _uniform
from keras.backend.table.composites.shape import (dtype_of, ndim as _ndim, shape as _sizes, size_along,
                                                  static_shape)


def variable(value, dtype=None, name=None, constraint=None):
    """A `Variable` with the given value (an array, list, scalar, tensor or SciPy's sparse matrix).

    `dtype` defaults to `floatx`. Operators on it make graph, to be run by `K.eval` and `K.function`.
    """
    meet_the_engine()
    if dtype is not None and dtype_named(dtype) not in DTYPES:
        raise TypeError('K.variable: unsupported dtype %r. Expected one of: %s.' % (dtype, ', '.join(DTYPES)))
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
    """A tensor with a fixed value; a part of the graph outside running calls.

    With a `shape` the values are reshaped, or one number is repeated.

    Example:
        >>> K.eval(K.constant([1, 2, 3, 4], shape=(2, 2)))
        array([[1., 2.],
               [3., 4.]], dtype=float32)
    """
    meet_the_engine()
    dtype = dtype_named(dtype or config.floatx())
    array = np.array(value, numpy_dtype(dtype))
    array = array if shape is None else in_shape(array, shape)
    if runs_at_once():
        return get_engine().convert(array, dtype)
    return constant_in_graph(array, dtype, name or 'constant')


def placeholder(shape=None, ndim=None, dtype=None, sparse=False, name=None):
    """A symbolic tensor without a value.

    Args:
        shape: tuple, with None for unknown sizes. ndim: the rank, where no size is known. Without either, the tensor
            takes values of any rank; functions that need to know it, and layers, cannot take it.
    """
    if shape is None and ndim is not None:
        shape = (None,) * ndim
    return KerasTensor(None if shape is None else sizes_in(shape), dtype_named(dtype or config.floatx()), sparse=sparse,
                       name=name or 'placeholder')


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
    return isinstance(x, (AbstractTensor, Variable, Sizes)) or is_native(x) or is_sparse_of_engine(x)


def is_float_dtype(dtype):
    """Whether a dtype, or its name, is one of floats."""
    return is_float(standardize_dtype(dtype))


def is_int_dtype(dtype):
    """Whether a dtype, or its name, is one of integers."""
    return is_integer(standardize_dtype(dtype))


def is_keras_tensor(x):
    """Whether `x` is a symbolic tensor that came out of a layer or `Input`; in Keras 3's generation any symbolic one.

    Raises:
        ValueError: if `x` is no tensor at all; in Keras 3's generation that is no error.
    """
    if generations.value('keras_tensors_by_class'):
        return isinstance(x, KerasTensor)
    if not is_tensor(x):
        raise ValueError('Unexpectedly found an instance of type %s. Expected a symbolic tensor.' % type(x))
    return isinstance(x, KerasTensor) and x.node is not None and hasattr(x.node.operation, '_inbound_nodes')


def standardize_dtype(dtype):
    """The name of a dtype: of NumPy's and the engines' objects, of Python's types, and of names; None is `floatx`.

    Raises:
        ValueError: for what is no dtype.

    Example:
        >>> K.standardize_dtype(np.float16), K.standardize_dtype(int)
        ('float16', 'int32')
    """
    if dtype is None:
        return config.floatx()
    if getattr(dtype, 'kind', '') in tuple('OUS'):
        return 'string'
    name = str(standard_dtype(dtype.rpartition('.')[2] if isinstance(dtype, str) else dtype))
    if name not in DTYPES and name not in FLOAT8:
        raise ValueError('Invalid dtype: %s. Expected one of %s.' % (dtype, ', '.join(DTYPES)))
    return name


def result_type(*dtypes):
    """The name of the dtype in which tensors and numbers of these dtypes meet; 'float32' without any.

    Args:
        *dtypes: names and dtypes as in `standardize_dtype`. Python's `int`, `float` and `bool` are weak: beside a
            tensor's dtype they widen it only where it is of another kind.

    Raises:
        ValueError: for a float8 type beside another dtype.

    Example:
        >>> K.result_type('int8', 'float16'), K.result_type('float16', float), K.result_type('int32', float)
        ('float16', 'float16', 'float32')
    """
    if not dtypes:
        return config.floatx()
    names = [dtype if dtype in (int, float, bool) else standardize_dtype(dtype) for dtype in dtypes]
    if any(name in FLOAT8 for name in names) and len(set(names)) > 1:
        raise ValueError('There is no implicit conversions from float8 dtypes to others. Use keras.ops.cast. '
                         'Received: %s' % (dtypes,))
    return result_dtype(*names)


def is_placeholder(x):
    """Whether `x` is a symbolic tensor without an operation behind it, or the output of `Input`."""
    return isinstance(x, KerasTensor) and _is_placeholder(x)


def is_variable(x):
    """Whether `x` is a `Variable`."""
    return isinstance(x, Variable)


def is_sparse(tensor):
    """Whether `tensor` is marked as sparse, or a sparse tensor of the engine's library."""
    return bool(getattr(tensor, 'sparse', False)) or is_sparse_of_engine(tensor)


def to_dense(tensor):
    """`tensor` without the mark of being sparse, or a sparse tensor of the engine's library as a dense one."""
    if is_sparse_of_engine(tensor):
        return get_engine().convert(tensor)
    if not is_sparse(tensor):
        return tensor
    tensor = symbol_of(tensor) if isinstance(tensor, Variable) else tensor
    return p.add(tensor, 0.0)


def int_shape(x):
    """The shape of `x` as a tuple, with None for sizes that are not known; None if not even their number is."""
    shape = static_shape(x) if not isinstance(x, Sizes) else x.shape
    return None if shape is None else tuple(shape)


def ndim(x):
    """The number of axes; None if it is not known."""
    shape = int_shape(x)
    return None if shape is None else len(shape)


def dtype(x):
    """The name of the dtype."""
    return dtype_of(x) if not isinstance(x, Sizes) else x.dtype


def shape(x):
    """The shape of `x` as a vector of integers, see `Sizes`.

    Example:
        >>> x = K.placeholder((None, 3))
        >>> K.function([x], [K.tile(x, K.stack([K.shape(x)[1], 1]))])([np.ones((2, 3))])[0].shape
        (6, 3)
    """
    if is_unranked(x):
        raise ValueError('shape: not even the rank of %r is known. Give `ndim` or `shape` to the placeholder that it '
                         'follows from.' % (x,))
    if isinstance(x, KerasTensor) and not context.abstract:
        return Sizes(size_along(x, axis) if size is None else size for axis, size in enumerate(x.shape))
    return Sizes(_sizes(x))


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
    return evaluated(tensor_of(x))


def get_value(x):
    """The value of a variable or tensor as a NumPy array."""
    return eval(x)


def batch_get_value(ops):
    """The values of a list of variables as NumPy arrays."""
    return [eval(x) for x in ops]


def set_value(x, value):
    """Set the value of a `Variable` from an array, list or scalar.

    Raises:
        TypeError: where `x` is no variable.
    """
    if not isinstance(x, Variable):
        raise TypeError('set_value: only variables have values to set. Received: %r. The usual cause: a hyperparameter '
                        'of an optimizer that is a number here, momentum or beta_1; set the attribute before compile.'
                        % (x,))
    value = value.toarray() if hasattr(value, 'toarray') else value
    with recording_assignments(None):
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
    x = get_engine().variable_of(x)
    if context.assigned is None or context.abstract:
        return x.assign(new_x)
    old = x.value
    result = x.assign(new_x)
    context.assigned.append((result, x, old))
    return result


def update_add(x, increment):
    """An update that adds `increment` to the variable `x`; see `update`."""
    return _changed(x, p.add, increment)


def update_sub(x, decrement):
    """An update that subtracts `decrement` from the variable `x`; see `update`."""
    return _changed(x, p.subtract, decrement)


def _changed(x, function, value):
    made = update(x, function(_current(x), value))
    # What has to wait for others, which may be updates of the same variable, reads it after them.
    if isinstance(made, Update) and not order.before:
        value = symbol_of(value) if isinstance(value, Variable) else value
        made.change = lambda old: function(old, value)
    return made


def moving_average_update(x, value, momentum):
    """An update of the variable `x` to `x * momentum + value * (1 - momentum)`; see `update`."""
    value = symbol_of(value) if isinstance(value, Variable) and not runs_at_once() else value
    return update(x, p.add(p.multiply(_current(x), momentum), p.multiply(value, 1.0 - momentum)))


def _current(x):
    return get_engine().variable_of(x).value if runs_at_once() else symbol_of(x)


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
    if context.training is not None or phase.value is not None or runs_at_once():
        training = context.training if context.training is not None else phase.value
        return int(bool(training))
    if not _phases:
        _phases.append(LearningPhase())
    return _phases[0]


def set_learning_phase(value):
    """Set what `training` means where no call gives it: 0 or 1.

    Layers that are called on symbolic tensors keep it. For other models it holds as long as it is set, in `fit` and
    `predict` as well; `clear_session` forgets it.

    Raises:
        ValueError: for any other value.
    """
    if value not in (0, 1):
        raise ValueError('Expected learning phase to be 0 or 1. Received: %r' % (value,))
    phase.value = bool(value)


@contextlib.contextmanager
def learning_phase_scope(value):
    """A `with` block in which the learning phase is `value`, see `set_learning_phase`.

    Raises:
        ValueError: for anything but 0 and 1.

    Example:
        >>> with K.learning_phase_scope(1):
        ...     K.learning_phase()
        1
    """
    before = phase.value
    set_learning_phase(value)
    try:
        yield
    finally:
        phase.value = before


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
        return x if phase.value else alt
    like = x if isinstance(x, KerasTensor) else alt
    return Node(PhaseChoice(), [x, alt], {}, AbstractTensor(like.shape, like.dtype)).output_structure


def in_test_phase(x, alt, training=None):
    """`alt` while training, `x` otherwise; functions are called."""
    return in_train_phase(alt, x, training)


# --- sessions: nothing to manage here ---------------------------------------------------------------------------

def clear_session(free_memory=True):
    """Start afresh: names count from 1 again and the learning phase is forgotten.

    Args:
        free_memory: whether what nothing refers to any more is given back now.
    """
    reset_uids()
    phase.value = None
    if free_memory:
        gc.collect()


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
    """A `with` block whose name is put before the paths of variables, and before the names of layers' weights.

    Args:
        name: a string; `/` parts it into scopes within one another. default_name: used where `name` is None.
        values: tensors, which told TensorFlow 1 the graph that is meant: there is one graph here, so nothing follows.

    Example:
        >>> with K.name_scope('block'):
        ...     K.variable(1.0, name='v').path
        'block/v'
    """

    def __init__(self, name, default_name=None, values=None):
        self.name = default_name if name is None else name
        self._scopes = [scopes.name_scope(part) for part in str(self.name or '').split('/') if part]

    def __enter__(self):
        for scope in self._scopes:
            scope.__enter__()
        return self.name

    def __exit__(self, *_):
        for scope in reversed(self._scopes):
            scope.__exit__()
