"""The structure of a model's inputs and outputs: the same on the graph, in runs, in shapes and in configs."""
import copy
import json

import numpy as np
import pytest

from keras import config, layers
from keras.backend.state.variables import to_array
from keras.models import Model, Sequential, clone_model, model_from_json

DATA = np.arange(15, dtype='float32').reshape(5, 3) / 10


def ones(units):
    return layers.Dense(units, kernel_initializer='ones')


def in_lists(wrap=list):
    """A model of one input and output, each in a list or tuple of its own."""
    x = layers.Input((3,))
    return Model(wrap([x]), wrap([ones(2)(x)]))


SUMS = DATA.sum(axis=1, keepdims=True)


@pytest.mark.parametrize('wrap', [list, tuple])
def test_one_in_a_list_is_that_one(wrap):
    inner = in_lists(wrap)
    assert inner.input_shape == (None, 3) and inner.output_shape == (None, 2)
    np.testing.assert_allclose(to_array(inner(DATA)), SUMS.repeat(2, 1), rtol=1e-6)
    np.testing.assert_allclose(inner.predict([DATA]), SUMS.repeat(2, 1), rtol=1e-6)
    y = layers.Input((3,))
    outer = Model(y, ones(1)(inner(y)))
    np.testing.assert_allclose(outer.predict(DATA), 2 * SUMS, rtol=1e-6)


def test_one_in_a_list_within_other_models():
    np.testing.assert_allclose(Sequential([in_lists(), ones(1)]).predict(DATA), 2 * SUMS, rtol=1e-6)
    np.testing.assert_allclose(Sequential([layers.Input((3,)), in_lists()]).predict(DATA), SUMS.repeat(2, 1), rtol=1e-6)
    y, shared = layers.Input((3,)), in_lists()
    twice = Model(y, layers.Concatenate()([shared(y), shared(layers.Activation('linear')(y))]))
    np.testing.assert_allclose(twice.predict(DATA), SUMS.repeat(4, 1), rtol=1e-6)
    steps = layers.Input((4, 3))
    over_time = Model(steps, ones(1)(layers.TimeDistributed(in_lists())(steps)))
    np.testing.assert_allclose(over_time.predict(np.stack([DATA] * 4, 1)), np.stack([2 * SUMS] * 4, 1), rtol=1e-6)


def nested():
    x, z = layers.Input((3,), name='x'), layers.Input((2,), name='z')
    return Model({'a': [x], 'b': (z,)}, {'o': [ones(2)(x)], 'p': (z, {'q': ones(1)(z)})})


def test_nested_structures_are_kept():
    model, data = nested(), {'a': [DATA], 'b': (DATA[:, :2],)}
    shapes = {'o': [(None, 2)], 'p': ((None, 2), {'q': (None, 1)})}
    assert model.output_shape == shapes and model.input_shape == {'a': [(None, 3)], 'b': ((None, 2),)}
    copies = [clone_model(model), Model.from_config(model.get_config())]
    assert all(copy.output_shape == shapes for copy in copies)
    for one in [model] + copies:
        for found in (one.predict(data), one(data)):
            assert type(found['o']) is list and type(found['p']) is tuple
            np.testing.assert_allclose(to_array(found['o'][0]), SUMS.repeat(2, 1), rtol=1e-6)
            np.testing.assert_allclose(to_array(found['p'][1]['q']), DATA[:, :2].sum(1, keepdims=True), rtol=1e-6)
    # JSON has no tuples.
    again = Model.from_config(json.loads(json.dumps(model.get_config())))
    assert again.output_shape == {'o': [(None, 2)], 'p': [(None, 2), {'q': (None, 1)}]}


def test_nested_structures_inside_another_model():
    a, b = layers.Input((3,)), layers.Input((2,))
    found = nested()({'a': [a], 'b': (b,)})
    outer = Model([a, b], [found['o'][0], found['p'][1]['q']])
    first, second = outer.predict([DATA, DATA[:, :2]])
    np.testing.assert_allclose(first, SUMS.repeat(2, 1), rtol=1e-6)
    np.testing.assert_allclose(second, DATA[:, :2].sum(1, keepdims=True), rtol=1e-6)


def test_dictionaries_within_dictionaries_are_inputs():
    x, z = layers.Input((3,)), layers.Input((2,))
    model = Model({'a': {'u': x}, 'b': z}, layers.Concatenate()([x, z]))
    found = model({'b': DATA[:, :2], 'a': {'u': DATA, 'unused': DATA}})
    np.testing.assert_array_equal(to_array(found), np.concatenate([DATA, DATA[:, :2]], 1))
    with pytest.raises(ValueError, match=r"no data for the inputs \['u'\]"):
        model({'b': DATA[:, :2], 'a': {'v': DATA}})


class Doubled(layers.Layer):
    """What it gives, and what shape rule says about it, as told."""

    def __init__(self, wrap):
        super(Doubled, self).__init__()
        self.wrap = wrap

    def call(self, inputs):
        return self.wrap(inputs * 2)


class DoubledWithRule(Doubled):
    def compute_output_shape(self, input_shape):
        return input_shape


class DoubledWithRuleOfLists(Doubled):
    def compute_output_shape(self, input_shape):
        return [input_shape]


@pytest.mark.parametrize('layer_class', [Doubled, DoubledWithRule, DoubledWithRuleOfLists])
@pytest.mark.parametrize('wrap', [lambda x: x, lambda x: [x]], ids=['alone', 'list'])
def test_layers_that_return_a_list_of_one(layer_class, wrap):
    x = layers.Input((3,))
    y = layer_class(wrap)(x)
    assert y.shape == (None, 3)
    np.testing.assert_allclose(Model(x, ones(1)(y)).predict(DATA), 2 * SUMS, rtol=1e-6)
    layer = layer_class(wrap)
    for _ in range(2):
        np.testing.assert_array_equal(to_array(layer(DATA)), 2 * DATA)
    model = Sequential([layer_class(wrap)])
    np.testing.assert_array_equal(model.predict(DATA), 2 * DATA)


def test_layers_of_keras_3_return_the_list():
    with config.generation(3):
        layer, x = Doubled(lambda x: [x]), layers.Input((3,))
    found = layer(x)
    assert isinstance(found, list) and found[0].shape == (None, 3)
    np.testing.assert_array_equal(to_array(layer(DATA)[0]), 2 * DATA)
    np.testing.assert_array_equal(Model(x, found[0]).predict(DATA), 2 * DATA)


def test_a_shape_rule_that_promises_other_outputs_is_named():
    class Wrong(layers.Layer):
        def call(self, inputs):
            return inputs, inputs

        def compute_output_shape(self, input_shape):
            return [input_shape] * 3
    x = layers.Input((3,))
    model = Model(x, Wrong(name='odd')(x))
    with pytest.raises(ValueError, match="Wrong 'odd' gave 2 tensors.*compute_output_shape"):
        model.predict(DATA)


def test_a_subclass_that_returns_a_list_of_one():
    class Listed(Model):
        def __init__(self):
            super(Listed, self).__init__()
            self.inner = ones(2)

        def call(self, inputs):
            return [self.inner(inputs)]
    x = layers.Input((3,))
    np.testing.assert_allclose(Model(x, ones(1)(Listed()(x))).predict(DATA), 2 * SUMS, rtol=1e-6)
    np.testing.assert_allclose(Listed().predict(DATA), SUMS.repeat(2, 1), rtol=1e-6)


def test_names_of_outputs_differ():
    x = layers.Input((3,))
    layer, other = layers.Activation('relu', name='c'), layers.Activation('relu', name='c_2')
    assert Model(x, [layer(x), other(x), layer(other(x)), layer(layer(x))]).output_names == ['c', 'c_2', 'c_1', 'c_3']


@pytest.mark.on('numpy')
@pytest.mark.parametrize('generation, order', [
    (2, 'kernel bias gamma kernel mean'), (3, 'kernel bias gamma mean kernel')])
def test_the_order_of_weights(generation, order):
    with config.generation(generation):
        model = Sequential([layers.Dense(2), layers.BatchNormalization(center=False), layers.Dense(1, use_bias=False)])
        model.build((None, 3))
    names = [weight.name.split('/')[-1].split(':')[0].replace('moving_', '') for weight in model.weights]
    assert [name for name in names if name != 'variance'] == order.split()
    assert [len(array.shape) for array in model.get_weights()] == [2, 1, 1, 1, 1, 2]


def test_what_keras_3_has_in_a_list_of_one():
    """The values are those of Keras 3.15.1."""
    with config.generation(3):
        x = layers.Input((3,), batch_size=2, name='x')
        y = layers.Dense(4, name='top')(x)
        at = ['x', 0, 0]
        for given, written in (([x], [at]), ([[x]], [[at]]), (x, at), ({'k': x}, {'k': at}), ([{'k': x}], [{'k': at}])):
            model = Model(given, y)
            assert type(model.input) is type(given) and model.input_shape == (2, 3) and model.output_shape == (2, 4)
            text = model.to_json()
            assert json.loads(text)['config']['input_layers'] == written
            assert model_from_json(text).to_json() == text
            assert clone_model(model).to_json() == text and copy.copy(model).to_json() == text
        model = Model(x, {'b': y, 'a': [layers.Dense(1)(x)]})
        assert model.output_shape == [(2, 1), (2, 4)]
        assert type(Model(x, [y]).output) is list and type(Model(x, [y]).predict(DATA[:2], verbose=0)) is np.ndarray
        with pytest.raises(ValueError, match="name 'x' and path '0.k' .*expected shape=.2, 3., found shape=.."):
            Model([{'k': x}], y)(np.float32(1))
