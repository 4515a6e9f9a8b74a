"""`Configurable`: objects that keep their constructor's arguments and derive their config from them."""
import inspect

from keras import generations
from keras.saving import forms
from keras.saving.kinds import kind_of_argument
from keras.saving.serialization import form, serialize_keras_object, written_by


class Configurable(generations.Dated):
    """The base of what is made from a config: initializers, losses, layers and their like.

    A constructor that calls `super().__init__(...)` and then `self.declare(locals())` declares its arguments: each
    becomes an attribute of its name, and `get_config` gives them back. An argument called `activation`, `initializer`,
    `regularizer` or `constraint`, or whose name ends so, may be given by name, as a config or as an object; the
    attribute is the object, the config holds its name or config.

    The arguments of a class are those of its constructor; where that takes `**kwargs`, those of the base's as well. A
    constructor that does not call `declare` declares nothing: a subclass may have one, and extend `get_config` by hand.

    later: names of arguments that the readers of older files do not know. They are written into the config only where
    they are not the default, or the object is of Keras 3's generation and that has them.
    kept_as: {name of an argument: the attribute that keeps it}, where that has another name.

    A default that depends on the generation is that of the generation which the object is made under.

    Example:
        >>> class Within(keras.constraints.Constraint):
        ...     def __init__(self, limit=1.0):
        ...         super().__init__()
        ...         self.declare(locals())
        >>> Within(2.0).get_config()
        {'limit': 2.0}
    """
    later = ()
    kept_as = {}

    def __init__(self):
        # `object` would take any argument, since `__new__` does.
        super().__init__()

    def declare(self, given):
        """Keep the arguments of the constructor that calls this, but for those that a base has kept already.

        Args:
            given: its `locals()`; a variable that has been changed is kept as it is now.
        """
        if '__class__' not in given:  # which Python adds for `super`
            raise TypeError('%s: a constructor that keeps its arguments has to call super().__init__() before.'
                            % type(self).__name__)
        generation = generations.of(self)
        for name, attribute, kind in _to_keep(given['__class__']):
            value = generations.settled(given[name], generation)
            setattr(self, attribute, value if kind is None else generations.bound(kind.get(value), generation))

    def get_config(self):
        """The constructor's arguments as plain values, enough for `from_config`."""
        return declared_config(self)

    @classmethod
    def from_config(cls, config):
        """An object from what `get_config` gave."""
        return cls(**config)

    def __repr__(self):
        return '<%s %r>' % (type(self).__name__, declared_config(self))


class Fixed:
    """An attribute that the constructor sets, and nobody afterwards under generations where `row` says so."""

    def __init__(self, row):
        self._row = row

    def __set_name__(self, owner, name):
        self._name = name

    def __get__(self, instance, owner=None):
        if instance is None:
            return self
        try:
            return vars(instance)[self._name]
        except KeyError:
            raise AttributeError('%r object has no attribute %r' % (owner.__name__, self._name)) from None

    def __set__(self, instance, value):
        if self._name in vars(instance) and instance.ruled(self._row):
            raise AttributeError("can't set attribute %r of %s: it is fixed when the object is made"
                                 % (self._name, type(instance).__name__))
        vars(instance)[self._name] = value


def declared_config(instance):
    """{name: plain value} of the arguments that the constructors of `instance` declare."""
    arguments, config = declared_arguments(type(instance)), {}
    only_given = forms.only_given_in_3(type(instance)) if forms.is_full(instance) else \
        [name for name, argument in arguments.items() if argument.later]
    with written_by(form(instance)):
        for name, argument in arguments.items():
            value = getattr(instance, argument.attribute)
            written = plain(value) if argument.kind is None else argument.kind.serialize(value)
            default = generations.settled(argument.default, generations.of(instance))
            if name not in only_given or written != default:
                config[name] = written
    return config


def argument_of_function(owner, kept, name):
    """What `owner.name` is where that is an argument of the function `owner` was made of.

    Args:
        kept: name of the attribute that holds these arguments, a dict.

    Raises:
        AttributeError: where it is none of them.
    """
    arguments = vars(owner).get(kept, {})
    if name not in arguments:
        raise AttributeError('%r object has no attribute %r' % (type(owner).__name__, name))
    return arguments[name]


def arguments_config(instance, function, arguments):
    """{name: value} of the `arguments` for the function that `instance` was made of.

    Those that are named in its `later` stand there only where they are not the default, or Keras 3 has them.
    """
    parameters = inspect.signature(function).parameters
    later = forms.only_given_in_3(type(instance)) if forms.is_full(instance) else instance.later
    return {name: value for name, value in arguments.items()
            if name not in later or value != parameters[name].default}


def tells_function(instance, wrapper):
    """Whether the config of an `instance` of `wrapper`, which wraps a function, holds that function.

    The class itself always does; in Keras 3 a user's class right below it, too, and only what Keras has made of it
    knows its function by itself.
    """
    nearest = next(each for each in type(instance).__mro__ if each.__module__.partition('.')[0] == 'keras')
    return nearest is wrapper and (type(instance) is wrapper or forms.is_full(instance) and _takes(
        type(instance), 'fn'))


def _takes(cls, name):
    """Whether the class is made with an argument of that name, or with any."""
    parameters = inspect.signature(cls.__init__).parameters
    return name in parameters or any(each.kind is each.VAR_KEYWORD for each in parameters.values())


def made_with_function(cls, config, read):
    """An object of a wrapper of a function, made from `config`.

    Args:
        read: what makes the function of what the config holds as 'fn'. It is left out for classes that know theirs.
    """
    config = dict(config)
    function = config.pop('fn', None)
    if function is None or not _takes(cls, 'fn'):
        return cls(**config)
    if isinstance(function, (str, dict)):
        function = read(function)
    try:
        return cls(fn=function, **config)
    except TypeError as error:
        if 'multiple values' not in str(error):
            raise
        return cls(**config)  # it passes on one of its own


def plain(value):
    """`value` as JSON can hold it: objects as configs, functions as names, arrays as lists."""
    if value is None or isinstance(value, (str, bool, int, float)):
        return value
    if isinstance(value, (list, tuple)):
        return type(value)([plain(part) for part in value]) if type(value) in (list, tuple) else value
    if isinstance(value, dict):
        return {key: plain(part) for key, part in value.items()}
    if hasattr(value, 'tolist'):
        return value.tolist()
    if hasattr(value, 'get_config') or hasattr(value, '__name__'):
        return serialize_keras_object(value)
    if hasattr(value, '__array__') and hasattr(value, 'shape') and hasattr(value, 'dtype'):  # a tensor without `tolist`
        return value.__array__().tolist()
    return value


def json_value(value):
    """What `json.dumps` is to write for an object in a config, as its `default`.

    Raises:
        TypeError: for one that has no plain form.
    """
    written = plain(value)
    if written is value:
        raise TypeError('%r of type %s cannot be written as JSON. The usual cause: `get_config` of a custom layer '
                        'returns an object instead of plain values.' % (value, type(value).__name__))
    return written


class Argument:
    """What is known of a declared argument of a class.

    attribute: what keeps it. kind: of what it holds, or None. default: its default. later: see `Configurable`.
    """

    def __init__(self, parameter, cls):
        self.name = parameter.name
        self.attribute = cls.kept_as.get(parameter.name, parameter.name)
        self.kind = kind_of_argument(parameter.name)
        self.default = parameter.default
        self.later = parameter.name in cls.later


# What is found out once per class.
_declared, _kept = {}, {}


def declared_arguments(cls):
    """{name: `Argument`} of the arguments that the constructors of a class declare, those of the bases first."""
    try:
        return _declared[cls]
    except KeyError:
        return _declared.setdefault(cls, _find_declared(cls))


def _find_declared(cls):
    found = []
    for base in cls.__mro__:
        declaration = _own_declaration(base)
        if declaration is not None:
            found.append(declaration)
            if not declaration.open:
                break
    return {parameter.name: Argument(parameter, cls) for declaration in reversed(found)
            for parameter in declaration.parameters}


class _Declaration:
    """The named parameters of a constructor, and whether it takes others for the bases (`**kwargs`)."""

    def __init__(self, constructor):
        parameters = list(inspect.signature(constructor).parameters.values())[1:]
        self.parameters = [each for each in parameters if each.kind not in (each.VAR_POSITIONAL, each.VAR_KEYWORD)]
        self.open = any(each.kind is each.VAR_KEYWORD for each in parameters)


def _own_declaration(cls):
    """The declaration of the constructor that `cls` itself has, None unless it calls `declare`."""
    constructor = vars(cls).get('__init__', Configurable.__init__)
    return _Declaration(inspect.unwrap(constructor)) if declares(constructor) else None


def declares(constructor):
    """Whether a constructor declares its arguments."""
    return 'declare' in getattr(getattr(inspect.unwrap(constructor), '__code__', None), 'co_names', ())


def _to_keep(owner):
    """(name, attribute, kind) of the arguments that the constructor of `owner` keeps: those that its bases do not."""
    try:
        return _kept[owner]
    except KeyError:
        pass
    by_bases = {name for base in owner.__mro__[1:] for name in declared_arguments(base)}
    own = [Argument(parameter, owner) for parameter in _own_declaration(owner).parameters]
    return _kept.setdefault(owner, [(argument.name, argument.attribute, argument.kind) for argument in own
                                    if argument.name not in by_bases])
