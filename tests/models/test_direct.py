"""Calls of a model one by one, outside of everything else: the short way gives what the long one gives."""
import numpy as np
import pytest

import keras
from keras.backend.contract.loading import get_engine
from keras.backend.state.variables import to_array
from keras.models import direct

X = np.arange(6, dtype='float32').reshape(2, 3) - 2


def small(units=2, **kwargs):
    inputs = keras.Input((3,))
    return keras.Model(inputs, keras.layers.Dense(units, kernel_initializer='ones', **kwargs)(inputs))


def often(model, x=X, times=6, **kwargs):
    """What several calls gave, all the same, as one array."""
    x = keras.ops.convert_to_tensor(x)
    found = [to_array(model(x, **kwargs)) for _ in range(times)]
    for one in found[1:]:
        np.testing.assert_allclose(one, found[0], rtol=1e-6)
    return found[0]


def test_weights_and_attributes_that_change_are_heeded():
    model = small()
    sums = np.repeat(X.sum(1, keepdims=True), 2, 1)
    np.testing.assert_allclose(often(model), sums, rtol=1e-6)
    model.set_weights([np.ones((3, 2)) * 2, np.ones(2)])
    np.testing.assert_allclose(often(model, training=False), 2 * sums + 1, rtol=1e-6)
    model.layers[-1].activation = keras.activations.get('relu')
    np.testing.assert_allclose(often(model), np.maximum(2 * sums + 1, 0), rtol=1e-6)
    np.testing.assert_allclose(often(model, X[:1]), np.maximum(2 * sums + 1, 0)[:1], rtol=1e-6)


def test_a_function_of_the_users_runs_in_every_call():
    seen = []

    def activation(x):
        seen.append(x)
        return x * 2
    model = small(activation=activation)
    before = len(seen)
    often(model, times=6)
    assert len(seen) - before == 6


def test_training_and_a_stack_that_grows():
    model = keras.Sequential([keras.layers.Dense(2, input_shape=(3,), kernel_initializer='ones')])
    sums = np.repeat(X.sum(1, keepdims=True), 2, 1)
    np.testing.assert_allclose(often(model), sums, rtol=1e-6)
    model.add(keras.layers.Dropout(0.999999))
    np.testing.assert_allclose(often(model), sums, rtol=1e-6)
    assert not to_array(model(keras.ops.convert_to_tensor(X), training=True)).any()
    np.testing.assert_allclose(often(model), sums, rtol=1e-6)


def test_a_loss_that_is_added_later_is_computed():
    model = small()
    often(model)
    model.add_loss(keras.backend.sum(model.outputs[0]))
    often(model, times=2)
    assert len(model.losses) == 1


def test_errors_are_those_of_the_long_way():
    model = small()
    often(model)
    with pytest.raises(Exception, match='dense'):
        model(keras.ops.convert_to_tensor(np.ones((2, 5), 'float32')))


def test_a_copy_and_a_gradient():
    import copy
    model = small()
    often(model)
    twin = copy.deepcopy(model)
    np.testing.assert_allclose(often(twin), often(model), rtol=1e-6)
    weight = model.trainable_weights[0]
    x = keras.ops.convert_to_tensor(X)
    for _ in range(5):
        gradient, = keras.grad(lambda: keras.ops.sum(model(x)), [weight])
    np.testing.assert_allclose(to_array(gradient), np.repeat(X.sum(0)[:, None], 2, 1), rtol=1e-6)


@pytest.mark.on('jax')
def test_shapes_that_come_again_are_compiled_and_others_are_not():
    model, wanted = small(), X.sum(1)
    assert get_engine().joins_operations
    for count in range(1, 2 * direct.MOST_SHAPES):
        x = np.repeat(X[:1], count, 0)
        np.testing.assert_allclose(often(model, x, times=5)[:, 0], wanted[:1].repeat(count), rtol=1e-6)


def test_attributes_of_every_kind_are_heeded():
    """Numbers, flags, functions, a variable in the place of another."""
    inputs = keras.Input((3,))
    scaled = keras.layers.Rescaling(2.0)
    dense = keras.layers.Dense(1, kernel_initializer='ones', use_bias=False)
    model = keras.Model(inputs, dense(scaled(inputs)))
    sums = X.sum(1, keepdims=True)
    np.testing.assert_allclose(often(model), 2 * sums, rtol=1e-6)
    scaled.scale = 3.0
    np.testing.assert_allclose(often(model), 3 * sums, rtol=1e-6)
    dense.kernel = keras.Variable(np.full((3, 1), 2, 'float32'))
    np.testing.assert_allclose(often(model), 6 * sums, rtol=1e-6)
    dense.use_bias, dense.bias = True, keras.Variable(np.ones(1, 'float32'))
    np.testing.assert_allclose(often(model), 6 * sums + 1, rtol=1e-6)
    dense.activation = keras.activations.relu
    np.testing.assert_allclose(often(model), np.maximum(6 * sums + 1, 0), rtol=1e-6)


@pytest.mark.on('jax', 'torch')
def test_a_variable_in_the_place_of_one_with_the_same_number(monkeypatch):
    monkeypatch.setattr(keras.config.settings, 'generation', 3)
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, kernel_initializer='ones')])
    x = np.ones((2, 1), 'float32')
    np.testing.assert_allclose(often(model, x), 1)
    dense = model.layers[-1]
    dense.kernel = keras.Variable(np.ones((1, 1), 'float32'))
    np.testing.assert_allclose(often(model, x), 1)
    dense.kernel.assign([[3.0]])
    np.testing.assert_allclose(often(model, x), 3)
