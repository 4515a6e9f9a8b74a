"""Modules and names that are loaded when they are touched, and the addresses that other Kerases have for them.

`attach` gives a package a table of what it has and where that comes from. The first use of a name imports the module
that defines it and puts the object into the package, where every later use finds it like any other attribute.

What is in no such table is looked up in the one of old addresses (`keras.legacy.addresses`), by the modules of the
package and by the finder, which makes the modules that exist at other Kerases only.

Two threads that touch a name at the same time get the same object: the import system lets one of them wait until the
other has loaded the module.
"""
import functools
import gc
import importlib
import importlib.machinery
import itertools
import sys
import time
import types

# From Python 3.7 on a module may have a `__getattr__`, which costs nothing until a name is missing.
_ASKS_MODULES = sys.version_info >= (3, 7)
_MISSING = object()
# Packages of others whose import matters: {name: what is called then}.
_AWAITED = {}


def importer():
    """The name of the module outside of this package whose code runs the caller right now, or makes the import system
    run it; '' where there is none."""
    frame = sys._getframe(1)
    while frame is not None:
        name = frame.f_globals.get('__name__') or ''
        if name.partition('.')[0] not in ('keras', 'importlib', '_frozen_importlib'):
            return name
        frame = frame.f_back
    return ''


def await_import(names, function):
    """Call `function` when one of the packages `names` is imported, or now if one of them has been."""
    if any(name in sys.modules for name in names):
        function()
    _AWAITED.update(dict.fromkeys(names, function))


def _addresses():
    """The table of addresses, which is loaded when it is asked for the first time."""
    return importlib.import_module('keras.legacy.addresses')


def _loaded(address):
    """The module `address`. Where two threads wait for modules of each other, the import system stops one of them with
    an error; what it was loading is then loaded by the other, or once more."""
    if address in sys.modules:
        return importlib.import_module(address)
    # Loading makes objects that stay: to look for garbage among them again and again is a fourth of the time.
    collects = gc.isenabled()
    gc.disable()
    try:
        for attempt in itertools.count(1):
            try:
                return importlib.import_module(address)
            except RuntimeError as error:
                if type(error).__name__ != '_DeadlockError' or attempt == 100:
                    raise
                time.sleep(0.01)
    finally:
        if collects:
            gc.enable()


def _touched(module, name):
    """The attribute `name` that `module` does not have yet, which it has from then on."""
    value = _found(module, name)
    if value is _MISSING:
        raise AttributeError(_said(module, name))
    module.__dict__[name] = value
    return value


def _found(module, name):
    table = module.__dict__.get('__lazy__', ())
    if name in table:
        address = table[name]
        found = _loaded(address)
        return found if address == '%s.%s' % (module.__name__, name) else getattr(found, name)
    if name.startswith('__') and name not in ('__all__', '__path__', '__internal__'):
        return _MISSING
    return _at_old_address(module, name)


def _at_old_address(module, name):
    """What the table of addresses has for a name of a module."""
    addresses, address = _addresses(), module.__name__
    if name == '__path__':
        return [] if address in addresses.PARENTS else _MISSING
    if name == '__all__':
        return _public(module) if address in addresses.SOURCES else _MISSING
    given = addresses.given_names(address)
    if name in given:
        return getattr(_loaded(given[name][0]), given[name][1])
    child = '%s.%s' % (address, name)
    if child in addresses.SOURCES or child in addresses.TREES or _has_file(module, child):
        return _loaded(child)
    for source in addresses.SOURCES.get(address, ()):
        source = _loaded(source)
        value = source.__dict__.get(name, _MISSING)
        value = _found(source, name) if value is _MISSING else value
        if value is not _MISSING:
            return value
    return _MISSING


def _has_file(package, address):
    """Whether a module of a package has a file, though it is in no table."""
    path = package.__dict__.get('__path__')
    return bool(path) and importlib.machinery.PathFinder.find_spec(address, path) is not None


def _said(module, name):
    """The message for a name that there is not: in which Keras it was, and what replaces it, where that is known."""
    plain = 'module %r has no attribute %r' % (module.__name__, name)
    if name.startswith('_'):
        return plain
    return _loaded('keras.legacy.known_names').explained(plain, module.__name__, name)


def _public(module):
    """The public names of a module, those that are not loaded yet included."""
    names = set(module.__dict__.get('__lazy__', ())).union(_addresses().given_names(module.__name__))
    names.update(name for name in module.__dict__ if not name.startswith('_'))
    for source in _addresses().SOURCES.get(module.__name__, ()):
        names.update(_public(_loaded(source)))
    return sorted(names)


def _listed(module):
    """What `dir` gives: the public names, where the module says which they are."""
    names = module.__dict__.get('__all__') or _public(module)
    return sorted({name for name in module.__dict__ if name.startswith('_')}.union(names))


class Later(types.ModuleType):
    """Stands for a module that takes long to load and that few programs need: it is imported when it is touched.

    Args:
        name: what it would be imported as.
    """

    def __getattr__(self, name):
        return getattr(importlib.import_module(self.__name__), name)


class LazyModule(types.ModuleType):
    """A module that looks up what it does not have."""
    __getattr__ = _touched
    __dir__ = _listed


class _WithoutFile(LazyModule):
    """A module that exists at another Keras only.

    A function that is replaced in it (by `unittest.mock.patch`, say) is replaced where it is defined and called.
    """

    def __setattr__(self, name, value):
        home = self._home(name)
        super().__setattr__(name, value)
        if home is not None:
            setattr(home, name, value)

    def __delattr__(self, name):
        home = self._home(name)
        super().__delattr__(name)
        if home is not None:
            delattr(home, name)

    def _home(self, name):
        """The module that defines the function `name`, None for whatever else goes by this name."""
        now = None if name.startswith('__') else getattr(self, name, None)
        homes = _homes.setdefault(self.__name__, {})
        if isinstance(now, types.FunctionType) and sys.modules[now.__module__].__dict__.get(name) is now:
            homes[name] = sys.modules[now.__module__]
        return homes.get(name)


# Where the functions are that were replaced: {module without a file: {name: module that defines it}}.
_homes = {}


def open_to_others(module):
    """Let a module with a file of its own also have what the table of addresses says, if the name is touched."""
    module = sys.modules[module]
    if _ASKS_MODULES:
        module.__getattr__ = functools.partial(_touched, module)
        module.__dir__ = functools.partial(_listed, module)
    elif '__lazy__' in module.__dict__ or _addresses().has_more(module.__name__):
        module.__class__ = LazyModule


def attach(package, modules='', names=None):
    """Let `package` load its modules and the names of others when they are touched; all of them are public.

    Args:
        package: the caller's `__name__`. modules: names of its modules, separated by spaces.
        names: {address of a module: names that it defines, separated by spaces}.

    Example:
        from keras import lazy
        lazy.attach(__name__, modules='core merge', names={'keras.layers.core': 'Dense Dropout'})
    """
    table = {name: '%s.%s' % (package, name) for name in modules.split()}
    for address, defined in (names or {}).items():
        table.update(dict.fromkeys(defined.split(), address))
    module = sys.modules[package]
    own = [name for name, value in vars(module).items()
           if not name.startswith('_') and not isinstance(value, types.ModuleType)]
    module.__all__ = sorted(set(own).union(table))
    module.__lazy__ = table
    open_to_others(package)


class _Nowhere:
    """Makes the modules that have no file."""

    def create_module(self, spec):
        return _WithoutFile(spec.name)

    def exec_module(self, module):
        """Nothing is in it before it is touched."""


class _Opening:
    """A loader after which the module has what the table of addresses says."""

    def __init__(self, loader):
        self.loader = loader

    def exec_module(self, module):
        self.loader.exec_module(module)
        open_to_others(module.__name__)

    def __getattr__(self, name):
        return getattr(self.loader, name)


class _Alias:
    """Gives the module `name` for another name."""

    def __init__(self, name):
        self.name = name

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        # The import system hands out what stands in sys.modules when this returns.
        sys.modules[module.__spec__.name] = sys.modules[self.name]


# The packages with modules that are found here, and what has to be loaded first.
_ROOTS = {'keras'}
_FIRST = ('keras.legacy', 'keras.legacy.addresses')


class _Finder:
    """Finds the modules of the table of addresses. It stands first: an alias of a package has the package's files,
    which would be loaded once more."""

    def find_spec(self, fullname, path=None, target=None):
        parent = fullname.rpartition('.')[0]
        if fullname in _AWAITED:
            _AWAITED.pop(fullname)()
        if not parent or fullname.partition('.')[0] not in _ROOTS or fullname in _FIRST:
            return None
        addresses = _addresses()
        if not addresses.same_module(parent):
            spec = importlib.machinery.PathFinder.find_spec(fullname, path)
            if spec is not None:
                spec.loader = _Opening(spec.loader) if addresses.is_public(fullname) else spec.loader
                return spec
        if fullname in addresses.SOURCES:
            return importlib.machinery.ModuleSpec(fullname, _Nowhere(), is_package=True)
        name = addresses.same_module(fullname)
        return self._alias(fullname, name) if name else None

    @staticmethod
    def _alias(fullname, name):
        try:
            importlib.import_module(name)
        except ModuleNotFoundError as error:
            if error.name and (name + '.').startswith(error.name + '.'):
                return None
            raise
        return importlib.machinery.ModuleSpec(fullname, _Alias(name))


class _LastFinder:
    """Stands in for distributions that are not installed."""

    def find_spec(self, fullname, path=None, target=None):
        if fullname not in ('tf_keras',):
            return None
        alias(fullname)
        return importlib.machinery.ModuleSpec(fullname, _Alias('keras'))


def alias(name):
    """Let `name` be another name of `keras`, and so for all its modules."""
    _ROOTS.add(name.partition('.')[0])
    _addresses().TREES[name] = 'keras'
    sys.modules[name] = sys.modules['keras']


def install():
    """Have the import system ask for old addresses."""
    sys.meta_path.insert(0, _Finder())
    sys.meta_path.append(_LastFinder())
    # This one is loaded already, and the table has names for it; it is not read for that.
    if _ASKS_MODULES:
        open_to_others('keras.config')
    else:
        sys.modules['keras.config'].__class__ = LazyModule
