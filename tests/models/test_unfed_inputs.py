"""Inputs that take their data from a variable or tensor, and clones built on given inputs."""
import copy

import numpy as np
import pytest

from keras import backend as K
from keras import layers
from keras.models import Model, Sequential, clone_model

DATA = np.arange(15, dtype='float32').reshape(5, 3)
SUMS = DATA.sum(axis=1, keepdims=True)


def ones(units):
    return layers.Dense(units, kernel_initializer='ones')


def unfed():
    x = layers.Input(tensor=K.variable(DATA))
    return Model(x, ones(2)(x))


@pytest.mark.needs_gradients
def test_a_model_of_a_variable_needs_no_inputs():
    """The numbers are those of Keras 2.3.1: the mean of the squares of 3, 12, 21, 30 and 39 is 603."""
    model = unfed()
    assert model.input_shape == (5, 3) and [type(layer).__name__ for layer in model.layers] == ['InputLayer', 'Dense']
    assert len(model.weights) == 2
    np.testing.assert_allclose(model.predict(None, steps=1), SUMS.repeat(2, 1))
    assert model.predict(None, steps=2).shape == (10, 2)
    model.compile('sgd', 'mse')
    targets = np.zeros((5, 2))
    assert model.evaluate(None, targets, steps=1, verbose=0) == pytest.approx(603.0)
    assert model.train_on_batch(None, targets) == pytest.approx(603.0)
    history = model.fit(None, targets, steps_per_epoch=3, epochs=2, verbose=0)
    assert len(history.history['loss']) == 2
    with pytest.raises(ValueError, match='expects 0 input arrays'):
        model.predict(DATA)


def test_inputs_that_are_fed_beside_one_that_is_not():
    variable, z = K.variable(DATA), layers.Input((3,), name='fed')
    held = layers.Input(tensor=variable, name='held')
    model = Model([held, z], layers.add([held, z]))
    assert model.input_names == ['held', 'fed']
    for given in (DATA, [DATA], {'fed': DATA}):
        np.testing.assert_allclose(model.predict(given, batch_size=5), 2 * DATA)
    K.set_value(variable, np.zeros((5, 3)))
    np.testing.assert_allclose(model.predict(DATA), DATA)


def test_expressions_of_k_are_inputs():
    image = K.variable(DATA)
    stacked = K.concatenate([image, K.constant(DATA)], axis=0)
    assert layers.Input(tensor=stacked) is stacked
    model = Model(stacked, ones(1)(stacked))
    np.testing.assert_allclose(K.function([], model.outputs)([])[0], np.concatenate([SUMS, SUMS]))
    np.testing.assert_allclose(model.predict(None, steps=1), np.concatenate([SUMS, SUMS]))


def test_input_layers_around_tensors():
    layer = layers.InputLayer(input_tensor=K.variable(DATA))
    assert layer.batch_input_shape == (5, 3)
    np.testing.assert_allclose(Sequential([layer, ones(1)]).predict(None, steps=1), SUMS)


def test_clones_on_given_inputs():
    x, z = layers.Input((3,)), layers.Input((3,))
    for model in (Model(x, ones(2)(x)), Sequential([layers.Dense(2, kernel_initializer='ones', input_shape=(3,))])):
        for given in (z, [z]):
            clone = clone_model(model, input_tensors=given)
            assert clone.inputs[0] is z
            np.testing.assert_allclose(clone.predict(DATA), SUMS.repeat(2, 1))
        for given in (K.variable(DATA), [K.variable(DATA)], DATA):
            clone = clone_model(model, input_tensors=given)
            assert clone.input_names == ['input_wrapper_for_' + model.input_names[0]]
            np.testing.assert_allclose(clone.predict(None, steps=1), SUMS.repeat(2, 1))
        with pytest.raises(ValueError, match='has 1 inputs .* holds 2 tensors'):
            clone_model(model, input_tensors=[z, x])


def test_a_copy_holds_the_data():
    twin = copy.deepcopy(unfed())
    np.testing.assert_allclose(twin.predict(None, steps=1), SUMS.repeat(2, 1))


@pytest.mark.parametrize('make, fed', [
    (lambda: K.concatenate([K.variable(DATA), K.placeholder((5, 3))], axis=0), False),
    (lambda: K.placeholder((5, 3), name='image'), True)], ids=['expression', 'placeholder'])
def test_tensors_of_k_begin_models_with_a_layer(make, fed):
    """As in Keras 2: `model.layers[0]` is the input, whatever the tensor was, and the model can be written down."""
    tensor = make()
    twice = tensor * 2
    x = layers.Input(tensor=tensor, name='begin')
    model = Model(x, ones(2)(x))
    assert x is tensor and [layer.name for layer in model.layers][0] == 'begin' and len(model.layers) == 2
    assert K.is_keras_tensor(tensor) and tensor._keras_history[0] is model.layers[0] and model.input_names == ['begin']
    assert layers.Input(tensor=tensor) is tensor
    again = Model.from_config(model.get_config())
    again.set_weights(model.get_weights())
    rows = np.ones((5 if fed else 10, 3))
    assert again.predict(rows).tolist() == [[3, 3]] * len(rows)
    assert copy.deepcopy(model).layers[0].name == 'begin'
    if fed:
        np.testing.assert_allclose(model.predict(DATA), SUMS.repeat(2, 1))
        np.testing.assert_allclose(K.function([x], [twice])([DATA])[0], 2 * DATA)


def test_networks_begin_with_expressions_of_k():
    from keras.applications import vgg19
    image, mask = K.variable(np.zeros((1, 32, 32, 3))), K.placeholder((1, 32, 32, 3))
    model = vgg19.VGG19(include_top=False, weights=None, input_tensor=K.concatenate([image, mask], axis=0))
    assert type(model.layers[0]) is layers.InputLayer and model.layers[1].name == 'block1_conv1'
    assert len(model.layers) == 22
