"""Sequential models of Keras 3's generation take batches of other sizes than those that they were built for."""
import numpy as np
import pytest

import keras
from keras import layers


@pytest.fixture(autouse=True)
def keras3():
    with keras.config.generation(3):
        yield


def batches():
    yield np.ones((3, 5, 8), 'float32'), np.ones((3, 2), 'float32')
    yield np.ones((2, 7, 8), 'float32'), np.ones((2, 2), 'float32')


def made(*first):
    return keras.Sequential(list(first) + [layers.Conv1D(4, 3), layers.GlobalMaxPooling1D(), layers.Dense(2)])


@pytest.mark.on('tensorflow', 'jax', 'torch')
@pytest.mark.parametrize('first', [(), (keras.Input((9, 8)),)])
def test_from_batch_to_batch(first):
    model = made(*first)
    model.compile('sgd', 'mse')
    model.fit(batches(), steps_per_epoch=2, verbose=0)
    assert model.predict((x for x, _ in batches()), verbose=0).shape == (5, 2)
    x = np.random.RandomState(0).rand(2, 11, 8).astype('float32')
    expected = x
    for layer in model.layers:
        expected = layer(expected)
    np.testing.assert_allclose(keras.ops.convert_to_numpy(model(x)), keras.ops.convert_to_numpy(expected), rtol=1e-5)
    np.testing.assert_allclose(model.predict(x, verbose=0), keras.ops.convert_to_numpy(expected), rtol=1e-5)


@pytest.mark.on('numpy')
@pytest.mark.parametrize('layer', [layers.Dense(2), layers.BatchNormalization(), layers.Conv1D(2, 1)])
def test_what_a_layer_does_not_take_is_refused(layer):
    model = keras.Sequential([layer])
    model(np.ones((2, 3, 4), 'float32'))
    for size in (1, 5):
        with pytest.raises(ValueError, match='axis -1'):
            model(np.ones((2, 3, size), 'float32'))
    with pytest.raises(ValueError, match='expected shape'):
        model(np.ones((2, 3, 3, 4), 'float32'))
    assert keras.ops.shape(model(np.ones((2, 6, 4), 'float32')))[1] == 6


@pytest.mark.on('numpy')
def test_sizes_are_fixed_before_keras_3():
    with keras.config.generation(2):
        model = made(keras.Input((9, 8)))
    with pytest.raises(ValueError, match='expects arrays of shape'):
        model.predict(np.ones((2, 11, 8)), verbose=0)
