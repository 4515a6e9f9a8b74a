"""What packages take from inside of other Kerases, where it is more than another name of something that we have.

The addresses that have these functions stand in `keras.legacy.addresses`.
"""
import functools
import sys

from keras.backend.contract.context import calls, carry_mask, known_mask, note_mask
from keras.backend.contract.rules import let_stand_for_tensors, stand_ins
from keras.backend.graph.tensors import KerasTensor
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
    sizes = tuple(shape.as_list() if hasattr(shape, 'as_list') else shape)
    for size in sizes:
        if size is not None and (not hasattr(size, '__index__') or size < 0):
            raise ValueError('A shape consists of integers that are not negative, and None. Received: %r.' % (shape,))
    return tuple(size if size is None else int(size) for size in sizes)


def get_keras_mask(tensor):
    """The mask that goes with a tensor, or None."""
    if isinstance(tensor, KerasTensor):
        return tensor.mask
    return known_mask(tensor)


def set_keras_mask(tensor, mask):
    """Let `mask` go with `tensor`: into the layers that are called on it."""
    if isinstance(tensor, KerasTensor):
        tensor.mask = mask
    elif calls.masks is None:
        carry_mask(tensor, mask)
    else:
        note_mask(tensor, mask)


def available_gpus():
    """The GPUs that the engine's library sees, as a list of strings such as '/device:GPU:0'."""
    return ['/device:' + name.upper() for name in list_devices('gpu')]


def available_devices():
    """All devices that the engine's library sees, the CPU included, as `multi_gpu_utils` of Keras 2 listed them."""
    return ['/' + name for kind in ('cpu', 'gpu') for name in list_devices(kind)]


def is_tf_1():
    """Whether the engine is TensorFlow 1: never."""
    return False
