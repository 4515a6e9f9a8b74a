"""`keras.engine.base_layer.Node`: a call of a layer that a program notes itself."""
import pytest

import keras
from keras.engine.base_layer import Node

pytestmark = pytest.mark.on('numpy')


def test_calls_of_layers_are_nodes():
    layer = keras.layers.Dense(2)
    layer(keras.Input((3,)))
    assert isinstance(layer.inbound_nodes[0], Node) and not isinstance(layer, Node)


def test_a_noted_call_is_part_of_the_graph():
    class Doubled(keras.layers.Layer):
        def call(self, inputs):
            return 2 * inputs

    inputs, outputs, layer = keras.Input((3,)), keras.KerasTensor((None, 3)), Doubled()
    node = Node(layer, [inputs._keras_history[0]], [0], [0], [inputs], [outputs], [None], [None], [(None, 3)],
                [(None, 3)])
    assert layer.inbound_nodes == [node] == inputs._keras_history[0].outbound_nodes and layer.output is outputs
    assert keras.Model(inputs, outputs).predict([[1., 2., 3.]]).tolist() == [[2., 4., 6.]]


def test_a_node_wants_symbolic_tensors():
    with pytest.raises(ValueError, match='symbolic'):
        Node(keras.layers.Dense(2), [], [], [], [1], [2], [None], [None], [()], [()])


def test_the_arguments_of_a_call_as_keras_3_has_them():
    x, y = keras.Input((3,)), keras.Input((3,))
    arguments = keras.layers.add([x, y]).node.arguments
    assert arguments.keras_tensors == [x, y] and arguments.kwargs == {} == arguments
