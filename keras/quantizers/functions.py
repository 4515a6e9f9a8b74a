"""Numbers in few bits: quantizing by the largest absolute value, in blocks, as 8 bit floats, and two in one byte."""
import numpy as np

from keras import ops
from keras.backend.contract.rules import numpy_dtype
from keras.backend.table.composites.shape import dtype_of

# (largest number, bits of the mantissa, exponent of the smallest normal number) of 8 bit floats.
_FLOAT8 = {'float8_e4m3fn': (448.0, 3, -6), 'float8_e5m2': (57344.0, 2, -14)}


def _on_host(tensors):
    return tuple(ops.convert_to_numpy(tensor) for tensor in tensors)


def abs_max_quantize(inputs, axis, value_range=(-127, 127), dtype='int8', epsilon=1e-07, to_numpy=False):
    """Integers, and the scale that makes them: `inputs * scale`, rounded.

    Args:
        inputs: a tensor. axis: int or ints; the largest absolute value along them becomes `value_range[1]`.
        value_range: the integers are cut off at these. dtype: theirs. epsilon: keeps the divisor away from 0.
        to_numpy: whether to return NumPy arrays.

    Returns:
        (the integers, the scale, with axes of size 1 for `axis`)

    Example:
        >>> numbers, scale = keras.quantizers.abs_max_quantize(np.array([1.0, -4.0], 'float32'), axis=0)
        >>> [int(number) for number in numbers]
        [32, -127]
    """
    inputs = ops.convert_to_tensor(inputs)
    given = dtype_of(inputs)
    inputs = ops.cast(inputs, 'float32')
    largest = ops.max(ops.abs(inputs), axis=axis, keepdims=True)
    scale = ops.divide(float(value_range[1]), ops.add(largest, float(epsilon)))
    numbers = ops.clip(ops.round(ops.multiply(inputs, scale)), float(value_range[0]), float(value_range[1]))
    found = ops.cast(numbers, dtype), ops.cast(scale, given)
    return _on_host(found) if to_numpy else found


def abs_max_quantize_grouped_with_zero_point(inputs, block_size, value_range=(-8, 7), dtype='int8', epsilon=1e-07,
                                             to_numpy=False):
    """Integers for blocks of rows of a matrix, each with a scale and a zero point of its own in every column.

    Args:
        inputs: (rows, columns). block_size: number of rows of a block; the last one is filled up with zeros.
        value_range, dtype, epsilon, to_numpy: see `abs_max_quantize`.

    Returns:
        (integers (rows, columns), scale (blocks, columns), zero point (blocks, columns)); a number is about
        `(integer - zero) * scale`.

    Example:
        >>> q, scale, zero = keras.quantizers.abs_max_quantize_grouped_with_zero_point(np.ones((6, 2), 'float32'), 4)
        >>> scale.shape, zero.shape
        ((2, 2), (2, 2))
    """
    inputs = ops.convert_to_tensor(inputs)
    given = dtype_of(inputs)
    rows, columns = inputs.shape
    low, high = value_range
    blocks = -(-rows // block_size)
    padded = ops.pad(ops.cast(inputs, 'float32'), [[0, blocks * block_size - rows], [0, 0]])
    padded = ops.reshape(padded, (blocks, block_size, columns))
    least, most = ops.min(padded, axis=1, keepdims=True), ops.max(padded, axis=1, keepdims=True)
    scale = ops.maximum(ops.divide(ops.subtract(most, least), float(high - low)), float(epsilon))
    zero = ops.clip(ops.round(ops.add(ops.divide(ops.negative(least), scale), float(low))), float(low), float(high))
    numbers = ops.clip(ops.add(ops.round(ops.divide(padded, scale)), zero), float(low), float(high))
    numbers = ops.reshape(numbers, (blocks * block_size, columns))[:rows]
    found = (ops.cast(numbers, dtype), ops.cast(ops.squeeze(scale, 1), given), ops.cast(ops.squeeze(zero, 1), dtype))
    return _on_host(found) if to_numpy else found


def compute_float8_scale(amax, scale, dtype_max, margin=0):
    """The scale for 8 bit floats by which `amax` becomes their largest number; the old one where `amax` is 0.

    Source: Micikevicius et al., FP8 Formats for Deep Learning (2022).

    Example:
        >>> round(float(keras.quantizers.compute_float8_scale(3.0, 4.0, 448.0)), 4)
        0.0067
    """
    amax, scale = ops.cast(amax, 'float32'), ops.cast(scale, 'float32')
    usable = ops.logical_and(ops.greater(amax, 0.0), ops.isfinite(amax))
    return ops.where(usable, ops.multiply(amax, 2.0 ** margin / float(dtype_max)), scale)


def compute_float8_amax_history(x, amax_history):
    """The history of largest absolute values, with that of `x` in the first place and all others moved on.

    Example:
        >>> history = keras.quantizers.compute_float8_amax_history(np.array([-3.0, 2.0], 'float32'), np.zeros(3))
        >>> [float(value) for value in history]
        [3.0, 0.0, 0.0]
    """
    amax = ops.cast(ops.max(ops.abs(x)), dtype_of(ops.convert_to_tensor(amax_history)))
    return ops.concatenate([ops.reshape(amax, (1,)), ops.roll(amax_history, -1)[1:]], axis=0)


def quantize_and_dequantize(inputs, scale, quantized_dtype, compute_dtype):
    """`inputs` as they read after they have been 8 bit floats, times `scale`.

    Args:
        inputs: a float tensor. scale: a scalar. quantized_dtype: 'float8_e4m3fn' or 'float8_e5m2'.
        compute_dtype: the float type of the result.

    Raises:
        ValueError: for another type.

    Example:
        >>> y = keras.quantizers.quantize_and_dequantize(np.array([1.1, 500.0]), 1.0, 'float8_e4m3fn', 'float32')
        >>> [float(value) for value in y]
        [1.125, 448.0]
    """
    if quantized_dtype not in _FLOAT8:
        raise ValueError('quantize_and_dequantize: `quantized_dtype` must be one of %s. Received: %r'
                         % (', '.join(sorted(_FLOAT8)), quantized_dtype))
    largest, bits, exponent = _FLOAT8[quantized_dtype]
    scale = ops.cast(scale, 'float32')
    x = ops.clip(ops.divide(ops.cast(inputs, 'float32'), scale), -largest, largest)
    # Dekker's splitting (1971) leaves as many bits as are wanted of normal numbers.
    product = ops.multiply(x, 2.0 ** (23 - bits) + 1.0)
    rounded = ops.subtract(product, ops.subtract(product, x))
    step = 2.0 ** (exponent - bits)
    small = ops.multiply(ops.round(ops.multiply(x, 1.0 / step)), step)
    x = ops.where(ops.less(ops.abs(x), 2.0 ** exponent), small, rounded)
    return ops.cast(ops.multiply(x, scale), compute_dtype)


def fake_quant_with_min_max_vars(inputs, min_vals, max_vals, num_bits=8, narrow_range=False, axis=None):
    """`inputs` as they read after they have been integers of `num_bits` between `min_vals` and `max_vals`.

    The range is moved so that 0 is one of the numbers. Gradients pass inside of it, the ends included; from what is at
    an end or beyond they go to `min_vals` or `max_vals`.

    Args:
        inputs: a float tensor. min_vals, max_vals: scalars, or one number for each place along `axis`.
        num_bits: of the integers. narrow_range: whether the smallest integer is 1, not 0.

    Source: Jacob et al., Quantization and Training of Neural Networks (2017).

    Example:
        >>> y = keras.quantizers.fake_quant_with_min_max_vars(np.array([0.3, 300.0], 'float32'), 0.0, 255.0)
        >>> [float(value) for value in y]
        [0.0, 255.0]
    """
    inputs = ops.convert_to_tensor(inputs)
    dtype = dtype_of(inputs)
    if dtype in ('float16', 'bfloat16'):
        inputs = ops.cast(inputs, 'float32')  # 16 bits cannot tell as many numbers apart as the integers are
    low, high = (1.0 if narrow_range else 0.0), float(2 ** num_bits - 1)
    least, most = (_along(ops.cast(values, dtype_of(inputs)), inputs, axis) for values in (min_vals, max_vals))
    width = ops.subtract(most, least)
    scale, inverse = ops.divide(width, high - low), ops.divide(high - low, width)
    zero = ops.clip(ops.round(ops.subtract(low, ops.divide(least, scale))), low, high)
    begin, end = ops.multiply(ops.subtract(low, zero), scale), ops.multiply(ops.subtract(high, zero), scale)
    steps = ops.floor(ops.add(ops.multiply(ops.subtract(ops.clip(inputs, begin, end), begin), inverse), 0.5))
    quantized = ops.multiply(ops.subtract(steps, ops.subtract(zero, low)), scale)
    # What carries the gradients: both ends belong to the range, and to what they are made of.
    below, above = ops.less_equal(inputs, begin), ops.greater_equal(inputs, end)
    inside = ops.logical_and(ops.greater_equal(inputs, begin), ops.less_equal(inputs, end))
    of_ends = ops.add(ops.where(below, least, 0.0), ops.where(above, most, 0.0))
    passing = ops.add(ops.where(inside, inputs, 0.0), of_ends)
    result = ops.add(passing, ops.stop_gradient(ops.subtract(quantized, passing)))
    return result if dtype_of(result) == dtype else ops.cast(result, dtype)


def _along(values, inputs, axis):
    """Numbers, one for each place along `axis`, to be broadcast to `inputs`."""
    if axis is None:
        return ops.reshape(values, ())
    shape = [1] * len(inputs.shape)
    shape[axis] = -1
    return ops.reshape(values, shape)


def pack_int4(arr, axis=0, dtype='int8'):
    """Two 4 bit integers in each byte, those with even places in the lower half.

    Args:
        arr: integers between -8 and 7, or 0 and 15 for 'uint8'. axis: along which neighbours share a byte.
        dtype: 'int8' or 'uint8', of the result.

    Returns:
        (the bytes, their shape, the size of `axis` before)

    Raises:
        ValueError: for another dtype.

    Example:
        >>> packed, shape, length = keras.quantizers.pack_int4(np.array([1, 2, 3], 'int8'))
        >>> [int(byte) for byte in packed], length
        ([33, 3], 3)
    """
    _check_bytes(dtype)
    numbers = ops.moveaxis(ops.cast(arr, 'int32'), axis, 0)
    length, rest = numbers.shape[0], tuple(numbers.shape[1:])
    numbers = ops.pad(numbers, [[0, length % 2]] + [[0, 0]] * len(rest))
    pairs = ops.reshape(ops.where(ops.less(numbers, 0), ops.add(numbers, 16), numbers), (-1, 2) + rest)
    packed = ops.add(ops.take(pairs, 0, axis=1), ops.multiply(ops.take(pairs, 1, axis=1), 16))
    if dtype == 'int8':
        packed = ops.where(ops.greater(packed, 127), ops.subtract(packed, 256), packed)
    packed = ops.cast(ops.moveaxis(packed, 0, axis), dtype)
    return packed, ops.shape(packed), length


def unpack_int4(packed, orig_len, axis=0, dtype='int8'):
    """The 4 bit integers in the bytes that `pack_int4` made.

    Args:
        packed: the bytes. orig_len: the size of `axis` before. axis, dtype: see `pack_int4`.

    Raises:
        ValueError: for another dtype.

    Example:
        >>> [int(number) for number in keras.quantizers.unpack_int4(np.array([33, 3], 'int8'), 3)]
        [1, 2, 3]
    """
    _check_bytes(dtype)
    whole = ops.cast(packed, 'int32')
    whole = ops.where(ops.less(whole, 0), ops.add(whole, 256), whole)
    high = ops.floor_divide(whole, 16)
    low = ops.subtract(whole, ops.multiply(high, 16))
    pairs = [ops.where(ops.greater(half, 7), ops.subtract(half, 16), half) if dtype == 'int8' else half
             for half in (low, high)]
    pairs = ops.stack([ops.moveaxis(half, axis, 0) for half in pairs], axis=1)
    numbers = ops.reshape(pairs, (-1,) + tuple(pairs.shape[2:]))[:orig_len]
    return ops.cast(ops.moveaxis(numbers, 0, axis), dtype)


def _check_bytes(dtype):
    if dtype not in ('int8', 'uint8'):
        raise ValueError('Expected dtype to be "int8" or "uint8". Received: %r' % (dtype,))


def largest_of(dtype):
    """The largest number of an integer type."""
    return int(np.iinfo(numpy_dtype(dtype)).max)
