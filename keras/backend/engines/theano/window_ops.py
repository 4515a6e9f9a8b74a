"""Convolution and pooling as operations of PyTensor, which has none of its own: NumPy on blocks of the batch.

The three operations of a convolution (the result, the gradient by its input, the gradient by its kernel) are
each other's gradients, and so are taking an element of every window and putting it back; so every order of
derivative exists. Tensors are (batch, spatial..., channels). What lies outside of the input counts as zero in
convolutions and sums, and never is the maximum.
"""
import itertools

import numpy as np
from numpy.lib.stride_tricks import as_strided

from keras.backend.contract.rules import window_length
from keras.backend.engines.theano.compat import Apply, DisconnectedType, Op, T, TensorConstant, tensor_type
from keras.backend.engines.theano.tensors import static_shape

# Bytes of windows that are laid out at once: they should stay in the second level cache.
_BLOCK = 1 << 20


class Geometry:
    """Where the windows of an input lie. Properties are tuples with one int per spatial axis.

    size: of the input. count: number of windows. window, strides, dilation: as everywhere. before: elements of padding
    in front. total: the size with padding on both sides.
    """

    def __init__(self, size, count, window, strides, dilation, padding):
        self.size, self.count, self.window = tuple(size), tuple(count), tuple(window)
        self.strides, self.dilation = strides, dilation
        reach = [(n - 1) * s + (w - 1) * d + 1 for n, w, s, d in zip(count, window, strides, dilation)]
        self.before = tuple(max(r - n, 0) // 2 if padding == 'same' else 0 for r, n in zip(reach, size))
        self.total = tuple(max(r, b + n) for r, b, n in zip(reach, self.before, size))

    @property
    def turns(self):
        """Whether the gradient by the input is a convolution itself."""
        return set(self.strides) == {1} and all(b <= (w - 1) * d for b, w, d in
                                                zip(self.before, self.window, self.dilation))

    @property
    def overlaps(self):
        """Whether an element may lie in several windows."""
        return any((w - 1) * d >= s for w, d, s in zip(self.window, self.dilation, self.strides))

    @property
    def inside(self):
        """The slices of a padded array that are the input."""
        return (slice(None),) + tuple(slice(b, b + n) for b, n in zip(self.before, self.size))

    def padded(self, x, fill=0):
        if self.total == self.size:
            return x
        result = np.full(x.shape[:1] + self.total + x.shape[-1:], fill, x.dtype)
        result[self.inside] = x
        return result

    def windows(self, x):
        """A view (batch, count..., window..., channels) of a padded array."""
        batch, spatial, channel = x.strides[0], x.strides[1:-1], x.strides[-1]
        steps = tuple(t * s for t, s in zip(spatial, self.strides))
        inner = tuple(t * d for t, d in zip(spatial, self.dilation))
        return as_strided(x, x.shape[:1] + self.count + self.window + x.shape[-1:],
                          (batch,) + steps + inner + (channel,))

    def slices(self):
        """For each offset in the window: the slices of a padded array with that element of every window."""
        for offsets in itertools.product(*map(range, self.window)):
            yield (slice(None),) + tuple(slice(o * d, o * d + (n - 1) * s + 1, s) for o, d, n, s in
                                         zip(offsets, self.dilation, self.count, self.strides))

    def blocks(self, batch, row_bytes):
        """Slices of the batch whose windows, of `row_bytes` each, fill about a block."""
        size = max(1, _BLOCK // max(1, int(np.prod(self.count)) * row_bytes))
        return [slice(start, start + size) for start in range(0, batch, size)]


def _columns(geometry, x, groups):
    """(groups, windows, elements): the windows of a padded array as rows, for each group of channels."""
    view = geometry.windows(x)
    if groups == 1:
        return view.reshape((1, -1, int(np.prod(geometry.window)) * x.shape[-1]))
    split = np.moveaxis(view.reshape(view.shape[:-1] + (groups, -1)), -2, 0)
    return split.reshape((groups, -1, int(np.prod(geometry.window)) * split.shape[-1]))


def _matrices(kernel, groups):
    """(groups, elements, filters of the group) from a kernel (window..., channels of a group, filters)."""
    return np.moveaxis(kernel.reshape((-1, groups, kernel.shape[-1] // groups)), 1, 0)


def _by_group(y, groups):
    """(groups, windows, filters of the group) from (batch, count..., filters)."""
    return np.moveaxis(y.reshape((-1, groups, y.shape[-1] // groups)), 1, 0)


def convolved(x, kernel, geometry, groups):
    filters = kernel.shape[-1]
    result = np.empty(x.shape[:1] + geometry.count + (filters,), x.dtype)
    matrices = _matrices(kernel, groups)
    for block in geometry.blocks(len(x), kernel[..., 0].size * groups * x.itemsize):
        columns = _columns(geometry, geometry.padded(x[block]), groups)
        if groups == 1:
            np.dot(columns[0], matrices[0], out=result[block].reshape(-1, filters))
        else:
            _by_group(result[block], groups)[...] = np.matmul(columns, matrices)
    return result


def convolved_by_kernel(x, y, geometry, groups):
    """The gradient by the kernel, for the gradient `y` by the result."""
    channels, filters = x.shape[-1] // groups, y.shape[-1]
    result = np.zeros((groups, int(np.prod(geometry.window)) * channels, filters // groups), x.dtype)
    for block in geometry.blocks(len(x), result[0, :, 0].size * groups * x.itemsize):
        columns = _columns(geometry, geometry.padded(x[block]), groups)
        result += np.matmul(np.swapaxes(columns, 1, 2), _by_group(y[block], groups))
    return np.ascontiguousarray(np.moveaxis(result, 0, 1)).reshape(geometry.window + (channels, filters))


def convolved_by_input(y, kernel, geometry, groups):
    """The gradient by the input, for the gradient `y` by the result."""
    if geometry.turns:
        return _correlated_back(y, kernel, geometry, groups)
    matrices = np.swapaxes(_matrices(kernel, groups), 1, 2)
    channels = kernel.shape[-2]
    result = np.empty(y.shape[:1] + geometry.size + (groups * channels,), y.dtype)
    for block in geometry.blocks(len(y), kernel[..., 0].size * groups * y.itemsize):
        parts = np.matmul(_by_group(y[block], groups), matrices)
        parts = parts.reshape((groups, -1) + geometry.count + (int(np.prod(geometry.window)), channels))
        total = np.zeros((parts.shape[1],) + geometry.total + (groups, channels), y.dtype)
        for index, window in enumerate(geometry.slices()):
            total[window] += np.moveaxis(parts[..., index, :], 0, -2)
        result[block] = total.reshape(total.shape[:-2] + (-1,))[geometry.inside]
    return result


def _correlated_back(y, kernel, geometry, groups):
    """With strides of 1 it is the convolution of `y`, padded by the window, with the kernel turned around."""
    rank = len(geometry.window)
    turned = kernel[(slice(None, None, -1),) * rank]
    turned = turned.reshape(kernel.shape[:-1] + (groups, -1))
    turned = np.ascontiguousarray(np.moveaxis(turned, (-3, -1), (-1, -3)))  # (window, filters, groups, channels)
    turned = turned.reshape(geometry.window + (turned.shape[-3], -1))
    back = Geometry(geometry.count, geometry.size, geometry.window, geometry.strides, geometry.dilation, 'valid')
    back.before = tuple((w - 1) * d - b for w, d, b in zip(geometry.window, geometry.dilation, geometry.before))
    back.total = tuple(max(b + c, n + (w - 1) * d) for b, c, n, w, d in zip(
        back.before, geometry.count, geometry.size, geometry.window, geometry.dilation))
    return convolved(y, turned, back, groups)


# --- convolutions -------------------------------------------------------------------------------------------------

def lengths(sizes):
    """Ints and symbolic scalars, as variables of int64."""
    return [T.constant(np.int64(size)) if isinstance(size, (int, np.integer)) else T.cast(size, 'int64')
            for size in sizes]


def _known(sizes):
    return tuple([int(size.data) if isinstance(size, TensorConstant) else None for size in sizes])


def sizes_of(x, first, last):
    """The sizes of the axes of `x` from `first` up to `last`: ints where they are known."""
    return [x.shape[axis] if size is None else size for axis, size in enumerate(static_shape(x))][first:last]


class _Bilinear(Op):
    """An operation linear in each of two tensors; the spatial sizes of the result are further inputs."""

    __props__ = ('strides', 'padding', 'dilation', 'groups')

    def __init__(self, strides, padding, dilation, groups):
        self.strides, self.padding, self.dilation, self.groups = strides, padding, dilation, groups

    def make_node(self, first, second, *sizes):
        sizes = lengths(sizes)
        shape = self.result_shape(static_shape(first), static_shape(second), _known(sizes))
        return Apply(self, [first, second] + sizes, [tensor_type(first.dtype, shape)()])

    def infer_shape(self, fgraph, node, shapes):
        return [self.result_shape(shapes[0], shapes[1], tuple(node.inputs[2:]))]

    def connection_pattern(self, node):
        return [[True], [True]] + [[False]] * (len(node.inputs) - 2)

    def perform(self, node, inputs, outputs):
        outputs[0][0] = self.compute(inputs[0], inputs[1], tuple(int(size) for size in inputs[2:]))

    def geometry(self, size, count, window):
        return Geometry(size, count, window, self.strides, self.dilation, self.padding)

    def sibling(self, kind):
        return kind(self.strides, self.padding, self.dilation, self.groups)

    def pullback(self, inputs, outputs, gradients):
        first, second = self.gradients(inputs[0], inputs[1], gradients[0])
        return [first, second] + [DisconnectedType()() for _ in inputs[2:]]


class Convolve(_Bilinear):
    """The convolution of an input with a kernel; `sizes` are the numbers of windows."""

    def result_shape(self, x, kernel, sizes):
        return x[:1] + sizes + kernel[-1:]

    def compute(self, x, kernel, sizes):
        return convolved(x, kernel, self.geometry(x.shape[1:-1], sizes, kernel.shape[:-2]), self.groups)

    def gradients(self, x, kernel, gradient):
        return (self.sibling(ConvolveByInput)(gradient, kernel, *sizes_of(x, 1, -1)),
                self.sibling(ConvolveByKernel)(x, gradient, *sizes_of(kernel, 0, -2)))


class ConvolveByInput(_Bilinear):
    """From the gradient by a convolution's result, and its kernel, that by its input, whose sizes are `sizes`."""

    def result_shape(self, y, kernel, sizes):
        channels = kernel[-2]
        return y[:1] + sizes + (None if channels is None else channels * self.groups,)

    def compute(self, y, kernel, sizes):
        return convolved_by_input(y, kernel, self.geometry(sizes, y.shape[1:-1], kernel.shape[:-2]), self.groups)

    def gradients(self, y, kernel, gradient):
        return (self.sibling(Convolve)(gradient, kernel, *sizes_of(y, 1, -1)),
                self.sibling(ConvolveByKernel)(gradient, y, *sizes_of(kernel, 0, -2)))


class ConvolveByKernel(_Bilinear):
    """From a convolution's input and the gradient by its result, that by its kernel, whose window is `sizes`."""

    def result_shape(self, x, y, sizes):
        channels = x[-1]
        return sizes + (None if channels is None else channels // self.groups, y[-1])

    def compute(self, x, y, sizes):
        return convolved_by_kernel(x, y, self.geometry(x.shape[1:-1], y.shape[1:-1], sizes), self.groups)

    def gradients(self, x, y, gradient):
        return (self.sibling(ConvolveByInput)(y, gradient, *sizes_of(x, 1, -1)),
                self.sibling(Convolve)(x, gradient, *sizes_of(y, 1, -1)))


# --- pooling ------------------------------------------------------------------------------------------------------

class _Pooling(Op):
    """An operation on the windows of one tensor, or back; the sizes of an input that is made are further inputs."""

    __props__ = ('window', 'strides', 'padding')

    def __init__(self, window, strides, padding):
        self.window, self.strides, self.padding = window, strides, padding

    def geometry(self, size):
        ones = (1,) * len(self.window)
        count = [window_length(n, w, s, self.padding) for n, w, s in zip(size, self.window, self.strides)]
        return Geometry(size, count, self.window, self.strides, ones, self.padding)

    def sibling(self, kind):
        return kind(self.window, self.strides, self.padding)

    def counts(self, sizes):
        """The numbers of windows in an input of these spatial sizes, which may be symbolic."""
        if self.padding == 'same':
            return tuple([None if n is None else (n + s - 1) // s for n, s in zip(sizes, self.strides)])
        return tuple([None if n is None else (n - w) // s + 1 for n, w, s in zip(sizes, self.window, self.strides)])

    def connection_pattern(self, node):
        return [[position == 0] + [False] * (len(node.outputs) - 1) for position in range(len(node.inputs))]


class _Reducing(_Pooling):
    """From an input to one element per window."""

    index_dtypes = ()

    def make_node(self, x, *rest):
        shape = static_shape(x)
        shape = shape[:1] + self.counts(shape[1:-1]) + shape[-1:]
        return Apply(self, [x] + list(rest), [tensor_type(dtype, shape)() for dtype in (x.dtype,) + self.index_dtypes])

    def infer_shape(self, fgraph, node, shapes):
        x = shapes[0]
        return [x[:1] + self.counts(x[1:-1]) + x[-1:]] * len(node.outputs)


class _Spreading(_Pooling):
    """From one element per window to an input, whose spatial sizes are `sizes`."""

    def make_node(self, y, *rest):
        indices, sizes = rest[:-len(self.window)], lengths(rest[-len(self.window):])
        shape = static_shape(y)
        shape = shape[:1] + _known(sizes) + shape[-1:]
        return Apply(self, [y] + list(indices) + sizes, [tensor_type(y.dtype, shape)()])

    def infer_shape(self, fgraph, node, shapes):
        return [shapes[0][:1] + tuple(node.inputs[-len(self.window):]) + shapes[0][-1:]]


class MaxPool(_Reducing):
    """The largest element of every window, and which one of its window it is (the first of equal ones)."""

    index_dtypes = ('int16',)

    def perform(self, node, inputs, outputs):
        x = inputs[0]
        geometry = self.geometry(x.shape[1:-1])
        lowest = -np.inf if x.dtype.kind == 'f' else np.iinfo(x.dtype).min
        x = geometry.padded(x, lowest)
        slices = list(geometry.slices())
        best = np.array(x[slices[0]])
        index = np.zeros(best.shape, 'int16')
        for position, window in enumerate(slices[1:], 1):
            part = x[window]
            np.copyto(index, np.int16(position), where=part > best)
            np.maximum(best, part, out=best)
        outputs[0][0], outputs[1][0] = best, index

    def pullback(self, inputs, outputs, gradients):
        return [self.sibling(PutInWindows)(gradients[0], outputs[1], *sizes_of(inputs[0], 1, -1))]


class TakeFromWindows(_Reducing):
    """The elements of the windows at the positions that `MaxPool` gives."""

    def perform(self, node, inputs, outputs):
        x, index = inputs
        geometry = self.geometry(x.shape[1:-1])
        x = geometry.padded(x)
        result = np.zeros(index.shape, x.dtype)
        for position, window in enumerate(geometry.slices()):
            np.copyto(result, x[window], where=index == position)
        outputs[0][0] = result

    def pullback(self, inputs, outputs, gradients):
        return [self.sibling(PutInWindows)(gradients[0], inputs[1], *sizes_of(inputs[0], 1, -1)), DisconnectedType()()]


class PutInWindows(_Spreading):
    """Zeros, with elements added at the positions in their windows that `MaxPool` gives."""

    def perform(self, node, inputs, outputs):
        y, index = inputs[:2]
        geometry = self.geometry([int(size) for size in inputs[2:]])
        result = np.zeros(y.shape[:1] + geometry.total + y.shape[-1:], y.dtype)
        for position, window in enumerate(geometry.slices()):
            if geometry.overlaps:
                result[window] += y * (index == position)
            else:
                np.copyto(result[window], y, where=index == position)
        outputs[0][0] = result[geometry.inside]

    def pullback(self, inputs, outputs, gradients):
        taken = self.sibling(TakeFromWindows)(gradients[0], inputs[1])
        return [taken] + [DisconnectedType()() for _ in inputs[1:]]


def _share(geometry, dtype):
    """One divided by how many elements of each window lie in the input, with axes for batch and channels."""
    ones = geometry.padded(np.ones((1,) + geometry.size + (1,), dtype))
    return 1 / sum(ones[window] for window in geometry.slices())


class MeanPool(_Reducing):
    """The mean of every window."""

    def perform(self, node, inputs, outputs):
        x = inputs[0]
        geometry = self.geometry(x.shape[1:-1])
        padded = geometry.padded(x)
        total = sum(padded[window] for window in geometry.slices())
        outputs[0][0] = (total * _share(geometry, x.dtype)).astype(x.dtype)

    def pullback(self, inputs, outputs, gradients):
        return [self.sibling(SpreadOverWindows)(gradients[0], *sizes_of(inputs[0], 1, -1))]


class SpreadOverWindows(_Spreading):
    """Every element shared out evenly over its window."""

    def perform(self, node, inputs, outputs):
        y = inputs[0]
        geometry = self.geometry([int(size) for size in inputs[1:]])
        y = (y * _share(geometry, y.dtype)).astype(y.dtype)
        result = np.zeros(y.shape[:1] + geometry.total + y.shape[-1:], y.dtype)
        for window in geometry.slices():
            result[window] += y
        outputs[0][0] = result[geometry.inside]

    def pullback(self, inputs, outputs, gradients):
        return [self.sibling(MeanPool)(gradients[0])] + [DisconnectedType()() for _ in inputs[1:]]
