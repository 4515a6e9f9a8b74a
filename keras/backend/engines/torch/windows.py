"""Convolution and pooling: channels-last data, handed to PyTorch's kernels as permuted views."""
import torch
from torch.nn import functional

from keras.backend.engines.torch.tensors import CUDA, FLOATS, HALVES


def channels_first(x):
    """The view (batch, channels, spatial...) of (batch, spatial..., channels)."""
    return x.permute(0, 3, 1, 2) if x.ndim == 4 else x.permute(0, -1, *range(1, x.ndim - 1))


def channels_last(x):
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


def padded(x, widths, value=0):
    flat = [width for pair in reversed(widths) for width in pair]
    return functional.pad(x, flat, value=value)


_CONVOLUTIONS = {4: torch.conv2d, 5: torch.conv3d}
_TRANSPOSED = {4: torch.conv_transpose2d, 5: torch.conv_transpose3d}
_MAX_POOLS = {4: torch.max_pool2d, 5: torch.max_pool3d}
_MEAN_POOLS = {4: functional.avg_pool2d, 5: functional.avg_pool3d}


def conv(x, kernel, strides, padding, dilation, groups=1, bias=None):
    if x.ndim == 3:
        y = conv(x.unsqueeze(1), kernel.unsqueeze(0), (1,) + tuple(strides), padding,
                      (1,) + tuple(dilation), groups, bias)
        return y.squeeze(1)
    before = 0
    if padding == 'same':
        widths = _same_padding(x, kernel.shape, strides, dilation)
        if all(first == last for first, last in widths):
            before = [first for first, _ in widths]
        else:
            x = padded(x, [(0, 0)] + widths + [(0, 0)])
    run = _CONVOLUTIONS[x.ndim]
    return channels_last(run(channels_first(x), _outer_first(kernel), bias, strides, before, dilation, groups))


def conv_transpose(x, kernel, strides, padding, dilation, output_size):
    if x.ndim == 3:
        y = conv_transpose(x.unsqueeze(1), kernel.unsqueeze(0), (1,) + tuple(strides), padding,
                                (1,) + tuple(dilation), (1,) + tuple(output_size))
        return y.squeeze(1)
    crops, extras = [], []
    for n, w, s, d, out in zip(x.shape[1:-1], kernel.shape, strides, dilation, output_size):
        reached = (n - 1) * s + (w - 1) * d + 1
        crops.append(max(reached - out, 0) // 2 if padding == 'same' else 0)
        extras.append(min(max(out - reached + 2 * crops[-1], 0), max(s, d) - 1))
    run = _TRANSPOSED[x.ndim]
    y = channels_last(run(channels_first(x), _outer_first(kernel), None, strides, crops, extras, 1, dilation))
    if tuple(y.shape[1:-1]) == tuple(output_size):
        return y
    y = y[(slice(None),) + tuple(slice(size) for size in output_size)]
    missing = [(0, size - n) for size, n in zip(output_size, y.shape[1:-1])]
    return padded(y, [(0, 0)] + missing + [(0, 0)]) if any(last for _, last in missing) else y


def pool(x, size, strides, padding, mode):
    if x.dtype not in FLOATS:
        return pool(x.double(), size, strides, padding, mode).to(x.dtype)
    if x.ndim == 5 and x.dtype in HALVES and not CUDA:
        # The one pooling that PyTorch has no half precision kernel for.
        return pool(x.float(), size, strides, padding, mode).to(x.dtype)
    if x.ndim == 3:
        return pool(x.unsqueeze(1), (1,) + tuple(size), (1,) + tuple(strides), padding, mode).squeeze(1)
    before, surplus = [0] * len(size), []
    if padding == 'same':
        before, surplus = _pool_padding(x, size, strides)
    x = channels_first(x)
    if mode == 'max':
        y = _MAX_POOLS[x.ndim](x, size, strides, before, 1, padding == 'same')
    else:
        y = _MEAN_POOLS[x.ndim](x, size, strides, before, padding == 'same', False)
    for axis in surplus:
        y = y.narrow(axis, 1, y.shape[axis] - 1)
    return channels_last(y)


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
