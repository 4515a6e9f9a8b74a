import pytest

from keras.saving import serialization


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
    assert serialization.deserialize_keras_object(config, OBJECTS).size == 3
    assert serialization.serialize_keras_object(double) == 'double'
    assert serialization.deserialize_keras_object('double', OBJECTS) is double
    assert serialization.deserialize_keras_object('Thing', OBJECTS).size == 1
    assert serialization.serialize_keras_object(None) is None
    assert serialization.deserialize_keras_object(None, OBJECTS) is None


def test_the_config_is_not_changed():
    config = {'class_name': 'Thing', 'config': {'size': 3}}
    serialization.deserialize_keras_object(config, OBJECTS)
    assert config == {'class_name': 'Thing', 'config': {'size': 3}}


def test_keras_3_configs_name_their_module():
    config = {'module': 'keras.initializers', 'class_name': 'Constant', 'config': {'value': 2.0},
              'registered_name': None}
    assert serialization.deserialize_keras_object(config).value == 2.0


def test_other_modules_are_not_imported():
    config = {'module': 'subprocess', 'class_name': 'Popen', 'config': {'args': ['true']}}
    with pytest.raises(ValueError, match="Unknown object: 'Popen'"):
        serialization.deserialize_keras_object(config)


def test_custom_objects_and_scopes():
    config = {'class_name': 'Mine', 'config': {'size': 2}}
    assert serialization.deserialize_keras_object(config, {}, {'Mine': Thing}).size == 2
    with serialization.custom_object_scope({'Mine': Thing}, {'other': double}):
        assert serialization.deserialize_keras_object(config, {}).size == 2
        assert serialization.deserialize_keras_object('other', {}) is double
    assert 'Mine' not in serialization.get_custom_objects()


def test_custom_objects_come_before_keras_own():
    assert serialization.deserialize_keras_object('double', OBJECTS, {'double': abs}) is abs


def test_registered_names():
    @serialization.register_keras_serializable('pack')
    class Registered(Thing):
        pass
    config = serialization.serialize_keras_object(Registered(4))
    assert config['class_name'] == 'pack>Registered'
    assert serialization.deserialize_keras_object(config, {}).size == 4
    assert serialization.deserialize_keras_object({'class_name': 'Registered', 'config': {'size': 5}}, {}).size == 5
    assert serialization.get_registered_object('pack>Registered') is Registered
    assert serialization.get_registered_name(double) == 'double'
    with pytest.raises(ValueError, match='has no `get_config'):
        serialization.register_keras_serializable()(type('Bare', (), {}))


def test_errors():
    with pytest.raises(ValueError, match=r"Unknown layer: 'Thign'. Did you mean 'Thing'\? .*custom_object_scope"):
        serialization.deserialize_keras_object('Thign', OBJECTS, printable_module_name='layer')
    with pytest.raises(ValueError, match='Improper config of layer'):
        serialization.deserialize_keras_object({'name': 'x'}, OBJECTS, printable_module_name='layer')
    with pytest.raises(ValueError, match='Could not interpret 3'):
        serialization.deserialize_keras_object(3, OBJECTS)
    with pytest.raises(ValueError, match='neither a `get_config'):
        serialization.serialize_keras_object(3)
