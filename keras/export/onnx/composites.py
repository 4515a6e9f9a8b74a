"""Converters of composites for which ONNX has an operation of its own."""
import numpy as np

from keras import config
from keras.backend.contract.rules import is_float, normalize_axes
from keras.backend.table.composites.conv import spatial_tuple
from keras.export.onnx.converters import CONVERTERS, converter

# Activations with their attributes.
for _name, _kind, _attributes in [
        ('sigmoid', 'Sigmoid', {}), ('softplus', 'Softplus', {}), ('softsign', 'Softsign', {}), ('ceil', 'Ceil', {}),
        ('hard_sigmoid', 'HardSigmoid', {'alpha': 1 / 6, 'beta': 0.5}), ('tan', 'Tan', {}), ('sinh', 'Sinh', {}),
        ('hard_sigmoid_keras2', 'HardSigmoid', {'alpha': 0.2, 'beta': 0.5}), ('cosh', 'Cosh', {}),
        ('arccos', 'Acos', {}), ('arcsinh', 'Asinh', {}), ('arccosh', 'Acosh', {}), ('arctanh', 'Atanh', {}),
        ('selu', 'Selu', {'alpha': 1.6732632423543772, 'gamma': 1.0507009873554805})]:
    def _activation(block, x, _kind=_kind, _attributes=_attributes):
        if not is_float(x.dtype):
            return NotImplemented
        return block.add(_kind, x, **_attributes)
    CONVERTERS[_name] = _activation


@converter
def relu(block, x, negative_slope, max_value, threshold):
    if not is_float(x.dtype) or threshold or isinstance(negative_slope, np.ndarray):
        return NotImplemented
    result = block.add('LeakyRelu', x, alpha=float(negative_slope)) if negative_slope else block.add('Relu', x)
    if max_value is None:
        return result
    return block.add('Min', result, block.constant(float(max_value), x.dtype))


@converter
def elu(block, x, alpha):
    return block.add('Elu', x, alpha=float(alpha)) if is_float(x.dtype) else NotImplemented


@converter
def softmax(block, x, axis):
    return _along_one_axis(block, 'Softmax', x, axis)


@converter
def log_softmax(block, x, axis):
    return _along_one_axis(block, 'LogSoftmax', x, axis)


def _along_one_axis(block, kind, x, axis):
    if not isinstance(axis, int) or not is_float(x.dtype):
        return NotImplemented
    return block.add(kind, x, axis=axis % x.ndim)


@converter
def linear(block, x, kernel, bias):
    if x.ndim == 2 and kernel.ndim == 2 and is_float(x.dtype):
        inputs = [x, kernel] if bias is None else [x, kernel, bias]
        return block.add('Gemm', *inputs, shape=x.shape[:1] + kernel.shape[1:])
    result = block.add('MatMul', x, kernel, shape=x.shape[:-1] + kernel.shape[-1:])
    return result if bias is None else block.add('Add', result, bias)


@converter
def matmul(block, x1, x2):
    return block.add('MatMul', x1, x2, shape=(None,) * max(x1.ndim, x2.ndim))


@converter
def einsum(block, subscripts, operands):
    """ONNX's own, but for what runtimes read differently: axes that are named twice, and those that are not named."""
    terms = subscripts.replace(' ', '').partition('->')[0].split(',')
    if any(len(set(term)) < len(term) for term in terms) or not is_float(operands[0].dtype):
        return NotImplemented
    return block.add('Einsum', *operands, shape=(None,), equation=subscripts)


@converter
def take_along_axis(block, x, indices, axis):
    if axis is None:
        return NotImplemented
    axis, indices = axis % x.ndim, block.cast(indices, 'int64')
    own = block.constant(np.arange(x.ndim) == axis)
    sizes = [block.shape_of(value) for value in (x, indices)]
    common = block.add('Max', *sizes)
    values = [block.add('Expand', value, block.add('Where', own, size, common, dtype='int64'), shape=(None,) * x.ndim)
              for value, size in zip((x, indices), sizes)]
    return block.add('GatherElements', *values, axis=axis)


@converter
def expand_dims(block, x, axis):
    axes = axis if isinstance(axis, (list, tuple)) else [axis]
    return block.unsqueeze(x, *[one % (x.ndim + len(axes)) for one in axes])


@converter
def squeeze(block, x, axis):
    axes = [index for index, size in enumerate(x.shape) if size == 1] if axis is None else normalize_axes(axis, x.ndim)
    return block.squeeze(x, *axes) if axes else x


@converter
def batch_flatten(block, x):
    return block.add('Flatten', x, shape=(x.shape[0], None), axis=1)


@converter
def upsampling(block, x, size, interpolation, data_format, half_pixel_centers):
    if interpolation != 'nearest':
        return NotImplemented
    factors = spatial_tuple(size, x.ndim - 2, 'size')
    last = config.normalize_data_format(data_format) == 'channels_last'
    scales = (1,) + factors + (1,) if last else (1, 1) + factors
    return block.add('Resize', x, None, block.constant(np.array(scales, 'float32')), shape=(None,) * x.ndim,
                     mode='nearest', coordinate_transformation_mode='asymmetric', nearest_mode='floor')


# --- normalization ------------------------------------------------------------------------------------------------

@converter
def batch_normalization(block, x, mean, variance, axis, offset, scale, epsilon):
    axis = axis % x.ndim
    if axis != 1:
        return _scaled_and_moved(block, x, mean, variance, axis, offset, scale, epsilon)
    ones, zeros = np.ones(mean.shape, 'float32'), np.zeros(mean.shape, 'float32')
    scale = block.constant(ones, x.dtype) if scale is None else scale
    offset = block.constant(zeros, x.dtype) if offset is None else offset
    return block.add('BatchNormalization', x, scale, offset, mean, variance, epsilon=float(epsilon))


def _scaled_and_moved(block, x, mean, variance, axis, offset, scale, epsilon):
    """One product and one sum, from vectors that are constants."""
    given = [part for part in (mean, variance, offset, scale) if part is not None]
    if not all(part.is_constant for part in given):
        return NotImplemented
    factor = 1 / np.sqrt(variance.array.astype('float64') + epsilon)
    factor = factor if scale is None else factor * scale.array
    shift = (0 if offset is None else offset.array) - mean.array * factor
    sizes = [-1 if index == axis else 1 for index in range(axis, x.ndim)]
    factor, shift = [block.constant(part.reshape(sizes), x.dtype) for part in (factor, shift)]
    return block.add('Add', block.add('Mul', x, factor), shift)


@converter
def layer_normalization(block, x, gamma, beta, axis, epsilon):
    axes = sorted(normalize_axes(axis, x.ndim))
    sizes = tuple(x.shape[index] for index in axes)
    if axes != list(range(x.ndim - len(axes), x.ndim)) or None in sizes or x.dtype != 'float32':
        return NotImplemented
    gamma = block.constant(np.ones(sizes, 'float32')) if gamma is None else gamma
    beta = block.constant(np.zeros(sizes, 'float32')) if beta is None else beta
    if gamma.shape != sizes or beta.shape != sizes:
        return NotImplemented
    return block.add('LayerNormalization', x, gamma, beta, axis=axes[0], epsilon=float(epsilon))
