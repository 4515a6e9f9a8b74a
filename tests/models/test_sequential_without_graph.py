"""Stacks that are no graph: their layers take several tensors, or cannot tell what they give."""
import numpy as np
import pytest

import keras
from keras import config, layers

X = np.arange(6.).reshape(3, 2).astype('float32')


class Twice(layers.Layer):
    def call(self, inputs):
        self.seen = type(inputs)
        return keras.tree.map_structure(lambda x: 2 * x, inputs)


class Sums(layers.Layer):
    def call(self, inputs):
        return inputs['a'] + inputs['b']


class Untold(layers.Layer):
    def call(self, inputs):
        return inputs + 1.0

    def compute_output_spec(self, *args, **kwargs):
        raise NotImplementedError


class Two(layers.Layer):
    def call(self, inputs, other):
        return inputs


@pytest.mark.parametrize('inputs', [{'a': X, 'b': X + 1}, [X, X + 1]])
def test_several_tensors_pass_through(inputs):
    layer = Twice()
    found = keras.Sequential([layer])(inputs)
    assert type(found) is layer.seen is type(inputs)
    for one, given in zip(keras.tree.flatten(found), keras.tree.flatten(inputs)):
        np.testing.assert_allclose(keras.ops.convert_to_numpy(one), 2 * given)


def test_dictionary_into_a_tensor_and_weights():
    model = keras.Sequential([Twice(), Sums(), layers.Dense(1, kernel_initializer='ones')])
    expected = (2 * (2 * X + 1)).sum(axis=1, keepdims=True)
    inputs = {'a': X, 'b': X + 1}
    np.testing.assert_allclose(keras.ops.convert_to_numpy(model(inputs)), expected)
    assert len(model.weights) == 2
    np.testing.assert_allclose(model.predict(inputs, verbose=0), expected)
    model.summary(print_fn=lambda *args, **kwargs: None)


def test_layer_that_cannot_tell_its_output():
    with config.generation(3):
        model = keras.Sequential([Untold(), layers.Dense(1, kernel_initializer='ones')])
        np.testing.assert_allclose(keras.ops.convert_to_numpy(model(X)), (X + 1).sum(axis=1, keepdims=True))


@pytest.mark.on('numpy')
def test_layer_of_two_arguments_is_none_of_a_stack():
    model = keras.Sequential([Two()])
    for error in (ValueError, TypeError):
        with pytest.raises(error, match='can only have a single positional argument'):
            model.build((None, 2))


@pytest.mark.on('numpy')
def test_inputs_of_what_is_not_built():
    assert keras.Sequential([layers.Dense(2)]).inputs is None
    keras.Sequential([keras.Input((2,)), layers.Dense(2)]).build((None, 4))
    with config.generation(3):
        model = keras.Sequential([layers.Dense(2)])
        assert not any(hasattr(model, name) for name in ('inputs', 'outputs', 'input_shape', 'output_shape'))
        model.build((None, 2))
        assert len(model.inputs) == len(model.outputs) == 1
        model = keras.Sequential([keras.Input((2,), batch_size=3), layers.Dense(2)])
        with pytest.raises(ValueError, match='already been configured to use input shape'):
            model.build((3, 4))
        model.build((3, 2))
