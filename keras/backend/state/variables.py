"""Variables: engine-neutral handles of values that are kept between calls.

The storage of a `Variable` is made on the active engine when it is first used; switching engines moves it through
NumPy. Arithmetic on variables is the op table's: `table/operators.py` gives them Python's operators, `assign_add` and
`assign_sub`. Nothing here knows a particular engine.
"""
import numpy as np

from keras import config, generations
from keras.backend.contract import placement
from keras.backend.contract.context import context
from keras.backend.contract.ledger import Concretely, FacingLedger, Stored
from keras.backend.contract.loading import active, class_for_library, get_engine, outside_graphs
from keras.backend.contract.rules import AbstractTensor, Shape, dtype_named, numpy_dtype, stand_ins, standard_dtype
from keras.backend.state.scopes import checked_name, current_names
from keras.legacy.class_paths import known_as
from keras.saving.kinds import kind_in
from keras.saving.portable import portable


def _checked(name, wanted, kind, fits):
    """An attribute that takes only what `fits`: a mistake would show in the optimizer, far from its cause."""
    def setter(self, value):
        if not fits(value):
            raise kind('Invalid value for attribute `%s` of variable %s: it must be %s Received: %r'
                       % (name, self.name, wanted, value))
        self.__dict__[name] = value
    return property(lambda self: self.__dict__[name], setter)


def _is_function_or_none(value):
    return value is None or callable(value)


# How often `trainable` of a variable was set, so that what is known of layers is found again.
_trainable_set = [0]


def trainable_variables_changes():
    return _trainable_set[0]


class Variable(Stored, known_as('keras.src.backend.common.variables.KerasVariable')):
    """A tensor that keeps its value between calls: a weight, an optimizer slot, a metric's total, a seed.

    Args:
        initializer: an array or nested list (the value, reshaped or broadcast where a shape is given), or what gives
            it when it is first needed: a function `f(shape, dtype)`, or an initializer, by name, config or as an
            object.
        shape: tuple of ints; needed with a function or an initializer.
        dtype: name of the dtype; default `floatx`, or the dtype of integer arrays.
        trainable: whether `fit` changes it. name: for messages and files.
        constraint: function applied to the value after each training update, or None.
        autocast: whether a layer that computes in another float type than its weights' reads it in that type.
        aggregation, synchronization: kept as attributes; there is one copy of each variable.
        layout: what the value is, for engines that prefer a memory layout: 'conv_kernel' or 'depthwise_kernel' for
            (spatial..., in, out) and (spatial..., channels, filters per channel), or None.

    Example:
        >>> v = keras.Variable([1.0, 2.0], name='v')
        >>> v.assign_add([1.0, 1.0])
        >>> v.numpy()
        array([2., 3.], dtype=float32)
        >>> keras.Variable('ones', shape=(2,)).numpy()
        array([1., 1.], dtype=float32)
    """

    constraint = _checked('constraint', 'a function, a constraint or None.', ValueError, _is_function_or_none)
    regularizer = _checked('regularizer', 'a function, a regularizer or None.', ValueError, _is_function_or_none)
    overwrite_with_gradient = _checked('overwrite_with_gradient', 'True or False, it must be a boolean.', TypeError,
                                       lambda value: isinstance(value, (bool, np.bool_)))

    def __init__(self, initializer, shape=None, dtype=None, trainable=True, name=None, constraint=None, layout=None,
                 autocast=True, aggregation='none', synchronization='auto'):
        if name is not None and not isinstance(name, str):
            raise ValueError('Argument `name` must be a string. Received: name=%r' % (name,))
        if name is not None and '/' in name and generations.value('names_have_no_slash'):
            checked_name(name, 'Variable')
        dtype = None if dtype is None else standard_dtype(dtype)
        if isinstance(initializer, (str, dict, type)):
            initializer = kind_in('keras.initializers').get(initializer)
        if callable(initializer):
            if shape is None:
                raise ValueError('Variable %r: When creating a Variable from an initializer, the `shape` argument '
                                 'should be specified. Received: initializer=%r' % (name, initializer))
            # An initializer's seed is taken now, so that the values do not depend on the order of their use.
            initializer = initializer.delayed() if hasattr(initializer, 'delayed') else initializer
            dtype = dtype or config.floatx()
        else:
            initializer, shape, dtype = _initial_array(initializer, shape, dtype)
        self.shape = Shape(_checked_shape(shape, name))
        self.dtype = standard_dtype(dtype)
        self.name = name or 'variable'
        self.path = '/'.join(current_names() + [self.name])
        self.constraint = constraint
        self.regularizer = None
        self.layout = layout
        # How it is spread over devices, and a variable of its shape that it is spread like.
        self.distribution, self.like = placement.current[0], None
        self.overwrite_with_gradient = False
        self.autocast = bool(autocast)
        self.aggregation, self.synchronization = _checked_copies(name, aggregation, synchronization)
        # Whether operators on it make graph (K.variable), and the symbolic tensor that stands for it in graphs.
        self.symbolic = self.sparse = False
        self.symbol = None
        self._trainable = self.made_trainable = bool(trainable)
        self._initializer = initializer
        # What the engine `holder` keeps for it. The steps of an engine that replaces what it keeps write it.
        self.held = None
        self.holder = None

    @classmethod
    def adopted(cls, storage, engine, shape, dtype, name, trainable):
        """The variable for a storage that a script has made by the library of an engine."""
        variable = cls(np.zeros((), numpy_dtype(dtype)), shape, dtype, trainable)
        variable.name = name
        variable.held, variable.holder, variable._initializer = storage, engine, None
        variable.is_adopted, variable.path = True, variable.name
        return variable

    # --- value -------------------------------------------------------------------------------------------

    @property
    def value(self):
        """The value as a native tensor: during a step this run's, else the current one."""
        ledger = context.ledger
        if ledger is not None:
            return ledger.read(self)
        return self.load()

    def load(self, value=None, session=None):
        """The stored value, past any ledger; as TensorFlow 1 has it, a `value` that is given is assigned."""
        if value is not None:
            self.assign(value)
        engine = active.engine
        if engine is None or self.holder is not engine:
            self._move(get_engine())
            engine = self.holder
        return engine.load(self.held)

    @property
    def storage(self):
        """The active engine's own storage (a `tf.Variable`, a leaf tensor, an array)."""
        if self.holder is None or self.holder is not active.engine:
            self._move(get_engine())
        return self.held

    @property
    def _value(self):
        """The storage under Keras 3's name, None before there is one; KerasHub looks at it before it loads weights."""
        return None if self.holder is None and self.distribution is None else self.storage

    @outside_graphs
    def _move(self, engine):
        with Concretely():
            array = self._host_value()
            self.held = engine.new_variable(array, self)
            if self.distribution is not None:
                self.held = placement.kept(self.held, self)
        self.holder, self._initializer = engine, None

    def _host_value(self):
        if self.holder is not None:
            return self.holder.to_numpy(self.holder.load(self.held))
        value = self._initializer
        if callable(value):
            value = value(self.shape, self.dtype)
            value = value if isinstance(value, np.ndarray) else to_array(value)
        if tuple(value.shape) != self.shape:
            raise ValueError('The initializer of variable %r gave shape %s, expected %s.'
                             % (self.name, tuple(value.shape), self.shape))
        return value

    @property
    def given_layout(self):
        """The layout on a device mesh that a script has set for the one variable, as Keras 3 has it; or None."""
        return self.__dict__.get('_layout')

    is_tensor_like = True  # what `tf.is_tensor` looks for

    def numpy(self):
        """The value as a NumPy array of its own."""
        return np.array(self.numpy_view())

    def eval(self, session=None):
        """The value as a NumPy array, as variables of Theano and TensorFlow 1 have it."""
        return self.numpy()

    @outside_graphs
    def numpy_view(self):
        """The value as a NumPy array that may be the variable's own memory, to be read before anything else happens."""
        if self.holder is None and not callable(self._initializer):
            return np.asarray(self._initializer, dtype=numpy_dtype(self.kept_dtype))
        if self.holder is None:
            self._move(get_engine())
        return self.holder.numpy_view(self.holder.load(self.held))

    def assign(self, value, name=None, use_locking=None, read_value=True):
        """Set the value. During a step it takes effect for later reads, and is kept when the step ends.

        The rest is about the operation that TensorFlow makes of it, as methods written for its variables give it.

        In the `get_updates` of an optimizer of one's own it is one of the updates that every training step makes.

        Raises:
            ValueError: if the shape differs.
        """
        if context.record_assignment is not None:
            return context.record_assignment(self, value)
        ledger = context.ledger
        if ledger is not None:
            ledger.write(self, _fitting(value, self))
            return value
        if self.holder is None and isinstance(value, (np.ndarray, list, tuple, float, int)):
            # Loading weights into a fresh model neither draws the random ones nor loads an engine.
            self._initializer = _fitting_array(value, self)
            return value
        self._store(value)
        return value

    @outside_graphs
    def _store(self, value):
        storage = self.storage
        self.held = self.stored(storage, _fitting(value, self))
        if self.distribution is not None:
            self.held = placement.kept(self.held, self)

    def stored(self, storage, value):
        """What is kept from now on, where `storage` has been, for a native tensor."""
        return self.holder.store(storage, value)

    def assign_new(self, array):
        """`assign` of a NumPy array that nobody else holds: before the first use it is kept as it is, not copied."""
        if context.ledger is None and self.holder is None and array.dtype == numpy_dtype(self.dtype) \
                and array.shape == self.shape and array.flags.c_contiguous:
            self._initializer = array
        else:
            self.assign(array)

    # --- description -----------------------------------------------------------------------------------------

    @property
    def dtype(self):
        """The name of the dtype. In Keras 3's generation, in `call` of a layer that reads it in another float type than
        it is kept in, the name of that type."""
        ledger = context.ledger
        while ledger is not None:
            if type(ledger) is FacingLedger and generations.value('variables_show_their_cast'):
                return ledger.shown_dtype(self)
            ledger = getattr(ledger, 'outer', None)
        return self.__dict__['dtype']

    @dtype.setter
    def dtype(self, dtype):
        self.__dict__['dtype'] = dtype

    @property
    def kept_dtype(self):
        return self.__dict__['dtype']

    @property
    def trainable(self):
        return self._trainable

    @trainable.setter
    def trainable(self, value):
        self._trainable = bool(value)
        _trainable_set[0] += 1
        if self.holder is not None:
            self.holder.mark_trainable(self.held, self._trainable)

    @property
    def ndim(self):
        return len(self.shape)

    @property
    def size(self):
        return int(np.prod(self.shape, dtype='int64'))

    @property
    def _keras_shape(self):
        return self.shape

    def get_shape(self):
        return Shape(self.shape)

    def __repr__(self):
        if not generations.value('variables_show_values'):
            return '<Variable name=%s, shape=%s, dtype=%s>' % (self.path, self.shape, self.dtype)
        return '<Variable path=%s, shape=%s, dtype=%s%s>' % (self.path, self.shape, self.dtype, self._shown_value())

    def _shown_value(self):
        if context.ledger is not None or context.abstract:  # inside of a step
            return ''
        try:
            return ', value=%s' % (self.numpy(),)
        except Exception:  # an error that names a variable is not to fail for what became of its storage
            return ''

    # NumPy leaves `array * variable` to the operators of the variable.
    __array_priority__ = 1000

    def __getattr__(self, name):
        # Whatever the engine's own tools look for (the handle of a tf.Variable, say) comes from the storage.
        engine = active.engine
        if engine is None or name not in engine.variable_attributes:
            raise AttributeError('Variable has no attribute %r' % name)
        return engine.variable_attribute(self, name)

    def __getstate__(self):
        state = dict(self.__dict__)
        state.update(held=None, holder=None, _initializer=self.numpy(), symbol=None)
        return state

    def __reduce_ex__(self, protocol):
        reduced = super().__reduce_ex__(protocol)
        return reduced[:2] + (portable(reduced[2]),) + reduced[3:]

    def __deepcopy__(self, memo):
        copy = type(self).__new__(type(self))
        memo[id(self)] = copy
        copy.__dict__.update(self.__getstate__())
        return copy


Variable = class_for_library(Variable)


def _initial_array(value, shape, dtype):
    array = np.asarray(value if isinstance(value, (np.ndarray, np.generic, list, tuple, int, float, bool))
                       else to_array(value))
    if dtype is None:
        dtype = array.dtype.name if array.dtype.kind in 'iub' else config.floatx()
        dtype = 'int32' if isinstance(value, (int, list, tuple)) and dtype == 'int64' else dtype
    array = np.array(array, dtype=numpy_dtype(dtype_named(dtype)))
    array = array if shape is None else in_shape(array, shape)
    return array, array.shape, dtype


def in_shape(array, shape):
    """An array in `shape`: reshaped where it holds as many numbers, else broadcast.

    Raises:
        ValueError: if neither is possible.
    """
    shape = (shape,) if isinstance(shape, (int, np.integer)) else tuple(shape)
    if array.size == np.prod(shape, dtype='int64'):
        return array.reshape(shape)
    try:
        return np.broadcast_to(array, shape).copy()
    except ValueError:
        raise ValueError('%d values of shape %s neither fill the shape %s nor can they be broadcast to it.'
                         % (array.size, array.shape, shape)) from None


_OF_COPIES = (('aggregation', ('none', 'mean', 'sum', 'only_first_replica')),
              ('synchronization', ('none', 'auto', 'on_write', 'on_read')))


def _checked_copies(variable, *given):
    """What would be done with copies of a variable; a mistake in it is one on every machine."""
    for (name, known), value in zip(_OF_COPIES, given):
        if isinstance(value, str) and value not in known:
            raise ValueError('Variable %r: %s must be one of %s. Received: %r'
                             % (variable, name, ', '.join(map(repr, known)), value))
    return ['none' if value is None else value for value in given]


def _checked_shape(shape, name):
    shape = tuple(shape)
    if any(size is None or int(size) < 0 for size in shape):
        raise ValueError('Variable %r needs a shape of known sizes. Received: %s. The usual cause: a layer whose '
                         'input has an unknown size where the weights need it.' % (name, shape))
    return tuple(int(size) for size in shape)


def _mismatch(variable, shape):
    return ValueError('Variable %s has shape %s, the value has shape %s.' % (variable.path, variable.shape, shape))


def _fitting_array(value, variable):
    array = np.array(value, dtype=numpy_dtype(variable.kept_dtype))
    if array.shape != variable.shape:
        raise _mismatch(variable, array.shape)
    return array


def _fitting(value, variable):
    if isinstance(value, AbstractTensor):
        if context.abstract or context.tracing is not None or type(value) is AbstractTensor:
            return value
        value = value.value
    engine = get_engine()
    if type(value) not in active.native or engine.dtype_of(value) != variable.kept_dtype:
        if isinstance(value, Variable):
            value = value.value
        value = engine.convert(value, variable.kept_dtype)
    shape = engine.shape_of(value)
    if shape != variable.shape and not _compatible(shape, variable.shape):
        raise _mismatch(variable, shape)
    return value


def _compatible(shape, expected):
    return len(shape) == len(expected) and all(a is None or a == b for a, b in zip(shape, expected))


def native_result(x):
    """What a step is to return for `x`: variables by their value, numbers of Python as tensors."""
    if type(x) in active.native:
        return x
    if isinstance(x, Variable):
        return x.value
    return get_engine().convert(x) if type(x) in (int, float, bool) or isinstance(x, stand_ins()) else x


def to_array(x):
    """A NumPy array of any tensor, variable, array or nested list."""
    if isinstance(x, np.ndarray):
        return x
    if type(x) in active.native:
        return active.engine.to_numpy(x)
    if isinstance(x, (Variable, AbstractTensor)):
        return np.asarray(x)
    if isinstance(x, (list, tuple, int, float, bool, np.generic)):
        return np.asarray(x)
    return get_engine().to_numpy(get_engine().convert(x))
