"""Small helpers that scripts and custom layers of Keras 2 import from here."""
import inspect

from keras.callbacks.progress import Progbar
from keras.layers.base import snake_case as to_snake_case
from keras.layers.functions import func_dump, func_load, has_arg
from keras.legacy import calls
from keras.legacy.functions import get_from_module, make_tuple
from keras import generations
from keras.saving import kinds, serialization
from keras.saving.serialization import CustomObjectScope, custom_object_scope, get_custom_objects


def serialize_keras_object(instance=None, obj=None):
    """The config of an object with `get_config`, or the name of a function; None stays None.

    Args:
        obj: Keras 3's name of `instance`.

    Example:
        >>> serialize_keras_object(keras.initializers.Zeros())
        {'class_name': 'Zeros', 'config': {}}
    """
    return serialization.serialize_keras_object(obj if instance is None else instance)


def deserialize_keras_object(identifier=None, module_objects=None, custom_objects=None, printable_module_name='object',
                             safe_mode=True, config=None):
    """The object that a name or a config stands for, see `keras.saving.deserialize_keras_object`.

    Args:
        identifier: a name or a config. config: Keras 3's name of it.
        module_objects: {name: class or function} to look in instead of Keras's own. custom_objects: those of your own.
            In Keras 3's generation the second argument is `custom_objects`, the third `safe_mode`.
        printable_module_name: what the thing is, for messages. safe_mode: False lets code in the config run.

    Raises:
        ValueError: for an unknown name, naming those that come near.

    Example:
        >>> deserialize_keras_object({'class_name': 'Zeros', 'config': {}})
        <Zeros {}>
    """
    if generations.value('utils_read_as_saving'):
        if isinstance(custom_objects, bool):
            custom_objects, safe_mode = None, custom_objects
        # Who names the kind, for messages, means what Keras 2 called the second argument.
        if module_objects is not None and custom_objects is None and printable_module_name == 'object':
            module_objects, custom_objects = None, module_objects
    return kinds.deserialize_keras_object(config if identifier is None else identifier, module_objects, custom_objects,
                                          printable_module_name, safe_mode)


def to_list(x, allow_tuple=False):
    """`x` if it is a list, else a list with `x` in it. With `allow_tuple`, a tuple becomes a list of its entries.

    Example:
        >>> to_list(3), to_list((1, 2)), to_list((1, 2), allow_tuple=True)
        ([3], [(1, 2)], [1, 2])
    """
    if isinstance(x, list):
        return x
    return list(x) if allow_tuple and isinstance(x, tuple) else [x]


def unpack_singleton(x):
    """The only entry of a list, tuple or array of length one, else `x` itself.

    Example:
        >>> unpack_singleton([3]), unpack_singleton([3, 4])
        (3, [3, 4])
    """
    return x[0] if len(x) == 1 else x


def object_list_uid(object_list):
    """A string that two lists share if they hold the same objects in the same order."""
    return ', '.join(str(id(item)) for item in to_list(object_list))


def is_all_none(iterable_or_element):
    """Whether an object is None, or a list or tuple of nothing else."""
    items = iterable_or_element if isinstance(iterable_or_element, (list, tuple)) else [iterable_or_element]
    return all(item is None for item in items)


def slice_arrays(arrays, start=None, stop=None):
    """`array[start:stop]` of an array or of each in a list; None stays None.

    Args:
        arrays: an array or a list of arrays. start: first index, or a list of indices to take. stop: end of the range.

    Example:
        >>> slice_arrays([np.arange(5), None], 1, 3)
        [array([1, 2]), None]
    """
    if arrays is None:
        return [None]
    if isinstance(start, list) and stop is not None:
        raise ValueError('slice_arrays: `stop` must be None when `start` is a list of indices. Received: %r' % (stop,))
    # HDF5 data sets take lists of indices, but not arrays of them.
    chosen = start.tolist() if hasattr(start, '__len__') and hasattr(start, 'tolist') else start
    chosen = chosen if isinstance(chosen, list) else slice(start, stop)
    if isinstance(arrays, list):
        return [None if array is None else array[chosen] for array in arrays]
    return arrays[chosen] if hasattr(arrays, '__getitem__') else [None]


def transpose_shape(shape, target_format, spatial_axes):
    """A channels-last shape with its entries in the order of `target_format`.

    Args:
        shape: tuple, channels last. target_format: 'channels_first' or 'channels_last'.
        spatial_axes: tuple of the positions of the spatial sizes.

    Raises:
        ValueError: for another format.

    Example:
        >>> transpose_shape((16, 128, 128, 32), 'channels_first', spatial_axes=(1, 2))
        (16, 32, 128, 128)
    """
    if target_format not in ('channels_first', 'channels_last'):
        raise ValueError('The `data_format` argument must be one of "channels_first", "channels_last". Received: %r'
                         % (target_format,))
    if target_format == 'channels_last':
        return shape
    moved = shape[:spatial_axes[0]] + (shape[-1],) + tuple(shape[axis] for axis in spatial_axes)
    return type(shape)(moved)


def check_for_unexpected_keys(name, input_dict, expected_values):
    """Refuse keys that are not expected.

    Raises:
        ValueError: naming them.
    """
    unknown = sorted(set(input_dict) - set(expected_values))
    if unknown:
        raise ValueError('Unknown entries in the dictionary `%s`: %s. Only expected the following keys: %s.'
                         % (name, unknown, list(expected_values)))


def getargspec(fn):
    """The arguments of a function, as `inspect.getfullargspec` gives them."""
    return inspect.getfullargspec(fn)


calls.install(globals(), calls.PARTS)
