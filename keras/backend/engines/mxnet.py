"""The MXNet engine (1.9): eager, on the GPU where there is one.

Rules this file obeys: MXNet's operators are called by their names, past the layers of Python that MXNet puts in front
of them and past its functions that fall back to NumPy, so that nothing waits for the device; a tensor is never
changed once it has been made, so that a variable is the tensor it holds; random numbers are drawn on the host.
"""
import ctypes
import itertools
import sys
import types
import warnings

import numpy as np

from keras import config
from keras.backend import tree
from keras.backend.engine import Capabilities, Engine
from keras.backend.rules import AbstractTensor, sum_dtype, window_length
from keras.backend.state import Ledger, context


def _import_mxnet():
    """MXNet, which names types that NumPy 1.24 removed: they are there while it is imported, and in its own view."""
    removed = {'bool': bool, 'int': int, 'float': float, 'complex': complex, 'object': object, 'str': str}
    missing = {name: value for name, value in removed.items() if name not in np.__dict__}
    vars(np).update(missing)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter('ignore')
            import mxnet
            import mxnet.gluon
    finally:
        for name in missing:
            delattr(np, name)
    if missing:
        view = types.ModuleType('numpy')
        vars(view).update(vars(np), **missing)
        for name, module in list(sys.modules.items()):
            if name.split('.')[0] == 'mxnet' and module is not None:
                for key, value in list(vars(module).items()):
                    if value is np:
                        setattr(module, key, view)
    return mxnet


mx = _import_mxnet()
from mxnet import autograd  # noqa: E402
from mxnet.base import _LIB, OpHandle, check_call  # noqa: E402
from mxnet.ndarray._internal import _imperative_invoke  # noqa: E402

mx.npx.set_np()
# 2: in all threads.
check_call(_LIB.MXSetIsNumpyShape(ctypes.c_int(2), ctypes.byref(ctypes.c_int())))

_Array = mx.np.ndarray
_DTYPES = {name: name for name in ('bool', 'int8', 'int32', 'int64', 'uint8', 'float16', 'float32', 'float64')}
# MXNet has no others: the next type that holds the same numbers stands for them.
_DTYPES.update({'int16': 'int32', 'uint16': 'int32', 'uint32': 'int64', 'uint64': 'int64'})
_NAMES = {np.dtype(name): name for name in ('bool', 'int8', 'int32', 'int64', 'uint8', 'float16', 'float32',
                                                 'float64')}
_CODES = {np.dtype(name): code for code, name in enumerate(
    ('float32', 'float64', 'float16', 'uint8', 'int32', 'int8', 'int64', 'bool'))}
_HALF = np.dtype('float16')
_FLOATS = {_HALF, np.dtype('float32'), np.dtype('float64')}
_DEVICE = mx.gpu(0) if mx.context.num_gpus() else mx.cpu()
_DEVICE_TYPE, _DEVICE_ID = ctypes.c_int(_DEVICE.device_typeid), ctypes.c_int(_DEVICE.device_id)
# Sizes that stand in for an unknown one: what comes out different for the two is unknown as well.
_STAND_INS = (11, 13)


# --- helpers ------------------------------------------------------------------------------------------------------

def _op(operator, **fixed):
    """The operator of that name as a function of arrays and attributes."""
    handle = OpHandle()
    check_call(_LIB.NNGetOpHandle(operator.encode(), ctypes.byref(handle)))
    handle = handle.value

    def run(*arrays, **attributes):
        attributes.update(fixed)
        return _imperative_invoke(handle, arrays, attributes.keys(), attributes.values(), None, True, False)
    return run


def _through(run, **stand_ins):
    """`run`, which lacks dtypes, computed in the dtypes that stand in for them: `bool='uint8'`."""
    stand_ins = {np.dtype(name): other for name, other in stand_ins.items()}

    def through(x, *more, **attributes):
        other = stand_ins.get(x.dtype)
        if other is None:
            return run(x, *more, **attributes)
        lacking, name = x.dtype, _NAMES[x.dtype]
        result = run(*[_cast(part, dtype=other) if isinstance(part, _Array) and part.dtype == lacking else part
                       for part in (x,) + more], **attributes)
        back = np.dtype(other)
        return tree.map_structure(lambda part: _cast(part, dtype=name) if part.dtype == back else part, result)
    return through


_add, _add_scalar = _op('_npi_add'), _op('_npi_add_scalar')
_subtract, _subtract_scalar = _op('_npi_subtract'), _op('_npi_subtract_scalar')
_multiply, _multiply_scalar = _op('_npi_multiply'), _op('_npi_multiply_scalar')
_divide, _divide_scalar = _op('_npi_true_divide'), _op('_npi_true_divide_scalar')
_mod, _power, _exp, _log = _op('_npi_mod'), _op('_npi_power'), _op('_npi_exp'), _op('_npi_log')
_sqrt, _floor, _rint, _sum = _op('_npi_sqrt'), _op('_npi_floor'), _op('_npi_rint'), _op('_np_sum')
_less, _less_equal, _equal, _where = (_op('_npi_less'), _op('_npi_less_equal'), _op('_npi_equal'), _op('_npi_where'))
_cast, _copy, _detached = _op('_npi_cast'), _op('_copy'), _op('BlockGrad')
_reshape, _transpose = _op('_np_reshape'), _through(_op('_np_transpose'), bool='uint8')
_stack, _concatenate = _op('_npi_stack'), _op('_npi_concatenate')
_split, _flip = _through(_op('_split_v2'), bool='uint8'), _through(_op('_npi_flip'), bool='uint8')
_slice, _take = _op('slice'), _op('take', mode='wrap')
_convolution, _pooling = _through(_op('Convolution'), float16='float32'), _op('Pooling')
_gathered, _spread = _op('gather_nd'), _op('_backward_gather_nd')


def _from_host(array):
    """A tensor with a copy of a NumPy array."""
    name = array.dtype.name
    if name not in _DTYPES:
        if array.dtype.kind not in 'iuf' or name == 'bfloat16':
            raise TypeError('the mxnet engine has no tensors of dtype %s. The usual cause: strings or ragged lists; '
                            'turn them into numbers first' % array.dtype)
        name = 'float64' if array.dtype.kind == 'f' else 'int64'
    array = np.require(array, _DTYPES[name], ['C', 'A'])
    shape, handle = array.shape, ctypes.c_void_p()
    check_call(_LIB.MXNDArrayCreateEx64(
        (ctypes.c_int64 * len(shape))(*shape), ctypes.c_int(len(shape)), _DEVICE_TYPE, _DEVICE_ID, ctypes.c_int(0),
        ctypes.c_int(_CODES[array.dtype]), ctypes.byref(handle)))
    result = _Array(handle=handle)
    if array.size:
        check_call(_LIB.MXNDArraySyncCopyFromCPU(handle, ctypes.c_void_p(array.ctypes.data),
                                                 ctypes.c_size_t(array.size)))
    return result


def _as(x, dtype):
    """`x` in the dtype of that name."""
    return x if _NAMES[x.dtype] == dtype else _cast(x, dtype=dtype)


def _one_or_many(result):
    return result if isinstance(result, list) else [result]


def _pad(x, widths, value=0):
    if not any(before or after for before, after in widths):
        return x
    if not 1 < x.ndim < 6:
        # Ranks that MXNet does not pad: one axis at a time.
        for axis, (before, after) in enumerate(widths):
            shape = x.shape
            rows = _reshape(x, newshape=(int(np.prod(shape[:axis])), shape[axis], int(np.prod(shape[axis + 1:]))))
            rows = _pad(rows, ((0, 0), (before, after), (0, 0)), value)
            x = _reshape(rows, newshape=shape[:axis] + rows.shape[1:2] + shape[axis + 1:])
        return x
    return _padded(x, pad_width=tuple(widths), constant_value=float(value))


_padded = _op('_npi_pad', mode='constant')


def _same_padding(sizes, windows, strides, dilation):
    """The (before, after) padding of axes of these sizes."""
    widths = []
    for n, w, s, d in zip(sizes, windows, strides, dilation):
        total = max((-(-n // s) - 1) * s + (w - 1) * d + 1 - n, 0)
        widths.append((total // 2, total - total // 2))
    return widths


def _channels_first(x):
    return _transpose(x, axes=(0, x.ndim - 1) + tuple(range(1, x.ndim - 1)))


def _channels_last(x):
    return _transpose(x, axes=(0,) + tuple(range(2, x.ndim)) + (1,))


def _in_float32(function):
    """A method from a function of tensors that has no half precision, computed in float32 there."""
    return staticmethod(_through(function, float16='float32'))


def _mixed(low, high):
    """64 well mixed bits from two of 32 (the finaliser of SplitMix64; Steele, Lea and Flood 2014)."""
    z = ((low & 0xffffffff) | (high << 32)) + 0x9e3779b97f4a7c15 & 0xffffffffffffffff
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9 & 0xffffffffffffffff
    z = (z ^ z >> 27) * 0x94d049bb133111eb & 0xffffffffffffffff
    return z ^ z >> 31


def _generator(seed):
    """The random generator for a seed: itself, or one started from two uint32."""
    if isinstance(seed, np.random.Generator):
        return seed
    low, high = (int(part) for part in seed.asnumpy())
    return np.random.Generator(np.random.Philox(key=_mixed(low, high)))


class MXNetEngine(Engine):
    name = 'mxnet'
    capabilities = Capabilities(
        gradients=True, compiled=False, dynamic_sizes=True,
        dtypes=('bool', 'int8', 'int32', 'int64', 'uint8', 'float16', 'float32', 'float64'),
        unsupported={'string': 'MXNet has no tensors of strings; look them up on the host first'})
    float_dtypes = _FLOATS
    integer_dtypes = {np.dtype('int32'), np.dtype('int64')}
    data_format = 'channels_first'

    # --- tensors ---------------------------------------------------------------------------------------------

    def is_native(self, x):
        # A generator is what `draw_seed` gives in the place of a seed tensor.
        return isinstance(x, (_Array, np.random.Generator))

    def convert(self, x, dtype=None):
        if dtype == 'string':
            return self.unsupported('string')()
        if dtype is not None and dtype not in _DTYPES:
            raise TypeError('the mxnet engine has no tensors of dtype %s; it has %s'
                            % (dtype, ', '.join(self.capabilities.dtypes)))
        if isinstance(x, _Array):
            return x if dtype is None else _as(x, _DTYPES[dtype])
        if isinstance(x, mx.nd.NDArray):
            return self.convert(x.as_np_ndarray(), dtype)
        if isinstance(x, (list, tuple)) and any(isinstance(leaf, _Array) for leaf in tree.flatten(x)):
            return self.stack([self.convert(part, dtype) for part in x])
        if dtype is None and not isinstance(x, (np.ndarray, np.generic)):
            x = np.asarray(x)
            dtype = {'f': config.floatx(), 'i': 'int32'}.get(x.dtype.kind)
        return _from_host(np.asarray(x, None if dtype is None else _DTYPES[dtype]))

    @staticmethod
    def stack(xs):
        return _stack(*xs, axis=0, num_args=len(xs))

    def to_numpy(self, x):
        return x.asnumpy()

    def dtype_of(self, x):
        return _NAMES[x.dtype] if isinstance(x, _Array) else 'uint32'

    def shape_of(self, x):
        return x.shape if isinstance(x, _Array) else (2,)

    # --- state -----------------------------------------------------------------------------------------------

    def new_variable(self, value, variable):
        return self.convert(value, variable.dtype)

    def load(self, storage):
        return storage

    def store(self, storage, value):
        return value.detach()

    def draw_seed(self, generator):
        """A NumPy generator that goes on from call to call, started anew when the state has been assigned."""
        storage = generator.state.storage
        stream, started = generator.streams.get('mxnet', (None, None))
        if started is not storage:
            stream = _generator(storage)
            generator.streams['mxnet'] = (stream, storage)
        return stream

    def seed(self, value):
        mx.random.seed(value)

    # --- running ---------------------------------------------------------------------------------------------

    def step(self, fn, reads, writes, static_batch=False):
        def run(*args):
            args = tree.map_structure(lambda x: None if x is None else self.convert(x), args)
            with Ledger(missing=lambda variable: variable.load()) as ledger:
                outputs = fn(*args)
            for variable, value in ledger.writes.items():
                variable.assign(value)
            return outputs
        return run

    def value_and_grad(self, fn, variables):
        outer = context.ledger
        read = outer.read if outer is not None else (lambda variable: variable.load())
        leaves = {variable: read(variable).detach() for variable in variables}
        marked = list(leaves.values())
        buffers = [_zeros_like(leaf) for leaf in marked]
        if marked:
            autograd.mark_variables(marked, buffers)
        with autograd.record(), Ledger(leaves, missing=lambda variable: read(variable)) as ledger:
            value, aux = fn()
        for variable, written in ledger.writes.items():
            variable.assign(written.detach())
        gradients = _gradients(value, marked, buffers)
        by_variable = dict(zip(leaves, gradients))
        return (value.detach(), _constants(aux)), [by_variable[variable] for variable in variables]

    def eval_shape(self, fn, args):
        results = [self._shapes(fn, args, size) for size in _STAND_INS]
        merged = [AbstractTensor([a if a == b else None for a, b in zip(first.shape, second.shape)],
                                 self.dtype_of(first))
                  if isinstance(first, _Array) else first for first, second in zip(*map(tree.flatten, results))]
        return tree.pack_as(results[0], merged)

    @staticmethod
    def _shapes(fn, args, size):
        """`fn` of zeros, with `size` in the place of unknown sizes."""
        def stand_in(x):
            if not isinstance(x, AbstractTensor):
                return x
            return ENGINE.full([size if n is None else n for n in x.shape], 0, x.dtype)
        previous, context.abstract = context.abstract, False
        try:
            with Ledger(missing=lambda variable: variable.load()):
                return fn(*tree.map_structure(stand_in, list(args)))
        finally:
            context.abstract = previous

    def wait(self, x):
        for leaf in tree.flatten(x):
            if isinstance(leaf, _Array):
                leaf.wait_to_read()
        return x

    # --- creation ---------------------------------------------------------------------------------------------

    def full(self, shape, value, dtype=None):
        dtype = dtype or self.dtype_of(self.convert(value))
        return _from_host(np.full(shape, value, _DTYPES[dtype]))

    def full_like(self, x, value, dtype=None):
        return _from_host(np.full(x.shape, value, _DTYPES[dtype] if dtype else x.dtype))

    def arange(self, start, stop=None, step=1, dtype=None):
        start, stop = (0, start) if stop is None else (start, stop)
        dtype = dtype or (config.floatx() if float in map(type, (start, stop, step)) else 'int32')
        return _from_host(np.arange(start, stop, step).astype(_DTYPES[dtype]))

    def random_uniform(self, seed, shape, dtype):
        drawn = 'float64' if dtype == 'float64' else 'float32'
        values = _generator(seed).random(shape, drawn)
        if dtype == 'float16':
            # Rounding may reach 1.
            values = np.minimum(values, np.nextafter(np.float16(1), np.float16(0)))
        return _from_host(np.asarray(values, dtype))

    def random_normal(self, seed, shape, dtype):
        drawn = 'float64' if dtype == 'float64' else 'float32'
        return _from_host(np.asarray(_generator(seed).standard_normal(shape, drawn), dtype))

    def random_integers(self, seed, shape, minval, maxval, dtype):
        return _from_host(np.asarray(_generator(seed).integers(minval, maxval, shape), _DTYPES[dtype]))

    def random_permutation(self, seed, count):
        return _from_host(_generator(seed).permutation(count).astype('int32'))

    # --- elementwise -------------------------------------------------------------------------------------------

    negative, abs, sign = map(staticmethod, map(_op, ('_npi_negative', '_npi_absolute', '_npi_sign')))
    floor, exp, log, sqrt = map(staticmethod, (_floor, _exp, _log, _sqrt))
    sin, cos, tanh = map(staticmethod, map(_op, ('_npi_sin', '_npi_cos', '_npi_tanh')))
    arcsin, arctan, erf, erfinv = map(staticmethod, map(_op, ('_npi_arcsin', '_npi_arctan', '_npx_erf', '_npx_erfinv')))
    lgamma, logical_not, isfinite = map(staticmethod, map(_op, ('_npx_gammaln', '_npi_logical_not', '_npi_isfinite')))
    mod, power, equal, less, where = map(staticmethod, (_mod, _power, _equal, _less, _where))
    maximum, minimum = map(staticmethod, map(_op, ('_npi_maximum', '_npi_minimum')))
    arctan2, bitwise_and, bitwise_or, bitwise_xor = map(staticmethod, map(_op, (
        '_npi_arctan2', '_npi_bitwise_and', '_npi_bitwise_or', '_npi_bitwise_xor')))
    stop_gradient = staticmethod(_detached)

    def add(self, x, y):
        return _add(x, y) if type(y) is _Array else _add_scalar(x, scalar=y, is_int=type(y) is int)

    def subtract(self, x, y):
        return _subtract(x, y) if type(y) is _Array else _subtract_scalar(x, scalar=y, is_int=type(y) is int)

    def multiply(self, x, y):
        return _multiply(x, y) if type(y) is _Array else _multiply_scalar(x, scalar=y, is_int=type(y) is int)

    def divide(self, x, y):
        return _divide(x, y) if type(y) is _Array else _divide_scalar(x, scalar=y, is_int=type(y) is int)

    def logical_and(self, x, y):
        return _less(_zero, _multiply(x, y))

    def logical_or(self, x, y):
        return _add(x, y)

    def floor_divide(self, x, y):
        if x.dtype in _FLOATS:
            return _floor(_divide(x, y))
        return _integer_divide(_subtract(x, _mod(x, y)), y)

    def left_shift(self, x, y):
        return _multiply(x, _power(self.full_like(y, 2), y))

    def right_shift(self, x, y):
        return self.floor_divide(x, _power(self.full_like(y, 2), y))

    def round(self, x):
        """MXNet's own rounds halves down."""
        below = _floor(x)
        half = _equal(_subtract(x, below), self.full((), 0.5, _NAMES[x.dtype]))
        even = _multiply_scalar(_floor(_multiply_scalar(_add_scalar(below, scalar=1), scalar=0.5)), scalar=2)
        return _where(half, even, _rint(x))

    def digamma(self, x):
        """Recurrence up to 6, then the asymptotic series (Abramowitz and Stegun 6.3.18)."""
        shift = None
        for _ in range(6):
            small = _less(x, self.full((), 6.0, self.dtype_of(x)))
            part = _where(small, _divide(self.full_like(x, 1.0), x), self.full_like(x, 0.0))
            shift = part if shift is None else _add(shift, part)
            x = _add(x, _cast(small, dtype=self.dtype_of(x)))
        square = 1.0 / (x * x)
        return _log(x) - 0.5 / x - square * (1 / 12 - square * (1 / 120 - square / 252)) - shift

    def cast(self, x, dtype):
        return self.convert(x, dtype) if _NAMES[x.dtype] != dtype else x

    # --- reductions --------------------------------------------------------------------------------------------

    def sum(self, x, axis=None, keepdims=False):
        dtype = _DTYPES[sum_dtype(_NAMES[x.dtype])]
        return _as(x, dtype) if axis == () else _sum(_as(x, dtype), axis=axis, keepdims=keepdims)

    def prod(self, x, axis=None, keepdims=False):
        dtype = _DTYPES[sum_dtype(_NAMES[x.dtype])]
        if not x.size:
            shape = np.empty(x.shape).sum(axis, keepdims=keepdims).shape
            return self.full(shape, 1, dtype)
        return _as(x, dtype) if axis == () else _prod(_as(x, dtype), axis=axis, keepdims=keepdims)

    def max(self, x, axis=None, keepdims=False):
        return x if axis == () else _max(x, axis=axis, keepdims=keepdims)

    def min(self, x, axis=None, keepdims=False):
        return x if axis == () else _min(x, axis=axis, keepdims=keepdims)

    def argmax(self, x, axis=-1):
        return _as(_argmax(x, axis=axis), 'int32')

    def cumsum(self, x, axis=0):
        return _cumsum(_as(x, _DTYPES[sum_dtype(_NAMES[x.dtype])]), axis=axis % x.ndim)

    def cumprod(self, x, axis=0):
        """The products of runs of 1, 2, 4, ... elements (Hillis and Steele, 1986)."""
        x, axis, run = _as(x, _DTYPES[sum_dtype(_NAMES[x.dtype])]), axis % x.ndim, 1
        while run < x.shape[axis]:
            widths = [(run if index == axis else 0, 0) for index in range(x.ndim)]
            parts = (None,) * axis + (-run,)
            moved = _pad(_slice(x, begin=(None,) * (axis + 1), end=parts), widths, 1)
            x, run = _multiply(x, moved), run * 2
        return x

    # --- movement ----------------------------------------------------------------------------------------------

    def reshape(self, x, shape):
        if -1 in shape:
            known = int(np.prod([size for size in shape if size != -1]))
            shape = tuple(x.size // max(known, 1) if size == -1 else size for size in shape)
        return _reshape(x, newshape=tuple(shape))

    def transpose(self, x, axes=None):
        if axes is None:
            return _transpose(x)
        return _transpose(x, axes=tuple(axis % x.ndim for axis in axes)) if x.ndim else x

    def broadcast_to(self, x, shape):
        return _broadcast_to(x, shape=tuple(shape))

    def concatenate(self, xs, axis=-1):
        return _concatenate(*xs, axis=axis, num_args=len(xs))

    def strided_slice(self, x, starts, stops, steps):
        ranges = [range(*slice(*bounds).indices(size)) for bounds, size in zip(zip(starts, stops, steps), x.shape)]
        if not ranges:
            return x
        if not all(ranges) or not x.size:
            return self.full(tuple(map(len, ranges)) + x.shape[len(ranges):], 0, _NAMES[x.dtype])
        # Bounds within the axes: others confuse the kernel for floats.
        ends = tuple(r[-1] + (1 if r.step > 0 else -1) for r in ranges)
        return _slice(x, begin=tuple(r[0] for r in ranges), end=tuple(end if end >= 0 else None for end in ends),
                      step=tuple(r.step for r in ranges))

    pad = staticmethod(_pad)

    def flip(self, x, axes):
        return _flip(x, axis=tuple(axis % x.ndim for axis in axes))

    def gather(self, x, indices, axis=0):
        return _take(x, indices, axis=axis)

    def gather_nd(self, x, indices):
        return _gathered(x, _transpose(indices, axes=(indices.ndim - 1,) + tuple(range(indices.ndim - 1))))

    def scatter_add(self, x, indices, updates):
        updates = _broadcast_to(updates, shape=indices.shape + x.shape[1:])
        return _add(x, _spread(updates, _reshape(indices, newshape=(1,) + indices.shape), shape=x.shape))

    def scatter_update(self, x, indices, updates):
        updates = _broadcast_to(updates, shape=indices.shape + x.shape[1:])
        indices = _reshape(indices, newshape=(1,) + indices.shape)
        changed = _spread(self.full_like(updates, 1), indices, shape=x.shape)
        return _where(changed, _spread(updates, indices, shape=x.shape), x)

    def scatter_max(self, x, indices, updates):
        """Every slice of `x` is compared with all updates, of which those of other slices count as the lowest."""
        updates = _broadcast_to(updates, shape=indices.shape + x.shape[1:])
        updates = _reshape(updates, newshape=(1, indices.size) + x.shape[1:])
        own = _equal(_reshape(indices, newshape=(1, -1)), self.arange(x.shape[0], dtype=_NAMES[indices.dtype])
                     .reshape(-1, 1))
        own = _reshape(own, newshape=own.shape + (1,) * (x.ndim - 1))
        lowest = -np.inf if x.dtype in _FLOATS else np.iinfo(x.dtype).min
        return self.maximum(x, _max(_where(own, updates, self.full((), lowest, _NAMES[x.dtype])), axis=1))

    # --- contraction, windows, order -----------------------------------------------------------------------------

    def matmul(self, x, y):
        if x.ndim > 2 and y.ndim > 2 and x.shape[:-2] != y.shape[:-2]:
            # MXNet's gradient does not add up what it has broadcast.
            x, y = _same_batch(x, y)
        return _matmul(x, y)

    def conv(self, x, kernel, strides, padding, dilation, groups=1):
        return _channels_last(_convolved(_channels_first(x), kernel, strides, padding, dilation, groups))

    def conv_transpose(self, x, kernel, strides, padding, dilation, output_size):
        return _channels_last(_transposed(_channels_first(x), kernel, strides, padding, dilation, output_size))

    def pool(self, x, size, strides, padding, mode):
        return _channels_last(_pooled(_channels_first(x), size, strides, padding, mode))

    def top_k(self, x, k):
        return _topk(x, k=k, ret_typ='both', dtype='int32')

    def sort(self, x, axis=-1):
        return _sort(x, axis=axis)

    def argsort(self, x, axis=-1):
        return _argsort(x, axis=axis, dtype='int32')

    def searchsorted(self, x, values, side='left'):
        compare = _less if side == 'left' else _less_equal
        below = compare(x, _reshape(values, newshape=values.shape + (1,)))
        return _sum(_cast(below, dtype='int32'), axis=-1)

    # --- linear algebra ------------------------------------------------------------------------------------------

    cholesky = _in_float32(_op('linalg_potrf'))

    @_in_float32
    def solve(a, b):
        return _solve(*_same_batch(a, b))

    @_in_float32
    def triangular_solve(a, b, lower=True):
        return _triangular_solve(*_same_batch(a, b), lower=lower)

    @_in_float32
    def qr(x):
        """From the LQ decomposition of the transposed matrix; for wide ones, of its first columns."""
        rows, columns = x.shape[-2:]
        square = x if rows >= columns else _slice(x, begin=(None,) * x.ndim, end=(None,) * (x.ndim - 1) + (rows,))
        q, lower = _lq(_swapped(square))
        q = _swapped(q)
        return [q, _swapped(lower) if rows >= columns else _matmul(_swapped(q), x)]

    @_in_float32
    def svd(x):
        if x.shape[-2] <= x.shape[-1]:
            return list(_svd(x))
        u, s, v = _svd(_swapped(x))
        return [_swapped(v), s, _swapped(u)]

    eigh = _in_float32(lambda x: list(_eigh(x)))

    @_in_float32
    def fft(real, imaginary):
        """As a product with the matrix of the transform."""
        n = real.shape[-1]
        angles = -2 * np.pi * (np.outer(np.arange(n), np.arange(n)) % n) / n
        c, s = (_from_host(part.astype(real.dtype)) for part in (np.cos(angles), np.sin(angles)))
        return [_subtract(_matmul(real, c), _matmul(imaginary, s)), _add(_matmul(real, s), _matmul(imaginary, c))]

    # --- control ---------------------------------------------------------------------------------------------------

    def scan(self, step, init, xs, length=None, reverse=False):
        columns = [_unstacked(x) for x in tree.flatten(xs)]
        count = len(columns[0]) if columns else length
        carry, outputs = init, [None] * count
        for index in reversed(range(count)) if reverse else range(count):
            carry, outputs[index] = step(carry, tree.pack_as(xs, [column[index] for column in columns]))
        stacked = [self.stack(parts) for parts in zip(*map(tree.flatten, outputs))]
        return carry, tree.pack_as(outputs[0], stacked) if outputs else []

    def cond(self, predicate, then, otherwise, operands):
        # Which branch to take is only known once the device has computed it.
        return then(*operands) if predicate.asnumpy() else otherwise(*operands)

    def while_loop(self, condition, body, init, maximum_iterations=None):
        values, count = list(init), 0
        while (maximum_iterations is None or count < maximum_iterations) and condition(*values).asnumpy():
            values, count = list(body(*values)), count + 1
        return values


_max, _min, _prod = _op('_np_max'), _op('_np_min'), _op('_np_prod')
_argmax, _cumsum = _through(_op('_npi_argmax'), bool='uint8'), _op('_np_cumsum')
_broadcast_to = _op('_npi_broadcast_to')
_topk = _through(_op('topk', axis=-1), bool='uint8', float16='float32')
_sort = _through(_op('sort'), bool='uint8', float16='float32')
_argsort = _through(_op('argsort'), bool='uint8', float16='float32')
_zeros_like = _op('zeros_like')
_integer_divide = _op('broadcast_div')
_matmul = _through(_op('_npi_matmul'), float16='float32', bool='float32', int8='float32', uint8='float32',
                   int32='float64', int64='float64')
_solve, _triangular_solve, _lq = _op('_npi_solve'), _op('linalg_trsm'), _op('linalg_gelqf')
_svd, _eigh = _op('_npi_svd'), _op('_npi_eigh')
_zero = _from_host(np.zeros((), 'bool'))


def _on_tape(x):
    """Whether gradients can flow into `x`."""
    try:
        return autograd.get_symbol(x)
    except mx.MXNetError:
        return None


def _gradients(value, leaves, buffers):
    """The gradient of a scalar by each of the leaves, None for one that it does not depend on."""
    graph = _on_tape(value)
    if graph is None:
        return [None] * len(leaves)
    reached = set(graph.list_inputs())
    names = [autograd.get_symbol(leaf).name for leaf in leaves]
    if reached.intersection(names):
        autograd.backward([value])
    return [buffer if name in reached else None for name, buffer in zip(names, buffers)]


def _constants(structure):
    """`structure` without the graph that gradients would need."""
    return tree.map_structure(lambda x: x.detach() if isinstance(x, _Array) else x, structure)


def _swapped(x):
    return _transpose(x, axes=tuple(range(x.ndim - 2)) + (x.ndim - 1, x.ndim - 2))


def _unstacked(x):
    """The slices of `x` along its first axis."""
    return _one_or_many(_split(x, indices=(), axis=0, squeeze_axis=True, sections=x.shape[0]))


def _same_batch(a, b):
    """Matrices `a` and `b` with the axes in front of them broadcast."""
    batch = np.broadcast(np.empty(a.shape[:-2]), np.empty(b.shape[:-2])).shape
    return [x if x.shape[:-2] == batch else _broadcast_to(x, shape=batch + x.shape[-2:]) for x in (a, b)]


# --- images, channels first ---------------------------------------------------------------------------------------

def _convolved(x, kernel, strides, padding, dilation, groups=1, bias=None):
    """The correlation of `x` (batch, channels, spatial...) with `kernel` (spatial..., in, out)."""
    rank, before = kernel.ndim - 2, (0,) * (kernel.ndim - 2)
    if padding == 'same':
        widths = _same_padding(x.shape[2:], kernel.shape, strides, dilation)
        if all(first == last for first, last in widths):
            before = tuple(first for first, _ in widths)
        else:
            x = _pad(x, [(0, 0), (0, 0)] + widths)
    weight = _transpose(kernel, axes=(rank + 1, rank) + tuple(range(rank)))
    arrays = (x, weight) if bias is None else (x, weight, bias)
    return _convolution(*arrays, kernel=kernel.shape[:-2], stride=tuple(strides), dilate=tuple(dilation), pad=before,
                        num_filter=kernel.shape[-1], num_group=groups, no_bias=bias is None)


def _transposed(x, kernel, strides, padding, dilation, output_size):
    """The gradient of `_convolved` by its input: `kernel` (spatial..., out, in).

    MXNet's operator fails in its gradient by a kernel that is not an argument but a result: a convolution of `x` with
    zeros between its elements does the same.
    """
    rank, widths = kernel.ndim - 2, []
    for n, w, s, d, out in zip(x.shape[2:], kernel.shape, strides, dilation, output_size):
        extent = (w - 1) * d + 1
        crop = max((n - 1) * s + extent - out, 0) // 2 if padding == 'same' else 0
        widths.append((extent - 1 - crop, out + crop - (n - 1) * s - 1))
    x = _pad(_spaced(x, strides), [(0, 0), (0, 0)] + [(max(before, 0), max(after, 0)) for before, after in widths])
    begin = tuple(max(-before, 0) for before, _ in widths)
    end = tuple(min(after, 0) or None for _, after in widths)
    if any(begin) or any(end):
        x = _slice(x, begin=(None, None) + begin, end=(None, None) + end)
    weight = _transpose(_flip(kernel, axis=tuple(range(rank))), axes=(rank, rank + 1) + tuple(range(rank)))
    return _convolution(x, weight, kernel=kernel.shape[:-2], stride=(1,) * rank, dilate=tuple(dilation),
                        pad=(0,) * rank, num_filter=kernel.shape[-2], no_bias=True)


def _spaced(x, strides):
    """`x` (batch, channels, spatial...) with `stride - 1` zeros between neighbours."""
    if all(stride == 1 for stride in strides):
        return x
    for axis, stride in enumerate(strides, 2):
        rest = int(np.prod(x.shape[axis + 1:]))
        rows = _pad(_reshape(x, newshape=(-1, rest)), ((0, 0), (0, rest * (stride - 1))))
        shape = x.shape[:axis] + (x.shape[axis] * stride,) + x.shape[axis + 1:]
        x = _reshape(rows, newshape=shape)
    return _slice(x, begin=(None,) * x.ndim, end=(None, None) + tuple(1 - stride or None for stride in strides))


def _pooled(x, size, strides, padding, mode):
    """The maximum or mean of windows of `x` (batch, channels, spatial...)."""
    if x.dtype not in _FLOATS:
        return _cast(_pooled(_cast(x, dtype='float64'), size, strides, padding, mode), dtype=_NAMES[x.dtype])
    ones = (1,) * len(size)
    widths = _same_padding(x.shape[2:], size, strides, ones) if padding == 'same' else [(0, 0)] * len(size)
    arguments = {'kernel': tuple(size), 'stride': tuple(strides), 'pool_type': mode}
    if all(first == last for first, last in widths):
        return _pooling(x, pad=tuple(first for first, _ in widths), count_include_pad=False, **arguments)
    padded = _pad(x, [(0, 0), (0, 0)] + widths, -np.inf if mode == 'max' else 0)
    y = _pooling(padded, pad=(0,) * len(size), count_include_pad=True, **arguments)
    return y if mode == 'max' else _multiply(y, _share_of_padding(x, size, strides))


def _share_of_padding(x, size, strides):
    """The size of each window divided by the number of its elements that are not padding."""
    result = np.ones((1, 1) + (1,) * len(size))
    for axis, (n, w, s) in enumerate(zip(x.shape[2:], size, strides)):
        (before, _), = _same_padding((n,), (w,), (s,), (1,))
        starts = np.arange(window_length(n, w, s, 'same')) * s - before
        inside = np.minimum(starts + w, n) - np.maximum(starts, 0)
        shape = [1] * result.ndim
        shape[axis + 2] = len(inside)
        result = result * (w / inside).reshape(shape)
    return _from_host(result.astype(x.dtype))


ENGINE = MXNetEngine()
