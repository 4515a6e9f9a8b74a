"""Functions that pickles cannot name, lambdas above all, taken along in them by their code."""
import copyreg
import functools
import importlib
import marshal
import sys
import types

from keras import lazy

# It stands above: it makes objects that know of their generation.
_registry = lazy.Later('keras.saving.serialization')


def portable(value):
    """`value` with what stands for it in a pickle in the place of every function in it that no module has by its name.

    Looked for in lists, tuples, dictionaries and partial functions; what holds none stays as it is.
    """
    if type(value) is types.FunctionType:  # not what passes for one and goes into pickles by itself
        return value if _is_importable(value) else PickledFunction(value)
    if isinstance(value, functools.partial) and type(value) is functools.partial:
        parts = portable([value.func, value.args, value.keywords])
        changed = parts[0] is not value.func or parts[1] is not value.args or parts[2] is not value.keywords
        return functools.partial(parts[0], *parts[1], **parts[2]) if changed else value
    if type(value) in (list, tuple):
        parts = [portable(part) for part in value]
        return type(value)(parts) if any(new is not old for new, old in zip(parts, value)) else value
    if type(value) is dict:
        parts = {key: portable(part) for key, part in value.items()}
        return parts if any(parts[key] is not value[key] for key in value) else value
    return value


def _is_importable(function):
    found = sys.modules.get(function.__module__)
    for name in function.__qualname__.split('.'):
        found = getattr(found, name, None)
    return found is function


def portable_object(reduced):
    """What `__reduce_ex__` gave; a class that no module has by its name goes along as a name."""
    made, arguments = reduced[:2]
    if made is not copyreg.__newobj__ or _is_importable(arguments[0]):
        return reduced
    return (_made, (PickledClass(arguments[0]),) + arguments[1:]) + reduced[2:]


def _made(cls, *arguments):
    return cls.__new__(cls, *arguments)


class PickledClass:
    """Stands for a class of your own in a pickle, and becomes what is registered, or in a `custom_object_scope`, by its
    name when it is read; a deep copy is the class itself."""

    def __init__(self, cls):
        self.cls = cls

    def __deepcopy__(self, memo):
        return self.cls

    def __reduce__(self):
        return _class_called, (_registry.get_registered_name(self.cls),)


def _class_called(name):
    found = _registry.get_registered_object(name)
    if found is None:
        raise ValueError('The pickle holds an object of the class %r, which no module has by this name. Read it in '
                         '`with keras.utils.custom_object_scope({%r: ...}):`.' % (name, name))
    return found


class PickledFunction:
    """Stands for a function in a pickle, and becomes one when it is read; a deep copy is the function itself."""

    def __init__(self, function):
        self.function = function

    def __call__(self, *args, **kwargs):
        return self.function(*args, **kwargs)

    def __deepcopy__(self, memo):
        return self.function

    def __reduce__(self):
        function = self.function
        closure = [cell.cell_contents for cell in function.__closure__ or ()]
        return _read, (marshal.dumps(function.__code__), sys.version_info[:2], function.__module__, function.__name__,
                       portable(function.__defaults__), portable(function.__kwdefaults__), portable(closure))


def _read(code, version, module, name, defaults, keyword_defaults, closure):
    if version != sys.version_info[:2]:
        raise ValueError('The pickle holds the code of the function %s of Python %d.%d, which Python %d.%d cannot '
                         'read. Define it in a module, or save the weights only.'
                         % ((name,) + version + sys.version_info[:2]))
    try:
        names = vars(importlib.import_module(module))
    except ImportError:
        names = {'__name__': module, '__builtins__': __builtins__}
    cells = tuple((lambda value: lambda: value)(value).__closure__[0] for value in closure)
    function = types.FunctionType(marshal.loads(code), names, name, defaults, cells)
    function.__kwdefaults__ = keyword_defaults
    return function
