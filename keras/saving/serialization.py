"""Custom and registered objects by name, and the config of an object; `kinds` makes objects of names and configs.

This module sits low in the import order: it imports nothing above `generations`.
"""
import collections
import contextlib
import inspect
import threading

from keras import config, lazy

difflib = lazy.Later('difflib')

# What scripts add by hand, and what is registered, by `package>name`.
_custom_objects = {}
_registered_names = {}


# --- custom objects ---------------------------------------------------------------------------------------------

class _Scopes(threading.local):
    """Per thread: the names of each open `CustomObjectScope` over those from around it, the innermost last."""

    def __init__(self):
        self.open = [_custom_objects]


_scopes = _Scopes()


def get_custom_objects():
    """The custom objects by name, registered ones included; change the dictionary to add some, everywhere.

    Inside a `CustomObjectScope` those of the scope are among them, and what is added is forgotten when it ends.

    Example:
        >>> keras.utils.get_custom_objects()['double'] = lambda x: 2 * x
        >>> keras.activations.get('double')(3)
        6
    """
    return _scopes.open[-1]


class CustomObjectScope:
    """Make custom objects known by name for a `with` block, in the thread that runs it.

    Args:
        *objects: dictionaries {name: class or function}. custom_objects: one more, Keras 3's name for the only one.

    Example:
        >>> with keras.utils.CustomObjectScope({'double': lambda x: 2 * x}):
        ...     keras.activations.get('double')(3)
        6
    """

    def __init__(self, *objects, custom_objects=None):
        self.custom_objects = objects + (custom_objects,)

    def __enter__(self):
        names = {name: target for objects in self.custom_objects for name, target in (objects or {}).items()}
        _scopes.open.append(collections.ChainMap(names, _scopes.open[-1]))
        return self

    def __exit__(self, *_):
        _scopes.open.pop()


def custom_object_scope(*objects, custom_objects=None):
    """The same as `CustomObjectScope`."""
    return CustomObjectScope(*objects, custom_objects=custom_objects)


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
            raise ValueError('Cannot register a class that does not have a get_config() method: %s could not be loaded '
                             'again.' % target.__name__)
        registered = '%s>%s' % (package, name or target.__name__)
        _custom_objects[registered] = target
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
    for objects in (custom_objects, get_custom_objects(), module_objects):
        if objects and name in objects:
            return objects[name]
    plain = name.rpartition('>')[2]
    if plain != name:
        # The object is given plainly; what is registered under another package is another one.
        return next((objects[plain] for objects in (custom_objects, get_custom_objects(), module_objects)
                     if objects and plain in objects), None)
    # A name without its package, as files of Keras 2 have it.
    return next((target for registered, target in _custom_objects.items()
                 if registered.rpartition('>')[2] == name), None)


# --- code in configs --------------------------------------------------------------------------------------------

class _Safety(threading.local):
    """Per thread: whether configs are read that hold code, as the innermost `SafeModeScope` says."""
    safe = None


_safety = _Safety()


class SafeModeScope:
    """Whether configs that hold code are refused, for a `with` block, in the thread that runs it.

    Args:
        safe_mode: False lets code in configs run; None is as outside of any scope.

    Example:
        >>> with keras.saving.SafeModeScope(False):
        ...     keras.saving.in_safe_mode()
        False
    """

    def __init__(self, safe_mode=True):
        self.safe_mode = safe_mode
        self._previous = []

    def __enter__(self):
        self._previous.append(_safety.safe)
        _safety.safe = None if self.safe_mode is None else bool(self.safe_mode)
        return self

    def __exit__(self, *_):
        _safety.safe = self._previous.pop()


def in_safe_mode():
    """Whether something is being read, by `load_model` say, that may not name other files or bring code.

    Example:
        >>> keras.saving.in_safe_mode()
        False
    """
    return bool(_safety.safe) and not config.settings.unsafe_deserialization


def in_any_scope():
    """Whether a `SafeModeScope` around says whether configs that hold code are refused."""
    return _safety.safe is not None


def refuses_code():
    """Whether configs that hold code are refused: outside of a `SafeModeScope` that says otherwise they are."""
    return _safety.safe is not False and not config.settings.unsafe_deserialization


def refuse_code(what):
    """Refuse code that a config holds, unless it is allowed.

    Args:
        what: the thing that is code, for the message.

    Raises:
        InvalidConfig: saying how to allow it.
    """
    if refuses_code():
        raise InvalidConfig(
            'Requested the deserialization of %s, which is Python code in the file. That could do anything on this '
            'machine (arbitrary code execution), so it is not run. If you trust where the file comes from, pass '
            '`safe_mode=False` to the function that loads it, or call `keras.config.enable_unsafe_deserialization()`. '
            'A named function in its place, given in `custom_objects`, needs neither.' % what)


def refuse_file(what, path):
    """Refuse the path of another file that a config holds, unless it is allowed.

    Args:
        what: what would be read from there, for the message. path: the path.

    Raises:
        InvalidConfig: saying how to allow it.
    """
    if refuses_code():
        raise InvalidConfig(
            'Requested the deserialization of %s from the file %.200r, which the config names: it could be any file of '
            'this machine, so it is not read. If you trust where the config comes from, pass `safe_mode=False` to the '
            'function that loads it, or call `keras.config.enable_unsafe_deserialization()`.' % (what, path))


# --- errors -----------------------------------------------------------------------------------------------------

class InvalidConfig(ValueError, TypeError):
    """A config that no object can be made of.

    places: where in the model it stands, the outermost first.
    """

    def __init__(self, message):
        super().__init__(message)
        self.places = []

    def __str__(self):
        message, places = super().__str__(), self.places
        if len(places) > 12:  # a deep nesting: its ends tell where it is
            places = places[:6] + ['(%d more)' % (len(places) - 12)] + places[-6:]
        return '%s Where: %s.' % (message, ' > '.join(places)) if places else message


# What Python raises where a config is not what the code that reads it expects.
_OF_MALFORMED = (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError, ZeroDivisionError,
                 RecursionError, MemoryError, NotImplementedError, AssertionError, UnicodeDecodeError,
                 UnicodeEncodeError)


@contextlib.contextmanager
def reading_config_of(name, given):
    """Errors in the `with` block as an `InvalidConfig` that says where in the model it is.

    Args:
        name: class of what is made. given: its config, with its name if it has one.
    """
    try:
        yield
    except Exception as error:
        if not isinstance(error, InvalidConfig):
            if type(error) not in _OF_MALFORMED and not isinstance(error, MemoryError):  # NumPy has one of its own
                raise
            kind = '' if type(error) is ValueError else type(error).__name__ + ': '
            hint = ' The usual cause: `get_config` returned an object. Please ensure that these are explicitly ' \
                'deserialized in `from_config`.' if "'dict' object" in str(error) else ''
            invalid = InvalidConfig('The config of %s cannot be read (%s%.2000s).%s' % (name, kind, error, hint))
            invalid.places.insert(0, _place(name, given))
            raise invalid from error
        error.places.insert(0, _place(name, given))
        raise


def _place(name, given):
    own = given.get('name') if isinstance(given, dict) else None
    return '%.60s %.60r' % (name, own) if isinstance(own, str) and own != name else '%.60s' % name


# Lists of layers up to this length are made in their order.
_SHORT = 1000


def new_ones_first(entries):
    """The places in a list of configs in the order to make the objects: in a long list one of each sort goes first.

    So a file that says at its end what there is not is refused before the time for all the rest is spent.

    Example:
        >>> entries = [{'class_name': 'Flatten'}] * 2000 + [{'class_name': 'Dense'}]
        >>> list(keras.saving.serialization.new_ones_first(entries))[:3]
        [0, 2000, 1]
    """
    if len(entries) <= _SHORT:
        return range(len(entries))
    seen, first, rest = set(), [], []
    for place, entry in enumerate(entries):
        sort = _sort_of(entry)
        (rest if sort in seen else first).append(place)
        seen.add(sort)
    return first + rest


def _sort_of(value):
    """What configs have in common that differ in numbers, and in the names of layers."""
    if isinstance(value, dict):
        return tuple((name, _sort_of(part)) for name, part in value.items() if name not in ('name', 'inbound_nodes'))
    if isinstance(value, (list, tuple)):
        return tuple(_sort_of(part) for part in value)
    return value if isinstance(value, str) else type(value)


def unknown_name_error(kind, name, known_names=(), module=None):
    """A ValueError that says which name was not found, what comes near it, and how to make it known.

    Args:
        kind: what was looked for, such as 'loss function'. name: what was given. known_names: those that exist.
        module: the module that a config says.
    """
    name = str(name)[:200]
    names = sorted({known for known in known_names if isinstance(known, str) and not known.startswith('_')})
    folded = [_folded(known) for known in names]
    near = set(difflib.get_close_matches(_folded(str(name)), folded, n=3))
    matches = [known for known in names if _folded(known) in near]
    # Of a class and its alias in another spelling the one written most like the request.
    matches.sort(key=lambda known: -difflib.SequenceMatcher(None, str(name), known).ratio())
    hint = ' Did you mean %s?' % ' or '.join(map(repr, matches[:3])) if matches else ''
    where = '' if not isinstance(module, str) or module == 'builtins' else \
        ' Could not locate class %.200r in the module %.200r of the config, which is read only where the program has ' \
        'imported it, and not of installed packages.' % (name, module)
    return InvalidConfig('Unknown %s: %.200r.%s%s If it is your own, pass it in `custom_objects`, wrap the call in '
                         '`keras.utils.custom_object_scope({%.200r: ...})`, or decorate it with '
                         '`@keras.saving.register_keras_serializable()`.' % (kind, name, hint, where, str(name)))


def _folded(name):
    return name.lower().replace('_', '')


# --- objects to configs -----------------------------------------------------------------------------------------

class _Form(threading.local):
    """Per thread: what writes objects in a form of its own (`saving.forms`); None where each has its generation's."""
    write = None


_form = _Form()
# A function of an object: what writes it where no form is open, by its generation. `saving.forms` sets it.
form_by_generation = None


def form(instance=None):
    """What writes objects in this thread (`saving.forms`); None where they are written in the form of Keras 2.

    Args:
        instance: an object that has a form by its generation where none is open.
    """
    return _form.write or form_by_generation and form_by_generation(instance)


@contextlib.contextmanager
def written_by(write):
    """Have objects within configs written by `write` in a `with` block, in the thread that runs it."""
    before, _form.write = _form.write, write
    try:
        yield
    finally:
        _form.write = before


def serialize_keras_object(instance):
    """The config of an object: `{'class_name', 'config'}`, or the name of a function; None stays None.

    Raises:
        ValueError: if it has neither `get_config` nor a name.
    """
    if instance is None:
        return None
    write = form(instance)
    if write is not None:
        return write(instance)
    if hasattr(instance, 'get_config') and not inspect.isclass(instance):
        return {'class_name': get_registered_name(type(instance)), 'config': instance.get_config()}
    if hasattr(instance, '__name__'):
        return get_registered_name(instance)
    raise ValueError('Cannot serialize %r: it has neither a `get_config()` method nor a name.' % (instance,))
