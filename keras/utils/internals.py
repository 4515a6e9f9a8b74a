"""What packages take from inside of other Kerases, where it is more than another name of something that we have.

The addresses that have these functions stand in `keras.legacy.addresses`.
"""
import functools
import sys
import threading
import weakref

from keras import config
from keras.backend.contract.context import calls, carry_mask, known_mask, note_mask
from keras.backend.contract.loading import get_engine
from keras.backend.contract.rules import let_stand_for_tensors, stand_ins
from keras.backend.graph.operations import Operation
from keras.backend.graph.tensors import any_symbolic, KerasTensor
from keras.backend.state.scopes import open_scope
from keras.distribution import list_devices
from keras.layers.weights import untracked as no_automatic_dependency_tracking  # noqa: F401  (part of this address)


def register_symbolic_tensor_type(cls):
    """Let objects of a type stand for tensors: layers may give and take them, `is_symbolic_tensor` knows them."""
    let_stand_for_tensors(cls)


def is_symbolic_tensor(tensor):
    """Whether `tensor` belongs to a graph: a KerasTensor, or one of a type that is registered."""
    return isinstance(tensor, (KerasTensor,) + stand_ins())


def shape_type_conversion(function):
    """A method that takes shapes of TensorFlow, too, for one of tuples; what it gives are tuples."""
    @functools.wraps(function)
    def wrapper(self, input_shape):
        return _as_tuples(function(self, _as_tuples(input_shape)))
    return wrapper


def _as_tuples(shape):
    if hasattr(shape, 'as_list'):
        return tuple(shape.as_list())
    if isinstance(shape, (list, tuple)) and any(hasattr(part, 'as_list') for part in shape):
        return type(shape)(map(_as_tuples, shape))
    return tuple(shape) if isinstance(shape, list) and all(isinstance(size, (int, type(None))) for size in shape) \
        else shape


def in_grain_data_pipeline():
    """Whether this runs where Grain loads data: inside a function that one of its modules has called."""
    if 'grain' not in sys.modules:
        return False
    frame = sys._getframe(1)
    while frame is not None:
        if (frame.f_globals.get('__name__') or '').partition('.')[0] == 'grain':
            return True
        frame = frame.f_back
    return False


def standardize_shape(shape):
    """`shape` as a tuple of ints and None.

    Raises:
        ValueError: for what is no shape.
    """
    if shape is None:
        raise ValueError('Undefined shapes are not supported: the shape is None.')
    sizes = shape.as_list() if hasattr(shape, 'as_list') else shape
    if not hasattr(sizes, '__iter__'):
        raise ValueError("Cannot convert '%s' to a shape: it is no sequence of sizes." % (shape,))
    sizes = tuple(sizes)
    for size in sizes:
        if size is not None and not hasattr(size, '__index__'):
            raise ValueError("Cannot convert '%s' to a shape. Found invalid dimension '%s'." % (shape, size))
        if size is not None and size < 0:
            raise ValueError("Cannot convert '%s' to a shape. Negative dimensions are not allowed." % (shape,))
    return tuple(size if size is None else int(size) for size in sizes)


def get_keras_mask(tensor):
    """The mask that goes with a tensor, or None."""
    if isinstance(tensor, KerasTensor):
        return tensor.mask
    return known_mask(tensor)


def set_keras_mask(tensor, mask):
    """Let `mask` go with `tensor`: into the layers and, in Keras 3's generation, the losses that are called on it."""
    if isinstance(tensor, KerasTensor):
        tensor.mask = mask
    elif calls.masks is None:
        carry_mask(tensor, mask)
    else:
        note_mask(tensor, mask)


class _DeviceOfCntk:
    """What the module of Keras 2's CNTK engine calls `dev`."""

    @staticmethod
    def type():
        """0 for a CPU, 1 for a GPU."""
        return min(len(available_gpus()), 1)


device_of_cntk = _DeviceOfCntk()


def available_gpus():
    """The GPUs that the engine's library sees, as a list of strings such as '/device:GPU:0'."""
    return ['/device:' + name.upper() for name in list_devices('gpu')]


def available_devices():
    """All devices that the engine's library sees, the CPU included, as `multi_gpu_utils` of Keras 2 listed them."""
    return ['/' + name for kind in ('cpu', 'gpu') for name in list_devices(kind)]


def get_graph():
    """The graph of TensorFlow that operations are added to now.

    Raises:
        NotImplementedError: on other engines.
    """
    return get_engine().graph()


def graph_of_operations(operations):
    """The graph that operations of TensorFlow belong to, which Keras finds from them: that of now."""
    return get_engine().graph()


def is_tf_1():
    """Whether the engine is TensorFlow 1: never."""
    return False


# What `keras.src.backend` says of the engines, which are alike in these.
IS_THREAD_SAFE = SUPPORTS_COMPLEX_DTYPES = True


class _Supports:
    """True in conditions where the engine's library has tensors of a kind, which the `attribute` of the engine says."""

    def __init__(self, attribute):
        self._attribute = attribute

    def __bool__(self):
        return getattr(get_engine(), self._attribute)


SUPPORTS_SPARSE_TENSORS, SUPPORTS_RAGGED_TENSORS = _Supports('has_sparse'), _Supports('has_ragged')


def any_symbolic_tensors(args=None, kwargs=None):
    """Whether a `KerasTensor` is anywhere in the arguments."""
    return any_symbolic([args or (), kwargs or {}])


class _Computed(Operation):
    def __init__(self, function):
        super().__init__()
        self.call = function

    def call(self, *args, **kwargs):
        """Taken from the instance."""


def compute_output_spec(fn, *args, **kwargs):
    """The structure of `KerasTensor`s that a function gives for symbolic arguments.

    Example:
        >>> keras.src.backend.compute_output_spec(keras.ops.square, keras.KerasTensor((None, 2))).shape
        (None, 2)
    """
    return _Computed(fn).compute_output_spec(*args, **kwargs)


def get_stateless_scope():
    """The innermost open `StatelessScope`, or None."""
    return open_scope()


def in_stateless_scope():
    """Whether a `StatelessScope` is open."""
    return open_scope() is not None


def random_seed_dtype():
    """The dtype of seeds."""
    return 'uint32'


def standardize_data_format(data_format):
    """'channels_first' or 'channels_last', by default what `keras.config.image_data_format()` says.

    Raises:
        ValueError: for anything else.
    """
    if data_format is None:
        return config.image_data_format()
    data_format = str(data_format).lower()
    if data_format not in ('channels_first', 'channels_last'):
        raise ValueError("The `data_format` argument must be one of {'channels_first', 'channels_last'}. Received: "
                         'data_format=%r' % (data_format,))
    return data_format


class ContextValueCache(weakref.WeakKeyDictionary):
    """Values that each thread makes for itself and keeps until `clear`: masks of dropout, say, in one run of a layer.

    Args:
        default: called with the keyword arguments that `setdefault` is given, makes a value.

    Example:
        >>> cache = keras.backend.ContextValueCache(lambda count: [0] * count)
        >>> cache.setdefault(kwargs={'count': 2}) is cache.setdefault(kwargs={'count': 2})
        True
    """

    def __init__(self, default):
        self._default = default
        super().__init__()

    def setdefault(self, key=None, default=None, kwargs=None):
        """The value of this thread (or of `key`), made by the default function if there is none."""
        key = threading.current_thread() if key is None else key
        if key not in self:
            self[key] = self._default(**(kwargs or {})) if default is None else default
        return self[key]


_attributes = threading.local()


def get_global_attribute(name, default=None, set_to_default=False):
    """What this thread keeps by a name for code of one's own, or `default`, which is kept then if so wanted."""
    value = getattr(_attributes, name, None)
    if value is None:
        value = default
        if set_to_default and default is not None:
            set_global_attribute(name, default)
    return value


def set_global_attribute(name, value):
    """Let this thread keep `value` by a name."""
    setattr(_attributes, name, value)
