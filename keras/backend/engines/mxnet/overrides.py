"""MXNet's own operators in the place of composites.

Positional arguments as in keras.backend.table.composites; NotImplemented hands a call back to the composite.
"""
import numpy as np

from keras import config
from keras.backend.contract.rules import transposed_length
from keras.backend.engines.mxnet import steps, tensors as o, windows
from keras.backend.engines.mxnet.tensors import autograd
from keras.backend.table.composites.conv import spatial_tuple
from keras.backend.table.composites.nn import SELU_ALPHA, SELU_SCALE
from keras.backend.table.composites.random import draw_seed

# The activation 'relu' turns NaN into 0, the operation of that name keeps it.
_relu, _sigmoid = o.op('relu'), o.op('Activation', act_type='sigmoid')
_softplus, _softsign = o.op('Activation', act_type='softrelu'), o.op('Activation', act_type='softsign')
_leaky, _elu = o.op('LeakyReLU', act_type='leaky'), o.op('LeakyReLU', act_type='elu')
_gelu = o.op('LeakyReLU', act_type='gelu')
_softmax, _log_softmax, _pick = o.op('softmax'), o.op('log_softmax'), o.op('pick', mode='clip')
_larger, _smaller = o.op('_maximum_scalar'), o.op('_minimum_scalar')
_dense, _embedding = o.op('FullyConnected', flatten=False), o.op('Embedding')
_batch_norm = o.op('BatchNorm', fix_gamma=False, momentum=0.0)
_layer_norm, _rnn = o.op('LayerNorm'), o.op('RNN', num_layers=1, state_outputs=True, p=0.0)
_adam = o.op('adam_update', lazy_update=False)
_expand, _squeeze = o.op('expand_dims'), o.op('_np_squeeze')

OVERRIDES = {
    'isnan': o.op('_npi_isnan'), 'isinf': o.op('_npi_isinf'), 'ceil': o.op('_npi_ceil'), 'trunc': o.op('_npi_trunc'),
    'square': o.op('_npi_square'), 'rsqrt': o.op('rsqrt'), 'reciprocal': o.op('_npi_reciprocal'),
    'expm1': o.op('_npi_expm1'), 'log1p': o.op('_npi_log1p'), 'sinh': o.op('_npi_sinh'), 'cosh': o.op('_npi_cosh'),
    'greater': o.op('_npi_greater'), 'greater_equal': o.op('_npi_greater_equal'),
    'less_equal': o.op('_npi_less_equal'), 'not_equal': o.op('_npi_not_equal'),
}


def override(function):
    """Enter a function into the engine's overrides under its own name."""
    OVERRIDES[function.__name__] = function
    return function


def _single(x):
    return x.dtype == np.float32


def _vector(size, value, like):
    return steps.made(np.full((size,), value, like.dtype))


# --- activations ------------------------------------------------------------------------------------------------

@override
def relu(x, negative_slope=0.0, max_value=None, threshold=0.0):
    if threshold or x.dtype not in o.FLOATS or negative_slope and max_value is not None or not x.size:
        return NotImplemented
    result = _leaky(x, slope=negative_slope) if negative_slope else _relu(x)
    return result if max_value is None else _smaller(result, scalar=max_value)


@override
def leaky_relu(x, negative_slope=0.2):
    return _leaky(x, slope=negative_slope) if x.dtype in o.FLOATS and x.size else NotImplemented


@override
def elu(x, alpha=1.0):
    return _elu(x, slope=alpha) if x.size else NotImplemented


@override
def selu(x):
    # MXNet's own has a wrong gradient.
    return o.multiply_scalar(_elu(x, slope=SELU_ALPHA), scalar=SELU_SCALE) if x.size else NotImplemented


@override
def gelu(x, approximate=True):
    return NotImplemented if approximate or not x.size else _gelu(x)


@override
def sigmoid(x):
    return _sigmoid(x) if x.size else NotImplemented


@override
def silu(x):
    return o.multiply(x, _sigmoid(x)) if x.size else NotImplemented


@override
def softplus(x):
    return _softplus(x) if x.size else NotImplemented


@override
def softsign(x):
    return _softsign(x) if x.size else NotImplemented


@override
def softmax(x, axis=-1):
    return _softmax(x, axis=axis) if type(axis) is int and x.size else NotImplemented


@override
def log_softmax(x, axis=-1):
    return _log_softmax(x, axis=axis) if type(axis) is int and x.size else NotImplemented


@override
def clip(x, x_min=None, x_max=None):
    if x.dtype not in o.FLOATS or not all(bound is None or type(bound) in (int, float) for bound in (x_min, x_max)):
        return NotImplemented
    x = x if x_min is None else _larger(x, scalar=x_min)
    return x if x_max is None else _smaller(x, scalar=x_max)


# --- reductions -------------------------------------------------------------------------------------------------

# From this many elements on, sums are products with a vector of ones: MXNet's own sum is ten times slower.
_MANY = 2048


def summed(x, axis, keepdims):
    """The sum of a tensor that is not empty over `axis`, an int, a tuple, or None for all."""
    if x.size < _MANY or not _single(x):
        return o.sum_(x, axis=axis, keepdims=keepdims)
    axes = sorted(index % x.ndim for index in (range(x.ndim) if axis is None else
                                               (axis,) if isinstance(axis, int) else axis))
    if axes != list(range(axes[0], axes[-1] + 1)):
        return o.sum_(x, axis=axis, keepdims=keepdims)
    shape = x.shape
    outer, inner = _count(shape[:axes[0]]), _count(shape[axes[-1] + 1:])
    if outer == inner == 1:
        # In two parts, each of about as many numbers.
        rows = next(n for n in range(int(x.size ** 0.5), 0, -1) if x.size % n == 0)
        result = o.sum_(_over_columns(o.reshape(x, newshape=(rows, x.size // rows))))
    elif inner == 1:
        result = _over_columns(o.reshape(x, newshape=(outer, x.size // outer)))
    elif outer == 1:
        result = o.matmul(_vector(x.size // inner, 1, x), o.reshape(x, newshape=(x.size // inner, inner)))
    else:
        middle = x.size // outer // inner
        ones = steps.made(np.ones((outer, 1, middle), 'float32'))
        result = o.matmul(ones, o.reshape(x, newshape=(outer, middle, inner)))
    return o.reshape(result, newshape=tuple(1 if index in axes else size for index, size in enumerate(shape)
                                            if keepdims or index not in axes))


def _over_columns(matrix):
    return o.matmul(matrix, _vector(matrix.shape[1], 1, matrix))


def _count(sizes):
    return int(np.prod(sizes, dtype='int64'))


@override
def mean(x, axis=None, keepdims=False):
    if axis == () or x.dtype not in o.FLOATS or not x.size or x.dtype == np.float16:  # whose sums are soon too large
        return NotImplemented
    total = summed(x, axis, keepdims)
    return o.multiply_scalar(total, scalar=max(total.size, 1) / x.size, is_int=False)


# --- movement ---------------------------------------------------------------------------------------------------

@override
def stack(xs, axis=0):
    return o.stack(*xs, axis=axis, num_args=len(xs))


@override
def expand_dims(x, axis=-1):
    return _expand(x, axis=axis) if type(axis) is int else NotImplemented


@override
def squeeze(x, axis=None):
    return _squeeze(x, axis=axis) if type(axis) is int and x.shape[axis] == 1 else NotImplemented


@override
def split(x, indices_or_sections, axis=0):
    if type(indices_or_sections) is not int or x.shape[axis] % indices_or_sections or not x.size:
        return NotImplemented
    return o.one_or_many(o.split(x, indices=(), axis=axis, sections=indices_or_sections))


# --- dense products -----------------------------------------------------------------------------------------------

@override
def linear(x, kernel, bias=None):
    if not _single(x) or not x.size or not kernel.size:
        return NotImplemented
    weight, units = o.transpose(kernel, axes=(1, 0)), kernel.shape[1]
    if bias is None:
        return _dense(x, weight, num_hidden=units, no_bias=True)
    # MXNet's operator gives the bias a gradient of 0 where the kernel, a frozen one, has none.
    if autograd.is_recording() and kernel.grad is None:
        return o.add(_dense(x, weight, num_hidden=units, no_bias=True), bias)
    return _dense(x, weight, bias, num_hidden=units)


@override
def embedding(indices, table):
    if not indices.size or not table.size:
        return NotImplemented
    rows = _embedding(indices, table, input_dim=table.shape[0], output_dim=table.shape[1], dtype=o.NAMES[table.dtype])
    return _where_inside(rows, indices, table.shape[0], True) if table.dtype in o.FLOATS else rows


def _where_inside(x, numbers, count, last=False):
    """`x` where the integers `numbers` are in [0, count), NaN elsewhere; with `last` `x` has one axis more."""
    numbers = o.cast(numbers, dtype='float32')
    inside = o.equal(o.clip(numbers, a_min=0, a_max=count - 1), numbers)
    # 0 divided by 1 or by 0.
    inside = o.cast(inside, dtype=o.NAMES[x.dtype])
    unknown = o.divide(o.zeros_like(inside), inside)
    return o.add(x, _expand(unknown, axis=-1) if last else unknown)


# --- images -------------------------------------------------------------------------------------------------------

def _is_first(data_format):
    return config.normalize_data_format(data_format) == 'channels_first'


@override
def convolution(x, kernel, strides=1, padding='valid', data_format=None, dilation_rate=1, groups=None, bias=None):
    rank = x.ndim - 2
    if padding not in ('valid', 'same') or not 1 <= rank <= 3 or kernel.ndim != x.ndim or not x.size:
        return NotImplemented
    strides, dilation = spatial_tuple(strides, rank, 'strides'), spatial_tuple(dilation_rate, rank, 'dilation_rate')
    first = _is_first(data_format)
    channels = x.shape[1 if first else -1]
    groups = groups or channels // kernel.shape[-2]
    if kernel.shape[-2] * groups != channels or kernel.shape[-1] % groups:
        return NotImplemented
    x = x if first else windows.channels_first(x)
    y = windows.convolved(x, kernel, strides, padding, dilation, groups, bias)
    return y if first else windows.channels_last(y)


@override
def convolution_transpose(x, kernel, strides=1, padding='valid', output_padding=None, data_format=None,
                          dilation_rate=1):
    rank = x.ndim - 2
    if (not _is_first(data_format) or output_padding is not None or padding not in ('valid', 'same')
            or kernel.ndim != x.ndim or kernel.shape[-1] != x.shape[1]):
        return NotImplemented
    strides, dilation = spatial_tuple(strides, rank, 'strides'), spatial_tuple(dilation_rate, rank, 'dilation_rate')
    sizes = tuple(transposed_length(n, w, s, padding, None, d)
                  for n, w, s, d in zip(x.shape[2:], kernel.shape, strides, dilation))
    return windows.transposed(x, kernel, strides, padding, dilation, sizes)


def _pool(x, pool_size, strides, padding, data_format, mode):
    rank = x.ndim - 2
    if not _is_first(data_format) or padding not in ('valid', 'same') or not 1 <= rank <= 3:
        return NotImplemented
    size = spatial_tuple(pool_size, rank, 'pool_size')
    strides = size if strides is None else spatial_tuple(strides, rank, 'strides')
    if padding == 'valid' and any(n < w for n, w in zip(x.shape[2:], size)):
        return NotImplemented
    return windows.pooled(x, size, strides, padding, mode)


@override
def max_pool(x, pool_size, strides=None, padding='valid', data_format=None):
    return _pool(x, pool_size, strides, padding, data_format, 'max')


@override
def average_pool(x, pool_size, strides=None, padding='valid', data_format=None):
    return _pool(x, pool_size, strides, padding, data_format, 'avg')


# --- normalization and dropout --------------------------------------------------------------------------------------

def _normalized(x, axis, *arrays, **options):
    """MXNet's batch normalization. Of rank 3 it does not take what a convolution has left in oneDNN's own layout
    (8 filters and more: "Check failed: !is_view"), of rank 4 it does.
    """
    if x.ndim != 3:
        return _batch_norm(x, *arrays, axis=axis, **options)
    axis %= 3
    new = 2 if axis == 1 else 1
    found = _batch_norm(_expand(x, axis=new), *arrays, axis=axis + (new <= axis), **options)
    if not isinstance(found, (list, tuple)):
        return _squeeze(found, axis=new)
    return [_squeeze(found[0], axis=new)] + list(found[1:])


@override
def batch_normalization(x, mean, variance, axis=-1, offset=None, scale=None, epsilon=1e-3):
    # MXNet gives no gradient by the statistics here.
    if autograd.is_training() or not _single(x) or not x.size or x.ndim < 2:
        return NotImplemented
    size = mean.shape[0]
    scale = _vector(size, 1, x) if scale is None else scale
    offset = _vector(size, 0, x) if offset is None else offset
    return _normalized(x, axis, scale, offset, mean, variance, eps=epsilon, use_global_stats=True)


@override
def batch_normalization_train(x, axis=-1, offset=None, scale=None, epsilon=1e-3):
    if not autograd.is_training() or not _single(x) or not x.size or x.ndim < 2:
        return NotImplemented
    size = x.shape[axis]
    scale = _vector(size, 1, x) if scale is None else scale
    offset = _vector(size, 0, x) if offset is None else offset
    # MXNet keeps moving statistics of its own, which nobody reads.
    output, center, inverse = _normalized(x, axis, scale, offset, _vector(size, 0, x), _vector(size, 1, x),
                                          eps=epsilon, output_mean_var=True)
    center, inverse = o.detached(center), o.detached(inverse)
    variance = _larger(o.add_scalar(o.reciprocal(o.multiply(inverse, inverse)), scalar=-epsilon), scalar=0)
    return output, center, variance


@override
def layer_normalization(x, gamma=None, beta=None, axis=-1, epsilon=1e-3):
    axes = (axis,) if type(axis) is int else tuple(axis)
    if len(axes) > 1 or not _single(x) or not x.size:
        return NotImplemented
    size = x.shape[axes[0]]
    gamma = _vector(size, 1, x) if gamma is None else gamma
    beta = _vector(size, 0, x) if beta is None else beta
    return _layer_norm(x, gamma, beta, axis=axes[0], eps=epsilon)


@override
def dropout(inputs, rate, noise_shape=None, seed=None):
    """What is kept is drawn in 16 bits: the rate is exact to a hundred-thousandth."""
    if noise_shape is not None or type(rate) is not float or not 0.0 < rate < 1.0:
        return NotImplemented
    shape, dtype = inputs.shape, o.NAMES[inputs.dtype]
    bound, factor = int(round(rate * 65536)), np.dtype(dtype).type(1.0 / (1.0 - rate))

    def kept(generator):
        return (generator.integers(0, 65536, shape, 'uint16') >= bound) * factor
    return o.multiply(inputs, steps.drawn(draw_seed(seed), kept))


# --- cross-entropies --------------------------------------------------------------------------------------------------

@override
def sparse_categorical_crossentropy(target, output, from_logits=False, axis=-1):
    """The probability of the class is picked out, instead of multiplied with a one-hot vector."""
    if output.ndim < 1 or not output.size:
        return NotImplemented
    if target.ndim == output.ndim and target.shape[axis] == 1:
        target = _squeeze(target, axis=axis)
    if target.ndim != output.ndim - 1:
        return NotImplemented
    if from_logits:
        losses = o.negative(_pick(_log_softmax(output, axis=axis), target, axis=axis))
        return _where_inside(losses, target, output.shape[axis])
    picked = o.divide(_pick(output, target, axis=axis), o.sum_(output, axis=(axis,)))
    losses = o.negative(o.log(clip(picked, config.epsilon(), 1.0 - config.epsilon())))
    return _where_inside(losses, target, output.shape[axis])


@override
def categorical_crossentropy(target, output, from_logits=False, axis=-1):
    if not output.size:
        return NotImplemented
    if from_logits:
        logs = _log_softmax(output, axis=axis)
    else:
        logs = o.log(clip(o.divide(output, o.sum_(output, axis=(axis,), keepdims=True)), config.epsilon(),
                         1.0 - config.epsilon()))
    return o.negative(o.sum_(o.multiply(target, logs), axis=(axis,)))


@override
def binary_crossentropy(target, output, from_logits=False):
    if not from_logits or not output.size:
        return NotImplemented
    return o.subtract(_softplus(output), o.multiply(output, target))


# --- recurrence -------------------------------------------------------------------------------------------------------

def _recurrent(mode, x, states, weights, go_backwards, return_sequences):
    """[output] + last states of MXNet's recurrent operator, which takes all weights as one vector."""
    units = states[0].shape[1]
    x = o.transpose(x, axes=(1, 0, 2))
    x = o.flip(x, axis=(0,)) if go_backwards else x
    parts = [o.reshape(weight, newshape=(-1,)) for weight in weights]
    vector = o.concatenate(*parts, axis=0, num_args=len(parts))
    states = [o.reshape(state, newshape=(1,) + state.shape) for state in states]
    output, *states = _rnn(x, vector, *states, state_size=units, mode=mode)
    states = [o.reshape(state, newshape=state.shape[1:]) for state in states]
    return [o.transpose(output, axes=(1, 0, 2)) if return_sequences else states[0]] + states


def _rows_first(kernel, recurrent_kernel):
    return [o.transpose(kernel, axes=(1, 0)), o.transpose(recurrent_kernel, axes=(1, 0))]


def _fits(x, mask, *weights):
    return mask is None and _single(x) and all(part.size for part in (x,) + weights)


@override
def simple_rnn_sequence(x, h0, kernel, recurrent_kernel, bias=None, mask=None, go_backwards=False,
                        return_sequences=True, activation='tanh', unroll=False):
    mode = {'tanh': 'rnn_tanh', 'relu': 'rnn_relu'}.get(activation) if type(activation) is str else None
    if mode is None or not _fits(x, mask, h0):
        return NotImplemented
    none = _vector(kernel.shape[1], 0, x)
    weights = _rows_first(kernel, recurrent_kernel) + [none if bias is None else bias, none]
    return _recurrent(mode, x, [h0], weights, go_backwards, return_sequences)


@override
def lstm_sequence(x, h0, c0, kernel, recurrent_kernel, bias=None, mask=None, go_backwards=False,
                  return_sequences=True, activation='tanh', recurrent_activation='sigmoid', unroll=False):
    if (activation, recurrent_activation) != ('tanh', 'sigmoid') or not _fits(x, mask, h0):
        return NotImplemented
    none = _vector(kernel.shape[1], 0, x)
    weights = _rows_first(kernel, recurrent_kernel) + [none if bias is None else bias, none]
    return _recurrent('lstm', x, [h0, c0], weights, go_backwards, return_sequences)


@override
def gru_sequence(x, h0, kernel, recurrent_kernel, bias=None, mask=None, go_backwards=False, return_sequences=True,
                 activation='tanh', recurrent_activation='sigmoid', reset_after=False, unroll=False):
    if not reset_after or (activation, recurrent_activation) != ('tanh', 'sigmoid') or not _fits(x, mask, h0):
        return NotImplemented

    def reordered(weight):
        """MXNet has the reset gate before the update gate."""
        z, r, candidate = o.split(weight, indices=(), axis=weight.ndim - 1, sections=3)
        return o.concatenate(r, z, candidate, axis=weight.ndim - 1, num_args=3)
    if bias is None:
        biases = [_vector(kernel.shape[1], 0, x)] * 2
    else:
        biases = o.unstacked(reordered(bias))
    weights = _rows_first(reordered(kernel), reordered(recurrent_kernel)) + biases
    return _recurrent('gru', x, [h0], weights, go_backwards, return_sequences)


# --- optimizers: kernels that change the slots in place ---------------------------------------------------------------

@override
def adam_update(variables, gradients, momenta, velocities, step, learning_rate, beta_1, beta_2, epsilon,
                largest_velocities=None):
    if largest_velocities or any(variable.dtype != 'float32' or not variable.size for variable in variables):
        return NotImplemented
    if not all(map(steps.is_stored, momenta)) or not all(map(steps.is_stored, velocities)):
        return NotImplemented
    corrected = o.sqrt(_complement(beta_2, step))
    rate = o.multiply(o.divide(corrected, _complement(beta_1, step)), _tensor(learning_rate))
    for variable, gradient, momentum, velocity in zip(variables, gradients, momenta, velocities):
        value = variable.value
        # The kernel's own rate is a number that is fixed; from a value of 0 it gives the direction.
        direction = _adam(o.zeros_like(value), gradient, momentum.value, velocity.value, lr=1.0, beta1=beta_1,
                          beta2=beta_2, epsilon=epsilon)
        # A graph may hold what has no gradient only behind something that lets none through.
        variable.assign(o.add(value, o.multiply(o.detached(direction), rate)))


_power_of, _from_one = o.op('_npi_rpower_scalar'), o.op('_npi_rsubtract_scalar')


def _complement(base, exponent):
    """1 - base ** exponent."""
    return _from_one(_power_of(exponent, scalar=base, is_int=False), scalar=1.0, is_int=False)


def _tensor(x):
    return x if isinstance(x, o.Array) else steps.made(np.asarray(x, 'float32'))
