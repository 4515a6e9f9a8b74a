"""Python functions as byte code in configs, and back where `serialization.refuse_code` allows it.

The format is Keras 2's: `[byte code in base64, defaults, closure]`. Keras 3 has the same in a dictionary.
"""
import base64
import importlib
import marshal
import types

from keras.saving.serialization import InvalidConfig, refuse_code


class Dumped(tuple):
    """(byte code in base64, defaults, values of the closure) of a function of this process, which it still knows.

    A config that has not left the process gives the function back, and no code is read.
    """


def func_dump(func):
    """A function as (byte code in base64, defaults, values of its closure)."""
    code = base64.encodebytes(marshal.dumps(func.__code__)).decode('ascii')
    closure = tuple(cell.cell_contents for cell in func.__closure__) if func.__closure__ else None
    dumped = Dumped((code, func.__defaults__, closure))
    dumped.function = func
    return dumped


def func_load(code, defaults=None, closure=None, globs=None):
    """The function that `func_dump` wrote. It could do anything: what comes from a file goes through `load_code`.

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
        loaded = marshal.loads(_bytes(code))
    except (ValueError, EOFError, TypeError) as error:
        raise ValueError('The byte code of a function cannot be read (%s). The usual cause: another Python version '
                         'wrote it. Build the model from its code and load the weights instead.' % error) from error
    cells = tuple(_cell(value) for value in closure) if closure else None
    return types.FunctionType(loaded, globals() if globs is None else globs, loaded.co_name, defaults, cells)


def _bytes(code):
    try:
        return base64.decodebytes(code.encode('ascii'))
    except (UnicodeEncodeError, ValueError):  # as Keras wrote it before 2.1.2
        return code.encode('raw_unicode_escape')


def _cell(value):
    return (lambda: value).__closure__[0]


def load_code(description, custom_objects, what):
    """The function in a config that was written as code.

    Args:
        description: what `func_dump` gave, or Keras 3's `{'class_name': '__lambda__', 'config': {...}}`.
        custom_objects: {name: object} that it sees besides NumPy and K. what: what it is, for messages.

    Raises:
        InvalidConfig: where code is not allowed, saying how to allow it.
    """
    if isinstance(description, Dumped):
        return description.function
    refuse_code(what)
    if isinstance(description, dict):
        config = description.get('config') or {}
        if 'value' in config:  # as Keras 3 nests it
            config = dict(zip(('code', 'defaults', 'closure'), config['value']))
        description = config.get('code'), config.get('defaults'), config.get('closure')
    if not isinstance(description, (list, tuple)) or len(description) != 3 or not isinstance(description[0], str):
        raise InvalidConfig('%s is given as code that is no code: %.100r' % (what, description))
    return func_load(description, globs=dict(_names(), **(custom_objects or {})))


def _names():
    """What lambdas in saved models usually refer to: NumPy and the backend under their customary names."""
    import numpy as np
    # They stand above, and are found by name.
    keras, backend, ops = map(importlib.import_module, ('keras', 'keras.backend', 'keras.ops'))
    return {'K': backend, 'np': np, 'numpy': np, 'keras': keras, 'ops': ops, '__builtins__': __builtins__}
