"""K on tensors: Keras 2's names and arguments, where they differ from those of the op table."""
import builtins

import numpy as np

from keras import config, generations
from keras.backend.contract import tree
from keras.backend.contract.context import runs_at_once
from keras.backend.contract.rules import is_float, is_integer
from keras.backend.graph.tensors import KerasTensor
from keras.backend.k.sizes import Sizes, is_size, joined, sizes_in, stacked, tensor_of
from keras.backend.k.values import constant, normalized, shape as sizes_of, variable
from keras.backend.state.variables import Variable
from keras.backend.table import primitives as p
from keras.backend.table.composites import (conv as _conv, losses as _losses, math as _math, nn as _nn,
                                            random as _random, rnn as _rnn, shape as _shape)


def _channels_first(data_format):
    return config.normalize_data_format(data_format) == 'channels_first'


def _integers(x):
    return x if is_integer(_shape.dtype_of(x)) else p.cast(x, 'int32')


# --- creation ---------------------------------------------------------------------------------------------------

def zeros(shape, dtype=None, name=None):
    """A `Variable` of zeros; a tensor where a size is not an int, and in running calls."""
    return _filled(shape, 0.0, dtype, name)


def ones(shape, dtype=None, name=None):
    """A `Variable` of ones; a tensor where a size is not an int, and in running calls."""
    return _filled(shape, 1.0, dtype, name)


def _filled(shape, value, dtype, name):
    dtype, shape = dtype or config.floatx(), sizes_in(shape)
    if not runs_at_once() and builtins.all(isinstance(size, (int, np.integer)) for size in shape):
        return variable(np.full(shape, value), dtype, name)
    return p.full(shape, value, dtype)


def eye(size, dtype=None, name=None):
    """A `Variable` holding the identity matrix, a tensor in running calls; `size` is an int or a pair."""
    rows, columns = size if isinstance(size, (list, tuple)) else (size, size)
    made = np.eye(rows, columns)
    return constant(made, dtype) if runs_at_once() else variable(made, dtype, name)


def zeros_like(x, dtype=None, name=None):
    """Zeros in the shape of `x`; `dtype` defaults to `floatx`, whatever that of `x` is."""
    return p.full_like(x, 0, dtype or config.floatx())


def ones_like(x, dtype=None, name=None):
    """Ones in the shape of `x`; `dtype` defaults to `floatx`, whatever that of `x` is."""
    return p.full_like(x, 1, dtype or config.floatx())


def identity(x, name=None):
    """A tensor with the value of `x`."""
    if _shape.dtype_of(x) == 'string':
        return p.transpose(x, tuple(range(_shape.ndim(x))))
    return p.add(x, p.full_like(x, 0))


def arange(start, stop=None, step=1, dtype='int32'):
    """Evenly spaced numbers from `start` up to, not including, `stop`; from 0 where only one is given.

    They are floats where one of the arguments is and no other `dtype` than 'int32' is asked for.
    """
    if dtype == 'int32' and any(isinstance(number, (float, np.floating)) for number in (start, stop, step)):
        dtype = config.floatx()
    return p.arange(start, stop, step, dtype)


def random_normal(shape, mean=0.0, stddev=1.0, dtype=None, seed=None):
    """Floats drawn from the normal distribution."""
    return _random.normal(sizes_in(shape), mean, stddev, dtype, seed)


def random_uniform(shape, minval=0.0, maxval=1.0, dtype=None, seed=None):
    """Numbers drawn uniformly from [minval, maxval); integers for an integer `dtype`."""
    if is_integer(dtype or config.floatx()):
        return _random.randint(sizes_in(shape), int(minval), int(maxval), dtype, seed)
    return _random.uniform(sizes_in(shape), minval, maxval, dtype, seed)


def random_binomial(shape, p=0.0, dtype=None, seed=None):
    """Ones with probability `p`, zeros otherwise."""
    drawn = _random.uniform(sizes_in(shape), 0.0, 1.0, dtype, seed)
    return _less_as(drawn, p, dtype or config.floatx())


def _less_as(x, bound, dtype):
    return p.cast(p.less(x, bound), dtype)


def truncated_normal(shape, mean=0.0, stddev=1.0, dtype=None, seed=None):
    """Floats drawn from the normal distribution, those further than two deviations from the mean left out."""
    return _random.truncated_normal(sizes_in(shape), mean, stddev, dtype, seed)


# --- elementwise and comparisons ----------------------------------------------------------------------------------

def pow(x, a):
    """`x` to the power of `a`."""
    return p.power(x, a)


def sqrt(x):
    """The square root; 0 for what is negative."""
    x = x if is_float(_shape.dtype_of(x)) else p.cast(x, config.floatx())
    # Chosen, not clipped: at 0 the root has an infinite gradient, of which a factor 0 makes NaN.
    return p.sqrt(p.where(p.less(x, 0.0), 0.0, x))


def round(x):
    """The nearest whole number, halves to the even one."""
    return p.round(x) if is_float(_shape.dtype_of(x)) else x


def clip(x, min_value, max_value):
    """`x` with what is below `min_value` or above `max_value` replaced by them; None sets no bound."""
    if isinstance(min_value, (int, float)) and isinstance(max_value, (int, float)) and max_value < min_value:
        max_value = min_value
    return _math.clip(x, min_value, max_value)


def equal(x, y):
    """True where `x == y`."""
    return p.equal(x, y)


def not_equal(x, y):
    """True where `x != y`."""
    return _math.not_equal(x, y)


def greater(x, y):
    """True where `x > y`."""
    return _math.greater(x, y)


def greater_equal(x, y):
    """True where `x >= y`."""
    return _math.greater_equal(x, y)


def less(x, y):
    """True where `x < y`."""
    return p.less(x, y)


def less_equal(x, y):
    """True where `x <= y`."""
    return _math.less_equal(x, y)


def maximum(x, y):
    """The larger of two numbers."""
    return p.maximum(x, y)


def minimum(x, y):
    """The smaller of two numbers."""
    return p.minimum(x, y)


def stop_gradient(variables):
    """A tensor, or each of a list, as a constant for gradients."""
    return tree.map_structure(p.stop_gradient, variables)


def switch(condition, then_expression, else_expression):
    """`then_expression` where `condition` is True, `else_expression` elsewhere.

    Args:
        condition: boolean tensor: a scalar, or of at most the rank of the expressions, whose first axes it has.
        then_expression, else_expression: tensors, or functions without arguments that give them.
    """
    def values(x):
        return x() if callable(x) and not isinstance(x, Variable) else x
    if isinstance(condition, (bool, np.bool_)):
        return values(then_expression if condition else else_expression)
    if _shape.dtype_of(condition) != 'bool':
        condition = p.cast(condition, 'bool')
    if _shape.ndim(condition) == 0 and callable(then_expression) and callable(else_expression):
        return p.cond(condition, then_expression, else_expression, [])
    first, second = values(then_expression), values(else_expression)
    missing = _shape.ndim(first) - _shape.ndim(condition)
    if missing < 0:
        raise ValueError('switch: the condition has rank %d, the expressions only rank %d.'
                         % (_shape.ndim(condition), _shape.ndim(first)))
    if missing and _shape.ndim(condition):
        rank = _shape.ndim(first)
        condition = _shape.expand_dims(condition, tuple(range(rank - missing, rank)))
    return p.where(condition, first, second)


# --- reductions ---------------------------------------------------------------------------------------------------

def argmax(x, axis=-1):
    """The position of the largest element along `axis`."""
    return p.argmax(x, axis)


def prod(x, axis=None, keepdims=False):
    """The product over `axis`."""
    return p.prod(x, axis, keepdims)


# --- shapes -------------------------------------------------------------------------------------------------------

def reshape(x, shape):
    """`x` in another shape; one size may be -1 and follows from the others."""
    return p.reshape(x, sizes_in(shape))


def permute_dimensions(x, pattern):
    """`x` with its axes in the order `pattern`."""
    return p.transpose(x, tuple(pattern))


def transpose(x):
    """`x` with its axes in reverse order."""
    return p.transpose(x)


def expand_dims(x, axis=-1):
    """`x` with an axis of size 1 put in at `axis`."""
    return Sizes([x]) if is_size(x) and axis in (0, -1) else _shape.expand_dims(x, axis)


def squeeze(x, axis):
    """`x` without the axis `axis`, whose size is 1."""
    return _shape.squeeze(x, axis)


def concatenate(tensors, axis=-1):
    """The tensors of a list joined along `axis`."""
    sizes = joined(tensors, axis)
    if sizes is not None:
        return sizes
    result = p.concatenate(list(map(tensor_of, tensors)), axis)
    if isinstance(result, KerasTensor):
        result.mark(sparse=builtins.all(getattr(tensor, 'sparse', False) for tensor in tensors))
    return result


def stack(x, axis=0):
    """The tensors of the list `x`, all of one shape, along a new axis."""
    sizes = stacked(x, axis)
    return _shape.stack(list(map(tensor_of, x)), axis) if sizes is None else sizes


def repeat_elements(x, rep, axis):
    """Every slice of `x` along `axis` `rep` times in a row."""
    return _shape.repeat(x, rep, axis)


def repeat(x, n):
    """A matrix (batch, width) repeated along a new axis 1: (batch, n, width)."""
    if _shape.ndim(x) != 2:
        raise ValueError('repeat: expected a matrix (batch, width). Received rank %d.' % _shape.ndim(x))
    return _shape.repeat(_shape.expand_dims(x, 1), n, 1)


def tile(x, n):
    """`x` laid side by side `n` times, one number per axis."""
    return _shape.tile(x, n if isinstance(n, int) else sizes_in(n))


def reverse(x, axes):
    """`x` with the order of its elements along `axes` reversed."""
    return p.flip(x, tuple(axes) if isinstance(axes, (list, tuple)) else (axes,))


def slice(x, start, size):
    """The part of `x` of the given size that begins at `start`; -1 stands for everything up to the end."""
    start, size = sizes_in(start), sizes_in(size)
    # -1, where it is known to be one, takes what is left.
    stops = tuple(None if isinstance(length, int) and length == -1 else first + length
                  for first, length in zip(start, size))
    return p.strided_slice(x, start, stops, (1,) * len(stops))


def size(x, name=None):
    """The number of elements."""
    return _shape.multiply_sizes(tuple(sizes_of(x)))


def gather(reference, indices):
    """The slices of `reference` at integer `indices` along axis 0."""
    return p.gather(reference, _integers(indices), 0)


def one_hot(indices, num_classes):
    """Vectors of zeros with a one at each integer, along a new last axis."""
    return _shape.one_hot(indices, num_classes)


def temporal_padding(x, padding=(1, 1)):
    """`x` (batch, time, features) with zeros before and after in time."""
    return p.pad(x, ((0, 0), tuple(padding), (0, 0)))


def spatial_2d_padding(x, padding=((1, 1), (1, 1)), data_format=None):
    """Images with zeros around them: ((top, bottom), (left, right))."""
    return _conv.spatial_padding(x, tuple(tuple(pair) for pair in padding), data_format)


def spatial_3d_padding(x, padding=((1, 1), (1, 1), (1, 1)), data_format=None):
    """Volumes with zeros around them, one pair per spatial axis."""
    return _conv.spatial_padding(x, tuple(tuple(pair) for pair in padding), data_format)


def resize_images(x, height_factor, width_factor, data_format, interpolation='nearest'):
    """Images enlarged by whole factors; `interpolation` is 'nearest' or 'bilinear'."""
    return _conv.upsampling(x, (height_factor, width_factor), interpolation, data_format, False)


def resize_volumes(x, depth_factor, height_factor, width_factor, data_format):
    """Volumes with their elements repeated."""
    return _conv.upsampling(x, (depth_factor, height_factor, width_factor), 'nearest', data_format)


# --- layers' mathematics --------------------------------------------------------------------------------------------

def dot(x, y):
    """The product over the last axis of `x` and the last but one of `y`."""
    return _math.dot(x, y)


def relu(x, alpha=0.0, max_value=None, threshold=0.0):
    """`x` from `threshold` to `max_value`, `max_value` above, `alpha * (x - threshold)` below."""
    return _nn.relu(x, alpha, max_value, threshold)


def bias_add(x, bias, data_format=None):
    """`x` plus `bias`, a vector along the channels, or one number per element of a sample."""
    if _shape.ndim(bias) not in (1, _shape.ndim(x) - 1):
        raise ValueError('bias_add: the bias must have rank 1 or %d, one less than x. Received rank %d.'
                         % (_shape.ndim(x) - 1, _shape.ndim(bias)))
    return _nn.bias_add(x, bias, 1 if _channels_first(data_format) and _shape.ndim(x) > 2 else -1)


def dropout(x, level, noise_shape=None, seed=None):
    """`x` with elements set to 0 with probability `level` and the others divided by `1 - level`."""
    return _random.dropout(x, level, None if noise_shape is None else sizes_in(noise_shape), seed)


def batch_normalization(x, mean, var, beta, gamma, axis=-1, epsilon=1e-3):
    """`(x - mean) / sqrt(var + epsilon) * gamma + beta`; `beta` and `gamma` may be None."""
    if _shape.ndim(mean) > 1:
        return normalized(x, mean, var, beta, gamma, epsilon)
    return _nn.batch_normalization(x, mean, var, axis, beta, gamma, epsilon)


def binary_crossentropy(target, output, from_logits=False):
    """The cross-entropy of probabilities (or logits) and targets between 0 and 1, element by element."""
    if generations.value('crossentropy_adds_epsilon') and not from_logits:
        return _losses.binary_crossentropy_with_epsilon(target, output)
    return _losses.binary_crossentropy(target, output, from_logits)


def binary_focal_crossentropy(target, output, apply_class_balancing=False, alpha=0.25, gamma=2.0, from_logits=False):
    """`keras.losses.binary_focal_crossentropy`, element by element."""
    return _losses.binary_focal_crossentropy(target, output, apply_class_balancing, alpha, gamma, from_logits)


def categorical_focal_crossentropy(target, output, alpha=0.25, gamma=2.0, from_logits=False, axis=-1):
    """`keras.losses.categorical_focal_crossentropy`."""
    return _losses.categorical_focal_crossentropy(target, output, alpha, gamma, from_logits, axis)


def categorical_crossentropy(target, output, from_logits=False, axis=-1):
    """The cross-entropy of two distributions along `axis`."""
    return _losses.categorical_crossentropy(target, output, from_logits, axis)


def sparse_categorical_crossentropy(target, output, from_logits=False, axis=-1):
    """The cross-entropy of a distribution along `axis` and integer classes."""
    if generations.value('sparse_crossentropy_clips_first') and not from_logits:
        output, from_logits = _losses.clipped_logits(output), True
    return _losses.sparse_categorical_crossentropy(target, output, from_logits, axis)


def in_top_k(predictions, targets, k):
    """True where the class `targets` (batch,) is among the `k` largest of `predictions` (batch, classes)."""
    own = _shape.take_along_axis(predictions, _shape.expand_dims(_integers(targets), -1), -1)
    above = p.sum(p.cast(p.less(own, predictions), 'int32'), -1)
    return p.less(above, k)


# --- convolutions and pooling -----------------------------------------------------------------------------------------

def conv1d(x, kernel, strides=1, padding='valid', data_format=None, dilation_rate=1):
    """The convolution (correlation) of sequences; `padding` is 'valid', 'same' or 'causal'."""
    return _conv.convolution(x, kernel, strides, padding, data_format, dilation_rate)


def conv2d(x, kernel, strides=(1, 1), padding='valid', data_format=None, dilation_rate=(1, 1)):
    """The convolution (correlation) of images with `kernel` (rows, columns, in, out)."""
    return _conv.convolution(x, kernel, strides, padding, data_format, dilation_rate)


def conv3d(x, kernel, strides=(1, 1, 1), padding='valid', data_format=None, dilation_rate=(1, 1, 1)):
    """The convolution (correlation) of volumes with `kernel` (spatial..., in, out)."""
    return _conv.convolution(x, kernel, strides, padding, data_format, dilation_rate)


def conv2d_transpose(x, kernel, output_shape, strides=(1, 1), padding='valid', data_format=None, dilation_rate=(1, 1)):
    """The transposed convolution of images with `kernel` (rows, columns, out, in).

    Args:
        output_shape: the shape of the result, batch and channels included.
    """
    return _transposed(x, kernel, output_shape, strides, padding, data_format, dilation_rate)


def conv3d_transpose(x, kernel, output_shape, strides=(1, 1, 1), padding='valid', data_format=None):
    """The transposed convolution of volumes with `kernel` (spatial..., out, in)."""
    return _transposed(x, kernel, output_shape, strides, padding, data_format, 1)


def _transposed(x, kernel, output_shape, strides, padding, data_format, dilation_rate):
    rank = _shape.ndim(x) - 2
    first = _channels_first(data_format)
    strides = _conv.spatial_tuple(strides, rank, 'strides')
    dilation = _conv.spatial_tuple(dilation_rate, rank, 'dilation_rate')
    target = sizes_in(output_shape)[2:] if first else sizes_in(output_shape)[1:-1]
    x = _shape.moveaxis(x, 1, -1) if first else x
    result = _conv.transposed(x, kernel, strides, padding, dilation, target)
    return _shape.moveaxis(result, -1, 1) if first else result


def depthwise_conv2d(x, depthwise_kernel, strides=(1, 1), padding='valid', data_format=None, dilation_rate=(1, 1)):
    """The convolution of every channel by itself with `depthwise_kernel` (rows, columns, channels, multiplier)."""
    return _conv.depthwise_conv(x, depthwise_kernel, strides, padding, data_format, dilation_rate)


def separable_conv1d(x, depthwise_kernel, pointwise_kernel, strides=1, padding='valid', data_format=None,
                     dilation_rate=1):
    """A depthwise convolution of sequences followed by a pointwise one."""
    return _conv.separable_conv(x, depthwise_kernel, pointwise_kernel, strides, padding, data_format, dilation_rate)


def separable_conv2d(x, depthwise_kernel, pointwise_kernel, strides=(1, 1), padding='valid', data_format=None,
                     dilation_rate=(1, 1)):
    """A depthwise convolution of images followed by a pointwise one."""
    return _conv.separable_conv(x, depthwise_kernel, pointwise_kernel, strides, padding, data_format, dilation_rate)


def local_conv1d(inputs, kernel, kernel_size, strides, data_format=None):
    """A convolution of sequences whose filters differ from place to place: `kernel` (places, features, filters)."""
    return _conv.local_conv(inputs, kernel, kernel_size, strides, data_format)


def local_conv2d(inputs, kernel, kernel_size, strides, output_shape, data_format=None):
    """A convolution of images whose filters differ from place to place: `kernel` (places, features, filters)."""
    return _conv.local_conv(inputs, kernel, kernel_size, strides, data_format)


def pool2d(x, pool_size, strides=(1, 1), padding='valid', data_format=None, pool_mode='max'):
    """The maximum ('max') or mean ('avg') of windows of images."""
    return _pooling(pool_mode)(x, pool_size, strides, padding, data_format)


def pool3d(x, pool_size, strides=(1, 1, 1), padding='valid', data_format=None, pool_mode='max'):
    """The maximum ('max') or mean ('avg') of windows of volumes."""
    return _pooling(pool_mode)(x, pool_size, strides, padding, data_format)


def _pooling(mode):
    if mode not in ('max', 'avg'):
        raise ValueError("pool: `pool_mode` must be 'max' or 'avg'. Received: %r" % (mode,))
    return _conv.max_pool if mode == 'max' else _conv.average_pool


# --- loops ------------------------------------------------------------------------------------------------------------

def rnn(step_function, inputs, initial_states, go_backwards=False, mask=None, constants=None, unroll=False,
        input_length=None):
    """Run `output, new_states = step_function(input, states)` over axis 1 of `inputs` (batch, time, ...).

    Args:
        mask: boolean (batch, time). Where it is False the states and the previous output are repeated.
        constants: tensors handed to every step behind the states.

    Returns:
        (last_output, outputs, new_states).
    """
    return _rnn.rnn(step_function, inputs, list(initial_states), go_backwards, mask, constants, unroll, input_length)


def map_fn(fn, elems, name=None, dtype=None):
    """`fn` of every slice of `elems` along axis 0, stacked.

    `elems` and what `fn` gives may be lists or tuples of tensors; `fn` then gets the slices laid out likewise. `dtype`
    (one, or as many as results) is what the results are cast to.
    """
    structure = []

    def step(carry, xs):
        result = fn(tree.pack_as(elems, xs))
        structure[:] = [result]
        return carry, tree.flatten(result)
    _, outputs = p.scan(step, [p.full((), 0, 'int32')], tree.flatten(elems), None, False)
    if dtype is not None:
        names = list(dtype) if isinstance(dtype, (list, tuple)) else [dtype] * len(outputs)
        outputs = [p.cast(output, name) for output, name in zip(outputs, names)]
    return tree.pack_as(structure[0], outputs)


def foldl(fn, elems, initializer=None, name=None):
    """`accumulator = fn(accumulator, x)` over the slices of `elems` along axis 0, from the first to the last."""
    return _fold(fn, elems, initializer, False)


def foldr(fn, elems, initializer=None, name=None):
    """`accumulator = fn(accumulator, x)` over the slices of `elems` along axis 0, from the last to the first."""
    return _fold(fn, elems, initializer, True)


def _fold(fn, elems, initializer, reverse):
    if initializer is None:
        initializer = _shape.getitem(elems, -1 if reverse else 0)
        elems = _shape.sliced(elems, 0, *((0, -1) if reverse else (1, None)))
    carry, _ = p.scan(lambda carry, xs: ([fn(carry[0], xs[0])], []), [initializer], [elems], None, reverse)
    return carry[0]
