"""Losses that refer to tensors of the model's graph beside the output, as in many programs of the Keras 2 years."""
import functools

import numpy as np
import pytest

from keras import backend as K
from keras.backend.contract.loading import get_engine
from keras.layers import Dense, Input
from keras.losses import mean_squared_error
from keras.models import Model, Sequential

pytestmark = pytest.mark.needs_gradients
DATA = np.random.RandomState(0).randn(8, 4).astype('float32')


def autoencoder():
    image = Input((4,))
    code = Dense(2, name='code')(image)
    return Model(image, Dense(4, name='decoded')(code)), code


def with_code(y_true, y_pred, code):
    return mean_squared_error(y_true, y_pred) + K.sum(K.square(code), axis=-1)


@pytest.mark.parametrize('way', ['closure', 'partial'])
def test_like_a_loss_that_is_added(way):
    model, code = autoencoder()
    other, other_code = autoencoder()
    other.set_weights(model.get_weights())
    loss = functools.partial(with_code, code=code) if way == 'partial' else lambda t, p: with_code(t, p, code)
    model.compile('sgd', loss)
    other.add_loss(K.mean(K.sum(K.square(other_code), axis=-1)))
    other.compile('sgd', 'mse')
    for _ in range(3):
        np.testing.assert_allclose(model.train_on_batch(DATA, DATA), other.train_on_batch(DATA, DATA), rtol=1e-5)
    for ours, theirs in zip(model.get_weights(), other.get_weights()):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-6)
    expected = np.mean(np.square(model.predict(DATA) - DATA)) + np.mean(np.sum(np.square(
        K.function([model.input], [code])([DATA])[0]), axis=-1))
    np.testing.assert_allclose(model.evaluate(DATA, DATA, verbose=0), expected, rtol=1e-5)


def test_sample_weights():
    model, code = autoencoder()
    model.compile('sgd', lambda y_true, y_pred: with_code(y_true, y_pred, code))
    weights = np.arange(8, dtype='float32')
    codes, made = K.function([model.input], [code, model.output])([DATA])
    each = np.mean(np.square(made - DATA), axis=-1) + np.sum(np.square(codes), axis=-1)
    np.testing.assert_allclose(model.test_on_batch(DATA, DATA, sample_weight=weights), np.mean(each * weights),
                               rtol=1e-5)


def test_gradient_penalty_as_a_loss():
    if 'gradients of gradients' in get_engine().capabilities.unsupported:
        pytest.skip('no gradients of gradients')
    points = Input((4,))
    critic = Sequential([Dense(8, activation='tanh', input_shape=(4,)), Dense(1, use_bias=False)])

    def penalty(y_true, y_pred):
        gradient = K.gradients(y_pred, points)[0]
        return K.square(K.sqrt(K.sum(K.square(gradient), axis=1)) - 3.0)

    model = Model(points, critic(points))
    model.compile('sgd', penalty)
    first = model.evaluate(DATA, np.zeros((8, 1)), verbose=0)
    model.fit(DATA, np.zeros((8, 1)), epochs=30, verbose=0)
    assert model.evaluate(DATA, np.zeros((8, 1)), verbose=0) < 0.5 * first
