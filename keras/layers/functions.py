"""Python functions inside configs: those of `Lambda` layers, by name or as byte code.

The format is Keras 2's: `[byte code in base64, defaults, closure]` for a lambda, the name for a function.
"""
import inspect
import types

from keras.backend.k import lifting
from keras.saving.code import Dumped, func_dump, func_load, load_code  # noqa: F401  (part of the address)
from keras.saving.serialization import InvalidConfig, get_registered_object


def has_arg(fn, name, accept_all=False):
    """Whether `fn` takes a keyword argument `name`; with `accept_all` also through `**kwargs`."""
    try:
        parameters = inspect.signature(fn).parameters
    except (TypeError, ValueError):
        return False
    parameter = parameters.get(name)
    if parameter is None:
        return accept_all and any(each.kind == each.VAR_KEYWORD for each in parameters.values())
    return parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)


class Named(str):
    """The name of a function of this process, which it still knows: a config that has not left it gives it back."""


def dump_callable(function):
    """(description for a config, its kind: 'lambda' or 'function')."""
    if isinstance(function, types.LambdaType) and function.__name__ == '<lambda>':
        return func_dump(function), 'lambda'
    name = Named(getattr(function, '__name__', type(function).__name__))
    name.function = function
    return name, 'function'


class Described(dict):
    """What Keras 3 writes for a function of this process, which it still knows."""


def described(function):
    """A function in configs of Keras 3's generation; a config that has not left the process gives it back."""
    code, kind = dump_callable(function)
    found = Described({'class_name': '__lambda__', 'config': dict(zip(('code', 'defaults', 'closure'), code))}) \
        if kind == 'lambda' else Described(module='builtins', class_name='function', config=code,
                                           registered_name='function')
    found.function = function
    return found


def is_code(description):
    """Whether a config describes a function by its code."""
    return isinstance(description, Dumped) \
        or isinstance(description, dict) and description.get('class_name') == '__lambda__'


def load_callable(description, kind, custom_objects, what, module=None):
    """The function that `dump_callable` (or upstream Keras) described; no module is imported for it.

    Args:
        kind: 'lambda' or 'function'. what: whose it is, for messages: 'a `Lambda` layer whose
            function'. module: where a file says that it was defined.

    Raises:
        InvalidConfig: where no function of that name is known, or it is code, which is not allowed.
    """
    if callable(description):
        return description
    if isinstance(description, Described):
        return description.function
    if isinstance(description, dict):  # Keras 3 writes {'class_name': ..., 'config': ...}
        kind = 'lambda' if description.get('class_name') == '__lambda__' else 'function'
        if kind == 'function':
            module = description.get('module')
            named = description.get('config')
            description = named if isinstance(named, str) else description.get('class_name')
    if kind == 'lambda' or not isinstance(description, str):
        return load_code(description, custom_objects, '%s is a Python lambda' % what)
    found = get_registered_object(description, custom_objects) or _of_keras(description) \
        or getattr(description, 'function', None)
    if found is None:
        raise InvalidConfig(
            'Unknown function %.200r: %s it is.%s Pass it in `custom_objects={%.200r: ...}`, wrap the '
            'call in `keras.utils.custom_object_scope`, or decorate it with '
            '`@keras.saving.register_keras_serializable()`.'
            % (description, what, ' The file says that it is in the module %.200r, which is not imported because a '
               'file says so.' % (module,) if module else '', description))
    return found


def _of_keras(name):
    """The function of tensors called `name`, one of K or, where that has none, of keras.ops."""
    from keras import backend, ops
    if name in lifting.OF_TENSORS:
        return getattr(backend, name)
    found = None if name.startswith('_') else getattr(ops, name, None)
    return found if inspect.isfunction(found) else None
