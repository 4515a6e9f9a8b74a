"""The PyTorch engine: eager, in place, on the GPU where there is one.

Rules this file obeys: a primitive that PyTorch has under another name is that function itself, so that the
dispatcher's cost is all the cost; images stay channels-last in memory and are handed to PyTorch's kernels as
permuted views; a variable is a leaf tensor that is written in place.
"""
import functools
import threading

import numpy as np
import torch
from torch.nn import functional

from keras import config
from keras.backend import tree
from keras.backend.composites.conv import convolution_arguments, restored
from keras.backend.composites.random import draw_seed
from keras.backend.engine import Capabilities, Engine
from keras.backend.rules import AbstractTensor, sum_dtype
from keras.backend.state import Ledger, context

_DTYPES = {name: getattr(torch, name) for name in (
    'bool', 'int8', 'int16', 'int32', 'int64', 'uint8', 'float16', 'bfloat16', 'float32', 'float64', 'complex64',
    'complex128')}
# PyTorch before 2.3 has no wide unsigned integers: the next signed type holds the same numbers.
for _name, _wider in (('uint16', torch.int32), ('uint32', torch.int64), ('uint64', torch.int64)):
    _DTYPES[_name] = getattr(torch, _name, _wider)
_NAMES = {dtype: name for name, dtype in reversed(list(_DTYPES.items()))}
_FLOATS = {torch.float16, torch.bfloat16, torch.float32, torch.float64}
_HALVES = {torch.float16, torch.bfloat16}
_INDEX_TYPES = {torch.int32, torch.int64}
_SUMS = {_DTYPES[name]: _DTYPES[sum_dtype(name)] for name in _DTYPES}
_CUDA = torch.cuda.is_available()
_DEVICE = torch.device('cuda' if _CUDA else 'cpu')
# What PyTorch takes over from NumPy as it is.
_DIRECT = frozenset(np.dtype(name) for name in (
    'bool', 'uint8', 'int8', 'int16', 'int32', 'int64', 'float16', 'float32', 'float64'))
_run_backward = getattr(getattr(torch.autograd.Variable, '_execution_engine', None), 'run_backward', None)


# --- helpers ------------------------------------------------------------------------------------------------------

def _shared(array):
    """A CPU tensor over the memory of a NumPy array, or over a copy where PyTorch cannot take it."""
    # An axis of size 1 may have a negative stride in an array that counts as contiguous.
    if array.dtype in _DIRECT and array.flags.forc and array.flags.behaved and min(array.strides, default=0) >= 0:
        return torch.from_numpy(array)
    if array.dtype.kind not in 'biufc' or array.dtype.name not in _DTYPES:
        if array.dtype.name != 'bfloat16':
            raise TypeError('the torch engine has no tensors of dtype %s. The usual cause: strings or ragged lists; '
                            'turn them into numbers first' % array.dtype)
        return torch.from_numpy(array.astype('float32')).to(torch.bfloat16)
    if array.dtype.kind == 'u' and not hasattr(torch, array.dtype.name):
        array = array.astype(_NAMES[_DTYPES[array.dtype.name]])
    if not array.flags.writeable or not array.flags.aligned or any(step < 0 for step in array.strides):
        array = np.array(array)
    if not array.dtype.isnative:
        array = array.astype(array.dtype.newbyteorder('='))
    return torch.from_numpy(array)


def _in_float32(function):
    """`function` of tensors, which has no half precision, computed in float32 there; a list of its results."""
    def run(*args):
        if args[0].dtype not in _HALVES:
            return list(function(*args))
        wide = [x.float() if isinstance(x, torch.Tensor) else x for x in args]
        return [result.to(args[0].dtype) for result in function(*wide)]
    return staticmethod(run)


def _single(function):
    return lambda *args: [function(*args)]


def _fourier(real, imaginary):
    result = torch.fft.fft(torch.complex(real, imaginary))
    return result.real, result.imag


def _positions(indices):
    """`indices` in a dtype that PyTorch takes for positions (its uint8 would be a mask)."""
    return indices if indices.dtype in _INDEX_TYPES else indices.long()


def _channels_first(x):
    """The view (batch, channels, spatial...) of (batch, spatial..., channels)."""
    return x.permute(0, 3, 1, 2) if x.ndim == 4 else x.permute(0, -1, *range(1, x.ndim - 1))


def _channels_last(x):
    return x.permute(0, 2, 3, 1) if x.ndim == 4 else x.permute(0, *range(2, x.ndim), 1)


def _outer_first(kernel):
    """The view (out, in, spatial...) of a kernel (spatial..., in, out)."""
    return kernel.permute(3, 2, 0, 1) if kernel.ndim == 4 else kernel.permute(-1, -2, *range(kernel.ndim - 2))


def _same_padding(x, size, strides, dilation):
    """The (before, after) padding of each spatial axis of `x` (batch, spatial..., channels)."""
    widths = []
    for n, w, s, d in zip(x.shape[1:-1], size, strides, dilation):
        total = max((-(-n // s) - 1) * s + (w - 1) * d + 1 - n, 0)
        widths.append((total // 2, total - total // 2))
    return widths


def _cumulative(x):
    """The dtype in which sums of `x` along an axis are run: the larger unsigned ones are not offered."""
    dtype = _SUMS[x.dtype]
    return dtype if dtype in _FLOATS or dtype.is_complex else torch.int64


def _pad(x, widths, value=0):
    flat = [width for pair in reversed(widths) for width in pair]
    return functional.pad(x, flat, value=value)


def _mixed(low, high):
    """64 well mixed bits from two of 32 (the finaliser of SplitMix64; Steele, Lea and Flood 2014)."""
    z = ((low & 0xffffffff) | (high << 32)) + 0x9e3779b97f4a7c15 & 0xffffffffffffffff
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9 & 0xffffffffffffffff
    z = (z ^ z >> 27) * 0x94d049bb133111eb & 0xffffffffffffffff
    return z ^ z >> 31


def _generator(seed):
    """The random generator for a seed: itself, or one started from two uint32."""
    if type(seed) is torch.Generator:
        return seed
    low, high = seed.tolist()
    return torch.Generator(_DEVICE).manual_seed(_mixed(low, high))


class _Depth(threading.local):
    """How many calls of `value_and_grad` are running in this thread, one within the other."""
    count = 0

    def __enter__(self):
        self.count += 1

    def __exit__(self, *_):
        self.count -= 1


_depth = _Depth()


def _constant(value):
    return value.detach() if value.requires_grad else value


def _constants(structure):
    """`structure` without the graph that gradients would need."""
    return tree.map_structure(lambda x: x.detach() if isinstance(x, torch.Tensor) and x.requires_grad else x, structure)


def _gradients(value, leaves):
    """`torch.autograd.grad` of a scalar, past its checks in Python, which would cost a tenth of a small step."""
    if value.ndim or _run_backward is None:
        return torch.autograd.grad(value, leaves, allow_unused=True)
    return _run_backward((value,), (torch.ones_like(value),), False, False, leaves, allow_unreachable=True,
                         accumulate_grad=False)


def _unaliased(structure, tensors):
    """`structure` with copies of the leaves that share memory with `tensors`, which are about to change."""
    kept = None

    def fixed(leaf):
        nonlocal kept
        if not isinstance(leaf, torch.Tensor):
            return leaf
        if kept is None:
            kept = {id(tensor) for tensor in tensors}
        if id(leaf) in kept:
            return leaf.detach().clone()
        if leaf._is_view() or leaf.requires_grad:
            leaf = leaf.detach()
            memory = leaf.untyped_storage().data_ptr()
            if any(tensor.untyped_storage().data_ptr() == memory for tensor in tensors):
                return leaf.clone()
        return leaf
    return tree.map_structure(fixed, structure)


class TorchEngine(Engine):
    name = 'torch'
    capabilities = Capabilities(
        gradients=True, compiled=False, dynamic_sizes=True,
        dtypes=('bool', 'int8', 'int16', 'int32', 'int64', 'uint8', 'float16', 'bfloat16', 'float32', 'float64'),
        unsupported={'string': 'PyTorch has no tensors of strings; look them up on the host first'})
    float_dtypes = _FLOATS
    integer_dtypes = _INDEX_TYPES
    variable_attributes = ('grad', 'requires_grad', 'requires_grad_', 'is_leaf', 'device', 'data', 'detach')

    # --- tensors ---------------------------------------------------------------------------------------------

    def is_native(self, x):
        # A generator is what `draw_seed` gives in the place of a seed tensor.
        return isinstance(x, (torch.Tensor, torch.Generator))

    def convert(self, x, dtype=None):
        if dtype == 'string':
            return self.unsupported('string')()
        if isinstance(x, torch.Tensor):
            return x.to(_DEVICE, _DTYPES[dtype] if dtype else None)
        if isinstance(x, (list, tuple)) and any(isinstance(leaf, torch.Tensor) for leaf in tree.flatten(x)):
            return torch.stack([self.convert(part, dtype) for part in x])
        if dtype is None and not isinstance(x, (np.ndarray, np.generic)):
            x = np.asarray(x)
            dtype = {'f': config.floatx(), 'i': 'int32', 'c': 'complex64'}.get(x.dtype.kind)
        # A copy: the caller may go on to fill its buffer with something else.
        return _shared(np.asarray(x)).to(_DEVICE, _DTYPES[dtype] if dtype else None, copy=True)

    def scalar(self, value, dtype):
        return torch.full((), value, dtype=_DTYPES[dtype], device=_DEVICE)

    def to_numpy(self, x):
        x = x.detach()
        if x.dtype is torch.bfloat16:
            x = x.float()
        # A copy, because variables are written in place.
        return np.array(x.cpu().numpy())

    def dtype_of(self, x):
        return _NAMES[x.dtype] if type(x) is not torch.Generator else 'uint32'

    def shape_of(self, x):
        return tuple(x.shape) if type(x) is not torch.Generator else (2,)

    # --- state -----------------------------------------------------------------------------------------------

    def new_variable(self, value, variable):
        # How the memory lies follows from shape and layout alone.
        tensor = self.convert(value, variable.dtype).contiguous()
        if variable.layout == 'conv_kernel' and tensor.ndim > 2:
            # In memory (out, spatial..., in): what the kernels for channels-last images read, and the layout
            # in which they leave the gradient.
            order = (tensor.ndim - 1,) + tuple(range(tensor.ndim - 1))
            tensor = tensor.permute(order).contiguous().permute(tuple(range(1, tensor.ndim)) + (0,)).detach()
        return tensor.requires_grad_(variable.trainable and tensor.dtype in _FLOATS)

    def load(self, storage):
        return storage

    def store(self, storage, value):
        if value is not storage:
            with torch.no_grad():
                storage.copy_(value)
        return storage

    def concretely(self):
        from torch._subclasses.fake_tensor import unset_fake_temporarily
        return unset_fake_temporarily()

    def draw_seed(self, generator):
        """A `torch.Generator` that goes on from call to call, started anew when the state has been assigned."""
        storage = generator.state.storage
        stream, started, version = generator.streams.get('torch', (None, None, None))
        if started is not storage or version != storage._version:
            stream = _generator(storage)
            generator.streams['torch'] = (stream, storage, storage._version)
        return stream

    def seed(self, value):
        torch.manual_seed(value)

    # --- running ---------------------------------------------------------------------------------------------

    def step(self, fn, reads, writes, static_batch=False):
        def run(*args):
            borrowed = []
            args = tree.map_structure(lambda x: self._argument(x, borrowed), args)
            with torch.no_grad(), Ledger(missing=self._read) as ledger:
                outputs = fn(*args)
                # What is returned must not change with the variables or with the caller's arrays.
                outputs = _unaliased(outputs, list(ledger.values.values()) + borrowed)
                self._commit(ledger.writes)
            return outputs
        return run

    @staticmethod
    def _argument(x, borrowed):
        """An argument of a step as a tensor; arrays are not copied, since they live as long as the step."""
        if x is None or type(x) is torch.Tensor and not _CUDA:
            return x
        if not isinstance(x, np.ndarray):
            return ENGINE.convert(x)
        tensor = _shared(x)
        if _CUDA:
            return tensor.to(_DEVICE, non_blocking=True)
        borrowed.append(tensor)
        return tensor

    @staticmethod
    def _read(variable):
        """The value of a variable; `trainable` may have changed since the storage was made."""
        value = variable.load()
        if value.requires_grad is not variable._trainable and value.dtype in _FLOATS:
            value.requires_grad_(variable._trainable)
        return value

    @staticmethod
    def _commit(writes):
        """Write all values at once, in place."""
        targets, values = [], []
        for variable, value in writes.items():
            storage = variable.storage
            if value is not storage:
                targets.append(storage)
                values.append(value)
        if not targets:
            return
        if len(targets) > 1:
            # A value that is, or looks into, another variable must not see that one's new value.
            values = _unaliased(values, targets)
        torch._foreach_copy_(targets, values)

    def value_and_grad(self, fn, variables):
        if _depth.count:
            return self._nested_value_and_grad(fn, variables)
        outer = context.ledger
        read = outer.read if outer is not None else self._read
        leaves = {}
        for variable in variables:
            value = read(variable)
            leaves[variable] = value if value.requires_grad and value.is_leaf else value.detach().requires_grad_()
        # Only the listed variables take part: the others read as constants, so that nothing is kept for them.
        with torch.enable_grad(), _depth, \
                Ledger(leaves, missing=lambda variable: _constant(read(variable))) as ledger:
            value, aux = fn()
        for variable, written in ledger.writes.items():
            variable.assign(_constant(written))
        gradients = [None] * len(leaves)
        if value.requires_grad:
            gradients = _gradients(value, tuple(leaves.values()))
        by_variable = dict(zip(leaves, gradients))
        return (value.detach(), _constants(aux)), [by_variable[variable] for variable in variables]

    @staticmethod
    def _nested_value_and_grad(fn, variables):
        """Within another one: nothing is cut off, so that the gradients have gradients."""
        leaves = {}
        for variable in variables:
            value = variable.value
            leaves[variable] = value if value.requires_grad else value.detach().requires_grad_()
        with torch.enable_grad(), Ledger(leaves, outer=context.ledger) as ledger:
            value, aux = fn()
        for variable, written in ledger.writes.items():
            variable.assign(written)
        found = torch.autograd.grad(value, tuple(leaves.values()), create_graph=True, allow_unused=True) \
            if value.requires_grad else [None] * len(leaves)
        by_variable = dict(zip(leaves, found))
        return (value, aux), [by_variable[variable] for variable in variables]

    def results_for(self, fn, args, size):
        """On tensors without memory."""
        from torch._subclasses.fake_tensor import FakeTensorMode

        def stand_in(x):
            if not isinstance(x, AbstractTensor):
                return x
            shape = [size if n is None else n for n in x.shape]
            return torch.empty(shape, dtype=_DTYPES[x.dtype], device=_DEVICE)
        with FakeTensorMode(allow_non_fake_inputs=True), torch.no_grad(), Ledger(missing=self._read):
            return fn(*tree.map_structure(stand_in, list(args)))

    def wait(self, x):
        if _CUDA:
            torch.cuda.synchronize(_DEVICE)
        return x

    # --- creation ---------------------------------------------------------------------------------------------

    def full(self, shape, value, dtype=None):
        dtype = dtype or self.dtype_of(self.convert(value))
        return torch.full(shape, value, dtype=_DTYPES[dtype], device=_DEVICE)

    def full_like(self, x, value, dtype=None):
        return torch.full_like(x, value, dtype=_DTYPES[dtype] if dtype else None)

    def arange(self, start, stop=None, step=1, dtype=None):
        start, stop = (0, start) if stop is None else (start, stop)
        dtype = dtype or (config.floatx() if float in map(type, (start, stop, step)) else 'int32')
        return torch.arange(start, stop, step, device=_DEVICE).to(_DTYPES[dtype])

    def random_uniform(self, seed, shape, dtype):
        return torch.rand(shape, generator=_generator(seed), dtype=_DTYPES[dtype], device=_DEVICE)

    def random_normal(self, seed, shape, dtype):
        return torch.randn(shape, generator=_generator(seed), dtype=_DTYPES[dtype], device=_DEVICE)

    def random_integers(self, seed, shape, minval, maxval, dtype):
        drawn = torch.randint(minval, maxval, shape, generator=_generator(seed), device=_DEVICE)
        return drawn.to(_DTYPES[dtype])

    def random_permutation(self, seed, count):
        return torch.randperm(count, generator=_generator(seed), dtype=torch.int32, device=_DEVICE)

    # --- elementwise -------------------------------------------------------------------------------------------

    negative, abs, sign, floor = map(staticmethod, (torch.neg, torch.abs, torch.sign, torch.floor))
    round, exp, log, sqrt = map(staticmethod, (torch.round, torch.exp, torch.log, torch.sqrt))
    sin, cos, tanh, arcsin, arctan = map(staticmethod, (torch.sin, torch.cos, torch.tanh, torch.asin, torch.atan))
    erf, erfinv, lgamma, digamma = map(staticmethod, (torch.erf, torch.erfinv, torch.lgamma, torch.digamma))
    logical_not, isfinite = map(staticmethod, (torch.logical_not, torch.isfinite))
    add, subtract, multiply, divide = map(staticmethod, (torch.add, torch.sub, torch.mul, torch.true_divide))
    floor_divide, mod = map(staticmethod, (torch.floor_divide, torch.remainder))
    maximum, minimum, arctan2 = map(staticmethod, (torch.maximum, torch.minimum, torch.atan2))
    equal, less, logical_and = map(staticmethod, (torch.eq, torch.lt, torch.logical_and))
    logical_or, where = map(staticmethod, (torch.logical_or, torch.where))
    bitwise_and, bitwise_or, bitwise_xor = map(staticmethod, (torch.bitwise_and, torch.bitwise_or, torch.bitwise_xor))
    left_shift, right_shift = map(staticmethod, (torch.bitwise_left_shift, torch.bitwise_right_shift))
    stop_gradient = staticmethod(torch.detach)

    def power(self, x, y):
        if y.ndim == 0 and not _CUDA and not y.requires_grad:
            # PyTorch squares and takes roots by special kernels, where it is told the exponent.
            y = y.item()
        return torch.pow(x, y)

    def cast(self, x, dtype):
        if dtype == 'string':
            return self.unsupported('string')()
        return x.to(_DTYPES[dtype])

    # --- reductions --------------------------------------------------------------------------------------------

    def sum(self, x, axis=None, keepdims=False):
        if x.dtype in _FLOATS and axis != ():
            return torch.sum(x, axis, keepdims)
        if axis == ():
            return x.to(_SUMS[x.dtype])
        return torch.sum(x, axis, keepdims, dtype=None if x.is_complex() else torch.int64).to(_SUMS[x.dtype])

    def prod(self, x, axis=None, keepdims=False):
        dtype = _SUMS[x.dtype]
        if x.dtype not in _FLOATS and not x.is_complex():
            x = x.long()
        axes = range(x.ndim) if axis is None else axis if isinstance(axis, (tuple, list)) else (axis,)
        for axis in sorted((axis % x.ndim for axis in axes), reverse=True):
            x = torch.prod(x, axis, keepdims)
        return x.to(dtype)

    def max(self, x, axis=None, keepdims=False):
        if axis == ():
            return x
        return torch.amax(x, () if axis is None else axis, keepdims)

    def min(self, x, axis=None, keepdims=False):
        if axis == ():
            return x
        return torch.amin(x, () if axis is None else axis, keepdims)

    def argmax(self, x, axis=-1):
        return torch.argmax(x, axis).int()

    def cumsum(self, x, axis=0):
        return torch.cumsum(x, axis, dtype=_cumulative(x)).to(_SUMS[x.dtype])

    def cumprod(self, x, axis=0):
        return torch.cumprod(x, axis, dtype=_cumulative(x)).to(_SUMS[x.dtype])

    # --- movement ----------------------------------------------------------------------------------------------

    reshape, broadcast_to, flip = map(staticmethod, (torch.reshape, torch.broadcast_to, torch.flip))
    concatenate = staticmethod(torch.cat)
    pad = staticmethod(_pad)

    def transpose(self, x, axes=None):
        return torch.permute(x, axes if axes is not None else tuple(range(x.ndim))[::-1])

    def strided_slice(self, x, starts, stops, steps):
        parts, reversed_axes = [], []
        for axis, (start, stop, step) in enumerate(zip(starts, stops, steps)):
            if step is not None and step < 0:
                taken = range(*slice(start, stop, step).indices(x.shape[axis]))
                reversed_axes.append(axis)
                start, stop, step = (taken[-1], taken[0] + 1, -step) if taken else (0, 0, 1)
            parts.append(slice(start, stop, step))
        x = x[tuple(parts)]
        return torch.flip(x, reversed_axes) if reversed_axes else x

    def gather(self, x, indices, axis=0):
        indices = _positions(indices)
        if x.ndim == 2 and (axis == 0 or axis == -2):
            return torch.embedding(x, indices)
        axis = axis % x.ndim
        if indices.ndim == 1:
            return torch.index_select(x, axis, indices)
        taken = torch.index_select(x, axis, indices.reshape(-1))
        return taken.reshape(x.shape[:axis] + indices.shape + x.shape[axis + 1:])

    def gather_nd(self, x, indices):
        return x[_positions(indices).unbind(-1)]

    @staticmethod
    def _rows(x, indices, updates):
        """One index per row, and the rows to combine with those of `x`."""
        indices = _positions(indices)
        updates = updates.broadcast_to(indices.shape + x.shape[1:])
        return indices.reshape(-1), updates.reshape((-1,) + x.shape[1:])

    def scatter_add(self, x, indices, updates):
        return torch.index_add(x, 0, *self._rows(x, indices, updates))

    def scatter_update(self, x, indices, updates):
        indices, updates = self._rows(x, indices, updates)
        return torch.index_copy(x, 0, indices.long(), updates)

    def scatter_max(self, x, indices, updates):
        indices, updates = self._rows(x, indices, updates)
        indices = indices.long().reshape((-1,) + (1,) * (x.ndim - 1)).expand_as(updates)
        return torch.scatter_reduce(x, 0, indices, updates, 'amax')

    # --- contraction, windows, order -----------------------------------------------------------------------------

    matmul = staticmethod(torch.matmul)

    _CONVOLUTIONS = {4: torch.conv2d, 5: torch.conv3d}
    _TRANSPOSED = {4: torch.conv_transpose2d, 5: torch.conv_transpose3d}
    _MAX_POOLS = {4: torch.max_pool2d, 5: torch.max_pool3d}
    _MEAN_POOLS = {4: functional.avg_pool2d, 5: functional.avg_pool3d}

    def conv(self, x, kernel, strides, padding, dilation, groups=1, bias=None):
        if x.ndim == 3:
            y = self.conv(x.unsqueeze(1), kernel.unsqueeze(0), (1,) + tuple(strides), padding,
                          (1,) + tuple(dilation), groups, bias)
            return y.squeeze(1)
        before = 0
        if padding == 'same':
            widths = _same_padding(x, kernel.shape, strides, dilation)
            if all(first == last for first, last in widths):
                before = [first for first, _ in widths]
            else:
                x = _pad(x, [(0, 0)] + widths + [(0, 0)])
        run = self._CONVOLUTIONS[x.ndim]
        return _channels_last(run(_channels_first(x), _outer_first(kernel), bias, strides, before, dilation, groups))

    def conv_transpose(self, x, kernel, strides, padding, dilation, output_size):
        if x.ndim == 3:
            y = self.conv_transpose(x.unsqueeze(1), kernel.unsqueeze(0), (1,) + tuple(strides), padding,
                                    (1,) + tuple(dilation), (1,) + tuple(output_size))
            return y.squeeze(1)
        crops, extras = [], []
        for n, w, s, d, out in zip(x.shape[1:-1], kernel.shape, strides, dilation, output_size):
            reached = (n - 1) * s + (w - 1) * d + 1
            crops.append(max(reached - out, 0) // 2 if padding == 'same' else 0)
            extras.append(min(max(out - reached + 2 * crops[-1], 0), max(s, d) - 1))
        run = self._TRANSPOSED[x.ndim]
        y = _channels_last(run(_channels_first(x), _outer_first(kernel), None, strides, crops, extras, 1, dilation))
        if tuple(y.shape[1:-1]) == tuple(output_size):
            return y
        y = y[(slice(None),) + tuple(slice(size) for size in output_size)]
        missing = [(0, size - n) for size, n in zip(output_size, y.shape[1:-1])]
        return _pad(y, [(0, 0)] + missing + [(0, 0)]) if any(last for _, last in missing) else y

    def pool(self, x, size, strides, padding, mode):
        if x.dtype not in _FLOATS:
            return self.pool(x.double(), size, strides, padding, mode).to(x.dtype)
        if x.ndim == 5 and x.dtype in _HALVES and not _CUDA:
            # The one pooling that PyTorch has no half precision kernel for.
            return self.pool(x.float(), size, strides, padding, mode).to(x.dtype)
        if x.ndim == 3:
            return self.pool(x.unsqueeze(1), (1,) + tuple(size), (1,) + tuple(strides), padding, mode).squeeze(1)
        before, surplus = [0] * len(size), []
        if padding == 'same':
            before, surplus = self._pool_padding(x, size, strides)
        x = _channels_first(x)
        if mode == 'max':
            y = self._MAX_POOLS[x.ndim](x, size, strides, before, 1, padding == 'same')
        else:
            y = self._MEAN_POOLS[x.ndim](x, size, strides, before, padding == 'same', False)
        for axis in surplus:
            y = y.narrow(axis, 1, y.shape[axis] - 1)
        return _channels_last(y)

    @staticmethod
    def _pool_padding(x, size, strides):
        """Padding for PyTorch's pooling, which pads alike on both sides: no copy of the input is needed.

        An odd element of padding at the end comes from rounding the number of windows up, or, with a stride
        of 1, from padding the start too and dropping the first window (the axes in the second list).
        """
        before, surplus = [], []
        for axis, ((first, last), s) in enumerate(zip(_same_padding(x, size, strides, (1,) * len(size)), strides)):
            before.append(last if s == 1 else first)
            if s == 1 and first != last:
                surplus.append(axis + 2)
        return before, surplus

    def top_k(self, x, k):
        values, indices = torch.topk(x, k)
        return [values, indices.int()]

    def sort(self, x, axis=-1):
        return torch.sort(x, axis)[0]

    def argsort(self, x, axis=-1):
        return torch.sort(x, dim=axis, stable=True)[1].int()

    def searchsorted(self, x, values, side='left'):
        return torch.searchsorted(x, values.contiguous(), out_int32=True, right=side == 'right')

    # --- linear algebra ------------------------------------------------------------------------------------------

    qr, svd, eigh = map(_in_float32, (torch.linalg.qr, lambda x: torch.linalg.svd(x, False), torch.linalg.eigh))
    fft = _in_float32(_fourier)
    _solved = _in_float32(_single(torch.linalg.solve))
    _factor = _in_float32(_single(torch.linalg.cholesky))
    _triangular = _in_float32(_single(lambda a, b, lower: torch.linalg.solve_triangular(a, b, upper=not lower)))

    def cholesky(self, x):
        return self._factor(x)[0]

    def solve(self, a, b):
        return self._solved(a, b)[0]

    def triangular_solve(self, a, b, lower=True):
        return self._triangular(a, b, lower)[0]

    # --- control ---------------------------------------------------------------------------------------------------

    def scan(self, step, init, xs, length=None, reverse=False):
        columns = [x.unbind(0) for x in tree.flatten(xs)]
        count = len(columns[0]) if columns else length
        carry, outputs = init, [None] * count
        for index in reversed(range(count)) if reverse else range(count):
            carry, outputs[index] = step(carry, tree.pack_as(xs, [column[index] for column in columns]))
        stacked = [torch.stack(parts) for parts in zip(*map(tree.flatten, outputs))]
        return carry, tree.pack_as(outputs[0], stacked) if outputs else []

    def cond(self, predicate, then, otherwise, operands):
        return then(*operands) if predicate else otherwise(*operands)

    def while_loop(self, condition, body, init, maximum_iterations=None):
        values, count = list(init), 0
        while (maximum_iterations is None or count < maximum_iterations) and condition(*values):
            values, count = list(body(*values)), count + 1
        return values


# --- fused versions of composites -----------------------------------------------------------------------------------
# Positional arguments as in keras.backend.composites; NotImplemented hands a call back to the composite.

OVERRIDES = {
    'greater': torch.gt, 'greater_equal': torch.ge, 'less_equal': torch.le, 'not_equal': torch.ne,
    'isnan': torch.isnan, 'isinf': torch.isinf, 'ceil': torch.ceil, 'trunc': torch.trunc, 'square': torch.square,
    'rsqrt': torch.rsqrt, 'expm1': torch.expm1, 'log1p': torch.log1p, 'sinh': torch.sinh, 'cosh': torch.cosh,
    'tan': torch.tan, 'logaddexp': torch.logaddexp, 'sigmoid': torch.sigmoid, 'relu6': functional.relu6,
    'selu': torch.selu, 'silu': functional.silu, 'elu': functional.elu, 'log_sigmoid': functional.logsigmoid,
    'softplus': functional.softplus, 'hard_sigmoid': functional.hardsigmoid, 'hard_silu': functional.hardswish,
    'hard_tanh': functional.hardtanh, 'softsign': functional.softsign,
}


def override(function):
    """Enter a function into the engine's overrides under its own name."""
    OVERRIDES[function.__name__.strip('_')] = function
    return function


@override
def clip(x, x_min=None, x_max=None):
    return x if x_min is None and x_max is None else torch.clamp(x, x_min, x_max)


@override
def relu(x, negative_slope=0.0, max_value=None, threshold=0.0):
    if threshold or x.dtype not in _FLOATS:
        return NotImplemented
    if not negative_slope:
        return torch.relu(x) if max_value is None else functional.hardtanh(x, 0.0, max_value)
    return NotImplemented if max_value is not None else functional.leaky_relu(x, negative_slope)


@override
def leaky_relu(x, negative_slope=0.2):
    return functional.leaky_relu(x, negative_slope) if x.dtype in _FLOATS else NotImplemented


@override
def gelu(x, approximate=True):
    return functional.gelu(x, approximate='tanh' if approximate else 'none')


@override
def softmax(x, axis=-1):
    return torch.softmax(x, axis) if type(axis) is int else NotImplemented


@override
def log_softmax(x, axis=-1):
    return torch.log_softmax(x, axis) if type(axis) is int else NotImplemented


@override
def mean(x, axis=None, keepdims=False):
    return torch.mean(x, axis, keepdims) if axis != () else NotImplemented


@override
def var(x, axis=None, keepdims=False):
    return torch.var(x, axis, correction=0, keepdim=keepdims) if axis != () else NotImplemented


@override
def moments(x, axes, keepdims=False):
    return torch.var_mean(x, axes, correction=0, keepdim=keepdims)[::-1] if axes != () else NotImplemented


@override
def logsumexp(x, axis=None, keepdims=False):
    axes = tuple(range(x.ndim)) if axis is None else axis
    return torch.logsumexp(x, axes, keepdims) if axes != () else NotImplemented


@override
def any_(x, axis=None, keepdims=False):
    return torch.any(x, axis, keepdims).bool() if type(axis) is int else NotImplemented


@override
def all_(x, axis=None, keepdims=False):
    return torch.all(x, axis, keepdims).bool() if type(axis) is int else NotImplemented


@override
def argmin(x, axis=-1):
    return torch.argmin(x, axis).int()


@override
def expand_dims(x, axis=-1):
    return torch.unsqueeze(x, axis) if type(axis) is int else NotImplemented


@override
def squeeze(x, axis=None):
    return torch.squeeze(x, axis) if type(axis) is int and x.shape[axis] == 1 else NotImplemented


@override
def stack(xs, axis=0):
    return torch.stack(xs, axis)


@override
def unstack(x, num=None, axis=0):
    return list(x.unbind(axis)) if num is None or num == x.shape[axis] else NotImplemented


@override
def split(x, indices_or_sections, axis=0):
    if type(indices_or_sections) is not int or x.shape[axis] % indices_or_sections:
        return NotImplemented
    return list(torch.tensor_split(x, indices_or_sections, axis))


@override
def embedding(indices, table):
    return torch.embedding(table, indices) if indices.dtype in _INDEX_TYPES else NotImplemented


@override
def linear(x, kernel, bias=None):
    if bias is None:
        return torch.matmul(x, kernel)
    if x.ndim == 2:
        return torch.addmm(bias, x, kernel)
    return functional.linear(x, kernel.t(), bias)


@override
def bias_add(x, bias, axis=-1):
    if bias.ndim == 1 and (axis == -1 or axis == x.ndim - 1):
        return torch.add(x, bias)
    return NotImplemented


@override
def convolution(x, kernel, strides=1, padding='valid', data_format=None, dilation_rate=1, groups=None, bias=None):
    """PyTorch's kernels start with the bias, which saves a pass over the result."""
    if bias is None:
        return NotImplemented
    x, arguments, first = convolution_arguments(x, kernel, strides, padding, data_format, dilation_rate, groups)
    return restored(ENGINE.conv(x, kernel, *arguments, bias), first)


# --- normalization and dropout ---

def _as_rows(x, axis):
    """`x` with `axis`, the channels, as the second of PyTorch's axes, and what undoes it; None where it is neither.

    Contiguous channels-last data go as a matrix, for which PyTorch's kernels are faster than for such images.
    """
    if axis == -1 or axis == x.ndim - 1:
        if x.ndim == 2:
            return x, lambda y: y
        if x.is_contiguous():
            return x.view(-1, x.shape[-1]), lambda y: y.view(x.shape)
        return _channels_first(x), _channels_last
    return (x, lambda y: y) if axis == 1 else None


@override
def batch_normalization(x, mean, variance, axis=-1, offset=None, scale=None, epsilon=1e-3):
    rows = _as_rows(x, axis)
    if rows is None or mean.requires_grad or variance.requires_grad:
        return NotImplemented
    return rows[1](torch.batch_norm(rows[0], scale, offset, mean, variance, False, 0.0, epsilon, True))


@override
def batch_normalization_train(x, axis=-1, offset=None, scale=None, epsilon=1e-3):
    rows = _as_rows(x, axis)
    if rows is None or x.dtype in _HALVES or not x.numel():
        return NotImplemented
    output, center, inverse = torch.native_batch_norm(rows[0], scale, offset, None, None, True, 0.0, epsilon)
    return rows[1](output), center, torch.pow(inverse, -2).sub_(epsilon).clamp_(min=0.0)


@override
def layer_normalization(x, gamma=None, beta=None, axis=-1, epsilon=1e-3):
    axes = [entry % x.ndim for entry in ((axis,) if type(axis) is int else axis)]
    if axes != list(range(axes[0], x.ndim)):
        return NotImplemented
    return torch.layer_norm(x, x.shape[axes[0]:], gamma, beta, epsilon)


@override
def dropout(x, rate, noise_shape=None, seed=None):
    if noise_shape is not None or type(rate) is not float or not 0.0 < rate < 1.0:
        return NotImplemented
    kept = torch.empty_like(x).bernoulli_(1.0 - rate, generator=_generator(draw_seed(seed))).div_(1.0 - rate)
    return torch.mul(x, kept)


# --- cross-entropies ---

# PyTorch leaves out the targets that are this number: one that none is.
_NO_CLASS = -2 ** 63


def _clipped(x):
    return torch.clamp(x, config.epsilon(), 1.0 - config.epsilon())


@override
def binary_crossentropy(target, output, from_logits=False):
    if from_logits:
        return functional.binary_cross_entropy_with_logits(output, target, reduction='none')
    output = _clipped(output)
    return torch.neg(target * torch.log(output) + (1.0 - target) * torch.log(1.0 - output))


@override
def categorical_crossentropy(target, output, from_logits=False, axis=-1):
    if from_logits:
        logs = torch.log_softmax(output, axis)
    else:
        logs = torch.log(_clipped(output / torch.sum(output, axis, True)))
    return torch.neg(torch.sum(target * logs, axis))


@override
def sparse_categorical_crossentropy(target, output, from_logits=False, axis=-1):
    """The probability of the class is picked out, instead of multiplied with a one-hot vector."""
    if from_logits and output.ndim == 2 and axis in (-1, 1) and output.dtype not in _HALVES:
        rows = target if target.ndim == 1 else target.squeeze(1)
        if rows.ndim == 1:
            return functional.cross_entropy(output, rows.long(), ignore_index=_NO_CLASS, reduction='none')
    if target.ndim < output.ndim:
        target = target.unsqueeze(axis)
    if target.ndim != output.ndim or target.shape[axis] != 1:
        return NotImplemented
    target = target.long()
    if from_logits:
        logs = torch.gather(torch.log_softmax(output, axis), axis, target)
    else:
        logs = torch.log(_clipped(torch.gather(output, axis, target) / torch.sum(output, axis, True)))
    return torch.neg(logs.squeeze(axis))


# --- recurrence ---

def _recurrent(run, x, states, weights, go_backwards, return_sequences):
    """[output] + last states of one of PyTorch's recurrent kernels, which keep their states behind a leading axis."""
    x = torch.flip(x, (1,)) if go_backwards else x
    states = tuple(state.unsqueeze(0).contiguous() for state in states)
    output, *states = run(x, states if len(states) > 1 else states[0], weights, True, 1, 0.0, torch.is_grad_enabled(),
                          False, True)
    states = [state.squeeze(0) for state in states]
    return [output if return_sequences else states[0]] + states


def _weights(kernel, recurrent_kernel, bias, recurrent_bias=None):
    none = kernel.new_zeros(kernel.shape[-1])
    return [kernel.t(), recurrent_kernel.t(), none if bias is None else bias,
            none if recurrent_bias is None else recurrent_bias]


@override
def simple_rnn_sequence(x, h0, kernel, recurrent_kernel, bias=None, mask=None, go_backwards=False,
                        return_sequences=True, activation='tanh', unroll=False):
    run = {'tanh': torch._VF.rnn_tanh, 'relu': torch._VF.rnn_relu}.get(activation)
    if mask is not None or run is None or x.dtype in _HALVES:
        return NotImplemented
    return _recurrent(run, x, [h0], _weights(kernel, recurrent_kernel, bias), go_backwards, return_sequences)


@override
def lstm_sequence(x, h0, c0, kernel, recurrent_kernel, bias=None, mask=None, go_backwards=False,
                  return_sequences=True, activation='tanh', recurrent_activation='sigmoid', unroll=False):
    if mask is not None or (activation, recurrent_activation) != ('tanh', 'sigmoid') or x.dtype in _HALVES:
        return NotImplemented
    return _recurrent(torch._VF.lstm, x, [h0, c0], _weights(kernel, recurrent_kernel, bias), go_backwards,
                      return_sequences)


@override
def gru_sequence(x, h0, kernel, recurrent_kernel, bias=None, mask=None, go_backwards=False, return_sequences=True,
                 activation='tanh', recurrent_activation='sigmoid', reset_after=False, unroll=False):
    if (mask is not None or not reset_after or (activation, recurrent_activation) != ('tanh', 'sigmoid')
            or x.dtype in _HALVES):
        return NotImplemented

    def reordered(weight):
        """PyTorch has the reset gate before the update gate."""
        z, r, candidate = weight.chunk(3, -1)
        return torch.cat((r, z, candidate), -1)
    biases = (None, None) if bias is None else reordered(bias).unbind(0)
    weights = _weights(reordered(kernel), reordered(recurrent_kernel), *biases)
    return _recurrent(torch._VF.gru, x, [h0], weights, go_backwards, return_sequences)


# --- optimizers: all variables in one call, in place ---

class _InPlace:
    """The tensors of lists of variables, to be changed in place in a `with` block.

    A variable that has been assigned in this step already has a value beside its storage: that is changed
    as a copy, and assigned at the end.
    """

    def __init__(self, *lists):
        self._assigned = []
        self.tensors = [[variable.storage for variable in variables] for variables in lists]
        if context.ledger is not None:
            for variables, tensors in zip(lists, self.tensors):
                self._take_assigned(variables, tensors, context.ledger)

    def _take_assigned(self, variables, tensors, ledger):
        values = ledger.values
        for index, variable in enumerate(variables):
            value = values.get(variable)
            if value is None and ledger.outer is not None:
                value = ledger.read(variable)
            if value is not None and value is not tensors[index]:
                tensors[index] = value.detach().clone()
                self._assigned.append((variable, tensors[index]))

    def __enter__(self):
        self._grad_was_on = torch.is_grad_enabled()
        if self._grad_was_on:
            torch.set_grad_enabled(False)
        return self.tensors

    def __exit__(self, *error):
        if self._grad_was_on:
            torch.set_grad_enabled(True)
        for variable, value in self._assigned:
            variable.assign(value)


def _rate(x):
    """A scalar as a number, unless that would mean waiting for the device."""
    return x.item() if isinstance(x, torch.Tensor) and not x.is_cuda else x


def _move(tensors, changes, rate):
    """tensors -= rate * changes."""
    if isinstance(rate, torch.Tensor):
        torch._foreach_sub_(tensors, torch._foreach_mul(changes, rate))
    else:
        torch._foreach_add_(tensors, changes, alpha=-rate)


def _update(function):
    """Override an update rule, except for an empty list, which PyTorch's functions for lists refuse."""
    @functools.wraps(function)
    def run(variables, *args):
        return function(variables, *args) if variables else NotImplemented
    return override(run)


@_update
def sgd_update(variables, gradients, momenta, learning_rate, momentum=0.0, nesterov=False):
    rate = _rate(learning_rate)
    with _InPlace(variables, momenta if momentum else ()) as (values, velocities):
        if not momentum:
            _move(values, gradients, rate)
            return
        torch._foreach_mul_(velocities, momentum)
        _move(velocities, gradients, rate)
        torch._foreach_add_(values, velocities, alpha=momentum if nesterov else 1.0)
        if nesterov:
            _move(values, gradients, rate)


@_update
def rmsprop_update(variables, gradients, velocities, learning_rate, rho, epsilon, momenta=None, momentum=0.0,
                   averages=None, epsilon_inside=False):
    if averages or momentum:
        return NotImplemented
    with _InPlace(variables, velocities) as (values, squares):
        torch._foreach_mul_(squares, rho)
        torch._foreach_addcmul_(squares, gradients, gradients, 1.0 - rho)
        roots = torch._foreach_add(squares, epsilon) if epsilon_inside else torch._foreach_sqrt(squares)
        torch._foreach_sqrt_(roots) if epsilon_inside else torch._foreach_add_(roots, epsilon)
        _move(values, torch._foreach_div(gradients, roots), _rate(learning_rate))


def _in_line(variables, gradients, *slots):
    """The gradients as a kernel needs them that goes through the memory of all tensors in a straight line.

    Gradients that lie differently from their variable are copied. None where a dtype differs, or where a slot lies
    differently, which follows from the layout (see `new_variable`).
    """
    for group in slots:
        for variable, slot in zip(variables, group):
            if slot.layout != variable.layout or slot.dtype != variable.dtype:
                return None
    result = []
    for variable, gradient in zip(variables, gradients):
        storage = variable.storage
        if gradient.dtype is not storage.dtype:
            return None
        straight = gradient.stride() == storage.stride()
        result.append(gradient if straight else torch.empty_like(storage, requires_grad=False).copy_(gradient))
    return result


@_update
def adam_update(variables, gradients, momenta, velocities, step, learning_rate, beta_1, beta_2, epsilon,
                largest_velocities=None):
    straight = None if _CUDA else _in_line(variables, gradients, momenta, velocities, largest_velocities or ())
    if straight is None:
        return _adam_by_parts(variables, gradients, momenta, velocities, step, learning_rate, beta_1, beta_2, epsilon,
                              largest_velocities)
    # The kernel adds epsilon to the corrected root, Keras to the uncorrected one.
    epsilon = epsilon / (1.0 - beta_2 ** step.item()) ** 0.5
    steps = [step] * len(straight)
    with _InPlace(variables, momenta, velocities, largest_velocities or ()) as (values, first, second, largest):
        torch._fused_adam_(values, straight, first, second, largest, steps, lr=_rate(learning_rate), beta1=beta_1,
                           beta2=beta_2, weight_decay=0.0, eps=epsilon, amsgrad=bool(largest), maximize=False)


def _adam_by_parts(variables, gradients, momenta, velocities, step, learning_rate, beta_1, beta_2, epsilon,
                   largest_velocities):
    rate = learning_rate * torch.sqrt(1.0 - torch.pow(beta_2, step)) / (1.0 - torch.pow(beta_1, step))
    with _InPlace(variables, momenta, velocities, largest_velocities or ()) as (values, first, second, largest):
        torch._foreach_mul_(first, beta_1)
        torch._foreach_add_(first, gradients, alpha=1.0 - beta_1)
        torch._foreach_mul_(second, beta_2)
        torch._foreach_addcmul_(second, gradients, gradients, 1.0 - beta_2)
        if largest:
            torch._foreach_maximum_(largest, second)
        roots = torch._foreach_sqrt(largest or second)
        torch._foreach_add_(roots, epsilon)
        _move(values, torch._foreach_div(first, roots), _rate(rate))


@_update
def decay_weights(variables, weight_decay, learning_rate):
    with _InPlace(variables) as (values,):
        torch._foreach_mul_(values, 1.0 - weight_decay * _rate(learning_rate))


@override
def clip_by_global_norm(gradients, limit):
    norms = torch._foreach_norm(gradients)
    norm = torch.linalg.vector_norm(torch.stack([part.float() for part in norms]))
    return torch._foreach_mul(gradients, limit / torch.clamp(norm, min=limit))


@override
def clip_by_value(gradients, limit):
    return torch._foreach_clamp_max(torch._foreach_clamp_min(gradients, -limit), limit)


TorchEngine.overrides = OVERRIDES
ENGINE = TorchEngine()
