"""The generations of Keras: the setting, what objects keep, what files say, and the table."""
import copy
import inspect
import json
import os
import pickle
import subprocess
import sys
import threading
import types

import numpy as np
import pytest

from keras import activations, config, generations, layers, losses, metrics, models, optimizers


@pytest.fixture
def setting():
    before = config.settings.generation
    yield config.settings
    config.settings.generation = before


def test_new_code_is_keras_2_until_somebody_says_otherwise(setting):
    assert config.get_generation() == 2
    config.set_generation(3)
    assert config.get_generation() == 3
    config.set_generation('tf')
    assert config.get_generation() == 'tf'
    for wrong in (4, 'keras', None, True, 2.0):
        with pytest.raises(ValueError, match='Unknown generation: .*Expected 1 .Keras 1., 2'):
            config.set_generation(wrong)


@pytest.mark.parametrize('script', [
    'import keras; keras.layers; import keras_rs', 'import keras_rs', 'import keras_rs.layers as layers'])
def test_a_program_with_a_package_for_keras_3_is_one_for_keras_3(script, tmp_path):
    package = tmp_path / 'keras_rs'
    package.mkdir()
    (package / '__init__.py').write_text('import keras\nassert keras.Input')
    (package / 'layers.py').write_text('')
    for environment, expected in (('', '3'), ('2', '2')):
        found = subprocess.run(
            [sys.executable, '-c', script + '; from keras import config; print(config.get_generation())'],
            env=dict(os.environ, KERAS_GENERATION=environment, PYTHONPATH=os.pathsep.join([str(tmp_path)] + sys.path)),
            stdout=subprocess.PIPE, universal_newlines=True)
        assert found.stdout.split()[-1] == expected


def test_a_block_holds_for_its_thread_only(setting):
    seen = []
    block = config.generation(3)
    with block:
        with config.generation('1'), block:
            assert config.get_generation() == 3
        thread = threading.Thread(target=lambda: seen.append(config.get_generation()))
        thread.start()
        thread.join()
        config.set_generation(1)
        assert config.get_generation() == 3
    assert seen == [2] and config.get_generation() == 1


def test_everything_keeps_the_generation_it_was_made_under():
    with config.generation(3):
        made = [layers.Dense(2), losses.MeanSquaredError(), metrics.Mean(), optimizers.SGD(),
                models.Sequential(), layers.LSTMCell(2)]
    assert [generations.of(one) for one in made] == [3] * len(made)
    with generations.under(made[0]):
        assert generations.of(layers.Dense(2)) == 3
    assert generations.of(layers.Dense(2)) == 2


def test_defaults_look_like_keras_2_and_are_those_of_the_generation():
    assert repr(inspect.signature(optimizers.Adagrad.__init__).parameters['learning_rate'].default) == '0.01'
    for generation, rate, start in ((1, 0.01, 0.0), (2, 0.01, 0.0), ('tf', 0.001, 0.1), (3, 0.001, 0.1)):
        with config.generation(generation):
            optimizer = optimizers.Adagrad()
            assert optimizer.get_config()['learning_rate'] == pytest.approx(rate)
            assert optimizer.initial_accumulator_value == start
            assert optimizers.Adagrad(0.01).get_config()['learning_rate'] == pytest.approx(0.01)


def test_defaults_of_recurrent_layers():
    for generation, reset_after, recurrent, convolutional in (
            (1, False, 'hard_sigmoid', 'hard_sigmoid'), (2, False, 'sigmoid', 'hard_sigmoid'),
            ('tf', True, 'sigmoid', 'hard_sigmoid'), (3, True, 'sigmoid', 'sigmoid')):
        with config.generation(generation):
            gru, lstm, cell = layers.GRU(2), layers.Bidirectional(layers.LSTM(2)), layers.GRUCell(2)
            assert gru.reset_after is cell.reset_after is gru.get_config()['reset_after'] is reset_after
            assert lstm.forward_layer.get_config()['recurrent_activation'] == recurrent
            assert layers.ConvLSTM2D(2, 2).recurrent_activation.__name__ == convolutional
            assert layers.GRU(2, reset_after=False).reset_after is False
    assert inspect.signature(layers.GRU.__init__).parameters['reset_after'].default == False  # noqa: E712


def test_a_layer_keeps_its_activation(setting):
    x = np.array([[1.5]], 'float32')
    with config.generation(3):
        later = layers.Activation('hard_sigmoid')
    first = layers.Activation('hard_sigmoid')
    config.set_generation(1)
    assert (float(later(x)[0, 0]), float(first(x)[0, 0])) == pytest.approx((0.75, 0.8))
    assert later.activation == activations.hard_sigmoid and later.get_config()['activation'] == 'hard_sigmoid'


def test_every_row_says_something_for_every_generation():
    for name, row in generations.ROWS.items():
        assert set(row.values) == set(config.GENERATIONS) and row.sentence and row.where, name
        assert len({repr(value) for value in row.values.values()}) > 1, '%s is the same in all generations' % name


@pytest.mark.parametrize('version, generation', [
    ('1.0.8', 1), ('1.2.2', 1), ('2.0', 2), ('2.3.1', 2), ('2.2.4-tf', 'tf'), ('2.3.0-tf', 'tf'), ('2.4.0', 'tf'),
    ('2.15.0', 'tf'), ('3.15.1', 3), ('4.0.0', 2)])
def test_versions_in_files(version, generation):
    assert generations.of_version(version) == generation


def mixed_model():
    """A model of Keras 2 around one of tf.keras that holds a layer of Keras 3."""
    with config.generation(3):
        inner = layers.Dense(2, name='inner')
    with config.generation('tf'):
        base = models.Sequential([layers.Dense(3, input_shape=(4,), name='first'), inner], name='base')
    x = layers.Input((4,))
    return models.Model(x, layers.Dense(1, name='head')(base(x)))


def generations_in(model):
    base = model.get_layer('base')
    return [generations.of(layer) for layer in (model, model.get_layer('head'), base) + tuple(base.layers)]


MIXED = [2, 2, 'tf', 'tf', 3]


@pytest.mark.parametrize('setting_while_reading', [2, 3])
def test_files_and_copies_keep_the_generations(tmp_path, setting_while_reading):
    model = mixed_model()
    assert generations_in(model) == MIXED
    model.save(str(tmp_path / 'model.h5'))
    text = model.to_json()
    with config.generation(setting_while_reading):
        assert generations_in(models.load_model(str(tmp_path / 'model.h5'), compile=False)) == MIXED
        assert generations_in(models.model_from_json(text)) == MIXED
        assert generations_in(models.clone_model(model)) == MIXED
    assert 'generation' not in json.dumps(json.loads(text)['config'])


def test_a_file_keeps_the_generations_of_training(tmp_path):
    model = models.Sequential([layers.Dense(1, input_shape=(2,))])
    with config.generation(1):
        optimizer = optimizers.RMSprop()
    with config.generation(3):
        model.compile(optimizer, 'mse')
    model.save(str(tmp_path / 'model.h5'))
    again = models.load_model(str(tmp_path / 'model.h5'))
    assert (generations.of(again), again.compile_generation, generations.of(again.optimizer)) == (2, 3, 1)
    assert again.optimizer.epsilon == 1e-8


def test_what_wrote_a_config_decides():
    dense = {'class_name': 'Dense', 'config': {'units': 2}}
    content = {'class_name': 'Sequential', 'config': {'name': 'm', 'layers': [dense]}}
    for version, generation in (('1.2.2', 1), ('2.3.1', 2), ('2.9.0', 'tf')):
        with config.generation(3):
            model = models.model_from_json(json.dumps(dict(content, keras_version=version)))
        assert generations.of(model.layers[0]) == generations.of(model) == generation
    of_keras3 = dict(dense, module='keras.layers', registered_name=None)
    assert generations.of(layers.deserialize(of_keras3)) == 3
    assert generations.of(layers.deserialize(dense)) == 2


def test_bound_functions_equal_what_they_bind():
    @generations.dependent
    def which():
        return config.get_generation()

    function = generations.bound(which, 3)
    assert function() == 3 and which() == 2
    assert function == which and hash(function) == hash(which) and function.__name__ == 'which'
    assert generations.bound(np.sin, 3) is np.sin
    # Packages ask for a function, and for what it takes.
    assert isinstance(function, types.FunctionType) and inspect.signature(function) == inspect.signature(which)
    assert function.__code__ is which.__code__ and copy.deepcopy(function) == which


@pytest.mark.parametrize('copied', [copy.deepcopy, lambda value: pickle.loads(pickle.dumps(value))])
def test_bound_functions_keep_their_generation_in_copies_and_pickles(copied):
    function = generations.bound(activations.hard_sigmoid, 3)
    with config.generation(3):
        model = models.Sequential([layers.Dense(2, activation='hard_sigmoid', input_shape=(3,))])
    for one in (copied(function), copied(model).layers[0].activation):
        # x / 6 + 0.5, where Keras 2 has 0.2 x + 0.5.
        assert one == activations.hard_sigmoid and float(np.asarray(one(np.float32(1.5)))) == pytest.approx(0.75)
