import numpy as np
import pytest

import keras
from keras import layers, models, ops

X = np.array([[1.0], [2.0]], 'float32')


class Inner(layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self._register_call_context_args('extra')

    def call(self, inputs, extra=False):
        return inputs + ops.where(extra, 1.0, 0.0)


class Around(layers.Layer):
    def __init__(self, inner, **kwargs):
        super().__init__(**kwargs)
        self.inner = inner

    def call(self, inputs):
        return self.inner(inputs)


def deep():
    layer = Around(Around(Inner()))
    layer._register_call_context_args('extra')
    return layer


def sequential():
    model = models.Sequential([layers.Identity(), Around(Inner())])
    model._register_call_context_args('extra')
    return model


def functional():
    inputs = keras.Input((1,))
    model = models.Model(inputs, Inner()(layers.Identity()(inputs)))
    model._register_call_context_args('extra')
    return model


def around_a_model():
    inputs = keras.Input((1,))
    layer = Around(models.Model(inputs, Inner()(inputs)))
    layer._register_call_context_args('extra')
    return layer


@pytest.mark.on('numpy', 'torch', 'jax', 'tensorflow')
@pytest.mark.parametrize('make', [deep, sequential, functional, around_a_model])
def test_what_is_registered_reaches_the_layers_inside(make):
    layer = make()
    for _ in range(4):  # calls that come again take shorter ways
        assert np.allclose(ops.convert_to_numpy(layer(X, extra=True)), X + 1)
        assert np.allclose(ops.convert_to_numpy(layer(X)), X)


@pytest.mark.on('numpy')
def test_who_has_not_registered_it_gets_nothing():
    class Plain(layers.Layer):
        def call(self, inputs, extra=False):
            return inputs + (1.0 if extra else 0.0)

    layer = Around(Plain())
    layer._register_call_context_args('extra')
    assert np.allclose(layer(X, extra=True), X)
    with pytest.raises(TypeError, match="argument 'extra'"):
        Around(Inner())(X, extra=True)


@pytest.mark.on('numpy')
def test_the_nearer_call_says_what_it_is():
    class Denying(Around):
        def call(self, inputs):
            return self.inner(inputs, extra=False)

    layer = Denying(Inner())
    layer._register_call_context_args('extra')
    assert np.allclose(layer(X, extra=True), X)


@pytest.mark.on('numpy')
def test_it_is_registered_before_the_first_call():
    layer = Inner()
    assert layer._call_context_args == {'training', 'extra'}
    layer(X)
    with pytest.raises(RuntimeError, match='Cannot add call-context args after the layer has been called'):
        layer._register_call_context_args('other')
