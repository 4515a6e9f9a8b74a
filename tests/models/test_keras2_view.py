"""What older packages read of a model: nodes and layers by depth, its ends, and whether training makes a difference."""
import pytest

import keras
from keras import layers

pytestmark = pytest.mark.on('numpy')


def test_nodes_and_layers_by_depth():
    a, b = keras.Input((3,), name='a'), keras.Input((3,), name='b')
    shared = layers.Dense(2, name='shared')
    first = shared(a)
    second = layers.Activation('relu', name='second')(shared(b))
    model = keras.Model([a, b], layers.add([first, second], name='sum'))
    names = {depth: [layer.name for layer in found] for depth, found in model._layers_by_depth.items()}
    assert names == {0: ['sum'], 1: ['second'], 2: ['shared'], 3: ['a', 'b']}
    nodes = {depth: sorted(node.outbound_layer.name for node in found)
             for depth, found in model._nodes_by_depth.items()}
    # As in Keras 2, the calls of a shared layer stand at the depth of the farthest of them or their own.
    assert nodes == {0: ['sum'], 1: ['second'], 2: ['shared', 'shared'], 3: ['a', 'b']}
    assert model.nodes_by_depth == model._nodes_by_depth
    assert [layer.name for layer in model.input_layers + model.output_layers] == ['a', 'b', 'sum']
    assert model._output_coordinates == [(model.get_layer('sum'), 0, 0)]


@pytest.mark.parametrize('layer, expected', [
    (layers.Dense(2), False), (layers.Dropout(0.5), True), (layers.Dropout(0.), False),
    (layers.BatchNormalization(), True), (layers.LSTM(2), False), (layers.LSTM(2, dropout=0.5), True),
    (layers.Bidirectional(layers.LSTM(2, recurrent_dropout=0.5)), True), (layers.Bidirectional(layers.LSTM(2)), False),
    (layers.TimeDistributed(layers.Dropout(0.5)), True), (layers.TimeDistributed(layers.Dense(2)), False)])
def test_whether_training_makes_a_difference(layer, expected):
    x = keras.Input((4, 3))
    y = layers.Activation('relu')(layer(x))
    assert layer.uses_learning_phase is expected and y._uses_learning_phase is expected
    assert keras.Model(x, y).uses_learning_phase is expected and not x._uses_learning_phase


def test_a_model_without_a_graph_has_no_depths():
    class Own(keras.Model):
        def call(self, inputs):
            return inputs
    assert not hasattr(Own(), '_nodes_by_depth') and Own().uses_learning_phase is False
