"""What other Kerases have elsewhere is there, too: the thing itself, found when it is touched."""
import importlib
import os
import pkgutil
import subprocess
import sys
import types
from unittest import mock

import pytest

import keras
from keras import layers, lazy
from keras.legacy import addresses, known_names
from keras.utils import io_utils

pytestmark = pytest.mark.on('numpy')

# Addresses that packages and scripts import: {Keras 1 and 2, tf.keras, Keras 3 and where we have it}.
SAME = {
    'keras.layers.Dense': """keras.layers.core.Dense keras.layers.core.dense.Dense keras.src.layers.core.dense.Dense
        keras.api.layers.Dense keras.api._v1.keras.layers.Dense keras.api._v2.keras.layers.Dense keras.src.layers.Dense
        keras._tf_keras.keras.layers.Dense""",
    'keras.layers.Layer': """keras.engine.Layer keras.engine.topology.Layer keras.engine.base_layer.Layer
        keras.src.layers.layer.Layer keras.src.engine.base_layer.Layer keras.src.Layer""",
    'keras.layers.InputSpec': 'keras.engine.topology.InputSpec keras.engine.input_spec.InputSpec',
    'keras.Model': """keras.engine.training.Model keras.engine.training_v1.Model keras.models.Functional
        keras.engine.functional.Functional keras.src.engine.functional.Functional keras.engine.network.Network
        keras.src.models.functional.Functional keras.src.models.model.Model keras.engine.topology.Container""",
    'keras.Sequential': 'keras.engine.sequential.Sequential keras.src.models.sequential.Sequential',
    'keras.KerasTensor': 'keras.engine.keras_tensor.KerasTensor keras.src.backend.common.keras_tensor.KerasTensor',
    'keras.Variable': """keras.src.backend.common.variables.KerasVariable
        keras.src.backend.common.variables.Variable""",
    'keras.optimizers.Adam': """keras.src.optimizers.adam.Adam keras.optimizer_v2.adam.Adam
        keras.optimizers.optimizer_v2.adam.Adam keras.optimizers.adam_v2.Adam keras.optimizers.legacy.Adam
        keras.src.optimizers.legacy.adam.Adam keras.optimizers.experimental.Adam""",
    'keras.optimizers.Optimizer': """keras.optimizer_v2.optimizer_v2.OptimizerV2
        keras.optimizers.legacy.optimizer_v2.OptimizerV2 keras.src.optimizers.base_optimizer.Optimizer""",
    'keras.losses.Loss': 'keras.src.losses.loss.Loss',
    'keras.metrics.Metric': 'keras.src.metrics.metric.Metric keras.metrics.base_metric.Metric',
    'keras.initializers.GlorotUniform': """keras.initializers.initializers_v2.GlorotUniform
        keras.src.initializers.random_initializers.GlorotUniform""",
    'keras.callbacks.Callback': 'keras.callbacks.callbacks.Callback keras.src.callbacks.callback.Callback',
    'keras.utils.to_categorical': """keras.utils.np_utils.to_categorical
        keras.src.utils.numerical_utils.to_categorical""",
    'keras.utils.register_keras_serializable': """keras.src.saving.object_registration.register_keras_serializable
        keras.saving.register_keras_serializable""",
    'keras.models.load_model': """keras.engine.saving.load_model keras.saving.save.load_model
        keras.src.saving.saving_api.load_model""",
    'keras.backend.sum': """keras.backend.tensorflow_backend.sum keras.backend.theano_backend.sum
        keras.backend.cntk_backend.sum""",
    'keras.ops.matmul': 'keras.src.ops.matmul keras.src.ops.numpy.matmul',
}


def found(address):
    module, _, name = address.rpartition('.')
    return getattr(importlib.import_module(module), name)


@pytest.mark.parametrize('ours, theirs', [(ours, other) for ours, others in SAME.items()
                                          for other in others.split()])
def test_old_and_new_addresses(ours, theirs):
    assert found(theirs) is found(ours)


def run(code):
    path = os.pathsep.join([os.path.dirname(os.path.dirname(keras.__file__)), os.environ.get('PYTHONPATH', '')])
    subprocess.run([sys.executable, '-c', code], env=dict(os.environ, PYTHONPATH=path), check=True, timeout=120)


def test_every_address_can_be_imported():
    for address in addresses.SOURCES:
        module = importlib.import_module(address)
        assert set(getattr(module, '__all__', ())) <= set(dir(module))
    # The import system puts a module into its package: it may not take the place of a function or class of that name.
    for name, package in list(sys.modules.items()):
        if name.partition('.')[0] == 'keras':
            for taken, source in package.__dict__.get('__lazy__', {}).items():
                thing = getattr(package, taken)
                assert not isinstance(thing, types.ModuleType) or thing is sys.modules[source], (name, taken)


def test_an_address_is_no_copy():
    for name in ('layers', 'layers.core', 'losses', 'backend.state.variables'):
        assert importlib.import_module('keras.src.' + name) is importlib.import_module('keras.' + name)


def test_modules_of_an_optimizer_do_not_replace_the_classes():
    assert importlib.import_module('keras.src.optimizers.adam').Adam is keras.optimizers.adam is keras.optimizers.Adam


def paths_of(thing):
    return {'%s.%s' % (each.__module__, each.__name__) for each in type(thing).__mro__}


def test_classes_are_found_by_the_paths_of_others_and_stay_where_they_are():
    model = keras.Sequential([keras.layers.Dense(2, input_shape=(3,))])
    assert {'keras.src.models.model.Model', 'keras.engine.training.Model'} <= paths_of(model)
    assert 'keras.src.layers.layer.Layer' in paths_of(model.layers[0])
    assert 'keras.src.backend.common.variables.KerasVariable' in paths_of(model.weights[0])
    assert 'keras.src.backend.common.keras_tensor.KerasTensor' in paths_of(model.output)
    assert type(model.layers[0]).__module__ == 'keras.layers.core'


def test_the_inside_of_other_kerases():
    assert issubclass(keras.layers.Conv2D, found('keras.src.layers.convolutional.base_conv.BaseConv'))
    assert not issubclass(keras.layers.DepthwiseConv2D, found('keras.src.layers.convolutional.base_conv.BaseConv'))
    assert issubclass(keras.layers.MaxPooling2D, found('keras.src.layers.pooling.base_pooling.BasePooling'))
    assert found('keras.layers.merging.base_merge._Merge') is found('keras.src.layers.merging.base_merge.Merge')
    assert keras.__internal__.KerasTensor is keras.KerasTensor
    assert found('keras.src.backend.tensorflow.numpy.concatenate') is keras.ops.concatenate
    drawn = keras.backend.get_value(keras.backend.random_bernoulli((1000,), 0.3))
    assert set(drawn) == {0.0, 1.0} and 200 < drawn.sum() < 400


def test_attributes_after_importing_keras_alone():
    run('import keras\n'
        'keras.engine.topology.Layer, keras.datasets.mnist, keras.preprocessing.image, keras.legacy.interfaces\n'
        'keras.backend.tensorflow_backend.sum, keras.src.layers.core.dense.Dense, keras.optimizers.legacy.SGD\n'
        'from keras.engine.topology import *\n'
        'Layer, Input, Container')


def test_modules_of_other_distributions_stand_in_for_them_where_they_are_not_installed():
    run('import importlib.util, keras\n'
        'if importlib.util.find_spec("tf_keras") is None or keras is __import__("tf_keras"):\n'
        '    import tf_keras.layers\n'
        '    from tf_keras.src.engine.training import Model\n'
        '    assert tf_keras is keras and Model is keras.Model')


def test_walking_through_all_modules_ends():
    assert [(module.name, module.ispkg) for module in pkgutil.walk_packages(keras.api.__path__, 'keras.api.')] == [
        ('keras.api._v1', True), ('keras.api._v1.keras', False),
        ('keras.api._v2', True), ('keras.api._v2.keras', False)]


def test_what_no_keras_has():
    for address in ('keras.src.nothing', 'keras.layers.core.nothing', 'keras.engine.nothing', 'keras.api.nothing'):
        with pytest.raises(ImportError):
            importlib.import_module(address)
        assert importlib.util.find_spec(address) is None
    with pytest.raises(AttributeError, match='Nothing'):
        keras.engine.topology.Nothing
    assert not hasattr(keras.losses, '__path') and isinstance(keras.engine.topology, lazy.LazyModule)


def test_a_file_goes_before_the_table(tmp_path, monkeypatch):
    (tmp_path / 'newer.py').write_text('here = True')
    monkeypatch.setitem(addresses.SOURCES, 'keras.newer', ['keras'])
    monkeypatch.setattr(keras, '__path__', list(keras.__path__) + [str(tmp_path)])
    assert importlib.import_module('keras.newer').here
    del sys.modules['keras.newer'], keras.newer


# --- names that we do not have ----------------------------------------------------------------------------------------

@pytest.mark.parametrize('address, said', [
    ('keras.estimator', 'tf.keras 2.15, but not in this package. Use `fit`'),
    ('keras.layers.DenseFeatures', 'tf.keras 2.15, .*FeatureSpace'),
    ('keras.layers.Densee', "no attribute 'Densee'$")])
def test_a_missing_name_says_where_it_was(address, said):
    with pytest.raises(AttributeError, match=said):
        found(address)


def test_a_missing_name_says_where_it_is_now():
    assert known_names.explained('Nothing', 'keras.backend', 'nothing') == 'Nothing'
    assert known_names.explained('Nothing', 'keras.layers.core', 'MaxoutDense') == (
        'Nothing. It is in Keras 1.2.2; here it is keras.layers.MaxoutDense.')


def test_questions_after_a_name_are_answered():
    assert not hasattr(keras.layers, 'DenseFeatures') and getattr(keras.losses, 'nothing', 3) == 3


# --- public names -----------------------------------------------------------------------------------------------------

@pytest.mark.parametrize('module, helpers', [
    ('losses', 'same_rank ndim shape static_shape Kind weighted np'), ('objectives', 'same_rank ndim Kind'),
    ('metrics', 'Kind'), ('activations', 'is_elementwise Kind'), ('initializers', 'compute_fans Kind np'),
    ('regularizers', 'Kind'), ('constraints', 'Kind Configurable'), ('layers', 'Kind')])
def test_helpers_are_no_public_names(module, helpers):
    names = {}
    exec('from keras.%s import *' % module, names)
    assert not set(helpers.split()) & set(names)
    found = importlib.import_module('keras.' + module)
    assert not set(helpers.split()) & set(dir(found)) or module == 'objectives'
    assert all(hasattr(found, name) for name in getattr(found, '__all__', ()))


def test_what_scripts_ask_the_tensorflow_backend_of_keras_2():
    from keras import backend as K
    assert K.tensorflow_backend._get_available_gpus() == []
    assert not K.tensorflow_backend._is_tf_1()
    assert K.cntk_backend.dev.type() == importlib.import_module('keras.backend.load_backend').dev.type() == 0
    assert importlib.import_module('keras.utils.multi_gpu_utils')._get_available_devices() == ['/cpu:0']


def test_a_function_that_is_replaced_at_an_old_address_is_replaced(tmp_path):
    from keras.engine import saving
    from keras.models import Sequential

    path = str(tmp_path / 'model.h5')
    model = Sequential([layers.Dense(2, input_shape=(3,))])
    model.save(path)
    for _ in range(2):
        with mock.patch('keras.engine.saving.ask_to_proceed_with_overwrite', return_value=False) as ask:
            model.save(path, overwrite=False)
        assert ask.call_count == 1
    assert saving.ask_to_proceed_with_overwrite is io_utils.ask_to_proceed_with_overwrite
    # What is no function of ours is the module's own.
    saving.something = 3
    assert saving.something == 3
    del saving.something
    assert not hasattr(saving, 'something')
