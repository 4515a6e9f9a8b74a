"""Objects from names and configs, and back; custom objects.

A config is `{'class_name': ..., 'config': {...}}`, as Keras 2 writes it; Keras 3's, which adds 'module' and
'registered_name', is read too. Functions go by their name. This module sits low in the import order: it
imports nothing above `config`, so that initializers, losses and layers may all use it.
"""
import difflib
import importlib
import inspect

_custom_objects = {}
_registered_objects = {}
_registered_names = {}


# --- custom objects ---------------------------------------------------------------------------------------------

def get_custom_objects():
    """The dictionary of custom objects by name that holds everywhere; change it to add some.

    Example:
        >>> keras.utils.get_custom_objects()['double'] = lambda x: 2 * x
        >>> keras.activations.get('double')(3)
        6
    """
    return _custom_objects


class CustomObjectScope:
    """Make custom objects known by name for a `with` block.

    Args:
        *custom_objects: dictionaries {name: class or function}.

    Example:
        >>> with keras.utils.CustomObjectScope({'double': lambda x: 2 * x}):
        ...     keras.activations.get('double')(3)
        6
    """

    def __init__(self, *custom_objects):
        self.custom_objects = custom_objects
        self._previous = None

    def __enter__(self):
        self._previous = dict(_custom_objects)
        for objects in self.custom_objects:
            _custom_objects.update(objects or {})
        return self

    def __exit__(self, *_):
        _custom_objects.clear()
        _custom_objects.update(self._previous)


def custom_object_scope(*custom_objects):
    """The same as `CustomObjectScope`."""
    return CustomObjectScope(*custom_objects)


def register_keras_serializable(package='Custom', name=None):
    """A decorator that makes a class or function loadable without `custom_objects`.

    Args:
        package: prefix that keeps names of different projects apart. name: default the object's own.

    Raises:
        ValueError: for a class without `get_config`, which could be saved but not loaded.

    Example:
        >>> @keras.saving.register_keras_serializable('my_package')
        ... def double(x):
        ...     return 2 * x
        >>> keras.saving.get_registered_name(double)
        'my_package>double'
    """
    def register(target):
        if inspect.isclass(target) and not hasattr(target, 'get_config'):
            raise ValueError('Cannot register the class %s: it has no `get_config()` method, so it could not be '
                             'loaded again.' % target.__name__)
        registered = '%s>%s' % (package, name or target.__name__)
        _registered_objects[registered] = target
        _registered_names[target] = registered
        return target
    return register


def get_registered_name(obj):
    """The name under which a class or function is registered, else its own name."""
    try:
        return _registered_names.get(obj) or obj.__name__
    except TypeError:  # not hashable, so never registered
        return obj.__name__


def get_registered_object(name, custom_objects=None, module_objects=None):
    """The object called `name` among custom objects, registered ones and `module_objects`, or None."""
    for objects in (custom_objects, _custom_objects, _registered_objects, module_objects):
        if objects and name in objects:
            return objects[name]
    # A name without its package, as files of Keras 2 have it, or with one where the object is given plainly.
    plain = name.rpartition('>')[2]
    if plain != name:
        return get_registered_object(plain, custom_objects, module_objects)
    return next((target for registered, target in _registered_objects.items()
                 if registered.rpartition('>')[2] == name), None)


# --- errors -----------------------------------------------------------------------------------------------------

def unknown_name_error(kind, name, known_names=()):
    """A ValueError that says which name was not found, what comes near it, and how to make it known.

    Args:
        kind: what was looked for, such as 'loss function'. name: what was given. known_names: those that exist.
    """
    names = sorted({known for known in known_names if isinstance(known, str) and not known.startswith('_')})
    folded = [_folded(known) for known in names]
    near = set(difflib.get_close_matches(_folded(str(name)), folded, n=3))
    matches = [known for known in names if _folded(known) in near]
    # Of a class and its alias in another spelling the one written most like the request.
    matches.sort(key=lambda known: -difflib.SequenceMatcher(None, str(name), known).ratio())
    hint = ' Did you mean %s?' % ' or '.join(map(repr, matches[:3])) if matches else ''
    return ValueError('Unknown %s: %r.%s If it is your own, pass it in `custom_objects`, wrap the call in '
                      '`keras.utils.custom_object_scope({%r: ...})`, or decorate it with '
                      '`@keras.saving.register_keras_serializable()`.' % (kind, name, hint, str(name)))


def _folded(name):
    return name.lower().replace('_', '')


# --- objects to configs and back --------------------------------------------------------------------------------

def serialize_keras_object(instance):
    """The config of an object: `{'class_name', 'config'}`, or the name of a function; None stays None.

    Raises:
        ValueError: if it has neither `get_config` nor a name.
    """
    if instance is None:
        return None
    if hasattr(instance, 'get_config') and not inspect.isclass(instance):
        return {'class_name': get_registered_name(type(instance)), 'config': instance.get_config()}
    if hasattr(instance, '__name__'):
        return get_registered_name(instance)
    raise ValueError('Cannot serialize %r: it has neither a `get_config()` method nor a name.' % (instance,))


def deserialize_keras_object(identifier, module_objects=None, custom_objects=None, printable_module_name='object',
                             **kwargs):
    """The object that a name or a config stands for.

    Args:
        identifier: a name, a config dictionary, or None (which stays None).
        module_objects: {name: class or function} to look in after the custom objects. Without it a config must
            say its 'module', as Keras 3's do.
        custom_objects: {name: class or function} of your own.
        printable_module_name: what the thing is, for the error message.

    Returns:
        An instance of the class (classes given by name are made without arguments), or the function.

    Raises:
        ValueError: for an unknown name, naming those that come near.

    Example:
        >>> keras.utils.deserialize_keras_object({'class_name': 'Zeros', 'config': {}}, vars(keras.initializers))
    """
    if identifier is None:
        return None
    if isinstance(identifier, str):
        found = _find(identifier, module_objects, custom_objects, printable_module_name)
        return found() if inspect.isclass(found) else found
    if isinstance(identifier, dict):
        return _from_config(identifier, module_objects, custom_objects, printable_module_name)
    raise ValueError('Could not interpret %r as %s: expected a name or a config dictionary.'
                     % (identifier, printable_module_name))


def _from_config(identifier, module_objects, custom_objects, printable_module_name):
    if 'class_name' not in identifier:
        raise ValueError('Improper config of %s: expected a dictionary with the keys "class_name" and "config". '
                         'Received: %r' % (printable_module_name, identifier))
    name, config = identifier['class_name'], identifier.get('config')
    if name == 'function' and isinstance(config, str):
        return _find(config, module_objects, custom_objects, printable_module_name)
    if module_objects is None:
        module_objects = _module_objects(identifier.get('module'))
    registered = identifier.get('registered_name')
    target = registered and get_registered_object(registered, custom_objects)
    target = target or _find(name, module_objects, custom_objects, printable_module_name)
    config = config or {}
    with CustomObjectScope(custom_objects):
        if not hasattr(target, 'from_config'):
            return target(**config)
        if 'custom_objects' in inspect.signature(target.from_config).parameters:
            return target.from_config(config, custom_objects=dict(_custom_objects))
        return target.from_config(config)


def _module_objects(module):
    """The public names of the module that a config of Keras 3 gives; only Keras's own modules are imported."""
    if not module or module.partition('.')[0] != 'keras':
        return {}
    try:
        return vars(importlib.import_module(module))
    except ImportError:
        return {}


def _find(name, module_objects, custom_objects, printable_module_name):
    found = get_registered_object(name, custom_objects, module_objects)
    if found is None:
        known = set(module_objects or ()) | set(custom_objects or ()) | set(_custom_objects)
        raise unknown_name_error(printable_module_name, name, known)
    return found
