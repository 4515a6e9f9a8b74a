"""What Keras 3 refuses, or writes otherwise, in arguments of layers."""
import numpy as np
import pytest

import keras
from keras import layers

X = np.ones((2, 6, 6, 3), 'float32')


class Flagged(layers.Layer):
    def call(self, x, double):
        return x * 2 if double else x


@pytest.mark.on('numpy')
def test_flags_are_given_by_name():
    with keras.config.generation(3):
        layer = Flagged()
        with pytest.raises(ValueError, match='Only input tensors may be passed as positional'):
            layer(X, True)
        np.testing.assert_array_equal(layer(X, double=True), 2 * X)
        with pytest.raises(ValueError, match='name is a keyword argument'):
            layer.add_weight('w', shape=(2,))
    np.testing.assert_array_equal(Flagged()(X, True), 2 * X)
    assert Flagged().add_weight('w', shape=(2,)).shape == (2,)


@pytest.mark.on('numpy')
def test_configs_name_a_regularizer_of_the_output_where_there_is_one():
    with keras.config.generation(3):
        assert 'activity_regularizer' not in layers.Dense(2).get_config()
        assert layers.Dense(2, activity_regularizer='l2').get_config()['activity_regularizer']
    assert layers.Dense(2).get_config()['activity_regularizer'] is None


@pytest.mark.on('numpy')
def test_a_policy_of_integers_by_the_name_of_a_type():
    assert keras.DTypePolicy('int').compute_dtype == 'int32'
    assert layers.Flatten(dtype='int')(np.ones((2, 3), 'int32')).dtype == 'int32'


@pytest.mark.parametrize('layer', [
    layers.Conv2D(2, 7), layers.DepthwiseConv2D(7, strides=2), layers.SeparableConv2D(2, 7), layers.MaxPooling2D(7),
    layers.AveragePooling2D(7), layers.Conv2D(2, 3, dilation_rate=3)])
def test_windows_that_fit_nowhere(layer):
    with pytest.raises(ValueError, match='output size would be zero or negative'):
        layer(X)


@pytest.mark.on('tensorflow')
def test_shapes_of_tensorflow():
    x = keras.ops.ones((2, 3))
    for found in (keras.random.normal(x.shape), keras.ops.zeros(x.shape), keras.random.uniform(x.shape),
                  keras.ops.reshape(x, x.shape), keras.ops.broadcast_to(x, x.shape), keras.ops.full(x.shape, 2.0)):
        assert tuple(found.shape) == (2, 3)


@pytest.mark.on('tensorflow')
def test_a_saved_model_says_what_is_trained(tmp_path):
    model = keras.Sequential([keras.Input((3,)), layers.Dense(2), layers.BatchNormalization()])
    model.export(str(tmp_path / 'model'), format='tf_saved_model', verbose=False)
    loaded = layers.TFSMLayer(str(tmp_path / 'model'))
    assert (len(loaded.trainable_weights), len(loaded.non_trainable_weights)) == (4, 2)
    assert all(variable.storage.trainable for variable in model.weights)
