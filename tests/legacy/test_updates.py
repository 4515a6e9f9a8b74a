"""`get_updates` as each Keras calls it."""
import warnings

import numpy as np
import pytest

from keras import backend as K
from keras import constraints, layers, optimizers
from keras.legacy import interfaces
from keras.models import Sequential

pytestmark = pytest.mark.needs_gradients


def trained(call, optimizer=None):
    """The kernel after two steps of a script that makes its own train function; `call` gets its updates."""
    model = Sequential([layers.Dense(1, use_bias=False, kernel_initializer='zeros', input_shape=(3,))])
    target = K.placeholder((None, 1))
    loss = K.mean(K.square(model.output - target))
    updates = call(optimizer or optimizers.SGD(0.25), loss, model.trainable_weights)
    train = K.function([model.input, target], [loss], updates=updates)
    for _ in range(2):
        train([np.ones((2, 3)), np.ones((2, 1))])
    return model.get_weights()[0].ravel()


@pytest.mark.parametrize('call', [
    lambda optimizer, loss, params: optimizer.get_updates(loss, params),
    lambda optimizer, loss, params: optimizer.get_updates(params, {}, loss),
    lambda optimizer, loss, params: optimizer.get_updates(params, loss),
    lambda optimizer, loss, params: optimizer.get_updates(params, [], loss=loss),
    lambda optimizer, loss, params: optimizer.get_updates(params=params, constraints={}, loss=loss),
    lambda optimizer, loss, params: optimizer.get_updates(params, loss=loss)])
def test_orders(call):
    # Three equal weights w with the prediction 3 w: each step goes 0.25 * 2 * (1 - 3 w).
    np.testing.assert_allclose(trained(call), 3 * [0.25], rtol=1e-5)


def test_constraints_that_are_not_those_of_the_variables_are_told():
    with pytest.warns(UserWarning, match='those of the variables are obeyed.*kernel'):
        trained(lambda optimizer, loss, params: optimizer.get_updates(params, {params[0]: constraints.NonNeg()}, loss))
    with warnings.catch_warnings():
        warnings.simplefilter('error', UserWarning)
        trained(lambda optimizer, loss, params: optimizer.get_updates(
            params, {value: value.constraint for value in params}, loss))


def test_an_optimizer_with_the_decorator():
    class Half(optimizers.SGD):
        @interfaces.legacy_get_updates_support
        def get_updates(self, loss, params):
            gradients = self.get_gradients(loss, params)
            return [K.update(value, value - 0.5 * self.lr * gradient) for value, gradient in zip(params, gradients)]

    for call in [lambda optimizer, loss, params: optimizer.get_updates(params, {}, loss),
                 lambda optimizer, loss, params: optimizer.get_updates(loss, params)]:
        np.testing.assert_allclose(trained(call, Half(0.5)), 3 * [0.25], rtol=1e-5)
    model = Sequential([layers.Dense(1, use_bias=False, kernel_initializer='zeros', input_shape=(3,))])
    model.compile(Half(0.5), 'mse')
    model.fit(np.ones((2, 3)), np.ones((2, 1)), verbose=0)
    np.testing.assert_allclose(model.get_weights()[0].ravel(), 3 * [0.5], rtol=1e-5)


@pytest.mark.on('numpy')
def test_arguments_that_do_not_fit():
    optimizer = optimizers.SGD()
    with pytest.raises(TypeError, match='twice'):
        optimizer.get_updates([], {}, None, loss=None)
    with pytest.raises(TypeError, match='Received 4 arguments'):
        optimizer.get_updates([], {}, None, None)
