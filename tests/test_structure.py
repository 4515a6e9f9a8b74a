"""The structure of the source, read from its syntax trees: private names stay in their files, imports form no circle,
and a function fits on a screen.
"""
import ast
import collections
import os

import pytest

import keras

# Nothing here depends on the engine.
pytestmark = pytest.mark.on('numpy')

PACKAGE = os.path.dirname(keras.__file__)
SCREEN = 60
ENGINES = 'backend/engines/'

# Names with an underscore that are public by custom.
PUBLIC = {
    '_fields': 'of named tuples, documented by Python',
    '_getframe': 'of sys, documented by Python',
    '_inbound_nodes': 'of layers: 10 of 64 packages read it (tf2onnx, SHAP, Netron and others)',
    '_outbound_nodes': 'of layers: read beside _inbound_nodes',
}


# --- the source -------------------------------------------------------------------------------------------------------

def module_of(path):
    """The address of the module in a file, given relative to the package's folder."""
    parts = ('keras/' + path.replace(os.sep, '/'))[:-len('.py')].split('/')
    return '.'.join(parts[:-1] if parts[-1] == '__init__' else parts)


def parsed():
    """{path relative to the package: syntax tree} of every file."""
    found = {}
    for folder, _, files in os.walk(PACKAGE):
        for file in files:
            if file.endswith('.py'):
                path = os.path.join(folder, file)
                with open(path, encoding='utf-8') as opened:
                    found[os.path.relpath(path, PACKAGE).replace(os.sep, '/')] = ast.parse(opened.read())
    return found


TREES = parsed()


# --- private names ----------------------------------------------------------------------------------------------------

def is_private(name):
    return name.startswith('_') and not name.startswith('__') and name.strip('_') != '' and name not in PUBLIC


def is_own(node):
    """Whether an expression is `self`, `cls` or `super()`."""
    return isinstance(node, ast.Name) and node.id in ('self', 'cls') or \
        isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == 'super'


def defined_names(tree):
    """The private names that a file defines: functions, classes, variables, attributes of `self`, slots."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            names.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and is_own(node.value):
            names.add(node.attr)
        elif isinstance(node, ast.Assign) and any(getattr(target, 'id', '') == '__slots__' for target in node.targets):
            names.update(constants(node.value))
    return set(filter(is_private, names))


BY_NAME = ('getattr', 'setattr', 'hasattr', 'delattr')
# Up to Python 3.7 a string in the source is an `ast.Str`.
STRINGS = ('Constant', 'Str')


def constants(node):
    """The strings in an expression."""
    values = [getattr(part, 'value', getattr(part, 's', None)) for part in ast.walk(node)
              if type(part).__name__ in STRINGS]
    return [value for value in values if isinstance(value, str)]


def attributes_defined(tree):
    """Those that are attributes of the classes in the file."""
    return set().union(*[defined_names(node) for node in tree.body if isinstance(node, ast.ClassDef)])


def imported_names(tree, ours_only):
    """The private names that a file imports, from everywhere or from this package only."""
    modules = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)
               and (node.module.split('.')[0] == 'keras' or not ours_only)]
    return set(filter(is_private, (alias.name for node in modules for alias in node.names)))


def attributes_used(tree):
    """The private names that a file takes as attributes, also by `getattr` and its kin."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            names.add(node.attr)
        elif isinstance(node, ast.Call) and getattr(node.func, 'id', '') in BY_NAME:
            names.update(constants(node.args[1]) if type(node.args[1]).__name__ in STRINGS else ())
    return set(filter(is_private, names))


def foreign_names(trees):
    """{path: private names that the file uses and does not define}.

    An engine's files may use those of its library: names that neither the files below the engines nor its own define.
    """
    found = {}
    for path, tree in trees.items():
        is_engine = path.startswith(ENGINES)
        names = attributes_used(tree)
        if is_engine:
            package = '/'.join(path.split('/')[:3])
            names &= set().union(*[attributes_defined(other) for name, other in trees.items() if name.startswith(
                package if name.startswith(ENGINES) else 'backend/')])
        names = (names | imported_names(tree, ours_only=is_engine)) - defined_names(tree)
        if names:
            found[path] = ' '.join(sorted(names))
    return found


@pytest.mark.parametrize('text, names', [
    ('from x import _y', '_y'), ('import x\nx._y', '_y'), ('def f(a):\n    return a._y', '_y'), ('a._y = 1', '_y'),
    ('getattr(a, "_y")', '_y'), ('setattr(a, b + "_y", 1)', ''), ('a.__dict__', ''),
    ('class A:\n    def _y(self):\n        pass\ndef f(a):\n    return a._y()', ''),
    ('class A:\n    __slots__ = ["_y"]\ndef f(a):\n    return a._y', ''), ('_y = 1\n_y', ''), ('for _ in x: pass', ''),
    ('class A(B):\n    def f(self):\n        return self._y', '_y'), ('x._fields', ''),
    ('class A:\n    def f(self):\n        self._y = 1\ndef g(a):\n    a._y', '')])
def test_the_search_for_private_names(text, names):
    assert foreign_names({'layers/x.py': ast.parse(text)}) == ({'layers/x.py': names} if names else {})


@pytest.mark.parametrize('text, names', [
    ('x._theirs', ''), ('x._ours', '_ours'), ('from torch import _C', ''), ('from keras.backend.state import _x', '_x'),
    ('x._of_others', '')])
def test_an_engine_may_use_private_names_of_its_library(text, names):
    trees = {ENGINES + 'one.py': text, 'backend/x.py': 'class A:\n    _ours = 1',
             ENGINES + 'two.py': 'class A:\n    _of_others = 1'}
    found = foreign_names({path: ast.parse(source) for path, source in trees.items()})
    assert found == ({ENGINES + 'one.py': names} if names else {})


def test_private_names_stay_in_their_files():
    # An attribute of `self` that another file's class defines counts: a base class offers its heirs names without _.
    assert not foreign_names(TREES)


# --- imports ----------------------------------------------------------------------------------------------------------

def imports(trees):
    """{module: the modules that it imports}, inside functions and by `lazy.attach` as well.

    The package at the top is left out: its table names everything.
    """
    modules = {module_of(path) for path in trees}
    found = collections.defaultdict(set)
    for path, tree in trees.items():
        module = module_of(path)
        if module == 'keras':
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                found[module].update(alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module:
                names = ['%s.%s' % (node.module, alias.name) for alias in node.names]
                found[module].update(name if name in modules else node.module for name in names)
            elif isinstance(node, ast.Call) and ast.dump(node.func).startswith("Attribute(value=Name(id='lazy'"):
                found[module].update(attached(module, node, modules))
    return {module: (names & modules) - {'keras', module} for module, names in found.items()}


def attached(module, call, modules):
    """What a call of `lazy.attach` announces."""
    strings = [part for argument in [keyword.value for keyword in call.keywords] + call.args
               for text in constants(argument) for part in text.split()]
    return {name for part in strings for name in (part, '%s.%s' % (module, part)) if name in modules}


def circles(graph):
    """Groups of modules that import each other, directly or by way of others, sorted."""
    reached = {module: reachable(graph, module) for module in graph}
    groups = {frozenset(other for other in reached[module] if module in reached.get(other, ())) for module in graph
              if module in reached[module]}
    return sorted(sorted(group) for group in groups)


def reachable(graph, module):
    found, todo = set(), list(graph[module])
    while todo:
        name = todo.pop()
        if name not in found:
            found.add(name)
            todo.extend(graph.get(name, ()))
    return found


@pytest.mark.parametrize('files, groups', [
    ({'a.py': 'from keras import b', 'b.py': 'from keras.c import x', 'c.py': ''}, []),
    ({'a.py': 'from keras import b', 'b.py': 'def f():\n    from keras.a import x'}, [['keras.a', 'keras.b']]),
    ({'a/__init__.py': 'lazy.attach(__name__, names={"keras.a.b": "X"})', 'a/b.py': 'import keras.a'},
     [['keras.a', 'keras.a.b']]),
    ({'a/__init__.py': 'lazy.attach(__name__, modules="b")', 'a/b.py': 'import keras'}, [])])
def test_the_search_for_circles(files, groups):
    assert circles(imports({path: ast.parse(text) for path, text in files.items()})) == groups


def test_imports_form_no_circle():
    assert not circles(imports(TREES))


# --- size -------------------------------------------------------------------------------------------------------------

def last_line(node):
    return max(getattr(part, 'lineno', 0) for part in ast.walk(node))


def test_a_function_fits_on_a_screen():
    assert not ['%s: %s' % (path, node.name) for path, tree in TREES.items() for node in ast.walk(tree)
                if isinstance(node, ast.FunctionDef) and last_line(node) - node.lineno >= SCREEN]


# --- the tests --------------------------------------------------------------------------------------------------------

def test_files_of_tests_have_names_of_their_own():
    """pytest imports them by these, and refuses a second file of the same name in one run."""
    names = [name for _, _, names in os.walk(os.path.dirname(__file__)) for name in names
             if name.startswith('test_') and name.endswith('.py')]
    assert sorted(names) == sorted(set(names))
