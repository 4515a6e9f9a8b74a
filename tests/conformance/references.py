"""What the entries of the op table compute, said a second time in NumPy and SciPy, in float64.

`REFERENCES[name](*arguments)` gets the arguments of a case, arrays in the place of tensors and defaults filled
in. `TOLERANCES`: allowed error |a - b| / (1 + |b|) where it is not 2e-5.
"""
import colorsys
import itertools

import numpy as np
import scipy.linalg
import scipy.signal
import scipy.special

TOLERANCES = {'erfinv': 1e-4, 'digamma': 1e-4, 'lgamma': 5e-5, 'cholesky': 1e-4, 'solve': 1e-4,
              'triangular_solve': 1e-4, 'fft': 1e-4, 'cumprod': 1e-4, 'prod': 1e-4, 'tan': 1e-4, 'rsqrt': 5e-5}


# --- windows ----------------------------------------------------------------------------------------------------

def _pad_same(x, size, strides, dilation, fill=0.0):
    widths = [(0, 0)]
    for length, window, stride, rate in zip(x.shape[1:-1], size, strides, dilation):
        outputs = -(-length // stride)
        total = max((outputs - 1) * stride + (window - 1) * rate + 1 - length, 0)
        widths.append((total // 2, total - total // 2))
    return np.pad(x, widths + [(0, 0)], mode='constant', constant_values=fill)


def _correlate_valid(x, kernel):
    """Stride 1, no padding, one group: SciPy's correlation, summed over the channels."""
    spatial = [n - k + 1 for n, k in zip(x.shape[1:-1], kernel.shape)]
    result = np.zeros([len(x)] + spatial + [kernel.shape[-1]])
    for sample, source, target in itertools.product(range(len(x)), range(x.shape[-1]), range(kernel.shape[-1])):
        result[sample, ..., target] += scipy.signal.correlate(x[sample, ..., source], kernel[..., source, target],
                                                              mode='valid', method='direct')
    return result


def _dilated(kernel, dilation):
    spatial = tuple((k - 1) * rate + 1 for k, rate in zip(kernel.shape, dilation))
    result = np.zeros(spatial + kernel.shape[-2:])
    result[tuple(slice(None, None, rate) for rate in dilation)] = kernel
    return result


def conv(x, kernel, strides, padding, dilation, groups=1):
    kernel = _dilated(kernel, dilation)
    if padding == 'same':
        x = _pad_same(x, kernel.shape[:-2], strides, (1,) * len(strides))
    elif padding == 'full':
        x = np.pad(x, [(0, 0)] + [(size - 1, size - 1) for size in kernel.shape[:-2]] + [(0, 0)], mode='constant')
    parts = zip(np.split(x, groups, -1), np.split(kernel, groups, -1))
    full = np.concatenate([_correlate_valid(part, weights) for part, weights in parts], -1)
    return full[(slice(None),) + tuple(slice(None, None, stride) for stride in strides)]


def conv_transpose(x, kernel, strides, padding, dilation, output_size):
    """The gradient of `conv` by its input, by the definition: one column of the linear map at a time."""
    shape = (1,) + tuple(output_size) + kernel.shape[-2:-1]
    result = np.zeros((len(x),) + shape[1:])
    for place in np.ndindex(*shape[1:]):
        unit = np.zeros(shape)
        unit[(0,) + place] = 1
        image = conv(unit, kernel, strides, padding, dilation)
        image = _fitted(image, x.shape[1:])
        result[(slice(None),) + place] = np.tensordot(x, image[0], axes=image.ndim - 1)
    return result


def _fitted(image, shape):
    """An output larger than the input needs (output padding) has windows too many."""
    return image[(slice(None),) + tuple(slice(0, size) for size in shape)]


def pool(x, size, strides, padding, mode):
    lengths = [-(-n // s) if padding == 'same' else -(-(n - w + 1) // s)
               for n, w, s in zip(x.shape[1:-1], size, strides)]
    if padding == 'same':
        x = _pad_same(x, size, strides, (1,) * len(size), np.nan)
    result = np.zeros((len(x),) + tuple(lengths) + x.shape[-1:])
    for place in np.ndindex(*lengths):
        window = tuple(slice(p * s, p * s + w) for p, s, w in zip(place, strides, size))
        values = x[(slice(None),) + window]
        axes = tuple(range(1, x.ndim - 1))
        result[(slice(None),) + place] = (np.nanmax if mode == 'max' else np.nanmean)(values, axis=axes)
    return result


def _tuple(value, rank):
    return (value,) * rank if isinstance(value, int) else tuple(value)


def _channels_last(function):
    """`function(x, ..., rank)` for channels-last data, as a function with `data_format`."""
    def run(x, *args, data_format=None):
        first = data_format == 'channels_first'
        x = np.moveaxis(x, 1, -1) if first else x
        result = function(x, *args)
        return np.moveaxis(result, -1, 1) if first else result
    return run


def convolution(x, kernel, strides, padding, data_format, dilation, groups, bias):
    rank = x.ndim - 2
    strides, dilation = _tuple(strides, rank), _tuple(dilation, rank)

    def last(x):
        if padding == 'causal':
            x = np.pad(x, ((0, 0), ((kernel.shape[0] - 1) * dilation[0], 0), (0, 0)), mode='constant')
        return conv(x, kernel, strides, 'valid' if padding == 'causal' else padding, dilation,
                    groups or x.shape[-1] // kernel.shape[-2]) + (0 if bias is None else bias)
    return _channels_last(last)(x, data_format=data_format)


def convolution_transpose(x, kernel, strides, padding, output_padding, data_format, dilation):
    rank = x.ndim - 2
    strides, dilation = _tuple(strides, rank), _tuple(dilation, rank)

    def length(n, k, s, d, extra):
        k = (k - 1) * d + 1
        if output_padding is not None:
            return (n - 1) * s + k - {'valid': 0, 'same': 2 * (k // 2), 'full': 2 * (k - 1)}[padding] + extra
        return n * s + {'valid': max(k - s, 0), 'same': 0, 'full': 2 - s - k}[padding]

    def last(x):
        sizes = [length(*each) for each in zip(x.shape[1:-1], kernel.shape, strides, dilation,
                                               _tuple(output_padding or 0, rank))]
        return conv_transpose(x, kernel, strides, padding, dilation, sizes)
    return _channels_last(last)(x, data_format=data_format)


def depthwise_conv(x, kernel, strides, padding, data_format, dilation):
    first = data_format == 'channels_first'
    x = np.moveaxis(x, 1, -1) if first else x
    rank = x.ndim - 2
    parts = [conv(x[..., c:c + 1], kernel[..., c:c + 1, :], _tuple(strides, rank), padding, _tuple(dilation, rank))
             for c in range(x.shape[-1])]
    result = np.concatenate(parts, -1)
    return np.moveaxis(result, -1, 1) if first else result


def separable_conv(x, depthwise, pointwise, strides, padding, data_format, dilation):
    x = depthwise_conv(x, depthwise, strides, padding, data_format, dilation)
    weights = pointwise.reshape(pointwise.shape[-2:])
    return np.moveaxis(np.tensordot(x, weights, ([1], [0])), -1, 1) if data_format == 'channels_first' else x @ weights


def _pooling(mode):
    def run(x, size, strides, padding, data_format):
        rank = x.ndim - 2
        size = _tuple(size, rank)
        strides = size if strides is None else _tuple(strides, rank)
        return _channels_last(lambda x: pool(x, size, strides, padding, mode))(x, data_format=data_format)
    return run


def _pairs(value, rank):
    if rank == 1 and isinstance(value, tuple):
        return [value]
    return [(part, part) if isinstance(part, int) else part for part in _tuple(value, rank)]


def spatial_padding(x, padding, data_format):
    pairs = _pairs(padding, x.ndim - 2)
    lead = [(0, 0)] * (2 if data_format == 'channels_first' else 1)
    widths = lead + pairs
    return np.pad(x, widths + [(0, 0)] * (x.ndim - len(widths)), mode='constant')


def spatial_cropping(x, cropping, data_format):
    lead = 2 if data_format == 'channels_first' else 1
    for axis, (before, after) in enumerate(_pairs(cropping, x.ndim - 2), lead):
        x = np.take(x, range(before, x.shape[axis] - after), axis)
    return x


def extract_patches(x, size, strides, dilation, padding, data_format):
    rank = x.ndim - 2
    size, dilation = _tuple(size, rank), _tuple(dilation, rank)
    strides = size if strides is None else _tuple(strides, rank)

    def last(x):
        parts = []
        for offsets in np.ndindex(*size):
            for channel in range(x.shape[-1]):
                kernel = np.zeros(size + (x.shape[-1], 1))
                kernel[offsets + (channel, 0)] = 1
                parts.append(conv(x, kernel, strides, padding, dilation))
        return np.concatenate(parts, -1)
    return _channels_last(last)(x, data_format=data_format)


def local_conv(x, kernel, size, strides, data_format):
    rank = x.ndim - 2
    size, strides = _tuple(size, rank), _tuple(strides, rank)
    first = data_format == 'channels_first'
    x = np.moveaxis(x, 1, -1) if first else x
    counts = [(n - k) // s + 1 for n, k, s in zip(x.shape[1:-1], size, strides)]
    result = np.zeros([len(x)] + counts + [kernel.shape[-1]])
    for number, place in enumerate(np.ndindex(*counts)):
        window = x[(slice(None),) + tuple(slice(p * s, p * s + k) for p, s, k in zip(place, strides, size))]
        window = np.moveaxis(window, -1, 1) if first else window
        result[(slice(None),) + place] = window.reshape(len(x), -1) @ kernel[number]
    return np.moveaxis(result, -1, 1) if first else result


def upsampling(x, size, interpolation, data_format, half_pixel_centers):
    lead = 2 if data_format == 'channels_first' else 1
    for axis, factor in enumerate(_tuple(size, x.ndim - 2), lead):
        x = _stretched(x, axis, x.shape[axis] * factor, interpolation, half_pixel_centers)
    return x


def _stretched(x, axis, new, interpolation, half_pixel_centers):
    old = x.shape[axis]
    shift = 0.5 if half_pixel_centers else 0.0
    if interpolation == 'nearest':
        return np.take(x, np.minimum(np.floor((np.arange(new) + shift) * old / new).astype(int), old - 1), axis)
    places = np.clip((np.arange(new) + shift) * old / new - shift, 0, old - 1)
    return np.apply_along_axis(lambda line: np.interp(places, np.arange(old), line), axis, x)


def _cubic(distance):
    d = abs(distance)
    return 1.5 * d ** 3 - 2.5 * d ** 2 + 1 if d <= 1 else -0.5 * d ** 3 + 2.5 * d ** 2 - 4 * d + 2 if d < 2 else 0.0


_WEIGHTS = {'bilinear': lambda d: max(1 - abs(d), 0), 'bicubic': _cubic,
            'lanczos3': lambda d: np.sinc(d) * np.sinc(d / 3) if abs(d) < 3 else 0.0}


def resize(x, size, interpolation, data_format, antialias, half_pixel_centers):
    lead = 2 if data_format == 'channels_first' else 1
    for axis, new in enumerate(_tuple(size, x.ndim - 2), lead):
        if interpolation == 'nearest':
            x = _stretched(x, axis, new, interpolation, half_pixel_centers)
            continue
        old, widen = x.shape[axis], max(x.shape[axis] / new, 1) if antialias else 1
        slices = []
        for index in range(new):
            centre = (index + 0.5) * old / new - 0.5
            weights = np.array([_WEIGHTS[interpolation]((place - centre) / widen) for place in range(old)])
            slices.append(np.tensordot(weights / weights.sum(), x, ([0], [axis])))
        x = np.stack(slices, axis)
    return x


# --- recurrence -------------------------------------------------------------------------------------------------

_ACTIVATIONS = {'tanh': np.tanh, 'sigmoid': scipy.special.expit, 'relu': lambda x: np.maximum(x, 0),
                'linear': lambda x: x}


def _recurrence(step, x, states, mask, go_backwards, return_sequences):
    """Sample by sample and step by step; a masked step repeats the output, at first zeros, and keeps the states."""
    outputs, last = [], [[] for _ in states]
    for sample in range(len(x)):
        current = [state[sample] for state in states]
        output, line = np.zeros_like(current[0]), []
        for time in range(x.shape[1])[::-1 if go_backwards else 1]:
            if mask is None or mask[sample, time]:
                current = step(x[sample, time], current)
                output = current[0]
            line.append(output)
        outputs.append(line if return_sequences else line[-1])
        for states_of, state in zip(last, current):
            states_of.append(state)
    return [np.array(outputs)] + [np.array(state) for state in last]


def simple_rnn_sequence(x, h0, kernel, recurrent, bias, mask, go_backwards, return_sequences, activation, unroll):
    act, bias = _ACTIVATIONS[activation], 0 if bias is None else bias
    return _recurrence(lambda x, s: [act(x @ kernel + s[0] @ recurrent + bias)], x, [h0], mask, go_backwards,
                       return_sequences)


def lstm_sequence(x, h0, c0, kernel, recurrent, bias, mask, go_backwards, return_sequences, activation,
                  recurrent_activation, unroll):
    act, gate, bias = _ACTIVATIONS[activation], _ACTIVATIONS[recurrent_activation], 0 if bias is None else bias

    def step(x, states):
        i, f, g, o = np.split(x @ kernel + states[0] @ recurrent + bias, 4)
        c = gate(f) * states[1] + gate(i) * act(g)
        return [gate(o) * act(c), c]
    return _recurrence(step, x, [h0, c0], mask, go_backwards, return_sequences)


def gru_sequence(x, h0, kernel, recurrent, bias, mask, go_backwards, return_sequences, activation,
                 recurrent_activation, reset_after, unroll):
    act, gate, units = _ACTIVATIONS[activation], _ACTIVATIONS[recurrent_activation], h0.shape[1]
    bias = np.zeros((2, 3 * units)) if bias is None else bias
    bias = bias if bias.ndim == 2 else np.stack([bias, 0 * bias])

    def step(x, states):
        h = states[0]
        xz, xr, xh = np.split(x @ kernel + bias[0], 3)
        rz, rr, rh = np.split(h @ recurrent + bias[1], 3)
        z, r = gate(xz + rz), gate(xr + rr)
        inner = r * rh if reset_after else (r * h) @ recurrent[:, 2 * units:]
        return [z * h + (1 - z) * act(xh + inner)]
    return _recurrence(step, x, [h0], mask, go_backwards, return_sequences)


# --- small helpers ----------------------------------------------------------------------------------------------

def _axis(axis):
    return tuple(axis) if isinstance(axis, list) else axis


def _sum(x, axis, keepdims):
    return np.sum(x.astype('int64') if x.dtype == bool else x, axis=_axis(axis), keepdims=keepdims)


def _scattered(function):
    def run(x, indices, updates):
        result = np.array(x)
        rows = updates.reshape((-1,) + updates.shape[indices.ndim:])
        for index, row in zip(indices.ravel(), rows):
            result[index] = function(result[index], row)
        return result
    return run


def _gather_nd(x, indices):
    rows = [x[tuple(index)] for index in indices.reshape(-1, indices.shape[-1])]
    return np.array(rows).reshape(indices.shape[:-1] + x.shape[indices.shape[-1]:])


def _slice(x, starts, stops, steps):
    return x[tuple(slice(*bounds) for bounds in zip(starts, stops, steps))]


def _top_k(x, k):
    order = np.argsort(-x, -1)[..., :k]
    return [np.sort(x, -1)[..., ::-1][..., :k], order]


def _fft(real, imaginary):
    result = np.fft.fft(real + 1j * imaginary)
    return [result.real, result.imag]


def _triangular_solve(a, b, lower):
    return scipy.linalg.solve_triangular(a, b, lower=lower)


def _stacked(function):
    def run(x):
        return np.array([function(matrix) for matrix in x.reshape((-1,) + x.shape[-2:])]).reshape(x.shape)
    return run


def _one_hot(x, num_classes, axis, dtype):
    result = np.array([[float(index == c) for c in range(num_classes)] for index in x.ravel()])
    return np.moveaxis(result.reshape(x.shape + (num_classes,)), -1, axis)


def _take(x, indices, axis):
    return np.take(x, np.asarray(indices), axis=axis)


def _batch_dot(x, y, axes):
    axes = (x.ndim - 1, y.ndim - 2 if y.ndim > 2 else y.ndim - 1) if axes is None else _tuple(axes, 2)
    rows = [np.tensordot(a, b, ([axes[0] - (axes[0] > 0)], [axes[1] - (axes[1] > 0)])) for a, b in zip(x, y)]
    result = np.array(rows)
    return result[:, None] if result.ndim == 1 else result


def _dot(x, y):
    return np.dot(x, y)


def _normalized(x, axis, offset, scale, mean, variance, epsilon):
    shape = [1] * x.ndim
    for entry in axis if isinstance(axis, (tuple, list)) else (axis,):
        shape[entry] = x.shape[entry]
    result = (x - mean.reshape(shape)) / np.sqrt(variance.reshape(shape) + epsilon)
    result = result if scale is None else result * scale.reshape(shape)
    return result if offset is None else result + offset.reshape(shape)


def _others(x, axis):
    kept = {entry % x.ndim for entry in (axis if isinstance(axis, (tuple, list)) else (axis,))}
    return tuple(entry for entry in range(x.ndim) if entry not in kept)


def _batch_normalization(x, mean, variance, axis, offset, scale, epsilon):
    return _normalized(x, axis, offset, scale, mean, variance, epsilon)


def _batch_normalization_train(x, axis, offset, scale, epsilon):
    axes = _others(x, axis)
    mean, variance = np.mean(x, axes), np.var(x, axes)
    return [_normalized(x, axis, offset, scale, mean, variance, epsilon), mean, variance]


def _layer_normalization(x, gamma, beta, axis, epsilon):
    axes = tuple(axis) if isinstance(axis, (tuple, list)) else (axis,)
    result = (x - x.mean(axes, keepdims=True)) / np.sqrt(x.var(axes, keepdims=True) + epsilon)
    shape = [size if index in {a % x.ndim for a in axes} else 1 for index, size in enumerate(x.shape)]
    result = result if gamma is None else result * gamma.reshape(shape)
    return result if beta is None else result + beta.reshape(shape)


def _rms_normalization(x, scale, axis, epsilon):
    axes = tuple(axis) if isinstance(axis, (tuple, list)) else (axis,)
    result = x / np.sqrt(np.mean(x * x, axes, keepdims=True) + epsilon)
    shape = [size if index in {a % x.ndim for a in axes} else 1 for index, size in enumerate(x.shape)]
    return result if scale is None else result * scale.reshape(shape)


def _sparsemax(x, axis):
    """Bisection for the threshold t with sum(max(x - t, 0)) = 1."""
    low, high = x.max(axis, keepdims=True) - 1, x.max(axis, keepdims=True)
    for _ in range(60):
        middle = (low + high) / 2
        above = np.maximum(x - middle, 0).sum(axis, keepdims=True) > 1
        low, high = np.where(above, middle, low), np.where(above, high, middle)
    return np.maximum(x - low, 0)


def _glu(x, axis):
    first, second = np.split(x, 2, axis)
    return first * scipy.special.expit(second)


def _relu(x, slope, maximum, threshold):
    result = np.where(x >= threshold, x, slope * (x - threshold))
    return result if maximum is None else np.minimum(result, maximum)


def _bias_add(x, bias, axis):
    shape = [1] * x.ndim
    if bias.ndim == 1:
        shape[axis] = bias.size
        return x + bias.reshape(shape)
    return x + bias


def _cross_entropy(probabilities, target, axis):
    return -(target * np.log(probabilities)).sum(axis)


def _categorical_crossentropy(target, output, from_logits, axis):
    p = scipy.special.softmax(output, axis) if from_logits else output / output.sum(axis, keepdims=True)
    return _cross_entropy(p, target, axis)


def _sparse_categorical_crossentropy(target, output, from_logits, axis):
    target = target.reshape(target.shape[:-1]) if target.ndim == output.ndim and target.shape[-1] == 1 else target
    return _categorical_crossentropy(_one_hot(target, output.shape[axis], axis, None), output, from_logits, axis)


def _binary_crossentropy(target, output, from_logits):
    p = scipy.special.expit(output) if from_logits else output
    return -(target * np.log(p) + (1 - target) * np.log(1 - p))


def _roll(x, shift, axis):
    return np.roll(x, shift, axis)


def _linear(x, kernel, bias):
    return x @ kernel if bias is None else x @ kernel + bias


def _split(x, sections, axis):
    return np.split(x, list(sections) if isinstance(sections, tuple) else sections, axis)


def _unstack(x, num, axis):
    return [np.take(x, index, axis) for index in range(x.shape[axis])]


def _moments(x, axes, keepdims):
    axes = _axis(axes)
    return [x.mean(axes, keepdims=keepdims), x.var(axes, keepdims=keepdims)]


expit = scipy.special.expit

def _of_colors(function, images, axis):
    """One of `colorsys` on every pixel; where there is none, nothing."""
    return np.apply_along_axis(lambda pixel: function(*map(float, pixel)), axis, images) if images.size else images


REFERENCES = {
    # creation
    'full': lambda shape, value, dtype: np.ones(shape) * value,
    'full_like': lambda x, value, dtype: np.ones(x.shape) * value,
    'arange': lambda start, stop, step, dtype: np.arange(
        *((start, stop, step) if stop is not None else (0, start, step))),
    'zeros': lambda shape, dtype: np.zeros(shape), 'ones': lambda shape, dtype: np.ones(shape),
    'zeros_like': lambda x, dtype: np.zeros(x.shape), 'ones_like': lambda x, dtype: np.ones(x.shape),
    'eye': lambda n, m, k, dtype: np.eye(n, m, k), 'tri': lambda n, m, k, dtype: np.tri(n, m, k),
    # elementwise primitives
    'negative': lambda x: -x, 'abs': np.abs, 'sign': lambda x: (x > 0) * 1 - (x < 0) * 1, 'floor': np.floor,
    'round': np.rint, 'exp': np.exp, 'log': np.log, 'sqrt': lambda x: x ** 0.5, 'sin': np.sin, 'cos': np.cos,
    'tanh': np.tanh, 'arcsin': np.arcsin, 'arctan': np.arctan, 'erf': scipy.special.erf,
    'erfinv': scipy.special.erfinv, 'lgamma': scipy.special.gammaln, 'digamma': scipy.special.digamma,
    'logical_not': np.logical_not, 'isfinite': np.isfinite, 'stop_gradient': lambda x: x,
    'cast': lambda x, dtype: x.astype(dtype),
    'add': lambda x, y: x + y, 'subtract': lambda x, y: x - y, 'multiply': lambda x, y: x * y,
    'divide': lambda x, y: x / y, 'floor_divide': lambda x, y: x // y, 'mod': lambda x, y: x - y * np.floor(x / y),
    'power': lambda x, y: x ** y, 'maximum': lambda x, y: np.where(x > y, x, y),
    'minimum': lambda x, y: np.where(x < y, x, y), 'arctan2': np.arctan2, 'equal': lambda x, y: x == y,
    'less': lambda x, y: x < y, 'logical_and': np.logical_and, 'logical_or': np.logical_or,
    'where': np.where, 'bitwise_and': lambda x, y: x & y, 'bitwise_or': lambda x, y: x | y,
    'bitwise_xor': lambda x, y: x ^ y, 'left_shift': lambda x, y: x * 2 ** y, 'right_shift': lambda x, y: x // 2 ** y,
    # reductions and order
    'sum': _sum, 'prod': lambda x, axis, keepdims: np.prod(x, axis, keepdims=keepdims),
    'max': lambda x, axis, keepdims: np.max(x, axis, keepdims=keepdims),
    'min': lambda x, axis, keepdims: np.min(x, axis, keepdims=keepdims), 'argmax': lambda x, axis: np.argmax(x, axis),
    'cumsum': lambda x, axis: np.cumsum(x, axis), 'cumprod': lambda x, axis: np.cumprod(x, axis),
    'top_k': _top_k, 'sort': lambda x, axis: np.sort(x, axis), 'argsort': lambda x, axis: np.argsort(x, axis),
    'searchsorted': lambda x, values, side: np.searchsorted(x, values, side),
    # movement
    'reshape': lambda x, shape: x.reshape(shape), 'transpose': lambda x, axes: np.transpose(x, axes),
    'broadcast_to': lambda x, shape: x * np.ones(shape), 'concatenate': lambda xs, axis: np.concatenate(xs, axis),
    'strided_slice': _slice, 'pad': lambda x, widths, value: np.pad(x, widths, mode='constant', constant_values=value),
    'flip': lambda x, axes: np.flip(x, axes), 'gather': _take, 'gather_nd': _gather_nd,
    'scatter_add': _scattered(lambda old, new: old + new), 'scatter_max': _scattered(np.maximum),
    'scatter_update': _scattered(lambda old, new: new),
    # contraction, windows, linear algebra
    'matmul': lambda x, y: x @ y, 'conv': conv, 'conv_transpose': conv_transpose, 'pool': pool,
    'cholesky': _stacked(np.linalg.cholesky), 'triangular_solve': _triangular_solve, 'solve': np.linalg.solve,
    'fft': _fft,
    # shape
    'linspace': lambda start, stop, num, endpoint, dtype, axis: np.linspace(start, stop, num, endpoint, axis=axis),
    'expand_dims': lambda x, axis: np.expand_dims(x, axis), 'squeeze': lambda x, axis: np.squeeze(x, axis),
    'moveaxis': np.moveaxis, 'swapaxes': np.swapaxes, 'flatten': np.ravel,
    'batch_flatten': lambda x: x.reshape(len(x), -1), 'stack': lambda xs, axis: np.stack(xs, axis),
    'unstack': _unstack, 'split': _split, 'repeat': lambda x, repeats, axis: np.repeat(x, repeats, axis),
    'tile': np.tile, 'roll': _roll, 'take': _take, 'one_hot': _one_hot, 'tril': np.tril, 'triu': np.triu,
    'hsv_of_rgb': lambda images, axis=-1: _of_colors(colorsys.rgb_to_hsv, images, axis),
    'rgb_of_hsv': lambda images, axis=-1: _of_colors(colorsys.hsv_to_rgb, images, axis),
    'differs': lambda x, value: (x != value).any(-1),
    'part_at': lambda x, starts, sizes: x[tuple([slice(None) if size is None else slice(start, start + size)
                                                 for start, size in zip(starts, sizes)])],
    'take_along_axis': lambda x, i, axis: np.take_along_axis(
        *((x, i, axis) if axis is not None else (x.ravel(), i.ravel(), 0))),
    'diagonal': np.diagonal, 'diag': np.diag, 'meshgrid': lambda xs, indexing: np.meshgrid(*xs, indexing=indexing),
    # maths
    'greater': lambda x, y: x > y, 'greater_equal': lambda x, y: x >= y, 'less_equal': lambda x, y: x <= y,
    'not_equal': lambda x, y: x != y, 'logical_xor': np.logical_xor, 'isnan': np.isnan, 'isinf': np.isinf,
    'ceil': np.ceil, 'trunc': np.trunc, 'square': lambda x: x ** 2, 'reciprocal': lambda x: 1 / x,
    'rsqrt': lambda x: x ** -0.5, 'cbrt': np.cbrt, 'expm1': np.expm1, 'log1p': np.log1p, 'exp2': np.exp2,
    'log2': np.log2, 'log10': np.log10, 'tan': np.tan, 'sinh': np.sinh, 'cosh': np.cosh, 'arccos': np.arccos,
    'arcsinh': np.arcsinh, 'arccosh': np.arccosh, 'arctanh': np.arctanh, 'logaddexp': np.logaddexp,
    'divide_no_nan': lambda x, y: np.where(y == 0, 0, x / np.where(y == 0, 1, y)),
    'clip': lambda x, low, high: np.minimum(
        np.maximum(x, -np.inf if low is None else low), np.inf if high is None else high),
    'mean': lambda x, axis, keepdims: np.mean(x, axis, keepdims=keepdims),
    'var': lambda x, axis, keepdims: np.var(x, axis, keepdims=keepdims),
    'std': lambda x, axis, keepdims: np.std(x, axis, keepdims=keepdims),
    'any': lambda x, axis, keepdims: np.any(x, axis, keepdims=keepdims),
    'all': lambda x, axis, keepdims: np.all(x, axis, keepdims=keepdims), 'argmin': lambda x, axis: np.argmin(x, axis),
    'logsumexp': lambda x, axis, keepdims: scipy.special.logsumexp(x, axis, keepdims=keepdims),
    'count_nonzero': lambda x, axis: np.count_nonzero(x, axis),
    'l2_normalize': lambda x, axis, epsilon: x / np.sqrt(np.maximum(np.sum(x * x, axis, keepdims=True), epsilon)),
    'dot': _dot, 'tensordot': lambda x, y, axes: np.tensordot(x, y, axes), 'batch_dot': _batch_dot,
    'outer': np.outer, 'einsum': lambda subscripts, operands: np.einsum(subscripts, *operands),
    # convolutions and recurrence
    'convolution': convolution, 'convolution_transpose': convolution_transpose, 'depthwise_conv': depthwise_conv,
    'separable_conv': separable_conv, 'max_pool': _pooling('max'), 'average_pool': _pooling('avg'),
    'spatial_padding': spatial_padding, 'spatial_cropping': spatial_cropping, 'extract_patches': extract_patches,
    'local_conv': local_conv, 'upsampling': upsampling, 'resize': resize, 'simple_rnn_sequence': simple_rnn_sequence,
    'lstm_sequence': lstm_sequence, 'gru_sequence': gru_sequence,
    # activations
    'relu': _relu, 'leaky_relu': lambda x, slope: np.where(x > 0, x, slope * x), 'relu6': lambda x: np.clip(x, 0, 6),
    'elu': lambda x, alpha: np.where(x > 0, x, alpha * np.expm1(x)),
    'selu': lambda x: 1.0507009873554805 * np.where(x > 0, x, 1.6732632423543772 * np.expm1(x)),
    'celu': lambda x, alpha: np.where(x > 0, x, alpha * np.expm1(x / alpha)),
    'gelu': lambda x, approximate: x * (0.5 + 0.5 * (np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x ** 3))
                                                     if approximate else scipy.special.erf(x / 2 ** 0.5))),
    'sigmoid': expit, 'hard_sigmoid': lambda x: np.clip(x / 6 + 0.5, 0, 1),
    'hard_sigmoid_keras2': lambda x: np.clip(0.2 * x + 0.5, 0, 1), 'silu': lambda x: x * expit(x),
    'hard_silu': lambda x: x * np.clip(x / 6 + 0.5, 0, 1), 'hard_tanh': lambda x: np.clip(x, -1, 1),
    'softplus': lambda x: np.logaddexp(x, 0), 'log_sigmoid': lambda x: -np.logaddexp(-x, 0),
    'softsign': lambda x: x / (1 + np.abs(x)), 'tanh_shrink': lambda x: x - np.tanh(x),
    'soft_shrink': lambda x, t: np.sign(x) * np.maximum(np.abs(x) - t, 0),
    'hard_shrink': lambda x, t: np.where(np.abs(x) > t, x, 0),
    'threshold': lambda x, t, value: np.where(x > t, x, value),
    'squareplus': lambda x, b: (x + np.sqrt(x * x + b)) / 2,
    'sparse_plus': lambda x: np.where(x <= -1, 0, np.where(x < 1, (x + 1) ** 2 / 4, x)),
    'sparse_sigmoid': lambda x: np.clip(0.5 * (x + 1), 0, 1), 'glu': _glu,
    'softmax': lambda x, axis: scipy.special.softmax(x, axis),
    'log_softmax': lambda x, axis: np.log(scipy.special.softmax(x, axis)), 'sparsemax': _sparsemax,
    # layers' maths and losses
    'linear': _linear, 'bias_add': _bias_add, 'embedding': lambda indices, table: table[indices], 'moments': _moments,
    'batch_normalization': _batch_normalization, 'batch_normalization_train': _batch_normalization_train,
    'layer_normalization': _layer_normalization, 'rms_normalization': _rms_normalization,
    'categorical_crossentropy': _categorical_crossentropy, 'binary_crossentropy': _binary_crossentropy,
    'sparse_categorical_crossentropy': _sparse_categorical_crossentropy,
}
