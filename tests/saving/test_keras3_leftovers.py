"""What Keras 3.15 writes that no layer of ours keeps in the same way: weights of tokens, operations in HDF5 configs."""
import json
import zipfile

import h5py
import numpy as np
import pytest

import keras
from keras import layers

TOKENS = np.array([[3, 9], [11, 5]], 'int64')


def model():
    return keras.Sequential([keras.Input((2,), dtype='int64'),
                             layers.IntegerLookup(vocabulary=[3, 5, 9], output_mode='tf_idf',
                                                  idf_weights=[.5, .2, .3])])


def test_weights_of_tokens_stand_where_keras_3_has_them(tmp_path):
    made, path = model(), str(tmp_path / 'a.weights.h5')
    made.save_weights(path)
    with h5py.File(path, 'r+') as file:
        written = file['layers/integer_lookup/vars/idf_weights']
        np.testing.assert_allclose(written[()], [1 / 3, .5, .2, .3], rtol=1e-6)
    made.save(str(tmp_path / 'a.keras'))
    loaded = keras.models.load_model(str(tmp_path / 'a.keras'))
    # 3 and 9, each once; one that is not known and 5.
    expected = [[0, .5, 0, .3], [1 / 3, 0, .2, 0]]
    np.testing.assert_allclose(loaded.predict(TOKENS, verbose=0), expected, rtol=1e-6)
    with zipfile.ZipFile(str(tmp_path / 'a.keras')) as archive:
        assert 'model.weights.h5' in archive.namelist()


def test_weights_of_tokens_of_a_file_win():
    layer = model().layers[-1]
    layer.load_own_variables({'idf_weights': np.array([1, 2, 3, 4], 'float32')})
    np.testing.assert_allclose(keras.ops.convert_to_numpy(layer(TOKENS)), [[0, 2, 0, 4], [1, 0, 3, 0]])
    store = {}
    layer.save_own_variables(store)
    np.testing.assert_allclose(store['idf_weights'], [1, 2, 3, 4])


def test_discretization_is_not_said_to_be_trainable(tmp_path):
    made = keras.Sequential([keras.Input((1,)), layers.Discretization(bin_boundaries=[0., 1.])])
    made.save(str(tmp_path / 'a.keras'))
    with zipfile.ZipFile(str(tmp_path / 'a.keras')) as archive:
        config = json.loads(archive.read('config.json').decode())
    assert 'trainable' not in config['config']['layers'][1]['config']
    loaded = keras.models.load_model(str(tmp_path / 'a.keras'))
    np.testing.assert_array_equal(loaded.predict(np.array([[-1.], [.5], [2.]]), verbose=0), [[0], [1], [2]])


def operation(name, config, before):
    reference = {'class_name': '__keras_tensor__', 'config': {'shape': [None, 3], 'dtype': 'float32',
                                                             'keras_history': [before, 0, 0]}}
    return {'class_name': name, 'name': name.lower(), 'config': dict(config, name=name.lower()),
            'inbound_nodes': [{'args': [reference], 'kwargs': {}}]}


def test_operations_without_a_module_as_keras_3_writes_them_into_hdf5():
    entries = [{'class_name': 'InputLayer', 'name': 'x', 'config': {'name': 'x', 'batch_shape': [None, 3],
                                                                   'dtype': 'float32'}, 'inbound_nodes': []},
               operation('ConvertToTensor', {'dtype': None, 'sparse': None, 'ragged': None}, 'x'),
               operation('Nansum', {'axis': [1], 'keepdims': True}, 'converttotensor')]
    config = {'class_name': 'Functional', 'config': {'name': 'f', 'layers': entries, 'input_layers': [['x', 0, 0]],
                                                     'output_layers': [['nansum', 0, 0]]}}
    loaded = keras.models.model_from_json(json.dumps(config))
    found = loaded.predict(np.array([[1, np.nan, 2]], 'float32'), verbose=0)
    np.testing.assert_allclose(found, [[3]])


@pytest.mark.on('numpy')
def test_what_is_registered_comes_before_the_class_of_keras_that_a_config_names():
    """As Keras 3.15.1 has it."""
    @keras.saving.register_keras_serializable('of_test_leftovers')
    class Mine(layers.Dense):
        pass

    config = {'class_name': 'Dense', 'module': 'keras.layers', 'registered_name': 'of_test_leftovers>Mine',
              'config': {'units': 1}}
    assert type(keras.saving.deserialize_keras_object(config)) is Mine
    config['registered_name'] = 'Functional'
    with pytest.raises(ValueError, match='resolved to a Keras built-in'):
        keras.saving.deserialize_keras_object(config)
    assert type(keras.saving.deserialize_keras_object(config, custom_objects={'Functional': Mine})) is Mine
    made = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(Mine(2)))
    assert type(made) is Mine


@pytest.mark.on('numpy')
def test_a_type_is_a_list():
    with pytest.raises(TypeError, match="Expected 'config' to be a list or a tuple"):
        keras.saving.deserialize_keras_object({'class_name': '__typespec__', 'config': 'no list'})
