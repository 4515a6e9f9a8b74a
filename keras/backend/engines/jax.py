"""The JAX engine.

Rules this file obeys: tensors are `jax.Array`s and storages are too; a step is one `jax.jit` of a pure function of
the variables' values and the arguments, with the written ones donated; 64-bit dtypes become their 32-bit kin
unless `jax_enable_x64` is on, which floatx 'float64' switches on; nothing here waits for the device but `to_numpy`
and `wait`.
"""
import collections
import contextlib
import functools
import itertools
import sys
import threading
import warnings
from sys import getrefcount

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.core import Tracer

from keras import config
from keras.backend.contract import placement, rules, tree
from keras.backend.contract.context import context
from keras.backend.contract.engine import Capabilities, Engine
from keras.backend.contract.ledger import Ledger
from keras.backend.contract.loading import active
from keras.backend.contract.memory import keep_freed
from keras.backend.contract.rules import AbstractTensor, is_float, sum_dtype
from keras.backend.graph.tensors import KerasTensor
from keras.backend.table.numbers import has_value

_NARROW = {'int64': 'int32', 'uint64': 'uint32', 'float64': 'float32', 'complex128': 'complex64'}
_DTYPES = rules.DTYPES[:rules.DTYPES.index('string')]
_FLOATS = frozenset(jnp.dtype(name) for name in rules.FLOATS)
_FLUSHED = frozenset(jnp.dtype(name) for name in ('bfloat16', 'float32', 'float64'))


def _dtype(name):
    """The NumPy dtype that JAX uses for the dtype called `name`."""
    if name == 'string':
        raise NotImplementedError('The jax engine has no tensors of strings: turn them into integers first, '
                                  'or use the tensorflow engine.')
    if name in _NARROW and not jax.config.jax_enable_x64:
        if config.floatx() != 'float64':
            return jnp.dtype(_NARROW[name])
        warnings.warn('floatx is float64, so `jax_enable_x64` is switched on for the rest of this process: JAX has no '
                      "64-bit numbers without, and gives JAX's own functions 64-bit defaults with it.", stacklevel=2)
        jax.config.update('jax_enable_x64', True)
    return jnp.dtype(name)


_BFLOAT16 = np.dtype(jnp.bfloat16)
_INT32 = np.dtype('int32')


@functools.partial(jax.jit, static_argnames=('axis', 'largest'))
def _place_of(x, axis, largest):
    """The place of the first largest or smallest number, int32.

    On CPUs XLA takes floats that are not normal for 0 where it compares them, so that they are compared as integers.
    """
    if x.dtype in _FLUSHED and jax.default_backend() == 'cpu':
        bits = lax.bitcast_convert_type(x, 'int%d' % (8 * x.dtype.itemsize))
        most = jnp.iinfo(bits.dtype).max
        size = bits & most
        # What is not a number comes before all others.
        x = jnp.where(size > lax.bitcast_convert_type(jnp.array(np.inf, x.dtype), bits.dtype), most,
                      jnp.where((bits < 0) == largest, -size, size))
        largest = True
    return (jnp.argmax if largest else jnp.argmin)(x, axis).astype(_INT32)


def _on_device(array, dtype):
    """A tensor that shares no memory with `array`. jnp.array would compile a copy for every new shape, 13 ms each."""
    return jax.device_put(np.array(array, dtype))


def _device_named(name):
    """The device that `keras.distribution.list_devices` calls by `name`, 'cpu:0' say."""
    kind, _, number = str(name).partition(':')
    devices = jax.devices(kind)
    if not int(number or 0) < len(devices):
        raise ValueError('There is no device %r. JAX sees: %s' % (str(name), jax.devices()))
    return devices[int(number or 0)]


def _sharding(layout):
    """JAX's words for a layout, without an order in memory (`jax.experimental.layout`), which traced values lack."""
    layout = getattr(layout, 'backend_layout', layout)
    return getattr(layout, 'sharding', layout)


def _bcoo():
    from jax.experimental.sparse import BCOO
    return BCOO


# --- steps --------------------------------------------------------------------------------------------------------

class _Incomplete(Exception):
    """Tracing met variables that the step did not know of."""


def _reference_counts(storages):
    return list(map(getrefcount, storages))


# What `_reference_counts` says, on this Python, of an object that nothing but a list holds.
_UNSHARED = _reference_counts([object()])[0]


def _put(values, variables):
    """Set what the variables hold. It is one call, which neither an interrupt nor another thread can divide."""
    collections.deque(map(setattr, variables, itertools.repeat('held'), values), 0)


class _Exchange:
    """The step that has taken the values out of the variables that it writes, and what it has for them now.

    The buffers of those values are given up while the step runs, so nobody may meet them in a variable meanwhile. A
    `_Place` stands there; who reads it waits for the step. In a quiet time the values stay out from run to run. Where
    an interrupt (Ctrl-C) has ended a step before the variables had values again, the next one to come puts them back.
    """

    def __init__(self):
        self.lock = threading.RLock()
        # The latest (values, outputs) is one object in a list of at most one: neither an interrupt nor another thread
        # comes between a run and its being kept.
        self.step, self.kept = None, collections.deque((), 1)

    def begin(self, step):
        """Take the values out of the variables that `step` writes."""
        if self.step is not None:
            self.end()
        before = tuple([variable.held for variable in step.writes])
        self.kept = collections.deque([(before, None)], 1)
        self.step = step
        _put(step.places, step.writes)
        # `kept` holds the tuple, which alone holds the values.
        if before and max(map(getrefcount, before)) > _UNSHARED:
            self.kept.append((tuple([value if count <= _UNSHARED else jnp.array(value, copy=True)
                                     for value, count in zip(before, _reference_counts(before))]), None))

    def end(self):
        """Put values into the variables where a step left places: its results, or without these what was before."""
        step = self.step
        if step is not None:
            for variable, place, value in zip(step.writes, step.places, self.kept[0][0]):
                if variable.held is place:
                    variable.held = value
            self.step, self.kept = None, collections.deque((), 1)


_exchange = _Exchange()


class _Place:
    """What a variable holds while a step has its value."""
    __slots__ = ('variable',)

    def __init__(self, variable):
        self.variable = variable

    def value(self):
        """The value of the variable, once the step has given it."""
        with _exchange.lock:
            _exchange.end()
            return self.variable.held


def _have_other_bytes(args):
    """Whether there is an array in nested `args` whose bytes JAX would read in the wrong order."""
    for x in args:
        kind = type(x)
        if kind is np.ndarray:
            if not x.dtype.isnative:
                return True
        elif kind is list or kind is tuple:
            if _have_other_bytes(x):
                return True
        elif kind is dict and _have_other_bytes(x.values()):
            return True
    return False


class Step:
    """A function over variables as a jitted pure function. See `Engine.step`.

    Donation would delete arrays that somebody else still holds: the value that a user got from a variable or
    gave to it, or one that two variables share. The reference counts tell; such arrays are copied first.
    """

    def __init__(self, engine, fn, reads, writes):
        self.engine = engine
        self.fn = fn
        self._rebuild(reads, writes)

    def _rebuild(self, reads, writes):
        self.writes = list(dict.fromkeys(writes))
        self.places = [_Place(variable) for variable in self.writes]
        self.reads = [variable for variable in dict.fromkeys(reads) if variable not in set(self.writes)]
        self.activations = None
        layouts = [placement.layout_of(variable) for variable in self.writes]
        # Variables get their layouts back in the words in which they had them: XLA has others for the same.
        pinned = {'out_shardings': (tuple([layout and _sharding(layout) for layout in layouts]), None)}
        self.compiled = jax.jit(self._pure, donate_argnums=(0,), **pinned if any(layouts) else {})
        self._compiled_read = jax.jit(self._pure_read)

    def _pure(self, written, read, args):
        found = []

        def missing(variable):
            found.append(variable)
            return variable.load()

        with Ledger(dict(zip(self.writes + self.reads, written + read)), missing=missing) as ledger:
            outputs = self.fn(*args)
        unlisted = [variable for variable in ledger.writes if variable not in set(self.writes)]
        if found or unlisted:
            raise _Incomplete(found, unlisted)
        # Without weak types, which would have the next call traced anew. Donated buffers go to the first outputs.
        return tuple([placement.kept(lax.convert_element_type(ledger.values[variable], old.dtype), variable)
                      for variable, old in zip(self.writes, written)]), outputs

    def _pure_read(self, *values_and_args):
        count = len(self.reads)
        return self._pure((), values_and_args[:count], values_and_args[count:])[1]

    def __call__(self, *args):
        if _have_other_bytes(args):
            args = tree.map_structure(self.engine.argument, args)
        try:
            with _exchange.lock:
                return self._exchanging(args)
        except _Incomplete as incomplete:
            found, unlisted = incomplete.args
            self._rebuild(self.reads + found, self.writes + unlisted)
            return self(*args)

    @contextlib.contextmanager
    def quiet(self):
        """A context for a time in which the step alone changes its variables, see `Engine.step`."""
        if not self.writes:
            yield self._reading()
            return
        try:
            yield self._keeping
        finally:
            with _exchange.lock:
                if _exchange.step is self:
                    _exchange.end()

    def _reading(self):
        """A function that runs the step with the variables as they are now."""
        with _exchange.lock:
            read, compiled = tuple([variable.load() for variable in self.reads]), self.compiled

        def run(*args):
            try:
                return compiled((), read, args)[1]
            except _Incomplete:
                return self(*args)
        return run

    def read(self, *args):
        """A run on native tensors where the step writes no variables, and these are on this engine."""
        try:
            # All in one row, which JAX takes apart a little faster.
            return self._compiled_read(*[variable.held for variable in self.reads], *args)
        except (_Incomplete, TypeError):  # a place instead of a value, which another step has: wait for that
            return self(*args)

    def _keeping(self, *args):
        """A run after which the values stay out of the variables."""
        try:
            with _exchange.lock:
                return self._run(args)
        except _Incomplete:
            return self(*args)

    def _exchanging(self, args):
        if not self.writes:
            if _exchange.step is not None:
                _exchange.end()
            self._follow()
            return self.compiled((), tuple([variable.held for variable in self.reads]), args)[1]
        try:
            outputs = self._run(args)
            if _exchange.step is self:
                _put(_exchange.kept[0][0], self.writes)
                _exchange.step = None
                _exchange.kept.clear()
            return outputs
        finally:
            if _exchange.step is not None:
                _exchange.end()

    def _follow(self):
        """Have the variables on this engine."""
        if self.activations != active.activations:
            for variable in self.writes + self.reads:
                variable.storage
            self.activations = active.activations

    def _run(self, args):
        """The outputs; the values of the variables are in the exchange from then on."""
        if _exchange.step is not self or self.activations != active.activations:
            if _exchange.step is not None:
                _exchange.end()
            self._follow()
            _exchange.begin(self)
        kept = _exchange.kept
        kept.extend(map(self.compiled, (kept[0][0],), (tuple([variable.held for variable in self.reads]),), (args,)))
        values, outputs = kept[0]
        if _exchange.kept is not kept:
            # While the function was traced somebody read a variable, which got back the values that are used up now.
            _put(values, self.writes)
        return outputs


def _scanned(fn, variables, carry, stacked):
    """`fn` over the first axis of `stacked`, with the values of `variables` carried along."""
    outer, dtypes = context.ledger, []

    def body(state, args):
        values, carry = state
        with Ledger(dict(zip(variables, values)), outer=outer) as ledger:
            carry = fn(carry, *args)
        unlisted = [variable for variable in ledger.writes if variable not in set(variables)]
        if unlisted:
            raise _Incomplete([], unlisted)
        # Without weak types, which would make the second run another one than the first.
        return jax.tree.map(lax.convert_element_type, ([ledger.values[variable] for variable in variables], carry),
                            dtypes[0]), None

    first = [variable.value for variable in variables], jax.tree.map(jnp.asarray, carry)
    dtypes.append(jax.tree.map(lambda x: x.dtype, first))
    first = jax.tree.map(lax.convert_element_type, first, dtypes[0])
    (values, carry), _ = lax.scan(body, first, stacked)
    for variable, value in zip(variables, values):
        variable.assign(value)
    return carry


# --- gradients and control flow ----------------------------------------------------------------------------------

class _Differentiated(Ledger):
    """The ledger of `value_and_grad`: notes which of the variables to differentiate by are read."""
    __slots__ = ('wanted', 'seen')

    def __init__(self, wanted, outer):
        super().__init__(outer=outer)
        self.wanted = wanted
        self.seen = set()

    def read(self, variable):
        if variable in self.wanted and variable not in self.values:
            self.seen.add(variable)
            self.values[variable] = self.wanted[variable]
        return super().read(variable)


class _ReadOnly(Ledger):
    """The ledger of the functions that scan, cond and while_loop run."""
    __slots__ = ()

    def write(self, variable, value):
        raise RuntimeError('The variable %s is assigned inside a function given to scan, cond or while_loop. On the '
                           'jax engine such functions must be pure: carry the value and assign it afterwards.'
                           % variable.path)


def _flat(function, structure=None):
    """`function` under a read-only ledger with its results as a flat list; `structure` receives their layout."""
    def run(*args):
        with _ReadOnly(outer=context.ledger):
            results = function(*args)
        if structure is not None:
            structure[:] = [tree.map_structure(lambda leaf: None, results)]
        return tree.flatten(results)
    return run


# --- helpers of primitives ------------------------------------------------------------------------------------------

def _letters(spatial):
    return 'DHW'[3 - spatial:] if spatial <= 3 else 'abcdefgh'[:spatial]


def _dimension_numbers(spatial, kernel):
    """Channels last, with `kernel` 'IO' or 'OI' behind the kernel's spatial axes."""
    letters = _letters(spatial)
    return ('N%sC' % letters, letters + kernel, 'N%sC' % letters)


def _window_counts(length, window, stride, padding):
    """How many elements of an axis each pooling window covers."""
    count = rules.window_length(length, window, stride, padding)
    before = max((count - 1) * stride + window - length, 0) // 2 if padding == 'same' else 0
    starts = np.arange(count) * stride - before
    return np.minimum(starts + window, length) - np.maximum(starts, 0)


# Up to this many elements, the maximum of shifted slices is used for pooling: on the CPU its gradient takes between
# a tenth and a thirtieth of the time of reduce_window's (which XLA runs as a scalar loop), on 2x2 and 3x3 windows.
_SMALL_WINDOW = 9


def _largest_of_small_windows(x, size, strides, padding, lowest):
    """Max pooling as the elementwise maximum of one strided slice per element of the window."""
    counts = [rules.window_length(n, w, s, padding) for n, w, s in zip(x.shape[1:-1], size, strides)]
    missing = [max((count - 1) * s + w - n, 0) for n, w, s, count in zip(x.shape[1:-1], size, strides, counts)]
    if any(missing):
        x = lax.pad(x, lowest, [(0, 0, 0)] + [(m // 2, m - m // 2, 0) for m in missing] + [(0, 0, 0)])
    slices = []
    for offsets in itertools.product(*map(range, size)):
        ends = [offset + (count - 1) * s + 1 for offset, s, count in zip(offsets, strides, counts)]
        slices.append(lax.slice(x, (0,) + offsets + (0,), (x.shape[0], *ends, x.shape[-1]), (1,) + strides + (1,)))
    return functools.reduce(jnp.maximum, slices)


class LeftTrace(RuntimeError):
    """A value of a function that JAX traces was about to stay behind in a variable."""


def _key(seed):
    return jax.random.wrap_key_data(seed, impl='threefry2x32')


# --- overrides ------------------------------------------------------------------------------------------------------

def _relu(x, negative_slope=0.0, max_value=None, threshold=0.0):
    if negative_slope or threshold or max_value is not None:
        return NotImplemented
    return jax.nn.relu(x)


def _part_at(x, starts, sizes):
    if not all(size is None or type(size) is int for size in sizes):
        return NotImplemented
    dtype = next((start.dtype for start in starts if hasattr(start, 'dtype')), 'int32')
    starts = [jnp.asarray(0 if size is None else start, dtype) for start, size in zip(starts, sizes)]
    return jax.lax.dynamic_slice(x, starts, [own if size is None else size for own, size in zip(x.shape, sizes)])


def _split(x, indices_or_sections, axis=0):
    """One operation, whose gradient puts the parts together, where that of slices adds up padded ones."""
    if not isinstance(indices_or_sections, int) or x.shape[axis] % indices_or_sections:
        return NotImplemented
    return jnp.split(x, indices_or_sections, axis)


def _over_axes(function):
    """A function of the library with the arguments that reductions have here."""
    def reduced(x, axis=None, keepdims=False):
        return function(x, axis, keepdims=keepdims)
    return reduced


def _argmin(x, axis=-1):
    return _place_of(x, axis, False)


@jax.jit
def _abs(x):
    # The gradient at 0 is 0, as everywhere else; that of jnp.abs is 1.
    size = jnp.abs(x)
    return jnp.where(x == 0, jnp.zeros_like(size), size)


def _named(library, names):
    """Overrides by functions of `library` that have the names and the arguments of the composites."""
    return {name: getattr(library, name) for name in names.split()}


def _write_stablehlo(file, call, signature, variables, platforms=None):
    """Write `call` in StableHLO, as `jax.export.deserialize` reads it; sizes that are None stay open.

    platforms: what it is to run on, such as ('cpu', 'cuda'); default what JAX runs on here.
    """
    from jax import export
    scope, count = export.SymbolicScope(), itertools.count()

    def described(x):
        sizes = ['batch' if size is None and axis == 0 else 'size_%d' % next(count) if size is None else str(size)
                 for axis, size in enumerate(x.shape)]
        return jax.ShapeDtypeStruct(export.symbolic_shape(', '.join(sizes), scope=scope), _dtype(str(x.dtype)))
    exported = export.export(jax.jit(call), platforms=platforms)(*tree.map_structure(described, list(signature)))
    file.write(exported.serialize())


keep_freed(by_threads=True)  # XLA has no memory of its own on the host


class JaxEngine(Engine):
    name = 'jax'
    exporters = {'stablehlo': _write_stablehlo}
    further_arguments = {'tf_saved_model': ('is_static', 'jax2tf_kwargs')}
    # Only shapes are computed, so the numbers may be large, which windows and halvings need.
    stand_ins = (240, 480)
    # One call each instead of two to sixty when run eagerly; `sigmoid` also makes LSTM steps 7 % shorter. XLA takes
    # (1 + x) - 1 for x, so that only its own log1p is exact for small x.
    overrides = dict(_named(jnp, 'log1p expm1 square isnan isinf ceil trunc exp2 log2 log10 cbrt tan sinh cosh arccos '
                                 'arcsinh arccosh arctanh not_equal greater greater_equal less_equal logaddexp '
                                 'logical_xor clip stack expand_dims swapaxes moveaxis roll tril triu diag diagonal '
                                 'outer'),
                     rsqrt=lax.rsqrt, relu=_relu, logsumexp=_over_axes(jax.scipy.special.logsumexp),
                     mean=_over_axes(jnp.mean), var=_over_axes(jnp.var), std=_over_axes(jnp.std),
                     any=_over_axes(jnp.any), all=_over_axes(jnp.all), argmin=_argmin, part_at=_part_at, split=_split,
                     **_named(jax.nn, 'sigmoid silu softmax log_softmax softplus log_sigmoid elu celu selu glu '
                                      'hard_sigmoid hard_silu hard_tanh leaky_relu squareplus'))
    float_dtypes = _FLOATS
    variable_attributes = ('__jax_array__',)

    @property
    def capabilities(self):
        wide = jax.config.jax_enable_x64
        return Capabilities(dtypes=[name for name in _DTYPES if wide or name not in _NARROW], unsupported={
            'string': 'JAX has no tensors of strings; turn them into integers first'})

    @property
    def layer_base(self):
        # Where variables are those of NNX, layers are its modules.
        module = sys.modules.get('keras.backend.engines.nnx')
        return None if module is None else module.LayerNode

    @property
    def projects_each_step(self):
        # XLA's CPU code for the gradient of a scan over wide inputs is slow: three times for an LSTM of 128 units.
        return jax.default_backend() == 'cpu'

    @property
    def sends_ahead(self):
        return jax.default_backend() != 'cpu'

    # --- tensors ---------------------------------------------------------------------------------------------

    def is_native(self, x):
        return isinstance(x, jax.Array)

    def convert(self, x, dtype=None):
        if type(x) in self.sparse_types():
            # What is added up cannot be booleans.
            x = x.todense() if x.dtype != bool else x.astype(_INT32).todense().astype(bool)
        return super().convert(x, dtype)

    has_sparse = True

    def sparse_types(self):
        module = sys.modules.get('jax.experimental.sparse')  # without it there are none
        return () if module is None else (module.BCOO, module.BCSR)

    def sparse_parts(self, x):
        return self.slices_parts(x.update_layout(n_dense=0, on_inefficient=None) if getattr(x, 'n_dense', 0) else x)

    def slices_parts(self, x):
        x = self._places_once(x)
        return x.indices, x.data, x.shape

    @staticmethod
    def _places_once(x):
        """A BCOO without batches in which no place stands twice, but those outside that fill it up."""
        x = x.to_bcoo() if hasattr(x, 'to_bcoo') else x
        if x.n_batch:  # what all batches share stands once in it
            batch = x.shape[:x.n_batch]
            data, indices = [jnp.broadcast_to(part, batch + part.shape[x.n_batch:]) for part in (x.data, x.indices)]
            x = type(x)((data, indices), shape=x.shape).update_layout(n_batch=0, on_inefficient=None)
        return x if x.unique_indices else x.sum_duplicates(nse=x.nse, remove_zeros=False)

    def sparse_with(self, x, values):
        x = self._places_once(x)
        return type(x)((values, x.indices), shape=x.shape, indices_sorted=x.indices_sorted, unique_indices=True)

    def sparse_of(self, indices, values, shape):
        return _bcoo()((values, indices), shape=tuple(shape))

    def sparse_from(self, x, sliced=False):
        most = x.shape[0] if sliced else x.size
        made = _bcoo().fromdense(x, nse=most if isinstance(x, Tracer) else None, n_dense=x.ndim - 1 if sliced else 0)
        return made if made.dtype == x.dtype else made.astype(x.dtype)  # booleans become integers there

    def sparse_product(self, x, y):
        x, y = [part.to_bcoo() if hasattr(part, 'to_bcoo') else part for part in (x, y)]
        return x @ y

    def adapted(self, x, dtype):
        return x if dtype is None or x.dtype.name == dtype else x.astype(_dtype(dtype))

    def stacked(self, parts):
        return jnp.array(parts)

    def arriving_dtype(self, dtype):
        wide = jax.config.jax_enable_x64 or config.floatx() == 'float64'
        return dtype if wide else _NARROW.get(dtype, dtype)

    def check_wide(self, x):
        if self.arriving_dtype('int64') != 'int64':
            raise OverflowError('%.100r does not fit into int32, the widest integers of JAX as it is set. Give floats, '
                                "or call jax.config.update('jax_enable_x64', True) first." % (x,))

    def from_host(self, array, dtype):
        return _on_device(array, _dtype(dtype))

    def scalar(self, value, dtype):
        return _dtype(dtype).type(value)

    def to_numpy(self, x):
        array = np.asarray(x)
        return array.astype('float32') if array.dtype == _BFLOAT16 else array

    def on_host(self, fn, inputs, dtype, shape):
        if not any(isinstance(x, jax.core.Tracer) for x in inputs):
            return super().on_host(fn, inputs, dtype, shape)
        kind = jax.ShapeDtypeStruct(shape, _dtype(dtype))
        # Integers and strings have no gradients to be asked for.
        inputs = [jax.lax.stop_gradient(x) for x in inputs]
        return jax.pure_callback(lambda *arrays: np.asarray(fn(*map(np.asarray, arrays)), kind.dtype), kind, *inputs)

    def dtype_of(self, x):
        return rules.name_of(x.dtype)

    def shape_of(self, x):
        # Sizes are unknown only where a function is exported, as symbols.
        return tuple(size if type(size) is int else None for size in x.shape) if isinstance(x, Tracer) else x.shape

    def dynamic_shape(self, x):
        return x.shape

    # --- state -----------------------------------------------------------------------------------------------

    def new_variable(self, value, variable):
        return _on_device(value, _dtype(variable.dtype))

    def load(self, storage):
        return storage.value() if type(storage) is _Place else storage

    def store(self, storage, value):
        if type(storage) is _Place:
            storage.value()  # a step that keeps the value for itself is to see the new one
        if isinstance(value, Tracer):
            raise LeftTrace(
                'A variable was assigned while JAX traced a function (jax.jit, jax.grad, ...), so its value would leak '
                'out of the trace. Run such functions of keras models by engine.step and engine.value_and_grad, or '
                'call the model with training=False. Functions of NNX get the model as an argument.')
        return lax.convert_element_type(value, value.dtype) if value.weak_type else value

    def draw_seed(self, generator):
        try:
            return super().draw_seed(generator)
        except LeftTrace:
            raise ValueError('When tracing a JAX function, you should only use seeded random ops: pass an int or a key '
                             '(jax.random.PRNGKey) as `seed`, because a SeedGenerator, the global one included, cannot '
                             'keep what JAX has not computed yet.') from None

    def variable_attribute(self, variable, name):
        # jnp functions call this protocol; within a step it must give that run's tensor, not the storage.
        return lambda: variable.value

    def on_device(self, kind, number):
        devices = jax.devices(kind)
        if number >= len(devices):
            raise ValueError('device: there is no device %s:%d. JAX sees: %s' % (kind, number, jax.devices()))
        return jax.default_device(devices[number])

    def workers(self):
        return [(device.platform, number) for number, device in enumerate(jax.devices())]

    def spread(self, fn, values, devices):
        if values[0].shape[0] % len(devices):
            return fn(values)  # XLA divides evenly
        everything = jax.devices()
        mesh = jax.sharding.Mesh(np.array([everything[number] for _, number in devices]), ('rows',))
        rows = jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec('rows'))
        found = fn([lax.with_sharding_constraint(value, rows) for value in values])
        return [lax.with_sharding_constraint(value, rows) for value in found]

    def devices(self):
        beside = [] if jax.default_backend() == 'cpu' else jax.devices('cpu')
        return ['%s:%d' % (device.platform, device.id) for device in jax.devices() + beside]

    def mesh_of(self, device_mesh):
        return jax.sharding.Mesh(np.vectorize(_device_named, otypes=[object])(device_mesh.devices),
                                 tuple(device_mesh.axis_names))

    def native_layout(self, layout):
        return jax.sharding.NamedSharding(layout.device_mesh.backend_mesh, jax.sharding.PartitionSpec(*layout.axes))

    def laid_out(self, x, layout):
        if isinstance(x, Tracer):
            return lax.with_sharding_constraint(x, _sharding(layout))
        return jax.device_put(x, getattr(layout, 'backend_layout', layout))

    survives_fork = False

    def concretely(self):
        return jax.ensure_compile_time_eval()

    def profile(self, folder):
        return jax.profiler.trace(folder)

    # --- running -----------------------------------------------------------------------------------------------

    def new_step(self, fn, reads, writes, static_batch):
        return Step(self, fn, reads, writes)

    repeats_steps = joins_operations = True

    def has_values(self, x):
        return not isinstance(x, Tracer)

    def joined(self, fn, tensors):
        return jax.jit(fn) if len(jax.make_jaxpr(fn)(*tensors).eqns) > 1 else None

    def repeated_step(self, fn, reads, writes, joined=False):
        carried = list(dict.fromkeys(writes))

        def run(carry, stacked):
            while True:
                try:
                    return _scanned(fn, carried, carry, stacked)
                except _Incomplete as incomplete:
                    carried.extend(incomplete.args[1])
        return self.step(run, reads, writes)

    def value_and_grad(self, fn, variables):
        outer = context.ledger
        wanted = [variable for variable in dict.fromkeys(variables) if is_float(variable.dtype)]
        seen, targets = set(), []

        def pure(values):
            with _Differentiated(dict(zip(wanted, values)), outer) as ledger:
                value, aux = fn()
            seen.update(ledger.seen)
            targets.extend(ledger.writes)
            return value, (aux, list(ledger.writes.values()))

        differentiate = jax.value_and_grad(pure, has_aux=True)
        (value, (aux, written)), gradients = differentiate([variable.value for variable in wanted])
        for variable, new in zip(targets, written):
            variable.assign(new)
        found = {variable: gradient for variable, gradient in zip(wanted, gradients) if variable in seen}
        return (value, aux), [found.get(variable) for variable in variables]

    def custom_gradient(self, fn, values):
        # What the function closes over may be tracers, so its gradient is a part of what is traced with it.
        @jax.custom_gradient
        def run(*values):
            result, gradient = fn(*values)

            def backward(*factors):
                found = gradient(*factors)
                return tuple(found) if isinstance(found, (list, tuple)) else (found,)
            return result, backward
        return run(*values)

    def rematerialized(self, fn, values):
        return jax.checkpoint(fn)(*values)

    def function_of_jax(self, fn, platforms=None):
        return fn

    def results_for(self, fn, args, size):
        def stand_in(leaf):
            if not isinstance(leaf, AbstractTensor):
                return leaf
            return jax.ShapeDtypeStruct([size if n is None else n for n in leaf.shape], _dtype(leaf.dtype))

        def run(*args):
            with Ledger(missing=lambda v: jnp.zeros(v.shape, _dtype(v.kept_dtype))):
                return fn(*args)
        return jax.eval_shape(run, *tree.map_structure(stand_in, list(args)))

    def print_tensor(self, x, message):
        jax.debug.print('{message} {x}', message=message, x=x, ordered=True)
        return x

    def wait(self, x):
        return jax.block_until_ready(x)

    # --- creation ----------------------------------------------------------------------------------------------

    def full(self, shape, value, dtype=None):
        return jnp.full(shape, value, _dtype(dtype or rules.result_dtype(type(value))))

    def full_like(self, x, value, dtype=None):
        return jnp.full(x.shape, value, _dtype(dtype) if dtype else x.dtype)

    def arange(self, start, stop=None, step=1, dtype=None):
        if dtype is None:
            dtype = rules.result_dtype(*[type(value) for value in (start, stop, step) if value is not None])
        start, stop = (0, start) if stop is None else (start, stop)
        return jnp.arange(start, stop, step, _dtype(dtype))

    def random_uniform(self, seed, shape, dtype):
        return jax.random.uniform(_key(seed), shape, _dtype(dtype))

    def random_normal(self, seed, shape, dtype):
        return jax.random.normal(_key(seed), shape, _dtype(dtype))

    def random_integers(self, seed, shape, minval, maxval, dtype):
        return jax.random.randint(_key(seed), shape, minval, maxval, _dtype(dtype))

    def random_permutation(self, seed, count):
        return jax.random.permutation(_key(seed), jnp.arange(count, dtype='int32'))

    # --- elementwise -------------------------------------------------------------------------------------------

    negative, sign, floor, round = map(staticmethod, (jnp.negative, jnp.sign, jnp.floor, jnp.round))

    abs = staticmethod(_abs)

    exp, log, sqrt, sin, cos = map(staticmethod, (jnp.exp, jnp.log, jnp.sqrt, jnp.sin, jnp.cos))
    tanh, arcsin, arctan = map(staticmethod, (jnp.tanh, jnp.arcsin, jnp.arctan))
    erf, erfinv = map(staticmethod, (jax.scipy.special.erf, jax.scipy.special.erfinv))
    lgamma, digamma = map(staticmethod, (jax.scipy.special.gammaln, jax.scipy.special.digamma))
    logical_not, isfinite, stop_gradient = map(staticmethod, (jnp.logical_not, jnp.isfinite, lax.stop_gradient))
    add, subtract, multiply, divide = map(staticmethod, (jnp.add, jnp.subtract, jnp.multiply, jnp.divide))
    floor_divide, mod, power = map(staticmethod, (jnp.floor_divide, jnp.mod, jnp.power))
    maximum, minimum, arctan2 = map(staticmethod, (jnp.maximum, jnp.minimum, jnp.arctan2))
    equal, less, where = map(staticmethod, (jnp.equal, jnp.less, jnp.where))
    logical_and, logical_or = map(staticmethod, (jnp.logical_and, jnp.logical_or))
    bitwise_and, bitwise_or, bitwise_xor = map(staticmethod, (jnp.bitwise_and, jnp.bitwise_or, jnp.bitwise_xor))
    left_shift, right_shift = map(staticmethod, (jnp.left_shift, jnp.right_shift))

    real = staticmethod(jnp.real)

    def imag(self, x):
        return jnp.imag(x)

    def complex_number(self, real, imaginary):
        wide = real.dtype if real.dtype in (jnp.float32, jnp.float64) else jnp.float32
        return lax.complex(*jnp.broadcast_arrays(real.astype(wide), imaginary.astype(wide)))

    def view(self, x, dtype):
        return x.view(_dtype(dtype))

    def eig(self, x):
        return list(jnp.linalg.eig(x if x.dtype in (jnp.float32, jnp.float64) else x.astype(jnp.float32)))

    def cast(self, x, dtype):
        return x.astype(_dtype(dtype))

    # --- reductions --------------------------------------------------------------------------------------------

    @staticmethod
    def _sum_dtype(x):
        return None if x.dtype in _FLOATS else sum_dtype(x.dtype.name)

    def sum(self, x, axis=None, keepdims=False):
        return jnp.sum(x, axis, self._sum_dtype(x), keepdims=keepdims)

    def prod(self, x, axis=None, keepdims=False):
        return jnp.prod(x, axis, self._sum_dtype(x), keepdims=keepdims)

    def max(self, x, axis=None, keepdims=False):
        return jnp.max(x, axis, keepdims=keepdims)

    def min(self, x, axis=None, keepdims=False):
        return jnp.min(x, axis, keepdims=keepdims)

    def argmax(self, x, axis=-1):
        return _place_of(x, axis, True)

    def cumsum(self, x, axis=0):
        return jnp.cumsum(x, axis, self._sum_dtype(x))

    def cumprod(self, x, axis=0):
        return jnp.cumprod(x, axis, self._sum_dtype(x))

    # --- movement ----------------------------------------------------------------------------------------------

    reshape, transpose, broadcast_to = map(staticmethod, (jnp.reshape, jnp.transpose, jnp.broadcast_to))
    concatenate, flip = map(staticmethod, (jnp.concatenate, jnp.flip))

    def strided_slice(self, x, starts, stops, steps):
        if any(isinstance(bound, jax.Array) for bound in starts + stops) or min(steps, default=1) < 1 \
                or any(type(size) is not int for size in x.shape):
            return x[tuple(map(slice, starts, stops, steps))]
        bounds = [slice(*part).indices(size) for part, size in zip(zip(starts, stops, steps), x.shape)]
        bounds += [(0, size, 1) for size in x.shape[len(starts):]]
        starts, stops, steps = zip(*bounds) if bounds else ((), (), ())
        return lax.slice(x, starts, tuple(map(max, starts, stops)), steps)

    def pad(self, x, widths, value=0):
        return lax.pad(x, np.asarray(value, x.dtype), [(before, after, 0) for before, after in widths])

    def gather(self, x, indices, axis=0):
        # Indices out of range give NaN rather than some other row; negative ones would count from the end.
        indices = jnp.where(indices < 0, x.shape[axis], indices) if indices.dtype.kind == 'i' else indices
        return jnp.take(x, indices, axis)

    def gather_nd(self, x, indices):
        return x[tuple(indices[..., position] for position in range(indices.shape[-1]))]

    def scatter_add(self, x, indices, updates):
        return x.at[indices].add(updates)

    def scatter_update(self, x, indices, updates):
        return x.at[indices].set(updates)

    def scatter_max(self, x, indices, updates):
        return x.at[indices].max(updates)

    # --- contraction, windows, order ---------------------------------------------------------------------------

    matmul = staticmethod(jnp.matmul)

    def conv(self, x, kernel, strides, padding, dilation, groups=1):
        rules.check_windows(self.shape_of(x)[1:-1], kernel.shape, strides, padding, dilation)
        return lax.conv_general_dilated(x, kernel, strides, padding.upper(), rhs_dilation=dilation,
                                        dimension_numbers=_dimension_numbers(x.ndim - 2, 'IO'),
                                        feature_group_count=groups)

    def conv_transpose(self, x, kernel, strides, padding, dilation, output_size):
        widths = []
        for n, w, s, d, out in zip(x.shape[1:-1], kernel.shape, strides, dilation, output_size):
            extent = (w - 1) * d
            before = max((n - 1) * s + extent + 1 - out, 0) // 2 if padding == 'same' else 0
            widths.append((extent - before, out - (n - 1) * s - 1 + before))
        return lax.conv_general_dilated(x, jnp.flip(kernel, tuple(range(x.ndim - 2))), (1,) * len(strides), widths,
                                        lhs_dilation=strides, rhs_dilation=dilation,
                                        dimension_numbers=_dimension_numbers(x.ndim - 2, 'OI'))

    def pool(self, x, size, strides, padding, mode):
        rules.check_windows(self.shape_of(x)[1:-1], size, strides, padding)
        window, steps = (1,) + size + (1,), (1,) + strides + (1,)
        is_known = all(isinstance(length, int) for length in x.shape[1:-1])  # else this is an export for any size
        if mode == 'max':
            lowest = np.asarray(-np.inf if x.dtype in _FLOATS else np.iinfo(x.dtype).min, x.dtype)
            if is_known and rules.product(size) <= _SMALL_WINDOW:
                return _largest_of_small_windows(x, size, strides, padding, lowest)
            return lax.reduce_window(x, lowest, lax.max, window, steps, padding.upper())
        def summed(values):
            return lax.reduce_window(values, np.asarray(0, x.dtype), lax.add, window, steps, padding.upper())
        total = summed(x)
        if not is_known:
            return total / summed(jnp.ones_like(x))
        counts = np.ones((), 'float32')
        for axis in zip(x.shape[1:-1], size, strides):
            counts = counts[..., None] * _window_counts(*axis, padding=padding)
        return total / np.asarray(counts[..., None], x.dtype)

    def top_k(self, x, k):
        return list(lax.top_k(x, k))

    def sort(self, x, axis=-1):
        return jnp.sort(x, axis)

    def argsort(self, x, axis=-1):
        return jnp.argsort(x, axis, stable=True).astype('int32')

    def searchsorted(self, x, values, side='left'):
        return jnp.searchsorted(x, values, side).astype('int32')

    # --- linear algebra ----------------------------------------------------------------------------------------

    solve = staticmethod(jnp.linalg.solve)

    def cholesky(self, x):
        factor = jnp.linalg.cholesky(x)
        if not isinstance(x, Tracer) and bool(jnp.isnan(factor).any()):
            raise ValueError('Cholesky decomposition failed: the matrices must be symmetric and positive definite')
        return factor

    def triangular_solve(self, a, b, lower=True):
        batch = jnp.broadcast_shapes(a.shape[:-2], b.shape[:-2])
        a, b = jnp.broadcast_to(a, batch + a.shape[-2:]), jnp.broadcast_to(b, batch + b.shape[-2:])
        return lax.linalg.triangular_solve(a, b, left_side=True, lower=lower)

    def qr(self, x):
        return list(jnp.linalg.qr(x))

    def svd(self, x):
        return list(jnp.linalg.svd(x, full_matrices=False))

    def eigh(self, x):
        return list(jnp.linalg.eigh(x))

    def fft(self, real, imaginary):
        wide = jnp.promote_types(real.dtype, 'float32')
        result = jnp.fft.fft(lax.complex(real.astype(wide), imaginary.astype(wide)))
        return [result.real.astype(real.dtype), result.imag.astype(real.dtype)]

    # --- control -----------------------------------------------------------------------------------------------

    def scan(self, step, init, xs, length=None, reverse=False):
        structure = []

        def body(carry, x):
            with _ReadOnly(outer=context.ledger):
                carry, outputs = step(tree.pack_as(init, carry), tree.pack_as(xs, x))
            structure[:] = [tree.map_structure(lambda leaf: None, outputs)]
            return tree.flatten(carry), tree.flatten(outputs)

        carry, outputs = lax.scan(body, tree.flatten(init), tree.flatten(xs), length, reverse)
        return tree.pack_as(init, carry), tree.pack_as(structure[0], outputs)

    def cond(self, predicate, then, otherwise, operands):
        if not isinstance(predicate, Tracer):
            return then(*operands) if predicate else otherwise(*operands)
        structure = []
        leaves = lax.cond(predicate, _flat(then, structure), _flat(otherwise, structure), *operands)
        return tree.pack_as(structure[0], leaves)

    def while_loop(self, condition, body, init, maximum_iterations=None):
        condition, body = _flat(condition), _flat(body)

        def goes_on(values):
            return condition(*tree.pack_as(init, values))[0]

        def run(values):
            return body(*tree.pack_as(init, values))

        values = tree.flatten(init)
        if maximum_iterations is None:
            values = lax.while_loop(goes_on, run, values)
        elif isinstance(maximum_iterations, Tracer):
            _, values = lax.while_loop(
                lambda state: jnp.logical_and(state[0] < maximum_iterations, goes_on(state[1])),
                lambda state: (state[0] + 1, run(state[1])), (jnp.zeros((), maximum_iterations.dtype), values))
        else:
            # A scan, unlike a while loop, has a gradient; what is over idles.
            values, _ = lax.scan(lambda values, _: (lax.cond(goes_on(values), run, list, values), None),
                                 values, None, maximum_iterations)
        return list(tree.pack_as(init, values))


ENGINE = JaxEngine()


# `jnp` functions call this protocol. A symbolic tensor without a value has no such attribute, so that operators between
# it and a `jax.Array` are its own.
def _jax_array(tensor):
    if not has_value(tensor):
        raise AttributeError('__jax_array__')
    return lambda: tensor.value


KerasTensor.__jax_array__ = property(_jax_array)
