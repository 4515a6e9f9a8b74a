"""The NumPy engine: inference without any other package, and the plain reference of the conformance suite.

Rules this file obeys: no gradients; plain expressions, no speed tricks; every function as in the op table.
"""
import itertools
import math

import numpy as np

from keras.backend.contract import tree
from keras.backend.contract.engine import Capabilities, Engine
from keras.backend.contract.rules import (complex_dtype, host_array, name_of, numpy_dtype, sum_dtype, transposed_length,
                                          window_length)

_erf = np.vectorize(math.erf, otypes=[np.float64])
_lgamma = np.vectorize(math.lgamma, otypes=[np.float64])


def _float_function(function):
    """`function` computed by Python's math in float64, in the dtype of its argument."""
    return staticmethod(lambda x: function(np.asarray(x, 'float64')).astype(x.dtype).reshape(np.shape(x)))


def _erfinv(y):
    """Newton's iteration on erf, from Winitzki's approximation (2008)."""
    with np.errstate(divide='ignore', invalid='ignore'):
        logarithm = np.log1p(-y * y)
        half = 2 / (np.pi * 0.147) + logarithm / 2
        x = np.sign(y) * np.sqrt(np.sqrt(half * half - logarithm / 0.147) - half)
        for _ in range(4):
            x = np.where(np.isfinite(x), x - (_erf(x) - y) * np.sqrt(np.pi) / 2 * np.exp(x * x), x)
    return np.where(np.abs(y) == 1, np.sign(y) * np.inf, np.where(np.abs(y) > 1, np.nan, x))


def _digamma(x):
    """Recurrence up to 6, then the asymptotic series (Abramowitz and Stegun 6.3.18)."""
    x = np.array(x, 'float64')
    shift = np.zeros_like(x)
    for _ in range(6):
        small = x < 6
        shift = np.where(small, shift - 1 / x, shift)
        x = np.where(small, x + 1, x)
    square = 1 / (x * x)
    return shift + np.log(x) - 0.5 / x - square * (1 / 12 - square * (1 / 120 - square / 252))


def _beside_scalars(function):
    """`function` of a tensor and a Python scalar; NumPy before 2 has two scalars make float64, whatever they were."""
    def run(x, y):
        return function(x, x.dtype.type(y) if type(y) in (int, float) else y)
    return staticmethod(function if int(np.__version__.split('.')[0]) >= 2 else run)


def _clip(x, x_min, x_max):
    bounds = [x.dtype.type(bound) if type(bound) in (int, float) else bound for bound in (x_min, x_max)]
    return x if x_min is None and x_max is None else np.clip(x, *bounds)


def _over_axes(function):
    """A function of the library with the arguments that reductions have here."""
    def reduced(x, axis=None, keepdims=False):
        return function(x, axis, keepdims=keepdims)
    return reduced


class NumpyEngine(Engine):
    name = 'numpy'
    # What is one call of NumPy's as well.
    overrides = dict({name: getattr(np, name) for name in (
        'log1p', 'expm1', 'square', 'cbrt', 'sinh', 'cosh', 'arcsinh', 'arccosh', 'arctanh', 'logaddexp', 'stack',
        'tril', 'triu', 'diag', 'diagonal', 'outer')}, clip=_clip,
        **{name: _over_axes(getattr(np, name)) for name in ('var', 'std', 'any', 'all')})
    capabilities = Capabilities(
        gradients=False, compiled=False, dynamic_sizes=True,
        dtypes=('bool', 'int8', 'int16', 'int32', 'int64', 'uint8', 'uint16', 'uint32', 'uint64', 'float16',
                'float32', 'float64', 'complex64', 'complex128'),
        unsupported={'value_and_grad': 'it has no gradients; choose any other engine for training '
                                       '(KERAS_BACKEND=... or keras.backend.set_backend(...))'})
    float_dtypes = {np.dtype('float16'), np.dtype('float32'), np.dtype('float64')}

    # --- tensors ---------------------------------------------------------------------------------------------

    def is_native(self, x):
        return isinstance(x, (np.ndarray, np.generic))

    def adapted(self, x, dtype):
        if x.dtype.kind == 'O':
            return self.from_host(*host_array(x, dtype))
        return np.asarray(x, None if dtype in (None, 'string') else numpy_dtype(dtype))

    def from_host(self, array, dtype):
        return np.array(array, None if dtype == 'string' else numpy_dtype(dtype))

    def to_numpy(self, x):
        return np.asarray(x)

    def dtype_of(self, x):
        return name_of(x.dtype) if x.dtype.kind not in 'USO' else 'string'

    def shape_of(self, x):
        return x.shape

    def out_of_place(self, function):
        def run(*args, **kwargs):
            args, kwargs = tree.map_structure(lambda leaf: leaf.copy() if isinstance(leaf, np.ndarray) else leaf,
                                              [list(args), dict(kwargs)])
            return function(*args, **kwargs)
        return run

    def new_variable(self, value, variable):
        return np.array(value, dtype=numpy_dtype(variable.dtype))

    def load(self, storage):
        return storage

    def store(self, storage, value):
        # A copy, so that nothing the caller holds changes with the variable.
        return np.array(value)

    # --- creation ---------------------------------------------------------------------------------------------

    def full(self, shape, value, dtype=None):
        return np.full(shape, value, dtype and numpy_dtype(dtype) or self.convert(value).dtype)

    def full_like(self, x, value, dtype=None):
        return np.full(np.shape(x), value, numpy_dtype(dtype) if dtype else x.dtype)

    def arange(self, start, stop=None, step=1, dtype=None):
        start, stop = (0, start) if stop is None else (start, stop)
        return self.convert(np.arange(start, stop, step).tolist(), dtype)

    def _generator(self, seed):
        return np.random.Generator(np.random.Philox(key=[int(seed[0]), int(seed[1])]))

    def random_uniform(self, seed, shape, dtype):
        return self._generator(seed).random(shape).astype(numpy_dtype(dtype))

    def random_normal(self, seed, shape, dtype):
        return self._generator(seed).standard_normal(shape).astype(numpy_dtype(dtype))

    def random_integers(self, seed, shape, minval, maxval, dtype):
        return self._generator(seed).integers(minval, maxval, shape).astype(numpy_dtype(dtype))

    def random_permutation(self, seed, count):
        return self._generator(seed).permutation(count).astype('int32')

    # --- elementwise -------------------------------------------------------------------------------------------

    real, imag = staticmethod(np.real), staticmethod(np.imag)
    negative, abs, sign, floor = map(staticmethod, (np.negative, np.abs, np.sign, np.floor))
    round, exp, log, sqrt = map(staticmethod, (np.rint, np.exp, np.log, np.sqrt))
    sin, cos, tanh, arcsin, arctan = map(staticmethod, (np.sin, np.cos, np.tanh, np.arcsin, np.arctan))
    logical_not, isfinite = map(staticmethod, (np.logical_not, np.isfinite))
    erf, lgamma = _float_function(_erf), _float_function(_lgamma)
    erfinv, digamma = _float_function(_erfinv), _float_function(_digamma)
    add, subtract, multiply, divide = map(_beside_scalars, (np.add, np.subtract, np.multiply, np.divide))
    floor_divide, mod, power = map(staticmethod, (np.floor_divide, np.mod, np.power))
    maximum, minimum, arctan2 = map(staticmethod, (np.maximum, np.minimum, np.arctan2))
    equal, less, logical_and = map(staticmethod, (np.equal, np.less, np.logical_and))
    logical_or, where = map(staticmethod, (np.logical_or, np.where))
    bitwise_and, bitwise_or, bitwise_xor = map(staticmethod, (np.bitwise_and, np.bitwise_or, np.bitwise_xor))
    left_shift, right_shift = map(staticmethod, (np.left_shift, np.right_shift))

    def stop_gradient(self, x):
        return x

    def cast(self, x, dtype):
        return np.asarray(x).astype(numpy_dtype(dtype))

    def view(self, x, dtype):
        return np.ascontiguousarray(x).reshape(np.shape(x)).view(numpy_dtype(dtype))

    def complex_number(self, real, imaginary):
        return (real + 1j * imaginary).astype(complex_dtype(self.dtype_of(real)))

    # --- reductions --------------------------------------------------------------------------------------------

    def sum(self, x, axis=None, keepdims=False):
        return np.sum(x, axis, dtype=sum_dtype(self.dtype_of(x)), keepdims=keepdims)

    def prod(self, x, axis=None, keepdims=False):
        return np.prod(x, axis, dtype=sum_dtype(self.dtype_of(x)), keepdims=keepdims)

    def max(self, x, axis=None, keepdims=False):
        return np.max(x, axis, keepdims=keepdims)

    def min(self, x, axis=None, keepdims=False):
        return np.min(x, axis, keepdims=keepdims)

    def argmax(self, x, axis=-1):
        return np.asarray(np.argmax(x, axis), 'int32')

    def cumsum(self, x, axis=0):
        return np.cumsum(x, axis, dtype=sum_dtype(self.dtype_of(x)))

    def cumprod(self, x, axis=0):
        return np.cumprod(x, axis, dtype=sum_dtype(self.dtype_of(x)))

    # --- movement ----------------------------------------------------------------------------------------------

    reshape, transpose, broadcast_to = map(staticmethod, (np.reshape, np.transpose, np.broadcast_to))
    flip = staticmethod(np.flip)

    def concatenate(self, xs, axis=-1):
        return np.concatenate(xs, axis)

    def strided_slice(self, x, starts, stops, steps):
        return x[tuple(slice(*bounds) for bounds in zip(starts, stops, steps))]

    def pad(self, x, widths, value=0):
        return np.pad(x, widths, mode='constant', constant_values=value)

    def gather(self, x, indices, axis=0):
        if np.min(indices, initial=0) < 0:
            raise IndexError('gather: the index %d is out of range; positions count from 0' % np.min(indices))
        return np.take(x, indices, axis)

    def gather_nd(self, x, indices):
        return x[tuple(np.moveaxis(indices, -1, 0))]

    def scatter_add(self, x, indices, updates):
        result = np.array(x)
        np.add.at(result, indices, updates)
        return result

    def scatter_update(self, x, indices, updates):
        result = np.array(x)
        result[indices] = updates
        return result

    def scatter_max(self, x, indices, updates):
        result = np.array(x)
        np.maximum.at(result, indices, updates)
        return result

    # --- contraction, windows, order -----------------------------------------------------------------------------

    matmul = staticmethod(np.matmul)

    @staticmethod
    def _windows(x, size, strides, padding, dilation, fill):
        """Yield (offsets of a window element, its values at every window), and the number of windows."""
        counts = [window_length(n, w, s, padding, d)
                  for n, w, s, d in zip(x.shape[1:-1], size, strides, dilation)]
        widths = [(0, 0)] * x.ndim
        for axis, (n, w, s, d, count) in enumerate(zip(x.shape[1:-1], size, strides, dilation, counts), 1):
            total = max((count - 1) * s + (w - 1) * d + 1 - n, 0) if padding == 'same' else 0
            widths[axis] = (total // 2, total - total // 2)
        x = np.pad(x, widths, mode='constant', constant_values=fill)
        for offsets in itertools.product(*map(range, size)):
            window = tuple(slice(o * d, o * d + (count - 1) * s + 1, s)
                           for o, d, s, count in zip(offsets, dilation, strides, counts))
            yield offsets, x[(slice(None),) + window]

    def conv(self, x, kernel, strides, padding, dilation, groups=1):
        result = 0
        for offsets, part in self._windows(x, kernel.shape[:-2], strides, padding, dilation, 0):
            weights = kernel[offsets]
            grouped = zip(np.split(part, groups, -1), np.split(weights, groups, -1))
            result = result + np.concatenate([np.matmul(p, w) for p, w in grouped], -1)
        return result

    def conv_transpose(self, x, kernel, strides, padding, dilation, output_size):
        spatial = []
        for n, w, s, d, out in zip(x.shape[1:-1], kernel.shape, strides, dilation, output_size):
            full = max(transposed_length(n, w, s, 'valid', dilation=d), (n - 1) * s + (w - 1) * d + 1)
            before = max((n - 1) * s + (w - 1) * d + 1 - out, 0) // 2 if padding == 'same' else 0
            spatial.append((max(full, before + out), before, out))
        result = np.zeros(x.shape[:1] + tuple(s[0] for s in spatial) + kernel.shape[-2:-1], x.dtype)
        for offsets in itertools.product(*map(range, kernel.shape[:-2])):
            window = tuple(slice(o * d, o * d + (n - 1) * s + 1, s)
                           for o, d, s, n in zip(offsets, dilation, strides, x.shape[1:-1]))
            result[(slice(None),) + window] += np.matmul(x, kernel[offsets].T)
        return result[(slice(None),) + tuple(slice(before, before + out) for _, before, out in spatial)]

    def pool(self, x, size, strides, padding, mode):
        ones = (1,) * len(size)
        if mode == 'max':
            lowest = -np.inf if x.dtype.kind == 'f' else np.iinfo(x.dtype).min
            parts = [part for _, part in self._windows(x, size, strides, padding, ones, lowest)]
            return np.maximum.reduce(parts)
        total = sum(part for _, part in self._windows(x, size, strides, padding, ones, 0))
        count = sum(part for _, part in self._windows(np.ones_like(x), size, strides, padding, ones, 0))
        return total / count

    def top_k(self, x, k):
        order = np.argsort(-x, axis=-1, kind='stable')[..., :k]
        return [np.take_along_axis(x, order, -1), order.astype('int32')]

    def sort(self, x, axis=-1):
        return np.sort(x, axis)

    def argsort(self, x, axis=-1):
        return np.argsort(x, axis, kind='stable').astype('int32')

    def searchsorted(self, x, values, side='left'):
        return np.searchsorted(x, values, side).astype('int32')

    # --- linear algebra ------------------------------------------------------------------------------------------

    cholesky, solve = staticmethod(np.linalg.cholesky), staticmethod(np.linalg.solve)

    def triangular_solve(self, a, b, lower=True):
        return np.linalg.solve(np.tril(a) if lower else np.triu(a), b)

    def qr(self, x):
        # NumPy before 1.22 takes single matrices only.
        parts = [np.linalg.qr(matrix) for matrix in x.reshape((-1,) + x.shape[-2:])]
        return [np.stack(part).reshape(x.shape[:-2] + part[0].shape) for part in zip(*parts)]

    def svd(self, x):
        return list(np.linalg.svd(x, full_matrices=False))

    def eig(self, x):
        return [part.astype(complex_dtype(self.dtype_of(x))) for part in np.linalg.eig(x)]

    def eigh(self, x):
        return list(np.linalg.eigh(x))

    def fft(self, real, imaginary):
        result = np.fft.fft(real + 1j * imaginary)
        return [result.real.astype(real.dtype), result.imag.astype(real.dtype)]

    # --- control ---------------------------------------------------------------------------------------------------

    def scan(self, step, init, xs, length=None, reverse=False):
        leaves = tree.flatten(xs)
        count = len(leaves[0]) if leaves else length
        carry, outputs = init, [None] * count
        for index in reversed(range(count)) if reverse else range(count):
            carry, outputs[index] = step(carry, tree.map_structure(lambda x: x[index], xs))
        stacked = [np.stack(parts) for parts in zip(*map(tree.flatten, outputs))]
        return carry, tree.pack_as(outputs[0], stacked) if outputs else []

    def cond(self, predicate, then, otherwise, operands):
        return then(*operands) if predicate else otherwise(*operands)

    def loops_at_once(self):
        return True

    def while_loop(self, condition, body, init, maximum_iterations=None):
        values, count = list(init), 0
        while condition(*values) and (maximum_iterations is None or count < maximum_iterations):
            values, count = list(body(*values)), count + 1
        return values


ENGINE = NumpyEngine()
