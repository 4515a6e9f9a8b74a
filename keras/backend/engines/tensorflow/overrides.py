"""Fused kernels in the place of composites."""
import functools

import tensorflow as tf

from keras import config
from keras.backend.engines.tensorflow.tensors import (DTYPES, EagerTensor, NO_VALUES, axes_of, filled_vector,
                                                      positions, rank_of, raw, size_vector, sizes_of, tracing)
from keras.backend.table.composites.conv import spatial_tuple
from keras.backend.table.entries import TABLE


OVERRIDES = {}


def override(function):
    OVERRIDES[function.__name__.rstrip('_')] = function
    return function


def _static_numbers(*values):
    return all(isinstance(value, (int, float)) for value in values)


def _is_last(x, axis):
    return isinstance(axis, int) and axis in (-1, rank_of(x) - 1)


def _table_of(names):
    """Overrides that are one raw op each: {composite: op}; arguments are passed on by the op's own names."""
    return {composite: _called_by_name(getattr(raw, op), arguments) for composite, op, arguments in names}


def _called_by_name(op, names):
    """A function of positional arguments for an op that takes them by `names`; written out, which is quicker."""
    return {'x': lambda x: op(x=x), 'features': lambda x: op(features=x), 'x y': lambda x, y: op(x=x, y=y),
            'values axis': lambda values, axis=0: op(values=values, axis=axis)}[names]


OVERRIDES.update(_table_of([
    ('ceil', 'Ceil', 'x'), ('square', 'Square', 'x'), ('reciprocal', 'Reciprocal', 'x'), ('rsqrt', 'Rsqrt', 'x'),
    ('expm1', 'Expm1', 'x'), ('log1p', 'Log1p', 'x'), ('tan', 'Tan', 'x'), ('sinh', 'Sinh', 'x'),
    ('cosh', 'Cosh', 'x'), ('arccos', 'Acos', 'x'), ('arcsinh', 'Asinh', 'x'), ('arccosh', 'Acosh', 'x'),
    ('arctanh', 'Atanh', 'x'), ('isnan', 'IsNan', 'x'), ('isinf', 'IsInf', 'x'), ('sigmoid', 'Sigmoid', 'x'),
    ('softplus', 'Softplus', 'features'), ('softsign', 'Softsign', 'features'), ('selu', 'Selu', 'features'),
    ('greater', 'Greater', 'x y'), ('greater_equal', 'GreaterEqual', 'x y'), ('less_equal', 'LessEqual', 'x y'),
    ('not_equal', 'NotEqual', 'x y'), ('logical_xor', 'NotEqual', 'x y'), ('stack', 'Pack', 'values axis')]))


@override
def relu(x, negative_slope=0.0, max_value=None, threshold=0.0):
    if not _static_numbers(negative_slope, threshold) or threshold or max_value is not None and negative_slope:
        return NotImplemented
    if negative_slope:
        return raw.LeakyRelu(features=x, alpha=negative_slope) if x.dtype.is_floating else NotImplemented
    if max_value not in (None, 6):
        return NotImplemented
    if _would_be_fused(x):
        return _rectifier_by_itself(x, max_value)
    return raw.Relu(features=x) if max_value is None else raw.Relu6(features=x)


def _would_be_fused(x):
    """Whether TensorFlow merges a rectifier with what computes `x`: oneDNN's merged kernels turn NaN into 0.

    Where a script traces a function of its own it may look for the operators, and change their gradients (guided
    backpropagation, SHAP): there it finds what it knows.
    """
    return tracing.own and not isinstance(x, EagerTensor) and x.op.type in (
        'BiasAdd', 'Add', 'AddV2', 'FusedBatchNorm', 'FusedBatchNormV2', 'FusedBatchNormV3')


def _rectifier_by_itself(x, max_value):
    """relu, or relu6, of operators that nothing merges, with their kernels' gradients."""
    number = functools.partial(tf.constant, dtype=x.dtype)

    @tf.custom_gradient
    def rectify(x):
        found = raw.Maximum(x=number(0), y=x)
        if max_value is None:
            return found, lambda gradient: raw.ReluGrad(gradients=gradient, features=found)
        return raw.Minimum(x=number(max_value), y=found), lambda gradient: raw.Relu6Grad(gradients=gradient, features=x)

    return rectify(x)


@override
def elu(x, alpha=1.0):
    return raw.Elu(features=x) if _static_numbers(alpha) and alpha == 1 else NotImplemented


@override
def softmax(x, axis=-1):
    return raw.Softmax(logits=x) if _is_last(x, axis) else NotImplemented


@override
def log_softmax(x, axis=-1):
    return raw.LogSoftmax(logits=x) if _is_last(x, axis) else NotImplemented


@override
def bias_add(x, bias, axis=-1):
    if rank_of(bias) == 1 and _is_last(x, axis) and rank_of(x) > 1:
        return raw.BiasAdd(value=x, bias=bias)
    return NotImplemented


@override
def linear(x, kernel, bias=None):
    if rank_of(x) != 2 or bias is None:
        return NotImplemented
    return raw.BiasAdd(value=raw.MatMul(a=x, b=kernel), bias=bias)


@override
def mean(x, axis=None, keepdims=False):
    if x.dtype == tf.float16:  # whose sums are soon too large
        return raw.Cast(x=raw.Mean(input=raw.Cast(x=x, DstT=tf.float32), axis=axes_of(x, axis), keep_dims=keepdims),
                        DstT=tf.float16)
    return raw.Mean(input=x, axis=axes_of(x, axis), keep_dims=keepdims)


@override
def any_(x, axis=None, keepdims=False):
    return raw.Any(input=tf.cast(x, tf.bool), axis=axes_of(x, axis), keep_dims=keepdims)


@override
def all_(x, axis=None, keepdims=False):
    return raw.All(input=tf.cast(x, tf.bool), axis=axes_of(x, axis), keep_dims=keepdims)


@override
def argmin(x, axis=-1):
    return NotImplemented if x.dtype == tf.bool else raw.ArgMin(input=x, dimension=axis, output_type=tf.int32)


@override
def expand_dims(x, axis=-1):
    return raw.ExpandDims(input=x, axis=axis) if isinstance(axis, int) else NotImplemented


@override
def zeros_like(x, dtype=None):
    return NotImplemented if dtype else raw.ZerosLike(x=x)


@override
def tile(x, repeats):
    if not isinstance(repeats, (list, tuple)) or len(repeats) != rank_of(x):
        return NotImplemented
    return raw.Tile(input=x, multiples=size_vector(repeats))


@override
def split(x, indices_or_sections, axis=0):
    if isinstance(indices_or_sections, tf.Tensor) and not isinstance(indices_or_sections, EagerTensor):
        # Indices that are known when a compiled function runs.
        indices = indices_or_sections
        bounds = tf.concat([[0], indices, [tf.shape(x, indices.dtype)[axis]]], 0)
        return tf.split(x, bounds[1:] - bounds[:-1], axis, indices.shape[0] + 1)
    size = x.shape[axis]
    if not isinstance(indices_or_sections, int) or size is None or size % indices_or_sections:
        return NotImplemented
    return list(raw.Split(axis=axis, value=x, num_split=indices_or_sections))


@override
def one_hot(x, num_classes, axis=-1, dtype=None):
    kind = DTYPES[dtype or config.floatx()]
    return raw.OneHot(indices=positions(x), depth=num_classes, on_value=tf.constant(1, kind),
                      off_value=tf.constant(0, kind), axis=-1 if axis == rank_of(x) else axis)


@override
def sparse_categorical_crossentropy(target, output, from_logits=False, axis=-1):
    if not from_logits or not _is_last(output, axis):
        return NotImplemented
    if rank_of(target) == rank_of(output):
        target = raw.Squeeze(input=target, axis=[-1])
    sizes = sizes_of(output)
    target = positions(target)
    if len(sizes) > 2:
        target = raw.Reshape(tensor=target, shape=[-1])
        output = raw.Reshape(tensor=output, shape=[-1, sizes[-1]])
    loss, _ = raw.SparseSoftmaxCrossEntropyWithLogits(features=output, labels=target)
    return loss if len(sizes) == 2 else raw.Reshape(tensor=loss, shape=filled_vector(sizes[:-1]))


def _fused_normalization(x, axis, offset, scale):
    """Offset and scale for FusedBatchNorm, or None where the kernel does not serve."""
    if rank_of(x) != 4 or not _is_last(x, axis) or x.dtype != tf.float32 or x.shape[-1] is None:
        return None
    channels = [x.shape[-1]]
    return tf.zeros(channels) if offset is None else offset, tf.ones(channels) if scale is None else scale


@override
def batch_normalization(x, mean, variance, axis=-1, offset=None, scale=None, epsilon=1e-3):
    parameters = _fused_normalization(x, axis, offset, scale)
    if parameters is None:
        return NotImplemented
    return raw.FusedBatchNormV3(x=x, scale=parameters[1], offset=parameters[0], mean=mean, variance=variance,
                                epsilon=epsilon, is_training=False)[0]


@override
def batch_normalization_train(x, axis=-1, offset=None, scale=None, epsilon=1e-3):
    parameters = _fused_normalization(x, axis, offset, scale)
    if parameters is None:
        return NotImplemented
    result, mean, variance, *_ = raw.FusedBatchNormV3(
        x=x, scale=parameters[1], offset=parameters[0], mean=NO_VALUES, variance=NO_VALUES, epsilon=epsilon,
        is_training=True)
    # The kernel's variance is the unbiased one, the contract's is not.
    count = tf.cast(tf.size(x) // x.shape[-1], tf.float32)
    return result, mean, variance * ((count - 1.0) / count)


@override
def row_counts(rows, bins, weights=None):
    if not isinstance(bins, int) or 0 in rows.shape.as_list() \
            or weights is not None and weights.dtype not in (tf.float32, tf.float64):
        return NotImplemented
    # What lies below is an error there, what lies beyond is not counted.
    return raw.DenseBincount(input=tf.where(rows < 0, bins, rows), size=bins, binary_output=False,
                             weights=tf.zeros((0,), tf.int32) if weights is None else weights)


@override
def part_at(x, starts, sizes):
    return raw.Slice(input=x, begin=size_vector([0 if size is None else start for start, size in zip(starts, sizes)]),
                     size=size_vector([-1 if size is None else size for size in sizes]))


@override
def resize(x, size, interpolation='bilinear', data_format=None, antialias=False, half_pixel_centers=True):
    if interpolation != 'bilinear' or antialias or not half_pixel_centers or rank_of(x) != 4 or x.dtype != tf.float32 \
            or config.normalize_data_format(data_format) == 'channels_first':
        return NotImplemented
    return raw.ResizeBilinear(images=x, size=spatial_tuple(size, 2, 'size'), half_pixel_centers=True)


def _with_gradient_of_body(name, kernel):
    """`kernel` on floats with the colors on the last axis; its gradient is that of what is written over primitives."""
    def run(images, axis=-1):
        if not _is_last(images, axis) or images.dtype not in (tf.float32, tf.float64):
            return NotImplemented

        @tf.custom_gradient
        def colors(images):
            def gradient(factor):
                with tf.GradientTape(watch_accessed_variables=False) as tape:
                    tape.watch(images)
                    found = TABLE[name].body(images, -1)
                return tape.gradient(found, images, factor)
            return kernel(images=images), gradient
        return colors(images)
    return run


OVERRIDES['hsv_of_rgb'] = _with_gradient_of_body('hsv_of_rgb', raw.RGBToHSV)
OVERRIDES['rgb_of_hsv'] = _with_gradient_of_body('rgb_of_hsv', raw.HSVToRGB)


@override
def projected(images, transform, interpolation='bilinear', fill_mode='constant', fill_value=0.0, perspective=False):
    # The kernel differs where it wraps around, and reflects halves before it rounds them.
    same = fill_mode in ('constant', 'nearest') or (fill_mode, interpolation) == ('reflect', 'bilinear')
    # And it would take one transform for many images.
    if not same or images.dtype != tf.float32 or images.shape[0] != transform.shape[0]:
        return NotImplemented
    arguments = interpolation, fill_mode, fill_value, perspective

    # Its own gradient by the images is that of the inverse map, and by the transform there is none.
    @tf.custom_gradient
    def read(images, transform):
        def gradient(factor):
            with tf.GradientTape(watch_accessed_variables=False) as tape:
                tape.watch([images, transform])
                found = TABLE['projected'].body(images, transform, *arguments)
            return tape.gradient(found, [images, transform], factor)
        flat = transform if perspective else tf.concat([transform[:, :6], tf.zeros_like(transform[:, 6:])], 1)
        found = raw.ImageProjectiveTransformV3(
            images=images, transforms=flat, output_shape=size_vector(sizes_of(images)[1:3]), fill_value=fill_value,
            interpolation=interpolation.upper(), fill_mode=fill_mode.upper())
        return found, gradient

    return read(images, transform)
