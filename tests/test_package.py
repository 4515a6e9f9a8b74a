"""The package as a whole: what importing it loads, its version, its public names and its commands."""
import os
import re
import subprocess
import sys

import pytest

import keras

ROOT = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
ENGINES = ('tensorflow', 'theano', 'cntk', 'mxnet', 'jax', 'torch')


def in_fresh_process(code, **environment):
    path = os.pathsep.join([ROOT] + os.environ.get('PYTHONPATH', '').split(os.pathsep))
    return subprocess.run([sys.executable, '-c', code], env=dict(os.environ, PYTHONPATH=path, **environment),
                          stdout=subprocess.PIPE, check=True, universal_newlines=True).stdout


def library_files():
    for folder, _, names in os.walk(os.path.join(ROOT, 'keras')):
        for name in sorted(names):
            if name.endswith('.py'):
                yield os.path.join(folder, name)


def test_version():
    assert keras.__version__ == '4.0.0' and keras.version() == '3.15.1'


@pytest.mark.parametrize('package, version', [
    ('tensorflow_probability.python.internal.tf_keras', '2.15.0'), ('tensorflow_hub.keras_layer', '2.15.0'),
    ('keras_tuner.src.backend.config', '3.15.1'), ('tensorflow_text', '3.15.1')])
def test_packages_that_want_keras_2_are_told_so(package, version):
    scope = {'__name__': package, 'keras': keras}
    exec('version = keras.version()', scope)
    assert scope['version'] == version


def test_importing_and_building_loads_no_engine_and_nothing_heavy():
    loaded = in_fresh_process(
        'import sys, keras\n'
        'model = keras.Sequential([keras.layers.Dense(2, input_shape=(3,))])\n'
        'model.summary(print_fn=len), model.get_config()\n'
        'print(*sys.modules)').split()
    heavy = set(ENGINES) | {'pytensor', 'scipy', 'h5py', 'pandas', 'sklearn', 'yaml', 'matplotlib', 'requests',
                              'multiprocessing', 'socket', 'configparser', 'html', 'zipfile'}
    assert not heavy & set(loaded)
    assert not [name for name in loaded if name.startswith('keras.backend.engines.')]


def test_every_folder_with_modules_is_a_package():
    folders = {os.path.dirname(path) for path in library_files()}
    assert not [folder for folder in folders if not os.path.exists(os.path.join(folder, '__init__.py'))]


def test_public_names_of_the_root():
    for name in ('Input', 'Layer', 'Model', 'Sequential', 'Variable', 'KerasTensor', 'InputSpec'):
        assert hasattr(keras, name)
    for name in ('activations', 'backend', 'callbacks', 'config', 'constraints', 'initializers', 'layers', 'losses',
                 'metrics', 'models', 'ops', 'optimizers', 'random', 'regularizers', 'saving', 'utils'):
        assert hasattr(keras, name)


@pytest.mark.parametrize('module, names', [
    ('keras.engine', 'Input InputLayer InputSpec Layer Model get_source_inputs'),
    ('keras.engine.topology', 'Input InputLayer InputSpec Layer Network Container Node get_source_inputs'),
    ('keras.engine.base_layer', 'InputSpec Layer Node count_params has_arg to_list unpack_singleton'),
    ('keras.engine.input_layer', 'Input InputLayer Layer Node'),
    ('keras.engine.network', 'InputLayer Layer Network Node get_source_inputs'),
    ('keras.engine.saving', 'load_model save_model model_from_config model_from_json pickle_model'),
    ('keras.engine.sequential', 'Input InputLayer Layer Model Sequential'),
    ('keras.engine.training', 'Layer Model Network slice_arrays to_list'),
])
def test_older_import_addresses(module, names):
    __import__(module)
    assert not [name for name in names.split() if not hasattr(sys.modules[module], name)]
    assert sys.modules[module].Layer is keras.layers.Layer if 'Layer' in names.split() else True


def test_readme_and_ci_agree():
    with open(os.path.join(ROOT, 'README.md'), encoding='utf-8') as file:
        text = file.read()
    commands = re.findall(r'<!-- test command -->\n```sh\n(.*?)\n```', text, re.S)
    assert len(commands) == 1 and commands[0].endswith('.venv-tox/bin/tox')
