"""The examples in docstrings run and print what they say.

They run on the NumPy engine, those that train on all others. An example without expected output only has to run.
Numbers may differ in the last digits, and NumPy's habits of printing do not count.
"""
import ast
import doctest
import importlib
import json
import math
import os
import re

import numpy as np
import pytest

import keras

PACKAGE = os.path.dirname(keras.__file__)
TRAINS = re.compile(r'\b(fit|train_on_batch|gradients)\(')
NUMBER = re.compile(r'(?<![\w.])[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?(?![\w])')


def examples():
    """A test for every docstring whose example is for the engine of the run, in every file but the engines'."""
    trains = os.environ['KERAS_BACKEND'] != 'numpy'
    parser = doctest.DocTestParser()
    for folder, _, files in sorted(os.walk(PACKAGE)):
        for path in (os.path.join(folder, file) for file in sorted(files) if file.endswith('.py')):
            if os.path.join('backend', 'engines') in path:
                continue
            with open(path, encoding='utf-8') as file:
                tree = ast.parse(file.read())
            for node, name in documented(tree, os.path.relpath(path, PACKAGE)):
                text = ast.get_docstring(node) or ''
                if '>>>' in text and trains == bool(TRAINS.search(text)):
                    yield pytest.param(parser.get_doctest(text, {}, name, path, None), id=name)


def documented(node, name):
    """(node, name) of a module, its classes and functions, and the methods."""
    yield node, name
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (ast.FunctionDef, ast.ClassDef)):
            for found in documented(child, '%s:%s' % (name, child.name)):
                yield found


def address(path):
    """The address of the module in a file."""
    parts = os.path.relpath(path, os.path.dirname(PACKAGE))[:-len('.py')].split(os.sep)
    return '.'.join(parts[:-1] if parts[-1] == '__init__' else parts)


@pytest.fixture(autouse=True)
def registry_as_it_was():
    """What examples register stays in them."""
    registered = keras.utils.get_custom_objects()
    before = dict(registered)
    yield
    registered.clear()
    registered.update(before)


class Checker(doctest.OutputChecker):
    """Numbers are compared as numbers, the rest as text without its white space."""

    def check_output(self, want, got, optionflags):
        if not want or doctest.OutputChecker.check_output(self, want, got, optionflags):
            return True
        want, got = plain(want), plain(got)
        if re.sub(r'\s', '', NUMBER.sub('0', want)) != re.sub(r'\s', '', NUMBER.sub('0', got)):
            return False
        pairs = zip(NUMBER.findall(want), NUMBER.findall(got))
        return all(math.isclose(float(one), float(other), rel_tol=1e-3, abs_tol=1e-5) for one, other in pairs)


def plain(text):
    """Without the types that NumPy 2 prints around scalars."""
    return re.sub(r'np\.\w+\(([^()]*)\)', r'\1', re.sub(r'np\.(True|False)_', r'\1', text))


def failures(test):
    """What went wrong, as text.

    An example may use the names of its own module, `keras`, `K`, `np`, and a compiled `model` with data `x`, `y`.
    """
    model = keras.Sequential([keras.layers.Dense(1, input_shape=(3,))])
    model.compile('sgd', 'mse')
    test.globs = dict(vars(importlib.import_module(address(test.filename))), keras=keras, K=keras.backend, np=np,
                      model=model, x=np.ones((20, 3), 'float32'), y=np.ones((20, 1), 'float32'))
    written = []
    runner = doctest.DocTestRunner(Checker(), verbose=False, optionflags=doctest.ELLIPSIS)
    runner.run(test, out=written.append)
    return ''.join(written)


@pytest.mark.parametrize('test', list(examples()))
def test_example(test, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = failures(test)
    assert not found, found


@pytest.mark.parametrize('want, got, same', [
    ('', '3', True), ('3', '4', False), ('array([1., 2.])', 'array([1.0000001, 2.])', True),
    ('(1, 2)', '(1, 3)', False), ('0.5', 'np.float32(0.5)', True), ('True', 'np.True_', True),
    ('[1.  2.]', '[1. 2.]', True),
    ("'conv2d_1'", "'conv2d_2'", False), ('[1. 2.]', '[1. 2. 3.]', False)])
def test_the_comparison_of_output(want, got, same):
    assert Checker().check_output(want + '\n' if want else '', got + '\n', 0) is same


@pytest.mark.on('numpy')
@pytest.mark.parametrize('address', ['keras.ops', 'keras.ops.image', 'keras.random'])
def test_every_operation_has_an_example(address):
    with open(os.path.join(PACKAGE, 'legacy', 'known_names.json'), encoding='utf-8') as file:
        names = json.load(file)[address]['3'].split()
    module = importlib.import_module(address)
    assert len(names) > 8
    without = [name for name in names if callable(getattr(module, name)) and '>>>' not in (getattr(module, name).__doc__
                                                                                             or '')]
    assert not without
