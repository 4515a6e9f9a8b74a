"""What is loaded when it is touched looks like what is loaded at once: names, addresses, threads, and little work."""
import importlib
import os
import pickle
import subprocess
import sys

import pytest

import keras

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(keras.__file__)))
# Nothing here depends on the engine.
pytestmark = pytest.mark.on('numpy')
LAZY = ['keras', 'keras.callbacks', 'keras.legacy', 'keras.saving', 'keras.utils']


def run(code):
    """What `code` prints in a fresh process, split at white space."""
    path = os.pathsep.join([ROOT] + os.environ.get('PYTHONPATH', '').split(os.pathsep))
    result = subprocess.run([sys.executable, '-c', code], env=dict(os.environ, PYTHONPATH=path),
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, universal_newlines=True, timeout=120)
    assert result.returncode == 0, result.stderr[-2000:]
    return result.stdout.split()


def test_importing_keras_loads_next_to_nothing():
    loaded = run('import sys, keras; print(*sys.modules)')
    assert {name for name in loaded if name.startswith('keras')} == {'keras', 'keras.config', 'keras.lazy',
                                                                    'keras.version'}
    assert not {'numpy', 'h5py', 'scipy', 'inspect', 'difflib', 'tempfile'}.intersection(
        set(loaded) - set(run('import json, sys; print(*sys.modules)')))


@pytest.mark.parametrize('code', [
    'import keras; keras.layers.Dense(2)',
    'import keras; keras.Sequential([keras.layers.Dense(2)]).compile("sgd", "mse")',
    'from keras import layers; layers.Dense(2)',
    'from keras.layers import Dense; Dense(2)',
    'from keras.layers import *; Dense(2)',
    'from keras import *; layers.Dense(2), Model, Sequential, backend.floatx()',
    'import keras.layers as layers; layers.Dense(2)',
    'from keras import backend as K; K.variable(1)',
    'import keras.engine.topology; keras.engine.topology.Layer is keras.layers.Layer or 1 / 0',
    'import keras; keras.engine.topology.Layer is keras.layers.Layer or 1 / 0',
    'import keras; keras.legacy.interfaces',
    'import keras; x = keras.Input((2,)); -x + 1; x[0]',
    'import keras; v = keras.Variable([1.]); v + 1',
    'import importlib, keras; importlib.reload(keras); keras.layers.Dense(2)',
])
def test_ways_to_touch(code):
    run(code)


@pytest.mark.parametrize('package', LAZY)
def test_everything_announced_is_there(package):
    module = importlib.import_module(package)
    assert set(module.__all__) <= set(dir(module))
    for name in module.__all__:
        assert getattr(module, name) is vars(module)[name]


@pytest.mark.parametrize('package', LAZY)
def test_no_name_is_both_a_module_and_something_else(package):
    # Importing the module later would put it in the place of the other.
    folder = os.path.dirname(importlib.import_module(package).__file__)
    for name, address in importlib.import_module(package).__lazy__.items():
        is_module = os.path.exists(os.path.join(folder, name + '.py')) or os.path.isdir(os.path.join(folder, name))
        assert is_module == (address == '%s.%s' % (package, name)), name


def test_what_is_not_there():
    with pytest.raises(AttributeError, match="module 'keras' has no attribute 'layer'"):
        keras.layer
    with pytest.raises(ImportError):
        from keras import layer  # noqa: F401
    assert not hasattr(keras, '__wrapped__')


def test_a_module_is_loaded_once_and_then_an_attribute():
    assert run('import sys, keras; before = "layers" in vars(keras); first = keras.layers\n'
               'print(before, "layers" in vars(keras), first is keras.layers is sys.modules["keras.layers"])'
               ) == ['False', 'True', 'True']


def test_garbage_is_collected_after_loading_as_before():
    assert run('import gc, keras; keras.losses; print(gc.isenabled())\n'
               'gc.disable(); keras.models; print(gc.isenabled())') == ['True', 'False']


def test_a_module_for_later_is_loaded_when_it_is_touched():
    assert run('import sys; from keras import lazy; later = lazy.Later("html"); print("html" in sys.modules)\n'
               'print(later.escape("<"), "html" in sys.modules)') == ['False', '&lt;', 'True']


@pytest.mark.parametrize('code', [
    'keras.ops.convert_to_numpy(np.ones(2))',
    'x = keras.Input((4,)); keras.Model(x, keras.Sequential([layers.Dense(2), layers.Dense(3)])(x))',
    'x = keras.Input((4, 3)); keras.Model(x, layers.Bidirectional(layers.LSTM(2))(layers.Masking()(x)))'])
def test_no_engine_is_loaded_before_one_computes(code):
    """One that was chosen takes seconds to import; models are made without it."""
    assert run('import os, sys\nos.environ["KERAS_BACKEND"] = "torch"\nimport keras, numpy as np\n'
               'from keras import layers\n%s\nprint("torch" in sys.modules)' % code)[-1] == 'False'


def test_a_name_can_be_replaced():
    assert run('import keras; keras.Model = 3; print(keras.Model)') == ['3']


def test_pickling_by_address():
    for thing in (keras.layers.Dense, keras.Model, keras.losses.mean_squared_error, keras.optimizers.SGD):
        assert pickle.loads(pickle.dumps(thing)) is thing


def test_pickle_of_a_fresh_process():
    assert run('import pickle; print(pickle.loads(%r).__name__)' % pickle.dumps(keras.layers.Dense)) == ['Dense']


def test_help_and_completion():
    printed = ' '.join(run('import rlcompleter, keras\n'
                           'print(*[rlcompleter.Completer(globals()).complete("keras.lay", 0)]); help(keras)'))
    assert printed.startswith('keras.layers') and 'KerasTensor' in printed


def test_two_threads_touch_at_the_same_time():
    code = ('import sys, threading, keras\n'
            'sys.setswitchinterval(1e-6)\n'
            'names = {names!r}\n'
            'found, barrier = [], threading.Barrier(len(names))\n'
            'def touch(name):\n'
            '    barrier.wait()\n'
            '    found.append(eval(name))\n'
            'threads = [threading.Thread(target=touch, args=(name,)) for name in names]\n'
            '[thread.start() for thread in threads]; [thread.join() for thread in threads]\n'
            'assert len(found) == len(names), found\n'
            'model = keras.Sequential([keras.layers.Dense(2, input_shape=(3,))])\n'
            'print(model.output_shape)')
    for names in (['keras.layers.Dense', 'keras.layers.Dense'], ['keras.models.Model', 'keras.layers.Dense'],
                  ['keras.backend.sum', 'keras.losses.mse', 'keras.metrics.Mean', 'keras.optimizers.SGD']):
        assert ' '.join(run(code.format(names=names))) == '(None, 2)'
