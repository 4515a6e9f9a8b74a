"""Dtypes and sizes of TensorFlow, and small helpers that all files of the engine use."""
import contextlib
import functools
import threading
import warnings

import numpy as np
import tensorflow as tf

from keras.backend.contract.rules import FLOAT8, sum_dtype


raw = tf.raw_ops


class _Tracing(threading.local):
    """Per thread: whether the graph that is being traced is one of Keras's own."""
    own = False


tracing = _Tracing()


@contextlib.contextmanager
def own_graph():
    """What is traced in the block is a graph of Keras's own, not one of a `tf.function` that a script made."""
    before, tracing.own = tracing.own, True
    try:
        yield
    finally:
        tracing.own = before


def be_eager():
    """Undo `tf.compat.v1.disable_eager_execution()`, by which scripts asked for the graphs of TensorFlow 1.

    Where such a graph was begun that cannot be: models and functions of K compute outside of it, with a warning.
    """
    if tf.executing_eagerly():
        return
    try:
        tf.compat.v1.enable_eager_execution()  # which does nothing while a function is traced
    except ValueError:
        warnings.warn('tf.compat.v1.disable_eager_execution() was called, and a graph of TensorFlow 1 was begun: '
                      'models and functions of K compute outside of it, layers and operations take no tensors of it.',
                      stacklevel=2)
        return
    if tf.executing_eagerly():
        warnings.warn('tf.compat.v1.disable_eager_execution() is undone: keras compiles its steps itself and needs '
                      'eager execution around them. Code that needs graphs of TensorFlow 1 can make them in '
                      '`with tf.Graph().as_default():`.', stacklevel=2)


def leaving_graph():
    """A block that computes at once, where the script is inside of `tf.Graph().as_default()`; else None."""
    if tf.executing_eagerly() or tf.inside_function():
        return None
    from tensorflow.python.eager import context
    return context.eager_mode()


be_eager()


def _eager_tensor():
    """The class of tensors that have values, found without a tensor: the first starts TensorFlow's devices, which a
    script sets up (`set_memory_growth`, `set_logical_device_configuration`) after it imports what it needs."""
    try:
        from tensorflow.python.framework.ops import EagerTensor as found
        return found
    except ImportError:
        with leaving_graph() or tf.init_scope():  # the engine may be loaded while a tf.function is traced
            return type(tf.constant(0))


EagerTensor = _eager_tensor()
DTYPES = {name: tf.as_dtype(name) for name in (
    'bool', 'int8', 'int16', 'int32', 'int64', 'uint8', 'uint16', 'uint32', 'uint64', 'float16', 'bfloat16',
    'float32', 'float64', 'complex64', 'complex128', 'string')}
# What every operation may be asked for; float8 tensors can be cast and nothing else.
COMPUTED = tuple(DTYPES)
DTYPES.update((name, tf.as_dtype(name)) for name in FLOAT8 if hasattr(getattr(tf.dtypes, 'experimental', None), name))
NAMES = {dtype: name for name, dtype in DTYPES.items()}
NO_SIZES = np.zeros((0,), 'int32')
NO_VALUES = np.zeros((0,), 'float32')
executing_eagerly = tf.executing_eagerly


def _no_tape_known():
    """Without TensorFlow's own flag every read is taken to be watched."""
    return False


try:
    from tensorflow.python import pywrap_tfe
    no_tape = pywrap_tfe.TFE_Py_TapeSetIsEmpty
except (ImportError, AttributeError):
    no_tape = _no_tape_known


def unary(name, argument='x'):
    op = getattr(raw, name)
    if argument == 'x':
        return staticmethod(lambda x: op(x=x))
    return staticmethod(lambda x: op(**{argument: x}))


def binary(name):
    op = getattr(raw, name)
    return staticmethod(lambda x, y: op(x=x, y=y))


def rank_of(x):
    return len(x.shape)


def size_vector(sizes):
    """`sizes`, ints and engine scalars, in a form that raw ops take for a vector of int32."""
    sizes = tuple(sizes)  # a TensorShape is an array of two axes for NumPy
    if not sizes:
        return NO_SIZES
    if all(isinstance(size, int) for size in sizes):
        return np.array(sizes, 'int32' if max(sizes) < 2 ** 31 else 'int64')
    if any(size is None for size in sizes):
        raise ValueError('a size that must be known is not: %s' % (tuple(sizes),))
    return tf.stack([tf.cast(size, 'int32') for size in sizes])


def sizes_of(x):
    """The sizes of `x`: ints where known, else int32 scalars."""
    static = x.shape.as_list()
    if None not in static:
        return static
    dynamic = raw.Shape(input=x)
    return [dynamic[index] if size is None else size for index, size in enumerate(static)]


def axes_of(x, axis):
    """`axis` as raw reductions take it."""
    axis = tuple(range(rank_of(x))) if axis is None else axis
    return NO_SIZES if axis == () else axis


def filled_vector(sizes):
    """The shape for a reshape to `sizes`: a single unknown one is left to be found."""
    unknown = [index for index, size in enumerate(sizes) if not isinstance(size, int)]
    if len(unknown) == 1:
        sizes[unknown[0]] = -1
    return size_vector(sizes)


def positive(value):
    return max(value, 0) if isinstance(value, int) else tf.maximum(value, 0)


def positions(indices):
    if indices.dtype in (tf.int32, tf.int64):
        return indices
    return tf.cast(indices, tf.int64 if indices.dtype in (tf.uint32, tf.uint64) else tf.int32)


def vectors(indices):
    return raw.ExpandDims(input=positions(indices), axis=-1)


def same_batch(a, b):
    """Two stacks of matrices with their leading axes broadcast."""
    if a.shape[:-2].as_list() == b.shape[:-2].as_list() and a.shape.is_fully_defined():
        return a, b
    sizes_a, sizes_b = raw.Shape(input=a), raw.Shape(input=b)
    batch = tf.broadcast_dynamic_shape(sizes_a[:-2], sizes_b[:-2])
    return [tf.broadcast_to(x, tf.concat([batch, sizes[-2:]], 0)) for x, sizes in ((a, sizes_a), (b, sizes_b))]


def valid_name(name):
    """`name` as TensorFlow accepts it for a variable."""
    name = ''.join(c if c.isalnum() and ord(c) < 128 or c in '_.-/' else '_' for c in name)
    return name if name[:1].isalnum() else 'v' + name


def in_float32(function):
    """`function` computed in float32 for the half precisions, which its kernel does not know."""
    @functools.wraps(function)
    def run(self, x, *args):
        if x.dtype not in (tf.float16, tf.bfloat16):
            return function(self, x, *args)
        args = [tf.cast(a, tf.float32) if isinstance(a, tf.Tensor) else a for a in args]
        result = function(self, tf.cast(x, tf.float32), *args)
        return tf.nest.map_structure(lambda y: tf.cast(y, x.dtype), result)
    return run


def sum_input(x):
    target = sum_dtype(NAMES[x.dtype])
    return x if DTYPES[target] == x.dtype else tf.cast(x, target)


def bound(dtype, lowest):
    """The smallest or largest value of a dtype, which an empty maximum or minimum starts from."""
    if dtype.is_floating:
        return float('-inf') if lowest else float('inf')
    return dtype.min if lowest else dtype.max


def in_int64(function):
    """`function` of unsigned tensors computed in int64, for the kernels that older releases lack."""
    def run(x, *args):
        if not x.dtype.is_integer or x.dtype in (tf.int32, tf.int64):
            return function(x, *args)
        result = function(*[tf.cast(a, tf.int64) if isinstance(a, tf.Tensor) else a for a in (x,) + args])
        return tf.cast(result, x.dtype) if result.dtype == tf.int64 else result
    return run


# What lacks kernels for small and unsigned integers before TensorFlow 2.5.
WIDENED = ('negative', 'abs', 'sign', 'add', 'subtract', 'multiply', 'floor_divide', 'mod', 'power', 'maximum',
            'minimum', 'equal', 'less', 'max', 'min', 'flip', 'sort', 'argsort')
