"""A pytest plugin: the addresses that upstream's own tests import from, answered by our public names.

The tests of Keras 3 import from `keras.src`, where most things stand at other places than in the public interface. The
sources say which public name each has (`@keras_export`) and where modules take their names from, so nothing is listed
here. Four kinds of names are answered, the first that fits: modules, public names, what a module imports from elsewhere
(followed to its public name), and our own `keras.src`. The classes of operations are private, but each stands behind a
public function, which is called in their place (`Operation`). `stand_ins.py` has what the public interface says
in other words. What is left is private to upstream: a test that touches
such a name is skipped, with "PRIVATE" and the name.

The folder of the sources is in KERAS_UPSTREAM. A few modules of helpers run as they are (`AS_THEY_ARE`).
"""
import ast
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import os
import re
import sys
import types

import pytest

ROOT = os.environ['KERAS_UPSTREAM']
PACKAGE = 'keras.src'
# Helpers of the tests, and plain lists that tests are parametrized with.
AS_THEY_ARE = {'keras.src.api_export', 'keras.src.testing', 'keras.src.testing.test_case',
               'keras.src.testing.test_utils', 'keras.src.backend.common.dtypes',
               'keras.src.backend.common.backend_utils', 'keras.src.utils.module_utils'}
# Parts of backends are not exported one by one; these public modules have functions of the same names.
OF_BACKENDS = ('keras.ops', 'keras.ops.image', 'keras.ops.linalg', 'keras.ops.nn', 'keras.random', 'keras.backend',
               'keras.config', 'keras.utils', 'keras.tree', 'keras')


def _path_of(module):
    """The file of one of upstream's modules or tests, or None."""
    base = os.path.join(ROOT, *module.split('.'))
    for path in (base + '.py', os.path.join(base, '__init__.py')):
        if os.path.isfile(path):
            return path
    return None


def _holds(test, engine):
    """Whether `backend() == 'name'` and its kin hold; True where a condition is about something else."""
    if isinstance(test, ast.Compare) and isinstance(test.left, ast.Call):
        name = getattr(test.left.func, 'id', getattr(test.left.func, 'attr', ''))
        if name == 'backend' and isinstance(test.ops[0], ast.Eq):
            return getattr(test.comparators[0], 'value', None) == engine
    return True


def _statements(body, engine):
    """What a module does when it is imported, branches of other backends left out."""
    for statement in body:
        if isinstance(statement, ast.If):
            for branch in (statement.body if _holds(statement.test, engine) else [], statement.orelse):
                for inner in _statements(branch, engine):
                    yield inner
        elif isinstance(statement, ast.Try):
            for inner in _statements(statement.body, engine):
                yield inner
        else:
            yield statement


class Source:
    """What a module of upstream's defines and imports, read from its source.

    `exported`: {name: its public path}; `imported`: {name: (module, name there or None)}; `stars`: modules of which it
    takes everything; `defined`: the names of its own; `classes`, `functions`: these as they stand in the source.
    """

    def __init__(self, module):
        self.exported, self.imported, self.stars, self.defined = {}, {}, [], set()
        self.classes, self.functions, self.operations = {}, [], None
        with open(_path_of(module), encoding='utf-8') as source:
            tree = ast.parse(source.read())
        for statement in _statements(tree.body, os.environ.get('KERAS_BACKEND')):
            if isinstance(statement, ast.ImportFrom) and (statement.module or '').startswith('keras'):
                for alias in statement.names:
                    if alias.name == '*':
                        self.stars.append(statement.module)
                    else:
                        self.imported[alias.asname or alias.name] = (statement.module, alias.name)
            elif isinstance(statement, (ast.ClassDef, ast.FunctionDef)):
                self.defined.add(statement.name)
                if isinstance(statement, ast.ClassDef):
                    self.classes[statement.name] = statement
                else:
                    self.functions.append(statement)
                for decorator in statement.decorator_list:
                    if getattr(getattr(decorator, 'func', None), 'id', None) == 'keras_export':
                        self.exported[statement.name] = self._first(decorator)
            elif isinstance(statement, ast.Assign):
                for target in statement.targets:
                    if isinstance(target, ast.Name):
                        self._assigned(target.id, statement.value)

    def _assigned(self, name, value):
        self.defined.add(name)
        if isinstance(value, ast.Call) and getattr(getattr(value.func, 'func', None), 'id', None) == 'keras_export':
            self.exported[name] = self._first(value.func)
        elif isinstance(value, ast.Name):
            # `other = this` has the public name of this, where that has one.
            known = self.exported.get(value.id)
            if known:
                self.exported[name] = known

    @staticmethod
    def _first(call):
        paths = ast.literal_eval(call.args[0])
        return paths if isinstance(paths, str) else paths[0]


class Operation:
    """Stands for the class of an operation, whose calls are calls of the public function that makes one of it.

    `given`, `called`: {parameter of the constructor, of `call`: parameter of the function}, in order.
    """

    def __init__(self, function, given, called):
        self.function, self.given, self.called = function, given, called

    def __call__(self, *args, **kwargs):
        return Calls(self, _bound(self.given, args, kwargs))


class Calls:
    """Stands for the object of an operation; what it has besides calls is private."""

    def __init__(self, operation, settings):
        self._operation, self._settings = operation, settings

    def __call__(self, *args, **kwargs):
        called = _bound(self._operation.called, args, kwargs)
        return self._operation.function(**dict(self._settings, **called))

    call = __call__

    def symbolic_call(self, *args, **kwargs):
        """The call without values, also where tensors have some."""
        settings = {key: value if isinstance(value, (str, int, float, tuple, list)) else _abstract(value)
                    for key, value in self._settings.items()}
        return Calls(self._operation, settings)(*_abstract(args), **_abstract(kwargs))

    compute_output_spec = symbolic_call

    def __getattr__(self, name):
        pytest.skip('PRIVATE %s of an operation' % name)


def _abstract(values):
    keras = sys.modules['keras']

    def of(value):
        array = type(value).__module__ == 'numpy' and getattr(value, 'ndim', 0)
        if not (keras.ops.is_tensor(value) or array) or isinstance(value, keras.KerasTensor):
            return value
        return keras.KerasTensor(tuple(value.shape), keras.backend.standardize_dtype(value.dtype))

    return keras.tree.map_structure(of, values)


def _bound(parameters, args, kwargs):
    kwargs.pop('name', None)
    named = dict(zip(parameters, args), **kwargs)
    if len(args) > len(parameters) or not set(named) <= set(parameters):
        pytest.skip('PRIVATE signature of a class: %s' % sorted(set(named) - set(parameters)))
    return {parameters[key]: value for key, value in named.items()}


def _operation(module, name):
    """(True, an `Operation` for the class of this name), or (False, None)."""
    if module == PACKAGE + '.ops':
        found = [_operation(star, name) for star in source_of(module).stars if star.startswith(module)]
        return next((each for each in found if each[0]), (False, None))
    if not module.startswith(PACKAGE + '.ops') or name not in source_of(module).defined:
        return False, None
    source = source_of(module)
    by_hand = _stand_ins().OPERATIONS.get(module[len(PACKAGE) + 1:], {}).get(name)
    if by_hand:
        function, *parameters = by_hand
        return True, Operation(function, *({each: each for each in names.split()} for names in parameters))
    if source.operations is None:
        # Of several functions that make it the first, whose name it has.
        source.operations = {made.func.value.func.id: (part.name, made) for part in reversed(source.functions)
                             for made in ast.walk(part) if _makes_operation(made)}
    if name not in source.operations:
        return False, None
    function, made = source.operations[name]
    known, function = _looked_up(module, function, set())
    parameters = [_parameters(made.func.value, source.classes, '__init__'),
                  _parameters(made, source.classes, 'call', name)]
    return (True, Operation(function, *parameters)) if known and None not in parameters else (False, None)


def _makes_operation(node):
    """Whether this is `Class(...).symbolic_call(...)`."""
    return isinstance(node, ast.Call) and getattr(node.func, 'attr', None) == 'symbolic_call' and isinstance(
        node.func.value, ast.Call) and isinstance(node.func.value.func, ast.Name)


def _parameters(made, classes, method, name=None):
    """{parameter of a method: variable that this call of it passes}; None where it passes anything else."""
    found, part = [], classes.get(name or made.func.id)
    while part is not None and not found:
        found = [each for each in part.body if isinstance(each, ast.FunctionDef) and each.name == method]
        part = classes.get(getattr(part.bases[0], 'id', None)) if part.bases else None
    names = [each.arg for each in found[0].args.args[1:] + found[0].args.kwonlyargs] if found else []
    passed = list(zip(names, made.args)) + [(each.arg, each.value) for each in made.keywords]
    if not all(isinstance(value, ast.Name) for _, value in passed):
        return None
    return {key: value.id for key, value in passed}


_sources = {}


def source_of(module):
    if module not in _sources:
        _sources[module] = Source(module)
    return _sources[module]


def _stand_ins():
    """The module of stand-ins, which needs the engine: loaded when it is first asked for."""
    return importlib.import_module('stand_ins')


def _public(path):
    """(True, what is at a public path of ours), or (False, None)."""
    parts = path.split('.')
    found = sys.modules['keras']
    for part in parts[1:]:
        try:
            found = getattr(found, part)
        except AttributeError:
            return False, None
    return True, found


def _looked_up(module, name, seen):
    """(True, what upstream's module has under a name), or (False, None)."""
    if (module, name) in seen or _path_of(module) is None:
        return False, None
    seen.add((module, name))
    source = source_of(module)
    if name in source.exported:
        return _public(source.exported[name])
    if name in source.imported:
        there, original = source.imported[name]
        if _path_of(there + '.' + original):
            return True, importlib.import_module(there + '.' + original)
        if there in AS_THEY_ARE:
            return True, getattr(importlib.import_module(there), original)
        found = _looked_up(there, original, seen)
        if found[0]:
            return found
    for star in source.stars:
        found = _looked_up(star, name, seen)
        if found[0]:
            return found
    if module.startswith('keras.src.backend'):
        for place in OF_BACKENDS:
            found = _public(place + '.' + name)
            if found[0]:
                return found
    return False, None


def _set_aside():
    """Take what stands below `keras.src` out of the loaded modules; gives it."""
    names = [name for name in sys.modules if name == PACKAGE or name.startswith(PACKAGE + '.')]
    return {name: sys.modules.pop(name) for name in names}


def _ours(module, name):
    """(True, what our own `keras.src` has), or (False, None)."""
    proxies = _set_aside()
    sys.meta_path.remove(FINDER)
    try:
        return _found_by_others(module, name)
    finally:
        sys.meta_path.insert(0, FINDER)
        _set_aside()
        sys.modules.update(proxies)


def _found_by_others(module, name):
    try:
        return True, getattr(importlib.import_module(module), name)
    except (AttributeError, ImportError):
        return False, None


# The trainer of a backend.
TRAINERS = re.compile(r'keras\.src\.backend\.\w+\.trainer\.\w+Trainer$')


class _PrivateBase:
    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        cls.__init__ = _skip_base


def _skip_base(self, *args, **kwargs):
    pytest.skip('PRIVATE base class')


class Private:
    """Stands for a name that is private to upstream: who uses it is skipped; to import it is no use."""

    def __init__(self, name):
        self.__dict__['_private'] = name

    def _skip(self, *args, **kwargs):
        pytest.skip('PRIVATE ' + self.__dict__['_private'], allow_module_level=True)

    __call__ = __setattr__ = __delattr__ = __getitem__ = __enter__ = __eq__ = __instancecheck__ = _skip
    __hash__ = object.__hash__

    def __getattr__(self, name):
        if name.startswith('__'):
            raise AttributeError(name)
        return Private(self.__dict__['_private'] + '.' + name)

    def __iter__(self):
        return iter(())

    def __mro_entries__(self, bases):
        return (_PrivateBase,)

    def __repr__(self):
        return 'Private(%r)' % self.__dict__['_private']


class MixedTrainer:
    """Stands for upstream's trainers, which its tests mix into layers: a class with it as a base is a `Model`, too."""

    def __init__(self, *models):
        """Upstream's `Trainer.__init__(self)` as well, in which nothing is left to do."""

    def __mro_entries__(self, bases):
        keras = sys.modules['keras']
        layers = [base for base in bases if isinstance(base, type) and base is not keras.layers.Layer]
        return (type('Trainer', (*layers, keras.Model), {}),)


class Proxy(types.ModuleType):
    """One of upstream's modules, whose names are ours."""

    def __getattr__(self, name):
        if name.startswith('__'):
            raise AttributeError(name)
        below = self.__name__ + '.' + name
        stand_in = _stand_ins().STAND_INS.get((self.__name__[len(PACKAGE) + 1:], name))
        if stand_in:
            return stand_in()
        if _path_of(below) and name not in source_of(self.__name__).imported:
            return importlib.import_module(below)
        for lookup in (lambda: _looked_up(self.__name__, name, set()), lambda: _ours(self.__name__, name),
                       lambda: _operation(self.__name__, name)):
            known, found = lookup()
            if known:
                return found
        return MixedTrainer() if TRAINERS.match(below) else Private(below)


class _OfTests(importlib.machinery.SourceFileLoader):
    """Loads a test that others import from, whose classes are no more the library's own than where pytest runs it."""

    def exec_module(self, module):
        module.__name__ = self.name
        super().exec_module(module)


class Upstream(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds everything below `keras.src`: tests and helpers run from their files, the rest is a `Proxy`."""

    def find_spec(self, name, path=None, target=None):
        if name != PACKAGE and not name.startswith(PACKAGE + '.'):
            return None
        file = _path_of(name)
        if file is None:
            return None
        if name.endswith('_test'):
            loader = _OfTests('upstream' + name[len(PACKAGE):], file)
            return importlib.util.spec_from_file_location(name, file, loader=loader)
        if name in AS_THEY_ARE:
            below = [os.path.dirname(file)] if file.endswith('__init__.py') else None
            return importlib.util.spec_from_file_location(name, file, submodule_search_locations=below)
        return importlib.util.spec_from_loader(name, self, is_package=True)

    def create_module(self, spec):
        return Proxy(spec.name)

    def exec_module(self, module):
        module.__path__ = []


# After our own finder, which importing keras puts first, so that it stands before it.
importlib.import_module('keras')
_set_aside()
FINDER = Upstream()
sys.meta_path.insert(0, FINDER)

# Upstream's conftest.py, which is not among the published sources, has this for its tests to import.
_conftest = types.ModuleType('conftest')
_conftest.skip_if_backend = lambda engine, reason: pytest.mark.skipif(os.environ['KERAS_BACKEND'] == engine,
                                                                      reason=reason)
sys.modules['conftest'] = _conftest


def _seed_generators(layer):
    """What upstream's helper counts in attributes that are private there."""
    keras = sys.modules['keras']
    layers = layer._flatten_layers() if hasattr(layer, '_flatten_layers') else [layer]
    found = {}
    for part in layers:
        for value in vars(part).values():
            for each in value if isinstance(value, (list, tuple)) else [value]:
                if isinstance(each, keras.random.SeedGenerator):
                    found[id(each)] = each
    return list(found.values())


def pytest_configure(config):
    helpers = importlib.import_module('keras.src.testing.test_case')
    helpers.get_seed_generators = _seed_generators
    for marker in ('requires_trainable_backend', 'skip_if_backend', 'openvino_backend', 'multi_device'):
        config.addinivalue_line('markers', marker + ': a marker of upstream')


@pytest.fixture(autouse=True)
def _classes_of_the_test(request):
    """What stands in a test's module is found by name, as upstream finds what is below `keras`, where its tests lie."""
    classes = {name: value for name, value in vars(request.module).items() if isinstance(value, type)
               and hasattr(value, 'from_config') and value.__module__.startswith('upstream.')}
    with sys.modules['keras'].saving.custom_object_scope(classes):
        yield


def pytest_ignore_collect(collection_path):
    """Tests of one backend's own code run on that engine only."""
    parts = collection_path.parts
    others = {'tensorflow', 'jax', 'torch', 'numpy', 'openvino'} - {os.environ['KERAS_BACKEND']}
    return True if any(part == 'backend' and parts[at + 1] in others for at, part in enumerate(parts[:-1])) else None


def pytest_collection_modifyitems(config, items):
    engine = os.environ['KERAS_BACKEND']
    for item in items:
        if engine == 'numpy' and item.get_closest_marker('requires_trainable_backend'):
            item.add_marker(pytest.mark.skip(reason='NumPy does not train'))
        for marker in item.iter_markers('skip_if_backend'):
            if marker.args[0] == engine:
                item.add_marker(pytest.mark.skip(reason='upstream skips it on %s' % engine))
