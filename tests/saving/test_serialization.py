import json
import threading

import numpy as np
import pytest

import keras
from keras.backend.state.variables import to_array
from keras.saving import kinds, serialization


class Thing:
    def __init__(self, size=1):
        self.size = size

    def get_config(self):
        return {'size': self.size}

    @classmethod
    def from_config(cls, config):
        return cls(**config)


def double(x):
    return 2 * x


OBJECTS = {'Thing': Thing, 'double': double}


def test_round_trip_of_objects_functions_and_none():
    config = serialization.serialize_keras_object(Thing(3))
    assert config == {'class_name': 'Thing', 'config': {'size': 3}}
    assert kinds.deserialize_keras_object(config, OBJECTS).size == 3
    assert serialization.serialize_keras_object(double) == 'double'
    assert kinds.deserialize_keras_object('double', OBJECTS) is double
    assert kinds.deserialize_keras_object('Thing', OBJECTS).size == 1
    assert serialization.serialize_keras_object(None) is None
    assert kinds.deserialize_keras_object(None, OBJECTS) is None


def test_the_config_is_not_changed():
    config = {'class_name': 'Thing', 'config': {'size': 3}}
    kinds.deserialize_keras_object(config, OBJECTS)
    assert config == {'class_name': 'Thing', 'config': {'size': 3}}


def test_keras_3_configs_name_their_module():
    config = {'module': 'keras.initializers', 'class_name': 'Constant', 'config': {'value': 2.0},
              'registered_name': None}
    assert kinds.deserialize_keras_object(config).value == 2.0


def test_other_modules_are_not_imported():
    config = {'module': 'subprocess', 'class_name': 'Popen', 'config': {'args': ['true']}}
    with pytest.raises(ValueError, match="Unknown object: 'Popen'"):
        kinds.deserialize_keras_object(config)


def test_custom_objects_and_scopes():
    config = {'class_name': 'Mine', 'config': {'size': 2}}
    assert kinds.deserialize_keras_object(config, {}, {'Mine': Thing}).size == 2
    with serialization.custom_object_scope({'Mine': Thing}, {'other': double}):
        assert kinds.deserialize_keras_object(config, {}).size == 2
        assert kinds.deserialize_keras_object('other', {}) is double
    assert 'Mine' not in serialization.get_custom_objects()


def test_scopes_inside_each_other_and_what_is_added_in_them():
    objects = serialization.get_custom_objects()
    scope = serialization.CustomObjectScope({'Mine': 1})
    with scope:
        with serialization.CustomObjectScope({'Mine': 2}), scope:
            assert serialization.get_custom_objects()['Mine'] == 1
        with serialization.CustomObjectScope({'Mine': 2}, None):
            assert dict(serialization.get_custom_objects())['Mine'] == 2
        serialization.get_custom_objects()['added'] = 3
        assert serialization.get_registered_object('added') == 3 and serialization.get_registered_object('Mine') == 1
    assert 'Mine' not in objects and 'added' not in objects and serialization.get_custom_objects() is objects


def test_every_thread_has_scopes_of_its_own():
    both_inside, found = threading.Barrier(2), {}

    def run(number):
        with serialization.CustomObjectScope({'shared': number, 'own %d' % number: number}):
            both_inside.wait(10)
            named = serialization.get_custom_objects().items()
            found[number] = sorted(str(item) for item in named if '>' not in item[0])
            both_inside.wait(10)
        found[number].append(serialization.get_registered_object('shared'))

    threads = [threading.Thread(target=run, args=(number,)) for number in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for number in (1, 2):
        assert found[number] == ["('own %d', %d)" % (number, number), "('shared', %d)" % number, None]


def test_custom_objects_come_before_keras_own():
    assert kinds.deserialize_keras_object('double', OBJECTS, {'double': abs}) is abs


def test_registered_names():
    @serialization.register_keras_serializable('pack')
    class Registered(Thing):
        pass
    config = serialization.serialize_keras_object(Registered(4))
    assert config['class_name'] == 'pack>Registered'
    assert kinds.deserialize_keras_object(config, {}).size == 4
    assert kinds.deserialize_keras_object({'class_name': 'Registered', 'config': {'size': 5}}, {}).size == 5
    assert serialization.get_registered_object('pack>Registered') is Registered
    assert serialization.get_registered_name(double) == 'double'
    with pytest.raises(ValueError, match='does not have a get_config'):
        serialization.register_keras_serializable()(type('Bare', (), {}))


def test_errors():
    with pytest.raises(ValueError, match=r"Unknown layer: 'Thign'. Did you mean 'Thing'\? .*custom_object_scope"):
        kinds.deserialize_keras_object('Thign', OBJECTS, printable_module_name='layer')
    with pytest.raises(ValueError, match='Improper config of layer'):
        kinds.deserialize_keras_object({'name': 'x'}, OBJECTS, printable_module_name='layer')
    with pytest.raises(ValueError, match='Could not interpret 3'):
        kinds.deserialize_keras_object(3, OBJECTS)
    with pytest.raises(ValueError, match='neither a `get_config'):
        serialization.serialize_keras_object(3)


@pytest.mark.parametrize('value', [None, 3, 2.5, True, [1, [2]], (1, (2, 3)), {'a': (1, [2])}, b'ab'])
def test_values_in_the_form_of_keras_3(value):
    config = keras.saving.serialize_keras_object(value)
    assert keras.saving.deserialize_keras_object(json.loads(json.dumps(config))) == value


def test_objects_in_the_form_of_keras_3():
    config = keras.saving.serialize_keras_object({'a': (keras.layers.Dense(3), keras.activations.relu)})
    dense = config['a']['config'][0]
    assert (dense['module'], dense['class_name'], dense['registered_name']) == ('keras.layers', 'Dense', None)
    made = keras.saving.deserialize_keras_object(json.loads(json.dumps(config)))
    assert made['a'][0].units == 3
    array = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(np.arange(3)))
    np.testing.assert_array_equal(array, np.arange(3))


@pytest.mark.parametrize('home', ['saving', 'utils'])
def test_code_in_objects_is_read_where_it_is_allowed(home):
    deserialize = getattr(keras, home).deserialize_keras_object
    config = keras.saving.serialize_keras_object(keras.layers.Lambda(lambda x: 3 * x))
    config = json.loads(json.dumps(config))
    with pytest.raises(ValueError, match='safe_mode=False'):
        deserialize(config)
    assert to_array(deserialize(config, safe_mode=False)(np.ones((1, 1), 'float32'))) == 3


def test_custom_objects_come_second_as_in_keras_3():
    made = keras.saving.deserialize_keras_object({'class_name': 'Thing', 'config': {'size': 4}}, {'Thing': Thing})
    assert made.size == 4
    made = keras.saving.deserialize_keras_object({'class_name': 'Dense', 'config': {'units': 4}}, {'Thing': Thing})
    assert made.units == 4


@pytest.mark.on('numpy')
def test_values_in_the_form_of_keras_3_and_back():
    x = keras.Input((3,))
    taken = keras.Model(x, x[:, 1])
    config = json.loads(json.dumps(keras.saving.serialize_keras_object(taken)))
    found = keras.saving.deserialize_keras_object(config).predict(np.arange(6.0).reshape(2, 3))
    np.testing.assert_array_equal(found, [1, 4])
    values = [Ellipsis, slice(None, 20, 1), 'hello', {'a': ['hello', 1]}]
    with keras.config.generation(3):
        for value in values:
            written = json.loads(json.dumps(keras.saving.serialize_keras_object(value)))
            assert keras.saving.deserialize_keras_object(written) == value
        tensor = keras.ops.convert_to_tensor([[1.5, 2.5]])
        written = keras.saving.serialize_keras_object({'x': tensor})
        np.testing.assert_array_equal(keras.saving.deserialize_keras_object(json.loads(json.dumps(written)))['x'],
                                      [[1.5, 2.5]])
    assert keras.saving.deserialize_keras_object('relu') is keras.activations.relu


@pytest.mark.on('numpy')
def test_a_list_that_is_in_itself(tmp_path):
    class Cyclic(keras.Model):
        def __init__(self, **kwargs):
            super(Cyclic, self).__init__(**kwargs)
            self.parts = [keras.layers.Dense(2)]
            self.parts.append(self.parts)

        def call(self, inputs):
            return self.parts[0](inputs)
    one, other = Cyclic(), Cyclic()
    x = np.ones((2, 3), 'float32')
    one.predict(x), other.predict(x)
    assert len(one.weights) == 2
    one.save_weights(str(tmp_path / 'cyclic.weights.h5'))
    other.load_weights(str(tmp_path / 'cyclic.weights.h5'))
    np.testing.assert_array_equal(one.predict(x), other.predict(x))


@pytest.mark.on('numpy')
def test_objects_in_configs_of_ones_own_classes():
    class Holder(keras.layers.Layer):
        def __init__(self, parts, **kwargs):
            super(Holder, self).__init__(**kwargs)
            self.parts = parts

        def get_config(self):
            return dict(super(Holder, self).get_config(), parts=self.parts)

    config = json.loads(json.dumps(keras.saving.serialize_keras_object(Holder(
        [keras.layers.Dense(3), {'f': keras.activations.relu, 'g': lambda x: x + 1}]))))
    found = keras.saving.deserialize_keras_object(config, {'Holder': Holder}).parts
    assert keras.saving.deserialize_keras_object(found[0]).units == 3
    with pytest.raises(ValueError, match='safe_mode'):
        keras.saving.deserialize_keras_object(found[1])
    values = keras.saving.deserialize_keras_object(found[1], safe_mode=False)
    assert values['f'] is keras.activations.relu and values['g'](2) == 3


def test_registered_objects_are_custom_objects():
    """As in tf.keras and Keras 3; KerasHub finds its classes so."""
    @keras.saving.register_keras_serializable('tests')
    class Listed(keras.layers.Layer):
        pass

    assert keras.saving.get_custom_objects()['tests>Listed'] is Listed
    with keras.saving.custom_object_scope({'other': Listed}):
        assert keras.saving.get_custom_objects()['tests>Listed'] is Listed


@pytest.mark.on('torch', 'tensorflow')
def test_tensors_among_the_arguments_of_a_lambda_go_into_files(tmp_path):
    inputs = keras.Input((2, 3))
    centred = keras.layers.Lambda(lambda x, mean: keras.ops.subtract(x, mean),
                                  arguments={'mean': keras.ops.ones((2, 3))})
    outputs = centred(inputs)
    made = keras.Model(inputs, outputs)
    for name in 'a.h5', 'a.keras':
        made.save(str(tmp_path / name))
        found = keras.saving.load_model(str(tmp_path / name), safe_mode=False, compile=False)
        assert np.allclose(found.predict(np.ones((1, 2, 3)), verbose=0), 0)


@pytest.mark.on('numpy')
def test_a_sequential_without_a_name_is_refused_in_keras_3():
    entry = {'class_name': 'Sequential', 'module': 'keras', 'config': {'layers': []}}
    with keras.config.generation(3), pytest.raises(ValueError, match="containing the 'name' and 'layers' keys"):
        keras.saving.deserialize_keras_object(entry)
    assert keras.saving.deserialize_keras_object(entry).layers == []
