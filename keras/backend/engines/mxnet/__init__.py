"""The MXNet engine (1.9): compiled steps, on the GPU where there is one.

Rules this package obeys: MXNet's operators are called by their names, past the layers of Python that MXNet puts in
front of them and past its functions that fall back to NumPy, so that nothing waits for the device; a tensor is never
changed once it has been made, so that a variable is the tensor it holds; random numbers are drawn on the host.
"""
import functools

import numpy as np

from keras import config
from keras.backend.contract import tree
from keras.backend.contract.context import context
from keras.backend.contract.engine import Capabilities, Engine
from keras.backend.contract.ledger import Ledger
from keras.backend.contract.rules import AbstractTensor, sum_dtype
from keras.backend.engines.mxnet import overrides, steps, tensors as o, windows
from keras.backend.state.variables import Variable
from keras.backend.table import primitives



def _number(value):
    """A size or a bound as a Python number; a tensor's is fetched."""
    return value.asnumpy().item() if isinstance(value, o.Array) else value


def _sizes(shape):
    return tuple([size if type(size) is int else int(_number(size)) for size in shape])


def _in_float32(function):
    """A method from a function of tensors that has no half precision, computed in float32 there."""
    return staticmethod(o.through(function, float16='float32'))


class MXNetEngine(Engine):
    name = 'mxnet'
    capabilities = Capabilities(
        gradients=True, compiled=True,
        dtypes=('bool', 'int8', 'int32', 'int64', 'uint8', 'float16', 'float32', 'float64'),
        unsupported={'string': 'MXNet has no tensors of strings; look them up on the host first',
                     'view': 'MXNet reads no bytes as another dtype; use the numpy, tensorflow, jax or torch engine',
                     'real': 'it has no complex numbers; use the numpy, tensorflow, jax or torch engine',
                     'imag': 'it has no complex numbers; use the numpy, tensorflow, jax or torch engine',
                     'complex_number': 'it has no complex numbers; use the numpy, tensorflow, jax or torch engine',
                     'eig': 'it has no complex numbers; use the numpy, tensorflow, jax or torch engine',
                     'gradients of gradients': 'few operations of MXNet have them; use the tensorflow, theano, jax or '
                                               'torch engine'})
    float_dtypes = o.FLOATS
    integer_dtypes = {np.dtype('int32'), np.dtype('int64')}
    data_format = 'channels_first'
    variable_attributes = ('attach_grad', 'grad', 'asnumpy', 'ctx')
    overrides = overrides.OVERRIDES

    # --- tensors ---------------------------------------------------------------------------------------------

    def is_native(self, x):
        # A generator is what `draw_seed` gives in the place of a seed tensor.
        return isinstance(x, (o.Array, np.random.Generator))

    def convert(self, x, dtype=None):
        if dtype is not None and dtype not in o.DTYPES and dtype != 'string':
            raise TypeError('the mxnet engine has no tensors of dtype %s; it has %s'
                            % (dtype, ', '.join(self.capabilities.dtypes)))
        if isinstance(x, o.mx.nd.NDArray) and not isinstance(x, o.Array):
            x = x.as_np_ndarray()
        return super().convert(x, dtype)

    def adapted(self, x, dtype):
        return x if dtype is None else o.as_(x, o.DTYPES[dtype])

    def stacked(self, parts):
        return o.stack(*parts, axis=0, num_args=len(parts))

    def from_host(self, array, dtype):
        if dtype == 'string':
            return self.unsupported('string')()
        return steps.made(np.asarray(array, o.DTYPES.get(dtype)))

    def to_numpy(self, x):
        return x.asnumpy()

    def on_host(self, fn, inputs, dtype, shape):
        if steps.tracing.trace is not None:
            raise steps.Untraceable('what NumPy computes')
        return super().on_host(fn, inputs, dtype, shape)

    def print_tensor(self, x, message):
        if steps.tracing.trace is not None:
            raise steps.Untraceable('a tensor that is printed')
        return super().print_tensor(x, message)

    def dtype_of(self, x):
        return o.NAMES[x.dtype] if isinstance(x, o.Array) else 'uint32'

    def shape_of(self, x):
        return x.shape if isinstance(x, o.Array) else (2,)

    # --- state -----------------------------------------------------------------------------------------------

    def new_variable(self, value, variable):
        return self.convert(value, variable.dtype)

    def load(self, storage):
        return storage

    def store(self, storage, value):
        # A copy: kernels of optimizers write in place.
        return o.copy(value.detach())

    draws_from_streams = True

    def draw_seed(self, generator):
        return steps.draw_seed(generator)

    def stream_state(self, generator):
        return steps.stream_state(generator)

    def restore_stream(self, generator, state):
        steps.restore_stream(generator, state)

    def seed(self, value):
        o.mx.random.seed(value)

    # --- running ---------------------------------------------------------------------------------------------

    def new_step(self, fn, reads, writes, static_batch):
        return steps.Step(self, fn)

    def value_and_grad(self, fn, variables):
        with self.differentiating_once():
            return steps.value_and_grad(fn, variables)

    def results_for(self, fn, args, size):
        """On zeros."""
        def stand_in(x):
            if not isinstance(x, AbstractTensor):
                return x
            return self.full([size if n is None else n for n in x.shape], 0, x.dtype)
        with Ledger(missing=lambda variable: variable.load()):
            return fn(*tree.map_structure(stand_in, list(args)))

    def wait(self, x):
        for leaf in tree.flatten(x):
            if isinstance(leaf, o.Array):
                leaf.wait_to_read()
        return x

    # --- creation ---------------------------------------------------------------------------------------------

    def full(self, shape, value, dtype=None):
        dtype = dtype or self.dtype_of(self.convert(value))
        return steps.made(np.full(_sizes(shape), value, o.DTYPES[dtype]))

    def full_like(self, x, value, dtype=None):
        return steps.made(np.full(x.shape, value, o.DTYPES[dtype] if dtype else x.dtype))

    def arange(self, start, stop=None, step=1, dtype=None):
        start, stop, step = (_number(value) for value in ((0, start, step) if stop is None else (start, stop, step)))
        dtype = dtype or (config.floatx() if float in map(type, (start, stop, step)) else 'int32')
        return steps.made(np.arange(start, stop, step).astype(o.DTYPES[dtype]))

    def random_uniform(self, seed, shape, dtype):
        shape = _sizes(shape)

        def draw(generator):
            values = generator.random(shape, 'float64' if dtype == 'float64' else 'float32')
            if dtype == 'float16':
                # Rounding may reach 1.
                values = np.minimum(values, np.nextafter(np.float16(1), np.float16(0)))
            return np.asarray(values, dtype)
        return steps.drawn(seed, draw)

    def random_normal(self, seed, shape, dtype):
        shape = _sizes(shape)
        return steps.drawn(seed, lambda generator: np.asarray(
            generator.standard_normal(shape, 'float64' if dtype == 'float64' else 'float32'), dtype))

    def random_integers(self, seed, shape, minval, maxval, dtype):
        shape = _sizes(shape)
        return steps.drawn(seed, lambda generator: np.asarray(
            generator.integers(minval, maxval, shape), o.DTYPES[dtype]))

    def random_permutation(self, seed, count):
        return steps.drawn(seed, lambda generator: generator.permutation(_number(count)).astype('int32'))

    # --- elementwise -------------------------------------------------------------------------------------------

    negative, abs, sign = map(staticmethod, map(o.op, ('_npi_negative', '_npi_absolute', '_npi_sign')))
    floor, exp, log, sqrt = map(staticmethod, (o.floor, o.exp, o.log, o.sqrt))
    sin, cos, arcsin, arctan = map(staticmethod, map(o.op, ('_npi_sin', '_npi_cos', '_npi_arcsin', '_npi_arctan')))
    erf, erfinv = map(staticmethod, map(o.op, ('_npx_erf', '_npx_erfinv')))
    lgamma, logical_not, isfinite = map(staticmethod, map(o.op, ('_npx_gammaln', '_npi_logical_not', '_npi_isfinite')))
    mod, power, equal, less = map(staticmethod, (o.mod, o.power, o.equal, o.less))
    maximum, minimum = map(staticmethod, map(o.op, ('_npi_maximum', '_npi_minimum')))
    arctan2, bitwise_and, bitwise_or, bitwise_xor = map(staticmethod, map(o.op, (
        '_npi_arctan2', '_npi_bitwise_and', '_npi_bitwise_or', '_npi_bitwise_xor')))
    logical_and, logical_or = map(staticmethod, (o.multiply, o.add))
    stop_gradient = staticmethod(o.detached)

    def tanh(self, x):
        # The kernel of the activation is many times faster.
        return o.activation(x, act_type='tanh') if x.dtype == 'float32' and x.size else o.tanh(x)

    def where(self, condition, x, y):
        if condition.shape == x.shape == y.shape and x.size and x.dtype in o.FLOATS:
            return o.where_alike(o.cast(condition, dtype=o.NAMES[x.dtype]), x, y)
        if not (condition.size and x.size and y.size):  # MXNet crashes where it broadcasts what is empty
            shape = np.broadcast(*[np.empty(part.shape, bool) for part in (condition, x, y)]).shape
            return self.full(shape, 0, self.dtype_of(x))
        return o.where(condition, x, y)

    def add(self, x, y):
        return o.add(x, y) if type(y) is o.Array else o.add_scalar(x, scalar=y, is_int=type(y) is int)

    def subtract(self, x, y):
        return o.subtract(x, y) if type(y) is o.Array else o.subtract_scalar(x, scalar=y, is_int=type(y) is int)

    def multiply(self, x, y):
        return o.multiply(x, y) if type(y) is o.Array else o.multiply_scalar(x, scalar=y, is_int=type(y) is int)

    def divide(self, x, y):
        return o.divide(x, y) if type(y) is o.Array else o.divide_scalar(x, scalar=y, is_int=type(y) is int)

    def floor_divide(self, x, y):
        if x.dtype in o.FLOATS:
            return o.floor(o.divide(x, y))
        return o.integer_divide(o.subtract(x, o.mod(x, y)), y)

    def left_shift(self, x, y):
        return o.multiply(x, o.power(self.full_like(y, 2), y))

    def right_shift(self, x, y):
        return self.floor_divide(x, o.power(self.full_like(y, 2), y))

    def round(self, x):
        """MXNet's own rounds halves down."""
        below = o.floor(x)
        half = o.equal(o.subtract(x, below), self.full((), 0.5, o.NAMES[x.dtype]))
        even = o.multiply_scalar(o.floor(o.multiply_scalar(o.add_scalar(below, scalar=1), scalar=0.5)), scalar=2)
        return o.where(half, even, o.rint(x))

    def digamma(self, x):
        """Recurrence up to 6, then the asymptotic series (Abramowitz and Stegun 6.3.18)."""
        shift = None
        for _ in range(6):
            small = o.less(x, self.full((), 6.0, self.dtype_of(x)))
            part = o.where(small, o.divide(self.full_like(x, 1.0), x), self.full_like(x, 0.0))
            shift = part if shift is None else o.add(shift, part)
            x = o.add(x, o.cast(small, dtype=self.dtype_of(x)))
        square = 1.0 / (x * x)
        return o.log(x) - 0.5 / x - square * (1 / 12 - square * (1 / 120 - square / 252)) - shift

    def cast(self, x, dtype):
        return self.convert(x, dtype) if o.NAMES[x.dtype] != dtype else x

    # --- reductions --------------------------------------------------------------------------------------------

    def sum(self, x, axis=None, keepdims=False):
        dtype = o.DTYPES[sum_dtype(o.NAMES[x.dtype])]
        if not x.size:
            return self._reduced(x, 0, dtype, axis, keepdims)
        return o.as_(x, dtype) if axis == () else overrides.summed(o.as_(x, dtype), axis, keepdims)

    def _reduced(self, x, value, dtype, axis, keepdims):
        """The reduction of an empty `x`, over which MXNet stumbles."""
        return self.full(np.empty(x.shape).sum(axis, keepdims=keepdims).shape, value, dtype)

    def prod(self, x, axis=None, keepdims=False):
        dtype = o.DTYPES[sum_dtype(o.NAMES[x.dtype])]
        if not x.size:
            return self._reduced(x, 1, dtype, axis, keepdims)
        return o.as_(x, dtype) if axis == () else o.prod(o.as_(x, dtype), axis=axis, keepdims=keepdims)

    def max(self, x, axis=None, keepdims=False):
        return x if axis == () else o.max_(x, axis=axis, keepdims=keepdims)

    def min(self, x, axis=None, keepdims=False):
        return x if axis == () else o.min_(x, axis=axis, keepdims=keepdims)

    def argmax(self, x, axis=-1):
        return o.as_(o.argmax(x, axis=axis), 'int32')

    def cumsum(self, x, axis=0):
        return o.cumsum(o.as_(x, o.DTYPES[sum_dtype(o.NAMES[x.dtype])]), axis=axis % x.ndim)

    def cumprod(self, x, axis=0):
        """The products of runs of 1, 2, 4, ... elements (Hillis and Steele, 1986)."""
        x, axis, run = o.as_(x, o.DTYPES[sum_dtype(o.NAMES[x.dtype])]), axis % x.ndim, 1
        while run < x.shape[axis]:
            widths = [(run if index == axis else 0, 0) for index in range(x.ndim)]
            parts = (None,) * axis + (-run,)
            moved = o.pad(o.slice_(x, begin=(None,) * (axis + 1), end=parts), widths, 1)
            x, run = o.multiply(x, moved), run * 2
        return x

    # --- movement ----------------------------------------------------------------------------------------------

    def reshape(self, x, shape):
        shape = _sizes(shape)
        if -1 in shape:
            known = int(np.prod([size for size in shape if size != -1]))
            shape = tuple(x.size // max(known, 1) if size == -1 else size for size in shape)
        return o.reshape(x, newshape=shape)

    def transpose(self, x, axes=None):
        if axes is None:
            return o.transpose(x)
        return o.transpose(x, axes=tuple(axis % x.ndim for axis in axes)) if x.ndim else x

    def broadcast_to(self, x, shape):
        return o.broadcast_to(x, shape=_sizes(shape))

    def concatenate(self, xs, axis=-1):
        return o.concatenate(*xs, axis=axis, num_args=len(xs))

    def strided_slice(self, x, starts, stops, steps):
        ranges = [range(*slice(*bounds).indices(size)) for bounds, size in zip(zip(starts, stops, steps), x.shape)]
        if not ranges:
            return x
        if not all(ranges) or not x.size:
            return self.full(tuple(map(len, ranges)) + x.shape[len(ranges):], 0, o.NAMES[x.dtype])
        if x.ndim > 5:  # the kernel has no more axes: those behind the sliced ones become one
            last = max(axis for axis, r in enumerate(ranges) if r != range(x.shape[axis]) or axis == 0) + 1
            if last < x.ndim - 1:
                flat = self.strided_slice(self.reshape(x, x.shape[:last] + (-1,)), starts[:last], stops[:last],
                                          steps[:last])
                return self.reshape(flat, flat.shape[:last] + x.shape[last:])
        # Bounds within the axes: others confuse the kernel for floats.
        ends = tuple(r[-1] + (1 if r.step > 0 else -1) for r in ranges)
        return o.slice_(x, begin=tuple(r[0] for r in ranges), end=tuple(end if end >= 0 else None for end in ends),
                      step=tuple(r.step for r in ranges))

    pad = staticmethod(o.pad)

    def flip(self, x, axes):
        return o.flip(x, axis=tuple(axis % x.ndim for axis in axes))

    def gather(self, x, indices, axis=0):
        return o.take(x, indices, axis=axis)

    def gather_nd(self, x, indices):
        return o.gathered(x, o.transpose(indices, axes=(indices.ndim - 1,) + tuple(range(indices.ndim - 1))))

    def scatter_add(self, x, indices, updates):
        updates = o.broadcast_to(updates, shape=indices.shape + x.shape[1:])
        return o.add(x, o.spread(updates, o.reshape(indices, newshape=(1,) + indices.shape), shape=x.shape))

    def scatter_update(self, x, indices, updates):
        updates = o.broadcast_to(updates, shape=indices.shape + x.shape[1:])
        indices = o.reshape(indices, newshape=(1,) + indices.shape)
        changed = o.spread(self.full_like(updates, 1), indices, shape=x.shape)
        return o.where(changed, o.spread(updates, indices, shape=x.shape), x)

    def scatter_max(self, x, indices, updates):
        """Every slice of `x` is compared with all updates, of which those of other slices count as the lowest."""
        updates = o.broadcast_to(updates, shape=indices.shape + x.shape[1:])
        updates = o.reshape(updates, newshape=(1, indices.size) + x.shape[1:])
        own = o.equal(o.reshape(indices, newshape=(1, -1)), self.arange(x.shape[0], dtype=o.NAMES[indices.dtype])
                     .reshape(-1, 1))
        own = o.reshape(own, newshape=own.shape + (1,) * (x.ndim - 1))
        lowest = -np.inf if x.dtype in o.FLOATS else np.iinfo(x.dtype).min
        return self.maximum(x, o.max_(o.where(own, updates, self.full((), lowest, o.NAMES[x.dtype])), axis=1))

    # --- contraction, windows, order -----------------------------------------------------------------------------

    def matmul(self, x, y):
        if x.ndim > 2 and y.ndim > 2 and x.shape[:-2] != y.shape[:-2]:
            # MXNet's gradient does not add up what it has broadcast.
            x, y = o.same_batch(x, y)
        return o.matmul(x, y)

    def conv(self, x, kernel, strides, padding, dilation, groups=1):
        x = windows.channels_first(x)
        return windows.channels_last(windows.convolved(x, kernel, strides, padding, dilation, groups))

    def conv_transpose(self, x, kernel, strides, padding, dilation, output_size):
        x = windows.channels_first(x)
        return windows.channels_last(windows.transposed(x, kernel, strides, padding, dilation, output_size))

    def pool(self, x, size, strides, padding, mode):
        return windows.channels_last(windows.pooled(windows.channels_first(x), size, strides, padding, mode))

    def top_k(self, x, k):
        return o.topk(x, k=k, ret_typ='both', dtype='int32')

    def sort(self, x, axis=-1):
        return o.sort(x, axis=axis)

    def argsort(self, x, axis=-1):
        return o.argsort(x, axis=axis, dtype='int32')

    def searchsorted(self, x, values, side='left'):
        compare = o.less if side == 'left' else o.less_equal
        below = compare(x, o.reshape(values, newshape=values.shape + (1,)))
        return o.sum_(o.cast(below, dtype='int32'), axis=-1)

    # --- linear algebra ------------------------------------------------------------------------------------------

    cholesky = _in_float32(o.op('linalg_potrf'))

    @_in_float32
    def solve(a, b):
        return o.solve(*o.same_batch(a, b))

    @_in_float32
    def triangular_solve(a, b, lower=True):
        return o.triangular_solve(*o.same_batch(a, b), lower=lower)

    @_in_float32
    def qr(x):
        """From the LQ decomposition of the transposed matrix; for wide ones, of its first columns."""
        rows, columns = x.shape[-2:]
        square = x if rows >= columns else o.slice_(x, begin=(None,) * x.ndim, end=(None,) * (x.ndim - 1) + (rows,))
        q, lower = o.lq(o.swapped(square))
        q = o.swapped(q)
        return [q, o.swapped(lower) if rows >= columns else o.matmul(o.swapped(q), x)]

    @_in_float32
    def svd(x):
        if x.shape[-2] <= x.shape[-1]:
            return list(o.svd(x))
        u, s, v = o.svd(o.swapped(x))
        return [o.swapped(v), s, o.swapped(u)]

    eigh = _in_float32(lambda x: list(o.eigh(x)))

    @_in_float32
    def fft(real, imaginary):
        """As a product with the matrix of the transform."""
        n = real.shape[-1]
        angles = -2 * np.pi * (np.outer(np.arange(n), np.arange(n)) % n) / n
        c, s = (steps.made(part.astype(real.dtype)) for part in (np.cos(angles), np.sin(angles)))
        return [o.subtract(o.matmul(real, c), o.matmul(imaginary, s)), o.add(o.matmul(real, s), o.matmul(imaginary, c))]

    # --- control ---------------------------------------------------------------------------------------------------

    def scan(self, step, init, xs, length=None, reverse=False):
        columns = [o.unstacked(x) for x in tree.flatten(xs)]
        count = len(columns[0]) if columns else length
        carry, outputs = init, [None] * count
        for index in reversed(range(count)) if reverse else range(count):
            carry, outputs[index] = step(carry, tree.pack_as(xs, [column[index] for column in columns]))
        stacked = [self.stacked(parts) for parts in zip(*map(tree.flatten, outputs))]
        return carry, tree.pack_as(outputs[0], stacked) if outputs else []

    def cond(self, predicate, then, otherwise, operands):
        # Which branch to take is only known once the device has computed it.
        return then(*operands) if predicate.asnumpy() else otherwise(*operands)

    def while_loop(self, condition, body, init, maximum_iterations=None):
        values, count = list(init), 0
        while (maximum_iterations is None or count < maximum_iterations) and condition(*values).asnumpy():
            values, count = list(body(*values)), count + 1
        return values


def _array(self, dtype=None, copy=None):
    """What NumPy makes of an array of MXNet, which by itself would be an array of objects."""
    array = self.asnumpy()
    return array if dtype is None else array.astype(dtype)


def _beside_variables(original):
    """An operator of MXNet's arrays that takes those of NumPy, in its own precision, and leaves Keras' variables and
    tensors without a value to their own operators."""
    @functools.wraps(original)
    def operator(self, other):
        if isinstance(other, (Variable, AbstractTensor)):
            return NotImplemented
        if isinstance(other, np.ndarray):
            kind = np.dtype(self.dtype).kind
            other = ENGINE.convert(other, np.dtype(self.dtype).name if kind in ('f', other.dtype.kind) else None)
        if o.tracing.trace is not None:
            o.tracing.trace.know([x for x in (self, other) if isinstance(x, o.Array)])
        return original(self, other)
    return operator


for _name in ('add', 'sub', 'mul', 'truediv', 'mod', 'pow', 'matmul', 'and', 'or', 'xor', 'lt', 'le', 'gt', 'ge'):
    setattr(o.Array, '__%s__' % _name, _beside_variables(getattr(o.Array, '__%s__' % _name)))
o.Array.__array__ = _array
# `x -= 1` in a layer leaves `x` to those who have it, too; under gradients MXNet refuses to write into it.
for _name in ('add', 'sub', 'mul', 'truediv', 'mod', 'pow', 'matmul'):
    setattr(o.Array, '__i%s__' % _name, getattr(o.Array, '__%s__' % _name))
# MXNet has none of its own.
o.Array.__floordiv__ = _beside_variables(primitives.floor_divide)
o.Array.__rfloordiv__ = lambda self, other: primitives.floor_divide(other, self)

ENGINE = MXNetEngine()
