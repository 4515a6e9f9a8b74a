"""`Node` as Keras 2 has it: one call of a layer, made from the tensors that went in and came out."""
from keras.backend.graph import nodes
from keras.backend.graph.tensors import is_symbolic


class _AnyNode(type):
    def __instancecheck__(cls, instance):
        return isinstance(instance, nodes.Node)


class Node(metaclass=_AnyNode):
    """Notes that a layer was called on `input_tensors` and gave `output_tensors`; every call of a layer is a `Node`.

    Args:
        outbound_layer: the layer. inbound_layers, node_indices, tensor_indices: where the inputs come from; the tensors
            know that themselves.
        input_tensors, output_tensors: lists of symbolic tensors. input_masks, output_masks: theirs, None for none.
        input_shapes, output_shapes: of the tensors. arguments: keyword arguments of the call.

    Example:
        >>> layer, x = keras.layers.Dense(2), keras.Input((3,))
        >>> y = layer(x)
        >>> isinstance(layer.inbound_nodes[0], keras.engine.base_layer.Node)
        True
    """

    def __new__(cls, outbound_layer, inbound_layers, node_indices, tensor_indices, input_tensors, output_tensors,
                input_masks, output_masks, input_shapes, output_shapes, arguments=None):
        inputs = list(input_tensors)
        if not all(map(is_symbolic, inputs + list(output_tensors))):
            raise ValueError('Node of %s: input_tensors and output_tensors must be symbolic. Received: %r and %r'
                             % (outbound_layer.name, input_tensors, output_tensors))
        node = nodes.Node(outbound_layer, inputs if len(inputs) == 1 else [inputs], arguments or {},
                          list(output_tensors))
        for index, (tensor, mask) in enumerate(zip(output_tensors, output_masks or [None] * len(output_tensors))):
            tensor.node, tensor.index, tensor.mask = node, index, mask
        node.outputs = list(output_tensors)
        node.output_structure = node.outputs[0] if len(node.outputs) == 1 else node.outputs
        outbound_layer.note_call(node)
        return node

    def __init__(self, outbound_layer, inbound_layers, node_indices, tensor_indices, input_tensors, output_tensors,
                 input_masks, output_masks, input_shapes, output_shapes, arguments=None):
        """Nothing is left to do: `__new__` gives a node of the graph."""
