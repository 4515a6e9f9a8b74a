"""`trainable` of layers and of their weights."""
import numpy as np
import pytest

import keras
from keras import layers


@pytest.mark.on('torch', 'jax')
def test_a_weight_that_is_not_to_be_trained():
    layer = layers.LSTM(3)
    model = keras.Sequential([layers.Input((2, 3)), layer])
    model.compile('sgd', 'mse')
    before = layer.cell.kernel.numpy()
    order = [weight.path for weight in model.weights]
    layer.cell.kernel.trainable = False
    assert [weight.name for weight in model.non_trainable_weights] == [layer.cell.kernel.name]
    assert [weight.path for weight in model.weights] == order
    model.compile('sgd', 'mse')
    recurrent = layer.cell.recurrent_kernel.numpy()
    model.fit(np.ones((4, 2, 3)), np.ones((4, 3)), verbose=0)
    np.testing.assert_array_equal(layer.cell.kernel.numpy(), before)
    assert np.abs(layer.cell.recurrent_kernel.numpy() - recurrent).max() > 0


# The values that Keras 3.15.1 gave.
@pytest.mark.on('numpy')
@pytest.mark.parametrize('generation, told', [(2, False), ('tf', False), (3, True)])
def test_trainable_of_layers_and_weights(generation, told):
    with keras.config.generation(generation):
        dense, early, normalization = layers.Dense(3), layers.Dense(3), layers.BatchNormalization()
        dense.build((None, 2))
        normalization.build((None, 2))
        dense.trainable = early.trainable = normalization.trainable = False
        early.build((None, 2))
        assert dense.kernel.trainable is early.kernel.trainable is (not told)
        order = [weight.name for weight in normalization.weights]
        assert dense.trainable_weights == early.trainable_weights == []
        dense.trainable = early.trainable = normalization.trainable = True
        assert dense.kernel.trainable and early.kernel.trainable
        assert [weight.trainable for weight in normalization.weights] == [True, True, False, False]
        assert [weight.name for weight in normalization.weights] == order


@pytest.mark.on('torch', 'jax')
def test_a_critic_is_trained_as_it_was_compiled_in_keras_3():
    with keras.config.generation(3):
        critic = keras.Sequential([layers.Input((2,)), layers.Dense(1)])
        critic.compile('sgd', 'mse')
        critic.train_on_batch(np.ones((4, 2)), np.zeros((4, 1)))
        critic.trainable = False
        both = keras.Sequential([layers.Input((2,)), layers.Dense(2), critic])
        both.compile('sgd', 'mse')
        before = critic.get_weights()[0]
        made = both.layers[0].get_weights()[0]
        both.train_on_batch(np.ones((4, 2)), np.ones((4, 1)))
        np.testing.assert_array_equal(critic.get_weights()[0], before)
        assert np.abs(both.layers[0].get_weights()[0] - made).max() > 0


@pytest.mark.on('numpy')
@pytest.mark.parametrize('generation, trained', [(2, 0), ('tf', 0), (3, 2)])
@pytest.mark.parametrize('make', [
    lambda: keras.layers.TimeDistributed(keras.layers.Dense(2), trainable=False),
    lambda: keras.layers.RNN(keras.layers.SimpleRNNCell(2, use_bias=False), trainable=False),
    lambda: keras.layers.SpectralNormalization(keras.layers.Dense(2), trainable=False)])
def test_what_is_frozen_by_its_constructor(make, generation, trained):
    """Upstream 3.15.1: in a model only own weights are; setting the attribute reaches the layers inside."""
    with keras.config.generation(generation):
        layer = make()
        layer.build((None, 3, 4))
        assert not layer.trainable_weights and len(layer.non_trainable_weights) == len(layer.weights)
        model = keras.Sequential([layers.Input((3, 4)), layer])
        assert len(model.trainable_weights) == trained
        layer.trainable = False
        assert not layer.trainable_weights and not model.trainable_weights


@pytest.mark.on('numpy', 'torch')
@pytest.mark.parametrize('generation', ['tf', 3])
def test_a_model_made_with_trainable_false_is_not_trained(generation):
    """Upstream 3.15.1: `fit` changes nothing, whatever the layers inside say."""
    with keras.config.generation(generation):
        x, dense = layers.Input((3,)), layers.Dense(2)
        model = keras.Model(x, dense(x), trainable=False)
        assert dense.trainable_weights and not model.trainable_weights and len(model.non_trainable_weights) == 2
        model.compile('sgd', 'mse')
        before = dense.get_weights()[0]
        model.fit(np.ones((4, 3)), np.zeros((4, 2)), verbose=0)
        np.testing.assert_array_equal(dense.get_weights()[0], before)
