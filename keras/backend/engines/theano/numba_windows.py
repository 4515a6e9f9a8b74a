"""How programs that Numba compiles run the operations of `window_ops.py`: PyTensor does that unless told otherwise.

Convolutions and means call NumPy, in a way that Numba can keep on disk, which PyTensor's own fallback is not. Maxima
are loops.
"""
import ast
import functools

import numba
import numpy as np
from pytensor.link.numba.dispatch.basic import get_numba_type, numba_njit, register_funcify_default_op_cache_key

from keras.backend.engines.theano import window_ops

_BY_NUMPY = (window_ops.Convolve, window_ops.ConvolveByInput, window_ops.ConvolveByKernel, window_ops.TakeFromWindows,
             window_ops.MeanPool, window_ops.SpreadOverWindows)
# A part of the names under which compiled programs are kept: to be raised with every change of this module.
_VERSION = 2


# --- by NumPy -----------------------------------------------------------------------------------------------------

@functools.lru_cache(maxsize=None)
def _described(description):
    """The operation that a description like `MeanPool((2, 2), (2, 2), 'valid')` names."""
    name, properties = description.split('(', 1)
    return getattr(window_ops, name)(*ast.literal_eval('(' + properties))


def computed(description, inputs):
    """What an operation gives, in the memory order of C. Compiled programs on disk find this function by its name."""
    output = [None]
    _described(description).perform(None, inputs, [output])
    return np.ascontiguousarray(output[0])


def _by_numpy(op, node, **_):
    description = type(op).__name__ + repr(tuple([getattr(op, name) for name in op.__props__]))
    kind = get_numba_type(node.outputs[0].type, layout='C')

    @numba_njit
    def windows(*inputs):
        with numba.objmode(result=kind):
            result = computed(description, inputs)
        return result
    return windows, _VERSION


for _kind in _BY_NUMPY:
    register_funcify_default_op_cache_key(_kind)(_by_numpy)


# --- maxima, by loops ---------------------------------------------------------------------------------------------

class _Loops:
    """What the loops over windows share, on five axes however many the tensors have.

    window, strides: three ints each. placed: (number of windows, padding in front) along an axis. lifted, lowered:
    tensors to five axes and back.
    """

    def __init__(self, op):
        rank = len(op.window)
        ones = (1,) * (3 - rank)
        self.window, self.strides = ones + op.window, ones + op.strides
        same, first = op.padding == 'same', 4 - rank

        @numba_njit
        def placed(size, window, stride):
            if same:
                count = (size + stride - 1) // stride
                return count, max((count - 1) * stride + window - size, 0) // 2
            return (size - window) // stride + 1, 0

        @numba_njit
        def lifted(x):
            return np.ascontiguousarray(x).reshape(x.shape[:1] + ones + x.shape[1:])

        @numba_njit
        def lowered(x):
            return x.reshape(x.shape[:1] + x.shape[first:])
        self.placed, self.lifted, self.lowered = placed, lifted, lowered


@register_funcify_default_op_cache_key(window_ops.MaxPool)
def _max_pool(op, node, **_):
    loops = _Loops(op)
    placed, lifted, lowered, (w0, w1, w2), (s0, s1, s2) = (loops.placed, loops.lifted, loops.lowered, loops.window,
                                                           loops.strides)
    dtype = np.dtype(node.inputs[0].dtype)
    lowest = dtype.type(-np.inf if dtype.kind == 'f' else np.iinfo(dtype).min)

    @numba_njit
    def max_pool(x):
        x = lifted(x)
        batch, depth, height, width, channels = x.shape
        (c0, b0), (c1, b1), (c2, b2) = placed(depth, w0, s0), placed(height, w1, s1), placed(width, w2, s2)
        values = np.full((batch, c0, c1, c2, channels), lowest, dtype)
        index = np.zeros((batch, c0, c1, c2, channels), np.int16)
        for n, i0, i1, i2 in np.ndindex(batch, c0, c1, c2):
            best, position = values[n, i0, i1, i2], index[n, i0, i1, i2]
            for o0, o1, o2 in np.ndindex(w0, w1, w2):
                p0, p1, p2 = i0 * s0 - b0 + o0, i1 * s1 - b1 + o1, i2 * s2 - b2 + o2
                if 0 <= p0 < depth and 0 <= p1 < height and 0 <= p2 < width:
                    row, place = x[n, p0, p1, p2], np.int16((o0 * w1 + o1) * w2 + o2)
                    for k in range(channels):
                        larger = row[k] > best[k] or row[k] != row[k]
                        best[k] = row[k] if larger else best[k]
                        position[k] = place if larger else position[k]
        return lowered(values), lowered(index)
    return max_pool, _VERSION


def _volume(rank):
    """A function that gives three sizes for the sizes of `rank` axes, tensors without axes."""
    if rank == 1:
        return numba_njit(lambda sizes: (1, 1, sizes[0].item()))
    if rank == 2:
        return numba_njit(lambda sizes: (1, sizes[0].item(), sizes[1].item()))
    return numba_njit(lambda sizes: (sizes[0].item(), sizes[1].item(), sizes[2].item()))


@register_funcify_default_op_cache_key(window_ops.PutInWindows)
def _put_in_windows(op, node, **_):
    loops, volume = _Loops(op), _volume(len(op.window))
    placed, lifted, lowered, (w0, w1, w2), (s0, s1, s2) = (loops.placed, loops.lifted, loops.lowered, loops.window,
                                                           loops.strides)
    dtype = np.dtype(node.inputs[0].dtype)
    zero = dtype.type(0)

    @numba_njit
    def put_in_windows(y, index, *sizes):
        y, index = lifted(y), lifted(index)
        depth, height, width = volume(sizes)
        batch, c0, c1, c2, channels = y.shape
        b0, b1, b2 = placed(depth, w0, s0)[1], placed(height, w1, s1)[1], placed(width, w2, s2)[1]
        result = np.zeros((batch, depth, height, width, channels), dtype)
        for n, i0, i1, i2 in np.ndindex(batch, c0, c1, c2):
            values, position = y[n, i0, i1, i2], index[n, i0, i1, i2]
            for o0, o1, o2 in np.ndindex(w0, w1, w2):
                p0, p1, p2 = i0 * s0 - b0 + o0, i1 * s1 - b1 + o1, i2 * s2 - b2 + o2
                if 0 <= p0 < depth and 0 <= p1 < height and 0 <= p2 < width:
                    row, place = result[n, p0, p1, p2], np.int16((o0 * w1 + o1) * w2 + o2)
                    for k in range(channels):
                        row[k] += values[k] if position[k] == place else zero
        return lowered(result)
    return put_in_windows, _VERSION
