"""What goes by name in configs and files: kinds of objects, each with a registry of its own.

A config is `{'class_name': ..., 'config': {...}}`, as Keras 2 writes it; Keras 3's, which adds 'module' and
'registered_name', is read too. Functions go by their name. A name is looked up among the custom objects, the registered
ones and those of the kind that is asked for, and what is found has to be of that kind. A class that is nowhere there,
and whose config says its module, is taken from that module where it is one of scripts and loaded, if it is a subclass
of Keras's own of that kind: nothing is imported or called because a file says so.
"""
import functools
import importlib
import inspect
import re
import sys
import types

from keras import generations
from keras.saving import values
from keras.saving.code import load_code
from keras.saving.serialization import (
    CustomObjectScope, InvalidConfig, SafeModeScope, get_custom_objects, get_registered_object, reading_config_of,
    refuses_code, serialize_keras_object, unknown_name_error)

# The modules that make the kinds, in the order in which they are asked where a config does not say its kind. Each is
# imported when it is first asked.
HOMES = ('keras.layers', 'keras.models', 'keras.activations', 'keras.initializers', 'keras.regularizers',
         'keras.constraints', 'keras.losses', 'keras.metrics', 'keras.optimizers.schedules', 'keras.optimizers',
         'keras.dtype_policies', 'keras.quantizers', 'keras.distillation', 'keras.random')
# What arguments hold whose names end so, as `kernel_initializer` and `activation` do.
SUFFIXES = {'initializer': 'keras.initializers', 'regularizer': 'keras.regularizers',
            'constraint': 'keras.constraints', 'activation': 'keras.activations'}

_kinds = {}


def _is_installed(module):
    """Whether a module belongs to a package that was installed, not to scripts."""
    return bool(re.search(r'[/\\](site|dist)-packages[/\\]', str(vars(module).get('__file__'))))


def kind_in(home):
    """The kind that the module `home` makes."""
    if home not in _kinds:
        importlib.import_module(home)
    return _kinds[home]


def kind_of_argument(name):
    """The kind of what an argument of that name holds, None where its name does not say it."""
    home = SUFFIXES.get(name.rpartition('_')[2])
    return home and kind_in(home)


def has_call(cls):
    """Whether the instances of a class can be called."""
    # The one of its own type, which makes instances, belongs to the class.
    return getattr(cls.__call__, '__self__', None) is not cls


# Functions are made of text so that their arguments have the names that scripts use.
_FUNCTIONS = """
def get(identifier{kwargs}):
    return kind.get(identifier{given})

def serialize({instance}):
    return kind.serialize({instance})

def deserialize({config}, custom_objects=None{also}):
    return kind.deserialize({found}, custom_objects)
"""
_HELP = {
    'get': """The {what} for {expected}, or a class{none}.

    Raises:
        ValueError: for anything else, and for an unknown name, naming those that come near.
""",
    'serialize': """The config of the {what}: `{{'class_name', 'config'}}`, or the name of a function.""",
    'deserialize': """The {what} that a config or a name stands for.

    Args:
        custom_objects: {{name: class or function}} of your own.

    Raises:
        ValueError: for an unknown name, naming those that come near.
    """}


class Kind:
    """One kind of objects that go by name: initializers, say.

    Args:
        what: what one is called in messages.
        base: the class of Keras's own, None where they are functions.
        functions: the names of the first arguments of functions that are of this kind, None where none is.
        accepts: function of a class, your own ones included: whether its instances are of this kind; by default those
            that can be called.
        expected: what `get` takes, for its message.
        takes_none, for_none: whether `get` takes None, and what it gives for it.
        home: the module that makes the kind, by which `kind_in` finds it; None for one that is used once.
        includes: the homes of kinds whose objects are of this kind, too.
        by_name: function of a name that `get` is given: what it stands for there, None for what else has that name.

    Example:
        >>> class Red:
        ...     def get_config(self):
        ...         return {}
        >>> kind = keras.saving.kinds.Kind('colour', Red, functions=None, accepts=lambda cls: issubclass(cls, Red))
        >>> kind.enter({'Red': Red})
        >>> kind.serialize(kind.get('Red'))
        {'class_name': 'Red', 'config': {}}
    """

    def __init__(self, what, base=None, functions=(), accepts=has_call, expected='a name or a config dictionary',
                 takes_none=True, for_none=None, home=None, includes=(), by_name=None):
        self.what = what
        self.base = base
        self.functions = functions
        self.accepts = accepts
        self.expected = expected
        self.takes_none = takes_none
        self.for_none = for_none
        self.includes = includes
        self.by_name = by_name
        self.home = home
        self.objects = {}
        self._makers = []
        if home is not None:
            _kinds[home] = self

    def enter(self, objects, makers=()):
        """Make objects known.

        Args:
            objects: {name: class or function}. makers: those functions among them that make an object where other
                functions are one; a name then stands for what the function gives without arguments.
        """
        self.objects.update(objects)
        self._makers.extend(makers)

    def enter_public(self, names, makers=(), also=None):
        """Make known what is of this kind among the `names` of a module, its globals().

        Args:
            makers: see `enter`. also: what else of the module is public, in words, so that all the rest is not; None
                where the module has more.
        """
        self.enter({}, makers)
        own = {name: value for name, value in names.items() if not name.startswith('_') and self._is_own(value)}
        self.enter(own)
        if also is not None:
            names['__all__'] = sorted(set(own).union(
                also.split(), ('get', 'serialize', 'deserialize', 'deserialize_keras_object')))

    def _is_own(self, value):
        if inspect.isclass(value):
            return self.base is not None and issubclass(value, self.base)
        return inspect.isfunction(value) and (self._gives_one(value) or self.functions is not None
                                              and _first_arguments(value, len(self.functions)) == self.functions)

    def module_functions(self, instance, config='config', example='', takes_kwargs=False, also=None):
        """The functions `get`, `serialize` and `deserialize` of the module that makes the kind.

        Args:
            instance, config: what scripts call the arguments of the latter two. example: lines for the help on `get`.
            also: another name of the latter. takes_kwargs: whether `get` takes the arguments for what a name stands for
                as a dictionary, as in Keras 1.
        """
        made = {'kind': self, '__name__': self.home}
        exec(_FUNCTIONS.format(instance=instance, config=config + '=None' * bool(also),
                               also=', %s=None' % also if also else '',
                               found='%s if %s is None else %s' % (also, config, config) if also else config,
                               kwargs=', kwargs=None' if takes_kwargs else '',
                               given=', kwargs' if takes_kwargs else ''), made)
        none = '; None gives %s' % (self.for_none and '`%s`' % self.for_none.__name__) if self.takes_none else ''
        for name, text in _HELP.items():
            made[name].__doc__ = text.format(what=self.what, expected=self.expected, none=none)
        made['get'].__doc__ += '\n    Example:\n        %s\n    ' % '\n        '.join(example.split('\n'))
        return made['get'], made['serialize'], made['deserialize']

    # --- objects from names and configs ---------------------------------------------------------------------------

    def get(self, identifier, kwargs=None):
        """The object for a name, a config, a class, or an object or function as it is.

        Args:
            kwargs: arguments for what a name stands for.

        Raises:
            ValueError: for anything else.
        """
        if kwargs and isinstance(identifier, str):
            return self.deserialize({'class_name': identifier, 'config': kwargs})
        if identifier is None and self.takes_none:
            return self.for_none
        if isinstance(identifier, str) and self.by_name is not None and identifier not in get_custom_objects():
            identifier = self.by_name(identifier) or identifier
        if isinstance(identifier, (str, dict)):
            return self.deserialize(identifier)
        if self._gives_one(identifier):
            return identifier()
        if self._holds(identifier):
            return identifier
        raise ValueError('Could not interpret %s: %r. Expected %s.' % (self.what, identifier, self.expected))

    def serialize(self, instance):
        """The config of an object, or the name of a function; None stays None."""
        return serialize_keras_object(instance)

    def deserialize(self, identifier, custom_objects=None):
        """The object that a name or a config stands for; None stays None. The config is left as it is.

        Args:
            custom_objects: {name: class or function} of your own.

        Raises:
            ValueError: for an unknown name, naming those that come near; for one of another kind.
        """
        if identifier is None:
            return None
        if isinstance(identifier, str):
            found = self.find(identifier, custom_objects)
            made = found() if self._gives_one(found) else found
            if made is (custom_objects or {}).get(identifier) and not callable(made):
                return made  # a stand-in of the caller's own: what it is good for is the caller's matter
            self._check(made, self._holds(made), identifier)
            return made
        if isinstance(identifier, dict):
            return self._from_config(identifier, custom_objects)
        raise ValueError('Could not interpret %r as %s: expected a name or a config dictionary.'
                         % (identifier, self.what))

    def find(self, name, custom_objects=None, module=None):
        """The class or function called `name`, your own ones before Keras's.

        Args:
            module: the name of the module where a class stands that is found in no other place; it is not imported.

        Raises:
            ValueError: where there is none, or one of another kind.
        """
        own = self._own(name)
        found = get_registered_object(name, custom_objects, own)
        if found is None:
            found = self._in_loaded(module, name)
        if found is None:
            raise unknown_name_error(self.what, name, self._names() | set(custom_objects or ())
                                     | set(get_custom_objects()), module)
        if inspect.isclass(found) and not self.accepts(found):
            # A name of your own that is also one of Keras's, for something of another kind.
            found = own.get(name, found)
            self._check(found, not inspect.isclass(found) or self.accepts(found), name)
        return found

    def _in_loaded(self, module, name):
        """The class of this kind in a module of scripts that the program has loaded, or None.

        Only subclasses of Keras's own: there are callable classes in Python's modules that a file must not make. And
        not of installed packages, whose layers may open what a file names.
        """
        if not isinstance(module, str) or module.partition('.')[0] == 'keras':
            return None
        loaded = sys.modules.get(module)
        if type(loaded) is not types.ModuleType or _is_installed(loaded):
            return None
        found = vars(loaded).get(name)
        if not issubclass(type(found), type) or (found.__module__, found.__name__) != (module, name):
            return None
        bases = [kind.base for kind in ([self] if self.home else map(kind_in, HOMES)) if kind.base is not None]
        return found if issubclass(found, tuple(bases)) else None

    def _own(self, name):
        """The registry that has `name`, this kind's own or that of an included kind."""
        if name not in self.objects:
            for kind in map(kind_in, self.includes):
                if name in kind.objects:
                    return kind.objects
        return self.objects

    def _names(self):
        return set(self.objects).union(*[kind_in(home).objects for home in self.includes])

    def _from_config(self, identifier, custom_objects):
        if 'class_name' not in identifier and identifier.get('name') in self._names():
            # So Keras 1 wrote regularizers and constraints.
            arguments = {key: value for key, value in identifier.items() if key != 'name'}
            identifier = {'class_name': identifier['name'], 'config': arguments}
        name, config = identifier.get('class_name'), identifier.get('config')
        if name == 'function' and not isinstance(config, str):
            raise InvalidConfig("Improper config of a function: Expected 'config' to be a non-null str, the name. "
                                'Received: %.500r' % (identifier,))
        if name == '__typespec__' and not isinstance(config, (list, tuple)):
            raise InvalidConfig("Improper config of a TypeSpec: Expected 'config' to be a list or a tuple. "
                                'Received: %.500r' % (identifier,))
        if not isinstance(name, str) or not isinstance(config, (dict, list, str, type(None))):
            raise InvalidConfig('Improper config of %s: expected a dictionary with the keys "class_name" and "config". '
                                'Received: %.500r' % (self.what, identifier))
        with reading_config_of(name, config):
            if name == '__lambda__':
                made = load_code(identifier, custom_objects, 'a `lambda` object as %s' % self.what)
                self._check(made, self._holds(made), name)
                return made
            if name == 'function' and isinstance(config, str):
                if config in self.objects and get_registered_object(config, custom_objects) is None:
                    self._refuse_registered(config, identifier.get('registered_name'))
                return self.deserialize(config, custom_objects)
            if identifier.get('further'):
                config = dict(config, **identifier['further'])
            return self._read(identifier, name, config or {}, custom_objects)

    def _read(self, identifier, name, config, custom_objects):
        registered = identifier.get('registered_name')
        known = isinstance(registered, str) and get_registered_object(registered, custom_objects) is not None
        target = self.find(registered if known else name, custom_objects, identifier.get('module'))
        if not known and target is self.objects.get(name):
            self._refuse_registered(name, registered)
        with generations.reading_config(identifier), CustomObjectScope(custom_objects):
            made = self._made(target, config, name)
        self._check(made, self._holds(made), name)
        if identifier.get('build_config') and not getattr(made, 'built', True):
            made.build_from_config(identifier['build_config'])
        return made

    @staticmethod
    def _refuse_registered(name, registered):
        if registered and isinstance(registered, str) and registered.rpartition('>')[2] not in (name, 'function'):
            raise InvalidConfig('%.200r resolved to a Keras built-in, which is not registered as the %.200r that the '
                                'config says. The usual cause: what was registered so is not known here.'
                                % (name, registered))

    def _made(self, target, config, name):
        if isinstance(config, (list, str)) and target is self.objects.get(name) and name not in _OF_LISTS:
            raise InvalidConfig("Expected 'config' to be a dict. Received: %.200r" % (config,))
        if not hasattr(target, 'from_config'):
            if inspect.isclass(target) and generations.value('classes_need_from_config'):
                raise InvalidConfig('Unable to reconstruct an instance of %r because the class is missing a '
                                    '`from_config()` method.' % (name,))
            if target is self.objects.get(name) and not self._gives_one(target):
                self._check(target, not config, name)
                return target  # a function of this kind, which is not to be called
            return target(**config)
        with SafeModeScope(refuses_code()):
            if _takes_custom_objects(getattr(target.from_config, '__func__', target.from_config)):
                return target.from_config(config, custom_objects=dict(get_custom_objects()))
            return target.from_config(config)

    # --- what is of the kind --------------------------------------------------------------------------------------

    def _holds(self, instance):
        return self.accepts(type(instance)) or self.functions is not None and callable(instance)

    def _gives_one(self, found):
        """Whether calling `found` gives an object of the kind."""
        return self.accepts(found) if inspect.isclass(found) else any(found is maker for maker in self._makers)

    def _check(self, found, fits, name):
        if not fits:
            raise InvalidConfig('%.200r does not stand for %s that a config could give: it is %.200r.'
                                % (name, self.what, found))


# What Keras 1 and 2 wrote with a list in the place of a dictionary.
_OF_LISTS = ('Sequential', 'Graph')


def _first_arguments(function, count):
    """The names of the first arguments of a function; a whole signature takes ten times as long."""
    code = inspect.unwrap(function).__code__
    return code.co_varnames[:min(count, code.co_argcount)]


@functools.lru_cache(maxsize=1024)
def _takes_custom_objects(from_config):
    return 'custom_objects' in inspect.signature(from_config).parameters


# --- of any kind ------------------------------------------------------------------------------------------------------

def deserialize_keras_object(identifier, module_objects=None, custom_objects=None, printable_module_name='object',
                             safe_mode=True):
    """The object that a name or a config stands for.

    Args:
        identifier: a name, a config dictionary, or None (which stays None).
        module_objects: {name: class or function} to look in after the custom objects; default Keras's own of the kind
            that the config's 'module' says, or else of the first kind that has the name.
        custom_objects: {name: class or function} of your own.
        printable_module_name: what the thing is, for the error message.
        safe_mode: False lets code in the config run, such as that of a lambda.

    Returns:
        An instance of the class (classes given by name are made without arguments), or the function.

    Raises:
        ValueError: for an unknown name, naming those that come near.

    Example:
        >>> keras.utils.deserialize_keras_object({'class_name': 'Zeros', 'config': {}})
        <Zeros {}>
    """
    if not safe_mode:
        with SafeModeScope(False):
            return deserialize_keras_object(identifier, module_objects, custom_objects, printable_module_name)
    if module_objects is None and holds_others(identifier):
        return with_others_read(identifier, lambda part: deserialize_keras_object(part, None, custom_objects))
    if module_objects is None and _is_value(identifier):
        return _value(identifier)
    if module_objects is None and isinstance(identifier, str) and generations.value('names_are_values'):
        own = get_registered_object(identifier, custom_objects)
        return identifier if own is None else own
    kind = _kind_of(identifier, custom_objects) if module_objects is None else None
    if kind is None:
        kind = Kind(printable_module_name, accepts=inspect.isclass)
        kind.enter(module_objects or {})
    return kind.deserialize(identifier, custom_objects)


def holds_others(identifier):
    """Whether this is a list, a tuple, or a dictionary without a class or for a tuple: other configs may be inside."""
    if not isinstance(identifier, dict):
        return isinstance(identifier, (list, tuple))
    return 'class_name' not in identifier or _is_tuple(identifier)


def _is_tuple(identifier):
    return identifier['class_name'] == '__tuple__' and isinstance(identifier.get('config'), list)


def with_others_read(identifier, read):
    """The list, tuple or dictionary with what `read` makes of each part."""
    if not isinstance(identifier, dict):
        return type(identifier)(read(part) for part in identifier)
    if 'class_name' not in identifier:
        return {key: read(part) for key, part in identifier.items()}
    return tuple(read(part) for part in identifier['config'])


def _value(identifier):
    if not isinstance(identifier, dict):
        return identifier
    if identifier['class_name'] == '__typespec__' and not isinstance(identifier.get('config'), (list, tuple)):
        raise InvalidConfig("Improper config of a TypeSpec: Expected 'config' to be a list or a tuple. Received: %.500r"
                            % (identifier,))
    return values.decoded(identifier)


def _is_value(identifier):
    """Whether this stands for a plain value in Keras 3: a number, or a dictionary without a class or for a tuple.

    An array is one that has been read already: a `from_config` may read once more what is in its config.
    """
    if isinstance(identifier, dict):
        name = identifier.get('class_name')
        return 'class_name' not in identifier or isinstance(name, str) and values.stands_for_a_value(name)
    return isinstance(identifier, (bool, int, float)) or \
        hasattr(identifier, 'shape') and hasattr(identifier, 'dtype') and not isinstance(identifier, type)


def _kind_of(identifier, custom_objects):
    """The kind of what a name or a config stands for, None where it is your own or unknown."""
    config = identifier if isinstance(identifier, dict) else {'class_name': identifier}
    name, arguments, module = config.get('class_name'), config.get('config'), config.get('module')
    if name == 'function' and isinstance(arguments, str):
        name, arguments, module = arguments, None, None
    if not isinstance(name, str) or not isinstance(module, (str, type(None))) \
            or get_registered_object(name, custom_objects) is not None:
        return None
    if module and module != 'keras':
        home = _home_of(module)
        return home and kind_in(home)
    kinds = [kind for kind in map(kind_in, HOMES) if name in kind.objects]
    fitting = [(_further_arguments(kind.objects[name], arguments), place) for place, kind in enumerate(kinds)]
    return kinds[min(fitting)[1]] if kinds else None


def _home_of(module):
    """The module that makes the kind to which a module belongs: keras.losses for keras.src.losses.losses."""
    path = [part for part in module.split('.') if part != 'src'] + ['']
    if path[0] != 'keras':
        return None
    if path[1] in ('models', 'experimental', 'premade_models'):
        return HOMES[0]
    return next((home for home in ('.'.join(path[:3]), '.'.join(path[:2])) if home in HOMES), None)


def _further_arguments(target, arguments):
    """How many arguments `target` takes besides those of a config; many where it does not take those.

    Losses and metrics share names; a config comes from the class that has little else to say.
    """
    names = set(inspect.signature(target.__init__ if inspect.isclass(target) else target).parameters)
    return len(names - set(arguments or ())) + 1000 * len(set(arguments or ()) - names)
