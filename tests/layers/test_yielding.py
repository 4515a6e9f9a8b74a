"""Names that a Keras gives to layers and models, and that scripts give to something of their own."""
import numpy as np
import pytest

import keras
from keras import layers

pytestmark = pytest.mark.on('numpy')

OF_LAYERS = ('output_shape', 'input_shape', 'input_mask', 'output_mask', 'updates', 'inbound_nodes')
OF_MODELS = OF_LAYERS + ('inputs', 'outputs', 'targets', 'sample_weights', 'operations', 'stateful', 'total_loss',
                         'compiled_loss', 'compiled_metrics')


@pytest.mark.parametrize('base, name', [(layers.Layer, name) for name in OF_LAYERS]
                         + [(keras.Model, name) for name in OF_MODELS])
@pytest.mark.parametrize('generation', (2, 3))
def test_a_subclass_has_an_attribute_of_that_name(base, name, generation, tmp_path):
    class Own(base):
        def __init__(self):
            super().__init__()
            setattr(self, name, layers.Dense(3, kernel_initializer='ones', name='dense'))

        def call(self, inputs):
            return getattr(self, name)(inputs)

    with keras.config.generation(generation):
        own = Own()
        np.testing.assert_allclose(keras.ops.convert_to_numpy(own(np.ones((2, 4), 'float32'))), np.full((2, 3), 4.))
        assert [weight.shape for weight in own.weights] == [(4, 3), (3,)]
        if base is keras.Model:
            own.compile('sgd', 'mse')
            np.testing.assert_allclose(own.predict(np.ones((2, 4)), verbose=0), np.full((2, 3), 4.))
            assert own.evaluate(np.ones((2, 4)), np.ones((2, 3)), verbose=0) == 9
            own.save_weights(str(tmp_path / 'own.weights.h5'))
            own.summary(print_fn=len)


def test_without_one_the_property_answers():
    layer = layers.Dense(3)
    layer(keras.Input((2,)))
    assert layer.output_shape == (None, 3)
    layer.output_shape = 'mine'
    assert layer.output_shape == 'mine'
    del layer.output_shape
    assert layer.output_shape == (None, 3)
    with pytest.raises(AttributeError):
        del layer.output_shape


def test_inputs_and_outputs_of_a_graph_are_its_own():
    x = keras.Input((2,))
    for model in (keras.Model(x, layers.Dense(3)(x)), keras.Sequential([keras.Input((2,)), layers.Dense(3)])):
        with pytest.raises(AttributeError, match='keras.Model.inputs, outputs'):
            model.outputs = [x]
        assert model.outputs[0].shape == (None, 3)
