"""Models that tf.keras has ready. The numbers are tf.keras 2.15's."""
import numpy as np
import pytest

import keras
from keras import layers, optimizers

X = np.linspace(-1, 1, 12).reshape(4, 3).astype('float32')
Y = np.array([[0.0], [1.0], [0.0], [2.0]], 'float32')
trains = pytest.mark.on('torch', 'jax', 'tensorflow', 'theano', 'cntk', 'mxnet')


def weights_of(model):
    return [weight.ravel() for weight in model.get_weights()]


def test_linear_model_adds_its_inputs():
    model = keras.experimental.LinearModel(2, 'tanh', kernel_initializer='ones', bias_initializer='ones')
    out = model.predict([np.ones((2, 1), 'float32'), np.full((2, 2), 2.0, 'float32')])
    np.testing.assert_allclose(out, np.full((2, 2), np.tanh(6.0)), rtol=1e-6)
    model = keras.experimental.LinearModel(kernel_initializer='ones')
    inputs = {'b': np.ones((2, 1), 'float32'), 'a': np.full((2, 2), 2.0, 'float32')}
    np.testing.assert_allclose(model.predict(inputs), [[5.0], [5.0]])
    with pytest.raises(ValueError, match='does not match the structure expected by the model'):
        model({'b': np.ones((2, 1), 'float32')})


@trains
def test_wide_and_deep_with_an_optimizer_each():
    def trained(optimizer):
        linear = keras.experimental.LinearModel(kernel_initializer='ones')
        deep = keras.Sequential([layers.Dense(2, 'relu', kernel_initializer='ones'),
                                 layers.Dense(1, kernel_initializer='ones')])
        model = keras.experimental.WideDeepModel(linear, deep, activation='sigmoid')
        model.compile(optimizer, 'mse', metrics=['mae'])
        history = model.fit(X, Y, batch_size=2, shuffle=False, epochs=2, verbose=0).history
        return history, linear, deep
    history, linear, deep = trained([optimizers.SGD(0.01), optimizers.Adam(0.01, epsilon=1e-7)])
    np.testing.assert_allclose(history['loss'], [0.58462083, 0.58163953], rtol=1e-5)
    np.testing.assert_allclose(history['mae'], [0.67382264, 0.6722647], rtol=1e-5)
    np.testing.assert_allclose(sorted(np.concatenate(weights_of(linear))), [0.0014851, 0.998661, 0.9989311, 0.9992011],
                               rtol=1e-4)
    np.testing.assert_allclose(weights_of(deep)[1], [-0.020645, -0.020645], rtol=1e-3)
    history, linear, deep = trained(optimizers.SGD(0.01))
    np.testing.assert_allclose(history['loss'], [0.58433712, 0.58415139], rtol=1e-5)
    np.testing.assert_allclose(weights_of(deep)[1], [-0.0013267, -0.0013267], rtol=1e-3)


def test_wide_and_deep_takes_a_pair():
    deep = keras.Sequential([layers.Dense(1, kernel_initializer='ones')])
    model = keras.experimental.WideDeepModel(keras.experimental.LinearModel(kernel_initializer='ones'), deep)
    np.testing.assert_allclose(model.predict([X, X[:, :2]]).ravel(), [-4.272727, -1.5454546, 1.1818182, 3.909091],
                               rtol=1e-5)


@trains
@pytest.mark.parametrize('splits, losses, errors, bias', [
    (None, [3.88409424, 2.07122469], [1.42407918, 1.09389067], 0.358783),
    (2, [4.27482891, 1.34932947], [1.42407918, 0.75472862], 0.7799935)])
def test_sharpness_aware_minimization(splits, losses, errors, bias):
    inner = keras.Sequential([layers.Dense(2, 'tanh', kernel_initializer='ones'),
                              layers.Dense(1, kernel_initializer='ones')])
    model = keras.models.experimental.SharpnessAwareMinimization(inner, rho=0.5, num_batch_splits=splits)
    model.compile(optimizers.SGD(0.1), 'mse', metrics=['mae'])
    history = model.fit(X, Y, batch_size=4, shuffle=False, epochs=2, verbose=0).history
    np.testing.assert_allclose(history['loss'], losses, rtol=1e-5)
    np.testing.assert_allclose(history['mae'], errors, rtol=1e-5)
    np.testing.assert_allclose(weights_of(inner)[3], [bias], rtol=1e-5)


@pytest.mark.on('torch', 'jax')
def test_premade_models_are_saved(tmp_path):
    deep = keras.Sequential([layers.Dense(2, 'relu'), layers.Dense(1)])
    model = keras.experimental.WideDeepModel(keras.experimental.LinearModel(), deep, 'tanh')
    model.compile([optimizers.SGD(0.01), optimizers.Adam(0.01)], 'mse')
    model.fit(X, Y, verbose=0)
    sharp = keras.models.experimental.SharpnessAwareMinimization(
        keras.Sequential([layers.Dense(1, input_shape=(3,))]), rho=0.1)
    sharp.compile('sgd', 'mse')
    sharp.fit(X, Y, verbose=0)
    for saved in (model, sharp):
        path = str(tmp_path / 'model.keras')
        saved.save(path)
        loaded = keras.models.load_model(path)
        np.testing.assert_allclose(loaded.predict(X), saved.predict(X), rtol=1e-6)
        losses = [each.fit(X, Y, verbose=0).history['loss'] for each in (loaded, saved)]
        np.testing.assert_allclose(*losses, rtol=1e-6)
