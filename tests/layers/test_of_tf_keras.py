"""Layers that tf.keras had besides. Numbers without a formula are those of tf.keras 2.4 and 2.15."""
import numpy as np
import pytest

import keras
from keras import backend as K
from keras import layers
from keras.backend.contract.engine import UnsupportedOperation
from keras.backend.contract.loading import get_engine
from keras.backend.state.variables import to_array


def test_random_fourier_features():
    layer = layers.RandomFourierFeatures(4, trainable=True)
    layer.build((None, 3))
    assert [weight.shape for weight in layer.trainable_weights] == [(1,)]
    np.testing.assert_allclose(K.get_value(layer.kernel_scale), [np.sqrt(1.5)], rtol=1e-6)
    kernel, bias, x = np.arange(12.0).reshape(3, 4) / 10, np.arange(4.0), np.array([[1.0, 2.0, 3.0]])
    layer.set_weights([np.array([1.5]), kernel, bias])
    np.testing.assert_allclose(to_array(layer(x.astype('float32'))), np.cos(x @ kernel / 1.5 + bias), rtol=1e-4)
    assert layers.RandomFourierFeatures(4, 'laplacian').get_config()['kernel_initializer'] == 'laplacian'


@pytest.mark.on('numpy')
@pytest.mark.parametrize('kernel, gamma', [('gaussian', lambda d: np.exp(-np.sum(d ** 2) / (2 * 2.0 ** 2))),
                                           ('laplacian', lambda d: np.exp(-np.sum(abs(d)) / 2.0))])
def test_random_features_approximate_their_kernel(kernel, gamma):
    keras.utils.set_random_seed(0)
    x = np.array([[0.2, -0.3], [0.9, 0.4]], 'float32')
    layer = layers.RandomFourierFeatures(20000, kernel, scale=2.0)
    first, second = to_array(layer(x))
    assert 2 * np.mean(first * second) == pytest.approx(gamma(x[0] - x[1]), abs=0.03)


@pytest.mark.on('numpy')
@pytest.mark.parametrize('arguments, message', [
    ((0,), 'positive integer'), ((2, 'x'), 'Unsupported `kernel_initializer`'),
    ((2, 'gaussian', -1.0), 'positive float')])
def test_random_features_refuse(arguments, message):
    with pytest.raises(ValueError, match=message):
        layers.RandomFourierFeatures(*arguments)
    with pytest.raises(ValueError, match='should be 2'):
        layers.RandomFourierFeatures(2)(np.ones((2, 3, 4), 'float32'))


def test_peephole_lstm():
    random = np.random.RandomState(0)
    cell = keras.experimental.PeepholeLSTMCell(3)
    cell.build((None, 2))
    cell.set_weights([random.uniform(-0.5, 0.5, weight.shape) for weight in cell.get_weights()])
    x = random.uniform(-1, 1, (2, 4, 2)).astype('float32')
    np.testing.assert_allclose(to_array(layers.RNN(cell)(x)), [[0.09114064, -0.18497925, 0.04042928],
                                                               [0.07018635, -0.17836176, 0.08819368]], rtol=1e-4)


def test_random_sizes():
    images = np.arange(24.0).reshape(1, 4, 6, 1).astype('float32')
    lower = to_array(layers.RandomHeight((-0.5, -0.5))(images, training=True))
    np.testing.assert_allclose(lower[0, :, :, 0], [np.arange(3.0, 9.0), np.arange(15.0, 21.0)], rtol=1e-5)
    wider = to_array(layers.RandomWidth((1.0, 1.0), 'nearest')(images, training=True))
    np.testing.assert_array_equal(wider, np.repeat(images, 2, axis=2))
    assert layers.RandomWidth(0.5).compute_output_shape((None, 4, 6, 1)) == (None, 4, None, 1)
    np.testing.assert_array_equal(to_array(layers.RandomHeight(0.5)(images, training=False)), images)


@pytest.mark.on('numpy')
def test_random_sizes_refuse():
    for factor in (-0.2, (0.5, 0.2)):
        with pytest.raises(ValueError, match='upper bound'):
            layers.RandomHeight(factor)
    with pytest.raises(ValueError, match='larger than -1'):
        layers.RandomHeight((-1.5, 0.0))
    with pytest.raises(ValueError, match='interpolation'):
        layers.RandomWidth(0.2, 'bicubic')


@pytest.mark.needs_gradients
def test_random_sizes_in_training():
    model = keras.Sequential([keras.Input((4, 6, 1)), layers.RandomHeight(0.5, seed=1), layers.GlobalAveragePooling2D(),
                              layers.Dense(1)])
    model.compile('sgd', 'mse')
    able = get_engine().capabilities
    if able.compiled and not able.dynamic_sizes:
        with pytest.raises(UnsupportedOperation, match='sizes that are known'):
            model.fit(np.ones((4, 4, 6, 1)), np.ones((4, 1)), verbose=0)
        return
    model.fit(np.ones((4, 4, 6, 1)), np.ones((4, 1)), verbose=0)
    assert model.predict(np.ones((4, 4, 6, 1))).shape == (4, 1)


@pytest.mark.on('numpy')
def test_layers_that_learn_from_data():
    class Largest(layers.experimental.preprocessing.PreprocessingLayer):
        def reset_state(self):
            self.largest, self.batches = 0.0, 0

        def update_state(self, data):
            self.largest, self.batches = max(self.largest, float(np.max(data))), self.batches + 1
    layer = Largest()
    layer.adapt(np.arange(6.0).reshape(6, 1), batch_size=4)
    assert (layer.largest, layer.batches) == (5.0, 2)
    assert isinstance(layers.Normalization(), layers.experimental.preprocessing.PreprocessingLayer)


@pytest.mark.on('numpy')
def test_members_of_layers():
    model = keras.Sequential([layers.Dense(2, input_shape=(3,), name='inside')])
    assert [layer.name for layer in model.submodules] == ['inside']
    with model.name_scope:
        assert K.variable(1.0, name='v').path == model.name + '/v'
    spec = layers.Dense(2).compute_output_signature(keras.KerasTensor((None, 3)))
    assert (tuple(spec.shape), spec.dtype) == ((None, 2), 'float32')


def test_synchronized_normalization_is_batch_normalization():
    x = np.random.RandomState(0).normal(size=(5, 3)).astype('float32')
    found = to_array(layers.SyncBatchNormalization(epsilon=1e-3)(x, training=True))
    np.testing.assert_allclose(found, (x - x.mean(0)) / np.sqrt(x.var(0) + 1e-3), rtol=1e-4, atol=1e-5)


def test_random_features_in_half_precision():
    if 'bfloat16' not in get_engine().capabilities.dtypes:
        pytest.skip('%s has no bfloat16' % get_engine().name)
    layer = layers.RandomFourierFeatures(8, 'laplacian', dtype='bfloat16')
    assert tuple(to_array(layer(np.ones((2, 3), 'float32'))).shape) == (2, 8)
