"""Helpers of Keras 1 that its modules had in public, each once."""
from keras.saving.serialization import get_custom_objects


def get_from_module(identifier, module_params, module_name, instantiate=False, kwargs=None):
    """What a name or a config stands for.

    Args:
        identifier: a name, a dictionary with a 'name' and arguments, or an object, which is given back.
        module_params: {name: class or function}. module_name: what it is called in the message.
        instantiate: whether to call what a name stands for, with the arguments `kwargs`.

    Raises:
        ValueError: for an unknown name.

    Example:
        >>> get_from_module('add', {'add': sum}, 'function') is sum
        True
    """
    if isinstance(identifier, dict):
        arguments = dict(identifier)
        return get_from_module(arguments.pop('name'), module_params, module_name, True, arguments)
    if not isinstance(identifier, str):
        return identifier
    found = get_custom_objects().get(identifier, module_params.get(identifier))
    if found is None:
        raise ValueError('Invalid %s: %r. Known: %s.' % (module_name, identifier, ', '.join(sorted(
            name for name in module_params if not name.startswith('_')))))
    return found(**(kwargs or {})) if instantiate else found


def make_tuple(*args):
    """`args`."""
    return args
