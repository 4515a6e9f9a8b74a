"""Python functions inside configs: those of `Lambda` layers, by name or as byte code.

The format is Keras 2's: `[byte code in base64, defaults, closure]` for a lambda, the name for a function.
"""
import base64
import importlib
import inspect
import marshal
import types

from keras.saving.serialization import get_custom_objects


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


def func_dump(func):
    """A function as (byte code in base64, defaults, values of its closure)."""
    code = base64.encodebytes(marshal.dumps(func.__code__)).decode('ascii')
    closure = tuple(cell.cell_contents for cell in func.__closure__) if func.__closure__ else None
    return code, func.__defaults__, closure


def func_load(code, defaults=None, closure=None, globs=None):
    """The function that `func_dump` wrote.

    Args:
        code: byte code in base64, or the whole tuple that `func_dump` gave.
        defaults, closure: tuples of values, or None. globs: the global names it sees, default this module's.

    Raises:
        ValueError: where this Python cannot read the byte code.
    """
    if isinstance(code, (tuple, list)):
        code, defaults, closure = code
    defaults = tuple(tuple(part) if isinstance(part, list) else part for part in defaults) if defaults else None
    try:
        loaded = marshal.loads(base64.decodebytes(code.encode('ascii')))
    except (ValueError, EOFError, TypeError) as error:
        raise ValueError('The byte code of a function cannot be read (%s). The usual cause: another Python version '
                         'wrote it. Build the model from its code and load the weights instead.' % error) from error
    cells = tuple(_cell(value) for value in closure) if closure else None
    return types.FunctionType(loaded, globals() if globs is None else globs, loaded.co_name, defaults, cells)


def _cell(value):
    return (lambda: value).__closure__[0]


def dump_callable(function):
    """(description for a config, its kind: 'lambda' or 'function')."""
    if isinstance(function, types.LambdaType) and function.__name__ == '<lambda>':
        return func_dump(function), 'lambda'
    return getattr(function, '__name__', type(function).__name__), 'function'


def load_callable(description, kind, custom_objects, module, what):
    """The function that `dump_callable` (or upstream Keras) described.

    Raises:
        ValueError: where no function of that name is known.
    """
    if callable(description):
        return description
    if isinstance(description, dict):  # Keras 3 writes {'class_name': ..., 'config': ...}
        description, kind = _from_keras3(description)
    if kind == 'lambda':
        from keras import backend
        return func_load(description, globs=dict(_names_for_lambdas(backend), **custom_objects))
    for names in (custom_objects, get_custom_objects()):
        if description in names:
            return names[description]
    found = _from_module(module, description)
    if found is None:
        raise ValueError('Unknown function %r, %s. Pass it in custom_objects={%r: ...}.'
                         % (description, what, description))
    return found


def _from_keras3(description):
    config = description.get('config')
    if description.get('class_name') == '__lambda__':
        return (config['code'], config.get('defaults'), config.get('closure')), 'lambda'
    return config if isinstance(config, str) else description.get('class_name'), 'function'


def _names_for_lambdas(backend):
    """What lambdas in saved models usually refer to: NumPy and the backend under their customary names."""
    import numpy as np
    import keras
    return {'K': backend, 'np': np, 'numpy': np, 'keras': keras, 'ops': keras.ops, '__builtins__': __builtins__}


def _from_module(module, name):
    try:
        return getattr(importlib.import_module(module), name, None) if module else None
    except ImportError:
        return None
