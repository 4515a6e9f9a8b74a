"""The Theano engine: Theano 1.0.5, or PyTensor where that is installed instead.

Rules these files obey: tensors are Theano's own variables, storages its shared variables; outside of steps operations
build graph over constants, which runs when a value is asked for; after every primitive the static shape is that of
the op table's rule, kept in `variable.tag` (see tensors.py), and sizes that the rule knows to be 1 broadcast.

compat.py: the two packages under one set of names. tensors.py: static shapes and values. operators.py: Python's.
host_calls.py: operations that NumPy computes. steps.py: compiled steps, gradients. control.py: loops and branches.
overrides.py: composites. windows.py: convolution and pooling.
"""
import functools
import weakref

import numpy as np

from keras import config
from keras.backend.table import primitives  # noqa: F401 (fills the op table)
from keras.backend.contract import rules, tree
from keras.backend.contract.engine import Capabilities, Engine
from keras.backend.contract.ledger import Ledger
from keras.backend.contract.rules import AbstractTensor, normalize_axes, numpy_dtype, sum_dtype
from keras.backend.engines.theano import compat, control, operators, overrides, steps, windows
from keras.backend.engines.theano.compat import T, Tensor, TensorType
from keras.backend.engines.theano.tensors import abstract, constant, static_shape, value_of, with_shape
from keras.backend.engines.theano.host_calls import on_host
from keras.backend.state.variables import Variable
from keras.backend.table.entries import TABLE

_DTYPES = ('bool', 'int8', 'int16', 'int32', 'int64', 'uint8', 'uint16', 'uint32', 'uint64', 'float16', 'float32',
           'float64')
_FLOATS = frozenset(('float16', 'float32', 'float64'))


# --- helpers ------------------------------------------------------------------------------------------------------

def _sizes(x):
    """The sizes of `x`: ints where known, else int64 scalars of the graph."""
    return [x.shape[axis] if size is None else size for axis, size in enumerate(static_shape(x))]


def _shape_vector(sizes):
    """Sizes, ints and scalars, as Theano's functions take them."""
    return tuple([size if isinstance(size, (int, np.integer)) else T.cast(size, 'int64') for size in sizes])


def _vector(sizes):
    """Sizes as one vector of int64."""
    if all(isinstance(size, (int, np.integer)) for size in sizes):
        return constant(np.array(sizes, 'int64'))
    return T.stack([T.cast(T.as_tensor_variable(size), 'int64') for size in sizes])


def _scalar_for(x, value):
    """`value`, a Python scalar or a tensor, as a tensor beside `x`."""
    return ENGINE.scalar(value, x.dtype) if type(value) in (int, float) else value


def _binary(function):
    return staticmethod(lambda x, y: function(x, _scalar_for(x, y)))


def _unary(function):
    return staticmethod(lambda x: function(x))


def _on_booleans(function, otherwise):
    """`otherwise`, but `function` of booleans."""
    return lambda x, *args: (function if x.dtype == 'bool' else otherwise)(x, *args)


def _transposed(x, axes):
    return x.dimshuffle(*axes) if tuple(axes) != tuple(range(x.ndim)) else x


def _indices(x):
    """Indices in a dtype that Theano's functions take."""
    return T.cast(x, 'int64') if x.dtype.startswith('uint') else x


class TheanoEngine(Engine):
    name = 'theano'
    capabilities = Capabilities(
        gradients=True, compiled=True, deferred=True, dynamic_sizes=True, dtypes=_DTYPES,
        unsupported={'eager_step': 'operations make a graph, which has values when it runs; use K.print_tensor',
                     'string': 'Theano has no tensors of strings; turn them into integers first',
                     'view': 'Theano reads no bytes as another dtype; use the numpy, tensorflow, jax or torch engine',
                     'real': 'it has no complex numbers; use the numpy, tensorflow, jax or torch engine',
                     'imag': 'it has no complex numbers; use the numpy, tensorflow, jax or torch engine',
                     'complex_number': 'it has no complex numbers; use the numpy, tensorflow, jax or torch engine',
                     'eig': 'it has no complex numbers; use the numpy, tensorflow, jax or torch engine',
                     'tensors of bfloat16': 'Theano has no bfloat16; use float16 or float32'})
    native_types = compat.TENSOR_TYPES
    float_dtypes = set(_FLOATS)
    overrides = dict(overrides.OVERRIDES, **windows.OVERRIDES)
    data_format = windows.DATA_FORMAT

    def __init__(self):
        # A variable that comes back from another engine gets its old storage, which compiled steps hold on to.
        self._storages = weakref.WeakKeyDictionary()
        self._scalars = {}

    # --- tensors ---------------------------------------------------------------------------------------------

    def is_native(self, x):
        return isinstance(x, Tensor) or isinstance(getattr(x, 'type', None), TensorType)

    def from_host(self, array, dtype):
        return constant(np.array(array, self._dtype(dtype)))

    def _dtype(self, name):
        if name in _DTYPES:
            return name
        return self.unsupported('string' if name == 'string' else 'tensors of %s' % name)()

    def scalar(self, value, dtype):
        key = (repr(value), dtype)
        if key not in self._scalars:
            if len(self._scalars) > 1000:
                self._scalars.clear()
            self._scalars[key] = constant(np.array(value, self._dtype(dtype)))
        return self._scalars[key]

    def to_numpy(self, x):
        return value_of(x)

    def on_host(self, fn, inputs, dtype, shape):
        return with_shape(on_host('called', inputs, [(self._dtype(dtype), len(shape))], (fn,)), shape)

    def print_tensor(self, x, message):
        return with_shape(on_host('printed', [x], [(x.dtype, x.ndim)], (message,)), static_shape(x))

    def dtype_of(self, x):
        return x.dtype

    def shape_of(self, x):
        return static_shape(x)

    def dynamic_shape(self, x):
        return tuple([with_shape(T.cast(size, 'int32'), ()) if isinstance(size, Tensor) else size
                      for size in _sizes(x)])

    # --- state -----------------------------------------------------------------------------------------------

    def new_variable(self, value, variable):
        value = np.array(value, self._dtype(variable.dtype))
        storage = self._storages.get(variable)
        if storage is None:
            storage = self._storages[variable] = with_shape(compat.shared(value, variable.name), value.shape)
        else:
            storage.set_value(value, borrow=True)
        return storage

    def load(self, storage):
        # A copy: steps update what the storage holds in place.
        return constant(storage.get_value())

    def store(self, storage, value):
        storage.set_value(np.array(value_of(value)), borrow=True)
        return storage

    # --- running ---------------------------------------------------------------------------------------------

    def new_step(self, fn, reads, writes, static_batch):
        return steps.Step(self, fn, static_batch)

    def recorder(self):
        return steps.Recorder()

    def value_and_grad(self, fn, variables):
        return steps.value_and_grad(fn, variables)

    def eval_shape(self, fn, args):
        def stand_in(leaf):
            if not isinstance(leaf, AbstractTensor):
                return leaf
            return with_shape(compat.tensor_type(leaf.dtype, leaf.shape)(), leaf.shape)
        abstractly, control.context.abstract = control.context.abstract, False
        try:
            with Ledger(missing=lambda variable: variable.storage):
                outputs = fn(*tree.map_structure(stand_in, list(args)))
        finally:
            control.context.abstract = abstractly
        return tree.map_structure(lambda x: abstract(x) if isinstance(x, Tensor) else x, outputs)

    # --- creation ----------------------------------------------------------------------------------------------

    def full(self, shape, value, dtype=None):
        value = self.scalar(value, dtype or rules.result_dtype(type(value)))
        return T.alloc(value, *_shape_vector(shape)) if shape else value

    def full_like(self, x, value, dtype=None):
        return self.full(tuple(_sizes(x)), value, dtype or x.dtype)

    def arange(self, start, stop=None, step=1, dtype=None):
        start, stop = (0, start) if stop is None else (start, stop)
        if all(isinstance(part, (int, float)) for part in (start, stop, step)):
            return self.convert(np.arange(start, stop, step).tolist(), dtype)
        return self.convert(T.arange(start, stop, step), dtype or 'int32')

    def _drawn(self, name, seed, shape, dtype, static=()):
        return on_host(name, [seed, _vector(shape)], [(self._dtype(dtype), len(shape))], static)

    def random_uniform(self, seed, shape, dtype):
        return self._drawn('uniform', seed, shape, dtype)

    def random_normal(self, seed, shape, dtype):
        return self._drawn('normal', seed, shape, dtype)

    def random_integers(self, seed, shape, minval, maxval, dtype):
        return self._drawn('integers', seed, shape, dtype, (minval, maxval))

    def random_permutation(self, seed, count):
        return on_host('permutation', [seed, T.as_tensor_variable(count)], [('int32', 1)])

    # --- elementwise -------------------------------------------------------------------------------------------

    negative, abs, sign, floor = _unary(T.neg), _unary(compat.absolute), _unary(compat.sign), _unary(T.floor)
    exp, log, sqrt, sin, cos, tanh = map(_unary, (T.exp, T.log, T.sqrt, T.sin, T.cos, T.tanh))
    arcsin, arctan, erf, erfinv = map(_unary, (T.arcsin, T.arctan, T.erf, T.erfinv))
    lgamma, digamma, logical_not = _unary(T.gammaln), _unary(compat.digamma), _unary(T.invert)
    add, subtract, multiply, divide = map(_binary, (T.add, T.sub, T.mul, T.true_div))
    floor_divide, mod, power = map(_binary, (T.int_div, T.mod, T.pow))
    maximum, minimum, arctan2 = map(_binary, (T.maximum, T.minimum, T.arctan2))
    equal, less, logical_and, logical_or = map(_binary, (T.eq, T.lt, T.and_, T.or_))
    bitwise_and, bitwise_or, bitwise_xor = map(_binary, (T.and_, T.or_, T.xor))

    def round(self, x):
        return T.round(x, mode='half_to_even')

    def isfinite(self, x):
        return T.invert(T.or_(T.isnan(x), T.isinf(x)))

    def stop_gradient(self, x):
        return compat.disconnected_grad(x)

    def cast(self, x, dtype):
        if dtype == 'bool' and x.dtype != 'bool':
            return T.neq(x, self.scalar(0, x.dtype))
        return T.cast(x, self._dtype(dtype))

    def where(self, condition, x, y):
        return T.switch(condition, x, y)

    def left_shift(self, x, y):
        return T.mul(x, T.pow(self.scalar(2, x.dtype), y))

    def right_shift(self, x, y):
        return T.int_div(x, T.pow(self.scalar(2, x.dtype), y))

    # --- reductions --------------------------------------------------------------------------------------------

    @staticmethod
    def _reduced(function, x, axis, keepdims, **kwargs):
        axes = normalize_axes(axis, x.ndim)
        if not axes:
            return T.cast(x, kwargs['dtype']) if 'dtype' in kwargs else x
        return function(x, axis=axes, keepdims=keepdims, **kwargs)

    def sum(self, x, axis=None, keepdims=False):
        return self._reduced(T.sum, x, axis, keepdims, dtype=sum_dtype(x.dtype))

    def prod(self, x, axis=None, keepdims=False):
        return self._reduced(T.prod, x, axis, keepdims, dtype=sum_dtype(x.dtype))

    def max(self, x, axis=None, keepdims=False):
        return self._reduced(T.any if x.dtype == 'bool' else T.max, x, axis, keepdims)

    def min(self, x, axis=None, keepdims=False):
        if x.dtype.startswith('uint'):
            return T.cast(self._reduced(T.min, T.cast(x, 'int64'), axis, keepdims), x.dtype)
        return self._reduced(T.all if x.dtype == 'bool' else T.min, x, axis, keepdims)

    def argmax(self, x, axis=-1):
        x = T.cast(x, 'int8') if x.dtype == 'bool' else x
        return T.cast(T.argmax(x, axis=axis % x.ndim), 'int32')

    def cumsum(self, x, axis=0):
        return T.cumsum(T.cast(x, sum_dtype(x.dtype)), axis=axis % x.ndim)

    def cumprod(self, x, axis=0):
        return T.cumprod(T.cast(x, sum_dtype(x.dtype)), axis=axis % x.ndim)

    # --- movement ----------------------------------------------------------------------------------------------

    def reshape(self, x, shape):
        return T.reshape(x, _shape_vector(shape), ndim=len(shape))

    def transpose(self, x, axes=None):
        return _transposed(x, range(x.ndim)[::-1] if axes is None else [axis % x.ndim for axis in axes])

    def broadcast_to(self, x, shape):
        return T.alloc(x, *_shape_vector(shape)) if shape else x

    def concatenate(self, xs, axis=-1):
        return T.concatenate(list(xs), axis=axis % xs[0].ndim) if len(xs) > 1 else xs[0]

    def strided_slice(self, x, starts, stops, steps):
        return x[tuple(map(slice, starts, stops, steps))] if starts else x

    def pad(self, x, widths, value=0):
        sizes = _sizes(x)
        if not any(before or after for before, after in widths):
            return x
        result = self.full([size + before + after for size, (before, after) in zip(sizes, widths)],
                           np.asarray(value, x.dtype).item(), x.dtype)
        inside = tuple([slice(before, before + size) for size, (before, _) in zip(sizes, widths)])
        return T.set_subtensor(operators.subtensor(result, inside), x)

    def flip(self, x, axes):
        axes = normalize_axes(axes, x.ndim)
        return x[tuple([slice(None, None, -1 if axis in axes else None) for axis in range(x.ndim)])]

    def gather(self, x, indices, axis=0):
        axis %= x.ndim
        sizes, indices = _sizes(x), _indices(indices)
        # Negative indices, which would count from the end, are out of range.
        indices = T.switch(T.lt(indices, 0), T.cast(sizes[axis], 'int64'), indices)
        front = _transposed(x, [axis] + [other for other in range(x.ndim) if other != axis])
        rows = front[indices if indices.ndim == 1 else T.flatten(indices)]
        if indices.ndim != 1:
            rows = self.reshape(rows, _sizes(indices) + sizes[:axis] + sizes[axis + 1:])
        count = indices.ndim
        return _transposed(rows, list(range(count, count + axis)) + list(range(count))
                           + list(range(count + axis, rows.ndim)))

    def gather_nd(self, x, indices):
        depth, sizes, indices = static_shape(indices)[-1], _sizes(x), T.cast(indices, 'int64')
        place = indices[..., 0]
        for position in range(1, depth):
            place = place * T.cast(sizes[position], 'int64') + indices[..., position]
        rest = sizes[depth:]
        rows = self.reshape(x, [-1] + rest)[T.flatten(place)]
        return self.reshape(rows, _sizes(indices)[:-1] + rest)

    def _rows(self, x, indices, updates):
        """Indices as a vector, and the updates one row for each."""
        indices = _indices(indices)
        if indices.ndim == 1:
            return indices, updates
        return T.flatten(indices), self.reshape(updates, [-1] + _sizes(x)[1:])

    def scatter_add(self, x, indices, updates):
        indices, updates = self._rows(x, indices, updates)
        return T.inc_subtensor(operators.subtensor(x, indices), updates)

    def scatter_update(self, x, indices, updates):
        indices, updates = self._rows(x, indices, updates)
        return T.set_subtensor(operators.subtensor(x, indices), updates)

    def scatter_max(self, x, indices, updates):
        return on_host('scatter_max', [x, _indices(indices), updates], [(x.dtype, x.ndim)])

    # --- contraction, windows, order ---------------------------------------------------------------------------

    def matmul(self, x, y):
        if x.ndim <= 2 and y.ndim <= 2 or y.ndim == 1:
            return T.dot(x, y)
        if y.ndim == 2:
            rows = self.reshape(x, (-1, static_shape(x)[-1] or x.shape[-1])) if x.ndim > 2 else x
            return self.reshape(T.dot(rows, y), _sizes(x)[:-1] + _sizes(y)[-1:])
        return self._batched_product(x, y)

    def _batched_product(self, x, y):
        left, right = (x.dimshuffle('x', 0) if x.ndim == 1 else x), y
        batch = [self._batch_size(axis, left, right) for axis in range(max(left.ndim, right.ndim) - 2)]
        left, right = self._stack_of(left, batch), self._stack_of(right, batch)
        result = self.reshape(compat.batched_dot(left, right), batch + [left.shape[1], right.shape[2]])
        return result[..., 0, :] if x.ndim == 1 else result

    @staticmethod
    def _batch_size(axis, x, y):
        """The size along an axis of the stack that `x` and `y` broadcast to."""
        rank = max(x.ndim, y.ndim)
        sizes = [_sizes(part)[axis + part.ndim - rank] for part in (x, y) if axis + part.ndim >= rank]
        known = [size for size in sizes if size != 1 or len(sizes) == 1]
        return next((size for size in known if isinstance(size, int)), known[0] if known else 1)

    def _stack_of(self, x, batch):
        """`x` broadcast to the leading sizes `batch`, as one stack of matrices."""
        sizes = _sizes(x)
        if len(sizes) - 2 < len(batch) or any(static == 1 and not isinstance(size, int)
                                              or static == 1 < size for static, size
                                              in zip(static_shape(x), batch)):
            x = T.alloc(x, *_shape_vector(batch + sizes[-2:]))
        return x if len(batch) == 1 else self.reshape(x, [-1] + sizes[-2:])

    def _along_last(self, x, positions):
        """The elements of `x` at `positions` along the last axis; the other sizes are the same."""
        sizes = _sizes(x)
        rows = self.reshape(x, (-1, sizes[-1]))
        chosen = self.reshape(positions, (-1, positions.shape[-1]))
        starts = T.arange(rows.shape[0]).dimshuffle(0, 'x') * T.cast(sizes[-1], 'int64')
        return self.reshape(T.flatten(x)[T.flatten(chosen + starts)], sizes[:-1] + [positions.shape[-1]])

    conv, conv_transpose, pool = map(staticmethod, (windows.conv, windows.conv_transpose, windows.pool))

    def top_k(self, x, k):
        positions = on_host('falling', [x], [('int64', x.ndim)])[..., :k]
        return [self._along_last(x, positions), T.cast(positions, 'int32')]

    def sort(self, x, axis=-1):
        axis %= x.ndim
        order = [other for other in range(x.ndim) if other != axis] + [axis]
        moved = with_shape(_transposed(x, order), [static_shape(x)[other] for other in order])
        ordered = self._along_last(moved, on_host('argsort', [moved], [('int64', x.ndim)], (-1,)))
        return _transposed(ordered, [order.index(other) for other in range(x.ndim)])

    def argsort(self, x, axis=-1):
        return on_host('argsort', [x], [('int32', x.ndim)], (axis,))

    def searchsorted(self, x, values, side='left'):
        return on_host('find_places', [x, values], [('int32', values.ndim)], (side,))

    # --- linear algebra ----------------------------------------------------------------------------------------

    def cholesky(self, x):
        return on_host('cholesky', [x], [(x.dtype, x.ndim)])

    def solve(self, a, b):
        rank = max(a.ndim, b.ndim)
        a, b = [x.dimshuffle(*(['x'] * (rank - x.ndim) + list(range(x.ndim)))) for x in (a, b)]
        batch = [self._batch_size(axis, a, b) for axis in range(rank - 2)]
        a, b = [T.alloc(x, *_shape_vector(batch + _sizes(x)[-2:])) if batch else x for x in (a, b)]
        return on_host('solve', [a, b], [(b.dtype, b.ndim)])

    def triangular_solve(self, a, b, lower=True):
        rows, columns = T.arange(a.shape[-2]).dimshuffle(0, 'x'), T.arange(a.shape[-1]).dimshuffle('x', 0)
        kept = T.switch(T.ge(rows, columns) if lower else T.le(rows, columns), a, self.scalar(0, a.dtype))
        return self.solve(with_shape(kept, static_shape(a)), b)

    def qr(self, x):
        return on_host('qr', [x], [(x.dtype, x.ndim)] * 2)

    def svd(self, x):
        return on_host('svd', [x], [(x.dtype, x.ndim), (x.dtype, x.ndim - 1), (x.dtype, x.ndim)])

    def eigh(self, x):
        return on_host('eigh', [x], [(x.dtype, x.ndim - 1), (x.dtype, x.ndim)])

    def fft(self, real, imaginary):
        return on_host('fft', [real, imaginary], [(real.dtype, real.ndim)] * 2)

    # --- control -----------------------------------------------------------------------------------------------

    scan, cond, while_loop = control.scan, control.cond, control.while_loop


# --- static shapes after every primitive ------------------------------------------------------------------------------

def _with_rule(function, entry):
    """The method `function` with the static shapes of its results from the entry's rule, which runs first: Theano
    itself would find tensors that do not fit together only when the graph runs."""
    defaults = [entry.defaults.get(name) for name in entry.parameters]

    @functools.wraps(function)
    def run(self, *args):
        promised = entry.rule(*([abstract(arg) for arg in args] + defaults[len(args):]))
        result = function(self, *args)
        if isinstance(promised, AbstractTensor):
            return with_shape(result, promised.shape)
        return [with_shape(part, leaf.shape) for part, leaf in zip(result, promised)]
    return run


def _install_rules():
    for entry in TABLE.values():
        if entry.kind != 'primitive' or entry.name in ('scan', 'cond', 'while_loop') \
                or entry.name not in TheanoEngine.__dict__:
            continue
        function = TheanoEngine.__dict__[entry.name]
        if isinstance(function, staticmethod):
            function = _as_method(function.__func__)
        setattr(TheanoEngine, entry.name, _with_rule(function, entry))


def _as_method(function):
    return lambda self, *args: function(*args)


_install_rules()
operators.install()
ENGINE = TheanoEngine()
