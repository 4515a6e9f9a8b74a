"""Lookups in Keras 3's generation: values, types and configs are those that keras 3.15.1 gives."""
import numpy as np
import pytest

import keras
from keras import layers

pytestmark = pytest.mark.skipif(keras.config.backend() not in ('numpy', 'torch', 'jax', 'tensorflow'),
                                reason='engines that Keras 3 has')
MODES = [('one_hot', [[0, 1, 0], [1, 0, 0], [0, 0, 1]]), ('multi_hot', [1, 1, 1]), ('count', [1, 1, 1])]


@pytest.fixture(autouse=True)
def generation_3():
    with keras.config.generation(3):
        yield


@pytest.mark.parametrize('mode, expected', MODES)
def test_rows_are_integers(mode, expected):
    for layer, data in ((layers.StringLookup(vocabulary=['a', 'b'], output_mode=mode), ['a', 'z', 'b']),
                        (layers.IntegerLookup(vocabulary=[1, 2], output_mode=mode), [1, 9, 2])):
        found = layer(np.array(data))
        assert keras.ops.dtype(found) in ('int64', 'int32')
        np.testing.assert_array_equal(keras.ops.convert_to_numpy(found), expected)


def test_rows_inside_of_models_are_floats():
    model = keras.Sequential([keras.Input((2,), dtype='int64'),
                              layers.IntegerLookup(vocabulary=[1, 2], output_mode='multi_hot')])
    found = model.predict(np.array([[1, 9], [2, 2]]), verbose=0)
    assert found.dtype == 'float32' and found.tolist() == [[1, 1, 0], [0, 0, 1]]


@pytest.mark.on('tensorflow')
def test_rows_of_texts_inside_of_models_are_floats():
    model = keras.Sequential([keras.Input((), dtype='string'),
                              layers.TextVectorization(vocabulary=['a', 'b'], output_mode='count')])
    found = model.predict(keras.ops.convert_to_tensor(['a a z', 'b']), verbose=0)
    assert found.dtype == 'float32' and found.tolist() == [[1, 2, 0], [0, 0, 1]]


def test_dtypes_are_those_of_what_is_looked_up():
    assert layers.StringLookup(vocabulary=['a']).dtype == 'string'
    assert layers.TextVectorization().dtype == 'string'
    assert layers.IntegerLookup(vocabulary=[1]).dtype == 'int64'
    assert layers.Hashing(3).dtype == 'int64'


@pytest.mark.skipif(keras.config.backend() != 'torch', reason='TensorFlow and NumPy have arrays of strings')
def test_strings_come_out_in_a_list():
    layer = layers.StringLookup(vocabulary=['a', 'b'], invert=True)
    assert layer(np.array([1, 0, 2])) == ['a', '[UNK]', 'b']


def test_config_says_the_size():
    config = layers.StringLookup(vocabulary=['a', 'b']).get_config()
    assert config['vocabulary_size'] == 3 and config['oov_method'] == 'floormod'
    assert layers.StringLookup.from_config(config).get_vocabulary() == ['[UNK]', 'a', 'b']
    assert layers.StringLookup().get_config()['vocabulary_size'] is None


@pytest.mark.skipif(keras.config.backend() != 'tensorflow', reason='sparse and ragged tensors of TensorFlow')
def test_sparse_and_ragged_tensors():
    import tensorflow as tf
    data = tf.SparseTensor([[0, 0], [1, 1]], ['b', 'z'], (2, 2))
    found = layers.StringLookup(vocabulary=['a', 'b'])(data)
    assert isinstance(found, tf.SparseTensor) and found.values.numpy().tolist() == [2, 0]
    with pytest.raises(ValueError, match='inputs should be dense tensors'):
        layers.HashedCrossing(3)((data, data))
    found = layers.TextVectorization(vocabulary=['a', 'b'], ragged=True)(['b a z', 'a'])
    assert isinstance(found, tf.RaggedTensor) and found.to_list() == [[3, 2, 1], [2]]


@pytest.mark.on('jax', 'numpy', 'torch')
def test_ragged_tensors_are_refused_elsewhere():
    with pytest.raises(ValueError, match='ragged=True'):
        layers.TextVectorization(ragged=True)


def test_a_tensor_of_categories():
    found = keras.utils.to_categorical(keras.ops.convert_to_tensor(np.array([0, 2])), 3)
    assert keras.ops.is_tensor(found)
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(found), [[1, 0, 0], [0, 0, 1]])


@pytest.mark.skipif(keras.config.backend() != 'torch', reason='modules of PyTorch')
def test_modules_become_layers():
    import torch

    class Own(keras.Model):
        def __init__(self):
            super().__init__()
            self.one, self.two = torch.nn.Linear(2, 4), torch.nn.BatchNorm1d(4)

        def call(self, x, training=None):
            return self.two(self.one(x))
    model = Own()
    assert isinstance(model.one, layers.TorchModuleWrapper) and len(model.trainable_weights) == 4
    model(np.ones((3, 2), 'float32'), training=False)
    assert not np.any(model.two.module.running_mean.numpy())
    model(np.ones((3, 2), 'float32'))
    assert np.any(model.two.module.running_mean.numpy())
