"""MXNet itself, its operators by their names, and arrays made from the host's."""
import ctypes
import sys
import threading
import types
import warnings

import numpy as np

from keras.backend.contract import tree


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
from mxnet import autograd  # noqa: E402, F401
from mxnet.base import _LIB, OpHandle, check_call  # noqa: E402
from mxnet.ndarray._internal import _imperative_invoke  # noqa: E402

mx.npx.set_np()
# 2: in all threads.
check_call(_LIB.MXSetIsNumpyShape(ctypes.c_int(2), ctypes.byref(ctypes.c_int())))

Array = mx.np.ndarray
DTYPES = {name: name for name in ('bool', 'int8', 'int32', 'int64', 'uint8', 'float16', 'float32', 'float64')}
# MXNet has no others: the next type that holds the same numbers stands for them.
DTYPES.update({'int16': 'int32', 'uint16': 'int32', 'uint32': 'int64', 'uint64': 'int64'})
NAMES = {np.dtype(name): name for name in set(DTYPES.values())}
CODES = {np.dtype(name): code for code, name in enumerate(
    ('float32', 'float64', 'float16', 'uint8', 'int32', 'int8', 'int64', 'bool'))}
HALF = np.dtype('float16')
FLOATS = {HALF, np.dtype('float32'), np.dtype('float64')}
DEVICE = mx.gpu(0) if mx.context.num_gpus() else mx.cpu()
DEVICE_TYPE, DEVICE_ID = ctypes.c_int(DEVICE.device_typeid), ctypes.c_int(DEVICE.device_id)


class _Tracing(threading.local):
    """Per thread: the trace that is being made (see `steps.py`), or None."""
    trace = None


tracing = _Tracing()


def op(operator, **fixed):
    """The operator of that name as a function of arrays and attributes."""
    handle = OpHandle()
    check_call(_LIB.NNGetOpHandle(operator.encode(), ctypes.byref(handle)))
    handle = handle.value

    def run(*arrays, **attributes):
        attributes.update(fixed)
        if tracing.trace is not None:
            tracing.trace.know(arrays)
        return _imperative_invoke(handle, arrays, attributes.keys(), attributes.values(), None, True, False)
    return run


def through(run, **stand_ins):
    """`run`, which lacks dtypes, computed in the dtypes that stand in for them: `bool='uint8'`."""
    stand_ins = {np.dtype(name): other for name, other in stand_ins.items()}

    def through(x, *more, **attributes):
        other = stand_ins.get(x.dtype)
        if other is None:
            return run(x, *more, **attributes)
        lacking, name = x.dtype, NAMES[x.dtype]
        result = run(*[cast(part, dtype=other) if isinstance(part, Array) and part.dtype == lacking else part
                       for part in (x,) + more], **attributes)
        back = np.dtype(other)
        return tree.map_structure(lambda part: cast(part, dtype=name) if part.dtype == back else part, result)
    return through


add, add_scalar = op('_npi_add'), op('_npi_add_scalar')
subtract, subtract_scalar = op('_npi_subtract'), op('_npi_subtract_scalar')
multiply, multiply_scalar = op('_npi_multiply'), op('_npi_multiply_scalar')
divide, divide_scalar = op('_npi_true_divide'), op('_npi_true_divide_scalar')
mod, power, exp, log = op('_npi_mod'), op('_npi_power'), op('_npi_exp'), op('_npi_log')
sqrt, floor, rint, sum_ = op('_npi_sqrt'), op('_npi_floor'), op('_npi_rint'), op('_np_sum')
less, less_equal, equal, where = (op('_npi_less'), op('_npi_less_equal'), op('_npi_equal'), op('_npi_where'))
cast, copy, detached = op('_npi_cast'), op('_copy'), op('BlockGrad')
reshape, transpose = op('_np_reshape'), through(op('_np_transpose'), bool='uint8')
stack, concatenate = op('_npi_stack'), op('_npi_concatenate')
split, flip = through(op('_split_v2'), bool='uint8'), through(op('_npi_flip'), bool='uint8')
slice_, take = op('slice'), op('take', mode='wrap')
clip = op('clip')
convolution, pooling = through(op('Convolution'), float16='float32'), op('Pooling')
gathered, spread = op('gather_nd'), op('_backward_gather_nd')
max_, min_, prod = op('_np_max'), op('_np_min'), op('_np_prod')
argmax, cumsum = through(op('_npi_argmax'), bool='uint8'), op('_np_cumsum')
broadcast_to = op('_npi_broadcast_to')
topk = through(op('topk', axis=-1), bool='uint8', float16='float32')
sort = through(op('sort'), bool='uint8', float16='float32')
argsort = through(op('argsort'), bool='uint8', float16='float32')
activation, tanh, where_alike = op('Activation'), op('_npi_tanh'), op('where')
zeros_like, negative, reciprocal = op('zeros_like'), op('_npi_negative'), op('_npi_reciprocal')
integer_divide = op('broadcast_div')
matmul = through(op('_npi_matmul'), float16='float32', bool='float32', int8='float32', uint8='float32',
                   int32='float64', int64='float64')
solve, triangular_solve, lq = op('_npi_solve'), op('linalg_trsm'), op('linalg_gelqf')
svd, eigh = op('_npi_svd'), op('_npi_eigh')


def from_host(array):
    """A tensor with a copy of a NumPy array."""
    name = array.dtype.name
    if name not in DTYPES:
        if array.dtype.kind not in 'iuf' or name == 'bfloat16':
            raise TypeError('the mxnet engine has no tensors of dtype %s. The usual cause: strings or ragged lists; '
                            'turn them into numbers first' % array.dtype)
        name = 'float64' if array.dtype.kind == 'f' else 'int64'
    array = np.require(array, DTYPES[name], ['C', 'A'])
    shape, handle = array.shape, ctypes.c_void_p()
    check_call(_LIB.MXNDArrayCreateEx64(
        (ctypes.c_int64 * len(shape))(*shape), ctypes.c_int(len(shape)), DEVICE_TYPE, DEVICE_ID, ctypes.c_int(0),
        ctypes.c_int(CODES[array.dtype]), ctypes.byref(handle)))
    result = Array(handle=handle)
    if array.size:
        check_call(_LIB.MXNDArraySyncCopyFromCPU(handle, ctypes.c_void_p(array.ctypes.data),
                                                 ctypes.c_size_t(array.size)))
    return result


def as_(x, dtype):
    """`x` in the dtype of that name."""
    return x if NAMES[x.dtype] == dtype else cast(x, dtype=dtype)


def one_or_many(result):
    return result if isinstance(result, list) else [result]


def pad(x, widths, value=0):
    if not any(before or after for before, after in widths):
        return x
    if not 1 < x.ndim < 6:
        # Ranks that MXNet does not pad: one axis at a time.
        for axis, (before, after) in enumerate(widths):
            shape = x.shape
            rows = reshape(x, newshape=(int(np.prod(shape[:axis])), shape[axis], int(np.prod(shape[axis + 1:]))))
            rows = pad(rows, ((0, 0), (before, after), (0, 0)), value)
            x = reshape(rows, newshape=shape[:axis] + rows.shape[1:2] + shape[axis + 1:])
        return x
    return padded(x, pad_width=tuple(widths), constant_value=float(value))


padded = op('_npi_pad', mode='constant')


def swapped(x):
    return transpose(x, axes=tuple(range(x.ndim - 2)) + (x.ndim - 1, x.ndim - 2))


def unstacked(x):
    """The slices of `x` along its first axis."""
    return one_or_many(split(x, indices=(), axis=0, squeeze_axis=True, sections=x.shape[0]))


def same_batch(a, b):
    """Matrices `a` and `b` with the axes in front of them broadcast."""
    batch = np.broadcast(np.empty(a.shape[:-2]), np.empty(b.shape[:-2])).shape
    return [x if x.shape[:-2] == batch else broadcast_to(x, shape=batch + x.shape[-2:]) for x in (a, b)]


