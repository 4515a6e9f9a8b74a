"""Functions of TensorFlow that saved models name, made of operations of our own table. This is the list of them.

A function is found by its public name without `compat.v1`, or with the name space left out where that is one of
`_SPACES`. The parameters have TensorFlow's names, those of both versions.
"""
import numpy as np

from keras import backend as K, ops
from keras.backend.graph.tensors import is_symbolic
from keras.backend.table import primitives as p
from keras.backend.table.composites import math as table_math
from keras.saving.kinds import kind_in
from keras.saving.serialization import unknown_name_error

# Where the public names of TensorFlow stand; what is called the same in several of them is the same function.
_SPACES = ('', 'math', 'nn', 'linalg', 'image', 'bitwise', '__operators__')
FUNCTIONS = {}
# Functions of K that tf.keras writes by their address, and those of Keras that are plain functions of tensors.
_OF_K = """
    abs all any arange argmax argmin batch_dot batch_flatten batch_normalization bias_add binary_crossentropy cast
    categorical_crossentropy clip concatenate conv1d conv2d conv3d cos cumprod cumsum depthwise_conv2d dot elu equal
    exp expand_dims flatten gather greater greater_equal hard_sigmoid l2_normalize less less_equal log max maximum
    mean min minimum not_equal ones_like one_hot permute_dimensions pool2d pool3d pow prod relu repeat
    repeat_elements reshape resize_images reverse round separable_conv2d sigmoid sign sin softmax softplus softsign
    sparse_categorical_crossentropy spatial_2d_padding sqrt square squeeze stack std stop_gradient sum switch tanh
    temporal_padding tile transpose var zeros_like
""".split()


def find(name):
    """The function of tensors for TensorFlow's function `name`.

    Raises:
        ValueError: for one that is not in the list.

    Example:
        >>> find('math.multiply')(2.0, y=3.0)
        6.0
    """
    parts = [part for part in name.split('.') if part not in ('compat', 'v1', 'v2')]
    found = _of_keras(parts) if parts[0] == 'keras' else FUNCTIONS.get('.'.join(parts))
    if found is None and '.'.join(parts[:-1]) in _SPACES:
        found = FUNCTIONS.get(parts[-1])
    if found is None:
        raise unknown_name_error('function of TensorFlow in a model of tf.keras', name, FUNCTIONS)
    return found


def _of_keras(parts):
    """`keras.backend.NAME`, `keras.activations.NAME`, `keras.losses.NAME`, as far as they are functions of tensors."""
    if parts[1:-1] == ['backend'] and parts[-1] in _OF_K:
        return getattr(K, parts[-1])
    home = {'activations': 'keras.activations', 'losses': 'keras.losses', 'metrics': 'keras.losses'}.get(parts[1])
    return kind_in(home).objects.get(parts[-1]) if home is not None and len(parts) == 3 else None


def _enter(function, *names):
    FUNCTIONS.update(dict.fromkeys(names or (function.__name__.strip('_'),), function))
    return function


def _entered(*names):
    return lambda function: _enter(function, *names)


def constant(value, like=None):
    """An array for a constant of a file, in the dtype of the tensor that it meets; numbers and tensors as they are."""
    if isinstance(value, (list, np.ndarray)):
        value = np.asarray(value)
        if like is not None and hasattr(like, 'dtype') and value.dtype.kind in 'iuf':
            return value.astype(_numpy_dtype(like.dtype))
        return value.astype({'f': 'float32', 'i': 'int32'}.get(value.dtype.kind, value.dtype))
    return value


def _numpy_dtype(dtype):
    return 'float32' if str(dtype) == 'bfloat16' else str(dtype)


# --- elementwise ------------------------------------------------------------------------------------------------------

def _unary(function):
    return lambda x, name=None, **like: function(x)


def _binary(function):
    def call(x, y, name=None):
        return function(constant(x, y), constant(y, x))
    return call


for _name, _function in dict(
        abs=ops.abs, acos=ops.arccos, acosh=ops.arccosh, asin=ops.arcsin, asinh=ops.arcsinh, atan=ops.arctan,
        atanh=ops.arctanh, ceil=ops.ceil, cos=ops.cos, cosh=ops.cosh, digamma=p.digamma, elu=ops.elu, erf=ops.erf,
        erfc=ops.erfc, erfinv=ops.erfinv, exp=ops.exp, expm1=ops.expm1, floor=ops.floor, invert=ops.logical_not,
        is_finite=ops.isfinite, is_inf=ops.isinf, is_nan=ops.isnan, lgamma=p.lgamma, log=ops.log, log1p=ops.log1p,
        log_sigmoid=ops.log_sigmoid, logical_not=ops.logical_not, negative=ops.negative, neg=ops.negative,
        reciprocal=ops.reciprocal, relu=ops.relu, relu6=ops.relu6, rint=ops.round, round=ops.round, rsqrt=ops.rsqrt,
        selu=ops.selu, sigmoid=ops.sigmoid, sign=ops.sign, silu=ops.silu, sin=ops.sin, sinh=ops.sinh,
        softplus=ops.softplus, softsign=ops.softsign, sqrt=ops.sqrt, square=ops.square, stop_gradient=p.stop_gradient,
        swish=ops.silu, tan=ops.tan, tanh=ops.tanh, identity=lambda x: x, ensure_shape=lambda x: x).items():
    _enter(_unary(_function), _name)
for _name, _function in dict(
        add=ops.add, atan2=ops.arctan2, divide=ops.true_divide, divide_no_nan=ops.divide_no_nan, equal=ops.equal,
        floordiv=ops.floor_divide, floormod=ops.mod, greater=ops.greater, greater_equal=ops.greater_equal,
        less=ops.less, less_equal=ops.less_equal, logical_and=ops.logical_and, logical_or=ops.logical_or,
        logical_xor=ops.logical_xor, maximum=ops.maximum, minimum=ops.minimum, mod=ops.mod, multiply=ops.multiply,
        multiply_no_nan=lambda x, y: ops.where(ops.equal(y, 0), ops.zeros_like(x), ops.multiply(x, y)),
        not_equal=ops.not_equal, pow=ops.power, squared_difference=lambda x, y: ops.square(ops.subtract(x, y)),
        subtract=ops.subtract, truediv=ops.true_divide, xdivy=ops.divide_no_nan,
        xlogy=lambda x, y: ops.where(ops.equal(x, 0), ops.zeros_like(x), ops.multiply(x, ops.log(y)))).items():
    _enter(_binary(_function), _name)
FUNCTIONS.update({'and': FUNCTIONS['logical_and'], 'or': FUNCTIONS['logical_or'], 'xor': FUNCTIONS['logical_xor'],
                  'eq': FUNCTIONS['equal'], 'ne': FUNCTIONS['not_equal'], 'div': FUNCTIONS['divide'],
                  'realdiv': FUNCTIONS['truediv'], 'scalar_mul': FUNCTIONS['multiply']})


@_entered('add_n')
def _add_n(inputs, name=None):
    total = inputs[0]
    for each in inputs[1:]:
        total = ops.add(total, each)
    return total


@_entered()
def clip_by_value(t, clip_value_min, clip_value_max, name=None):
    return ops.minimum(ops.maximum(t, constant(clip_value_min, t)), constant(clip_value_max, t))


@_entered()
def leaky_relu(features, alpha=0.2, name=None):
    return ops.leaky_relu(features, alpha)


@_entered()
def gelu(features, approximate=False, name=None):
    return ops.gelu(features, approximate)


@_entered()
def softmax(logits, axis=None, name=None, dim=None):
    return ops.softmax(logits, _first(axis, dim, -1))


@_entered()
def log_softmax(logits, axis=None, name=None, dim=None):
    return ops.log_softmax(logits, _first(axis, dim, -1))


def _first(*values):
    return next((value for value in values if value is not None), None)


@_entered()
def cast(x, dtype, name=None):
    return ops.cast(x, dtype_from(dtype))


def dtype_from(value):
    """A dtype from what a file has for one: 'float32', 'DT_FLOAT', or a dictionary that holds its name."""
    if isinstance(value, dict):
        config = value.get('config', value)
        value = config.get('name', config.get('dtype')) if isinstance(config, dict) else config
    return _OF_TENSORFLOW.get(value, value)


_OF_TENSORFLOW = {'DT_FLOAT': 'float32', 'DT_DOUBLE': 'float64', 'DT_HALF': 'float16', 'DT_BFLOAT16': 'bfloat16',
                  'DT_INT8': 'int8', 'DT_INT16': 'int16', 'DT_INT32': 'int32', 'DT_INT64': 'int64',
                  'DT_UINT8': 'uint8', 'DT_UINT16': 'uint16', 'DT_UINT32': 'uint32', 'DT_UINT64': 'uint64',
                  'DT_BOOL': 'bool', 'DT_STRING': 'string'}
for _name in ('bfloat16', 'double', 'float', 'int32', 'int64'):
    _enter(lambda x, name=None, dtype={'double': 'float64', 'float': 'float32'}.get(_name, _name): ops.cast(x, dtype),
           'to_' + _name)


@_entered()
def saturate_cast(value, dtype, name=None):
    return ops.saturate_cast(value, dtype_from(dtype))


@_entered()
def convert_to_tensor(value, dtype=None, dtype_hint=None, name=None, preferred_dtype=None):
    return value if dtype is None else ops.cast(constant(value), dtype_from(dtype))


@_entered()
def zeros_like(input, dtype=None, name=None, optimize=True):  # noqa: A002  (TensorFlow's name, as are others below)
    return ops.zeros_like(input, dtype=dtype_from(dtype))


@_entered()
def ones_like(input, dtype=None, name=None, optimize=True):  # noqa: A002
    return ops.ones_like(input, dtype=dtype_from(dtype))


# --- reductions -------------------------------------------------------------------------------------------------------

def _reduction(function):
    def reduce(input_tensor, axis=None, keepdims=None, name=None, reduction_indices=None, keep_dims=None):
        axis = _first(axis, reduction_indices)
        return function(input_tensor, axis=tuple(axis) if isinstance(axis, (list, np.ndarray)) else axis,
                        keepdims=bool(_first(keepdims, keep_dims, False)))
    return reduce


for _name, _function in dict(mean=ops.mean, sum=ops.sum, max=ops.max, min=ops.min, prod=ops.prod, all=ops.all,
                             any=ops.any, std=ops.std, variance=ops.var, logsumexp=ops.logsumexp).items():
    _enter(_reduction(_function), 'reduce_' + _name)


@_entered()
def argmax(input, axis=None, output_type='int64', name=None, dimension=None):  # noqa: A002
    return ops.cast(ops.argmax(input, _first(axis, dimension, 0)), dtype_from(output_type))


@_entered()
def argmin(input, axis=None, output_type='int64', name=None, dimension=None):  # noqa: A002
    return ops.cast(ops.argmin(input, _first(axis, dimension, 0)), dtype_from(output_type))


@_entered()
def cumsum(x, axis=0, exclusive=False, reverse=False, name=None):
    return _cumulative(ops.cumsum, ops.subtract, x, axis, exclusive, reverse)


@_entered()
def cumprod(x, axis=0, exclusive=False, reverse=False, name=None):
    return _cumulative(ops.cumprod, ops.divide, x, axis, exclusive, reverse)


def _cumulative(function, without, x, axis, exclusive, reverse):
    found = ops.flip(function(ops.flip(x, axis), axis), axis) if reverse else function(x, axis)
    return without(found, x) if exclusive else found


@_entered('l2_normalize')
def _l2_normalize(x, axis=None, epsilon=1e-12, name=None, dim=None):
    axis = _first(axis, dim)
    return table_math.l2_normalize(x, tuple(axis) if isinstance(axis, list) else axis, epsilon)


@_entered('norm')
def _norm(tensor, ord='euclidean', axis=None, keepdims=None, name=None, keep_dims=None):  # noqa: A002
    return ops.norm(tensor, None if ord == 'euclidean' else ord, tuple(axis) if isinstance(axis, list) else axis,
                    bool(_first(keepdims, keep_dims, False)))


@_entered()
def moments(x, axes, shift=None, keepdims=None, name=None, keep_dims=None):
    return list(ops.moments(x, axes, bool(_first(keepdims, keep_dims, False))))


@_entered()
def top_k(input, k=1, sorted=True, index_type='int32', name=None):  # noqa: A002
    return list(ops.top_k(input, k, sorted))


@_entered()
def sort(values, axis=-1, direction='ASCENDING', name=None):
    found = ops.sort(values, axis)
    return found if direction == 'ASCENDING' else ops.flip(found, axis)


@_entered()
def argsort(values, axis=-1, direction='ASCENDING', stable=False, name=None):
    return ops.argsort(values if direction == 'ASCENDING' else ops.negative(values), axis)


# --- products ---------------------------------------------------------------------------------------------------------

@_entered()
def matmul(a, b, transpose_a=False, transpose_b=False, adjoint_a=False, adjoint_b=False, name=None, **sparse):
    a, b = constant(a, b), constant(b, a)
    return ops.matmul(_turned(a) if transpose_a or adjoint_a else a, _turned(b) if transpose_b or adjoint_b else b)


def _turned(x):
    return ops.swapaxes(x, -1, -2)


@_entered()
def matvec(a, b, transpose_a=False, adjoint_a=False, name=None, **sparse):
    return ops.squeeze(matmul(a, ops.expand_dims(constant(b, a), -1), transpose_a, adjoint_a=adjoint_a), -1)


@_entered()
def tensordot(a, b, axes, name=None):
    return ops.tensordot(constant(a, b), constant(b, a), axes)


@_entered()
def einsum(equation, *inputs, **kwargs):
    if not inputs:
        raise ValueError('The file names the equation %r of an einsum, but not what it is computed of: tf.keras does '
                         'not write that. Save the model as a SavedModel or its weights only, with tf.keras, or build '
                         'it with keras.layers.Dot or EinsumDense.' % (equation,))
    return ops.einsum(equation, *inputs)


@_entered()
def bias_add(value, bias, data_format=None, name=None):
    first = str(data_format).startswith('NC')
    return K.bias_add(value, constant(bias, value), 'channels_first' if first else 'channels_last')


# --- shapes -----------------------------------------------------------------------------------------------------------

@_entered()
def shape(input, out_type='int32', name=None):  # noqa: A002
    return K.shape(input)


@_entered()
def rank(input, name=None):  # noqa: A002
    return len(input.shape)


@_entered()
def size(input, out_type='int32', name=None):  # noqa: A002
    return K.prod(K.shape(input))


@_entered()
def reshape(tensor, shape, name=None):
    return K.reshape(tensor, shape)


@_entered()
def squeeze(input, axis=None, name=None, squeeze_dims=None):  # noqa: A002
    axis = _first(axis, squeeze_dims)
    return ops.squeeze(input, (tuple(axis) or None) if isinstance(axis, (list, np.ndarray)) else axis)


@_entered('expand_dims')
def _expand_dims(input, axis=None, name=None, dim=None):  # noqa: A002
    axis = _first(axis, dim)
    return ops.expand_dims(input, int(axis[0]) if isinstance(axis, (list, np.ndarray)) else int(axis))


@_entered('transpose')
def _transpose(a, perm=None, conjugate=False, name=None):
    return ops.transpose(a, perm if perm is None else [int(axis) for axis in perm])


@_entered('matrix_transpose')
def _matrix_transpose(a, name=None, conjugate=False):
    return _turned(a)


@_entered()
def concat(values, axis, name=None):
    values = values if isinstance(values, list) else [values]
    first = next(value for value in values if is_symbolic(value))
    return ops.concatenate([constant(value, first) for value in values], int(axis))


@_entered()
def stack(values, axis=0, name=None):
    values = values if isinstance(values, list) else [values]
    if axis == 0 and all(isinstance(value, int) or getattr(value, 'shape', None) == () for value in values):
        return K.stack(values)  # sizes, perhaps
    first = next(value for value in values if is_symbolic(value))
    return ops.stack([constant(value, first) for value in values], int(axis))


@_entered()
def unstack(value, num=None, axis=0, name=None):
    return list(ops.unstack(value, num, axis))


@_entered()
def split(value, num_or_size_splits, axis=0, num=None, name=None, split_dim=None):
    sizes = num_or_size_splits
    if isinstance(sizes, (list, tuple, np.ndarray)):
        sizes = [int(place) for place in np.cumsum(sizes)[:-1]]
    return list(ops.split(value, sizes, int(_first(split_dim, axis))))


@_entered()
def tile(input, multiples, name=None):  # noqa: A002
    return ops.tile(input, tuple(multiples))


@_entered()
def repeat(input, repeats, axis=None, name=None):  # noqa: A002
    return ops.repeat(input, repeats, axis)


@_entered()
def broadcast_to(input, shape, name=None):  # noqa: A002
    return ops.broadcast_to(constant(input), tuple(shape))


@_entered('pad')
def _pad(tensor, paddings, mode='CONSTANT', constant_values=0, name=None):
    return ops.pad(tensor, [tuple(map(int, pair)) for pair in paddings], mode=mode.lower(),
                   constant_values=constant_values if mode.upper() == 'CONSTANT' else None)


@_entered('reverse')
def _reverse(tensor, axis, name=None):
    return ops.flip(tensor, tuple(axis) if isinstance(axis, (list, np.ndarray)) else axis)


@_entered()
def roll(input, shift, axis, name=None):  # noqa: A002
    return ops.roll(input, shift, axis)


@_entered('getitem')
def _getitem(tensor, slice_spec, var=None):
    return tensor[slice_spec]


@_entered('slice')
def _slice(input_, begin, size, name=None):
    return input_[tuple(slice(int(start), None if int(count) == -1 else int(start) + int(count))
                        for start, count in zip(begin, size))]


@_entered()
def strided_slice(input_, begin, end, strides=None, begin_mask=0, end_mask=0, ellipsis_mask=0, new_axis_mask=0,
                  shrink_axis_mask=0, var=None, name=None):
    key = []
    for place, (first, last) in enumerate(zip(begin, end)):
        def marked(mask, place=place):
            return bool(int(mask) >> place & 1)
        if marked(ellipsis_mask) or marked(new_axis_mask):
            key.append(Ellipsis if marked(ellipsis_mask) else None)
        elif marked(shrink_axis_mask):
            key.append(int(first))
        else:
            key.append(slice(None if marked(begin_mask) else int(first), None if marked(end_mask) else int(last),
                             int(strides[place]) if strides is not None else None))
    return input_[tuple(key)]


@_entered()
def gather(params, indices, validate_indices=None, axis=None, batch_dims=0, name=None):
    axis, batch_dims = int(_first(axis, batch_dims, 0)), int(batch_dims or 0)
    if batch_dims:
        return _batched_gather(params, indices, axis, batch_dims)
    return ops.take(params, constant(indices), axis)


def _batched_gather(params, indices, axis, batch_dims):
    """The entries of `params` along `axis`, other ones for each entry of the axis before."""
    rank, wanted = len(params.shape), len(indices.shape)
    if axis % rank != wanted - 1 or batch_dims != wanted - 1:
        raise ValueError('gather: `batch_dims` of %d with axis %d for indices of shape %s cannot be read.'
                         % (batch_dims, axis, tuple(indices.shape)))
    for _ in range(rank - wanted):
        indices = ops.expand_dims(indices, -1)
    sizes = K.shape(params)
    for place in range(wanted, rank):
        indices = ops.repeat(indices, sizes[place], place)
    return ops.take_along_axis(params, indices, axis % rank)


@_entered()
def gather_nd(params, indices, batch_dims=0, name=None):
    if batch_dims:
        raise ValueError('gather_nd: only `batch_dims=0` can be read. Received: %r' % (batch_dims,))
    return p.gather_nd(params, constant(indices))


@_entered()
def where(condition, x=None, y=None, name=None):
    if x is None:
        raise ValueError('where: without `x` and `y` the number of results is not known beforehand; it cannot be read.')
    return ops.where(constant(condition), constant(x, y), constant(y, x))


@_entered()
def one_hot(indices, depth, on_value=None, off_value=None, axis=None, dtype=None, name=None):
    hot = ops.one_hot(indices, int(depth), -1 if axis is None else int(axis), dtype=dtype_from(dtype) or 'float32')
    on, off = _first(on_value, 1), _first(off_value, 0)
    return hot if (on, off) == (1, 0) else ops.add(ops.multiply(hot, on - off), off)


@_entered()
def sequence_mask(lengths, maxlen=None, dtype='bool', name=None):
    places = ops.arange(int(maxlen), dtype='int32')
    return ops.cast(ops.less(places, ops.expand_dims(ops.cast(lengths, 'int32'), -1)), dtype_from(dtype))


@_entered()
def embedding_lookup(params, ids, max_norm=None, name=None, **kwargs):
    return ops.take(constant(params), ids, 0)


# --- pictures, windows ------------------------------------------------------------------------------------------------

def _spatial(value, rank, data_format):
    """The spatial part of sizes that may be given for all axes, as a number or a list."""
    if isinstance(value, (list, tuple)):
        value = [int(each) for each in value]
        if len(value) == rank + 2:
            value = value[1:-1] if data_format == 'channels_last' else value[2:]
        return tuple(value) * (rank if len(value) == 1 else 1)
    return (int(value),) * rank


def _pooling(function, rank):
    def pool(input=None, ksize=None, strides=None, padding='VALID', data_format=None, name=None, value=None):
        x = _first(input, value)
        order = 'channels_first' if str(data_format).startswith('NC') else 'channels_last'
        return function(x, _spatial(ksize, rank, order), _spatial(_first(strides, ksize), rank, order),
                        padding.lower(), order)
    return pool


for _rank in (1, 2, 3):
    _enter(_pooling(ops.max_pool, _rank), 'max_pool%dd' % _rank)
    _enter(_pooling(ops.average_pool, _rank), 'avg_pool%dd' % _rank)
FUNCTIONS.update(max_pool=FUNCTIONS['max_pool2d'], avg_pool=FUNCTIONS['avg_pool2d'])


def _convolving(function, rank):
    def convolve(input, filters=None, strides=1, padding='VALID', data_format=None, dilations=None, name=None,
                 filter=None):  # noqa: A002
        kernel = constant(_first(filters, filter), input)
        order = 'channels_first' if str(data_format).startswith('NC') else 'channels_last'
        return function(input, kernel, _spatial(strides, rank, order), padding.lower(), order,
                        _spatial(_first(dilations, 1), rank, order))
    return convolve


for _rank in (1, 2, 3):
    _enter(_convolving(ops.conv, _rank), 'conv%dd' % _rank)
_enter(_convolving(ops.depthwise_conv, 2), 'depthwise_conv2d')
_enter(FUNCTIONS['conv2d'], 'convolution')


@_entered('resize')
def _resize(images, size, method='bilinear', preserve_aspect_ratio=False, antialias=False, name=None, **kwargs):
    if preserve_aspect_ratio:
        raise ValueError('image.resize: only preserve_aspect_ratio=False can be read.')
    return ops.cast(ops.image.resize(images, tuple(map(int, size)), str(method).lower(), antialias,
                                     data_format='channels_last'), 'float32')


@_entered()
def flip_left_right(image):
    return ops.flip(image, -2)


@_entered()
def flip_up_down(image):
    return ops.flip(image, -3)


@_entered()
def rgb_to_grayscale(images, name=None):
    return ops.image.rgb_to_grayscale(images, data_format='channels_last')


@_entered()
def per_image_standardization(image):
    axes = (-3, -2, -1)
    count = float(np.prod([image.shape[axis] for axis in axes]))
    centred = ops.subtract(image, ops.mean(image, axes, keepdims=True))
    return ops.divide(centred, ops.maximum(ops.std(image, axes, keepdims=True), 1 / np.sqrt(count)))


@_entered()
def depth_to_space(input, block_size, data_format='NHWC', name=None):  # noqa: A002
    return ops.nn.depth_to_space(input, block_size, 'channels_first' if data_format == 'NCHW' else 'channels_last')


@_entered()
def space_to_depth(input, block_size, data_format='NHWC', name=None):  # noqa: A002
    return ops.nn.space_to_depth(input, block_size, 'channels_first' if data_format == 'NCHW' else 'channels_last')


@_entered()
def softmax_cross_entropy_with_logits(labels, logits, axis=-1, name=None, dim=None):
    return ops.categorical_crossentropy(labels, logits, True, _first(dim, axis))


@_entered()
def sparse_softmax_cross_entropy_with_logits(labels, logits, name=None):
    return ops.sparse_categorical_crossentropy(labels, logits, True)


@_entered()
def sigmoid_cross_entropy_with_logits(labels=None, logits=None, name=None):
    return ops.binary_crossentropy(labels, logits, True)


@_entered('dropout')
def _dropout(x, rate=None, noise_shape=None, seed=None, name=None, keep_prob=None):
    raise ValueError('tf.nn.dropout in a saved model drops at inference, too, which is hardly meant. Use the layer '
                     'Dropout.')


@_entered()
def batch_normalization(x, mean, variance, offset, scale, variance_epsilon, name=None):
    factor = ops.rsqrt(ops.add(variance, variance_epsilon))
    factor = factor if scale is None else ops.multiply(factor, scale)
    found = ops.multiply(ops.subtract(x, mean), factor)
    return found if offset is None else ops.add(found, offset)
