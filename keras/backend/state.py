"""Variables, the ledger that stands around a step, and seeds.

A `Variable` is an engine-neutral handle. Its storage is made on the active engine when it is first
used; switching engines moves it through NumPy. While a step runs, reads and writes go through the
innermost `Ledger` of the thread. Nothing here knows a particular engine.
"""
import threading
import zlib

import numpy as np

from keras import config
from keras.backend.engine import active, get_engine
from keras.backend.rules import AbstractTensor, Shape


class _Context(threading.local):
    """Per thread: the innermost ledger; whether tensors are abstract; whether a layer call runs, and its training flag;
    whether operators on all variables make graph; (result, variable, old value) of what `K.update` did in the call."""
    ledger = None
    abstract = False
    running = False
    symbolic = False
    # Whether gradients are being found by an engine that has no gradients of gradients.
    differentiating = False
    training = None
    assigned = None


context = _Context()

_uids = {}


class LearningPhase:
    """The training flag of calls that are given none, as `K.set_learning_phase` left it; None: not set."""
    value = None


learning_phase = LearningPhase()


def get_uid(prefix=''):
    """The next number for names that begin with `prefix`: 1, 2, ..."""
    _uids[prefix] = _uids.get(prefix, 0) + 1
    return _uids[prefix]


def reset_uids():
    """Start numbering names from 1 again."""
    _uids.clear()


class Ledger:
    """The values that variables have during one run of a step, and the writes made in it.

    Args:
        values: {variable: native tensor}, the values to start from.
        outer: the ledger to ask for anything else; None for the outermost.
        missing: called with a variable that neither this ledger nor an outer one knows; gives its value.
    """
    __slots__ = ('values', 'writes', 'outer', 'missing', '_previous')

    def __init__(self, values=None, outer=None, missing=None):
        self.values = dict(values or {})
        self.writes = {}
        self.outer = outer
        self.missing = missing

    def read(self, variable):
        value = self.values.get(variable)
        if value is not None:
            return value
        if self.outer is not None:
            return self.outer.read(variable)
        value = self.missing(variable) if self.missing else variable.load()
        self.values[variable] = value
        return value

    def write(self, variable, value):
        self.values[variable] = value
        self.writes[variable] = value

    def __enter__(self):
        self._previous = context.ledger
        context.ledger = self
        return self

    def __exit__(self, *_):
        context.ledger = self._previous


class Handle:
    """What `value_and_grad` takes for a variable, to differentiate by a value: it is what the ledger says."""
    trainable = _trainable = True
    constraint = regularizer = layout = None
    path = name = 'value'

    def __init__(self, shape, dtype):
        self.shape, self.dtype = shape, dtype

    @property
    def value(self):
        return context.ledger.read(self)


class AbstractLedger:
    """The ledger of shape inference: variables read as `AbstractTensor`s, writes are dropped."""
    __slots__ = ('_previous',)

    def read(self, variable):
        return AbstractTensor(variable.shape, variable.dtype)

    def write(self, variable, value):
        pass

    def __enter__(self):
        self._previous = (context.ledger, context.abstract)
        context.ledger, context.abstract = self, True
        return self

    def __exit__(self, *_):
        context.ledger, context.abstract = self._previous


class Concretely:
    """Leave tracing and shape inference for a block: what is computed in it has values now."""

    def __enter__(self):
        self._previous = (context.ledger, context.abstract, context.running)
        self._outside = active.engine.concretely() if active.engine is not None else None
        if self._outside is not None:
            self._outside.__enter__()
        context.ledger, context.abstract, context.running = None, False, True

    def __exit__(self, *error):
        context.ledger, context.abstract, context.running = self._previous
        if self._outside is not None:
            self._outside.__exit__(*error)


class Variable:
    """A tensor that keeps its value between calls: a weight, an optimizer slot, a metric's total, a seed.

    Args:
        initializer: an array or nested list (the value), or a function `f(shape, dtype)` that gives a
            NumPy array or a tensor. It is called when the value is first needed.
        shape: tuple of ints; needed with a function.
        dtype: name of the dtype; default `floatx`, or the dtype of integer arrays.
        trainable: whether `fit` changes it. name: for messages and files.
        constraint: function applied to the value after each training update, or None.
        layout: what the value is, for engines that prefer a memory layout: 'conv_kernel' or None.

    Example:
        >>> v = keras.Variable([1.0, 2.0], name='v')
        >>> v.assign_add([1.0, 1.0])
        >>> v.numpy()
        array([2., 3.], dtype=float32)
    """

    def __init__(self, initializer, shape=None, dtype=None, trainable=True, name=None, constraint=None, layout=None,
                 autocast=True, aggregation='none', synchronization='auto'):
        if callable(initializer):
            if shape is None:
                raise ValueError('Variable %r: a shape is needed beside an initializer function.' % (name,))
            dtype = dtype or config.floatx()
        else:
            initializer, shape, dtype = _initial_array(initializer, shape, dtype)
        self.shape = _checked_shape(shape, name)
        self.dtype = str(dtype)
        self.name = name or 'variable'
        self.path = self.name
        self.constraint = constraint
        self.regularizer = None
        self.layout = layout
        self.overwrite_with_gradient = False
        # Whether operators on it make graph (K.variable), and the symbolic tensor that stands for it in graphs.
        self.symbolic = self.sparse = False
        self.symbol = None
        self._trainable = bool(trainable)
        self._initializer = initializer
        self._storage = None
        self._engine = None

    # --- value -------------------------------------------------------------------------------------------

    @property
    def value(self):
        """The value as a native tensor: during a step this run's, else the current one."""
        ledger = context.ledger
        if ledger is not None:
            return ledger.read(self)
        return self.load()

    def load(self):
        """The stored value, past any ledger."""
        engine = active.engine
        if engine is None or self._engine is not engine:
            self._move(get_engine())
            engine = self._engine
        return engine.load(self._storage)

    @property
    def storage(self):
        """The active engine's own storage (a `tf.Variable`, a leaf tensor, an array)."""
        if self._engine is None or self._engine is not active.engine:
            self._move(get_engine())
        return self._storage

    def _move(self, engine):
        with Concretely():
            array = self._host_value()
            self._storage = engine.new_variable(array, self)
        self._engine, self._initializer = engine, None

    def _host_value(self):
        if self._engine is not None:
            return self._engine.to_numpy(self._engine.load(self._storage))
        value = self._initializer
        if callable(value):
            value = value(self.shape, self.dtype)
            value = value if isinstance(value, np.ndarray) else to_array(value)
        if tuple(value.shape) != self.shape:
            raise ValueError('The initializer of variable %r gave shape %s, expected %s.'
                             % (self.name, tuple(value.shape), self.shape))
        return value

    def numpy(self):
        """The value as a NumPy array of its own."""
        if self._engine is None and not callable(self._initializer):
            return np.array(self._initializer, dtype=numpy_dtype(self.dtype))
        if self._engine is None:
            self._move(get_engine())
        return np.array(self._engine.to_numpy(self._engine.load(self._storage)))

    def assign(self, value):
        """Set the value. During a step it takes effect for later reads, and is kept when the step ends.

        Raises:
            ValueError: if the shape differs.
        """
        ledger = context.ledger
        if ledger is not None:
            ledger.write(self, _fitting(value, self))
            return value
        if self._engine is None and isinstance(value, (np.ndarray, list, tuple, float, int)):
            # Loading weights into a fresh model neither draws the random ones nor loads an engine.
            self._initializer = _fitting_array(value, self)
            return value
        storage = self.storage
        self._storage = self._engine.store(storage, _fitting(value, self))
        return value

    def assign_add(self, value):
        """Add `value` (a tensor or array that broadcasts to the shape)."""
        return self.assign(add_values(self.value, value, 1))

    def assign_sub(self, value):
        """Subtract `value`."""
        return self.assign(add_values(self.value, value, -1))

    # --- description -----------------------------------------------------------------------------------------

    @property
    def trainable(self):
        return self._trainable

    @trainable.setter
    def trainable(self, value):
        self._trainable = bool(value)

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
        return '<Variable name=%s, shape=%s, dtype=%s>' % (self.path, self.shape, self.dtype)

    # NumPy leaves `array * variable` to the operators of the variable.
    __array_priority__ = 1000

    def __array__(self, dtype=None, copy=None):
        array = self.numpy()
        return array if dtype is None else array.astype(dtype)

    def __getattr__(self, name):
        # Whatever the engine's own tools look for (the handle of a tf.Variable, say) comes from the storage.
        engine = active.engine
        if engine is None or name not in engine.variable_attributes:
            raise AttributeError('Variable has no attribute %r' % name)
        return engine.variable_attribute(self, name)

    def __getstate__(self):
        state = dict(self.__dict__)
        state.update(_storage=None, _engine=None, _initializer=self.numpy(), symbol=None)
        return state

    def __deepcopy__(self, memo):
        copy = type(self).__new__(type(self))
        memo[id(self)] = copy
        copy.__dict__.update(self.__getstate__())
        return copy


def _initial_array(value, shape, dtype):
    array = np.asarray(value if isinstance(value, (np.ndarray, np.generic, list, tuple, int, float, bool))
                       else to_array(value))
    if dtype is None:
        dtype = array.dtype.name if array.dtype.kind in 'iub' else config.floatx()
        dtype = 'int32' if isinstance(value, (int, list, tuple)) and dtype == 'int64' else dtype
    array = np.array(array, dtype=numpy_dtype(dtype))
    if shape is not None and tuple(shape) != array.shape:
        array = np.broadcast_to(array, shape).copy()
    return array, array.shape, dtype


def _checked_shape(shape, name):
    shape = tuple(shape)
    if any(size is None or int(size) < 0 for size in shape):
        raise ValueError('Variable %r needs a shape of known sizes. Received: %s. The usual cause: a layer whose '
                         'input has an unknown size where the weights need it.' % (name, shape))
    return tuple(int(size) for size in shape)


def numpy_dtype(dtype):
    """The NumPy dtype that holds `dtype` on the host (float32 for bfloat16)."""
    return np.dtype('float32' if dtype == 'bfloat16' else dtype)


def _mismatch(variable, shape):
    return ValueError('Variable %s has shape %s, the value has shape %s.' % (variable.path, variable.shape, shape))


def _fitting_array(value, variable):
    array = np.array(value, dtype=numpy_dtype(variable.dtype))
    if array.shape != variable.shape:
        raise _mismatch(variable, array.shape)
    return array


def _fitting(value, variable):
    if isinstance(value, AbstractTensor):
        return value
    engine = get_engine()
    if type(value) not in active.native or engine.dtype_of(value) != variable.dtype:
        if isinstance(value, Variable):
            value = value.value
        value = engine.convert(value, variable.dtype)
    shape = engine.shape_of(value)
    if shape != variable.shape and not _compatible(shape, variable.shape):
        raise _mismatch(variable, shape)
    return value


def _compatible(shape, expected):
    return len(shape) == len(expected) and all(a is None or a == b for a, b in zip(shape, expected))


def add_values(x, y, sign):
    """`x + sign * y` through the op table (which is loaded above this module)."""
    from keras.backend import primitives
    return primitives.add(x, y) if sign > 0 else primitives.subtract(x, y)


def to_array(x):
    """A NumPy array of any tensor, variable, array or nested list."""
    if isinstance(x, np.ndarray):
        return x
    if isinstance(x, Variable):
        return x.numpy()
    if isinstance(x, (list, tuple, int, float, bool, np.generic)):
        return np.asarray(x)
    return get_engine().to_numpy(get_engine().convert(x))


# --- seeds ------------------------------------------------------------------------------------------------------

class _GlobalSeed:
    """The seed given to `set_random_seed`, and how many seeds have been taken from it."""
    seed = None
    taken = 0
    generator = None


def set_global_seed(seed):
    """Make all seeds drawn from now on, and the engine's own random state, follow from `seed` (an int)."""
    _GlobalSeed.seed, _GlobalSeed.taken, _GlobalSeed.generator = int(seed), 0, None
    if active.engine is not None:
        active.engine.seed(int(seed))


def draw_host_seed():
    """A fresh seed (an int below 2**31) for whatever was given none.

    It follows from the global seed where one was set, otherwise from NumPy's global generator, so that
    `np.random.seed(1337)`, as scripts of all ages start with, makes a run repeatable.
    """
    if _GlobalSeed.seed is None:
        return int(np.random.randint(1, 2 ** 31 - 1))
    _GlobalSeed.taken += 1
    return zlib.crc32(('%d/%d' % (_GlobalSeed.seed, _GlobalSeed.taken)).encode()) >> 1


class SeedGenerator:
    """A source of seeds for random operations: the same sequence for the same `seed`.

    Args:
        seed: an int, or None to draw one.

    Example:
        >>> generator = keras.random.SeedGenerator(1337)
        >>> keras.random.normal((2, 3), seed=generator).shape
        (2, 3)
    """

    def __init__(self, seed=None, name=None, **kwargs):
        if seed is not None and not isinstance(seed, (int, np.integer)):
            raise ValueError('SeedGenerator: `seed` must be an int or None. Received: %r' % (seed,))
        self._initial_seed = draw_host_seed() if seed is None else int(seed)
        self.name = name or 'seed_generator'
        self.config = {'seed': seed}
        # On engines that draw from a stream of their own, the stream lives here (see Engine.draw_seed).
        self.streams = {}
        self.state = Variable(self.initial_state(), dtype='uint32', trainable=False, name=self.name + '_state')

    def initial_state(self):
        return np.array([self._initial_seed & 0xffffffff, 0], dtype='uint32')

    def advance(self):
        """The current state as a tensor of two uint32, and count one further for the next call."""
        state = self.state.value
        self.state.assign(add_values(state, np.array([0, 1], dtype='uint32'), 1))
        return state

    def next(self, ordered=True):
        return get_engine().draw_seed(self) if not context.abstract else self.state.value

    @property
    def variables(self):
        return [self.state]

    def get_config(self):
        return dict(self.config)

    @classmethod
    def from_config(cls, config):
        return cls(**config)

    def __getstate__(self):
        return dict(self.__dict__, streams={})


def global_seed_generator():
    """The `SeedGenerator` of random operations that are given no seed."""
    if _GlobalSeed.generator is None:
        _GlobalSeed.generator = SeedGenerator(name='global_seed_generator')
    return _GlobalSeed.generator
