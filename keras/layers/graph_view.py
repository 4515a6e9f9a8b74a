"""What a layer knows of the graphs it stands in: its inputs and outputs by node."""
from keras.backend.contract import tree
from keras.layers.yielding import yielding


class GraphView:
    """The part of `Layer` that concerns the symbolic calls made of it."""

    def start_graph_view(self):
        self._inbound_nodes, self._outbound_nodes = [], []

    @yielding
    def inbound_nodes(self):
        """The symbolic calls of this layer, in their order."""
        return self._inbound_nodes

    @yielding
    def outbound_nodes(self):
        """The calls of other layers that take what this one gives."""
        return self._outbound_nodes

    def note_call(self, node):
        """Remember `node` as a symbolic call of this layer, and tell the layers that feed it."""
        node.number = len(self._inbound_nodes)
        self._inbound_nodes.append(node)
        for tensor in node.inputs:
            layer = tensor.node.operation if tensor.node is not None else None
            if isinstance(layer, GraphView):
                layer._outbound_nodes.append(node)

    def _node_values(self, node_index, attribute, what):
        if not self._inbound_nodes:
            raise AttributeError('The layer %s has never been called on a symbolic input, so it has no %s.'
                                 % (self.name, what))
        if node_index >= len(self._inbound_nodes):
            raise ValueError('Asked for the %s of layer %s at node %d, but it was called only %d times.'
                             % (what, self.name, node_index, len(self._inbound_nodes)))
        values = getattr(self._inbound_nodes[node_index], attribute)
        return values[0] if len(values) == 1 else list(values)

    def _only_node(self, attribute, what):
        if len(self._inbound_nodes) > 1:
            values = [self._node_values(index, attribute, what) for index in range(len(self._inbound_nodes))]
            if 'shape' not in what or any(value != values[0] for value in values):
                raise AttributeError('Layer %s was called %d times, so "its %s" has no single meaning. Use get_%s_at('
                                     'node_index).' % (self.name, len(values), what, what.replace(' ', '_')))
        return self._node_values(0, attribute, what)

    def get_input_at(self, node_index):
        return self._node_values(node_index, 'input_tensors', 'input')

    def get_output_at(self, node_index):
        return self._node_values(node_index, 'output_tensors', 'output')

    def get_input_shape_at(self, node_index):
        return self._node_values(node_index, 'input_shapes', 'input shape')

    def get_output_shape_at(self, node_index):
        return self._node_values(node_index, 'output_shapes', 'output shape')

    def get_input_mask_at(self, node_index):
        return tree.map_structure(lambda x: x.mask, self.get_input_at(node_index))

    def get_output_mask_at(self, node_index):
        return tree.map_structure(lambda x: x.mask, self.get_output_at(node_index))

    @property
    def input(self):
        """The symbolic input, for a layer called once."""
        return self._only_node('input_tensors', 'input')

    @property
    def output(self):
        """The symbolic output, for a layer called once."""
        return self._only_node('output_tensors', 'output')

    @yielding
    def input_shape(self):
        return self._only_node('input_shapes', 'input shape')

    @yielding
    def output_shape(self):
        return self._only_node('output_shapes', 'output shape')

    @yielding
    def input_mask(self):
        return tree.map_structure(lambda x: x.mask, self.input)

    @yielding
    def output_mask(self):
        return tree.map_structure(lambda x: x.mask, self.output)
