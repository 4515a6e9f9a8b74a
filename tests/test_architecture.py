"""What the architecture page promises, checked on the source and in fresh processes."""
import importlib.util
import io
import os
import re
import subprocess
import sys
import tokenize

import pytest

import keras
from keras.backend.contract.loading import KNOWN_ENGINES, installed_engines

pytestmark = pytest.mark.on('numpy')

PACKAGE = os.path.dirname(keras.__file__)
ENGINE_NAMES = sorted(set(KNOWN_ENGINES) | {'tf', 'jnp', 'pytensor'})
# What may name an engine besides the engines: the list of them, and what the file formats keras.json and HDF5 say.
ALLOWED = {os.path.join('backend', 'contract', 'loading.py'), 'config.py', os.path.join('saving', 'hdf5.py'),
           # Keras 1 named the order of axes after the engines.
           os.path.join('legacy', 'arguments.py'),
           # Addresses.
           os.path.join('legacy', 'addresses.py'), os.path.join('legacy', 'known_names.py'),
           os.path.join('datasets', 'origins.py'),
           # Keras 3's functions that make data sets have an argument format='tf'.
           os.path.join('utils', 'sample_sets.py'), os.path.join('utils', 'directories.py'),
           # Addresses, and the ways to scale pictures, which are called after the engines that networks came from.
           os.path.join('applications', 'imagenet_utils.py'), os.path.join('applications', 'keras1.py'),
           os.path.join('applications', 'music_tagger_crnn.py'),
           # One of the generations of Keras is called 'tf', and what it wrote is called after it.
           'generations.py', os.path.join('saving', 'versions.py'), os.path.join('saving', 'keras1.py'),
           os.path.join('saving', 'tf_files.py'), os.path.join('saving', 'tensor_bundle.py'),
           os.path.join('models', 'tf_functions.py'), os.path.join('models', 'tf_operations.py'),
           os.path.join('models', 'tf_keras_operations.py'), os.path.join('legacy', 'tensorflow_version.py'),
           # Layers that run what is written for one library.
           os.path.join('layers', 'jax_layer.py'), os.path.join('layers', 'torch_module.py'),
           # The formats of files by the names that `save_format` and the command line have for them.
           os.path.join('saving', 'formats.py'), os.path.join('command', '__init__.py'),
           os.path.join('command', 'convert.py'), os.path.join('command', 'inspect.py')}


def source_files():
    for folder, _, files in os.walk(PACKAGE):
        for file in files:
            path = os.path.relpath(os.path.join(folder, file), PACKAGE)
            if path.endswith('.py') and not path.startswith(os.path.join('backend', 'engines')) and path not in ALLOWED:
                yield path


def tokens(text):
    return list(tokenize.generate_tokens(io.StringIO(text).readline))


def is_documentation(found, position):
    """Whether the string token at `position` is a statement of its own."""
    before = found[position - 1].type if position else tokenize.NEWLINE
    return before in (tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.NL, tokenize.ENCODING,
                      tokenize.COMMENT) and found[position + 1].type in (tokenize.NEWLINE, tokenize.NL)


def is_compared(found, position):
    return bool({found[position - 1].string, found[position + 1].string} & {'==', '!='})


def names_of_engines(text):
    """(line, token) of every name or string in `text` that is an engine's; documentation does not count."""
    # numpy is also a package that everybody may use: its name counts only where something is compared with it.
    names = [name for name in ENGINE_NAMES if name != 'numpy']
    word = re.compile(r'(?<![\w.])(%s)(?![\w])' % '|'.join(names))
    found = tokens(text)
    result = []
    for position, token in enumerate(found):
        if token.type == tokenize.NAME and token.string in names:
            result.append((token.start[0], token.string))
        elif token.type == tokenize.STRING and not is_documentation(found, position):
            if word.search(token.string) or token.string.strip('\'"') == 'numpy' and is_compared(found, position):
                result.append((token.start[0], token.string))
    return result


@pytest.mark.parametrize('text, count', [
    ("if backend() == 'torch':\n    pass\n", 1), ('import tensorflow as tf\n', 2), ("'''Runs on torch.'''\n", 0),
    ('x = 1  # torch\n', 0), ("def f():\n    '''jax'''\n    return 1\n", 0), ("if name == 'numpy':\n    pass\n", 1),
    ('import numpy as np\n', 0), ("x = {'jax': 1}\n", 1), ("x = 'torchvision'\n", 0)])
def test_the_search_finds_names(text, count):
    assert len(names_of_engines(text)) == count


def test_only_the_engines_name_engines():
    found = {}
    for path in source_files():
        with open(os.path.join(PACKAGE, path), encoding='utf-8') as file:
            names = names_of_engines(file.read())
        if names:
            found[path] = names
    assert not found


MODULES = {'tensorflow', 'torch', 'jax', 'theano', 'pytensor', 'cntk', 'mxnet'}


def run(code, **environment):
    folder = os.path.dirname(PACKAGE)
    path = os.pathsep.join([folder] + ([os.environ['PYTHONPATH']] if os.environ.get('PYTHONPATH') else []))
    result = subprocess.run([sys.executable, '-c', code], env=dict(os.environ, PYTHONPATH=path, **environment),
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120)
    assert result.returncode == 0, result.stderr.decode()[-2000:]
    return result.stdout.decode().split()


LOADED = ('import sys; print(*sorted({name.split(".")[0] for name in sys.modules} & %r | '
          '{".".join(name.split(".")[:4]) for name in sys.modules if name.startswith("keras.backend.engines.")}))'
          % MODULES)


@pytest.mark.parametrize('name', installed_engines())
def test_importing_keras_loads_no_engine(name):
    assert run('import keras; ' + LOADED, KERAS_BACKEND=name) == []


@pytest.mark.parametrize('name', [os.environ['KERAS_BACKEND']])
def test_an_engine_loads_no_other_engine(name):
    loaded = set(run('import keras; from keras.backend.contract.loading import get_engine; get_engine(); ' + LOADED,
                     KERAS_BACKEND=name))
    # An engine's package may import another one on its own account (TensorFlow imports JAX where it is installed), and
    # there are packages that only the engine manages to import.
    package = next(module for module in KNOWN_ENGINES[name].modules if importlib.util.find_spec(module))
    packages = set(run('try:\n    import %s\nexcept AttributeError:\n    pass\n%s' % (package, LOADED)))
    # What is known on the host, an engine may compute there with NumPy's, which needs no package.
    everybodys = {'numpy', 'keras.backend.engines.numpy'}
    assert loaded - everybodys == (packages | {package, 'keras.backend.engines.' + name}) - everybodys
