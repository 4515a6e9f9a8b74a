"""What Keras 3 reads in its own words only, in files of models that were made under its generation."""
import json

import h5py
import numpy as np
import pytest

import keras
from keras.layers import (LSTM, Bidirectional, Dense, GroupQueryAttention, Hashing, MultiHeadAttention,
                          RandomCrop, TimeDistributed)

pytestmark = pytest.mark.on('numpy')


@pytest.fixture(autouse=True)
def under_3():
    with keras.config.generation(3):
        yield


def config_of(model, tmp_path):
    """{class: entry} of the layers in the HDF5 file of a model, which is read again and compared on the way."""
    path = str(tmp_path / 'model.h5')
    model.save(path)
    inputs = [np.random.RandomState(3).rand(*((2,) + tuple(made.shape[1:]))).astype('float32')
              for made in model.inputs]
    again = keras.models.load_model(path, compile=False)
    for one, other in zip(keras.tree.flatten(model.predict(inputs, verbose=0)),
                          keras.tree.flatten(again.predict(inputs, verbose=0))):
        np.testing.assert_allclose(one, other, rtol=1e-6)
    with h5py.File(path, 'r') as file:
        text = file.attrs['model_config']
    config = json.loads(text.decode() if isinstance(text, bytes) else text)
    return {entry['class_name']: entry for entry in config['config']['layers']}


def test_calls_with_several_tensors(tmp_path):
    a, b = keras.Input((5, 4)), keras.Input((6, 4))
    model = keras.Model([a, b], GroupQueryAttention(2, 2, 1)(MultiHeadAttention(2, 3)(a, value=b), b))
    found = config_of(model, tmp_path)
    call, = found['MultiHeadAttention']['inbound_nodes']
    assert [part['class_name'] for part in call['args']] == ['__keras_tensor__']
    assert call['kwargs']['value']['config']['keras_history'] == [model.inputs[1].node.operation.name, 0, 0]
    assert 'GroupedQueryAttention' in found  # the name of the class in Keras 3


@pytest.mark.parametrize('suffix', ['.h5', '.keras'])
def test_states_of_recurrent_layers_have_names(tmp_path, suffix):
    a, b = keras.Input((5, 3)), keras.Input((6, 3))
    _, h, c = LSTM(4, return_state=True)(a)
    both = Bidirectional(LSTM(4))(b, initial_state=[h, c, h, c])
    model = keras.Model([a, b], [LSTM(4, name='one')(b, initial_state=[h, c]), both])
    config_of(model, tmp_path)
    path = str(tmp_path / ('model' + suffix))
    model.save(path)
    again = keras.models.load_model(path, compile=False)
    assert [len(weights) for weights in (again.weights, model.weights)] == [len(model.weights)] * 2
    entry = next(entry for entry in json.loads(json.dumps(keras.saving.serialize_keras_object(model)))[
        'config']['layers'] if entry['name'] == 'one')
    call, = entry['inbound_nodes']
    assert len(call['args']) == 1 and len(call['kwargs']['initial_state']) == 2
    assert entry['build_config'] == {'input_shape': [None, 6, 3]}


def test_a_model_inside_of_a_layer_says_its_module(tmp_path):
    inner = keras.Sequential([keras.Input((4,)), Dense(3)])
    found = config_of(keras.Sequential([keras.Input((5, 4)), TimeDistributed(inner)]), tmp_path)
    assert found['TimeDistributed']['config']['layer']['module'] == 'keras'


def test_objects_inside_of_layers_and_optimizers_say_their_modules(tmp_path):
    model = keras.Sequential([keras.Input((8,)), Dense(4)])
    model.quantize('int8')
    assert config_of(model, tmp_path)['Dense']['config']['quantization_config']['module'] == 'keras.quantizers'
    schedule = keras.optimizers.schedules.CosineDecay(0.1, 10)
    model = keras.Sequential([keras.Input((8,)), Dense(4)])
    for optimizer, name, module in (
            (keras.optimizers.SGD(schedule), 'learning_rate', 'keras.optimizers.schedules'),
            (keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD()), 'inner_optimizer', 'keras.optimizers')):
        model.compile(optimizer, 'mse')
        assert training_of(model, tmp_path)['optimizer_config']['config'][name]['module'] == module
        again = keras.models.load_model(str(tmp_path / 'model.h5'))
        assert type(getattr(again.optimizer, name)) is type(getattr(optimizer, name))


def training_of(model, tmp_path):
    model.save(str(tmp_path / 'model.h5'))
    with h5py.File(str(tmp_path / 'model.h5'), 'r') as file:
        text = file.attrs['training_config']
    return json.loads(text.decode() if isinstance(text, bytes) else text)


def test_losses_by_the_names_of_keras_3(tmp_path):
    model = keras.Sequential([keras.Input((4,)), Dense(2)])
    model.compile('nadam', 'logcosh', metrics=['kullback_leibler_divergence'])
    found = training_of(model, tmp_path)
    assert found['loss'] == 'log_cosh' and found['metrics'] == ['kl_divergence']
    assert 'schedule_decay' not in found['optimizer_config']['config']
    assert model.get_compile_config()['loss'] == 'log_cosh'
    with keras.config.generation(2):
        model.compile('nadam', 'logcosh')
        assert training_of(model, tmp_path)['loss'] == 'logcosh'


def test_how_steps_run_is_kept(tmp_path):
    model = keras.Sequential([keras.Input((4,)), Dense(2)])
    for given in ({}, {'steps_per_execution': 4}, {'run_eagerly': True}, {'jit_compile': True}, {'jit_compile': False}):
        model.compile('sgd', 'mse', **given)
        config = model.get_compile_config()
        assert (config['run_eagerly'], config['steps_per_execution']) == (
            given.get('run_eagerly', False), given.get('steps_per_execution', 1))
        assert config['jit_compile'] == (True if given.get('jit_compile') else 'auto')  # NumPy compiles nothing
        model.save(str(tmp_path / 'model.keras'))
        again = keras.models.load_model(str(tmp_path / 'model.keras'))
        assert (again.run_eagerly, again.steps_per_execution) == (model.run_eagerly, model.steps_per_execution)


def test_numbers_are_hashed_as_integers():
    layer, numbers = Hashing(7, salt=3), np.arange(12).reshape(4, 3)
    found = np.asarray(layer(numbers.astype('float32')))
    np.testing.assert_array_equal(found, np.asarray(layer(numbers)))
    assert found.tolist() == [[5, 6, 3], [5, 3, 2], [0, 3, 1], [5, 2, 6]]  # of Keras 3.15.1


def test_a_random_crop_has_a_name(tmp_path):
    layer = RandomCrop(4, 4)
    assert layer.name.startswith('random_crop') and RandomCrop(2, 2, name='mine').name == 'mine'
    keras.Sequential([keras.Input((6, 6, 3)), layer]).save(str(tmp_path / 'model.h5'))


def test_one_list_stays_in_the_words_of_keras_2(tmp_path):
    a, b = keras.Input((4,), name='a'), keras.Input((4,), name='b')
    found = config_of(keras.Model([a, b], keras.layers.Add()([a, b])), tmp_path)
    assert found['Add']['inbound_nodes'] == [[['a', 0, 0, {}], ['b', 0, 0, {}]]]
    found = config_of(keras.Sequential([keras.Input((4,)), Dense(2)]), tmp_path)
    assert found['Dense']['class_name'] == 'Dense'
