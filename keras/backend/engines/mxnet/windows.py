"""Convolutions and pooling, channels first."""
import numpy as np

from keras.backend.contract.rules import window_length
from keras.backend.engines.mxnet import tensors as o, steps


def same_padding(sizes, windows, strides, dilation):
    """The (before, after) padding of axes of these sizes."""
    widths = []
    for n, w, s, d in zip(sizes, windows, strides, dilation):
        total = max((-(-n // s) - 1) * s + (w - 1) * d + 1 - n, 0)
        widths.append((total // 2, total - total // 2))
    return widths


def channels_first(x):
    return o.transpose(x, axes=(0, x.ndim - 1) + tuple(range(1, x.ndim - 1)))


def channels_last(x):
    return o.transpose(x, axes=(0,) + tuple(range(2, x.ndim)) + (1,))


def convolved(x, kernel, strides, padding, dilation, groups=1, bias=None):
    """The correlation of `x` (batch, channels, spatial...) with `kernel` (spatial..., in, out)."""
    rank, before = kernel.ndim - 2, (0,) * (kernel.ndim - 2)
    if padding == 'same':
        widths = same_padding(x.shape[2:], kernel.shape, strides, dilation)
        if all(first == last for first, last in widths):
            before = tuple(first for first, _ in widths)
        else:
            x = o.pad(x, [(0, 0), (0, 0)] + widths)
    weight = o.transpose(kernel, axes=(rank + 1, rank) + tuple(range(rank)))
    arrays = (x, weight) if bias is None else (x, weight, bias)
    return o.convolution(*arrays, kernel=kernel.shape[:-2], stride=tuple(strides), dilate=tuple(dilation), pad=before,
                        num_filter=kernel.shape[-1], num_group=groups, no_bias=bias is None)


def transposed(x, kernel, strides, padding, dilation, output_size):
    """The gradient of `convolved` by its input: `kernel` (spatial..., out, in).

    MXNet's operator fails in its gradient by a kernel that is not an argument but a result: a convolution of `x` with
    zeros between its elements does the same.
    """
    rank, widths = kernel.ndim - 2, []
    for n, w, s, d, out in zip(x.shape[2:], kernel.shape, strides, dilation, output_size):
        extent = (w - 1) * d + 1
        crop = max((n - 1) * s + extent - out, 0) // 2 if padding == 'same' else 0
        widths.append((extent - 1 - crop, out + crop - (n - 1) * s - 1))
    x = o.pad(spaced(x, strides), [(0, 0), (0, 0)] + [(max(before, 0), max(after, 0)) for before, after in widths])
    begin = tuple(max(-before, 0) for before, _ in widths)
    end = tuple(min(after, 0) or None for _, after in widths)
    if any(begin) or any(end):
        x = o.slice_(x, begin=(None, None) + begin, end=(None, None) + end)
    weight = o.transpose(o.flip(kernel, axis=tuple(range(rank))), axes=(rank, rank + 1) + tuple(range(rank)))
    return o.convolution(x, weight, kernel=kernel.shape[:-2], stride=(1,) * rank, dilate=tuple(dilation),
                        pad=(0,) * rank, num_filter=kernel.shape[-2], no_bias=True)


def spaced(x, strides):
    """`x` (batch, channels, spatial...) with `stride - 1` zeros between neighbours."""
    if all(stride == 1 for stride in strides):
        return x
    for axis, stride in enumerate(strides, 2):
        rest = int(np.prod(x.shape[axis + 1:]))
        rows = o.pad(o.reshape(x, newshape=(-1, rest)), ((0, 0), (0, rest * (stride - 1))))
        shape = x.shape[:axis] + (x.shape[axis] * stride,) + x.shape[axis + 1:]
        x = o.reshape(rows, newshape=shape)
    return o.slice_(x, begin=(None,) * x.ndim, end=(None, None) + tuple(1 - stride or None for stride in strides))


def pooled(x, size, strides, padding, mode):
    """The maximum or mean of windows of `x` (batch, channels, spatial...)."""
    if x.dtype not in o.FLOATS:
        return o.cast(pooled(o.cast(x, dtype='float64'), size, strides, padding, mode), dtype=o.NAMES[x.dtype])
    ones = (1,) * len(size)
    widths = same_padding(x.shape[2:], size, strides, ones) if padding == 'same' else [(0, 0)] * len(size)
    arguments = {'kernel': tuple(size), 'stride': tuple(strides), 'pool_type': mode}
    if all(first == last for first, last in widths):
        return o.pooling(x, pad=tuple(first for first, _ in widths), count_include_pad=False, **arguments)
    padded = o.pad(x, [(0, 0), (0, 0)] + widths, -np.inf if mode == 'max' else 0)
    y = o.pooling(padded, pad=(0,) * len(size), count_include_pad=True, **arguments)
    return y if mode == 'max' else o.multiply(y, share_of_padding(x, size, strides))


def share_of_padding(x, size, strides):
    """The size of each window divided by the number of its elements that are not padding."""
    result = np.ones((1, 1) + (1,) * len(size))
    for axis, (n, w, s) in enumerate(zip(x.shape[2:], size, strides)):
        (before, _), = same_padding((n,), (w,), (s,), (1,))
        starts = np.arange(window_length(n, w, s, 'same')) * s - before
        inside = np.minimum(starts + w, n) - np.maximum(starts, 0)
        shape = [1] * result.ndim
        shape[axis + 2] = len(inside)
        result = result * (w / inside).reshape(shape)
    return steps.made(result.astype(x.dtype))


