"""Shape and dtype rules of the primitives, by family, and the one promotion table.

A rule takes the arguments of its primitive, with `AbstractTensor`s in the place of tensors, and
returns the `AbstractTensor` (or a list of them) that the primitive gives. A size that is not known is
None. Rules never touch an engine. They raise ValueError or TypeError with a message in words; the
caller puts the primitive's name and what it received in front.
"""
import types

import numpy as np

from keras import config

FLOATS = ('float16', 'bfloat16', 'float32', 'float64')
SIGNED = ('int8', 'int16', 'int32', 'int64')
UNSIGNED = ('uint8', 'uint16', 'uint32', 'uint64')
# What quantized weights and their inputs are stored in: a dtype has its name, but meets no other one by itself.
FLOAT8 = ('float8_e4m3fn', 'float8_e5m2')
DTYPES = ('bool',) + SIGNED + UNSIGNED + FLOATS + ('complex64', 'complex128', 'string')


_ON_THE_HOST = {'bfloat16': 'float32', 'string': 'object'}


def numpy_dtype(dtype):
    """The NumPy dtype that holds `dtype` on the host (float32 for bfloat16, objects for strings)."""
    if not isinstance(dtype, (str, type, np.dtype)):
        dtype = dtype_named(dtype)
    return np.dtype(_ON_THE_HOST.get(dtype, dtype) if isinstance(dtype, str) else dtype)


# The dtypes of arrays in the bytes of this machine. A look here costs a tenth of what `dtype.name` does.
_NAMES = {np.dtype(name): name for name in ('bool',) + SIGNED + UNSIGNED + ('float16', 'float32', 'float64')}


def name_of(dtype):
    """The name of a NumPy dtype."""
    return _NAMES.get(dtype) or dtype.name


def host_array(x, dtype=None):
    """(array, name of the dtype it is to have) for an array, nested list or scalar: native bytes, no objects.

    Raises:
        TypeError: for what is no rectangular array of numbers or strings.
    """
    if type(x) is np.ndarray and x.dtype in _NAMES:
        return x, dtype or _NAMES[x.dtype]
    if not isinstance(x, (np.ndarray, np.generic)):
        # Tensors of other libraries may be part of a gradient, or on another device.
        x = np.asarray(x.detach().cpu() if hasattr(x, 'detach') and hasattr(x, 'cpu') else x)
        if dtype is None:
            dtype = {'f': config.floatx(), 'i': 'int32', 'c': 'complex64'}.get(x.dtype.kind)
            if dtype == 'int32' and x.size and not -2 ** 31 <= x.min() <= x.max() < 2 ** 31:
                dtype = 'int64'
    x = np.asarray(x)
    if x.dtype.kind in 'US' or x.dtype.kind == 'O' and all(isinstance(part, (str, bytes)) for part in x.flat):
        return x, 'string'
    if x.dtype.kind == 'O':
        raise TypeError('%r cannot become a tensor: expected numbers in a rectangular array.' % (x.tolist(),))
    if not x.dtype.isnative:
        x = x.astype(x.dtype.newbyteorder('='))
    return x, dtype or name_of(x.dtype)


class Shape(tuple):
    """A shape with the methods of TensorFlow's that scripts call: those of symbolic tensors, what `build` gets."""

    def as_list(self):
        return list(self)

    def is_fully_defined(self):
        return None not in self

    def num_elements(self):
        """How many elements there are; None where a size is not known."""
        return int(np.prod(self, dtype='int64')) if self.is_fully_defined() else None

    def concatenate(self, other):
        """This shape with the sizes of another one, or one more size, behind its own."""
        return Shape(tuple(self) + (tuple(other) if hasattr(other, '__iter__') else (other,)))

    def with_rank(self, rank):
        """The shape itself.

        Raises:
            ValueError: where it has another rank.
        """
        if len(self) != rank:
            raise ValueError('Shape %s must have rank %d.' % (tuple(self), rank))
        return self

    def __getitem__(self, index):
        found = super().__getitem__(index)
        return Shape(found) if isinstance(index, slice) else found

    @property
    def ndims(self):
        return len(self)

    rank = ndims

    def __eq__(self, other):
        return tuple(self) == (tuple(other) if isinstance(other, list) else other)

    def __ne__(self, other):
        return not self == other

    __hash__ = tuple.__hash__


class Dtype(str):
    """The name of a dtype, with what scripts ask a dtype of TensorFlow for."""

    @property
    def name(self):
        return str(self)

    @property
    def as_numpy_dtype(self):
        return object if self == 'string' else numpy_dtype(self).type

    @property
    def base_dtype(self):
        return self

    @property
    def size(self):
        """The number of bytes of an element."""
        return 2 if self == 'bfloat16' else np.dtype(self).itemsize

    _is_ref_dtype = False  # of variables of TensorFlow 1, which optimizers written for both ask about
    is_floating = property(lambda self: is_float(self))
    is_integer = property(lambda self: is_integer(self))
    is_unsigned = property(lambda self: self in UNSIGNED)
    is_complex = property(lambda self: self.startswith('complex'))
    is_bool = property(lambda self: self == 'bool')


_named = {name: Dtype(name) for name in DTYPES + FLOAT8}


def dtype_named(dtype):
    """The `Dtype` for a name, a dtype of NumPy or of an engine, or a type of NumPy's numbers."""
    if not isinstance(dtype, str):
        if isinstance(dtype, type):
            dtype = np.dtype(dtype)
        dtype = getattr(dtype, 'name', None) or str(dtype).rpartition('.')[2]
    return _named.get(dtype, dtype)


_OF_PYTHON = {bool: 'bool', int: 'int32', 'int': 'int32', str: 'string', complex: 'complex64'}


def standard_dtype(dtype):
    """The name that an operation takes for a dtype of any library, or a type of Python; of what is none, `dtype`."""
    if dtype is float:
        return config.floatx()
    known = _OF_PYTHON.get(dtype) if isinstance(dtype, (str, type)) else None
    return known or dtype_named(dtype)


class AbstractTensor:
    """A tensor of the abstract engine: a shape (a tuple with None for unknown sizes) and a dtype's name.

    The shape itself is None where not even the rank is known, which only placeholders of K and what follows from them
    may have.
    """

    def __init__(self, shape, dtype):
        self.shape = None if shape is None else Shape(shape)
        self.dtype = _named.get(dtype, dtype)

    @property
    def ndim(self):
        return None if self.shape is None else len(self.shape)

    def get_shape(self):
        return self.shape

    is_tensor_like = True  # what `tf.is_tensor` looks for

    def __setitem__(self, key, value):
        """What some engines do in place when they run changes neither shape nor dtype."""

    def __repr__(self):
        return '<%s shape=%s dtype=%s>' % (type(self).__name__, self.shape, self.dtype)

    # Array libraries leave `array * tensor` to the tensor's reflected operators.
    __array_priority__ = 1000


# --- dtypes -------------------------------------------------------------------------------------------------

# Types of objects that stand for tensors, such as distributions that can be drawn from: they have `shape` and `dtype`,
# go through layers as they are, and become tensors where an operation, a metric or a prediction needs one.
_stand_ins = []


def let_stand_for_tensors(cls):
    """Let objects of a type stand for tensors; the engine's library has to be able to convert them."""
    if cls not in _stand_ins:
        _stand_ins.append(cls)


def stand_ins():
    """The types of objects that stand for tensors, as a tuple."""
    return tuple(_stand_ins)


def is_float(dtype):
    return dtype in FLOATS


def is_integer(dtype):
    return dtype in SIGNED or dtype in UNSIGNED


def _promote_pair(first, second):
    if first == second or second == 'bool':
        return first
    if first == 'bool':
        return second
    if first.startswith('complex') or second.startswith('complex'):
        return 'complex128' if 'complex128' in (first, second) else 'complex64'
    if is_float(first) and is_float(second):
        if {first, second} == {'float16', 'bfloat16'}:
            return 'float32'
        return max(first, second, key=FLOATS.index)
    if is_float(first) or is_float(second):
        return first if is_float(first) else second
    return _promote_integers(first, second)


def _promote_integers(first, second):
    if (first in SIGNED) == (second in SIGNED):
        family = SIGNED if first in SIGNED else UNSIGNED
        return max(first, second, key=family.index)
    signed, unsigned = (first, second) if first in SIGNED else (second, first)
    needed = max(SIGNED.index(signed), UNSIGNED.index(unsigned) + 1)
    return SIGNED[needed] if needed < len(SIGNED) else config.floatx()


# The smallest and the largest number of the integers that are narrower than those of Python in `result_dtype`.
_NARROW = {'int8': (-2 ** 7, 2 ** 7 - 1), 'int16': (-2 ** 15, 2 ** 15 - 1), 'int32': (-2 ** 31, 2 ** 31 - 1),
           'uint8': (0, 2 ** 8 - 1), 'uint16': (0, 2 ** 16 - 1), 'uint32': (0, 2 ** 32 - 1)}


def weakly(scalar):
    """What stands for a Python scalar in `result_dtype`: its type, or an int itself that may not fit."""
    return scalar if type(scalar) is int and not 0 <= scalar < 2 ** 7 else type(scalar)


def result_dtype(*dtypes):
    """The common dtype of `dtypes`, each a name, the type of a Python scalar (`int`, `float`, `bool`) or an int.

    Python scalars are weak: they do not widen a tensor's dtype, unless it cannot hold an int that is given: then the
    result is int32, or int64 where that is too narrow as well; a float beside integers gives `floatx`.

    Example:
        >>> result_dtype('int8', 'float16'), result_dtype('float16', float), result_dtype('int32', float)
        ('float16', 'float16', 'float32')
    """
    strong = [dtype for dtype in dtypes if isinstance(dtype, str)]
    weak = [dtype for dtype in dtypes if not isinstance(dtype, str)]
    result = None
    for dtype in strong:
        _check_dtype(dtype)
        result = dtype if result is None else _promote_pair(result, dtype)
    if float in weak and (result is None or not (is_float(result) or result.startswith('complex'))):
        result = config.floatx()
    if result in (None, 'bool') and any(dtype is int or type(dtype) is int for dtype in weak):
        result = 'int32'
    for wider in ('int32', 'int64'):
        if result in _NARROW and any(type(value) is int and not _NARROW[result][0] <= value <= _NARROW[result][1]
                                     for value in weak):
            result = 'int64' if result == 'uint32' else wider
    return result or 'bool'


def _check_dtype(dtype):
    if dtype not in DTYPES:
        raise TypeError('unknown dtype %r; expected one of %s' % (dtype, ', '.join(DTYPES)))


def float_dtype(dtype):
    """The dtype in which float functions of a `dtype` tensor are computed."""
    return dtype if is_float(dtype) or dtype.startswith('complex') else config.floatx()


# What sums of small unsigned integers have: the active engine says (`Engine.unsigned_sums`).
sums = types.SimpleNamespace(unsigned='uint32')


def sum_dtype(dtype):
    """The dtype of a sum or product: small integers are summed in 32 bits."""
    if dtype in ('bool', 'int8', 'int16'):
        return 'int32'
    if dtype in ('uint8', 'uint16'):
        return sums.unsigned
    return dtype


# --- shapes -------------------------------------------------------------------------------------------------

def broadcast_shapes(*shapes):
    """The shape that `shapes` broadcast to. An unknown size beside a known one above 1 takes the known one."""
    distinct = {tuple(shape) for shape in shapes if len(shape)}
    if len(distinct) < 2:
        return distinct.pop() if distinct else ()
    rank = max([len(shape) for shape in shapes])
    result = []
    for position in range(-rank, 0):
        sizes = [shape[position] for shape in shapes if -position <= len(shape)]
        result.append(_broadcast_size(sizes, shapes))
    return tuple(result)


def _broadcast_size(sizes, shapes):
    known = {size for size in sizes if size is not None and size != 1}
    if len(known) > 1:
        raise ValueError('shapes %s cannot be broadcast together: sizes %s differ and neither is 1'
                         % (' and '.join(map(str, shapes)), ' and '.join(map(str, sorted(known)))))
    if known:
        return known.pop()
    return None if None in sizes else 1


class OutOfBounds(ValueError, IndexError):
    """An axis or an index that a tensor does not have: ValueError as on TensorFlow, IndexError as on PyTorch."""


def normalize_axis(axis, rank, what='axis'):
    """`axis` counted from the front."""
    if not -rank <= axis < rank:
        raise OutOfBounds('%s %d is out of bounds for a tensor of rank %d' % (what, axis, rank))
    return axis % rank


def normalize_axes(axis, rank):
    """A tuple of axes counted from the front; None stands for all."""
    if axis is None:
        return tuple(range(rank))
    axes = axis if isinstance(axis, (tuple, list)) else (axis,)
    result = tuple(normalize_axis(entry, rank) for entry in axes)
    if len(set(result)) != len(result):
        raise ValueError('axis %s names an axis twice' % (axis,))
    return result


def product(sizes):
    """The product of `sizes`; None where one is unknown (a known 0 wins)."""
    result = 1
    if 0 in sizes:
        return 0
    for size in sizes:
        if size is None:
            return None
        result *= size
    return result


def describe(x):
    return '%s %s' % (x.dtype, x.shape) if isinstance(x, AbstractTensor) else repr(x)


# --- rules by family ----------------------------------------------------------------------------------------

def _parts(xs):
    """Shapes and dtypes of tensors and Python scalars."""
    shapes = [x.shape if isinstance(x, AbstractTensor) else () for x in xs]
    dtypes = [x.dtype if isinstance(x, AbstractTensor) else weakly(x) for x in xs]
    return shapes, dtypes


def same(x, *_):
    return AbstractTensor(x.shape, x.dtype)


def floating(x, *_):
    return AbstractTensor(x.shape, float_dtype(x.dtype))


def real_dtype(dtype):
    """The dtype of the parts of a complex one; any other as it is."""
    return {'complex64': 'float32', 'complex128': 'float64'}.get(dtype, dtype)


def complex_dtype(dtype):
    """The complex dtype whose parts hold a float one."""
    return 'complex128' if dtype in ('float64', 'complex128') else 'complex64'


def real_part(x):
    return AbstractTensor(x.shape, real_dtype(x.dtype))


def complex_number(real, imaginary):
    result = binary_float(real, imaginary)
    return AbstractTensor(result.shape, complex_dtype(result.dtype))


def _bytes_of(dtype):
    return 2 if dtype == 'bfloat16' else np.dtype(dtype).itemsize


def view(x, dtype):
    _check_dtype(dtype)
    old, new = _bytes_of(x.dtype), _bytes_of(dtype)
    if old == new:
        return AbstractTensor(x.shape, dtype)
    if not x.shape:
        raise ValueError('a scalar of dtype %s cannot be read as %s, which has another size' % (x.dtype, dtype))
    size = x.shape[-1]
    if size is not None and size * old % new:
        raise ValueError('the last axis of %s holds %d bytes, which make no whole number of %s'
                         % (x.shape, size * old, dtype))
    return AbstractTensor(x.shape[:-1] + (None if size is None else size * old // new,), dtype)


def boolean(x, *_):
    return AbstractTensor(x.shape, 'bool')


def binary(x, y):
    shapes, dtypes = _parts((x, y))
    return AbstractTensor(broadcast_shapes(*shapes), result_dtype(*dtypes))


def binary_float(x, y):
    result = binary(x, y)
    return AbstractTensor(result.shape, float_dtype(result.dtype))


def comparison(x, y):
    shapes, _ = _parts((x, y))
    return AbstractTensor(broadcast_shapes(*shapes), 'bool')


def where(condition, x, y):
    shapes, dtypes = _parts((condition, x, y))
    return AbstractTensor(broadcast_shapes(*shapes), result_dtype(*dtypes[1:]))


def _reduced(shape, axis, keepdims):
    axes = normalize_axes(axis, len(shape))
    if keepdims:
        return tuple(1 if index in axes else size for index, size in enumerate(shape))
    return tuple(size for index, size in enumerate(shape) if index not in axes)


def reduction(x, axis, keepdims):
    return AbstractTensor(_reduced(x.shape, axis, keepdims), x.dtype)


def summation(x, axis, keepdims):
    return AbstractTensor(_reduced(x.shape, axis, keepdims), sum_dtype(x.dtype))


def arg_reduction(x, axis, *_):
    return AbstractTensor(_reduced(x.shape, axis, False), 'int32')


def cumulative(x, axis):
    normalize_axis(axis, len(x.shape))
    return AbstractTensor(x.shape, sum_dtype(x.dtype))


def along_axis(x, axis, *_):
    normalize_axis(axis, len(x.shape))
    return AbstractTensor(x.shape, x.dtype)


def indices_along_axis(x, axis, *_):
    return AbstractTensor(along_axis(x, axis).shape, 'int32')


def full(shape, value, dtype):
    return AbstractTensor(_shape_argument(shape), dtype or result_dtype(type(value)))


def full_like(x, value, dtype):
    return AbstractTensor(x.shape, dtype or x.dtype)


def _shape_argument(shape):
    return tuple(size if isinstance(size, int) else None for size in shape)


def arange(start, stop, step, dtype):
    dtype = dtype or result_dtype(*[type(v) for v in (start, stop, step) if v is not None])
    if stop is None:
        start, stop = 0, start
    if step == 0:
        raise ValueError('step must not be 0')
    if not all(isinstance(v, (int, float)) for v in (start, stop, step)):
        return AbstractTensor((None,), dtype)
    count = -int(-((stop - start) / step) // 1)
    return AbstractTensor((max(0, count),), dtype)


def cast(x, dtype):
    if dtype not in FLOAT8:
        _check_dtype(dtype)
    return AbstractTensor(x.shape, dtype)


def draw(seed, shape, dtype, *_):
    return AbstractTensor(_shape_argument(shape), dtype)


def draw_integers(seed, shape, minval, maxval, dtype):
    return AbstractTensor(_shape_argument(shape), dtype)


def permutation(seed, count):
    return AbstractTensor((count,), 'int32')


def reshape(x, shape):
    target = [size if isinstance(size, int) or size is None else None for size in shape]
    if target.count(-1) > 1:
        raise ValueError('at most one unknown dimension, -1, is possible; newshape=%s' % (tuple(shape),))
    total = product(x.shape)
    known = product([size for size in target if size not in (-1, None)])
    if -1 in target and None not in target and total is not None:
        if (known == 0 and total != 0) or (known and total % known):
            raise ValueError('%d elements of shape %s do not fill shape %s' % (total, x.shape, tuple(shape)))
        target[target.index(-1)] = total // known if known else 0
    elif -1 in target:
        target[target.index(-1)] = _single_unknown(x.shape, known) if None not in target else None
    elif None not in target and total is not None and known != total:
        raise ValueError('%d elements of shape %s do not fill shape %s' % (total, x.shape, tuple(shape)))
    return AbstractTensor(target, x.dtype)


def _single_unknown(shape, known):
    """The size of -1 where the input has unknown sizes: known only if the known sizes contradict nothing."""
    return 0 if known == 0 and 0 in shape else None


def transpose(x, axes):
    if axes is None:
        return AbstractTensor(x.shape[::-1], x.dtype)
    rank = len(x.shape)
    if any(not -rank <= axis < rank for axis in axes):
        raise OutOfBounds('Each axis in `axes` must be an integer in [%d, %d): axes=%s' % (-rank, rank, list(axes)))
    if len(axes) != rank:
        raise ValueError('`axes` must be a list of the same length as the input shape: shape=%s, axes=%s'
                         % (x.shape, list(axes)))
    order = [axis % rank for axis in axes]
    if sorted(order) != list(range(rank)):
        raise ValueError('`axes` must be a valid permutation of the axes of shape %s: axes=%s' % (x.shape, list(axes)))
    return AbstractTensor([x.shape[axis] for axis in order], x.dtype)


def broadcast_to(x, shape):
    target = _shape_argument(shape)
    if len(target) < len(x.shape):
        raise ValueError('a tensor of shape %s cannot be broadcast to the lower rank of %s' % (x.shape, target))
    for size, new in zip(x.shape[::-1], target[::-1]):
        if size not in (1, None) and new is not None and size != new:
            raise ValueError('a tensor of shape %s cannot be broadcast to %s' % (x.shape, target))
    return AbstractTensor(target, x.dtype)


def _merge_sizes(first, second, message):
    if first is not None and second is not None and first != second:
        raise ValueError(message)
    return second if first is None else first


def concatenate(xs, axis):
    if not xs:
        raise ValueError('at least one tensor is needed')
    first = xs[0]
    axis = normalize_axis(axis, len(first.shape))
    shape = list(first.shape)
    for x in xs[1:]:
        if len(x.shape) != len(shape):
            raise ValueError('tensors of rank %d and %d cannot be concatenated' % (len(shape), len(x.shape)))
        for index, size in enumerate(x.shape):
            if index == axis:
                shape[index] = None if None in (shape[index], size) else shape[index] + size
            elif None not in (shape[index], size) and shape[index] != size:
                raise ValueError('shapes %s differ outside axis %d' % (' and '.join(str(x.shape) for x in xs), axis))
            else:
                shape[index] = size if shape[index] is None else shape[index]
    return AbstractTensor(shape, result_dtype(*[x.dtype for x in xs]))


def strided_slice(x, starts, stops, steps):
    if not len(starts) == len(stops) == len(steps) <= len(x.shape):
        raise ValueError('starts, stops and steps must have the same length, at most the rank %d' % len(x.shape))
    shape = list(x.shape)
    for index, (start, stop, step) in enumerate(zip(starts, stops, steps)):
        shape[index] = _sliced_size(shape[index], start, stop, step)
    return AbstractTensor(shape, x.dtype)


def _sliced_size(size, start, stop, step):
    if step == 0:
        raise ValueError('the step of a slice must not be 0')
    if not all(part is None or isinstance(part, int) for part in (start, stop)):
        return None
    if size is not None:
        return len(range(*slice(start, stop, step).indices(size)))
    untouched = start in (None, 0) and stop is None and step == 1
    return None if not untouched else size


def pad(x, widths, value):
    if len(widths) != len(x.shape):
        raise ValueError('%d pairs of widths for a tensor of rank %d' % (len(widths), len(x.shape)))
    shape = [None if size is None else size + before + after for size, (before, after) in zip(x.shape, widths)]
    return AbstractTensor(shape, x.dtype)


def flip(x, axes):
    normalize_axes(axes, len(x.shape))
    return AbstractTensor(x.shape, x.dtype)


def _check_integer(x, what):
    if not is_integer(x.dtype):
        raise TypeError('%s must be integers, not %s' % (what, x.dtype))


def gather(x, indices, axis):
    _check_integer(indices, 'indices')
    axis = normalize_axis(axis, len(x.shape))
    return AbstractTensor(x.shape[:axis] + indices.shape + x.shape[axis + 1:], x.dtype)


def gather_nd(x, indices):
    _check_integer(indices, 'indices')
    depth = indices.shape[-1]
    if depth is None or depth > len(x.shape):
        raise ValueError('the last size of the indices %s must be known and at most the rank %d'
                         % (indices.shape, len(x.shape)))
    return AbstractTensor(indices.shape[:-1] + x.shape[depth:], x.dtype)


def scatter(x, indices, updates):
    _check_integer(indices, 'indices')
    return AbstractTensor(x.shape, x.dtype)


def matmul(x, y):
    if not x.shape or not y.shape:
        raise ValueError('matrix products need at least one axis on both sides; received shapes %s and %s'
                         % (x.shape, y.shape))
    left = (1,) + x.shape if len(x.shape) == 1 else x.shape
    right = y.shape + (1,) if len(y.shape) == 1 else y.shape
    _merge_sizes(left[-1], right[-2], 'the last size of %s must equal the last but one of %s'
                 % (x.shape, y.shape) if len(y.shape) > 1 else
                 'the last size of %s must equal the size of %s' % (x.shape, y.shape))
    shape = broadcast_shapes(left[:-2], right[:-2])
    shape += () if len(x.shape) == 1 else (left[-2],)
    shape += () if len(y.shape) == 1 else (right[-1],)
    dtype = 'int32' if x.dtype == y.dtype == 'int8' else result_dtype(x.dtype, y.dtype)  # what the dispatcher casts to
    return AbstractTensor(shape, dtype)


def check_windows(sizes, windows, strides, padding, dilation=None):
    """Raise ValueError where a window fits nowhere into spatial `sizes`, of which None is not known.

    For kernels that give something all the same.
    """
    for size, window, stride, rate in zip(sizes, windows, strides, dilation or (1,) * len(strides)):
        window_length(size, window, stride, padding, rate)


def window_length(size, window, stride, padding, dilation=1):
    """The number of windows along an axis of `size`; `padding` is 'valid', 'same' or 'full'."""
    if size is None:
        return None
    extent = (window - 1) * dilation + 1
    size = size + 2 * (extent - 1) if padding == 'full' else size
    count = -(-size // stride) if padding == 'same' else -(-(size - extent + 1) // stride)
    # A size of which JAX knows no number (an export for any size) cannot be compared with one.
    if isinstance(count, (int, np.integer)) and count <= 0:
        raise ValueError('Computed output size would be zero or negative. A window of %d (dilation %d) does not fit '
                         'into a size of %d with padding "valid"; use padding "same", a larger input or fewer pooling '
                         'layers' % (window, dilation, size))
    return count


def _check_spatial(x, lengths, what):
    spatial = len(x.shape) - 2
    if spatial < 1:
        raise ValueError('expected a tensor (batch, spatial..., channels), received rank %d' % len(x.shape))
    for value in lengths:
        if len(value) != spatial:
            raise ValueError('%s must have %d entries, one per spatial axis, not %d' % (what, spatial, len(value)))


def conv(x, kernel, strides, padding, dilation, groups):
    _check_spatial(x, (kernel.shape[:-2], strides, dilation), 'kernel, strides and dilation')
    channels = x.shape[-1]
    if channels is not None and kernel.shape[-2] * groups != channels:
        raise ValueError('the input has %d channels, the kernel %s with %d groups expects %d: the number of input '
                         'channels must match the kernel' % (channels, kernel.shape, groups, kernel.shape[-2] * groups))
    if kernel.shape[-1] % groups:
        raise ValueError('the number of filters, %d, must be a multiple of groups, %d' % (kernel.shape[-1], groups))
    spatial = tuple(window_length(size, window, stride, padding, rate) for size, window, stride, rate
                    in zip(x.shape[1:-1], kernel.shape, strides, dilation))
    return AbstractTensor(x.shape[:1] + spatial + kernel.shape[-1:], result_dtype(x.dtype, kernel.dtype))


def transposed_length(size, window, stride, padding, output_padding=None, dilation=1):
    """The output length of a transposed convolution along one axis, as Keras defines it."""
    if size is None:
        return None
    extent = (window - 1) * dilation + 1
    if output_padding is None:
        return size * stride + {'valid': max(extent - stride, 0), 'same': 0, 'full': 2 - stride - extent}[padding]
    crop = {'valid': 0, 'same': extent // 2, 'full': extent - 1}[padding]
    return (size - 1) * stride + extent - 2 * crop + output_padding


def conv_transpose(x, kernel, strides, padding, dilation, output_size):
    _check_spatial(x, (kernel.shape[:-2], strides, dilation, output_size), 'kernel, strides, dilation, output_size')
    if x.shape[-1] is not None and kernel.shape[-1] != x.shape[-1]:
        raise ValueError('the input has %d channels, the kernel %s expects %d (its last size): the number of input '
                         'channels must match the kernel' % (x.shape[-1], kernel.shape, kernel.shape[-1]))
    return AbstractTensor(x.shape[:1] + _shape_argument(output_size) + kernel.shape[-2:-1],
                          result_dtype(x.dtype, kernel.dtype))


def pool(x, size, strides, padding, mode):
    _check_spatial(x, (size, strides), 'size and strides')
    spatial = tuple(window_length(*each, padding=padding) for each in zip(x.shape[1:-1], size, strides))
    return AbstractTensor(x.shape[:1] + spatial + x.shape[-1:], x.dtype)


def top_k(x, k):
    if not x.shape or (x.shape[-1] is not None and x.shape[-1] < k):
        raise ValueError('the last axis of %s holds fewer than k=%d elements' % (x.shape, k))
    shape = x.shape[:-1] + (k,)
    return [AbstractTensor(shape, x.dtype), AbstractTensor(shape, 'int32')]


def searchsorted(sorted_sequence, values, side):
    return AbstractTensor(values.shape, 'int32')


def _check_square(x):
    if len(x.shape) < 2:
        raise ValueError('expected matrices, received shape %s' % (x.shape,))
    _merge_sizes(x.shape[-2], x.shape[-1], 'expected square matrices, received shape %s' % (x.shape,))


def square_matrix(x, *_):
    _check_square(x)
    return AbstractTensor(x.shape, float_dtype(x.dtype))


def solve(a, b, *_):
    _check_square(a)
    _merge_sizes(a.shape[-1], b.shape[-2], 'matrices %s do not fit right-hand sides %s' % (a.shape, b.shape))
    batch = broadcast_shapes(a.shape[:-2], b.shape[:-2])
    return AbstractTensor(batch + b.shape[-2:], float_dtype(result_dtype(a.dtype, b.dtype)))


def _smaller(rows, columns):
    return None if None in (rows, columns) else min(rows, columns)


def qr(x):
    rows, columns = x.shape[-2:]
    inner, dtype = _smaller(rows, columns), float_dtype(x.dtype)
    return [AbstractTensor(x.shape[:-1] + (inner,), dtype), AbstractTensor(x.shape[:-2] + (inner, columns), dtype)]


def svd(x):
    rows, columns = x.shape[-2:]
    inner, dtype = _smaller(rows, columns), float_dtype(x.dtype)
    return [AbstractTensor(x.shape[:-1] + (inner,), dtype), AbstractTensor(x.shape[:-2] + (inner,), dtype),
            AbstractTensor(x.shape[:-2] + (inner, columns), dtype)]


def eigh(x):
    _check_square(x)
    dtype = float_dtype(x.dtype)
    return [AbstractTensor(x.shape[:-1], dtype), AbstractTensor(x.shape, dtype)]


def eig(x):
    _check_square(x)
    dtype = complex_dtype(x.dtype)
    return [AbstractTensor(x.shape[:-1], dtype), AbstractTensor(x.shape, dtype)]


def fft(real, imaginary):
    return [AbstractTensor(real.shape, float_dtype(result_dtype(real.dtype, imaginary.dtype)))] * 2
