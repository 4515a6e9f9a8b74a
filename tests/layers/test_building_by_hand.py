"""`build` called by hand does what a call does in front of itself."""
import numpy as np
import pytest

import keras
from keras import layers

pytestmark = pytest.mark.on('numpy')


class Scale(layers.Layer):
    def build(self, input_shape):
        self.factor = self.add_weight(name='factor', shape=(input_shape[-1],), initializer='ones')

    def call(self, inputs):
        return inputs * self.factor


class Shifted(Scale):
    def build(self, input_shape):
        super().build(input_shape)
        self.shift = self.add_weight(name='shift', shape=(input_shape[-1],), initializer='ones')


@pytest.mark.parametrize('make, count', [(Scale, 1), (Shifted, 2)])
def test_a_layer_that_says_nothing_is_built_once(make, count):
    layer = make()
    layer.build((None, 3))
    assert layer.built and len(layer.weights) == count and layer.get_build_config() == {'input_shape': [None, 3]}
    layer(np.ones((2, 3), 'float32'))
    assert len(layer.weights) == count
    again = make()
    again.build_from_config(layer.get_build_config())
    assert [weight.shape for weight in again.weights] == [(3,)] * count


def test_weights_inside_a_wrapper_have_its_name():
    layer = layers.TimeDistributed(layers.Dense(2, name='inner'), name='outer')
    layer.build((None, 4, 3))
    assert [weight.path for weight in layer.layer.weights] == ['outer/inner/kernel', 'outer/inner/bias']


def test_several_shapes_by_position_and_by_name():
    for build in (lambda layer: layer.build((2, 4, 3), (2, 5, 3)),
                  lambda layer: layer.build((2, 4, 3), value_shape=(2, 5, 3))):
        layer = layers.MultiHeadAttention(2, 3)
        build(layer)
        assert layer.get_build_config()['shapes_dict'] == {'query_shape': [2, 4, 3], 'value_shape': [2, 5, 3]}
    with pytest.raises(TypeError):
        layers.Dense(2).build(shape=(2, 3))


def test_a_layer_built_by_hand_goes_into_a_file(tmp_path):
    layer = layers.Dense(4)
    layer.build((None, 8))
    layer.quantize('int8')
    model = keras.Sequential([layer])
    model.save(str(tmp_path / 'model.keras'))
    again = keras.models.load_model(str(tmp_path / 'model.keras'))
    x = np.random.RandomState(0).normal(size=(3, 8)).astype('float32')
    np.testing.assert_allclose(again.predict(x), model.predict(x), rtol=1e-6)


def test_an_embedding_with_its_table():
    for weights in (np.ones((3, 4)), [np.ones((3, 4))]):
        layer = layers.Embedding(3, 4, weights=weights)
        np.testing.assert_array_equal(layer.embeddings.numpy(), np.ones((3, 4)))
    assert layers.Embedding(3, 4).get_build_config() is None
    layer = layers.Embedding(3, 4)
    layer.build()
    again = layers.Embedding(3, 4)
    again.build_from_config(layer.get_build_config())
    assert again.built


def test_inputs_that_contradict_themselves():
    tensor = keras.KerasTensor((2, 3), 'float32')
    for arguments, words in (
            ({'shape': (2,), 'batch_shape': (1, 3)}, 'both `shape` and'), ({'batch_size': 3, 'batch_shape': (1, 2)},
                                                                          'both `batch_size` and'),
            ({'shape': (2, 4), 'input_tensor': tensor}, 'incompatible `shape`'),
            ({'dtype': 'float16', 'input_tensor': tensor}, 'incompatible `dtype`'),
            ({'sparse': True, 'input_tensor': tensor}, 'incompatible `sparse`'), ({}, 'must pass a `shape`')):
        with pytest.raises(ValueError, match=words):
            layers.InputLayer(**arguments)
    assert layers.InputLayer(shape=(3,), batch_size=2, dtype='float32', input_tensor=tensor).batch_shape == (2, 3)


@pytest.mark.parametrize('size', [None, 'a', [], 0, -1, 2.5, float('inf'), np.ones(2)])
def test_sizes_that_are_none_are_named(size):
    for make, name in ((lambda: layers.Dense(size), 'units'), (lambda: layers.Embedding(size, 2), 'input_dim'),
                       (lambda: layers.LSTM(size), 'units'), (lambda: layers.Conv1D(size, 2), 'filters')):
        with pytest.raises(ValueError, match='`%s` must be a positive integer' % name):
            make()


def test_a_reversible_embedding_backwards_has_no_mask():
    layer = layers.ReversibleEmbedding(3, 2, mask_zero=True)
    inputs = keras.Input((2,), dtype='int32')
    there = layer(inputs)
    assert there.mask is not None and layer(there, reverse=True).mask is None
