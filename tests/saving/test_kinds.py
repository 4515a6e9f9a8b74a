import json

import numpy as np
import pytest

import keras
from keras import activations, constraints, initializers, layers, losses, metrics, optimizers, regularizers
from keras.saving.kinds import Kind, deserialize_keras_object, kind_of_argument
from keras.saving.serialization import custom_object_scope, register_keras_serializable, serialize_keras_object


class Red:
    def __init__(self, depth=1):
        self.depth = depth

    def __call__(self):
        return 'red'

    def get_config(self):
        return {'depth': self.depth}

    @classmethod
    def from_config(cls, config):
        return cls(**config)


class Loud:
    """Of no kind that is called."""


def green():
    return 'green'


def dark_red(depth=9):
    return Red(depth)


def wipe(**arguments):
    raise AssertionError('a config called a function')


@pytest.fixture
def colours():
    kind = Kind('colour', expected='a name')
    kind.enter({'Red': Red, 'green': green, 'dark_red': dark_red, 'wipe': wipe}, makers=(dark_red,))
    return kind


def test_names_classes_objects_and_functions(colours):
    assert colours.get('Red').depth == 1 and colours.get(Red).depth == 1
    assert colours.get('green') is green and colours.get(green) is green
    assert colours.get('dark_red').depth == 9 and colours.get(dark_red).depth == 9
    red = Red(3)
    assert colours.get(red) is red
    assert colours.get(None) is None and colours.deserialize(None) is None
    assert Kind('colour', for_none=green).get(None) is green


def test_configs_there_and_back(colours):
    config = colours.serialize(Red(4))
    assert config == {'class_name': 'Red', 'config': {'depth': 4}}
    assert colours.deserialize(config).depth == 4
    assert config == {'class_name': 'Red', 'config': {'depth': 4}}
    assert colours.get({'class_name': 'dark_red', 'config': {'depth': 5}}).depth == 5
    assert colours.serialize(green) == 'green'
    # Keras 3 writes functions so.
    assert colours.deserialize({'module': 'builtins', 'class_name': 'function', 'config': 'green',
                                'registered_name': 'function'}) is green


def test_a_config_does_not_call_functions(colours):
    assert colours.deserialize({'class_name': 'wipe', 'config': {}}) is wipe
    assert metrics.deserialize('mine', custom_objects={'mine': True}) is True
    with pytest.raises(ValueError, match="'wipe' does not stand for colour"):
        colours.deserialize({'class_name': 'wipe', 'config': {'everything': True}})


def test_what_is_found_has_to_be_of_the_kind(colours):
    with pytest.raises(ValueError, match="'Loud' does not stand for colour"):
        colours.deserialize({'class_name': 'Loud', 'config': {}}, {'Loud': Loud})
    things = Kind('thing', Loud, functions=None, accepts=lambda cls: issubclass(cls, Loud))
    with pytest.raises(ValueError, match="'green' does not stand for thing"):
        things.deserialize('green', {'green': green})
    with pytest.raises(ValueError, match="'make' does not stand for thing"):
        things.deserialize({'class_name': 'make', 'config': {}}, {'make': green})
    assert isinstance(things.deserialize({'class_name': 'make', 'config': {}}, {'make': lambda: Loud()}), Loud)
    with pytest.raises(ValueError, match='Could not interpret thing: 3'):
        things.get(3)


def test_your_own_come_first_where_they_are_of_the_kind(colours):
    with custom_object_scope({'green': max, 'Red': Loud}):
        assert colours.get('green') is max
        assert isinstance(colours.get('Red'), Red)

    @register_keras_serializable('kinds')
    class Blue(Red):
        pass
    config = colours.serialize(Blue(2))
    assert config['class_name'] == 'kinds>Blue'
    assert type(colours.deserialize(config)) is Blue
    assert type(colours.deserialize({'module': None, 'class_name': 'Blue', 'config': {},
                                     'registered_name': 'kinds>Blue'})) is Blue


def test_included_kinds(colours):
    mixed = Kind('paint', home='tests.paints')
    mixed.enter({'Varnish': Red})
    both = Kind('surface', includes=('tests.paints',))
    both.enter({'green': green})
    assert both.get('Varnish').depth == 1 and both.get('green') is green
    with pytest.raises(ValueError, match="Unknown surface: 'Varnsh'. Did you mean 'Varnish'"):
        both.get('Varnsh')


def test_errors_name_what_comes_near(colours):
    with pytest.raises(ValueError, match=r"Unknown colour: 'geren'. Did you mean 'green'\? .*custom_object_scope"):
        colours.get('geren')
    with pytest.raises(ValueError, match='Improper config of colour'):
        colours.get({'name': 'x'})
    with pytest.raises(ValueError, match='Could not interpret 3 as colour'):
        colours.deserialize(3)


def test_arguments_say_their_kind_by_their_name():
    assert kind_of_argument('units') is None
    assert kind_of_argument('kernel_size') is None
    assert kind_of_argument('activation').get('relu') is activations.relu
    assert isinstance(kind_of_argument('kernel_initializer').get('zeros'), initializers.Zeros)


# --- the kinds of Keras -----------------------------------------------------------------------------------------------

MODULES = (activations, constraints, initializers, layers, losses, metrics, optimizers, optimizers.schedules,
           regularizers)


@pytest.mark.parametrize('module', MODULES, ids=lambda module: module.__name__)
@pytest.mark.parametrize('name', ['serialize', 'get', 'deserialize', 'Kind', 'math', '__name__'])
def test_a_name_in_a_file_is_not_looked_up_in_a_module(module, name):
    for identifier in (name, {'class_name': name, 'config': {}}, {'class_name': name, 'config': {'identifier': 'relu'}},
                       {'class_name': 'function', 'config': name}):
        with pytest.raises(ValueError, match='Unknown'):
            module.deserialize(identifier)


@pytest.mark.parametrize('config', [
    {'module': 'keras.utils', 'class_name': 'set_random_seed', 'config': {'seed': 1}},
    {'module': 'keras.models', 'class_name': 'load_model', 'config': {'filepath': 'x.h5'}},
    {'module': 'keras', 'class_name': 'version', 'config': {}},
    {'module': 'keras.layers', 'class_name': 'Kind', 'config': {'what': 'x'}},
    {'module': 'keras.losses', 'class_name': 'reduce_values', 'config': {'values': 1.0}}])
def test_a_config_cannot_name_any_function_of_keras(config):
    with pytest.raises(ValueError, match='Unknown'):
        deserialize_keras_object(config)


def test_a_layer_is_a_layer_and_an_optimizer_an_optimizer():
    for module in (layers, optimizers):
        for wrong in ('Zeros', 'mean_squared_error', 'L1L2'):
            with pytest.raises(ValueError, match='Unknown'):
                module.deserialize({'class_name': wrong, 'config': {}})
    with pytest.raises(ValueError, match='does not stand for layer'):
        layers.deserialize({'class_name': 'Mine', 'config': {}}, {'Mine': Red})
    with pytest.raises(ValueError, match='does not stand for optimizer'):
        optimizers.deserialize({'class_name': 'Mine', 'config': {}}, {'Mine': layers.Flatten})
    with pytest.raises(ValueError, match="'relu' does not stand for activation"):
        activations.deserialize({'class_name': 'relu', 'config': {'x': 1.0}})


def objects():
    return [layers.Dense(3, name='d'), layers.Bidirectional(layers.LSTM(2), name='b'), losses.MeanSquaredError(),
            losses.Huber(0.5), metrics.MeanSquaredError(), metrics.CosineSimilarity(), losses.CosineSimilarity(),
            metrics.BinaryCrossentropy(), losses.BinaryCrossentropy(from_logits=True), metrics.AUC(5),
            optimizers.Adam(0.5), optimizers.schedules.CosineDecay(0.5, 10), initializers.Orthogonal(2.0),
            regularizers.L1(0.5), constraints.MaxNorm(3), keras.Sequential([layers.Dense(2, input_shape=(3,))])]


@pytest.mark.parametrize('place', range(16))
def test_any_object_of_keras_comes_back_from_its_config_alone(place):
    made = objects()[place]
    again = deserialize_keras_object(serialize_keras_object(made))
    assert type(again) is type(made) and again.get_config() == made.get_config()


@pytest.mark.parametrize('function', [activations.relu, losses.mean_squared_error, metrics.binary_accuracy])
def test_any_function_of_keras_comes_back_from_its_name(function):
    assert deserialize_keras_object(serialize_keras_object(function)) is function


def test_the_module_in_a_config_says_the_kind():
    def made(module, name, **config):
        return deserialize_keras_object({'module': module, 'class_name': name, 'config': config,
                                         'registered_name': None})
    assert type(made('keras.metrics', 'MeanSquaredError')) is metrics.MeanSquaredError
    assert type(made('keras.losses', 'MeanSquaredError')) is losses.MeanSquaredError
    assert type(made('keras.src.metrics.regression_metrics', 'MeanSquaredError')) is metrics.MeanSquaredError
    assert made('keras.optimizers.schedules', 'CosineDecay', initial_learning_rate=1.0, decay_steps=3).decay_steps == 3


def test_an_activation_may_be_a_layer():
    config = activations.serialize(layers.LeakyReLU(0.5))
    again = activations.deserialize(config)
    assert isinstance(again, layers.LeakyReLU) and np.isclose(again.alpha, 0.5)
    assert isinstance(layers.Dense(2, activation=config).activation, layers.LeakyReLU)


def test_a_lambda_in_a_file_has_nothing_imported():
    config = layers.Lambda(len, name='l').get_config()
    config.update(function='getcwd', function_type='function', module='os')
    with pytest.raises(ValueError, match="Unknown function 'getcwd'"):
        layers.Lambda.from_config(config)
    assert layers.Lambda.from_config(config, {'getcwd': green}).function is green


def test_a_lambda_finds_registered_functions():
    @register_keras_serializable('kinds')
    def thrice(x):
        return x * 3
    config = layers.Lambda(thrice).get_config()
    assert layers.deserialize({'class_name': 'Lambda', 'config': config}).function is thrice


@pytest.mark.on('numpy')
def test_arrays_that_have_been_read_already_stay():
    """A `from_config` reads once more what is in its config."""
    mean = np.arange(3.0)
    found = keras.saving.deserialize_keras_object({'mean': mean, 'inner': [{'std': mean}]})
    assert found['mean'] is mean and found['inner'][0]['std'] is mean


@pytest.mark.on('numpy')
def test_what_is_registered_elsewhere_is_no_layer_of_keras():
    entry = {'class_name': 'Dense', 'module': 'keras.layers', 'registered_name': 'a>Dense', 'config': {'units': 1}}
    assert keras.saving.deserialize_keras_object(entry).units == 1
    for name in 'builtins.eval', 'nobodys>MadeHere':
        with pytest.raises(ValueError, match='resolved to a Keras built-in'):
            keras.saving.deserialize_keras_object(dict(entry, registered_name=name))
    made_here = keras.saving.register_keras_serializable('here')(type('MadeHere', (keras.layers.Layer,), {}))
    assert keras.saving.get_registered_object('MadeHere') is made_here
    with pytest.raises(ValueError, match='resolved to a Keras built-in'):
        keras.saving.deserialize_keras_object(dict(entry, registered_name='nobodys>MadeHere'))
    assert keras.saving.get_registered_object('nobodys>MadeHere', {'MadeHere': made_here}) is made_here
    with pytest.raises(TypeError, match="Expected 'config' to be a dict"):
        keras.saving.deserialize_keras_object({'class_name': 'Dense', 'config': [1]})
    with pytest.raises(TypeError, match="Expected 'config' to be a non-null str"):
        keras.saving.deserialize_keras_object({'class_name': 'function', 'config': ['no', 'name']})


@pytest.mark.on('numpy')
def test_registered_functions_go_by_their_registered_names():
    @keras.saving.register_keras_serializable('packed')
    def told(x):
        return x
    entry = keras.saving.serialize_keras_object(told)  # as Keras 3.15.1 writes it
    assert entry == {'module': 'builtins', 'class_name': 'function', 'config': 'packed>told',
                     'registered_name': 'function'}
    assert keras.saving.deserialize_keras_object(entry) is told


@pytest.mark.on('tensorflow')
def test_specs_of_tensorflow():
    import tensorflow as tf
    for spec in tf.TensorSpec((None, 3), 'float32'), tf.TensorSpec(None, tf.int32, name='x'):
        config = keras.saving.serialize_keras_object({'spec': spec})
        assert json.loads(json.dumps(config)) == config and config['spec']['class_name'] == '__typespec__'
        assert keras.saving.deserialize_keras_object(config) == {'spec': spec}
        assert keras.saving.serialize_keras_object(spec.dtype) == spec.dtype.name


@pytest.mark.on('numpy')
def test_specs_that_cannot_be_read():
    for config, said in ('no list', "Expected 'config' to be a list or a tuple"), ([[1], 'int32', None], 'TensorSpec'):
        with pytest.raises((TypeError, ValueError), match=said):
            keras.saving.deserialize_keras_object({'class_name': '__typespec__', 'spec_name': 'X', 'config': config})
