"""Configs made to do harm or made wrong: each is refused in words, runs nothing, and takes neither time nor memory.

Nothing here comes from a real attack; the kinds are those of the published vulnerabilities CVE-2024-3660,
CVE-2025-1550, CVE-2025-8747, CVE-2025-9905, CVE-2025-9906 and CVE-2025-12058.
"""
import base64
import json
import marshal
import os
import time
import zipfile

import h5py
import numpy as np
import pytest

import keras
from keras.models import model_from_config, model_from_json

pytestmark = pytest.mark.on('numpy')


def dense(**arguments):
    return {'class_name': 'Dense', 'config': dict({'name': 'dense', 'units': 2}, **arguments)}


INPUT = {'class_name': 'InputLayer', 'config': {'batch_input_shape': [None, 3], 'name': 'input_1', 'dtype': 'float32'}}


def sequential(*layers):
    return {'class_name': 'Sequential', 'config': {'name': 'stack', 'layers': [INPUT] + list(layers)}}


def functional(*layers):
    """A chain of layers, each with its config, in the form of Keras 2."""
    entries, before = [dict(INPUT, name='input_1', inbound_nodes=[])], 'input_1'
    for number, layer in enumerate(layers):
        config = layer['config']
        config = dict(config, name='layer_%d' % number) if isinstance(config, dict) else config
        entries.append(dict(layer, config=config, name='layer_%d' % number, inbound_nodes=[[[before, 0, 0, {}]]]))
        before = 'layer_%d' % number
    return {'class_name': 'Model', 'config': {'name': 'chain', 'layers': entries, 'input_layers': [['input_1', 0, 0]],
                                              'output_layers': [[before, 0, 0]]}}


# --- code -------------------------------------------------------------------------------------------------------------

CODE = base64.encodebytes(marshal.dumps((lambda *inputs, **others: open('was_run', 'w')).__code__)).decode()
IN_KERAS2 = [CODE, None, None]
IN_KERAS3 = {'class_name': '__lambda__', 'config': {'code': CODE, 'defaults': None, 'closure': None}}


def lambda_layer(**arguments):
    return {'class_name': 'Lambda', 'config': dict({'name': 'lambda', 'function': 'relu', 'function_type': 'function'},
                                                   **arguments)}


LAMBDAS = {
    'function': lambda_layer(function=IN_KERAS2, function_type='lambda'),
    'without_a_type': lambda_layer(function=IN_KERAS2, function_type=None),
    'of_another_type': lambda_layer(function=IN_KERAS2, function_type='raw'),
    'of_keras3': lambda_layer(function=IN_KERAS3),
    'of_keras3_with_a_module': lambda_layer(function=dict(IN_KERAS3, module='builtins', registered_name=None)),
    'output_shape': lambda_layer(output_shape=IN_KERAS2, output_shape_type='lambda'),
    'output_shape_of_keras3': lambda_layer(output_shape=IN_KERAS3),
    'mask': lambda_layer(mask=IN_KERAS2, mask_type='lambda'),
    'mask_of_keras3': lambda_layer(mask=IN_KERAS3),
    'activation': dense(activation=IN_KERAS3),
    'initializer': dense(kernel_initializer=IN_KERAS3),
    'regularizer': dense(kernel_regularizer=IN_KERAS3),
    'constraint': dense(bias_constraint=IN_KERAS3),
    'further': dict(lambda_layer(function='unknown'), further={'function': IN_KERAS2, 'function_type': 'lambda'}),
}


def in_time_distributed(layer):
    return {'class_name': 'TimeDistributed', 'config': {'name': 'wrapper', 'layer': layer}}


PLACES = {
    'sequential': sequential,
    'functional': functional,
    'nested': lambda layer: sequential(dict(sequential(layer))),
    'nested_functional': lambda layer: functional(functional(layer)),
    'wrapper': lambda layer: {'class_name': 'Sequential', 'config': {'name': 'stack', 'layers': [
        {'class_name': 'InputLayer', 'config': {'batch_input_shape': [None, 2, 3], 'name': 'input_1'}},
        in_time_distributed(layer)]}},
}


@pytest.fixture(autouse=True)
def nothing_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    yield
    assert not os.path.exists('was_run')


@pytest.mark.parametrize('place', sorted(PLACES))
@pytest.mark.parametrize('name', sorted(LAMBDAS))
def test_code_is_refused_wherever_it_is(name, place):
    config = PLACES[place](LAMBDAS[name])
    for make in (model_from_config, lambda config: model_from_json(json.dumps(config)),
                 keras.saving.deserialize_keras_object):
        with pytest.raises(ValueError) as caught:
            make(config)
        text = str(caught.value)
        assert 'safe_mode=False' in text or 'does not stand for' in text or name == 'further'
        assert 'Where: ' in text


def test_code_that_is_allowed_runs(tmp_path):
    model = keras.Sequential([keras.layers.Lambda(lambda x: 3 * x, input_shape=(2,))])
    text, path = model.to_json(), str(tmp_path / 'model.h5')
    model.save(path)
    x = np.array([[1.0, 2.0]], 'float32')
    for load in (lambda **how: model_from_json(text, **how), lambda **how: keras.models.load_model(path, **how)):
        with pytest.raises(ValueError, match='safe_mode=False'):
            load()
        with pytest.raises(ValueError, match='enable_unsafe_deserialization'):
            load(safe_mode=True)
        np.testing.assert_allclose(load(safe_mode=False).predict(x), 3 * x)


def test_unsafe_deserialization_can_be_enabled(monkeypatch):
    monkeypatch.setattr(keras.config.settings, 'unsafe_deserialization', False)
    text = keras.Sequential([keras.layers.Lambda(lambda x: 3 * x, input_shape=(2,))]).to_json()
    keras.config.enable_unsafe_deserialization()
    assert len(model_from_json(text).layers) == 1


def test_functions_of_this_process_are_no_code_of_a_file():
    model = keras.Sequential([keras.layers.Lambda(lambda x: 3 * x, input_shape=(2,))])
    x = np.array([[1.0, 2.0]], 'float32')
    for copy in (keras.models.clone_model(model), keras.Sequential.from_config(model.get_config())):
        np.testing.assert_allclose(copy.predict(x), 3 * x)
    layer = keras.layers.Lambda.from_config(model.layers[0].get_config())
    assert layer.function is model.layers[0].function


def test_lambda_layers_refuse_code_themselves():
    config = dict(LAMBDAS['function']['config'])
    with pytest.raises(ValueError, match='safe_mode=False'):
        keras.layers.Lambda.from_config(config)


# --- names ------------------------------------------------------------------------------------------------------------

# What a file might like to have called, by the address it might give.
ADDRESSES = [
    ('os', 'system', {'command': 'touch was_run'}), ('builtins', 'eval', {'source': 'open("was_run", "w")'}),
    ('builtins', 'exec', {}), ('subprocess', 'check_output', {'args': ['touch', 'was_run']}),
    ('keras.models', 'load_model', {'filepath': 'x.h5'}), ('keras.config', 'set_floatx', {'floatx': 'float16'}),
    ('keras.config', 'enable_unsafe_deserialization', {}), ('keras.src.config', 'set_epsilon', {'e': 1.0}),
    ('keras.saving.hdf5', 'ask_to_proceed_with_overwrite', {'filepath': 'x'}),
    ('keras.utils', 'get_file', {'fname': 'x', 'origin': 'http://localhost/x'}),
    ('keras.utils.generic_utils', 'func_load', {'code': CODE}), ('keras.layers.functions', 'func_load', {'code': CODE}),
    ('keras.saving.code', 'func_load', {'code': CODE}), ('keras.saving', 'load_model', {'filepath': 'x'}),
    ('keras.backend', 'set_learning_phase', {'value': 1}), ('keras.layers.core', 'np', {}),
    ('keras.lazy', 'attach', {'name': 'os'}), ('keras.saving.writing', 'sweep', {'folder': '.'}),
    ('keras.callbacks', 'LambdaCallback', {}), ('keras.callbacks', 'CSVLogger', {'filename': 'was_run'}),
    ('keras', 'Model', {}), ('keras.layers', '__builtins__', {}), ('keras.activations', '_KIND', {}),
    ('keras.activations', '__builtins__', {}), ('keras.activations', 'np', {}), ('keras.activations', 'get', {}),
    ('keras.activations', 'deserialize', {'config': 'relu'}), ('numpy', 'fromfile', {'file': '/etc/passwd'}),
    ('pickle', 'loads', {'data': ''}), ('importlib', 'import_module', {'name': 'antigravity'}),
    ('keras.src.saving.serialization_lib', 'enable_unsafe_deserialization', {}),
    ('keras.datasets.mnist', 'load_data', {}),
    (None, 'system', {}), ('', 'eval', {}), (7, 'eval', {}), (['os'], 'system', {}), ('os', 'path', {}),
    ('keras.layers.core', 'os', {}), ('.', 'system', {}), ('keras..os', 'system', {}),
]


@pytest.mark.parametrize('module, name, arguments', ADDRESSES)
def test_names_are_looked_up_in_registries_only(module, name, arguments):
    floatx, epsilon = keras.config.floatx(), keras.config.epsilon()
    by_address = {'module': module, 'class_name': name, 'config': arguments, 'registered_name': name}
    as_function = {'module': module, 'class_name': 'function', 'config': name, 'registered_name': name}
    for hostile in (by_address, as_function, name):
        configs = [sequential(dense(**{key: hostile})) for key in (
            'activation', 'kernel_initializer', 'bias_regularizer', 'kernel_constraint')]
        configs.append(sequential(lambda_layer(function=hostile, module=module)))
        configs.append(sequential({'class_name': 'LSTM', 'config': {'units': 2, 'recurrent_activation': hostile}}))
        if isinstance(hostile, dict):
            configs.extend([sequential(hostile), in_time_distributed(hostile), functional(hostile)])
        for config in configs:
            with pytest.raises(ValueError):
                model_from_config(config)
        if name != 'Model':
            with pytest.raises(ValueError):
                keras.saving.deserialize_keras_object(hostile)
    assert (keras.config.floatx(), keras.config.epsilon()) == (floatx, epsilon)
    assert not keras.config.settings.unsafe_deserialization


@pytest.mark.parametrize('family, name', [
    ('activations', 'Dense'), ('layers', 'relu'), ('initializers', 'L2'), ('regularizers', 'Zeros'), ('losses', 'Adam'),
    ('optimizers', 'Dense'), ('metrics', 'Adam'), ('constraints', 'relu'), ('layers', 'Adam'), ('models', 'mse')])
def test_what_is_found_is_of_the_kind(family, name):
    deserialize = getattr(getattr(keras, family), 'deserialize', model_from_config)
    with pytest.raises(ValueError):
        deserialize({'class_name': name, 'config': {}})


def test_a_module_beside_the_file_is_not_imported(tmp_path, monkeypatch):
    (tmp_path / 'beside_the_file.py').write_text('open("was_run", "w")\ndef function(x):\n    return x\n')
    monkeypatch.syspath_prepend(str(tmp_path))
    config = sequential(lambda_layer(function='function', module='beside_the_file'))
    for how in ({}, {'safe_mode': False}):
        with pytest.raises(ValueError, match="'function'.*beside_the_file.*custom_objects"):
            model_from_config(config, **how)


# --- malformed --------------------------------------------------------------------------------------------------------

def deep(levels):
    layer = dense()
    for _ in range(levels):
        layer = in_time_distributed(layer)
    return sequential(layer)


MALFORMED = {
    'nothing': {}, 'no_config': {'class_name': 'Sequential'}, 'no_class': {'config': {}},
    'class_is_a_number': {'class_name': 3, 'config': {}}, 'class_is_a_list': {'class_name': ['Dense'], 'config': {}},
    'class_is_none': {'class_name': None, 'config': {}}, 'class_is_a_dictionary': {'class_name': {}, 'config': {}},
    'config_is_a_number': {'class_name': 'Sequential', 'config': 7},
    'config_is_a_string': {'class_name': 'Sequential', 'config': 'layers'},
    'layers_is_a_number': {'class_name': 'Sequential', 'config': {'name': 'a', 'layers': 4}},
    'layers_is_a_string': {'class_name': 'Sequential', 'config': {'name': 'a', 'layers': 'abc'}},
    'layer_is_a_string': {'class_name': 'Sequential', 'config': {'name': 'a', 'layers': ['Dense']}},
    'layer_is_none': {'class_name': 'Sequential', 'config': {'name': 'a', 'layers': [None]}},
    'layer_is_a_list': {'class_name': 'Sequential', 'config': {'name': 'a', 'layers': [[]]}},
    'name_is_a_list': {'class_name': 'Sequential', 'config': {'name': ['a'], 'layers': [INPUT, dense(name=['b'])]}},
    'name_is_a_dictionary': sequential(dense(name={'a': 1})),
    'units_missing': sequential({'class_name': 'Dense', 'config': {'name': 'dense'}}),
    'units_is_a_string': sequential(dense(units='many')), 'units_is_none': sequential(dense(units=None)),
    'units_is_negative': sequential(dense(units=-1)), 'units_is_a_list': sequential(dense(units=[2])),
    'units_is_a_fraction': sequential(dense(units=1.5)), 'units_is_infinite': sequential(dense(units=float('inf'))),
    'units_is_nan': sequential(dense(units=float('nan'))), 'units_is_a_dictionary': sequential(dense(units={})),
    'unknown_argument': sequential(dense(unknown=1)), 'argument_is_a_number': sequential(
        {'class_name': 'Dense', 'config': {3: 4, 'units': 2}}),
    'activation_is_a_number': sequential(dense(activation=3)),
    'activation_is_a_list': sequential(dense(activation=['relu'])),
    'activation_is_empty': sequential(dense(activation={})),
    'initializer_is_a_list': sequential(dense(kernel_initializer=[1])),
    'initializer_without_a_class': sequential(dense(kernel_initializer={'config': {}})),
    'initializer_with_unknown_arguments': sequential(dense(kernel_initializer={
        'class_name': 'Zeros', 'config': {'unknown': 1}})),
    'dtype_is_unknown': sequential(dense(dtype='float3')), 'dtype_is_a_list': sequential(dense(dtype=['float32'])),
    'shape_is_a_string': {'class_name': 'Sequential', 'config': {'layers': [
        dense(batch_input_shape='abc')]}},
    'shape_is_negative': {'class_name': 'Sequential', 'config': {'layers': [dense(batch_input_shape=[None, -3])]}},
    'shape_of_shapes': {'class_name': 'Sequential', 'config': {'layers': [dense(batch_input_shape=[None, [3]])]}},
    'unknown_layer': sequential({'class_name': 'Dens', 'config': {'units': 2}}),
    'unknown_nested_layer': sequential(sequential(sequential({'class_name': 'Dens', 'config': {'units': 2}}))),
    'wrapper_without_a_layer': sequential({'class_name': 'TimeDistributed', 'config': {'name': 'wrapper'}}),
    'wrapper_of_an_activation': sequential(in_time_distributed({'class_name': 'relu', 'config': {}})),
    'wrapper_of_text': sequential(in_time_distributed('Dense')),
    'cells_are_a_number': sequential({'class_name': 'StackedRNNCells', 'config': {'cells': 3}}),
    'deep': deep(100), 'deeper': deep(2000),
    'no_inputs': {'class_name': 'Model', 'config': {'name': 'm', 'layers': [], 'output_layers': [['a', 0, 0]]}},
    'no_outputs': {'class_name': 'Model', 'config': {'name': 'm', 'layers': [], 'input_layers': []}},
    'outputs_are_a_number': {'class_name': 'Model', 'config': {
        'name': 'm', 'layers': [], 'input_layers': [], 'output_layers': 3}},
    'a_call_that_is_a_number': {'class_name': 'Model', 'config': {'name': 'm', 'layers': [
        dict(INPUT, name='input_1', inbound_nodes=[3])], 'input_layers': [['input_1', 0, 0]],
        'output_layers': [['input_1', 0, 0]]}},
    'outputs_of_nobody': dict(functional(dense()), config=dict(functional(dense())['config'],
                                                              output_layers=[['x', 0, 0]])),
    'outputs_of_another_call': dict(functional(dense()), config=dict(functional(dense())['config'],
                                                                    output_layers=[['layer_0', 7, 0]])),
    'a_circle': {'class_name': 'Model', 'config': {'name': 'm', 'layers': [
        dict(INPUT, name='input_1', inbound_nodes=[]),
        dict(dense(name='a'), name='a', inbound_nodes=[[['b', 0, 0, {}]]]),
        dict(dense(name='b'), name='b', inbound_nodes=[[['a', 0, 0, {}]]])],
        'input_layers': [['input_1', 0, 0]], 'output_layers': [['a', 0, 0]]}},
    'an_unknown_operation': {'class_name': 'Model', 'config': {'name': 'm', 'layers': [
        dict(INPUT, name='input_1', inbound_nodes=[]),
        {'name': 'o', 'class_name': '__operation__', 'config': {'name': 'eval'}, 'inbound_nodes': []}],
        'input_layers': [['input_1', 0, 0]], 'output_layers': [['input_1', 0, 0]]}},
    'an_operation_without_a_name': {'class_name': 'Model', 'config': {'name': 'm', 'layers': [
        {'name': 'o', 'class_name': '__operation__', 'config': {}, 'inbound_nodes': []}],
        'input_layers': [], 'output_layers': []}},
    'further_is_a_number': dict(sequential(dense()), further=3),
    'further_holds_itself': sequential(dict(dense(), further={'units': 'x'})),
    'build_config_is_a_number': sequential(dict(dense(), build_config=7)),
    'build_config_of_text': {'class_name': 'Sequential', 'config': {'layers': [dense()]}, 'build_config': {
        'input_shape': 'abc'}},
    'build_input_shape_is_text': {'class_name': 'Sequential', 'config': {'layers': [dense()],
                                                                         'build_input_shape': 'abc'}},
    'generations_are_a_number': dict(sequential(dense()), keras_generations=3.5),
    'generations_are_unknown': dict(sequential(dense()), keras_generations={'': 'new'}),
    'version_is_a_list': dict(sequential(dense()), keras_version=[2]),
    'version_is_a_word': dict(sequential(dense()), keras_version='new'),
    'arguments_of_a_lambda': sequential(lambda_layer(arguments=[1])),
    'an_array_of_words': sequential(lambda_layer(arguments={'x': {'type': 'ndarray', 'value': ['a', ['b']]}})),
    'text_in_the_place_of_a_model': 'Sequential',
    'kernel_is_empty': sequential({'class_name': 'Conv2D', 'config': {'filters': 2, 'kernel_size': []}}),
    'kernel_is_long': sequential({'class_name': 'Conv2D', 'config': {'filters': 2, 'kernel_size': [1] * 1000}}),
    'permutation_is_wrong': sequential({'class_name': 'Permute', 'config': {'dims': [7, 8, 9]}}),
    'target_shape_is_wrong': sequential({'class_name': 'Reshape', 'config': {'target_shape': [-1, -1]}}),
    'target_shape_is_large': sequential({'class_name': 'Reshape', 'config': {'target_shape': [10 ** 30]}}),
}


@pytest.mark.parametrize('name', sorted(MALFORMED))
def test_malformed_configs_are_refused_in_words(name):
    config, start = MALFORMED[name], time.process_time()
    with pytest.raises((ValueError, TypeError)) as caught:
        model_from_config(config)
    assert len(str(caught.value)) > 20
    assert len(str(caught.value)) < 5000
    assert time.process_time() - start < 1


def test_errors_say_where_in_the_model():
    layer = {'class_name': 'Dens', 'config': {'units': 2, 'name': 'last'}}
    with pytest.raises(ValueError) as caught:
        model_from_config(functional(sequential(in_time_distributed(layer))))
    assert "Model 'chain' > Sequential 'layer_0' > TimeDistributed 'wrapper' > Dens 'last'" in str(caught.value)
    assert "Did you mean 'Dense'" in str(caught.value)
    for way in ('custom_objects', 'custom_object_scope', 'register_keras_serializable'):
        assert way in str(caught.value)


# --- large ------------------------------------------------------------------------------------------------------------

TEXTS = {
    'deep_lists': '[' * 10 ** 6, 'deep_objects': '{"a":' * 200000, 'closed_lists': '[' * 5000 + ']' * 5000,
    'deep_in_a_config': json.dumps(sequential(dense())).replace('"units": 2', '"units": ' + '[' * 999 + ']' * 999),
    'long_number': '{"class_name": "Dense", "config": {"units": %s}}' % ('1' * 10 ** 6),
    'no_json': 'class_name: Dense', 'nothing': '', 'a_number': '3', 'text': '"Sequential"', 'null': 'null',
    'cut_short': json.dumps(sequential(dense()))[:-20], 'many': '{"class_name": "Dense", "config": [%s]}' % (
        '{},' * 100000 + '{}'),
    'many_layers': json.dumps(sequential(*[dense(name='same')] * 3000)),
    'long_name': json.dumps(sequential({'class_name': 'D' * 10 ** 6, 'config': {}})),
}


@pytest.mark.parametrize('name', sorted(TEXTS))
def test_texts_that_are_too_much(name):
    start = time.process_time()
    with pytest.raises((ValueError, TypeError)) as caught:
        model_from_json(TEXTS[name])
    assert len(str(caught.value)) < 5000
    assert time.process_time() - start < 1


@pytest.mark.parametrize('layer', [
    dense(units=10 ** 12), {'class_name': 'Embedding', 'config': {'input_dim': 10 ** 12, 'output_dim': 10 ** 6}},
    {'class_name': 'RepeatVector', 'config': {'n': 10 ** 12}}])
def test_sizes_alone_allocate_nothing(layer):
    start = time.process_time()
    model = model_from_config(sequential(layer))
    assert model.built
    assert time.process_time() - start < 1


# --- other files ------------------------------------------------------------------------------------------------------

LOOKUPS = ('StringLookup', 'IntegerLookup', 'TextVectorization')


@pytest.mark.parametrize('name', LOOKUPS)
@pytest.mark.parametrize('around', [sequential, lambda layer: sequential(sequential(layer))])
def test_files_for_vocabularies_are_not_read(name, around, tmp_path):
    path = tmp_path / 'secret.txt'
    path.write_text('12\n13\n')
    config = around({'class_name': name, 'config': {'name': 'words', 'vocabulary': str(path)}})
    for given in (str(path), '/dev/zero', 'http://127.0.0.1:1/words'):
        with pytest.raises(ValueError, match='safe_mode'):
            model_from_json(json.dumps(config).replace(str(path), given))


def test_files_for_vocabularies_are_read_where_that_is_allowed(tmp_path):
    path = tmp_path / 'words.txt'
    path.write_text('b\na\n')
    config = {'class_name': 'StringLookup', 'config': {'vocabulary': str(path)}}
    with keras.saving.SafeModeScope(False):
        assert keras.layers.deserialize(config).get_vocabulary() == ['[UNK]', 'b', 'a']
    assert keras.layers.StringLookup(vocabulary=str(path)).get_vocabulary() == ['[UNK]', 'b', 'a']
    with pytest.raises(ValueError, match='device'):
        keras.layers.StringLookup(vocabulary='/dev/zero')


@pytest.mark.parametrize('settings', [{'optimizer': 3}, {'optimizer': ['a', 'b', 'c']}, {}, {'optimizer': None},
                                      {'optimizer': 'sgd', 'loss': {'class_name': 3}},
                                      {'optimizer': {'class_name': 'SGD'}},
                                      {'optimizer': 'sgd', 'metrics': [{'class_name': 'eval', 'config': '1'}]}])
def test_malformed_training_configurations(settings):
    model = keras.Sequential([keras.layers.Dense(2, input_shape=(3,))])
    with pytest.raises((ValueError, TypeError)):
        model.compile_from_config(settings)


@pytest.mark.parametrize('activation', ['Flatten', dense(), {'class_name': 'Flatten', 'config': {}},
                                        {'class_name': 'LSTM', 'config': {'units': 2}}],
                         ids=lambda given: given if isinstance(given, str) else given['class_name'])
def test_layers_that_are_no_activations(activation):
    with pytest.raises(ValueError, match='is no activation function'):
        keras.layers.deserialize(dense(activation=activation))


@pytest.mark.parametrize('activation', [
    {'class_name': 'ReLU', 'config': {'max_value': 1.0}}, {'class_name': 'Dropout', 'config': {'rate': 0.5}},
    {'class_name': 'BatchNormalization', 'config': {}}], ids=lambda given: given['class_name'])
def test_layers_that_are_activations(activation):
    layer = keras.layers.deserialize(dense(activation=activation))
    assert layer(np.ones((1, 3), 'float32')).shape == (1, 2)


@pytest.mark.parametrize('size', [2.5, -1, True, '3', [2]], ids=repr)
@pytest.mark.parametrize('make', [lambda size: dense(batch_input_shape=[None, size]),
                                  lambda size: dense(batch_shape=[None, size]),
                                  lambda size: {'class_name': 'InputLayer', 'config': {'batch_shape': [None, size]}}],
                         ids=['batch_input_shape', 'batch_shape', 'InputLayer'])
def test_sizes_that_are_no_sizes(make, size):
    with pytest.raises(ValueError, match='sizes of a shape must be whole numbers'):
        keras.layers.deserialize(make(size))


@pytest.mark.on('torch')
def test_a_ragged_input_warns():
    config = {'class_name': 'InputLayer', 'config': {'batch_input_shape': [None, None], 'ragged': True, 'name': 'rows'}}
    with pytest.warns(UserWarning, match="'rows': ragged=True has no effect.*pad_sequences.*mask_zero"):
        model_from_json(json.dumps({'class_name': 'Sequential', 'config': {'name': 'stack', 'layers': [config]}}))


# --- what a few bytes or words of a file turn into ------------------------------------------------------------------

def changed_archive(tmp_path, change):
    """The path of an archive whose config `change` has changed."""
    inputs = keras.Input((4,), name='a')
    model = keras.Model(inputs, keras.layers.Dense(2, name='e')(keras.layers.Dense(3, name='d')(inputs)))
    path, other = str(tmp_path / 'model.keras'), str(tmp_path / 'other.keras')
    model.save(path)
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(other, 'w') as new:
        for name in old.namelist():
            content = old.read(name)
            if name == 'config.json':
                config = json.loads(content.decode())
                change(config)
                content = json.dumps(config)
            new.writestr(name, content)
    return other


@pytest.mark.parametrize('reference', [['e', 0, -1], ['e', -1, 0], ['e', 0, 7], ['e', 10 ** 9, 0], ['e', 0.5, 0]])
def test_outputs_that_no_layer_has(tmp_path, reference):
    def change(config):
        config['config']['output_layers'] = reference
    with pytest.raises(ValueError):
        keras.models.load_model(changed_archive(tmp_path, change))


def test_two_layers_of_one_name(tmp_path):
    def change(config):
        config['config']['layers'].append(dict(config['config']['layers'][1]))
    with pytest.raises(ValueError, match='same name'):
        keras.models.load_model(changed_archive(tmp_path, change))


def test_generations_without_that_of_the_model(tmp_path):
    path = str(tmp_path / 'model.h5')
    keras.Sequential([keras.layers.Dense(2, input_shape=(3,))]).save(path)
    with h5py.File(path, 'r+') as file:
        file.attrs['keras_generations'] = '{"dense": 2}'
        file.attrs['keras_checksum'] = np.zeros(1, 'uint32')
    with pytest.raises(ValueError, match='generation'):
        keras.models.load_model(path)


def test_names_of_attributes_that_are_no_text(tmp_path):
    path = str(tmp_path / 'model.h5')
    keras.Sequential([keras.layers.Dense(2, input_shape=(3,))]).save(path)
    with open(path, 'r+b') as file:
        content = file.read()
        file.seek(content.index(b'training_config' if b'training_config' in content else b'written_by'))
        file.write(b'\xa7')
    with pytest.raises(OSError, match='damaged|changed'):
        keras.models.load_model(path)
