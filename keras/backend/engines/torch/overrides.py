"""Fused versions of composites. Arguments as in keras.backend.table.composites, by position; NotImplemented hands a
call back to the composite.
"""
import torch
from torch.nn import functional

from keras import config
from keras.backend.engines.torch.tensors import FLOATS, HALVES, INDEX_TYPES, generator_of
from keras.backend.engines.torch.windows import channels_first, channels_last, conv
from keras.backend.table.composites.conv import convolution_arguments, restored, spatial_tuple
from keras.backend.table.composites.random import draw_seed

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
    if isinstance(x_min, torch.Tensor) is isinstance(x_max, torch.Tensor) or x_min is None or x_max is None:
        return x if x_min is None and x_max is None else torch.clamp(x, x_min, x_max)
    return torch.clamp(torch.clamp(x, x_min), None, x_max)


@override
def row_counts(rows, bins, weights=None):
    if not isinstance(bins, int) or weights is not None and weights.requires_grad:
        return NotImplemented
    # Each row has a bin more, for what is in none.
    places = torch.where((rows < 0) | (rows >= bins), bins, rows)
    places = places + torch.arange(len(rows), device=rows.device, dtype=rows.dtype)[:, None] * (bins + 1)
    found = torch.bincount(places.flatten(), None if weights is None else weights.flatten(), len(rows) * (bins + 1))
    return found.reshape(len(rows), bins + 1)[:, :bins].to(torch.int32 if weights is None else weights.dtype)


@override
def part_at(x, starts, sizes):
    if not all(size is None or type(size) is int for size in sizes):
        return NotImplemented
    for axis, (start, size) in enumerate(zip(starts, sizes)):
        if size is not None:
            x = torch.narrow(x, axis, start, size)
    return x


@override
def divide_no_nan(x1, x2):
    if x1.requires_grad or x2.requires_grad:  # which would get what is not taken as NaN
        return NotImplemented
    return torch.where(x2 == 0, 0.0, x1 / x2)


@override
def relu(x, negative_slope=0.0, max_value=None, threshold=0.0):
    if threshold or x.dtype not in FLOATS:
        return NotImplemented
    if not negative_slope:
        return torch.relu(x) if max_value is None else functional.hardtanh(x, 0.0, max_value)
    return NotImplemented if max_value is not None else functional.leaky_relu(x, negative_slope)


@override
def leaky_relu(x, negative_slope=0.2):
    return functional.leaky_relu(x, negative_slope) if x.dtype in FLOATS else NotImplemented


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
def differs(x, value):
    # Several times as fast as a comparison and `any`; NaN differs from 0 as well.
    plain = value == 0 and x.is_floating_point() and x.shape[-1]
    return x.detach().abs().amax(-1) != 0 if plain else NotImplemented


@override
def any_(x, axis=None, keepdims=False):
    if x.dtype is torch.bool and type(axis) is int and x.dim():  # the sum takes a quarter of the time
        return torch.sum(x, axis, keepdims) != 0
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
    return torch.embedding(table, indices) if indices.dtype in INDEX_TYPES else NotImplemented


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
    return restored(conv(x, kernel, *arguments, bias), first)


@override
def attention(query, key, value, bias=None, scale=None, is_causal=False, soft_cap=None, fused=True):
    if not fused or soft_cap is not None or bias is not None and is_causal:
        return NotImplemented
    query, key, value = query.transpose(1, 2), key.transpose(1, 2), value.transpose(1, 2)
    groups = query.shape[1] // key.shape[1]
    if groups != 1:
        key, value = key.repeat_interleave(groups, 1), value.repeat_interleave(groups, 1)
    return functional.scaled_dot_product_attention(query, key, value, bias, 0.0, is_causal, scale=scale).transpose(1, 2)


def _as_rows(x, axis):
    """`x` with `axis`, the channels, as the second of PyTorch's axes, and what undoes it; None where it is neither.

    Contiguous channels-last data go as a matrix, for which PyTorch's kernels are faster than for such images.
    """
    if axis == -1 or axis == x.ndim - 1:
        if x.ndim == 2:
            return x, lambda y: y
        if x.is_contiguous():
            return x.view(-1, x.shape[-1]), lambda y: y.view(x.shape)
        return channels_first(x), channels_last
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
    if rows is None or x.dtype in HALVES or not x.numel():
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
    kept = torch.empty_like(x).bernoulli_(1.0 - rate, generator=generator_of(draw_seed(seed))).div_(1.0 - rate)
    return torch.mul(x, kept)


@override
def count_in(totals, value, samples):
    return torch.add(totals, value, alpha=samples)


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


def _of_rows(target, output, axis, reduction):
    """The cross-entropy of rows of logits by PyTorch's kernel; None for anything else."""
    if output.ndim == 2 and axis in (-1, 1) and output.dtype not in HALVES:
        rows = target if target.ndim == 1 else target.squeeze(1)
        if rows.ndim == 1:
            return functional.cross_entropy(output, rows.long(), ignore_index=_NO_CLASS, reduction=reduction)
    return None


@override
def mean_sparse_categorical_crossentropy(target, output, from_logits=False, axis=-1):
    mean = _of_rows(target, output, axis, 'mean') if from_logits else None
    return NotImplemented if mean is None else mean


@override
def sparse_categorical_crossentropy(target, output, from_logits=False, axis=-1):
    """The probability of the class is picked out, instead of multiplied with a one-hot vector."""
    losses = _of_rows(target, output, axis, 'none') if from_logits else None
    if losses is not None:
        return losses
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


@override
def resize(x, size, interpolation='bilinear', data_format=None, antialias=False, half_pixel_centers=True):
    if interpolation != 'bilinear' or not half_pixel_centers or x.ndim != 4 or x.dtype not in FLOATS - HALVES:
        return NotImplemented
    size = spatial_tuple(size, 2, 'size')
    if config.normalize_data_format(data_format) == 'channels_first':
        return functional.interpolate(x, size, mode='bilinear', antialias=antialias)
    return channels_last(functional.interpolate(channels_first(x), size, mode='bilinear', antialias=antialias))
